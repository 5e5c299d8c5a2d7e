"""Free questions, the choice among entries, the verdict on an answer, and the way to a person."""

from __future__ import annotations

from datetime import timedelta

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.methods import AnswerCallbackQuery, EditMessageReplyMarkup
from aiogram.types import CallbackQuery, Message

from handlers import asking, dates, keyboards, mine, start
from handlers.callbacks import Op, Tap
from handlers.plain_words import Said, meaning
from handlers.turn import Reply, Turn
from knowledge.text import is_greeting
from office import redact
from ticketing import ledgers, queue, tickets
from ticketing.ledgers import Outcome

router = Router(name="ask")

RECENT = timedelta(minutes=30)


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
    last = await asking.last_enquiry(turn, RECENT)
    if last is not None and last.ticket_id is None and last.solved is not True:
        return await asking.owe(turn, last, key="ticket.person", asked_for_person=True)
    reply = turn.say(turn.words("human_how"))
    await state.set_state(ToPerson.waiting)
    return reply


@router.message(ToPerson.waiting, F.text, ~F.text.startswith("/"))
async def for_person(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """The message after 人工 is written down as it is."""
    await state.clear()
    words = (message.text or "").strip()
    if meaning(words) or is_greeting(words):
        return start.greeting(turn)
    enquiry = await ledgers.record(
        turn.session, turn.contact, words, outcome=None, now=turn.now, event_id=turn.event_id
    )
    return await asking.owe(turn, enquiry, key="ticket.person", asked_for_person=True)


@router.callback_query(Tap.filter(F.op == Op.ASK))
async def quick(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """A quick topic asks its words for the person who tapped it."""
    topics = keyboards.quick_topics()
    number = int(callback_data.arg) if callback_data.arg.isdigit() else -1
    if not 0 <= number < len(topics):
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    reply: Reply = [AnswerCallbackQuery(callback_query_id=query.id)]
    return reply + await speak_for(turn, topics[number]["words"])


async def speak_for(turn: Turn, words: str) -> Reply:
    """The reply to words that a button stands for."""
    match meaning(words):
        case "when":
            return await dates.reply(turn)
        case "status":
            return mine.status_reply(turn)
        case "mine":
            return await mine.mine_reply(turn)
    return await asking.ask(turn, words)


@router.callback_query(Tap.filter(F.op == Op.PICK))
async def picked(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """One of the offered entries; a second tap on the same question changes nothing."""
    enquiry = await ledgers.of_contact(turn.session, callback_data.row, turn.contact)
    number = int(callback_data.arg) if callback_data.arg.isdigit() else -1
    if not 0 <= number < len(enquiry.offered):
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    entry_id = int(enquiry.offered[number])
    if enquiry.entry_id == entry_id:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))]
    reply: Reply = [AnswerCallbackQuery(callback_query_id=query.id)]
    return reply + await asking.deliver(turn, enquiry, entry_id)


@router.callback_query(Tap.filter(F.op == Op.NONE_OF_THESE))
async def none_of_these(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    enquiry = await ledgers.of_contact(turn.session, callback_data.row, turn.contact)
    if enquiry.ticket_id is not None:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))]
    reply: Reply = [AnswerCallbackQuery(callback_query_id=query.id)]
    return reply + await asking.owe(turn, enquiry)


@router.callback_query(Tap.filter(F.op == Op.SOLVED))
async def solved(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    enquiry = await ledgers.of_contact(turn.session, callback_data.row, turn.contact)
    enquiry.solved = True
    enquiry.outcome = enquiry.outcome or Outcome.AUTO
    return [
        AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("thanks")),
        *_without_buttons(query, turn),
    ]


@router.callback_query(Tap.filter(F.op == Op.NOT_SOLVED))
async def not_solved(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """The answer did not help: the question becomes a ticket with what was answered."""
    enquiry = await ledgers.of_contact(turn.session, callback_data.row, turn.contact)
    if enquiry.solved is False:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))]
    enquiry.solved = False
    reply: Reply = [AnswerCallbackQuery(callback_query_id=query.id), *_without_buttons(query, turn)]
    return reply + await asking.owe(turn, enquiry, key="ticket.not_solved")


@router.callback_query()
async def unknown_button(query: CallbackQuery, turn: Turn) -> Reply:
    """A button of a form we no longer know."""
    return [
        AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button")),
        *turn.say(turn.words("what_else"), keyboards.menu(turn.lang)),
    ]


@router.message(F.text)
async def question(message: Message, turn: Turn) -> Reply:
    """Any other text is a question."""
    raw = message.text or ""
    words = "".join(char for char in raw if char.isprintable() or char in "\n\t").strip()
    notice = turn.say(turn.words("id_deleted")) if turn.had_id_number else []
    if len(words) > asking.LONGEST_INPUT:
        return turn.say(turn.words("too_long", most=asking.LONGEST_INPUT))
    rest = words.replace(redact.PLACEHOLDER, "")
    if not any(char.isalnum() for char in rest) and not is_greeting(words):
        return notice or turn.say(turn.words("say_more"), keyboards.menu(turn.lang))
    if is_greeting(words):
        return start.greeting(turn)
    if turn.had_id_number and len(rest) < 4:
        return notice
    return notice + await asking.ask(turn, words)


@router.edited_message(F.text)
async def edited(message: Message, turn: Turn) -> Reply:
    """An edited question: staff see both versions; before a person answered it is matched again."""
    words = (message.text or "").strip()
    if not words:
        return []
    written = await queue.of_event(turn.session, turn.contact, turn.event_id)
    if written is None:
        return await asking.ask(turn, words)
    await tickets.edited(turn.session, written, words, now=turn.now, event_id=turn.event_id)
    return turn.say(turn.words("edit_noted"))


def _without_buttons(query: CallbackQuery, turn: Turn) -> Reply:
    if query.message is None:
        return []
    return [EditMessageReplyMarkup(chat_id=turn.chat_id, message_id=query.message.message_id)]
