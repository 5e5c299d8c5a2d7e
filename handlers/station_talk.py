"""What was said of stations a moment ago: choices that were numbered, and the station that is talked of.

A hint only: losing it costs naming the place once more. Nothing of it is written down.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardMarkup

from handlers import asking, where_reading
from handlers.callbacks import Op, Tap
from handlers.plain_words import choice, refuses
from handlers.turn import Reply, Turn
from knowledge.station_index import Place
from knowledge.stations import StationKind

GOOD_FOR = timedelta(minutes=30)
# A station, or the first page of a street: what typed numbers choose among.
_CHOSEN = re.compile(r"c[rp][0-9]{2,3}-[0-9]{2,3}|[up]0")
_NUMBERED = re.compile(r"([0-9]+)\. ")
_DENIES = re.compile(r"不是?(?:的|这个|它)?|不对|都?不是|no|没有", re.IGNORECASE)
_SIGNS = "。！!.，,~～ ？?"


class StationTalk(StatesGroup):
    """A typed place is looked up, a number chooses, and a question without a place means the one shown."""

    going = State()


@dataclass(frozen=True, slots=True)
class Held:
    """`choices`: callback data by number. `station`: kind and code of the one shown last."""

    since: str
    kind: StationKind = StationKind.REGISTRATION
    choices: Mapping[str, str] = field(default_factory=dict)
    station: tuple[str, str] | None = None

    def chosen(self, words: str) -> str | None:
        """The callback data that a number chooses, or 对 where a single station was offered."""
        number = choice(words)
        if number is not None:
            return self.choices.get(str(number))
        single = len(self.choices) == 1
        return next(iter(self.choices.values())) if single and where_reading.agrees(words) else None

    def denied(self, words: str) -> bool:
        """Whether the words refuse what was offered: 都不是, or 不是 of a single station."""
        single = len(self.choices) == 1 and _DENIES.fullmatch(words.strip(_SIGNS)) is not None
        return bool(self.choices) and (single or refuses(words))


async def held(turn: Turn, state: FSMContext) -> Held | None:
    """What is remembered of the last half hour; None where nothing is."""
    if await state.get_state() != StationTalk.going.state:
        return None
    data = await state.get_data()
    found = Held(
        data["since"], StationKind(data["kind"]), data["choices"], tuple(data["station"] or ()) or None
    )  # fmt: skip
    return found if found.since >= (turn.now - GOOD_FOR).isoformat() else None


async def superseded(turn: Turn, known: Held) -> bool:
    """Whether other choices were offered since, so that a number means one of those."""
    last = await asking.last_enquiry(turn, asking.JUST_NOW)
    return last is not None and bool(last.offered) and last.at.isoformat() > known.since


async def remember(
    turn: Turn,
    state: FSMContext | None,
    reply: Reply,
    kind: StationKind | None = None,
    place: Place | None = None,
) -> Reply:
    """Remember what a reply shows, and return it.

    What somebody else waits for is only forgotten where the reply asks for a place or a choice itself.
    """
    if state is None:
        return reply
    going = await state.get_state()
    choices = _choices(reply)
    if not choices and place is None and going is not None:
        return reply
    if place is not None and going not in (None, StationTalk.going.state):
        return reply
    known = await held(turn, state) or Held("")
    if place is not None:
        known = replace(known, kind=place.kind, station=(place.kind.value, place.code))
    else:
        known = replace(known, kind=kind or StationKind.REGISTRATION, choices=choices)
    await state.set_state(StationTalk.going)
    await state.set_data(
        {"since": turn.now.isoformat(), "kind": known.kind.value, "choices": dict(known.choices),
         "station": known.station}
    )  # fmt: skip
    return reply


def _choices(reply: Reply) -> dict[str, str]:
    last = reply[-1] if reply else None
    if not isinstance(last, SendMessage) or not isinstance(last.reply_markup, InlineKeyboardMarkup):
        return {}
    found: dict[str, str] = {}
    for button in (button for row in last.reply_markup.inline_keyboard for button in row):
        tapped = Tap.unpack(button.callback_data) if button.callback_data else None
        if tapped is not None and tapped.op == Op.STATION and _CHOSEN.fullmatch(tapped.arg):
            numbered = _NUMBERED.match(button.text)
            found[numbered[1] if numbered else str(len(found) + 1)] = tapped.pack()
    return found
