"""Birth dates as people write them, held against the day by which a voter must have been born."""

from __future__ import annotations

import re
from datetime import date

from knowledge.pack_parts import UNSURE

MAY_TURN = 17
"""Years of age at which one may, or may not, be eighteen by election day."""
_DIGITS = str.maketrans("零〇○一二三四五六七八九", "000123456789")
_YEAR = r"(?P<year>(?:19|20)\d\d|[〇○零一二三四五六七八九]{4})"
_PART = r"\d{1,2}|[一二三四五六七八九十]{1,3}"
_WRITTEN = rf"{_YEAR}(?:年|[- ])(?:(?P<month>{_PART})(?:月|[- ])?(?:(?P<day>{_PART})[日号]?)?)?"
_BORN = (
    re.compile(rf"{_WRITTEN}(?:的)?(?:出生|生的|生(?![活日效产])|生日)"),
    re.compile(rf"(?:出生(?:日期|年月|于|在)?|生日|生于)(?:是|在|为)?\s*{_WRITTEN}"),
)

Born = tuple[int, int | None, int | None]


def stated(text: str) -> Born | None:
    """Year, month and day of the one birth date in a text, as far as they are said; None without one."""
    found = {_born(match) for pattern in _BORN for match in pattern.finditer(text)}
    return found.pop() if len(found) == 1 else None


def by(born: Born, line: date) -> str:
    """`ok` or `under` by the latest birth date that may register; `unsure` if too little is said."""
    year, month, day = born
    said = tuple(part for part in (year, month, day) if part is not None)
    bound = (line.year, line.month, line.day)[: len(said)]
    if said == bound and len(said) < len(born):
        return UNSURE
    return "ok" if said <= bound else "under"


def _born(match: re.Match[str]) -> Born:
    month, day = match["month"], match["day"]
    return int(match["year"].translate(_DIGITS)), _count(month), _count(day)


def _count(part: str | None) -> int | None:
    """12 for 十二, 30 for 三十."""
    if not part:
        return None
    tens, ten, ones = part.rpartition("十")
    if not ten:
        return int(part.translate(_DIGITS))
    return int((tens or "1").translate(_DIGITS)) * 10 + int((ones or "0").translate(_DIGITS))
