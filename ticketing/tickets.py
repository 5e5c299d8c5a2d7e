"""What officers do with a ticket. Every act checks the actor, moves the state by the table and is audited.

The acts on a ticket are named here; those with a matter of their own live in `concluding` (answering),
`joining` (several that are one), `assigning`, `holding`, `interim` and `joint`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import audit
from office.errors import Conflict, NotPermitted
from office.staff import Staff
from office.store import ring_after_commit
from ticketing import feedback
from ticketing.concluding import answer as answer
from ticketing.concluding import propose as propose
from ticketing.concluding import revise as revise
from ticketing.concluding import sign as sign
from ticketing.concluding import tell_late as tell_late
from ticketing.intake import clean, post
from ticketing.joining import join as join
from ticketing.joining import merge as merge
from ticketing.joining import parted
from ticketing.joining import split as split
from ticketing.moving import get as get
from ticketing.moving import lock as lock
from ticketing.moving import may_work as may_work
from ticketing.moving import move as move
from ticketing.moving import must_hold as must_hold
from ticketing.moving import reason_given as reason_given
from ticketing.moving import text_given as text_given
from ticketing.records import QUEUE_TOPIC, PostKind, Ticket, TicketKind, TicketState

S = TicketState


async def take(
    session: AsyncSession, ticket: Ticket, *, seen: int | None = None, actor: Staff, now: datetime
) -> None:
    """Assign an open ticket to oneself and begin; the first one wins.

    `seen` is the version on the officer's card. Raises `Conflict("taken")` with the name of whoever was
    faster.
    """
    await may_work(session, actor, ticket)
    # Locked and read again, so that whoever comes second waits for the first and can be told who it was.
    await session.refresh(ticket, with_for_update=True)
    if ticket.state not in (S.UNASSIGNED, S.ASSIGNED) or (seen is not None and ticket.version != seen):
        await _tell_who(session, ticket)
    if ticket.state is S.UNASSIGNED:
        ticket.assigned_at = None
    ticket.assignee_id, ticket.taken_at = actor.id, now
    if ticket.first_taker_id is None:
        ticket.first_taker_id = actor.id
    await move(session, ticket, S.WORKING, "take", actor.as_actor(), now)


async def put_back(
    session: AsyncSession, ticket: Ticket, reason: str, *, actor: Staff, now: datetime
) -> None:
    """Give back to the queue what one took oneself; the reason stays on it.

    Raises `Conflict("rule_needed")` for what was assigned or handed over: `assigning.send_back` asks for the
    rule that says whose it is.
    """
    await must_hold(session, actor, ticket)
    if ticket.assigned_at is not None:
        raise Conflict("rule_needed")
    ticket.reason = await reason_given(session, reason)
    ticket.assignee_id = ticket.taken_at = None
    await move(session, ticket, S.UNASSIGNED, "send_back", actor.as_actor(), now)


async def note(session: AsyncSession, ticket: Ticket, text: str, *, actor: Staff, now: datetime) -> None:
    """A line for colleagues; never shown to the asker."""
    await may_work(session, actor, ticket)
    await post(session, ticket, PostKind.NOTE, await clean(session, text_given(text)), now=now, staff=actor)
    await audit.record(session, "ticket.note", f"ticket:{ticket.id}", actor=actor.as_actor(), now=now)
    ring_after_commit(session, QUEUE_TOPIC)


async def void(session: AsyncSession, ticket: Ticket, reason: str, *, actor: Staff, now: datetime) -> None:
    """Set aside what is no question for this office; never appeals, reports, or what a legal term runs on.

    Tickets that had been joined to it come back into the queue: they are still owed an answer.
    """
    await may_work(session, actor, ticket)
    if not may_be_void(ticket):
        raise NotPermitted("never_void")
    await lock(session, ticket)
    joined = await session.scalars(
        select(Ticket).where(Ticket.merged_into_id == ticket.id).order_by(Ticket.id).with_for_update()
    )
    ticket.reason = await reason_given(session, reason)
    ticket.receipt_digest = None
    await move(session, ticket, S.VOID, "void", actor.as_actor(), now)
    await feedback.dismissed(session, ticket, actor=actor, now=now)
    for child in joined.all():
        await parted(session, child, actor.as_actor(), now)


def may_be_void(ticket: Ticket) -> bool:
    """Whether a ticket may be set aside at all; its state decides besides."""
    return ticket.kind not in (TicketKind.APPEAL, TicketKind.REPORT) and ticket.statutory_due is None


async def _tell_who(session: AsyncSession, ticket: Ticket) -> None:
    if ticket.state is S.WORKING and ticket.assignee_id and ticket.taken_at:
        holder = await session.get_one(Staff, ticket.assignee_id)
        raise Conflict("taken", who=holder.masked_name, at=ticket.taken_at)
    raise Conflict("stale_card")
