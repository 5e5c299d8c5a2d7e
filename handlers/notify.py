"""通知我: which days somebody wants to be told of, and being left in peace again."""

from __future__ import annotations

from datetime import datetime

from aiogram import F, Router
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, InlineKeyboardButton, Message

from handlers import keyboards
from handlers.callbacks import Op, Tap, tap
from handlers.plain_words import Said
from handlers.turn import Reply, Turn
from knowledge import calendar, elections, reminders
from knowledge.calendar import Dates
from knowledge.reminders import ALL, What
from office import outbox
from office.contacts import ContactState
from office.hours import BEIJING
from office.words import CHINESE

router = Router(name="notify")

CHOICES = {"close": What.CLOSES, "list": What.LIST, "vote": What.VOTING}
EVERYTHING, NOTHING = "all", "off"


@router.callback_query(Tap.filter(F.op == Op.NOTIFY))
async def tapped(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    reply: Reply = [AnswerCallbackQuery(callback_query_id=query.id)]
    arg = callback_data.arg
    if arg == NOTHING:
        return reply + await _stopped(turn)
    if arg == EVERYTHING:
        return reply + await _wished(turn, *_ahead(await elections.spans(turn.session, turn.now), turn.now))
    if arg in CHOICES:
        return reply + await _wished(turn, CHOICES[arg])
    return reply + await _offered(turn)


@router.message(Said("notify"))
async def asked(message: Message, turn: Turn) -> Reply:
    return await _offered(turn)


@router.message(Said("no_reminders"))
async def stopped(message: Message, turn: Turn) -> Reply:
    return await _stopped(turn)


async def _offered(turn: Turn) -> Reply:
    """What one can be told of; without any date there is nothing to choose from yet."""
    dates = await elections.spans(turn.session, turn.now)
    if not dates:
        await _reachable(turn)
        await reminders.wish(turn.session, turn.contact, What.PUBLISHED, dates={}, now=turn.now)
        return turn.say(turn.words("notify.published"), keyboards.rows([_off(turn)]))
    ahead = _ahead(dates, turn.now)
    if not ahead:
        return turn.say(turn.words("notify.over"), keyboards.person_or_menu(turn.lang))
    labels = [
        keyboards.button(turn.words(f"button.notify.{what.value}"), tap(Op.NOTIFY, arg=arg))
        for arg, what in CHOICES.items()
        if what in ahead
    ]
    everything = keyboards.button(turn.words("button.notify.all"), tap(Op.NOTIFY, arg=EVERYTHING))
    choices = [*labels, everything] if len(labels) > 1 else labels
    lines = [choices[:2], *([choices[2:]] if choices[2:] else [])]
    if await reminders.wishes(turn.session, turn.contact):
        lines.append([_off(turn)])
    return turn.say(turn.words("notify.which"), keyboards.rows(*lines))


def _ahead(dates: Dates, now: datetime) -> list[What]:
    """What one can still be told of: what has no day yet, or one that has not passed."""
    known = list(reminders.occasions(dates))
    past = {one.what for one in known} - {one.what for one in known if one.until > now}
    return [what for what in ALL if what not in past]


async def _wished(turn: Turn, *wanted: What) -> Reply:
    dates = await elections.spans(turn.session, turn.now)
    await _reachable(turn)
    await reminders.wish(turn.session, turn.contact, *wanted, dates=dates, now=turn.now)
    lines = [turn.words("notify.noted")]
    for what in wanted:
        at = _at(turn, what, dates)
        lines.append(turn.words("notify.line", what=turn.words(f"notify.{what.value}"), at=at))
    lines.append(turn.words("notify.moves"))
    return turn.say("\n".join(lines), keyboards.rows([_off(turn)]))


def _at(turn: Turn, what: What, dates: Dates) -> str:
    """When this will be told, in words."""
    known = [occasion for occasion in reminders.occasions(dates) if occasion.what is what]
    if not known:
        return turn.words("notify.unknown")
    ahead = [spoken(occasion.at, turn.lang) for occasion in known if occasion.at > turn.now]
    return ("、" if turn.lang == CHINESE else ", ").join(ahead) or turn.words("notify.passed")


def spoken(at: datetime, lang: str) -> str:
    """12月4日（周五）9:00, Beijing time."""
    local = at.astimezone(BEIJING)
    return f"{calendar.spoken(local.date(), lang)}{'' if lang == 'zh_CN' else ' '}{local.hour}:{local:%M}"


async def _stopped(turn: Turn) -> Reply:
    await reminders.forget(turn.session, turn.contact.id)
    return turn.say(turn.words("notify.off"), keyboards.person_or_menu(turn.lang))


async def _reachable(turn: Turn) -> None:
    """Whoever asks to be told takes back a 退订 of before."""
    if turn.contact.state is ContactState.SILENCED:
        turn.contact.state = ContactState.ACTIVE
        await outbox.unpark(turn.session, turn.contact, now=turn.now)


def _off(turn: Turn) -> InlineKeyboardButton:
    return keyboards.button(turn.words("button.notify.off"), tap(Op.NOTIFY, arg=NOTHING))
