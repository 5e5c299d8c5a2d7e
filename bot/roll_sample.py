"""The command `roll sample`: invented voters in a file, or three of them to try the page with."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.roll_words import say_all, told
from knowledge.roll import columns, receipt_lists, receipts, sample
from knowledge.roll.columns import Columns, Status
from knowledge.roll.outputs import Outputs
from office.errors import Invalid
from office.words import LANGUAGES, say


def write_sample(path: Path, pack: str, rows: int, *, force: bool) -> int:
    """Write a file of invented voters as the platform of a map exports them, and count its faults."""

    def act() -> int:
        used = columns.load(pack)
        if path.suffix.lower() not in (".csv", ".xlsx"):
            raise Invalid("roll_build.suffix", path=str(path), suffix=".csv / .xlsx")
        most = sample.MOST if path.suffix.lower() == ".csv" else receipt_lists.A_SHEET
        if not 0 < rows <= most:
            raise Invalid("roll_build.count", option="--rows", least=1, most=most)
        faults: Counter[str] = Counter()
        with Outputs(force=force) as outputs:
            lines = _sample_lines(used, rows, faults)
            _write_table(outputs.part(path), lines, xlsx=path.suffix.lower() == ".xlsx")
        say_all("roll_sample.example")
        say_all("roll_sample.written", rows=f"{rows:,}", path=path, map=used.name)
        if faults:
            say_all("roll_sample.faults")
        for fault, count in faults.items():
            print(
                f"  {say(f'roll_sample.fault.{fault}')} ({say(f'roll_sample.fault.{fault}', 'en')}): {count}"
            )
        return 0

    return told(act)


def show_sample(count: int) -> int:
    """Print the first voters of the demo's roll, to try the page with."""

    def act() -> int:
        if not 0 < count <= sample.SOUND:
            raise Invalid("roll_build.count", option="--show", least=1, most=sample.SOUND)
        say_all("roll_sample.example")
        for row in sample.voters(count):
            result = "registered" if row.status is Status.REGISTERED else "ask_station"
            for language in LANGUAGES:
                print(say(
                    "roll_sample.person", language, name=row.name, number=row.number,
                    code=receipts.written(row.receipt), result=say(f"roll_sample.{result}", language),
                ))  # fmt: skip
        return 0

    return told(act)


def _sample_lines(used: Columns, rows: int, faults: Counter[str]) -> Iterator[Sequence[str]]:
    yield [words[0] for words in used.headings.values()]
    for row in sample.voters(rows, places=sample.places_of(used)):
        if row.fault:
            faults[row.fault] += 1
        yield list(sample.cells(row, used).values())


def _write_table(path: Path, lines: Iterator[Sequence[str]], *, xlsx: bool) -> None:
    if not xlsx:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(lines)
        return
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"constant_memory": True, "tmpdir": str(path.parent)}) as book:
        sheet, text = book.add_worksheet(), book.add_format({"num_format": "@"})
        for at, line in enumerate(lines):
            for column, cell in enumerate(line):
                sheet.write_string(at, column, cell, text)
