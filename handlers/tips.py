"""Work tips in a private chat: the latest, one by its number, by a link, or in words (工作提示第3期)."""

from __future__ import annotations

import re
from typing import Any

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.enums import ChatType
from aiogram.filters import Command, CommandObject, CommandStart, Filter
from aiogram.fsm.context import FSMContext
from aiogram.types import Message

from handlers import tip_reading
from handlers.plain_words import Said
from handlers.turn import Reply, Turn
from knowledge import tips

router = Router(name="tips")
router.message.filter(F.chat.type == ChatType.PRIVATE)

_LINK = re.compile(r"tip_([0-9]{4})-([0-9]{1,3})(?:__[0-9a-z]{1,8})?")


class Named(Filter):
    """Passes a message that asks for a tip by its number and nothing else, as `number`."""

    async def __call__(self, message: Message) -> bool | dict[str, Any]:
        number = tip_reading.meant(message.text or "")
        return {"number": number} if number is not None else False


@router.message(Command("tip", "tips"))
async def command_(message: Message, command: CommandObject, turn: Turn) -> Reply:
    """`/tip` lists the latest, `/tip 3` shows one; `/tips` is the same."""
    return await by_command(turn, command.args or "")


@router.message(Said("tips"))
async def latest(message: Message, turn: Turn) -> Reply:
    return await tip_reading.latest(turn)


@router.message(Named())
async def named(message: Message, turn: Turn, number: str) -> Reply:
    """Before anything is matched: a number is not a question that entries could answer."""
    return await tip_reading.numbered(turn, number)


@router.message(CommandStart(), F.text.regexp(rf"/start(?:@\w+)?\s+{_LINK.pattern}$"))
async def by_link(message: Message, command: CommandObject, turn: Turn, state: FSMContext) -> Reply:
    """The link to a tip, as it stands on paper and on posters; any other leads where all dead links lead."""
    found = _LINK.fullmatch(command.args or "")
    tip = await tips.numbered(turn.session, f"{found[1]}年第{int(found[2])}期") if found else None
    if tip is None or not await tip_reading.visible(turn, tip):
        raise SkipHandler
    await state.clear()
    return await tip_reading.whole(turn, tip)


async def by_command(turn: Turn, words: str) -> Reply:
    """What `/tip` with these words shows."""
    if not words.strip():
        return await tip_reading.latest(turn)
    number = tip_reading.argument(words)
    return await tip_reading.numbered(turn, number) if number else turn.say(turn.words("tipchat.how"))
