"""The ground under every act on a ticket: finding and locking it, who may, moving it by the table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import audit
from office.audit import Actor
from office.errors import Conflict, Invalid, NotFound
from office.staff import Permission, Staff, must
from office.store import ring_after_commit
from office.units import Unit
from ticketing.intake import clean
from ticketing.records import QUEUE_TOPIC, TRANSITIONS, Ticket, TicketState

S = TicketState
LONGEST_ANSWER = 3500
LONGEST_REASON = 300


async def get(session: AsyncSession, ticket_id: int) -> Ticket:
    """The ticket with this row number; raises `NotFound`. Reach is checked by who acts or shows."""
    ticket = await session.scalar(select(Ticket).where(Ticket.id == ticket_id))
    if ticket is None:
        raise NotFound("ticket_unknown")
    return ticket


async def move(
    session: AsyncSession, ticket: Ticket, to: TicketState, by: str, actor: Actor, now: datetime, **facts: Any
) -> None:
    """Move a ticket by its table of transitions, with the audit line, and wake the officers' queues.

    Whatever belongs to a hold, or to the wish for one, ends with the state it belongs to.
    """
    if to not in TRANSITIONS[ticket.state]:
        raise Conflict("stale_card")
    if ticket.state is S.ON_HOLD:
        ticket.held_at = ticket.resume_by = None
    ticket.hold_wanted_until = ticket.hold_wanted_by_id = None
    await audit.move(session, ticket, to, by=by, table=TRANSITIONS, actor=actor, now=now, **facts)
    ring_after_commit(session, QUEUE_TOPIC)


async def noted(
    session: AsyncSession, ticket: Ticket, act: str, actor: Actor, now: datetime, **facts: Any
) -> None:
    """Write the audit line of an act that leaves the state as it is, and wake the officers' queues."""
    await audit.record(session, f"ticket.{act}", f"ticket:{ticket.id}", actor=actor, now=now, **facts)
    ring_after_commit(session, QUEUE_TOPIC)


async def lock(session: AsyncSession, *rows: Ticket) -> None:
    """Hold these tickets until the commit; raises `Conflict("stale_card")` if one changed since it was read.

    Every act locks before it writes, and before the audit locks its end of the chain: so whoever comes
    second is told, and no two acts wait for each other.
    """
    await session.flush()
    for ticket in sorted(rows, key=lambda row: row.id):
        before = ticket.version
        await session.refresh(ticket, with_for_update=True)
        if ticket.version != before:
            raise Conflict("stale_card")


async def unit_path(session: AsyncSession, ticket: Ticket) -> str:
    """The path of the ticket's unit, which decides who may see it."""
    return (await session.get_one(Unit, ticket.unit_id)).path


async def may_work(session: AsyncSession, actor: Staff, ticket: Ticket) -> None:
    """Raise `NotPermitted` unless this ticket is in `actor`'s reach and they may work on tickets."""
    await must(session, actor, Permission.WORK_TICKETS, await unit_path(session, ticket))


async def must_hold(session: AsyncSession, actor: Staff, ticket: Ticket) -> None:
    """Lock a ticket for whoever works on it; raises `Conflict("not_yours")` for anybody else."""
    await may_work(session, actor, ticket)
    await lock(session, ticket)
    if ticket.state is not S.WORKING:
        raise Conflict("stale_card")
    if ticket.assignee_id != actor.id:
        raise Conflict("not_yours")


def text_given(text: str) -> str:
    """The text as it is kept; raises `Invalid` for an empty one and for one that is too long."""
    text = text.strip()
    if not text:
        raise Invalid("text_needed")
    if len(text) > LONGEST_ANSWER:
        raise Invalid("text_long", most=LONGEST_ANSWER)
    return text


async def reason_given(session: AsyncSession, reason: str) -> str:
    """The reason as it is kept; raises `Invalid("reason_needed")` for an empty one."""
    reason = (await clean(session, reason.strip()))[:LONGEST_REASON]
    if not reason:
        raise Invalid("reason_needed")
    return reason
