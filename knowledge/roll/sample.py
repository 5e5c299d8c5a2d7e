"""Invented voters for trying everything: the same for a seed, under a region code that belongs to nobody.

Each row follows from the seed and its number alone. The first ones are sound, so that they can be looked up;
behind them, one in forty has a fault that a platform's export may have.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum, auto
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from knowledge.roll import receipts
from knowledge.roll.columns import Columns, Field, Place, Status
from knowledge.roll.identity import with_check

STATIONS: Final = Path(__file__).parent.parent.parent / "data" / "demo" / "stations.csv"
REGION: Final = "310199"
SOUND: Final = 400
ONE_IN: Final = 40
SEED: Final = 2026
_YOUNGEST: Final = date(2008, 11, 1)
"""Eighteen before the election day of the demo district; the oldest are ninety."""
_DAYS: Final = 26_280
_A_DAY: Final = 999
_STEP: Final = 7_368_787
"""Without a common divisor with `_DAYS * _A_DAY`: every number comes once."""
MOST: Final = _DAYS * _A_DAY
_SURNAMES: Final = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏"
    "魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛"
    "郝龚邵万钱严武"
)
_COMPOUND: Final = ("欧阳", "上官", "司马", "诸葛", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐")
_GIVEN: Final = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰萍红建国志文斌海云波辉宁鹏飞雪梅琳晨"
    "阳宇浩欣怡佳思雨子涵梓轩俊熙若诗语嘉懿瑞卿安康乐永成立新家宝德福贵春夏秋冬山川江河"
)
_RARE: Final = "犇喆堃翀赟珺淼𠮷㵘䒟𬬭𬭼"
_DOTTED: Final = (
    ("阿迪力", "买合木提"), ("古丽娜尔", "艾山"), ("扎西", "多吉"), ("木合塔尔", "吐尔逊"),
    ("热依汗", "努尔"), ("卓玛", "次仁"), ("艾力", "玉素甫"),
)  # fmt: skip


class Fault(StrEnum):
    """What is wrong with a row, on purpose."""

    CHECK = auto()
    SHAPE = auto()
    BIRTH = auto()
    OLD_FORM = auto()
    NAME = auto()
    STATUS = auto()
    UNIT = auto()
    GROUP = auto()
    TWICE = auto()
    TWICE_ACROSS = auto()
    OTHER_NAME = auto()
    MINOR = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """An invented voter as a platform would export them, with the code on their receipt.

    `wrong` is the word that stands in the row for a status, unit or group that nobody knows.
    """

    name: str
    number: str
    status: Status
    place: Place
    receipt: str
    fault: Fault | None = None
    wrong: str = ""


def voters(count: int, seed: int = SEED, places: Sequence[Place] | None = None) -> Iterator[Row]:
    """The first `count` invented voters, at most `MOST`; of the demo district, or of these places."""
    found = tuple(places or demo_places())
    for n in range(min(count, MOST)):
        yield _row(n, seed, found)


@cache
def demo_places() -> tuple[Place, ...]:
    """The groups of the demo district, each with the station that serves it."""
    found = []
    with STATIONS.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["类型"] == "登记站":
                for group in row["服务小组"].split("、"):
                    area = int(group.split("-")[0])
                    found.append(Place(row["所属街镇"], f"第{area}选区", group, row["编号"]))
    return tuple(found)


def places_of(columns: Columns) -> tuple[Place, ...]:
    """Places whose units a map knows: those of the demo district, else some for each of its units."""
    known = set(columns.units.values())
    if found := tuple(place for place in demo_places() if place.unit in known):
        return found
    return tuple(
        Place(unit, f"第{area}选区", f"{area:02}-{group:02}", f"{area:02}-{group:02}")
        for area, unit in enumerate(sorted(known), start=1)
        for group in range(1, 5)
    )


def cells(row: Row, columns: Columns) -> dict[Field, str]:
    """The row's cells under a map, by field."""
    place = row.place
    area, group = place.group.split("-")
    words = {status: word for word, status in reversed(list(columns.statuses.items()))}
    names = list(columns.units.items())
    unit = next((word for word, name in names if name == place.unit), place.unit).upper()
    fields = {
        Field.NAME: row.name,
        Field.NUMBER: row.number,
        Field.STATUS: words.get(row.status, next(iter(words.values()))),
        Field.UNIT: unit if columns.by_code else place.unit,
        Field.DISTRICT: place.district,
        Field.AREA: area,
        Field.GROUP: group if Field.AREA in columns.headings else place.group,
        Field.STATION: place.station,
    }
    for fault, field in ((Fault.STATUS, Field.STATUS), (Fault.UNIT, Field.UNIT), (Fault.GROUP, Field.GROUP)):
        if row.fault is fault:
            fields[field] = row.wrong
    return {field: fields[field] for field in columns.headings}


