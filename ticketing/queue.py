"""Finding tickets: the queue an officer sees, an asker's own, and the progress by number and code."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from office import budgets
from office.contacts import Contact
from office.errors import NotFound
from office.staff import Permission, Staff, must, reach
from office.units import Unit
from ticketing import clocks, numbers
from ticketing.records import OPEN_STATES, ThreadPost, Ticket, TicketState

PAGE = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """What part of the queue is asked for: `mine`, states, a unit's subtree, words or a number."""

    states: Collection[TicketState] = OPEN_STATES
    mine: bool = False
    unit_path: str = ""
    search: str = ""
    overdue: bool = False


async def listed(
    session: AsyncSession, person: Staff, wanted: Filter, *, now: datetime, page: int = 1
) -> tuple[list[tuple[Ticket, Unit]], int]:
    """One page of tickets within the person's reach, most urgent first, and how many there are."""
    await must(session, person, Permission.SEE_TICKETS)
    statement = (
        select(Ticket, Unit)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(Unit.path.startswith(await reach(session, person)), Ticket.state.in_(wanted.states))
    )
    if wanted.mine:
        statement = statement.where(Ticket.assignee_id == person.id)
    if wanted.unit_path:
        statement = statement.where(Unit.path.startswith(wanted.unit_path))
    if wanted.overdue:
        statement = statement.where(Ticket.due_at < now, Ticket.state.in_(OPEN_STATES))
    if search := wanted.search.strip():
        number = numbers.parse_ticket_no(search)
        statement = statement.where(
            Ticket.ticket_no == number
            if number
            else or_(
                Ticket.words.contains(search, autoescape=True),
                Ticket.answer_text.contains(search, autoescape=True),
            )
        )
    total = await session.scalar(select(func.count()).select_from(statement.subquery()))
    open_first = case((Ticket.state.in_(OPEN_STATES), 0), else_=1)
    rows = await session.execute(
        statement.order_by(open_first, *_most_urgent(now)).limit(PAGE).offset((max(page, 1) - 1) * PAGE)
    )
    return [(ticket, unit) for ticket, unit in rows], total or 0


async def seen_by(session: AsyncSession, person: Staff, ticket_id: int) -> tuple[Ticket, Unit]:
    """A ticket for a staff page; raises `NotFound` outside the person's reach, as if it were not there."""
    await must(session, person, Permission.SEE_TICKETS)
    row = await session.execute(
        select(Ticket, Unit)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(Ticket.id == ticket_id, Unit.path.startswith(await reach(session, person)))
    )
    found = row.one_or_none()
    if found is None:
        raise NotFound("ticket_unknown")
    return found[0], found[1]


def _most_urgent(now: datetime) -> tuple[ColumnElement[Any], ...]:
    """A term of the law that ends today or has ended, then the priority, then the time that is left."""
    ends = case((Ticket.statutory_due <= clocks.business_day(now), 0), else_=1)
    return ends, Ticket.priority.expression, Ticket.due_at.expression, Ticket.id.expression


async def next_for(session: AsyncSession, person: Staff, *, now: datetime, after: int = 0) -> Ticket | None:
    """The most urgent ticket that nobody holds, within the person's reach, other than `after`."""
    await must(session, person, Permission.SEE_TICKETS)
    statement = (
        select(Ticket)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(
            Unit.path.startswith(await reach(session, person)),
            Ticket.state.in_((TicketState.UNASSIGNED, TicketState.ASSIGNED)),
            Ticket.id != after,
        )
        .order_by(*_most_urgent(now))
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


async def thread(session: AsyncSession, ticket: Ticket) -> Sequence[ThreadPost]:
    """The lines of a ticket, oldest first."""
    rows = await session.scalars(
        select(ThreadPost).where(ThreadPost.ticket_id == ticket.id).order_by(ThreadPost.id)
    )
    return rows.all()


async def of_asker(session: AsyncSession, contact: Contact, *, only_open: bool = False) -> list[Ticket]:
    """The contact's own tickets, newest first."""
    statement = select(Ticket).where(Ticket.contact_id == contact.id)
    if only_open:
        statement = statement.where(Ticket.state.in_(OPEN_STATES))
    return list((await session.scalars(statement.order_by(Ticket.id.desc()).limit(20))).all())


async def standing(session: AsyncSession, ticket: Ticket) -> Ticket:
    """The ticket whose progress and answer are told to the asker: the lead of one that was joined to it."""
    if ticket.merged_into_id is None:
        return ticket
    return await session.get_one(Ticket, ticket.merged_into_id)


async def by_code(
    session: AsyncSession, ticket_no: str, code: str, *, source: str, now: datetime
) -> Ticket | None:
    """The ticket with this number and progress code, or None whatever of the two is wrong.

    `source` is who tries: five tries in ten minutes, then `TooMany`.
    """
    await budgets.spend(session, f"progress:{source}", limit=5, span=timedelta(minutes=10), now=now)
    number = numbers.parse_ticket_no(ticket_no) or ""
    rows = await session.scalars(
        select(Ticket).where(Ticket.ticket_no == number).order_by(Ticket.id.desc()).limit(3)
    )
    wanted = numbers.normalise_code(code)
    found = [t for t in rows.all() if hmac.compare_digest(t.progress_code.encode(), wanted.encode())]
    return found[0] if found else None


async def of_event(session: AsyncSession, contact: Contact, event_id: str) -> Ticket | None:
    """The contact's ticket that a message of theirs led to; its lead, if it was joined to another one."""
    statement = (
        select(Ticket)
        .join(ThreadPost, ThreadPost.ticket_id == Ticket.id)
        .where(Ticket.contact_id == contact.id, ThreadPost.event_id == event_id)
        .where(Ticket.state != TicketState.MERGED)
        .order_by(Ticket.id.desc())
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()
