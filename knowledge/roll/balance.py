"""The two tables that must add up: 18 and over, registered, not registered, and the reasons why not.

18周岁以上 = 已登记 + 未登记小计, and 未登记小计 = the sum of its reasons; nobody votes who is not registered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from knowledge.pack_nodes import Spot
from knowledge.roll.columns import REASONS, Columns, plain
from knowledge.roll.stand_table import UnitCounts
from office.errors import Invalid

LARGEST: Final = 200_000
_COUNTED: Final = ("ask_station", "refused")


@dataclass(frozen=True)
class Fault:
    """A sum that does not fit: a wording key and its facts."""

    key: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Totals:
    """One unit's line of the tables. `reasons` are named by codes (`columns.REASONS` and two more)."""

    unit: str
    adults: int
    registered: int
    not_registered: int
    reasons: Mapping[str, int]
    votes: int | None = None

    def faults(self, counted: int | None = None) -> list[Fault]:
        """What does not add up; `counted` are those registered in the file, if it is to be compared."""
        found = []
        together = self.registered + self.not_registered
        if self.adults != together:
            found.append(Fault("roll_balance.sum", {
                "adults": self.adults, "registered": self.registered, "not_registered": self.not_registered,
                "difference": abs(self.adults - together),
            }))  # fmt: skip
        if self.not_registered != (reasons := sum(self.reasons.values())):
            found.append(Fault("roll_balance.reasons", {
                "not_registered": self.not_registered, "reasons": reasons,
                "difference": abs(self.not_registered - reasons),
            }))  # fmt: skip
        if self.votes is not None and self.votes > self.registered:
            found.append(Fault("roll_balance.votes", {"votes": self.votes, "registered": self.registered}))
        if counted is not None and counted != self.registered:
            found.append(Fault("roll_balance.file", {"counted": counted, "registered": self.registered}))
        return found


def counted(units: Mapping[str, UnitCounts]) -> list[Totals]:
    """The lines as the file has them. Rows that repeat a person count once."""
    found = []
    for unit, counts in units.items():
        reasons = {status.value: counts.left_out[status] for status in REASONS}
        reasons |= {"ask_station": counts.ask_station, "refused": counts.refused}
        missing = sum(reasons.values())
        found.append(Totals(unit, counts.registered + missing, counts.registered, missing, reasons))
    return found


def together(lines: Iterable[Totals]) -> Totals:
    """The line of all units."""
    rows = list(lines)
    names = dict.fromkeys(name for line in rows for name in line.reasons)
    votes = [line.votes for line in rows if line.votes is not None]
    return Totals(
        "",
        sum(line.adults for line in rows),
        sum(line.registered for line in rows),
        sum(line.not_registered for line in rows),
        {name: sum(line.reasons.get(name, 0) for line in rows) for name in names},
        sum(votes) if votes else None,
    )


def read(path: Path, columns: Columns) -> list[Totals]:
    """The lines that the office reports, from a YAML list; raises `BadPack` with the line, `Invalid`.

    Each item: unit, adults, registered, not_registered, reasons (hometown, workplace, unable, ask_station,
    refused; those that are nobody's may be left out), and votes where there has been a vote.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("roll_file.missing", name=path.name) from error
    found: dict[str, Totals] = {}
    for item in Spot.whole(text, path.name).items():
        spots = item.fields(("unit", "adults", "registered", "not_registered", "reasons"), ("votes",))
        unit = columns.units.get(plain(spots["unit"].text()))
        if unit is None:
            raise spots["unit"].bad("roll_balance.unit", word=spots["unit"].text())
        if unit in found:
            raise spots["unit"].bad("roll_map.unit_twice", word=unit)
        reasons = spots["reasons"].fields((), (*(status.value for status in REASONS), *_COUNTED))
        found[unit] = Totals(
            unit,
            _amount(spots["adults"]),
            _amount(spots["registered"]),
            _amount(spots["not_registered"]),
            {name: _amount(spot) for name, spot in reasons.items()},
            _amount(spots["votes"]) if "votes" in spots else None,
        )
    return list(found.values())


def _amount(spot: Spot) -> int:
    word = spot.text()
    if not (word.isascii() and word.isdecimal() and len(word) < 10):
        raise spot.bad("roll_balance.amount", word=word)
    return int(word)
