"""Stations in the conversation: asked for by name, number, street or position, and come to by a poster."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Any

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command, CommandObject, Filter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, Message

from handlers import neighbours, station_beside, station_card, station_replies, station_talk
from handlers.callbacks import Op, Tap
from handlers.plain_words import Said, meaning
from handlers.station_asked import Asked, asked, follows_up, looks_like_place, names_only, unreached
from handlers.station_talk import StationTalk, remember
from handlers.turn import Reply, Turn
from knowledge import posters
from knowledge.gate import gate, in_our_field, is_question
from knowledge.live_stations import STREETS
from knowledge.posters import Scan
from knowledge.station_index import Found, Nothing, Place, Several, StationIndex, find
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
_PAGE = re.compile(r"(?P<verb>[supt])(?P<page>[0-9]{1,3})")
_KINDS = {kind.value[0]: kind for kind in StationKind}
_KIND_OF = {
    verb: kind
    for verbs in (station_replies.STREETS_OF, station_replies.STATIONS_OF)
    for kind, verb in verbs.items()
}
LONGEST_PLACE = 30


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
    if not question.field and not any(station_beside.names_place(index, query) for query in question.queries):
        # 书香苑物业几点下班: an estate has more hours and telephones than its station's.
        return Nothing()
    results = [find(index, query, question.kind) for query in question.queries]
    kinds = (Found, Several, Nothing) if question.left else (Found,)
    return next((found for kind in kinds for found in results if isinstance(found, kind)), Nothing())


def is_clear(question: Asked, found: Found | Several | Nothing) -> bool:
    """Whether the question is one for a station beyond doubt; else it is left to the base and the wizard."""
    if isinstance(found, Found):
        return True
    if isinstance(found, Several):
        # A street alone, without a word about stations, is rather said of one's own case.
        whole_street = found.unit_id is not None and question.where and not question.own
        return question.named or whole_street or (found.unit_id is None and not found.more)
    if not question.named:
        return False
    if question.left:
        return question.placelike or found.unit_id is not None
    # Which polling station is one's own stands on the voter card, and when stations are open, in an entry.
    return question.where and question.kind is StationKind.REGISTRATION


@router.message(Command("station"))
async def command(message: Message, command: CommandObject, turn: Turn, state: FSMContext) -> Reply:
    """/station alone asks which; with words behind it they are looked for."""
    index = await _index(turn)
    words = (command.args or "").strip()
    if not words or not index.places:
        return await remember(turn, state, await station_replies.which(turn, index))
    question = Asked(None, True, (words,), words)
    return await _answered(turn, question, looked_up(index, question), index, state)


@router.message(Said("station"))
async def said(message: Message, turn: Turn, state: FSMContext) -> Reply:
    return await remember(turn, state, await station_replies.which(turn, await _index(turn)))


@router.message(StateFilter(None, StationTalk.going), F.text, ~F.text.startswith("/"), AsksForStation())
async def question(
    message: Message, turn: Turn, recognised: Recognised, state: FSMContext | None = None
) -> Reply:
    """A question that names a station, or a place that has one."""
    enquiry = await _recorded(turn, message.text or "")
    found = recognised.found
    return await _answered(turn, recognised.asked, found, recognised.index, state, enquiry)


@router.message(StationTalk.going, F.text, ~F.text.startswith("/"))
async def continued(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """A number, 对, a place, or a question about the station shown; all else goes its own way."""
    words = (message.text or "").strip()
    known, index = await station_talk.held(turn, state), await _index(turn)
    if known is None:
        await state.clear()
    if known is None or meaning(words) is not None or len(words) > LONGEST_PLACE:
        raise SkipHandler
    data = known.chosen(words)
    if data is not None or known.denied(words):
        if await station_talk.superseded(turn, known):
            raise SkipHandler
        if data is not None:
            return await _opened(turn, state, index, Tap.unpack(data))
        return await remember(turn, state, await station_replies.which(turn, index, kind=known.kind))
    if gate(words) is not None:
        raise SkipHandler
    place = index.by_code(known.station[1], StationKind(known.station[0])) if known.station else None
    if place is not None and follows_up(words):
        asks = Asked(place.kind, True, (words,), "", unreached=unreached(words))
        return await _answered(turn, asks, Found(place), index, state, await _recorded(turn, words))
    place_named = typed_place(index, words, known.kind)
    if place_named is None:
        raise SkipHandler
    asks = Asked(known.kind, True, (words,), words)
    return await _answered(turn, asks, place_named, index, state, await _recorded(turn, words))


def typed_place(index: StationIndex, words: str, kind: StationKind) -> Found | Several | Nothing | None:
    """What is found for a place said alone after it was asked for; None for what is rather something else."""
    found = find(index, words, kind)
    if isinstance(found, Found):
        return found
    if is_question(words) or in_our_field(words):
        return None
    known = isinstance(found, Several) or found.unit_id is not None
    return found if known or looks_like_place(words) else None


@router.message(StateFilter(None, StationTalk.going), F.text, ~F.text.startswith("/"))
async def passing(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """A question about stations in general, or a place said beside another question."""
    words, index = (message.text or "").strip(), await _index(turn)
    if not index.places or meaning(words) is not None or gate(words) is not None:
        raise SkipHandler
    general = station_beside.asks_in_general(turn, words, index)
    if general is not None:
        return await station_beside.in_general(turn, words, general)
    reply = await station_beside.beside_place(turn, words, index, state)
    if reply is None:
        raise SkipHandler
    return reply


@router.message(F.location, ~F.location.live_period)
async def shared(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """Where somebody is: the nearest stations. The position is looked at here and nowhere kept."""
    assert message.location is not None
    reply = await station_replies.nearest(
        turn, await _index(turn), message.location.latitude, message.location.longitude
    )
    return await remember(turn, state, reply)


@router.callback_query(Tap.filter(F.op == Op.STATION))
async def tapped(query: CallbackQuery, callback_data: Tap, turn: Turn, state: FSMContext) -> Reply:
    """A station, its map, a street, a list of streets, or the wish to share where one is."""
    reply = await _opened(turn, state, await _index(turn), callback_data)
    if not reply:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    return [AnswerCallbackQuery(callback_query_id=query.id), *reply]


async def _opened(turn: Turn, state: FSMContext, index: StationIndex, tapped: Tap) -> Reply:
    """What a button leads to, tapped or chosen by its number; nothing for what no button says."""
    if tapped.arg == station_replies.HERE:
        return station_replies.share(turn)
    if one := _ONE.fullmatch(tapped.arg):
        place = index.by_code(one["code"], _KINDS[one["kind"]])
        if place is None:
            return await remember(
                turn, state, await station_replies.which(turn, index, turn.words("sta.gone"))
            )
        return await remember(turn, state, station_replies.shown(turn, place, one["verb"]), place=place)
    page = _PAGE.fullmatch(tapped.arg)
    if page is None:
        return []
    kind, number = _KIND_OF[page["verb"]], int(page["page"])
    if page["verb"] in station_replies.STREETS_OF.values():
        reply = await station_replies.which(turn, index, page=number, kind=kind)
        return await remember(turn, state, reply, kind)
    street = await turn.session.get(Unit, tapped.row)
    if street is None or street.kind not in STREETS:
        return []
    reply = station_replies.of_street(turn, index, street, number, kind)
    return await remember(turn, state, reply, kind)


async def arrived(turn: Turn, scan: Scan, state: FSMContext, *, stranger: bool) -> Reply:
    """Who scanned a poster: greeted by the name of its station, unless known already, and counted."""
    index = await _index(turn)
    place = index.by_code(scan.code)
    if place is None:
        return await neighbours.of_code(turn, scan.code) or await outdated(turn, "st", state)
    # Remembered in this process alone: of who scanned which poster nothing is written down.
    if turn.first_in(f"poster:{scan.code}:{scan.source}", ONCE_A_DAY):
        await posters.count(turn.session, scan, now=turn.now)
    key = "sta.hello" if stranger else "sta.scanned"
    assistant = turn.words("sta.assistant", district=turn.district.name.rstrip("区县市"))
    name = escape(posters.label(place, turn.lang))
    greeting = turn.words(key, assistant=escape(assistant), station=name)
    text = f"{greeting}\n\n{station_card.where_and_when(place, turn.now, turn.lang)}"
    reply = turn.say(text, station_replies.first_screen(turn, place))
    return await remember(turn, state, reply, place=place)


async def outdated(turn: Turn, kind: str, state: FSMContext) -> Reply:
    """A link that leads nowhere any more; `kind` is all of it that is written down."""
    log.warning("a link of the kind %s led nowhere", kind)
    reply = await station_replies.which(turn, await _index(turn), turn.words("sta.outdated"))
    return await remember(turn, state, reply)


async def _index(turn: Turn) -> StationIndex:
    await turn.desk.stations.refresh(turn.session)
    return turn.desk.stations.index


async def _recorded(turn: Turn, words: str) -> Enquiry:
    return await ledgers.record(
        turn.session, turn.contact, words, outcome=None, now=turn.now, topic=TOPIC, event_id=turn.event_id
    )


async def _answered(
    turn: Turn,
    question: Asked,
    found: Found | Several | Nothing,
    index: StationIndex,
    state: FSMContext | None,
    enquiry: Enquiry | None = None,
) -> Reply:
    if isinstance(found, Found):
        if enquiry is not None:
            enquiry.outcome = Outcome.AUTO
        show = station_replies.unanswered if question.unreached else _card
        return await remember(turn, state, show(turn, found.place), place=found.place)
    kind = question.kind or StationKind.REGISTRATION
    unit = await turn.session.get(Unit, found.unit_id) if found.unit_id is not None else None
    if unit is not None and names_only(question, unit.name):
        return await remember(turn, state, station_replies.of_street(turn, index, unit, 0, kind), kind)
    if isinstance(found, Several):
        return await remember(turn, state, station_replies.offered(turn, found.places, found.more), kind)
    if not question.left:
        return await remember(turn, state, await station_replies.which(turn, index, kind=kind), kind)
    return station_replies.office(turn, unit)


def _card(turn: Turn, place: Place) -> Reply:
    return station_replies.shown(turn, place, "c")
