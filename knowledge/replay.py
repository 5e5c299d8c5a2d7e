"""Golden questions asked of two bases: which answers change from what to what, and whether that may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum, auto
from typing import Any

from knowledge.claims import Claim
from knowledge.claims import faults as claim_faults
from knowledge.labelled import OUT_OF_SCOPE
from knowledge.match import Candidate, Hit, Index, Near, Outcome
from knowledge.outcomes import Source

WRONG_LIMIT = 0.02
"""No change may bring the share of wrong answers above this, counted over all questions asked."""
MORE_WRONG = 1
"""So many more wrong answers than before are still taken for chance."""
RESOLVED_FALL = 0.01
"""So much of the questions in scope may lose their right answer or right choice."""
MORE_LOST = 1
"""Below this number a fall is chance, however large its share of a small base."""
RIGHT_FALL = 0.005
"""So much of the questions in scope may be answered with choices that were answered right at once."""
MODEL_FALL = 0.03
"""The same for another model: it chooses its own point to answer from, which differs a little each time."""
MORE_UNSURE = 2
"""Below this number such a fall is chance."""
OWN_LOST = 1
"""So many entries may no longer be the answer at once to their own standard question."""
OWN = "own"
"""The kind of a question that is some entry's standard question."""


@dataclass(frozen=True, slots=True)
class Case:
    """One golden question: who asks it, and the topics whose entries answer it.

    With `entry_no` only that entry answers it, whatever its topic. A sealed one is asked like the others; its
    words are never shown, so that nobody can tune to them.
    """

    q: str
    topic: str
    also: tuple[str, ...] = ()
    audience: str = "voter"
    kind: str = ""
    sealed: bool = False
    entry_no: str = ""

    @property
    def in_scope(self) -> bool:
        """Whether some entry should answer it."""
        return self.topic != OUT_OF_SCOPE


class Grade(StrEnum):
    """How a question fared. Only `WRONG` was answered and should not have been, or not so."""

    RIGHT = auto()
    OFFERED = auto()
    UNRESOLVED = auto()
    WRONG = auto()


_WORTH = {Grade.RIGHT: 3, Grade.OFFERED: 2, Grade.UNRESOLVED: 1, Grade.WRONG: 0}


class Turn(StrEnum):
    """What a changed answer means for the asker."""

    WORSE = auto()
    BETTER = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Said:
    """What the base said: `hit`, `near` or `miss`, with the numbers of the entries shown."""

    outcome: str
    entries: tuple[str, ...]
    grade: Grade


