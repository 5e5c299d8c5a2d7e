"""The station button under a result: to the station of the neighbourhood that the asker named."""

from __future__ import annotations

from aiogram.types import InlineKeyboardMarkup

from handlers import keyboards
from handlers.callbacks import Op, tap
from handlers.turn import Turn
from knowledge.station_index import Found, find
from knowledge.stations import StationKind

_LIST = tap(Op.STATION, arg="s0")


async def led(turn: Turn, below: InlineKeyboardMarkup, home: str) -> InlineKeyboardMarkup:
    """The keyboard with its station button leading to the one station of `home`, where there is one."""
    if not home:
        return below
    await turn.desk.stations.refresh(turn.session)
    found = find(turn.desk.stations.index, home, StationKind.REGISTRATION)
    if not isinstance(found, Found):
        return below
    place = tap(Op.STATION, arg=f"c{found.place.kind.value[0]}{found.place.code}")
    return keyboards.rows(
        *[
            [
                key.model_copy(update={"callback_data": place}) if key.callback_data == _LIST else key
                for key in line
            ]
            for line in below.inline_keyboard
        ]
    )


def gone(below: InlineKeyboardMarkup) -> InlineKeyboardMarkup:
    """The keyboard without its station button."""
    lines = [[key for key in line if key.callback_data != _LIST] for line in below.inline_keyboard]
    return keyboards.rows(*[line for line in lines if line])
