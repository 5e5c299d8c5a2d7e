"""The first screen, help, large print, what is done with personal information, and being forgotten."""

from __future__ import annotations

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, Message

from handlers import asking, keyboards, mine
from handlers.callbacks import Op, Tap, tap
from handlers.plain_words import Said
from handlers.turn import Reply, Turn
from knowledge.versions import by_number
from office.errors import NotFound
from ticketing import forget, ledgers

router = Router(name="start")


@router.message(CommandStart())
async def start(message: Message, command: CommandObject, turn: Turn, state: FSMContext) -> Reply:
    """The greeting, or what a deep link points at; an unknown payload leads to the menu, not to an error."""
    await state.clear()
    kind, _, rest = (command.args or "").partition("__")[0].partition("_")
    if kind == "k" and rest:
        try:
            entry = await by_number(turn.session, f"K-{rest}")
        except NotFound:
            return turn.say(turn.words("link_unknown"), keyboards.menu(turn.lang))
        enquiry = await ledgers.record(
            turn.session, turn.contact, f"K-{rest}", outcome=None, now=turn.now, event_id=turn.event_id
        )
        return await asking.deliver(turn, enquiry, entry.id)
    if kind == "t" and rest:
        number, _, code = rest.rpartition("_")
        return await mine.by_number_and_code(turn, number, code)
    if kind not in ("", "ask", "src"):
        return turn.say(turn.words("link_unknown"), keyboards.menu(turn.lang))
    return greeting(turn)


@router.message(Command("help", "menu"))
@router.message(Said("help"))
async def help_(message: Message, turn: Turn) -> Reply:
    return turn.say(turn.words("help"), keyboards.menu(turn.lang))


@router.message(Command("big"))
@router.message(Said("large"))
async def large(message: Message, turn: Turn) -> Reply:
    """Large print: one fact a message, the phone always visible; the same word switches it off again."""
    turn.contact.text_size = "standard" if turn.contact.text_size != "standard" else "large"
    key = "large_off" if turn.contact.text_size == "standard" else "large_on"
    return turn.say(turn.words(key), keyboards.menu(turn.lang))


@router.message(Command("privacy"))
@router.message(Said("privacy"))
async def privacy(message: Message, turn: Turn) -> Reply:
    return turn.say(turn.words("notice"))


@router.message(Command("forget"))
@router.message(Said("forget"))
async def forget_me(message: Message, turn: Turn) -> Reply:
    """Deleting cannot be undone, so it asks once."""
    buttons = keyboards.rows(
        [(turn.words("button.forget"), tap(Op.FORGET)), (turn.words("button.menu"), tap(Op.MENU))]
    )
    return turn.say(turn.words("forget_sure"), buttons)


@router.callback_query(Tap.filter(F.op == Op.FORGET))
async def forget_confirmed(query: CallbackQuery, turn: Turn) -> Reply:
    lang_words = turn.words
    certificate = await forget.contact(turn.session, turn.contact, now=turn.now)
    return [
        AnswerCallbackQuery(callback_query_id=query.id),
        *turn.say(lang_words("forgotten", cert=certificate)),
    ]


@router.callback_query(Tap.filter(F.op.in_({Op.MENU, Op.CHANGE})))
async def menu(query: CallbackQuery, turn: Turn, state: FSMContext) -> Reply:
    await state.clear()
    return [
        AnswerCallbackQuery(callback_query_id=query.id),
        *turn.say(turn.words("what_else"), keyboards.menu(turn.lang)),
    ]


def greeting(turn: Turn) -> Reply:
    """Who this is, what it can do, and what never to send."""
    return turn.say(turn.words("hello"), keyboards.menu(turn.lang))
