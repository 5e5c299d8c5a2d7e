"""Scores a file of labelled questions against a set of entries: the figures a release is judged by."""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from knowledge.labelled import BadLine as BadLine
from knowledge.labelled import Question as Question
from knowledge.labelled import read_entries as read_entries
from knowledge.labelled import read_questions as read_questions
from knowledge.match import Candidate, Hit, Index, Near, Outcome, Source
from knowledge.model import SHIPPED, Model
from knowledge.text import Lexicon
from knowledge.train import learn

_TABLE_ONLY = ("coverage_1", "coverage_2", "coverage_5", "right_entry", "hit")
EFFORT = 9_000
"""Lessons for a base that is only looked at once: half the time, and hardly worse."""


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one run. Rates are shares of the in-scope questions unless said otherwise.

    top1, top3: the right entry first, or among the first three, whatever the outcome was.
    answered: of all questions, those answered without a choice. answered_right: of in-scope, answered with a
    right entry. answered_wrong: of all questions, answered with a wrong entry, out-of-scope ones included.
    offered_right: not answered, but a right entry was among the choices. missed: neither answered nor offered
    anything. out_of_scope_answered: of the out-of-scope questions. auroc: how well the best probability tells
    in-scope from out-of-scope questions (None when one kind is missing). coverage_1, _2, _5: the in-scope
    questions that could be answered rightly if the point from which to answer were put where at most 1, 2 or
    5 % of what is answered is wrong. right_entry: of the answered questions that name an entry, those that
    got it (a neighbour of the right topic may answer too). hit: from which probability is answered.
    p50_ms, p99_ms: time per question. build_s: time to build the index.
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
    coverage_1: float
    coverage_2: float
    coverage_5: float
    right_entry: float | None
    hit: float
    p50_ms: float
    p99_ms: float
    build_s: float

    def as_json(self) -> str:
        """The report as one JSON object, with the keys that other programs know."""
        held = {key: value for key, value in asdict(self).items() if key not in _TABLE_ONLY}
        return json.dumps(held, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Detail:
    """What happened to one question. `best` and `offered` are entry numbers.

    `best_right`: whether the best entry is right, whatever was done. `right`: a hit is right when its entry
    is, an offer when a right entry is among the choices, a miss when the question has no answer in the base.
    """

    q: str
    outcome: str
    best: str | None
    best_topic: str | None
    probability: float
    offered: tuple[str, ...]
    right: bool
    best_right: bool

    def as_json(self) -> str:
        """The detail as one line of JSON."""
        held = {key: value for key, value in asdict(self).items() if key != "best_right"}
        return json.dumps(held, ensure_ascii=False)


def build(sources: Sequence[Source], lexicon: Lexicon, model: Model | None = SHIPPED) -> tuple[Index, float]:
    """An index and the seconds it took to build; without a model it is trained on these entries first."""
    model = learn(sources, lexicon, effort=EFFORT) if model is None else model
    started = time.perf_counter()
    index = Index(sources, lexicon, model)
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
        coverage_1=_coverage(pairs, 0.01),
        coverage_2=_coverage(pairs, 0.02),
        coverage_5=_coverage(pairs, 0.05),
        right_entry=_right_entry(pairs),
        hit=index.model.thresholds.hit,
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
        best_right=_right(question, outcome.candidates[:1]),
    )


def _right(question: Question, candidates: Sequence[Candidate]) -> bool:
    return question.in_scope and any(
        c.topic == question.topic or c.topic in question.also for c in candidates
    )


def _coverage(pairs: Sequence[tuple[Question, Detail]], wrong_share: float) -> float:
    inside = [pair for pair in pairs if pair[0].in_scope]
    ranked = sorted(pairs, key=lambda pair: -pair[1].probability)
    best = wrong = 0
    for place, (_, detail) in enumerate(ranked):
        wrong += not detail.best_right
        following = ranked[place + 1][1].probability if place + 1 < len(ranked) else -1.0
        # Equal probabilities cannot be told apart by any threshold.
        if following != detail.probability and wrong <= wrong_share * (place + 1):
            best = place + 1 - wrong
    return _rate(best, inside)


def _right_entry(pairs: Sequence[tuple[Question, Detail]]) -> float | None:
    named = [detail.best == question.entry for question, detail in pairs
             if question.entry and detail.outcome == "hit"]  # fmt: skip
    return _rate(sum(named), named) if named else None


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
    "coverage_1": "可答覆盖，错 ≤1% coverage",
    "coverage_2": "可答覆盖，错 ≤2% coverage",
    "coverage_5": "可答覆盖，错 ≤5% coverage",
    "right_entry": "直接答复中口径一致 same entry",
    "hit": "答复起点 answered from",
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
        if isinstance(value, float) and not key.endswith(("_ms", "_s", "auroc", "hit")):
            shown = f"{value:.1%}"
        else:
            shown = "—" if value is None else str(value)
        lines.append(f"{label}{' ' * (40 - width)}{shown:>8}")
    return "\n".join(lines)
