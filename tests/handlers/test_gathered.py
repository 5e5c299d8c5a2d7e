"""Asking what many ask: appended (E19), joined to the open cluster, or told what its answer cites."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from office.store import Store
from tests.journeys.conversation import Chat, Town, number_and_code
from tests.make import HOURS, Cast, an_entry
from tests.ticketing.gathered import asked
from ticketing import clusters, tickets
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import ThreadPost, Ticket, TicketState

UNKNOWN = "新楼盘还没有门牌号，登记表上的地址怎么填？"
AGAIN = "登记表上地址那一栏，没门牌号的新楼盘填什么"
MERGED = "和您有同样问题的居民较多，我们会统一答复，您会第一时间收到。"


async def led_by_another(store: Store, cast: Cast, now: datetime, *own: Ticket) -> Ticket:
    """A cluster of two strangers' tickets and these; the first stranger's leads."""
    async with store.transaction() as session:
        rows = [await asked(session, cast, now, UNKNOWN, who=f"70{number}") for number in range(2)]
        rows += [await tickets.get(session, ticket.id) for ticket in own]
        await clusters.confirm(session, rows, rows[0], "没有门牌号怎么填", actor=cast.li_qiang, now=now)
    return rows[0]


async def test_e19_the_same_asker_is_appended_to_their_own_ticket(
    chat: Chat, town: Town, store: Store, cast: Cast, now: datetime
) -> None:
    no, _ = number_and_code((await chat.says(UNKNOWN)).text)
    (mine,) = await town.rows(Ticket)
    await led_by_another(store, cast, now, mine)
    town.later(minutes=40)

    out = await chat.says(AGAIN)

    assert no in out.text
    assert MERGED in out.text
    assert len(await town.rows(Ticket)) == 3
    async with store.reading() as session:
        lines = (await session.scalars(select(ThreadPost.text).where(ThreadPost.ticket_id == mine.id))).all()
    assert AGAIN in lines
    enquiry = (await town.rows(Enquiry))[-1]
    assert (enquiry.ticket_id, enquiry.outcome) == (mine.id, Outcome.TICKETED)


async def test_somebody_else_with_the_very_same_question_joins_with_their_own_number(
    chat: Chat, town: Town, store: Store, cast: Cast, now: datetime
) -> None:
    lead = await led_by_another(store, cast, now)

    out = await chat.says(UNKNOWN)

    no, _ = number_and_code(out.text)
    assert MERGED in out.text
    mine = (await town.rows(Ticket))[-1]
    assert (mine.ticket_no, mine.state, mine.merged_into_id) == (no, TicketState.MERGED, lead.id)


async def test_who_asks_after_the_answer_is_told_what_it_cites(
    chat: Chat, town: Town, store: Store, cast: Cast, now: datetime
) -> None:
    lead = await led_by_another(store, cast, now)
    async with store.transaction() as session:
        version = await an_entry(
            session, cast, now, "K-0999", question="集体户口的人由谁统一领表", phrasings=("集体户谁领表",) * 3
        )
        found = await tickets.get(session, lead.id)
        await tickets.take(session, found, actor=cast.li_qiang, now=now)
        await tickets.answer(
            session, found, version.short, version, actor=cast.li_qiang, hours=HOURS, now=now
        )
    before = len(await town.rows(Ticket))

    out = await chat.says(UNKNOWN)

    assert "K-0999" in out.text
    assert len(await town.rows(Ticket)) == before


async def test_without_a_cluster_a_miss_is_a_ticket_as_before(chat: Chat, town: Town) -> None:
    out = await chat.says(UNKNOWN)
    assert MERGED not in out.text
    (ticket,) = await town.rows(Ticket)
    assert ticket.state is TicketState.UNASSIGNED
