"""How proactive messages are put into words for the contact's language, one function per kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from html import escape
from typing import Any

from aiogram.methods import SendMessage, TelegramMethod
from aiogram.types import InlineKeyboardMarkup

from handlers import (
    corrections,
    desk_cards,
    keyboards,
    passing,
    robot_words,
    special_words,
    speech,
    staff_notices,
    tip_cards,
    told,
)
from handlers.callbacks import Op, tap
from knowledge import calendar, moves, reminders
from knowledge.calendar import KeyDate, spoken
from knowledge.reminders import What
from office import robots
from office.hours import beijing_day
from office.outbox import Delivery
from office.words import CHINESE, say
from ticketing import cards, fetching, offline, recalling, tip_chases, tip_places

Built = tuple[str, InlineKeyboardMarkup | None]


def methods(delivery: Delivery, chat_id: int, lang: str) -> list[TelegramMethod[Any]]:
    """The messages of a delivery, the buttons under the last; raises `KeyError` for an unknown kind.

    A delivery may also take away a message that was sent before.
    """
    if delivery.kind == passing.TAKE_AWAY:
        return [passing.gone(delivery.facts, chat_id)]
    if delivery.kind in staff_notices.MAKERS:
        return staff_notices.MAKERS[delivery.kind](delivery, chat_id, lang)
    if delivery.kind in WHOLE:
        return WHOLE[delivery.kind](delivery.facts, chat_id, lang)
    facts = {**delivery.facts, "written": beijing_day(delivery.created_at)}
    text, keyboard = BUILDERS[delivery.kind](facts, lang)
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


def _reminder(facts: dict[str, Any], lang: str) -> Built:
    """One of the days somebody asked to be told of: what, when, and what to do."""
    what, lines = facts["what"], []
    for row in facts["dates"]:
        key_date = moves.from_facts(row)
        day = calendar.spoken(key_date.last, lang)
        if what == What.CLOSES.value and key_date.audience:
            lines.append(say("reminder.closes_line", lang, audience=escape(key_date.audience), day=day))
        else:
            lines.append(escape(_dated(key_date, lang)))
    lines = [say(f"reminder.{what}", lang), *lines, say(f"reminder.{what}.do", lang)]
    return "\n".join(lines), _no_more(lang)


def _moved(facts: dict[str, Any], lang: str) -> Built:
    """Which of the days that people plan by are other ones now."""
    rows = facts["moves"]
    lines = [say("moved.title" if any(row["old"] for row in rows) else "moved.first_title", lang)]
    for row in rows:
        what = say(f"date.{row['kind']}", lang)
        if row["audience"]:
            what = f"{what}（{row['audience']}）" if lang == CHINESE else f"{what} ({row['audience']})"
        dates = {
            name: escape(moves.when(moves.from_facts(row[name]), facts["written"], lang))
            for name in ("old", "new")
            if row[name]
        }
        key = "moved.changed" if len(dates) == 2 else "moved.new" if row["new"] else "moved.gone"
        lines.append(say(key, lang, what=escape(what), **dates))
    return "\n".join([*lines, say("moved.after", lang)]), _no_more(lang)


def _dated(key_date: KeyDate, lang: str) -> str:
    name = say(f"date.{key_date.kind.value}", lang)
    return say("date.audience", lang, audience=name, text=calendar.when(key_date, lang))


def _no_more(lang: str) -> InlineKeyboardMarkup:
    off = keyboards.button(say("button.notify.off", lang), tap(Op.NOTIFY, arg="off"))
    return keyboards.rows([off, keyboards.button(say("button.menu", lang), tap(Op.MENU))])


BUILDERS: dict[str, Callable[[dict[str, Any], str], Built]] = {
    "answer": _answer,
    "follow_up": _follow_up,
    "ticketed": _ticketed,
    "reply": _reply,
    recalling.KIND: corrections.correction,
    reminders.KIND: _reminder,
    reminders.MOVED: _moved,
    offline.MESSAGE: special_words.offline,
    fetching.REFUSED: special_words.file_refused,
    robots.TEST_KIND: robot_words.works,
    **told.BUILDERS,
}
# Kinds that are more than words with buttons: what takes a message's place, or makes a topic.
WHOLE: dict[str, Callable[[dict[str, Any], int, str], list[TelegramMethod[Any]]]] = {
    cards.KIND: desk_cards.methods,
    cards.TOPIC_KIND: desk_cards.topic,
    tip_places.KIND: tip_cards.post,
    tip_places.EDIT: tip_cards.edit,
    tip_places.CORRECTION: tip_cards.correction,
    tip_chases.KIND: tip_cards.chase,
}
