"""Whether words ask where a station is or when it is open, and what is left of them beside that."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from knowledge.stations import StationKind

# More is a story, which is read as a whole.
LONGEST = 80
_STATION = re.compile(
    r"(?:选民|选举)?登记(?:站点?|点|处)|投票(?:站点?|点|所)|站点|"
    r"polling (?:station|place)s?|registration stations?|stations?",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"登记|投票|选民小组|小组|选区|regist|vot(?:e|ing)|group", re.IGNORECASE)
_POLLING = re.compile(r"投票|polling|vot(?:e|ing)", re.IGNORECASE)
_GROUP = re.compile(r"(?<![0-9-])[0-9]{1,3}-[0-9]{1,3}(?![0-9-])")
_WHERE = (
    r"在?(?:哪里|哪儿|哪个|哪家|哪边|哪一个|哪|什么地方|啥地方|啥场化|何处)|地址|位置|地点|怎么(?:走|去|过去|坐车)|如何(?:走|去)|"
    r"附近|最近|就近|离我近|旁边|where|address|near(?:est|by)?|how (?:do|can) (?:i|we) get"
)
_LISTED = r"有?哪些|有?几个|有多少个?|所有的?|全部的?|名单|which ones|list"
_WHEN = (
    r"几点(?:钟)?|什么时[候间]|啥辰光|几时|开门|关门|开放|上班|下班|休息|营业|时间|开到|开着|开不开|开吗|中午|午休|晚上|"
    r"(?:今天|明天|周末|现在)?还?(?<!不)(?:能|可以)(?:去|来)?登记(?=[吗伐么嘛])|"
    r"周[一二三四五六日末天]|星期[一二三四五六日天]|礼拜[一二三四五六日天]?|双休日?|节假日|"
    r"when|open(?:ing)?|hours|closed?|close"
)
_UNREACHED = (
    r"打不通|打不进|接不通|不通|(?:一直)?(?:没有?人|无人)接(?:听|电话)?|占线|忙音|空号|停机|no answer|engaged"
)
_REACHED = r"电话|联系方式|号码|咨询|phone|number|call"
_EASY = r"坐什么车|轮椅|无障碍|坡道|电梯|停车|地铁|公交|wheelchair|lift|parking"
_ASKS = re.compile(f"{_LISTED}|{_WHERE}|{_WHEN}|{_UNREACHED}|{_REACHED}|{_EASY}", re.IGNORECASE)
# Which hours, rather than from which day on.
_HOURS = re.compile(
    r"几点|开门|关门|开放|上班|下班|开到|开着|开吗|周[一二三四五六日末天]|星期|礼拜|双休|中午|午休|晚上|休息|opening|hours"
)
_OWN = re.compile(r"我|阿拉|咱|家|住")
_GENERAL = re.compile(r"登记|投票|选举|选民|名单|候选|代表")
# Who tells this much of their case asks where they belong, not where a house is.
_CASE = re.compile(
    r"户口|户籍|外地|外省|外来|居住证|证明|学生|读书|上学|大学|单位|公司|退休|离休|农民|军人|集体户|迁|"
    r"身份证|选民证|材料|法院|规定|决定|说不清|新小区|新楼盘|新房|交房|新造|刚造|带什么|能不能|可不可以|可以吗|代(?:替|我|别人|办|登)"
)
_FILLERS = re.compile(
    r"请问|麻烦|怎么|如何|联系|远不远|条|有没有|没有|多少|您好|你好|我们|你们|咱们|阿拉|我|想|要|去|到|查|问|一下|知道|告诉|请|的|地|得|是|有|吗|呢|啊|呀|吧|嘛|么|"
    r"在|离|家|这里|这边|这儿|那边|那里|那儿|哪些|应该|该|几个|多少|今天|明天|现在|还|都|也|就|本区|选民|选举|"
    r"登记|投票|办|了|个|和|与|\b(?:the|is|are|a|an|my|me|i|to|for|of|what|which|please|there|in|at|it|do|does|your)\b",
    re.IGNORECASE,
)
# Every estate is one and every village has one: said alone they name nothing.
_DENIED = re.compile(r"没|不|无|别")
_GENERIC = re.compile(r"居委会?|居民区|村委会?|小区|社区|街道|街镇|楼盘|新村|村里?|镇|设|本|片|几号")
_PLACE_NAME = re.compile(
    r"[\u4e00-\u9fff0-9]{2,8}(?:苑|小区|新村|村|花园|路|弄|街|里|坊|城|庭|府|居委会?|社区|大厦|广场|公寓|镇|街道|号|湾|墅|院)"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a station.

    `named`: the words speak of a station themselves; else they may as well ask about one's own case.
    `queries`: what to look for, the whole words first. `left`: what the words hold besides asking, a place
    perhaps. `where`: it is the place that is asked for; `hours`: when it is open. `own`: the words speak of
    their asker. `field`: they speak of registration, voting or a station at all. `unreached`: nobody answers
    the phone there. `placelike`: what is left looks like a place.
    """

    kind: StationKind | None
    named: bool
    queries: tuple[str, ...]
    left: str
    where: bool = False
    hours: bool = False
    own: bool = False
    field: bool = True
    unreached: bool = False

    @property
    def placelike(self) -> bool:
        return _PLACE_NAME.fullmatch(self.left) is not None


