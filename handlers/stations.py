"""Stations in the conversation: asked for by name, number, street or position, and come to by a poster."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Any

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, Filter, StateFilter
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, Message

from handlers import neighbours, station_replies
from handlers.callbacks import Op, Tap
from handlers.plain_words import Said, meaning
from handlers.station_asked import Asked, asked
from handlers.turn import Reply, Turn
from knowledge import posters
from knowledge.gate import gate
from knowledge.live_stations import STREETS
from knowledge.posters import Scan
from knowledge.station_index import Found, Nothing, Several, StationIndex, find
from knowledge.stations import StationKind
from knowledge.text import split_questions
from office.units import Unit
from ticketing import ledgers
from ticketing.ledgers import Enquiry, Outcome

router = Router(name="stations")
log = logging.getLogger(__name__)

ONCE_A_DAY = timedelta(days=1)
TOPIC = "contact"
_ONE = re.compile(r"(?P<verb>[cmv])(?P<kind>[rp])(?P<code>[0-9]{2,3}-[0-9]{2,3})")
_PAGE = re.compile(r"(?P<verb>[su])(?P<page>[0-9]{1,3})")
_KINDS = {kind.value[0]: kind for kind in StationKind}


@dataclass(frozen=True, slots=True)
class Recognised:
    """A question for a station with what was found for it, handed from the filter to the handler."""

    asked: Asked
    found: Found | Several | Nothing
    index: StationIndex


class AsksForStation(Filter):
    """Passes words that ask about a station clearly enough to be answered here; all else goes on."""

    async def __call__(self, message: Message, turn: Turn) -> bool | dict[str, Any]:
        words = (message.text or "").strip()
        question = asked(words)
        if question is None or meaning(words) is not None or gate(words) is not None:
            return False
        if len(split_questions(words)) > 1:
            return False
        index = await _index(turn)
        if not index.places:
            return False
        found = looked_up(index, question)
        return {"recognised": Recognised(question, found, index)} if is_clear(question, found) else False


def looked_up(index: StationIndex, question: Asked) -> Found | Several | Nothing:
    """What is found for one way to read the question: one station before a choice, a choice before none."""
    results = [find(index, query, question.kind) for query in question.queries]
    kinds = (Found, Several, Nothing) if question.left else (Found,)
    return next((found for kind in kinds for found in results if isinstance(found, kind)), Nothing())


def is_clear(question: Asked, found: Found | Several | Nothing) -> bool:
    """Whether the question is one for a station beyond doubt; else it is left to the base and the wizard."""
    if isinstance(found, Found):
        return True
    if isinstance(found, Several):
        # A street alone, without a word about stations, is rather said of one's own case.
        return question.named or (found.unit_id is None and not found.more)
    if not question.named:
        return False
    if question.left:
        return question.placelike or found.unit_id is not None
    # Which polling station is one's own stands on the voter card, and when stations are open, in an entry.
    return question.where and question.kind is StationKind.REGISTRATION


@router.message(Command("station"))
async def command(message: Message, command: CommandObject, turn: Turn) -> Reply:
    """/station alone asks which; with words behind it they are looked for."""
    index = await _index(turn)
    words = (command.args or "").strip()
    if not words or not index.places:
        return await station_replies.which(turn, index)
    question = Asked(None, True, (words,), words)
    return await _answered(turn, question, looked_up(index, question), index)


@router.message(Said("station"))
async def said(message: Message, turn: Turn) -> Reply:
    return await station_replies.which(turn, await _index(turn))


@router.message(StateFilter(None), F.text, ~F.text.startswith("/"), AsksForStation())
async def question(message: Message, turn: Turn, recognised: Recognised) -> Reply:
    """A question that names a station, or a place that has one."""
    enquiry = await ledgers.record(
        turn.session, turn.contact, message.text or "", outcome=None, now=turn.now, topic=TOPIC,
        event_id=turn.event_id,
    )  # fmt: skip
    return await _answered(turn, recognised.asked, recognised.found, recognised.index, enquiry)


@router.message(F.location, ~F.location.live_period)
async def shared(message: Message, turn: Turn) -> Reply:
    """Where somebody is: the nearest stations. The position is looked at here and nowhere kept."""
    assert message.location is not None
    return await station_replies.nearest(
        turn, await _index(turn), message.location.latitude, message.location.longitude
    )


@router.callback_query(Tap.filter(F.op == Op.STATION))
async def tapped(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """A station, its map, a street, a list of streets, or the wish to share where one is."""
    done: Reply = [AnswerCallbackQuery(callback_query_id=query.id)]
    index = await _index(turn)
    if callback_data.arg == station_replies.HERE:
        return done + station_replies.share(turn)
    if one := _ONE.fullmatch(callback_data.arg):
        place = index.by_code(one["code"], _KINDS[one["kind"]])
        if place is None:
            return done + await station_replies.which(turn, index, turn.words("sta.gone"))
        return done + station_replies.shown(turn, place, one["verb"])
    page = _PAGE.fullmatch(callback_data.arg)
    if page is not None and page["verb"] == "s":
        return done + await station_replies.which(turn, index, page=int(page["page"]))
    street = await turn.session.get(Unit, callback_data.row) if page is not None else None
    if page is None or street is None or street.kind not in STREETS:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    return done + station_replies.of_street(turn, index, street, int(page["page"]))


async def arrived(turn: Turn, scan: Scan, *, stranger: bool) -> Reply:
    """Who scanned a poster: greeted by the name of its station, unless known already, and counted."""
    index = await _index(turn)
    place = index.by_code(scan.code)
    if place is None:
        return await neighbours.of_code(turn, scan.code) or await outdated(turn, "st")
    # Remembered in this process alone: of who scanned which poster nothing is written down.
    if turn.first_in(f"poster:{scan.code}:{scan.source}", ONCE_A_DAY):
        await posters.count(turn.session, scan, now=turn.now)
    key = "sta.hello" if stranger else "sta.scanned"
    assistant = turn.words("sta.assistant", district=turn.district.name.rstrip("区县市"))
    name = escape(posters.label(place, turn.lang))
    return turn.say(
        turn.words(key, assistant=escape(assistant), station=name), station_replies.first_screen(turn, place)
    )


async def outdated(turn: Turn, kind: str) -> Reply:
    """A link that leads nowhere any more; `kind` is all of it that is written down."""
    log.warning("a link of the kind %s led nowhere", kind)
    return await station_replies.which(turn, await _index(turn), turn.words("sta.outdated"))


async def _index(turn: Turn) -> StationIndex:
    await turn.desk.stations.refresh(turn.session)
    return turn.desk.stations.index


async def _answered(
    turn: Turn,
    question: Asked,
    found: Found | Several | Nothing,
    index: StationIndex,
    enquiry: Enquiry | None = None,
) -> Reply:
    if isinstance(found, Found):
        if enquiry is not None:
            enquiry.outcome = Outcome.AUTO
        return station_replies.shown(turn, found.place, "c")
    if isinstance(found, Several):
        return station_replies.offered(turn, found.places, found.more)
    if not question.left:
        return await station_replies.which(turn, index)
    unit = await turn.session.get(Unit, found.unit_id) if found.unit_id is not None else None
    return station_replies.office(turn, unit)
