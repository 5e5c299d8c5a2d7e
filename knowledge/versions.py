"""Entries as they are kept: permanent numbers, immutable versions, phrasings, and how to read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum, auto
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office.errors import NotFound
from office.store import Base, word

TOPICS = Path(__file__).parent.parent / "data" / "topics.yaml"


class EntryState(StrEnum):
    """Where one version stands."""

    DRAFT = auto()
    IN_REVIEW = auto()
    PUBLISHED = auto()
    RETIRED = auto()


class Alteration(StrEnum):
    """What a new version changes: 实质变化 (everyone told the old one is owed a correction) or 文字修改."""

    SUBSTANTIVE = auto()
    EDITORIAL = auto()


class Audience(StrEnum):
    """Who may be shown an entry; staff see both."""

    VOTER = auto()
    STAFF = auto()


class EntryLevel(StrEnum):
    """Ordinary entries may be cited by one officer; the other two need a second pair of eyes."""

    ORDINARY = auto()
    STATUTORY = auto()
    SENSITIVE = auto()


@dataclass(frozen=True, slots=True)
class Topic:
    """One subject of entries, enquiries and golden questions."""

    id: str
    side: str
    meaning: str


@cache
def topics() -> dict[str, Topic]:
    """All topics by id, in the order of the list."""
    rows = yaml.safe_load(TOPICS.read_text(encoding="utf-8"))
    return {row["id"]: Topic(row["id"], row["side"], row["meaning"]) for row in rows}


class Entry(Base):
    """A question the office answers. Its number is permanent; what it says is in its versions."""

    __tablename__ = "entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_no: Mapped[str] = mapped_column(String(12), unique=True)
    # No foreign key: it would close a circle with `entry_version.entry_id`, which databases create badly.
    published_id: Mapped[int | None]
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    revision: Mapped[int] = mapped_column(default=0, index=True)


class EntryVersion(Base):
    """One wording. It may be edited while it is a draft and never again after that."""

    __tablename__ = "entry_version"
    __table_args__ = (UniqueConstraint("entry_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), index=True)
    number: Mapped[int]
    state: Mapped[EntryState] = mapped_column(word(EntryState), default=EntryState.DRAFT, index=True)
    version: Mapped[int] = mapped_column(default=1)
    topic: Mapped[str] = mapped_column(String(32))
    audience: Mapped[Audience] = mapped_column(word(Audience))
    level: Mapped[EntryLevel] = mapped_column(word(EntryLevel))
    scope_unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    question: Mapped[str] = mapped_column(String(200))
    short: Mapped[str] = mapped_column(Text)
    full: Mapped[str] = mapped_column(Text, default="")
    steps: Mapped[list[str]]
    documents: Mapped[list[str]]
    basis: Mapped[list[dict[str, Any]]]
    facts: Mapped[list[str]]
    confirmed: Mapped[bool] = mapped_column(default=True)
    group: Mapped[str] = mapped_column(String(20), default="登记组")
    review_on: Mapped[date | None]
    effective_from: Mapped[date | None]
    effective_until: Mapped[date | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    publisher_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    review_note: Mapped[str] = mapped_column(Text, default="")
    ticket_id: Mapped[int | None]
    alteration: Mapped[Alteration | None] = mapped_column(word(Alteration))

    def covers(self, day: date) -> bool:
        """Whether the wording, once published, holds on this day."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_until is None or day <= self.effective_until
        )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


class Phrasing(Base):
    """One way people ask; an exact one (a short alias) matches only as the whole message."""

    __tablename__ = "phrasing"

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("entry_version.id"), index=True)
    text: Mapped[str] = mapped_column(String(300))
    exact: Mapped[bool] = mapped_column(default=False)


class BaseState(Base):
    """How often the published base has changed: one row, locked by whoever publishes.

    `model_id` names the matcher's model in force; without one it is the shipped model.
    """

    __tablename__ = "base_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int]
    model_id: Mapped[int | None] = mapped_column(ForeignKey("matcher_model.id"))


