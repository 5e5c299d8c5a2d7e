"""Who in a chat is staff: whoever holds a bound chat, and nobody else, whatever a button says."""

from __future__ import annotations

import logging
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from aiogram.filters import Filter
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Op, tap
from handlers.turn import Reply, Turn
from office import audit, bindings, staff
from office.errors import NotFound, NotPermitted
from office.staff import Permission, Staff
from office.words import say
from ticketing import queue
from ticketing.records import Ticket

log = logging.getLogger(__name__)
WORDS = Path(__file__).parent.parent / "data" / "staff_words.yaml"
_KNOWN = "bound_staff"


async def staff_of(turn: Turn) -> Staff | None:
    """The member of staff who holds the asker's chat; asked of the store once in a turn."""
    known: dict[int, Staff | None] = turn.session.info.setdefault(_KNOWN, {})
    if turn.contact.id not in known:
        known[turn.contact.id] = await bindings.bound(turn.session, turn.contact)
    return known[turn.contact.id]


class OnStaff(Filter):
    """Passes what comes from a bound chat, and hands on whose it is as `person`."""

    async def __call__(self, event: TelegramObject, turn: Turn) -> bool | dict[str, Any]:
        person = await staff_of(turn)
        return {"person": person} if person is not None else False


class StaffSaid(Filter):
    """Passes a message of staff whose whole text stands for `name`; from anybody else it is a question."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, message: Message, turn: Turn) -> bool | dict[str, Any]:
        if meant(message.text or "") != self._name:
            return False
        person = await staff_of(turn)
        return {"person": person} if person is not None else False


@cache
def _meanings() -> dict[str, str]:
    loaded: dict[str, list[str]] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return {_bare(said): name for name, words in loaded.items() for said in words}


def _bare(text: str) -> str:
    wide = unicodedata.normalize("NFKC", text)
    return "".join(char for char in wide if char.isalnum()).lower()


def meant(text: str) -> str | None:
    """The name of the command that these words stand for among staff, or None."""
    return _meanings().get(_bare(text)) if len(text) <= 20 else None


async def refused(turn: Turn, what: str) -> None:
    """Write down that somebody whose account was stopped tried an act of staff; a voter's try is nothing."""
    person = await bindings.stopped(turn.session, turn.contact)
    if person is not None:
        await audit.record(
            turn.session, "staff.refused", f"staff:{person.id}",
            actor=person.as_actor(turn.contact.channel.value), now=turn.now, act=what,
        )  # fmt: skip


async def command_refused(turn: Turn, what: str) -> Reply:
    """The reply to a command of staff from a chat that is nobody's on staff."""
    await refused(turn, what)
    return turn.say(turn.words("not_permitted"))


async def tap_refused(query: CallbackQuery, turn: Turn, what: str) -> Reply:
    """The reply to a button of staff tapped by anybody else: it runs as the tapper, who may not."""
    log.warning("a button of staff was refused: %s", what)
    await refused(turn, what)
    return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("not_permitted"))]


def must_have(person: Staff, permission: Permission) -> None:
    """Raise `NotPermitted` unless the person has `permission`; reach is checked where the object is."""
    if not staff.may(person, permission):
        raise NotPermitted("not_permitted")


async def ticket_of(turn: Turn, person: Staff, row: int) -> Ticket:
    """The ticket of a button, for who works on tickets; out of reach it is as if it were not there."""
    must_have(person, Permission.WORK_TICKETS)
    try:
        ticket, _ = await queue.seen_by(turn.session, person, row)
    except NotFound as error:
        raise NotFound("expired_button") from error
    return ticket


def menu(lang: str) -> InlineKeyboardMarkup:
    """What staff do most, one tap away."""
    return keyboards.rows(
        [
            keyboards.button(say("staff.button.own_tickets", lang), tap(Op.OWN_TICKETS)),
            keyboards.button(say("staff.button.duty", lang), tap(Op.DUTY)),
        ],
        [keyboards.button(say("staff.button.platform", lang), tap(Op.PLATFORM))],
    )
