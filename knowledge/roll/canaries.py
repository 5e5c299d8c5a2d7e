"""Canaries 诱饵: rows of nobody. Only who works through a stolen list ever looks one up."""

from __future__ import annotations

import csv
import secrets
from pathlib import Path
from random import SystemRandom
from typing import Final

from knowledge.roll import sample
from knowledge.roll.columns import Columns, Field

MOST: Final = 1000


def make(count: int) -> list[tuple[str, str]]:
    """Names and numbers that belong to nobody, drawn anew each time."""
    first = secrets.randbelow(1 << 30)
    found = [(row.name, row.number) for row in sample.voters(count, first)]
    SystemRandom().shuffle(found)
    return found


def write(path: Path, people: list[tuple[str, str]], columns: Columns) -> None:
    """The list for whoever plants them, under the headings of the platform; `path` is its owner's alone."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([columns.headings[field][0] for field in (Field.NAME, Field.NUMBER)])
        writer.writerows(people)
