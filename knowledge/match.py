"""From a question to entries: answer one (`Hit`), offer a few (`Near`), or say so (`Miss`)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from knowledge.features import Form, form
from knowledge.model import SHIPPED, Model
from knowledge.outcomes import Candidate as Candidate
from knowledge.outcomes import Hit as Hit
from knowledge.outcomes import Miss as Miss
from knowledge.outcomes import Near as Near
from knowledge.outcomes import Outcome as Outcome
from knowledge.outcomes import Source as Source
from knowledge.outcomes import Thresholds as Thresholds
from knowledge.phrasebook import MAX_CANDIDATES, Phrasebook
from knowledge.text import Lexicon, normalise, plain

MAX_CHARACTERS = 1500
"""Only this much of a message is matched."""
MAX_CHOICES = 3

_EXACT = 0.99
_BELOW_EXACT = 0.989
_SURE = 0.9
_EXACT_SOUND = 0.93
_HEAD_START = 0.5
_DOUBT = 0.01


class Index:
    """All published phrasings, ready to be asked. Not thread-safe while `replace` or `remove` runs."""

    def __init__(self, sources: Iterable[Source], lexicon: Lexicon, model: Model = SHIPPED) -> None:
        """Build from entries; of two sources with the same `entry_id` the later one counts."""
        self.model = model
        self._sources = {source.entry_id: source for source in sources}
        self._lexicon = lexicon.spoken_by(text for source in self._sources.values() for text in source.texts)
        self.book = Phrasebook(self._lexicon, model.words)
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
        self._expect(source)
        self._changed += self.book.add(source)
        if self._changed * 10 > len(self.book.phrasings):
            self._rebuild()

    def remove(self, entry_id: int) -> None:
        """Take an entry out of force; unknown ids are ignored."""
        if self._sources.pop(entry_id, None) is None:
            return
        self._changed += self.book.remove(entry_id)
        for holders in self._exact.values():
            holders.pop(entry_id, None)

    def _rebuild(self) -> None:
        self._changed = 0
        self._exact: dict[str, dict[int, str]] = {}
        for source in self._sources.values():
            self._expect(source)
        self.book.build(self._sources.values())

    def _expect(self, source: Source) -> None:
        for original in source.texts:
            for text in (normalise(original, self._lexicon), plain(original)):
                if text:
                    self._exact.setdefault(text, {}).setdefault(source.entry_id, original)

    def rank(
        self,
        question: str,
        allowed: Callable[[int], bool] | None = None,
        prefer: Callable[[int], bool] | None = None,
    ) -> Outcome:
        """Judge a question; `allowed` says of an entry id whether this asker may be shown it.

        `prefer` says which entries were written for this asker: of two that fit about equally, those win.
        """
        question = question[:MAX_CHARACTERS]
        asked = form(normalise(question, self._lexicon), self._lexicon)
        if not asked.text:
            return Miss()
        may = allowed or _anything
        exact = self._exactly({asked.text, plain(question)}, may)
        judged = {entry_id: _Judged(_EXACT, original) for entry_id, original in exact.items()}
        for entry_id, found in self._judge(asked, may, prefer).items():
            judged.setdefault(entry_id, found)
        order = sorted(judged, key=lambda entry_id: (-round(judged[entry_id].probability, 9), entry_id))
        if order and not exact and not self.book.answerable(asked, judged[order[0]].number):
            # What must not be answered with is not sure either, however like it is.
            doubt = self.model.thresholds.hit - _DOUBT
            judged = {entry_id: found.at_most(doubt) for entry_id, found in judged.items()}
        candidates = tuple(self._candidate(asked, entry, judged[entry]) for entry in order[:MAX_CANDIDATES])
        if not candidates:
            return Miss()
        if exact:
            return Hit(candidates) if len(exact) == 1 else Near(candidates, candidates[:MAX_CHOICES])
        return self._decide(candidates)

    def _judge(
        self, asked: Form, may: Callable[[int], bool], prefer: Callable[[int], bool] | None
    ) -> dict[int, "_Judged"]:
        """Each entry's share of belief: among all that came up, and the chance that none of them is meant."""
        numbers, rows = self.book.pairs(asked, may)
        scores = rows @ self.model.weights
        if prefer is not None:
            scores += [_HEAD_START * prefer(self.book.phrasings[number].entry_id) for number in numbers]
        points = np.exp(np.clip(scores, -30, 30)).tolist()
        whole = 1 + sum(sorted(points))
        sums: dict[int, float] = {}
        best: dict[int, tuple[float, int]] = {}
        for number, point in zip(numbers, points, strict=True):
            phrasing = self.book.phrasings[number]
            entry_id = phrasing.entry_id
            sums[entry_id] = sums.get(entry_id, 0.0) + point
            if phrasing.form.spoken == asked.spoken and not asked.latin:
                sums[entry_id] = max(sums[entry_id], _EXACT_SOUND * whole)
            if entry_id not in best or point > best[entry_id][0]:
                best[entry_id] = (point, number)
        judged = {}
        for entry_id, share in sums.items():
            phrasing = self.book.phrasings[best[entry_id][1]]
            worth = self.model.curve(share / whole)
            # Below what was said word for word, and still in order.
            worth = min(worth, _SURE + (worth - _SURE) * (_BELOW_EXACT - _SURE) / (1 - _SURE))
            judged[entry_id] = _Judged(worth, phrasing.original, best[entry_id][1])
        return judged

    def _decide(self, candidates: tuple[Candidate, ...]) -> Outcome:
        limits = self.model.thresholds
        best = candidates[0].probability
        if best < limits.near:
            return Miss(candidates)
        rival = candidates[1].probability if len(candidates) > 1 else 0.0
        if best >= limits.hit and best - rival >= limits.margin:
            return Hit(candidates)
        return Near(candidates, candidates[:MAX_CHOICES])

    def _exactly(self, texts: set[str], may: Callable[[int], bool]) -> dict[int, str]:
        return {
            entry_id: original
            for text in sorted(texts)
            for entry_id, original in self._exact.get(text, {}).items()
            if may(entry_id)
        }

    def _candidate(self, asked: Form, entry_id: int, judged: "_Judged") -> Candidate:
        source = self._sources[entry_id]
        matched = asked if judged.number < 0 else self.book.phrasings[judged.number].form
        probability = round(judged.probability, 6)
        return Candidate(
            entry_id, source.entry_no, source.topic, judged.phrasing, probability, asked, matched
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    probability: float
    phrasing: str
    number: int = -1
    """The phrasing's number in the book; -1 for what was asked word for word."""

    def at_most(self, most: float) -> "_Judged":
        return replace(self, probability=min(self.probability, most))


def _anything(entry_id: int) -> bool:
    return True
