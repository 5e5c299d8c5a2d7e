"""What nobody has an answer for yet: topics, rows, days, stations, holidays. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum, auto

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import elections, rules, shelf
from knowledge.calendar import DateKind
from knowledge.pack_parts import Leaf, RulePack
from knowledge.shelf import Shelved
from knowledge.station_gaps import without_station
from knowledge.versions import Audience, Entry, EntryState, EntryVersion, Topic, topics
from office import units, worktime
from office.hours import OfficeHours, beijing_day
from office.staff import Staff
from office.units import Unit, contains

LOCAL = "LOCAL"
"""The flag of rows for which the district has to enter its own wording."""


class Missing(StrEnum):
    """Why a published entry does not answer, or not surely."""

    NOT_BEGUN = auto()
    OVER = auto()
    UNCONFIRMED = auto()


@dataclass(frozen=True, slots=True)
class Gap:
    """An entry that does not answer today, or only with a reservation; `day` is when it begins or ended."""

    row: Shelved
    why: Missing
    day: date | None


@dataclass(frozen=True, slots=True)
class Gaps:
    """All that is missing, as far as the person who asked may see it."""

    topics: tuple[Topic, ...]
    entries: tuple[Gap, ...]
    pack_id: str
    rows: tuple[Leaf, ...]
    dates: tuple[DateKind, ...]
    units: tuple[Unit, ...]
    years: tuple[int, ...]
    samples: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        dated = (self.dates, self.years, self.samples)
        return sum(map(len, (self.topics, self.entries, self.rows, self.units, *dated)))


async def gaps(session: AsyncSession, person: Staff, *, now: datetime) -> Gaps:
    """What is missing today; of entries, among those that the person may read."""
    today = beijing_day(now)
    rows = await shelf.published(session, person)
    office = await units.election_office(session)
    pack = await rules.in_force(session, now=now)
    dates = await elections.spans(session, now)
    table = await worktime.in_force(session, now=now)
    return Gaps(
        topics=tuple(without_answer(rows, office, today)),
        # What does not answer at all comes before what answers with a reservation.
        entries=tuple(
            sorted(
                _entry_gaps(rows, await _successions(session, today), today),
                key=lambda gap: gap.why is Missing.UNCONFIRMED,
            )
        ),
        pack_id=pack.id,
        rows=tuple(_unworded(pack)),
        # Lookup is closed until the office opens it; the other days are owed to everybody.
        dates=tuple(kind for kind in DateKind if kind is not DateKind.LOOKUP and not dates.get(kind)),
        units=tuple(await without_station(session)),
        years=worktime.missing_years(OfficeHours.of(table), today),
        samples=worktime.sample_years(table),
    )


def without_answer(rows: Iterable[Shelved], office: Unit, today: date) -> Iterator[Topic]:
    """The topics for which no entry answers today in the whole district, each on its side: one for voters is
    not answered by what only staff are shown."""
    answered = {
        (row.version.topic, row.version.audience)
        for row in rows
        if row.version.covers(today) and contains(row.unit.path, office.path)
    }
    for topic in topics().values():
        sides = {"voter": (Audience.VOTER,), "staff": (Audience.STAFF,)}.get(topic.side, ())
        if any((topic.id, side) not in answered for side in sides):
            yield topic


def _entry_gaps(rows: Sequence[Shelved], followed: set[int], today: date) -> Iterator[Gap]:
    for row in rows:
        version = row.version
        if version.effective_from is not None and version.effective_from > today:
            yield Gap(row, Missing.NOT_BEGUN, version.effective_from)
        elif version.effective_until is not None and version.effective_until < today:
            if row.entry.id not in followed:
                yield Gap(row, Missing.OVER, version.effective_until)
        elif not version.confirmed:
            yield Gap(row, Missing.UNCONFIRMED, None)


async def _successions(session: AsyncSession, today: date) -> set[int]:
    """Entries with a version in hand that is not over: somebody sees to them."""
    rows = await session.execute(
        select(Entry.id, EntryVersion.effective_until)
        .join(EntryVersion, EntryVersion.entry_id == Entry.id)
        .where(EntryVersion.state.in_((EntryState.DRAFT, EntryState.IN_REVIEW)))
    )
    return {entry_id for entry_id, until in rows if until is None or until >= today}


def _unworded(pack: RulePack) -> Iterable[Leaf]:
    """The rows that the district has to word and has not; a row of several conditions counts once."""
    return {leaf.row: leaf for leaf in pack.leaves if LOCAL in leaf.flags and not leaf.edition}.values()
