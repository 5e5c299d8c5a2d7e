"""Speed as ratios within one run: ours against a peer or a floor, never a bare time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

from knowledge.evaluate import BadLine

Figure = dict[str, Any]
"""A ratio with its goal, if it has one, or a row of the table that it names with `table`."""


def _questions() -> list[Figure]:
    from benchmarks import questions

    return questions.figures()


def _match() -> list[Figure]:
    from benchmarks import match

    return match.rows()


def _stations() -> list[Figure]:
    from benchmarks import stations

    return stations.figures()


def _roll_build() -> list[Figure]:
    from benchmarks import roll

    return roll.figures()


def _roll_apply(database: str) -> list[Figure]:
    from benchmarks import roll_apply

    return roll_apply.figures(database)


def _roll_lookup(database: str) -> list[Figure]:
    from benchmarks import roll_lookup

    return roll_lookup.figures(database)


def _desk(name: str) -> list[Figure]:
    from benchmarks import desk

    return desk.named(name)


def _deliveries(database: str) -> list[Figure]:
    from benchmarks import deliveries

    return deliveries.figures(database)


def _deliveries_urgent() -> list[Figure]:
    from benchmarks import deliveries

    return deliveries.urgent_figures()


BENCHES: dict[str, Callable[[], list[Figure]]] = {
    "questions": _questions, "match": _match, "stations": _stations,
    "roll_build": _roll_build,
    "roll_apply_postgres": lambda: _roll_apply("postgres"),
    "roll_apply_sqlite": lambda: _roll_apply("sqlite"),
    "roll_lookup_postgres": lambda: _roll_lookup("postgres"),
    "roll_lookup_sqlite": lambda: _roll_lookup("sqlite"),
    # Filled once for the three of them.
    "tickets_queue": lambda: _desk("tickets_queue"),
    "tickets_search": lambda: _desk("tickets_search"),
    "tickets_page": lambda: _desk("tickets_page"),
    "deliveries_postgres": lambda: _deliveries("postgres"),
    "deliveries_sqlite": lambda: _deliveries("sqlite"),
    "deliveries_urgent": _deliveries_urgent,
}  # fmt: skip


def main(
    names: list[str], *, as_json: bool, entries: Path | None = None, questions: Path | None = None
) -> int:
    """Run the named benches, all without names; returns 2 for an unknown name or an unusable file.

    `entries` and `questions`, both or none and only for `match`: compare the quality on these.
    """
    if unknown := [name for name in names if name not in BENCHES]:
        print(f"no bench named {', '.join(unknown)}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    if entries or questions:
        if names != ["match"] or not (entries and questions):
            print("--entries and --questions belong together, and to match alone", file=sys.stderr)
            return 2
        from benchmarks import match

        try:
            figures = match.rows(entries, questions)
        except (BadLine, OSError) as error:
            print(error, file=sys.stderr)
            return 2
    else:
        figures = [figure for name in names or BENCHES for figure in BENCHES[name]()]
    print(json.dumps(figures, ensure_ascii=False, indent=1) if as_json else render(figures))
    return 0


def render(figures: list[Figure]) -> str:
    """Ratios one a line, then the tables as Markdown."""
    parts = [_line(figure) for figure in figures if "table" not in figure]
    rows = [figure for figure in figures if "table" in figure]
    for title, group in groupby(rows, lambda row: str(row["table"])):
        lines = list(group)
        shown = [key for key in lines[0] if key != "table"]
        parts += ["", f"{title}:", "", f"| {' | '.join(shown)} |", "|---" * len(shown) + "|"]
        parts += [f"| {' | '.join(_cell(row[key]) for key in shown)} |" for row in lines]
    return "\n".join(parts).lstrip("\n")


def _line(figure: Figure) -> str:
    ratio, goal, more = figure["ratio"], figure["goal"], figure["better"] == "more"
    if goal is None:
        mark, wanted = "·", "no goal"
    else:
        mark = "✓" if (ratio >= goal if more else ratio <= goal) else "✗"
        wanted = f"goal {'≥' if more else '≤'} {goal}"
    return (
        f"{mark} {figure['name']:<18} {figure['ours']:>10.4g} against {figure['reference']:.4g} "
        f"{figure['unit']}: ratio {ratio:.3g} ({wanted})  {figure['what']}"
    )


def _cell(value: object) -> str:
    return "—" if value is None else str(value)
