"""Fits the matcher's weights to a base by asking it about itself; no labelled questions are needed.

    python -m knowledge.train            reads data/entries and data/lexicon.yaml, writes data/weights.json

Every phrasing is hidden in turn and asked as a question: the right answer is its own entry. For a part of
them the whole entry or its whole topic is hidden: then nothing is right. Nor is anything right when a telling
word has been replaced by a matter of some other office, or for small talk. Most are spoiled as people type.
The same base gives the same weights. Takes about a minute and a half on one core.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from knowledge.features import Form, form
from knowledge.grams import Floats
from knowledge.model import FILE, SHIPPED, Model
from knowledge.noise import CHATTER, misplace, spoil
from knowledge.outcomes import Source
from knowledge.pairs import FEATURES, Words
from knowledge.phrasebook import Phrasebook
from knowledge.text import Lexicon, normalise

DATA = Path(__file__).parent.parent / "data"
HIDDEN_ENTRY, HIDDEN_TOPIC = 0.18, 0.12
NOISY = (0.4, 0.8, 0.6, 0.8, 0.4, 0.8)
"""Share of spoiled questions, one round each."""
FOREIGN = (0.8, 0.8)
"""Share of phrasings that are asked with a telling word replaced, one round each."""
_ABOUT = (
    *(
        "{}怎么办理",
        "{}要什么材料",
        "{}多少钱",
        "办{}去哪里",
        "{}什么时候可以办",
        "我想问{}的事",
        "{}找谁",
        "{}怎么弄",
    ),
    *(
        "老人{}怎么办",
        "外地人可以{}吗",
        "{}有什么规定",
        "{}最近怎么样",
        "{}需要什么条件",
        "{}几点开门",
        "{}网上能办吗",
    ),
    *(
        "办{}带什么证件",
        "办{}要身份证和户口本吗",
        "{}需要哪些资料",
        "{}的材料交到哪里",
        "{}要本人去吗",
        "{}要等几天",
    ),
    *("居委会管{}吗", "{}可以代办吗", "{}过期了怎么办", "不去{}会怎么样", "{}的结果在哪里查"),
)
_PULL, _PULL_WORDS = 3.0, 12.0
_SEEN_OFTEN = 60
_WORTH_KEEPING = 0.05
_DENSE = len(FEATURES) - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: its pairs' features, which of them are right, and the words only one side has."""

    rows: Floats
    right: NDArray[np.bool_]
    left: tuple[tuple[str, ...], ...]
    missing: tuple[tuple[str, ...], ...]


class School:
    """A base that is asked about itself."""

    def __init__(self, sources: Sequence[Source], lexicon: Lexicon, seed: int) -> None:
        self._book = Phrasebook(lexicon, Words({}, {}))
        self._book.build(sources)
        self._lexicon = lexicon
        self._dice = random.Random(seed)
        self._topics: dict[str, list[int]] = {}
        for source in sources:
            self._topics.setdefault(source.topic, []).append(source.entry_id)

    def hidden(self, noisy: float) -> Iterable[Asked]:
        """Every phrasing as a question, hidden alone, with its entry or with its topic."""
        dice = self._dice
        order = list(range(len(self._book.phrasings)))
        dice.shuffle(order)
        for number in order:
            phrasing = self._book.phrasings[number]
            text = spoil(phrasing.original, dice) if dice.random() < noisy else phrasing.original
            chance = dice.random()
            source = self._book.entries[phrasing.entry_id].source
            if chance < HIDDEN_ENTRY:
                gone = self._book.entries[source.entry_id].numbers
            elif chance < HIDDEN_ENTRY + HIDDEN_TOPIC:
                gone = [
                    n for entry_id in self._topics[source.topic] for n in self._book.entries[entry_id].numbers
                ]
            elif len(self._book.entries[source.entry_id].numbers) == 1:
                continue
            else:
                gone = [number]
            yield from self._ask(text, gone, source, source.entry_id if gone == [number] else None)

    def foreign(self, share: float) -> Iterable[Asked]:
        """Phrasings that now speak of something else, other offices' matters, and small talk."""
        dice = self._dice
        words = sorted(word for held in self._lexicon.foreign.values() for word in held)
        for number, phrasing in enumerate(self._book.phrasings):
            if not words or dice.random() > share:
                continue
            text = misplace(phrasing.form.text, phrasing.form.matter, self._book.telling, words, dice)
            source = self._book.entries[phrasing.entry_id].source
            if text is not None:
                text = spoil(text, dice) if dice.random() < 0.3 else text
                yield from self._ask(text, [number], source, None)
        for word in words:
            for pattern in dice.sample(_ABOUT, 3):
                yield from self._ask(pattern.format(word), [], None, None)
        for text in CHATTER:
            for said in (text, *(spoil(text, dice) for _ in range(5))):
                yield from self._ask(said, [], None, None)

    def _ask(
        self, text: str, gone: Sequence[int], source: Source | None, right: int | None
    ) -> Iterable[Asked]:
        asked = form(normalise(text, self._lexicon), self._lexicon)
        staff = source is not None and source.audience == "staff"
        may: Callable[[int], bool] = (
            (lambda _: True)
            if staff
            else lambda entry_id: self._book.entries[entry_id].source.audience == "voter"
        )
        with self._book.without(gone):
            numbers, rows = self._book.pairs(asked, may)
            if not numbers:
                return
            paired = [self._book.phrasings[number] for number in numbers]
            heard = {
                entry_id: frozenset().union(
                    *(
                        gram_set
                        for number in self._book.entries[entry_id].numbers
                        if number not in gone
                        for gram_set in self._book.phrasings[number].form.sets[:2]
                    )
                )
                for entry_id in {phrasing.entry_id for phrasing in paired}
            }
        own = _words(asked)
        yield Asked(
            rows[:, :_DENSE],
            np.array([phrasing.entry_id == right for phrasing in paired]),
            tuple(tuple(sorted(own - heard[phrasing.entry_id])) for phrasing in paired),
            tuple(tuple(sorted(_words(phrasing.form) - own)) for phrasing in paired),
        )


