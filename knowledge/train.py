"""Fits the matcher to a base: words that decide there, what a score is worth, when it may answer.

    python -m knowledge.train       data/entries and data/lexicon.yaml -> data/weights.json

The same base gives the same model. Takes about a minute on one core.
"""

import json
import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from knowledge import calibrate, school
from knowledge.calibrate import Curve
from knowledge.grams import Floats
from knowledge.labelled import Question, read_questions
from knowledge.live import lexicon
from knowledge.model import FILE, Model
from knowledge.outcomes import Source, Thresholds
from knowledge.pairs import FEATURES
from knowledge.school import DENSE, Lesson
from knowledge.school import Label as Label
from knowledge.text import Lexicon

DATA = Path(__file__).parent.parent / "data"
PRIOR = DATA / "prior.json"
ENOUGH = 150
"""With fewer hidden phrasings that have a right answer a base would only learn to say no."""
GOLDEN_WEIGHT = 6.0
"""What a golden question counts in lessons: with 2 and with 6 others were answered better than with none."""
GOLDEN_SHARE = 0.5
"""What all golden questions count against all lessons when scores are judged: they are true, but few."""
SHIPPED_EFFORT = 24_000
"""Lessons for what many offices start with: slower, and a little better."""
_PULL, _PULL_WORDS = 100.0, 5.0
_SEEN_OFTEN = 8
_WORTH_KEEPING = 0.04


@dataclass(frozen=True, slots=True)
class Sheet:
    """Lessons as arrays. `pair_of` and `word_of` say which pair shows which word."""

    rows: Floats
    right: Floats
    question: NDArray[np.intp]
    none_right: NDArray[np.bool_]
    weight: Floats
    group: NDArray[np.intp]
    entry: NDArray[np.intp]
    kin: Floats
    answerable: Floats
    pair_of: NDArray[np.int32]
    word_of: NDArray[np.int32]
    names: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, lessons: Sequence[Lesson], often: int = _SEEN_OFTEN) -> "Sheet":
        """Number the words that come up at least `often` times."""
        places: dict[tuple[str, str], int] = {}
        pairs, words = array("i"), array("i")
        at = 0
        for lesson in lessons:
            for left, missing in zip(lesson.left, lesson.missing, strict=True):
                for side, grams in (("left", left), ("missing", missing)):
                    for gram in grams:
                        pairs.append(at)
                        words.append(places.setdefault((side, gram), len(places)))
                at += 1
        shows = np.frombuffer(words, dtype=np.int32) if words else np.zeros(0, dtype=np.int32)
        counts = np.bincount(shows, minlength=len(places))
        # In an order of their own, so that sums do not depend on which lesson came first.
        kept = [name for name in sorted(places) if counts[places[name]] >= often]
        number = np.full(len(places), -1, dtype=np.int32)
        number[[places[name] for name in kept]] = range(len(kept))
        word_of = number[shows]
        shown = word_of >= 0
        return cls(
            rows=np.concatenate([lesson.rows for lesson in lessons]),
            right=np.concatenate([lesson.right for lesson in lessons]).astype(float),
            question=np.repeat(np.arange(len(lessons)), [len(lesson.rows) for lesson in lessons]),
            none_right=np.array([lesson.none_right for lesson in lessons]),
            weight=np.array([lesson.weight for lesson in lessons]),
            group=np.array([lesson.group for lesson in lessons]),
            entry=np.concatenate([lesson.entries for lesson in lessons]).astype(np.intp),
            kin=np.concatenate([lesson.kin for lesson in lessons]).astype(float),
            answerable=np.concatenate([lesson.answerable for lesson in lessons]).astype(float),
            pair_of=np.array(pairs, dtype=np.int32)[shown],
            word_of=word_of[shown],
            names=kept,
        )

    def points(self, weights: Floats) -> Floats:
        """What each pair weighs against "none of them", which weighs 1."""
        extra = np.bincount(self.pair_of, weights=weights[DENSE:][self.word_of], minlength=len(self.rows))
        points: Floats = np.exp(np.clip(self.rows @ weights[:DENSE] + extra, -30, 30))
        return points


