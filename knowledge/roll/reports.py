"""The report on a roll file: a workbook by row numbers, and its summary as lines. It names nobody."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from knowledge.roll import balance
from knowledge.roll.balance import Totals
from knowledge.roll.building import Built
from knowledge.roll.columns import REASONS
from knowledge.roll.findings import Finding, Sort, sort_of
from knowledge.roll.package import COUNTS
from office.cells import guarded
from office.hours import BEIJING
from office.words import CHINESE, say

MOST_ROWS: Final = 200_000
"""Findings on one sheet. Who has more has one mistake many times, which the first ones show."""
_REASONS: Final = (*(status.value for status in REASONS), "ask_station", "refused")
_WIDTHS: Final = {"row": 10, "other_rows": 16, "unit": 20, "what": 36, "todo": 52}


@dataclass(frozen=True)
class About:
    """What a report is on. `totals` are the office's own sums from the file `totals_name`, if given."""

    file: str
    map: str
    package_id: str
    made_at: datetime
    totals: Sequence[Totals] = ()
    totals_name: str = ""


def write(built: Built, path: Path, about: About, language: str = CHINESE) -> None:
    """Write the report as a workbook; its cells are texts and numbers alone. Raises `OSError`."""
    # The writer puts rows aside while it works; they hold no names, and the folder goes with them.
    with tempfile.TemporaryDirectory(prefix="one-window-report-") as folder:
        book = xlsxwriter.Workbook(path, {"constant_memory": True, "tmpdir": folder})
        book.set_properties({"created": about.made_at.replace(tzinfo=None)})
        _Report(book, built, about, language).all()
        try:
            book.close()
        except XlsxWriterException as error:
            raise OSError(str(error)) from error


def summary(built: Built, about: About, language: str = CHINESE) -> list[str]:
    """The same in lines for a terminal: counts, what was found how often, and what does not add up."""
    lines = [f"{say(f'roll_report.count.{name}', language)}: {built.counts[name]:,}" for name in COUNTS]
    lines.append(f"{say('roll_report.repeats', language)}: {_repeats(built):,}")
    for sort in Sort:
        found = _of_sort(built, sort)
        lines.append(f"{say(f'roll_report.{sort}', language)}: {sum(found.values()):,}")
        lines += [f"  {say(f'roll_row.{fault}', language)}: {count:,}" for fault, count in found.items()]
    lines.append(say("roll_report.balance", language))
    for unit, line, verdict in _balanced(built, about, language):
        reasons = " + ".join(f"{line.reasons.get(name, 0):,}" for name in _REASONS)
        lines.append(
            f"  {unit}: {line.adults:,} = {line.registered:,} + {line.not_registered:,}; "
            f"{line.not_registered:,} = {reasons}  {verdict}"
        )
    lines.append(_source(about, language))
    return lines


