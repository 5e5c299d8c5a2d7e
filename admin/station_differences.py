"""What a file or a change does to the stations, in words: added, changed field by field, removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from admin.pages import Desk
from knowledge import station_rows
from knowledge.opening import hours_lines
from knowledge.station_files import FIELDS
from knowledge.station_rows import Fault
from office import changes, units
from office.changes import ChangeKind

MOST_CHANGED = 100
MOST_NAMED = 200
MOST_FAULTS = 200


async def waiting(desk: Desk) -> int:
    """The number of the proposal about stations that nobody has signed or dropped yet; 0 without one."""
    found = await changes.waiting(desk.session)
    return next((change.id for change in found if change.kind is ChangeKind.STATIONS), 0)


async def differences(
    desk: Desk, rows: Sequence[Mapping[str, Any]], *, unchanged: int, moved: Iterable[str] = ()
) -> dict[str, Any]:
    """Rows of a change, each with `before` and `after`, for the page: counts of all, the first in full.

    What is removed is named to the last: nobody can agree to what is not shown.
    """
    names = {unit.code: unit.name for unit in await units.all_units(desk.session)}
    added = [row for row in rows if row["before"] is None]
    removed = [row for row in rows if row["after"] is None]
    changed = [row for row in rows if row["before"] is not None and row["after"] is not None]
    return {
        "counts": {
            "added": len(added),
            "changed": len(changed),
            "removed": len(removed),
            "unchanged": unchanged,
        },
        "added": [_named(desk, row) for row in added[:MOST_NAMED]],
        "removed": [_named(desk, row) for row in removed],
        "changed": [
            _named(desk, row) | {"fields": _fields(desk, row, names)} for row in changed[:MOST_CHANGED]
        ],
        "moved": list(moved),
    }


def faults(desk: Desk, found: Sequence[Fault]) -> list[dict[str, Any]]:
    """The first faults in words, what keeps rows out before what does not."""
    worst = sorted(found, key=lambda fault: (fault.row > 0, fault.warning, fault.row))
    return [
        {
            "row": fault.row,
            "code": fault.code,
            "column": fault.column,
            "warning": fault.warning,
            "words": station_rows.in_words(fault, desk.frame.language),
        }
        for fault in worst[:MOST_FAULTS]
    ]


def at_fault(desk: Desk, fault: Fault) -> str:
    """A fault with where it stands: row, code and column in a file, the field alone in a form."""
    words = station_rows.in_words(fault, desk.frame.language)
    if not fault.row:
        return desk.t("stationdesk.in_field", column=fault.column, words=words) if fault.column else words
    where = fault.code or "—"
    if fault.column:
        where = desk.t("stationdesk.in_column", code=where, column=fault.column)
    return desk.t("changes.stations_row", row=fault.row, code=where, words=words)


def field_words(desk: Desk, name: str, value: Any, names: Mapping[str, str]) -> str:
    """The value of a field as a person reads it; `names` are units by their codes."""
    language = desk.frame.language
    if name == "hours":
        return "\n".join(hours_lines(value, language))
    if name == "access":
        return desk.t("list.comma").join(desk.t_or(f"sta.access.{code}", code) for code in value)
    if isinstance(value, list):
        return desk.t("list.comma").join(value)
    if name == "unit":
        return names.get(value, value)
    if name == "kind":
        return desk.t(f"sta.kind.{value}")
    return "" if value is None else str(value)


def _named(desk: Desk, row: Mapping[str, Any]) -> dict[str, Any]:
    one = row["after"] or row["before"]
    return {"key": f"{one['code']} {desk.t('sta.kind.' + one['kind'])}", "name": one["name"]}


def _fields(desk: Desk, row: Mapping[str, Any], names: Mapping[str, str]) -> list[dict[str, str]]:
    before, after = row["before"], row["after"]
    return [
        {
            "name": desk.t(f"stationdesk.field.{name}"),
            "before": field_words(desk, name, before[name], names),
            "after": field_words(desk, name, after[name], names),
        }
        for name in FIELDS
        if before[name] != after[name]
    ]
