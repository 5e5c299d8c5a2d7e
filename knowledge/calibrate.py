"""From scores to probabilities that hold, and from those to the point from which one may answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.grams import Floats

KNOTS = 24
"""A curve is kept as at most so many points: enough for its shape, few enough to read."""
TRUST = 40
"""So many verdicts near a probability weigh as much as what the base says of itself."""
LOWEST, HIGHEST = 0.25, 0.95
"""However good or bad a base is, it answers at once from somewhere between these."""
LOST = 0.02
"""This share of questions that have an answer may go without choices, so that others get no useless ones."""
FAINTEST, FIRMEST = 0.05, 0.2


@dataclass(frozen=True, slots=True)
class Curve:
    """A rising line through points: what a score is worth. Without points every score is its own worth."""

    scores: tuple[float, ...] = ()
    worths: tuple[float, ...] = ()

    def __call__(self, score: float) -> float:
        """The probability, in [0, 1], of a score in [0, 1]."""
        if not self.scores:
            return score
        return float(np.interp(score, self.scores, self.worths))


def isotonic(values: Floats, weights: Floats) -> Floats:
    """The rising sequence nearest to `values`: neighbours out of order share their mean."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        block = (value, weight, 1)
        while blocks and blocks[-1][0] >= block[0]:
            before = blocks.pop()
            heavy = before[1] + block[1]
            mean = (before[0] * before[1] + block[0] * block[1]) / heavy
            block = (mean, heavy, before[2] + block[2])
        blocks.append(block)
    return np.repeat([mean for mean, _, _ in blocks], [count for _, _, count in blocks])


def curve(scores: Floats, right: Floats, weights: Floats) -> Curve:
    """What scores were worth: `right` says of each (0 or 1) whether it was; `weights` how often each counts.

    Cut into equal parts, smoothed towards the neighbours, and made strictly rising, so that no two scores
    lose their order. Too few scores give the plain curve.
    """
    if len(scores) < 4 * KNOTS:
        return Curve()
    order = np.argsort(scores, kind="stable")
    parts = np.array_split(order, KNOTS)
    middle = np.array([np.average(scores[part], weights=weights[part]) for part in parts])
    heavy = np.array([weights[part].sum() for part in parts])
    share = np.array([(weights[part] @ right[part] + 0.5 * middle[at]) / (heavy[at] + 0.5)
                      for at, part in enumerate(parts)])  # fmt: skip
    rising = isotonic(share, heavy)
    return _strict(np.concatenate([[0.0], middle, [1.0]]), np.concatenate([[0.0], rising, [1.0]]))


def verdicts_on(before: Curve, verdicts: Sequence[tuple[float, bool]]) -> Curve:
    """A curve corrected by what askers said: (probability at which was answered, whether it helped)."""
    if not verdicts:
        return before
    said = np.array([probability for probability, _ in verdicts])
    helped = np.array([float(right) for _, right in verdicts])
    grid = np.linspace(0.025, 0.975, 20)
    of = np.clip((said * 20).astype(int), 0, 19)
    count = np.bincount(of, minlength=20).astype(float)
    share = (np.bincount(of, weights=helped, minlength=20) + TRUST * grid) / (count + TRUST)
    after = _strict(np.concatenate([[0.0], grid, [1.0]]),
                    np.concatenate([[0.0], isotonic(share, count + TRUST), [1.0]]))  # fmt: skip
    scores = before.scores or after.scores
    return _strict(np.array(scores), np.array([after(before(score)) for score in scores]))


def _strict(scores: Floats, worths: Floats) -> Curve:
    kept_scores: list[float] = []
    kept_worths: list[float] = []
    for score, worth in zip(np.round(scores, 5).tolist(), np.round(worths, 5).tolist(), strict=True):
        if kept_scores and score <= kept_scores[-1]:
            continue
        least = kept_worths[-1] + 1e-4 if kept_worths else 0.0
        kept_scores.append(score)
        kept_worths.append(round(max(worth, least), 5))
    return Curve(tuple(kept_scores), tuple(kept_worths))


def answer_from(worths: Floats, right: Floats, weights: Floats, wanted_wrong: float) -> float:
    """The lowest probability from which at most `wanted_wrong` of all questions would be answered wrongly.

    One pseudo-error is added, so that a base with few questions is not trusted for want of evidence.
    """
    order = np.argsort(-worths, kind="stable")
    wrong = np.cumsum(weights[order] * (1 - right[order]))
    allowed = (wrong + weights.mean()) / weights.sum() <= wanted_wrong
    lowest = float(worths[order][allowed].min()) if allowed.any() else HIGHEST
    return round(min(max(lowest, LOWEST), HIGHEST), 4)


def offer_from(worths: Floats, weights: Floats, lost: float = LOST) -> float:
    """The probability from which choices are offered: of questions that have an answer (`worths` are theirs)
    at most the share `lost` lies below."""
    order = np.argsort(worths, kind="stable")
    below = np.cumsum(weights[order]) <= lost * weights.sum()
    found = float(worths[order][below].max()) if below.any() else 0.0
    return round(min(max(found, FAINTEST), FIRMEST), 4)
