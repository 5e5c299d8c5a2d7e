"""What the secure page asks besides name and number: a small sum in words, which can be read aloud.

It keeps out what types without reading. Budgets keep out the rest, so it may be easy: no picture, no clock.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[2] / "data" / "lookup.yaml"
LONGEST_ANSWER = 40
_NOISE = re.compile(r"[\s。，．.,!！?？、:：=＝'’“”\"()（）]+")


@dataclass(frozen=True, slots=True)
class Challenge:
    """A question in both languages, and the number that answers it."""

    zh: str
    en: str
    answer: int

    def asked_in(self, language: str) -> str:
        """The question in the reader's language."""
        return self.en if language == "en" else self.zh

    def answered_by(self, typed: str) -> bool:
        """Whether `typed` is the answer, in digits or in words of either language."""
        return number(typed) == self.answer


@cache
def data() -> Mapping[str, Any]:
    """The whole file, as it stands."""
    loaded: Mapping[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return loaded


def notice_version() -> str:
    """The version of the notice that is shown before anything is typed; at most 16 characters."""
    return str(data()["notice"])


def draw(seed: bytes) -> Challenge:
    """The challenge of this seed: the same one each time, any one with equal chance."""
    questions = data()["questions"]
    dice = hashlib.sha256(b"challenge" + seed).digest()
    question = questions[int.from_bytes(dice[:4], "big") % len(questions)]
    a = _within(question["a"], dice[4:8])
    b = 0
    if "b" in question:
        b = _within(question["b"].replace("a", str(a)), dice[8:12])
        if question.get("apart") and b == a:
            # The next one, and after the last the first.
            low, high = _bounds(question["b"])
            b = b + 1 if b < high else low
    names = data()["numerals"]
    zh, en = (question[lang].format(a=names[lang][a], b=names[lang][b]) for lang in ("zh", "en"))
    return Challenge(zh, en, _follows(question["is"], a, b))


def number(typed: str) -> int | None:
    """The number somebody wrote: 9, ９, 九, 玖, 9天, 等于九, nine; None if it is none."""
    plain = unicodedata.normalize("NFKC", typed[:LONGEST_ANSWER]).casefold()
    plain = _NOISE.sub("", plain)
    known = _numbers()
    for text in _bared(plain):
        if re.fullmatch(r"[0-9]{1,3}", text):
            return int(text)
        if text in known:
            return known[text]
    return None


def _bared(plain: str) -> list[str]:
    """The text as it stands, then without what may stand before, after, and around a number."""
    before = next((w for w in _edges("before") if plain.startswith(w) and plain != w), "")
    inner = plain[len(before) :]
    found = [plain, inner]
    for text in (plain, inner):
        after = next((w for w in _edges("after") if text.endswith(w) and text != w), "")
        if after:
            found.append(text[: -len(after)])
    return found


@cache
def _edges(side: str) -> tuple[str, ...]:
    words = {_NOISE.sub("", word.casefold()) for word in data()[side]}
    return tuple(sorted(words, key=len, reverse=True))


@cache
def _numbers() -> Mapping[str, int]:
    found: dict[str, int] = {}
    for names in data()["numerals"].values():
        found |= {name: value for value, name in enumerate(names)}
    for value, names in data()["otherwise"].items():
        found |= dict.fromkeys(names, int(value))
    # 壹拾贰 and 一十二 are twelve too, and so is 拾二.
    tens = [name for name, value in found.items() if value == 10 and not name.isascii()]
    ones = [(name, value) for name, value in found.items() if 1 <= value <= 9 and not name.isascii()]
    return found | {ten + name: 10 + value for ten in tens for name, value in ones}


def _bounds(text: str) -> tuple[int, int]:
    low, high = text.split("-")
    return int(low), int(high)


def _within(text: str, dice: bytes) -> int:
    low, high = _bounds(text)
    return low + int.from_bytes(dice, "big") % (high - low + 1)


def _follows(rule: str, a: int, b: int) -> int:
    answers = {
        "a+b": a + b, "a-b": a - b, "a+1": a + 1, "a-1": a - 1,
        "larger": max(a, b), "smaller": min(a, b), "a": a,
    }  # fmt: skip
    return answers[rule]
