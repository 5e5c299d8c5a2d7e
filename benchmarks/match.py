"""The matcher beside other tools: speed and memory at three sizes, quality on labelled questions."""

import gc
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import grown, quality
from benchmarks.memory import OURS
from benchmarks.memory import measure as memory_of
from benchmarks.peers import PEERS, REFERENCE, Ask
from knowledge import base, evaluate
from knowledge.evaluate import Question
from knowledge.match import Index, Source

GOLDEN = grown.DATA / "golden"
SIZES = (300, 3_000, 30_000)
# None at 300: comparing with so few takes no time at all, and a fixed cost is all that a ratio would show.
TIME_GOALS = {300: None, 3_000: 3.0, 30_000: 1.0}
MEMORY_SIZE = 30_000
MEMORY_GOAL_MB = 200.0
QUESTIONS = 150
ROUNDS = 3
_BLOCK = 25
_TAKEN = 8

TRAINED = f"{OURS}, trained on these entries"

Row = dict[str, Any]


def rows(entries: Path | None = None, questions: Path | None = None) -> list[Row]:
    """All figures: ratios as every bench gives them, then table rows, each with its `table`.

    With two files in the format of `manage.py evaluate` only quality is measured, on these, as shipped and
    trained on these entries. Raises `evaluate.BadLine` and OSError for files that cannot be used.
    """
    if entries and questions:
        return _quality_rows(
            evaluate.read_entries(entries), evaluate.read_questions(questions), also_trained=True
        )
    builders = dict(PEERS)
    for name in [name for name in builders if not _works(name)]:
        print(f"left out, not installed: {name}", file=sys.stderr)
        del builders[name]
    figures: list[Row] = []
    tables: list[Row] = []
    for size in SIZES:
        times = _times(size, builders)
        figures.append(_time_figure(size, times))
        tables += [{"table": "time", "method": name, "phrasings": size, **row} for name, row in times.items()]
    memory = [{"table": "memory", "method": name, **_memory(name)} for name in (OURS, *builders)]
    figures.append(_memory_figure(memory))
    # In sums only: nobody reads the sealed questions, and the open ones were learned from.
    sealed = [question for path in sorted((GOLDEN / "sealed").glob("*.jsonl")) for question in _read(path)]
    return [*figures, *tables, *memory, *_quality_rows(base.shipped(), sealed)]


def _works(name: str) -> bool:
    try:
        PEERS[name](["选民登记", "选举日期"])
    except ImportError:
        return False
    return True


def _read(path: Path) -> list[Question]:
    return evaluate.read_questions(path)


def _times(size: int, builders: dict[str, Callable[[Sequence[str]], Ask]]) -> dict[str, Row]:
    """Milliseconds of processor time per question, by method; all are asked the same ones by turns.

    Processor time of all threads: what else the machine does meanwhile does not count.
    """
    sources = grown.sources(size)
    phrasings = grown.texts(sources)[0]
    questions = grown.questions(phrasings, QUESTIONS)
    build_s: dict[str, float] = {}
    asks: dict[str, Callable[[str], object]] = {}
    started = time.process_time()
    asks[OURS] = Index(sources, grown.lexicon()).rank
    build_s[OURS] = time.process_time() - started
    for name, build in builders.items():
        started = time.process_time()
        asks[name] = _limited(build(phrasings))
        build_s[name] = time.process_time() - started
    seconds: dict[str, list[float]] = {name: [] for name in asks}
    for ask in asks.values():
        for question in questions[:10]:
            ask(question)
    gc.collect()
    for _ in range(ROUNDS):
        for first in range(0, len(questions), _BLOCK):
            for name, ask in asks.items():
                seconds[name] += [_seconds(ask, question) for question in questions[first : first + _BLOCK]]
    reference = statistics.median(seconds[REFERENCE])
    return {
        name: {
            "p50_ratio": round(statistics.median(taken) / reference, 2),
            "p50_ms": round(statistics.median(taken) * 1000, 3),
            "p99_ms": round(float(np.percentile(taken, 99)) * 1000, 3),
            "build_s": round(build_s[name], 3),
        }
        for name, taken in seconds.items()
    }


def _limited(ask: Ask) -> Callable[[str], object]:
    return lambda question: ask(question, _TAKEN)


def _seconds(ask: Callable[[str], object], question: str) -> float:
    started = time.process_time()
    ask(question)
    return time.process_time() - started


def _time_figure(size: int, times: dict[str, Row]) -> Row:
    ours, reference = times[OURS]["p50_ms"], times[REFERENCE]["p50_ms"]
    return {
        "name": "match",
        "what": f"time per question (p50), {size} phrasings, against RapidFuzz ratio over the same ones",
        "ours": ours,
        "reference": reference,
        "ratio": round(ours / reference, 2),
        "goal": TIME_GOALS[size],
        "better": "less",
        "unit": "ms",
    }


def _memory(name: str) -> Row:
    return {"phrasings": MEMORY_SIZE, **memory_of(name, MEMORY_SIZE)}


def _memory_figure(memory: list[Row]) -> Row:
    ours = float(memory[0]["index_mb"])
    return {
        "name": "match_memory",
        "what": f"resident memory of the index at {MEMORY_SIZE} phrasings, against the goal",
        "ours": ours,
        "reference": MEMORY_GOAL_MB,
        "ratio": round(ours / MEMORY_GOAL_MB, 2),
        "goal": 1.0,
        "better": "less",
        "unit": "MB",
    }


def _quality_rows(
    sources: list[Source], questions: list[Question], *, also_trained: bool = False
) -> list[Row]:
    phrasings = grown.texts(sources)[0]
    lexicon = grown.lexicon()
    indexes = {OURS: evaluate.build(sources, lexicon)[0]}
    if also_trained:
        indexes[TRAINED] = evaluate.build(sources, lexicon, None)[0]
    found = [
        _quality_row(name, quality.measure(questions, quality.ours(index))) for name, index in indexes.items()
    ]
    for name, build in PEERS.items():
        if _works(name):
            asked = quality.theirs(build(phrasings), sources)
            found.append(_quality_row(name, quality.measure(questions, asked)))
    return [*found, *(_as_it_is(name, "these", index, questions) for name, index in indexes.items())]


def _quality_row(name: str, measured: quality.Quality) -> Row:
    shares = {
        f"coverage_{share:.0%}": value
        for share, value in zip(quality.WRONG_SHARES, measured.coverage, strict=True)
    }
    return {
        "table": "quality", "method": name, "n": measured.n, "top1": measured.top1, "top3": measured.top3,
        **shares, "auroc": measured.auroc, "p50_ms": measured.p50_ms, "p99_ms": measured.p99_ms,
    }  # fmt: skip


def _as_it_is(method: str, name: str, index: Index, questions: list[Question]) -> Row:
    """What the matcher does with its own thresholds."""
    report, _ = evaluate.run(questions, index)
    told = (
        "n", "in_scope", "top1", "top3", "answered_right", "answered_wrong", "offered_right",
        "out_of_scope_answered", "auroc",
    )  # fmt: skip
    figures = {key: getattr(report, key) for key in told}
    return {"table": "own thresholds", "method": method, "questions": name, **figures}
