"""Where a draft answer says something that the approved text, or the calendar in force, says differently.

A draft may leave out what it likes. What it adds is told only where it is a day, an hour, a number, an
article or a telephone number: there a wrong one does harm. Nothing is decided here: whoever wrote it looks.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto

from knowledge.figures import SPANS, Figure, FigureKind, plain, read, weekdays
from knowledge.milestones import DateKind, KeyDate
from knowledge.moods import NEGATIVE, Mood, Said, likeness, pairs, statements


class DifferenceKind(StrEnum):
    """What a draft and the approved text differ in."""

    DATE = auto()
    TIME = auto()
    NUMBER = auto()
    ARTICLE = auto()
    PHONE = auto()
    BOUND = auto()
    NAME = auto()
    NEGATION = auto()
    CALENDAR = auto()
    FOREIGN = auto()
    OLDER = auto()


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what the draft says, and what stands in its place; empty where nothing does."""

    kind: DifferenceKind
    yours: str
    approved: str


Calendar = Mapping[DateKind, Sequence[KeyDate]]

K = DateKind
_ALIKE = 0.6
_CLEARLY = 0.35
_SAME_MATTER = 0.5
_BARE_MATTER = 0.75
_WEIGHT_OF_CONTEXT = 0.3
_EPSILON = 0.05
_LONGEST = 40
# Whom one has to turn to. One's own office and its greeting are no such name.
_ORGANS = (
    "派出所", "登记站", "投票站", "居委会", "居民委员会", "村委会", "村民委员会", "街道办事处", "镇政府",
    "人民法院", "检察院", "民政局", "公安局", "受理中心", "信访办", "人大常委会", "选举委员会",
    "工作单位", "用人单位", "物业", "学校", "户口所在地", "现居住地", "居住地",
)  # fmt: skip
_SAME_ORGAN = {
    "居民委员会": "居委会", "村民委员会": "村委会", "用人单位": "工作单位", "现居住地": "居住地",
}  # fmt: skip
_OWN = re.compile(r"选举委员会办公室|选举办公室|选举办|(?:这里|这边|我们|我)是[^，,。；;\n]{0,20}")
_LAW = re.compile("《([^《》]{2,40})》")
_EVENT = re.compile(
    "(?P<what>[一-鿿]{2})(?:(?P<before>以前|之前|前(?![往来台面后期]|提(?!出|交)))|(?P<after>以后|之后|后(?![面来续果台期])))"
)
_NO_EVENT = re.compile("[目当提眼先最今然随落背此日号年月周天岁时点内外以之]$")
# What a clause with a day is about; two of them in one clause tell nothing.
_ABOUT: tuple[tuple[tuple[DateKind, ...], re.Pattern[str]], ...] = (
    ((K.VOTING,), re.compile("投票|选举日|领票|领选票")),
    ((K.LIST_POSTED,), re.compile("名单公布|公布名单|公布选民名单|张榜|红榜")),
    ((K.APPEALS_CLOSE,), re.compile("申诉")),
    ((K.SUITS_CLOSE,), re.compile("起诉")),
    ((K.LIST_AMENDED,), re.compile("补正")),
    ((K.REGISTRATION, K.REGISTRATION_CLOSES, K.REGISTRATION_OPENS), re.compile("登记(?!站|员|表|证|卡|号)")),
)
_ENDS = re.compile("截止|截至|为止|最后|最迟|最晚|结束|到期|之前|以前|前")
_KINDS = {
    FigureKind.DATE: DifferenceKind.DATE,
    FigureKind.TIME: DifferenceKind.TIME,
    FigureKind.NUMBER: DifferenceKind.NUMBER,
    FigureKind.ARTICLE: DifferenceKind.ARTICLE,
    FigureKind.PHONE: DifferenceKind.PHONE,
}


def differences(
    draft: str, approved: str, *, names: Collection[str] = (), dates: Calendar | None = None
) -> tuple[Difference, ...]:
    """Everything in which `draft` differs from `approved`, each thing once, in the order of the kinds.

    `approved` is all that the office has said of the matter: short and long text, steps, basis, its own phone
    and hours. `names` are the units' names, looked for as they are. `dates` are the key dates of the calendar
    in force: a day that stands there for its own matter needs no other source.
    """
    calendar = dates or {}
    yours, theirs = read(draft), read(approved)
    found = [
        *_figures(yours, theirs, calendar),
        *_bounds(yours, theirs),
        *_weekdays(draft, approved),
        *_laws(draft, approved),
        *_names(draft, approved, names),
        *_events(draft, approved),
        *_negations(draft, approved),
        *_calendar(yours, theirs, calendar),
    ]
    return tuple(dict.fromkeys(found))


