"""How well methods answer labelled questions: the same questions, entries and figures for each."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.grown import texts
from benchmarks.peers import Ask
from knowledge.evaluate import Question
from knowledge.match import Index, Source

WRONG_SHARES = (0.01, 0.02, 0.05)
"""Wrong answers among all answers given, at most."""
_PHRASINGS = 100
"""So many are taken of a peer's ranking: enough for three entries that the asker may be shown."""

Ranking = list[tuple[Source, float]]
"""Entries with their scores, best first."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of one method. `top1`, `top3`: shares of in-scope questions with a right entry there.

    `coverage`: for each of `WRONG_SHARES` the greatest share of the in-scope questions that is answered right
    at any threshold of the score at which no greater share of the given answers is wrong; a question out of
    scope that is answered is a wrong answer. `auroc`: how well the best score tells in scope from out of it;
    None when one kind is missing. Times in milliseconds of the processor per question.
    """

    n: int
    top1: float
    top3: float
    coverage: tuple[float, ...]
    auroc: float | None
    p50_ms: float
    p99_ms: float


def measure(questions: Sequence[Question], rank: Callable[[Question], Ranking]) -> Quality:
    """Ask each question once and score what comes first."""
    seconds: list[float] = []
    best: list[float] = []
    right: list[bool] = []
    top3 = 0
    for question in questions:
        started = time.process_time()
        found = rank(question)
        seconds.append(time.process_time() - started)
        best.append(found[0][1] if found else -np.inf)
        right.append(answers(question, found[:1]))
        top3 += answers(question, found[:3])
    inside = [question.in_scope for question in questions]
    n = sum(inside)
    return Quality(
        n=len(questions),
        top1=round(sum(right) / n, 4) if n else 0.0,
        top3=round(top3 / n, 4) if n else 0.0,
        coverage=tuple(round(coverage(best, right, n, share), 4) for share in WRONG_SHARES),
        auroc=auroc(best, inside),
        p50_ms=round(float(np.percentile(seconds, 50)) * 1000, 3),
        p99_ms=round(float(np.percentile(seconds, 99)) * 1000, 3),
    )


def answers(question: Question, found: Ranking) -> bool:
    """Whether one of these entries is a right answer."""
    return question.in_scope and any(
        source.topic == question.topic or source.topic in question.also for source, _ in found
    )


def coverage(scores: Sequence[float], right: Sequence[bool], in_scope: int, wrong_share: float) -> float:
    """The greatest share of `in_scope` answered right at a threshold with at most that share wrong.

    Equal scores are answered together or not at all; a score of minus infinity is never answered.
    """
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    best = good = 0
    for answered, place in enumerate(order, start=1):
        if scores[place] == -np.inf:
            break
        good += right[place]
        last = answered == len(order) or scores[order[answered]] < scores[place]
        if last and answered - good <= wrong_share * answered:
            best = max(best, good)
    return best / in_scope if in_scope else 0.0


def auroc(scores: Sequence[float], inside: Sequence[bool]) -> float | None:
    """The chance that a question in scope scores higher than one out of scope; a tie counts half."""
    ins = np.array([score for score, is_in in zip(scores, inside, strict=True) if is_in])
    outs = np.sort([score for score, is_in in zip(scores, inside, strict=True) if not is_in])
    if not len(ins) or not len(outs):
        return None
    lower = np.searchsorted(outs, ins, side="left") + np.searchsorted(outs, ins, side="right")
    return round(float(lower.sum()) / (2 * len(ins) * len(outs)), 4)


def ours(index: Index) -> Callable[[Question], Ranking]:
    """Our ranking by probability, whatever the outcome was."""

    def rank(question: Question) -> Ranking:
        staff = question.audience == "staff"
        outcome = index.rank(question.q, lambda entry_id: staff or index.source(entry_id).audience == "voter")
        return [(index.source(found.entry_id), found.probability) for found in outcome.candidates]

    return rank


def theirs(ask: Ask, sources: Sequence[Source]) -> Callable[[Question], Ranking]:
    """A peer's ranking of phrasings as one of entries: each scores as its best phrasing does."""
    owners = texts(sources)[1]

    def rank(question: Question) -> Ranking:
        found: dict[int, float] = {}
        for place, score in ask(question.q, _PHRASINGS):
            source = sources[owners[place]]
            if question.audience == "staff" or source.audience == "voter":
                found.setdefault(owners[place], score)
        return [(sources[owner], score) for owner, score in found.items()]

    return rank
