"""Who wants to be told of which day: asked for in the conversation, told once, forgotten with the contact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Select, String, UniqueConstraint, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge import moves
from knowledge.milestones import DateKind, Dates, KeyDate
from knowledge.moves import Move
from office import outbox
from office.contacts import Contact, ContactState
from office.hours import moment
from office.outbox import Priority
from office.store import Base, insert_once

KIND = "reminder"
MOVED = "calendar_moved"
MORNING = timedelta(hours=9)
EVENING = timedelta(hours=18)
DAY = timedelta(days=1)
NEVER = date(1, 1, 1)
BATCH = 500
# Nothing leaves for everybody on the stroke of the hour.
SPREAD = timedelta(minutes=10)


class What(StrEnum):
    """What one may be told of. `PUBLISHED`: once, as soon as there are dates at all."""

    CLOSES = DateKind.REGISTRATION_CLOSES.value
    LIST = DateKind.LIST_POSTED.value
    VOTING = DateKind.VOTING.value
    PUBLISHED = "published"


ALL = (What.CLOSES, What.LIST, What.VOTING)


class Reminder(Base):
    """One contact's wish to be told of one kind of day. `told_for` is the latest day it was told of."""

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("contact_id", "what"),
        Index("ix_reminder_what_told_for", "what", "told_for"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    what: Mapped[str] = mapped_column(String(32))
    told_for: Mapped[date] = mapped_column(default=NEVER)
    asked_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Occasion:
    """A day to be told of: from `at` on, and worth telling as long as `until` has not passed."""

    what: What
    day: date
    at: datetime
    until: datetime
    key_dates: tuple[KeyDate, ...]


def occasions(dates: Dates) -> Iterator[Occasion]:
    """All there is to be told of, in the order of the days.

    The day before registration closes and the day of the posting at 9:00; the eve of voting at 18:00: in
    time to look for the voter card and to arrange for somebody to go instead, and nobody is woken up.
    """
    closing: dict[date, list[KeyDate]] = {}
    for key_date in dates.get(DateKind.REGISTRATION_CLOSES, ()):
        closing.setdefault(key_date.last, []).append(key_date)
    for day, found in sorted(closing.items()):
        yield Occasion(What.CLOSES, day, moment(day - DAY, MORNING), moment(day, DAY), tuple(found))
    appeals = [key_date.last for key_date in dates.get(DateKind.APPEALS_CLOSE, ())]
    for posted in dates.get(DateKind.LIST_POSTED, ()):
        until = max([posted.last, *appeals])
        yield Occasion(What.LIST, posted.last, moment(posted.last, MORNING), moment(until, DAY), (posted,))
    for voting in dates.get(DateKind.VOTING, ()):
        eve = moment(voting.first - DAY, EVENING)
        yield Occasion(What.VOTING, voting.first, eve, moment(voting.last, DAY), (voting,))


async def wish(session: AsyncSession, contact: Contact, *wanted: What, dates: Dates, now: datetime) -> None:
    """Note what a contact wants to be told of; what has had its time already is not told again."""
    past = [occasion for occasion in occasions(dates) if occasion.at <= now]
    for what in wanted:
        told_for = max((occasion.day for occasion in past if occasion.what is what), default=NEVER)
        row = {"contact_id": contact.id, "what": what.value, "told_for": told_for, "asked_at": now}
        await insert_once(session, Reminder, row, unique=("contact_id", "what"))


async def wishes(session: AsyncSession, contact: Contact) -> frozenset[What]:
    """What a contact wants to be told of."""
    found = await session.scalars(select(Reminder.what).where(Reminder.contact_id == contact.id))
    return frozenset(What(what) for what in found)


async def forget(session: AsyncSession, contact_id: int) -> None:
    """Tell this contact of nothing any more."""
    await session.execute(delete(Reminder).where(Reminder.contact_id == contact_id))


async def due(session: AsyncSession, dates: Dates, *, now: datetime) -> int:
    """Lay what is due to be told now into the outbox; returns how many were told.

    Each contact is told once of each day, however many workers there are; after a stop what is still worth
    knowing is told late, and what has passed is not. A day that was moved is told of on its new date.
    """
    told = 0
    for occasion in occasions(dates):
        if occasion.at <= now < occasion.until:
            told += await _tell(session, occasion, now)
    return told


async def _tell(session: AsyncSession, occasion: Occasion, now: datetime) -> int:
    rows = await session.execute(
        select(Reminder.id, Reminder.contact_id)
        .join(Contact, Contact.id == Reminder.contact_id)
        .where(Reminder.what == occasion.what.value, Reminder.told_for < occasion.day)
        .where(Contact.state == ContactState.ACTIVE)
        .order_by(Reminder.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=Reminder)
    )
    found = rows.all()
    if not found:
        return 0
    facts = {
        "what": occasion.what.value,
        "dates": [moves.as_facts(key_date) for key_date in occasion.key_dates],
    }
    # Nothing is left for the minutes after which it would be of no use.
    spread = min(SPREAD, max(occasion.until - now - timedelta(minutes=1), timedelta(0)))
    people = select(Contact.id).where(Contact.id.in_([contact_id for _, contact_id in found]))
    await outbox.put_many(
        session, people, KIND, facts,
        key=f"reminder:{occasion.what.value}:{occasion.day}", subject=f"reminder:{occasion.what.value}",
        now=now, spread=spread, priority=Priority.NOTICE,
    )  # fmt: skip
    await session.execute(
        update(Reminder).where(Reminder.id.in_([number for number, _ in found])).values(told_for=occasion.day)
    )
    return len(found)


async def subscribers(session: AsyncSession) -> int:
    """How many contacts that can be reached want to be told of anything."""
    return await session.scalar(select(func.count()).select_from(_subscribed().subquery())) or 0


async def tell_moves(
    session: AsyncSession, found: Sequence[Move], *, key: str, subject: str, now: datetime
) -> int:
    """Tell every subscriber once which of the days that people plan by have moved; returns how many.

    `key` names the change that moved them, so that saying it again tells nobody twice. Whoever only waited
    for the dates to be published has been told with this.
    """
    told = moves.told(found)
    if not told:
        return 0
    facts = {"moves": [move.as_facts() for move in told]}
    new = await outbox.put_many(
        session, _subscribed(), MOVED, facts, key=key, subject=subject, now=now, spread=SPREAD
    )
    if any(move.after is not None for move in told):
        await session.execute(delete(Reminder).where(Reminder.what == What.PUBLISHED.value))
    return new


def _subscribed() -> Select[int]:
    return (
        select(Contact.id)
        .where(Contact.state == ContactState.ACTIVE)
        .where(Contact.id.in_(select(Reminder.contact_id)))
    )
