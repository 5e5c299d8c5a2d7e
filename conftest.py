"""What must be set before the tests import anything: they, and the programs they start, begin sooner."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest

BYTECODE = Path(__file__).parent / ".cache" / "bytecode"

# A program of the tests imports two thousand modules. Where Python is told to leave no bytecode beside
# them, each start would compile them all anew: it is kept in one folder then, as `.cache` is, for all.
if sys.dont_write_bytecode and sys.pycache_prefix is None:
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(BYTECODE)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

# By the defaults a quarter of a run's time goes into collecting garbage: beside what one test leaves
# behind, the program, its libraries and the tests themselves are a million objects that never go away.
gc.set_threshold(100_000, 50, 100)


# The files that take longest, the longest first. Three processes take one after the other from what is there;
# what is long must not be left for the end, when two of them have nothing to do any more.
LONGEST = (Path(__file__).parent / "tests" / "longest.txt").read_text(encoding="utf-8").split()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; the others keep their order."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


def pytest_collection_finish() -> None:
    """All that stands when the tests are known stays: it need not be looked at again."""
    gc.collect()
    gc.freeze()
