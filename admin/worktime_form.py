"""The timetable as a form: one line for each weekday, rows for each year, one line for each day of duty."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from admin.forms import Form
from office import timetable
from office.timetable import WEEKDAYS, DayKind, Place, Timetable, TimetableFault

COLUMNS = ("from", "to", "kind", "name", "spans")
SPARE_ROWS = 3
MOST_ROWS = 120
# The words of the page as well as those of the file, because both are copied from.
CLOSED = ("无", "休", "不值班", "closed", "-", "—")
_BETWEEN = re.compile(r"[\s、，,；;]+")
_DASH = re.compile(r"\s*[-–—~至]\s*")
_DAY_OF_LINE = re.compile(r"\s*([^\s:：]+)[\s:：]*")
_YEAR = re.compile(r"20[0-9]{2}")

Row = dict[str, str]


@dataclass
class YearFields:
    """A year's table as texts; blank rows at its end are there to be filled in."""

    source: str = ""
    rows: list[Row] = field(default_factory=list)


@dataclass
class Written:
    """What stands in the form: texts, and for each place of the timetable the field it comes from."""

    week: dict[str, str]
    years: dict[int, YearFields]
    shifts: str
    fields: dict[Place, str] = field(default_factory=dict)
    lines: dict[Place, int] = field(default_factory=dict)
    own_faults: list[TimetableFault] = field(default_factory=list)

    def timetable(self) -> Timetable:
        """What the form says, read with all its faults."""
        found = timetable.read(self._data())
        return Timetable(found.weekly, found.years, found.shifts, (*found.faults, *self.own_faults))

    def _data(self) -> dict[str, Any]:
        self.own_faults.clear()
        years: dict[str, Any] = {}
        for year, table in self.years.items():
            # Places are found again by what the fault names, whatever was left out before it.
            self.fields["years", year] = f"source_{year}"
            days: list[dict[str, Any]] = []
            for number, row in enumerate(table.rows):
                if _blank(row):
                    continue
                self.fields["years", year, "days", len(days)] = f"row_{year}_{number}_from"
                self.lines["years", year, "days", len(days)] = number + 1
                days.append(_row_data(row))
            if days or table.source.strip():
                years[str(year)] = {"source": table.source, "days": days}
        week = {day: spans for day in WEEKDAYS if (spans := _spans(self.week.get(day, "")))}
        self.fields |= {("weekly", day): f"week_{day}" for day in WEEKDAYS}
        self.fields["weekly",] = f"week_{WEEKDAYS[0]}"
        return {"weekly": week, "years": years, "shifts": self._shifts()}

    def _shifts(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for number, line in enumerate(self.shifts.splitlines(), 1):
            if not line.strip():
                continue
            begun = _DAY_OF_LINE.match(line)
            day, spans = (begun[1], _spans(line[begun.end() :])) if begun else (line.strip(), [])
            place: Place = ("shifts", day)
            if day in found:
                self.own_faults.append(TimetableFault("twice", ("shifts", f"{day}#"), day=day))
                place = ("shifts", f"{day}#")
            elif not begun or not line[begun.end() :].strip():
                self.own_faults.append(TimetableFault("no_hours", place, day=day))
            self.fields[place], self.lines[place] = "shifts", number
            found.setdefault(day, spans)
        return found


def of_timetable(table: Timetable) -> Written:
    """The form that shows a timetable, with a few blank rows in each year."""
    content = table.content()
    years = {
        int(year): YearFields(given["source"], [_row_texts(row) for row in given["days"]] + _spare())
        for year, given in content["years"].items()
    }
    shifts = "\n".join(
        f"{day} {' '.join(spans) or CLOSED[0]}" for day, spans in content.get("shifts", {}).items()
    )
    return Written({day: " ".join(content["weekly"].get(day, ())) for day in WEEKDAYS}, years, shifts)


def of_form(form: Form) -> Written:
    """What was typed."""
    years: dict[int, YearFields] = {}
    for name in form.fields:
        if name.startswith("source_") and _YEAR.fullmatch(name.removeprefix("source_")):
            year = int(name.removeprefix("source_"))
            years[year] = YearFields(form.text(name), _typed_rows(form, year))
    week = {day: form.text(f"week_{day}") for day in WEEKDAYS}
    return Written(week, dict(sorted(years.items())), form.text("shifts"))


def more(written: Written, wish: str) -> bool:
    """Whether `wish` is one for more rows (`more_2026`) or another year (`year_2027`), which is granted."""
    what, _, year = wish.partition("_")
    if what not in ("more", "year") or not _YEAR.fullmatch(year):
        return False
    table = written.years.setdefault(int(year), YearFields())
    table.rows = (table.rows + _spare())[:MOST_ROWS]
    written.years = dict(sorted(written.years.items()))
    return True


def addable_years(written: Written, today: date) -> list[int]:
    """The years whose table the form offers to add."""
    return [year for year in range(today.year, today.year + 3) if year not in written.years]


def _spare() -> list[Row]:
    return [dict.fromkeys(COLUMNS, "") | {"kind": DayKind.REST.value} for _ in range(SPARE_ROWS)]


def _typed_rows(form: Form, year: int) -> list[Row]:
    rows: list[Row] = []
    while len(rows) < MOST_ROWS and f"row_{year}_{len(rows)}_from" in form.fields:
        rows.append({name: form.text(f"row_{year}_{len(rows)}_{name}").strip() for name in COLUMNS})
    return rows


def _blank(row: Mapping[str, str]) -> bool:
    # A kind is always chosen; without anything else it says nothing.
    return not any(row[name] for name in COLUMNS if name != "kind")


def _row_data(row: Mapping[str, str]) -> dict[str, Any]:
    ends = {"to": row["to"]} if row["to"] else {}
    spans = {"spans": _spans(row["spans"])} if row["spans"] else {}
    return {"from": row["from"], **ends, "kind": row["kind"], "name": row["name"], **spans}


def _row_texts(row: Mapping[str, Any]) -> Row:
    return {
        "from": row.get("from", row.get("day", "")),
        "to": row.get("to", ""),
        "kind": row["kind"],
        "name": row["name"],
        "spans": (" ".join(row["spans"]) or CLOSED[0]) if "spans" in row else "",
    }


def _spans(text: str) -> list[str]:
    """The spans in a text, however they are set apart; a word such as 无 says that there are none."""
    if text.strip() in CLOSED:
        return []
    return [part for part in _BETWEEN.split(_DASH.sub("-", text.strip())) if part]
