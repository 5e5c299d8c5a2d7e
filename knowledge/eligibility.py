"""Where a described case registers: facts in, the row of the region's table and its citations out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from knowledge.adaptations import BadRow as BadRow
from knowledge.adaptations import adapted as adapted
from knowledge.pack_checks import first_row
from knowledge.pack_parts import ABSENT, Leaf, RulePack, Slot
from office.errors import Invalid


class BadFacts(Invalid):
    """Facts that the pack does not know; `slot` and `option` say which."""

    def __init__(self, key: str, *, slot: str, option: str = "") -> None:
        super().__init__(key, slot=slot, option=option)
        self.slot = slot
        self.option = option


@dataclass(frozen=True, slots=True)
class Verdict:
    """The row that decides a case, and the facts that applied to it, in the order of the questions."""

    leaf: Leaf
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """A row that was looked at: `slot` and `value` are why it does not hold, both empty if it does.

    An empty `value` means that the slot does not apply, or is not known.
    """

    leaf: Leaf
    holds: bool
    slot: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class _Fork:
    """A question that matters: what each option leads to."""

    slot: Slot
    ways: tuple[_Fork | int | None, ...]


def check(pack: RulePack, facts: Mapping[str, object]) -> dict[str, str]:
    """The facts, if the pack knows every slot and option.

    `other` and `unsure` are known to every slot. Raises `BadFacts`.
    """
    for code, option in facts.items():
        slot = pack.slot(code)
        if slot is None:
            raise BadFacts("facts_slot_unknown", slot=code)
        if not isinstance(option, str) or not slot.accepts(option):
            raise BadFacts("facts_option_unknown", slot=code, option=str(option))
    return {code: str(option) for code, option in facts.items()}


def next_slot(pack: RulePack, facts: Mapping[str, str]) -> Slot | None:
    """The next question; None when no open one can change the answer.

    Questions come in the order of the pack. One is skipped if, whatever the other open ones were answered
    by somebody who knows, every option of it would lead to the same row.
    """
    found = _way(pack, dict(facts), 0)
    return found.slot if isinstance(found, _Fork) else None


def decide(pack: RulePack, facts: Mapping[str, str]) -> Verdict | None:
    """The row that decides the case; None while a question is open.

    Raises `BadFacts` for facts the pack does not know.
    """
    found = _way(pack, check(pack, facts), 0)
    if isinstance(found, _Fork):
        return None
    return Verdict(pack.leaves[_certain(found)], applying(pack, facts))


def applying(pack: RulePack, facts: Mapping[str, str]) -> dict[str, str]:
    """The stated facts that apply, in the order of the questions."""
    effective = pack.effective(facts)
    return {
        slot.code: facts[slot.code]
        for slot in pack.slots
        if slot.code in facts and effective.get(slot.code) == facts[slot.code]
    }


def path(pack: RulePack, facts: Mapping[str, str]) -> tuple[Step, ...]:
    """The rows that were looked at in their order and why each does not hold.

    It ends with the row that decides, or with the first one that open questions may still lead to. Raises
    `BadFacts`.
    """
    found = _way(pack, check(pack, facts), 0)
    effective = pack.effective(facts)
    end = min(_ends(found))
    steps = [_looked_at(leaf, effective) for leaf in pack.leaves[:end]]
    decided = not isinstance(found, _Fork)
    return (*steps, Step(pack.leaves[end], True) if decided else _looked_at(pack.leaves[end], effective))


def _ends(found: _Fork | int | None) -> Iterator[int]:
    """The places of the rows that the way may lead to."""
    if isinstance(found, _Fork):
        for way in found.ways:
            yield from _ends(way)
    else:
        yield _certain(found)


def _looked_at(leaf: Leaf, effective: Mapping[str, str]) -> Step:
    slot = _obstacle(leaf, effective)
    return Step(leaf, False, slot, effective.get(slot, ABSENT))


def _obstacle(leaf: Leaf, effective: Mapping[str, str]) -> str:
    """The slot that keeps the row from holding: of the alternative that comes nearest, the first one."""
    failing = [
        [slot for slot, codes in alternative.items() if effective.get(slot) not in codes]
        for alternative in leaf.when
    ]
    return min(failing, key=len)[0]


def _way(pack: RulePack, facts: dict[str, str], at: int) -> _Fork | int | None:
    """What the facts lead to: the place of a row, or the first question that matters.

    Ordered by slots and without forks whose ways are all the same, it names a slot exactly if the answer to
    it can change the row.
    """
    place, unknown = first_row(pack, facts)
    if unknown is None:
        return place
    effective = pack.effective(facts)
    for number, slot in enumerate(pack.slots[at:], start=at + 1):
        if slot.code in effective or slot.code in facts:
            continue
        ways = tuple(_way(pack, facts | {slot.code: option}, number) for option in slot.sure)
        return ways[0] if all(way == ways[0] for way in ways) else _Fork(slot, ways)
    raise AssertionError("a row depends on a slot that is neither known nor open")


def _certain(place: int | None) -> int:
    if place is None:
        raise AssertionError("a pack without an end for these facts was let in")
    return place
