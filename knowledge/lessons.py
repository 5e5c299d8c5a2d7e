"""What people's reactions teach: labelled pairs of question and entry, with weight and with caps.

The desk's word counts alone. An asker's counts only together with others': what fewer than three people say
of the same words and the same entry is kept and not taught, and nobody can say more than a few things.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum, auto
from types import MappingProxyType

from sqlalchemy import ForeignKey, String, Text, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.live import lexicon
from knowledge.text import normalise
from knowledge.train import Label
from knowledge.versions import Entry
from office.hours import BEIJING
from office.store import Base, insert_once, word

LAY_KEPT = timedelta(days=90)
PAIRS_PER_ENTRY = 3
PAIRS_PER_DAY = 10
FEWEST_ASKERS = 3
MOST_LAY_WEIGHT = 1.0
VERDICTS_PER_CONTACT = 5
LONGEST = 300
"""A longer message tells a story; as a lesson about one question it would mislead."""
NO_ENTRY = 0
"""The entry of a label that says: no entry answers this."""


Pair = tuple[str, int]
"""Normalised words and the number of an entry."""
Said = tuple[int | None, str, int | None]
"""Who said it, of which normalised words and which entry."""


class Source(StrEnum):
    """How a lesson came about; the last four are the desk's keys."""

    SOLVED = auto()
    NOT_SOLVED = auto()
    CHOICE_TAKEN = auto()
    CHOICES_REFUSED = auto()
    DESK_PHRASING = auto()
    DESK_POINTED = auto()
    DESK_NEW = auto()
    DESK_DISMISSED = auto()


WEIGHTS: Mapping[Source, float] = MappingProxyType(
    {
        Source.SOLVED: 0.5,
        Source.NOT_SOLVED: 0.5,
        Source.CHOICE_TAKEN: 0.3,
        Source.CHOICES_REFUSED: 0.3,
        Source.DESK_PHRASING: 1.0,
        Source.DESK_POINTED: 1.0,
        Source.DESK_NEW: 1.0,
        Source.DESK_DISMISSED: 1.0,
    }
)
WRONG = frozenset({Source.NOT_SOLVED, Source.CHOICES_REFUSED})
LAY = frozenset({Source.SOLVED, Source.NOT_SOLVED, Source.CHOICE_TAKEN, Source.CHOICES_REFUSED})


class Lesson(Base):
    """That these words were, or were not, a question for this entry; without an entry: a question for none.

    `words` are redacted, as in an enquiry. `probability` is what the matcher thought of an answer it gave at
    once. `key` names the occasion, so that none counts twice.
    """

    __tablename__ = "lesson"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    words: Mapped[str] = mapped_column(Text)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    right: Mapped[bool]
    weight: Mapped[float]
    source: Mapped[Source] = mapped_column(word(Source))
    probability: Mapped[float | None]
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    # No foreign keys upwards: what an enquiry is, is not known down here.
    enquiry_id: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(index=True)


async def teach(
    session: AsyncSession,
    source: Source,
    words: str,
    entry_id: int | None,
    *,
    occasion: str,
    now: datetime,
    contact_id: int | None = None,
    staff_id: int | None = None,
    enquiry_id: int | None = None,
    probability: float | None = None,
) -> bool:
    """Write a lesson down, once for each occasion, source and entry; returns whether it is new.

    `words` must have been redacted; what is too long for one question is left out. `occasion` is `kind:id`.
    """
    words = words.strip()
    if not words or len(words) > LONGEST:
        return False
    row = {
        "key": f"{occasion}:{source.value}:{entry_id or NO_ENTRY}",
        "words": words,
        "entry_id": entry_id,
        "right": source not in WRONG,
        "weight": WEIGHTS[source],
        "source": source,
        "probability": probability,
        "contact_id": contact_id,
        "staff_id": staff_id,
        "enquiry_id": enquiry_id,
        "at": now,
    }
    return await insert_once(session, Lesson, row, unique=["key"])


async def take_back(session: AsyncSession, source: Source, *, occasion: str) -> None:
    """Remove what this occasion taught: whoever said it has said otherwise since."""
    key = f"{occasion}:{source.value}:"
    await session.execute(delete(Lesson).where(Lesson.key.startswith(key, autoescape=True)))


async def labels(session: AsyncSession) -> list[Label]:
    """What the lessons so far teach about entries in force, under all caps, in a fixed order."""
    rows = await session.scalars(
        select(Lesson)
        .outerjoin(Entry, Entry.id == Lesson.entry_id)
        .where(or_(Lesson.entry_id.is_(None), Entry.published_id.is_not(None)))
        .order_by(Lesson.id)
    )
    return await asyncio.to_thread(weigh, rows.all())