def _words(of: Form) -> frozenset[str]:
    return of.sets[0] | of.sets[1]


def fit(lessons: Sequence[Asked]) -> dict[str, dict[str, float]]:
    """Weights under which the right entry, or "none of them", is likeliest: a softmax over each question."""
    rows = np.concatenate([lesson.rows for lesson in lessons])
    right = np.concatenate([lesson.right for lesson in lessons]).astype(float)
    question = np.repeat(np.arange(len(lessons)), [len(lesson.rows) for lesson in lessons])
    has_right = np.bincount(question, weights=right) > 0
    words = [
        [("left", gram) for gram in left] + [("missing", gram) for gram in missing]
        for lesson in lessons
        for left, missing in zip(lesson.left, lesson.missing, strict=True)
    ]
    counts = Counter(word for held in words for word in held)
    places = {w: n for n, w in enumerate(sorted(w for w, count in counts.items() if count >= _SEEN_OFTEN))}
    pair_of = np.array([n for n, held in enumerate(words) for w in held if w in places], dtype=np.intp)
    word_of = np.array([places[w] for held in words for w in held if w in places], dtype=np.intp)
    pull = np.concatenate([[0.0], np.full(_DENSE - 1, _PULL), np.full(len(places), _PULL_WORDS)])

    def loss(weights: Floats) -> tuple[float, Floats]:
        extra = np.bincount(pair_of, weights=weights[_DENSE:][word_of], minlength=len(rows))
        points = np.exp(np.clip(rows @ weights[:_DENSE] + extra, -30, 30))
        whole = 1 + np.bincount(question, weights=points)
        hit = np.where(has_right, np.bincount(question, weights=points * right), 1.0)
        slope = points / whole[question] - np.where(has_right[question], points * right / hit[question], 0)
        of_words = np.bincount(word_of, weights=slope[pair_of], minlength=len(places))
        value = float(np.log(whole / hit).sum() + (pull * weights * weights).sum() / 2)
        return value, np.concatenate([rows.T @ slope, of_words]) + pull * weights

    weights = descend(loss, np.zeros(_DENSE + len(places)))
    found: dict[str, dict[str, float]] = {
        "features": {name: round(float(w), 3) for name, w in zip(FEATURES[:-1], weights, strict=False)},
        "left": {},
        "missing": {},
    }
    for (side, gram), place in places.items():
        weight = round(float(weights[_DENSE + place]), 2)
        if abs(weight) >= _WORTH_KEEPING:
            found[side][gram] = weight
    return found


def descend(
    loss: Callable[[Floats], tuple[float, Floats]], start: Floats, steps: int = 100, memory: int = 12
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
        settled = abs(value - lower) < 1e-7 * abs(value)
        at, value, slope = there, lower, next_slope
        if settled:
            break
    return at


def lessons(sources: Sequence[Source], lexicon: Lexicon) -> list[Asked]:
    """All that a base can be asked about itself; the same base gives the same lessons."""
    found: list[Asked] = []
    for seed, noisy in enumerate(NOISY):
        found.extend(School(sources, lexicon, seed).hidden(noisy))
    for seed, share in enumerate(FOREIGN, start=len(NOISY)):
        found.extend(School(sources, lexicon, seed).foreign(share))
    return found


@dataclass(frozen=True, slots=True)
class Label:
    """A verdict of people: this entry answers this question, or does not; `weight` counts in lessons."""

    question: str
    entry_id: int
    right: bool
    weight: float


def learn(
    sources: Sequence[Source],
    lexicon: Lexicon,
    *,
    labels: Sequence[Label] = (),
    verdicts: Sequence[tuple[float, bool]] = (),
    wanted_wrong: float = 0.01,
) -> Model:
    """Train on a base and on what people said of its answers; the same input gives the same model.

    `verdicts` are probabilities at which was answered at once, and whether that helped. `wanted_wrong` is the
    share of answers that may be wrong. Takes one core for up to two minutes.
    """
    weights = fit(lessons(sources, lexicon))
    return Model(**weights, thresholds=SHIPPED.thresholds)


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


def main() -> None:
    """Fit to the shipped base and write the weights."""
    lexicon = Lexicon.from_data(yaml.safe_load((DATA / "lexicon.yaml").read_text(encoding="utf-8")))
    model = learn(shipped(), lexicon)
    FILE.write_text(model.as_json(), encoding="utf-8")
    print(f"{FILE.name}: {len(model.left) + len(model.missing)} words", file=sys.stderr)


if __name__ == "__main__":
    main()
