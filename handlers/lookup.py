"""Am I registered: the ways to ask, a receipt code wherever it is sent, the link to the secure page.

A code is taken out of its message before anything else sees it (`handlers.middlewares`); here it lives in the
turn, for as long as the lookup takes. Identity numbers and names are asked for in no chat.
"""

from __future__ import annotations

import time
from typing import Any

from aiogram import F, Router
from aiogram.filters import Command, Filter
from aiogram.fsm.context import FSMContext
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, Message

from handlers import lookup_keyboards, lookup_memory, lookup_words, speech
from handlers.callbacks import Op, Tap
from handlers.english_pages import ENGLISH
from handlers.lookup_asked import Wanted, wanted, wanted_beside_number
from handlers.lookup_reading import for_another
from handlers.passing import passing
from handlers.plain_words import Said, meaning
from handlers.turn import Reply, Turn
from knowledge.roll import links, receipts
from knowledge.roll.lookups import Caller, LookupClosed
from knowledge.roll.opening import Closed
from office.contacts import Channel
from office.errors import Invalid, TooMany
from office.words import say

router = Router(name="lookup")

# `handlers.ask` imports this module; the next message is meant for a person, whatever it says.
TO_PERSON = "ToPerson:waiting"


class HoldsCode(Filter):
    """Passes a message out of which a receipt code was taken."""

    async def __call__(self, message: Message, turn: Turn) -> bool:
        return bool(turn.receipt)


class BesideNumber(Filter):
    """Passes what is left of a message with an identity number in it, where that wants a lookup."""

    async def __call__(self, message: Message, turn: Turn) -> bool:
        words = message.text or message.caption or ""
        return turn.identity_taken and wanted_beside_number(words)


class AsksForLookup(Filter):
    """Passes words that ask for the lookup while there is one, and hands on what of it they ask about.

    Without a window or a roll they are answered from the base; so is nothing that was announced to a person.
    """

    async def __call__(
        self, message: Message, turn: Turn, raw_state: str | None = None, **data: Any
    ) -> bool | dict[str, Any]:
        words = message.text or ""
        if words.startswith("/") or meaning(words) or raw_state == TO_PERSON:
            return False
        asked = wanted(words)
        if asked is None:
            return False
        opening = await turn.desk.lookups.opening(turn.session, turn.now)
        return False if opening.cause in (Closed.NOT_PLANNED, Closed.NO_ROLL) else {"asked": asked}


class ForAnother(Filter):
    """Passes words that want somebody else looked up, and hands on how that person is spoken of."""

    async def __call__(self, message: Message, **data: Any) -> bool | dict[str, Any]:
        words = message.text or ""
        who = "" if words.startswith("/") or meaning(words) else for_another(words)
        return {"who": who} if who else False


