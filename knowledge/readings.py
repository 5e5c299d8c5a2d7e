"""How a text sounds: pinyin without tones."""

import re
from functools import lru_cache

from pypinyin.constants import PINYIN_DICT

_LATIN = re.compile(r"[a-z]+")

_MARKS = {
    c: p
    for p, group in {
        "a": "āáǎà",
        "e": "ēéěèê",
        "i": "īíǐì",
        "o": "ōóǒò",
        "u": "ūúǔù",
        "v": "üǖǘǚǜ",
        "n": "ńňǹ",
        "m": "ḿ",
    }.items()
    for c in group
}


@lru_cache(maxsize=20_000)
def reading(char: str) -> str:
    """The commonest reading of a character without its tone (`lv` for 绿); without one, the character."""
    readings = PINYIN_DICT.get(ord(char))
    if not readings:
        return char
    plain_letters = "".join(_MARKS.get(c, c) for c in readings.split(",")[0])
    return "".join(c for c in plain_letters if c.isascii())


def pinyin(text: str) -> list[str]:
    """Toneless syllables of a text; Latin runs are cut into syllables when they are pinyin, else kept."""
    syllables: list[str] = []
    at = 0
    while at < len(text):
        run = _LATIN.match(text, at)
        if run:
            syllables.extend(_cut(run[0]))
            at = run.end()
            continue
        if text[at] != " ":
            syllables.append(reading(text[at]))
        at += 1
    return syllables


@lru_cache(maxsize=4_000)
def _cut(run: str) -> tuple[str, ...]:
    if len(run) > 200:
        return (run,)
    best: list[tuple[str, ...] | None] = [()] + [None] * len(run)
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - 6), end):
            before = best[start]
            if before is not None and run[start:end] in _syllables():
                found = best[end]
                if found is None or len(before) + 1 < len(found):
                    best[end] = (*before, run[start:end])
    return best[-1] or (run,)


@lru_cache(maxsize=1)
def _syllables() -> frozenset[str]:
    common = (reading(chr(code)) for code in range(0x4E00, 0x9FA6))
    # One-letter readings other than a, e, o are letters, not syllables.
    return frozenset(s for s in common if s.isascii() and s.isalpha() and (len(s) > 1 or s in "aeo"))
