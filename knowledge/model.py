"""The weights of the matcher's second stage: a plain sum, so every point of a score has a name.

Fitted once, outside the program, by logistic regression on pairs of question and phrasing: the shipped
base asked about itself (each phrasing hidden in turn and asked as a question, some with typing noise, one
in eight with its whole entry hidden) and public question pairs. Not fitted on the golden questions. To be
fitted anew when `FEATURES` change or the base has grown by half.
"""

import numpy as np

from knowledge.features import FEATURES

_WEIGHTS = {
    "bias": -7.162,
    "cosine_characters": -0.596,
    "cosine_bigrams": 3.574,
    "cosine_sounds": 2.943,
    "ratio": -0.099,
    "ratio_sounds": 1.540,
    "question_covered": -2.200,
    "question_covered_bigrams": -3.996,
    "phrasing_covered": 1.259,
    "phrasing_covered_bigrams": -4.573,
    "entry_covers": 3.042,
    "entry_covers_bigrams": 0.685,
    "heaviest_left_over": 0.482,
    "heaviest_missing": 0.718,
    "unknown": 0.354,
    "numbers_differ": -0.313,
    "negation_differs": -0.169,
    "clash": -0.505,
    "opposite": -1.296,
    "kind_agrees": 0.009,
    "kind_differs": -0.318,
    "facts_extra": -0.870,
    "facts_missing": -0.703,
    "length_question": 0.746,
    "length_phrasing": 1.718,
    "length_ratio": 0.088,
    "entry_support": 1.982,
    "entry_second": 1.414,
    "lead": 6.669,
    "substring": -0.104,
    "content_ratio": -0.184,
    "content_left": 0.044,
    "content_missing": -0.238,
    "content_swapped": -0.230,
    "content_equal": 1.571,
    "content_unknown": 0.555,
    "content_jaccard": 2.118,
    "phrasings": 0.405,
    "unheard": -0.844,
}

WEIGHTS = np.array([_WEIGHTS[name] for name in FEATURES])
"""In the order of `FEATURES`."""
