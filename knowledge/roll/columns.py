"""Column maps: under which headings and words a registration platform exports a roll. They are data.

A shipped one lies in `data/roll/`; any other platform is a YAML file of the same form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum, auto
from pathlib import Path
from typing import Final

from knowledge.pack_nodes import BadPack as BadPack
from knowledge.pack_nodes import Spot
from office.errors import Invalid

FOLDER: Final = Path(__file__).parent.parent.parent / "data" / "roll"
LARGEST: Final = 200_000
LONGEST_DISTRICT: Final = 80
_OF_UNITS: Final = ("kind", "parent", "office_name", "phone", "address", "hours_text")
"""What a unit may say besides in the file of a district."""
_AREA: Final = "{area}"
_DASHES: Final = str.maketrans(dict.fromkeys("‐‑‒–—―－﹣−", "-"))
_GROUP: Final = re.compile(r"([0-9]{1,3})-([0-9]{1,3})", re.ASCII)
_PART: Final = re.compile(r"[0-9]{1,3}", re.ASCII)
_STATION: Final = re.compile(r"[0-9A-Z][0-9A-Z-]{0,15}", re.ASCII)


class Field(StrEnum):
    """What is read of a row; every other column of the file is passed over."""

    NAME = auto()
    NUMBER = auto()
    STATUS = auto()
    UNIT = auto()
    DISTRICT = auto()
    AREA = auto()
    GROUP = auto()
    STATION = auto()


class Status(StrEnum):
    """What a status word means. Only the first two are carried, the last three are only counted."""

    REGISTERED = auto()
    ASK_STATION = auto()
    HOMETOWN = auto()
    WORKPLACE = auto()
    UNABLE = auto()


CARRIED: Final = (Status.REGISTERED, Status.ASK_STATION)
REASONS: Final = (Status.HOMETOWN, Status.WORKPLACE, Status.UNABLE)


class BadCell(Invalid):
    """A cell that is not what its column holds: `roll_row.unit`, `.district`, `.group`, `.station`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row belongs: its unit, and what a package carries."""

    unit: str
    district: str
    group: str
    station: str


@dataclass(frozen=True)
class Columns:
    """One platform's map.

    `headings` hold every form of a field's heading, `statuses` and `units` are looked up by `plain` words;
    a unit is known by its code and by its name, whichever the platform writes (`by_code`), and called by its
    name. `district` names an electoral district from the first half of the group number where the file has
    no column for it.
    """

    key: str
    name: str
    headings: Mapping[Field, tuple[str, ...]]
    needed: frozenset[Field]
    statuses: Mapping[str, Status]
    units: Mapping[str, str] = field(default_factory=dict)
    district: str = ""
    by_code: bool = False

    def status(self, text: str) -> Status | None:
        """What the status word means; None for a word that the map does not know."""
        return self.statuses.get(plain(text))

    def place(self, unit: str, district: str, area: str, group: str, station: str) -> Place:
        """The place that the cells of a row name; raises `BadCell`. Worth keeping: a file has few of them."""
        name = self.units.get(plain(unit))
        if name is None:
            raise BadCell("roll_row.unit")
        number = _joined(area, group) if Field.AREA in self.headings else _whole(group)
        if Field.DISTRICT in self.headings:
            place = " ".join(unicodedata.normalize("NFKC", district).split())
        else:
            place = self.district.replace(_AREA, number.split("-")[0].lstrip("0") or "0")
        if not place or len(place) > LONGEST_DISTRICT or not place.isprintable():
            raise BadCell("roll_row.district")
        return Place(name, place, number, _station(station))

    def with_units(self, path: Path) -> Columns:
        """The same map with the units of another file, for example a district's.

        Raises `BadPack`, `Invalid("roll_file.missing")`.
        """
        try:
            text, name = _text(path), path.name
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid("roll_file.missing", name=str(path)) from error
        for key, value in Spot.whole(text, name).pairs():
            if key.text() == "units":
                return replace(self, units=_units(value, _OF_UNITS))
        raise BadPack(name, 1, "pack_field_missing", word="units")


def plain(text: str) -> str:
    """A heading, a word or a name without what people write differently: width, spaces, case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def names() -> list[str]:
    """The maps that are shipped."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(which: str) -> Columns:
    """A shipped map by its name, or one's own by its path.

    Raises `BadPack` with file and line for a map that cannot be used, `Invalid("roll_file.no_map")` if
    there is none.
    """
    path = FOLDER / f"{which}.yaml" if which in names() else Path(which)
    try:
        text = _text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("roll_file.no_map", name=which, known="、".join(names())) from error
    return read(text, path.name)


def read(text: str, name: str) -> Columns:
    """The map in a YAML text; raises `BadPack`."""
    spots = Spot.whole(text, name).fields(("name", "columns", "statuses", "units"), ("district", "by_code"))
    headings = _headings(spots["columns"])
    district = spots["district"].wording() if "district" in spots else ""
    if (Field.DISTRICT in headings) is bool(district):
        raise spots.get("district", spots["columns"]).bad("roll_map.district")
    if district and (_AREA not in district or set(district.replace(_AREA, "")) & set("{}")):
        raise spots["district"].bad("roll_map.area")
    return Columns(
        key=Path(name).stem,
        name=spots["name"].wording(),
        headings=headings,
        needed=frozenset(headings) - {Field.STATION},
        statuses=_statuses(spots["statuses"]),
        units=_units(spots["units"]),
        district=district,
        by_code="by_code" in spots and spots["by_code"].flag(),
    )


def _text(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as file:
        return file.read(LARGEST)


def _headings(spot: Spot) -> dict[Field, tuple[str, ...]]:
    needed = (Field.NAME, Field.NUMBER, Field.STATUS, Field.UNIT, Field.GROUP)
    spots = spot.fields(needed, (Field.DISTRICT, Field.AREA, Field.STATION))
    once = _Once("roll_map.heading_twice")
    found = {}
    for key, value in spots.items():
        words = value.one_or_more()
        for word in words:
            once.take(word)
        found[Field(key)] = tuple(word.text().strip() for word in words)
    return found


def _statuses(spot: Spot) -> dict[str, Status]:
    once = _Once("roll_map.word_twice")
    return {
        once.take(one): Status(key)
        for key, value in spot.fields((Status.REGISTERED,), Status).items()
        for one in value.one_or_more()
    }


def _units(spot: Spot, others: tuple[str, ...] = ()) -> dict[str, str]:
    once = _Once("roll_map.unit_twice")
    found: dict[str, str] = {}
    for item in spot.items():
        fields = item.fields(("code", "name"), others)
        name = " ".join(fields["name"].wording().split())
        found[once.take(fields["code"])] = name
        if plain(name) not in found:  # a unit whose code is its name
            found[once.take(fields["name"])] = name
        elif found[plain(name)] != name or plain(name) != plain(fields["code"].text()):
            raise fields["name"].bad("roll_map.unit_twice", word=name)
    if not found:
        raise spot.bad("roll_map.no_units")
    return found


class _Once:
    """Takes each word once, in its plain form; `key` refuses the second."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._seen: set[str] = set()

    def take(self, spot: Spot) -> str:
        word = plain(spot.wording())
        if word in self._seen:
            raise spot.bad(self._key, word=spot.text())
        self._seen.add(word)
        return word


def _whole(group: str) -> str:
    found = _GROUP.fullmatch(plain(group).translate(_DASHES))
    if found is None:
        raise BadCell("roll_row.group")
    return _numbered(found[1], found[2])


def _joined(area: str, group: str) -> str:
    first, second = plain(area).removeprefix("第"), plain(group).removeprefix("第")
    for ending in ("大选区", "选区"):
        first = first.removesuffix(ending)
    for ending in ("选民小组", "小组", "组"):
        second = second.removesuffix(ending)
    if not _PART.fullmatch(first) or not _PART.fullmatch(second):
        raise BadCell("roll_row.group")
    return _numbered(first, second)


def _numbered(area: str, group: str) -> str:
    """12-03: at least two digits each, as the posted lists have them; there is no district or group 0."""
    if not int(area) or not int(group):
        raise BadCell("roll_row.group")
    return f"{int(area):02}-{int(group):02}"


def _station(text: str) -> str:
    code = plain(text).translate(_DASHES).upper()
    if code and not _STATION.fullmatch(code):
        raise BadCell("roll_row.station")
    return code
