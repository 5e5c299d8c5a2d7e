"""What must be set before the tests import anything: they, and the programs they start, begin sooner."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

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


def pytest_collection_finish() -> None:
    """All that stands when the tests are known stays: it need not be looked at again."""
    gc.collect()
    gc.freeze()
