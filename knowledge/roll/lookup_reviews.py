"""Weeks of lookups by staff that a reviewer looks through, and what calls the reviewer at once.

What was looked up is counted in `knowledge.roll.acts`; of whom stands nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum, auto

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll import circuit
from knowledge.roll.imports import NO_ROLL
from knowledge.roll.records import LookupAct, LookupReview, RollState
from office import audit, redact
from office.audit import AuditEntry
from office.errors import Conflict, Invalid, NotPermitted
from office.hours import BEIJING, beijing_day
from office.staff import Permission, Staff, may, must

WEEK = timedelta(days=7)
LONGEST_REMARK = 300
ALARMS = (circuit.ALARM, circuit.TRIP)
"""Lines of the audit that call a reviewer until one says to have seen them."""
SEEN = "lookup.alarms_seen"


class Call(StrEnum):
    """Why a reviewer is called, the graver first."""

    STOPPED = auto()
    ALARM = auto()


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


async def open_weeks(session: AsyncSession, *, now: datetime) -> list[date]:
    """The Mondays of the weeks that are over, hold lookups by staff, and were looked through by nobody."""
    done = set(await session.scalars(select(LookupReview.week)))
    this, after = monday(beijing_day(now)), date.min
    found: list[date] = []
    # From one week with lookups to the next: as many questions as there are such weeks, each from an index.
    while (at := await session.scalar(_first_since(after))) is not None:
        week = monday(beijing_day(at))
        if week >= this:
            break
        found += [week] if week not in done else []
        after = week + WEEK
    return found


async def reviewed(session: AsyncSession, week: date) -> LookupReview | None:
    """Who looked through this week, and what they remarked."""
    return await session.get(LookupReview, week)


async def mark(session: AsyncSession, week: date, *, remark: str, actor: Staff, now: datetime) -> None:
    """Say that this week's lookups were looked through; who made some of them cannot say it.

    Raises `NotPermitted`, also "lookups.own_week"; `Invalid`: "lookups.no_week" (no Monday),
    "lookups.week_open", "lookups.remark" (too long); `Conflict("lookups.reviewed")`.
    """
    await must(session, actor, Permission.REVIEW_LOOKUPS)
    if week != monday(week):
        raise Invalid("lookups.no_week")
    if week + WEEK > beijing_day(now):
        raise Invalid("lookups.week_open")
    own = select(LookupAct.id).where(LookupAct.staff_id == actor.id, *_within(week, WEEK)).limit(1)
    if await session.scalar(own) is not None:
        raise NotPermitted("lookups.own_week")
    words = redact.text(remark).text.strip()
    if len(words) > LONGEST_REMARK:
        raise Invalid("lookups.remark", most=LONGEST_REMARK)
    if await reviewed(session, week) is not None:
        raise Conflict("lookups.reviewed")
    session.add(LookupReview(week=week, staff_id=actor.id, at=now, remark=words))
    await session.flush()
    await audit.record(session, "lookup.review", circuit.SUBJECT, actor=actor.as_actor(), now=now,
                       week=week.isoformat())  # fmt: skip


async def alarms(session: AsyncSession) -> Sequence[AuditEntry]:
    """The alarms that no reviewer has said to have seen, the latest first."""
    seen = select(func.coalesce(func.max(AuditEntry.id), 0)).where(AuditEntry.action == SEEN)
    rows = select(AuditEntry).where(AuditEntry.action.in_(ALARMS), AuditEntry.id > seen.scalar_subquery())
    return (await session.scalars(rows.order_by(AuditEntry.id.desc()).limit(50))).all()


async def mark_seen(session: AsyncSession, *, remark: str, actor: Staff, now: datetime) -> None:
    """Say that the alarms were seen; the remark says what was done about them.

    Raises `NotPermitted`, `Invalid("lookups.reason_long")`.
    """
    await must(session, actor, Permission.REVIEW_LOOKUPS)
    words = redact.text(remark).text.strip()
    if not words or len(words) > LONGEST_REMARK:
        raise Invalid("lookups.reason_long", most=LONGEST_REMARK)
    await audit.record(session, SEEN, circuit.SUBJECT, actor=actor.as_actor(), now=now, remark=words)


async def called(session: AsyncSession, person: Staff, *, now: datetime) -> tuple[int, str]:
    """For every page of a reviewer: how many weeks wait, and the wording key of what calls them, or ""."""
    if not may(person, Permission.REVIEW_LOOKUPS):
        return 0, ""
    state = await session.get(RollState, 1)
    weeks = len(await open_weeks(session, now=now))
    if state is not None and state.stopped_at is not None and state.stopped_why != NO_ROLL:
        return weeks, f"roll_alarm.{Call.STOPPED.value}"
    return weeks, f"roll_alarm.{Call.ALARM.value}" if await alarms(session) else ""


def _within(first: date, span: timedelta) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    begin = datetime.combine(first, time(), BEIJING)
    return LookupAct.at >= begin, LookupAct.at < begin + span


def _first_since(day: date) -> Select[datetime]:
    statement = select(func.min(LookupAct.at)).where(LookupAct.staff_id.is_not(None))
    return statement if day == date.min else statement.where(_within(day, WEEK)[0])
