"""What is missing among the stations: units without one, hours, positions, groups that nobody serves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.stations import Station
from office import units
from office.units import Unit, UnitKind, group_key, parse_group_no

_SERVED = (UnitKind.SUBDISTRICT, UnitKind.TOWN, UnitKind.NEIGHBOURHOOD)


@dataclass(frozen=True, slots=True)
class StationGaps:
    """What the office has still to see to. `unserved` are numbers of voter groups in the tree of units."""

    units: tuple[Unit, ...]
    without_hours: tuple[Station, ...]
    without_position: tuple[Station, ...]
    hidden: tuple[Station, ...]
    unserved: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many things are missing."""
        lists = (self.units, self.without_hours, self.without_position, self.hidden, self.unserved)
        return sum(map(len, lists))


async def gaps(session: AsyncSession) -> StationGaps:
    """All that is missing now."""
    stations = (await session.scalars(select(Station).order_by(Station.kind.desc(), Station.code))).all()
    tree = await units.all_units(session)
    shown = [station for station in stations if not station.hidden]
    return StationGaps(
        units=tuple(_without(tree, shown)),
        without_hours=tuple(station for station in shown if not station.hours),
        without_position=tuple(
            station for station in shown if station.latitude is None or station.longitude is None
        ),
        hidden=tuple(station for station in stations if station.hidden),
        unserved=tuple(_unserved(tree, shown)),
    )


async def without_station(session: AsyncSession) -> list[Unit]:
    """Subdistricts, towns and neighbourhoods in which nobody is shown a station of any kind."""
    shown = (await session.scalars(select(Station).where(Station.hidden.is_(False)))).all()
    return _without(await units.all_units(session), shown)


def unserved_units(tree: Iterable[Unit], stations: Iterable[tuple[str, str]]) -> list[Unit]:
    """The subdistricts, towns and neighbourhoods without a station, in the order of the tree.

    `stations` are the paths of stations' units with the neighbourhoods that they name: a neighbourhood is
    served by what stands in it, or names it in its street.
    """
    served, named = set(), set()
    for path, neighbourhood in set(stations):
        served |= set(_line(path))
        named.add((path, neighbourhood))

    def has_one(unit: Unit) -> bool:
        below = unit.kind is UnitKind.NEIGHBOURHOOD
        return unit.path in served or (below and any((path, unit.name) in named for path in _line(unit.path)))

    return [unit for unit in tree if unit.kind in _SERVED and not has_one(unit)]


def _without(tree: Sequence[Unit], shown: Iterable[Station]) -> list[Unit]:
    paths = {unit.id: unit.path for unit in tree}
    return unserved_units(tree, ((paths[station.unit_id], station.neighbourhood) for station in shown))


def _line(path: str) -> list[str]:
    """The path of a unit and those of all units above it."""
    parts = path.strip(".").split(".")
    return [f".{'.'.join(parts[:length])}." for length in range(1, len(parts) + 1)]


def _unserved(tree: Iterable[Unit], shown: Iterable[Station]) -> list[str]:
    served = {group_key(group) for station in shown for group in station.groups}
    groups = (
        parse_group_no(unit.code) or parse_group_no(unit.name)
        for unit in tree
        if unit.kind is UnitKind.VOTER_GROUP
    )
    return sorted({group for group in groups if group and group_key(group) not in served}, key=group_key)
