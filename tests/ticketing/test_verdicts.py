"""After the answer: solved, not solved, no comment; closing and opening again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from office import contacts, staff
from office.audit import CLOCK
from office.contacts import Channel, Contact
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.work import REPLY, answer, answered, asker, entry, messages, read, taken
from ticketing import intake, tickets, verdicts
from ticketing.clocks import Priority
from ticketing.records import ClosedBy, FollowUp, Ticket, TicketState

S = TicketState


async def tap(store: Store, ticket: Ticket, said: FollowUp, by: Contact, now: datetime) -> bool:
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        return await verdicts.follow_up(
            session, found, said, contact=by, actor=asker(by), hours=HOURS, now=now
        )


async def reopen(store: Store, ticket: Ticket, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await verdicts.reopen(session, found, actor=asker(cast.zhang_min), hours=HOURS, now=now)


async def test_solved_closes_in_the_asker_s_name(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)
    assert await tap(store, ticket, FollowUp.SOLVED, cast.zhang_min, now)
    row = await read(store, ticket)
    assert (row.state, row.closed_by, row.follow_up) == (S.CLOSED, ClosedBy.ASKER, FollowUp.SOLVED)


async def test_a_second_tap_changes_nothing(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)
    assert await tap(store, ticket, FollowUp.NO_COMMENT, cast.zhang_min, now)
    assert not await tap(store, ticket, FollowUp.NO_COMMENT, cast.zhang_min, now)
    assert await tap(store, ticket, FollowUp.SOLVED, cast.zhang_min, now)
    assert not await tap(store, ticket, FollowUp.SOLVED, cast.zhang_min, now)
    assert await tap(store, ticket, FollowUp.NOT_SOLVED, cast.zhang_min, now)
    assert not await tap(store, ticket, FollowUp.NOT_SOLVED, cast.zhang_min, now)
    assert (await read(store, ticket)).reopen_count == 1


async def test_two_taps_at_once_open_again_once(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)
    ended = await asyncio.gather(
        *(tap(store, ticket, FollowUp.NOT_SOLVED, cast.zhang_min, now) for _ in range(2)),
        return_exceptions=True,
    )
    assert ended.count(True) == 1
    assert all(one is True or one is False or isinstance(one, Conflict) for one in ended)
    assert (await read(store, ticket)).reopen_count == 1


async def test_somebody_else_s_tap_is_an_expired_button(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)
    async with store.transaction() as session:
        stranger = await contacts.seen(session, Channel.TELEGRAM, "5002", now=now)
        same_number = await contacts.seen(session, Channel.WEB, "5001", now=now)
    for other in (stranger, same_number):
        with pytest.raises(NotFound, match="expired_button"):
            await tap(store, ticket, FollowUp.SOLVED, other, now)
    assert (await read(store, ticket)).state is S.ANSWERED


async def test_not_solved_goes_back_to_the_same_officer_one_priority_higher(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now)
    later = now + timedelta(days=3)  # Monday 10:05
    await tap(store, ticket, FollowUp.NOT_SOLVED, cast.zhang_min, later)
    row = await read(store, ticket)
    assert (row.state, row.assignee_id, row.ticket_no) == (S.WORKING, cast.li_qiang.id, ticket.ticket_no)
    assert (ticket.priority, row.priority) == (Priority.P2, Priority.P1)
    # A new promise, two duty hours from now, and not the old one that has long passed.
    assert row.promised_at == row.due_at == datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
    assert row.due_day == ticket.due_day


async def test_when_the_officer_has_left_the_ticket_goes_into_the_queue(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now)
    async with store.transaction() as session:
        person = await staff.get(session, cast.li_qiang.id)
        await staff.deactivate(session, person, actor=cast.zhou_ning, now=now)
    await tap(store, ticket, FollowUp.NOT_SOLVED, cast.zhang_min, now)
    row = await read(store, ticket)
    assert (row.state, row.assignee_id) == (S.UNASSIGNED, None)


async def test_a_ticket_answered_twice_reaches_its_asker_twice_and_no_more(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await entry(store, cast, now)
    ticket = await answer(store, cast, await taken(store, cast, now), version, now)
    await tap(store, ticket, FollowUp.NOT_SOLVED, cast.zhang_min, now)
    again = await answer(store, cast, ticket, version, now)
    assert again.follow_up is None  # the new answer may be judged anew
    assert [m.facts["conclusion"] for m in await messages(store, ticket)] == [1, 2]
    assert [m.facts["text"] for m in await messages(store, ticket)] == [REPLY, REPLY]


async def test_a_closed_ticket_opens_again_within_seven_days(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)
    await tap(store, ticket, FollowUp.SOLVED, cast.zhang_min, now)
    with pytest.raises(Conflict, match="reopen_too_late"):
        await reopen(store, ticket, cast, now + timedelta(days=7, seconds=1))
    with pytest.raises(Conflict, match="reopen_too_late"):
        await tap(store, ticket, FollowUp.NOT_SOLVED, cast.zhang_min, now + timedelta(days=8))
    assert (await read(store, ticket)).follow_up is FollowUp.SOLVED
    await reopen(store, ticket, cast, now + timedelta(days=7))
    row = await read(store, ticket)
    assert (row.state, row.reopen_count, row.closed_at, row.closed_by) == (S.UNASSIGNED, 1, None, None)


async def test_an_officer_closes_with_a_reason_and_in_reach(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)

    async def close(person: staff.Staff, reason: str) -> None:
        async with store.transaction() as session:
            found = await tickets.get(session, ticket.id)
            await verdicts.close(
                session, found, by=ClosedBy.OFFICER, actor=person.as_actor(), now=now, reason=reason
            )

    with pytest.raises(NotPermitted):
        await close(cast.zhao_lei, "电话已告知")
    with pytest.raises(Invalid, match="reason_needed"):
        await close(cast.li_qiang, " ")
    await close(cast.li_qiang, "电话已告知")
    row = await read(store, ticket)
    assert (row.state, row.closed_by, row.reason) == (S.CLOSED, ClosedBy.OFFICER, "电话已告知")


async def test_an_outsider_does_not_open_a_ticket_again(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)
    for person in (cast.zhao_lei, cast.sun_jie):
        async with store.transaction() as session:
            found = await tickets.get(session, ticket.id)
            with pytest.raises(NotPermitted):
                await verdicts.reopen(session, found, actor=person.as_actor(), hours=HOURS, now=now)


async def test_only_what_is_answered_can_be_closed(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(Conflict, match="stale_card"):
            await verdicts.close(session, found, by=ClosedBy.CLOCK, actor=CLOCK, now=now)
        await intake.append(session, found, "在吗", now=now)
    assert (await read(store, ticket)).state is S.WORKING
