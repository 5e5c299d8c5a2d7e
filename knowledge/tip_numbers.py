"""The number of a work tip, 2026年第3期, as it is written and as people write it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_DIGITS: Final = "零一二三四五六七八九"
_NUMERALS: Final = "零〇一二两三四五六七八九十百"
_YEAR: Final = r"(?:(?<![0-9])((?:19|20)[0-9]{2})\s*年?度?\s*)?"
_NUMBER: Final = re.compile(rf"{_YEAR}第\s*([0-9]{{1,3}}|[{_NUMERALS}]{{1,5}})\s*期")
_BESIDE: Final = re.compile(r"选民登记|登记工作|工作提示|提示|[\s《》「」“”:：的]")


def written(year: int, issue_no: int) -> str:
    """2026年第3期: counted within the year, without a leading nought."""
    return f"{year}年{short(issue_no)}"


def short(issue_no: int) -> str:
    """第3期."""
    return f"第{issue_no}期"


def find(text: str) -> tuple[int | None, int] | None:
    """Year (None where it is not said) and number of the first tip that a text names, None without one.

    Full-width digits and Chinese numerals are read too: 第３期, 第十二期.
    """
    for found in _NUMBER.finditer(unicodedata.normalize("NFKC", text)):
        if number := _value(found[2]):
            return (int(found[1]) if found[1] else None), number
    return None


def exactly(text: str) -> tuple[int | None, int] | None:
    """As `find`, for a text that says nothing else: 工作提示第3期, but not 第3期 居住证."""
    rest = _NUMBER.sub("", unicodedata.normalize("NFKC", text), count=1)
    return find(text) if not _BESIDE.sub("", rest) else None


def _value(numeral: str) -> int:
    if numeral.isascii():
        return int(numeral)
    total = current = 0
    for character in numeral.replace("〇", "零").replace("两", "二"):
        if character in "十百":
            total += (current or 1) * (10 if character == "十" else 100)
            current = 0
        else:
            current = _DIGITS.index(character)
    return total + current
