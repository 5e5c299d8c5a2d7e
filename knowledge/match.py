"""From a question to entries: answer one (`Hit`), offer a few (`Near`), or say so (`Miss`)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import exp

import numpy as np

from knowledge.features import Form, Standing, clashes, features, form, opposed, reasons
from knowledge.grams import CHANNEL_WEIGHTS, Floats, Postings, best_first
from knowledge.model import WEIGHTS
from knowledge.outcomes import Candidate as Candidate
from knowledge.outcomes import Hit as Hit
from knowledge.outcomes import Miss as Miss
from knowledge.outcomes import Near as Near
from knowledge.outcomes import Outcome as Outcome
from knowledge.outcomes import Source as Source
from knowledge.outcomes import Thresholds as Thresholds
from knowledge.text import Lexicon, normalise, plain

MAX_CHARACTERS = 1500
"""Only this much of a message is matched."""
MAX_CANDIDATES = 8
MAX_CHOICES = 3
SHORT = 5
"""Phrasings with fewer characters match only as the whole message."""

_PHRASINGS_RANKED = 48
_PHRASINGS_AN_ENTRY = 3
_SHARES = np.array(CHANNEL_WEIGHTS) / sum(CHANNEL_WEIGHTS)
_EXACT = 0.99
_BELOW_EXACT = 0.98
_EXACT_SOUND = 0.93


@dataclass(slots=True)
class _Phrasing:
    entry_id: int
    place: int
    original: str
    form: Form


@dataclass(slots=True)
class _Entry:
    source: Source
    numbers: list[int] = field(default_factory=list)
    sets: tuple[frozenset[str], frozenset[str], frozenset[str]] = (frozenset(), frozenset(), frozenset())
    numbers_named: frozenset[str] = frozenset()
    stances: dict[int, frozenset[int]] = field(default_factory=dict)


class Index:
    """All published phrasings, ready to be asked. Not thread-safe while `replace` or `remove` runs."""

    def __init__(
        self, sources: Iterable[Source], lexicon: Lexicon, thresholds: Thresholds | None = None
    ) -> None:
        """Build from entries; of two sources with the same `entry_id` the later one counts."""
        self.thresholds = thresholds or Thresholds()
        self._lexicon = lexicon
        self._sources = {source.entry_id: source for source in sources}
        self._rebuild()

    def __len__(self) -> int:
        """Number of entries."""
        return len(self._sources)

    def source(self, entry_id: int) -> Source:
        """The entry as it was put in; KeyError when it is not in force."""
        return self._sources[entry_id]

    def replace(self, source: Source) -> None:
        """Put an entry in force, or a new wording of it, at once.

        New phrasings weigh their words by the frequencies in force; those are counted afresh when a tenth of
        the phrasings has changed.
        """
        self.remove(source.entry_id)
        self._sources[source.entry_id] = source
        prepared = self._prepare(source)
        first = self._postings.add([phrasing.form.sets for phrasing in prepared])
        self._enter(source, prepared, first)
        self._changed += len(prepared)
        if self._changed * 10 > len(self._phrasings):
            self._rebuild()

    def remove(self, entry_id: int) -> None:
        """Take an entry out of force; unknown ids are ignored."""
        if self._sources.pop(entry_id, None) is None:
            return
        entry = self._entries.pop(entry_id)
        self._postings.drop(entry.numbers)
        self._changed += len(entry.numbers)
        for holders in self._exact.values():
            holders.pop(entry_id, None)

    def _rebuild(self) -> None:
        self._postings = Postings()
        self._phrasings: list[_Phrasing] = []
        self._entries: dict[int, _Entry] = {}
        self._exact: dict[str, dict[int, str]] = {}
        self._changed = 0
        self._ties: list[tuple[int, int]] = []
        for source in self._sources.values():
            self._enter(source, self._prepare(source), len(self._phrasings))
        self._postings.build([(phrasing.entry_id, phrasing.form.sets) for phrasing in self._phrasings])

    def _prepare(self, source: Source) -> list[_Phrasing]:
        prepared = []
        for place, original in enumerate(dict.fromkeys((source.question, *source.phrasings))):
            text, bare = normalise(original, self._lexicon), plain(original)
            self._expect(source.entry_id, original, (text, bare))
            if text and len(bare) >= SHORT:
                prepared.append(_Phrasing(source.entry_id, place, original, form(text, self._lexicon)))
        for alias in source.aliases:
            self._expect(source.entry_id, alias, (normalise(alias, self._lexicon), plain(alias)))
        return prepared

    def _expect(self, entry_id: int, original: str, texts: tuple[str, str]) -> None:
        for text in texts:
            if text:
                self._exact.setdefault(text, {}).setdefault(entry_id, original)

    def _enter(self, source: Source, prepared: list[_Phrasing], first: int) -> None:
        entry = _Entry(source, list(range(first, first + len(prepared))))
        entry.sets = (
            frozenset().union(*(phrasing.form.sets[0] for phrasing in prepared)),
            frozenset().union(*(phrasing.form.sets[1] for phrasing in prepared)),
            frozenset().union(*(phrasing.form.sets[2] for phrasing in prepared)),
        )
        for phrasing in prepared:
            entry.numbers_named |= phrasing.form.numbers
            for pair, held in phrasing.form.stances.items():
                entry.stances[pair] = entry.stances.get(pair, frozenset()) | held
        self._entries[source.entry_id] = entry
        self._phrasings.extend(prepared)
        self._ties.extend((phrasing.entry_id, phrasing.place) for phrasing in prepared)

    def rank(self, question: str, allowed: Callable[[int], bool] | None = None) -> Outcome:
        """Judge a question; `allowed` says of an entry id whether this asker may be shown it."""
        question = question[:MAX_CHARACTERS]
        asked = form(normalise(question, self._lexicon), self._lexicon)
        if not asked.text:
            return Miss()
        may = allowed or _anything
        exact = self._exactly({asked.text, plain(question)}, may)
        judged = {entry_id: _Judged(_EXACT, original) for entry_id, original in exact.items()}
        for number, row in self.pairs(asked, may):
            phrasing = self._phrasings[number]
            if phrasing.entry_id in exact:
                continue
            probability = min(_logistic(float(np.dot(WEIGHTS, row))), _BELOW_EXACT)
            if phrasing.form.spoken == asked.spoken and not asked.latin:
                probability = max(probability, _EXACT_SOUND)
            known = judged.get(phrasing.entry_id)
            if known is None or probability > known.probability:
                judged[phrasing.entry_id] = _Judged(probability, phrasing.original, phrasing.form)
        order = sorted(judged, key=lambda entry_id: (-round(judged[entry_id].probability, 9), entry_id))
        candidates = tuple(self._candidate(asked, entry, judged[entry]) for entry in order[:MAX_CANDIDATES])
        if not candidates:
            return Miss()
        if exact:
            return Hit(candidates) if len(exact) == 1 else Near(candidates, candidates[:MAX_CHOICES])
        return self._decide(candidates, self._answerable(asked, judged[order[0]].form, order[0]))

    def _answerable(self, asked: Form, phrasing: Form | None, entry_id: int) -> bool:
        if asked.latin or len(asked.text) < SHORT or phrasing is None or clashes(asked, phrasing):
            return False
        # Against all phrasings of the entry: one that leaves the deciding fact out must not slip through.
        entry = self._entries[entry_id]
        strange = asked.numbers - entry.numbers_named if entry.numbers_named else ()
        return not strange and not opposed(asked.stances, entry.stances)

    def _decide(self, candidates: tuple[Candidate, ...], answerable: bool) -> Outcome:
        limits = self.thresholds
        best = candidates[0].probability
        known = len(self._entries[candidates[0].entry_id].numbers)
        bar = limits.hit if known >= limits.few else max(limits.hit, limits.thin)
        if best < limits.near:
            return Miss(candidates)
        rival = candidates[1].probability if len(candidates) > 1 else 0.0
        if answerable and best >= bar and best - rival >= limits.margin:
            return Hit(candidates)
        return Near(candidates, candidates[:MAX_CHOICES])

    def _exactly(self, texts: set[str], may: Callable[[int], bool]) -> dict[int, str]:
        return {
            entry_id: original
            for text in sorted(texts)
            for entry_id, original in self._exact.get(text, {}).items()
            if may(entry_id)
        }

    def pairs(self, asked: Form, may: Callable[[int], bool]) -> list[tuple[int, list[float]]]:
        """The phrasings worth a closer look, each with its features, in the order of the first stage."""
        cosines = self._postings.cosines(asked.sets)
        totals: Floats = np.tensordot(_SHARES, cosines, axes=1)
        chosen: dict[int, list[int]] = {}
        ranked = 0
        allowed: dict[int, bool] = {}
        for number in best_first(totals, self._ties):
            entry_id = self._phrasings[number].entry_id
            if entry_id not in allowed:
                allowed[entry_id] = may(entry_id)
            if allowed[entry_id]:
                chosen.setdefault(entry_id, []).append(number)
                ranked += 1
                if ranked == _PHRASINGS_RANKED:
                    break
        tops = [float(totals[numbers[0]]) for numbers in chosen.values()][:2]
        found = []
        for entry_id, numbers in list(chosen.items())[:MAX_CANDIDATES]:
            entry = self._entries[entry_id]
            best = float(totals[numbers[0]])
            rival = next((top for top in tops if top != best), best) if len(tops) > 1 else 0.0
            standing = Standing(
                support=min(len(numbers), 6) / 6,
                second=float(totals[numbers[1]]) if len(numbers) > 1 else 0.0,
                lead=best - rival,
                phrasings=len(entry.numbers),
                entry_sets=entry.sets,
            )
            for number in numbers[:_PHRASINGS_AN_ENTRY]:
                row = features(
                    asked,
                    self._phrasings[number].form,
                    (float(cosines[0, number]), float(cosines[1, number]), float(cosines[2, number])),
                    standing,
                    self._postings,
                )
                found.append((number, row))
        return found

    def _candidate(self, asked: Form, entry_id: int, judged: "_Judged") -> Candidate:
        source = self._sources[entry_id]
        why = reasons(asked, judged.form) if judged.form else ("一字不差",)
        return Candidate(
            entry_id, source.entry_no, source.topic, judged.phrasing, round(judged.probability, 4), why
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    probability: float
    phrasing: str
    form: Form | None = None


def _anything(entry_id: int) -> bool:
    return True


def _logistic(score: float) -> float:
    return 1 / (1 + exp(-max(-30.0, min(30.0, score))))
