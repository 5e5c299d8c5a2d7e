"""A ticket's card in the helpdesk's group: its words, its buttons, the topics of the group."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

from aiogram.enums import ButtonStyle
from aiogram.methods import CreateForumTopic, EditMessageText, SendMessage, TelegramMethod
from aiogram.types import InlineKeyboardMarkup

from handlers import keyboards, speech
from handlers.callbacks import Op, tap
from office.hours import BEIJING
from office.words import say
from ticketing.records import TicketState

S = TicketState
FREE = (S.UNASSIGNED, S.ASSIGNED)


def text(facts: dict[str, Any], lang: str) -> str:
    """#DP-1120-07-K 临江街道 · 人户分离 · 等待6分, then who has it, and how long there is."""
    state = TicketState(facts["state"])
    parts = [facts["unit"], facts["topic_name"], facts["work_group"]]
    if state in FREE:
        parts.append(say("deskgroup.waits", lang, n=facts["waits"]))
    head = " · ".join(escape(part) for part in parts if part)
    urgent = say("deskgroup.urgent", lang) + " " if facts["urgent"] else ""
    lines = [f"{urgent}<b>#{facts['no']}</b> {head}"]
    if facts["asked"]:
        lines.append(f"<blockquote>{escape(facts['asked'])}</blockquote>")
    lines.append(_stands(state, facts, lang))
    return "\n".join(lines)


def _stands(state: TicketState, facts: dict[str, Any], lang: str) -> str:
    named = say(f"deskgroup.state.{state.value}", lang)
    due = speech.spoken_time(datetime.fromisoformat(facts["due_at"]), lang)
    if state is S.UNASSIGNED:
        return say("deskgroup.due", lang, state=named, due=due)
    if state is S.WORKING and facts["holder"] and facts["taken_at"]:
        at = datetime.fromisoformat(facts["taken_at"]).astimezone(BEIJING)
        return say("taken", lang, who=escape(facts["holder"]), at=f"{at:%H:%M:%S}", time=f"{at:%H:%M:%S}")
    return say("deskgroup.by", lang, state=named, who=escape(facts["holder"])) if facts["holder"] else named


def keyboard(facts: dict[str, Any], lang: str) -> InlineKeyboardMarkup | None:
    """我来办, 转组, 并入, 线下: only what can be done as the ticket stands."""
    state, row, version = TicketState(facts["state"]), facts["ticket"], facts["version"]

    def button(key: str, op: Op, style: ButtonStyle | None = None) -> Any:
        return keyboards.button(say(f"deskgroup.button.{key}", lang), tap(op, row, version), style)

    if state in FREE:
        return keyboards.rows(
            [button("take", Op.CARD_TAKE, ButtonStyle.SUCCESS), button("group", Op.CARD_GROUP)],
            [button("merge", Op.CARD_MERGE), button("offline", Op.CARD_OFFLINE)],
        )
    if state is S.WORKING:
        passing = [button("group", Op.CARD_GROUP), button("merge", Op.CARD_MERGE)]
        return keyboards.rows([*passing, button("offline", Op.CARD_OFFLINE)])
    return None


def methods(facts: dict[str, Any], chat_id: int, lang: str) -> list[TelegramMethod[Any]]:
    """The card sent anew, or put in the place of what stands there."""
    words, buttons = text(facts, lang), keyboard(facts, lang)
    if facts["message"]:
        return [
            EditMessageText(chat_id=chat_id, message_id=facts["message"], text=words, reply_markup=buttons)
        ]
    return [
        SendMessage(
            chat_id=chat_id, text=words, reply_markup=buttons, message_thread_id=facts["topic"],
            disable_notification=None if facts["urgent"] else True,
        )
    ]  # fmt: skip


def topic(facts: dict[str, Any], chat_id: int, lang: str) -> list[TelegramMethod[Any]]:
    """A topic of the group: one a ledger, urgent matters, the duty log."""
    return [CreateForumTopic(chat_id=chat_id, name=say(f"deskgroup.topic.{facts['key']}", lang))]
