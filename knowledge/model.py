"""The weights of the matcher's second stage: a plain sum, so every point of a score has a name.

`data/weights.json` is written by `python -m knowledge.train` from the shipped entries alone. To be fitted
anew when `FEATURES` change or the base has grown by half.
"""

import json
from pathlib import Path

import numpy as np

from knowledge.pairs import FEATURES, Words

FILE = Path(__file__).parent.parent / "data" / "weights.json"

_DATA = json.loads(FILE.read_text(encoding="utf-8"))

WEIGHTS = np.array([*(_DATA["features"].get(name, 0.0) for name in FEATURES[:-1]), 1.0])
"""In the order of `FEATURES`; the last one, `words`, is itself a sum of weights."""

WORDS = Words(left=_DATA["left"], missing=_DATA["missing"])
"""What single characters and bigrams say that only the question has, or only the phrasing."""