@dataclass(frozen=True, slots=True)
class Change:
    """One question that is answered otherwise afterwards."""

    case: Case
    before: Said
    after: Said

    @property
    def turn(self) -> Turn:
        """Whether the asker gains or loses by it."""
        gain = _WORTH[self.after.grade] - _WORTH[self.before.grade]
        return Turn.BETTER if gain > 0 else Turn.WORSE if gain < 0 else Turn.OTHER

    def as_facts(self) -> dict[str, Any]:
        """The change as plain values. Raises ValueError for a sealed question."""
        if self.case.sealed:
            raise ValueError("a sealed question is counted, never shown")
        return {
            "q": self.case.q,
            "topic": self.case.topic,
            "audience": self.case.audience,
            "turn": self.turn.value,
            "before": asdict(self.before),
            "after": asdict(self.after),
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one run. `wrong` holds every wrong answer, `astray` those to questions out of scope."""

    asked: int = 0
    in_scope: int = 0
    right: int = 0
    offered: int = 0
    unresolved: int = 0
    wrong: int = 0
    astray: int = 0

    @property
    def resolved(self) -> int:
        """In scope, and right at once or right among the choices."""
        return self.right + self.offered


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole result; `faults` name the limits that do not hold, none when the change may go ahead.

    `wrong_limit`: too many wrong answers altogether. `wrong_more`: noticeably more than before.
    `resolved_less`: noticeably fewer questions resolved than before. `right_less`: noticeably fewer answered
    right at once. `own_less`: entries lost their own standard questions. `claimed_words`, `claimed_answers`:
    see `knowledge.claims`.
    """

    before: Figures
    after: Figures
    changes: tuple[Change, ...] = ()
    faults: tuple[str, ...] = field(default=())
    claims: tuple[Claim, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every limit holds."""
        return not self.faults

    def turned(self, turn: Turn, *, sealed: bool) -> int:
        """How many answers changed that way, among the sealed questions or among the open ones."""
        return sum(change.turn is turn and change.case.sealed is sealed for change in self.changes)

    def figures(self) -> dict[str, Any]:
        """All counts as plain values, the sealed questions' among them."""
        return {
            "before": asdict(self.before),
            "after": asdict(self.after),
            "faults": list(self.faults),
            "claims": [asdict(claim) for claim in self.claims],
            "open": {turn.value: self.turned(turn, sealed=False) for turn in Turn},
            "sealed": {turn.value: self.turned(turn, sealed=True) for turn in Turn},
        }

    def shown(self) -> list[dict[str, Any]]:
        """The changed answers to open questions as plain values, those that got worse first."""
        order = list(Turn)
        listed = [change for change in self.changes if not change.case.sealed]
        return [change.as_facts() for change in sorted(listed, key=lambda one: order.index(one.turn))]


def compare(before: Index, after: Index, cases: Iterable[Case]) -> Comparison:
    """Ask both bases every question that concerns one of them: of a publication, a lexicon or a model.

    Takes about 2 ms a question; leave the event loop for it.
    """
    asked = concerned(cases, (*_sources(before), *_sources(after)))
    fall = RIGHT_FALL if before.model == after.model else MODEL_FALL
    return weigh(ask(before, asked), ask(after, asked), right_fall=fall)


def own_questions(sources: Iterable[Source]) -> tuple[Case, ...]:
    """The standard question of every entry, asked by whom it is for; right is that entry alone."""
    return tuple(
        Case(one.question, one.topic, audience=one.audience, kind=OWN, entry_no=one.entry_no)
        for one in sources
    )


def concerned(cases: Iterable[Case], sources: Iterable[Source]) -> tuple[Case, ...]:
    """The questions with a topic that these entries know for that asker, and all that are out of scope."""
    known = {(source.topic, source.audience) for source in sources}

    def concerns(case: Case) -> bool:
        audiences = ("voter", "staff") if case.audience == "staff" else ("voter",)
        return not case.in_scope or any(
            (topic, audience) in known for topic in (case.topic, *case.also) for audience in audiences
        )

    return tuple(case for case in cases if concerns(case))


def ask(index: Index, cases: Iterable[Case]) -> dict[Case, Said]:
    """What the base says to each question: voters are shown voter entries only, staff both."""
    voters = _for_voters(index)
    return {
        case: _said(case, index.rank(case.q, None if case.audience == "staff" else voters)) for case in cases
    }


def weigh(
    before: Mapping[Case, Said],
    after: Mapping[Case, Said],
    claims: Sequence[Claim] = (),
    *,
    right_fall: float = RIGHT_FALL,
) -> Comparison:
    """Two runs over the same questions, and what the new version claims, against the limits.

    `right_fall` is the share of questions in scope that may become choices.
    """
    first, second = count(before), count(after)
    changes = tuple(
        Change(case, said, after[case])
        for case, said in before.items()
        if (said.outcome, said.entries) != (after[case].outcome, after[case].entries)
    )
    lost = sum(
        one.case.kind == OWN and one.before.grade is Grade.RIGHT and one.after.grade is not Grade.RIGHT
        for one in changes
    )
    own = ("own_less",) if lost > OWN_LOST else ()
    return Comparison(
        first,
        second,
        changes,
        (*faults(first, second, right_fall), *own, *claim_faults(claims)),
        tuple(claims),
    )


def count(run: Mapping[Case, Said]) -> Figures:
    """The figures of one run."""
    grades = [(case.in_scope, said.grade) for case, said in run.items()]
    return Figures(
        asked=len(grades),
        in_scope=sum(inside for inside, _ in grades),
        right=grades.count((True, Grade.RIGHT)),
        offered=grades.count((True, Grade.OFFERED)),
        unresolved=grades.count((True, Grade.UNRESOLVED)),
        wrong=sum(grade is Grade.WRONG for _, grade in grades),
        astray=grades.count((False, Grade.WRONG)),
    )


def faults(before: Figures, after: Figures, right_fall: float = RIGHT_FALL) -> tuple[str, ...]:
    """The names of the limits that the second run breaks, by being worse than the first."""
    broken = []
    if after.wrong > before.wrong and after.wrong > WRONG_LIMIT * after.asked:
        broken.append("wrong_limit")
    if after.wrong - before.wrong > MORE_WRONG:
        broken.append("wrong_more")
    lost = before.resolved - after.resolved
    if lost > MORE_LOST and lost > RESOLVED_FALL * after.in_scope:
        broken.append("resolved_less")
    unsure = before.right - after.right
    if unsure > MORE_UNSURE and unsure > right_fall * after.in_scope:
        broken.append("right_less")
    return tuple(broken)


def _sources(index: Index) -> Sequence[Source]:
    return [entry.source for entry in index.book.entries.values()]


def _for_voters(index: Index) -> Callable[[int], bool]:
    return lambda entry_id: index.source(entry_id).audience == "voter"


def _said(case: Case, outcome: Outcome) -> Said:
    if isinstance(outcome, Hit):
        shown: tuple[Candidate, ...] = (outcome.best,)
        name, good = "hit", Grade.RIGHT
    elif isinstance(outcome, Near):
        shown, name, good = outcome.choices, "near", Grade.OFFERED
    else:
        shown, name, good = (), "miss", Grade.UNRESOLVED
    return Said(name, tuple(one.entry_no for one in shown), _grade(case, name, shown, good))


def _grade(case: Case, name: str, shown: Sequence[Candidate], good: Grade) -> Grade:
    if not case.in_scope:
        # Choices are a nuisance to who asked for something else, silence is right, an answer is wrong.
        return {"hit": Grade.WRONG, "near": Grade.UNRESOLVED, "miss": Grade.RIGHT}[name]
    if any(_answers(one, case) for one in shown):
        return good
    return Grade.WRONG if name == "hit" else Grade.UNRESOLVED


def _answers(one: Candidate, case: Case) -> bool:
    if case.entry_no:
        return one.entry_no == case.entry_no
    return one.topic == case.topic or one.topic in case.also
