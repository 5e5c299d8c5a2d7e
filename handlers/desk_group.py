"""The helpdesk's own group: tickets are taken, passed on, joined and answered where officers already talk.

Everything acts as the person who taps or writes, with that person's permission and reach; a group is no way
around either.
"""

from __future__ import annotations

from typing import Any

from aiogram import F, Router
from aiogram.enums import ChatType
from aiogram.filters import Command, CommandObject, Filter
from aiogram.methods import AnswerCallbackQuery, EditMessageReplyMarkup, EditMessageText
from aiogram.types import CallbackQuery, Message, TelegramObject
from sqlalchemy import select

from handlers import cite, desk, desk_cards, duty, keyboards, staff_chat
from handlers.callbacks import Op, Tap, tap
from handlers.turn import Reply, Turn
from office import chat_groups, units, work_groups
from office.bindings import GroupPurpose
from office.errors import Invalid, NotFound, NotPermitted
from office.staff import Permission, Staff
from ticketing import assigning, cards, joining, numbers, offline, promote, queue, tickets, verdicts
from ticketing.records import OPEN_STATES, ClosedBy, Ticket, TicketState

router = Router(name="desk_group")
_GROUP = {ChatType.GROUP, ChatType.SUPERGROUP}
MOST_GROUPS, MOST_LEADS = 6, 4


class InDesk(Filter):
    """Passes what happens in a bound helpdesk group; notes in passing whether the group has topics."""

    async def __call__(self, event: TelegramObject, turn: Turn) -> bool | dict[str, Any]:
        message = event.message if isinstance(event, CallbackQuery) else event
        chat = getattr(message, "chat", None)
        if chat is None or chat.type not in _GROUP:
            return False
        group = await chat_groups.group_of(turn.session, chat.id)
        if group is None or not group.bound or group.row.purpose is not GroupPurpose.DESK:
            return False
        if chat.is_forum:
            await cards.is_forum(turn.session, group.row)
        anonymous = isinstance(event, Message) and event.sender_chat is not None
        person = None if anonymous else await staff_chat.staff_of(turn)
        return {"group_id": group.row.id, "person": person, "anonymous": anonymous}


@router.callback_query(InDesk(), Tap.filter(F.op == Op.CARD_TAKE))
async def take(
    query: CallbackQuery, callback_data: Tap, turn: Turn, group_id: int, person: Staff | None
) -> Reply:
    """我来办: the first tap wins, the second is told who was first."""
    if person is None:
        return await staff_chat.tap_refused(query, turn, "take")
    ticket = await _seen(turn, person, callback_data.row)
    seen = int(callback_data.stamp, 36)
    await tickets.take(turn.session, ticket, seen=seen, actor=person, now=turn.now)
    toast = AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("desk.yours"))
    return [toast, *await _fresh(query, turn, ticket, group_id)]


@router.callback_query(InDesk(), Tap.filter(F.op == Op.CARD_GROUP))
async def choose_group(
    query: CallbackQuery, callback_data: Tap, turn: Turn, group_id: int, person: Staff | None
) -> Reply:
    """转组: the functional groups take the place of the buttons; one of them chosen gets the ticket."""
    if person is None:
        return await staff_chat.tap_refused(query, turn, "transfer")
    ticket = await _seen(turn, person, callback_data.row)
    if _stale(callback_data, ticket):
        return await _stale_card(query, turn, ticket, group_id)
    groups = (await work_groups.listed(turn.session))[:MOST_GROUPS]
    if callback_data.arg:
        name = next((group.name for group in groups if str(group.id) == callback_data.arg), "")
        if ticket.state is TicketState.UNASSIGNED:
            # Who passes on what nobody has takes it first: the first taker answers for it until accepted.
            await tickets.take(turn.session, ticket, actor=person, now=turn.now)
        await assigning.transfer(
            turn.session, ticket, group=name, to=None, reason=turn.words("deskgroup.reason"), actor=person,
            now=turn.now,
        )  # fmt: skip
        toast = AnswerCallbackQuery(
            callback_query_id=query.id, text=turn.words("deskgroup.passed", group=name)
        )
        return [toast, *await _fresh(query, turn, ticket, group_id)]
    choices = [
        keyboards.button(group.name, tap(Op.CARD_GROUP, ticket.id, ticket.version, str(group.id)))
        for group in groups
    ]
    back = keyboards.button(turn.words("deskgroup.button.back"), tap(Op.CARD_BACK, ticket.id, ticket.version))
    return _buttons(query, turn, [choices[n : n + 2] for n in range(0, len(choices), 2)] + [[back]])


