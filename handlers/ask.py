"""Free questions, the choice among entries, the verdict on an answer, and the way to a person."""

from __future__ import annotations

from datetime import timedelta

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, Message
from sqlalchemy import select

from handlers import answered, asking, cases, dates, keyboards, lookup, mine, start, where_course
from handlers.callbacks import Op, Tap
from handlers.plain_words import Said, calls_off, choice, meaning, refuses, says_something, unclear
from handlers.turn import Reply, Turn
from knowledge.gate import Gate, gate
from knowledge.match import Hit
from knowledge.text import is_greeting
from ticketing import feedback, intake, ledgers, queue
from ticketing.ledgers import Enquiry, Outcome

router = Router(name="ask")

ANSWERED_JUST_NOW = timedelta(minutes=10)


class ToPerson(StatesGroup):
    """The next message goes to a person without matching. A hint only: losing it costs one more tap."""

    waiting = State()


@router.message(Command("human"))
@router.message(Said("human"))
async def human(message: Message, turn: Turn, state: FSMContext) -> Reply:
    return await _to_person(turn, state)


@router.callback_query(Tap.filter(F.op == Op.HUMAN))
async def human_tapped(query: CallbackQuery, turn: Turn, state: FSMContext) -> Reply:
    return [AnswerCallbackQuery(callback_query_id=query.id), *await _to_person(turn, state)]


async def _to_person(turn: Turn, state: FSMContext) -> Reply:
    """What was just asked goes to a person; without a question the next message will."""
    last = await asking.last_enquiry(turn, asking.JUST_NOW)
    # An answer some time ago was probably the right one: what is wanted now is something else.
    if (
        last is not None
        and last.ticket_id is None
        and last.solved is not True
        and (last.outcome is None or last.at >= turn.now - ANSWERED_JUST_NOW)
    ):
        carried = await where_course.carried(turn, last)
        return await asking.owe(turn, last, key="ticket.person", asked_for_person=True, **carried)
    ticket = await asking.open_ticket_of(turn)
    facts = {"no": ticket.ticket_no} if ticket else {}
    await state.set_state(ToPerson.waiting)
    await state.set_data({"since": turn.now.isoformat()})
    return turn.say(turn.words("human_more" if ticket else "human_how", **facts))


@router.message(ToPerson.waiting, F.text, ~F.text.startswith("/"))
async def for_person(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """The message after 人工 is written down as it is."""
    words = (message.text or "").strip()
    since = str((await state.get_data()).get("since", ""))
    if since < (turn.now - asking.JUST_NOW).isoformat() or meaning(words) is not None:
        await state.clear()
        return await thanked(message, turn) if meaning(words) == "thanks" else await read(turn, words, state)
    if calls_off(words):
        await state.clear()
        return await _called_off(turn)
    if is_greeting(words) or not says_something(words):
        return turn.say(turn.words("human_how"))
    if len(words) > asking.LONGEST_INPUT:
        return turn.say(turn.words("too_long", most=asking.LONGEST_INPUT))
    await state.clear()
    enquiry = await ledgers.record(
        turn.session, turn.contact, words, outcome=None, now=turn.now, event_id=turn.event_id
    )
    kind = gate(words[: asking.LONGEST_MATCHED])
    if kind in (Gate.DISTRESS, Gate.REPORT):
        return turn.say(turn.words(f"gate.{kind.value}")) + await asking.restricted(turn, enquiry, kind)
    return await asking.owe(turn, enquiry, key="ticket.person", asked_for_person=True)


@router.callback_query(Tap.filter(F.op == Op.ASK))
async def quick(query: CallbackQuery, callback_data: Tap, turn: Turn, state: FSMContext) -> Reply:
    """A quick topic asks its words for the person who tapped it."""
    topics = keyboards.quick_topics()
    if not 0 <= callback_data.number < len(topics):
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    reply: Reply = [AnswerCallbackQuery(callback_query_id=query.id)]
    return reply + await speak_for(turn, topics[callback_data.number]["words"], state)


async def speak_for(turn: Turn, words: str, state: FSMContext) -> Reply:
    """The reply to words that a button stands for."""
    match meaning(words):
        case "where":
            return await where_course.begin(turn, state)
        case "when":
            return await dates.reply(turn)
        case "status":
            return await lookup.ways(turn)
        case "mine":
            return await mine.mine_reply(turn)
    return await asking.ask(turn, words)


@router.callback_query(Tap.filter(F.op == Op.PICK))
async def picked(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """One of the offered entries; a second tap on the same question changes nothing."""
    enquiry = await ledgers.of_contact(turn.session, callback_data.row, turn.contact)
    if not 0 <= callback_data.number < len(enquiry.offered):
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    entry_id = int(enquiry.offered[callback_data.number])
    if enquiry.entry_id == entry_id:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))]
    await feedback.choice(turn.session, enquiry, entry_id, now=turn.now)
    reply: Reply = [AnswerCallbackQuery(callback_query_id=query.id)]
    return reply + await asking.deliver(turn, enquiry, entry_id)


