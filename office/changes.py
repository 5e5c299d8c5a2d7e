"""Governed data: rules, calendars, working hours and stations change by proposals that a second person signs.

A change is a numbered version of one subject. Its content, plain JSON values, is given its meaning by the
module that owns the kind; here are the steps every kind goes through, who may take them, and what differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, Select, String, Text, UniqueConstraint, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, defer, mapped_column

from office import audit
from office.audit import SYSTEM
from office.errors import Conflict, Invalid, NotFound
from office.hours import beijing_day
from office.staff import Permission, Staff, must, second_person
from office.store import Base, ring_after_commit, word
from office.units import Unit

TOPIC = "changes"
PAGE = 30


class ChangeKind(StrEnum):
    """What is changed: a rule pack's row, a calendar, working hours, stations, who signs rolls."""

    RULES = auto()
    CALENDAR = auto()
    HOURS = auto()
    STATIONS = auto()
    SIGNER = auto()


class ChangeState(StrEnum):
    """Where a change stands. A signed one holds within its days, unless a later one of its subject does."""

    PROPOSED = auto()
    SIGNED = auto()
    DROPPED = auto()
    UNDONE = auto()


S = ChangeState
TRANSITIONS: Mapping[ChangeState, frozenset[ChangeState]] = {
    S.PROPOSED: frozenset({S.SIGNED, S.DROPPED}),
    S.SIGNED: frozenset({S.UNDONE}),
    S.DROPPED: frozenset(),
    S.UNDONE: frozenset(),
}