def _row(n: int, seed: int, places: Sequence[Place]) -> Row:
    sound = _sound(n, seed, places)
    if n < SOUND or n % ONE_IN != ONE_IN - 1:
        return sound
    faults = tuple(Fault)
    fault = faults[n // ONE_IN % len(faults)]
    return _spoilt(sound, fault, _sound(n - 7, seed, places), places)


def _sound(n: int, seed: int, places: Sequence[Place]) -> Row:
    chance = Random(f"{seed}:{n}")
    day, order = divmod((n + seed) * _STEP % MOST, _A_DAY)
    born = _YOUNGEST - timedelta(days=day + 1)
    body = "".join(chance.choice(receipts.ALPHABET) for _ in range(receipts.LENGTH - 1))
    return Row(
        _name(chance),
        with_check(f"{REGION}{born:%Y%m%d}{order + 1:03}"),
        _status(n, chance),
        chance.choice(places),
        body + receipts.check_symbol(body),
    )


def _status(n: int, chance: Random) -> Status:
    if n < SOUND:
        return Status.ASK_STATION if n % ONE_IN == 2 else Status.REGISTERED
    return chance.choices(list(Status), (94, 3, 1.5, 1, 0.5))[0]


def _name(chance: Random) -> str:
    kind = chance.random()
    if kind < 0.01:
        return f"{chance.choice(_DOTTED)[0]}·{chance.choice(_DOTTED)[1]}"
    given = "".join(chance.choice(_GIVEN) for _ in range(1 if chance.random() < 0.2 else 2))
    if kind < 0.02:
        given = given[:-1] + chance.choice(_RARE)
    return (chance.choice(_COMPOUND) if kind > 0.98 else chance.choice(_SURNAMES)) + given


def _spoilt(row: Row, fault: Fault, other: Row, places: Sequence[Place]) -> Row:
    """The row with one fault; `other` is a sound row that stands before it."""
    number = row.number
    match fault:
        case Fault.CHECK:
            return replace(row, number=number[:17] + ("1" if number[17] != "1" else "2"), fault=fault)
        case Fault.SHAPE:
            return replace(row, number=number[:16], fault=fault)
        case Fault.BIRTH:
            return replace(row, number=with_check(f"{number[:10]}0230{number[14:17]}"), fault=fault)
        case Fault.OLD_FORM:
            # Only those born before 2000 have numbers of fifteen digits.
            year = f"19{number[8:10]}" if number[6:8] == "19" else "1970"
            return replace(row, number=f"{number[:6]}{year[2:]}{number[10:17]}", fault=fault)
        case Fault.MINOR:
            return replace(row, number=with_check(f"{REGION}20150401{number[14:17]}"), fault=fault)
        case Fault.NAME:
            return replace(row, name=f"{row.name}2", fault=fault)
        case Fault.STATUS:
            return replace(row, fault=fault, wrong="？？")
        case Fault.UNIT:
            return replace(row, fault=fault, wrong="云外街道")
        case Fault.GROUP:
            return replace(row, fault=fault, wrong="三组")
    first = replace(other, receipt=row.receipt, fault=fault)
    if fault is Fault.OTHER_NAME:
        return replace(first, name=row.name)
    same = fault is Fault.TWICE
    home = other.place
    others = (place for place in places if (place.district == home.district) is same and place != home)
    return replace(first, place=next(others, home))
