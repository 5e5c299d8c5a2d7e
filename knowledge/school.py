"""A base asked about itself: lessons for the matcher that need no labelled questions.

Every phrasing is hidden in turn and asked as a question: the right answer is its own entry. For a part of
them the whole entry or its whole topic is hidden: then nothing is right. Nor is anything right when a telling
word has been replaced by a matter of some other office, or for small talk. Most are spoiled as people type.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from knowledge.features import Form, form
from knowledge.grams import Floats
from knowledge.labelled import Question
from knowledge.noise import CHATTER, common_words, misplace, spoil
from knowledge.outcomes import Source
from knowledge.pairs import FEATURES, Words
from knowledge.parts import OTHER
from knowledge.phrasebook import Phrasebook
from knowledge.text import Lexicon, normalise

HIDDEN_ENTRY, HIDDEN_TOPIC = 0.18, 0.12
NOISY = (0.4, 0.8, 0.6, 0.8, 0.4, 0.8)
"""Share of spoiled questions, one round each."""
FOREIGN = 0.5
"""Share of phrasings that are asked with a telling word replaced."""
ASTRAY = 0.4
"""Share of phrasings that are asked with the matter of the whole base replaced."""
LESSONS = 16_000
"""About so many: enough for a base of any size, and all that a minute allows."""
DENSE = len(FEATURES) - 1
NO_ENTRY = 0
"""What a label names when no entry answers its question."""
GOLDEN = -2
"""The first group of golden questions, which belong to no entry: they go down from here, one each."""
_ABOUT = (
    *("{}怎么办理", "{}要什么材料", "{}多少钱", "办{}去哪里", "{}什么时候可以办", "我想问{}的事", "{}找谁"),
    *("{}怎么弄", "老人{}怎么办", "外地人可以{}吗", "{}有什么规定", "{}最近怎么样", "{}需要什么条件"),
    *("{}几点开门", "{}网上能办吗", "办{}带什么证件", "办{}要身份证和户口本吗", "{}需要哪些资料"),
    *("{}的材料交到哪里", "{}要本人去吗", "{}要等几天", "居委会管{}吗", "{}可以代办吗"),
    *("{}过期了怎么办", "不去{}会怎么样", "{}的结果在哪里查"),
)


@dataclass(frozen=True, slots=True)
class Label:
    """A verdict of people: this entry answers this question, or does not; `weight` counts in lessons.

    With `NO_ENTRY` it says that none does.
    """

    question: str
    entry_id: int
    right: bool
    weight: float


@dataclass(frozen=True, slots=True)
class Lesson:
    """One question: its pairs' features, which of them would be right, and the words only one side has."""

    rows: Floats
    right: NDArray[np.bool_]
    none_right: bool
    """Whether saying that nothing fits would be right."""
    entries: tuple[int, ...]
    """The entry of each pair."""
    kin: NDArray[np.bool_]
    """Which pairs are of the topic asked about: an answer from there may help."""
    answerable: NDArray[np.bool_]
    """Which pairs the matcher would answer with, however well they fit."""
    left: tuple[tuple[str, ...], ...]
    missing: tuple[tuple[str, ...], ...]
    weight: float
    group: int
    """Lessons about the same entry share it; they must not be learned from and judged at once."""


