"""Work that only one process may do at a time, and not too often: a row says until when it is taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import String, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office.store import Base, insert_once

NEVER = datetime(2000, 1, 1, tzinfo=UTC)


class Lease(Base):
    """When a kind of work was last begun, and until when it counts as being done."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    begun_at: Mapped[datetime]
    until: Mapped[datetime]


async def begin(
    session: AsyncSession,
    name: str,
    *,
    lasts: timedelta,
    now: datetime,
    pause: timedelta = timedelta(),
) -> bool:
    """Take the work on for `lasts`, unless somebody else has it or it was begun less than `pause` ago.

    One statement decides, so of several processes one gets it. Who dies with it loses it after `lasts`.
    """
    await insert_once(session, Lease, {"name": name, "begun_at": NEVER, "until": NEVER}, unique=["name"])
    free = (
        update(Lease)
        .where(Lease.name == name, Lease.until <= now, Lease.begun_at <= now - pause)
        .values(begun_at=now, until=now + lasts)
    )
    return bool((await session.execute(free)).rowcount)  # type: ignore[attr-defined]


async def end(session: AsyncSession, name: str, *, begun_at: datetime, now: datetime) -> None:
    """Let go of work begun at `begun_at`; if the lease ran out and another took it, it stays theirs."""
    await session.execute(
        update(Lease).where(Lease.name == name, Lease.begun_at == begun_at).values(until=now)
    )
