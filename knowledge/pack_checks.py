"""Whether a pack as a whole decides every case, uses every row, and counts no date in a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from knowledge.pack_parts import ANYWAY, Offset, RulePack, Slot, holds


def unreachable(pack: RulePack) -> int | None:
    """The place of the first row that no facts lead to; None if every row can be reached."""
    reached = set(_ends(pack, {}))
    return next((place for place in range(len(pack.leaves)) if place not in reached), None)


def complete(pack: RulePack) -> bool:
    """Whether every combination of answers ends in a row."""
    return None not in set(_ends(pack, {}))


def circle(offsets: Mapping[str, Offset]) -> str | None:
    """A milestone that is counted from itself, directly or by way of others; None if there is none."""
    for start in offsets:
        seen, kind = {start}, offsets[start].base
        while kind in offsets:
            if kind == start:
                return start
            if kind in seen:  # a circle further up, found when its own members are looked at
                break
            seen.add(kind)
            kind = offsets[kind].base
    return None


def first_row(
    pack: RulePack, facts: Mapping[str, str], *, defaults: bool = True
) -> tuple[int | None, Slot | None]:
    """The place of the first row that may hold, and the first slot not known if that is still open.

    No place at all where no row holds; `defaults` as in `RulePack.effective`.
    """
    effective = pack.effective(facts, defaults=defaults)
    for place, leaf in enumerate(pack.leaves):
        held = holds(leaf.when, effective)
        if held:
            return place, None
        if held is None:
            return place, next(slot for slot in pack.slots if slot.code not in effective)
    return None, None


def _ends(pack: RulePack, facts: dict[str, str]) -> Iterator[int | None]:
    """Every place that some completion of the facts ends in; the slots answered are those that matter."""
    place, unknown = first_row(pack, facts, defaults=False)
    if unknown is None:
        yield place
        return
    for code in dict.fromkeys((*(option.code for option in unknown.options), *ANYWAY)):
        yield from _ends(pack, facts | {unknown.code: code})
