"""The keyboards: at most six buttons, each label short; colour is never the only cue."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml
from aiogram.enums import ButtonStyle
from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
)

from handlers.callbacks import Op, tap
from office.words import say

QUICK = Path(__file__).parent.parent / "data" / "quick.yaml"
LARGE = ("menu.when", "menu.where", "menu.status", "menu.call")


@cache
def quick_topics() -> tuple[dict[str, str], ...]:
    """The quick topics of the first screen: a wording key for the label, and the words it stands for."""
    return tuple(yaml.safe_load(QUICK.read_text(encoding="utf-8")))


def button(label: str, data: str, style: ButtonStyle | None = None) -> InlineKeyboardButton:
    """A button; destructive ones are `DANGER`, confirmations `SUCCESS`."""
    return InlineKeyboardButton(text=label, callback_data=data, style=style)


def rows(*lines: list[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    """A keyboard from lines of buttons."""
    return InlineKeyboardMarkup(inline_keyboard=list(lines))


def menu(lang: str) -> InlineKeyboardMarkup:
    """The first screen: what people ask most, and a person at any time."""
    topics = [
        button(say(topic["key"], lang), tap(Op.ASK, arg=str(number)))
        for number, topic in enumerate(quick_topics())
    ]
    return rows(topics[:2], topics[2:4], [*topics[4:], button(say("menu.human", lang), tap(Op.HUMAN))])


def after_answer(lang: str, enquiry_id: int) -> InlineKeyboardMarkup:
    """Under an answer: solved, not solved, another question."""
    return rows(
        [button(say("button.solved", lang), tap(Op.SOLVED, enquiry_id), ButtonStyle.SUCCESS)],
        [button(say("button.not_solved", lang), tap(Op.NOT_SOLVED, enquiry_id))],
        [button(say("button.change", lang), tap(Op.CHANGE))],
    )


def choices(
    lang: str, enquiry_id: int, count: int, *, doubtful: bool = False, labels: Sequence[str] = ()
) -> InlineKeyboardMarkup:
    """One of up to three questions that stand in the message, or none of these.

    `labels` stand on the buttons in place of the numbers. Where it is `doubtful` that the question is for us
    at all, a person in place of none of these.
    """
    names = labels or [say("button.choice", lang, number=number + 1) for number in range(count)]
    first = [
        button(name, tap(Op.PICK, enquiry_id, arg=str(number))) for number, name in enumerate(names[:count])
    ]
    if doubtful:
        return rows(first, *person_or_menu(lang).inline_keyboard)
    return rows(first, [button(say("button.none_of_these", lang), tap(Op.NONE_OF_THESE, enquiry_id))])


def after_ticket(lang: str) -> InlineKeyboardMarkup:
    """Under a ticket's number: how far it is, or back to the topics."""
    return rows(
        [button(say("menu.mine", lang), tap(Op.MINE)), button(say("button.menu", lang), tap(Op.MENU))]
    )


def after_ticket_answer(lang: str, ticket_id: int, conclusion: int) -> InlineKeyboardMarkup:
    """Under an answer that came back: solved, or ask again."""
    yes = tap(Op.FOLLOW_UP, ticket_id, conclusion, "yes")
    no = tap(Op.FOLLOW_UP, ticket_id, conclusion, "no")
    return rows(
        [
            button(say("button.solved", lang), yes, ButtonStyle.SUCCESS),
            button(say("button.not_yet", lang), no),
        ]
    )


def follow_up(lang: str, ticket_id: int, conclusion: int) -> InlineKeyboardMarkup:
    """The one question after an answer."""
    verdict = after_ticket_answer(lang, ticket_id, conclusion).inline_keyboard[0]
    none = tap(Op.FOLLOW_UP, ticket_id, conclusion, "none")
    return rows(verdict, [button(say("button.no_comment", lang), none)])


def person_or_menu(lang: str) -> InlineKeyboardMarkup:
    """A person, or back to the topics."""
    return rows(
        [button(say("menu.human", lang), tap(Op.HUMAN)), button(say("button.menu", lang), tap(Op.MENU))]
    )


def really_forget(lang: str) -> InlineKeyboardMarkup:
    """Deleting cannot be undone: sure, or back."""
    return rows(
        [
            button(say("button.forget", lang), tap(Op.FORGET), ButtonStyle.DANGER),
            button(say("button.menu", lang), tap(Op.MENU)),
        ]
    )


def always_there(lang: str) -> ReplyKeyboardMarkup:
    """The four buttons that stay under the large-print view; each sends the words on it."""
    labels = [KeyboardButton(text=say(key, lang)) for key in LARGE]
    return ReplyKeyboardMarkup(
        keyboard=[labels[:2], labels[2:]],
        is_persistent=True,
        resize_keyboard=True,
        input_field_placeholder=say("large_placeholder", lang),
    )
