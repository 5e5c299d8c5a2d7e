"""Writing questions down: number, code and promise, redacted words, what is added later."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

from office import audit
from office.audit import SYSTEM
from office.contacts import Channel
from office.redact import PLACEHOLDER
from office.store import Store
from tests.make import Cast
from tests.ticketing.work import opened, read
from ticketing import intake, numbers, queue
from ticketing.clocks import Priority
from ticketing.records import PostKind, TicketKind, TicketState

# Made up: no check digit is right.
ID, MOBILE = "310104199001010012", "13812345678"


async def test_a_question_becomes_a_ticket_with_number_code_and_promise(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now)
    assert ticket.state is TicketState.UNASSIGNED
    assert ticket.ticket_no == numbers.parse_ticket_no(ticket.ticket_no)
    assert ticket.ticket_no.startswith("DP-1120-01-")
    assert len(ticket.progress_code) == numbers.PROGRESS_LENGTH
    assert ticket.priority is Priority.P2
    assert ticket.promised_at == ticket.due_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)  # 17:30
    async with store.reading() as session:
        (line,) = await queue.thread(session, ticket)
        entries, _ = await audit.listed(session, subject=f"ticket:{ticket.id}")
    assert (line.kind, line.text) == (PostKind.ASKER, "新楼盘还没有门牌号，登记表上的地址怎么填？")
    assert [entry.action for entry in entries] == ["ticket.open"]


async def test_twenty_questions_at_once_get_twenty_serials(store: Store, cast: Cast, now: datetime) -> None:
    found = await asyncio.gather(*(opened(store, cast, now) for _ in range(20)))
    assert sorted(ticket.serial for ticket in found) == list(range(1, 21))
    assert len({ticket.ticket_no for ticket in found}) == 20


async def test_serials_begin_anew_with_the_day_and_per_district(
    store: Store, cast: Cast, now: datetime
) -> None:
    await opened(store, cast, now)
    before_midnight = datetime(2026, 11, 20, 15, 59, tzinfo=UTC)
    late = await opened(store, cast, before_midnight)
    next_day = await opened(store, cast, before_midnight + timedelta(minutes=1))
    other = await opened(store, cast, now, district=cast.north)
    assert (late.serial, late.business_day) == (2, date(2026, 11, 20))
    assert (next_day.serial, next_day.business_day) == (1, date(2026, 11, 21))
    assert (other.serial, other.district_code) == (1, "BT")


async def test_personal_numbers_are_gone_before_anything_is_kept(
    store: Store, cast: Cast, now: datetime
) -> None:
    words = f"我叫张敏，身份证{ID}，手机{MOBILE}，办公室0000-12345678叫我来问"
    ticket = await opened(store, cast, now, words)
    async with store.transaction() as session:
        await intake.append(session, ticket, f"再补充：{ID}", now=now)
        await intake.edited(session, ticket, f"改成 {MOBILE}", now=now, event_id="m1")
        lines = await queue.thread(session, ticket)
    kept = [(await read(store, ticket)).words, *(line.text for line in lines)]
    assert all(ID not in text and MOBILE not in text for text in kept)
    assert all(PLACEHOLDER in text for text in kept)
    assert "0000-12345678" in kept[0]  # the office publishes this one itself
    assert ticket.has_personal
    assert not (await opened(store, cast, now)).has_personal


async def test_later_messages_stand_in_the_thread_and_the_words_stay(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now, event_id="m1")
    async with store.transaction() as session:
        await intake.append(session, ticket, "是临江路上那个", now=now, event_id="m2")
        await intake.edited(session, ticket, "新小区没有门牌号，怎么登记？", now=now, event_id="m1")
        lines = await queue.thread(session, ticket)
        of_message = await queue.of_event(session, cast.zhang_min, "m2")
    assert [line.kind for line in lines] == [PostKind.ASKER, PostKind.ASKER, PostKind.EDITED]
    assert (await read(store, ticket)).words == "新楼盘还没有门牌号，登记表上的地址怎么填？"
    assert of_message is not None
    assert of_message.id == ticket.id


async def test_what_is_urgent_is_owed_in_two_duty_hours(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now, urgent=True, kind=TicketKind.REPORT)
    assert ticket.priority is Priority.P1
    # 10:05 to 11:30 before lunch, the rest from 13:30 on: 14:05 in Beijing.
    assert ticket.due_at == datetime(2026, 11, 20, 6, 5, tzinfo=UTC)


async def test_the_officer_who_writes_a_call_down_is_the_first_taker(
    store: Store, cast: Cast, now: datetime
) -> None:
    called = await opened(
        store, cast, now, contact=None, channel=Channel.PHONE, actor=cast.li_qiang.as_actor()
    )
    assert (called.first_taker_id, called.contact_id) == (cast.li_qiang.id, None)
    assert (await opened(store, cast, now, actor=SYSTEM)).first_taker_id is None


async def test_the_queue_is_rung(store: Store, cast: Cast, now: datetime) -> None:
    with store.wakeups.listening("tickets") as bell:
        await opened(store, cast, now)
        assert bell.is_set()
