"""How proactive messages are put into words for the contact's language, one function per kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from html import escape
from typing import Any

from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardMarkup

from handlers import keyboards, speech
from knowledge.calendar import spoken
from office.outbox import Delivery
from office.words import say

Built = tuple[str, InlineKeyboardMarkup | None]


def methods(delivery: Delivery, chat_id: int, lang: str) -> list[SendMessage]:
    """The messages of a delivery, the buttons under the last; raises `KeyError` for an unknown kind."""
    text, keyboard = BUILDERS[delivery.kind](delivery.facts, lang)
    pieces = speech.parts(text)
    return [
        SendMessage(
            chat_id=chat_id,
            text=piece,
            reply_markup=keyboard if number == len(pieces) else None,
        )
        for number, piece in enumerate(pieces, start=1)
    ]


def _answer(facts: dict[str, Any], lang: str) -> Built:
    source = (
        say("answer_arrived.entry", lang, entry=facts["entry"])
        if facts["entry"]
        else say("answer_arrived.basis", lang, basis=escape(facts["basis"]))
    )
    text = say(
        "answer_arrived", lang, date=spoken(date.fromisoformat(facts["asked_on"])), no=facts["no"],
        asked=escape(facts["asked"]), text=escape(facts["text"]), source=source,
    )  # fmt: skip
    return text, keyboards.after_ticket_answer(lang, facts["ticket"], facts["conclusion"])


def _follow_up(facts: dict[str, Any], lang: str) -> Built:
    text = say("follow_up", lang, no=facts["no"], asked=escape(facts["asked"]))
    return text, keyboards.follow_up(lang, facts["ticket"], facts["conclusion"])


def _ticketed(facts: dict[str, Any], lang: str) -> Built:
    text = say("miss", lang, no=facts["no"], key=facts["key"], promise=facts["promise"])
    return text, keyboards.after_ticket(lang)


def _reply(facts: dict[str, Any], lang: str) -> Built:
    keyboard = InlineKeyboardMarkup.model_validate(facts["buttons"]) if facts["buttons"] else None
    return facts["text"], keyboard


BUILDERS: dict[str, Callable[[dict[str, Any], str], Built]] = {
    "answer": _answer,
    "follow_up": _follow_up,
    "ticketed": _ticketed,
    "reply": _reply,
}