@router.callback_query(InDesk(), Tap.filter(F.op == Op.CARD_MERGE))
async def choose_lead(
    query: CallbackQuery, callback_data: Tap, turn: Turn, group_id: int, person: Staff | None
) -> Reply:
    """并入: other open tickets of the same asker; those of others are joined in the console, as a cluster."""
    if person is None:
        return await staff_chat.tap_refused(query, turn, "merge")
    ticket = await _seen(turn, person, callback_data.row)
    if _stale(callback_data, ticket):
        return await _stale_card(query, turn, ticket, group_id)
    leads = await _same_asker(turn, person, ticket)
    if callback_data.arg:
        lead = next((one for one in leads if str(one.id) == callback_data.arg), None)
        if lead is None:
            return await _stale_card(query, turn, ticket, group_id)
        await joining.merge(turn.session, ticket, lead, actor=person, now=turn.now)
        toast = AnswerCallbackQuery(
            callback_query_id=query.id, text=turn.words("deskgroup.merged", no=lead.ticket_no)
        )
        return [toast, *await _fresh(query, turn, ticket, group_id)]
    if not leads:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("deskgroup.no_lead"))]
    choices = [
        [keyboards.button(one.ticket_no, tap(Op.CARD_MERGE, ticket.id, ticket.version, str(one.id)))]
        for one in leads
    ]
    back = keyboards.button(turn.words("deskgroup.button.back"), tap(Op.CARD_BACK, ticket.id, ticket.version))
    return _buttons(query, turn, [*choices, [back]])


@router.callback_query(InDesk(), Tap.filter(F.op == Op.CARD_OFFLINE))
async def confidential(
    query: CallbackQuery, callback_data: Tap, turn: Turn, group_id: int, person: Staff | None
) -> Reply:
    """线下: anyone may say so, the words leave the group at once, and the leader decides."""
    if person is None:
        return await staff_chat.tap_refused(query, turn, "offline")
    ticket = await _seen(turn, person, callback_data.row)
    await offline.flag(turn.session, ticket, actor=person, now=turn.now)
    toast = AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("deskgroup.flagged"))
    return [toast, *await _fresh(query, turn, ticket, group_id)]


@router.callback_query(InDesk(), Tap.filter(F.op == Op.CARD_BACK))
async def back(
    query: CallbackQuery, callback_data: Tap, turn: Turn, group_id: int, person: Staff | None
) -> Reply:
    """The card as it stands now."""
    if person is None:
        return await staff_chat.tap_refused(query, turn, "card")
    ticket = await _seen(turn, person, callback_data.row)
    return [AnswerCallbackQuery(callback_query_id=query.id), *await _fresh(query, turn, ticket, group_id)]


