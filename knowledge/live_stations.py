"""The stations that are shown, in memory, as new as each question."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.live import lexicon
from knowledge.station_index import Place, StationIndex
from knowledge.stations import Station, StationState
from office.units import Unit, UnitKind

log = logging.getLogger(__name__)

# An index of so few stations is built anew in less time than anybody notices.
SMALL = 300
STREETS = (UnitKind.SUBDISTRICT, UnitKind.TOWN)
_AT_ONCE = 500
_COLUMNS = tuple(
    getattr(Station, name)
    for name in (
        "id", "version", "kind", "code", "name", "unit_id", "neighbourhood", "groups", "address", "near",
        "directions", "hours", "phone", "access", "note", "latitude", "longitude",
    )
)  # fmt: skip


class LiveStations:
    """The stations in memory. Each look checks the revision first, so what was published or hidden in any
    process holds with the next question.

    A few stations are indexed at once. For many, what was hidden, changed or removed is left out at once, and
    an index with the new state is built in a thread while the present one goes on answering.
    """

    def __init__(self) -> None:
        self.index = StationIndex(())
        self._revision = -1
        self._places: dict[int, Place] = {}
        self._units: tuple[tuple[int, str], ...] = ()
        self._building: asyncio.Future[StationIndex] | None = None
        self._behind = False
        self._lock = asyncio.Lock()

    async def refresh(self, session: AsyncSession) -> None:
        """Take over what has changed since the last look. An older snapshot changes nothing."""
        self._adopt()
        if await _revision(session) <= self._revision:
            return
        async with self._lock:
            revision = await _revision(session)
            if revision > self._revision:
                await self._take_over(session, revision)

    async def settle(self) -> None:
        """Wait for an index that is being built, and let it take over."""
        while self._building is not None:
            await asyncio.wait([self._building])
            self._adopt()

    async def _take_over(self, session: AsyncSession, revision: int) -> None:
        rows = await session.execute(select(Station.id, Station.version).where(Station.hidden.is_(False)))
        shown = {row.id: row.version for row in rows}
        stale = {i for i, place in self._places.items() if shown.get(i) != place.version}
        wanted = [i for i, version in shown.items() if i in stale or i not in self._places]
        units = {unit.id: unit for unit in await session.scalars(select(Unit))}
        fresh = [place(row, units) for row in await _rows(session, wanted, len(wanted) == len(shown))]
        # Everything has been read: from here on nothing can fail in between.
        first = self._revision < 0
        for station_id in stale:
            del self._places[station_id]
        self._places.update((found.id, found) for found in fresh)
        self._units = tuple((unit.id, unit.name) for unit in units.values() if unit.kind in STREETS)
        self._revision = revision
        if len(self._places) <= SMALL:
            self.index, self._behind, self._building = self._built(), False, None
            return
        self.index = self.index.without(stale)
        self._behind = True
        self._build()
        if first:
            await self.settle()

    def _built(self) -> StationIndex:
        return StationIndex(list(self._places.values()), self._units, lexicon())

    def _build(self) -> None:
        if self._building is None and self._behind:
            self._behind = False
            loop = asyncio.get_running_loop()
            self._building = loop.run_in_executor(
                None, StationIndex, list(self._places.values()), self._units, lexicon()
            )

    def _adopt(self) -> None:
        """Put the index that was built aside in the place of the present one, if it is finished."""
        if self._building is None or not self._building.done():
            return
        built, self._building = self._building, None
        try:
            index = built.result()
        except Exception:
            log.exception("the stations could not be indexed, the present index stays")
            return
        # What was changed or hidden while it was being built is not shown from it.
        self.index = index.without(
            found.id for found in index.places if self._places.get(found.id) is not found
        )
        self._build()


def place(row: Any, units: Mapping[int, Unit]) -> Place:
    """The frozen copy of a station's row (or of its columns), with the names of its units."""
    line = [units[int(part)] for part in units[row.unit_id].path.strip(".").split(".")]
    street = next((unit for unit in reversed(line) if unit.kind in STREETS), line[-1])
    return Place(
        id=row.id, version=row.version, kind=row.kind, code=row.code, name=row.name, unit_id=row.unit_id,
        street=street.name, street_id=street.id, above=tuple(unit.name for unit in line),
        neighbourhood=row.neighbourhood, groups=tuple(row.groups), address=row.address, near=row.near,
        directions=row.directions, hours=tuple(row.hours), phone=row.phone, access=tuple(row.access),
        note=row.note, latitude=row.latitude, longitude=row.longitude,
    )  # fmt: skip


async def _revision(session: AsyncSession) -> int:
    return int((await session.execute(select(StationState.revision))).scalar_one())


async def _rows(session: AsyncSession, wanted: Sequence[int], everything: bool) -> Iterable[Any]:
    if everything:
        return (await session.execute(select(*_COLUMNS).where(Station.hidden.is_(False)))).all()
    found: list[Any] = []
    for first in range(0, len(wanted), _AT_ONCE):
        chunk = wanted[first : first + _AT_ONCE]
        found += (await session.execute(select(*_COLUMNS).where(Station.id.in_(chunk)))).all()
    return found
