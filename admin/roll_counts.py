"""What an import says and would change, as counts in words; what of it is so large that it must be meant."""

from __future__ import annotations

from typing import Any

from admin.pages import Desk
from knowledge.roll import differences
from knowledge.roll.records import RollImport

MOST_GONE = MOST_CHANGED = 0.10
"""Shares of the persons on the roll in force; a mended roll moves far fewer."""
MOST_ASK = 0.20
"""Share of the package's own persons that would be sent to a station."""
CHANGES = ("new", "changed", "gone", "same", "receipts_new", "receipts_gone")
COMPARABLE = ("receipts_new", "receipts_gone")
"""What of the changes says anything where the roll in force was made under another key."""
OF_FILE = ("read", "good", "refused", "doubtful")
OF_PACKAGE = ("persons", "registered", "ask_station", "suppressed", "canaries", "receipts")


def figure(counts: dict[str, Any], name: str) -> int:
    """One count; 0 where a package does not say it."""
    value = counts.get(name, 0)
    return value if isinstance(value, int) else 0


def shown(desk: Desk, row: RollImport) -> dict[str, list[tuple[str, str]]]:
    """The counts in three groups of (label, figure): what would change, of the file, of the package."""

    def told(names: tuple[str, ...]) -> list[tuple[str, str]]:
        return [(desk.t(f"roll.count_{name}"), f"{figure(row.counts, name):,}") for name in names]

    compared = "compared_with" in row.counts
    changes = COMPARABLE if figure(row.counts, "other_key") else CHANGES
    return {"changes": told(changes) if compared else [], "file": told(OF_FILE), "package": told(OF_PACKAGE)}


def warnings(row: RollImport) -> list[tuple[str, dict[str, str]]]:
    """What must be meant, as (name, facts): too many gone, changed or sent to a station, and what ends."""
    counts = row.counts
    gone, changed = figure(counts, "gone"), figure(counts, "changed")
    before = gone + changed + figure(counts, "same")
    persons = figure(counts, "persons")
    # Under another key nobody is found again, whoever is on the roll.
    known = before if not figure(counts, "other_key") else 0
    shares = (
        ("gone", gone / known if known else 0, MOST_GONE),
        ("changed", changed / known if known else 0, MOST_CHANGED),
        ("ask_station", figure(counts, "ask_station") / persons if persons else 0, MOST_ASK),
    )
    found = [(name, {"percent": str(round(100 * share))}) for name, share, most in shares if share > most]
    return found + [(name, {"count": f"{count:,}"}) for name, count in differences.ending(counts)]
