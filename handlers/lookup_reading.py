"""Whether words want somebody else looked up: a relative, a neighbour, or nothing but a name."""

from __future__ import annotations

import re
from functools import cache

import yaml

from knowledge.gate import RULES, Gate, gate
from knowledge.text import split_questions

LONGEST = 60
_ABOUT = re.compile("查|登|名单|选民|核实|看看|看一?下")
# What else people want to know of each other; that is never a matter of looking anybody up.
_ELSE = re.compile(
    "投给|投票|选了?谁|电话|手机|住[在哪几址]|地址|身份证|户口|剥|牢|判|精神|党员|案底|叫什么|是谁|几口|多少人|几个?人"
)
_SHE = re.compile("妈|娘|母|奶|婆|姐|妹|女|太太|媳妇|妻|阿姨|姑|婶|嫂|她")
_WANTS = "(?:请|麻烦|帮我|帮忙|帮|给我|你|您|能不能|可以|我想|我要|想)*"
_LOOK = "(?:查一?查|查|看看|看一?下|核实)(?:一下|下|询)?"
_FAMILY = "(?:请|麻烦|我想|我要|想|我)*[替帮给代](?:我们?家?|家里)?的?(?:{kin})"
_STATUS = "(?:选民)?登记?(?:状态|情况|信息|结果|没登上|上没有?|了没有?|没有?)?[吧啊呢吗么。！!？?]*"
_AFTER = "(?:的?(?:选民)?登记?(?:情况|状态|信息)?)?[吧啊呢吗么。！!？?]*"


def for_another(words: str) -> str:
    """ "she" or "he" where these words ask whether somebody else is registered, else nothing.

    Several questions in one message are left to be read one by one.
    """
    if len(words) > LONGEST or not _ABOUT.search(words) or _ELSE.search(words):
        return ""
    bare = re.sub(r"\s", "", words)
    if not (
        _only_a_name().fullmatch(bare) or _for_family().fullmatch(bare) or gate(words) is Gate.OTHER_PERSON
    ):
        return ""
    if len(split_questions(words)) > 1:
        return ""
    return "she" if _SHE.search(words) else "he"


@cache
def _only_a_name() -> re.Pattern[str]:
    return re.compile(f"{_WANTS}{_LOOK}(?:{_classes()['surname']})[一-鿿]{{1,2}}{_AFTER}")


@cache
def _for_family() -> re.Pattern[str]:
    return re.compile(f"{_FAMILY.format(kin=_classes()['kin'])}{_LOOK}{_STATUS}")


@cache
def _classes() -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["words"]
    return found
