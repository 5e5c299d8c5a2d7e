"""Who did what to which subject: append-only, each entry sealed by the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import Integer, String, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm.exc import StaleDataError

from office.errors import Conflict
from office.store import Base

GENESIS = "0" * 64


class ActorKind(StrEnum):
    """Who can act."""

    STAFF = auto()
    CONTACT = auto()
    CLOCK = auto()
    SYSTEM = auto()


@dataclass(frozen=True, slots=True)
class Actor:
    """The acting party as the audit keeps it; a contact appears by its row number only."""

    kind: ActorKind
    id: int | None
    name: str
    channel: str


SYSTEM = Actor(ActorKind.SYSTEM, None, "system", "system")
CLOCK = Actor(ActorKind.CLOCK, None, "clock", "system")


class AuditEntry(Base):
    """One act. Rows are never updated or deleted; triggers refuse both."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(String(80))
    channel: Mapped[str] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(64), index=True)
    subject: Mapped[str] = mapped_column(String(64), index=True)
    facts: Mapped[dict[str, Any]]
    prev_hash: Mapped[str] = mapped_column(String(64))
    entry_hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The end of the chain: one row, locked by each writer, so that entries stand in one order.

    The price is that transactions which record something commit one after the other.
    """

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
    last_hash: Mapped[str] = mapped_column(String(64))


def _seal(entry: AuditEntry) -> str:
    content = [
        entry.id,
        entry.at.astimezone(UTC).isoformat(),
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        entry.channel,
        entry.action,
        entry.subject,
        entry.facts,
        entry.prev_hash,
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


async def record(
    session: AsyncSession, action: str, subject: str, *, actor: Actor, now: datetime, **facts: Any
) -> AuditEntry:
    """Write one line of the chain in the caller's transaction.

    `subject` is `kind:id`. `facts` must be JSON values and must hold nothing personal.
    """
    head = (
        await session.execute(
            select(AuditHead)
            .where(AuditHead.id == 1)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one()
    entry = AuditEntry(
        id=head.count + 1,
        at=now,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        actor_name=actor.name,
        channel=actor.channel,
        action=action,
        subject=subject,
        facts=facts,
        prev_hash=head.last_hash,
        entry_hash="",
    )
    entry.entry_hash = _seal(entry)
    head.count, head.last_hash = entry.id, entry.entry_hash
    session.add(entry)
    await session.flush()
    return entry


async def move(
    session: AsyncSession,
    row: Any,
    to: StrEnum,
    *,
    by: str,
    table: Mapping[Any, Collection[Any]],
    actor: Actor,
    now: datetime,
    **facts: Any,
) -> None:
    """Set `row.state` to `to` and write the line about it: one cannot happen without the other.

    The row needs `state` and a `version` that its mapper checks on update. `by` names the act. Raises
    `Conflict("stale_card")` if the table of transitions does not allow it or somebody else changed the
    row since it was read.
    """
    before: StrEnum = row.state
    if to not in table.get(before, ()):
        raise Conflict("stale_card")
    old_version = row.version
    row.state = to
    try:
        await session.flush()
    except StaleDataError as error:
        raise Conflict("stale_card") from error
    kind = row.__tablename__
    await record(
        session,
        f"{kind}.{by}",
        f"{kind}:{row.id}",
        actor=actor,
        now=now,
        **{"from": before.value, "to": to.value, "version": [old_version, row.version], **facts},
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """The first place where the chain does not hold."""

    entry_id: int
    reason: str


async def verify(session: AsyncSession) -> tuple[int, Fault | None]:
    """Walk the chain; returns the number of sound entries and the first fault, if any."""
    previous, expected = GENESIS, 1
    stream = await session.stream_scalars(
        select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=500)
    )
    async for entry in stream:
        if entry.id != expected:
            return expected - 1, Fault(expected, "missing")
        if entry.prev_hash != previous:
            return expected - 1, Fault(entry.id, "does not follow the entry before")
        if entry.entry_hash != _seal(entry):
            return expected - 1, Fault(entry.id, "changed")
        previous, expected = entry.entry_hash, expected + 1
    head = (await session.execute(select(AuditHead))).scalar_one()
    if head.count != expected - 1 or head.last_hash != previous:
        return expected - 1, Fault(expected, "missing at the end")
    return expected - 1, None


PAGE = 50


async def listed(
    session: AsyncSession,
    *,
    subject: str = "",
    subjects: Collection[str] = (),
    action: str = "",
    page: int = 1,
    limit: int = PAGE,
) -> tuple[list[AuditEntry], int]:
    """One page of the chain, newest first, and how many entries there are.

    `subject` is one subject (`ticket:5`), `subjects` are several of which one has to fit, `action` is the
    beginning of an action's name (`staff.`).
    """
    statement = select(AuditEntry)
    if subject:
        statement = statement.where(AuditEntry.subject == subject)
    if subjects:
        statement = statement.where(AuditEntry.subject.in_(subjects))
    if action:
        statement = statement.where(AuditEntry.action.startswith(action, autoescape=True))
    total = await session.scalar(select(func.count()).select_from(statement.subquery()))
    rows = await session.scalars(
        statement.order_by(AuditEntry.id.desc()).limit(limit).offset((max(page, 1) - 1) * limit)
    )
    return list(rows.all()), total or 0