def fit(sheet: Sheet, prior: Floats, pull: float, mask: NDArray[np.bool_] | None = None) -> Floats:
    """Weights under which what is right is likeliest: a softmax over each question and "none of them".

    `prior` are the dense weights to start from and to be pulled back to; words are pulled to nothing.
    `mask` says which questions to learn from.
    """
    start = np.concatenate([prior, np.zeros(len(sheet.names))])
    pulls = np.concatenate([np.full(DENSE, pull), np.full(len(sheet.names), _PULL_WORDS)])
    weight = sheet.weight if mask is None else sheet.weight * mask
    of_pair = weight[sheet.question]
    # A label without any right pair in sight cannot be satisfied.
    able = sheet.none_right | (np.bincount(sheet.question, weights=sheet.right) > 0)
    weight, of_pair = weight * able, of_pair * able[sheet.question]

    def loss(weights: Floats) -> tuple[float, Floats]:
        points = sheet.points(weights)
        whole = 1 + np.bincount(sheet.question, weights=points)
        hit = np.bincount(sheet.question, weights=points * sheet.right) + sheet.none_right
        hit = np.where(able, hit, 1.0)
        slope = (points / whole[sheet.question] - points * sheet.right / hit[sheet.question]) * of_pair
        of_words = np.bincount(sheet.word_of, weights=slope[sheet.pair_of], minlength=len(sheet.names))
        moved = weights - start
        value = float((weight * np.log(whole / hit)).sum() + (pulls * moved * moved).sum() / 2)
        return value, np.concatenate([sheet.rows.T @ slope, of_words]) + pulls * moved

    return descend(loss, start)


def descend(
    loss: Callable[[Floats], tuple[float, Floats]], start: Floats, steps: int = 60, memory: int = 12
) -> Floats:
    """The lowest point of a smooth function that gives value and slope (L-BFGS with halved steps)."""
    at = start
    value, slope = loss(at)
    past: list[tuple[Floats, Floats]] = []
    for _ in range(steps):
        way = slope.copy()
        shares = []
        for moved, bent in reversed(past):
            share = (moved @ way) / (bent @ moved)
            shares.append(share)
            way -= share * bent
        if past:
            way *= (past[-1][0] @ past[-1][1]) / (past[-1][1] @ past[-1][1])
        else:
            way /= max(float(np.abs(slope).sum()), 1.0)
        for (moved, bent), share in zip(past, reversed(shares), strict=True):
            way += moved * (share - (bent @ way) / (bent @ moved))
        length = 1.0
        while True:
            there = at - length * way
            lower, next_slope = loss(there)
            if lower <= value - 1e-4 * length * float(way @ slope) or length < 1e-8:
                break
            length /= 2
        moved, bent = there - at, next_slope - slope
        if moved @ bent > 1e-10:
            past = [*past[1 - memory :], (moved, bent)]
        settled = abs(value - lower) < 1e-6 * abs(value)
        at, value, slope = there, lower, next_slope
        if settled:
            break
    return at


def prior_weights() -> Floats:
    """The dense weights that hold for any base."""
    held = json.loads(PRIOR.read_text(encoding="utf-8"))
    return np.array([held[name] for name in FEATURES[:-1]])


