"""How the answers of the registration wizard travel in a button, and how they are summed up in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from knowledge.eligibility import applying, check
from knowledge.pack_parts import OTHER, UNSURE, RulePack, Slot
from office import words

UNKNOWN = "-"
NOTHING_SAID: Mapping[str, str] = MappingProxyType({})
_CODES = {OTHER: "o", UNSURE: "u"}
_ANYWAY = {code: option for option, code in _CODES.items()}


def pack_up(pack: RulePack, facts: Mapping[str, str]) -> str:
    """The facts in at most twelve characters, one for each slot of the pack; raises `BadFacts`.

    The place of an option in its slot, `o` for other, `u` for unsure, `-` for what is not known.
    """
    checked = check(pack, facts)
    return "".join(_packed(slot, checked.get(slot.code)) for slot in pack.slots)


def unpack(pack: RulePack, code: str) -> dict[str, str]:
    """The facts that `pack_up` packed; raises `ValueError` for a code this pack did not make."""
    if len(code) != len(pack.slots):
        raise ValueError("a code of another length")
    pairs = ((slot, _unpacked(slot, sign)) for slot, sign in zip(pack.slots, code, strict=True))
    return {slot.code: option for slot, option in pairs if option is not None}


def summary(
    pack: RulePack,
    facts: Mapping[str, str],
    language: str = words.CHINESE,
    said: Mapping[str, str] = NOTHING_SAID,
) -> tuple[str, ...]:
    """What is understood of the case, a few words for each answer that applies: 外省市户口, 在职, 没有证明.

    An ordinary answer whose option says nothing is left out. `said` are the asker's words, by slot, for what
    is none of the options.
    """
    applied = applying(pack, facts)
    found = (
        said.get(slot.code, "") if applied[slot.code] == OTHER and slot.code in said
        else _said(slot, applied[slot.code], language)
        for slot in pack.slots if slot.code in applied
    )  # fmt: skip
    return tuple(text for text in found if text)


def _said(slot: Slot, value: str, language: str) -> str:
    option = slot.option(value)
    if option is not None:
        return option.says_in(language)
    if not slot.asked:
        return ""
    question = slot.ask_in(language).rstrip("？?")
    return words.say(
        "wizard.not_listed" if value == OTHER else "wizard.not_sure", language, question=question
    )


def _packed(slot: Slot, option: str | None) -> str:
    if option is None:
        return UNKNOWN
    return _CODES.get(option) or str([each.code for each in slot.options].index(option))


def _unpacked(slot: Slot, sign: str) -> str | None:
    if sign == UNKNOWN:
        return None
    if sign in _ANYWAY:
        return _ANYWAY[sign]
    if not (sign.isascii() and sign.isdigit()) or int(sign) >= len(slot.options):
        raise ValueError("a sign this slot has no option for")
    option = slot.options[int(sign)].code
    if option == UNSURE:
        raise ValueError("a sign that is never made")
    return option
