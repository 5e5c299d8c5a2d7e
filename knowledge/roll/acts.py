"""That lookups were made: way, result and, of staff, who and why; of whom stands nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum, auto

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll.records import LookupAct, LookupResult, Way
from office.hours import BEIJING

KEPT = timedelta(days=365)


class Reason(StrEnum):
    """Why somebody at the counter is looked up: a closed list, so that no name gets into a reason."""

    IN_PERSON = auto()
    RECEIPT_LOST = auto()
    LIST_CHECKED = auto()
    CORRECTION = auto()


@dataclass(frozen=True, slots=True)
class Count:
    """How many lookups one member of staff made with one way, reason and result."""

    staff_id: int
    way: Way
    reason: str
    result: LookupResult
    times: int


async def record(
    session: AsyncSession,
    *,
    way: Way,
    channel: str,
    result: LookupResult,
    now: datetime,
    notice: str = "",
    staff_id: int | None = None,
    reason: str = "",
) -> None:
    """Write down that a lookup was made, in the transaction of the lookup."""
    session.add(
        LookupAct(
            at=now, channel=channel, way=way, result=result, notice=notice, staff_id=staff_id, reason=reason
        )
    )  # fmt: skip
    await session.flush()


async def forget_old(session: AsyncSession, *, now: datetime) -> None:
    """Remove what is older than a year."""
    await session.execute(delete(LookupAct).where(LookupAct.at <= now - KEPT))


async def of_staff(session: AsyncSession, first: date, last: date) -> list[Count]:
    """What staff looked up on these Beijing days, both included; what was done most comes first."""
    statement = (
        select(LookupAct.staff_id, LookupAct.way, LookupAct.reason, LookupAct.result, func.count())
        .where(LookupAct.staff_id.is_not(None))
        .where(LookupAct.at >= _begins(first), LookupAct.at < _begins(last + timedelta(days=1)))
        .group_by(LookupAct.staff_id, LookupAct.way, LookupAct.reason, LookupAct.result)
        .order_by(func.count().desc(), LookupAct.staff_id)
    )
    rows = (await session.execute(statement)).all()
    return [
        Count(staff_id, way, reason, result, times)
        for staff_id, way, reason, result, times in rows
        if staff_id is not None
    ]


async def of_person(session: AsyncSession, staff_id: int, day: date) -> int:
    """How often a member of staff has looked up on a Beijing day."""
    found = await session.scalar(
        select(func.count())
        .select_from(LookupAct)
        .where(LookupAct.staff_id == staff_id)
        .where(LookupAct.at >= _begins(day), LookupAct.at < _begins(day + timedelta(days=1)))
    )
    return found or 0


async def of_public(session: AsyncSession, first: date, last: date) -> dict[tuple[Way, LookupResult], int]:
    """How often voters asked by each way with each result on these Beijing days."""
    statement = (
        select(LookupAct.way, LookupAct.result, func.count())
        .where(LookupAct.staff_id.is_(None))
        .where(LookupAct.at >= _begins(first), LookupAct.at < _begins(last + timedelta(days=1)))
        .group_by(LookupAct.way, LookupAct.result)
    )
    return {(way, result): times for way, result, times in (await session.execute(statement)).all()}


def _begins(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING)
