"""From a result to help: 帮我核实, 名单有误 and 申诉 open cases, each with what to bring and by when."""

from __future__ import annotations

from html import escape

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery

from handlers import lookup_keyboards, lookup_memory, speech
from handlers.callbacks import Op, Tap
from handlers.owing import noted
from handlers.turn import Reply, Turn
from knowledge import elections
from knowledge.roll.records import LookupResult
from office.hours import beijing_day
from ticketing import roll_cases
from ticketing.records import RollIssue, Ticket, TicketKind

router = Router(name="lookup_help")


@router.callback_query(Tap.filter(F.op == Op.VERIFY))
async def verify(query: CallbackQuery, callback_data: Tap, turn: Turn, state: FSMContext) -> Reply:
    """帮我核实: somebody of the office looks after it."""
    result = lookup_keyboards.result_of(callback_data)
    return [_seen(query), *await case(turn, state, TicketKind.VERIFY, result=result)]


@router.callback_query(Tap.filter((F.op == Op.WRONG) & (F.arg == "")))
async def what_is_wrong(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """名单有误: left out, something wrong, or there twice?"""
    result = lookup_keyboards.result_of(callback_data)
    buttons = lookup_keyboards.issues(turn.lang, roll_cases.CORRECTED, result)
    return [_seen(query), *turn.say(turn.words("lookupchat.what_is_wrong"), buttons)]


@router.callback_query(Tap.filter(F.op == Op.WRONG))
async def wrong(query: CallbackQuery, callback_data: Tap, turn: Turn, state: FSMContext) -> Reply:
    """漏登, 错登 or 重登."""
    issue = next((one for one in roll_cases.CORRECTED if one.value == callback_data.arg), None)
    if issue is None:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    result = lookup_keyboards.result_of(callback_data)
    return [_seen(query), *await case(turn, state, TicketKind.CORRECTION, issue, result=result)]


@router.callback_query(Tap.filter(F.op == Op.OBJECT))
async def appeal(query: CallbackQuery, callback_data: Tap, turn: Turn, state: FSMContext) -> Reply:
    """申诉: a case with the term of the law; outside it, what can be done instead."""
    dates = await elections.spans(turn.session, turn.now)
    today = beijing_day(turn.now)
    said = roll_cases.instead(dates, today, turn.lang, phone=turn.district.phone)
    if said is not None:
        return [_seen(query), *turn.say(said, lookup_keyboards.instead(turn.lang))]
    result = lookup_keyboards.result_of(callback_data)
    return [_seen(query), *await case(turn, state, TicketKind.APPEAL, result=result)]


@router.callback_query(Tap.filter(F.op == Op.DOCUMENTS))
async def documents(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """What to bring for a case of the kind that the button names."""
    kind = next((kind for kind in roll_cases.TOPICS if kind.value == callback_data.arg), None)
    if kind is None:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    return [_seen(query), *turn.say(escape(roll_cases.documents(kind, turn.lang).as_text(turn.lang)))]


async def case(
    turn: Turn,
    state: FSMContext,
    kind: TicketKind,
    issue: RollIssue | None = None,
    *,
    result: LookupResult | None,
) -> Reply:
    """Open a case or add to the open one, and say number, code, promised time and the term of the law.

    The digest of the receipt that was looked up just before goes with it, and is forgotten here.
    """
    digest = await lookup_memory.take(state, result, turn.now) if result else None
    ticket = await roll_cases.open_case(
        turn.session, turn.contact, kind=kind, issue=issue, words="", result=result, receipt_digest=digest,
        unit=turn.district, district=turn.district, channel=turn.contact.channel, actor=turn.actor,
        hours=turn.hours, now=turn.now, event_id=turn.event_id,
    )  # fmt: skip
    if ticket.accepted_at != turn.now:
        return noted(turn, ticket, "appended")
    return turn.say(_opened(turn, ticket), lookup_keyboards.after_case(turn.lang, kind))


def _opened(turn: Turn, ticket: Ticket) -> str:
    key = "ticket.appeal" if ticket.kind is TicketKind.APPEAL else "lookupchat.case_opened"
    lines = [speech.ticket_opened(ticket, turn.lang, key=key)]
    if clock := roll_cases.clock_words(ticket, beijing_day(turn.now), turn.lang):
        lines.append(escape(clock))
    upcoming = turn.hours.next_open(turn.now)
    if not turn.hours.is_open(turn.now) and upcoming is not None:
        lines.append(turn.words("off_hours", next=speech.spoken_time(upcoming, turn.lang)))
    return "\n".join(lines)


def _seen(query: CallbackQuery) -> AnswerCallbackQuery:
    return AnswerCallbackQuery(callback_query_id=query.id)
