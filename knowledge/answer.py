"""From a question and an asker to an answer: what the live base has, and the passport that goes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge import calendar, case, elections, tip_shelf
from knowledge.lint import fill
from knowledge.live import LiveBase as LiveBase
from knowledge.live import lexicon as lexicon
from knowledge.match import Outcome
from knowledge.versions import Audience, Entry, EntryVersion
from office.contacts import Contact
from office.store import Base
from office.units import Unit


class AnswerGiven(Base):
    """Which version which contact received, and when: the basis of a recall."""

    __tablename__ = "answer_given"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    entry_version_id: Mapped[int] = mapped_column(ForeignKey("entry_version.id"), index=True)
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Answer:
    """An approved answer with its dates filled in and its passport.

    `tip` is year and number of the public work tip that brought its wording into force.
    """

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
    tip: tuple[int, int] | None = None


async def find(
    session: AsyncSession,
    live: LiveBase,
    question: str,
    *,
    audience: Audience,
    unit: Unit,
    now: datetime,
    facts: Mapping[str, str] = case.UNKNOWN.facts,
) -> Outcome:
    """Match a question against the base as it is published at this moment.

    `facts` are what is known of the asker besides the question: names and values of `data/case.yaml`.
    """
    today = calendar.today(now)
    stage = case.stage(await elections.spans(session, now), today)
    await live.refresh(session)
    return live.rank(question, audience, unit.path, today, case.Case(facts, stage))


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
            dates = calendar.variables(await elections.spans(session, now), calendar.today(now))
            tip = await tip_shelf.of_version(session, version.id, now=now)
            found = render(entry, version, scope, dates, office)
            return replace(found, tip=tip)
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
