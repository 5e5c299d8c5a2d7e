"""How well a base answers, as a report: both halves of the golden questions, by topic, kind and audience.

Sealed questions are counted and never named: nothing that could lead anybody to tune to their words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from knowledge import evaluate
from knowledge.evaluate import Detail
from knowledge.labelled import Question
from knowledge.match import Index, Near
from knowledge.replay import Case, Figures

UNNAMED = "other"
"""The row of questions that do not say how they are written."""
NO_MEANINGS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of all questions with one topic, of one kind or of one audience."""

    name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Half:
    """The open or the sealed questions; `measured` holds what only the order of probabilities tells."""

    figures: Figures
    measured: evaluate.Report


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry that was answered with, or offered, or (after a miss) came closest."""

    entry_no: str
    question: str
    probability: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """An open question that got a wrong answer, or neither an answer nor a right choice.

    `outcome` is `hit`, `near` or `miss`; `shown` what was answered or offered, what came
    closest after a miss.
    """

    question: Question
    outcome: str
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """What was measured, and when. Without a `base_revision` it is the base of the files."""

    made_at: datetime
    entries: int
    model_digest: str
    base_revision: int | None = None


@dataclass(frozen=True, slots=True)
class AccuracyReport:
    """One report: `topics` of the questions in scope only, `kinds` of all. Worst rows come first."""

    release: Release
    open: Half
    sealed: Half
    whole: Figures
    topics: tuple[Row, ...]
    kinds: tuple[Row, ...]
    audiences: tuple[Row, ...]
    wrong: tuple[Fault, ...]
    missed: tuple[Fault, ...]

    def as_markdown(self, meanings: Mapping[str, str] = NO_MEANINGS) -> str:
        """The report as a page of documentation; `meanings` says of a topic what belongs there."""
        return "\n".join(_pages(self, meanings))


def measure(
    index: Index, cases: Iterable[Case], *, made_at: datetime, base_revision: int | None = None
) -> AccuracyReport:
    """Ask an index every golden question. Takes some milliseconds a question: leave the event loop for it."""
    asked = tuple(cases)
    opened = [_question(case) for case in asked if not case.sealed]
    sealed = [_question(case) for case in asked if case.sealed]
    open_report, open_details = evaluate.run(opened, index)
    sealed_report, sealed_details = evaluate.run(sealed, index)
    release = Release(made_at, len(index), index.model.digest, base_revision)
    return report(
        release,
        Half(tally(opened, open_details), open_report),
        Half(tally(sealed, sealed_details), sealed_report),
        [*opened, *sealed],
        [*open_details, *sealed_details],
        [_fault(index, question, detail) for question, detail in zip(opened, open_details, strict=True)
         if not _helped(question, detail)],
    )  # fmt: skip


def report(
    release: Release,
    open_half: Half,
    sealed_half: Half,
    questions: Sequence[Question],
    details: Sequence[Detail],
    faults: Sequence[Fault],
) -> AccuracyReport:
    """Put together what `evaluate.run` said of the questions of both halves; `faults` are open ones only."""
    inside = [pair for pair in zip(questions, details, strict=True) if pair[0].in_scope]
    return AccuracyReport(
        release=release,
        open=open_half,
        sealed=sealed_half,
        whole=tally(questions, details),
        topics=rows([q for q, _ in inside], [d for _, d in inside], lambda question: question.topic),
        kinds=rows(questions, details, lambda question: question.kind or UNNAMED),
        audiences=rows(questions, details, lambda question: question.audience),
        wrong=tuple(fault for fault in faults if fault.outcome == "hit"),
        missed=tuple(fault for fault in faults if fault.outcome != "hit"),
    )


def tally(questions: Sequence[Question], details: Sequence[Detail]) -> Figures:
    """Counts, in the words of a replay: whoever is in scope ends in exactly one of right, offered, unresolved
    and wrong; `wrong` holds the answered questions out of scope as well, which are `astray`."""
    inside = [detail for question, detail in zip(questions, details, strict=True) if question.in_scope]
    outside = [detail for question, detail in zip(questions, details, strict=True) if not question.in_scope]
    right = sum(detail.outcome == "hit" and detail.right for detail in inside)
    offered = sum(detail.outcome == "near" and detail.right for detail in inside)
    mistaken = sum(detail.outcome == "hit" and not detail.right for detail in inside)
    astray = sum(detail.outcome == "hit" for detail in outside)
    return Figures(
        asked=len(questions),
        in_scope=len(inside),
        right=right,
        offered=offered,
        unresolved=len(inside) - right - offered - mistaken,
        wrong=mistaken + astray,
        astray=astray,
    )


def rows(
    questions: Sequence[Question], details: Sequence[Detail], name: Callable[[Question], str]
) -> tuple[Row, ...]:
    """The figures of each name, worst first: the largest share of questions badly served leads."""
    groups: dict[str, tuple[list[Question], list[Detail]]] = {}
    for question, detail in zip(questions, details, strict=True):
        group = groups.setdefault(name(question), ([], []))
        group[0].append(question)
        group[1].append(detail)
    made = [Row(key, tally(*group)) for key, group in groups.items()]
    return tuple(sorted(made, key=lambda row: (-badly(row.figures), -row.figures.wrong, row.name)))


def badly(figures: Figures) -> float:
    """The share of questions answered wrongly or left without help; 0 of none."""
    return (figures.wrong + figures.unresolved) / figures.asked if figures.asked else 0.0


def _question(case: Case) -> Question:
    return Question(case.q, case.topic, case.also, case.audience, kind=case.kind)


def _helped(question: Question, detail: Detail) -> bool:
    return detail.right if question.in_scope else detail.outcome != "hit"


def _fault(index: Index, question: Question, detail: Detail) -> Fault:
    """Asked once more, because only the outcome itself can say why."""
    voters = None if question.audience == "staff" else lambda number: index.source(number).audience == "voter"
    outcome = index.rank(question.q, voters)
    shown = outcome.choices if isinstance(outcome, Near) else outcome.candidates[:1]
    return Fault(
        question,
        detail.outcome,
        tuple(
            Shown(one.entry_no, index.source(one.entry_id).question, one.probability, one.reasons)
            for one in shown
        ),
    )


# --- as a page of documentation -------------------------------------------------------------------

_HEAD = (
    "| | questions | in scope | right at once | right among the choices | no help | wrong "
    "| out of scope | answered |"
)
_LINE = "|---" * 9 + "|"
_WITHIN_HALF: tuple[tuple[str, Callable[[evaluate.Report], float | None]], ...] = (
    ("right entry first", lambda r: r.top1),
    ("right entry among the first three", lambda r: r.top3),
    ("could be answered with ≤ 1 % wrong", lambda r: r.coverage_1),
    ("could be answered with ≤ 2 % wrong", lambda r: r.coverage_2),
    ("could be answered with ≤ 5 % wrong", lambda r: r.coverage_5),
)


def _pages(made: AccuracyReport, meanings: Mapping[str, str]) -> list[str]:
    release = made.release
    base = "the shipped files" if release.base_revision is None else f"revision {release.base_revision}"
    halves = (made.open.measured, made.sealed.measured)
    return [
        "# Accuracy report",
        "",
        f"Base: {base}, {release.entries} entries. Model: `{release.model_digest[:12]}`. "
        f"Measured: {release.made_at:%Y-%m-%d %H:%M} UTC.",
        "",
        "Right, among the choices and no help are shares of the questions in scope; wrong is a share of all "
        "and holds those out of scope that were answered; answered is a share of those out of scope. No "
        "help: neither answered nor a right entry among the choices. Sealed ones are counted, never shown.",
        "",
        "## Both halves",
        "",
        _HEAD,
        _LINE,
        _row("open", made.open.figures),
        _row("sealed", made.sealed.figures),
        _row("all", made.whole),
        "",
        "| Of the questions in scope | open | sealed |",
        "|---|---|---|",
        *(f"| {label} | {' | '.join(_share(of(half)) for half in halves)} |" for label, of in _WITHIN_HALF),
        f"| in scope told from out of scope (AUROC) | {' | '.join(_plain(half.auroc) for half in halves)} |",
        "",
        *_table("By topic, worst first", made.topics, lambda name: _topic(name, meanings)),
        *_table("By kind of writing", made.kinds, str),
        *_table("By audience", made.audiences, str),
        *_faults("Open questions answered wrongly", made.wrong),
        *_faults("Open questions left without help", made.missed),
    ]


def _table(title: str, listed: Sequence[Row], label: Callable[[str], str]) -> list[str]:
    return [f"## {title}", "", _HEAD, _LINE, *(_row(label(row.name), row.figures) for row in listed), ""]


def _row(label: str, figures: Figures) -> str:
    outside = figures.asked - figures.in_scope
    cells = [
        label,
        str(figures.asked),
        str(figures.in_scope),
        *(_of(count, figures.in_scope) for count in (figures.right, figures.offered, figures.unresolved)),
        _of(figures.wrong, figures.asked),
        str(outside),
        _of(figures.astray, outside),
    ]
    return f"| {' | '.join(cells)} |"


def _faults(title: str, listed: Sequence[Fault]) -> list[str]:
    lines = [f"## {title}", ""]
    for fault in listed:
        got = "；".join(
            f"{one.entry_no} {one.question} ({one.probability:.2f}: {'；'.join(one.reasons) or '—'})"
            for one in fault.shown
        )
        said = {"hit": "answered", "near": "offered", "miss": "closest"}[fault.outcome]
        lines.append(f"- {_line(fault.question.q)} ({fault.question.topic}) → {said}: {_line(got) or '—'}")
    return [*lines, *([] if listed else ["None."]), ""]


def _topic(name: str, meanings: Mapping[str, str]) -> str:
    return f"{name} {meanings[name]}" if name in meanings else name


def _of(count: int, whole: int) -> str:
    return f"{count} ({count / whole:.1%})" if whole else "—"


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"


def _plain(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "/")
