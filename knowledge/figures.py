"""What a text says in figures: days, spans, amounts, hours, articles and phone numbers, each in one form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum, auto
from fractions import Fraction


class FigureKind(StrEnum):
    """What a figure stands for."""

    DATE = auto()
    TIME = auto()
    NUMBER = auto()
    ARTICLE = auto()
    PHONE = auto()


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `value` is the same however it is written; `unit` is that of a number or of an article.

    `bound` tells on which side of it something lies: `upto` (以前, 内, 不超过) or `from` (以后, 起, 满).
    `weak`: a mere 一, which counts nothing unless the other text counts the same thing. `clause` is what
    stands around it.
    """

    kind: FigureKind
    value: tuple[int | Fraction, ...]
    unit: str
    words: str
    clause: str
    bound: str = ""
    weak: bool = False


SPANS = frozenset({"日", "工作日", "月", "小时", "分钟"})
"""Units in which time is counted."""

_HAN = "零〇一二两三四五六七八九十百千万"
_NUMBER = rf"(?:\d+(?:\.\d+)?万?|[{_HAN}]+|半)"
_SMALL = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
_TO = r"(?:至|到|-|–|—|~)"
# Neither days nor amounts: numbers of entries, tickets, receipts and groups, versions, addresses of pages.
_CODES = re.compile(
    r"https?://\S+|(?<![A-Za-z0-9])[A-Z]{1,4}-\d{3,5}(?:-\d{2,5}-[A-Z])?|(?<![A-Za-z0-9])[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{2}"
    rf"|第{_NUMBER}(?:版|期|步|次|届|选区|小组)|(?<![\d-])\d{{2}}-\d{{2}}(?![\d-])"
)
# When somebody asked is no part of what they are told.
_ASKED = re.compile(
    r"(?:您|你)?(?:20\d\d年)?\d{1,2}月\d{1,2}[日号](?:\(周.\))?(?:上午|下午|晚上)?(?:的)?(?:来电|来信|来函|来访|咨询|留言|反映|问(?:的|到|我|过|询))"
)
_PHONE = re.compile(
    r"(?<![\d.])(?:(?:\(0\d{2,3}\)|0\d{2,3})[- ]?[1-9]\d{2,3}[- ]?\d{4}|1[3-9]\d[- ]?\d{4}[- ]?\d{4}"
    r"|400[- ]?\d{3}[- ]?\d{4}|[1-9]\d{7})(?![\d.])"
    r"|(?:(?<=拨打)|(?<=拨)|(?<=电话)|(?<=致电)|(?<=热线))[: ]?\d{3,8}(?!\d)"
)
_DATE = re.compile(
    rf"(?:(?P<y>20\d\d)年)?(?<!\d)(?P<m>{_SMALL})月份?(?P<d>{_SMALL})(?:[日号]|(?={_TO}{_SMALL}[日号]))(?:{_TO}(?P<d2>{_SMALL})[日号])?"
    r"|(?<![\d-])(?P<iy>20\d\d)[-/.](?P<im>\d{1,2})[-/.](?P<id>\d{1,2})(?![\d-])"
    r"|(?<![\d.:/A-Za-z第])(?P<pm>1[0-2]|0?[1-9])[./](?P<pd>3[01]|[12]\d|0?[1-9])(?:[日号])?(?![\d.:/]|\s*[%‰万亿千百元米公倍小个度岁年版分])"
    rf"|(?<![个满整足半几到近\d{_HAN}])(?P<bm>{_SMALL})月(?:份|[初底末中](?!学)|[上中下]旬)"
)
_WEEKDAY = re.compile(r"\(?(?:周|星期|礼拜)([一二三四五六日天])\)?")
_TIME = re.compile(
    r"(?P<part>凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|晚)?"
    rf"(?:(?<![\d:])(?P<h>\d{{1,2}}):(?P<min>\d\d)(?![\d:])|(?P<ho>{_SMALL})(?:点|时(?![候间期代限刻长]))(?:钟|整|(?P<half>半)|(?P<mo>{_SMALL})分?)?)"
)
_ARTICLE = re.compile(rf"第({_NUMBER})(条|款|项)|(?<=[条款、])\(({_SMALL})\)")
_UNITS = {
    "个工作日": "工作日", "工作日": "工作日", "个月": "月", "个小时": "小时", "小时": "小时", "分钟": "分钟",
    "周岁": "岁", "岁": "岁", "个星期": "周", "星期": "周", "周": "周", "日": "日", "天": "日", "年": "年",
    "元": "元", "块钱": "元", "块": "元", "人次": "人次", "人": "人", "名": "人", "位": "人", "票": "票",
    "次": "次", "份": "份", "张": "张", "寸": "寸", "公里": "公里", "平方米": "平方米", "米": "米",
    "倍": "倍", "%": "%",
}  # fmt: skip
_AMOUNT = re.compile(
    rf"百分之(?P<percent>{_NUMBER})|(?P<below>[{_HAN}]+)分之(?P<above>[{_HAN}]+)"
    rf"|(?<![\d.第])(?P<n>{_NUMBER})个?(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})"
    r"(?P<half>半)?(?P<rest>[一二三四五六日天]?)"
)
# Between a day and 以前 may stand its weekday and an hour.
_JOINT = r"\s*(?:\([^)]{1,6}\))?(?:\d{1,2}:\d\d)?(?:及)?"
_AFTER = (
    (
        "upto",
        re.compile(_JOINT + "(?:之前|以前|前(?![往来台面后])|为止|止|截止|之内|以内|内(?!容)|以下)"),
    ),
    ("from", re.compile(_JOINT + "(?:之后|以后|后(?![面来])|起|开始|以来|以外|以上)")),
)
_BEFORE = (
    (
        "upto",
        re.compile(
            "(?:不满|未满|不足|不到|少于|不超过|不多于|最多|至多|最迟|最晚|不晚于|不迟于|截至|截止到|截止"
            "|(?<!不)低于|至)(?:在|于|为|是)?$"
        ),
    ),
    (
        "from",
        re.compile(
            "(?:满|(?<!不)超过|(?<!不)多于|至少|最少|不少于|不低于|不早于|最早|自|从)(?:在|于|为|是)?$"
        ),
    ),
)
_CLAUSE = re.compile(r"[^。！？!?；;\n，,]+")


