"""A message that asks nothing but what holds on a day, whatever question of ours is open at the time."""

from __future__ import annotations

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import Message

from handlers import dates
from handlers.ask import ToPerson
from handlers.station_talk import StationTalk
from handlers.turn import Reply, Turn
from handlers.where_course import RegistrationWizard
from knowledge import said_dates
from knowledge.gate import gate

router = Router(name="named_days")


@router.message(F.text, ~F.text.startswith("/"), ~StateFilter(ToPerson.waiting, RegistrationWizard.answering))
async def named_day(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """我没单位，今天能登记吗 tells a case, but asks of a day: the wizard would not say it.

    A day alone (周六呢) while a station is talked of asks for its hours.
    """
    words = (message.text or "").strip()
    of_station = said_dates.about(words) is None and await state.get_state() == StationTalk.going.state
    stopped = gate(words[: dates.LONGEST_ASKED]) is not None
    reply = None if of_station or stopped else await dates.on_day(turn, words)
    if reply is None:
        raise SkipHandler
    return reply
