"""How often something may be tried: counters in the database, so that all processes share them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import String, delete, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office.errors import TooMany
from office.store import Base, count_up


class Budget(Base):
    """Tries of one key in one span of time."""

    __tablename__ = "budget"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    opened_at: Mapped[datetime] = mapped_column(primary_key=True)
    used: Mapped[int]


def _opened_at(span: timedelta, now: datetime) -> datetime:
    seconds = int(span.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


async def spend(session: AsyncSession, key: str, *, limit: int, span: timedelta, now: datetime) -> None:
    """Use one try of `key`; raises `TooMany` once `limit` tries fell into the current span.

    Spans are fixed slices of the clock, counted in one statement, so parallel tries never get more than
    the limit. `key` must hold nothing personal: digests and row numbers only.
    """
    opened_at = _opened_at(span, now)
    used = await count_up(session, Budget, {"key": key, "opened_at": opened_at}, "used")
    if used > limit:
        raise TooMany("rate_limited", until=opened_at + span)


async def demand(session: AsyncSession, key: str, *, limit: int, span: timedelta, now: datetime) -> None:
    """Raise `TooMany` once the tries of `key` in the current span are used up; uses none itself.

    For what costs a try only when it fails: asked before, spent after.
    """
    opened_at = _opened_at(span, now)
    row = await session.get(Budget, (key, opened_at))
    if row is not None and row.used >= limit:
        raise TooMany("rate_limited", until=opened_at + span)


async def give_back(session: AsyncSession, key: str, *, span: timedelta, now: datetime) -> None:
    """Return the try that was just spent, because it turned out not to count."""
    row = update(Budget).where(Budget.key == key, Budget.opened_at == _opened_at(span, now))
    await session.execute(row.values(used=Budget.used - 1))


async def forget_old(session: AsyncSession, *, now: datetime) -> None:
    """Remove counters a day after they were opened."""
    await session.execute(delete(Budget).where(Budget.opened_at < now - timedelta(days=1)))
