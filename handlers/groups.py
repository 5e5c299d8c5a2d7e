"""In group chats: questions by command, mention or reply; nothing personal is ever said there."""

from __future__ import annotations

import re

from aiogram import Bot, F, Router
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.filters import Command, CommandObject
from aiogram.methods import AnswerCallbackQuery, SendMessage
from aiogram.types import (
    CallbackQuery,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)

from handlers import speech
from handlers.turn import Reply, Turn
from knowledge import answer as answers
from knowledge.gate import gate
from knowledge.match import Hit
from knowledge.text import split_questions
from knowledge.versions import Audience

router = Router(name="groups")
_GROUP = {ChatType.GROUP, ChatType.SUPERGROUP, ChatType.CHANNEL}
router.message.filter(F.chat.type.in_(_GROUP))
router.edited_message.filter(F.chat.type.in_(_GROUP))
router.callback_query.filter(F.message.chat.type.in_(_GROUP))
router.my_chat_member.filter(F.chat.type.in_(_GROUP))

_PERSONAL = re.compile(r"我|俺|阿拉|本人|我家|我妈|我爸")


@router.message(F.from_user.is_bot & ~F.sender_chat)
async def other_bot(message: Message) -> Reply:
    """Two bots that answer each other never stop."""
    return []


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
    mention = re.compile(rf"@{re.escape(me.username or '')}(?![A-Za-z0-9_])", re.IGNORECASE)
    replied = message.reply_to_message
    to_us = replied is not None and replied.from_user is not None and replied.from_user.id == me.id
    if not mention.search(text) and not to_us:
        return []
    return await _reply(message, mention.sub("", text), turn, bot)


@router.message()
@router.edited_message()
async def overheard(message: Message) -> Reply:
    """Everything else in a group is none of our business."""
    return []


@router.callback_query()
async def tapped(query: CallbackQuery, turn: Turn) -> Reply:
    """A forwarded button: what it leads to is for the tapper alone, so not here."""
    return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("group.private"))]


@router.my_chat_member()
async def membership(event: ChatMemberUpdated, turn: Turn) -> Reply:
    """Added to a group: one line on how to ask here."""
    if event.new_chat_member.status not in (ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR):
        return []
    if event.old_chat_member.status in (ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR):
        return []
    return [SendMessage(chat_id=turn.chat_id, text=turn.words("group.hello"))]


async def _reply(message: Message, words: str, turn: Turn, bot: Bot) -> Reply:
    words = words.strip()
    if not words:
        return await _in_private(message, turn, bot, "group.help")
    # An anonymous administrator or a channel has no private chat in which anything could be said.
    private = "group.anonymous" if message.sender_chat is not None else "group.private"
    questions = split_questions(words)
    if gate(words) is not None or turn.redacted or _PERSONAL.search(words) or len(questions) != 1:
        return await _in_private(message, turn, bot, private)
    outcome = await answers.find(
        turn.session, turn.desk.live, words, audience=Audience.VOTER, unit=turn.district, now=turn.now
    )
    if not isinstance(outcome, Hit):
        return await _in_private(message, turn, bot, private)
    found = await answers.published(turn.session, outcome.best.entry_id, office=turn.district, now=turn.now)
    if found is None or not found.confirmed:
        return await _in_private(message, turn, bot, private)
    return [
        SendMessage(chat_id=turn.chat_id, text=piece, reply_to_message_id=message.message_id)
        for piece in speech.parts(speech.answer(found, turn.lang))
    ]


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
