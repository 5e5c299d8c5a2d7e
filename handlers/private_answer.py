"""What one person in a group is to read: shown to that person alone where the channel can, else in private.

Once in private, the conversation begins with what was asked in the group.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aiogram import F, Router
from aiogram.filters import CommandStart, Filter
from aiogram.fsm.context import FSMContext
from aiogram.methods import SendMessage
from aiogram.types import (
    CallbackQuery,
    EphemeralMessageParameters,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)

from handlers import asking, speech
from handlers.turn import Reply, Turn
from ticketing.ledgers import Enquiry

router = Router(name="private_answer")

# So long after the command or the tap a bot that is no administrator may answer so (Bot API 10.2).
IN_TIME = timedelta(seconds=15)


def answer_privately(
    turn: Turn,
    text: str,
    *,
    key: str,
    username: str,
    message: Message | None = None,
    query: CallbackQuery | None = None,
    administrator: bool = False,
) -> Reply:
    """A neutral line with the way to the private chat; the answer where the asker alone can be shown it.

    `text` is the answer as HTML, empty where there is none to be given here; `key` names the neutral line,
    which everybody reads and which tells nothing. `username` is the bot's, `administrator` whether it is one
    in this group. The line comes first: whether the answer arrives is not ours to know, the button is there.
    """
    neutral = SendMessage(
        chat_id=turn.chat_id,
        text=turn.words(key),
        reply_to_message_id=_replied(message),
        reply_markup=way(turn, username),
    )
    if not text or not _allowed(turn, message, query, administrator):
        return [neutral]
    asker = query.from_user if query is not None else message.from_user if message is not None else None
    if asker is None:
        return [neutral]
    parameters = EphemeralMessageParameters(
        receiver_user_id=asker.id, callback_query_id=query.id if query is not None else None
    )
    alone = [
        SendMessage(chat_id=turn.chat_id, text=piece, ephemeral_message_parameters=parameters)
        for piece in speech.parts(text)
    ]
    return [neutral, *alone]


def _allowed(turn: Turn, message: Message | None, query: CallbackQuery | None, administrator: bool) -> bool:
    if not turn.desk.ephemeral:
        return False
    if administrator or query is not None:
        return True
    called = message is not None and message.ephemeral_message_id is not None
    return called and message is not None and turn.now - message.date <= IN_TIME


def _replied(message: Message | None) -> int | None:
    # A message that only its sender and we can see has no number to reply to.
    return message.message_id if message is not None and message.ephemeral_message_id is None else None


def way(turn: Turn, username: str) -> InlineKeyboardMarkup:
    """The button that leads from a group into the private chat."""
    link = f"https://t.me/{username}?start=ask"
    button = InlineKeyboardButton(text=turn.words("button.private"), url=link)
    return InlineKeyboardMarkup(inline_keyboard=[[button]])


class FromGroup(Filter):
    """Passes the way in from a group, with the `enquiry` that was answered there for the asker alone."""

    async def __call__(self, message: Message, turn: Turn) -> bool | dict[str, Any]:
        last = await asking.last_enquiry(turn, asking.JUST_NOW)
        # The number of a group's chat is below zero, and names the message together with its own.
        if last is None or not last.event_id.startswith("m-") or not last.offered or last.ticket_id:
            return False
        return {"enquiry": last}


@router.message(CommandStart(), F.text.regexp(r"^/start(@\w+)?\s+ask$"), FromGroup())
async def carried_on(message: Message, turn: Turn, state: FSMContext, enquiry: Enquiry) -> Reply:
    """What was asked in the group, answered here."""
    await state.clear()
    return await asking.deliver(turn, enquiry, int(enquiry.offered[0]))
