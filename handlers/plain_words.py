"""Commands can only be Latin, so plain words work everywhere; they match only as the whole message."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from aiogram.filters import Filter
from aiogram.types import Message

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


class Said(Filter):
    """Passes a message whose whole text stands for the command `name`."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, message: Message, **data: Any) -> bool:
        return message.text is not None and meaning(message.text) == self._name
