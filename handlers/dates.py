"""When: registration, posting and voting with their tense, and what holds on a day that somebody names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from html import escape

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message
from sqlalchemy import select

from handlers import keyboards, on_days
from handlers.callbacks import Op, tap
from handlers.plain_words import Said
from handlers.turn import Reply, Turn
from knowledge import calendar, elections, reminders, said_dates
from knowledge.answer import Answer
from knowledge.calendar import SHOWN, DateKind, Dates, KeyDate, Tense
from knowledge.reminders import What
from knowledge.said_dates import Said as Named
from office.contacts import Channel
from office.words import say
from ticketing import ledgers
from ticketing.ledgers import Enquiry, Outcome

router = Router(name="dates")

LONGEST_ASKED = 60
LEANS_ON = timedelta(minutes=30)
# To whose answers a day in the question says something.
OF_DATES = {
    "reg_deadline": DateKind.REGISTRATION, "vote_day": DateKind.VOTING, "list_publish": DateKind.LIST_POSTED,
    "list_fix": DateKind.LIST_AMENDED, "appeal": DateKind.APPEALS_CLOSE,
}  # fmt: skip
TOPIC_OF = {kind: topic for topic, kind in OF_DATES.items()}
OVERVIEW = (
    DateKind.REGISTRATION, DateKind.LIST_POSTED, DateKind.APPEALS_CLOSE, DateKind.LIST_AMENDED,
    DateKind.NOMINEES_POSTED, DateKind.CANDIDATES_POSTED, DateKind.VOTING,
)  # fmt: skip
"""What a voter plans by or can act on; the page has every milestone."""
OBJECTIONS = frozenset({"appeal", "list_fix"})


@router.message(Command("when"))
@router.message(Said("when"))
async def when(message: Message, turn: Turn) -> Reply:
    return await reply(turn)


@router.message(Said("calendar"))
async def overview(message: Message, turn: Turn) -> Reply:
    """日历: the election from registration to voting, and the way to the page with every day of it."""
    return await reply(turn, OVERVIEW, _page(turn))


@router.message(Said("deadline"))
async def deadline(message: Message, turn: Turn) -> Reply:
    """还有几天截止: of what was just asked about, else of registration."""
    found = await elections.spans(turn.session, turn.now)
    if not found:
        return await no_dates(turn)
    kind = await _asked_before(turn) or DateKind.REGISTRATION
    return await _answered(turn, message.text or "", kind, found, _ends(turn, found, kind))


def _ends(turn: Turn, found: Dates, kind: DateKind) -> list[str]:
    """How many days are left; of registration to the end of each window, open already or not."""
    if kind is not DateKind.REGISTRATION:
        return lines_of(turn, found, (kind,))
    today, windows = calendar.today(turn.now), found.get(kind, [])
    name = f"<b>{turn.words('date.registration_closes')}</b>"
    lines = [
        f"{name}　{escape(calendar.worded(one, today, turn.lang))}"
        for one in found.get(DateKind.REGISTRATION_CLOSES, [])
    ]
    lines += on_days.not_yet(turn, windows, today)
    ahead = [f"👉 {escape(calendar.advice(one, today, turn.lang))}" for one in windows if _ahead(one, today)]
    return [*lines, *ahead[:1]] or [f"{name}　{turn.words('not_announced')}"]


async def reply(
    turn: Turn, kinds: Sequence[DateKind] = SHOWN, besides: Sequence[InlineKeyboardButton] = ()
) -> Reply:
    """Registration, list posting and voting; what the office has not entered is said to be open.

    In large print each is a message of its own.
    """
    found = await elections.spans(turn.session, turn.now)
    if not found:
        return await no_dates(turn)
    lines = lines_of(turn, found, kinds)
    bell = _bell(turn, [one for kind in SHOWN for one in found.get(kind, [])])
    keyboard = keyboards.rows(*bell, *([list(besides)] if besides else []), *_ways(turn))
    if turn.large:
        *first, last = lines
        return [method for line in first for method in turn.say(line)] + turn.say(last, keyboard)
    return turn.say("\n".join(lines), keyboard)


def _page(turn: Turn) -> list[InlineKeyboardButton]:
    # Where the pages have no address from outside, only the web chat can lead to them.
    web = turn.contact.channel is Channel.WEB
    if not web and not turn.desk.public_url:
        return []
    url = f"{'' if web else turn.desk.public_url}/calendar"
    return [InlineKeyboardButton(text=turn.words("calendar.title"), url=url)]


async def no_dates(turn: Turn) -> Reply:
    """Nothing is announced: said so, and told as soon as it is, which the reply promises."""
    await reminders.wish(turn.session, turn.contact, What.PUBLISHED, dates={}, now=turn.now)
    return turn.say(turn.words("when.no_dates"), keyboards.rows([notify_button(turn.lang)], *_ways(turn)))


def lines_of(turn: Turn, found: Dates, kinds: Sequence[DateKind] = SHOWN) -> list[str]:
    """A line for each of the days that are meant by asking when, and what to do first."""
    today, lines = calendar.today(turn.now), []
    windows = found.get(DateKind.REGISTRATION, [])
    if DateKind.REGISTRATION not in kinds:
        windows = []
    if len({(window.first, window.last) for window in windows}) > 1 and all(w.audience for w in windows):
        audiences = "、".join(escape(window.audience) for window in windows)
        lines.append(turn.words("when.several", audiences=audiences))
    for kind in kinds:
        name = f"<b>{turn.words(f'date.{kind.value}')}</b>"
        for key_date in found.get(kind, []):
            lines.append(f"{name}　{escape(calendar.worded(key_date, today, turn.lang))}")
        if not found.get(kind):
            lines.append(f"{name}　{turn.words('not_announced')}")
    ahead = [one for kind in kinds for one in found.get(kind, []) if _ahead(one, today)]
    if ahead:
        lines.append(f"👉 {escape(calendar.advice(ahead[0], today, turn.lang))}")
    return lines


def _ahead(key_date: KeyDate, today: date) -> bool:
    return calendar.tense_of(key_date, today) is not Tense.OVER


def _bell(turn: Turn, key_dates: Iterable[KeyDate]) -> list[list[InlineKeyboardButton]]:
    """通知我, unless all that it could tell of here is over."""
    today = calendar.today(turn.now)
    return [[notify_button(turn.lang)]] if any(_ahead(one, today) for one in key_dates) else []


def notify_button(lang: str) -> InlineKeyboardButton:
    """🔔 通知我."""
    return keyboards.button(say("button.notify", lang), tap(Op.NOTIFY))


def _ways(turn: Turn) -> list[list[InlineKeyboardButton]]:
    return keyboards.person_or_menu(turn.lang).inline_keyboard


# --- a day in a question ----------------------------------------------------------------------------


async def on_day(turn: Turn, words: str) -> Reply | None:
    """The reply to a question that asks nothing but what holds on the days it names (下周三还能登记吗).

    12月6号呢 asks it of what the question before was about. None for any other question, and while there
    are no dates to hold it against.
    """
    if len(words) > LONGEST_ASKED or not said_dates.only_about(words):
        return None
    said = said_dates.read(words, calendar.today(turn.now))
    kind = (said_dates.about(words) or await _asked_before(turn)) if said else None
    if kind is None:
        return None
    found = await elections.spans(turn.session, turn.now)
    clock = said_dates.clock(words)
    lines = _on_days(turn, said, kind, found, each=bool(clock))
    if not lines:
        return None if found else await no_dates(turn)
    if clock and kind is DateKind.REGISTRATION:
        lines.append(turn.words("on_day.clock", words=escape(clock)))
    elif kind in (DateKind.REGISTRATION, DateKind.VOTING):
        lines.append(turn.words("on_day.hours"))
    return await _answered(turn, words, kind, found, lines)


async def _answered(turn: Turn, words: str, kind: DateKind, found: Dates, lines: list[str]) -> Reply:
    """Dates as an answer that is on record, so that a question after it can lean on it."""
    enquiry = await ledgers.record(
        turn.session, turn.contact, words, outcome=Outcome.AUTO, now=turn.now, topic=TOPIC_OF[kind],
        event_id=turn.event_id,
    )  # fmt: skip
    solved = keyboards.after_answer(turn.lang, enquiry.id).inline_keyboard
    bell = _bell(turn, found.get(kind, []))
    return turn.say("\n".join(lines), keyboards.rows(*bell, *solved))


async def _asked_before(turn: Turn) -> DateKind | None:
    """What the same person's newest question was about, if it was of dates and a moment ago."""
    last = await turn.session.scalar(
        select(Enquiry)
        .where(Enquiry.contact_id == turn.contact.id, Enquiry.at >= turn.now - LEANS_ON)
        .order_by(Enquiry.id.desc())
        .limit(1)
    )
    if last is None or last.topic not in OF_DATES:
        return None
    return said_dates.about(last.words) or OF_DATES[last.topic]


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


def _on_days(
    turn: Turn, said: Iterable[Named], kind: DateKind, found: Dates, *, each: bool = False
) -> list[str]:
    return [line for one in said for line in on_days.lines(turn, one, found.get(kind, []), each=each)]


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
