"""Files of duty rosters (值班表): read from xlsx and csv with every bad row named, and written."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import xlsxwriter

from knowledge import workbooks
from office import redact
from office.cells import guarded
from office.errors import Invalid
from office.shifts import ShiftName
from ticketing import roster_cells
from ticketing.roster_cells import Cell, Unread, folded

LARGEST: Final = 2_000_000
MOST_ROWS: Final = 1_000
MOST_COLUMNS: Final = 40
LONGEST_CELL: Final = 500
HEADING_WITHIN: Final = 10
EXAMPLE: Final = "例："

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("日期", "值班日期"),
    "weekday": ("星期", "星期几", "周几", "周"),
    "name": ("班次", "班别", "值班班次"),
    "span": ("起止", "起止时间", "值班时间", "时间", "时段", "值班时段"),
    "leader": ("带班领导", "带班", "带班人", "值班领导", "领导"),
    "officer": ("值班员(主/备)", "值班员", "值班人员", "值班人", "主班", "值班员(主)", "主值班员"),
    "standby": ("备班", "值班员(备)", "备勤", "副班", "备值班员"),
    "phone": ("电话", "值班电话", "联系电话"),
    "place": ("地点", "值班地点"),
    "duty": ("职责", "值班职责", "工作职责"),
    "emergency": ("应急联系人", "应急联系", "应急联系方式"),
    "note": ("交接事项", "备注", "交接"),
}
NEEDED: Final = ("day", "officer")
TEXTS: Final[Mapping[str, int]] = {"phone": 40, "place": 80, "duty": 200, "emergency": 80, "note": 500}
"""Columns that are kept as they are written, with what their fields hold."""
WRITTEN: Final = (
    "day", "weekday", "name", "span", "leader", "officer", "phone", "place", "duty", "emergency", "note",
)  # fmt: skip
_FIELDS: Final = {name: field for field, names in COLUMNS.items() for name in names}
_IDENTITY: Final = re.compile(r"身份证|证件号")
_REMARK: Final = re.compile(r"(?:备?注|说明|填表|制表|审核|联系)")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row: `key` is the wording `roster_fault.<key>`, `column` the file's heading."""

    row: int
    column: str
    key: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One shift as a file says it, names still names. `off`: on this day nobody is on duty."""

    row: int
    day: date
    off: bool = False
    name: ShiftName = ShiftName.WHOLE_DAY
    opens: str = ""
    closes: str = ""
    leader: str = ""
    officer: str = ""
    standby: str = ""
    phone: str = ""
    place: str = ""
    duty: str = ""
    emergency: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds: good lines, every fault, and the file's own headings by field."""

    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]
    headings: Mapping[str, str]


