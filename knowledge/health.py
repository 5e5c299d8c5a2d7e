"""What contradicts itself among that which is in force: entries, rules, calendars, and how they are worded.

Each finding names the rows it is about, so that a page can lead to them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import base, calendar, elections, pack_record, reviews, rules, shelf
from knowledge.calendar import BadCalendar, Election
from knowledge.live import lexicon
from knowledge.misworded import Misworded, misworded
from knowledge.row_entries import Beside, beside
from knowledge.station_days import Stray, strays
from knowledge.text import normalise
from knowledge.versions import Audience, EntryState, EntryVersion
from office import leases
from office.changes import Change, ChangeKind, ChangeState
from office.hours import beijing_day, moment
from office.staff import Staff
from office.units import contains

DAY = timedelta(days=1)
LEASE = "health"


@dataclass(frozen=True, slots=True)
class Held:
    """A published entry: the words it answers to, normalised, and for whom, where and when it does."""

    entry_id: int
    entry_no: str
    question: str
    words: frozenset[str]
    audience: Audience
    path: str
    scope: str
    first: date | None
    last: date | None

    def meets(self, other: Held) -> bool:
        """Whether there is a day on which both hold."""
        return (self.first or date.min) <= (other.last or date.max) and (other.first or date.min) <= (
            self.last or date.max
        )


@dataclass(frozen=True, slots=True)
class Clash:
    """Two entries that answer the same words to the same people.

    Where `second` holds for a part of those for whom `first` does, it answers there in its place: no fault.
    """

    first: Held
    second: Held
    words: tuple[str, ...]

    @property
    def narrower(self) -> bool:
        return self.first.path != self.second.path


@dataclass(frozen=True, slots=True)
class Term:
    """For which days one numbered version holds; None: without a bound on that side."""

    number: int
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class Seam:
    """Two versions that follow each other and leave days without either, or with both; both ends included."""

    before: Term
    after: Term
    first: date
    last: date
    hole: bool


@dataclass(frozen=True, slots=True)
class Torn:
    """A seam with what it is in: an entry (its row), or a subject of changes (the later change's row)."""

    entry: bool
    page_id: int
    name: str
    seam: Seam


@dataclass(frozen=True, slots=True)
class Stale:
    """A signed change that no longer fits what it changes; `key` words it, filled with `facts`."""

    change_id: int
    subject: str
    number: int
    key: str
    facts: dict[str, object]


@dataclass(frozen=True, slots=True)
class Conflicts:
    """All that contradicts itself, as far as the person who asked may see it."""

    clashes: tuple[Clash, ...]
    narrower: tuple[Clash, ...]
    seams: tuple[Torn, ...]
    stale: tuple[Stale, ...]
    misworded: tuple[Misworded, ...]
    strays: tuple[Stray, ...] = ()
    beside: tuple[Beside, ...] = ()

    @property
    def count(self) -> int:
        """How many are faults: what is narrower or only to be looked at is none."""
        return sum(map(len, (self.clashes, self.seams, self.stale, self.misworded, self.strays)))


async def conflicts(session: AsyncSession, person: Staff, *, now: datetime) -> Conflicts:
    """What contradicts itself; of entries, those that the person may read."""
    today = beijing_day(now)
    rows = await shelf.published(session, person)
    texts = {source.entry_id: source.texts for source in await base.sources(session)}
    # Thousands of phrasings are normalised: not in the loop in which questions are answered.
    found = await asyncio.to_thread(_all_clashes, rows, texts)
    narrower = {clash for clash in found if clash.narrower}
    pack = await rules.in_force(session, now=now)
    return Conflicts(
        clashes=tuple(clash for clash in found if clash not in narrower),
        narrower=tuple(clash for clash in found if clash in narrower),
        seams=(*await _entry_seams(session, rows, today), *await _change_seams(session, today)),
        stale=tuple(await _stale(session, now)),
        misworded=tuple(await misworded(session, rows, pack, today)),
        strays=tuple(await strays(session, await elections.spans(session, now))),
        beside=tuple(await beside(session, rows, pack, now=now)),
    )


async def note(session: AsyncSession, *, now: datetime) -> int:
    """Once a day, whichever process asks first: write down what fell due for review, and the shipped rows.

    Returns how many lines of the audit that made.
    """
    # Whoever began since midnight has done today's.
    today_so_far = now - moment(beijing_day(now), timedelta(0)) + timedelta(microseconds=1)
    if not await leases.begin(session, LEASE, lasts=timedelta(0), now=now, pause=today_so_far):
        return 0
    return await reviews.note_due(session, now=now) + await pack_record.note(session, now=now)


# --- the same words ---


def _all_clashes(rows: Sequence[shelf.Shelved], texts: dict[int, tuple[str, ...]]) -> list[Clash]:
    return list(clashes(_held(row, texts.get(row.entry.id, ())) for row in rows))


def _held(row: shelf.Shelved, texts: Iterable[str]) -> Held:
    version = row.version
    return Held(
        row.entry.id, row.entry.entry_no, version.question,
        frozenset(normalise(text, lexicon()) for text in texts), version.audience,
        row.unit.path, row.unit.name, version.effective_from, version.effective_until,
    )  # fmt: skip


def clashes(held: Iterable[Held]) -> Iterator[Clash]:
    """Every two entries of one audience that answer the same words on some day, the wider one first.

    Entries of two places of which neither contains the other never meet.
    """
    by_word: dict[tuple[Audience, str], list[Held]] = defaultdict(list)
    for one in held:
        for word in one.words:
            by_word[one.audience, word].append(one)
    shared: dict[tuple[Held, Held], list[str]] = defaultdict(list)
    for (_, word), claimants in by_word.items():
        for pair in combinations(sorted(claimants, key=lambda one: (len(one.path), one.entry_no)), 2):
            wider, narrower = pair
            if contains(wider.path, narrower.path) and wider.meets(narrower):
                shared[pair].append(word)
    for (wider, narrower), words in sorted(shared.items(), key=lambda item: item[0][0].entry_no):
        yield Clash(wider, narrower, tuple(sorted(words)))


# --- days between versions ---


def seams(terms: Iterable[Term], today: date) -> Iterator[Seam]:
    """Where dated versions leave a hole or overlap, on days that are not over.

    A version without a bound on the side of the other follows or is followed by what is meant to: no seam.
    """
    before: Term | None = None
    for term in sorted(terms, key=lambda term: (term.first or date.min, term.number)):
        if before is not None and before.last is not None and term.first is not None:
            gap = (before.last + DAY, term.first - DAY)
            both = (term.first, min(before.last, term.last or date.max))
            if gap[0] <= gap[1] and gap[1] >= today:
                yield Seam(before, term, *gap, hole=True)
            elif both[0] <= both[1] and both[1] >= today:
                yield Seam(before, term, *both, hole=False)
        if before is None or before.last is None or term.last is None or term.last >= before.last:
            before = term


async def _entry_seams(session: AsyncSession, rows: Sequence[shelf.Shelved], today: date) -> list[Torn]:
    """Between what is published and what is in hand."""
    in_hand = await session.scalars(
        select(EntryVersion).where(EntryVersion.state.in_((EntryState.DRAFT, EntryState.IN_REVIEW)))
    )
    coming = {version.entry_id: version for version in in_hand}
    found = []
    for row in rows:
        pair = [version for version in (row.version, coming.get(row.entry.id)) if version is not None]
        terms = [Term(one.number, one.effective_from, one.effective_until) for one in pair]
        found += [Torn(True, row.entry.id, row.entry.entry_no, seam) for seam in seams(terms, today)]
    return found


async def _change_seams(session: AsyncSession, today: date) -> list[Torn]:
    signed = await session.execute(
        select(Change.id, Change.subject, Change.number, Change.effective_from, Change.effective_until)
        .where(Change.state == ChangeState.SIGNED, Change.kind != ChangeKind.STATIONS)
        .order_by(Change.subject, Change.number)
    )
    by_subject: dict[str, dict[int, tuple[int, Term]]] = defaultdict(dict)
    for change_id, subject, number, first, last in signed:
        by_subject[subject][number] = change_id, Term(number, first, last)
    return [
        Torn(False, numbered[seam.after.number][0], subject, seam)
        for subject, numbered in by_subject.items()
        for seam in seams((term for _, term in numbered.values()), today)
    ]


# --- changes that no longer fit ---


async def _stale(session: AsyncSession, now: datetime) -> list[Stale]:
    return [
        *[
            Stale(one.change.id, one.change.subject, one.change.number, f"health.{one.how}", one.facts)
            for one in await pack_record.unfit(session, now=now)
        ],
        *await _contradicting_calendar(session, beijing_day(now)),
    ]


async def _contradicting_calendar(session: AsyncSession, today: date) -> list[Stale]:
    """What a signed calendar has come to contradict: the rules of a newer pack, for example."""
    change = await elections.change_in_force(session, today)
    if change is None:
        return []
    try:
        election = Election.from_content(change.content)
        rows = calendar.rules(election.region)
        found = calendar.contradictions(election, rows, today, before=election)
    except BadCalendar as error:
        found = error.findings
    return [
        Stale(change.id, change.subject, change.number, finding.key, {**finding.facts})
        for finding in found
        if finding.blocks
    ]