class _Report:
    """One workbook being written."""

    def __init__(self, book: Any, built: Built, about: About, language: str) -> None:
        self._book, self._built, self._about, self._language = book, built, about, language
        self._bold = book.add_format({"bold": True})
        self._wrapped = book.add_format({"text_wrap": True})

    def all(self) -> None:
        """Every sheet, in order: the writer can go back to none of them."""
        self._summary()
        groups = groupby(self._built.findings, key=lambda one: one.sort)
        group = next(groups, None)
        for sort in Sort:
            if group is not None and group[0] is sort:
                self._findings(sort, group[1])
                group = next(groups, None)
            else:
                self._findings(sort, iter(()))
        self._balance()

    def _say(self, key: str, **facts: Any) -> str:
        return say(key, self._language, **facts)

    def _sheet(self, key: str, widths: Sequence[int]) -> Any:
        sheet = self._book.add_worksheet(self._say(key))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        return sheet

    def _summary(self) -> None:
        about, built = self._about, self._built
        sheet = self._sheet("roll_report.summary", (40, 44))
        made = about.made_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
        rows: list[tuple[str, str | int]] = [
            (self._say("roll_report.title"), ""),
            (self._say("roll_report.no_names"), ""),
            (self._say("roll_report.file"), about.file),
            (self._say("roll_report.map"), about.map),
            (self._say("roll_report.made"), made),
            (self._say("roll_report.package"), about.package_id),
            *((self._say(f"roll_report.count.{name}"), built.counts[name]) for name in COUNTS),
            (self._say("roll_report.repeats"), _repeats(built)),
        ]
        for sort in Sort:
            found = _of_sort(built, sort)
            rows.append((self._say(f"roll_report.{sort}"), sum(found.values())))
            rows += [(f"　{self._say(f'roll_row.{fault}')}", count) for fault, count in found.items()]
        for at, row in enumerate(rows):
            _row(sheet, at, row, self._bold if at == 0 else None)

    def _findings(self, sort: Sort, findings: Iterator[Finding]) -> None:
        sheet = self._sheet(f"roll_report.{sort}", tuple(_WIDTHS.values()))
        sheet.freeze_panes(1, 0)
        _row(sheet, 0, [self._say(f"roll_report.{name}") for name in _WIDTHS], self._bold)
        count = 0
        for found in findings:
            count += 1
            if count <= MOST_ROWS:
                others = "、".join(map(str, found.other_rows))
                _row(sheet, count, (
                    found.row, others, found.unit, self._say(f"roll_row.{found.fault}"),
                    self._say(f"roll_todo.{found.fault}"),
                ))  # fmt: skip
        if count > MOST_ROWS:
            _row(sheet, MOST_ROWS + 1, [self._say("roll_report.more", count=count - MOST_ROWS)])
        if not count:
            _row(sheet, 1, [self._say("roll_report.none")])

    def _balance(self) -> None:
        sheet = self._sheet("roll_report.balance", (20, *[14] * 9, 60))
        names = (
            "unit", "adults", "registered", "not_registered", *(f"reason.{name}" for name in _REASONS),
            "votes", "result",
        )  # fmt: skip
        _row(sheet, 0, [self._say(f"roll_report.{name}") for name in names], self._bold)
        at = 0
        for at, (unit, line, verdict) in enumerate(
            _balanced(self._built, self._about, self._language), start=1
        ):
            votes = "" if line.votes is None else line.votes
            reasons = [line.reasons.get(name, 0) for name in _REASONS]
            cells = (unit, line.adults, line.registered, line.not_registered, *reasons, votes, verdict)
            _row(sheet, at, cells, self._wrapped)
        _row(sheet, at + 2, [_source(self._about, self._language)])


def _balanced(built: Built, about: About, language: str) -> Iterator[tuple[str, Totals, str]]:
    """The lines of the table, each with its unit and what is to be said of it, the sum of all at the end."""
    own = balance.counted(built.units)
    in_file = {line.unit: line.registered for line in own}
    lines = list(about.totals) or own
    names = [line.unit or say("roll_report.no_unit", language) for line in lines]
    counts = [in_file.get(line.unit, 0) for line in lines]
    whole = balance.together(lines)
    for name, line, count in zip(
        [*names, say("roll_report.all_units", language)],
        [*lines, whole],
        [*counts, sum(in_file.values())],
        strict=True,
    ):
        faults = line.faults(count if about.totals else None)
        said = "；".join(say(fault.key, language, **fault.facts) for fault in faults)
        yield name, line, said or say("roll_report.balanced", language)


def _source(about: About, language: str) -> str:
    if about.totals:
        return say("roll_report.compared", language, name=about.totals_name)
    return say("roll_report.compare", language)


def _repeats(built: Built) -> int:
    return sum(counts.repeats for counts in built.units.values())


def _of_sort(built: Built, sort: Sort) -> Mapping[str, int]:
    counts = built.findings.counts
    return {fault.value: count for fault, count in counts.items() if count and sort_of(fault) is sort}


def _row(sheet: Any, at: int, cells: Sequence[str | int], form: Any = None) -> None:
    for column, cell in enumerate(cells):
        if isinstance(cell, str):
            sheet.write_string(at, column, guarded(cell), form)
        else:
            sheet.write_number(at, column, cell, form)
