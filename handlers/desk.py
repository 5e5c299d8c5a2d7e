"""Staff's tickets in a private chat: their own and how long each has, the queue, accepting and taking."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from sqlalchemy import select

from handlers import cite, keyboards, staff_chat
from handlers.callbacks import Op, Tap, tap
from handlers.staff_chat import StaffSaid
from handlers.turn import Reply, Turn
from knowledge.versions import topics
from office import staff, units
from office.staff import Permission, Staff
from office.units import Unit
from ticketing import assigning, cards, queue, tickets
from ticketing.queue import Filter
from ticketing.records import OPEN_STATES, Ticket, TicketState

router = Router(name="desk")

SHOWN = 5
LONGEST_ASKED = 200
S = TicketState
IN_HAND = (S.WORKING, S.ON_HOLD, S.IN_REVIEW)
MINE = (S.ASSIGNED, *IN_HAND, S.ANSWERED)


@router.message(StaffSaid("own_tickets"))
@router.message(Command("dan"))
async def own_asked(message: Message, turn: Turn) -> Reply:
    """My tickets: counts, the most urgent with the time each has left, and buttons to accept."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.command_refused(turn, "own_tickets")
    return await own(turn, person)


@router.callback_query(Tap.filter(F.op == Op.OWN_TICKETS))
async def tapped(query: CallbackQuery, turn: Turn) -> Reply:
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.tap_refused(query, turn, "own_tickets")
    return [AnswerCallbackQuery(callback_query_id=query.id), *await own(turn, person)]


async def own(turn: Turn, person: Staff) -> Reply:
    """待签收 2 · 办理中 1 · 已答复未确认 3, then what is most urgent.

    Whoever works on tickets sees those they hold, anybody else those they have asked.
    """
    found = await _own(turn, person)
    counts = {
        "waiting": sum(ticket.state in (S.UNASSIGNED, S.ASSIGNED) for ticket, _ in found),
        "working": sum(ticket.state in IN_HAND for ticket, _ in found),
        "answered": sum(ticket.state is S.ANSWERED for ticket, _ in found),
    }
    lines = [turn.words("desk.counts", **counts)]
    urgent = [pair for pair in found if pair[0].state in OPEN_STATES][:SHOWN]
    lines += [_line(turn, ticket, unit) for ticket, unit in urgent]
    buttons = []
    if staff.may(person, Permission.WORK_TICKETS):
        buttons = [
            _button(turn, Op.ACCEPT, ticket, "desk.button.accept")
            for ticket, _ in urgent
            if ticket.state is S.ASSIGNED
        ]
    return turn.say("\n".join(lines), _in_rows(buttons))


async def _own(turn: Turn, person: Staff) -> list[tuple[Ticket, Unit]]:
    statement = select(Ticket, Unit).join(Unit, Unit.id == Ticket.unit_id)
    if staff.may(person, Permission.WORK_TICKETS):
        statement = statement.where(Ticket.assignee_id == person.id, Ticket.state.in_(MINE))
    else:
        statement = statement.where(
            Ticket.contact_id == turn.contact.id, Ticket.state.in_((S.UNASSIGNED, *MINE))
        )
    rows = await turn.session.execute(statement.order_by(Ticket.due_at, Ticket.id))
    return [(ticket, unit) for ticket, unit in rows]


@router.message(StaffSaid("queue"))
@router.message(Command("q"))
async def queue_asked(message: Message, turn: Turn) -> Reply:
    """The most urgent tickets that nobody holds, within the officer's reach."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.command_refused(turn, "queue")
    return await waiting(turn, person)


async def waiting(turn: Turn, person: Staff) -> Reply:
    """What waits to be taken, most urgent first; no words of askers stand in it."""
    staff_chat.must_have(person, Permission.WORK_TICKETS)
    found, total = await queue.listed(turn.session, person, Filter(states=(S.UNASSIGNED,)), now=turn.now)
    if not found:
        return turn.say(turn.words("desk.queue_empty"))
    lines = [turn.words("desk.queue", count=total)]
    lines += [_line(turn, ticket, unit) for ticket, unit in found[:SHOWN]]
    buttons = [_button(turn, Op.CLAIM, ticket, "desk.button.take") for ticket, _ in found[:SHOWN]]
    return turn.say("\n".join(lines), _in_rows(buttons))


@router.callback_query(Tap.filter(F.op.in_({Op.ACCEPT, Op.CLAIM})))
async def take(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """Accept what was assigned, or take what nobody holds; the first one wins and the others are told who."""
    accepting = callback_data.op == Op.ACCEPT
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.tap_refused(query, turn, "accept" if accepting else "take")
    ticket = await staff_chat.ticket_of(turn, person, callback_data.row)
    if ticket.version != int(callback_data.stamp, 36):
        toast = AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("stale_card"))
        return [toast, *(await own(turn, person) if accepting else await waiting(turn, person))]
    if accepting:
        await assigning.accept(turn.session, ticket, actor=person, now=turn.now)
    else:
        await tickets.take(turn.session, ticket, seen=ticket.version, actor=person, now=turn.now)
    toast = AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("desk.yours"))
    unit = await units.get(turn.session, ticket.unit_id)
    return [toast, *turn.say(card(turn, ticket, unit), cite.console(turn, ticket))]


def card(turn: Turn, ticket: Ticket, unit: Unit) -> str:
    """A ticket for whoever holds it: where, how long, and what was asked, unless that is not for a chat.

    By answering this message the officer proposes an answer, so the number stands in it.
    """
    lines = [_line(turn, ticket, unit)]
    if asked := cards.excerpt(ticket, LONGEST_ASKED):
        lines += [turn.words("desk.asked", words=escape(asked)), turn.words("desk.how_to_answer")]
    else:
        lines.append(turn.words("desk.in_console"))
    return "\n".join(lines)


def _line(turn: Turn, ticket: Ticket, unit: Unit) -> str:
    topic = topics()[ticket.topic].meaning if ticket.topic in topics() else ""
    subject = " · ".join(part for part in (escape(unit.name), escape(topic[:16])) if part)
    state = "" if ticket.state is S.UNASSIGNED else turn.words(f"desk.state.{ticket.state.value}") + " · "
    return f"<b>{ticket.ticket_no}</b> {subject} · {state}{left(turn, ticket.due_at)}"


def left(turn: Turn, until: datetime) -> str:
    """The time that is left in words, or how long it has been over."""
    over = until < turn.now
    span = turn.now - until if over else until - turn.now
    return turn.words("desk.over" if over else "desk.left", span=spoken_span(turn, span))


def spoken_span(turn: Turn, span: timedelta) -> str:
    """3天2小时, 2小时10分, 5分: two parts at most, never none."""
    minutes = max(1, int(span.total_seconds() // 60))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "span.days"), (hours, "span.hours"), (rest, "span.minutes")]
    said = [turn.words(key, count=count) for count, key in parts if count][:2]
    return turn.words("time.joint").join(said)


def _button(turn: Turn, op: Op, ticket: Ticket, key: str) -> InlineKeyboardButton:
    # The last two parts of the number: a whole one does not fit a button.
    short = ticket.ticket_no.split("-", 2)[-1]
    return keyboards.button(turn.words(key, no=short), tap(op, ticket.id, ticket.version))


def _in_rows(buttons: list[InlineKeyboardButton]) -> InlineKeyboardMarkup | None:
    return keyboards.rows(*(buttons[at : at + 2] for at in range(0, len(buttons), 2))) if buttons else None
