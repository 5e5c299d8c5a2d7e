"""From an invitation to a bound chat: following the link, the first phone's word, and letting go again."""

from __future__ import annotations

import re
from html import escape

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, Message

from handlers import keyboards, staff_chat, stations
from handlers.callbacks import Op, Tap
from handlers.staff_chat import OnStaff, StaffSaid
from handlers.turn import Reply, Turn
from office import bindings, chat_invites
from office.chat_invites import Arrival, Followed
from office.staff import Role, Staff
from office.words import say

router = Router(name="staff_binding")

_INVITE = re.compile(r"/start(?:@\w+)?\s+inv_[A-Za-z0-9_-]{22}")


@router.message(CommandStart(), F.text.regexp(_INVITE, mode="fullmatch"))
async def followed(message: Message, command: CommandObject, turn: Turn, state: FSMContext) -> Reply:
    """Somebody came by an invitation: two digits, or a refusal of which the inviter is told."""
    await state.clear()
    token = (command.args or "").removeprefix("inv_")
    arrival = await chat_invites.follow(turn.session, token, turn.contact, now=turn.now)
    if arrival.outcome is Followed.UNKNOWN:
        return await stations.outdated(turn, "inv", state)
    if arrival.outcome is Followed.WAITING:
        return turn.say(_digits(turn, arrival))
    return turn.say(turn.words(f"binding.{arrival.outcome.value}"))


def _digits(turn: Turn, arrival: Arrival) -> str:
    binding, person, unit = arrival.binding, arrival.person, arrival.unit
    assert binding is not None
    assert person is not None
    assert unit is not None
    return turn.words(
        "binding.digits", unit=escape(unit.name), role=say(f"role.{_role(person)}", turn.lang),
        name=escape(person.masked_name), digits=binding.digits,
    )  # fmt: skip


def _role(person: Staff) -> str:
    return next((role.value for role in Role if role.value in person.roles), Role.OBSERVER.value)


@router.callback_query(Tap.filter(F.op == Op.CONFIRM))
async def second_phone(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """The first phone says whether the second one is the same person's."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.tap_refused(query, turn, "second_phone")
    answered = AnswerCallbackQuery(callback_query_id=query.id)
    done: Reply = [answered, *keyboards.without_buttons(query, turn)]
    if callback_data.arg != "yes":
        await chat_invites.refuse(turn.session, callback_data.row, turn.contact, now=turn.now)
        return done + turn.say(turn.words("binding.second_refused"))
    bound = await chat_invites.agree(turn.session, callback_data.row, turn.contact, now=turn.now)
    return done + turn.say(turn.words("binding.second_bound" if bound else "binding.second_agreed"))


@router.message(StaffSaid("unbind"))
@router.message(Command("unbind"))
async def unbind(message: Message, turn: Turn) -> Reply:
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.command_refused(turn, "unbind")
    # What the post room sends on ending says so, and takes the menu away.
    await bindings.unbind(turn.session, turn.contact, now=turn.now)
    return []


@router.message(StaffSaid("menu"))
@router.message(Command("menu"), OnStaff())
async def menu(message: Message, turn: Turn, person: Staff) -> Reply:
    """What staff can do here."""
    return turn.say(turn.words("staff.menu"), staff_chat.menu(turn.lang))
