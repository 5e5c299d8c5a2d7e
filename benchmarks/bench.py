"""Speed as ratios within one run: ours against a peer or a floor, never a bare time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

Figure = dict[str, Any]


def _match() -> list[Figure]:
    from benchmarks import match

    return match.figures()


def _questions() -> list[Figure]:
    from benchmarks import questions

    return questions.figures()


BENCHES: dict[str, Callable[[], list[Figure]]] = {"questions": _questions, "match": _match}


def main(names: list[str], *, as_json: bool) -> int:
    """Run the named benches, all without names; returns 2 for an unknown name."""
    if unknown := [name for name in names if name not in BENCHES]:
        print(f"no bench named {', '.join(unknown)}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    figures = [figure for name in names or BENCHES for figure in BENCHES[name]()]
    if as_json:
        print(json.dumps(figures, ensure_ascii=False, indent=1))
        return 0
    for figure in figures:
        more = figure["better"] == "more"
        good = figure["ratio"] >= figure["goal"] if more else figure["ratio"] <= figure["goal"]
        print(
            f"{'✓' if good else '✗'} {figure['name']:<18} {figure['ours']:>10.4g} against "
            f"{figure['reference']:.4g} {figure['unit']}: ratio {figure['ratio']:.3g} "
            f"(goal {'≥' if more else '≤'} {figure['goal']})  {figure['what']}"
        )
    return 0