@router.callback_query(Tap.filter(F.op == Op.NONE_OF_THESE))
async def none_of_these(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    enquiry = await ledgers.of_contact(turn.session, callback_data.row, turn.contact)
    if enquiry.ticket_id is not None:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))]
    return [AnswerCallbackQuery(callback_query_id=query.id), *await _refused(turn, enquiry)]


async def _refused(turn: Turn, enquiry: Enquiry) -> Reply:
    if enquiry.ticket_id is None:
        await feedback.refusal(turn.session, enquiry, now=turn.now)
    return await asking.owe(turn, enquiry)


@router.callback_query(Tap.filter(F.op == Op.SOLVED))
async def solved_tapped(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    enquiry = await ledgers.of_contact(turn.session, callback_data.row, turn.contact)
    if enquiry.solved is True:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))]
    enquiry.solved = True
    enquiry.outcome = enquiry.outcome or Outcome.AUTO
    await feedback.verdict(turn.session, enquiry, solved=True, now=turn.now)
    text = turn.words("thanks")
    return [
        AnswerCallbackQuery(callback_query_id=query.id, text=text),
        *keyboards.without_buttons(query, turn),
    ]


@router.callback_query(Tap.filter(F.op == Op.NOT_SOLVED))
async def not_solved_tapped(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """The answer did not help: the question becomes a ticket with what was answered."""
    enquiry = await ledgers.of_contact(turn.session, callback_data.row, turn.contact)
    if enquiry.solved is False:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))]
    enquiry.solved = False
    await feedback.verdict(turn.session, enquiry, solved=False, now=turn.now)
    reply: Reply = [AnswerCallbackQuery(callback_query_id=query.id), *keyboards.without_buttons(query, turn)]
    carried = await where_course.carried(turn, enquiry)
    return reply + await asking.owe(turn, enquiry, key="ticket.not_solved", **carried)


