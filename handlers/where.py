"""Where do I register: the wizard's commands, buttons and typed answers."""

from __future__ import annotations

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, Message

from handlers import asking, keyboards, where_course, where_reading, where_steps, where_typed
from handlers.callbacks import Op, Tap
from handlers.plain_words import Said, choice, meaning
from handlers.turn import Reply, Turn
from handlers.where_course import RegistrationWizard
from knowledge import rules
from knowledge.eligibility import next_slot
from knowledge.gate import gate
from knowledge.packs import RulePack

router = Router(name="where")


@router.message(Command("where"))
@router.message(Said("where"))
async def where(message: Message, turn: Turn, state: FSMContext) -> Reply:
    return await where_course.begin(turn, state)


@router.callback_query(Tap.filter(F.op == Op.WIZARD))
async def chosen(query: CallbackQuery, callback_data: Tap, turn: Turn, state: FSMContext) -> Reply:
    """An option of a question; a button without answers is the way in."""
    if not callback_data.arg:
        enquiry = await where_course.own(turn, callback_data.row)
        return [_seen(query), *await where_course.begin(turn, state, enquiry)]
    pack = await rules.in_force(turn.session, now=turn.now)
    facts = _good(turn, pack, callback_data)
    if facts is None:
        return _expired(query, callback_data, turn)
    return _again(query, callback_data, turn) or [
        _seen(query),
        *keyboards.without_buttons(query, turn),
        *await where_course.go_on(turn, state, pack, facts, callback_data.row),
    ]


@router.callback_query(Tap.filter(F.op == Op.BACK))
async def back(query: CallbackQuery, callback_data: Tap, turn: Turn, state: FSMContext) -> Reply:
    """The question before this one."""
    pack = await rules.in_force(turn.session, now=turn.now)
    facts = _good(turn, pack, callback_data)
    if facts is None:
        return _expired(query, callback_data, turn)
    facts = where_steps.earlier(pack, facts) or {}
    return _again(query, callback_data, turn) or [
        _seen(query),
        *keyboards.without_buttons(query, turn),
        *await where_course.go_on(turn, state, pack, facts, callback_data.row),
    ]


@router.callback_query(Tap.filter(F.op == Op.RESTART))
async def restart(query: CallbackQuery, callback_data: Tap, turn: Turn, state: FSMContext) -> Reply:
    """From the beginning: no answer counts any more, only the words it all began with are kept."""
    pack = await rules.in_force(turn.session, now=turn.now)
    return _again(query, callback_data, turn) or [
        _seen(query),
        *keyboards.without_buttons(query, turn),
        *await where_course.go_on(turn, state, pack, {}, callback_data.row),
    ]


@router.callback_query(Tap.filter(F.op == Op.RIGHT))
async def right(query: CallbackQuery, callback_data: Tap, turn: Turn, state: FSMContext) -> Reply:
    """The summary is right, or something was added to a result: the result, once."""
    pack = await rules.in_force(turn.session, now=turn.now)
    facts = _good(turn, pack, callback_data)
    if facts is None:
        return _expired(query, callback_data, turn)
    minute = int(callback_data.stamp, 36)
    if await where_course.given(turn, where_steps.mark(minute, callback_data.arg)) is not None:
        return [_noted(query, turn)]
    return [
        _seen(query),
        *keyboards.without_buttons(query, turn),
        *await where_course.decided(turn, state, pack, facts, callback_data.row, minute),
    ]


@router.callback_query(Tap.filter((F.op == Op.HUMAN) & (F.arg != "")))
async def person(query: CallbackQuery, callback_data: Tap, turn: Turn, state: FSMContext) -> Reply:
    """人工 under a question: the answers so far go along."""
    pack = await rules.in_force(turn.session, now=turn.now)
    facts = _good(turn, pack, callback_data) or {}
    if not facts and await where_course.own(turn, callback_data.row) is None:
        raise SkipHandler
    minute = int(callback_data.stamp, 36)
    return [
        _seen(query),
        *keyboards.without_buttons(query, turn),
        *await where_course.to_person(turn, state, pack, facts, callback_data.row, minute),
    ]


@router.message(RegistrationWizard.answering, F.text)
async def typed(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """An answer in words; what is none goes the way of any other message."""
    words = (message.text or "").strip()
    held = await state.get_data()
    pack = await rules.in_force(turn.session, now=turn.now)
    facts = where_steps.facts_of(pack, str(held.get("code", "")))
    since = str(held.get("since", ""))
    if facts is None or since < (turn.now - where_steps.GOOD_FOR).isoformat():
        await state.clear()
        raise SkipHandler
    row, minute = int(held.get("row", 0)), where_steps.stamp(turn.now)
    if next_slot(pack, facts) is None and (where_reading.agrees(words) or choice(words) == 1):
        return await where_course.decided(turn, state, pack, facts, row, minute)
    if gate(words[: asking.LONGEST_MATCHED]) is not None:
        await state.clear()
        raise SkipHandler
    asked = where_reading.for_person(words)
    if meaning(words) == "human" or words == "/human" or asked:
        if facts or asked or await where_course.own(turn, row) is not None:
            return await where_course.to_person(turn, state, pack, facts, row, minute, asked)
    elif meaning(words) is not None:
        # 进度, 大字 and the like are no answers, and end nothing.
        raise SkipHandler
    elif not words.startswith("/"):
        return await where_typed.told(message, turn, where_typed.Step(state, pack, facts, row))
    await state.clear()
    raise SkipHandler


@router.message(F.text)
async def after_result(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """上一步 and 重新开始 after a result lead back into the questions."""
    words = message.text or ""
    again = where_reading.starts_again(words)
    last = await where_course.before(turn) if again or where_reading.goes_back(words) else None
    if last is None:
        raise SkipHandler
    enquiry, pack, facts = last
    if again:
        return await where_course.go_on(turn, state, pack, {}, 0)
    return await where_course.go_on(
        turn, state, pack, where_steps.earlier(pack, facts) or {}, enquiry.id
    )  # fmt: skip


def _good(turn: Turn, pack: RulePack, tapped: Tap) -> dict[str, str] | None:
    return None if where_steps.stale(pack, tapped, turn.now) else where_steps.facts_of(pack, tapped.arg)


def _seen(query: CallbackQuery) -> AnswerCallbackQuery:
    return AnswerCallbackQuery(callback_query_id=query.id)


def _noted(query: CallbackQuery, turn: Turn) -> AnswerCallbackQuery:
    return AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))


def _again(query: CallbackQuery, tapped: Tap, turn: Turn) -> Reply:
    """The word on a second tap on the same button of the same message; nothing on the first."""
    at = query.message.message_id if query.message is not None else 0
    first = turn.first_in(f"wizard:{at}:{tapped.pack()}", where_steps.GOOD_FOR)
    return [] if first else [_noted(query, turn)]


def _expired(query: CallbackQuery, tapped: Tap, turn: Turn) -> Reply:
    over = keyboards.wizard_over(turn.lang, tapped.row)
    return [
        _seen(query),
        *keyboards.without_buttons(query, turn),
        *turn.say(turn.words("wizard.expired"), over),
    ]
