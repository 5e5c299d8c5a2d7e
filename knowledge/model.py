"""What the matcher has learned: a plain sum of weights, so every point of a score has a name.

`data/weights.json` is the shipped model, written by `python -m knowledge.train`. An office's own base trains
its own, starting from this one.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.calibrate import Curve
from knowledge.grams import Floats
from knowledge.outcomes import Thresholds
from knowledge.pairs import FEATURES, Words

FILE = Path(__file__).parent.parent / "data" / "weights.json"


@dataclass(frozen=True)
class Model:
    """Weights by name of feature and by word, how scores become probabilities, and when to answer."""

    features: Mapping[str, float]
    left: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, float] = field(default_factory=dict)
    curve: Curve = field(default_factory=Curve)
    """What a share of belief is worth as a probability."""
    thresholds: Thresholds = field(default_factory=Thresholds)

    @cached_property
    def weights(self) -> Floats:
        """In the order of `FEATURES`; the last one, `words`, is itself a sum of weights."""
        return np.array([*(self.features.get(name, 0.0) for name in FEATURES[:-1]), 1.0])

    @cached_property
    def words(self) -> Words:
        """What single characters and bigrams say that only the question has, or only the phrasing."""
        return Words(left=self.left, missing=self.missing)

    @cached_property
    def digest(self) -> str:
        """Names this model: equal for equal content."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()

    def as_json(self) -> str:
        """The whole model as text; equal models give equal texts."""
        held = {
            "features": dict(self.features),
            "left": dict(self.left),
            "missing": dict(self.missing),
            "curve": {"scores": list(self.curve.scores), "worths": list(self.curve.worths)},
            "thresholds": asdict(self.thresholds),
        }
        text = json.dumps(held, ensure_ascii=False, sort_keys=True, indent=0)
        return text.replace(',\n"', ', "').replace("}, ", "},\n") + "\n"

    @classmethod
    def from_json(cls, text: str, *, any_features: bool = False) -> Model:
        """Read what `as_json` wrote. Raises ValueError for anything else.

        `any_features`: weights of features we no longer have, or lack, are no fault.
        """
        try:
            held: dict[str, Any] = json.loads(text)
            model = cls(
                features=_numbers(held["features"]),
                left=_numbers(held["left"]),
                missing=_numbers(held["missing"]),
                curve=Curve(_rising(held["curve"]["scores"]), _rising(held["curve"]["worths"])),
                thresholds=Thresholds(**_numbers(held["thresholds"])),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a model: {error!r}") from error
        if len(model.curve.scores) != len(model.curve.worths):
            raise ValueError("not a model: its curve has points that lack a half")
        if not any_features and set(model.features) != set(FEATURES[:-1]):
            raise ValueError("not a model of this version: its features are others")
        return model


def _rising(values: list[Any]) -> tuple[float, ...]:
    points = tuple(float(value) for value in values)
    if not all(0 <= point <= 1 for point in points) or sorted(set(points)) != list(points):
        raise ValueError("not a model: its curve must rise from 0 to 1")
    return points


def _numbers(held: Mapping[str, Any]) -> dict[str, float]:
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in held.values()):
        raise ValueError("not a model: weights must be finite numbers")
    return dict(held)


# Of whatever features: after a change of them it must still be possible to train (a test holds them equal).
SHIPPED = Model.from_json(FILE.read_text(encoding="utf-8"), any_features=True)
