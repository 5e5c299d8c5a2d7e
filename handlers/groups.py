"""In group chats: questions by command, mention or reply; nothing personal is ever said there."""

from __future__ import annotations

import re

from aiogram import Bot, F, Router
from aiogram.enums import ChatType
from aiogram.filters import Command, CommandObject
from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message

from handlers import speech
from handlers.turn import Reply, Turn
from knowledge import answer as answers
from knowledge.gate import gate
from knowledge.match import Hit
from knowledge.versions import Audience

router = Router(name="groups")
router.message.filter(F.chat.type.in_({ChatType.GROUP, ChatType.SUPERGROUP}))
router.edited_message.filter(F.chat.type.in_({ChatType.GROUP, ChatType.SUPERGROUP}))

_PERSONAL = re.compile(r"我|俺|阿拉|本人|我家|我妈|我爸")


@router.message(Command("ask"))
async def asked(message: Message, command: CommandObject, turn: Turn, bot: Bot) -> Reply:
    return await _reply(message, command.args or "", turn, bot)


@router.message(Command("help", "start"))
async def help_(message: Message, turn: Turn, bot: Bot) -> Reply:
    return await _in_private(message, turn, bot, "group.help")


@router.message(F.text)
async def mentioned(message: Message, turn: Turn, bot: Bot) -> Reply:
    """Only what is addressed to the assistant: a mention of its name, or a reply to its message."""
    me = await bot.me()
    text = message.text or ""
    mention = f"@{me.username}"
    replied = message.reply_to_message
    to_us = replied is not None and replied.from_user is not None and replied.from_user.id == me.id
    if mention.lower() not in text.lower() and not to_us:
        return []
    return await _reply(message, re.sub(re.escape(mention), "", text, flags=re.IGNORECASE), turn, bot)


@router.message()
@router.edited_message()
async def overheard(message: Message) -> Reply:
    """Everything else in a group is none of our business."""
    return []


async def _reply(message: Message, words: str, turn: Turn, bot: Bot) -> Reply:
    words = words.strip()
    if not words:
        return await _in_private(message, turn, bot, "group.help")
    if gate(words) is not None or turn.redacted:
        return await _in_private(message, turn, bot, "group.private")
    outcome = await answers.find(
        turn.session, turn.desk.live, words, audience=Audience.VOTER, unit=turn.district, now=turn.now
    )
    if _PERSONAL.search(words) or not isinstance(outcome, Hit):
        return await _in_private(message, turn, bot, "group.private")
    found = await answers.published(turn.session, outcome.best.entry_id, office=turn.district, now=turn.now)
    if found is None:
        return await _in_private(message, turn, bot, "group.private")
    text = speech.answer(found, turn.lang)
    return [SendMessage(chat_id=turn.chat_id, text=text, reply_to_message_id=message.message_id)]


async def _in_private(message: Message, turn: Turn, bot: Bot, key: str) -> Reply:
    me = await bot.me()
    button = InlineKeyboardButton(
        text=turn.words("button.private"), url=f"https://t.me/{me.username}?start=ask"
    )
    return [
        SendMessage(
            chat_id=turn.chat_id,
            text=turn.words(key),
            reply_to_message_id=message.message_id,
            reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]]),
        )
    ]