def asked(words: str) -> Asked | None:
    """What a message asks about a station; None for one that asks something else."""
    text = unicodedata.normalize("NFKC", words).strip()
    if not text or len(text) > LONGEST:
        return None
    if _GROUP.fullmatch(text):
        return Asked(None, True, (text,), text)
    named = _STATION.search(text) is not None
    group = _GROUP.search(text) is not None
    asking = _ASKS.search(text) is not None
    field = named or _ABOUT.search(text) is not None
    if not asking and not (named and (group or _only(text))):
        return None
    if _CASE.search(text):
        return None
    left = _left(text)
    # 书香苑几点开门 speaks of nothing but a place: whether of one that has a station, the names decide.
    if not field and (not left or text.isascii()):
        return None
    kind = StationKind.POLLING if _POLLING.search(text) else StationKind.REGISTRATION
    return Asked(
        kind, named, _queries(text), left, where=_said(_WHERE, text), hours=_HOURS.search(text) is not None,
        own=_OWN.search(text) is not None, field=field, unreached=unreached(text),
    )  # fmt: skip


def unreached(words: str) -> bool:
    """Whether the words say that nobody answers the phone."""
    return _said(_UNREACHED, words)


def follows_up(words: str) -> bool:
    """Whether the words ask something of a station, and of nothing else, without naming it: 周日开吗."""
    text = unicodedata.normalize("NFKC", words).strip()
    if len(text) > LONGEST or _ASKS.search(text) is None or _CASE.search(text):
        return False
    return not _left(text) and not _GENERAL.search(_STATION.sub("", text))


def names_only(question: Asked, street: str) -> bool:
    """Whether a question names a street or town and no place in it."""
    return not _left(question.queries[0].replace(street, ""))


def looks_like_place(words: str) -> bool:
    """Whether words alone look like an estate, a road or a village."""
    return _PLACE_NAME.fullmatch(unicodedata.normalize("NFKC", words).strip()) is not None


def _said(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def _queries(text: str) -> tuple[str, ...]:
    found = _STATION.search(text)
    if text.isascii():
        return text, _left(text)
    # 书香苑登记站有没有坡道: what comes after the station says what is asked of it, and names nothing.
    # 书香苑现在开着吗: nor does what asks, wherever it stands.
    ways = (text, text[: found.end()] if found else "", _ASKS.sub("", text).strip("?？!！。"))
    return tuple(dict.fromkeys(way for way in ways if way))


def _only(text: str) -> bool:
    # 书香苑登记站: a place and a station, and nothing that asks anything else.
    named = _STATION.search(text)
    return named is not None and named.end() == len(text) <= 20 and not _DENIED.search(text)


def _left(text: str) -> str:
    rest = _FILLERS.sub("", _ASKS.sub("", _STATION.sub("", text)))
    if text.isascii():
        return " ".join(re.findall(r"[0-9A-Za-z-]+", rest))
    left = "".join(char for char in rest if char.isalnum() or char == "-")
    return left if _GENERIC.sub("", left) else ""
