"""Scores a file of labelled questions against a set of entries: the figures a release is judged by."""

import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.match import Candidate, Hit, Index, Near, Outcome, Source
from knowledge.text import Lexicon

OUT_OF_SCOPE = "none"
"""The topic of a question that no entry answers."""


class BadLine(ValueError):
    """A line of an input file cannot be used; the message names file, line and reason."""


@dataclass(frozen=True, slots=True)
class Question:
    """A labelled question; `also` are further topics whose entries answer it as well."""

    q: str
    topic: str
    also: tuple[str, ...] = ()
    audience: str = "voter"

    @property
    def in_scope(self) -> bool:
        """Whether the base should know the answer."""
        return self.topic != OUT_OF_SCOPE


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one run. Rates are shares of the in-scope questions unless said otherwise.

    top1, top3: the right entry first, or among the first three, whatever the outcome was.
    answered: of all questions, those answered without a choice. answered_right: of in-scope, answered with a
    right entry. answered_wrong: of all questions, answered with a wrong entry, out-of-scope ones included.
    offered_right: not answered, but a right entry was among the choices. missed: neither answered nor offered
    anything. out_of_scope_answered: of the out-of-scope questions. auroc: how well the best probability tells
    in-scope from out-of-scope questions (None when one kind is missing). p50_ms, p99_ms: time per question.
    build_s: time to build the index.
    """

    n: int
    in_scope: int
    out_of_scope: int
    top1: float
    top3: float
    answered: float
    answered_right: float
    answered_wrong: float
    offered_right: float
    missed: float
    out_of_scope_answered: float
    auroc: float | None
    p50_ms: float
    p99_ms: float
    build_s: float

    def as_json(self) -> str:
        """The report as one JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Detail:
    """What happened to one question. `best` and `offered` are entry numbers.

    `right`: a hit is right when its entry is, an offer when a right entry is among the choices, a miss when
    the question has no answer in the base.
    """

    q: str
    outcome: str
    best: str | None
    best_topic: str | None
    probability: float
    offered: tuple[str, ...]
    right: bool

    def as_json(self) -> str:
        """The detail as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def read_questions(path: Path | str) -> list[Question]:
    """Labelled questions, one JSON object a line; blank lines are skipped. Raises BadLine, OSError."""
    questions = []
    for where, row in _rows(path):
        audience = row.get("audience", "voter")
        if audience not in ("voter", "staff"):
            raise BadLine(f"{where}: audience must be voter or staff, not {audience!r}")
        also = _strings(where, row, "also")
        questions.append(Question(_string(where, row, "q"), _string(where, row, "topic"), also, audience))
    return questions


def read_entries(path: Path | str) -> list[Source]:
    """Entries, one JSON object a line; `id` becomes the entry number, the line's place the id.

    Raises BadLine (also for an `id` that comes twice) and OSError.
    """
    sources: list[Source] = []
    known: set[str] = set()
    for where, row in _rows(path):
        number = _string(where, row, "id")
        if number in known:
            raise BadLine(f"{where}: id {number!r} comes twice")
        known.add(number)
        sources.append(
            Source(
                entry_id=len(sources) + 1,
                entry_no=number,
                topic=_string(where, row, "topic"),
                audience=str(row.get("audience", "voter")),
                question=_string(where, row, "question"),
                phrasings=_strings(where, row, "phrasings"),
                aliases=_strings(where, row, "aliases"),
            )
        )
    return sources


def _rows(path: Path | str) -> Iterator[tuple[str, dict[str, Any]]]:
    with open(path, "rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            where = f"{path}:{number}"
            try:
                row = json.loads(raw.decode("utf-8-sig"))
            except ValueError as error:
                raise BadLine(f"{where}: not JSON in UTF-8: {error}") from error
            if not isinstance(row, dict):
                raise BadLine(f"{where}: not a JSON object")
            yield where, row


def _string(where: str, row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BadLine(f"{where}: {key!r} must be a text that is not empty")
    return value


def _strings(where: str, row: dict[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadLine(f"{where}: {key!r} must be a list of texts")
    return tuple(value)


def build(sources: Iterable[Source], lexicon: Lexicon) -> tuple[Index, float]:
    """An index and the seconds it took to build."""
    started = time.perf_counter()
    index = Index(sources, lexicon)
    return index, time.perf_counter() - started


def run(questions: Sequence[Question], index: Index, build_s: float = 0.0) -> tuple[Report, list[Detail]]:
    """Ask every question as its audience would: voters see voter entries, staff see both."""
    details: list[Detail] = []
    seconds: list[float] = []
    top1 = top3 = 0
    for question in questions:
        allowed = (
            None
            if question.audience == "staff"
            else lambda entry_id: index.source(entry_id).audience == "voter"
        )
        started = time.perf_counter()
        outcome = index.rank(question.q, allowed)
        seconds.append(time.perf_counter() - started)
        if question.in_scope:
            top1 += _right(question, outcome.candidates[:1])
            top3 += _right(question, outcome.candidates[:3])
        details.append(_detail(question, outcome))
    pairs = list(zip(questions, details, strict=True))
    inside = [detail for question, detail in pairs if question.in_scope]
    outside = [detail for question, detail in pairs if not question.in_scope]
    hits = [detail for detail in details if detail.outcome == "hit"]
    milliseconds = 1000 * np.array(seconds or [0.0])
    report = Report(
        n=len(questions),
        in_scope=len(inside),
        out_of_scope=len(outside),
        top1=_rate(top1, inside),
        top3=_rate(top3, inside),
        answered=_rate(len(hits), questions),
        answered_right=_rate(sum(d.right for d in hits), inside),
        answered_wrong=_rate(sum(not d.right for d in hits), questions),
        offered_right=_rate(sum(d.outcome == "near" and d.right for d in inside), inside),
        missed=_rate(sum(d.outcome == "miss" for d in inside), inside),
        out_of_scope_answered=_rate(sum(d.outcome == "hit" for d in outside), outside),
        auroc=_auroc([d.probability for d in inside], [d.probability for d in outside]),
        p50_ms=round(float(np.percentile(milliseconds, 50)), 3),
        p99_ms=round(float(np.percentile(milliseconds, 99)), 3),
        build_s=round(build_s, 3),
    )
    return report, details


def _detail(question: Question, outcome: Outcome) -> Detail:
    best = outcome.candidates[0] if outcome.candidates else None
    offered = outcome.choices if isinstance(outcome, Near) else ()
    if isinstance(outcome, Hit):
        name, right = "hit", _right(question, outcome.candidates[:1])
    elif isinstance(outcome, Near):
        name, right = "near", _right(question, offered)
    else:
        name, right = "miss", not question.in_scope
    return Detail(
        q=question.q,
        outcome=name,
        best=best.entry_no if best else None,
        best_topic=best.topic if best else None,
        probability=best.probability if best else 0.0,
        offered=tuple(choice.entry_no for choice in offered),
        right=right,
    )


def _right(question: Question, candidates: Sequence[Candidate]) -> bool:
    return question.in_scope and any(
        c.topic == question.topic or c.topic in question.also for c in candidates
    )


def _rate(count: int, of: Sequence[object]) -> float:
    return round(count / len(of), 4) if of else 0.0


def _auroc(inside: Sequence[float], outside: Sequence[float]) -> float | None:
    if not inside or not outside:
        return None
    values = np.array([*inside, *outside])
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]  # equal values share the mean of their ranks
    wins = float(ranks[: len(inside)].sum()) - len(inside) * (len(inside) + 1) / 2
    area = wins / (len(inside) * len(outside))
    return round(area, 4) if math.isfinite(area) else None


_LABELS = {
    "n": "问题数 questions",
    "in_scope": "范围内 in scope",
    "out_of_scope": "范围外 out of scope",
    "top1": "首位正确 top 1",
    "top3": "前三含正确 top 3",
    "answered": "直接答复 answered",
    "answered_right": "直接答对 answered right",
    "answered_wrong": "答错 answered wrong",
    "offered_right": "选项含正确 offered right",
    "missed": "未命中 missed",
    "out_of_scope_answered": "范围外被答 out of scope answered",
    "auroc": "内外区分 AUROC",
    "p50_ms": "耗时中位 p50, ms",
    "p99_ms": "耗时 p99, ms",
    "build_s": "建索引 build, s",
}


def render(report: Report) -> str:
    """The report as a plain table, one figure a line."""
    lines = []
    for key, value in asdict(report).items():
        label = _LABELS[key]
        width = sum(2 if ord(char) > 0x2E80 else 1 for char in label)
        if isinstance(value, float) and not key.endswith(("_ms", "_s", "auroc")):
            shown = f"{value:.1%}"
        else:
            shown = "—" if value is None else str(value)
        lines.append(f"{label}{' ' * (40 - width)}{shown:>8}")
    return "\n".join(lines)
