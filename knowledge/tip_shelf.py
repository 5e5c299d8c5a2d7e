"""Work tips for everybody: the public archive, and what becomes of one that holds no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import tip_numbers, tip_words, tips
from knowledge.tips import NUMBERED, TipEntry, TipSecrecy, TipState, WorkTip

PAGE: Final = 30


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a tip holds: empty, `superseded`, `withdrawn`, `expired` or `later`.

    `successor`: the tip that holds in its place, through however many it was replaced.
    """

    state: str
    successor: WorkTip | None = None


async def public(
    session: AsyncSession, *, search: str = "", year: int | None = None, now: datetime, page: int = 1
) -> tuple[list[WorkTip], int]:
    """One page of the tips that everybody may read, the newest first, and how many there are.

    `search`: words that all stand somewhere in it, or a number (第3期). What holds no more is among them.
    """
    statement = _public(now)
    if number := tip_numbers.exactly(search):
        statement = statement.where(tips.numbered_as(*number))
    else:
        statement = statement.where(*(tips.holds(word) for word in search.split()))
    if year is not None:
        statement = statement.where(WorkTip.year == year)
    total = await session.scalar(select(func.count()).select_from(statement.subquery()))
    newest = statement.order_by(WorkTip.year.desc(), WorkTip.issue_no.desc())
    rows = await session.scalars(newest.limit(PAGE).offset((max(page, 1) - 1) * PAGE))
    return list(rows.all()), total or 0


async def years(session: AsyncSession, *, now: datetime) -> list[int]:
    """The years of which there is a public tip, the newest first."""
    rows = await session.scalars(_public(now).with_only_columns(WorkTip.year).distinct())
    return sorted((year for year in rows if year is not None), reverse=True)


async def by_number(session: AsyncSession, year: int, issue_no: int, *, now: datetime) -> WorkTip | None:
    """The public tip of this number; None also for one that only staff may read, or nobody yet."""
    found: WorkTip | None = await session.scalar(_public(now).where(tips.numbered_as(year, issue_no)))
    return found


async def of_version(session: AsyncSession, version_id: int, *, now: datetime) -> tuple[int, int] | None:
    """Year and number of the public tip that brought this wording of an entry into force and holds."""
    found: WorkTip | None = await session.scalar(
        _public(now)
        .join(TipEntry, TipEntry.tip_id == WorkTip.id)
        .where(TipEntry.version_id == version_id, WorkTip.state == TipState.RELEASED)
        .order_by(WorkTip.id.desc())
        .limit(1)
    )
    return (found.year, found.issue_no) if found and found.year and found.issue_no else None


async def standing(session: AsyncSession, tip: WorkTip, *, now: datetime) -> Standing:
    """Whether a tip is to be followed now. Until what replaces it may be seen, nobody is told of it."""
    found, seen = tip, {tip.id}
    while found.superseded_by_id is not None and found.superseded_by_id not in seen:
        seen.add(found.superseded_by_id)
        after = await session.get_one(WorkTip, found.superseded_by_id)
        if not tips.shown(after, now):
            break
        found = after
    if found is not tip:
        return Standing("superseded", found)
    if tip.state is TipState.SUPERSEDED:
        return Standing("expired" if tips.expired(tip, now) else "")
    return Standing(tip_words.outdated(tip, now))


def is_public(tip: WorkTip, now: datetime) -> bool:
    """Whether everybody may read it."""
    return tip.secrecy is TipSecrecy.PUBLIC and tips.shown(tip, now)


def _public(now: datetime) -> Select[Any]:
    return select(WorkTip).where(
        WorkTip.state.in_(NUMBERED),
        WorkTip.secrecy == TipSecrecy.PUBLIC,
        or_(WorkTip.send_at.is_(None), WorkTip.send_at <= now),
    )
