"""Shifts and files of rosters made the short way, for the tests of duty."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from office.hours import BEIJING
from office.rosters import Roster
from office.shifts import DutyShift, ShiftName
from office.staff import Role, Staff
from office.store import Store
from office.units import Unit
from tests.make import Cast
from ticketing import roster_reading, rostering
from ticketing.roster_reading import Look
from ticketing.rostering import Plan

FRIDAY, SATURDAY, SUNDAY = (date(2026, 11, day) for day in (20, 21, 22))
NEXT_SATURDAY = date(2026, 11, 28)
HEADING = (
    "日期",
    "星期",
    "班次",
    "起止",
    "带班领导",
    "值班员(主/备)",
    "电话",
    "地点",
    "职责",
    "应急联系人",
    "交接事项",
)
SOUND = (
    "2026-11-28", "周六", "上午", "9:00-11:30", "王芳", "李强/王芳", "0000-12345678", "二楼", "接听", "", "",
)  # fmt: skip
"""A row as it is wanted, of a day that is a week ahead."""


def at(day: date, clock: str) -> datetime:
    """A moment of a Beijing day; 24:00 is the end of it."""
    hour, minute = map(int, clock.split(":"))
    return datetime.combine(day, datetime.min.time(), BEIJING) + timedelta(hours=hour, minutes=minute)


async def person(store: Store, name: str, unit: Unit, now: datetime, *roles: Role, **more: Any) -> Staff:
    """One more member of staff, a duty officer unless roles are named."""
    names = [role.value for role in roles or (Role.DUTY_OFFICER,)]
    async with store.transaction() as session:
        found = Staff(name=name, unit_id=unit.id, roles=names, created_at=now - timedelta(days=9), **more)
        session.add(found)
    return found


async def shift(
    store: Store,
    cast: Cast,
    day: date = FRIDAY,
    hours: str = "08:30-17:30",
    officer: Staff | None = None,
    **more: Any,
) -> DutyShift:
    """A shift in force of the district's roster, 李强's unless said otherwise; people by their rows."""
    opens, closes = hours.split("-")
    ids = {f"{key}_id": more.pop(key).id for key in ("leader", "standby") if key in more}
    unit = more.pop("unit", cast.district)
    async with store.transaction() as session:
        made = DutyShift(
            unit_id=unit.id, day=day, name=ShiftName.WHOLE_DAY, opens=opens, closes=closes,
            officer_id=(officer or cast.li_qiang).id, **ids, **more,
        )  # fmt: skip
        session.add(made)
    return made


def file(*rows: tuple[str, ...] | list[str], heading: tuple[str, ...] = HEADING) -> bytes:
    """A roster as a csv file; rows may be shorter than the heading."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(heading)
    writer.writerows([[*row, *[""] * (len(heading) - len(row))] for row in rows])
    return text.getvalue().encode("utf-8")


async def looked(store: Store, cast: Cast, now: datetime, *rows: Any, unit: Unit | None = None) -> Look:
    async with store.reading() as session:
        return await roster_reading.look(
            session, "值班表.csv", file(*rows), unit=unit or cast.district, now=now
        )


async def prepared(
    store: Store, cast: Cast, now: datetime, *rows: Any, by: Staff | None = None
) -> tuple[Roster, Plan]:
    """A roster of the district and what it would change; prepared by 周宁 unless said otherwise."""
    found = await looked(store, cast, now, *rows)
    async with store.transaction() as session:
        made = await rostering.prepare(
            session, "值班表.csv", found, unit=cast.district, actor=by or cast.zhou_ning, now=now
        )
        return made, await rostering.preview(session, made, cast.district, now=now)


async def put_in_force(store: Store, roster: Roster, standing: str, who: Staff, now: datetime) -> Roster:
    async with store.transaction() as session:
        row, _ = await rostering.get(session, who, roster.id)
        await rostering.publish(session, row, seen=1, standing=standing, actor=who, now=now)
    return row


async def published(store: Store, cast: Cast, now: datetime, *rows: Any) -> None:
    """A roster of the district, prepared by 周宁, published by 王芳."""
    made, plan = await prepared(store, cast, now, *rows)
    await put_in_force(store, made, plan.standing, cast.wang_fang, now)


async def in_force(store: Store) -> list[DutyShift]:
    async with store.reading() as session:
        rows = await session.scalars(
            select(DutyShift)
            .where(DutyShift.withdrawn_at.is_(None))
            .order_by(DutyShift.day, DutyShift.opens, DutyShift.id)
        )
        return list(rows.all())
