"""The title of a work tip that begins with a question: 关于……问题的提示, in the words of an office.

A title is no question, and nobody asks in it. What cannot be turned by rule (a story, several questions,
dialect, somebody's own case) is left to the drafter: a wrong title is read by everybody.
"""

from __future__ import annotations

import re
from typing import Final

from office.words import CHINESE, say

SHORTEST: Final = 4
LONGEST: Final = 30
"""Characters between 关于 and 问题; a title stands in two lines at most."""
LONGEST_NAME: Final = 16

_GREETING: Final = re.compile(
    r"^(?:[您你]们?好|请问一下|请问|麻烦[您你]?问一?下|我?[想要]?(?:咨询|请教|问)一?下|我?想请?问|打扰了|关于)"
    r"[，,。！!：:\s]*"
)
_END: Final = re.compile(r"[？?。.！!，,；;…~～\s]+$")
_CLAUSES: Final = re.compile(r"[，,。；;：:！!？?\n]")
# Somebody's own case, or words that a paper does not use.
_OWN: Final = re.compile(r"[我俺咱你您伊侬阿勿呒伐弗啦麼麽嗎裡們這]|(?<!其)[他她](?!人)|的$|[a-z]{2}")
_PARTICLE: Final = re.compile(r"(?:[呢啊呀哦噢哈]|(?<![什怎那这])吧)+$")
_YES_NO: Final = re.compile(r"(?:吗|嘛|(?<![什怎那这多要])么)$")
_MODAL: Final = re.compile(
    r"[还也都就才只]?(?:可以|能够|(?<![可功智职性])能(?![力否够])|应该|应当|需要|必须"
    r"|(?<![重主只需概])要(?![求素点])|(?<![不于但总])是(?!否))"
)
_PLAIN: Final = tuple(
    (re.compile(before), after)
    for before, after in (
        (r"能不能够?", "能否"),
        (r"可不可以", "可否"),
        (r"(?:要不要|用不用|需不需要|须不须要)", "是否需要"),
        (r"是不是", "是否"),
        (r"有没有", "有无"),
        (r"行不行$", "是否可行"),
        (r"(\w)不\1", r"是否\1"),
        (r"啥", "什么"),
        (r"(?:什么时候|什么时间|几时)", "何时"),
        (r"为什么", "为何"),
        (r"(?:怎么|咋)(?=[还也都就]?[没不])", "为何"),
        (r"(?:怎么|咋)办$", "如何处理"),
        (r"(?:怎么样|怎么|怎样|咋样|咋)", "如何"),
        (r"(?:在|到|去)哪(?:里|儿|边)?(?![些个天年])", "在何处"),
        (r"(?<=如何)填$", "填写"),
        (r"(?<=如何)算$", "计算"),
        (r"(?<=如何)查$", "查询"),
        (r"(?<=如何)弄$", "办理"),
        (r"(?<=如何)补$", "补办"),
        (r"(?<=何处)看$", "查看"),
    )
)
_ASKS: Final = re.compile(r"能否|可否|是否|有无|何时|为何|如何|何处|什么|哪[些个天年里]|多少|多久|多长|几|谁")
_TELLS: Final = re.compile(r"[了没不过想在]|^\d+$")


def of_question(question: str) -> str:
    """The title of a tip about this question; with 「（待填写）」 where no rule makes one that reads well."""
    asked = bool(re.search(r"[？?]\s*$", question))
    text = "".join(question.split())
    while (shorter := _GREETING.sub("", text)) != text:
        text = shorter
    text = _PARTICLE.sub("", _END.sub("", text))
    if text.endswith("问题") and not _ASKS.search(text) and _fits(text):
        return say("tip.title_of", CHINESE, about=text)
    about = _turned(text) if _fits(text) else ""
    if about:
        return say("tip.title_question", CHINESE, about=about)
    if not asked and _fits(text) and len(text) <= LONGEST_NAME and not _names_nothing(text):
        return say("tip.title_of", CHINESE, about=text)
    return say("tip.title_unknown", CHINESE)


def _fits(text: str) -> bool:
    return SHORTEST <= len(text) <= LONGEST and not _CLAUSES.search(text) and not _OWN.search(text)


def _turned(text: str) -> str:
    """The question as the subject of a title; empty for what is none, or what no rule turns."""
    if _YES_NO.search(text):
        bare = _YES_NO.sub("", text)
        modal = _MODAL.search(bare)
        return f"{bare[: modal.start()]}是否{bare[modal.start() :]}" if modal else ""
    for before, after in _PLAIN:
        text = before.sub(after, text)
    return text if _ASKS.search(text) else ""


def _names_nothing(text: str) -> bool:
    """Whether it is a sentence or a question rather than the name of something."""
    return bool(_TELLS.search(text) or _MODAL.search(text) or _YES_NO.search(text))
