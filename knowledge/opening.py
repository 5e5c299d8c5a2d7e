"""When a station is open: its hours read at one moment, and put into words.

Hours are rows `{"from": "2026-11-25", "to": "2026-12-05", "weekdays": "1-5", "spans": ["9:00-17:00"]}`:
within these days, both included, on these weekdays (Monday is 1), at these times. A day without a row is
closed, and rows that overlap are joined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from knowledge.calendar import DAYS, WEEKDAYS, brief, spoken
from office.hours import BEIJING, Span, beijing_day, moment
from office.words import CHINESE, say

Hours = Sequence[Mapping[str, Any]]
EVERY_DAY = "1-7"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a station is open at one moment, until when, or when it opens next; times are aware UTC.

    Closed with `opens_at` None: it does not open again, or, if not `known`, nobody has entered its hours.
    """

    open_now: bool
    until: datetime | None = None
    opens_at: datetime | None = None
    known: bool = True


def opening(hours: Hours, at: datetime) -> Opening:
    """How things stand at `at`, an aware moment: at its opening minute a station is open, at its closing
    minute no longer.

    Raises ValueError for a naive moment or for rows that no check has let through.
    """
    if not hours:
        return Opening(False, known=False)
    today = beijing_day(at)
    for opens, closes in _stretches(hours, today):
        if closes <= at:
            continue
        return Opening(True, until=closes) if opens <= at else Opening(False, opens_at=opens)
    return Opening(False)


def opening_words(found: Opening, at: datetime, lang: str = CHINESE) -> str:
    """现在开放，到17:00 · 未开放，明天（11月26日）9:00开 · 已结束 · 开放时间待公布."""
    if found.until is not None:
        return say("station.open_until", lang, when=_when(found.until, at, lang, closing=True))
    if found.opens_at is not None:
        return say("station.opens_at", lang, when=_when(found.opens_at, at, lang))
    return say("station.over" if found.known else "station.hours_unknown", lang)


def hours_lines(hours: Hours, lang: str = CHINESE) -> tuple[str, ...]:
    """The hours in words, one line a row: 11月25日至12月5日 周一至周五 9:00–11:30、13:30–17:00."""
    return tuple(_line(row, lang) for row in hours)


def week_lines(hours: Hours, lang: str = CHINESE, *, working: bool = False) -> tuple[str, ...]:
    """The same without the days between which they hold: Mon–Fri 8:30–11:30, 13:30–17:30.

    `working`: Monday to Friday was written as 工作日, which leaves holidays out.
    """
    return tuple(
        say(
            "station.hours_week", lang, spans=_row_spans(row, lang),
            weekdays=say("station.working_days", lang)
            if working and row["weekdays"] == "1-5"
            else _row_weekdays(row, lang),
        )
        for row in hours
    )  # fmt: skip


def weekday_numbers(text: str) -> frozenset[int]:
    """The weekdays, Monday is 1, of `1-5` or `1,3,6-7`. Raises ValueError for anything else."""
    numbers: set[int] = set()
    for piece in text.split(","):
        first, _, last = piece.partition("-")
        start, end = int(first), int(last or first)
        if not 1 <= start <= end <= 7:
            raise ValueError(f"weekdays are 1 to 7, not {text!r}")
        numbers |= set(range(start, end + 1))
    return frozenset(numbers)


def days_of(row: Mapping[str, Any]) -> tuple[date, date]:
    """The first and the last day of a row of hours."""
    return date.fromisoformat(row["from"]), date.fromisoformat(row["to"])


def _stretches(hours: Hours, first: date) -> Iterator[tuple[datetime, datetime]]:
    """The open stretches that end after the day before `first`, in order; what touches is one.

    Only days with hours are looked at, so a row that begins in a year costs no more than tomorrow's.
    """
    joined: tuple[datetime, datetime] | None = None
    for day in _days(hours, first - _DAY):
        for opens, closes in sorted(_on(hours, day)):
            if joined is None:
                joined = opens, closes
            elif opens <= joined[1]:
                joined = joined[0], max(joined[1], closes)
            else:
                yield joined
                joined = opens, closes
    if joined is not None:
        yield joined


def _days(hours: Hours, first: date) -> Iterator[date]:
    day = first
    while True:
        ends = [days_of(row) for row in hours]
        if not any(start <= day <= end for start, end in ends):
            later = [start for start, _ in ends if start > day]
            if not later:
                return
            day = min(later)
        yield day
        day += _DAY


def _on(hours: Hours, day: date) -> Iterator[tuple[datetime, datetime]]:
    for row in hours:
        first, last = days_of(row)
        if first <= day <= last and day.isoweekday() in weekday_numbers(row["weekdays"]):
            for span in map(_span, row["spans"]):
                yield moment(day, span.opens), moment(day, span.closes)


@lru_cache(maxsize=512)
def _span(text: str) -> Span:
    return Span.parse(text)


def _when(what: datetime, at: datetime, lang: str, *, closing: bool = False) -> str:
    """A time as it is said at `at`: without its day today, tomorrow with both, else with its day."""
    day, clock = beijing_day(what), what.astimezone(BEIJING)
    hour = clock.hour
    if closing and clock.hour == clock.minute == 0:
        # Midnight is said as the end of the day that people have in mind, not as the start of the next.
        day, hour = day - _DAY, 24
    time = f"{hour}:{clock:%M}"
    ahead = (day - beijing_day(at)).days
    if ahead == 0:
        return time if closing else say("station.today_at", lang, time=time)
    if ahead == 1:
        return say("station.tomorrow_at", lang, day=brief(day, lang), time=time)
    return say("station.day_at", lang, day=spoken(day, lang), time=time)


def _line(row: Mapping[str, Any], lang: str) -> str:
    first, last = days_of(row)
    spans = _row_spans(row, lang)
    if first == last:
        return say("station.hours_day", lang, day=spoken(first, lang), spans=spans)
    return say(
        "station.hours_days", lang, first=brief(first, lang), last=brief(last, lang),
        weekdays=_row_weekdays(row, lang), spans=spans,
    )  # fmt: skip


def _row_spans(row: Mapping[str, Any], lang: str) -> str:
    return say("station.joint", lang).join(str(_span(text)) for text in row["spans"])


def _row_weekdays(row: Mapping[str, Any], lang: str) -> str:
    return _weekdays(sorted(weekday_numbers(row["weekdays"])), lang)


def _weekdays(numbers: Sequence[int], lang: str) -> str:
    if len(numbers) == 7:
        return say("station.every_day", lang)
    names = [f"周{WEEKDAYS[n - 1]}" if lang == CHINESE else DAYS[n - 1] for n in numbers]
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return say("station.weekdays", lang, first=names[0], last=names[-1])
    return say("station.joint", lang).join(names)
