"""What is known of the asker's case sharpens what the matcher found.

The nearer office's entry comes before the wider one, the entry for a case like theirs before its opposite;
where one fact decides, that fact is asked back. Nothing here finds an entry that the matcher did not find: a
miss stays a miss, and what the matcher would not offer is never answered with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from knowledge.case import Case, Fact, Profile, profile_of, stated, table, the_difference
from knowledge.features import Form, opposed
from knowledge.match import MAX_CHOICES, Index
from knowledge.outcomes import Candidate, Hit, Miss, Near, Outcome

_ALIKE = 75
"""From this likeness in percent two wordings ask the same, once the words of a fact are left out."""
_SAME = 88
"""From this likeness two whole wordings ask the same of two offices."""
_FOR = 4.0
_AGAINST = 1 / 16
"""How much an entry for a case like the asker's gains, and one for another case loses."""
_SEASON = 2.0
"""How much an entry gains that is asked for at this stage of the election."""
_FAINT = 0.5
"""A third entry must be this much fainter than the second, or the fact alone does not decide."""
_BARELY = 0.2
"""The second must be at least so likely, compared with the first, that the fact is worth a question."""
_MOST = 0.99
_LITTLE = re.compile(r"[的了吗呢吧啊呀么们人员都就还也]")


@dataclass(frozen=True, slots=True)
class Place:
    """Whose an entry is: the path of its unit, and whether it was written for askers like this one."""

    path: str
    written_for: bool = True


@dataclass(frozen=True, slots=True)
class AskBack(Near):
    """Choices that differ in one fact only: ask for that; `values` are the choices' values of it."""

    fact: str
    values: tuple[str, ...]

    @property
    def options(self) -> tuple[tuple[str, int], ...]:
        """Each value and the entry that fits it."""
        ids = (choice.entry_id for choice in self.choices)
        return tuple(zip(self.values, ids, strict=True))


def sharpen(
    outcome: Outcome,
    index: Index,
    case: Case,
    place_of: Callable[[int], Place],
    again: Callable[[frozenset[int]], Outcome],
) -> Outcome:
    """The matcher's outcome in the light of the asker's case.

    `index` is the one that found it; `place_of` says of each candidate's entry whose it is; `again` asks the
    matcher once more without some entries. Another hit comes only of that: where the entries in the way
    differ from the winner in nothing but whose they are, or in a fact that the asker has stated, and the
    matcher is sure of the winner when they are out of the way.
    """
    if isinstance(outcome, Miss):
        return outcome
    asked = stated(outcome.candidates[0].asked.text)
    known = {name: value for name, value in case.facts.items() if name in table().facts} | asked
    found = [_Found.of(candidate, index, place_of) for candidate in outcome.candidates]
    near = index.model.thresholds.near
    return _Sharpening(outcome, near, known, asked, case.stage, tuple(found), again).outcome()


@dataclass(frozen=True, slots=True)
class _Found:
    """A candidate with what is known of its entry."""

    candidate: Candidate
    profile: Profile
    question: Form
    place: Place

    @classmethod
    def of(cls, candidate: Candidate, index: Index, place_of: Callable[[int], Place]) -> _Found:
        entry_id = candidate.entry_id
        numbers = index.book.entries[entry_id].numbers
        question = index.book.phrasings[numbers[0]].form if numbers else candidate.matched
        return cls(candidate, profile_of(index, entry_id) or Profile((), {}), question, place_of(entry_id))

    @property
    def chance(self) -> float:
        return self.candidate.probability

    @property
    def word_for_word(self) -> bool:
        """Whether the base has exactly these words: then they mean this entry, whoever asks."""
        return self.candidate.asked.text == self.candidate.matched.text

    def against(self, known: Mapping[str, str]) -> bool:
        """Whether the entry is for another case than this."""
        return any(known.get(name, value) != value for name, value in self.profile.facts.items())

    def nearer(self, other: _Found) -> bool:
        """Whether this entry answers the same question and takes precedence: written for such askers, or by
        the office nearer to them."""
        mine, yours = self.place, other.place
        if (mine.written_for, len(mine.path)) <= (yours.written_for, len(yours.path)):
            return False
        if self.candidate.topic != other.candidate.topic and mine.written_for == yours.written_for:
            return False
        return _same(self.question, other.question) or _same(self.candidate.matched, other.candidate.matched)

    def like(self, other: _Found, fact: Fact) -> bool:
        """Whether both ask the same once the fact is left out, by the wording that came up."""
        return _alike(self, other, fact) or _alike(other, self, fact)


