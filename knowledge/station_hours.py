"""The hours of a station as offices write them in a cell, read into rows and written back the same.

`2026-11-25至2026-12-05 周一至周五 9:00-11:30、13:30-17:00；2026-11-28 9:00-12:00`, and most that comes
close to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from knowledge.opening import EVERY_DAY, days_of, week_lines, weekday_numbers
from office.hours import Span

LONGEST: Final = 400
"""Days that one row may span; more is a typing error."""

_NAMES: Final = "一二三四五六日"
_TO: Final = r"\s*(?:至|到|-+|~|—+|–)\s*"
_DATE: Final = (
    r"(?:([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})|([0-9]{1,2})月([0-9]{1,2}))[日号]?"
)
_LAST: Final = rf"{_DATE}|([0-9]{{1,2}})[-/.]([0-9]{{1,2}})(?![0-9:])|([0-9]{{1,2}})[日号]"
_DAYS: Final = re.compile(rf"{_DATE}(?:{_TO}(?:{_LAST}))?")
_ROWS: Final = re.compile(rf"[;\n。]+|[,、](?=\s*{_DATE})")
_WINTER: Final = 183
_CLOCK: Final = r"([0-9]{1,2})(?::([0-9]{2})|[点时](?:(半)|([0-9]{1,2})分?)?)"
_TIMES: Final = re.compile(rf"(上午|中午|下午|晚上)?\s*{_CLOCK}{_TO}(上午|中午|下午|晚上)?\s*{_CLOCK}")
_WEEKDAY: Final = rf"(?:周|星期|礼拜)?([{_NAMES}天1-7])"
_FROM_TO: Final = re.compile(
    rf"(?:周|星期|礼拜)([{_NAMES}天1-7]){_TO}{_WEEKDAY}|(?<![0-9:])([1-7])-([1-7])(?![0-9:])"
)
_SINGLE: Final = re.compile(
    rf"(?:周|星期|礼拜)([{_NAMES}天1-7])((?:[、,和及]?(?:周|星期|礼拜)?[{_NAMES}天1-7](?![0-9:]))*)"
)
_WORDS: Final = (
    (re.compile(r"\(?(?:双休日|周末|休息日)(?:除外|不开|休息)\)?"), "1-5"),
    (re.compile(r"\(?(?:含|包括)(?:双休日|周末|周六周日|周六、周日)\)?"), EVERY_DAY),
    (re.compile(r"每天|每日|天天|全周"), EVERY_DAY),
    (re.compile(r"工作日"), "1-5"),
    (re.compile(r"双休日|周末"), "6-7"),
)
_FILLING: Final = re.compile(r"[\s、,()及和]+|开放|时间|登记|投票|起")


class BadHours(ValueError):
    """Hours that cannot be read; `reason` is a wording key behind `station_fault.`."""

    def __init__(self, reason: str, value: str) -> None:
        super().__init__(reason)
        self.reason, self.value = reason, value


def read(text: str, today: date) -> list[dict[str, Any]]:
    """The rows of hours of a cell; raises `BadHours`. A day without a year is the one nearest to `today`."""
    rows: list[dict[str, Any]] = []
    folded = unicodedata.normalize("NFKC", text)
    cuts = [found.span() for found in _ROWS.finditer(folded)]
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(folded)]
    for start, end in zip(starts, ends, strict=True):
        if piece := folded[start:end].strip(" 、,"):
            row = _row(piece, today, rows[-1] if rows else None)
            if row not in rows:
                rows.append(row)
    return rows


def weekly(text: str, lang: str) -> str:
    """Hours of every week (工作日 8:30–11:30) in words of `lang`; as written where they cannot be read.

    An office writes its hours once, in Chinese: this is what pages in another language say.
    """
    anchor = date(2024, 1, 1)
    try:
        rows = read(f"{anchor}至{anchor + timedelta(days=6)} {text}", anchor)
    except BadHours:
        return text
    return "; ".join(week_lines(rows, lang, working="工作日" in text))


def written(hours: Iterable[Mapping[str, Any]]) -> str:
    """The rows as one cell, which `read` gives back unchanged."""
    return "；".join(_written(row) for row in hours)


def _written(row: Mapping[str, Any]) -> str:
    first, last = days_of(row)
    spans = "、".join(row["spans"])
    if first == last:
        return f"{first} {spans}"
    return f"{first}至{last} {_weekday_words(row['weekdays'])} {spans}"


def _weekday_words(weekdays: str) -> str:
    if weekdays == EVERY_DAY:
        return "每天"
    pieces = []
    for piece in weekdays.split(","):
        first, _, last = piece.partition("-")
        name = f"周{_NAMES[int(first) - 1]}"
        pieces.append(f"{name}至周{_NAMES[int(last) - 1]}" if last else name)
    return "、".join(pieces)


def _row(piece: str, today: date, before: Mapping[str, Any] | None) -> dict[str, Any]:
    rest = piece
    if days := _DAYS.search(piece):
        first, last = _days(days, piece, today)
        rest = piece[: days.start()] + " " + piece[days.end() :]
    elif before is not None:
        first, last = days_of(before)  # 周一至周五 …；周末 …: of the same days
    else:
        raise BadHours("hours_no_days", piece)
    spans: list[Span] = []
    for found in _TIMES.finditer(rest):
        spans.append(_span(found, piece))
    rest = _TIMES.sub(" ", rest)
    numbers, rest = _weekdays(rest)
    if _FILLING.sub("", rest):
        raise BadHours("hours_unreadable", piece)
    if not spans:
        raise BadHours("hours_no_times", piece)
    numbers = numbers or set(range(1, 8))
    days_between = range(min((last - first).days + 1, 7))
    if not any((first + timedelta(days=ahead)).isoweekday() in numbers for ahead in days_between):
        raise BadHours("hours_weekday", piece)
    if first == last:
        numbers = set(range(1, 8))
    return {
        "from": first.isoformat(), "to": last.isoformat(), "weekdays": _numbered(numbers),
        "spans": _joined(spans),
    }  # fmt: skip


def _days(found: re.Match[str], piece: str, today: date) -> tuple[date, date]:
    year, month, day, month_only, day_only, *later = found.groups()
    first = _date(year, month or month_only, day or day_only, piece, today)
    year, month, day, month_only, day_only, month_short, day_short, day_alone = later
    if day_alone:
        last = _date(str(first.year), str(first.month), day_alone, piece, today)
    elif year:
        last = _date(year, month, day, piece, today)
    elif named := month_only or month_short:
        last = _date(str(first.year), named, day_only or day_short, piece, today)
        if last < first and (first - last).days > _WINTER:
            last = last.replace(year=first.year + 1)  # 12月25日至1月5日
    else:
        last = first
    if last < first:
        raise BadHours("days_reversed", piece)
    if (last - first).days > LONGEST:
        raise BadHours("hours_too_long", piece)
    return first, last


def _date(year: str | None, month: str, day: str, piece: str, today: date) -> date:
    try:
        if year:
            return date(int(year), int(month), int(day))
        nearest = [date(y, int(month), int(day)) for y in (today.year - 1, today.year, today.year + 1)]
    except ValueError as error:
        raise BadHours("hours_unreadable", piece) from error
    return min(nearest, key=lambda each: abs(each - today))


def _span(found: re.Match[str], piece: str) -> Span:
    part, hour, minute, half, minutes, later_part, later_hour, *later = found.groups()
    opens = _clock(hour, minute or minutes, half, part)
    closes = _clock(later_hour, later[0] or later[2], later[1], later_part or part)
    try:
        return Span.parse(f"{opens}-{closes}")
    except ValueError as error:
        raise BadHours("hours_reversed", piece) from error


def _clock(hour: str, minute: str | None, half: str | None, part: str | None) -> str:
    number = int(hour)
    if part in ("下午", "晚上") and 1 <= number < 12:
        number += 12
    return f"{number}:{'30' if half else (minute or '0').zfill(2)}"


def _weekdays(text: str) -> tuple[set[int], str]:
    """The weekdays that are named, and what is left of the text."""
    numbers: set[int] = set()
    for pattern, meant in _WORDS:
        if pattern.search(text):
            numbers |= weekday_numbers(meant)
            text = pattern.sub(" ", text)
    for found in _FROM_TO.finditer(text):
        first, last = (_number(name) for name in found.groups() if name)
        numbers |= set(range(first, last + 1))
    text = _FROM_TO.sub(" ", text)
    for found in _SINGLE.finditer(text):
        numbers |= {_number(name) for name in found[1] + found[2] if name in f"{_NAMES}天1234567"}
    return numbers, _SINGLE.sub(" ", text)


def _number(name: str) -> int:
    return int(name) if name.isdigit() else 7 if name == "天" else _NAMES.index(name) + 1


def _numbered(numbers: set[int]) -> str:
    pieces: list[list[int]] = []
    for number in sorted(numbers):
        if pieces and pieces[-1][-1] == number - 1:
            pieces[-1].append(number)
        else:
            pieces.append([number])
    return ",".join(f"{piece[0]}-{piece[-1]}" if len(piece) > 1 else str(piece[0]) for piece in pieces)


def _joined(spans: Sequence[Span]) -> list[str]:
    joined: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.opens, each.closes)):
        if joined and span.opens <= joined[-1].closes:
            joined[-1] = Span(joined[-1].start, max(joined[-1], span, key=lambda each: each.closes).end)
        else:
            joined.append(span)
    return [str(span).replace("–", "-") for span in joined]