def plain(text: str) -> str:
    """The text in one width of characters, without blanks beside figures and Chinese."""
    return re.sub(r"(?<=[^A-Za-z\n])[ \t]+|[ \t]+(?=[^A-Za-z\n])", "", unicodedata.normalize("NFKC", text))


def number(words: str) -> Fraction | None:
    """15, 十五, 一百二十, 两, 1.5万, 半 as a number; None for what is none (一两)."""
    if words == "半":
        return Fraction(1, 2)
    if words[0].isascii():
        return Fraction(words.removesuffix("万")) * (10000 if words.endswith("万") else 1)
    total, digit = 0, 0
    big = 0
    for char in words:
        place = {"十": 10, "百": 100, "千": 1000}.get(char)
        if char == "万":
            big, total, digit = (total + digit or 1) * 10000, 0, 0
        elif place:
            total, digit = total + (digit or 1) * place, 0
        elif char in "零〇":
            digit = 0
        elif digit:
            return None
        else:
            digit = "零一二三四五六七八九".find("二" if char == "两" else char)
    return Fraction(big + total + digit)


def read(text: str) -> tuple[Figure, ...]:
    """All figures of a text in the order of their kinds."""
    found: list[Figure] = []
    whole = _ASKED.sub(_blank, _CODES.sub(_blank, plain(text)))
    rest = whole
    for pattern, make in _READERS:
        kept = []
        for match in pattern.finditer(rest):
            made = [(kind, value, unit, words, weak) for kind, value, unit, words, weak in make(match)]
            for kind, value, unit, words, weak in made:
                found.append(
                    Figure(kind, value, unit, words, _around(whole, match), _bound(whole, match), weak)
                )
            if made:
                kept.append(match.span())
        for start, end in kept:
            rest = rest[:start] + "\0" * (end - start) + rest[end:]
    return tuple(found)