def read(filename: str, content: bytes, *, today: date) -> Reading:
    """The shifts in a file; raises `Invalid` for one that cannot be read, or holds identity numbers."""
    if len(content) > LARGEST:
        raise Invalid("station_file.large", limit=LARGEST // 1_000_000)
    if content.startswith(b"PK"):
        rows: list[list[Cell]] = [list(row) for row in workbooks.rows(content, MOST_ROWS, MOST_COLUMNS)]
    elif content.startswith(b"\xd0\xcf\x11\xe0") or filename.lower().endswith((".xls", ".xlsx", ".et")):
        raise Invalid("station_file.kind")
    else:
        rows = _separated(_decoded(content))
    at, places = _heading(rows)
    return _Reading(rows, at, places, today).reading()


def _decoded(content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Invalid("station_file.unreadable")


def _separated(text: str) -> list[list[Cell]]:
    best: list[list[Cell]] = []
    for separator in (",", "\t", ";", "，"):
        try:
            rows: list[list[Cell]] = [
                list(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
            ]
        except csv.Error:
            continue
        if max(map(len, rows[:HEADING_WITHIN]), default=0) > max(map(len, best[:HEADING_WITHIN]), default=0):
            best = rows
    if len(best) > MOST_ROWS + HEADING_WITHIN:
        raise Invalid("station_file.rows", limit=MOST_ROWS)
    return best


def _heading(rows: Sequence[Sequence[Cell]]) -> tuple[int, dict[str, int]]:
    """The row with the headings, and in which column each field stands."""
    best, at = 0, -1
    for number, row in enumerate(rows[:HEADING_WITHIN]):
        known = len({field for cell in row if (field := _field(cell))})
        if known > best:
            best, at = known, number
    top = rows[at] if at >= 0 else []
    places: dict[str, int] = {}
    for column, cell in enumerate(top):
        if _IDENTITY.search(folded(cell)):
            raise Invalid("station_file.identity", column=folded(cell))
        if field := _field(cell):
            if field in places:
                raise Invalid("station_file.twice", one=folded(top[places[field]]), other=folded(cell))
            places[field] = column
    missing = [COLUMNS[field][0] for field in NEEDED if field not in places]
    if "name" not in places and "span" not in places:
        missing.append(COLUMNS["span"][0])
    if missing:
        raise Invalid("station_file.headings", missing="、".join(missing))
    return at, places


def _field(cell: Cell) -> str:
    return _FIELDS.get(folded(cell).replace(" ", ""), "") if isinstance(cell, str) else ""


class _Reading:
    def __init__(
        self, rows: Sequence[Sequence[Cell]], at: int, places: Mapping[str, int], today: date
    ) -> None:
        self.rows, self.at, self.places, self.today = rows, at, places, today
        self.headings = {field: folded(rows[at][column]) for field, column in places.items()}
        self.lines: list[Line] = []
        self.faults: list[Fault] = []
        self.above: tuple[date, ...] = ()

    def reading(self) -> Reading:
        for number, row in enumerate(self.rows[self.at + 1 :], start=self.at + 2):
            cells = {
                field: _bare(row[column]) if column < len(row) else ""
                for field, column in self.places.items()
            }
            filled = [cell for cell in cells.values() if cell != ""]
            if filled and not self._aside(filled):
                self._row(number, cells)
        if not self.lines and not self.faults:
            raise Invalid("station_file.empty")
        return Reading(tuple(self.lines), tuple(self.faults), self.headings)

    def _aside(self, filled: Sequence[Cell]) -> bool:
        first = filled[0]
        if not isinstance(first, str):
            return False
        # A line under the table that explains it, and the example of our own template.
        return first.startswith(EXAMPLE) or (len(filled) == 1 and _REMARK.match(first) is not None)

    def _row(self, number: int, cells: Mapping[str, Cell]) -> None:
        before = len(self.faults)
        for field, cell in cells.items():
            if redact.has_id_number(folded(cell)):
                raise Invalid("station_file.identity_row", row=number, column=self.headings[field])
            if len(folded(cell)) > TEXTS.get(field, LONGEST_CELL):
                self._note(number, field, Unread("long", n=str(TEXTS.get(field, LONGEST_CELL))))
        found = self._days(number, cells)
        if found is None:
            return
        if roster_cells.is_off(cells.get("name", ""), cells.get("officer", ""), cells.get("span", "")):
            self.lines += [Line(number, day, off=True) for day in found]
            return
        spans: tuple[tuple[str, str], ...] = ()
        officer = standby = ""
        name = ShiftName.WHOLE_DAY
        try:
            spans = roster_cells.spans(cells.get("span", ""))
        except Unread as error:
            self._note(number, "span", error)
        try:
            name = roster_cells.shift_name(cells.get("name", ""), *(spans[0] if spans else ("", "")))
        except Unread as error:
            self._note(number, "name", error)
        try:
            officer, standby = roster_cells.people(cells.get("officer", ""))
        except Unread as error:
            self._note(number, "officer", error)
        else:
            if not officer:
                self._note(number, "officer", Unread("officer_missing"))
        standby = roster_cells.person(cells.get("standby", "")) or standby
        if len(self.faults) > before:
            return
        texts = {field: folded(cells.get(field, "")) for field in TEXTS}
        leader = roster_cells.person(cells.get("leader", ""))
        for day in found:
            for opens, closes in spans:
                self.lines.append(
                    Line(number, day, False, name, opens, closes, leader, officer, standby, **texts)
                )

    def _days(self, number: int, cells: Mapping[str, Cell]) -> tuple[date, ...] | None:
        """The days of a row; an empty cell under a day that covers several rows means the same day."""
        cell = cells["day"]
        if cell == "" and self.above:
            return self.above
        self.above = ()
        try:
            found = roster_cells.days(cell, self.today)
            said = roster_cells.weekday(cells.get("weekday", ""))
            if said is None and len(found) == 1:
                said = roster_cells.weekday(cell)
            if len(found) == 1 and said is not None and said != found[0].weekday():
                raise Unread(
                    "weekday",
                    day=found[0].isoformat(),
                    said=roster_cells.WEEKDAYS[said],
                    true=roster_cells.WEEKDAYS[found[0].weekday()],
                )
        except Unread as error:
            self._note(number, "weekday" if error.key == "weekday" else "day", error)
            return None
        self.above = found
        return found

    def _note(self, row: int, field: str, error: Unread) -> None:
        column = self.headings.get(field) or self.headings.get("day" if field == "weekday" else field)
        facts = {name: fact[:40] for name, fact in error.facts.items()}
        self.faults.append(Fault(row, column or COLUMNS[field][0], error.key, facts))


def _bare(cell: Cell) -> Cell:
    return cell.strip().removeprefix("'").strip() if isinstance(cell, str) else cell


# --- writing ----------------------------------------------------------------------------------------------


def to_xlsx(rows: Iterable[Mapping[str, str]], now: datetime) -> bytes:
    """Rows by field as a workbook that can be read again; texts are texts, whatever they look like."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    book.set_properties({"created": now.replace(tzinfo=None)})
    plain, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
    sheet = book.add_worksheet("值班表")
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    # Whoever types 11-28 into an ordinary cell gets a date of the running year in another form.
    sheet.set_column(0, len(WRITTEN) - 1, 14, plain)
    for column, field in enumerate(WRITTEN):
        sheet.write_string(0, column, COLUMNS[field][0], bold)
    for number, row in enumerate(rows, start=1):
        for column, field in enumerate(WRITTEN):
            if row[field]:
                sheet.write_string(number, column, guarded(row[field]), plain)
    book.close()
    return target.getvalue()


def template(now: datetime) -> bytes:
    """An empty workbook with the headings and one example, which is passed over when it comes back."""
    return to_xlsx([dict(zip(WRITTEN, _EXAMPLE, strict=True))], now)


_EXAMPLE: Final = (
    f"{EXAMPLE}2026-11-28", "周六", "上午", "9:00-11:30", "王芳", "李强/赵磊", "0000-12345678", "二楼值班室",
    "接听咨询、登记未答复问题", "王芳 0000-12345679", "未办结的先看交接单",
)  # fmt: skip
