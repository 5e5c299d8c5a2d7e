"""Finding tickets: the queue an officer sees, an asker's own, and the progress by number and code."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from office import budgets
from office.contacts import Contact
from office.errors import NotFound
from office.staff import Permission, Staff, may, must, reach
from office.units import Unit
from ticketing import clocks, numbers, restricted, searching
from ticketing.filters import Filter as Filter
from ticketing.filters import conditions, units_within
from ticketing.particulars import Secrecy
from ticketing.records import OPEN_STATES, ThreadPost, Ticket, TicketState

PAGE = 50
MOST = 500
"""So many tickets of a filter are counted and leafed through; who has more narrows it by words or days."""
LOOKED_THROUGH = 10
"""So many hundreds of tickets with the right pairs `asking` looks through, however small the reach."""
MOST_SHOWN = 99
"""Up to here the tabs count; above it they say so."""


async def listed(
    session: AsyncSession, person: Staff, wanted: Filter, *, now: datetime, page: int = 1
) -> tuple[list[tuple[Ticket, Unit]], int]:
    """One page of tickets within the person's reach and how many there are, `MOST` + 1 for all above `MOST`.

    What is open comes first, the most urgent of it first; then the rest, the newest first. Numbers alone are
    sorted, from indexes, and only the rows of the page are read: old tickets cost nothing.
    """
    await must(session, person, Permission.SEE_TICKETS)
    ids = await _ids(session, person, wanted, now=now)
    first = (max(page, 1) - 1) * PAGE
    shown = ids[:MOST][first : first + PAGE]
    rows = await session.execute(
        select(Ticket, Unit).join(Unit, Unit.id == Ticket.unit_id).where(Ticket.id.in_(shown))
    )
    by_id = {ticket.id: (ticket, unit) for ticket, unit in rows}
    return [by_id[number] for number in shown if number in by_id], len(ids)


async def matching(
    session: AsyncSession, person: Staff, wanted: Filter, *, now: datetime, most: int
) -> list[tuple[Ticket, Unit]]:
    """The tickets of a filter for a file, in the order of their acceptance; at most `most` and one more.

    One statement reads them all, so a file never mixes two moments.
    """
    await must(session, person, Permission.SEE_TICKETS)
    within = await units_within(session, person, wanted.unit_path)
    told = [*conditions(wanted, person, within, now=now), *_searched(wanted)]
    statement = (
        select(Ticket, Unit)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(Ticket.state.in_((*wanted.open_states, *wanted.done_states)), *told)
        .order_by(Ticket.accepted_at, Ticket.id)
        .limit(most + 1)
    )
    return [(ticket, unit) for ticket, unit in await session.execute(statement)]


async def counted(
    session: AsyncSession, person: Staff, filters: Mapping[str, Filter], *, now: datetime
) -> dict[str, int]:
    """How many open tickets each of these filters holds, in one look at what is open.

    Words and states that are not open do not count here.
    """
    await must(session, person, Permission.SEE_TICKETS)
    if not filters:
        return {}
    columns = []
    paths = {wanted.unit_path for wanted in filters.values()}
    subtrees = {path: await units_within(session, person, path) for path in paths}
    for wanted in filters.values():
        within = subtrees[wanted.unit_path]
        told = (Ticket.state.in_(wanted.open_states), *conditions(wanted, person, within, now=now))
        columns.append(func.coalesce(func.sum(case((and_(*told), 1), else_=0)), 0))
    row = (await session.execute(select(*columns).where(Ticket.state.in_(OPEN_STATES)))).one()
    return dict(zip(filters, map(int, row), strict=True))


async def count_in_review(session: AsyncSession, person: Staff) -> int:
    """How many answers wait for this person's review: in reach, written by somebody else."""
    if not may(person, Permission.PUBLISH_ENTRIES):
        return 0
    statement = (
        select(func.count())
        .select_from(Ticket)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(Ticket.state == TicketState.IN_REVIEW, Ticket.author_id != person.id)
        .where(Unit.path.startswith(await reach(session, person)))
    )
    return await session.scalar(statement) or 0