def same(one: Figure, other: Figure) -> bool:
    """Whether two figures mean the same: a year, or an area code, may be missing on one side."""
    if one.kind is not other.kind or (one.unit != other.unit and one.kind is not FigureKind.PHONE):
        return False
    if one.kind is FigureKind.PHONE:
        return one.unit.endswith(other.unit) or other.unit.endswith(one.unit)
    if one.kind is FigureKind.DATE:
        years = {one.value[0], other.value[0]} - {0}
        # 11月 alone says no more than 11月25日 does.
        days = {one.value[2], other.value[2]}
        return len(years) < 2 and one.value[1] == other.value[1] and (len(days) == 1 or one.value[2] == 0)
    return one.value == other.value


def _figures(yours: Sequence[Figure], theirs: Sequence[Figure], dates: Calendar) -> Iterator[Difference]:
    for figure in yours:
        alike = [other for other in theirs if other.kind is figure.kind and _comparable(figure, other)]
        equal = [other for other in alike if same(figure, other)]
        if equal:
            if (other := _exchanged(figure, alike, equal)) is not None:
                yield Difference(_KINDS[figure.kind], figure.words, other.words)
            continue
        if figure.kind is FigureKind.DATE and _in_calendar(figure, dates):
            continue
        if figure.weak and not figure.bound and all(other.unit != figure.unit for other in alike):
            continue
        free = [other for other in alike if not any(same(mine, other) for mine in yours)] or alike
        best = max(free, key=lambda other: _near(figure, other), default=None)
        yield Difference(_KINDS[figure.kind], figure.words, best.words if best else "")


def _comparable(one: Figure, other: Figure) -> bool:
    if one.kind is not FigureKind.NUMBER:
        return one.kind is not FigureKind.ARTICLE or one.unit == other.unit
    if one.unit == other.unit:
        return True
    # 一个月内 stands in the place of 5日内; 住满4年 does not.
    alike = one.value == other.value or (one.bound and one.bound == other.bound)
    return bool(alike) and one.unit in SPANS and other.unit in SPANS


def _near(one: Figure, other: Figure) -> float:
    near = likeness(pairs(one.clause), pairs(other.clause))
    return near + (1 if one.unit == other.unit else 0) + (0.5 if one.value == other.value else 0)


def _exchanged(figure: Figure, alike: Sequence[Figure], equal: Sequence[Figure]) -> Figure | None:
    """The figure that stands in this one's place in the approved text, where that has both (5日, 3日)."""
    if figure.kind not in (FigureKind.NUMBER, FigureKind.DATE, FigureKind.TIME):
        return None
    around = pairs(figure.clause)
    own = max(likeness(around, pairs(other.clause)) for other in equal)
    others = [other for other in alike if not same(figure, other) and other.unit == figure.unit]
    best = max(others, key=lambda other: likeness(around, pairs(other.clause)), default=None)
    if best is None or len(around) < 2 or len(pairs(best.clause)) < 2:
        return None
    there = likeness(around, pairs(best.clause))
    return best if there >= _ALIKE and there - own >= _CLEARLY else None


def _bounds(yours: Sequence[Figure], theirs: Sequence[Figure]) -> Iterator[Difference]:
    for figure in yours:
        equal = [other for other in theirs if same(figure, other)]
        bounds = {other.bound for other in equal}
        if figure.bound and equal and figure.bound not in bounds and "" not in bounds:
            yield Difference(DifferenceKind.BOUND, _shown(figure), _shown(equal[0]))


def _shown(figure: Figure) -> str:
    before, _, after = figure.clause.partition("\0")
    return f"{before[-4:]}{figure.words}{after[:3]}".replace("\0", "").strip("()、 ")


def _weekdays(draft: str, approved: str) -> Iterator[Difference]:
    yours, theirs = weekdays(draft), weekdays(approved)
    if theirs and (wrong := yours - theirs):
        kept = sorted(theirs - yours) or sorted(theirs)
        yield Difference(
            DifferenceKind.DATE, "、".join(f"周{d}" for d in sorted(wrong)), "、".join(f"周{d}" for d in kept)
        )


def _laws(draft: str, approved: str) -> Iterator[Difference]:
    known = plain(approved).replace("《", "").replace("》", "")
    laws = _LAW.findall(plain(approved))
    for law in _LAW.findall(plain(draft)):
        short = law.removeprefix("中华人民共和国")
        if short not in known and not any(short.endswith(other) for other in laws):
            yield Difference(DifferenceKind.ARTICLE, f"《{law}》", f"《{laws[0]}》" if laws else "")


def _names(draft: str, approved: str, names: Collection[str]) -> Iterator[Difference]:
    texts = [_OWN.sub("", plain(text)) for text in (draft, approved)]
    for words in (_ORGANS, sorted(names, key=len, reverse=True)):
        yours, theirs = (_held(text, words) for text in texts)
        added, missing = yours - theirs, theirs - yours
        if added and missing and not yours & theirs:
            yield Difference(DifferenceKind.NAME, "、".join(sorted(added)), "、".join(sorted(missing)))


