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

from office import redact

_NUMERALS = "123456789一二三四五六七八九"
_CHOICE = re.compile(rf"(?:第|选)?([{_NUMERALS}])个?")
# These mean something only as the reply to what was just shown or asked, so they are no commands.
_NONE_OF_THESE = re.compile(
    "(以上|上面|上面的|这些|这几个|这[两三]个|选项)?(里面?)?(都|全|全都|全部|统统)(不是|不对|没有|不符合|不合适|不相关)"
    "(我?[要想][问找]的?)?(吧|啊|呀|哦)?"
    "|(以上|上面|这些|这几个)?(里面?)?(都)?(没有|不是|没)我?[要想][问找]的?(问题|内容|事)?|(以上|上面|这些)(都)?(不是|不对)"
)
_NEVER_MIND = re.compile(
    "(哦|嗯|那|那就|还是|好吧|好的){0,2}(先)?(不用|不需要|不必|不要|不问|不找|不转|算|没事|没事儿|没什么事?|没有问题|没问题|没有|取消)"
    "(了|啦|吧|人工|转了|问了|找了|麻烦了?|麻烦[您你]们?了?){1,2}(谢谢|多谢)?(您|你)?(啊|啦|了)?"
    "|(哦|嗯|那){0,1}(先)?(不用|不需要|不必|没事|没事儿|取消|不问)(谢谢|多谢)?(您|你)?"
)
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


def refuses(text: str) -> bool:
    """Whether these words, said of choices that were offered, mean none of them."""
    return len(text) <= 20 and _NONE_OF_THESE.fullmatch(_bare(text)) is not None


def calls_off(text: str) -> bool:
    """Whether these words mean that nothing is wanted any more."""
    return len(text) <= 20 and _NEVER_MIND.fullmatch(_bare(text)) is not None


def says_something(words: str) -> bool:
    """Whether anything is left of a message besides signs and the places of removed numbers."""
    rest = words.replace(redact.PLACEHOLDER, "")
    least = 1 if rest == words else 4
    return sum(char.isalnum() for char in rest) >= least


class Said(Filter):
    """Passes a message whose whole text stands for the command `name`."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, message: Message, **data: Any) -> bool:
        return message.text is not None and meaning(message.text) == self._name
