"""Whether words ask for the status lookup itself, and what of it, by the patterns of the data."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum, auto
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from opencc import OpenCC

from knowledge.gate import WHOLE, gate
from office import redact

WORDS = Path(__file__).parent.parent / "data" / "lookup_words.yaml"
LONGEST = 40
LONGEST_ENGLISH = 80
_T2S = OpenCC("t2s")


class Wanted(StrEnum):
    """What of the lookup is asked about; all of them get the ways to ask, some with a line before them."""

    OWN = auto()
    RECEIPT = auto()
    WHEN = auto()
    PHONE = auto()
    ENGLISH = auto()


def wanted(words: str) -> Wanted | None:
    """What of the lookup this whole message asks about; None where it asks anything else."""
    if len(words) > LONGEST_ENGLISH:
        return None
    patterns, bare = _patterns(), _bare(words)
    if bare.isascii():
        spaced = " ".join(re.findall(r"[a-z]+", unicodedata.normalize("NFKC", words).lower()))
        return Wanted.ENGLISH if patterns[Wanted.ENGLISH].fullmatch(spaced) else None
    if len(bare) > LONGEST:
        return None
    return next((kind for kind in Wanted if patterns[kind].fullmatch(bare)), None)


def wanted_beside_number(words: str) -> bool:
    """Whether a message out of which an identity number was taken wants whoever it names looked up."""
    rest = _bare(words.replace(redact.PLACEHOLDER, " "))
    rules = _data()["numbered"]
    if re.search(rules["other"], rest) or gate(words) in WHOLE:
        return False
    return bool(re.search(rules["looks"], rest) or re.fullmatch(rules["introduces"], rest))


def _bare(words: str) -> str:
    plain = str(_T2S.convert(unicodedata.normalize("NFKC", words))).lower()
    bare = "".join(char for char in plain if char.isalnum())
    for pattern, meant in _data()["folds"]:
        bare = re.sub(pattern, meant, bare)
    return bare


@cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return loaded


@cache
def _patterns() -> dict[Wanted, re.Pattern[str]]:
    classes: dict[str, str] = _data()["words"]

    def spelled_out(pattern: str) -> str:
        return re.sub(r"\{([a-z]+)\}", lambda found: f"(?:{classes[found[1]]})", pattern)

    return {kind: re.compile("|".join(map(spelled_out, _data()[kind.value]))) for kind in Wanted}
