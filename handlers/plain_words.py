"""Commands can only be Latin, so plain words work everywhere; they match only as the whole message."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from aiogram.filters import Filter
from aiogram.types import Message

_NUMERALS = "123456789一二三四五六七八九"
_CHOICE = re.compile(rf"(?:第|选)?([{_NUMERALS}])个?")
WORDS = Path(__file__).parent.parent / "data" / "plain_words.yaml"


@cache
def _meaning() -> dict[str, str]:
    loaded: dict[str, list[str]] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return {_bare(said): name for name, words in loaded.items() for said in words}


def _bare(text: str) -> str:
    wide = unicodedata.normalize("NFKC", text)
    return "".join(char for char in wide if char.isalnum()).lower()


def meaning(text: str) -> str | None:
    """The name of the command these words stand for, or None."""
    return _meaning().get(_bare(text)) if len(text) <= 20 else None


def choice(text: str) -> int | None:
    """The number these words choose (1, １, 一, 第一个), or None."""
    found = _CHOICE.fullmatch(_bare(text)) if len(text) <= 6 else None
    return _NUMERALS.index(found[1]) % 9 + 1 if found else None


class Said(Filter):
    """Passes a message whose whole text stands for the command `name`."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, message: Message, **data: Any) -> bool:
        return message.text is not None and meaning(message.text) == self._name
