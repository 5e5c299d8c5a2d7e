"""Places by their spoken names, seen from one region: here, elsewhere in the region, or outside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from knowledge.pack_parts import RulePack

DATA = Path(__file__).parent.parent / "data" / "places.yaml"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KINDS = ("新区", "自治县", "街道", "地区", "省", "市", "区", "县", "镇", "乡", "岛")
_BY_KIND = re.compile(
    r"(?!我们|这个|那个|别的|同一|一个|哪个)[一-鿿]{2,5}?(?:省|自治区|自治州|自治县|(?<!本)(?<!外)县)"
)
_LONGEST = 12


class Where(StrEnum):
    """How a place lies to the office: INSIDE is the region without saying where in it."""

    HERE = auto()
    REGION = auto()
    INSIDE = auto()
    OUTSIDE = auto()
    SPECIAL = auto()


@dataclass(frozen=True, slots=True)
class Place:
    """A name that was recognised, and where it lies."""

    name: str
    where: Where


class Gazetteer:
    """The names that mean something to one region and one office.

    `local` are names of the own district and its parts, `neighbours` of other parts of the region.
    """

    def __init__(self, pack: RulePack, local: Iterable[str] = (), neighbours: Iterable[str] = ()) -> None:
        data = _data()
        own = {bare for name in (*pack.region, *pack.districts) for bare in _spoken(name)}
        outside = {
            bare
            for name in (*data["provinces"], *data["prefectures"], *data["counties"])
            for bare in _spoken(name)
        } - own
        names = dict.fromkeys(outside | set(data["spoken"]["outside"]), Where.OUTSIDE)
        # A town of the region with the name of a county outside it could be either.
        both = outside & set(pack.towns)
        names |= dict.fromkeys((town for town in pack.towns if town not in both), Where.REGION)
        names = {name: where for name, where in names.items() if name not in both}
        names |= {f"{town}{kind}": Where.REGION for town in pack.towns for kind in ("镇", "街道")}
        names |= dict.fromkeys(data["special"], Where.SPECIAL)
        names |= {bare: Where.REGION for name in pack.districts for bare in _spoken(name)}
        names |= dict.fromkeys(data["spoken"]["beside"], Where.REGION)
        names |= dict.fromkeys((*pack.region, *data["spoken"]["inside"]), Where.INSIDE)
        names |= {bare: Where.REGION for name in neighbours for bare in _spoken(name)}
        names |= dict.fromkeys(data["spoken"]["here"], Where.HERE)
        names |= {bare: Where.HERE for name in local for bare in _spoken(name)}
        self._names: Mapping[str, Where] = names

    def at_start(self, text: str) -> Place | None:
        """The place whose name begins the text, read on from the region into it: 上海市黄浦区."""
        found = self._longest(text[:length] for length in range(_LONGEST, 0, -1))
        if found is not None and found.where is Where.INSIDE:
            rest = text[len(found.name) :].removeprefix("市").removeprefix("省").removeprefix("的")
            return self._longest(rest[:length] for length in range(_LONGEST, 0, -1)) or found
        if found is None and (by_kind := _BY_KIND.match(text)):
            return Place(by_kind[0], Where.OUTSIDE)
        return found

    def at_end(self, text: str) -> Place | None:
        """The place whose name ends the text."""
        return self._longest(text[-length:] for length in range(_LONGEST, 0, -1))

    def _longest(self, parts: Iterable[str]) -> Place | None:
        return next((Place(part, self._names[part]) for part in parts if part in self._names), None)


@cache
def _data() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.load(DATA.read_text(encoding="utf-8"), Loader=LOADER)
    return found


def _spoken(name: str) -> Iterable[str]:
    """A name and what is left of it in speech: 黄浦 for 黄浦区, but nothing less than 中山市."""
    yield name
    for kind in _KINDS:
        bare = name.removesuffix(kind)
        if bare != name and len(bare) >= 2 and bare not in _data()["everyday"]:
            yield bare
            return
