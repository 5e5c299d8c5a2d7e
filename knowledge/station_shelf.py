"""Stations as the console lists them: all of them, hidden ones too, and the changes that touched one."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import String, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.opening import Opening, opening
from knowledge.stations import Station, StationKind
from office import units
from office.changes import Change, ChangeKind
from office.errors import NotFound
from office.units import Unit, UnitKind

PAGE = 50
STREETS = (UnitKind.SUBDISTRICT, UnitKind.TOWN)
# What a list and a plot need: a row of everything else would make ten thousand stations a slow page.
_COLUMNS = tuple(
    getattr(Station, name)
    for name in (
        "id", "kind", "code", "name", "unit_id", "neighbourhood", "groups", "address", "near", "hours",
        "phone", "latitude", "longitude", "hidden", "hidden_why",
    )
)  # fmt: skip


class Standing(StrEnum):
    """How a station stands at one moment, one of these each."""

    OPEN = auto()
    CLOSED = auto()
    NO_HOURS = auto()
    HIDDEN = auto()


@dataclass(frozen=True, slots=True)
class Listed:
    """A station as a list shows it. `street` is its subdistrict or town, `opening` how it stands."""

    id: int
    kind: StationKind
    code: str
    name: str
    street: Unit
    neighbourhood: str
    groups: tuple[str, ...]
    address: str
    near: str
    phone: str
    latitude: float | None
    longitude: float | None
    standing: Standing
    opening: Opening
    hidden_why: str

    @property
    def position(self) -> tuple[float, float] | None:
        """Latitude and longitude, where both are known."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude


@dataclass(frozen=True, slots=True)
class Filter:
    """Which stations: words that stand in them, a street's row number, a kind, a standing."""

    words: str = ""
    street: int = 0
    kind: StationKind | None = None
    standing: Standing | None = None

    def fits(self, station: Listed) -> bool:
        """Whether all that was asked for is true of the station; words may stand in any of its fields."""
        if self.street and station.street.id != self.street:
            return False
        if self.kind is not None and station.kind is not self.kind:
            return False
        if self.standing is not None and station.standing is not self.standing:
            return False
        held = _folded(
            " ".join(
                (station.code, station.name, station.street.name, station.neighbourhood, station.address,
                 station.near, station.phone, *station.groups)
            )
        )  # fmt: skip
        return all(word in held for word in _folded(self.words).split())


async def everything(session: AsyncSession, *, now: datetime) -> list[Listed]:
    """All stations, registration stations before polling stations, by code."""
    tree = {unit.id: unit for unit in await units.all_units(session)}
    rows = await session.execute(select(*_COLUMNS).order_by(Station.kind.desc(), Station.code))
    return [_listed(row, tree, now) for row in rows]


def counted(stations: Iterable[Listed]) -> Counter[Standing | StationKind]:
    """How many there are of each standing and of each kind."""
    found: Counter[Standing | StationKind] = Counter()
    for station in stations:
        found[station.standing] += 1
        found[station.kind] += 1
    return found


async def get(session: AsyncSession, station_id: int) -> Station:
    """The station with this row number; raises `NotFound("station_unknown")`."""
    station = await session.get(Station, station_id)
    if station is None:
        raise NotFound("station_unknown")
    return station


async def street_of(session: AsyncSession, station: Station) -> Unit:
    """The subdistrict or town a station belongs to, or the unit itself where there is none over it."""
    return _street(station.unit_id, {unit.id: unit for unit in await units.all_units(session)})


@dataclass(frozen=True, slots=True)
class Touch:
    """What one change does to one station; None before: it is new, None after: it is removed."""

    change: Change
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


async def touches(session: AsyncSession, kind: StationKind, code: str) -> list[Touch]:
    """The changes that touch a station, newest first, whatever became of them."""
    # An import may hold thousands of rows; which ones name the code at all the database tells faster.
    named = cast(Change.content, String).contains(f'"{code}"', autoescape=True)
    rows = await session.scalars(
        select(Change).where(Change.kind == ChangeKind.STATIONS, named).order_by(Change.id.desc())
    )
    return [
        Touch(change, row["before"], row["after"])
        for change in rows
        for row in change.content["rows"]
        if (row["kind"], row["code"]) == (kind.value, code)
    ]


def _listed(row: Any, tree: Mapping[int, Unit], now: datetime) -> Listed:
    found = opening(row.hours, now)
    if row.hidden:
        standing = Standing.HIDDEN
    elif not found.known:
        standing = Standing.NO_HOURS
    else:
        standing = Standing.OPEN if found.open_now else Standing.CLOSED
    return Listed(
        id=row.id, kind=row.kind, code=row.code, name=row.name, street=_street(row.unit_id, tree),
        neighbourhood=row.neighbourhood, groups=tuple(row.groups), address=row.address, near=row.near,
        phone=row.phone, latitude=row.latitude, longitude=row.longitude, standing=standing, opening=found,
        hidden_why=row.hidden_why,
    )  # fmt: skip


def _street(unit_id: int, tree: Mapping[int, Unit]) -> Unit:
    line: Sequence[Unit] = [tree[int(part)] for part in tree[unit_id].path.strip(".").split(".")]
    return next((unit for unit in reversed(line) if unit.kind in STREETS), line[-1])


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
