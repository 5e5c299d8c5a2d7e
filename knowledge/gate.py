"""The neutrality gate: what must not be answered from the base, and gets fixed words and a way instead."""

from __future__ import annotations

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

RULES = Path(__file__).parent.parent / "data" / "gate.yaml"
_HAN = re.compile(r"[㐀-鿿]")
_LATIN_WORD = re.compile(r"[a-z]+")
_T2S = OpenCC("t2s")


class Gate(StrEnum):
    """Why a message is not answered from the base; each has fixed words and a way."""

    DISTRESS = auto()
    REPORT = auto()
    OPINION = auto()
    ABUSE = auto()
    OTHER_PERSON = auto()
    OTHER_LANGUAGE = auto()


@dataclass(frozen=True, slots=True)
class _Rules:
    stops: Mapping[str, re.Pattern[str]]
    passes: Mapping[str, re.Pattern[str]]
    domain: re.Pattern[str]
    asks: re.Pattern[str]
    english: frozenset[str]


@cache
def _rules() -> _Rules:
    data: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return _Rules(
        stops={kind: _any_of(patterns) for kind, patterns in data["stops"].items()},
        passes={kind: _any_of(patterns) for kind, patterns in data["passes"].items()},
        domain=_any_of(data["domain"]),
        asks=_any_of(data["asks"]),
        english=frozenset(data["english"]),
    )


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


def gate(question: str) -> Gate | None:
    """Stop what must not be answered from the base; a question about procedure passes.

    Distress and abuse stop in any case; the other kinds only if the message does not ask how something is
    done or what the rule is.
    """
    rules, words = _rules(), _folded(question)
    for kind in (Gate.DISTRESS, Gate.ABUSE):
        if rules.stops[kind.value].search(words):
            return kind
    if _is_english(words, rules.english):
        return Gate.OTHER_LANGUAGE
    for kind in (Gate.OTHER_PERSON, Gate.REPORT, Gate.OPINION):
        if rules.stops[kind.value].search(words) and not rules.passes[kind.value].search(words):
            return kind
    return None


def in_our_field(question: str) -> bool:
    """Whether the message has any word of registration and election in it."""
    return _rules().domain.search(_folded(question)) is not None


def is_question(text: str) -> bool:
    """Whether the words ask something, or are rather a statement that a question may follow."""
    return _rules().asks.search(_folded(text)) is not None


def _is_english(words: str, common: frozenset[str]) -> bool:
    # Pinyin has words too, but none of the common English ones: "can" and "the" are not written so.
    if _HAN.search(words):
        return False
    latin = _LATIN_WORD.findall(words)
    return len(latin) >= 3 and not common.isdisjoint(latin)


def _folded(text: str) -> str:
    """One script, one width, lower case; punctuation stays."""
    return str(_T2S.convert(unicodedata.normalize("NFKC", text))).lower()
