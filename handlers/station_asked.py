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
_WHEN = (
    r"几点(?:钟)?|什么时[候间]|啥辰光|几时|开门|关门|开放|上班|下班|休息|营业|时间|开到|开着|开不开|开吗|中午|午休|晚上|"
    r"周[一二三四五六日末天]|星期[一二三四五六日天]|礼拜[一二三四五六日天]?|双休日?|节假日|"
    r"when|open(?:ing)?|hours|closed?|close"
)
_REACHED = r"电话|联系方式|号码|咨询|phone|number|call"
_EASY = r"坐什么车|轮椅|无障碍|坡道|电梯|停车|地铁|公交|wheelchair|lift|parking"
_ASKS = re.compile(f"{_WHERE}|{_WHEN}|{_REACHED}|{_EASY}", re.IGNORECASE)
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
    perhaps. `where`: it is the place that is asked for. `placelike`: what is left looks like one.
    """

    kind: StationKind | None
    named: bool
    queries: tuple[str, ...]
    left: str
    where: bool = False

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
    if not (named and (asking or group or _only(text))) and not (_ABOUT.search(text) and asking):
        return None
    if _CASE.search(text):
        return None
    kind = StationKind.POLLING if _POLLING.search(text) else StationKind.REGISTRATION
    where = re.search(_WHERE, text, re.IGNORECASE) is not None
    return Asked(kind, named, _queries(text), _left(text), where)


def _queries(text: str) -> tuple[str, ...]:
    found = _STATION.search(text)
    if text.isascii():
        return text, _left(text)
    # 书香苑登记站有没有坡道: what comes after the station says what is asked of it, and names nothing.
    return (text, text[: found.end()]) if found and found.start() else (text,)


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