class School:
    """A base that is asked about itself; the same seed asks the same."""

    def __init__(self, sources: Sequence[Source], lexicon: Lexicon, seed: int) -> None:
        self._lexicon = lexicon.spoken_by(text for source in sources for text in source.texts)
        self._book = Phrasebook(self._lexicon, Words({}, {}))
        self._book.build(sources)
        self._dice = random.Random(seed)
        self._topics: dict[str, list[int]] = {}
        for source in sources:
            self._topics.setdefault(source.topic, []).append(source.entry_id)

    def hidden(self, noisy: float) -> Iterator[Lesson]:
        """Every phrasing as a question, hidden alone, with its entry or with its topic."""
        dice = self._dice
        order = list(range(len(self._book.phrasings)))
        dice.shuffle(order)
        for number in order:
            phrasing = self._book.phrasings[number]
            text = spoil(phrasing.original, dice) if dice.random() < noisy else phrasing.original
            chance = dice.random()
            source = self._book.entries[phrasing.entry_id].source
            if chance < HIDDEN_ENTRY:
                gone = self._book.entries[source.entry_id].numbers
            elif chance < HIDDEN_ENTRY + HIDDEN_TOPIC:
                gone = [
                    n for entry_id in self._topics[source.topic] for n in self._book.entries[entry_id].numbers
                ]
            elif len(self._book.entries[source.entry_id].numbers) == 1:
                continue
            else:
                gone = [number]
            yield from self._ask(text, gone, source, source.entry_id if gone == [number] else None)

    def foreign(self, share: float) -> Iterator[Lesson]:
        """Phrasings that now speak of something else, other offices' matters, and small talk."""
        dice = self._dice
        words = sorted(word for held in self._lexicon.foreign.values() for word in held)
        common = common_words()
        for number, phrasing in enumerate(self._book.phrasings):
            if dice.random() > share:
                continue
            # Half of them with any word there is: most matters are on nobody's list.
            chosen = words if dice.random() < 0.5 else common
            text = misplace(phrasing.form.text, phrasing.form.matter, self._book.telling, chosen, dice)
            source = self._book.entries[phrasing.entry_id].source
            if text is not None:
                text = spoil(text, dice) if dice.random() < 0.3 else text
                yield from self._ask(text, [number], source, None)
        for word in words:
            for pattern in dice.sample(_ABOUT, 3):
                yield from self._ask(pattern.format(word), [], None, None)
        for text in CHATTER:
            for said in (text, *(spoil(text, dice) for _ in range(3))):
                yield from self._ask(said, [], None, None)

    def astray(self, share: float) -> Iterator[Lesson]:
        """Phrasings whose commonest words, what the base is about, gave way to something else."""
        dice = self._dice
        foreign = sorted(word for held in self._lexicon.foreign.values() for word in held)
        common = common_words()
        field = self._field()
        for number, phrasing in enumerate(self._book.phrasings):
            found = [word for word, _ in phrasing.form.words if word in field]
            if not found or dice.random() > share:
                continue
            text = phrasing.form.text
            for word in found:
                other = dice.choice(foreign if foreign and dice.random() < 0.3 else common)
                text = text.replace(word, other if word == found[-1] or dice.random() < 0.3 else "")
            yield from self._ask(text, [number], self._book.entries[phrasing.entry_id].source, None)
        # Our words about somebody else's matter: 「幼儿园登记」 and 「抽奖投票」 are not ours.
        ours = sorted(field)
        for _ in range(round(share * len(self._book.phrasings) / 4) if ours else 0):
            matter = dice.choice(foreign if foreign and dice.random() < 0.4 else common) + dice.choice(ours)
            yield from self._ask(dice.choice(_ABOUT).format(matter), [], None, None)

    def _field(self) -> frozenset[str]:
        """The nouns and verbs that a tenth of all entries speak of."""
        held = Counter(
            word
            for entry in self._book.entries.values()
            for word in {
                word
                for number in entry.numbers
                for word, kind in self._book.phrasings[number].form.words
                if kind < OTHER
            }
        )
        return frozenset(word for word, count in held.items() if count * 10 >= len(self._book.entries))

    def labelled(self, labels: Iterable[Label]) -> Iterator[Lesson]:
        """What people said; a label of an entry that is not in force says nothing."""
        for label in labels:
            entry = self._book.entries.get(label.entry_id)
            if label.entry_id == NO_ENTRY:
                for lesson in self._ask(label.question, [], None, None):
                    yield replace(lesson, weight=label.weight)
            if entry is None:
                continue
            asked = normalise(label.question, self._lexicon)
            # A label may have become a phrasing meanwhile: word for word it would teach nothing.
            same = [n for n in entry.numbers if self._book.phrasings[n].form.text == asked]
            gone = [] if len(same) == len(entry.numbers) else same
            for lesson in self._ask(label.question, gone, entry.source, label.entry_id):
                right = lesson.right if label.right else ~lesson.right
                yield replace(lesson, right=right, none_right=not label.right, weight=label.weight)

    def examined(self, questions: Iterable[Question], weight: float) -> Iterator[Lesson]:
        """Questions that people have labelled with the topics that answer them."""
        staff = next((e.source for e in self._book.entries.values() if e.source.audience == "staff"), None)
        for place, asked in enumerate(questions):
            source = staff if asked.audience == "staff" else None
            for lesson in self._ask(asked.q, [], source, None):
                topics = {asked.topic, *asked.also} if asked.in_scope else set()
                right = np.array([self._book.entries[e].source.topic in topics for e in lesson.entries])
                none_right = not asked.in_scope
                yield replace(
                    lesson, right=right, none_right=none_right, kin=right, weight=weight, group=GOLDEN - place
                )

    def _ask(
        self, text: str, gone: Sequence[int], source: Source | None, right: int | None
    ) -> Iterator[Lesson]:
        asked = form(normalise(text, self._lexicon), self._lexicon)
        staff = source is not None and source.audience == "staff"
        may: Callable[[int], bool] = (
            (lambda _: True)
            if staff
            else lambda entry_id: self._book.entries[entry_id].source.audience == "voter"
        )
        with self._book.without(gone):
            numbers, rows = self._book.pairs(asked, may)
            if not numbers:
                return
            paired = [self._book.phrasings[number] for number in numbers]
            heard = {
                entry_id: frozenset().union(
                    *(
                        gram_set
                        for number in self._book.entries[entry_id].numbers
                        if number not in gone
                        for gram_set in self._book.phrasings[number].form.sets[:2]
                    )
                )
                for entry_id in {phrasing.entry_id for phrasing in paired}
            }
        own = _words(asked)
        yield Lesson(
            rows=rows[:, :DENSE],
            right=np.array([phrasing.entry_id == right for phrasing in paired]),
            none_right=right is None,
            entries=tuple(phrasing.entry_id for phrasing in paired),
            kin=np.array(
                [
                    source is not None and self._book.entries[p.entry_id].source.topic == source.topic
                    for p in paired
                ]
            ),
            answerable=np.array([self._book.answerable(asked, number) for number in numbers]),
            left=tuple(tuple(sorted(own - heard[phrasing.entry_id])) for phrasing in paired),
            missing=tuple(tuple(sorted(_words(phrasing.form) - own)) for phrasing in paired),
            weight=1.0,
            group=source.entry_id if source is not None else sum(map(ord, text)),
        )


