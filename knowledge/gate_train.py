"""Fits the gate's leanings to its examples: what a message has in common with those that must stop.

    python -m knowledge.gate_train     reads data/gate_examples.yaml and data/entries, writes
                                       data/gate_weights.json

Messages that must stop are taken from the examples; messages that must pass are the examples' and what the
base answers. The threshold of a kind is set on messages that were not fitted to. Takes a few seconds.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml

from knowledge import base
from knowledge.gate import WEIGHTS, Gate, Leaning, by_rule, pieces
from knowledge.grams import Floats

EXAMPLES = Path(__file__).parent.parent / "data" / "gate_examples.yaml"
KINDS = (Gate.DISTRESS, Gate.REPORT, Gate.OTHER_PERSON, Gate.BELIEF, Gate.OPINION)
"""In the order in which they are asked. Abuse is known by its words, another language by its letters."""
WRONGLY_STOPPED = 0.001
"""Share of messages that must pass, and that were not fitted to, above the threshold of a kind."""
_CLEAR = 0.05
_SMALL = 0.1
_ROUNDS, _STEP, _STEP_OF_BIAS, _PULL, _BIAS = 300, 0.8, 0.5, 1e-6, -3.0
_WEIGHT_OF_STOPS, _WEIGHT_OF_NEAR = 8.0, 4.0
_FOLDS = 4


@dataclass(frozen=True, slots=True)
class Message:
    """One message and its kind; None when it must pass."""

    text: str
    kind: Gate | None
    near: bool = True
    """Whether it was written as an example: of what must stop, or of what is near to it."""


def examples(path: Path = EXAMPLES) -> tuple[Message, ...]:
    """Every message of the file of examples."""
    found: list[Message] = []
    for kind, sides in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        found.extend(Message(text, Gate(kind)) for text in sides["stop"].splitlines())
        found.extend(Message(text, None) for text in sides["pass"].splitlines())
    return tuple(found)


def fit(messages: Sequence[Message]) -> Mapping[Gate, Leaning]:
    """The leaning of every kind; the same messages give the same weights."""
    held = [pieces(message.text) for message in messages]
    seen = Counter(piece for found in held for piece in found)
    # A piece of one message only is that message's, not its kind's.
    column = {piece: number for number, piece in enumerate(sorted(p for p, n in seen.items() if n > 1))}
    worth = np.array([_WEIGHT_OF_NEAR if message.near else 1.0 for message in messages])
    table = _Table(held, column, worth)
    leanings: dict[Gate, Leaning] = {}
    for kind in KINDS:
        right = np.array([message.kind is kind for message in messages], dtype=np.float64)
        must_pass = np.array([message.kind is None for message in messages])
        fold = np.arange(len(messages)) % _FOLDS
        unseen = np.zeros(len(messages))
        for part in range(_FOLDS):
            weights, bias = table.fit(right, (fold != part).astype(np.float64))
            unseen[fold == part] = table.scores(weights, bias)[fold == part]
        weights, bias = table.fit(right, np.ones(len(messages)))
        kept = {p: round(float(weights[at]), 2) for p, at in column.items() if abs(weights[at]) >= _SMALL}
        # What it was told to let pass it lets pass, and a message of unknown pieces leans nowhere.
        told = [
            Leaning(kept, bias, 0.0).score(found) for found, free in zip(held, must_pass, strict=True) if free
        ]
        threshold = max(float(np.quantile(unseen[must_pass], 1 - WRONGLY_STOPPED)), *told, bias) + _CLEAR
        leanings[kind] = Leaning(kept, round(bias, 3), round(threshold, 3))
    return leanings


class _Table:
    """Which pieces which message has, laid out for fast sums."""

    def __init__(self, held: Sequence[frozenset[str]], column: Mapping[str, int], worth: Floats) -> None:
        self._worth = worth
        rows = [[column[piece] for piece in sorted(found) if piece in column] for found in held]
        self._columns = np.array([at for row in rows for at in row], dtype=np.int64)
        self._rows = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        self._length = np.array([len(found) ** -0.5 for found in held])
        self._width = len(column)

    def scores(self, weights: Floats, bias: float) -> Floats:
        sums = np.bincount(self._rows, weights=weights[self._columns], minlength=len(self._length))
        return np.asarray(sums * self._length + bias)

    def fit(self, right: Floats, used: Floats) -> tuple[Floats, float]:
        weights, bias = np.zeros(self._width), _BIAS
        steps, steps_of_bias = np.full(self._width, 1e-8), 1e-8
        share = np.where(right == 1.0, _WEIGHT_OF_STOPS, self._worth) * used / used.sum()
        for _ in range(_ROUNDS):
            error = (1.0 / (1.0 + np.exp(-self.scores(weights, bias))) - right) * share
            pulled = np.bincount(
                self._columns, weights=(error * self._length)[self._rows], minlength=self._width
            )
            slope = pulled + _PULL * weights
            steps += slope * slope
            steps_of_bias += float(error.sum()) ** 2
            weights = weights - _STEP * slope / np.sqrt(steps)
            bias -= _STEP_OF_BIAS * float(error.sum()) / steps_of_bias**0.5
        return weights, bias


def material() -> tuple[Message, ...]:
    """The examples, and what the base answers as messages that must pass."""
    answered = [text for source in base.shipped() for text in (source.question, *source.phrasings)]
    return (*examples(), *(Message(text, None, near=False) for text in answered if by_rule(text) is None))


def main() -> None:
    """Fit to the shipped examples and write the weights."""
    leanings = fit(material())
    rows = {kind.value: asdict(leaning) for kind, leaning in leanings.items()}
    WEIGHTS.write_text(json.dumps(rows, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    for kind, leaning in leanings.items():
        print(f"{kind.value:14} {len(leaning.weights):6} weights, threshold {leaning.threshold:.2f}")


if __name__ == "__main__":
    main()
