"""What staff are told in their chats, and what a chat is told when it becomes one of staff, or is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import Any

from aiogram.methods import DeleteMyCommands, LeaveChat, SendMessage, SetMyCommands, TelegramMethod
from aiogram.types import BotCommandScopeChat, InlineKeyboardMarkup

from handlers import keyboards, menus, speech, staff_chat
from handlers.callbacks import Op, tap
from office import bindings, chat_groups, chat_invites, notices
from office.outbox import Delivery
from office.words import say

Methods = list[TelegramMethod[Any]]
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_SWAP = re.compile(r"duty_swap:([0-9]{1,9})")


def _notice(delivery: Delivery, chat_id: int, lang: str) -> Methods:
    facts = dict(delivery.facts)
    text = worded(str(facts.pop("notice", "")), facts, lang)
    return [SendMessage(chat_id=chat_id, text=text, reply_markup=_buttons(delivery, lang))]


def worded(kind: str, facts: dict[str, Any], lang: str) -> str:
    """A notice in words; one of a kind that this program does not know leads to the console."""
    try:
        return say(f"notice.{kind}", lang, **{name: _fact(value, lang) for name, value in facts.items()})
    except KeyError:
        return say("notice.other", lang)


def _fact(value: Any, lang: str) -> str:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return speech.spoken_time(datetime.fromisoformat(value), lang)
    return escape(str(value))


def _buttons(delivery: Delivery, lang: str) -> InlineKeyboardMarkup | None:
    swap = _SWAP.fullmatch(delivery.subject)
    if swap is not None and delivery.facts.get("notice") == "swap_asked":
        number = int(swap[1])
        return keyboards.rows(
            [
                keyboards.button(say("staff.button.agree", lang), tap(Op.SWAP, number, arg="y")),
                keyboards.button(say("staff.button.decline", lang), tap(Op.SWAP, number, arg="n")),
            ]
        )
    if delivery.subject.startswith("ticket:"):
        return keyboards.rows([keyboards.button(say("staff.button.own_tickets", lang), tap(Op.OWN_TICKETS))])
    return None


def _bound(delivery: Delivery, chat_id: int, lang: str) -> Methods:
    text = say("binding.now_bound", lang, who=escape(str(delivery.facts.get("who", ""))))
    scope = BotCommandScopeChat(chat_id=chat_id)
    return [
        SendMessage(chat_id=chat_id, text=text, reply_markup=staff_chat.menu(lang)),
        SetMyCommands(commands=menus.commands((*menus.STAFF, *menus.PRIVATE), lang), scope=scope),
    ]


def _unbound(delivery: Delivery, chat_id: int, lang: str) -> Methods:
    return [
        SendMessage(chat_id=chat_id, text=say("binding.now_unbound", lang)),
        DeleteMyCommands(scope=BotCommandScopeChat(chat_id=chat_id)),
    ]


def _second(delivery: Delivery, chat_id: int, lang: str) -> Methods:
    number = int(delivery.facts["binding"])
    buttons = keyboards.rows(
        [
            keyboards.button(say("staff.button.agree", lang), tap(Op.CONFIRM, number, arg="yes")),
            keyboards.button(say("binding.button.not_me", lang), tap(Op.CONFIRM, number, arg="no")),
        ]
    )
    return [SendMessage(chat_id=chat_id, text=say("binding.second", lang), reply_markup=buttons)]


def _group_bound(delivery: Delivery, chat_id: int, lang: str) -> Methods:
    purpose = say(f"group_purpose.{delivery.facts['purpose']}", lang)
    unit = escape(str(delivery.facts["unit"]))
    return [SendMessage(chat_id=chat_id, text=say("group.now_bound", lang, unit=unit, purpose=purpose))]


def _leave(delivery: Delivery, chat_id: int, lang: str) -> Methods:
    return [SendMessage(chat_id=chat_id, text=say("group.leaving", lang)), LeaveChat(chat_id=chat_id)]


# Kinds of deliveries that are more than words and buttons, or need the subject they are about.
MAKERS: dict[str, Callable[[Delivery, int, str], Methods]] = {
    notices.KIND: _notice,
    bindings.BOUND_KIND: _bound,
    bindings.ENDED_KIND: _unbound,
    chat_invites.SECOND_KIND: _second,
    chat_groups.BOUND_KIND: _group_bound,
    chat_groups.LEAVE_KIND: _leave,
}
