"""The dense weights that hold for any base, fitted to what people really asked of several.

    python -m knowledge.prior ENTRIES QUESTIONS SHARE [ENTRIES QUESTIONS SHARE ...]     -> data/prior.json

Files as for `manage.py evaluate`; SHARE says how much a question of each counts. The shipped base with the
open golden questions always takes part. Only the weights of features are kept: no words of those files.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from knowledge import labelled, school, train
from knowledge.live import lexicon
from knowledge.school import DENSE, Lesson
from knowledge.train import PRIOR, Sheet, fit, named

PULL = 1.0


def prior_from(sets: Sequence[Sequence[Lesson]], shares: Sequence[float]) -> dict[str, float]:
    """Weights by feature that fit several bases at once; `shares` says how much a question of each counts."""
    parts = [
        replace(lesson, weight=share, left=(), missing=())
        for held, share in zip(sets, shares, strict=True)
        for lesson in held
    ]
    return named(fit(Sheet.of(parts), np.zeros(DENSE), PULL))


def main(arguments: Sequence[str]) -> None:
    """Fit to the files named and write the weights."""
    sets = [school.examined(train.shipped(), lexicon(), train.golden())]
    shares = [1.0]
    for entries, questions, share in zip(*(arguments[start::3] for start in range(3)), strict=True):
        asked = labelled.read_questions(questions)
        sets.append(school.examined(labelled.read_entries(entries), lexicon(), asked))
        shares.append(float(share))
    PRIOR.write_text(json.dumps(prior_from(sets, shares), indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
