"""What is in force and asks to be looked at again: whose it is, by when, and that somebody did look.

Entries and changes carry a day of review. It belongs to whoever wrote them while that person is active, and
after that to the functional group that answers for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum, auto

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from knowledge.versions import Entry, EntryVersion
from office import audit
from office.audit import SYSTEM, AuditEntry
from office.changes import Change, ChangeState
from office.errors import Conflict, Invalid, NotFound
from office.hours import beijing_day
from office.staff import Permission, Staff, may, must, reach
from office.units import Unit

SOON = timedelta(days=14)
GROUP = "登记组"
"""Who answers for a change: its rows tell no group of their own."""


class Reviewed(StrEnum):
    """What is looked at again: the version of an entry, or a change of governed data."""

    ENTRY_VERSION = auto()
    CHANGE = auto()


@dataclass(frozen=True, slots=True)
class Review:
    """One thing in force with its day of review.

    `row_id` and `version` are those of the row that carries the day, `page_id` is the row its page is about.
    `owner_id` is None where `owner` is a group.
    """

    what: Reviewed
    row_id: int
    version: int
    page_id: int
    name: str
    number: int
    title: str
    scope: str
    due: date
    owner_id: int | None
    owner: str


async def upcoming(session: AsyncSession, person: Staff, *, today: date) -> list[Review]:
    """What is overdue or due within `SOON`, of those units under which the person may see, by day."""
    path, until = await reach(session, person), today + SOON
    found: list[Review] = []
    if may(person, Permission.SEE_ENTRIES):
        found += await _entries(session, path, until)
    if may(person, Permission.SEE_RULES):
        found += await _changes(session, path, until, today)
    return sorted(found, key=lambda one: (one.due, one.what, one.name))


async def count_due(session: AsyncSession, person: Staff, *, today: date) -> int:
    """How much is due today or before, and the person's: written by them, or by nobody who is still there
    where the person may sign such things."""
    path = await reach(session, person)
    total = 0
    if may(person, Permission.SEE_ENTRIES):
        signs = may(person, Permission.PUBLISH_ENTRIES)
        statement = _live_entries(path, today).where(_theirs(person, signs=signs))
        total += await session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    if may(person, Permission.SEE_RULES):
        signs = may(person, Permission.SIGN_RULES)
        changes = _live_changes(path, today, today).where(_theirs(person, signs=signs))
        total += await session.scalar(select(func.count()).select_from(changes.subquery())) or 0
    return total


async def looked_at(
    session: AsyncSession,
    what: Reviewed,
    row_id: int,
    *,
    next_on: date,
    seen: int,
    actor: Staff,
    now: datetime,
) -> None:
    """Say that it was looked at and holds; the next day of review is `next_on`, the content stays.

    Its author may, while active, and whoever may sign such things for its unit. `seen` is the `version` of
    the row on the page. Raises `NotFound`, `NotPermitted`, `Invalid("review_past")`, and
    `Conflict("stale_card")` for a row that changed meanwhile or is in force no more.
    """
    if next_on <= beijing_day(now):
        raise Invalid("review_past")
    row = await _locked(session, what, row_id)
    see, sign = {
        Reviewed.ENTRY_VERSION: (Permission.SEE_ENTRIES, Permission.PUBLISH_ENTRIES),
        Reviewed.CHANGE: (Permission.SEE_RULES, Permission.SIGN_RULES),
    }[what]
    unit = await session.get_one(Unit, row.scope_unit_id)
    await must(session, actor, see if row.author_id == actor.id else sign, unit.path)
    if row.version != seen or not await _in_force(session, row):
        raise Conflict("stale_card")
    before, row.review_on = row.review_on, next_on
    await session.flush()
    await audit.record(
        session, f"{what.value}.looked_at", f"{what.value}:{row.id}", actor=actor.as_actor(), now=now,
        before=before.isoformat() if before else None, next=next_on.isoformat(), number=row.number,
    )  # fmt: skip


async def note_due(session: AsyncSession, *, now: datetime) -> int:
    """Write into the audit what has fallen due and was not written down yet; returns how much that was.

    A day that passed while nothing ran is caught up with: each day of review is written down once.
    """
    today = beijing_day(now)
    due = [*await _entries(session, "", today), *await _changes(session, "", today, today)]
    told = await _told(session, {f"{one.what.value}.review_due" for one in due})
    fresh = [one for one in due if (f"{one.what.value}:{one.row_id}", one.due.isoformat()) not in told]
    for one in fresh:
        await audit.record(
            session, f"{one.what.value}.review_due", f"{one.what.value}:{one.row_id}", actor=SYSTEM, now=now,
            due=one.due.isoformat(), name=one.name, owner_id=one.owner_id,
        )  # fmt: skip
    return len(fresh)


async def _told(session: AsyncSession, actions: set[str]) -> set[tuple[str, str]]:
    rows = await session.execute(
        select(AuditEntry.subject, AuditEntry.facts).where(AuditEntry.action.in_(actions))
    )
    return {(subject, facts["due"]) for subject, facts in rows}


async def _entries(session: AsyncSession, path: str, until: date) -> list[Review]:
    rows = await session.execute(_live_entries(path, until))
    return [
        Review(
            Reviewed.ENTRY_VERSION, version.id, version.version, entry.id, entry.entry_no, version.number,
            version.question, unit.name, day_of(version), *_owner(author, version.group),
        )
        for entry, version, unit, author in rows
    ]  # fmt: skip


async def _changes(session: AsyncSession, path: str, until: date, today: date) -> list[Review]:
    rows = await session.execute(_live_changes(path, until, today))
    return [
        Review(
            Reviewed.CHANGE, change.id, change.version, change.id, change.subject, change.number,
            change.basis, unit.name, day_of(change), *_owner(author, GROUP),
        )
        for change, unit, author in rows
    ]  # fmt: skip


def day_of(row: EntryVersion | Change) -> date:
    """The row's day of review; only for rows that were asked for by it."""
    assert row.review_on is not None
    return row.review_on


