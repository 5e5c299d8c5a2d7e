"""What stands in the cells of a roster: days, hours, shifts and names, written the usual ways."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from typing import Final

from office.shifts import ShiftName

Cell = str | date | time

MOST_DAYS: Final = 62
"""A row may stand for several days in a row, of two months at most."""
WEEKDAYS: Final = "一二三四五六日"
OFF: Final = frozenset({"休", "休息", "休班", "无", "不值班", "无人值班", "放假", "不排班"})
SHIFT_NAMES: Final = {
    ShiftName.MORNING: ("上午", "早班", "上午班", "早"),
    ShiftName.AFTERNOON: ("下午", "中班", "下午班", "午"),
    ShiftName.EVENING: ("晚间", "晚上", "晚班", "夜班", "夜间", "晚"),
    ShiftName.WHOLE_DAY: ("全天", "整天", "白班", "日班", "全日", "昼夜"),
}
_NUMERALS: Final = {"〇": 0, "零": 0, **{sign: value for value, sign in enumerate("一二三四五六七八九", 1)}}
_YEAR_FIRST: Final = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?(?!\d)", re.ASCII
)
_MONTH_FIRST: Final = re.compile(r"(?<!\d)(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?(?!\d)", re.ASCII)
_TOGETHER: Final = re.compile(r"(20\d{2})(\d{2})(\d{2})", re.ASCII)
_SERIAL: Final = re.compile(r"[45]\d{4}", re.ASCII)
_LATER: Final = re.compile(r"\s*(?:[-~—–至到]+)\s*(?=\d)")
_LAST_DAY: Final = re.compile(r"(\d{1,2})\s*[日号]?", re.ASCII)
_WEEKDAY: Final = re.compile(r"(?:星期|礼拜|周)\s*([一二三四五六日天七1-7])|^\s*([一二三四五六日天])\s*$")
_MONTH_IN_SIGNS: Final = re.compile(r"([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})[日号]")
_CLOCK: Final = r"(\d{1,2})(?:[:时点](半|\d{1,2})?分?|)"
_SPAN: Final = re.compile(rf"{_CLOCK}\s*(?:[-~—–至到]+)\s*(?:次日)?{_CLOCK}(?!\d)", re.ASCII)
_COMPACT: Final = re.compile(r"(?<!\d)(\d{1,2})(\d{2})\s*(?:[-~—–至到]+)\s*(\d{1,2})(\d{2})(?!\d)", re.ASCII)
_ROLE: Final = re.compile(r"[(（]?(主|备|主班|备班|主值|副值|主要|备用|A角|B角)[)）]?\s*[::]?\s*")
_PARTS: Final = re.compile(r"[/、,，;；\n|]+|\s+")
# 李　强: names of two characters are set apart in tables so that they line up.
_APART: Final = re.compile(r"(?<![\u4e00-\u9fff])([\u4e00-\u9fff]) ([\u4e00-\u9fff])(?![\u4e00-\u9fff])")
_EPOCH: Final = date(1899, 12, 30)
_SINGLE_DAY: Final = timedelta(days=1)


class Unread(ValueError):
    """A cell that cannot be read; `key` is the wording `roster_fault.<key>`, `facts` fill it."""

    def __init__(self, key: str, **facts: str) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts


def folded(cell: Cell) -> str:
    """A cell as plain text: half width, single spaces."""
    text = cell if isinstance(cell, str) else cell.isoformat()
    return " ".join(unicodedata.normalize("NFKC", text).split())


def days(cell: Cell, today: date) -> tuple[date, ...]:
    """The days that a cell names: 2026-11-28, 11月28日（周六）, 11/28, 十一月二十八日, 11月28日至29日.

    A day without a year is the one nearest to `today`. Raises `Unread`.
    """
    if isinstance(cell, date):
        return (cell.date() if isinstance(cell, datetime) else cell,)
    text = folded(cell)
    if not text:
        raise Unread("day_missing")
    text = _MONTH_IN_SIGNS.sub(lambda found: f"{_value(found[1])}月{_value(found[2])}日", text)
    if _SERIAL.fullmatch(text):
        return (_EPOCH + timedelta(days=int(text)),)
    text = _TOGETHER.sub(r"\1-\2-\3", text)
    first, end = _first(text, today)
    later = _LATER.match(text, end) or _LATER.match(text, _behind_brackets(text, end))
    if later is None:
        return (first,)
    last = _last(text[later.end() :], first, today)
    if last < first or (last - first).days >= MOST_DAYS:
        raise Unread("day", text=text)
    return tuple(first + ahead * _SINGLE_DAY for ahead in range((last - first).days + 1))


def _first(text: str, today: date) -> tuple[date, int]:
    if found := _YEAR_FIRST.search(text):
        return _day(int(found[1]), int(found[2]), int(found[3]), text), found.end()
    if found := _MONTH_FIRST.search(text):
        return _near(int(found[1]), int(found[2]), today, text), found.end()
    raise Unread("day", text=text)


def _last(rest: str, first: date, today: date) -> date:
    if found := _YEAR_FIRST.match(rest):
        return _day(int(found[1]), int(found[2]), int(found[3]), rest)
    if found := _MONTH_FIRST.match(rest):
        year = first.year + (int(found[1]) < first.month)
        return _day(year, int(found[1]), int(found[2]), rest)
    if found := _LAST_DAY.match(rest):
        return _day(first.year, first.month, int(found[1]), rest)
    raise Unread("day", text=rest)


def _behind_brackets(text: str, at: int) -> int:
    found = re.compile(r"\s*\([^)]*\)").match(text, at)
    return found.end() if found else at


def _near(month: int, day: int, today: date, text: str) -> date:
    found = []
    for year in (today.year - 1, today.year, today.year + 1):
        try:
            found.append(date(year, month, day))
        except ValueError:
            continue
    if not found:
        raise Unread("day", text=text)
    return min(found, key=lambda day: abs((day - today).days))


def _day(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise Unread("day", text=text) from error


def _value(signs: str) -> int:
    """十一 is 11, 二十八 is 28."""
    tens, ten, ones = signs.rpartition("十")
    if not ten:
        return _NUMERALS.get(signs, 0) if len(signs) == 1 else 0
    return (_NUMERALS.get(tens, 0) if tens else 1) * 10 + (_NUMERALS.get(ones, 0) if ones else 0)


def weekday(cell: Cell) -> int | None:
    """The weekday that a text names, Monday 0; None for none."""
    if not isinstance(cell, str):
        return None
    found = _WEEKDAY.search(folded(cell))
    if found is None:
        return None
    sign = found[1] or found[2]
    if sign.isdecimal():
        return int(sign) - 1
    return 6 if sign in "天七" else WEEKDAYS.index(sign)


def spans(cell: Cell) -> tuple[tuple[str, str], ...]:
    """Hours as pairs of `HH:MM`: 8:30-11:30, 8点半至11点半, 0830-1130, several beside each other.

    Raises `Unread` for none, for one that cannot be read, and for one that goes past midnight.
    """
    text = folded(cell)
    if not text:
        raise Unread("span_missing")
    found: list[tuple[str, str]] = []
    text = _COMPACT.sub(r"\1:\2-\3:\4", text)
    for one in _SPAN.finditer(text):
        opens, closes = _minutes(one[1], one[2], text), _minutes(one[3], one[4], text)
        if closes <= opens or "次日" in one[0]:
            raise Unread("span_midnight", text=text)
        found.append((_clock(opens), _clock(closes)))
    if not found:
        raise Unread("span", text=text)
    return tuple(found)


def _minutes(hour: str, rest: str | None, text: str) -> int:
    minutes = int(hour) * 60 + (30 if rest == "半" else int(rest or 0))
    if minutes > 24 * 60 or int(rest or 0 if rest != "半" else 30) > 59:
        raise Unread("span", text=text)
    return minutes


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def shift_name(cell: Cell, opens: str, closes: str) -> ShiftName:
    """The shift that a cell names; an empty one is named after its hours. Raises `Unread`."""
    text = folded(cell)
    for name, words in SHIFT_NAMES.items():
        if text in words:
            return name
    if text:
        raise Unread("shift", text=text)
    if closes <= "12:30":
        return ShiftName.MORNING
    if opens >= "17:00":
        return ShiftName.EVENING
    return ShiftName.AFTERNOON if opens >= "11:30" else ShiftName.WHOLE_DAY


def is_off(*cells: Cell) -> bool:
    """Whether one of the cells says that nobody is on duty that day."""
    return any(folded(cell) in OFF for cell in cells)


def person(cell: Cell) -> str:
    """A name as it is looked for: half width, 李　强 as 李强."""
    return _APART.sub(r"\1\2", folded(cell))


def people(cell: Cell) -> tuple[str, str]:
    """Main and standby officer of a cell: 李强/王芳, 主：李强 备：王芳, 李强（主）、王芳（备）.

    Raises `Unread` for more than two.
    """
    text = person(cell)
    standby_first = re.match(r"[(（]?(?:备|副|B角)", text) is not None
    names = [part for part in _PARTS.split(_ROLE.sub(" ", text)) if part]
    if len(names) > 2:
        raise Unread("officers_many", text=text)
    main, standby = [*names, "", ""][:2]
    if standby_first and standby:
        return standby, main
    return main, standby
