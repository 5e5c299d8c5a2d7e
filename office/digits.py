"""Folds text, so that digits can be looked for in whatever spelling they stand.

Every digit in whatever script becomes an ASCII digit, every dash `-`, every space ` `, and invisible
characters vanish, each symbol remembering where it came from.
"""

import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple


class Folded(NamedTuple):
    """Folded text with the way back to the raw one."""

    symbols: str
    origins: list[int]  # for each symbol, its place in the raw text
    spoken: list[bool]  # for each symbol, whether it stands for a spoken digit


# Between a spoken digit (三) and a written one (3) stands a seam: 周一13812345678 ends one number and
# begins another, while 一三8… is one number in mixed spelling. Patterns treat it like a separator.
_SEAM: Final = "\x1f"
_SPOKEN: Final = {
    word: str(value)
    for words in ("零一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖", "〇弌貳參肆伍陸柒捌玖", "○幺")
    for value, word in enumerate(words)
}
_DASHES: Final = frozenset("\u2212\u30fc\u2043")  # minus, vowel mark, hyphen bullet: dashes when typed
_DOTS: Final = frozenset("·•・‧∙⋅")
_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0")  # letters to Unicode, invisible to the eye
_CHECK_X: Final = {"Х": "X", "Χ": "X", "×": "X"}  # Cyrillic, Greek, multiplication sign


@lru_cache(maxsize=8192)
def fold_character(character: str) -> str:
    """What one character becomes: one symbol, several, or none."""
    value = unicodedata.digit(character, None)
    if value is not None:
        return str(value)
    category = unicodedata.category(character)
    if character.isspace():
        return " "
    if category == "Pd" or character in _DASHES:
        return "-"
    if character in _DOTS:
        return "."
    # Combining marks too: a keycap emoji is a digit with two marks after it.
    if category in {"Cf", "Cc", "Mn", "Me"} or character in _BLANK_LETTERS:
        return ""
    plain = unicodedata.normalize("NFKC", character)
    if plain != character:
        return "".join(map(fold_character, plain))
    return "".join(_CHECK_X.get(letter, letter) for letter in character.upper())


def fold(raw: str) -> Folded:
    """The whole text, with a seam wherever spoken and written digits touch."""
    symbols: list[str] = []
    origins: list[int] = []
    marks: list[bool] = []
    last_spoken: bool | None = None  # of the symbol before: spoken digit, written digit, no digit
    for origin, character in enumerate(raw):
        spoken = character in _SPOKEN
        folded = _SPOKEN[character] if spoken else fold_character(character)
        for symbol in folded:
            is_digit = "0" <= symbol <= "9"
            if is_digit and last_spoken is not None and last_spoken != spoken:
                symbols.append(_SEAM)
                origins.append(origin)
                marks.append(False)
            symbols.append(symbol)
            origins.append(origin)
            marks.append(spoken)
            last_spoken = spoken if is_digit else None
    return Folded("".join(symbols), origins, marks)


def digits(symbols: str) -> str:
    """The ASCII digits among the symbols."""
    return "".join(symbol for symbol in symbols if "0" <= symbol <= "9")
