"""Small roll files for the tests of a build, under the map of an invented platform."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.roll import peak
from knowledge.roll import building, columns, sources
from knowledge.roll.building import Built
from knowledge.roll.findings import Fault
from knowledge.roll.identity import DigestKey
from knowledge.roll.keys import OfflineKey, make
from knowledge.roll.records import Mark
from tests.voters import Voter

TODAY, ELECTION = date(2026, 11, 20), date(2026, 12, 16)
KEY: OfflineKey = make("东浦区2026")
MAP = columns.load("riverside")
HEADING = ("姓名", "公民身份号码", "登记状态", "所属街镇", "选区名称", "选民小组", "登记站编号")
PLACE = ("第十二选区", "12-03", "12-03")
ELSEWHERE = ("第七选区", "07-01", "07-01")
NEAR = ("第十二选区", "12-04", "12-03")

Cells = Sequence[str]


def row(
    voter: Voter,
    *,
    name: str | None = None,
    number: str | None = None,
    status: str = "已登记",
    unit: str = "临江街道",
    place: tuple[str, str, str] = PLACE,
) -> list[str]:
    """A row of the file: the voter's, but for what is told otherwise."""
    return [
        voter.name if name is None else name,
        voter.number if number is None else number,
        status,
        unit,
        *place,
    ]


def text(rows: Iterable[Cells], **form: Any) -> str:
    """The file, its heading in row 1."""
    target = io.StringIO(newline="")
    csv.writer(target, **form).writerows([HEADING, *rows])
    return target.getvalue()


def built(folder: Path, content: str | bytes | Iterable[Cells], **more: Any) -> Built:
    """What a build makes of rows or of the content of a file."""
    if not isinstance(content, str | bytes):
        content = text(content)
    path = folder / "roll.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    options: dict[str, Any] = {"today": TODAY, "election_day": ELECTION, "with_receipts": False, **more}
    return building.build(sources.look(path, MAP), MAP, KEY, **options)


def records(made: Built) -> dict[bytes, tuple[tuple[str, str, str], Mark]]:
    """The package by digest: place and mark."""
    return {
        record["digest"].tobytes(): (made.places[record["place"]], Mark(int(record["mark"])))
        for block in made.blocks()
        for record in np.atleast_1d(block)
    }


def digest(voter: Voter, key: DigestKey = KEY.digest) -> bytes:
    """The voter's digest."""
    return key.identity(voter.name, voter.number)


def told(made: Built) -> list[tuple[Fault, int, tuple[int, ...]]]:
    """The findings without their units."""
    return [(found.fault, found.row, found.other_rows) for found in made.findings]


def _main(path: Path) -> None:
    """Build a file and tell the kilobytes that the process has taken, and the rows of the package."""
    with building.build(
        sources.look(path, MAP), MAP, KEY, today=TODAY, with_receipts=False, workers=1
    ) as made:
        rows = sum(map(len, made.blocks()))
    print(peak(), rows)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