def _words(of: Form) -> frozenset[str]:
    characters, bigrams, _ = of.sets  # made anew each time they are asked for
    return characters | bigrams


def lessons(
    sources: Sequence[Source], lexicon: Lexicon, labels: Sequence[Label] = (), most: int = LESSONS
) -> list[Lesson]:
    """What a base can be asked about itself, and what people said; the same input gives the same.

    Phrasings are asked in as many rounds as make about `most` lessons.
    """
    phrasings = sum(1 + len(source.phrasings) for source in sources)
    rounds = NOISY[: max(1, min(len(NOISY), most // max(phrasings, 1)))]
    found: list[Lesson] = []
    for seed, noisy in enumerate(rounds):
        found.extend(School(sources, lexicon, seed).hidden(noisy))
    found.extend(School(sources, lexicon, len(NOISY)).foreign(FOREIGN))
    found.extend(School(sources, lexicon, len(NOISY) + 2).astray(ASTRAY))
    found.extend(School(sources, lexicon, len(NOISY) + 1).labelled(labels))
    return found


def examined(
    sources: Sequence[Source], lexicon: Lexicon, questions: Sequence[Question], weight: float = 1.0
) -> list[Lesson]:
    """Labelled questions asked of a base, as lessons of this weight."""
    return list(School(sources, lexicon, 0).examined(questions, weight))
