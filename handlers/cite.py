"""An officer's words about a ticket in chat: sent only with the entry that bears them out."""

from __future__ import annotations

from typing import Any

from aiogram import F, Router
from aiogram.filters import Filter
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message

from handlers import keyboards, staff_chat
from handlers.callbacks import Op, Tap, base36, tap
from handlers.doorstep import is_public, matched
from handlers.turn import Reply, Turn
from knowledge import answer as answers
from knowledge.answer import Answer
from knowledge.versions import EntryVersion
from office import staff
from office.errors import Conflict, NotPermitted
from office.staff import Permission, Staff
from ticketing import drafts, numbers, queue, tickets
from ticketing.particulars import AskerKind
from ticketing.records import Ticket, TicketState

router = Router(name="cite")

OFFERED = 3
DIFFERS = ("answer.conflicts", "answer.version_moved")
AMONG_STAFF = frozenset({AskerKind.REGISTRAR, AskerKind.WORK_GROUP, AskerKind.STREET_OFFICE})


class AboutTicket(Filter):
    """Passes an officer's text in reply to a message of ours that names a ticket, with its `ticket_no`.

    The message was written by us, but its number comes back from outside: reach is checked on the ticket.
    """

    async def __call__(self, message: Message, turn: Turn) -> bool | dict[str, Any]:
        replied = message.reply_to_message
        if replied is None or not message.text or message.text.startswith("/"):
            return False
        if replied.from_user is None or not replied.from_user.is_bot:
            return False
        number = numbers.find_ticket_no(replied.text or "")
        person = await staff_chat.staff_of(turn) if number else None
        if person is None or not staff.may(person, Permission.WORK_TICKETS):
            return False
        return {"person": person, "ticket_no": number}


@router.message(AboutTicket())
async def drafted(message: Message, turn: Turn, person: Staff, ticket_no: str) -> Reply:
    """The words are kept as the officer's draft; each button sends them with one entry behind them."""
    ticket = await queue.by_number(turn.session, person, ticket_no)
    if ticket.assignee_id != person.id:
        raise NotPermitted("cite.not_yours")
    await drafts.save(turn.session, ticket, message.text or "", actor=person, now=turn.now)
    found = await _entries(turn, person, ticket, message.text or "")
    if not found:
        return turn.say(turn.words("cite.none", no=ticket.ticket_no), console(turn, ticket))
    lines = [turn.words("cite.offer", no=ticket.ticket_no)]
    lines += [f"{entry.entry_no} {entry.question}" for entry in found]
    buttons = [
        [
            keyboards.button(
                turn.words("cite.button", entry=entry.entry_no),
                tap(Op.CITE, ticket.id, ticket.version, base36(entry.version_id)),
            )
        ]
        for entry in found
    ]
    link = console(turn, ticket)
    return turn.say("\n".join(lines), keyboards.rows(*buttons, *(link.inline_keyboard if link else [])))


@router.callback_query(Tap.filter(F.op == Op.CITE))
async def sent(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """Send the officer's draft with this entry behind it; the guard may say no, and nothing leaves."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.tap_refused(query, turn, "answer")
    ticket = await staff_chat.ticket_of(turn, person, callback_data.row)
    text = await drafts.of(turn.session, ticket, person)
    version = await turn.session.get(EntryVersion, int(callback_data.arg or "0", 36))
    if not text or version is None or ticket.version != int(callback_data.stamp, 36):
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("stale_card"))]
    try:
        await tickets.answer(
            turn.session, ticket, text, version, actor=person, hours=turn.hours, now=turn.now
        )
    except Conflict as error:
        if error.key not in DIFFERS:
            raise
        # Side by side is for a screen: the draft waits there.
        toast = AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("cite.differs"))
        return [toast, *turn.say(turn.words("cite.differs_more", no=ticket.ticket_no), console(turn, ticket))]
    key = "cite.in_review" if ticket.state is TicketState.IN_REVIEW else "cite.sent"
    toast = AnswerCallbackQuery(callback_query_id=query.id)
    return [toast, *keyboards.without_buttons(query, turn), *turn.say(turn.words(key, no=ticket.ticket_no))]


async def _entries(turn: Turn, person: Staff, ticket: Ticket, said: str) -> list[Answer]:
    """What the base has for the question, and for the officer's own words: published, each once.

    What is written for staff bears out an answer to staff only.
    """
    found: dict[int, Answer] = {}
    among_staff = ticket.asker_kind in AMONG_STAFF
    for words in (ticket.words, said):
        outcome = await matched(turn, person, words)
        for candidate in outcome.candidates[:OFFERED]:
            entry = await answers.published(
                turn.session, candidate.entry_id, office=turn.district, now=turn.now
            )
            if entry is not None and (among_staff or await is_public(turn, entry)):
                found.setdefault(entry.entry_id, entry)
    return list(found.values())[:OFFERED]


def console(turn: Turn, ticket: Ticket) -> InlineKeyboardMarkup | None:
    """The way to the ticket's page; none where the pages cannot be reached by an address."""
    base = turn.desk.public_url
    if not base.startswith("https://"):
        return None
    label = turn.words("desk.button.console")
    return keyboards.rows([InlineKeyboardButton(text=label, url=f"{base}/admin/tickets/{ticket.id}")])
