"""Who is on duty now and next, and changing a shift with a colleague: both say so with a button."""

from __future__ import annotations

from datetime import date
from html import escape

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, InlineKeyboardButton, Message
from sqlalchemy import or_, select

from handlers import keyboards, staff_chat
from handlers.callbacks import Op, Tap, base36, tap
from handlers.staff_chat import StaffSaid
from handlers.turn import Reply, Turn
from knowledge import calendar
from office import staff, units
from office.errors import NotFound
from office.hours import beijing_day, moment
from office.shifts import DutyShift
from office.staff import Permission, Staff, mask_name
from office.units import Unit, contains
from ticketing import duty, swaps

router = Router(name="duty")

SHIFTS = 4
PEOPLE = 5


@router.message(StaffSaid("duty"))
@router.message(Command("duty"))
async def duty_asked(message: Message, turn: Turn) -> Reply:
    """Who is on now, and who comes next."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.command_refused(turn, "duty")
    return await on_duty(turn, person)


@router.callback_query(Tap.filter(F.op == Op.DUTY))
async def tapped(query: CallbackQuery, turn: Turn) -> Reply:
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.tap_refused(query, turn, "duty")
    return [AnswerCallbackQuery(callback_query_id=query.id), *await on_duty(turn, person)]


async def on_duty(turn: Turn, person: Staff) -> Reply:
    """The shifts that are on and the next one, with the phone of the place: the names are colleagues'."""
    staff_chat.must_have(person, Permission.SEE_ROSTER)
    unit = await units.get(turn.session, person.unit_id)
    on = await duty.on_now(turn.session, unit, now=turn.now)
    following = await duty.next_shift(turn.session, unit, now=turn.now)
    if not on and following is None:
        return turn.say(turn.words("dutychat.none"))
    lines = [turn.words("dutychat.now")] if on else [turn.words("dutychat.nobody")]
    lines += [await _said(turn, shift) for shift in on]
    if following is not None:
        lines += [turn.words("dutychat.next"), await _said(turn, following)]
    return turn.say("\n".join(lines))


async def _said(turn: Turn, shift: DutyShift) -> str:
    ids = {i for i in (shift.officer_id, shift.standby_id, shift.leader_id) if i is not None}
    names = await staff.names(turn.session, ids)
    line = turn.words("dutychat.line", when=_when(turn, shift), officer=escape(names[shift.officer_id]))
    if shift.standby_id is not None:
        line += turn.words("dutychat.standby", name=escape(names[shift.standby_id]))
    if shift.leader_id is not None:
        line += turn.words("dutychat.leader", name=escape(names[shift.leader_id]))
    if shift.phone:
        line += turn.words("dutychat.phone", number=escape(shift.phone))
    return line


def _when(turn: Turn, shift: DutyShift) -> str:
    return f"{calendar.brief(shift.day, turn.lang)} {shift.opens}–{shift.closes}"


@router.message(StaffSaid("swap"))
@router.message(Command("swap"))
async def swap_asked(message: Message, turn: Turn) -> Reply:
    """One's own coming shifts, to give one away."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.command_refused(turn, "swap")
    return await own_shifts(turn, person)


async def own_shifts(turn: Turn, person: Staff) -> Reply:
    """The shifts that one could give away."""
    rows = await turn.session.scalars(
        select(DutyShift)
        .where(DutyShift.withdrawn_at.is_(None), DutyShift.day >= beijing_day(turn.now))
        .where(or_(DutyShift.officer_id == person.id, DutyShift.standby_id == person.id))
        .order_by(DutyShift.day, DutyShift.opens)
        .limit(SHIFTS * 3)
    )
    found = [shift for shift in rows if moment(shift.day, shift.span.opens) > turn.now][:SHIFTS]
    if not found:
        return turn.say(turn.words("swapchat.no_shift"))
    buttons = [[keyboards.button(_short(shift), tap(Op.SWAP, shift.id, arg="s"))] for shift in found]
    return turn.say(turn.words("swapchat.which"), keyboards.rows(*buttons))


def _short(shift: DutyShift) -> str:
    day: date = shift.day
    return f"{day.month}/{day.day} {shift.opens}–{shift.closes}"


@router.callback_query(Tap.filter(F.op == Op.SWAP))
async def swapping(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """`s` chooses a shift, `t` and a number a colleague, `y` and `n` are that colleague's word."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.tap_refused(query, turn, "swap")
    match callback_data.arg[:1]:
        case "s":
            return await _colleagues(query, turn, person, await _shift(turn, callback_data.row))
        case "t":
            shift = await _shift(turn, callback_data.row)
            to = await turn.session.get(Staff, _row(callback_data.arg[1:]))
            if to is None:
                raise NotFound("expired_button")
            await swaps.ask(turn.session, shift, to, actor=person, now=turn.now)
            text = turn.words("swapchat.asked", who=escape(to.name), when=_when(turn, shift))
            return [*_done(query, turn), *turn.say(text)]
        case "y" | "n":
            return await _decided(query, turn, person, callback_data)
    return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]


async def _decided(query: CallbackQuery, turn: Turn, person: Staff, data: Tap) -> Reply:
    try:
        swap = await swaps.get(turn.session, data.row)
    except NotFound as error:
        raise NotFound("expired_button") from error
    if data.arg == "y":
        await swaps.agree(turn.session, swap, actor=person, now=turn.now)
    else:
        await swaps.decline(turn.session, swap, actor=person, now=turn.now)
    key = "swapchat.agreed" if data.arg == "y" else "swapchat.declined"
    return [*_done(query, turn), *turn.say(turn.words(key))]


async def _colleagues(query: CallbackQuery, turn: Turn, person: Staff, shift: DutyShift) -> Reply:
    if person.id not in (shift.officer_id, shift.standby_id):
        raise NotFound("expired_button")
    unit = await units.get(turn.session, shift.unit_id)
    rows = await turn.session.execute(select(Staff, Unit).join(Unit, Unit.id == Staff.unit_id))
    found = [
        other
        for other, home in rows
        if other.id != person.id
        and staff.may(other, Permission.WORK_TICKETS)
        and contains(home.path, unit.path)
    ]
    # Whoever stands on the same roster comes first: they know the work.
    known = set(
        await turn.session.scalars(
            select(DutyShift.officer_id).where(DutyShift.unit_id == unit.id, DutyShift.withdrawn_at.is_(None))
        )
    )
    found.sort(key=lambda other: (other.id not in known, other.id))
    if not found:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("swapchat.nobody"))]
    buttons: list[list[InlineKeyboardButton]] = [
        [keyboards.button(mask_name(other.name), tap(Op.SWAP, shift.id, arg=f"t{base36(other.id)}"))]
        for other in found[:PEOPLE]
    ]
    text = turn.words("swapchat.whom", when=_when(turn, shift))
    return [AnswerCallbackQuery(callback_query_id=query.id), *turn.say(text, keyboards.rows(*buttons))]


async def _shift(turn: Turn, row: int) -> DutyShift:
    found = await turn.session.get(DutyShift, row)
    if found is None or found.withdrawn_at is not None:
        raise NotFound("expired_button")
    return found


def _row(text: str) -> int:
    return int(text, 36) if text.isalnum() and len(text) <= 6 else 0


def _done(query: CallbackQuery, turn: Turn) -> Reply:
    return [AnswerCallbackQuery(callback_query_id=query.id), *keyboards.without_buttons(query, turn)]
