"""Holding (挂起): the only thing that stops a service clock; a leader grants it, for 48 hours at most.

Two people make a hold, also where the one who asks leads the desk: nobody puts off a promise alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office.audit import CLOCK
from office.errors import Conflict, Invalid, NotPermitted
from office.hours import OfficeHours, moment
from office.staff import Staff, second_person
from ticketing import clocks, interim, leading
from ticketing.assigning import leaders_of, tell
from ticketing.moving import lock, may_work, move, must_hold, noted
from ticketing.records import Ticket, TicketState, UnansweredReason

S = TicketState
LONGEST_HOLD = timedelta(hours=48)
REASONS = (UnansweredReason.NEEDS_SUPERIOR, UnansweredReason.NEEDS_DATA)
BATCH = 100


async def want(
    session: AsyncSession,
    ticket: Ticket,
    why: UnansweredReason,
    until: datetime,
    *,
    actor: Staff,
    now: datetime,
) -> None:
    """Ask a leader for a hold, because a higher office is asked or data are checked.

    Raises `Invalid("hold_reason")` for any other reason, `Invalid("hold_until")` for a time that has passed
    or lies more than 48 hours ahead, `Invalid("hold_past_term")` beyond a term of the law, which nothing
    stops.
    """
    await must_hold(session, actor, ticket)
    if why not in REASONS:
        raise Invalid("hold_reason")
    if not now < until <= now + LONGEST_HOLD:
        raise Invalid("hold_until")
    if ticket.statutory_due is not None and until > moment(ticket.statutory_due, clocks.MIDNIGHT):
        raise Invalid("hold_past_term")
    ticket.why_unanswered = why
    ticket.hold_wanted_until, ticket.hold_wanted_by_id = until, actor.id
    await session.flush()
    await noted(session, ticket, "want_hold", actor.as_actor(), now, why=why.value)
    leaders = await leaders_of(session, ticket, now=now, but=actor)
    await tell(session, ticket, leaders, "hold_wanted", now=now, who=actor.masked_name)


async def grant(
    session: AsyncSession, ticket: Ticket, *, actor: Staff, hours: OfficeHours, now: datetime
) -> None:
    """A leader lets a wanted hold begin: the service clock stops and everybody who waits is told.

    Raises `NotPermitted("hold_own")` for whoever asked for it.
    """
    wanted = await _wanted(session, ticket, actor, now)
    if ticket.hold_wanted_by_id == actor.id:
        raise NotPermitted("hold_own")
    await second_person(session, actor, ticket.hold_wanted_by_id, now=now)
    if wanted <= now:
        raise Conflict("hold_over")
    by, until = ticket.hold_wanted_by_id, min(wanted, now + LONGEST_HOLD)
    ticket.held_at, ticket.resume_by = now, until
    await move(session, ticket, S.ON_HOLD, "hold", actor.as_actor(), now, why=ticket.why_unanswered.value)
    await tell(session, ticket, [by], "hold_granted", now=now)
    await interim.held(session, ticket, hours=hours, now=now)


async def refuse(
    session: AsyncSession, ticket: Ticket, *, actor: Staff, hours: OfficeHours, now: datetime
) -> None:
    """A leader lets the clock run on; whoever asked is told."""
    await _wanted(session, ticket, actor, now)
    by = ticket.hold_wanted_by_id
    ticket.hold_wanted_until = ticket.hold_wanted_by_id = None
    await session.flush()
    await noted(session, ticket, "refuse_hold", actor.as_actor(), now)
    await tell(session, ticket, [by], "hold_refused", now=now)


async def resume(
    session: AsyncSession, ticket: Ticket, *, actor: Staff | None, hours: OfficeHours, now: datetime
) -> None:
    """Go on with a held ticket: by whoever holds it, a leader, or the clock (`actor` None).

    Due time and promise move on by the duty time that was held. Where nobody is left to go on with it, the
    ticket goes into the queue.
    """
    if actor is not None:
        await may_work(session, actor, ticket)
    await lock(session, ticket)
    if ticket.state is not S.ON_HOLD or ticket.held_at is None:
        raise Conflict("stale_card")
    if actor is not None and ticket.assignee_id not in (None, actor.id):
        await leading.must_lead(session, actor, ticket, now=now)
    run_on(ticket, hours, now)
    if ticket.assignee_id is None and actor is not None:
        ticket.assignee_id, ticket.taken_at = actor.id, now
    who = actor.as_actor() if actor else CLOCK
    holder = await session.get(Staff, ticket.assignee_id) if ticket.assignee_id else None
    await move(session, ticket, S.WORKING, "resume", who, now)
    if holder is None or not holder.active:
        ticket.assignee_id = ticket.taken_at = ticket.assigned_at = None
        await move(session, ticket, S.UNASSIGNED, "requeue", who, now)
    if actor is None or actor.id != ticket.assignee_id:
        people = [ticket.assignee_id] if ticket.assignee_id else await leaders_of(session, ticket, now=now)
        await tell(session, ticket, people, "resumed", now=now)


def run_on(ticket: Ticket, hours: OfficeHours, now: datetime) -> None:
    """Move the service clock of a held ticket on by the duty time it was held; a legal term stays."""
    if ticket.held_at is None:
        return
    # A worker that stood still makes no hold longer than was granted.
    held = hours.duty_between(ticket.held_at, min(now, ticket.resume_by or now))
    ticket.due_at = hours.add_duty(ticket.due_at, held)
    ticket.promised_at = hours.add_duty(ticket.promised_at, held)
    ticket.clock_from = hours.add_duty(ticket.clock_from or ticket.accepted_at, held)


async def resume_due(session: AsyncSession, *, hours: OfficeHours, now: datetime) -> int:
    """Let every hold end at its time; returns how many did."""
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.state == S.ON_HOLD, Ticket.resume_by <= now)
        .order_by(Ticket.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    found = rows.all()
    for ticket in found:
        await resume(session, ticket, actor=None, hours=hours, now=now)
    return len(found)


async def _wanted(session: AsyncSession, ticket: Ticket, actor: Staff, now: datetime) -> datetime:
    await may_work(session, actor, ticket)
    await leading.must_lead(session, actor, ticket, now=now)
    await lock(session, ticket)
    if ticket.state is not S.WORKING or ticket.hold_wanted_until is None:
        raise Conflict("stale_card")
    return ticket.hold_wanted_until
