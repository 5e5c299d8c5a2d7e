"""Work tips for everybody: the public archive, and what becomes of one that holds no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from knowledge import tip_numbers, tip_words, tips
from knowledge.tips import NUMBERED, TipEntry, TipSecrecy, TipState, WorkTip

PAGE: Final = 30
FALLEN: Final = frozenset({"superseded", "withdrawn"})
"""The standings of a tip that is to be followed no more, whatever its days."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a tip holds: empty, `superseded`, `withdrawn`, `expired` or `later`.

    `successor`: the tip that holds in its place, through however many it was replaced; `since`: from when it
    will, None once it does. `why`: the reason of a withdrawal.
    """

    state: str
    successor: WorkTip | None = None
    why: str = ""
    since: datetime | None = None


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
    rows = await session.scalars(
        _public(now)
        .join(TipEntry, TipEntry.tip_id == WorkTip.id)
        .where(TipEntry.version_id == version_id, WorkTip.state != TipState.WITHDRAWN)
        .order_by(WorkTip.id.desc())
    )
    for tip in rows.all():
        if tip.year and tip.issue_no and (await standing(session, tip, now=now)).state not in FALLEN:
            return tip.year, tip.issue_no
    return None


async def holding(session: AsyncSession, *, limit: int, now: datetime) -> list[WorkTip]:
    """The tips that have gone out and that nothing has replaced, as far as people may know, the newest first.

    Internal ones are among them, and those whose time is over.
    """
    new = aliased(WorkTip)
    rows = await session.scalars(
        select(WorkTip)
        .outerjoin(new, new.id == WorkTip.superseded_by_id)
        .where(WorkTip.laid_out_at.is_not(None))
        .where(
            (WorkTip.state == TipState.RELEASED)
            | ((WorkTip.state == TipState.SUPERSEDED) & new.laid_out_at.is_(None))
        )
        .order_by(WorkTip.year.desc(), WorkTip.issue_no.desc())
        .limit(limit)
    )
    found = [tip for tip in rows.all() if out(tip, now)]
    return [tip for tip in found if (await standing(session, tip, now=now)).state not in FALLEN]


async def standing(session: AsyncSession, tip: WorkTip, *, now: datetime) -> Standing:
    """Whether a tip is to be followed now. Until what replaces it has gone out, nobody is told of it.

    One whose successor was called off before that has nothing in its place: it is withdrawn.
    """
    found, row, seen, held = None, tip, {tip.id}, False
    while row.superseded_by_id is not None and row.superseded_by_id not in seen:
        seen.add(row.superseded_by_id)
        row = await session.get_one(WorkTip, row.superseded_by_id)
        if out(row, now):
            found, held = row, held or row.in_effect_at is not None
    if found is not None:
        return Standing("superseded", found, since=None if held else coming(found, now))
    if row.state is TipState.WITHDRAWN:
        return Standing("withdrawn", why=row.withdrawn_why)
    if tip.state is not TipState.SUPERSEDED:
        return Standing(tip_words.outdated(tip, now))
    if tips.expired(tip, now):
        return Standing("expired")
    return Standing("later" if tip.effective_from is not None and tip.effective_from > now else "")


def coming(new: WorkTip, now: datetime) -> datetime | None:
    """From when a tip takes the place of another one, while that day is ahead; None for one called off."""
    since = tip_words.since(new)
    return since if since is not None and since > now and new.state is not TipState.WITHDRAWN else None


def out(tip: WorkTip, now: datetime) -> bool:
    """Whether it has gone out to people; one that was called off under embargo never has."""
    return tip.laid_out_at is not None and tips.shown(tip, now)


def is_public(tip: WorkTip, now: datetime) -> bool:
    """Whether everybody may read it."""
    return tip.secrecy is TipSecrecy.PUBLIC and out(tip, now)


def _public(now: datetime) -> Select[Any]:
    return select(WorkTip).where(
        WorkTip.state.in_(NUMBERED),
        WorkTip.laid_out_at.is_not(None),
        WorkTip.secrecy == TipSecrecy.PUBLIC,
        or_(WorkTip.send_at.is_(None), WorkTip.send_at <= now),
    )
