"""The neutrality gate: what must not be answered from the base, and gets fixed words and a way instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum, auto
from functools import cache
from pathlib import Path

import yaml

RULES = Path(__file__).parent.parent / "data" / "gate.yaml"


class Gate(StrEnum):
    """Why a message is not answered from the base; each has fixed words and a way."""

    DISTRESS = auto()
    REPORT = auto()
    OPINION = auto()
    ABUSE = auto()
    OTHER_PERSON = auto()
    OTHER_LANGUAGE = auto()


@cache
def _patterns() -> tuple[Mapping[str, tuple[re.Pattern[str], ...]], re.Pattern[str], re.Pattern[str]]:
    data = yaml.safe_load((RULES).read_text(encoding="utf-8"))
    stops = {
        name: tuple(re.compile(p, re.IGNORECASE) for p in found) for name, found in data["stops"].items()
    }
    return stops, re.compile("|".join(data["procedure"])), re.compile("|".join(data["domain"]))


def gate(question: str) -> Gate | None:
    """Stop what must not be answered from the base; a question about procedure passes.

    Distress and abuse stop in any case; the other kinds only if the message does not ask how something is
    done.
    """
    stops, procedure, _ = _patterns()
    for kind in (Gate.DISTRESS, Gate.ABUSE):
        if any(pattern.search(question) for pattern in stops[kind.value]):
            return kind
    if not re.search(r"[㐀-鿿]", question) and len(re.findall(r"[A-Za-z]+", question)) >= 3:
        words = set(re.findall(r"[a-z]+", question.lower()))
        if words & set(_english()):
            return Gate.OTHER_LANGUAGE
    for kind in (Gate.OTHER_PERSON, Gate.REPORT, Gate.OPINION):
        if any(pattern.search(question) for pattern in stops[kind.value]) and not procedure.search(question):
            return kind
    return None


@cache
def _english() -> tuple[str, ...]:
    data = yaml.safe_load((RULES).read_text(encoding="utf-8"))
    return tuple(data["english"])


def in_our_field(question: str) -> bool:
    """Whether the message has any word of registration and election in it."""
    return _patterns()[2].search(question) is not None


@cache
def _asks() -> re.Pattern[str]:
    data = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return re.compile("|".join(data["asks"]))


def is_question(text: str) -> bool:
    """Whether the words ask something, or are rather a statement that a question may follow."""
    return _asks().search(text) is not None