@router.message(Said("again"))
async def not_solved(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """没解决 in words: said of the answer that came last, from a person or from the base."""
    if not await answered.is_newest(turn) and (reply := await _did_not_help(turn)):
        return reply
    return await answered.verdict(turn, "no", state) or await _to_person(turn, state)


async def _did_not_help(turn: Turn) -> Reply:
    """The question that the base has just answered in vain is owed an answer; nothing without one."""
    last = await asking.last_enquiry(turn, asking.JUST_NOW)
    if last is None or last.outcome is not Outcome.AUTO or last.solved is False:
        return []
    last.solved = False
    await feedback.verdict(turn.session, last, solved=False, now=turn.now)
    carried = await where_course.carried(turn, last)
    return await asking.owe(turn, last, key="ticket.not_solved", **carried)


@router.message(Said("solved"))
async def solved(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """解决了 in words."""
    last = await asking.last_enquiry(turn, asking.JUST_NOW)
    of_base = last is not None and last.outcome is Outcome.AUTO and last.solved is None
    if last is not None and of_base and not await answered.is_newest(turn):
        last.solved = True
        await feedback.verdict(turn.session, last, solved=True, now=turn.now)
    else:
        await answered.verdict(turn, "yes", state)
    return turn.say(turn.words("thanks"))


@router.message(Said("thanks"))
async def thanked(message: Message, turn: Turn) -> Reply:
    """Politeness is no question and no detail."""
    return turn.say(turn.words("welcome"))


@router.callback_query()
async def unknown_button(query: CallbackQuery, turn: Turn) -> Reply:
    """A button of a form we no longer know."""
    return [
        AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button")),
        *turn.say(turn.words("what_else"), keyboards.menu(turn.lang)),
    ]


@router.message(F.text.startswith("/"))
async def unknown_command(message: Message, turn: Turn) -> Reply:
    return turn.say(turn.words("help"), keyboards.menu(turn.lang))


@router.message(F.text)
async def question(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """Any other text is a question."""
    return await read(turn, message.text or "", state)


@router.edited_message(F.text)
async def edited(message: Message, turn: Turn) -> Reply:
    """An edited question is matched again until a person has answered; both versions stay.

    What was sent stays as it was sent: the new answer is a new message.
    """
    words = (message.text or "").strip()
    before = await turn.session.scalar(
        select(Enquiry)
        .where(Enquiry.contact_id == turn.contact.id, Enquiry.event_id == turn.event_id)
        .order_by(Enquiry.id.desc())
        .limit(1)
    )
    if not says_something(words) or (before is not None and before.words == words):
        return []
    if before is not None:
        before.pending_until = None
    ticket = await queue.of_event(turn.session, turn.contact, turn.event_id)
    if ticket is None:
        return await read(turn, words)
    await intake.edited(turn.session, ticket, words, now=turn.now, event_id=turn.event_id)
    reply = turn.say(turn.words("edit_noted", no=ticket.ticket_no))
    if ticket.conclusion_no or before is None or gate(words) is not None:
        return reply
    outcome = await cases.match(turn, words)
    return reply + (
        await asking.deliver(turn, before, outcome.best.entry_id) if isinstance(outcome, Hit) else []
    )


async def read(turn: Turn, words: str, state: FSMContext | None = None) -> Reply:
    """Free words, wherever they stood: a greeting, a number chosen, a case told, else a question."""
    words = words.strip()
    if len(words) > asking.LONGEST_INPUT:
        return turn.say(turn.words("too_long", most=asking.LONGEST_INPUT))
    if is_greeting(words):
        return start.knocked(turn)
    if not says_something(words):
        # What was taken out of the message has been answered already.
        return [] if turn.redacted else turn.say(turn.words("say_more"), keyboards.menu(turn.lang))
    if (number := choice(words)) is not None:
        return await _chosen(turn, number)
    if refuses(words) and (last := await asking.last_enquiry(turn, asking.JUST_NOW)) and last.offered:
        return await _refused(turn, last)
    # Whoever waits for an answer tells the officer with these words that none is needed.
    if calls_off(words) and await asking.open_ticket_of(turn) is None:
        return await _called_off(turn)
    if unclear(words) and (reply := await _did_not_help(turn)):
        return reply
    if (begun := await where_course.stated(turn, words, state)) is not None:
        return begun
    return await asking.ask(turn, words)


async def _called_off(turn: Turn) -> Reply:
    """Nothing is wanted any more: half a question that waits for its other half is not owed either."""
    last = await asking.last_enquiry(turn, asking.JUST_NOW)
    if last is not None:
        last.pending_until = None
    return turn.say(turn.words("called_off"), keyboards.menu(turn.lang))


async def _chosen(turn: Turn, number: int) -> Reply:
    """A typed number stands for a choice of the question just asked."""
    last = await asking.last_enquiry(turn, asking.JUST_NOW)
    if last is None or last.ticket_id is not None or not 0 < number <= len(last.offered):
        return turn.say(turn.words("choose_again"), keyboards.menu(turn.lang))
    entry_id = int(last.offered[number - 1])
    await feedback.choice(turn.session, last, entry_id, now=turn.now)
    return await asking.deliver(turn, last, entry_id)
