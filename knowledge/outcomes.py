"""What goes into the matcher and what comes out: entries, candidates, and the three outcomes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """What the index needs of one published entry."""

    entry_id: int
    entry_no: str
    topic: str
    audience: str
    question: str
    phrasings: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may answer, the phrasing that matched best, and why; `probability` in [0, 1]."""

    entry_id: int
    entry_no: str
    topic: str
    phrasing: str
    probability: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """The first candidate may be answered alone."""

    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        """The candidate to answer with."""
        return self.candidates[0]


@dataclass(frozen=True, slots=True)
class Near:
    """Not sure enough: offer the first candidates as choices."""

    candidates: tuple[Candidate, ...]
    choices: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Miss:
    """Nothing fits; `candidates` only tells staff what came closest."""

    candidates: tuple[Candidate, ...] = ()


Outcome = Hit | Near | Miss


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Answer when the best is at least `hit`, and `margin` above the next entry; offer from `near` on.

    An entry with fewer than `few` phrasings says little about how people ask for it: it needs `thin`
    instead of `hit`. The defaults are measured: they keep wrong answers near 1 % of all questions.
    """

    hit: float = 0.55
    margin: float = 0.1
    near: float = 0.03
    thin: float = 0.96
    few: int = 5
