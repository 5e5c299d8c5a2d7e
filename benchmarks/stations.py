"""Finding a station among many by words and by distance, against looking at every station.

The scans are not naive ones: words are compared by RapidFuzz's `partial_ratio` in one call for all stations,
distances are computed by numpy in one go. Both index and scan are asked the same and by turns.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rapidfuzz import fuzz, process

from knowledge.live import lexicon
from knowledge.station_index import Place, StationIndex
from knowledge.station_nearest import EARTH
from knowledge.stations import StationKind
from knowledge.text import plain

SIZE, SMALLER = 10_000, 1_000
QUERIES = 300
ROUNDS = 5
_BLOCK = 50
GOALS = {"stations_words": 0.02, "stations_distance": 0.5}

_FIRST = "书罗望百荷稻金银青兰松柏梅竹桃李杏枫江湖海河溪泉云霞星月晨曦春秋锦绣华丰安泰和顺吉祥如意长永新盛"
_SECOND = "香星潮花塘谷桥滩山湾林园庭轩阁台洲浦泾汇港渡桐榕樟榆柳莲菊桂棠芳菲雅韵涛波澜岚峰岭岗坡石"
_ENDS = ("苑", "花园", "新村", "小区", "公寓", "家园", "名苑", "里", "坊")
_NUMBERS = "甲乙丙丁"
_STREETS = tuple(
    f"{first}{second}街道"
    for first, second in zip("临和北南东西上下前后", "江兴塘港湾园桥洲岸山", strict=True)
)
_ASKED = (
    "{street} {estate}", "{estate}", "{street}{estate}", "我住{estate}3号楼，在哪里登记？", "{street} {typo}",
    "{typo}",
)  # fmt: skip

Ask = Callable[[Any], object]
Row = dict[str, Any]


def places(size: int) -> list[Place]:
    """Invented stations, the same for the same size: most estates have their own name, some share it."""
    dice = random.Random(size)
    return [_place(number, dice) for number in range(size)]


def _place(number: int, dice: random.Random) -> Place:
    street = dice.randrange(len(_STREETS))
    stem = dice.choice(_FIRST) + dice.choice(_SECOND)
    estate = stem + dice.choice(_ENDS)
    road = dice.choice(_FIRST) + dice.choice(_SECOND) + "路"
    code = f"{10 + number // 100}-{number % 100:02}"
    return Place(
        id=number + 1, version=1, kind=StationKind.REGISTRATION, code=code, name=f"{estate}居委会登记站",
        unit_id=street + 2, street=_STREETS[street], street_id=street + 2, above=("东浦区", _STREETS[street]),
        neighbourhood=f"{estate}居委会", groups=(code,), address=f"{road}{dice.randrange(1, 900)}号",
        near=f"{estate}、{stem}{dice.choice(_NUMBERS)}广场对面",
        directions="", hours=(), phone="", access=(), note="",
        latitude=round(31 + dice.gauss(0, 0.08), 6), longitude=round(121.9 + dice.gauss(0, 0.08), 6),
    )  # fmt: skip


def questions(found: Sequence[Place], count: int) -> list[tuple[str, Place]]:
    """Queries in words, one in three misspelt, each with the station it was made from."""
    dice = random.Random(len(found))
    made = []
    for number in range(count):
        place = dice.choice(found)
        estate = place.near.split("、")[0]
        typo = estate[0] + dice.choice(_SECOND) + estate[2:]
        asked = _ASKED[number % len(_ASKED)].format(street=place.street, estate=estate, typo=typo)
        made.append((asked, place))
    return made


def _positions(found: Sequence[Place], count: int) -> list[tuple[float, float]]:
    dice = random.Random(len(found))
    near = [dice.choice(found) for _ in range(count)]
    return [
        ((place.latitude or 0) + dice.gauss(0, 0.02), (place.longitude or 0) + dice.gauss(0, 0.02))
        for place in near
    ]


def scan_words(found: Sequence[Place]) -> Ask:
    """The five stations whose texts hold most of the words, by looking at every text."""
    texts = [plain(f"{p.street}{p.neighbourhood}{p.name}{p.near}{p.address}") for p in found]
    return lambda query: process.extract(plain(query), texts, scorer=fuzz.partial_ratio, limit=5)


def scan_distance(found: Sequence[Place]) -> Ask:
    """The three nearest stations, by computing every distance."""
    latitudes = np.radians([place.latitude or 0 for place in found])
    longitudes = np.radians([place.longitude or 0 for place in found])
    cosines = np.cos(latitudes)

    def ask(position: tuple[float, float]) -> object:
        latitude, longitude = np.radians(position[0]), np.radians(position[1])
        half = (
            np.sin((latitudes - latitude) / 2) ** 2
            + cosines * np.cos(latitude) * np.sin((longitudes - longitude) / 2) ** 2
        )
        metres = 2 * EARTH * np.arcsin(np.sqrt(half))
        best = np.argpartition(metres, 3)[:3]
        return best[np.argsort(metres[best])]

    return ask


def medians(asks: dict[str, tuple[Ask, Sequence[Any]]]) -> dict[str, float]:
    """Microseconds of processor time for a query, the median by name; all are asked by turns."""
    taken: dict[str, list[float]] = {name: [] for name in asks}
    for ask, asked in asks.values():
        for query in asked[:20]:
            ask(query)
    gc.collect()
    for _ in range(ROUNDS):
        for first in range(0, QUERIES, _BLOCK):
            for name, (ask, asked) in asks.items():
                for query in asked[first : first + _BLOCK]:
                    begun = time.perf_counter()
                    ask(query)
                    taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(seconds) * 1e6 for name, seconds in taken.items()}


def figures() -> list[Row]:
    """`stations_words` and `stations_distance` against scans, and the table with all ways at two sizes."""
    times = {size: _times(size) for size in (SMALLER, SIZE)}
    most = times[SIZE]
    rows = [
        _figure(
            "stations_words", "by words among 10,000, against comparing with each",
            most["words"], most["scan of words"],
        ),
        _figure(
            "stations_distance", "the three nearest among 10,000, against every distance",
            most["distance"], most["scan of distances"],
        ),
    ]  # fmt: skip
    table = [
        {
            "table": "stations", "way": name, "us_at_1000": round(times[SMALLER][name], 1),
            "us_at_10000": round(taken, 1), "growth": round(taken / times[SMALLER][name], 2),
            "to_by_code": round(taken / most["code"], 1),
        }
        for name, taken in most.items()
    ]  # fmt: skip
    return [*rows, *table]


def _times(size: int) -> dict[str, float]:
    found = places(size)
    index = StationIndex(found, lexicon=lexicon())
    asked = [query for query, _ in questions(found, QUERIES)]
    codes = [place.code for _, place in questions(found, QUERIES)]
    positions = _positions(found, QUERIES)
    return medians({
        "code": (index.by_code, codes),
        "code, as typed": (index.find, codes),
        "words": (index.by_words, asked),
        "scan of words": (scan_words(found), asked),
        "distance": (lambda position: index.near(*position), positions),
        "scan of distances": (scan_distance(found), positions),
    })  # fmt: skip


def _figure(name: str, what: str, ours: float, scan: float) -> Row:
    return {
        "name": name, "what": what, "ours": round(ours, 2), "reference": round(scan, 2),
        "ratio": round(ours / scan, 4), "goal": GOALS[name], "better": "less", "unit": "µs",
    }  # fmt: skip