def _owner(author: Staff | None, group: str) -> tuple[int | None, str]:
    return (author.id, author.name) if author is not None and author.active else (None, group)


def _live_entries(path: str, until: date) -> Select[Entry, EntryVersion, Unit, Staff]:
    return (
        select(Entry, EntryVersion, Unit, Staff)
        .join(EntryVersion, EntryVersion.id == Entry.published_id)
        .join(Unit, Unit.id == EntryVersion.scope_unit_id)
        .outerjoin(Staff, Staff.id == EntryVersion.author_id)
        .where(EntryVersion.review_on <= until, Unit.path.startswith(path))
    )


def _live_changes(path: str, until: date, today: date) -> Select[Change, Unit, Staff]:
    return (
        select(Change, Unit, Staff)
        .join(Unit, Unit.id == Change.scope_unit_id)
        .outerjoin(Staff, Staff.id == Change.author_id)
        .where(Change.review_on <= until, Unit.path.startswith(path), Change.state == ChangeState.SIGNED)
        .where(or_(Change.effective_until.is_(None), Change.effective_until >= today))
        .where(~_followed(today))
    )


def _followed(today: date) -> ColumnElement[bool]:
    """Whether a later change of the subject holds in its place."""
    later = aliased(Change)
    return exists().where(
        later.kind == Change.kind,
        later.subject == Change.subject,
        later.number > Change.number,
        later.state == ChangeState.SIGNED,
        or_(later.effective_from.is_(None), later.effective_from <= today),
    )


def _theirs(person: Staff, *, signs: bool) -> ColumnElement[bool]:
    gone = or_(Staff.id.is_(None), Staff.suspended_at.is_not(None), Staff.deactivated_at.is_not(None))
    return or_(Staff.id == person.id, gone) if signs else Staff.id == person.id


async def _locked(session: AsyncSession, what: Reviewed, row_id: int) -> EntryVersion | Change:
    row: EntryVersion | Change | None
    if what is Reviewed.ENTRY_VERSION:
        row = await session.get(EntryVersion, row_id, with_for_update=True, populate_existing=True)
    else:
        row = await session.get(Change, row_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("entry_unknown" if what is Reviewed.ENTRY_VERSION else "change_unknown")
    return row


async def _in_force(session: AsyncSession, row: EntryVersion | Change) -> bool:
    if isinstance(row, Change):
        return row.state is ChangeState.SIGNED
    entry = await session.get_one(Entry, row.entry_id)
    return entry.published_id == row.id
