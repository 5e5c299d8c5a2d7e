"""Mutation testing of the pure modules: `python3 manage.py mutate [MODULE ...]`, e.g. `knowledge.gate`.

Each function is changed in many small ways, one at a time; a change that no test notices has survived. mutmut
does it in a copy of the tree under `.cache/mutation`, so nothing here is ever changed, with only the named
modules' own tests. Exit status 0 also with survivors: whether one matters is for a person to judge, for some
changes mean the same. Not run by `manage.py test`. Needs Linux or macOS.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PLACE = ROOT / ".cache" / "mutation"

_MATCHER = ("tests/knowledge/test_match.py", "tests/knowledge/test_match_properties.py")
_OWN = "tests/mutation/test_survivors.py"
# What is mutated, and the tests that must notice. Modules that only hold values have nothing to change.
MODULES: dict[str, tuple[str, ...]] = {
    "knowledge.text": ("tests/knowledge/test_text.py", _OWN),
    "knowledge.lexicon": ("tests/knowledge/test_text.py",),
    "knowledge.readings": ("tests/knowledge/test_text.py",),
    "knowledge.gate": ("tests/knowledge/test_gate.py", _OWN),
    "knowledge.outcomes": (),
    "knowledge.match": _MATCHER,
    "knowledge.phrasebook": _MATCHER,
    "knowledge.grams": _MATCHER,
    "knowledge.features": _MATCHER,
    "knowledge.pairs": _MATCHER,
    "knowledge.evaluate": ("tests/knowledge/test_evaluate.py",),
    "knowledge.calibrate": ("tests/knowledge/test_calibrate.py",),
    "knowledge.case": ("tests/knowledge/test_case.py",),
    "knowledge.replay": ("tests/knowledge/test_replay.py",),
    "knowledge.parts": _MATCHER,
    "knowledge.leftovers": _MATCHER,
    "office.hours": ("tests/office/test_hours.py",),
    "office.digits": ("tests/office/test_digits.py",),
    "office.redact": ("tests/office/test_redact.py",),
    "ticketing.clocks": ("tests/ticketing/test_clocks.py",),
    "ticketing.numbers": ("tests/ticketing/test_numbers.py",),
}
# A mutant that dies by a signal or by running out of time was noticed as well as one that fails a test.
NOTICED = frozenset({"killed", "timeout", "segfault", "caught by type check"})


def main(arguments: Sequence[str]) -> int:
    """Mutate the named modules, all without names; returns 2 for an unknown one, 1 if mutmut failed."""
    parser = argparse.ArgumentParser(prog="manage.py mutate", description="mutation testing")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(MODULES))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--without", nargs="*", default=[], metavar="TEST", help="tests to leave out")
    given = parser.parse_args(arguments)
    names = given.modules or list(MODULES)
    if unknown := [name for name in names if name not in MODULES]:
        print(f"no pure module {', '.join(unknown)}; there are: {', '.join(MODULES)}", file=sys.stderr)
        return 2
    prepare(names, given.without)
    begun = time.monotonic()
    shown = sys.stdout.isatty()
    done = mutmut("run", "--max-children", str(given.processes), quiet=not shown)
    if done.returncode:
        print("" if shown else done.stdout[-3000:] + done.stderr[-3000:], file=sys.stderr)
        return 1
    found = outcomes(mutmut("results", "--all", "true").stdout)
    print(summary(found, names, time.monotonic() - begun))
    for name in survivors(found):
        print(mutmut("show", name).stdout)
    return 0


def prepare(names: Sequence[str], without: Sequence[str]) -> None:
    """A fresh copy of the tree with a configuration for these modules."""
    shutil.rmtree(PLACE, ignore_errors=True)
    for folder in ("office", "knowledge", "ticketing", "data", "locales", "tests"):
        shutil.copytree(ROOT / folder, PLACE / folder, ignore=shutil.ignore_patterns("__pycache__"))
    tests = list(dict.fromkeys(test for name in names for test in MODULES[name]))
    (PLACE / "pyproject.toml").write_text(configuration(names, tests, without), encoding="utf-8")


def configuration(names: Sequence[str], tests: Sequence[str], without: Sequence[str]) -> str:
    """The copy's `pyproject.toml`."""
    left_out = [word for test in without for word in ("--deselect", test)]
    lists = {
        "source_paths": ["office", "knowledge", "ticketing"],
        "only_mutate": [f"{name.replace('.', '/')}.py" for name in names],
        "also_copy": ["data", "locales"],
        # Without the conftest: the pure modules' tests need no server, and get none.
        "pytest_add_cli_args": ["--noconftest", "--hypothesis-seed=0", "-p", "no:cacheprovider", *left_out],
        "pytest_add_cli_args_test_selection": list(tests),
    }
    # Lists of texts are written alike in JSON and in TOML.
    lines = [f"{key} = {json.dumps(value)}" for key, value in lists.items()]
    pytest = [
        'addopts = ["--import-mode=importlib", "--hypothesis-profile=ci"]',
        'pythonpath = ["."]',
        'asyncio_mode = "auto"',
    ]
    return "\n".join(["[tool.mutmut]", *lines, "", "[tool.pytest.ini_options]", *pytest, ""])


def mutmut(*words: str, quiet: bool = True) -> subprocess.CompletedProcess[str]:
    """Run one of its commands in the copy."""
    return subprocess.run(
        [sys.executable, "-m", "mutmut", *words], cwd=PLACE, text=True, check=False, capture_output=quiet
    )


def outcomes(said: str) -> dict[str, str]:
    """What became of each mutant, by its name, from what `mutmut results` says."""
    return dict(re.findall(r"^\s+(\S+__mutmut_\d+): (.+)$", said, re.MULTILINE))


def survivors(found: dict[str, str]) -> list[str]:
    """The mutants that no test noticed."""
    return [name for name, state in found.items() if state not in NOTICED]


def summary(found: dict[str, str], names: Sequence[str], seconds: float) -> str:
    """A table with a line for each module."""
    lines = ["", "| module | mutants | noticed | score | not noticed |", "|---|---|---|---|---|"]
    for module in names:
        states = Counter(state for name, state in found.items() if name.startswith(f"{module}."))
        total, noticed = states.total(), sum(states[state] for state in NOTICED)
        score = f"{noticed / total:.1%}" if total else "—"
        rest = ", ".join(f"{n} {state}" for state, n in sorted(states.items()) if state not in NOTICED)
        lines.append(f"| `{module}` | {total} | {noticed} | {score} | {rest} |")
    return "\n".join([*lines, "", f"{seconds:.0f} seconds", ""])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
