"""One training in a process of its own: a task as JSON on standard input, its result on standard output.

    python -m bot.training < task.json

It gives way to everything else on the machine. Apart from the program, because arithmetic for minutes would
hold up every question, and because a process can be ended at any moment.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from knowledge.labelled import Question
from knowledge.live import lexicon
from knowledge.match import Index
from knowledge.model import Model
from knowledge.outcomes import Source
from knowledge.replay import Case, compare
from knowledge.train import Label, learn

NICENESS = 10
ADVERSARIAL = "adversarial"


@dataclass(frozen=True, slots=True)
class Task:
    """What is trained on, and what the result is tried with; `present` is the model in force."""

    sources: Sequence[Source]
    labels: Sequence[Label]
    verdicts: Sequence[tuple[float, bool]]
    wanted_wrong: float
    present: Model
    cases: Sequence[Case]

    def as_json(self) -> str:
        """The task as text."""
        return json.dumps(asdict(self) | {"present": self.present.as_json()}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Read what `as_json` wrote."""
        held = json.loads(text)
        return cls(
            sources=[Source(**_tuples(row)) for row in held["sources"]],
            labels=[Label(**row) for row in held["labels"]],
            verdicts=[(probability, right) for probability, right in held["verdicts"]],
            wanted_wrong=held["wanted_wrong"],
            present=Model.from_json(held["present"]),
            cases=[Case(**_tuples(row)) for row in held["cases"]],
        )


@dataclass(frozen=True, slots=True)
class Trained:
    """A new model, and what the golden questions say of it beside the present one.

    `faults` names the limits it breaks; without any it may be put in force.
    """

    model: Model
    faults: tuple[str, ...]
    figures: dict[str, Any]

    def as_json(self) -> str:
        """The result as text."""
        held = {"model": self.model.as_json(), "faults": self.faults, "figures": self.figures}
        return json.dumps(held, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Trained:
        """Read what `as_json` wrote. Raises ValueError for anything else."""
        held = json.loads(text)
        return cls(Model.from_json(held["model"]), tuple(held["faults"]), held["figures"])


def open_questions(cases: Sequence[Case]) -> list[Question]:
    """The golden questions that may be learned from: not the sealed ones, nor those made to mislead, nor the
    entries' own, which would prove themselves."""
    return [
        Question(case.q, case.topic, case.also, case.audience)
        for case in cases
        if not case.sealed and not case.entry_no and case.kind != ADVERSARIAL
    ]


def carry_out(task: Task) -> Trained:
    """Train, then ask all golden questions under the present model and under the new one."""
    model = learn(
        task.sources, lexicon(), labels=task.labels, verdicts=task.verdicts,
        golden=open_questions(task.cases), wanted_wrong=task.wanted_wrong,
    )  # fmt: skip
    result = compare(
        Index(task.sources, lexicon(), task.present), Index(task.sources, lexicon(), model), task.cases
    )
    return Trained(model, result.faults, result.figures())


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def main() -> None:
    """Do the task on standard input."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    result = carry_out(Task.from_json(sys.stdin.buffer.read().decode()))
    sys.stdout.buffer.write(result.as_json().encode())


if __name__ == "__main__":
    main()
