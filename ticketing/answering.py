"""What stands between a draft answer and its asker: does it say the same as the approved wording?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import answer, calendar, conflicts, elections, figures
from knowledge.conflicts import Difference, DifferenceKind
from knowledge.versions import Entry, EntryLevel, EntryVersion
from office import units
from office.units import Unit
from ticketing.records import Ticket

SHORTEST_NAME = 3


async def guard(
    session: AsyncSession, ticket: Ticket, text: str, version: EntryVersion | None, *, now: datetime
) -> tuple[Difference, ...]:
    """The differences between a draft and what it cites, the calendar in force and the office's own ways.

    Without a cited version only the calendar is held against it: such an answer goes to a reviewer anyway.
    What the asker said themselves is no news to them, unless the entry has something else in its place.
    """
    dates = await elections.spans(session, now)
    office = await units.election_office(session)
    everywhere = await units.all_units(session)
    names = {unit.name for unit in everywhere if len(unit.name) >= SHORTEST_NAME}
    approved = await approved_text(session, version, office=office, now=now) if version else ""
    own = [*await units.published_numbers(session), ticket.ticket_no]
    approved = "\n".join([approved, *_ways(everywhere, ticket, office), *own])
    found = conflicts.differences(text, approved, names=names, dates=dates)
    if version is None:
        return tuple(one for one in found if one.kind is DifferenceKind.CALENDAR)
    said = figures.read(ticket.words)
    return tuple(one for one in found if one.approved or not _said(one, said))


async def approved_text(session: AsyncSession, version: EntryVersion, *, office: Unit, now: datetime) -> str:
    """Everything that a version says, its dates filled in: question, answers, steps, papers and basis."""
    entry = await session.get_one(Entry, version.entry_id)
    scope = await session.get_one(Unit, version.scope_unit_id)
    dates = calendar.variables(await elections.spans(session, now), calendar.today(now))
    found = answer.render(entry, version, scope, dates, office)
    return "\n".join([found.question, found.short, found.full, *found.steps, *found.documents, *found.basis])


def must_review(version: EntryVersion | None, found: Iterable[Difference] = ()) -> bool:
    """Whether a second person has to look at an answer before it leaves."""
    if version is None or version.level is not EntryLevel.ORDINARY or not version.confirmed:
        return True
    return any(True for _ in found)


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