def weekdays(text: str) -> frozenset[str]:
    """The days of the week a text names, 日 for Sunday."""
    return frozenset(found.replace("天", "日") for found in _WEEKDAY.findall(plain(text)))


def _blank(match: re.Match[str]) -> str:
    return "\0" * len(match[0])


_Made = Iterator[tuple[FigureKind, tuple[int | Fraction, ...], str, str, bool]]


def _phones(match: re.Match[str]) -> _Made:
    digits = re.sub(r"\D", "", match[0])
    yield FigureKind.PHONE, (int(f"1{digits}"),), digits, match[0].strip(": "), False


def _dates(match: re.Match[str]) -> _Made:
    groups = {name: value for name, value in match.groupdict().items() if value}
    year = int(groups.get("y") or groups.get("iy") or 0)
    if "bm" in groups:
        month, days = _small(groups["bm"]), [0]
    elif "m" in groups:
        month, days = _small(groups["m"]), [_small(groups[name]) for name in ("d", "d2") if name in groups]
    else:
        month = int(groups.get("im") or groups["pm"])
        days = [int(groups.get("id") or groups["pd"])]
    if 1 <= month <= 12 and all(0 <= day <= 31 for day in days):
        for day in days:
            words = match[0] if len(days) == 1 else f"{month}月{day}日"
            yield FigureKind.DATE, (year, month, day), "", words, False


def _times(match: re.Match[str]) -> _Made:
    hour = int(match["h"]) if match["h"] else _small(match["ho"])
    minute = int(match["min"]) if match["min"] else 30 if match["half"] else _small(match["mo"] or "0")
    if match["part"] in ("下午", "傍晚", "晚上", "晚") and hour < 12:
        hour += 12
    if hour <= 24 and minute < 60 and not (match["ho"] == "一" and match[0].endswith("点")):
        yield FigureKind.TIME, (hour, minute), "", match[0], False


def _articles(match: re.Match[str]) -> _Made:
    value = number(match[1] or match[3])
    if value is not None:
        yield FigureKind.ARTICLE, (value,), match[2] or "项", match[0], False


def _amounts(match: re.Match[str]) -> _Made:
    if match["percent"]:
        value, unit = number(match["percent"]), "%"
    elif match["below"]:
        above, below = number(match["above"]), number(match["below"])
        value, unit = (above / below, "分之") if above is not None and below else (None, "")
    else:
        value, unit = number(match["n"]), _UNITS[match["unit"]]
        if value is not None and match["half"]:
            value += Fraction(1, 2)
        # 2026年 is a year, and 周三 no three weeks.
        if (
            value is None
            or (unit == "年" and value >= 1900)
            or (match["unit"] in ("周", "星期") and match["rest"])
        ):
            return
    if value is None:
        return
    if unit == "年":
        value, unit = value * 12, "月"
    elif unit == "周":
        value, unit = value * 7, "日"
    words = match[0].removesuffix(match["rest"] or "")
    yield FigureKind.NUMBER, (value,), unit, words, match["n"] in ("一", "1")


def _small(words: str) -> int:
    value = number(words)
    return int(value) if value is not None else 99


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], _Made]], ...] = (
    (_PHONE, _phones),
    (_DATE, _dates),
    (_TIME, _times),
    (_ARTICLE, _articles),
    (_AMOUNT, _amounts),
)


def _around(text: str, match: re.Match[str]) -> str:
    for clause in _CLAUSE.finditer(text):
        if clause.start() <= match.start() < clause.end():
            return text[clause.start() : match.start()] + "\0" + text[match.end() : clause.end()]
    return ""


def _bound(text: str, match: re.Match[str]) -> str:
    end = match.end() - len(match.groupdict().get("rest") or "")
    for name, pattern in _AFTER:
        if pattern.match(text, end):
            return name
    before = text[max(0, match.start() - 6) : match.start()]
    return next((name for name, pattern in _BEFORE if pattern.search(before)), "")
