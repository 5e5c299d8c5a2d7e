"""What is missing among the stations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import station_gaps, stations
from knowledge.stations import Station, StationKind
from office import units
from office.store import Store
from office.units import Unit, UnitKind
from tests.make import Cast

HOURS = [{"from": "2026-11-25", "to": "2026-12-05", "weekdays": "1-7", "spans": ["9:00-17:00"]}]


async def enter(
    session: AsyncSession, unit: Unit, code: str, neighbourhood: str = "", **more: object
) -> None:
    row = {
        "version": 1, "kind": StationKind.REGISTRATION, "code": code, "name": f"{code}登记站",
        "unit_id": unit.id,
        "neighbourhood": neighbourhood, "groups": [code], "address": f"书院路{code}号", "near": "",
        "directions": "", "hours": HOURS, "phone": "", "access": [], "note": "", "latitude": 31.0,
        "longitude": 121.9, "hidden": False, "hidden_why": "",
    }  # fmt: skip
    await session.execute(insert(Station), [row | more])


async def missing(session: AsyncSession) -> list[str]:
    return [unit.name for unit in await station_gaps.without_station(session)]


async def test_units_without_a_station(store: Store, cast: Cast) -> None:
    async with store.transaction() as session:
        await units.add(session, UnitKind.NEIGHBOURHOOD, "LJ1", "书香苑居委会", cast.riverside)
        await units.add(session, UnitKind.NEIGHBOURHOOD, "LJ2", "罗星居民区", cast.riverside)
        assert await missing(session) == ["临江街道", "书香苑居委会", "罗星居民区", "北塘镇"]
        # The street's own station serves the neighbourhood that its row names, and no other.
        await enter(session, cast.riverside, "12-03", "书香苑居委会")
        assert await missing(session) == ["罗星居民区", "北塘镇"]
        # A name counts only within the street: two towns may have a 罗星居民区.
        await enter(session, cast.north, "21-01", "罗星居民区")
        assert await missing(session) == ["罗星居民区"]


async def test_what_stations_lack(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await enter(session, cast.riverside, "12-03", hours=[])
        await enter(session, cast.riverside, "12-04", latitude=None, longitude=None)
        await enter(session, cast.riverside, "12-05")
        await enter(session, cast.north, "21-01")
    async with store.transaction() as session:
        station = await stations.by_code(session, StationKind.REGISTRATION, "21-01")
        await stations.hide(session, station, "停水", seen=station.version, actor=cast.wang_fang, now=now)
    async with store.reading() as session:
        found = await station_gaps.gaps(session)
        assert [station.code for station in found.without_hours] == ["12-03"]
        assert [station.code for station in found.without_position] == ["12-04"]
        assert [station.code for station in found.hidden] == ["21-01"]
        # A hidden station serves nobody.
        assert [unit.name for unit in found.units] == ["北塘镇"]
        assert found.count == 4


async def test_groups_that_nobody_serves(store: Store, cast: Cast) -> None:
    async with store.transaction() as session:
        district = await units.add(session, UnitKind.ELECTORAL_DISTRICT, "X12", "第12选区", cast.riverside)
        for code, name in (("12-03", "12-03组"), ("G2", "12选区4组"), ("12-10", "第10组"), ("G3", "无编号")):
            await units.add(session, UnitKind.VOTER_GROUP, code, name, district)
        await enter(session, cast.riverside, "12-03")
        assert (await station_gaps.gaps(session)).unserved == ("12-04", "12-10")
