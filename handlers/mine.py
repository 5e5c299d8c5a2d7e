"""The asker's own questions: progress, and collecting an answer."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command, Filter
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, Message

from handlers import keyboards, progress_words, speech
from handlers.callbacks import Op, Tap
from handlers.plain_words import Said
from handlers.progress_words import Wanted
from handlers.turn import Reply, Turn
from office import outbox
from ticketing import queue
from ticketing.records import OPEN_STATES, Ticket, TicketState

router = Router(name="mine")

SHOWN = 5
_PROGRESS = re.compile(r"^\s*(?:查?进度|/mine)\s*[:：]?\s*(\S.*)$")


@router.message(Command("mine"), ~F.text.regexp(_PROGRESS))
@router.message(Said("mine"))
async def mine(message: Message, turn: Turn) -> Reply:
    return await mine_reply(turn)


@router.callback_query(Tap.filter(F.op == Op.MINE))
async def mine_tapped(query: CallbackQuery, turn: Turn) -> Reply:
    return [AnswerCallbackQuery(callback_query_id=query.id), *await mine_reply(turn)]


async def mine_reply(turn: Turn) -> Reply:
    """The questions of this contact, open ones first; parked answers are on their way."""
    await outbox.unpark(turn.session, turn.contact, now=turn.now)
    found = await queue.of_asker(turn.session, turn.contact)
    if not found:
        return turn.say(turn.words("no_tickets"), keyboards.menu(turn.lang))
    found.sort(key=lambda ticket: ticket.state not in OPEN_STATES)
    return turn.say("\n\n".join([await shown(turn, ticket) for ticket in found[:SHOWN]]))


class Progress(Filter):
    """Passes 进度 with something after it, and a message with the number or the code of a ticket."""

    async def __call__(self, message: Message, **data: Any) -> bool | dict[str, Any]:
        words = message.text or ""
        named, wanted = _PROGRESS.match(words), progress_words.read(words)
        return {"named": named is not None, "wanted": wanted} if named or wanted else False


@router.message(Progress())
async def progress(message: Message, turn: Turn, named: bool, wanted: Wanted | None) -> Reply:
    """进度 7K2M in one's own chat; number and code together anywhere else, wherever they stand."""
    # 进度怎么样了 names no ticket.
    if wanted is None:
        return await mine_reply(turn)
    for ticket in await queue.of_asker(turn.session, turn.contact):
        own = wanted.number is None and ticket.progress_code in wanted.codes
        if ticket.ticket_no == wanted.number or (own and (named or wanted.asks or wanted.bare)):
            return turn.say(await shown(turn, ticket))
    if wanted.number is not None and wanted.codes:
        return await by_number_and_code(turn, wanted.number, wanted.codes[-1])
    if wanted.number is not None or (named and wanted.misread):
        # Without a number and a code nothing was tried, and nothing is counted.
        return turn.say(turn.words("progress_unknown"))
    if wanted.meant and (named or wanted.bare):
        return turn.say(turn.words("progress_number_too"))
    if named:
        return await mine_reply(turn)
    raise SkipHandler


async def by_number_and_code(turn: Turn, number: str, code: str) -> Reply:
    """Progress for whoever has both; a wrong number and a wrong code get the same words."""
    ticket = await queue.by_code(
        turn.session, number, code, source=f"contact:{turn.contact.id}", now=turn.now
    )
    return turn.say(await shown(turn, ticket) if ticket else turn.words("progress_unknown"))


async def shown(turn: Turn, ticket: Ticket) -> str:
    """How far a ticket is, and its answer; of one that was joined to another, the other one's."""
    lead = await queue.standing(turn.session, ticket)
    text = speech.progress(ticket, turn.lang, lead)
    if lead.state in (TicketState.ANSWERED, TicketState.CLOSED) and lead.answer_text:
        text += "\n" + turn.words("progress_answer", text=escape(lead.answer_text))
    return text


@router.message(Said("badge"))
async def badge(message: Message, turn: Turn) -> Reply:
    return turn.say(turn.words("badge_how"))