async def _ids(session: AsyncSession, person: Staff, wanted: Filter, *, now: datetime) -> list[int]:
    within = await units_within(session, person, wanted.unit_path)
    told = [*conditions(wanted, person, within, now=now), *_searched(wanted)]
    found: list[int] = []
    if states := wanted.open_states:
        statement = select(Ticket.id).where(Ticket.state.in_(states), *told)
        found += await session.scalars(statement.order_by(*_most_urgent(now)).limit(MOST + 1))
    if (states := wanted.done_states) and (room := MOST + 1 - len(found)):
        words = searching.terms(wanted.search)
        if words and numbers.parse_ticket_no(wanted.search) is None:
            found += await _searched_ids(session, words, states, told, room)
        elif within is None and not numbers.parse_ticket_no(wanted.search):
            found += await _newest(session, states, told, room)
        else:
            statement = select(Ticket.id).where(Ticket.state.in_(states), *told)
            found += await session.scalars(statement.order_by(Ticket.id.desc()).limit(room))
    return found


async def _newest(
    session: AsyncSession, states: Sequence[TicketState], told: Sequence[ColumnElement[bool]], room: int
) -> list[int]:
    """The newest of each state and of these the newest: each is the end of an index."""
    ends = [
        select(Ticket.id.label("id"))
        .where(Ticket.state == state, *told)
        .order_by(Ticket.id.desc())
        .limit(room)
        .subquery()
        for state in states
    ]
    every = union_all(*(select(end.c.id) for end in ends)).subquery()
    return list(await session.scalars(select(every.c.id).order_by(every.c.id.desc()).limit(room)))


async def _searched_ids(
    session: AsyncSession,
    words: Sequence[str],
    states: Sequence[TicketState],
    told: Sequence[ColumnElement[bool]],
    room: int,
) -> list[int]:
    found: list[int] = []
    async for some in searching.candidates(session, words):
        statement = select(Ticket.id).where(Ticket.id.in_(some), Ticket.state.in_(states), *told)
        found += await session.scalars(statement.order_by(Ticket.id.desc()).limit(room - len(found)))
        if len(found) >= room:
            break
    return found


def _searched(wanted: Filter) -> list[ColumnElement[bool]]:
    if number := numbers.parse_ticket_no(wanted.search):
        return [Ticket.ticket_no == number]
    words = searching.terms(wanted.search)
    return [searching.holds(words)] if words else []


async def by_number(session: AsyncSession, person: Staff, ticket_no: str) -> Ticket:
    """The newest ticket of this number in the person's reach; raises `NotFound`."""
    await must(session, person, Permission.SEE_TICKETS)
    number = numbers.parse_ticket_no(ticket_no)
    within = await units_within(session, person)
    statement = select(Ticket).where(Ticket.ticket_no == number).order_by(Ticket.id.desc()).limit(1)
    if within is not None:
        statement = statement.where(Ticket.unit_id.in_(within))
    found = await session.scalar(statement) if number else None
    if found is None:
        raise NotFound("ticket_unknown")
    return found


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


async def asking(session: AsyncSession, person: Staff, search: str, limit: int) -> list[tuple[Ticket, Unit]]:
    """Tickets in whose question all words of a search stand: the open ones, then the others, newest first.

    What is confidential, or may become so, is never found by its words: being found would tell them.
    """
    await must(session, person, Permission.SEE_TICKETS)
    words = searching.terms(search)
    if not words:
        return []
    within = await units_within(session, person)
    told = [
        *(func.lower(Ticket.words).contains(word, autoescape=True) for word in words),
        *([] if within is None else [Ticket.unit_id.in_(within)]),
        Ticket.secrecy != Secrecy.RESTRICTED,
        Ticket.offline_owner_id.is_(None),
        Ticket.words != restricted.HIDDEN,
    ]
    statement = select(Ticket.id).where(*told)
    # Sorted here: asked for the newest few, a database may go through every ticket from the newest on.
    still = await session.scalars(statement.where(Ticket.state.in_(OPEN_STATES)))
    found = sorted(still, reverse=True)[:limit]
    looked = 0
    async for some in searching.candidates(session, words):
        if len(found) >= limit or looked >= LOOKED_THROUGH:
            break
        looked += 1
        done = statement.where(Ticket.id.in_(some), Ticket.state.not_in(OPEN_STATES))
        found += await session.scalars(done.order_by(Ticket.id.desc()).limit(limit - len(found)))
    rows = await session.execute(
        select(Ticket, Unit).join(Unit, Unit.id == Ticket.unit_id).where(Ticket.id.in_(found))
    )
    by_id = {ticket.id: (ticket, unit) for ticket, unit in rows}
    return [by_id[number] for number in found if number in by_id]


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
