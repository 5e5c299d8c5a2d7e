"""Golden questions: the shipped ones from files, and those the desk adds from what people really asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import ForeignKey, String, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.replay import Case
from knowledge.versions import Audience, Entry, EntryVersion, topics
from office import audit, redact, units
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.staff import Permission, Staff, may, must
from office.store import Base, insert_once, word

FOLDER = Path(__file__).parent.parent / "data" / "golden"
SEALED = "sealed"
LONGEST = 300
PAGE = 50
TAKE_BACK = timedelta(days=1)
_AS_FILED: Mapping[int, str] = MappingProxyType({})


class GoldenQuestion(Base):
    """A question from the desk with its right answer: an entry, or a topic, `none` for nobody's matter.

    The words are redacted and tell nothing of who asked.
    """

    __tablename__ = "golden_question"

    id: Mapped[int] = mapped_column(primary_key=True)
    q: Mapped[str] = mapped_column(String(LONGEST), unique=True)
    topic: Mapped[str] = mapped_column(String(32))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    audience: Mapped[Audience] = mapped_column(word(Audience))
    kind: Mapped[str] = mapped_column(String(20))
    added_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    added_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Listed:
    """A desk question for a page: with the number of the entry that answers it, and who added it."""

    question: GoldenQuestion
    entry_no: str
    added_by: str


@cache
def shipped(folder: Path = FOLDER) -> tuple[Case, ...]:
    """All questions of the files, the sealed ones marked. Raises `ValueError` naming file and line."""
    return (*_read(folder, sealed=False), *_read(folder / SEALED, sealed=True))


def _read(folder: Path, *, sealed: bool) -> Iterator[Case]:
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                audience = Audience(row.get("audience", "voter")).value
                also = tuple(row.get("also") or ())
                yield Case(row["q"], row["topic"], also, audience, row.get("kind", ""), sealed)
            except (ValueError, KeyError, TypeError, AttributeError):
                # Without the line itself: a sealed question must not come out by way of an error.
                raise ValueError(f"{path.name}:{number}: not a golden question") from None


async def cases(session: AsyncSession, topic_of: Mapping[int, str] = _AS_FILED) -> tuple[Case, ...]:
    """Every question in force, shipped and added, each once.

    A desk question for an entry follows the topic the entry has now, or will have by `topic_of`.
    """
    rows = await session.execute(
        select(GoldenQuestion, EntryVersion.topic)
        .outerjoin(Entry, Entry.id == GoldenQuestion.entry_id)
        .outerjoin(EntryVersion, EntryVersion.id == Entry.published_id)
        .where(GoldenQuestion.retired_at.is_(None))
        .order_by(GoldenQuestion.id)
    )
    added = {
        (row.q, row.audience.value): Case(
            row.q,
            topic_of.get(row.entry_id or 0) or published or row.topic,
            audience=row.audience.value,
            kind=row.kind,
        )
        for row, published in rows
    }
    # What the desk says last of the same words counts.
    return (*(case for case in shipped() if (case.q, case.audience) not in added), *added.values())


async def add(
    session: AsyncSession,
    words: str,
    *,
    entry: Entry | None = None,
    topic: str = "",
    audience: Audience = Audience.VOTER,
    kind: str = "desk",
    actor: Staff,
    now: datetime,
) -> GoldenQuestion:
    """Add what somebody asked, with the entry that answers it, or the topic (`none`: no matter of ours).

    The same words again take the new label. Raises `NotPermitted` for whoever neither drafts nor publishes,
    `Invalid` for no words, no such topic or no entry, `Conflict("golden_known")` if somebody who only drafts
    would give words that are asked already another answer.
    """
    if not (may(actor, Permission.DRAFT_ENTRIES) or may(actor, Permission.PUBLISH_ENTRIES)):
        raise NotPermitted("not_permitted")
    text = _kept(words)
    if not text:
        raise Invalid("golden_no_words")
    if entry is not None:
        topic = await _topic(session, entry)
    if topic not in topics():
        raise Invalid("golden_no_answer")
    known = await _labels(session, text)
    if known - {topic} and not may(actor, Permission.PUBLISH_ENTRIES):
        raise Conflict("golden_known")
    values = {
        "topic": topic,
        "entry_id": entry.id if entry else None,
        "audience": audience,
        "kind": kind[:20],
        "added_by_id": actor.id,
        "added_at": now,
        "retired_at": None,
    }
    if not await insert_once(session, GoldenQuestion, {"q": text, **values}, unique=("q",)):
        await session.execute(update(GoldenQuestion).where(GoldenQuestion.q == text).values(**values))
    question = (
        await session.scalars(
            select(GoldenQuestion).where(GoldenQuestion.q == text).execution_options(populate_existing=True)
        )
    ).one()
    await audit.record(
        session, "golden_question.add", f"golden_question:{question.id}", actor=actor.as_actor(), now=now,
        topic=topic, **({"entry_no": entry.entry_no} if entry else {}),
    )  # fmt: skip
    return question


async def grow(
    session: AsyncSession,
    words: str,
    *,
    entry: Entry | None = None,
    topic: str = "",
    audience: Audience = Audience.VOTER,
    kind: str = "desk",
    actor: Staff,
    now: datetime,
) -> GoldenQuestion | None:
    """As `add`, for what comes along with other work at the desk: words asked already stay as they are.

    Returns None for those. Raises as `add` does, but never for words that are known.
    """
    if await _labels(session, _kept(words)):
        return None
    return await add(
        session, words, entry=entry, topic=topic, audience=audience, kind=kind, actor=actor, now=now
    )


async def retire(session: AsyncSession, question: GoldenQuestion, *, actor: Staff, now: datetime) -> None:
    """Ask this question no more. Only who publishes for the whole office may make the gate wider.

    Who added it may take it back within a day. Raises `Conflict` if it is retired already.
    """
    if question.added_by_id != actor.id or now - question.added_at > TAKE_BACK:
        office = await units.election_office(session)
        await must(session, actor, Permission.PUBLISH_ENTRIES, office.path)
    await session.refresh(question, with_for_update=True)
    if question.retired_at is not None:
        raise Conflict("stale_card")
    question.retired_at = now
    await session.flush()
    await audit.record(
        session, "golden_question.retire", f"golden_question:{question.id}", actor=actor.as_actor(), now=now,
        topic=question.topic,
    )  # fmt: skip


async def get(session: AsyncSession, question_id: int) -> GoldenQuestion:
    """The desk question with this row number; raises `NotFound`."""
    question = await session.get(GoldenQuestion, question_id)
    if question is None:
        raise NotFound("golden_unknown")
    return question


async def listed(
    session: AsyncSession, *, search: str = "", retired: bool = False, page: int = 1
) -> tuple[list[Listed], int]:
    """One page of the desk's questions, newest first, and how many there are."""
    statement = (
        select(GoldenQuestion, Entry.entry_no, Staff.name)
        .outerjoin(Entry, Entry.id == GoldenQuestion.entry_id)
        .join(Staff, Staff.id == GoldenQuestion.added_by_id)
        .where(GoldenQuestion.retired_at.is_not(None) if retired else GoldenQuestion.retired_at.is_(None))
    )
    if words := search.strip():
        statement = statement.where(GoldenQuestion.q.contains(words, autoescape=True))
    total = await session.scalar(select(func.count()).select_from(statement.subquery()))
    rows = await session.execute(
        statement.order_by(GoldenQuestion.id.desc()).limit(PAGE).offset((max(page, 1) - 1) * PAGE)
    )
    return [Listed(question, entry_no or "", name) for question, entry_no, name in rows], total or 0


def _kept(words: str) -> str:
    return redact.text(" ".join(words.split())).text[:LONGEST].strip()


async def _labels(session: AsyncSession, text: str) -> set[str]:
    """The topics under which these words are asked now."""
    rows = await session.scalars(
        select(GoldenQuestion.topic).where(GoldenQuestion.q == text, GoldenQuestion.retired_at.is_(None))
    )
    return {*rows, *(case.topic for case in shipped() if case.q == text)}


async def _topic(session: AsyncSession, entry: Entry) -> str:
    newest = select(EntryVersion.topic).where(EntryVersion.entry_id == entry.id)
    if entry.published_id is not None:
        newest = newest.where(EntryVersion.id == entry.published_id)
    topic: str | None = await session.scalar(newest.order_by(EntryVersion.number.desc()).limit(1))
    return topic or ""
