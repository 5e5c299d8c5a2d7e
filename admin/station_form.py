"""A station as a form: the fields of a file's row, the hours as rows of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from admin.forms import Form
from knowledge import station_files, station_hours
from knowledge.station_files import FIELDS

SPARE_ROWS = 2
MOST_ROWS = 40
PARTS = ("from", "to", "weekdays", "times")
# What stands in the form under another shape than in a row.
PLAIN = tuple(name for name in FIELDS if name != "hours")

HoursRow = dict[str, str]


def values(cells: Sequence[str | float]) -> dict[str, str]:
    """A station's cells as texts of the form's fields, without its hours."""
    texts = dict(zip(FIELDS, map(str, cells), strict=True))
    return {name: texts[name] for name in PLAIN}


def empty() -> dict[str, str]:
    """The fields of a station that is not there yet."""
    return dict.fromkeys(PLAIN, "")


def hours_rows(hours: Sequence[Mapping[str, Any]]) -> list[HoursRow]:
    """The rows of hours as texts, with a few blank ones to be filled in."""
    return [_texts(row) for row in hours] + spare()


def spare() -> list[HoursRow]:
    """Blank rows."""
    return [dict.fromkeys(PARTS, "") for _ in range(SPARE_ROWS)]


def typed(form: Form) -> tuple[dict[str, str], list[HoursRow]]:
    """What stands in the posted form: the fields, and the rows of hours with the blank ones."""
    rows: list[HoursRow] = []
    while len(rows) < MOST_ROWS and f"hours_{len(rows)}_from" in form.fields:
        rows.append({part: form.text(f"hours_{len(rows)}_{part}").strip() for part in PARTS})
    return {name: form.text(name).strip() for name in PLAIN}, rows


def row_of_file(fields: Mapping[str, str], hours: Sequence[HoursRow]) -> dict[str, str]:
    """The same as one row of a file would hold it, to be read and checked as such a row is."""
    return {**fields, "hours": "；".join(_cell(row) for row in hours if any(row.values()))}


def hours_row_at_fault(hours: Sequence[HoursRow], value: str) -> int | None:
    """Which row of the form a fault speaks of, told by the text it quotes; None if it cannot be told."""
    for number, row in enumerate(hours):
        if any(row.values()) and _same(_cell(row), value):
            return number
    return None


def _texts(row: Mapping[str, Any]) -> HoursRow:
    single = row["from"] == row["to"]
    # 周一至周五, as it stands between the days and the times of a cell.
    weekdays = "" if single else station_hours.written([{**row, "spans": []}]).split(" ")[1]
    return {
        "from": row["from"],
        "to": "" if single else row["to"],
        "weekdays": weekdays,
        "times": "、".join(row["spans"]),
    }


def _cell(row: HoursRow) -> str:
    days = f"{row['from']}至{row['to']}" if row["from"] and row["to"] else row["from"] or row["to"]
    return " ".join(part for part in (days, row["weekdays"], row["times"]) if part)


def _same(one: str, quoted: str) -> bool:
    plain_one, plain_two = ("".join(str(station_files.clean(text)).split()) for text in (one, quoted))
    return bool(plain_two) and plain_one.startswith(plain_two)
