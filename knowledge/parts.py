"""Words and their parts of speech: what is left over weighs differently as a noun and as a particle."""

from collections.abc import Mapping
from functools import lru_cache

import rjieba

CLASSES = ("nouns", "verbs", "others")
_NOUN, _VERB, OTHER = range(len(CLASSES))
# By the first letter of the dictionary's tags (ICTCLAS): n noun, s place, j short form, t time,
# i idiom, x foreign, v verb. Adjectives, numbers, pronouns, adverbs and particles are the rest.
_CLASS_OF = {"n": _NOUN, "s": _NOUN, "j": _NOUN, "t": _NOUN, "i": _NOUN, "v": _VERB, "x": _NOUN}


@lru_cache(maxsize=4_000)
def parts(text: str) -> tuple[tuple[str, int], ...]:
    """The words of a normalised text in order, each with the number of its class in `CLASSES`."""
    return tuple((word, _CLASS_OF.get(tag[:1], OTHER)) for word, tag in rjieba.tag(text))


def classes(words: tuple[tuple[str, int], ...]) -> Mapping[str, int]:
    """The class of each character: that of the first word it stands in."""
    found: dict[str, int] = {}
    for word, kind in words:
        for char in word:
            found.setdefault(char, kind)
    return found
