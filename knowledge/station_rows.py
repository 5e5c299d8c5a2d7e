"""Checking rows of stations: what each says as fields, and everything that is wrong with it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from knowledge import station_cells
from knowledge.opening import days_of
from knowledge.station_cells import BadCell
from knowledge.station_files import FIELDS, Cell, Table, heading
from knowledge.station_nearest import metres
from knowledge.stations import StationKind
from knowledge.text import plain
from office.units import contains, group_key
from office.words import CHINESE, say

FARTHEST: Final = 30_000
"""Metres from the middle of all stations beyond which a position is a typing error."""

_ENOUGH: Final = 3
"""So many positions have a middle."""

Key = tuple[str, tuple[int, int]]
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row, or, with `row` 0, with the whole file.

    `row` counts as spreadsheets do, the heading being row 1; it is 0, with a `column`, also in a form about
    one station. `code` is the station's as far as it is known,
    `column` the heading as the file has it. `reason` is a wording key behind `station_fault.`, filled with
    `facts`. A warning keeps no row out.
    """

    row: int
    code: str
    reason: str
    column: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    warning: bool = False


def in_words(fault: Fault, lang: str = CHINESE) -> str:
    """The reason in words, without row and column."""
    return say(f"station_fault.{fault.reason}", lang, **fault.facts)


