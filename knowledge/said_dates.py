"""Days that people name in a question: 下周三, 后天, 月底, 12月3号, 12.3, as days of the Beijing calendar."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from knowledge.milestones import DateKind

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九")}
_NUMBER = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
_AHEAD = {
    "大后天": 3, "后天": 2, "后日": 2, "明天": 1, "明日": 1, "明朝": 1, "今天": 0, "今日": 0, "今朝": 0,
    "今晚": 0, "明早": 1, "昨天": -1, "昨日": -1, "前天": -2,
}  # fmt: skip
_WEEKDAYS = {**{char: place for place, char in enumerate("一二三四五六")}, "日": 6, "天": 6}
_WEEKDAYS |= {str(place + 1): place for place in range(7)}
_WHICH = {
    "": 0,
    "这": 0,
    "这个": 0,
    "本": 0,
    "下": 1,
    "下个": 1,
    "下下": 2,
    "下下个": 2,
    "上": -1,
    "上个": -1,
}
_OF_WEEK = r"(?P<which>下下个|下下|下个|下|这个|这|本|上个|上)?(?:周|星期|礼拜)"
# A number with 号 is a house, a line or a station more often than a day.
_NO_PLACE = r"(?!线|楼|门|站|房|室|院|弄|幢|桌|口|文|码|机|选区|投票站|登记站|小组|窗)"
_SAID = re.compile(
    r"(?P<ahead>大后天|(?<!以)后天(?!天)|后日|(?<!声)明天|明日|明朝|明早|今天|今日|今朝|今晚|昨天|昨日|(?<!以)前天)"
    rf"|(?:(?P<year>20\d\d)年)?(?<!\d)(?P<month>{_NUMBER})月份?(?P<day>{_NUMBER})(?:日|号)"
    rf"|(?:(?P<bare_month>{_NUMBER})月份?|(?P<which_month>下下个|下下|下个|下|这个|这|本)月|(?<![个半几年满\d一二三四五六七八九十])月)"
    r"(?P<part>底|末|初|中旬|中|上旬|下旬)"
    rf"|(?<!每){_OF_WEEK}(?:(?P<weekend>末)|(?P<weekday>[一二三四五六日天1-7])(?![\d点周个十]))"
    r"|(?<!每)(?P<whole>下下个|下下|下个|下|这个|这|本)(?:周|星期|礼拜)(?![一二三四五六日天末1-7])"
    r"|(?<![\d.:/第上午晚晨至到~–-])(?P<point_month>1[0-2]|0?[1-9])[./](?P<point_day>3[01]|[12]\d|0?[1-9])"
    r"(?:日|号)?(?![\d.:/点%年月元米公千个至到~–-])"
    rf"|(?<![\d第月一二三四五六七八九十])(?P<alone>\d{{1,2}}|[一二三四五六七八九十]{{1,3}})号{_NO_PLACE}"
)
_BEFORE = re.compile("(?:之前|以前|前(?![面台门后]))")
_CLOCK = re.compile(
    r"(?:凌晨|清早|早上|上午|中午|下午|傍晚|晚上|夜里)?"
    r"(?:(?:\d{1,2}|[一二两三四五六七八九十]{1,3})点(?:钟|半|\d{1,2}分?)?|\d{1,2}:\d\d)"
)
_ABOUT = (
    (DateKind.APPEALS_CLOSE, re.compile("申诉|申訴")),
    (DateKind.LIST_AMENDED, re.compile("补正")),
    (DateKind.LIST_POSTED, re.compile("名单|选民榜|红榜|张榜|贴榜")),
    (DateKind.VOTING, re.compile("投票|选举日|投(?!诉)|领票|领选票")),
    (DateKind.REGISTRATION, re.compile("登记(?!员|站|表|证|卡|号)")),
)
_FILLING = re.compile(
    "[去到]登记站|选民登记|选民名单|选民|登记|补登|投票|选举日|投|领选票|领票|名单|选民榜|红榜|张榜|贴榜|申诉|补正|公布"
    "|请问|您好|你好|想问|问一下|一下|还能不能|还能|能不能|可不可以|还可以|可以|可|能|来得及|来不及|及|得|晚不晚|迟不迟|会不会"
    "|晚|迟|太|行不行|行|好不好|好|是不是|算不算|是|算|那天|那|这天|就|去|来|办理|办|我们|我|阿拉|想|打算|准备|要|在|再|才|之前|以前|以后"
    "|之后|前|后|开始|截止|结束|过期|过|了|没有|没|已经|还|到|为止|止|有|都|也|吗|么|嘛|呢|伐|啊|呀|吧|哦|不|的|和|跟|或者|或|到时候"
    "|上午|下午|早上|晚上|中午|白天|看|出来|出"
    # Who one is decides where one registers, not on which days.
    "|居民|单位|退休|工作|上班|职工|员工|学生|老年人|老人家|老人|个人|人"
)


@dataclass(frozen=True, slots=True)
class Said:
    """A day, or days from the first to the last, and the words that named them.

    `before`: what was named is the day after the last (12月9号之前).
    """

    words: str
    first: date
    last: date
    before: bool = False


def read(text: str, today: date) -> tuple[Said, ...]:
    """The days a text names, in their order; `today` is the day in Beijing.

    Without a year the nearest such day is meant; 周三 alone is today or the next one, 这周三 that of this
    week even if it has passed. What is no day of the calendar (2月30日) is passed over.
    """
    found = []
    plain = unicodedata.normalize("NFKC", text)
    for match in _SAID.finditer(plain):
        span = _span({key: value for key, value in match.groupdict().items() if value is not None}, today)
        if span is None:
            continue
        before = _BEFORE.match(plain, match.end())
        if before is not None and span[0] > today:
            found.append(Said(match[0] + before[0], today, span[0] - DAY, before=True))
        else:
            found.append(Said(match[0], *span))
    return tuple(found)


def clock(text: str) -> str:
    """The hour of the day that a text names (晚上8点), in its words; empty where it names none."""
    found = _CLOCK.search(_SAID.sub(" ", unicodedata.normalize("NFKC", text)))
    return found[0] if found is not None else ""


def about(text: str) -> DateKind | None:
    """What a question about a day asks of it: whether one can register, vote, object to the list."""
    return next((kind for kind, words in _ABOUT if words.search(text)), None)


def only_about(text: str) -> bool:
    """Whether a text asks nothing but what holds on the days it names."""
    rest = _CLOCK.sub("", _SAID.sub("", unicodedata.normalize("NFKC", text)))
    return not any(char.isalnum() for char in _FILLING.sub("", rest))


def _span(groups: dict[str, str], today: date) -> tuple[date, date] | None:
    if "ahead" in groups:
        return _alone(today + _AHEAD[groups["ahead"]] * DAY)
    if "weekday" in groups or "weekend" in groups:
        return _in_week(groups, today)
    if "whole" in groups:
        monday = _monday(today) + _WHICH[groups["whole"]] * WEEK
        return monday, monday + 6 * DAY
    if "part" in groups:
        return _part_of_month(groups, today)
    if "alone" in groups:
        return _of_some_month(_number(groups["alone"]), today)
    if "point_month" in groups:
        return _nearest(int(groups["point_month"]), int(groups["point_day"]), today, None)
    year = int(groups["year"]) if "year" in groups else None
    return _nearest(_number(groups["month"]), _number(groups["day"]), today, year)


def _alone(day: date) -> tuple[date, date]:
    return day, day


def _monday(day: date) -> date:
    return day - day.weekday() * DAY


def _in_week(groups: dict[str, str], today: date) -> tuple[date, date]:
    monday = _monday(today) + _WHICH[groups.get("which", "")] * WEEK
    if "weekend" in groups:
        return monday + 5 * DAY, monday + 6 * DAY
    day = monday + _WEEKDAYS[groups["weekday"]] * DAY
    return _alone(day + WEEK if "which" not in groups and day < today else day)


def _part_of_month(groups: dict[str, str], today: date) -> tuple[date, date] | None:
    if "bare_month" in groups:
        first = _nearest(_number(groups["bare_month"]), 1, today, None)
        if first is None:
            return None
        year, month = first[0].year, first[0].month
    else:
        later = today.month - 1 + _WHICH[groups.get("which_month", "")]
        year, month = today.year + later // 12, later % 12 + 1
    last = monthrange(year, month)[1]
    match groups["part"]:
        case "底" | "末":
            return _alone(date(year, month, last))
        case "初" | "上旬":
            return date(year, month, 1), date(year, month, 10)
        case "中" | "中旬":
            return date(year, month, 11), date(year, month, 20)
        case _:
            return date(year, month, 21), date(year, month, last)


def _of_some_month(number: int, today: date) -> tuple[date, date] | None:
    """5号: of this month, or of the next one if it has passed."""
    year, month = today.year, today.month
    for _ in range(3):
        if number <= monthrange(year, month)[1] and (day := _valid(year, month, number)) and day >= today:
            return _alone(day)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return None


def _nearest(month: int, day: int, today: date, year: int | None) -> tuple[date, date] | None:
    years = (year,) if year else (today.year - 1, today.year, today.year + 1)
    found = [one for each in years if (one := _valid(each, month, day)) is not None]
    return _alone(min(found, key=lambda one: abs((one - today).days))) if found else None


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _number(text: str) -> int:
    """12, 十二, 二十, 三十一; 0 for what is no number of a day."""
    if text.isdecimal():
        return int(text)
    tens, ten, ones = text.partition("十")
    if not ten:
        return _DIGITS[text] if len(text) == 1 else 0
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return 0
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)
