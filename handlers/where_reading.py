"""What is typed while the wizard asks: an answer to its question, facts of the case, or a way out of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from handlers.plain_words import choice
from handlers.turn import Turn
from knowledge import elections, rules, statements
from knowledge.calendar import DateKind
from knowledge.packs import RulePack
from office import units

_BACK = re.compile(r"(?:返回|回到?|退回)?(?:上一步|上一题|上一个问题)|返回|后退|back", re.IGNORECASE)
_RESTART = re.compile(r"重新开始|重新来|重来|从头(?:开始|再来)?|start again|restart", re.IGNORECASE)
_RIGHT = re.compile(
    r"对(?:的|了|啊|呀)?|是(?:的|啊)?|没错|正确|嗯+|好(?:的|啊)?|可以|确认|ok|yes|right|correct",
    re.IGNORECASE,
)
_SIGNS = "。！!.，,~～ ？?"


def goes_back(words: str) -> bool:
    """上一步."""
    return _BACK.fullmatch(words.strip(_SIGNS)) is not None


def starts_again(words: str) -> bool:
    """重新开始."""
    return _RESTART.fullmatch(words.strip(_SIGNS)) is not None


def agrees(words: str) -> bool:
    """对, said of the summary."""
    return _RIGHT.fullmatch(words.strip(_SIGNS)) is not None


@dataclass(frozen=True, slots=True)
class Places:
    """What the own district and its parts are called, and what other parts of the region are."""

    local: tuple[str, ...]
    neighbours: tuple[str, ...]


async def facts(turn: Turn, pack: RulePack, words: str) -> dict[str, str]:
    """The answers that words give by themselves."""
    return await _facts(turn, pack, words, await _places(turn))


async def answered(turn: Turn, pack: RulePack, slot: str, words: str) -> dict[str, str]:
    """What words answer while `slot` is asked, by number, by name or by what they tell besides.

    Empty where they are no answer; `slot` is empty under the summary.
    """
    asked, number = pack.slot(slot), choice(words)
    if number is not None:
        return {slot: asked.options[number - 1].code} if asked and number <= len(asked.options) else {}
    places = await _places(turn)
    found = await _facts(turn, pack, words, places)
    if asked is not None and slot not in found:
        option = statements.answer_to(
            pack, slot, words, local=places.local, neighbours=places.neighbours
        )  # fmt: skip
        if option is not None:
            found[slot] = option
    return found


async def _facts(turn: Turn, pack: RulePack, words: str, places: Places) -> dict[str, str]:
    line = (await elections.spans(turn.session, turn.now)).get(DateKind.AGE_LINE)
    return statements.read(
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