@router.callback_query(InDesk(), Tap.filter(F.op == Op.CITE))
async def cited(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """An officer's draft is sent with this entry behind it, as in a private chat."""
    found: Reply = await cite.sent(query, callback_data, turn)
    return found


@router.callback_query(InDesk(), Tap.filter(F.op.in_({Op.CLAIM, Op.ACCEPT})))
async def taken(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """A button of 待办, tapped in the group."""
    found: Reply = await desk.take(query, callback_data, turn)
    return found


@router.message(InDesk(), cite.AboutTicket())
async def answered(message: Message, turn: Turn, person: Staff, ticket_no: str) -> Reply:
    """A reply to a card: the officer's words wait for the entry that bears them out."""
    found: Reply = await cite.drafted(message, turn, person, ticket_no)
    return found


@router.message(InDesk(), Command("q", "duty", "take", "close", "merge", "tip"))
async def command_(
    message: Message, command: CommandObject, turn: Turn, person: Staff | None, anonymous: bool
) -> Reply:
    """What the helpdesk does by commands; an anonymous administrator is nobody who could answer for it."""
    if anonymous:
        return turn.say(turn.words("group.anonymous_act"))
    if person is None:
        return await staff_chat.command_refused(turn, f"group_{command.command}")
    if command.command == "q":
        return await desk.waiting(turn, person)
    if command.command == "duty":
        return await duty.on_duty(turn, person)
    return await _by_number(turn, person, command.command, command.args or "")


async def _by_number(turn: Turn, person: Staff, what: str, args: str) -> Reply:
    """/take NO · /close NO reason · /merge NO into NO · /tip NO."""
    first, _, rest = args.strip().partition(" ")
    ticket = await _numbered(turn, person, first)
    if what == "take":
        await tickets.take(turn.session, ticket, actor=person, now=turn.now)
    elif what == "close":
        await verdicts.close(
            turn.session,
            ticket,
            by=ClosedBy.OFFICER,
            actor=person.as_actor("chat"),
            now=turn.now,
            reason=rest,
        )
    elif what == "merge":
        lead = await _numbered(turn, person, rest)
        await joining.merge(turn.session, ticket, lead, actor=person, now=turn.now)
    else:
        await promote.to_tip(turn.session, ticket, actor=person, now=turn.now)
    return turn.say(turn.words(f"deskgroup.done_{what}", no=ticket.ticket_no))


async def _numbered(turn: Turn, person: Staff, text: str) -> Ticket:
    number = numbers.parse_ticket_no(text)
    if number is None:
        raise Invalid("deskgroup.number_needed")
    row = await turn.session.scalar(
        select(Ticket.id).where(Ticket.ticket_no == number).order_by(Ticket.id.desc()).limit(1)
    )
    return await _seen(turn, person, row or 0, "ticket_unknown")


async def _seen(turn: Turn, person: Staff, row: int, key: str = "expired_button") -> Ticket:
    staff_chat.must_have(person, Permission.WORK_TICKETS)
    try:
        ticket, _ = await queue.seen_by(turn.session, person, row)
    except NotFound as error:
        raise NotFound(key) from error
    return ticket


async def _same_asker(turn: Turn, person: Staff, ticket: Ticket) -> list[Ticket]:
    if ticket.contact_id is None:
        return []
    rows = await turn.session.scalars(
        select(Ticket)
        .where(Ticket.contact_id == ticket.contact_id, Ticket.id != ticket.id, Ticket.state.in_(OPEN_STATES))
        .order_by(Ticket.id.desc())
        .limit(MOST_LEADS)
    )
    found = []
    for lead in rows.all():
        try:
            await queue.seen_by(turn.session, person, lead.id)
        except (NotFound, NotPermitted):
            continue
        found.append(lead)
    return found


def _stale(data: Tap, ticket: Ticket) -> bool:
    return int(data.stamp, 36) != ticket.version


async def _stale_card(query: CallbackQuery, turn: Turn, ticket: Ticket, group_id: int) -> Reply:
    toast = AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("stale_card"))
    return [toast, *await _fresh(query, turn, ticket, group_id)]


async def _fresh(query: CallbackQuery, turn: Turn, ticket: Ticket, group_id: int) -> Reply:
    """The card under which somebody tapped, as its ticket stands now; a message out of reach stays."""
    if not isinstance(query.message, Message):
        return []
    await turn.session.flush()
    unit = await units.get(turn.session, ticket.unit_id)
    facts = await cards.facts(turn.session, ticket, unit, now=turn.now)
    message = query.message.message_id
    await cards.shown(turn.session, ticket.id, group_id, message, version=ticket.version)
    return [
        EditMessageText(
            chat_id=turn.chat_id, message_id=message, text=desk_cards.text(facts, turn.lang),
            reply_markup=desk_cards.keyboard(facts, turn.lang),
        )
    ]  # fmt: skip


def _buttons(query: CallbackQuery, turn: Turn, lines: list[list[Any]]) -> Reply:
    done = AnswerCallbackQuery(callback_query_id=query.id)
    if not isinstance(query.message, Message):
        return [done]
    edited = EditMessageReplyMarkup(
        chat_id=turn.chat_id, message_id=query.message.message_id, reply_markup=keyboards.rows(*lines)
    )
    return [done, edited]