async def verdicts(session: AsyncSession) -> list[tuple[float, bool]]:
    """How sure the matcher was of answers given at once, and whether they helped.

    Of each person one verdict an entry counts, the last, and at most five altogether.
    """
    rows = await session.scalars(
        select(Lesson)
        .where(Lesson.probability.is_not(None), Lesson.contact_id.is_not(None))
        .order_by(Lesson.id)
    )
    last = {(row.contact_id, row.entry_id): row for row in rows.all()}
    said: Counter[int | None] = Counter()
    found = []
    for row in sorted(last.values(), key=lambda row: row.id):
        said[row.contact_id] += 1
        if row.probability is not None and said[row.contact_id] <= VERDICTS_PER_CONTACT:
            found.append((row.probability, row.right))
    return found


async def newest(session: AsyncSession) -> int:
    """The number of the newest lesson, 0 without any: a cheap look at whether there is something new."""
    return await session.scalar(select(func.max(Lesson.id))) or 0


async def forget(session: AsyncSession, contact_id: int) -> None:
    """Remove all that came from one person."""
    await session.execute(delete(Lesson).where(Lesson.contact_id == contact_id))


async def forget_old(session: AsyncSession, *, now: datetime) -> None:
    """After 90 days askers' lessons go, and the desk's are cut off from who had asked."""
    old = Lesson.at < now - LAY_KEPT
    await session.execute(delete(Lesson).where(old, Lesson.source.in_(LAY)))
    await session.execute(update(Lesson).where(old, Lesson.contact_id.is_not(None)).values(contact_id=None))


def weigh(rows: Sequence[Lesson]) -> list[Label]:
    """From lessons, oldest first, to labels: the desk's as they are, askers' only where enough agree.

    Where the desk has spoken about some words, askers no longer count. One person's last word on the same
    words and entry counts once, in all for at most three questions an entry and ten a day.
    """
    known: dict[str, str] = {}

    def told(row: Lesson) -> str:
        if row.words not in known:
            known[row.words] = normalise(row.words, lexicon())
        return known[row.words]

    desk = _desk({(told(row), row.entry_id or NO_ENTRY): row for row in rows if row.source not in LAY})
    spoken = {words for words, _ in desk}
    lay = _capped({(row.contact_id, told(row), row.entry_id): row for row in rows if row.source in LAY})
    sides: dict[tuple[str, int], list[Lesson]] = defaultdict(list)
    for (_, words, entry_id), row in lay.items():
        if entry_id is not None and words not in spoken:
            sides[words, entry_id].append(row)
    found = [Label(row.words, row.entry_id or NO_ENTRY, row.right, row.weight) for row in desk.values()]
    for (_, entry_id), said in sorted(sides.items()):
        for right in (True, False):
            agree = [row for row in said if row.right is right]
            net = sum(row.weight for row in agree) - sum(row.weight for row in said if row.right is not right)
            if len(agree) >= FEWEST_ASKERS and net > 0:
                found.append(Label(agree[-1].words, entry_id, right, round(min(net, MOST_LAY_WEIGHT), 2)))
    return found


def _desk(rows: Mapping[Pair, Lesson]) -> dict[Pair, Lesson]:
    """The desk's last word; "no entry" and an entry for the same words exclude each other."""
    none = {words: row.id for (words, entry_id), row in rows.items() if entry_id == NO_ENTRY}
    some: dict[str, int] = {}
    for (words, entry_id), row in rows.items():
        if entry_id != NO_ENTRY:
            some[words] = max(row.id, some.get(words, 0))
    return {
        (words, entry_id): row
        for (words, entry_id), row in sorted(rows.items())
        if (row.id > some.get(words, 0) if entry_id == NO_ENTRY else row.id > none.get(words, 0))
    }


def _capped(rows: Mapping[Said, Lesson]) -> dict[Said, Lesson]:
    pairs: Counter[tuple[int | None, int | None]] = Counter()
    days: Counter[tuple[int | None, date]] = Counter()
    kept = {}
    for key, row in sorted(rows.items(), key=lambda held: held[1].id):
        pair, day = (row.contact_id, row.entry_id), (row.contact_id, row.at.astimezone(BEIJING).date())
        if row.contact_id is not None and pairs[pair] < PAIRS_PER_ENTRY and days[day] < PAIRS_PER_DAY:
            pairs[pair] += 1
            days[day] += 1
            kept[key] = row
    return kept
