"""The keyboards: at most six buttons, each label short; colour is never the only cue."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml
from aiogram.enums import ButtonStyle
from aiogram.methods import EditMessageReplyMarkup
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
)

from handlers.callbacks import Op, tap
from handlers.turn import Reply, Turn
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


def after_answer(lang: str, enquiry_id: int, *, own_case: bool = False) -> InlineKeyboardMarkup:
    """Under an answer: solved, not solved, another question; `own_case` offers to ask step by step."""
    last = [button(say("button.change", lang), tap(Op.CHANGE))]
    return rows(
        [button(say("button.solved", lang), tap(Op.SOLVED, enquiry_id), ButtonStyle.SUCCESS)],
        [button(say("button.not_solved", lang), tap(Op.NOT_SOLVED, enquiry_id))],
        [step_by_step(lang, enquiry_id), *last] if own_case else last,
    )


def step_by_step(lang: str, enquiry_id: int) -> InlineKeyboardButton:
    """The wizard, beginning with what the words of an enquiry have told already."""
    return button(say("wizard.button.own_case", lang), tap(Op.WIZARD, enquiry_id))


def wizard_question(
    lang: str,
    row: int,
    minute: int,
    options: Sequence[tuple[str, str]],
    *,
    here: str,
    first: bool,
    wide: bool,
) -> InlineKeyboardMarkup:
    """The options of a wizard's question, each with the packed answers it leads to, and the ways out.

    `here` are the packed answers so far, `minute` says when this was asked; `wide` gives each option a line.
    """
    asked = [button(label, tap(Op.WIZARD, row, minute, code)) for label, code in options]
    across = 1 if wide else 2
    lines = [asked[at : at + across] for at in range(0, len(asked), across)]
    return rows(*lines, *_out_of_wizard(lang, row, minute, here, first=first))


def wizard_summary(lang: str, row: int, minute: int, here: str, *, first: bool) -> InlineKeyboardMarkup:
    """Under the summary: it is right, or the ways out."""
    right = button(say("wizard.button.right", lang), tap(Op.RIGHT, row, minute, here), ButtonStyle.SUCCESS)
    return rows([right], *_out_of_wizard(lang, row, minute, here, first=first))


def wizard_over(lang: str, row: int) -> InlineKeyboardMarkup:
    """Under a button that has expired: from the beginning."""
    return rows([_restart(lang, row)])


def wizard_result(
    lang: str,
    enquiry_id: int,
    minute: int,
    *,
    besides: Sequence[tuple[str, str]],
    print_url: str,
    owed: bool,
) -> InlineKeyboardMarkup:
    """Under a result: solved or not, what may be added (label, packed answers), stations, paper.

    Whoever is `owed` an answer is not asked yet whether it helped.
    """
    lines = []
    if not owed:
        lines.append([button(say("button.solved", lang), tap(Op.SOLVED, enquiry_id), ButtonStyle.SUCCESS)])
        lines.append([button(say("button.not_solved", lang), tap(Op.NOT_SOLVED, enquiry_id))])
    lines += [[button(label, tap(Op.RIGHT, enquiry_id, minute, code))] for label, code in besides]
    last = [button(say("wizard.button.stations", lang), tap(Op.STATION, arg="s0"))]
    if print_url:
        last.append(InlineKeyboardButton(text=say("wizard.button.print", lang), url=print_url))
    return rows(*lines, last)


def _out_of_wizard(
    lang: str, row: int, minute: int, here: str, *, first: bool
) -> list[list[InlineKeyboardButton]]:
    person = button(say("wizard.button.person", lang), tap(Op.HUMAN, row, minute, here))
    if first:
        return [[person]]
    back = button(say("wizard.button.back", lang), tap(Op.BACK, row, minute, here))
    return [[back, _restart(lang, row)], [person]]


def _restart(lang: str, row: int) -> InlineKeyboardButton:
    return button(say("wizard.button.restart", lang), tap(Op.RESTART, row))


def choices(
    lang: str,
    enquiry_id: int,
    count: int,
    *,
    doubtful: bool = False,
    labels: Sequence[str] = (),
    own_case: bool = False,
) -> InlineKeyboardMarkup:
    """One of up to three questions that stand in the message, or none of these.

    `labels` stand on the buttons in place of the numbers. Where it is `doubtful` that the question is for us
    at all, a person in place of none of these. `own_case` offers to ask step by step.
    """
    names = labels or [say("button.choice", lang, number=number + 1) for number in range(count)]
    first = [
        button(name, tap(Op.PICK, enquiry_id, arg=str(number))) for number, name in enumerate(names[:count])
    ]
    if doubtful:
        return rows(first, *person_or_menu(lang).inline_keyboard)
    last = [button(say("button.none_of_these", lang), tap(Op.NONE_OF_THESE, enquiry_id))]
    return rows(first, [step_by_step(lang, enquiry_id), *last] if own_case else last)


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


def without_buttons(query: CallbackQuery, turn: Turn) -> Reply:
    """Take the buttons off a message that has been acted upon, where the channel still lets us."""
    if not isinstance(query.message, Message):
        return []
    return [EditMessageReplyMarkup(chat_id=turn.chat_id, message_id=query.message.message_id)]
