"""Whether a draft is made of the approved text at all, and whether it quotes a wording since replaced."""

from __future__ import annotations

import re

from knowledge.conflicts import Difference, DifferenceKind
from knowledge.figures import plain
from knowledge.moods import pairs

LEAST_SHARED = 0.35
"""Of 3500 pairs of shipped entries nine in ten share less; each entry's own wordings share all of it."""
_FEWEST_PAIRS = 6
_SHORTEST_CLAUSE = 6
_SHOWN = 60
_CLAUSE = re.compile(r"[^。！？!?；;\n]+")
_POLITE = re.compile(
    "^(?:尊敬的|您好|你好|感谢|谢谢|祝|再见)|答复如下|(?:来电|来信|来访|咨询|反映|留言)(?:收悉|收到)"
    "|(?:如有|还有)[^，,]{0,6}(?:疑问|问题|不清楚)"
)


def foreign(draft: str, approved: str, known: str = "") -> Difference | None:
    """The draft itself as a difference, where little of it stands in `approved`; None where enough does.

    `known` is what was asked: to say it again counts neither for nor against. Very short drafts tell nothing.
    """
    own = pairs(_bare(draft))
    if len(own) < _FEWEST_PAIRS:
        return None
    theirs = pairs(plain(approved))
    added = own - (pairs(plain(known)) - theirs)
    own = added if len(added) >= _FEWEST_PAIRS else own
    if len(own & theirs) / len(own) >= LEAST_SHARED:
        return None
    return Difference(DifferenceKind.FOREIGN, _short(draft), _short(approved))


def replaced(draft: str, older: str, approved: str) -> tuple[Difference, ...]:
    """The sentences that the draft has from an older wording and that the approved one says otherwise."""
    now = _even(approved)
    before = _even(older)
    found = []
    for clause in dict.fromkeys(part.strip() for part in _CLAUSE.findall(draft)):
        same = _even(clause)
        if len(same) >= _SHORTEST_CLAUSE and same in before and same not in now:
            found.append(Difference(DifferenceKind.OLDER, _short(clause), _short(_nearest(clause, approved))))
    return tuple(found)


def _bare(draft: str) -> str:
    """The draft without its greeting, its thanks and the line that says what it answers."""
    return "\n".join(part for part in _CLAUSE.findall(plain(draft)) if not _POLITE.search(part.strip()[:60]))


def _even(text: str) -> str:
    return re.sub(r"\s+", "", plain(text))


def _nearest(clause: str, approved: str) -> str:
    mine = pairs(plain(clause))
    return max(
        _CLAUSE.findall(approved), key=lambda other: len(mine & pairs(plain(other))), default=""
    ).strip()


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
