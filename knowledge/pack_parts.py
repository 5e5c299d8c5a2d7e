"""What a region's rule pack is made of: questions with their options, rows of the table, calendar rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from knowledge.citations import Citation

OTHER = "other"
UNSURE = "unsure"
ANYWAY = (OTHER, UNSURE)
"""Accepted for every slot, whether or not it has a button."""
ABSENT = ""
"""The value of a slot that does not apply: no condition holds for it."""

Conditions = tuple[Mapping[str, frozenset[str]], ...]
"""Alternatives, one of which must hold; in each, every slot must have one of its codes."""


def holds(when: Conditions, facts: Mapping[str, str]) -> bool | None:
    """Whether the conditions hold; None while it depends on a slot that `facts` do not know."""
    found: bool | None = False
    for alternative in when:
        values = [facts[slot] in codes if slot in facts else None for slot, codes in alternative.items()]
        if all(values):
            return True
        if False not in values:
            found = None
    return found


def english(language: str) -> bool:
    """Whether a language is answered in English; every other one in Chinese."""
    return language.startswith("en")


@dataclass(frozen=True, slots=True)
class Option:
    """An answer to a slot's question: the button's label, and how a summary words it."""

    code: str
    label: str
    label_en: str
    says: str
    says_en: str

    def label_in(self, language: str) -> str:
        return self.label_en if english(language) else self.label

    def says_in(self, language: str) -> str:
        return self.says_en if english(language) else self.says


@dataclass(frozen=True, slots=True)
class Slot:
    """A question and its options. One that is never asked has no question, and a default."""

    code: str
    ask: str
    ask_en: str
    options: tuple[Option, ...]
    when: Conditions
    default: str = ""

    @property
    def asked(self) -> bool:
        return not self.default

    @property
    def sure(self) -> tuple[str, ...]:
        """The options of somebody who knows the answer."""
        return tuple(option.code for option in self.options if option.code != UNSURE)

    def ask_in(self, language: str) -> str:
        return self.ask_en if english(language) else self.ask

    def option(self, code: str) -> Option | None:
        """The option of this code; None for `other`, or `unsure` without a button."""
        return next((option for option in self.options if option.code == code), None)

    def accepts(self, code: object) -> bool:
        return code in ANYWAY or any(option.code == code for option in self.options)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A row of the table: when it holds, and what the voter is told.

    `row` is the row's own code; `code` differs from it where a signed change answers the row as another one
    does. `edition` is the number of that change, 0 for the pack's own wording. `ticket`: a person answers.
    """

    code: str
    when: Conditions
    answer: str
    answer_en: str
    steps: tuple[str, ...]
    steps_en: tuple[str, ...]
    bring: tuple[str, ...]
    bring_en: tuple[str, ...]
    basis: tuple[Citation, ...]
    topic: str
    ticket: bool
    group: str
    flags: tuple[str, ...]
    row: str
    edition: int = 0

    def answer_in(self, language: str) -> str:
        return (english(language) and self.answer_en) or self.answer

    def steps_in(self, language: str) -> tuple[str, ...]:
        return (english(language) and self.steps_en) or self.steps

    def bring_in(self, language: str) -> tuple[str, ...]:
        return (english(language) and self.bring_en) or self.bring


@dataclass(frozen=True, slots=True)
class Offset:
    """How one milestone of the calendar comes about.

    `relation` is `entered` (by the office), `offset` (`days` from `base`) or `age` (eighteen years before
    `base`, compared by year, month and day). With `receipt` the days count from when the paper was received,
    where that is known, else from `base`. `latest`: the law says at the latest, and so must the wording.
    """

    kind: str
    base: str
    days: int
    citation: str
    latest: bool
    label: str
    label_en: str
    relation: str = "offset"
    receipt: bool = False

    def label_in(self, language: str) -> str:
        return self.label_en if english(language) else self.label


@dataclass(frozen=True, slots=True)
class Household:
    """Which option of `slot` a place means: in the own district, in the region, outside it, abroad."""

    slot: str
    here: str
    region: str
    outside: str
    abroad: str


@dataclass(frozen=True, slots=True)
class RulePack:
    """A region's rules. `laws` give each short name its full title, `flags` each mark its meaning."""

    id: str
    name: str
    name_en: str
    version: int
    effective_from: date
    effective_until: date | None
    laws: Mapping[str, str]
    flags: Mapping[str, tuple[str, str]]
    region: tuple[str, ...]
    """What the region is called by people."""
    districts: tuple[str, ...]
    """The districts and counties of the region."""
    towns: tuple[str, ...]
    """Its towns and subdistricts by their bare names."""
    household: Household
    slots: tuple[Slot, ...]
    leaves: tuple[Leaf, ...]
    offsets: tuple[Offset, ...]
    _slots: Mapping[str, Slot] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_slots", {slot.code: slot for slot in self.slots})

    def name_in(self, language: str) -> str:
        return self.name_en if english(language) else self.name

    def slot(self, code: str) -> Slot | None:
        return self._slots.get(code)

    def rows(self, code: str) -> tuple[Leaf, ...]:
        """The rows with this code of their own."""
        return tuple(leaf for leaf in self.leaves if leaf.row == code)

    def effective(self, facts: Mapping[str, str], *, defaults: bool = True) -> dict[str, str]:
        """What the facts come to: defaults filled in, `ABSENT` where a slot does not apply.

        A slot is missing while it is not known, or not yet known to apply. Without `defaults` a slot that is
        never asked is missing too.
        """
        found: dict[str, str] = {}
        for slot in self.slots:
            applies = holds(slot.when, found)
            if applies is False:
                found[slot.code] = ABSENT
            elif applies and (value := facts.get(slot.code) or (slot.default if defaults else "")):
                found[slot.code] = value
        return found
