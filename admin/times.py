"""Moments and spans in words: Beijing time, in the reader's language."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from knowledge import calendar
from office.hours import BEIJING
from office.words import CHINESE, say


def moment(at: datetime, language: str, *, now: datetime | None = None) -> str:
    """11月20日（周五）10:05; with `now` of another year 2025年11月20日10:05, in place of the weekday."""
    local = at.astimezone(BEIJING)
    if now is not None and local.year != now.astimezone(BEIJING).year:
        on = calendar.spoken(local.date(), language, year=True)
        return f"{on}{local:%H:%M}" if language == CHINESE else f"{on}, {local:%H:%M}"
    if language == CHINESE:
        return f"{calendar.spoken(local.date())}{local:%H:%M}"
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def day(on: date, language: str) -> str:
    """2026年11月20日, where the year matters."""
    return calendar.spoken(on, year=True) if language == CHINESE else f"{on.day} {on:%b %Y}"


def short_day(on: date, language: str) -> str:
    """11月20日, where the year is known."""
    return f"{on.month}月{on.day}日" if language == CHINESE else f"{on.day} {on:%b}"


def clock(at: datetime, *, seconds: bool = False) -> str:
    """10:05, or 10:05:31 where two people may have acted in the same minute."""
    return f"{at.astimezone(BEIJING):%H:%M:%S}" if seconds else f"{at.astimezone(BEIJING):%H:%M}"


def span(amount: timedelta, language: str) -> str:
    """2天3小时, 2小时5分, 25分: the two largest units that matter."""
    minutes = int(abs(amount).total_seconds() // 60)
    if minutes < 1:
        return say("time.moment", language)
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(days, "time.days"), (hours, "time.hours"), (minutes, "time.minutes")]
    largest = next(place for place, (count, _) in enumerate(parts) if count)
    shown = [say(key, language, n=count) for count, key in parts[largest : largest + 2] if count]
    return say("time.joint", language).join(shown)


def remaining(due: datetime, now: datetime, language: str) -> str:
    """还剩2小时 before the limit, 超时25分 after it."""
    key = "time.left" if due > now else "time.over"
    return say(key, language, span=span(due - now, language))