@dataclass(frozen=True, slots=True)
class UnitName:
    """A unit that rows may name, by its code or name; `path` as in `office.units`."""

    code: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Around:
    """What rows are checked against.

    `stations` are the fields of those that stay in force beside the file's, `known` of all that are in force,
    by key. `within` is the path of the unit for which the author may speak. `windows` are the
    registration windows and `voting` the days of voting, where they have been entered.
    """

    units: Sequence[UnitName]
    within: str
    today: date
    known: Mapping[Key, Fields] = field(default_factory=dict)
    stations: Mapping[Key, Fields] = field(default_factory=dict)
    windows: Sequence[tuple[date, date]] = ()
    voting: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The rows without fault as fields, and all faults and warnings.

    `unkeyed` counts rows of which not even the code could be read.
    """

    good: tuple[Fields, ...]
    faults: tuple[Fault, ...]
    bad: int
    unkeyed: int


def key_of(fields: Mapping[str, Any]) -> Key:
    """What makes two rows the same station: kind and code, however the code is spelled."""
    return str(fields["kind"]), group_key(fields["code"])


def check(table: Table, around: Around) -> Checked:
    """Check every row by itself, then all together with what stays in force."""
    return _Check(table, around).run()


@dataclass(slots=True)
class _Row:
    number: int
    fields: Fields
    faults: list[Fault]

    @property
    def code(self) -> str:
        return str(self.fields.get("code", ""))

    @property
    def bad(self) -> bool:
        return any(not fault.warning for fault in self.faults)


class _Check:
    def __init__(self, table: Table, around: Around) -> None:
        self._table, self._around = table, around
        self._units = _by_name(around.units)

    def run(self) -> Checked:
        rows = [self._read(number, cells) for number, cells in self._table.rows]
        self._twice(rows)
        self._places_twice(rows)
        self._overlapping(rows)
        self._positions(rows)
        self._hours_outside(rows)
        return Checked(
            good=tuple(row.fields for row in rows if not row.bad),
            faults=tuple(fault for row in rows for fault in sorted(row.faults, key=lambda f: f.warning)),
            bad=sum(row.bad for row in rows),
            unkeyed=sum(not row.fields.keys() >= {"kind", "code"} for row in rows),
        )

    # --- each row by itself ---

    def _read(self, number: int, cells: Mapping[str, Cell]) -> _Row:
        row = _Row(number, {}, [])
        readers: Mapping[str, Callable[[], Any]] = {
            "kind": lambda: station_cells.kind(cells),
            "code": lambda: station_cells.code(cells.get("code", "")),
            "unit": lambda: self._unit(cells.get("unit", "")),
            "groups": lambda: station_cells.groups(cells.get("groups", "")),
            "hours": lambda: station_cells.hours(cells, self._around.today),
            "phone": lambda: station_cells.phone(cells.get("phone", "")),
            "access": lambda: station_cells.access(cells.get("access", "")),
        }
        bad: list[tuple[str, BadCell]] = []
        for name in FIELDS[:-2]:
            try:
                reader = readers.get(name)
                row.fields[name] = reader() if reader else station_cells.text(name, cells.get(name, ""))
            except BadCell as error:
                bad.append((name, error))
        try:
            row.fields["latitude"], row.fields["longitude"] = station_cells.position(cells)
        except BadCell as error:
            bad.append(("latitude", error))
        for name, cell in bad:
            self._fault(row, name, cell.reason, **cell.facts)
        if self._mobile(row):
            self._fault(row, "phone", "phone_mobile", warning=True)
        return row

    def _mobile(self, row: _Row) -> bool:
        return station_cells.is_mobile(row.fields.get("phone", ""))

    def _unit(self, cell: Cell) -> str:
        words = station_cells.text("unit", cell)
        found = self._units.get(plain(words), [])
        if not found:
            raise BadCell("unit_unknown", value=words)
        if len(found) > 1:
            raise BadCell("unit_ambiguous", value=words)
        if not contains(self._around.within, found[0].path):
            raise BadCell("unit_outside", value=words)
        return found[0].code

    def _fault(self, row: _Row, name: str, reason: str, *, warning: bool = False, **facts: Any) -> None:
        column = self._table.headings.get(name) or heading(name)
        row.faults.append(Fault(row.number, row.code, reason, column, facts, warning))

    # --- all rows together, and with what stays in force ---

    def _twice(self, rows: Sequence[_Row]) -> None:
        """Nobody but the office knows which of two rows with one code is meant, so neither is taken."""
        found: dict[Key, list[_Row]] = {}
        for row in rows:
            if row.fields.keys() >= {"kind", "code"}:
                found.setdefault(key_of(row.fields), []).append(row)
        for alike in found.values():
            for row in alike if len(alike) > 1 else ():
                other = next(each.number for each in alike if each is not row)
                self._fault(row, "code", "code_twice", other=other)

    def _places_twice(self, rows: Sequence[_Row]) -> None:
        """One place under two codes: the same name at the same address."""
        known = {_place(fields): fields["code"] for fields in self._around.stations.values()}
        first: dict[tuple[str, str, str], _Row] = {}
        for row in rows:
            if not row.fields.keys() >= {"kind", "code", "name", "address"}:
                continue
            place = _place(row.fields)
            if place in known:
                self._fault(row, "name", "place_known", code=known[place])
            earlier = first.setdefault(place, row)
            # Under the same code it has been named already.
            if earlier is not row and earlier.fields["code"] != row.fields["code"]:
                self._fault(row, "name", "place_twice", other=earlier.number)

    def _overlapping(self, rows: Sequence[_Row]) -> None:
        serving = {
            (fields["kind"], group_key(group)): fields["code"]
            for fields in self._around.stations.values()
            for group in fields["groups"]
        }
        first: dict[Key, _Row] = {}
        for row in rows:
            kind = row.fields.get("kind", "")
            for group in row.fields.get("groups", ()):
                key = (kind, group_key(group))
                if key in serving:
                    self._fault(row, "groups", "group_known", group=group, code=serving[key])
                earlier = first.setdefault(key, row)
                if earlier is not row:
                    self._fault(row, "groups", "group_twice", group=group, other=earlier.number)

    def _positions(self, rows: Sequence[_Row]) -> None:
        located = [row for row in rows if row.fields.get("latitude") is not None]
        middle = _middle([*(row.fields for row in located), *self._around.stations.values()])
        for row in rows:
            if row.fields.get("latitude", 0) is None and not row.bad:
                self._fault(row, "latitude", "position_missing", warning=True)
        for row in located if middle else ():
            assert middle is not None
            at = row.fields["latitude"], row.fields["longitude"]
            away = metres(*middle, *at)
            if away <= FARTHEST:
                continue
            # What is in force already has been looked at when it was published.
            accepted = "code" in row.fields and row.fields == self._around.known.get(key_of(row.fields))
            turned = abs(at[1]) <= 90 and metres(*middle, at[1], at[0]) <= FARTHEST
            reason = "position_turned" if turned else "position_far"
            self._fault(row, "latitude", reason, warning=accepted, km=round(away / 1000))

    def _hours_outside(self, rows: Sequence[_Row]) -> None:
        spans = {
            StationKind.REGISTRATION.value: list(self._around.windows),
            StationKind.POLLING.value: [self._around.voting] if self._around.voting else [],
        }
        for row in rows:
            window = spans.get(row.fields.get("kind", ""))
            if not window or not row.fields.get("hours"):
                continue
            first, last = min(start for start, _ in window), max(end for _, end in window)
            days = [days_of(each) for each in row.fields["hours"]]
            if min(start for start, _ in days) < first or max(end for _, end in days) > last:
                self._fault(
                    row,
                    "hours",
                    "hours_outside",
                    warning=True,
                    first=first.isoformat(),
                    last=last.isoformat(),
                )


def keys(table: Table) -> frozenset[Key]:
    """The keys of all rows whose kind and code can be read."""
    found = set()
    for _, cells in table.rows:
        try:
            found.add(
                key_of({"kind": station_cells.kind(cells), "code": station_cells.code(cells.get("code", ""))})
            )
        except BadCell:
            continue
    return frozenset(found)


def whole(table: Table, left: Sequence[str]) -> tuple[Fault, ...]:
    """What is to be said of the file as a whole; `left` are the names of units that would have no station."""
    found = []
    if "kind" not in table.headings:
        found.append(Fault(0, "", "kind_assumed", warning=True))
    if table.others:
        found.append(
            Fault(0, "", "columns_unknown", facts={"names": _listed(list(table.others))}, warning=True)
        )
    if left:
        found.append(
            Fault(0, "", "units_without", facts={"names": _listed(left), "count": len(left)}, warning=True)
        )
    return tuple(found)


def _listed(names: Sequence[str], most: int = 12) -> str:
    more = "…" if len(names) > most else ""
    return "、".join(name[:40] for name in names[:most]) + more


def _by_name(units: Sequence[UnitName]) -> dict[str, list[UnitName]]:
    """Units by code, by name, and by name with those of the units above it."""
    by_id = {unit.path.strip(".").rpartition(".")[2]: unit for unit in units}
    found: dict[str, list[UnitName]] = {}
    for unit in units:
        line = [by_id[part] for part in unit.path.strip(".").split(".") if part in by_id]
        names = {
            plain(unit.code),
            *(plain("".join(u.name for u in line[start:])) for start in range(len(line))),
        }
        for name in names:
            found.setdefault(name, []).append(unit)
    return found


def _place(fields: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(fields["kind"]), plain(fields["name"]), plain(fields["address"])


def _middle(all_fields: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    at = [(f["latitude"], f["longitude"]) for f in all_fields if f.get("latitude") is not None]
    if len(at) < _ENOUGH:
        return None
    return statistics.median(lat for lat, _ in at), statistics.median(lon for _, lon in at)
