"""The asker's own questions: progress, collecting an answer, and the word on it afterwards."""

from __future__ import annotations

import re
from html import escape

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.methods import AnswerCallbackQuery, EditMessageReplyMarkup
from aiogram.types import CallbackQuery, Message

from handlers import keyboards, speech
from handlers.callbacks import Op, Tap
from handlers.plain_words import Said
from handlers.turn import Reply, Turn
from office import outbox
from ticketing import numbers, queue, tickets
from ticketing.records import FollowUp, Ticket, TicketState

router = Router(name="mine")

_ANSWERS = {"yes": FollowUp.SOLVED, "no": FollowUp.NOT_SOLVED, "none": FollowUp.NO_COMMENT}
_PROGRESS = re.compile(r"^\s*(?:查?进度|/mine)\s*[:：]?\s*(\S.*)$")


@router.message(Command("mine"))
@router.message(Said("mine"))
async def mine(message: Message, turn: Turn) -> Reply:
    return await mine_reply(turn)


async def mine_reply(turn: Turn) -> Reply:
    """All open questions of this contact, and parked answers first."""
    await outbox.unpark(turn.session, turn.contact, now=turn.now)
    found = await queue.of_asker(turn.session, turn.contact)
    if not found:
        return turn.say(turn.words("no_tickets"), keyboards.menu(turn.lang))
    return turn.say("\n\n".join(speech.progress(ticket, turn.lang) for ticket in found[:5]))


@router.message(F.text.regexp(_PROGRESS).as_("found"))
async def progress(message: Message, turn: Turn, found: re.Match[str]) -> Reply:
    """进度 7K2M in one's own chat; number and code together anywhere else."""
    wanted = found.group(1)
    number = numbers.find_ticket_no(wanted)
    if number is None:
        code = numbers.normalise_code(wanted)
        for ticket in await queue.of_asker(turn.session, turn.contact):
            if ticket.progress_code == code:
                return _shown(turn, ticket)
        return turn.say(turn.words("progress_unknown"))
    rest = re.split(r"[\s,，]+", wanted.strip())
    return await by_number_and_code(turn, number, rest[-1])


async def by_number_and_code(turn: Turn, number: str, code: str) -> Reply:
    """Progress for whoever has both; a wrong number and a wrong code get the same words."""
    ticket = await queue.by_code(
        turn.session, number, code, source=f"contact:{turn.contact.id}", now=turn.now
    )
    return _shown(turn, ticket) if ticket else turn.say(turn.words("progress_unknown"))


def _shown(turn: Turn, ticket: Ticket) -> Reply:
    text = speech.progress(ticket, turn.lang)
    if ticket.state in (TicketState.ANSWERED, TicketState.CLOSED) and ticket.answer_text:
        text += "\n\n" + turn.words("progress_answer", text=escape(ticket.answer_text))
    return turn.say(text)


@router.callback_query(Tap.filter(F.op == Op.FOLLOW_UP))
async def follow_up(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """解决了, 还没有 or 不方便评价 under an answer; the answer itself stays as it was sent."""
    ticket = await tickets.get(turn.session, callback_data.row)
    said = _ANSWERS.get(callback_data.arg)
    if said is None or int(callback_data.stamp, 36) != ticket.conclusion_no:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("stale_card"))]
    changed = await tickets.follow_up(
        turn.session, ticket, said, contact=turn.contact, actor=turn.actor, now=turn.now
    )
    if not changed:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))]
    words = turn.words("reopened" if said is FollowUp.NOT_SOLVED else "thanks")
    reply: Reply = [AnswerCallbackQuery(callback_query_id=query.id, text=words)]
    if query.message is not None:
        reply.append(EditMessageReplyMarkup(chat_id=turn.chat_id, message_id=query.message.message_id))
    if said is FollowUp.NOT_SOLVED:
        reply += turn.say(f"{words}\n{speech.progress(ticket, turn.lang)}")
    return reply


@router.message(Said("badge"))
async def badge(message: Message, turn: Turn) -> Reply:
    return turn.say(turn.words("badge_how"))


@router.message(Command("status"))
@router.message(Said("status"))
async def status(message: Message, turn: Turn) -> Reply:
    return status_reply(turn)


def status_reply(turn: Turn) -> Reply:
    """Where one's registration can be checked; numbers of identity cards never belong into a chat."""
    return turn.say(turn.words("status_how"), keyboards.person_or_menu(turn.lang))
