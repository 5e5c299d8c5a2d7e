"""Which questions are the same question: a measure between two, and groups among many.

What counts is the matter of a question, what is left without words of function: its characters, each as
telling as it is rare among the questions looked at, and their order. That the matcher thought of the same
entry counts a little. Questions that contradict each other (本市 and 外省市, 4年 and 6年) count less.

Figures are in `tests/ticketing/test_similar.py`, measured on the ways to ask of the shipped base, of which
each entry has some fifty that were written to be unlike each other.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz import fuzz

from knowledge.features import Form, clashes, form, numbers_differ, opposed
from knowledge.live import lexicon
from knowledge.text import normalise

SAME = 0.42
"""From here on two questions may be one; among entirely different ones two in a thousand reach it."""
ALIKE = 0.95
"""From here on they are one without anybody looking: what differs is how it is written."""
COHESION = 0.6
"""Two groups become one where the questions of both are so much of `SAME` alike on average."""
LONGEST = 300
"""Only so much of a message is compared: what follows is the story."""
_HINT = 0.1
_CONTRADICTED = 0.8
_ORDER = 0.4
# Few questions say little about how telling a character is: up to here all count about the same.
_FEWEST = 200
# So many of the rarest pairs of characters of a question are looked up, so many questions found by each of
# them at most, and so many held against it: the work grows with the number of questions, not its square.
_LOOKED_UP, _COMMON, _HELD = 12, 120, 32


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asked. `key` is the caller's; `hint` names the entry or topic the matcher thought of."""

    key: int
    words: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    form: Form
    matters: frozenset[str]
    ordered: tuple[str, ...]
    pairs: tuple[str, ...]
    hint: str


class Rarity:
    """How telling each character is among some questions, and the length of a question's matter in that."""

    def __init__(self, texts: Iterable[frozenset[str]]) -> None:
        counts: Counter[str] = Counter()
        number = 0
        for characters in texts:
            counts.update(characters)
            number += 1
        number = max(number, _FEWEST)
        self._weights = {
            character: math.log(1 + number / (count + 0.5)) ** 2 for character, count in counts.items()
        }
        self._norms: dict[tuple[str, ...], float] = {}

    def sum(self, characters: Iterable[str]) -> float:
        """How telling these characters are together; they must come in one order, as sums depend on it."""
        weights = self._weights
        return sum([weights[character] for character in characters])

    def norm(self, matters: tuple[str, ...]) -> float:
        """The length of a question's matter."""
        found = self._norms.get(matters)
        if found is None:
            found = self._norms[matters] = math.sqrt(self.sum(matters))
        return found


def grouped(questions: Sequence[Question]) -> list[tuple[int, ...]]:
    """The keys of `questions`, same questions together: the largest group first, single ones last.

    Within a group the most typical question comes first. Equal input gives equal groups, whatever its order:
    ties are broken by the key. Takes about 0.4 ms a question: leave the event loop for many.
    """
    looks = [(question.key, _look(question)) for question in sorted(questions, key=lambda one: one.key)]
    # The same words are held against others only once, however many people use them.
    said: dict[tuple[str, str], list[int]] = defaultdict(list)
    first: dict[tuple[str, str], _Look] = {}
    for key, look in looks:
        name = (look.form.text, look.hint)
        said[name].append(key)
        first.setdefault(name, look)
    held = [first[name] for name in said]
    keys = [said[name] for name in said]
    rarity = Rarity(look.matters for look in held)
    links = {
        (one, other): alike
        for one, others in enumerate(_neighbours(held, rarity))
        for other in others
        if one < other and (alike := _alike(held[one], held[other], rarity)) >= SAME * COHESION
    }
    groups = _joined(len(held), links)
    found = []
    for group in groups:
        order = sorted(group, key=lambda at: (-_typical(at, group, links, keys), keys[at][0]))
        found.append(tuple(key for at in order for key in keys[at]))
    return sorted(found, key=lambda group: (-len(group), min(group)))


