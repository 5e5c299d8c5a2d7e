"""What is typed while the wizard asks: an answer to its question, facts of the case, or a way out of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from handlers.plain_words import choice
from handlers.turn import Turn
from handlers.where_memory import SHORT
from knowledge import elections, rules, statements
from knowledge.calendar import DateKind
from knowledge.pack_parts import OTHER
from knowledge.packs import RulePack
from knowledge.tellings import Heard
from office import units

_BACK = re.compile(r"(?:返回|回到?|退回)?(?:上一步|上一题|上一个问题)|返回|后退|back", re.IGNORECASE)
_RESTART = re.compile(r"重新开始|重新来|重来|从头(?:开始|再来)?|start again|restart", re.IGNORECASE)
_RIGHT = re.compile(
    r"对(?:的|了|啊|呀)?|是(?:的|啊)?|没错|正确|嗯+|好(?:的|啊)?|可以|确认|ok|yes|right|correct",
    re.IGNORECASE,
)
_WRONG = re.compile(
    r"(?:你|您)?(?:这|都|全|说|写|理解|记)?(?:得|的)?(?:都|全)?(?:不对|错了|不正确|有错|有误|不是|不是的|不)"
    r"(?:了|的|啊|吧)?|(?:说|点|选|写|弄|搞|讲|打)错了?|no|wrong|not right",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"退出|结束|(?:我)?不(?:说|查|填|弄|答|做|玩|问)了|算了|先这样|quit|exit|cancel", re.IGNORECASE
)
_WHY = re.compile(
    r"为(?:什么|啥|何).{0,4}(?:问|知道|晓得|告诉|填|说)|干(?:嘛|吗|什么).{0,3}(?:问|知道)|(?:问|知道)(?:这个|这些|那么多|这么多).{0,4}"
    r"(?:干|做|有什么用|什么用)|有必要(?:问|知道)|why (?:do you|are you) (?:ask|need)",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"(?:我?要|请|帮我)?(?:转|找|问|接)?(?:一下)?人工(?:客服|服务|咨询)?[\s，,：:。！!、]+(?P<rest>.{4,})",
    re.DOTALL,
)
_PHONE = re.compile(r"电话|手机号|联系方式|号码|phone|telephone", re.IGNORECASE)
_WHEN = re.compile(
    r"什么时[候间]|几时|啥辰光|何时|哪天|哪一天|几号|几月|多久|截止|日期|时间|when", re.IGNORECASE
)
_PAPER = re.compile(r"证明")
_SIGNS = "。！!.，,~～ ？?"
SHORT_QUESTION = 20


def goes_back(words: str) -> bool:
    """上一步."""
    return _BACK.fullmatch(words.strip(_SIGNS)) is not None


def starts_again(words: str) -> bool:
    """重新开始."""
    return _RESTART.fullmatch(words.strip(_SIGNS)) is not None


def agrees(words: str) -> bool:
    """对, said of the summary."""
    return _RIGHT.fullmatch(words.strip(_SIGNS)) is not None


def finds_wrong(words: str) -> bool:
    """不对, said of the summary or of an answer."""
    return _WRONG.fullmatch(words.strip(_SIGNS)) is not None


def ends(words: str) -> bool:
    """退出: nothing more is to be asked."""
    return _ENDS.fullmatch(words.strip(_SIGNS)) is not None


def asks_why(words: str) -> bool:
    """为什么要问这个."""
    return len(words) <= SHORT_QUESTION and _WHY.search(words) is not None


def asks_phone(words: str) -> bool:
    """你们电话多少."""
    return len(words) <= SHORT_QUESTION and _PHONE.search(words) is not None


def asks_when(words: str) -> bool:
    """名单什么时候公布."""
    return _WHEN.search(words) is not None


def for_person(words: str) -> str:
    """What follows 转人工 in the same message; empty where nothing does."""
    found = _PERSON.fullmatch(words.strip())
    return found["rest"].strip() if found else ""


def speaks_of_paper(words: str) -> bool:
    """Whether some certificate is meant; only said of words that state nothing of the one in question."""
    return len(words) <= SHORT_QUESTION and _PAPER.search(words) is not None


@dataclass(frozen=True, slots=True)
class Places:
    """What the own district and its parts are called, and what other parts of the region are."""

    local: tuple[str, ...]
    neighbours: tuple[str, ...]


async def heard(turn: Turn, pack: RulePack, words: str) -> Heard:
    """What words tell by themselves."""
    return await _heard(turn, pack, words, await _places(turn))


async def answered(turn: Turn, pack: RulePack, slot: str, words: str) -> Heard:
    """What words answer while `slot` is asked, by number, by name or by what they tell besides.

    Without facts where they are no answer; `slot` is empty under the summary.
    """
    asked, number = pack.slot(slot), choice(words)
    if number is not None:
        chosen = asked.options[number - 1].code if asked and number <= len(asked.options) else ""
        return Heard({slot: chosen} if chosen else {})
    places = await _places(turn)
    found = await _heard(turn, pack, words, places)
    if asked is not None and slot not in found.facts:
        option = statements.answer_to(
            pack, slot, words, local=places.local, neighbours=places.neighbours
        )  # fmt: skip
        if option is not None:
            found = replace(found, facts={**found.facts, slot: option})
    return _in_own_words(found, slot, words.strip(_SIGNS))


def _in_own_words(found: Heard, slot: str, words: str) -> Heard:
    """What is said in answer to the question itself is kept whole, unless it names nothing: 都不是."""
    if found.facts.get(slot) != OTHER or len(words) > SHORT or statements.names_nothing(words):
        return found
    return replace(found, words={**found.words, slot: words})


async def _heard(turn: Turn, pack: RulePack, words: str, places: Places) -> Heard:
    line = (await elections.spans(turn.session, turn.now)).get(DateKind.AGE_LINE)
    return statements.heard(
        pack, words, local=places.local, neighbours=places.neighbours,
        age_line=line[0].first if line else None,
    )  # fmt: skip


async def _places(turn: Turn) -> Places:
    below = await units.all_units(turn.session)
    others = await rules.contacts(turn.session, turn.now)
    return Places(
        tuple(unit.name for unit in below if units.contains(turn.district.path, unit.path)),
        tuple(contact.name for contact in others),
    )