def learn(
    sources: Sequence[Source],
    lexicon: Lexicon,
    *,
    labels: Sequence[Label] = (),
    verdicts: Sequence[tuple[float, bool]] = (),
    golden: Sequence[Question] = (),
    wanted_wrong: float = 0.01,
    effort: int = school.LESSONS,
) -> Model:
    """Train on a base and on what people said of its answers; the same input gives the same model.

    `verdicts` are probabilities at which was answered at once, and whether that helped. `golden` questions
    count more than lessons, for people really asked them. `wanted_wrong` is the share of all questions that
    may be answered wrongly when half of them have no answer. A base with too few phrasings for each entry
    keeps the prior. `effort` is about the number of lessons: 16,000 take one core for a minute.
    """
    prior = prior_weights()
    found = school.lessons(sources, lexicon, labels, effort)
    if sum(bool(lesson.right.any()) and not lesson.none_right for lesson in found) < ENOUGH:
        return Model(
            features=named(prior),
            curve=calibrate.verdicts_on(Curve(), verdicts),
            thresholds=Thresholds(hit=calibrate.HIGHEST),
        )
    found.extend(school.examined(sources, lexicon, golden, GOLDEN_WEIGHT))
    sheet = Sheet.of(found)
    weights = fit(sheet, prior, _PULL)
    judged = _out_of_fold(sheet, prior)
    curve = calibrate.curve(judged.scores, judged.right, judged.counts)
    worths = np.array([curve(score) for score in judged.scores])
    hit = calibrate.answer_from(worths * judged.answerable, judged.right, judged.counts, wanted_wrong)
    near = calibrate.offer_from(worths[judged.known], judged.counts[judged.known])
    return Model(
        features=named(weights[:DENSE]),
        left=_kept(sheet, weights, "left"),
        missing=_kept(sheet, weights, "missing"),
        curve=calibrate.verdicts_on(curve, verdicts),
        thresholds=Thresholds(hit=hit, near=near),
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """Of lessons that were not learned from: what the best entry scored, how right it was, how much each
    lesson counts, whether the matcher would have answered with it, and whether there is an answer."""

    scores: Floats
    right: Floats
    counts: Floats
    answerable: Floats
    known: NDArray[np.bool_]


def _out_of_fold(sheet: Sheet, prior: Floats) -> Judged:
    """Learn from the lessons about one half of the entries, and ask those about the other half.

    Those without an answer count for half of all: a base must not take it for granted that it is asked
    only what it knows.
    """
    golden = sheet.group <= school.GOLDEN
    mine = sheet.group % 2 == 1
    points = sheet.points(fit(sheet, prior, _PULL, ~mine))
    shares = points / (1 + np.bincount(sheet.question, weights=points))[sheet.question]
    # An entry's pairs add up; the best entry of each question is what would be answered.
    place = sheet.question * (int(sheet.entry.max()) + 1) + sheet.entry
    _, first_pair, owner = np.unique(place, return_index=True, return_inverse=True)
    of_entry = np.bincount(owner, weights=shares)
    # By topic, as everything is measured; where the entry itself is hidden a neighbour helps half the time.
    kin = sheet.kin[first_pair] * np.where(sheet.none_right[sheet.question[first_pair]], 0.5, 1.0)
    fits = np.maximum(np.bincount(owner, weights=sheet.right) > 0, kin)
    may = np.bincount(owner, weights=1 - sheet.answerable) == 0
    asked = sheet.question[first_pair]
    order = np.lexsort((-of_entry, asked))
    best = order[np.unique(asked[order], return_index=True)[1]]
    counts = sheet.weight * mine
    for kind, share in ((golden, GOLDEN_SHARE), (~golden, 1.0)):
        for side in (kind & sheet.none_right, kind & ~sheet.none_right):
            counts[side] *= share / max(float(counts[side].sum()), 1e-9)
    return Judged(
        scores=of_entry[best][mine],
        right=fits[best][mine],
        counts=counts[mine] * mine.sum() / counts.sum(),
        answerable=may[best][mine].astype(float),
        known=~sheet.none_right[mine],
    )


def named(dense: Floats) -> dict[str, float]:
    """Dense weights by the names of their features, rounded as they are kept."""
    return {name: round(float(weight), 3) for name, weight in zip(FEATURES[:-1], dense, strict=True)}


def _kept(sheet: Sheet, weights: Floats, side: str) -> dict[str, float]:
    found = {
        gram: round(float(weight), 2)
        for (of, gram), weight in zip(sheet.names, weights[DENSE:], strict=True)
        if of == side
    }
    return {gram: weight for gram, weight in found.items() if abs(weight) >= _WORTH_KEEPING}


def shipped() -> list[Source]:
    """The entries of `data/entries`."""
    sources: list[Source] = []
    for path in sorted((DATA / "entries").glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        for entry in data["entries"]:
            sources.append(
                Source(
                    entry_id=len(sources) + 1,
                    entry_no=entry["no"],
                    topic=data["topic"],
                    audience=entry.get("audience", "voter"),
                    question=entry["question"],
                    phrasings=tuple(entry["phrasings"]),
                    aliases=tuple(entry.get("aliases") or ()),
                )
            )
    return sources


def golden() -> list[Question]:
    """The open golden questions; neither the sealed ones nor the adversarial are learned from."""
    return [
        question for path in sorted((DATA / "golden").glob("*.jsonl")) for question in read_questions(path)
    ]


def main() -> None:
    """Fit to the shipped base and write the model."""
    model = learn(shipped(), lexicon(), golden=golden(), effort=SHIPPED_EFFORT)
    FILE.write_text(model.as_json(), encoding="utf-8")
    print(f"{FILE.name}: {len(model.left) + len(model.missing)} words, {model.thresholds}", file=sys.stderr)


if __name__ == "__main__":
    main()
