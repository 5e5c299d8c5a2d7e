"""A roster's file held against the office: names become people, every bad row is named with its reason."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office.hours import beijing_day
from office.shifts import SEEN_AHEAD, DutyShift
from office.staff import Staff
from office.units import Unit
from ticketing import roster_checks, roster_files
from ticketing.roster_checks import Stint
from ticketing.roster_files import Fault, Line

Wrong = tuple[str, str, dict[str, str]]
"""A field, what is wrong with it, and the facts of the wording."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a file holds for a unit: sound shifts, days without any, every fault, how many rows are past."""

    stints: tuple[Stint, ...]
    off: tuple[date, ...]
    faults: tuple[Fault, ...]
    past: int

    @property
    def days(self) -> set[date]:
        return {stint.day for stint in self.stints} | set(self.off)


async def look(session: AsyncSession, filename: str, content: bytes, *, unit: Unit, now: datetime) -> Look:
    """What a file would put in force for a unit, and what is wrong with it, row by row.

    Raises `Invalid` for a file that cannot be read. Rows of days gone by are passed over: what was, stays.
    """
    today = beijing_day(now)
    found = await asyncio.to_thread(roster_files.read, filename, content, today=today)
    known = await _known(session, unit)
    faults, rows, off = list(found.faults), dict[Stint, int](), list[date]()
    past = 0
    for line in found.lines:
        if line.day < today:
            past += 1
        elif line.day > today + SEEN_AHEAD:
            faults.append(Fault(line.row, found.headings["day"], "far", {"day": line.day.isoformat()}))
        elif line.off:
            off.append(line.day)
        else:
            stint, wrong = _resolved(line, known)
            faults += [
                Fault(line.row, found.headings.get(field) or found.headings["officer"], key, facts)
                for field, key, facts in wrong
            ]
            if not wrong and stint in rows:
                faults.append(Fault(line.row, found.headings["day"], "repeated", {"other": rows[stint]}))
            elif not wrong:
                rows[stint] = line.row
    stints = tuple(sorted(rows))
    names = {person.id: person.name for people in known.values() for person in people}
    for person, one, other in roster_checks.twice(stints, await beside(session, unit, stints)):
        late = max((one, other), key=lambda stint: rows.get(stint, 0))
        facts = {"name": names.get(person, ""), "hours": f"{one.opens}–{one.closes}"}
        faults.append(Fault(rows[late], found.headings["officer"], "booked", facts))
    days = {stint.day for stint in stints}
    faults.sort(key=lambda fault: fault.row)
    return Look(stints, tuple(sorted(set(off) - days)), tuple(faults), past)


async def _known(session: AsyncSession, unit: Unit) -> dict[str, list[Staff]]:
    """Who may stand in a unit's roster, by name and by user name: people of it, below it and above it."""
    above = [int(part) for part in unit.path.strip(".").split(".")]
    rows = await session.scalars(
        select(Staff)
        .join(Unit, Unit.id == Staff.unit_id)
        .where(Unit.path.startswith(unit.path) | Unit.id.in_(above))
        .order_by(Staff.id)
    )
    found: dict[str, list[Staff]] = defaultdict(list)
    for person in rows.all():
        found[person.name].append(person)
        if person.username and person.username != person.name:
            found[person.username].append(person)
    return found


def _resolved(line: Line, known: dict[str, list[Staff]]) -> tuple[Stint, list[Wrong]]:
    wrong: list[Wrong] = []
    ids: dict[str, int] = {}
    for field in ("leader", "officer", "standby"):
        name = getattr(line, field)
        people = known.get(name, []) if name else []
        # Somebody who left and one of the same name who is there: the one who is there is meant.
        active = [person for person in people if person.active]
        if name and not people:
            wrong.append((field, "unknown", {"name": name}))
        elif name and not active:
            wrong.append((field, "stopped", {"name": name}))
        elif len(active) > 1:
            wrong.append((field, "namesakes", {"name": name}))
        ids[field] = active[0].id if len(active) == 1 else 0
    if ids["officer"] and ids["officer"] == ids["standby"]:
        wrong.append(("officer", "same_person", {"name": line.officer}))
    texts = {name: getattr(line, name) for name in roster_files.TEXTS}
    return Stint(
        line.day, line.opens, line.closes, ids["officer"], line.name, ids["leader"], ids["standby"], **texts
    ), wrong


async def beside(session: AsyncSession, unit: Unit, stints: Iterable[Stint]) -> list[Stint]:
    """Shifts in force of other units on the same days: nobody can be in two places."""
    days = {stint.day for stint in stints}
    rows = await session.scalars(
        select(DutyShift)
        .where(DutyShift.unit_id != unit.id, DutyShift.withdrawn_at.is_(None), DutyShift.day.in_(days))
        .order_by(DutyShift.id)
    )
    return [Stint.of_shift(shift) for shift in rows.all()]
