"""What is left over on either side of a question and its candidates, in characters and in words."""

from itertools import pairwise

import numpy as np

from knowledge.features import Form
from knowledge.grams import Floats, Probe
from knowledge.parts import CLASSES, OTHER

Weighed = tuple[str, tuple[float, ...], bytes]
"""Characters, how telling each is, and its part of speech."""


def lacks(known: frozenset[str], weighed: Weighed) -> tuple[float, ...]:
    """Of the characters that the question lacks: how telling the first is, and the sums by part of speech."""
    sums = [0.0] * len(CLASSES)
    first = 0.0
    for char, weight, kind in zip(*weighed, strict=True):
        if char not in known:
            first = first or weight
            sums[kind] += weight
    return (first / 5, *sums)


def kinds_of(asked: Form, found: Probe) -> Floats:
    """Per gram a 1 in the column of its part of speech, for characters only."""
    table, classes = np.zeros((len(found.grams), len(CLASSES))), asked.classes
    for place, (channel, gram) in enumerate(found.grams):
        if channel == 0:
            table[place, classes.get(gram, OTHER)] = 1.0
    return table


def words_left(asked: Form, found: Probe, left: Floats) -> tuple[Floats, Floats]:
    """How many words the whole base has never seen, by part of speech; and per entry how telling the most
    telling word is that the entry lacks, how many words it lacks altogether, and how far both lead away
    from what the base speaks of most: a question about its people, but not about its matter, is astray."""
    strange, words = np.zeros(len(CLASSES)), asked.words
    if not words:
        return strange, np.zeros((len(left), 4))
    at = {held: place for place, held in enumerate(found.grams)}
    lacks = np.empty((len(left), len(words)))
    telling = np.empty(len(words))
    for number, (word, kind) in enumerate(words):
        inner = [at[1, pair] for pair in map("".join, pairwise(word)) if (1, pair) in at]
        strange[kind] += not found.seen[inner].any()
        telling[number] = found.idf[inner].min() if inner else 0.0
        lacks[:, number] = left[:, [at[0, char] for char in word]].mean(axis=1)
    heaviest = (lacks * telling).max(axis=1) / 6
    off = float(min(telling[number] for number, (_, kind) in enumerate(words) if kind < OTHER)
                if any(kind < OTHER for _, kind in words) else telling.min()) / 6  # fmt: skip
    lacked = (lacks > 0.99).sum(axis=1) / 3
    parts = [heaviest, lacked, heaviest * off, np.full(len(left), off)]
    return np.minimum(strange, 3) / 3, np.stack(parts, axis=1)


def unheard(asked: Form, found: Probe, has: Floats) -> Floats:
    """Per entry the longest run of the question's own matter of which it has not a single character."""
    # Characters come first among the grams, in order.
    column = {gram: place for place, (channel, gram) in enumerate(found.grams) if channel == 0}
    longest = run = np.zeros(len(has))
    for char in asked.matter:
        run = (run + 1) * (1 - has[:, column[char]])
        longest = np.maximum(longest, run)
    return np.minimum(longest, 4) / 4