@router.message(HoldsCode())
@router.edited_message(HoldsCode())
async def code_sent(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """A receipt code, asked for or not: one result of three, or that it was mistyped."""
    try:
        code = receipts.read_code(turn.receipt)
    except Invalid:
        await lookup_memory.await_code(state, turn.now)
        return turn.say(turn.words("receipt.mistyped"), lookup_keyboards.ways(turn.lang))
    turn.begun = time.monotonic()
    caller = Caller(turn.contact.channel.value, f"contact:{turn.contact.id}", turn.network)
    lookups = turn.desk.lookups
    try:
        found = await lookups.by_receipt(turn.session, caller, code, now=turn.now)
        digest = lookups.receipt_digest(code)
    except LookupClosed as closed:
        # Put into words here, so that what the refusal has written down is kept.
        said = lookup_words.closed(turn, closed.key, closed.facts)
        return turn.say(said, lookup_keyboards.at_station(turn.lang))
    except TooMany as refused:
        until = speech.spoken_time(refused.facts["until"], turn.lang)
        return turn.say(
            turn.words("lookupchat.too_many", until=until), lookup_keyboards.at_station(turn.lang)
        )
    await lookup_memory.hold(state, digest, found.result, turn.now)
    buttons = lookup_keyboards.under_result(turn.lang, found.result)
    return [*passing(turn, await lookup_words.result(turn, found), buttons)]


@router.message(BesideNumber())
@router.edited_message(BesideNumber())
async def number_sent(message: Message, turn: Turn) -> Reply:
    """Nothing of it is written down: whoever sends a number sends a name with it.

    That it was deleted, and the ways to ask, is said for every such message (`handlers.middlewares`).
    """
    return await _closed(turn) or []


@router.message(Command("status"))
@router.message(Said("status"))
async def status(message: Message, turn: Turn) -> Reply:
    return await ways(turn)


@router.callback_query(Tap.filter(F.op == Op.STATUS))
async def status_tapped(query: CallbackQuery, turn: Turn) -> Reply:
    return [AnswerCallbackQuery(callback_query_id=query.id), *await ways(turn)]


async def ways(turn: Turn) -> Reply:
    """What never to send here, and the three ways to be looked up; while it is closed, when it opens."""
    if (closed := await _closed(turn)) is not None:
        return closed
    return turn.say(turn.words("lookupchat.ways"), lookup_keyboards.ways(turn.lang))


@router.message(F.text, AsksForLookup())
async def asked_for(message: Message, turn: Turn, asked: Wanted) -> Reply:
    """The same ways for who asks in words of their own, with a line about what was asked besides."""
    if asked is Wanted.ENGLISH:
        return await _in_english(turn)
    closed = await _closed(turn)
    if closed is not None:
        return closed
    about = await lookup_words.about(turn, asked)
    text = "\n".join(line for line in (about, turn.words("lookupchat.ways")) if line)
    return turn.say(text, lookup_keyboards.ways(turn.lang))


async def _in_english(turn: Turn) -> Reply:
    opening = await turn.desk.lookups.opening(turn.session, turn.now)
    if not opening.open:
        said = lookup_words.closed(turn, opening.why, opening.facts, ENGLISH)
        return turn.say(said, lookup_keyboards.at_station(ENGLISH))
    web = turn.contact.channel is Channel.WEB
    root = "" if web else turn.desk.public_url
    url = f"{root}/lookup?lang={ENGLISH}" if web or root else ""
    return turn.say(say("lookupchat.ways", ENGLISH), lookup_keyboards.in_english(url))


@router.callback_query(Tap.filter(F.op == Op.CODE))
async def code_wanted(query: CallbackQuery, turn: Turn, state: FSMContext) -> Reply:
    """Ask for the code; what comes next is read as one if it can be."""
    reply = await _closed(turn)
    if reply is None:
        await lookup_memory.await_code(state, turn.now)
        reply = turn.say(turn.words("lookupchat.send_code"))
    return [AnswerCallbackQuery(callback_query_id=query.id), *reply]


@router.callback_query(Tap.filter(F.op == Op.SECURE))
async def page_wanted(query: CallbackQuery, turn: Turn) -> Reply:
    """A link for one use, made now; where our pages cannot be reached from, what else can be done."""
    seen = AnswerCallbackQuery(callback_query_id=query.id)
    if (closed := await _closed(turn)) is not None:
        return [seen, *closed]
    web = turn.contact.channel is Channel.WEB
    if not web and not turn.desk.public_url:
        return [seen, *turn.say(turn.words("lookupchat.no_page"), lookup_keyboards.without_page(turn.lang))]
    token = await links.make(turn.session, turn.contact.channel, turn.contact, turn.now)
    buttons = lookup_keyboards.page(turn.lang, f"{'' if web else turn.desk.public_url}/lookup/{token}")
    # The link goes when it is over: nothing that leads nowhere is left behind.
    return [seen, *passing(turn, turn.words("lookupchat.page"), buttons, stays=links.LASTS)]


@router.message(F.text, ForAnother())
async def another(message: Message, turn: Turn, who: str) -> Reply:
    """Nobody is looked up by name, and whose name it was is not written down."""
    return turn.say(turn.words(f"lookupchat.another.{who}"), lookup_keyboards.without_page(turn.lang))


async def _closed(turn: Turn) -> Reply | None:
    """What is said while nothing can be looked up; None while it can."""
    opening = await turn.desk.lookups.opening(turn.session, turn.now)
    if opening.open:
        return None
    said = lookup_words.closed(turn, opening.why, opening.facts)
    return turn.say(said, lookup_keyboards.at_station(turn.lang))
