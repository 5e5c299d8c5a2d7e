"""Errors of the registration platform: steps from the base, else what and how in two taps, then to 信息组."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TypeVar

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, InlineKeyboardButton, Message

from handlers import doorstep, keyboards, sent_files, speech, staff_chat
from handlers.callbacks import Op, Tap, tap
from handlers.plain_words import says_something
from handlers.staff_chat import OnStaff, StaffSaid
from handlers.turn import Reply, Turn
from office import units
from office.errors import NotFound
from office.staff import Staff
from ticketing import intake, ledgers
from ticketing.ledgers import Enquiry
from ticketing.ledgers import Outcome as Ended
from ticketing.particulars import AskerKind, LedgerKind, Nature, PlatformModule, Symptom
from ticketing.records import Ticket, UnansweredReason

router = Router(name="platform")

# The functional group that keeps the platform.
GROUP = "信息组"
LONGEST_ERROR = 80
ALBUM = timedelta(minutes=1)
MODULES, SYMPTOMS = tuple(PlatformModule), tuple(Symptom)
_ABOUT = re.compile(
    r"平台|系统|导入|导不进|导出|报错|出错|错误|失败|卡住|卡死|闪退|打不开|登不上|登录不|没权限|无权限|权限|重复提示|身份证号重复"
)


T = TypeVar("T")


class AtPlatform(StatesGroup):
    """What the next message is: the error's own words or a picture of it. Losing it costs two taps more."""

    waiting = State()


def about(words: str) -> bool:
    """Whether words of staff are about the platform rather than about the law."""
    return _ABOUT.search(words) is not None


def is_topic(topic: str) -> bool:
    """Whether a topic is one of the platform's own."""
    return topic in ("st_import", "st_compare", "st_dup", "st_role", "st_report")


def not_solved(turn: Turn, enquiry: Enquiry) -> InlineKeyboardButton:
    """Under steps that did not help."""
    return keyboards.button(turn.words("platform.button.none"), tap(Op.PLATFORM, enquiry.id))


@router.message(Command("op"))
async def by_command(message: Message, command: CommandObject, turn: Turn, state: FSMContext) -> Reply:
    """`/op` alone asks for module and symptom; with words it looks for steps first."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.command_refused(turn, "platform")
    await state.clear()
    words = (command.args or "").strip()
    return await doorstep.search(turn, person, words) if words else modules(turn, None)


@router.message(StaffSaid("platform"))
async def in_words(message: Message, turn: Turn, person: Staff, state: FSMContext) -> Reply:
    await state.clear()
    return modules(turn, None)


def modules(turn: Turn, enquiry: Enquiry | None) -> Reply:
    """First tap: where it happens."""
    row = enquiry.id if enquiry is not None else 0
    labels = [
        keyboards.button(
            turn.words(f"platform_module.{module.value}"), tap(Op.PLATFORM, row, arg=str(number))
        )
        for number, module in enumerate(MODULES)
    ]
    return turn.say(turn.words("platform.module"), keyboards.rows(labels[:2], labels[2:]))


@router.callback_query(Tap.filter(F.op == Op.PLATFORM))
async def tapped(query: CallbackQuery, callback_data: Tap, turn: Turn, state: FSMContext) -> Reply:
    """Module, then symptom, then the error itself."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.tap_refused(query, turn, "platform")
    enquiry = await _enquiry(turn, callback_data.row)
    first, _, second = callback_data.arg.partition("-")
    answered = AnswerCallbackQuery(callback_query_id=query.id)
    if not first:
        return [answered, *modules(turn, enquiry)]
    module = _at(MODULES, first)
    symptom = _at(SYMPTOMS, second) if second else None
    if module is None or (second and symptom is None):
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    if symptom is None:
        row = enquiry.id if enquiry is not None else 0
        labels = [
            keyboards.button(
                turn.words(f"symptom.{kind.value}"), tap(Op.PLATFORM, row, arg=f"{first}-{number}")
            )
            for number, kind in enumerate(SYMPTOMS)
        ]
        text = turn.words("platform.symptom", module=turn.words(f"platform_module.{module.value}"))
        return [answered, *turn.say(text, keyboards.rows(labels[:2], labels[2:]))]
    await state.set_state(AtPlatform.waiting)
    await state.set_data(
        {"module": module.value, "symptom": symptom.value, "enquiry": enquiry.id if enquiry else 0}
    )
    return [answered, *turn.say(turn.words("platform.error"))]


@router.message(AtPlatform.waiting, OnStaff(), F.photo | F.document | (F.text & ~F.text.startswith("/")))
async def described(message: Message, turn: Turn, person: Staff, state: FSMContext) -> Reply:
    """The error's own words or a picture become a ticket of 信息组; further pictures join by themselves."""
    words = (message.text or message.caption or "").strip()
    if message.text is not None and not says_something(words):
        return turn.say(turn.words("platform.error"))
    found = await state.get_data()
    enquiry = await _enquiry(turn, int(found.get("enquiry", 0)))
    module, symptom = PlatformModule(found["module"]), Symptom(found["symptom"])
    ticket = await open_ticket(turn, person, module, symptom, words, enquiry)
    await state.clear()
    reply = turn.say(speech.ticket_opened(ticket, turn.lang, key="platform.opened"))
    if message.text is not None:
        return reply
    if message.media_group_id:
        turn.first_in(f"album:{message.media_group_id}", ALBUM)
    return reply + await sent_files.reply(turn, message, ticket)


async def open_ticket(
    turn: Turn,
    person: Staff,
    module: PlatformModule,
    symptom: Symptom,
    words: str,
    enquiry: Enquiry | None,
) -> Ticket:
    """The ticket of a platform error, with what was tapped in its fields."""
    told = [enquiry.words] if enquiry is not None and enquiry.words else []
    labels = [turn.words(f"platform_module.{module.value}"), turn.words(f"symptom.{symptom.value}")]
    asked = "\n".join([" · ".join(labels), *told, *([words] if words else [])])
    ticket = await intake.open_ticket(
        turn.session, turn.contact, asked, unit=await units.get(turn.session, person.unit_id),
        district=turn.district, channel=turn.contact.channel, actor=turn.actor, hours=turn.hours,
        now=turn.now, topic=enquiry.topic if enquiry is not None else "", why=UnansweredReason.NO_ENTRY,
        event_id=turn.event_id, group=GROUP,
    )  # fmt: skip
    ticket.ledger, ticket.nature, ticket.asker_kind = (
        LedgerKind.PLATFORM,
        Nature.PLATFORM,
        AskerKind.REGISTRAR,
    )
    ticket.platform_module, ticket.symptom = module, symptom
    ticket.failure_reason = words[:LONGEST_ERROR]
    await turn.session.flush()
    if enquiry is None:
        enquiry = await ledgers.record(
            turn.session, turn.contact, ticket.words, outcome=None, now=turn.now, event_id=turn.event_id
        )
    enquiry.ticket_id, enquiry.outcome, enquiry.ledger = ticket.id, Ended.TICKETED, LedgerKind.PLATFORM
    return ticket


async def _enquiry(turn: Turn, row: int) -> Enquiry | None:
    if not row:
        return None
    try:
        found = await ledgers.of_contact(turn.session, row, turn.contact)
    except NotFound:
        return None
    return found if found.ticket_id is None else None


def _at(among: tuple[T, ...], number: str) -> T | None:
    return among[int(number)] if number.isdigit() and int(number) < len(among) else None