@dataclass(frozen=True, slots=True)
class _Sharpening:
    matched: Hit | Near
    near: float
    known: Mapping[str, str]
    asked: Mapping[str, str]
    stage: str
    found: tuple[_Found, ...]
    again: Callable[[frozenset[int]], Outcome]

    def outcome(self) -> Outcome:
        first = self.found[0]
        behind = [one for one in self.found if self._superseded(one)]
        order = sorted((one for one in self.found if one not in behind), key=self._weight, reverse=True)
        best = order[0]
        fits = first not in behind and (first.word_for_word or not first.against(self.known))
        better = best is not first and best.chance >= self.near and self._decides(best, first)
        if isinstance(self.matched, Hit) and fits and not better:
            return self.matched
        way = [
            one for one in self.found if one is not best and (best.nearer(one) or self._decides(best, one))
        ]
        if way and self._offered(best):
            hidden = {one.candidate.entry_id: one.candidate for one in (*way, *behind)}
            alone = self.again(frozenset(hidden))
            if isinstance(alone, Hit) and alone.best.entry_id == best.candidate.entry_id:
                return Hit((*alone.candidates, *hidden.values()))
        if isinstance(self.matched, Hit) and fits:
            return self.matched
        candidates = tuple(one.candidate for one in (*order, *behind))
        plain = Near(candidates, candidates[: min(MAX_CHOICES, len(order))])
        return self._ask_back(order, candidates) or plain

    def _superseded(self, one: _Found) -> bool:
        others = (other for other in self.found if other is not one and other.chance >= self.near)
        return any(other.nearer(one) for other in others)

    def _weight(self, one: _Found) -> float:
        """How likely the entry is meant, in the light of the case, as odds."""
        weight = one.chance / (1 - min(one.chance, _MOST))
        for name, value in one.profile.facts.items():
            if name in self.known and self.known[name] != value:
                weight *= _AGAINST
            elif name in self.known and name not in self.asked:  # what was asked, the matcher has seen
                weight *= _FOR
        season = next((known.topics for known in table().stages if known.name == self.stage), frozenset())
        return weight * (_SEASON if one.candidate.topic in season else 1.0)

    def _decides(self, best: _Found, other: _Found) -> bool:
        """Whether only a fact that the asker has stated lies between the two, and speaks for `best`."""
        mine, yours = best.profile.facts, other.profile.facts
        unlike = [name for name in table().facts if mine.get(name) != yours.get(name)]
        known = [name for name in unlike if name in self.known]
        open_still = [name for name in unlike if table().facts[name].lasting or {name} <= {*mine} & {*yours}]
        if len(known) != 1 or not {*open_still} <= {*known} or best.against(self.known):
            return False
        # An entry that leaves the fact open is no match for one that states what was said before; of what
        # stands in the question, the matcher has weighed already how well each fits.
        fact = known[0]
        if not other.against(self.known) and (fact not in mine or fact in self.asked):
            return False
        return best.like(other, table().facts[fact])

    def _offered(self, best: _Found) -> bool:
        """Whether the matcher itself would have offered it."""
        offered = self.matched.choices if isinstance(self.matched, Near) else self.matched.candidates
        return best.chance >= self.near and best.candidate in offered[:MAX_CHOICES]

    def _ask_back(self, order: Sequence[_Found], candidates: tuple[Candidate, ...]) -> AskBack | None:
        asked = self.found[0].candidate.asked
        # Letters without tones do not show what they state; a matter of others is not ours to ask about.
        if len(order) < 2 or asked.latin or asked.foreign:
            return None
        first, offered = order[0], order[1:MAX_CHOICES]
        other = next((one for one in offered if self._apart(first, one)), None)
        if other is None:
            return None
        name = the_difference([first.profile, other.profile])
        shown = [first, other]
        for one in offered:
            if one is other:
                continue
            differs = the_difference([*(known.profile for known in shown), one.profile]) == name
            if differs and one.chance >= self.near and one.like(first, table().facts[name]):
                shown.append(one)
            elif one.chance > _FAINT * other.chance and not self._settled(one, shown, name):
                return None
        values = tuple(one.profile.facts[name] for one in shown)
        return AskBack(candidates, tuple(one.candidate for one in shown), name, values)

    def _apart(self, first: _Found, other: _Found) -> bool:
        """Whether one fact that is not known yet decides between the two."""
        if min(first.chance, other.chance) < max(self.near, _BARELY * max(first.chance, other.chance)):
            return False
        name = the_difference([first.profile, other.profile])
        return bool(name) and name not in self.known and first.like(other, table().facts[name])

    def _settled(self, one: _Found, shown: Sequence[_Found], name: str) -> bool:
        """Whether asking for the fact settles this entry too: it is about the same as one that is shown,
        and for the same value or for every one."""
        values = {known.profile.facts[name] for known in shown}
        if one.profile.facts.get(name) not in {None, *values}:
            return False
        return any(
            one.candidate.topic == known.candidate.topic or one.like(known, table().facts[name])
            for known in shown
        )


def _same(one: Form, other: Form) -> bool:
    """Whether two wordings are the same question, or so nearly that only a word of no weight differs."""
    if one.negations != other.negations or one.numbers != other.numbers or one.facts != other.facts:
        return False
    return not opposed(one.stances, other.stances) and fuzz.ratio(one.text, other.text) >= _SAME


def _alike(one: _Found, other: _Found, fact: Fact) -> bool:
    core = _core(one.candidate.matched.text, fact)
    return len(core) > 2 and any(
        fuzz.ratio(core, _core(text, fact)) >= _ALIKE for text in other.profile.texts
    )


def _core(text: str, fact: Fact) -> str:
    return _LITTLE.sub("", fact.without(text))
