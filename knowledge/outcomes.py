"""What goes into the matcher and what comes out: entries, candidates, and the three outcomes."""

from dataclasses import dataclass, field

from knowledge.features import Form, reasons


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

    @property
    def texts(self) -> tuple[str, ...]:
        """All ways to ask for it, the exact ones included."""
        return (self.question, *self.phrasings, *self.aliases)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may answer and the phrasing that matched best; `probability` in [0, 1]."""

    entry_id: int
    entry_no: str
    topic: str
    phrasing: str
    probability: float
    asked: Form = field(compare=False, repr=False)
    matched: Form = field(compare=False, repr=False)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it came up, for staff; put into words only when somebody looks."""
        return reasons(self.asked, self.matched)


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

    `hit` is what a base chooses for itself when it is trained; it holds for calibrated probabilities.
    """

    hit: float = 0.5
    margin: float = 0.1
    near: float = 0.05
