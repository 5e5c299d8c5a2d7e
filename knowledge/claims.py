"""Words of a version that another entry holds or answers already: who publishes it takes them from that one.

Golden questions do not show this: people's own words are many, and only few of them are golden.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.match import Hit, Index
from knowledge.outcomes import Source

MORE_ANSWERED = 2
"""So many of a version's words may be answered at once by entries of other topics; phrasings touch."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One phrasing of a version and the entry that holds it word for word, or else answers it at once."""

    words: str
    entry_no: str
    exact: bool


def claims(index: Index, version: Source, before: Source | None = None) -> tuple[Claim, ...]:
    """What a version claims of the other entries in `index`; its own entry counts as not there.

    `before` is the entry as it is in force: what others answer of its words has long been decided, and is
    not counted. What another entry holds word for word counts always: asked for, neither is answered.
    """

    def others(entry_id: int) -> bool:
        return entry_id != version.entry_id

    def shown(entry_id: int) -> bool:
        # Who is shown staff entries is shown the voters' too, and not the other way round.
        return others(entry_id) and (
            version.audience == "staff" or index.source(entry_id).audience == "voter"
        )

    long_held = frozenset(before.texts) if before is not None else frozenset()
    found = []
    for words in dict.fromkeys(version.texts):
        # Some asker is shown any two entries: staff are shown all.
        exact = [one for one in index.rank(words, others).candidates if one.matched is one.asked]
        found += [Claim(words, one.entry_no, exact=True) for one in exact]
        if exact or words in long_held:
            continue
        said = index.rank(words, shown)
        if isinstance(said, Hit) and said.best.topic != version.topic:
            found.append(Claim(words, said.best.entry_no, exact=False))
    return tuple(sorted(found, key=lambda claim: not claim.exact))


def faults(found: Iterable[Claim]) -> tuple[str, ...]:
    """The limits that these claims break: `claimed_words` for any word for word, `claimed_answers`."""
    exact = [claim.exact for claim in found]
    broken = ["claimed_words"] if any(exact) else []
    if exact.count(False) > MORE_ANSWERED:
        broken.append("claimed_answers")
    return tuple(broken)
