"""The neutrality gate: what must not be answered from the base, and gets fixed words and a way instead."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from opencc import OpenCC

from knowledge.readings import pinyin

RULES = Path(__file__).parent.parent / "data" / "gate.yaml"
WEIGHTS = RULES.with_name("gate_weights.json")
_HAN = re.compile(r"[㐀-鿿]")
_WORD = re.compile(r"[a-z]+")
_ADDRESS = re.compile(r"\S+(?:://|@|www\.)\S*|\b\S+\.(?:com|cn|org|net|gov)\S*")
# A tag with what stands in it, and a call: code is in no language that somebody speaks.
_CODE = re.compile(r"<[/!?]?[a-z][^<>]*>|\b[a-z_.]+\([^()]*\)")
_CLASS = re.compile(r"\{([a-z]+)\}")
_REMOVED = re.compile(r"[［\[]\s*号码已隐去\s*[］\]]")
_NUMBER = "№"
# Signs put between two characters of a word to get it past a filter; never those that end a clause.
_BETWEEN = re.compile(r"(?<=[㐀-鿿])[\s.*_\-·•|/\\]+(?=[㐀-鿿])|(?<=[㐀-鿿])\s+|\s+(?=[㐀-鿿])")
_SIGNS = frozenset({"So", "Sk", "Cf", "Cs", "Co", "Cn", "Cc"})
_LATIN_WITH_MARKS = re.compile(r"[a-zß-ɏḀ-ỿ]+")
# Kana, Hangul, Cyrillic, Arabic, Thai, Hebrew, Greek and Devanagari.
_OTHER_SCRIPT = re.compile(
    r"[぀-ゟ゠-ヿㇰ-ㇿ가-힣ᄀ-ᇿЀ-ӿ\u0600-\u06ff\u0e00-\u0e7f\u0590-\u05ff\u0370-\u03ff\u0900-\u097f]"
)
_FOREIGN_LETTERS = 3
# Latin letters with marks that no tone of pinyin has.
_NEVER_PINYIN = re.compile(r"[âãäåæçëîïðñôõöøûýþÿßăąćđęğıłœśşšťůűžơư]")
_NOT_WORD = re.compile(r"[^\w№]")
_FEWEST_CHARACTERS = 6
_T2S = OpenCC("t2s")


class Gate(StrEnum):
    """Why a message is not answered from the base; each has fixed words and a way."""

    DISTRESS = auto()
    REPORT = auto()
    OPINION = auto()
    BELIEF = auto()
    ABUSE = auto()
    OTHER_PERSON = auto()
    OTHER_LANGUAGE = auto()


WHOLE = frozenset({Gate.DISTRESS, Gate.ABUSE, Gate.REPORT, Gate.OTHER_LANGUAGE})
"""What stops the whole message, whatever else stands in it; other kinds stop only their own question."""
_IN_ANY_CASE = (Gate.DISTRESS, Gate.ABUSE)
_UNLESS_PROCEDURE = (Gate.REPORT, Gate.OTHER_PERSON, Gate.BELIEF, Gate.OPINION)


@dataclass(frozen=True, slots=True)
class Leaning:
    """How far pieces of words speak for one kind; a message whose sum passes `threshold` is of it."""

    weights: Mapping[str, float]
    bias: float
    threshold: float

    def score(self, pieces: frozenset[str]) -> float:
        """The log-odds of a message with these pieces, long and short messages made alike."""
        return self.bias + sum(self.weights.get(piece, 0.0) for piece in pieces) / math.sqrt(len(pieces))


@dataclass(frozen=True, slots=True)
class _Rules:
    folds: tuple[tuple[re.Pattern[str], str], ...]
    masks: Mapping[str, re.Pattern[str]]
    stops: Mapping[str, re.Pattern[str]]
    weak: Mapping[str, re.Pattern[str]]
    passes: Mapping[str, re.Pattern[str]]
    needs: Mapping[str, re.Pattern[str]]
    domain: re.Pattern[str]
    asks: re.Pattern[str]
    english: frozenset[str]
    english_alone: frozenset[str]


@cache
def _rules() -> _Rules:
    data: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    words: dict[str, str] = data["words"]
    return _Rules(
        folds=tuple((re.compile(pattern), plain) for pattern, plain in data["folds"]),
        masks={kind: _any_of(patterns, words) for kind, patterns in data["masks"].items()},
        stops={kind: _any_of(patterns, words) for kind, patterns in data["stops"].items()},
        weak={kind: _any_of(patterns, words) for kind, patterns in data["weak"].items()},
        passes={kind: _any_of(patterns, words) for kind, patterns in data["passes"].items()},
        needs={kind: _any_of(patterns, words) for kind, patterns in data["needs"].items()},
        domain=_any_of(data["domain"], words),
        asks=_any_of(data["asks"], words),
        english=frozenset(data["english"]),
        english_alone=frozenset(data["english_alone"]),
    )


@cache
def _leanings() -> Mapping[Gate, Leaning]:
    data: dict[str, Any] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return {Gate(kind): Leaning(**fields) for kind, fields in data.items()}


def _any_of(patterns: list[str], words: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(_spelled_out(pattern, words) for pattern in patterns), re.IGNORECASE)


def _spelled_out(pattern: str, words: Mapping[str, str]) -> str:
    # A class may name another class; a class that names itself would never end, so depth is bounded.
    for _ in range(4):
        pattern = _CLASS.sub(lambda found: f"(?:{words[found[1]]})", pattern)
    return pattern


def gate(question: str) -> Gate | None:
    """Stop what must not be answered from the base; a question about procedure passes.

    Distress and abuse stop in any case; the other kinds only if the message does not ask how something is
    done or what the rule is. `question` may hold the placeholder of a number that was taken out.
    Rules decide first; where none speaks, what the message has in common with the examples does.
    """
    return by_rule(question) or _by_leaning(question)


def by_rule(question: str) -> Gate | None:
    """What the written rules alone say of a message."""
    rules, words = _rules(), _folded(question)
    tight = _tight(words, rules)
    for kind in _IN_ANY_CASE:
        if rules.stops[kind.value].search(rules.masks[kind.value].sub("", tight)):
            return kind
    if _is_other_language(words, rules):
        return Gate.OTHER_LANGUAGE
    for kind in _UNLESS_PROCEDURE:
        if rules.stops[kind.value].search(tight) and not rules.passes[kind.value].search(tight):
            return kind
    if rules.asks.search(tight):
        return None
    for kind in _UNLESS_PROCEDURE:
        told = rules.weak.get(kind.value)
        if told is not None and told.search(tight) and not rules.passes[kind.value].search(tight):
            return kind
    return None


def _by_leaning(question: str) -> Gate | None:
    rules = _rules()
    tight = _tight(_folded(question), rules)
    # A few words have too few pieces to lean anywhere; pinyin and numbers have none of the examples'.
    if len(_HAN.findall(tight)) < _FEWEST_CHARACTERS:
        return None
    found = pieces(question)
    for kind, leaning in _leanings().items():
        passing = rules.passes.get(kind.value)
        if passing is not None and passing.search(tight):
            continue
        if rules.needs[kind.value].search(tight) and leaning.score(found) > leaning.threshold:
            return kind
    return None


def pieces(question: str) -> frozenset[str]:
    """Runs of one to three characters of a message, its edges marked, by which messages are alike."""
    rules = _rules()
    text = _tight(_folded(question), rules)
    for mask in rules.masks.values():
        text = mask.sub("", text)
    text = "^" + _NOT_WORD.sub("", text) + "$"
    return frozenset(text[i : i + n] for n in (1, 2, 3) for i in range(len(text) - n + 1))


def in_our_field(question: str) -> bool:
    """Whether the message has any word of registration and election in it."""
    return _rules().domain.search(_folded(question)) is not None


def is_question(text: str) -> bool:
    """Whether the words ask something, or are rather a statement that a question may follow."""
    return _rules().asks.search(_folded(text)) is not None


def _is_other_language(words: str, rules: _Rules) -> bool:
    if len(_OTHER_SCRIPT.findall(words)) >= _FOREIGN_LETTERS:
        return True
    words = _CODE.sub(" ", _REMOVED.sub(_NUMBER, words))
    if _HAN.search(words):
        return False
    latin = _WORD.findall(_ADDRESS.sub(" ", words))
    if len(latin) >= 2 and not rules.english.isdisjoint(latin):
        return True
    if not rules.english_alone.isdisjoint(latin):
        return True
    whole = [word for word in _LATIN_WITH_MARKS.findall(_ADDRESS.sub(" ", words)) if len(word) >= 3]
    strange = sum(not _is_pinyin(word) for word in whole)
    if len(whole) >= 2 and _NEVER_PINYIN.search(words):
        return True
    return strange >= 2 and strange * 2 > len(whole)


def _is_pinyin(word: str) -> bool:
    # One whole syllable and one unknown word both come back in one piece; another syllable behind tells them.
    bare = "".join(c for c in unicodedata.normalize("NFD", word) if c.isascii())
    return len(pinyin(bare + "a")) > 1


def _folded(text: str) -> str:
    """One script, one width, lower case; punctuation stays."""
    return str(_T2S.convert(unicodedata.normalize("NFKC", text))).lower()


def _tight(words: str, rules: _Rules) -> str:
    """The characters of a message as they are meant: nothing between them, spelled in the usual way."""
    text = _REMOVED.sub(_NUMBER, words).replace("\n", "，")
    text = "".join(c for c in text if c == _NUMBER or unicodedata.category(c) not in _SIGNS)
    text = _BETWEEN.sub("", text.replace("\ufe0f", ""))
    for pattern, plain in rules.folds:
        text = pattern.sub(plain, text)
    return text.strip()
