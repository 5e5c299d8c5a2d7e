"""转人工·加急: an appeal is opened once, with the day by which it is decided, whatever was asked before."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from office.store import Store
from tests.journeys.conversation import Chat, Town
from tests.make import Cast, an_entry
from tests.ticketing.work import answer, entry
from ticketing import tickets
from ticketing.records import RollIssue, StatutoryKind, Ticket, TicketKind, TicketState

WORDS = "名单里找不到我的名字"
BUTTON = "转人工·加急"


@pytest.fixture
async def objection(chat: Chat, town: Town, store: Store, cast: Cast, now: datetime) -> Chat:
    """On the last day for appeals, an answer about the list has been given."""
    async with store.transaction() as session:
        await an_entry(
            session, cast, now, "K-0501", topic="list_fix", question="名单上没有我的名字怎么办？",
            phrasings=("榜上没有我", "名单把我漏了", "名单里找不到我的名字"),
            short="请马上联系登记站核对。",
        )  # fmt: skip
    town.now = datetime(2026, 12, 14, 2, 5, tzinfo=UTC)
    await chat.says(WORDS)
    return chat


async def opened(store: Store) -> list[Ticket]:
    async with store.reading() as session:
        return list((await session.scalars(select(Ticket).order_by(Ticket.id))).all())


async def test_the_asker_hears_by_when_it_is_decided_and_until_when_to_sue(
    objection: Chat, store: Store
) -> None:
    out = await objection.taps(BUTTON)
    assert "申诉决定：最迟12月17日（周四），还剩3天" in out.texts[-1]
    assert "最迟12月24日向区人民法院起诉" in out.texts[-1]
    (ticket,) = await opened(store)
    assert (ticket.kind, ticket.roll_issue, ticket.group) == (TicketKind.APPEAL, RollIssue.APPEAL, "登记组")
    assert (ticket.statutory_kind, ticket.statutory_due) == (
        StatutoryKind.APPEAL_DECISION,
        date(2026, 12, 17),
    )


async def test_a_second_tap_opens_no_second_appeal(objection: Chat, store: Store) -> None:
    await objection.taps(BUTTON)
    again = await objection.taps(BUTTON)
    (ticket,) = await opened(store)
    assert ticket.ticket_no in again.text


async def test_asking_again_adds_to_the_appeal(objection: Chat, store: Store) -> None:
    await objection.taps(BUTTON)
    await objection.says("榜上没有我")
    again = await objection.taps(BUTTON)
    (ticket,) = await opened(store)
    assert ticket.ticket_no in again.text


async def test_an_appeal_that_was_decided_is_opened_again_with_the_same_number(
    objection: Chat, town: Town, store: Store, cast: Cast
) -> None:
    await objection.taps(BUTTON)
    (ticket,) = await opened(store)
    async with store.transaction() as session:
        await tickets.take(session, await tickets.get(session, ticket.id), actor=cast.li_qiang, now=town.now)
    version = await entry(store, cast, town.now, no="K-0502")
    await answer(store, cast, ticket, version, town.now)
    await objection.taps(BUTTON)
    (ticket,) = await opened(store)
    assert (ticket.state, ticket.reopen_count) == (TicketState.WORKING, 1)
