"""The keyboards: at most six buttons, each label short; colour is never the only cue."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from handlers.callbacks import Op, tap
from office.words import say

QUICK = Path(__file__).parent.parent / "data" / "quick.yaml"


@cache
def quick_topics() -> tuple[dict[str, str], ...]:
    """The quick topics of the first screen: a wording key for the label, and the words it stands for."""
    return tuple(yaml.safe_load(QUICK.read_text(encoding="utf-8")))


def rows(*lines: list[tuple[str, str]], **more: Any) -> InlineKeyboardMarkup:
    """A keyboard from lines of (label, callback data)."""
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=label, callback_data=data) for label, data in line] for line in lines
        ]
    )


def menu(lang: str) -> InlineKeyboardMarkup:
    """The first screen: what people ask most, and a person at any time."""
    topics = [
        (say(topic["key"], lang), tap(Op.ASK, arg=str(number))) for number, topic in enumerate(quick_topics())
    ]
    return rows(topics[:2], topics[2:4], [*topics[4:], (say("menu.human", lang), tap(Op.HUMAN))])


def after_answer(lang: str, enquiry_id: int) -> InlineKeyboardMarkup:
    """Under an answer: solved, not solved, another question."""
    return rows(
        [(say("button.solved", lang), tap(Op.SOLVED, enquiry_id))],
        [(say("button.not_solved", lang), tap(Op.NOT_SOLVED, enquiry_id))],
        [(say("button.change", lang), tap(Op.CHANGE))],
    )


def choices(lang: str, enquiry_id: int, questions: list[str]) -> InlineKeyboardMarkup:
    """Up to three questions to choose from, and none of these."""
    lines = [
        [(question, tap(Op.PICK, enquiry_id, arg=str(number)))] for number, question in enumerate(questions)
    ]
    return rows(*lines, [(say("button.none_of_these", lang), tap(Op.NONE_OF_THESE, enquiry_id))])


def after_ticket_answer(lang: str, ticket_id: int, conclusion: int) -> InlineKeyboardMarkup:
    """Under an answer that came back: solved, or ask again."""
    return rows(
        [
            (say("button.solved", lang), tap(Op.FOLLOW_UP, ticket_id, conclusion, "yes")),
            (say("button.not_yet", lang), tap(Op.FOLLOW_UP, ticket_id, conclusion, "no")),
        ]
    )


def follow_up(lang: str, ticket_id: int, conclusion: int) -> InlineKeyboardMarkup:
    """The one question after an answer."""
    return rows(
        [
            (say("button.solved", lang), tap(Op.FOLLOW_UP, ticket_id, conclusion, "yes")),
            (say("button.not_yet", lang), tap(Op.FOLLOW_UP, ticket_id, conclusion, "no")),
        ],
        [(say("button.no_comment", lang), tap(Op.FOLLOW_UP, ticket_id, conclusion, "none"))],
    )


def person_or_menu(lang: str) -> InlineKeyboardMarkup:
    """A person, or back to the topics."""
    return rows([(say("menu.human", lang), tap(Op.HUMAN)), (say("button.menu", lang), tap(Op.MENU))])