@dataclass(frozen=True, slots=True)
class Content:
    """What an editor writes: everything of a version but its number, state and persons."""

    topic: str
    question: str
    phrasings: tuple[str, ...]
    short: str
    scope_unit_id: int
    full: str = ""
    aliases: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    basis: tuple[Mapping[str, str], ...] = ()
    facts: tuple[str, ...] = ()
    audience: Audience = Audience.VOTER
    level: EntryLevel = EntryLevel.ORDINARY
    confirmed: bool = True
    group: str = "登记组"
    review_on: date | None = None
    effective_from: date | None = None
    effective_until: date | None = None

    def columns(self) -> dict[str, Any]:
        """The content as columns of `EntryVersion`; phrasings and aliases have rows of their own."""
        return {
            "topic": self.topic,
            "question": self.question.strip(),
            "short": self.short.strip(),
            "full": self.full.strip(),
            "steps": list(self.steps),
            "documents": list(self.documents),
            "basis": [dict(citation) for citation in self.basis],
            "facts": list(self.facts),
            "audience": self.audience,
            "level": self.level,
            "scope_unit_id": self.scope_unit_id,
            "confirmed": self.confirmed,
            "group": self.group,
            "review_on": self.review_on,
            "effective_from": self.effective_from,
            "effective_until": self.effective_until,
        }


async def content_of(session: AsyncSession, version: EntryVersion) -> Content:
    """The content of a version with its phrasings, as an editor or a lint sees it."""
    rows = (
        await session.scalars(select(Phrasing).where(Phrasing.version_id == version.id).order_by(Phrasing.id))
    ).all()
    return Content(
        topic=version.topic,
        question=version.question,
        phrasings=tuple(row.text for row in rows if not row.exact),
        aliases=tuple(row.text for row in rows if row.exact),
        short=version.short,
        full=version.full,
        steps=tuple(version.steps),
        documents=tuple(version.documents),
        basis=tuple(version.basis),
        facts=tuple(version.facts),
        audience=version.audience,
        level=version.level,
        scope_unit_id=version.scope_unit_id,
        confirmed=version.confirmed,
        group=version.group,
        review_on=version.review_on,
        effective_from=version.effective_from,
        effective_until=version.effective_until,
    )


async def by_number(session: AsyncSession, entry_no: str) -> Entry:
    """The entry with this number; raises `NotFound`."""
    entry = await session.scalar(select(Entry).where(Entry.entry_no == entry_no))
    if entry is None:
        raise NotFound("entry_unknown")
    return entry


async def get_version(session: AsyncSession, version_id: int) -> EntryVersion:
    """The version with this row number; raises `NotFound`."""
    version = await session.get(EntryVersion, version_id)
    if version is None:
        raise NotFound("entry_unknown")
    return version


async def versions(session: AsyncSession, entry: Entry) -> list[EntryVersion]:
    """All versions of an entry, newest first."""
    rows = await session.scalars(
        select(EntryVersion).where(EntryVersion.entry_id == entry.id).order_by(EntryVersion.number.desc())
    )
    return list(rows.all())


async def revision(session: AsyncSession) -> int:
    """The count of changes of the published base."""
    return (await session.scalars(select(BaseState.revision))).one()


async def new_version(
    session: AsyncSession,
    entry: Entry,
    content: Content,
    *,
    author_id: int | None,
    ticket_id: int | None,
    now: datetime,
) -> EntryVersion:
    """Write a draft as the next version of an entry."""
    last = await session.scalar(
        select(func.max(EntryVersion.number)).where(EntryVersion.entry_id == entry.id)
    )
    version = EntryVersion(
        entry_id=entry.id,
        number=(last or 0) + 1,
        author_id=author_id,
        ticket_id=ticket_id,
        created_at=now,
        **content.columns(),
    )
    session.add(version)
    await session.flush()
    await set_phrasings(session, version, content)
    return version


async def set_phrasings(session: AsyncSession, version: EntryVersion, content: Content) -> None:
    """Give a version the phrasings and aliases of `content` in place of those it has."""
    await session.execute(delete(Phrasing).where(Phrasing.version_id == version.id))
    texts: Iterable[tuple[str, bool]] = [
        *((text, False) for text in content.phrasings),
        *((text, True) for text in content.aliases),
    ]
    # As plain rows: SQLite would be asked for the number of each object by itself, some fifty an entry.
    if rows := [{"version_id": version.id, "text": text, "exact": exact} for text, exact in texts]:
        await session.execute(insert(Phrasing), rows)
