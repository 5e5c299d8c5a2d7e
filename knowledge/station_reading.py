"""A file of stations, or one row of it, held against what is in force: what changes, what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import elections, station_files, station_rows
from knowledge.calendar import DateKind
from knowledge.station_files import Table
from knowledge.station_gaps import unserved_units
from knowledge.station_privacy import is_identity, refuse_persons
from knowledge.station_rows import Around, Checked, Fault, Fields, Key, UnitName, key_of
from knowledge.station_table import Standing, standing
from knowledge.stations import StationKind
from office import units
from office.errors import NotFound
from office.hours import beijing_day
from office.units import Unit, contains


class Mode(StrEnum):
    """What becomes of stations that a file does not have: they stay, or they are removed."""

    ADD = auto()
    REPLACE = auto()


@dataclass(frozen=True, slots=True)
class Reading:
    """A file held against what is in force; nothing is stored yet.

    `rows` are what would change, each with `before` and `after` (None: not there); `bad` rows are left out.
    """

    rows: tuple[dict[str, Any], ...]
    faults: tuple[Fault, ...]
    unchanged: int
    bad: int


def table_of(filename: str, content: bytes) -> Table:
    """The table in a file. Raises `Invalid` for one that cannot be read or that holds data about persons."""
    table = station_files.read(filename, content)
    refuse_persons(table)
    return table


async def held_against(
    session: AsyncSession, table: Table, mode: Mode, scope: Unit, now: datetime
) -> Reading:
    """What a table would change within `scope`."""
    around, there = await _around(session, scope, now)
    keys = await asyncio.to_thread(station_rows.keys, table)
    gone = {
        key
        for key, known in there.items()
        if mode is Mode.REPLACE and key not in keys and contains(scope.path, known.path)
    }
    beside = {key: known.fields for key, known in there.items() if key not in keys and key not in gone}
    checked = await asyncio.to_thread(station_rows.check, table, _with(around, there, beside))
    faults = list(checked.faults)
    if gone and checked.unkeyed:
        # One of the unreadable rows may be about a station that seems to be missing.
        faults.insert(0, Fault(0, "", "removal_held", facts={"count": checked.unkeyed}, warning=True))
        gone = set()
    rows = _delta(checked, there, frozenset(gone))
    added = sum(row["before"] is None for row in rows)
    changed = sum(row["before"] is not None and row["after"] is not None for row in rows)
    left = _left_without(await units.all_units(session), there, rows, scope)
    return Reading(
        rows=tuple(rows),
        faults=(*station_rows.whole(table, left), *faults),
        unchanged=len(checked.good) - added - changed,
        bad=checked.bad,
    )


async def one(
    session: AsyncSession,
    values: Mapping[str, str],
    instead_of: tuple[StationKind, str] | None,
    scope: Unit,
    now: datetime,
) -> Reading:
    """What a form about one station would change; see `station_imports.check_one`."""
    if long := [field for field, value in values.items() if len(value) > station_files.LONGEST_CELL]:
        return _refused(long, "too_long", limit=station_files.LONGEST_CELL)
    cells = {field: station_files.clean(value) for field, value in values.items()}
    # A form has no rows: what is said of it names the field alone.
    table = Table({field: station_files.heading(field) for field in cells}, ((0, cells),), {})
    if persons := [field for field, cell in cells.items() if is_identity(cell)]:
        return _refused(persons, "identity")
    around, there = await _around(session, scope, now)
    own = key_of({"kind": instead_of[0].value, "code": instead_of[1]}) if instead_of else None
    if own is not None and not (own in there and contains(scope.path, there[own].path)):
        raise NotFound("station_unknown")
    others = {key: known.fields for key, known in there.items() if key != own}
    found = station_rows.check(table, _with(around, there, others))
    faults = found.faults
    if taken := [others[key]["code"] for key in station_rows.keys(table) if key in others]:
        fault = Fault(0, taken[0], "code_known", station_files.heading("code"))
        return Reading((), (*faults, fault), 0, 1)
    # Under another code it is another station: the old one goes, the new one comes.
    rows = _delta(found, there, frozenset({own} if own and found.good else ()))
    return Reading(tuple(rows), faults, int(bool(found.good) and not rows), found.bad)


def _refused(names: Sequence[str], reason: str, **facts: Any) -> Reading:
    found = (Fault(0, "", reason, station_files.heading(name), facts) for name in names)
    return Reading((), tuple(found), 0, 1)


async def _around(session: AsyncSession, scope: Unit, now: datetime) -> tuple[Around, dict[Key, Standing]]:
    dates = await elections.spans(session, now)
    voting = dates.get(DateKind.VOTING)
    tree = await units.all_units(session)
    around = Around(
        units=[UnitName(unit.code, unit.name, unit.path) for unit in tree],
        within=scope.path,
        today=beijing_day(now),
        windows=[(span.first, span.last) for span in dates.get(DateKind.REGISTRATION, ())],
        voting=(voting[0].first, voting[-1].last) if voting else None,
    )
    return around, await standing(session)


def _with(around: Around, there: Mapping[Key, Standing], beside: Mapping[Key, Fields]) -> Around:
    known = {key: found.fields for key, found in there.items()}
    return Around(around.units, around.within, around.today, known, beside, around.windows, around.voting)


def _delta(checked: Checked, there: Mapping[Key, Standing], gone: frozenset[Key]) -> list[dict[str, Any]]:
    rows = []
    for fields in checked.good:
        known = there.get(key_of(fields))
        if known is None:
            rows.append(_row(None, fields))
        elif known.fields != fields:
            rows.append(_row(known.fields, fields))
    new = {key_of(fields) for fields in checked.good}
    return [*rows, *(_row(there[key].kept(), None) for key in sorted(gone - new))]


def _row(before: Fields | None, after: Fields | None) -> dict[str, Any]:
    one = after or before or {}
    return {"kind": one["kind"], "code": one["code"], "before": before, "after": after}


def _left_without(
    tree: Sequence[Unit], there: Mapping[Key, Standing], rows: Sequence[Mapping[str, Any]], scope: Unit
) -> list[str]:
    """Subdistricts, towns and neighbourhoods of the scope that would have no station at all."""
    after = {key: known.fields for key, known in there.items()}
    for row in rows:
        key = key_of(row)
        if row["after"] is None:
            after.pop(key, None)
        else:
            after[key] = row["after"]
    paths = {unit.code: unit.path for unit in tree}
    served = ((paths[fields["unit"]], str(fields["neighbourhood"])) for fields in after.values())
    return [unit.name for unit in unserved_units(tree, served) if contains(scope.path, unit.path)]
