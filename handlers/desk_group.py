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
from ticketing import assigning, cards, joining, numbers, offline, queue, tickets, tip_begun, verdicts
from ticketing.records import OPEN_STATES, ClosedBy, Ticket, TicketState

router = Router(name="desk_group")
_GROUP = {ChatType.GROUP, ChatType.SUPERGROUP}
MOST_GROUPS, MOST_LEADS = 6, 4
CARD_ACTS: dict[str, str] = {
    Op.CARD_TAKE: "take", Op.CARD_GROUP: "transfer", Op.CARD_MERGE: "merge", Op.CARD_OFFLINE: "offline",
    Op.CARD_BACK: "card",
}  # fmt: skip
"""The buttons of a card, and under which name a refused tap is written down."""


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


@router.callback_query(InDesk(), Tap.filter(F.op.in_(CARD_ACTS)))
async def tapped(
    query: CallbackQuery, callback_data: Tap, turn: Turn, group_id: int, person: Staff | None
) -> Reply:
    """A button of a card; what it leaves is the card as its ticket stands then, or a choice."""
    if person is None:
        return await staff_chat.tap_refused(query, turn, CARD_ACTS[callback_data.op])
    ticket = await staff_chat.ticket_of(turn, person, callback_data.row)
    seen, arg = int(callback_data.stamp, 36), callback_data.arg
    said = None
    match callback_data.op:
        case Op.CARD_TAKE:
            # The first tap wins, the second is told who was first.
            await tickets.take(turn.session, ticket, seen=seen, actor=person, now=turn.now)
            said = turn.words("desk.yours")
        case Op.CARD_OFFLINE:
            # Anyone may say so: the words leave the group at once, and the leader decides.
            await offline.flag(turn.session, ticket, actor=person, now=turn.now)
            said = turn.words("deskgroup.flagged")
        case Op.CARD_GROUP | Op.CARD_MERGE if seen != ticket.version:
            said = turn.words("stale_card")
        case Op.CARD_GROUP if not arg:
            return await _groups(query, turn, ticket)
        case Op.CARD_GROUP:
            said = await _passed(turn, person, ticket, arg)
        case Op.CARD_MERGE if not arg:
            return await _leads(query, turn, person, ticket)
        case Op.CARD_MERGE:
            said = await _merged(turn, person, ticket, arg)
    return await _fresh(query, turn, ticket, group_id, said)


async def _groups(query: CallbackQuery, turn: Turn, ticket: Ticket) -> Reply:
    """转组: the functional groups take the place of the buttons."""
    choices = [
        keyboards.button(group.name, tap(Op.CARD_GROUP, ticket.id, ticket.version, str(group.id)))
        for group in (await work_groups.listed(turn.session))[:MOST_GROUPS]
    ]
    return _choices(query, turn, ticket, [choices[n : n + 2] for n in range(0, len(choices), 2)])


async def _passed(turn: Turn, person: Staff, ticket: Ticket, chosen: str) -> str:
    groups = (await work_groups.listed(turn.session))[:MOST_GROUPS]
    name = next((group.name for group in groups if str(group.id) == chosen), "")
    if ticket.state is TicketState.UNASSIGNED:
        # Who passes on what nobody has takes it first: the first taker answers for it until accepted.
        await tickets.take(turn.session, ticket, actor=person, now=turn.now)
    await assigning.transfer(
        turn.session, ticket, group=name, to=None, reason=turn.words("deskgroup.reason"), actor=person,
        now=turn.now,
    )  # fmt: skip
    return turn.words("deskgroup.passed", group=name)


async def _leads(query: CallbackQuery, turn: Turn, person: Staff, ticket: Ticket) -> Reply:
    """并入: other open tickets of the same asker; those of others are joined in the console, as a cluster."""
    leads = await _same_asker(turn, person, ticket)
    if not leads:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("deskgroup.no_lead"))]
    choices = [
        [keyboards.button(one.ticket_no, tap(Op.CARD_MERGE, ticket.id, ticket.version, str(one.id)))]
        for one in leads
    ]
    return _choices(query, turn, ticket, choices)


async def _merged(turn: Turn, person: Staff, ticket: Ticket, chosen: str) -> str:
    leads = await _same_asker(turn, person, ticket)
    lead = next((one for one in leads if str(one.id) == chosen), None)
    if lead is None:
        return turn.words("stale_card")
    await joining.merge(turn.session, ticket, lead, actor=person, now=turn.now)
    return turn.words("deskgroup.merged", no=lead.ticket_no)


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
        made, new = await tip_begun.begin(turn.session, ticket, actor=person, now=turn.now)
        if not new:
            drafter = await turn.session.get_one(Staff, made.drafter_id)
            return turn.say(turn.words("deskgroup.tip_open", no=ticket.ticket_no, who=drafter.masked_name))
    return turn.say(turn.words(f"deskgroup.done_{what}", no=ticket.ticket_no))


async def _numbered(turn: Turn, person: Staff, text: str) -> Ticket:
    if numbers.parse_ticket_no(text) is None:
        raise Invalid("deskgroup.number_needed")
    staff_chat.must_have(person, Permission.WORK_TICKETS)
    return await queue.by_number(turn.session, person, text)


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


async def _fresh(query: CallbackQuery, turn: Turn, ticket: Ticket, group_id: int, said: str | None) -> Reply:
    """The card under which somebody tapped, as its ticket stands now; a message out of reach stays."""
    toast = AnswerCallbackQuery(callback_query_id=query.id, text=said)
    if not isinstance(query.message, Message):
        return [toast]
    await turn.session.flush()
    unit = await units.get(turn.session, ticket.unit_id)
    facts = await cards.facts(turn.session, ticket, unit, now=turn.now)
    message = query.message.message_id
    await cards.shown(turn.session, ticket.id, group_id, message, version=ticket.version)
    edited = EditMessageText(
        chat_id=turn.chat_id, message_id=message, text=desk_cards.text(facts, turn.lang),
        reply_markup=desk_cards.keyboard(facts, turn.lang),
    )  # fmt: skip
    return [toast, edited]


def _choices(query: CallbackQuery, turn: Turn, ticket: Ticket, lines: list[list[Any]]) -> Reply:
    done = AnswerCallbackQuery(callback_query_id=query.id)
    if not isinstance(query.message, Message):
        return [done]
    back = keyboards.button(turn.words("deskgroup.button.back"), tap(Op.CARD_BACK, ticket.id, ticket.version))
    edited = EditMessageReplyMarkup(
        chat_id=turn.chat_id, message_id=query.message.message_id,
        reply_markup=keyboards.rows(*lines, [back]),
    )  # fmt: skip
    return [done, edited]
