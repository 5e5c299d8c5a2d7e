"""Corrections of an answer somebody was given before: the message, and the word that it was read."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import Any

from aiogram import F, Router
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, InlineKeyboardMarkup

from handlers import keyboards
from handlers.callbacks import Op, Tap, tap
from handlers.turn import Reply, Turn
from knowledge.calendar import spoken
from office.hours import BEIJING
from office.words import say
from ticketing import recalling

router = Router(name="corrections")


def correction(facts: dict[str, Any], lang: str) -> tuple[str, InlineKeyboardMarkup | None]:
    """The message of a recall: what was said when, what holds now, by what law."""
    text = say(
        "correction", lang, date=spoken(date.fromisoformat(facts["told"]), lang), old=escape(facts["old"]),
        new=escape(facts["new"]), basis=escape(facts["basis"]) or say("correction.office", lang),
    )  # fmt: skip
    read = keyboards.button(say("button.correction_read", lang), tap(Op.CORRECTED, facts["recall"]))
    return text, keyboards.rows([read], [keyboards.button(say("menu.human", lang), tap(Op.HUMAN))])


@router.callback_query(Tap.filter(F.op == Op.CORRECTED))
async def acknowledged(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """知道了 under a correction; the first tap counts, later ones are told when that was."""
    at = await recalling.acknowledge(turn.session, callback_data.row, turn.contact, now=turn.now)
    clock = at.astimezone(BEIJING)
    key = "correction.read" if at == turn.now else "correction.read_before"
    return [
        AnswerCallbackQuery(
            callback_query_id=query.id,
            text=turn.words(key, time=f"{clock:%H:%M}", date=spoken(clock.date(), turn.lang)),
        )
    ]
