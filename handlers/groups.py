"""In group chats: questions by command, mention or reply; nothing personal is ever said there."""

from __future__ import annotations

import re

from aiogram import Bot, F, Router
from aiogram.enums import ChatType
from aiogram.filters import Command, CommandObject
from aiogram.methods import AnswerCallbackQuery, SendMessage
from aiogram.types import CallbackQuery, Message

from handlers import speech, staff_chat, tip_taps
from handlers.private_answer import answer_privately
from handlers.turn import Reply, Turn
from knowledge import answer as answers
from knowledge.answer import Answer
from knowledge.gate import gate
from knowledge.match import Hit
from knowledge.text import split_questions
from knowledge.versions import Audience, EntryVersion
from office import chat_groups
from office.chat_groups import Group
from ticketing import ledgers

router = Router(name="groups")
_GROUP = {ChatType.GROUP, ChatType.SUPERGROUP, ChatType.CHANNEL}
router.message.filter(F.chat.type.in_(_GROUP))
router.edited_message.filter(F.chat.type.in_(_GROUP))
router.callback_query.filter(F.message.chat.type.in_(_GROUP))

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
    return await _reply(message, "", turn, bot)


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


async def _reply(message: Message, words: str, turn: Turn, bot: Bot) -> Reply:
    words = words.strip()
    group = await chat_groups.seen(
        turn.session, turn.chat_id, message.chat.title or "", actor=turn.actor, now=turn.now
    )
    if group.silent:
        return []
    told = [_unbound(turn)] if group.new else []
    if not words:
        return await _in_private(message, turn, bot, group, "group.help") + told
    if (tip := await tip_taps.named(turn, words, group)) is not None:
        return tip + told
    return await _answered(message, words, turn, bot, group) + told


async def _answered(message: Message, words: str, turn: Turn, bot: Bot, group: Group) -> Reply:
    """What anybody may read is said aloud, what is for staff among staff, the rest to the asker alone."""
    anonymous = message.sender_chat is not None
    # An anonymous administrator or a channel has no private chat in which anything could be said.
    private = "group.anonymous" if anonymous else "group.private"
    if gate(words) is not None or turn.redacted or len(split_questions(words)) != 1:
        return await _in_private(message, turn, bot, group, private)
    person = None if anonymous or not group.internal else await staff_chat.staff_of(turn)
    outcome = await answers.find(
        turn.session, turn.desk.live, words, unit=turn.district, now=turn.now,
        audience=Audience.VOTER if person is None else Audience.STAFF,
    )  # fmt: skip
    if not isinstance(outcome, Hit):
        return await _in_private(message, turn, bot, group, private)
    found = await answers.published(turn.session, outcome.best.entry_id, office=turn.district, now=turn.now)
    if found is None or not found.confirmed:
        return await _in_private(message, turn, bot, group, private)
    text = speech.answer(found, turn.lang)
    if _PERSONAL.search(words):
        if anonymous:
            return await _in_private(message, turn, bot, group, private)
        await _kept_for_private(turn, words, found)
        return await _in_private(message, turn, bot, group, "group.personal", text)
    version = await turn.session.get_one(EntryVersion, found.version_id)
    return [
        SendMessage(
            chat_id=turn.chat_id, text=piece, reply_to_message_id=message.message_id,
            protect_content=True if version.audience is Audience.STAFF else None,
        )
        for piece in speech.parts(text)
    ]  # fmt: skip


async def _kept_for_private(turn: Turn, words: str, found: Answer) -> None:
    # The button under the neutral line leads to the private chat, which begins with this.
    await ledgers.record(
        turn.session, turn.contact, words, outcome=None, now=turn.now, topic=found.topic,
        offered=[found.entry_id], event_id=turn.event_id,
    )  # fmt: skip


async def _in_private(
    message: Message, turn: Turn, bot: Bot, group: Group, key: str, text: str = ""
) -> Reply:
    me = await bot.me()
    return answer_privately(
        turn, text, key=key, username=me.username or "", message=message,
        administrator=group.row.administrator,
    )  # fmt: skip


def _unbound(turn: Turn) -> SendMessage:
    """Said once in a group that nobody has bound."""
    return SendMessage(chat_id=turn.chat_id, text=turn.words("group_unbound"))
