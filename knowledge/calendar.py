"""The election calendar in words: how a day is spoken of, in which tense, and what to do now.

The days themselves are computed in `knowledge.milestones`, whose names stand here too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from enum import StrEnum, auto
from functools import cache

from knowledge import packs
from knowledge.contradictions import contradictions as contradictions
from knowledge.milestones import POSTINGS, WINDOWS, K, Offset
from knowledge.milestones import BadCalendar as BadCalendar
from knowledge.milestones import DateKind as DateKind
from knowledge.milestones import Dates as Dates
from knowledge.milestones import Election as Election
from knowledge.milestones import Finding as Finding
from knowledge.milestones import KeyDate as KeyDate
from knowledge.milestones import Level as Level
from knowledge.milestones import Window as Window
from knowledge.milestones import age_line as age_line
from knowledge.milestones import computed as computed
from office.hours import BEIJING
from office.words import CHINESE, say

WEEKDAYS = "一二三四五六日"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NOT_ANNOUNCED = "时间尚未公布"
SHOWN = (K.REGISTRATION, K.LIST_POSTED, K.VOTING)
"""What is meant by asking when."""
BEGINNINGS = (K.REGISTRATION_OPENS, K.NOMINATION_OPENS)


class Tense(StrEnum):
    """Where a day stands to a milestone: before it, within, on its last day, after it."""

    BEFORE = auto()
    RUNNING = auto()
    LAST = auto()
    OVER = auto()


@cache
def rules(region: str) -> tuple[Offset, ...]:
    """How a region counts its days, with citations; raises `KeyError` for an unknown one."""
    return packs.load(region).offsets


def today(now: datetime) -> date:
    """The day in Beijing."""
    return now.astimezone(BEIJING).date()


def begins(day: date) -> datetime:
    """Midnight in Beijing at which a day begins, in UTC."""
    return datetime.combine(day, time(), BEIJING).astimezone(UTC)


def spoken(day: date, lang: str = CHINESE, *, year: bool = False) -> str:
    """12月9日（周三）, Wed 9 Dec; with the year in place of the weekday where it matters."""
    if lang != CHINESE:
        month = MONTHS[day.month - 1]
        return f"{day.day} {month} {day.year}" if year else f"{DAYS[day.weekday()]} {day.day} {month}"
    return f"{day.year}年{brief(day)}" if year else f"{brief(day)}（周{WEEKDAYS[day.weekday()]}）"


def brief(day: date, lang: str = CHINESE) -> str:
    """12月9日, 9 Dec: where it stands in brackets, or is said a second time."""
    return f"{day.month}月{day.day}日" if lang == CHINESE else f"{day.day} {MONTHS[day.month - 1]}"


def label(of: KeyDate | DateKind, lang: str = CHINESE) -> str:
    """What a milestone is called: as its region's pack does, where that has a rule for it."""
    if isinstance(of, KeyDate) and of.rule is not None:
        return of.rule.label_in(lang)
    return say(f"date.{of.kind.value if isinstance(of, KeyDate) else of.value}", lang)


def tense_of(key_date: KeyDate, today: date) -> Tense:
    """Where `today` stands; a term that opens with another day is ahead until then."""
    if today > key_date.last:
        return Tense.OVER
    if today == key_date.last:
        return Tense.LAST
    return Tense.BEFORE if today < (key_date.opens or key_date.first) else Tense.RUNNING


def tense(key_date: KeyDate, today: date, lang: str = CHINESE) -> str:
    """未开始（还有N天）, 进行中（还剩N天）, 今天截止 or 已结束; a single day is ahead, today, or past.

    A deadline is counted to, even while its term has not opened.
    """
    where = tense_of(key_date, today)
    if where is Tense.BEFORE and key_date.opens is not None:
        return say("tense.ahead", lang, days=(key_date.last - today).days)
    if where is Tense.BEFORE:
        days = (key_date.first - today).days
        return say("tense.before" if _lasts(key_date) else "tense.ahead", lang, days=days)
    if where is Tense.RUNNING:
        return say("tense.running", lang, days=(key_date.last - today).days)
    posting = "posted" if key_date.kind in POSTINGS else ""
    if where is Tense.LAST:
        posting = posting and ("tense.post_today" if key_date.latest else "tense.posted_today")
        return say(posting or ("tense.last" if _ends(key_date) else "tense.today"), lang)
    if key_date.kind in BEGINNINGS:
        return say("tense.begun", lang)
    posting = posting and ("tense.post_due" if key_date.latest else "tense.posted")
    return say(posting or "tense.over", lang)


