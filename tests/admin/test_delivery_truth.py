"""What a ticket's page says about whether the answer has arrived: with its asker, with everybody joined."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from office import contacts, outbox
from office.contacts import Channel, ContactState
from office.outbox import DeliveryState, Undeliverable
from office.seal import Sealer
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import HOURS, Cast
from tests.ticketing.people import act, another_asker
from tests.ticketing.work import answer, entry, opened, read, taken
from ticketing import call_backs, call_list, tickets, verdicts
from ticketing.call_backs import CallResult
from ticketing.records import FollowUp, Ticket

SignedIn = Callable[[Staff], Awaitable[Browser]]


async def page(signed_in: SignedIn, person: Staff, ticket: Ticket) -> str:
    shown = await (await signed_in(person)).get(f"/admin/tickets/{ticket.id}")
    assert shown.status_code == 200
    return html.unescape(shown.text)


async def deliver(store: Store, ticket: Ticket, clock: Clock, state: DeliveryState) -> None:
    async with store.transaction() as session:
        for row in await outbox.about(session, f"ticket:{ticket.id}"):
            row.state, row.claimed_until = DeliveryState.CLAIMED, clock() + timedelta(minutes=1)
            await session.flush()
            if state is DeliveryState.FAILED:
                await outbox.failed(session, row.id, Undeliverable("blocked", permanent=True), now=clock())
            else:
                await outbox.sent(session, row.id, now=clock())


@pytest.mark.parametrize(
    ("state", "words"), [(DeliveryState.SENT, "已送达"), (DeliveryState.FAILED, "无法送达")]
)
async def test_the_state_of_the_answer_in_one_word(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, state: DeliveryState, words: str
) -> None:
    ticket = await answer(
        store, cast, await taken(store, cast, clock()), await entry(store, cast, clock()), clock()
    )
    assert "正在发送" in await page(signed_in, cast.li_qiang, ticket)
    await deliver(store, ticket, clock, state)
    assert words in await page(signed_in, cast.li_qiang, ticket)


async def test_a_silenced_contact_fetches_the_answer(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken(store, cast, clock())
    async with store.transaction() as session:
        (await contacts.get(session, cast.zhang_min.id)).state = ContactState.SILENCED
    ticket = await answer(store, cast, ticket, await entry(store, cast, clock()), clock())
    assert "待取" in await page(signed_in, cast.li_qiang, ticket)


async def test_who_is_lost_and_left_a_number_is_called(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken(store, cast, clock())

    async def left(session: object, row: Ticket) -> None:
        row.phone = Sealer(b"").seal("13800138001")

    await act(store, ticket, left)
    ticket = await answer(store, cast, await read(store, ticket), await entry(store, cast, clock()), clock())
    await deliver(store, ticket, clock, DeliveryState.FAILED)
    async with store.transaction() as session:
        assert await call_backs.undeliverable(session, now=clock()) == 1
    shown = await page(signed_in, cast.li_qiang, ticket)
    assert "请按回拨单打电话" in shown
    assert "待回拨" in shown
    assert "13800138001" not in shown
    async with store.transaction() as session:
        ((call, _),), _total = await call_list.listed(session, cast.li_qiang)
        await call_backs.tried(
            session, call, CallResult.TOLD, "", actor=cast.li_qiang, hours=HOURS, now=clock()
        )
    shown = await page(signed_in, cast.li_qiang, ticket)
    assert "已送达" in shown
    assert "待回拨" not in shown


async def test_everybody_joined_is_listed_with_how_they_were_told(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    lead = await taken(store, cast, clock())
    chatting = await opened(
        store, cast, clock(), "同样的问题", contact=await another_asker(store, clock(), "6001")
    )
    calling = await opened(store, cast, clock(), "也是这个问题", contact=None, channel=Channel.PHONE)
    phoneless = await opened(store, cast, clock(), "我也想问", contact=None, channel=Channel.PHONE)

    async def left(session: object, row: Ticket) -> None:
        row.phone = Sealer(b"").seal("13800138001")

    await act(store, calling, left)
    again = await opened(store, cast, clock(), "还是我")
    for member in (chatting, calling, phoneless, again):

        async def join(session: object, row: Ticket) -> None:
            to = await tickets.get(session, lead.id)  # type: ignore[arg-type]
            await tickets.join(session, row, to, cluster_id=1, actor=cast.li_qiang, now=clock())  # type: ignore[arg-type]

        await act(store, member, join)
    shown = await page(signed_in, cast.li_qiang, await read(store, lead))
    assert "并入的工单（4）" in shown
    lead = await answer(store, cast, await read(store, lead), await entry(store, cast, clock()), clock())
    await deliver(store, chatting, clock, DeliveryState.SENT)
    other = await read(store, chatting)
    async with store.transaction() as session:
        row = await tickets.get(session, other.id)
        contact = await contacts.get(session, row.contact_id or 0)
        await verdicts.follow_up(
            session, row, FollowUp.SOLVED, contact=contact, actor=cast.li_qiang.as_actor(), hours=HOURS,
            now=clock(),
        )  # fmt: skip
    shown = await page(signed_in, cast.li_qiang, lead)
    for member, words in (
        (chatting, "已送达"),
        (calling, "待回拨"),
        (phoneless, "未留电话"),
        (again, "同一提问人，已一并答复"),
    ):
        line = shown[shown.index(f'href="/admin/tickets/{member.id}">{member.ticket_no}') :]
        assert words in line[: line.index("</tr>")], words
    assert "解决了" in shown


async def test_past_answers_stand_beside_the_question(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    before = await answer(
        store, cast, await taken(store, cast, clock()), await entry(store, cast, clock()), clock()
    )
    ticket = await opened(
        store, cast, clock(), "新楼盘没有门牌号，登记表的地址怎么填？",
        contact=await another_asker(store, clock(), "6001"),
    )  # fmt: skip
    shown = await page(signed_in, cast.wang_fang, ticket)
    past = shown[shown.index("类似工单怎样答复") :]
    assert before.ticket_no in past
    assert before.answer_text in past
