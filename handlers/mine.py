"""The asker's own questions: progress, collecting an answer, and the word on it afterwards."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command, Filter
from aiogram.methods import AnswerCallbackQuery, EditMessageReplyMarkup
from aiogram.types import CallbackQuery, Message

from handlers import keyboards, speech
from handlers.callbacks import Op, Tap
from handlers.plain_words import Said
from handlers.turn import Reply, Turn
from office import outbox
from office.errors import Conflict, NotFound
from ticketing import intake, numbers, queue, tickets, verdicts
from ticketing.records import OPEN_STATES, FollowUp, Ticket, TicketState

router = Router(name="mine")

SHOWN = 5
LONGEST_REQUEST = 40
_ANSWERS = {"yes": FollowUp.SOLVED, "no": FollowUp.NOT_SOLVED, "none": FollowUp.NO_COMMENT}
_PROGRESS = re.compile(r"^\s*(?:查?进度|/mine)\s*[:：]?\s*(\S.*)$")
_NOT_SOLVED = re.compile(
    r"^\s*(?:还是|仍然|仍)?(?:还没有?|没有?|未)(?:解决|弄明白|搞懂)[^吗么？?]*[，,。.!！、\s]\S"
    r"|^\s*还没有[，,。!！、\s]+\S"
)
_CODE = re.compile(rf"[{numbers.PROGRESS_ALPHABET}]{{{numbers.PROGRESS_LENGTH}}}")


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
    return turn.say("\n\n".join([await _shown(turn, ticket) for ticket in found[:SHOWN]]))


class Numbered(Filter):
    """Passes a short message that is about a ticket number, whatever word stands before it."""

    async def __call__(self, message: Message, **data: Any) -> bool | dict[str, Any]:
        words = message.text or ""
        if len(words) > LONGEST_REQUEST or numbers.find_ticket_no(words) is None:
            return False
        return {"wanted": words}


class Progress(Filter):
    """Passes 进度 with something after it, and hands that on."""

    async def __call__(self, message: Message, **data: Any) -> bool | dict[str, Any]:
        found = _PROGRESS.match(message.text or "")
        return {"wanted": found[1]} if found else False


@router.message(Progress())
@router.message(Numbered())
async def progress(message: Message, turn: Turn, wanted: str) -> Reply:
    """进度 7K2M in one's own chat; number and code together anywhere else."""
    number = numbers.find_ticket_no(wanted)
    words = re.split(r"[\s,，:：]+", wanted.strip())
    codes = [code for word in words if _CODE.fullmatch(code := numbers.normalise_code(word))]
    for ticket in await queue.of_asker(turn.session, turn.contact):
        if ticket.ticket_no == number or (number is None and ticket.progress_code in codes):
            return turn.say(await _shown(turn, ticket))
    if number is not None:
        return await by_number_and_code(turn, number, codes[-1] if codes else "")
    # 进度怎么样了 names no ticket; 进度 7K2N names one that is not there.
    return turn.say(turn.words("progress_unknown")) if codes else await mine_reply(turn)


async def by_own_code(turn: Turn, code: str) -> Reply:
    """The asker's own ticket with this code, or nothing if the words only look like one."""
    wanted = numbers.normalise_code(code)
    for ticket in await queue.of_asker(turn.session, turn.contact):
        if ticket.progress_code == wanted:
            return turn.say(await _shown(turn, ticket))
    return []


async def by_number_and_code(turn: Turn, number: str, code: str) -> Reply:
    """Progress for whoever has both; a wrong number and a wrong code get the same words."""
    ticket = await queue.by_code(
        turn.session, number, code, source=f"contact:{turn.contact.id}", now=turn.now
    )
    return turn.say(await _shown(turn, ticket) if ticket else turn.words("progress_unknown"))


async def _shown(turn: Turn, ticket: Ticket) -> str:
    """How far a ticket is, and its answer; of one that was joined to another, the other one's."""
    lead = await queue.standing(turn.session, ticket)
    text = speech.progress(ticket, turn.lang, lead)
    if lead.state in (TicketState.ANSWERED, TicketState.CLOSED) and lead.answer_text:
        text += "\n" + turn.words("progress_answer", text=escape(lead.answer_text))
    return text


@router.callback_query(Tap.filter(F.op == Op.FOLLOW_UP))
async def follow_up(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """解决了, 还没有 or 不方便评价 under an answer; the answer itself stays as it was sent."""
    try:
        ticket = await tickets.get(turn.session, callback_data.row)
    except NotFound as error:
        raise NotFound("expired_button") from error
    if ticket.contact_id != turn.contact.id:
        raise NotFound("expired_button")
    said = _ANSWERS.get(callback_data.arg)
    if said is None or int(callback_data.stamp, 36) != ticket.conclusion_no:
        toast = AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("stale_card"))
        return [toast, *turn.say(await _shown(turn, ticket))]
    reply = await _say_so(turn, ticket, said)
    if not reply:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))]
    words = turn.words("reopened" if said is FollowUp.NOT_SOLVED else "thanks")
    first: Reply = [AnswerCallbackQuery(callback_query_id=query.id, text=words)]
    if isinstance(query.message, Message):
        first.append(EditMessageReplyMarkup(chat_id=turn.chat_id, message_id=query.message.message_id))
    return first + (reply if said is FollowUp.NOT_SOLVED else [])


async def verdict(turn: Turn, said: str) -> Reply:
    """The word on the newest answer that came from a person; nothing if there is none to be had."""
    ticket = await _answered(turn)
    if ticket is None:
        return []
    try:
        return await _say_so(turn, ticket, _ANSWERS[said])
    except Conflict:
        return []


async def _answered(turn: Turn) -> Ticket | None:
    """The asker's ticket with the newest answer of a person, also one that was joined to another's."""
    for ticket in await queue.of_asker(turn.session, turn.contact):
        lead = await queue.standing(turn.session, ticket)
        told = lead is ticket or lead.contact_id != ticket.contact_id
        if told and lead.state in (TicketState.ANSWERED, TicketState.CLOSED):
            return ticket
    return None


class NotSolvedYet(Filter):
    """Passes 还没有解决 with more after it, from somebody whom a person has answered, with that ticket."""

    async def __call__(self, message: Message, turn: Turn) -> bool | dict[str, Any]:
        if not _NOT_SOLVED.match(message.text or ""):
            return False
        ticket = await _answered(turn)
        return {"ticket": ticket} if ticket is not None else False


@router.message(NotSolvedYet())
async def not_solved_yet(message: Message, turn: Turn, ticket: Ticket) -> Reply:
    """还没有解决，停车费多少: the ticket is open again, and what was added stands in it."""
    try:
        reply = await _say_so(turn, ticket, FollowUp.NOT_SOLVED)
    except Conflict:
        raise SkipHandler from None  # closed too long ago: it is a new question
    if not reply:
        raise SkipHandler
    await intake.append(turn.session, ticket, message.text or "", now=turn.now, event_id=turn.event_id)
    return reply


async def _say_so(turn: Turn, ticket: Ticket, said: FollowUp) -> Reply:
    changed = await verdicts.follow_up(
        turn.session,
        ticket,
        said,
        contact=turn.contact,
        actor=turn.actor,
        hours=turn.hours,
        now=turn.now,
    )
    if not changed:
        return []
    if said is FollowUp.NOT_SOLVED:
        return turn.say(f"{turn.words('reopened')}\n{speech.progress(ticket, turn.lang)}")
    return turn.say(turn.words("thanks"))


@router.message(Said("badge"))
async def badge(message: Message, turn: Turn) -> Reply:
    return turn.say(turn.words("badge_how"))
