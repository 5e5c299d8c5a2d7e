"""The first screen, help, large print, what is done with personal information, and being forgotten."""

from __future__ import annotations

import re
from datetime import timedelta

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, Message, ReplyKeyboardRemove

from handlers import asking, keyboards, mine, passing, stations
from handlers.callbacks import Op, Tap
from handlers.plain_words import Said
from handlers.turn import Reply, Turn
from knowledge import answer as answers
from knowledge import calendar, posters, shelf
from knowledge.versions import Entry, by_number
from office import outbox
from office.contacts import Channel, ContactState
from office.errors import NotFound
from ticketing import forget, ledgers, numbers

router = Router(name="start")

KNOCKED = timedelta(minutes=1)
# What links may carry besides a station; the source of a poster may stand behind any of it.
_LINK = re.compile(
    r"(?:|ask|src_[0-9a-z]{1,8}|k_(?P<entry>[0-9]{4,6})"
    r"|t_(?P<ticket>[A-Z]{2,4}-[0-9]{4}-[0-9]{2,5}-[A-Z])_(?P<key>[0-9A-Z]{4}))(?:(?<!^)__[0-9a-z]{1,8})?"
)


@router.message(CommandStart())
async def start(message: Message, command: CommandObject, turn: Turn, state: FSMContext) -> Reply:
    """The greeting, or what a deep link points at; one that points at nothing asks for the street."""
    await state.clear()
    payload = command.args or ""
    if (scan := posters.scanned(payload)) is not None:
        return await stations.arrived(turn, scan, state, stranger=_stranger(message, turn))
    found = _LINK.fullmatch(payload)
    if found is None or (found["ticket"] and numbers.find_ticket_no(found["ticket"]) is None):
        return await stations.outdated(turn, posters.kind_of(payload), state)
    if found["entry"]:
        return await _entry(turn, f"K-{found['entry']}", state)
    if found["ticket"]:
        return await mine.by_number_and_code(turn, found["ticket"], found["key"])
    return greeting(turn)


def _stranger(message: Message, turn: Turn) -> bool:
    # The web chat knows its visitors a moment before the conversation does.
    since = message.date if turn.contact.channel is Channel.WEB else turn.now
    return turn.contact.first_seen_at >= since


async def _entry(turn: Turn, entry_no: str, state: FSMContext) -> Reply:
    """An entry by its number, if any voter may read it; a retired one leads to its successor."""
    today = calendar.today(turn.now)
    try:
        entry = await by_number(turn.session, entry_no)
    except NotFound:
        return await stations.outdated(turn, "k", state)
    found = await answers.published(turn.session, entry.id, office=turn.district, now=turn.now)
    if found is None:
        return await stations.outdated(turn, "k", state)
    shown = await turn.session.get_one(Entry, found.entry_id)
    if not await shelf.is_public(turn.session, shown, today=today):
        return await stations.outdated(turn, "k", state)
    enquiry = await ledgers.record(
        turn.session, turn.contact, found.question, outcome=None, now=turn.now, event_id=turn.event_id
    )
    return await asking.deliver(turn, enquiry, found.entry_id)


@router.message(Said("who"))
async def who(message: Message, turn: Turn) -> Reply:
    return greeting(turn)


@router.message(Command("help", "menu"))
@router.message(Said("help"))
async def help_(message: Message, turn: Turn) -> Reply:
    return turn.say(turn.words("help"), keyboards.menu(turn.lang))


@router.message(Command("big"))
@router.message(Said("large"))
async def large(message: Message, turn: Turn) -> Reply:
    return _switched(turn)


@router.callback_query(Tap.filter(F.op == Op.LARGE))
async def large_tapped(query: CallbackQuery, turn: Turn) -> Reply:
    return [AnswerCallbackQuery(callback_query_id=query.id), *_switched(turn)]


def _switched(turn: Turn) -> Reply:
    """Large print: one fact a message, the phone always visible; the same word switches it off again."""
    turn.contact.text_size = "standard" if turn.large else "large"
    if turn.large:
        switched = turn.say(turn.words("large_on"), keyboards.always_there(turn.lang))
    else:
        switched = turn.say(turn.words("large_off"), ReplyKeyboardRemove())
    return switched + turn.say(turn.words("what_else"), keyboards.menu(turn.lang))


@router.message(Said("call"))
async def call(message: Message, turn: Turn) -> Reply:
    return turn.say(turn.words("call", hours=turn.district.hours_text))


@router.message(Said("stop"))
async def stop(message: Message, turn: Turn) -> Reply:
    """Nothing is sent unasked any more; answers wait until they are asked for."""
    turn.contact.state = ContactState.SILENCED
    return turn.say(turn.words("stopped"))


@router.message(Said("resume"))
async def resume(message: Message, turn: Turn) -> Reply:
    turn.contact.state = ContactState.ACTIVE
    await outbox.unpark(turn.session, turn.contact, now=turn.now)
    return turn.say(turn.words("resumed"))


@router.message(Command("privacy"))
@router.message(Said("privacy"))
async def privacy(message: Message, turn: Turn) -> Reply:
    return turn.say(turn.words("notice"))


@router.message(Command("forget"))
@router.message(Said("forget"))
async def forget_me(message: Message, turn: Turn) -> Reply:
    """Deleting cannot be undone, so it asks once."""
    return turn.say(turn.words("forget_sure"), keyboards.really_forget(turn.lang))


@router.callback_query(Tap.filter(F.op == Op.FORGET))
async def forget_confirmed(query: CallbackQuery, turn: Turn, state: FSMContext) -> Reply:
    if turn.contact.first_seen_at == turn.now:
        # The second tap comes from somebody we no longer know.
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))]
    left = await passing.at_once(turn)
    certificate = await forget.contact(turn.session, turn.contact, now=turn.now)
    await state.clear()
    return [
        AnswerCallbackQuery(callback_query_id=query.id),
        *left,
        *turn.say(turn.words("forgotten", cert=certificate)),
    ]


@router.callback_query(Tap.filter(F.op.in_({Op.MENU, Op.CHANGE})))
async def menu(query: CallbackQuery, turn: Turn, state: FSMContext) -> Reply:
    await state.clear()
    return [
        AnswerCallbackQuery(callback_query_id=query.id),
        *turn.say(turn.words("what_else"), keyboards.menu(turn.lang)),
    ]


def greeting(turn: Turn) -> Reply:
    """Who this is, what it can do, and what never to send."""
    return turn.say(turn.words("hello"), keyboards.menu(turn.lang))


def knocked(turn: Turn) -> Reply:
    """在吗: a stranger gets the greeting, anybody else one line, and not again at once."""
    if turn.contact.first_seen_at == turn.now:
        return greeting(turn)
    if not turn.first_in("knock", KNOCKED):
        return []
    return turn.say(turn.words("here"), keyboards.menu(turn.lang))
