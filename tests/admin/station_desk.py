"""Stations for the tests of their pages: the demo's file, installed as an installation does it."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select

from knowledge import station_imports
from knowledge.stations import Station, StationKind
from office import units
from office.store import Store
from office.units import UnitKind
from tests.make import Cast

DEMO = Path(__file__).parents[2] / "data" / "demo" / "stations.csv"


def words(text: str) -> str:
    """The page as it is read: without tags, with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


async def installed(store: Store, cast: Cast, now: datetime) -> None:
    """和兴街道, and the stations of the demo's three streets."""
    async with store.transaction() as session:
        await units.add(session, UnitKind.SUBDISTRICT, "HX", "和兴街道", cast.district)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "stations.csv"
        path.write_text("\n".join(demo_rows()), encoding="utf-8")
        async with store.transaction() as session:
            await station_imports.install(session, path, now=now)


async def station(store: Store, code: str, kind: StationKind = StationKind.REGISTRATION) -> Station:
    """The station with this code."""
    async with store.reading() as session:
        return (
            await session.scalars(select(Station).where(Station.code == code, Station.kind == kind))
        ).one()


async def count(store: Store) -> int:
    """How many stations there are."""
    async with store.reading() as session:
        return len((await session.scalars(select(Station.id))).all())


def demo_rows() -> list[str]:
    """The lines of the demo's file, the heading first; the stations are open at the tests' moment already."""
    return DEMO.read_text(encoding="utf-8-sig").replace("2026-11-25", "2026-11-16").splitlines()


def a_file(lines: list[str], name: str = "登记站.csv") -> dict[str, Any]:
    """A file to be sent with a form."""
    return {"files": {"file": (name, "\n".join(lines).encode(), "text/csv")}}
