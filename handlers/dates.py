"""When: registration, posting and voting with their tense, and what holds on a day that somebody names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from html import escape

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message

from handlers import keyboards
from handlers.callbacks import Op, tap
from handlers.plain_words import Said
from handlers.turn import Reply, Turn
from knowledge import calendar, elections, reminders, said_dates
from knowledge.answer import Answer
from knowledge.calendar import SHOWN, DateKind, Dates, KeyDate, Tense
from knowledge.reminders import What
from office.words import say
from ticketing import ledgers
from ticketing.ledgers import Outcome

router = Router(name="dates")

LONGEST_ASKED = 60
# To whose answers a day in the question says something.
OF_DATES = {
    "reg_deadline": DateKind.REGISTRATION, "vote_day": DateKind.VOTING, "list_publish": DateKind.LIST_POSTED,
    "list_fix": DateKind.LIST_AMENDED, "appeal": DateKind.APPEALS_CLOSE,
}  # fmt: skip
TOPIC_OF = {kind: topic for topic, kind in OF_DATES.items()}
OBJECTIONS = frozenset({"appeal", "list_fix"})


@router.message(Command("when"))
@router.message(Said("when"))
async def when(message: Message, turn: Turn) -> Reply:
    return await reply(turn)


async def reply(turn: Turn) -> Reply:
    """Registration, list posting and voting; what the office has not entered is said to be open.

    In large print each is a message of its own.
    """
    found = await elections.spans(turn.session, turn.now)
    if not found:
        return await no_dates(turn)
    lines = lines_of(turn, found)
    keyboard = keyboards.rows([notify_button(turn.lang)], *_ways(turn))
    if turn.large:
        *first, last = lines
        return [method for line in first for method in turn.say(line)] + turn.say(last, keyboard)
    return turn.say("\n".join(lines), keyboard)


async def no_dates(turn: Turn) -> Reply:
    """Nothing is announced: said so, and told as soon as it is, which the reply promises."""
    await reminders.wish(turn.session, turn.contact, What.PUBLISHED, dates={}, now=turn.now)
    return turn.say(turn.words("when.no_dates"), keyboards.rows([notify_button(turn.lang)], *_ways(turn)))


def lines_of(turn: Turn, found: Dates) -> list[str]:
    """A line for each of the days that are meant by asking when, and what to do first."""
    today, lines = calendar.today(turn.now), []
    windows = found.get(DateKind.REGISTRATION, [])
    if len({(window.first, window.last) for window in windows}) > 1 and all(w.audience for w in windows):
        audiences = "、".join(escape(window.audience) for window in windows)
        lines.append(turn.words("when.several", audiences=audiences))
    for kind in SHOWN:
        name = f"<b>{turn.words(f'date.{kind.value}')}</b>"
        for key_date in found.get(kind, []):
            lines.append(f"{name}　{escape(calendar.worded(key_date, today, turn.lang))}")
        if not found.get(kind):
            lines.append(f"{name}　{turn.words('not_announced')}")
    ahead = [one for kind in SHOWN for one in found.get(kind, []) if _ahead(one, today)]
    if ahead:
        lines.append(f"👉 {escape(calendar.advice(ahead[0], today, turn.lang))}")
    return lines


def _ahead(key_date: KeyDate, today: date) -> bool:
    return calendar.tense_of(key_date, today) is not Tense.OVER


def notify_button(lang: str) -> InlineKeyboardButton:
    """🔔 通知我."""
    return keyboards.button(say("button.notify", lang), tap(Op.NOTIFY))


def _ways(turn: Turn) -> list[list[InlineKeyboardButton]]:
    return keyboards.person_or_menu(turn.lang).inline_keyboard


# --- a day in a question ----------------------------------------------------------------------------


async def on_day(turn: Turn, words: str) -> Reply | None:
    """The reply to a question that asks nothing but what holds on the days it names (下周三还能登记吗).

    None for any other question, and while there are no dates to hold it against.
    """
    kind = said_dates.about(words) if len(words) <= LONGEST_ASKED else None
    if kind is None or not said_dates.only_about(words):
        return None
    found = await elections.spans(turn.session, turn.now)
    said = said_dates.read(words, calendar.today(turn.now))
    lines = _on_days(turn, said, kind, found)
    if not lines:
        return await no_dates(turn) if said and not found else None
    if kind in (DateKind.REGISTRATION, DateKind.VOTING):
        lines.append(turn.words("on_day.hours"))
    enquiry = await ledgers.record(
        turn.session, turn.contact, words, outcome=Outcome.AUTO, now=turn.now, topic=TOPIC_OF[kind],
        event_id=turn.event_id,
    )  # fmt: skip
    solved = keyboards.after_answer(turn.lang, enquiry.id).inline_keyboard
    return turn.say("\n".join(lines), keyboards.rows([notify_button(turn.lang)], *solved))


async def echoed(turn: Turn, words: str, topic: str) -> str:
    """What holds on the days that a question names, to stand above its answer; empty where it names none.

    Only above answers about the dates of the calendar.
    """
    if topic not in OF_DATES or len(words) > LONGEST_ASKED:
        return ""
    said = said_dates.read(words, calendar.today(turn.now))
    if not said:
        return ""
    kind = said_dates.about(words) or OF_DATES[topic]
    lines = _on_days(turn, said, kind, await elections.spans(turn.session, turn.now))
    return "".join(f"{line}\n" for line in lines) + ("\n" if lines else "")


def _on_days(turn: Turn, said: Iterable[said_dates.Said], kind: DateKind, found: Dates) -> list[str]:
    lines = []
    for one in said:
        lines += [line for key_date in found.get(kind, []) for line in _on_day(turn, one, key_date)]
    return list(dict.fromkeys(lines))


def _on_day(turn: Turn, said: said_dates.Said, key_date: KeyDate) -> list[str]:
    """Where the named days stand to a milestone; days of which some lie within name these."""
    opens = key_date.opens or key_date.first
    # A list that is out stays out.
    closes = date.max if key_date.kind is DateKind.LIST_POSTED else key_date.last
    first, last = max(said.first, opens), min(said.last, closes)
    if first > last:
        how, first, last = ("not_yet" if said.last < opens else "no_more"), said.first, said.last
    else:
        how = "can"
    day = _span(turn, first, last)
    window = calendar.when(key_date, turn.lang)
    if key_date.audience:
        window = turn.words("date.audience", audience=key_date.audience, text=window)
    text = turn.words(f"on_day.{how}.{key_date.kind.value}", day=day, window=escape(window))
    whole = _span(turn, said.first, said.last)
    return [turn.words("on_day.is", words=escape(said.words), day=whole), f"👉 {text}"]


def _span(turn: Turn, first: date, last: date) -> str:
    if first == last:
        return calendar.spoken(first, turn.lang)
    return turn.words(
        "date.span", first=calendar.spoken(first, turn.lang), last=calendar.spoken(last, turn.lang)
    )


# --- buttons under answers --------------------------------------------------------------------------


def under(turn: Turn, found: Answer, enquiry_id: int, keyboard: InlineKeyboardMarkup) -> InlineKeyboardMarkup:
    """The buttons under an answer: an objection to the list can go to a person at once, and where a day has
    not been announced one can ask to be told."""
    lines = list(keyboard.inline_keyboard)
    if found.topic in OBJECTIONS:
        label = turn.words("button.appeal")
        lines.insert(2, [keyboards.button(label, tap(Op.APPEAL, enquiry_id))])
    if calendar.NOT_ANNOUNCED in found.short + found.full:
        lines.append([notify_button(turn.lang)])
    return keyboards.rows(*lines)
