"""From a question and an asker to an answer: the live base before it, the passport after it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge import base, calendar
from knowledge.lexicon import Lexicon
from knowledge.lint import fill
from knowledge.match import Index, Outcome
from knowledge.versions import Audience, Entry, EntryVersion, revision
from office.contacts import Contact
from office.store import Base
from office.units import Unit

DATA = Path(__file__).parent.parent / "data"


class AnswerGiven(Base):
    """Which version which contact received, and when: the basis of a recall."""

    __tablename__ = "answer_given"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    entry_version_id: Mapped[int] = mapped_column(ForeignKey("entry_version.id"), index=True)
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Answer:
    """An approved answer with its dates filled in and its passport."""

    entry_id: int
    version_id: int
    entry_no: str
    number: int
    topic: str
    question: str
    short: str
    full: str
    steps: tuple[str, ...]
    documents: tuple[str, ...]
    basis: tuple[str, ...]
    confirmed: bool
    scope: str
    issuer: str
    group: str
    published_on: date


@cache
def lexicon() -> Lexicon:
    """The office's words as data."""
    return Lexicon.from_data(yaml.safe_load((DATA / "lexicon.yaml").read_text(encoding="utf-8")))


class LiveBase:
    """The published base in memory. Each question checks the revision first, so a publication or a
    withdrawal is in force in every process with the next question.
    """

    def __init__(self) -> None:
        self.index = Index((), lexicon())
        self._revision = -1
        self._spans: dict[int, tuple[date | None, date | None]] = {}
        self._scopes: dict[int, str] = {}
        self._audiences: dict[int, Audience] = {}
        self._lock = asyncio.Lock()

    async def refresh(self, session: AsyncSession) -> None:
        """Take over what was published or withdrawn since the last look.

        A session whose snapshot is older than what is known already changes nothing.
        """
        if await revision(session) == self._revision:
            return
        async with self._lock:
            current = await revision(session)
            if current > self._revision:
                await self._take_over(session, current)

    async def _take_over(self, session: AsyncSession, current: int) -> None:
        changed = await base.sources(session, since=self._revision)
        rows = await session.execute(
            select(
                Entry.id, Entry.published_id, EntryVersion.effective_from, EntryVersion.effective_until,
                EntryVersion.audience, Unit.path,
            )
            .outerjoin(EntryVersion, EntryVersion.id == Entry.published_id)
            .outerjoin(Unit, Unit.id == EntryVersion.scope_unit_id)
            .where(Entry.revision > self._revision)
        )  # fmt: skip
        if self._revision < 0:
            self.index = Index(changed, lexicon())
        else:
            for source in changed:
                self.index.replace(source)
        for entry_id, published_id, first, last, audience, path in rows:
            if published_id is None:
                self.index.remove(entry_id)
                self._spans.pop(entry_id, None)
                continue
            self._spans[entry_id] = (first, last)
            self._scopes[entry_id] = path
            self._audiences[entry_id] = audience
        self._revision = current

    def rank(self, question: str, audience: Audience, unit_path: str, today: date) -> Outcome:
        """The matcher's outcome among the entries that this asker may be shown today."""

        def allowed(entry_id: int) -> bool:
            first, last = self._spans.get(entry_id, (date.max, None))
            return (
                (first is None or first <= today)
                and (last is None or today <= last)
                and (audience is Audience.STAFF or self._audiences[entry_id] is Audience.VOTER)
                and unit_path.startswith(self._scopes[entry_id])
            )

        return self.index.rank(question, allowed)


async def find(
    session: AsyncSession,
    live: LiveBase,
    question: str,
    *,
    audience: Audience,
    unit: Unit,
    now: datetime,
) -> Outcome:
    """Match a question against the base as it is published at this moment."""
    await live.refresh(session)
    return live.rank(question, audience, unit.path, calendar.today(now))


async def published(session: AsyncSession, entry_id: int, *, office: Unit, now: datetime) -> Answer | None:
    """The answer in force of an entry, its successor's if it was retired, or None."""
    for _ in range(5):
        row = (
            await session.execute(
                select(Entry, EntryVersion, Unit)
                .outerjoin(EntryVersion, EntryVersion.id == Entry.published_id)
                .outerjoin(Unit, Unit.id == EntryVersion.scope_unit_id)
                .where(Entry.id == entry_id)
            )
        ).one_or_none()
        if row is None:
            return None
        entry, version, scope = row
        if version is not None and version.covers(calendar.today(now)):
            spans = await calendar.spans(session)
            return render(entry, version, scope, calendar.variables(spans, calendar.today(now)), office)
        if entry.successor_id is None:
            return None
        entry_id = entry.successor_id
    return None


def render(
    entry: Entry, version: EntryVersion, scope: Unit, dates: Mapping[str, str], office: Unit
) -> Answer:
    """A version as an answer: variables filled, passport attached."""
    values = {
        **{f"cal.{name}": value for name, value in dates.items()},
        "office.name": office.office_name,
        "office.phone": office.phone,
        "office.address": office.address,
        "office.hours": office.hours_text,
        "district": office.name,
    }

    def filled(texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(fill(text, values) for text in texts)

    at = version.published_at or version.created_at
    return Answer(
        entry_id=entry.id,
        version_id=version.id,
        entry_no=entry.entry_no,
        number=version.number,
        topic=version.topic,
        question=version.question,
        short=fill(version.short, values),
        full=fill(version.full, values),
        steps=filled(version.steps),
        documents=filled(version.documents),
        basis=tuple(f"{c['law']}{c.get('article', '')}" for c in version.basis),
        confirmed=version.confirmed,
        scope=scope.name,
        issuer=office.office_name,
        group=version.group,
        published_on=calendar.today(at),
    )


async def given(session: AsyncSession, contact: Contact, answer: Answer, *, now: datetime) -> None:
    """Remember that this contact received this version."""
    session.add(AnswerGiven(contact_id=contact.id, entry_version_id=answer.version_id, at=now))
