"""When: the registration windows and the days that follow, with their tense."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import Message

from handlers import keyboards
from handlers.plain_words import Said
from handlers.turn import Reply, Turn
from knowledge import calendar
from knowledge.calendar import DateKind

router = Router(name="dates")

SHOWN = (DateKind.REGISTRATION, DateKind.LIST_POSTED, DateKind.VOTING)


@router.message(Command("when"))
@router.message(Said("when"))
async def when(message: Message, turn: Turn) -> Reply:
    return await reply(turn)


async def reply(turn: Turn) -> Reply:
    """Registration, list posting and voting; what the office has not entered is said to be open."""
    spans = await calendar.spans(turn.session)
    today = calendar.today(turn.now)
    if not spans:
        return turn.say(turn.words("no_calendar"), keyboards.menu(turn.lang))
    lines = []
    for kind in SHOWN:
        for span in spans.get(kind, []):
            lines.append(f"<b>{turn.words(f'date.{kind.value}')}</b>　{calendar.worded(span, today)}")
        if not spans.get(kind):
            lines.append(f"<b>{turn.words(f'date.{kind.value}')}</b>　{turn.words('not_announced')}")
    return turn.say("\n".join(lines), keyboards.person_or_menu(turn.lang))
