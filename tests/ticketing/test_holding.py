"""Holding: wanted, granted by a leader, ended in time; the service clock stops, the law's does not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from office.errors import Conflict, Invalid, NotPermitted
from office.staff import Role
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.people import DAY, act, on_duty, person, told
from tests.ticketing.work import messages, opened, read, taken
from ticketing import clocks, holding, interim, tickets
from ticketing.records import StatutoryKind, Ticket, TicketKind, TicketState, UnansweredReason

S = TicketState
HOUR = timedelta(hours=1)
SUPERIOR = UnansweredReason.NEEDS_SUPERIOR


async def wanted(store: Store, cast: Cast, ticket: Ticket, now: datetime, until: datetime) -> Ticket:
    return await act(
        store, ticket, lambda s, t: holding.want(s, t, SUPERIOR, until, actor=cast.li_qiang, now=now)
    )


async def held(store: Store, cast: Cast, now: datetime, until: datetime, **more: object) -> Ticket:
    ticket = await wanted(store, cast, await taken(store, cast, now, **more), now, until)
    return await act(
        store, ticket, lambda s, t: holding.grant(s, t, actor=cast.wang_fang, hours=HOURS, now=now)
    )


async def resume(store: Store, cast: Cast, ticket: Ticket, now: datetime) -> Ticket:
    return await act(
        store, ticket, lambda s, t: holding.resume(s, t, actor=cast.li_qiang, hours=HOURS, now=now)
    )


async def test_a_hold_is_asked_for_by_the_holder_and_granted_by_a_leader(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await wanted(store, cast, await taken(store, cast, now), now, now + DAY)
    assert (ticket.state, ticket.hold_wanted_until) == (S.WORKING, now + DAY)
    assert await told(store, cast.wang_fang) == ["hold_wanted"]
    with pytest.raises(NotPermitted, match="leader_needed"):
        await act(store, ticket, lambda s, t: holding.grant(s, t, actor=cast.li_qiang, hours=HOURS, now=now))
    ticket = await act(
        store, ticket, lambda s, t: holding.grant(s, t, actor=cast.wang_fang, hours=HOURS, now=now)
    )
    assert (ticket.state, ticket.held_at, ticket.resume_by) == (S.ON_HOLD, now, now + DAY)
    assert ticket.hold_wanted_until is None
    assert await told(store, cast.li_qiang) == ["hold_granted"]
    (message,) = await messages(store, ticket)
    # Friday 10:05 to Saturday 10:05 are 5 h 25 min of duty: what was due at 17:30 is due on Monday at 15:55.
    assert (message.kind, message.facts["promised"]) == ("held", "2026-11-23T07:55:00+00:00")


async def test_whoever_asked_for_a_hold_does_not_grant_it(store: Store, cast: Cast, now: datetime) -> None:
    gu_ping = await person(store, cast.district, now, "顾平", Role.DUTY_OFFICER, Role.REVIEWER)
    ticket = await taken(store, cast, now, by=cast.wang_fang)
    # 王芳 leads the shift herself: so another leader is asked.
    await on_duty(store, cast, now, cast.li_qiang, leader_id=cast.wang_fang.id)
    ticket = await act(
        store, ticket, lambda s, t: holding.want(s, t, SUPERIOR, now + DAY, actor=cast.wang_fang, now=now)
    )
    assert (await told(store, cast.wang_fang), await told(store, gu_ping)) == ([], ["hold_wanted"])
    with pytest.raises(NotPermitted, match="hold_own"):
        await act(store, ticket, lambda s, t: holding.grant(s, t, actor=cast.wang_fang, hours=HOURS, now=now))
    ticket = await act(store, ticket, lambda s, t: holding.grant(s, t, actor=gu_ping, hours=HOURS, now=now))
    assert ticket.state is S.ON_HOLD


async def test_a_leader_may_refuse(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await wanted(store, cast, await taken(store, cast, now), now, now + DAY)
    ticket = await act(
        store, ticket, lambda s, t: holding.refuse(s, t, actor=cast.wang_fang, hours=HOURS, now=now)
    )
    assert (ticket.state, ticket.hold_wanted_until) == (S.WORKING, None)
    assert await told(store, cast.li_qiang) == ["hold_refused"]
    with pytest.raises(Conflict, match="stale_card"):
        await act(store, ticket, lambda s, t: holding.grant(s, t, actor=cast.wang_fang, hours=HOURS, now=now))


async def test_what_a_hold_may_not_be(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    for until in (now, now + timedelta(hours=48, seconds=1)):
        with pytest.raises(Invalid, match="hold_until"):
            await wanted(store, cast, ticket, now, until)
    with pytest.raises(Invalid, match="hold_reason"):
        await act(
            store,
            ticket,
            lambda s, t: holding.want(
                s, t, UnansweredReason.NO_ENTRY, now + DAY, actor=cast.li_qiang, now=now
            ),
        )
    other = await person(store, cast.district, now)
    with pytest.raises(Conflict, match="not_yours"):
        await act(store, ticket, lambda s, t: holding.want(s, t, SUPERIOR, now + DAY, actor=other, now=now))


async def test_the_service_clock_stands_still_and_runs_on(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await held(store, cast, now, now + timedelta(hours=48))
    due, promised = ticket.due_at, ticket.promised_at
    # Three duty hours later, over lunch: 10:05 to 15:05.
    later = now + timedelta(hours=5)
    ticket = await resume(store, cast, ticket, later)
    assert (ticket.state, ticket.assignee_id, ticket.held_at, ticket.resume_by) == (
        S.WORKING, cast.li_qiang.id, None, None,
    )  # fmt: skip
    assert due == promised == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    # Friday 17:30 and three duty hours: Monday 11:30.
    assert ticket.due_at == ticket.promised_at == datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
    # What was used up stays used up: 0 of 5 h 25 min before the hold, all the same length after it.
    start = ticket.clock_from or ticket.accepted_at
    assert HOURS.duty_between(start, ticket.due_at) == HOURS.duty_between(now, due)
    assert clocks.warning_level(start, ticket.due_at, later, HOURS) == 0
    assert ticket.due_day == date(2026, 11, 20)


async def test_the_clock_ends_a_hold_at_its_time_and_once(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await held(store, cast, now, now + 2 * HOUR)

    async def due(at: datetime) -> int:
        async with store.transaction() as session:
            return await holding.resume_due(session, hours=HOURS, now=at)

    assert await due(now + 2 * HOUR - timedelta(seconds=1)) == 0
    assert [await due(now + 5 * HOUR), await due(now + 5 * HOUR)] == [1, 0]
    row = await read(store, ticket)
    # A worker that stood still does not make the hold longer: 10:05 to 12:05 are 85 minutes of duty.
    assert row.due_at == HOURS.add_duty(ticket.due_at, timedelta(minutes=85))
    assert (row.state, await told(store, cast.li_qiang)) == (S.WORKING, ["hold_granted", "resumed"])


async def test_a_term_of_the_law_never_stops(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now, kind=TicketKind.CORRECTION)
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        row.statutory_kind, row.statutory_due = StatutoryKind.CORRECTION, date(2026, 11, 20)
    with pytest.raises(Invalid, match="hold_past_term"):
        await wanted(store, cast, ticket, now, now + DAY)
    ticket = await wanted(store, cast, await read(store, ticket), now, now + 4 * HOUR)
    ticket = await act(
        store, ticket, lambda s, t: holding.grant(s, t, actor=cast.wang_fang, hours=HOURS, now=now)
    )
    ticket = await resume(store, cast, ticket, now + 4 * HOUR)
    assert ticket.statutory_due == date(2026, 11, 20)


async def test_a_wish_ends_with_the_work(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await wanted(store, cast, await taken(store, cast, now), now, now + DAY)
    ticket = await act(
        store, ticket, lambda s, t: tickets.put_back(s, t, "去开会", actor=cast.li_qiang, now=now)
    )
    assert (ticket.hold_wanted_until, ticket.hold_wanted_by_id) == (None, None)


async def test_whoever_waits_on_a_held_ticket_hears_once_a_duty_day(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await held(store, cast, now, now + timedelta(hours=48))

    async def daily(at: datetime) -> int:
        async with store.transaction() as session:
            return await interim.daily_while_held(session, hours=HOURS, now=at)

    assert await daily(now + HOUR) == 0  # told as it began
    assert await daily(now + DAY) == 0  # Saturday: nobody is on duty
    monday = now + 3 * DAY
    assert [await daily(monday), await daily(monday + HOUR)] == [1, 0]
    assert [m.kind for m in await messages(store, ticket)] == ["held", "held"]


async def test_an_unassigned_ticket_is_not_held(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    with pytest.raises(Conflict, match="stale_card"):
        await wanted(store, cast, ticket, now, now + DAY)
