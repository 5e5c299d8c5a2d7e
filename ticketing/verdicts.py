"""What follows an answer: the asker's word on it, closing, and opening again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from office import audit, units
from office.audit import Actor, ActorKind
from office.contacts import Contact
from office.errors import Conflict, NotFound
from office.hours import OfficeHours
from office.staff import Staff
from ticketing import clocks, duty, feedback, leading
from ticketing.clocks import Priority
from ticketing.joining import split
from ticketing.moving import get, lock, may_work, move, reason_given
from ticketing.records import OPEN_STATES, REOPEN_WITHIN, ClosedBy, FollowUp, Ticket, TicketState

S = TicketState
HIGHER = {Priority.P3: Priority.P2, Priority.P2: Priority.P1, Priority.P1: Priority.P1}


async def close(
    session: AsyncSession, ticket: Ticket, *, by: ClosedBy, actor: Actor, now: datetime, reason: str = ""
) -> None:
    """Close an answered ticket: by its asker's word, by the clock, or by an officer with a reason."""
    await _officer_may(session, actor, ticket)
    await lock(session, ticket)
    if ticket.state is not S.ANSWERED:
        raise Conflict("stale_card")
    if by is ClosedBy.OFFICER:
        ticket.reason = await reason_given(session, reason)
    ticket.closed_at, ticket.closed_by = now, by
    # Nobody has to ask the roll again for what is settled.
    ticket.receipt_digest = None
    await session.execute(
        update(Ticket).where(Ticket.merged_into_id == ticket.id).values(receipt_digest=None)
    )
    await move(session, ticket, S.CLOSED, "close", actor, now, closed_by=by.value)


async def follow_up(
    session: AsyncSession,
    ticket: Ticket,
    said: FollowUp,
    *,
    contact: Contact,
    actor: Actor,
    hours: OfficeHours,
    now: datetime,
) -> bool:
    """Take the asker's word on the answer; returns whether anything changed.

    解决了 closes, 还没有 reopens with the same number; a second tap changes nothing. Of a ticket that was
    joined to somebody else's, 解决了 is noted and 还没有 parts it again. Raises `NotFound("expired_button")`
    for anybody but the asker.
    """
    if ticket.contact_id != contact.id:
        raise NotFound("expired_button")
    await lock(session, ticket)
    if ticket.state is S.MERGED:
        return await _of_joined(session, ticket, said, actor=actor, hours=hours, now=now)
    if said is FollowUp.NOT_SOLVED:
        if ticket.state in OPEN_STATES:
            return False
        await reopen(session, ticket, actor=actor, hours=hours, now=now)
        ticket.follow_up = said
        return True
    if ticket.state is not S.ANSWERED or ticket.follow_up is said:
        return False
    ticket.follow_up = said
    if said is FollowUp.SOLVED:
        await close(session, ticket, by=ClosedBy.ASKER, actor=actor, now=now)
        return True
    # Who has spoken is not asked again; the time for closing by default runs from here.
    ticket.follow_up_asked_at = ticket.follow_up_asked_at or now
    await audit.record(session, "ticket.follow_up", f"ticket:{ticket.id}", actor=actor, now=now)
    return True


async def _of_joined(
    session: AsyncSession,
    ticket: Ticket,
    said: FollowUp,
    *,
    actor: Actor,
    hours: OfficeHours,
    now: datetime,
) -> bool:
    lead = await get(session, ticket.merged_into_id or 0)
    if lead.state not in (S.ANSWERED, S.CLOSED) or ticket.follow_up is said:
        return False
    if said is FollowUp.NOT_SOLVED:
        await split(session, ticket, actor=actor, now=now)
        ticket.reopen_count += 1
        ticket.priority = HIGHER[ticket.priority]
        _promise_anew(ticket, hours, now)
    ticket.follow_up = said
    ticket.follow_up_asked_at = ticket.follow_up_asked_at or now
    await audit.record(session, "ticket.follow_up", f"ticket:{ticket.id}", actor=actor, now=now)
    return True


async def reopen(
    session: AsyncSession, ticket: Ticket, *, actor: Actor, hours: OfficeHours, now: datetime
) -> None:
    """Open an answered ticket, or one closed within seven days, again: same number, one priority higher.

    It gets a new promise, counted from now; the day in whose day-clear it counts stays. An answered one goes
    back to whoever held it, if they are on duty (without a roster: still in the office).
    """
    await _officer_may(session, actor, ticket)
    await lock(session, ticket)
    if ticket.state is S.CLOSED and (ticket.closed_at is None or now - ticket.closed_at > REOPEN_WITHIN):
        raise Conflict("reopen_too_late")
    if ticket.state not in (S.ANSWERED, S.CLOSED):
        raise Conflict("stale_card")
    await feedback.undone(session, ticket)
    ticket.reopen_count += 1
    ticket.priority = HIGHER[ticket.priority]
    _promise_anew(ticket, hours, now)
    ticket.answered_at = ticket.closed_at = ticket.closed_by = None
    ticket.follow_up_due_at = ticket.follow_up_asked_at = None
    back_to_holder = ticket.state is S.ANSWERED and await _on_duty(session, ticket, now)
    if not back_to_holder:
        ticket.assignee_id = ticket.assigned_at = ticket.taken_at = None
    await move(session, ticket, S.WORKING if back_to_holder else S.UNASSIGNED, "reopen", actor, now)


async def unvoid(
    session: AsyncSession, ticket: Ticket, *, actor: Staff, hours: OfficeHours, now: datetime
) -> None:
    """A leader opens a ticket that was set aside: the question is owed again, with a new promise."""
    await may_work(session, actor, ticket)
    await leading.must_lead(session, actor, ticket, now=now)
    await lock(session, ticket)
    if ticket.state is not S.VOID:
        raise Conflict("stale_card")
    await feedback.undone(session, ticket)
    ticket.reopen_count += 1
    _promise_anew(ticket, hours, now)
    ticket.assignee_id = ticket.assigned_at = ticket.taken_at = None
    await move(session, ticket, S.UNASSIGNED, "reopen", actor.as_actor(), now)


def _promise_anew(ticket: Ticket, hours: OfficeHours, now: datetime) -> None:
    promise = clocks.promise(now, hours, urgent=ticket.priority is Priority.P1)
    ticket.promised_at, ticket.due_at = promise.promised_at, promise.due_at
    ticket.clock_from, ticket.warned = now, 0


async def _officer_may(session: AsyncSession, actor: Actor, ticket: Ticket) -> None:
    if actor.kind is ActorKind.STAFF:
        await may_work(session, await session.get_one(Staff, actor.id), ticket)


async def _on_duty(session: AsyncSession, ticket: Ticket, now: datetime) -> bool:
    person = await session.get(Staff, ticket.assignee_id) if ticket.assignee_id else None
    if person is None or not person.active:
        return False
    unit = await units.get(session, ticket.unit_id)
    on = await duty.on_now(session, unit, now=now)
    if not on and await duty.next_shift(session, unit, now=now) is None:
        return True
    return any(person.id in (shift.officer_id, shift.standby_id, shift.leader_id) for shift in on)
