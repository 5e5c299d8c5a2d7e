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
_UNCLEAR = re.compile(
    "(可|但|可是|但是|我|您|你|说得|说的|还是|还|依然|仍然|仍|真的?|实在|完全|根本|有点儿?|这个|这|上面|答复|回答|内容)*"
    "(不(太|大|是很|怎么)?(清楚|明白|懂|理解)|[看听弄搞](不|没有?)(太)?(懂|明白|清楚)|没有?(太)?[看听弄搞]?(懂|明白|清楚)"
    "|(什么|啥)意思|答非所问|没(有)?(回答|答复)我?的?问题)(的|了|啊|呢|呀|嘛)?{again}?"
    "|{again}".replace(
        "{again}",
        "(?:(请|麻烦|能不能|能|可以|可否|您|你|帮我)*再?(详细|具体|仔细)?(再)?(说|讲|解释|说明)"
        "(说|讲|一下|一遍|清楚|明白|详细|具体|一点|点|些)+(吗|吧|呀|好吗|可以吗|行吗)?)",
    )
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


def unclear(text: str) -> bool:
    """Whether these words say of an answer that it is not understood, and nothing else."""
    return len(text) <= 30 and _UNCLEAR.fullmatch(_bare(text)) is not None


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
