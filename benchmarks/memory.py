"""How much memory an index takes: `python -m benchmarks.memory METHOD SIZE` prints one JSON object.

Each method is measured in a process of its own by what the system says is resident, for half of the peers
keep their index where Python's own counters do not look. Counted is what came on top after the imports and
the texts: the index, the dictionaries it loads, and what asking 200 questions leaves behind. `peak_mb` is
the most that was ever taken on top, building included. Needs Linux.
"""

import ctypes
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from benchmarks import grown
from benchmarks.peers import PEERS
from knowledge.match import Index

OURS = "One Window"
_QUESTIONS = 200
_PACKAGES = ("bm25s", "rjieba", "scipy.sparse", "sklearn.feature_extraction.text", "tantivy", "rapidfuzz")


def measure(method: str, size: int) -> dict[str, float]:
    """Megabytes and build seconds of a method at so many phrasings; KeyError when the method is unknown."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", method, str(size)],
        cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _resident() -> int:
    gc.collect()
    with suppress(AttributeError):  # a C library without it
        ctypes.CDLL(None).malloc_trim(0)  # what was freed but not given back is nobody's
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _peak() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _builder(method: str, size: int) -> tuple[list[str], Callable[[], Callable[[str], object]]]:
    sources = grown.sources(size)
    phrasings = grown.texts(sources)[0]
    if method == OURS:
        lexicon = grown.lexicon()
        return phrasings, lambda: Index(sources, lexicon).rank
    build = PEERS[method]

    def peer() -> Callable[[str], object]:
        ask = build(phrasings)
        return lambda question: ask(question, 8)

    return phrasings, peer


def _main(method: str, size: int) -> None:
    for package in _PACKAGES:
        with suppress(ImportError):
            import_module(package)
    phrasings, build = _builder(method, size)
    questions = grown.questions(phrasings, _QUESTIONS)
    before = _resident()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
    started = time.process_time()
    ask = build()
    seconds = time.process_time() - started
    for question in questions:
        ask(question)
    after = _resident()
    found = {
        "index_mb": round((after - before) / 1e6, 1),
        "peak_mb": round((_peak() - before) / 1e6, 1),
        "build_s": round(seconds, 3),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
