"""Finding entries for staff pages: what a member of staff may read of the base, in any state."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, case, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.versions import Audience, Entry, EntryState, EntryVersion, Phrasing
from office.errors import NotFound
from office.staff import Permission, Staff, must, reach
from office.units import Unit

PAGE = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """What part of the base is asked for; without `state`, each entry by its newest version."""

    state: EntryState | None = EntryState.PUBLISHED
    topic: str = ""
    audience: Audience | None = None
    search: str = ""


async def listed(
    session: AsyncSession, person: Staff, wanted: Filter, *, page: int = 1
) -> tuple[list[tuple[Entry, EntryVersion, Unit]], int]:
    """One page of entries in the order of their numbers, and how many there are.

    An entry is shown to those for whom it holds and to those above them.
    """
    await must(session, person, Permission.SEE_ENTRIES)
    path = await reach(session, person)
    statement = _joined(wanted.state).where(_readable(path))
    if wanted.topic:
        statement = statement.where(EntryVersion.topic == wanted.topic)
    if wanted.audience is not None:
        statement = statement.where(EntryVersion.audience == wanted.audience)
    if search := wanted.search.strip():
        number = re.fullmatch(r"[Kk]?\s*-?\s*([0-9]{3,6})", search)
        said = exists().where(
            Phrasing.version_id == EntryVersion.id, Phrasing.text.contains(search, autoescape=True)
        )
        statement = statement.where(
            Entry.entry_no == f"K-{number[1]:0>4}"
            if number
            else or_(
                EntryVersion.question.contains(search, autoescape=True),
                EntryVersion.short.contains(search, autoescape=True),
                said,
            )
        )
    total = await session.scalar(select(func.count()).select_from(statement.subquery()))
    rows = await session.execute(
        statement.order_by(Entry.entry_no).limit(PAGE).offset((max(page, 1) - 1) * PAGE)
    )
    return [(entry, version, unit) for entry, version, unit in rows], total or 0


async def asking(
    session: AsyncSession, person: Staff, search: str, limit: int
) -> list[tuple[Entry, EntryVersion]]:
    """Entries in whose question all words of the search stand: in force, then drafts, then retired ones.

    Of an entry in force its next version counts as well: whoever writes it looks for it by the new words.
    """
    await must(session, person, Permission.SEE_ENTRIES)
    words = search.lower().split()
    if not words:
        return []
    newest = select(func.max(EntryVersion.number)).where(EntryVersion.entry_id == Entry.id).scalar_subquery()
    in_force = Entry.published_id == EntryVersion.id
    rows = await session.execute(
        select(Entry, EntryVersion)
        .join(EntryVersion, EntryVersion.entry_id == Entry.id)
        .join(Unit, Unit.id == EntryVersion.scope_unit_id)
        .where(or_(in_force, EntryVersion.number == newest.correlate(Entry)))
        .where(_readable(await reach(session, person)))
        .where(*(func.lower(EntryVersion.question).contains(word, autoescape=True) for word in words))
        .order_by(case((in_force, 0), (EntryVersion.state == EntryState.RETIRED, 2), else_=1), Entry.entry_no)
        # Both versions of an entry may have the words.
        .limit(2 * limit)
    )
    found: dict[int, tuple[Entry, EntryVersion]] = {}
    for entry, version in rows:
        found.setdefault(entry.id, (entry, version))
    return list(found.values())[:limit]


@dataclass(frozen=True, slots=True)
class Shelved:
    """A published entry with its version in force and the unit for which it holds."""

    entry: Entry
    version: EntryVersion
    unit: Unit


async def published(session: AsyncSession, person: Staff) -> list[Shelved]:
    """Everything published that the person may read, by number; also what begins later or is over."""
    await must(session, person, Permission.SEE_ENTRIES)
    statement = _joined(EntryState.PUBLISHED).where(_readable(await reach(session, person)))
    rows = await session.execute(statement.order_by(Entry.entry_no))
    return [Shelved(entry, version, unit) for entry, version, unit in rows]


async def seen_by(session: AsyncSession, person: Staff, entry_id: int) -> Entry:
    """An entry for a staff page; raises `NotFound` outside the person's reach, as if it were not there."""
    await must(session, person, Permission.SEE_ENTRIES)
    path = await reach(session, person)
    entry = await session.scalar(
        select(Entry).where(
            Entry.id == entry_id,
            exists().where(
                EntryVersion.entry_id == Entry.id, Unit.id == EntryVersion.scope_unit_id, _readable(path)
            ),
        )
    )
    if entry is None:
        raise NotFound("entry_unknown")
    return entry


async def public(session: AsyncSession, *, search: str, today: date) -> list[tuple[Entry, EntryVersion]]:
    """What any voter may read today, by number; `search` looks in questions, answers and phrasings."""
    statement = (
        select(Entry, EntryVersion)
        .join(EntryVersion, EntryVersion.id == Entry.published_id)
        .where(*_for_voters(today))
    )
    if words := search.strip():
        said = exists().where(
            Phrasing.version_id == EntryVersion.id, Phrasing.text.contains(words, autoescape=True)
        )
        statement = statement.where(
            or_(
                EntryVersion.question.contains(words, autoescape=True),
                EntryVersion.short.contains(words, autoescape=True),
                said,
            )
        )
    rows = await session.execute(statement.order_by(Entry.entry_no))
    return [(entry, version) for entry, version in rows]


async def is_public(session: AsyncSession, entry: Entry, *, today: date) -> bool:
    """Whether any voter may read the entry today."""
    found = await session.scalar(
        select(EntryVersion.id).where(EntryVersion.id == entry.published_id, *_for_voters(today))
    )
    return found is not None


def _for_voters(today: date) -> tuple[ColumnElement[bool], ...]:
    return (
        EntryVersion.audience == Audience.VOTER,
        or_(EntryVersion.effective_from.is_(None), EntryVersion.effective_from <= today),
        or_(EntryVersion.effective_until.is_(None), EntryVersion.effective_until >= today),
    )


def _joined(state: EntryState | None) -> Select[Entry, EntryVersion, Unit]:
    statement = select(Entry, EntryVersion, Unit).join(EntryVersion, EntryVersion.entry_id == Entry.id)
    statement = statement.join(Unit, Unit.id == EntryVersion.scope_unit_id)
    if state is EntryState.PUBLISHED:
        return statement.where(Entry.published_id == EntryVersion.id)
    newest = select(func.max(EntryVersion.number)).where(EntryVersion.entry_id == Entry.id).scalar_subquery()
    statement = statement.where(EntryVersion.number == newest.correlate(Entry))
    if state is EntryState.RETIRED:
        # An older version retires with each new one; out of force is an entry without any.
        return statement.where(EntryVersion.state == state, Entry.published_id.is_(None))
    return statement if state is None else statement.where(EntryVersion.state == state)


def _readable(path: str) -> ColumnElement[bool]:
    # A path holds digits and dots only, so the pattern made of a column has no wildcard but its own.
    return or_(Unit.path.startswith(path), literal(path).like(Unit.path + "%"))
