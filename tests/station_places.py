"""Invented stations for tests, written the short way; how the office enters them is tested elsewhere."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.stations import Station, StationKind, StationState
from office.store import count_up
from office.units import Unit
from tests.make import Cast

# Somewhere in the sea, where no invented place can be mistaken for a real one.
LATITUDE, LONGITUDE = 30.5, 125.0
HOURS = [
    {"from": "2026-11-16", "to": "2026-12-05", "weekdays": "1-5", "spans": ["9:00-11:30", "13:30-17:00"]},
    {"from": "2026-11-21", "to": "2026-12-05", "weekdays": "6,7", "spans": ["9:00-12:00"]},
]


async def a_station(
    session: AsyncSession, unit: Unit, code: str = "12-03", name: str = "书香苑居委会登记站", **changes: Any
) -> Station:
    """A registration station of 临江街道 or another unit, shown at once; `changes` replace columns."""
    columns: dict[str, Any] = {
        "kind": StationKind.REGISTRATION, "code": code, "name": name, "unit_id": unit.id,
        "neighbourhood": "书香苑", "groups": [code], "address": "临江路示例弄3号", "near": "书香苑小区北门",
        "directions": "公交示例1路到书香苑站", "hours": HOURS, "phone": "0000-11110003",
        "access": ["ramp", "glasses"], "note": "", "latitude": LATITUDE, "longitude": LONGITUDE,
        "hidden": False, "hidden_why": "",
    }  # fmt: skip
    station = Station(**(columns | changes))
    session.add(station)
    await count_up(session, StationState, {"id": 1}, "revision")
    await session.flush()
    return station


async def hide(session: AsyncSession, station: Station) -> None:
    """Take a station away."""
    found = await session.get_one(Station, station.id)
    found.hidden = True
    await count_up(session, StationState, {"id": 1}, "revision")


async def some_stations(session: AsyncSession, cast: Cast) -> None:
    """Three stations of 临江街道 at growing distances, and one of 北塘镇."""
    await a_station(session, cast.riverside)
    await a_station(
        session, cast.riverside, "12-04", "望江里居委会登记站", neighbourhood="望江里", near="望江里菜场对面",
        address="望江路示例8号", latitude=LATITUDE + 0.007, phone="0000-11110004", access=[],
    )  # fmt: skip
    await a_station(
        session, cast.riverside, "12-05", "听涛新村登记站", neighbourhood="听涛新村", near="听涛新村南门",
        address="听涛路示例9号", latitude=LATITUDE + 0.03, phone="", hours=[], access=[],
    )  # fmt: skip
    await a_station(
        session, cast.north, "21-01", "塘北村登记站", neighbourhood="塘北村", near="塘北村委会",
        address="塘北村示例1号", latitude=None, longitude=None, phone="0000-11112101",
    )  # fmt: skip