def _held(text: str, words: Sequence[str]) -> set[str]:
    found = set()
    for name in sorted(words, key=len, reverse=True):
        if name in text:
            found.add(_SAME_ORGAN.get(name, name))
            text = text.replace(name, "\0")
    return found


def _events(draft: str, approved: str) -> Iterator[Difference]:
    """投票以前 and 投票以后: on which side of something without a date."""
    theirs: dict[str, set[str]] = {}
    shown: dict[tuple[str, str], str] = {}
    for what, side, words in _sides(approved):
        theirs.setdefault(what, set()).add(side)
        shown[what, side] = words
    for what, side, words in _sides(draft):
        if (sides := theirs.get(what)) and side not in sides:
            yield Difference(DifferenceKind.BOUND, words, shown[what, next(iter(sides))])


def _sides(text: str) -> Iterator[tuple[str, str, str]]:
    for match in _EVENT.finditer(plain(text)):
        if not _NO_EVENT.search(match["what"]):
            yield match["what"], "before" if match["before"] else "after", match[0]


def _negations(draft: str, approved: str) -> Iterator[Difference]:
    theirs = statements(approved)
    for said in statements(draft):
        same_way, other_way, best = 0.0, 0.0, ""
        for other in theirs:
            value = _matching(said, other)
            if value <= 0:
                continue
            if _agree(said.mood, other.mood):
                same_way = max(same_way, value)
            elif value > other_way:
                other_way, best = value, other.words
        if other_way > same_way + _EPSILON:
            yield Difference(DifferenceKind.NEGATION, said.words[:_LONGEST], best[:_LONGEST])


def _agree(one: Mood, other: Mood) -> bool:
    if (one in NEGATIVE) != (other in NEGATIVE):
        return False
    # What is demanded is not merely allowed, and what is forbidden is not merely spared.
    return {one, other} not in ({Mood.MUST, Mood.CAN}, {Mood.CANNOT, Mood.NEED_NOT})


def _matching(said: Said, other: Said) -> float:
    """How much two statements are about the same; 0 where that is too little to compare them."""
    bare = Mood.IS in (said.mood, other.mood) or Mood.IS_NOT in (said.mood, other.mood)
    one, two = pairs(said.matter), pairs(other.matter)
    shared = likeness(one, two)
    if bare:
        # A clause without such a word holds its matter and its context in one.
        whole, whole_other = pairs(f"{_own(said)}{said.matter}"), pairs(f"{_own(other)}{other.matter}")
        shared = max(shared if len(one) > 1 and len(two) > 1 else 0.0, _both(whole, whole_other))
        if _both(whole, whole_other) < _BARE_MATTER and _both(one, two) < _BARE_MATTER:
            return 0.0
    elif shared < _SAME_MATTER or (min(len(one), len(two)) < 2 and one != two):
        return 0.0
    return shared + _WEIGHT_OF_CONTEXT * _both(pairs(said.context), pairs(other.context))


def _own(said: Said) -> str:
    return said.context.partition("\0")[2]


def _both(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def _calendar(yours: Sequence[Figure], theirs: Sequence[Figure], dates: Calendar) -> Iterator[Difference]:
    """A day said of something for which the calendar in force has another one."""
    for figure in yours:
        if figure.kind is not FigureKind.DATE or not figure.value[2]:
            continue
        kinds = _about(figure.clause)
        known = [one for kind in kinds for one in dates.get(kind, ())]
        if not known or any(_stands(figure, one) for one in known):
            continue
        if any(same(figure, other) and _about(other.clause) == kinds for other in theirs):
            continue
        last = known[0].last
        yield Difference(DifferenceKind.CALENDAR, figure.words, f"{last.month}月{last.day}日")


def _about(clause: str) -> tuple[DateKind, ...]:
    found = [kinds for kinds, words in _ABOUT if words.search(clause)]
    return found[0] if len(found) == 1 else ()


def _stands(figure: Figure, known: KeyDate) -> bool:
    year, month, day = (int(part) for part in figure.value)
    days = {(known.first.month, known.first.day), (known.last.month, known.last.day)}
    if year and year not in (known.first.year, known.last.year):
        return False
    if (month, day) in days:
        return True
    first, last = (known.first.month, known.first.day), (known.last.month, known.last.day)
    if known.latest or known.opens is not None:
        # 最迟12月9日: an earlier day is no contradiction unless it is called the last.
        return (month, day) < last and not _ENDS.search(figure.clause)
    return first <= (month, day) <= last and not _ENDS.search(figure.clause)


def _in_calendar(figure: Figure, dates: Calendar) -> bool:
    kinds = _about(figure.clause)
    known = [one for kind in kinds or dates for one in dates.get(kind, ())]
    return any(
        (one.month, one.day) == tuple(figure.value[1:]) and figure.value[0] in (0, one.year)
        for entry in known
        for one in (entry.first, entry.last)
    ) or any(_stands(figure, entry) and kinds for entry in known)
