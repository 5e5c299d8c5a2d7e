"""The sample roster of a fresh installation: two weeks around today for invented staff, marked as such."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import worktime
from office.hours import OfficeHours, beijing_day
from office.rosters import Roster, RosterState
from office.shifts import DutyShift
from office.staff import Staff
from office.timetable import Span
from office.units import Unit
from ticketing import roster_cells
from ticketing.roster_checks import Stint

MARK: Final = "示例数据"
AROUND: Final = timedelta(days=7)
SATURDAY: Final = 5


async def install(session: AsyncSession, facts: Mapping[str, Any], unit: Unit, *, now: datetime) -> int:
    """Put shifts of the unit in force; returns how many, none if somebody who is named is not there.

    `facts` are `officers` and `leader`, names, and `saturday`, the hours of 双休日值班. On workdays the
    ordinary hours are shared out, so that the sample changes no hour but those of Saturday.
    """
    names = [*facts["officers"], facts["leader"]]
    rows = await session.scalars(select(Staff).where(Staff.name.in_(names)).order_by(Staff.id.desc()))
    people = {person.name: person for person in rows.all()}
    if not set(names) <= people.keys():
        return 0
    officers, leader = [people[name] for name in facts["officers"]], people[facts["leader"]]
    plain = OfficeHours.of(await worktime.in_force(session, now=now))
    today, stints = beijing_day(now), list[Stint]()
    for ahead in range(-AROUND.days, AROUND.days + 1):
        day = today + timedelta(days=ahead)
        spans = plain.spans_on(day)
        if not spans and day.weekday() == SATURDAY and day not in plain.special:
            spans = (Span.parse(facts["saturday"]),)
        for span in spans:
            # One after the other, so that everybody has mornings, afternoons and Saturdays.
            main = officers[len(stints) % len(officers)]
            other = officers[(len(stints) + 1) % len(officers)]
            opens, closes = roster_cells.spans(span.plain)[0]
            stints.append(
                Stint(
                    day, opens, closes, main.id, roster_cells.shift_name("", opens, closes), leader.id,
                    other.id if other.id != main.id else 0, unit.phone, unit.office_name[:80], MARK, "", "",
                )
            )  # fmt: skip
    roster = Roster(
        unit_id=unit.id, file_name=MARK, rows=[stint.row for stint in stints], findings=[],
        state=RosterState.PUBLISHED, prepared_by_id=officers[0].id, prepared_at=now,
        published_by_id=leader.id, published_at=now,
    )  # fmt: skip
    session.add(roster)
    await session.flush()
    for stint in stints:
        values = {name: getattr(stint, name) for name in stint.__slots__}
        values |= {"standby_id": stint.standby_id or None}
        session.add(DutyShift(roster_id=roster.id, unit_id=unit.id, **values))
    await session.flush()
    return len(stints)
