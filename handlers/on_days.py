"""What holds on a day that somebody names: said of each window apart where they differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from handlers.turn import Turn
from knowledge import calendar
from knowledge.calendar import DateKind, KeyDate
from knowledge.contradictions import weekend
from knowledge.said_dates import Said

DAY = timedelta(days=1)
# Whoever cannot go yet is told so before anybody is told to go.
ORDER = ("not_yet", "can", "no_more")
_WEEKENDS = re.compile("双休|周末|周[六日]|星期[六日天]|每[天日]|天天|无休|weekend|daily", re.IGNORECASE)
_NOT_THEN = re.compile("除外|不含|不办|休息|工作日|except|closed", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where named days stand to a milestone; of days of which some lie within, these."""

    key_date: KeyDate
    how: str
    first: date
    last: date


def lines(turn: Turn, said: Said, key_dates: Sequence[KeyDate], *, each: bool = False) -> list[str]:
    """Which day was meant, and what holds on it; nothing where there is no such milestone.

    `each`: windows are said one by one even where the same holds for all of them.
    """
    if not key_dates:
        return []
    found = sorted((_standing(said, one) for one in key_dates), key=lambda one: ORDER.index(one.how))
    named = turn.words("on_day.is", words=escape(said.words), day=_span(turn, said, said.first, said.last))
    registers = key_dates[0].kind is DateKind.REGISTRATION
    if registers and (each or len({(one.how, one.first, one.last) for one in found}) > 1):
        return [named, *(f"👉 {_window(turn, said, one)}" for one in found)]
    one = found[0]
    windows = [_dated(turn, window) for window in found]
    window = windows[0] if len(windows) == 1 else "".join(f"\n{text}" for text in windows)
    key = f"on_day.{one.how}.{one.key_date.kind.value}"
    if one.key_date.unposted and one.key_date.kind is DateKind.APPEALS_CLOSE:
        key += ".unposted"
    return [named, f"👉 {turn.words(key, day=_span(turn, said, one.first, one.last), window=window)}"]


def not_yet(turn: Turn, windows: Sequence[KeyDate], today: date) -> list[str]:
    """The windows that have not opened, and when they do."""
    said = Said("", today, today)
    standings = (_standing(said, one) for one in windows)
    return [_window(turn, said, one) for one in standings if one.how == "not_yet"]


def _standing(said: Said, key_date: KeyDate) -> Standing:
    opens = key_date.opens or key_date.first
    # A list that is out stays out.
    closes = date.max if key_date.kind is DateKind.LIST_POSTED else key_date.last
    first, last = max(said.first, opens), min(said.last, closes)
    if first > last:
        return Standing(key_date, "not_yet" if said.last < opens else "no_more", said.first, said.last)
    return Standing(key_date, "can", first, last)


def _window(turn: Turn, said: Said, one: Standing) -> str:
    """单位登记：进行中, 居民登记：还没开始: one window on the named days."""
    key_date = one.key_date
    partly = one.how == "can" and (one.first, one.last) != (said.first, said.last)
    text = turn.words(
        "on_day.each.partly" if partly else f"on_day.each.{one.how}",
        audience=escape(key_date.audience) or turn.words("date.registration"),
        first=calendar.spoken(key_date.first, turn.lang), last=calendar.spoken(key_date.last, turn.lang),
        days=_span(turn, said, one.first, one.last),
    )  # fmt: skip
    note = f" {escape(key_date.note)}" if key_date.note and one.how != "no_more" else ""
    return text + note + _on_weekend(turn, one)


def _dated(turn: Turn, one: Standing) -> str:
    text = calendar.when(one.key_date, turn.lang)
    if one.key_date.audience:
        text = turn.words("date.audience", audience=one.key_date.audience, text=text)
    return escape(text) + _on_weekend(turn, one)


def _on_weekend(turn: Turn, one: Standing) -> str:
    """That nobody knows whether it is open, where all the days are rest days and the office says nothing."""
    if one.how != "can" or one.key_date.kind is not DateKind.REGISTRATION:
        return ""
    note = one.key_date.note
    if _WEEKENDS.search(note) and not _NOT_THEN.search(note):
        return ""
    resting = (one.last - one.first).days < 2 and weekend(one.first) and weekend(one.last)
    return turn.words("on_day.weekend") if resting else ""


def _span(turn: Turn, said: Said, first: date, last: date) -> str:
    if said.before and (first, last) == (said.first, said.last):
        return turn.words("date.before", day=calendar.spoken(last + DAY, turn.lang))
    if first == last:
        return calendar.spoken(first, turn.lang)
    return turn.words(
        "date.span", first=calendar.spoken(first, turn.lang), last=calendar.spoken(last, turn.lang)
    )
