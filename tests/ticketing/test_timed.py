"""What the clock does, at a frozen now: once, once more, and after a stop."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import func, select

from office import budgets, contacts, outbox
from office.contacts import Channel, InboundEvent
from office.outbox import Priority
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.work import answered, asker, everything_sent, messages, opened, read
from ticketing import drafts, ledgers, queue, tickets, timed, verdicts
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import ClosedBy, FollowUp, Ticket, TicketKind, TicketState

S = TicketState
DAY = timedelta(days=1)


async def ask_back(store: Store, now: datetime) -> int:
    async with store.transaction() as session:
        return await timed.ask_back(session, hours=HOURS, now=now)


async def close(store: Store, now: datetime) -> int:
    async with store.transaction() as session:
        return await timed.close_by_default(session, now=now)


async def settle(store: Store, now: datetime) -> int:
    async with store.transaction() as session:
        return await timed.settle_pieces(session, hours=HOURS, now=now)


async def tidy(store: Store, now: datetime) -> None:
    async with store.transaction() as session:
        await timed.tidy(session, now=now)


async def half_a_message(store: Store, cast: Cast, now: datetime) -> int:
    async with store.transaction() as session:
        enquiry = await ledgers.record(
            session, cast.zhang_min, "新楼盘没有门牌号", outcome=None, now=now, event_id="m1"
        )
        enquiry.pending_until = now + timedelta(seconds=5)
    return enquiry.id


# --- half a message ---


async def test_half_a_message_becomes_a_ticket_once(store: Store, cast: Cast, now: datetime) -> None:
    number = await half_a_message(store, cast, now)
    assert await settle(store, now + timedelta(seconds=5)) == 0
    later = now + timedelta(seconds=6)
    settled = await asyncio.gather(settle(store, later), settle(store, later))
    assert sorted(settled) == [0, 1]
    assert await settle(store, later + DAY) == 0
    (message,) = await everything_sent(store)
    async with store.reading() as session:
        (ticket,) = await queue.of_asker(session, cast.zhang_min)
        enquiry = await session.get_one(Enquiry, number)
        found = await queue.of_event(session, cast.zhang_min, "m1")
    assert (enquiry.ticket_id, enquiry.outcome) == (ticket.id, Outcome.TICKETED)
    assert message.facts == {
        "no": ticket.ticket_no, "key": ticket.progress_code, "promise": "11月20日17:30",
    }  # fmt: skip
    assert found is not None
    assert found.id == ticket.id


async def test_half_a_message_is_settled_after_a_stop_too(store: Store, cast: Cast, now: datetime) -> None:
    await half_a_message(store, cast, now)
    assert await settle(store, now + 2 * DAY) == 1


# --- asking back ---


async def test_a_day_after_the_answer_one_question_goes_out(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)  # Friday 10:05; Saturday and Sunday have no duty
    assert await ask_back(store, now + DAY) == 0
    monday = now + 3 * DAY
    assert await ask_back(store, monday - timedelta(hours=2)) == 0
    both = await asyncio.gather(ask_back(store, monday), ask_back(store, monday))
    assert sorted(both) == [0, 1]
    assert await ask_back(store, monday) == 0
    _, question = await messages(store, ticket)
    assert (question.kind, question.priority) == ("follow_up", Priority.NOTICE)
    assert question.facts["conclusion"] == 1


async def test_after_a_stop_nobody_is_asked_at_night(store: Store, cast: Cast, now: datetime) -> None:
    await answered(store, cast, now)
    tuesday_night = now + 4 * DAY + timedelta(hours=14)  # 00:05 on Wednesday
    assert await ask_back(store, tuesday_night) == 0
    assert await ask_back(store, tuesday_night + timedelta(hours=9)) == 1


async def test_who_has_spoken_is_not_asked(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await verdicts.follow_up(
            session, found, FollowUp.NO_COMMENT,
            contact=cast.zhang_min, actor=asker(cast.zhang_min), hours=HOURS, now=now,
        )  # fmt: skip
    assert await ask_back(store, now + 3 * DAY) == 0
    assert await close(store, now + 3 * DAY - timedelta(seconds=1)) == 0
    assert await close(store, now + 3 * DAY) == 1
    assert (await read(store, ticket)).state is S.CLOSED


# --- closing by default ---


async def test_without_a_word_in_72_hours_the_clock_closes(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)
    asked = now + 3 * DAY
    await ask_back(store, asked)
    assert await close(store, asked + 3 * DAY - timedelta(seconds=1)) == 0
    due = asked + 3 * DAY
    assert sorted(await asyncio.gather(close(store, due), close(store, due))) == [0, 1]
    row = await read(store, ticket)
    assert (row.state, row.closed_by, row.follow_up) == (S.CLOSED, ClosedBy.CLOCK, None)
    assert row.closed_at == asked + 3 * DAY


async def test_nobody_is_closed_unasked_however_long_the_stop(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now)
    much_later = now + 31 * DAY
    assert await close(store, much_later) == 0
    assert await ask_back(store, much_later) == 1
    assert await close(store, much_later) == 0
    assert (await read(store, ticket)).state is S.ANSWERED


async def test_a_reopened_ticket_is_asked_about_again_after_its_new_answer_only(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now)
    monday = now + 3 * DAY
    await ask_back(store, monday)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await verdicts.reopen(session, found, actor=asker(cast.zhang_min), hours=HOURS, now=monday)
    assert await close(store, monday + 4 * DAY) == 0
    assert await ask_back(store, monday + 4 * DAY) == 0
    assert (await read(store, ticket)).state is S.WORKING


# --- retention ---


async def kept(store: Store, ticket: Ticket) -> set[str]:
    async with store.reading() as session:
        row = await tickets.get(session, ticket.id)
        return {row.words, *(line.text for line in await queue.thread(session, row))}


async def test_words_go_ninety_days_after_closing_and_not_before(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        enquiry = await ledgers.record(
            session, cast.zhang_min, "新楼盘没有门牌号", outcome=Outcome.TICKETED, now=now
        )
        enquiry.ticket_id = ticket.id
        await drafts.save(session, found, "草稿", actor=cast.li_qiang, now=now)
        await verdicts.close(session, found, by=ClosedBy.ASKER, actor=asker(cast.zhang_min), now=now)
        ((sent, _),) = await outbox.claim(session, [Channel.TELEGRAM], limit=1, now=now)
        await outbox.sent(session, sent.id, now=now)

    await tidy(store, now + 90 * DAY)
    assert "" not in await kept(store, ticket)

    await tidy(store, now + 90 * DAY + timedelta(seconds=1))
    assert await kept(store, ticket) == {""}
    async with store.reading() as session:
        assert (await session.scalars(select(Enquiry.words))).all() == [""]
        assert await drafts.of(session, ticket, cast.li_qiang) == ""
        (message,) = await outbox.about(session, f"ticket:{ticket.id}")
        row = await tickets.get(session, ticket.id)
    assert message.facts == {}
    assert row.answer_text  # the conclusion stays


async def test_open_tickets_and_statutory_ones_keep_their_words(
    store: Store, cast: Cast, now: datetime
) -> None:
    waiting = await opened(store, cast, now)
    appeal = await answered(store, cast, now, kind=TicketKind.APPEAL)
    async with store.transaction() as session:
        found = await tickets.get(session, appeal.id)
        await verdicts.close(session, found, by=ClosedBy.ASKER, actor=asker(cast.zhang_min), now=now)
    await tidy(store, now + 200 * DAY)
    assert "" not in await kept(store, waiting) | await kept(store, appeal)


async def test_what_was_set_aside_or_joined_loses_its_words_too(
    store: Store, cast: Cast, now: datetime
) -> None:
    aside, child = await opened(store, cast, now), await opened(store, cast, now)
    lead = await answered(store, cast, now)
    async with store.transaction() as session:
        await tickets.void(
            session, await tickets.get(session, aside.id), "误录", actor=cast.li_qiang, now=now
        )
        found = await tickets.get(session, lead.id)
        await tickets.merge(
            session, await tickets.get(session, child.id), found, actor=cast.li_qiang, now=now
        )
        await verdicts.close(session, found, by=ClosedBy.ASKER, actor=asker(cast.zhang_min), now=now)
    await tidy(store, now + 91 * DAY)
    for ticket in (aside, child, lead):
        assert await kept(store, ticket) == {""}


async def test_an_enquiry_that_was_answered_at_once_keeps_its_words_for_ninety_days(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await ledgers.record(session, cast.zhang_min, "选民证丢了", outcome=Outcome.AUTO, now=now)
    for passed, words in ((90 * DAY, "选民证丢了"), (91 * DAY, "")):
        await tidy(store, now + passed)
        async with store.reading() as session:
            assert (await session.scalars(select(Enquiry.words))).all() == [words]


async def test_old_events_and_counters_go(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await contacts.first_time(session, Channel.WEB, "m1", now=now)
        await budgets.spend(session, "a", limit=1, span=DAY, now=now)
    for passed, left in ((7 * DAY, 1), (7 * DAY + timedelta(seconds=1), 0)):
        await tidy(store, now + passed)
        async with store.reading() as session:
            assert await session.scalar(select(func.count()).select_from(InboundEvent)) == left
            assert await session.scalar(select(func.count()).select_from(budgets.Budget)) == 0