class Change(Base):
    """One version of one subject. `content` may be large: lists of changes leave it out."""

    __tablename__ = "change"
    __table_args__ = (UniqueConstraint("kind", "subject", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[ChangeKind] = mapped_column(word(ChangeKind))
    subject: Mapped[str] = mapped_column(String(64))
    number: Mapped[int]
    state: Mapped[ChangeState] = mapped_column(word(ChangeState), default=S.PROPOSED, index=True)
    content: Mapped[dict[str, Any]]
    basis: Mapped[str] = mapped_column(Text)
    scope_unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    effective_from: Mapped[date | None]
    effective_until: Mapped[date | None]
    review_on: Mapped[date | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    signer_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    signed_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so

    def covers(self, day: date) -> bool:
        """Whether the change, once signed, holds on this day."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_until is None or day <= self.effective_until
        )


async def propose(
    session: AsyncSession,
    kind: ChangeKind,
    subject: str,
    content: Mapping[str, Any],
    *,
    basis: str,
    scope: Unit,
    actor: Staff,
    now: datetime,
    effective_from: date | None = None,
    effective_until: date | None = None,
    review_on: date | None = None,
) -> Change:
    """Write down what shall hold, for a second person to sign; nothing changes yet.

    The caller has checked the content. Raises `NotPermitted`; `Invalid("change_basis")` without the paper it
    rests on, "dates_reversed", "change_over"; `Conflict("change_open")` while another one waits.
    """
    await must(session, actor, Permission.DRAFT_RULES, scope.path)
    if not basis.strip():
        raise Invalid("change_basis")
    if effective_from and effective_until and effective_from > effective_until:
        raise Invalid("dates_reversed")
    if effective_until and effective_until < beijing_day(now):
        raise Invalid("change_over")
    await in_turn(session)
    waiting = await session.scalar(
        select(Change.id).where(Change.kind == kind, Change.subject == subject, Change.state == S.PROPOSED)
    )
    if waiting is not None:
        raise Conflict("change_open")
    change = await _add(
        session, kind, subject, content, basis.strip(), scope, now,
        effective_from=effective_from, effective_until=effective_until, review_on=review_on,
        author_id=actor.id,
    )  # fmt: skip
    await audit.record(session, "change.propose", f"change:{change.id}", actor=actor.as_actor(), now=now,
                       kind=kind.value, about=subject, number=change.number)  # fmt: skip
    return change


async def install(
    session: AsyncSession,
    kind: ChangeKind,
    subject: str,
    content: Mapping[str, Any],
    *,
    basis: str,
    scope: Unit,
    now: datetime,
) -> Change:
    """Put a first version in force that came with the installation's own files.

    Raises `Conflict` if the subject has one.
    """
    if await session.scalar(select(Change.id).where(Change.kind == kind, Change.subject == subject).limit(1)):
        raise Conflict("change_open")
    change = await _add(session, kind, subject, content, basis, scope, now)
    change.signed_at = now
    await audit.move(session, change, S.SIGNED, by="install", table=TRANSITIONS, actor=SYSTEM, now=now,
                     kind=kind.value, about=subject, number=change.number)  # fmt: skip
    ring_after_commit(session, TOPIC)
    return change


async def sign(session: AsyncSession, change: Change, *, seen: int, actor: Staff, now: datetime) -> None:
    """A second person puts a proposal in force. `seen` is the `version` of the page that was read.

    The owner of the kind does what follows in the same transaction. Raises `NotPermitted`, `Conflict`.
    """
    await _in_scope(session, actor, Permission.SIGN_RULES, change)
    await in_turn(session)
    await session.refresh(change, with_for_update=True)
    await second_person(session, actor, change.author_id, now=now)
    if change.version != seen:
        raise Conflict("stale_card")
    change.signer_id, change.signed_at = actor.id, now
    await _move(session, change, S.SIGNED, "sign", actor, now)


async def drop(session: AsyncSession, change: Change, *, actor: Staff, now: datetime) -> None:
    """Give up a proposal; who may draft may do it, and who may sign."""
    needed = Permission.DRAFT_RULES if actor.id == change.author_id else Permission.SIGN_RULES
    await _in_scope(session, actor, needed, change)
    await in_turn(session)
    await session.refresh(change, with_for_update=True)
    await _move(session, change, S.DROPPED, "drop", actor, now)


async def undo(session: AsyncSession, change: Change, *, actor: Staff, now: datetime) -> None:
    """Take a signed change out of force at once: what held before it holds again. One person is enough.

    Raises `Conflict("newer_change")` if a later one of the subject has been signed since.
    """
    await _in_scope(session, actor, Permission.SIGN_RULES, change)
    await in_turn(session)
    await session.refresh(change, with_for_update=True)
    later = await session.scalar(
        select(Change.id)
        .where(Change.kind == change.kind, Change.subject == change.subject)
        .where(Change.number > change.number, Change.state == S.SIGNED)
        .limit(1)
    )
    if later is not None:
        raise Conflict("newer_change")
    await _move(session, change, S.UNDONE, "undo", actor, now)


async def get(session: AsyncSession, change_id: int) -> Change:
    """The change with this row number; raises `NotFound`."""
    change = await session.get(Change, change_id)
    if change is None:
        raise NotFound("change_unknown")
    return change


async def in_force(session: AsyncSession, kind: ChangeKind, subject: str, day: date) -> Change | None:
    """The latest signed change of a subject that holds on `day`."""
    statement = select(Change).where(Change.kind == kind, Change.subject == subject, Change.state == S.SIGNED)
    newest = _covering(statement, day).order_by(Change.number.desc()).limit(1)
    return (await session.scalars(newest)).one_or_none()


async def subjects_in_force(session: AsyncSession, kind: ChangeKind, prefix: str, day: date) -> list[Change]:
    """The change in force of every subject whose name begins with `prefix`, by subject."""
    rows = await session.scalars(
        select(Change)
        .where(Change.kind == kind, Change.subject.startswith(prefix, autoescape=True))
        .where(Change.state == S.SIGNED)
        .order_by(Change.subject, Change.number)
    )
    found = {change.subject: change for change in rows if change.covers(day)}
    return list(found.values())


async def before(session: AsyncSession, change: Change, *, on: date | None = None) -> Change | None:
    """The signed change that this one follows or would follow; with `on`, one that holds on that day."""
    statement = (
        select(Change)
        .where(Change.kind == change.kind, Change.subject == change.subject, Change.state == S.SIGNED)
        .where(Change.number < change.number)
        .order_by(Change.number.desc())
    )
    if on is not None:
        statement = _covering(statement, on)
    return (await session.scalars(statement.limit(1))).one_or_none()


async def waiting(session: AsyncSession) -> list[Change]:
    """The proposals that nobody has signed or dropped yet, the oldest first; their content is not loaded."""
    rows = await session.scalars(_brief().where(Change.state == S.PROPOSED).order_by(Change.id))
    return list(rows)


async def count_waiting(session: AsyncSession) -> int:
    """How many proposals wait for a second person."""
    statement = select(func.count()).select_from(Change).where(Change.state == S.PROPOSED)
    return await session.scalar(statement) or 0


async def decided(
    session: AsyncSession, *, kind: ChangeKind | None = None, page: int = 1, limit: int = PAGE
) -> tuple[list[Change], int]:
    """A page of the changes that no longer wait, newest first, and how many there are.

    Their content is not loaded.
    """
    chosen = [Change.state != S.PROPOSED, *([Change.kind == kind] if kind else [])]
    total = await session.scalar(select(func.count()).select_from(Change).where(*chosen)) or 0
    statement = _brief().where(*chosen).order_by(Change.id.desc())
    rows = await session.scalars(statement.limit(limit).offset((max(page, 1) - 1) * limit))
    return list(rows), total


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """What differs between two JSON values: path (`windows[0].to`), old value, new value; None: absent."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            old = before[place] if place < len(before) else None
            new = after[place] if place < len(after) else None
            yield from differences(old, new, f"{path}[{place}]")
    elif before != after:
        yield path, before, after


async def _add(
    session: AsyncSession,
    kind: ChangeKind,
    subject: str,
    content: Mapping[str, Any],
    basis: str,
    scope: Unit,
    now: datetime,
    **more: Any,
) -> Change:
    last = await session.scalar(
        select(func.max(Change.number)).where(Change.kind == kind, Change.subject == subject)
    )
    change = Change(
        kind=kind, subject=subject, number=(last or 0) + 1, content=dict(content), basis=basis,
        scope_unit_id=scope.id, created_at=now, **more,
    )  # fmt: skip
    session.add(change)
    await session.flush()
    return change


async def _move(
    session: AsyncSession, change: Change, to: ChangeState, by: str, actor: Staff, now: datetime
) -> None:
    await audit.move(session, change, to, by=by, table=TRANSITIONS, actor=actor.as_actor(), now=now,
                     kind=change.kind.value, about=change.subject, number=change.number)  # fmt: skip
    ring_after_commit(session, TOPIC)


def _covering(statement: Select[Change], day: date) -> Select[Change]:
    return statement.where(
        Change.effective_from.is_(None) | (Change.effective_from <= day),
        Change.effective_until.is_(None) | (Change.effective_until >= day),
    )


def _brief() -> Select[Change]:
    return select(Change).options(defer(Change.content, raiseload=True))


async def in_turn(session: AsyncSession) -> None:
    """Wait until nobody else changes governed data, and keep others waiting until the commit."""
    # At the row of the office: two proposers of one subject find each other's proposal, and nothing is undone
    # while its successor is signed. What merely refers to the unit, such as a new ticket, does not wait.
    first = select(Unit.id).order_by(Unit.id).limit(1)
    await session.execute(first.with_for_update(key_share=True))


async def _in_scope(session: AsyncSession, actor: Staff, permission: Permission, change: Change) -> None:
    unit = await session.get_one(Unit, change.scope_unit_id)
    await must(session, actor, permission, unit.path)