def advice(key_date: KeyDate, today: date, lang: str = CHINESE) -> str:
    """What to do now about this milestone; empty where there is nothing to do."""
    where = tense_of(key_date, today)
    if where is Tense.OVER and (mended := key_date.remedy) is not None:
        key = f"remedy.{_family(key_date.kind)}" if mended.last >= today else "remedy.over"
        return say(key, lang, what=label(mended, lang), day=brief(mended.last, lang))
    key = f"now.{_family(key_date.kind)}.{where.value}"
    return say(key, lang) if key in _ADVISED else ""


def worded(key_date: KeyDate, today: date, lang: str = CHINESE) -> str:
    """A milestone in words with its tense, as it stands in an answer; once over, with what to do instead."""
    if key_date.kind is K.AGE_LINE:
        return spoken(key_date.first, lang, year=True)
    said = f"{when(key_date, lang)}{_comma(lang)}{tense(key_date, today, lang)}"
    if tense_of(key_date, today) is Tense.OVER and (now := advice(key_date, today, lang)):
        said += say("date.instead", lang, advice=now)
    return say("date.audience", lang, audience=key_date.audience, text=said) if key_date.audience else said


def when(key_date: KeyDate, lang: str = CHINESE) -> str:
    """The day or days alone, with the note the office has put to them.

    Objections are counted from the list's actual posting: until that is known, their end is conditional.
    """
    if key_date.unposted and key_date.kind is K.APPEALS_CLOSE:
        text = say("date.if_posted", lang, days=key_date.days, day=spoken(key_date.last, lang))
    elif key_date.first == key_date.last:
        text = spoken(key_date.first, lang)
        text = say("date.latest", lang, day=text) if key_date.latest else text
    else:
        text = say("date.span", lang, first=spoken(key_date.first, lang), last=spoken(key_date.last, lang))
    return f"{text} {key_date.note}" if key_date.note else text


def variables(dates: Mapping[DateKind, Sequence[KeyDate]], today: date) -> dict[str, str]:
    """The values behind `{{ cal.… }}`: the only way a date enters an answer. Answers are Chinese."""
    values = {kind.value: NOT_ANNOUNCED for kind in DateKind}
    for kind, found in dates.items():
        values[kind.value] = "\n".join(worded(one, today) for one in found)
    return values


def _comma(lang: str) -> str:
    return "，" if lang == CHINESE else ", "


def _lasts(key_date: KeyDate) -> bool:
    return key_date.opens is not None or key_date.first < key_date.last


def _ends(key_date: KeyDate) -> bool:
    """Whether the last day closes something, instead of being the day on which it happens."""
    return _lasts(key_date) or key_date.kind in (
        K.REGISTRATION, K.REGISTRATION_CLOSES, K.LOOKUP, K.APPEALS_CLOSE, K.SUITS_CLOSE, K.LIST_AMENDED,
        K.APPEAL_DECIDED, K.SUSPENSION_SERVED, K.COURT_DECIDES,
    )  # fmt: skip


def _family(kind: DateKind) -> str:
    """Milestones about which there is the same to do."""
    if kind in WINDOWS:
        return K.REGISTRATION.value
    return kind.value


_ADVISED = frozenset(
    {
        "now.registration.before", "now.registration.running", "now.registration.last",
        "now.registration.over", "now.lookup.before", "now.lookup.running", "now.lookup.last",
        "now.lookup.over", "now.list_posted.before", "now.list_posted.last", "now.list_posted.over",
        "now.appeals_close.before", "now.appeals_close.running", "now.appeals_close.last",
        "now.suits_close.running", "now.suits_close.last", "now.list_amended.running",
        "now.list_amended.last", "now.list_amended.over", "now.voting.before", "now.voting.running",
        "now.voting.last", "now.voting.over",
    }
)  # fmt: skip