def closest(words: str, others: Sequence[Question]) -> tuple[int, float] | None:
    """The key of the question most like `words`, and how like it is from 0 to 1; None without any."""
    asked = _look(Question(0, words))
    looks = [(question.key, _look(question)) for question in others]
    rarity = Rarity([asked.matters, *(look.matters for _, look in looks)])
    measured = [(key, _alike(asked, look, rarity)) for key, look in looks]
    return min(measured, key=lambda found: (-found[1], found[0]), default=None)


def _look(question: Question) -> _Look:
    text = normalise(question.words[:LONGEST], lexicon())
    made = form(text, lexicon())
    # 「登记了没有」 has hardly any matter: then the words of function are all there is.
    matter = made.matter if len(made.matter) > 1 else text
    matters = frozenset(matter)
    pairs = set(map("".join, pairwise(matter))) or {matter}
    return _Look(made, matters, tuple(sorted(matters)), tuple(sorted(pairs)), question.hint)


def _alike(one: _Look, other: _Look, rarity: Rarity) -> float:
    if one.form.text == other.form.text:
        return 1.0
    shared = rarity.sum([character for character in one.ordered if character in other.matters])
    if not shared:
        return 0.0
    characters = shared / (rarity.norm(one.ordered) * rarity.norm(other.ordered))
    order = fuzz.ratio(one.form.matter, other.form.matter) / 100
    alike = (1 - _ORDER) * characters + _ORDER * order
    if _contradict(one.form, other.form):
        alike *= _CONTRADICTED
    if one.hint and one.hint == other.hint:
        alike += _HINT
    # Whatever is not said in the same words is a little less than the same.
    return min(alike, 0.99)


def _contradict(one: Form, other: Form) -> bool:
    return numbers_differ(one, other) or opposed(one.stances, other.stances) or clashes(one, other)


def _neighbours(looks: Sequence[_Look], rarity: Rarity) -> list[list[int]]:
    """For each question the others worth a closer look, found by their rarest pairs of characters."""
    where: dict[str, list[int]] = defaultdict(list)
    hints: dict[str, list[int]] = defaultdict(list)
    for at, look in enumerate(looks):
        for pair in look.pairs:
            where[pair].append(at)
        if look.hint:
            hints[look.hint].append(at)
    found: list[list[int]] = []
    for at, look in enumerate(looks):
        seen: dict[int, float] = defaultdict(float)
        rarest = sorted(look.pairs, key=lambda pair: (len(where[pair]), pair))[:_LOOKED_UP]
        for holders in [where[pair] for pair in rarest] + [hints.get(look.hint, [])]:
            if len(holders) <= _COMMON:
                for other in holders:
                    seen[other] += 1 / len(holders)
        seen.pop(at, None)
        found.append(sorted(seen, key=lambda other: (-seen[other], other))[:_HELD])
    both: list[set[int]] = [set(others) for others in found]
    for at, others in enumerate(found):
        for other in others:
            both[other].add(at)
    return [sorted(others) for others in both]


def _joined(number: int, links: Mapping[tuple[int, int], float]) -> list[list[int]]:
    """Groups grown along the strongest links first; a link that would join strangers is not followed."""
    groups: dict[int, list[int]] = {at: [at] for at in range(number)}
    home = list(range(number))
    for (one, other), alike in sorted(links.items(), key=lambda link: (-link[1], link[0])):
        if alike < SAME or home[one] == home[other]:
            continue
        left, right = groups[home[one]], groups[home[other]]
        total = sum([links.get((a, b) if a < b else (b, a), 0.0) for a in left for b in right])
        if total / (len(left) * len(right)) >= SAME * COHESION:
            gone = home[other]
            left.extend(right)
            for at in right:
                home[at] = home[one]
            del groups[gone]
    return list(groups.values())


def _typical(
    at: int, group: Sequence[int], links: Mapping[tuple[int, int], float], keys: Sequence[Sequence[int]]
) -> float:
    near = sum(
        len(keys[other]) * links.get((min(at, other), max(at, other)), 0.0) for other in group if other != at
    )
    return round(near + len(keys[at]), 9)
