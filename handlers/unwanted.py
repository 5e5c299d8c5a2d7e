"""Messages in a group that must not stay: deleted where we may, else those who can delete them are asked."""

from __future__ import annotations

from datetime import timedelta
from html import escape

from aiogram import Bot
from aiogram.enums import ChatMemberStatus
from aiogram.exceptions import AiogramError
from aiogram.methods import DeleteMessage, GetChatAdministrators, SendMessage
from aiogram.types import Message
from pydantic import Field

from handlers.sparing import Sparing
from handlers.turn import Desk, Reply
from office.words import say

# Administrators need not hear of each message of somebody who goes on.
TOLD = timedelta(minutes=10)
MOST_ASKED = 5


class Unwanted(DeleteMessage):
    """A message of a group with something in it that belongs to one person: `what` is a part of wording keys.

    Nothing of what it said is passed on.
    """

    what: str = Field(exclude=True)
    group: str = Field("", exclude=True)
    lang: str = Field(exclude=True)


def unwanted(message: Message, what: str, lang: str) -> Reply:
    """Have this message go, and say so; `what` is "number" or "code"."""
    chat = message.chat
    return [
        Unwanted(chat_id=chat.id, message_id=message.message_id, what=what, group=chat.title or "", lang=lang)
    ]


async def removed(bot: Bot, method: Unwanted, desk: Desk, sparing: Sparing) -> None:
    """Delete the message. Without the right to, its sender is asked to, and an administrator in private."""
    lang, what = method.lang, method.what
    try:
        await bot(method)
        text = say(f"lookupchat.group_{what}_gone", lang)
    except AiogramError:
        told = await _administrator_told(bot, method, desk, sparing)
        rest = say("lookupchat.group_told" if told else "lookupchat.group_not_told", lang)
        text = f"{say(f'lookupchat.group_{what}_left', lang)}\n{rest}"
    await bot(SendMessage(chat_id=method.chat_id, text=text, parse_mode=None))


async def _administrator_told(bot: Bot, method: Unwanted, desk: Desk, sparing: Sparing) -> bool:
    """Whether one of the group's administrators has been written to, now or a moment ago."""
    key = f"unwanted:{method.chat_id}"
    if sparing.lately(key, desk.clock()):
        return True
    try:
        found = await bot(GetChatAdministrators(chat_id=method.chat_id))
    except AiogramError:
        return False
    people = [member for member in (found if isinstance(found, list) else []) if not member.user.is_bot]
    people.sort(key=lambda member: member.status != ChatMemberStatus.CREATOR)
    note = say(f"lookupchat.group_{method.what}_note", method.lang, group=escape(method.group))
    for member in people[:MOST_ASKED]:
        try:
            await bot(SendMessage(chat_id=member.user.id, text=note))
        except AiogramError:
            # Nobody can be written to who never wrote to us.
            continue
        return sparing.first_in(key, TOLD, desk.clock())
    return False
