"""What stands between a draft answer and its asker: does it say the same as the approved wording?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import answer, calendar, conflicts, elections, figures, sameness
from knowledge.conflicts import Difference, DifferenceKind
from knowledge.versions import Alteration, Entry, EntryVersion
from office import units
from office.units import Unit
from ticketing.records import Ticket

SHORTEST_NAME = 3


async def guard(
    session: AsyncSession,
    ticket: Ticket,
    text: str,
    version: EntryVersion | None,
    *,
    now: datetime,
    drafted_from: int | None = None,
) -> tuple[Difference, ...]:
    """The differences between a draft and what it cites, the calendar in force and the office's own ways.

    Without a cited version only the calendar is held against it: such an answer goes to a reviewer anyway.
    What the asker said themselves is no news to them, unless the entry has something else in its place.
    A text of which little stands in the cited version differs as a whole, and so does what it has from a
    wording replaced since in substance; `drafted_from` is the version the draft was written from.
    """
    dates = await elections.spans(session, now)
    office = await units.election_office(session)
    everywhere = await units.all_units(session)
    names = {unit.name for unit in everywhere if len(unit.name) >= SHORTEST_NAME}
    approved = await approved_text(session, version, office=office, now=now) if version else ""
    own = [*await units.published_numbers(session), ticket.ticket_no]
    said_by_us = approved
    ways = _ways(everywhere, ticket, office)
    approved = "\n".join([approved, *ways, *own])
    found = conflicts.differences(text, approved, names=names, dates=dates)
    if version is None:
        return tuple(one for one in found if one.kind is DifferenceKind.CALENDAR)
    said = figures.read(ticket.words)
    kept = [one for one in found if one.approved or not _said(one, said)]
    question, _, body = said_by_us.partition("\n")
    older = await _replaced(session, text, version, said_by_us, drafted_from, office=office, now=now)
    alien = sameness.foreign(text, "\n".join([body, *ways]), f"{question}\n{ticket.words}")
    # Where single things differ already, they tell more than that the whole does.
    return (*kept, *older, *([alien] if alien and not (kept or older) else []))


async def _replaced(
    session: AsyncSession,
    text: str,
    version: EntryVersion,
    approved: str,
    drafted_from: int | None,
    *,
    office: Unit,
    now: datetime,
) -> tuple[Difference, ...]:
    """What the text has from an earlier version of the entry, where the change since was one of substance."""
    rows = await session.scalars(
        select(EntryVersion)
        .where(EntryVersion.entry_id == version.entry_id, EntryVersion.number <= version.number)
        .where(EntryVersion.published_at.is_not(None))
        .order_by(EntryVersion.number.desc())
    )
    moved = False
    for row in rows.all():
        if row.id != version.id and moved:
            found = sameness.replaced(
                text, await approved_text(session, row, office=office, now=now), approved
            )
            if found:
                return found
            if row.id == drafted_from and row.short != version.short:
                return (Difference(DifferenceKind.OLDER, row.short, version.short),)
        moved = moved or row.alteration is not Alteration.EDITORIAL
    return ()


async def approved_text(session: AsyncSession, version: EntryVersion, *, office: Unit, now: datetime) -> str:
    """Everything that a version says, its dates filled in: question, answers, steps, papers and basis."""
    entry = await session.get_one(Entry, version.entry_id)
    scope = await session.get_one(Unit, version.scope_unit_id)
    dates = calendar.variables(await elections.spans(session, now), calendar.today(now))
    found = answer.render(entry, version, scope, dates, office)
    return "\n".join([found.question, found.short, found.full, *found.steps, *found.documents, *found.basis])


async def cited(session: AsyncSession, version_id: int | None) -> tuple[Entry, EntryVersion] | None:
    """The version a ticket or a draft cites, with its entry."""
    if version_id is None:
        return None
    row = await session.execute(
        select(Entry, EntryVersion)
        .join(EntryVersion, EntryVersion.entry_id == Entry.id)
        .where(EntryVersion.id == version_id)
    )
    found = row.one_or_none()
    return (found[0], found[1]) if found is not None else None


def _ways(everywhere: Iterable[Unit], ticket: Ticket, office: Unit) -> list[str]:
    """How the office and the asker's own unit are reached, which any answer may say."""
    own = [unit for unit in everywhere if unit.id in (office.id, ticket.unit_id)]
    return [way for unit in own for way in (unit.office_name, unit.phone, unit.address, unit.hours_text)]


def _said(one: Difference, said: Iterable[figures.Figure]) -> bool:
    mine = figures.read(one.yours)
    return bool(mine) and all(any(conflicts.same(figure, other) for other in said) for figure in mine)
