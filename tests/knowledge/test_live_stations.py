"""Stations in memory: what was published or hidden anywhere holds with the next question."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import insert

from knowledge import live_stations, stations
from knowledge.live_stations import LiveStations
from knowledge.station_index import Found, Place, StationIndex, find
from knowledge.stations import Station, StationKind, new_revision
from office.store import Store
from tests.make import Cast

ESTATES = ("书香苑", "罗星新村", "望潮苑", "阳光花园", "荷塘月色苑")


async def enter(store: Store, cast: Cast, estates: tuple[str, ...] = ESTATES, first: int = 1) -> None:
    """Stations as an import writes them."""
    async with store.transaction() as session:
        revision = await new_revision(session)
        rows = [
            {
                "version": revision, "kind": StationKind.REGISTRATION, "code": f"12-{number:02}",
                "name": f"{estate}居委会登记站", "unit_id": cast.riverside.id,
                "neighbourhood": f"{estate}居委会", "groups": [f"12-{number:02}"],
                "address": f"书院路{number}号", "near": estate, "directions": "",
                "hours": [], "phone": "", "access": [], "note": "", "latitude": 31.0 + number / 1000,
                "longitude": 121.9, "hidden": False, "hidden_why": "",
            }
            for number, estate in enumerate(estates, start=first)
        ]  # fmt: skip
        await (await session.connection()).execute(insert(Station.__table__), rows)


async def refresh(store: Store, live: LiveStations) -> None:
    async with store.reading() as session:
        await live.refresh(session)


async def turn(store: Store, cast: Cast, code: str, now: datetime, *, hide: bool) -> None:
    async with store.transaction() as session:
        station = await stations.by_code(session, StationKind.REGISTRATION, code)
        if hide:
            await stations.hide(session, station, "停水", seen=station.version, actor=cast.wang_fang, now=now)
        else:
            await stations.show(session, station, seen=station.version, actor=cast.wang_fang, now=now)


def codes(live: LiveStations) -> list[str]:
    return [place.code for place in live.index.places]


async def test_before_anything_is_published_there_is_nothing(store: Store, cast: Cast) -> None:
    live = LiveStations()
    assert live.index.places == ()
    await refresh(store, live)
    assert live.index.places == ()


async def test_the_next_question_knows_of_every_change(store: Store, cast: Cast, now: datetime) -> None:
    live = LiveStations()
    await enter(store, cast)
    await refresh(store, live)
    assert codes(live) == ["12-01", "12-02", "12-03", "12-04", "12-05"]
    place = live.index.places[0]
    assert (place.street, place.street_id, place.above) == (
        "临江街道",
        cast.riverside.id,
        ("东浦区", "临江街道"),
    )
    await turn(store, cast, "12-02", now, hide=True)
    await enter(store, cast, ("百花新村",), first=6)
    assert codes(live) == ["12-01", "12-02", "12-03", "12-04", "12-05"]
    await refresh(store, live)
    assert codes(live) == ["12-01", "12-03", "12-04", "12-05", "12-06"]
    await turn(store, cast, "12-02", now, hide=False)
    await refresh(store, live)
    assert codes(live)[1] == "12-02"


async def test_units_without_a_station_can_be_named(store: Store, cast: Cast) -> None:
    live = LiveStations()
    await enter(store, cast)
    await refresh(store, live)
    outcome = find(live.index, "北塘镇登记站")
    assert getattr(outcome, "unit_id", None) == cast.north.id


async def test_without_a_change_nothing_is_built(store: Store, cast: Cast) -> None:
    live = LiveStations()
    await enter(store, cast)
    await refresh(store, live)
    before = live.index
    await refresh(store, live)
    assert live.index is before


async def test_an_older_view_changes_nothing(store: Store, cast: Cast, now: datetime) -> None:
    live = LiveStations()
    await enter(store, cast)
    async with store.reading() as early:
        await live.refresh(early)
        await turn(store, cast, "12-02", now, hide=True)
        await refresh(store, live)
        assert "12-02" not in codes(live)
        if store.sqlite:  # there a reading keeps what it saw first
            await live.refresh(early)
            assert "12-02" not in codes(live)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Counts any number of stations as many; an index is finished only once this is set."""
    opened = threading.Event()
    opened.set()

    class Slow(StationIndex):
        def __init__(self, places: Iterable[Place], *more: Any) -> None:
            opened.wait(10)
            super().__init__(places, *more)

    monkeypatch.setattr(live_stations, "SMALL", 0)
    monkeypatch.setattr(live_stations, "StationIndex", Slow)
    yield opened
    opened.set()


async def test_while_another_index_is_built_the_present_one_answers(
    store: Store, cast: Cast, now: datetime, gate: threading.Event
) -> None:
    live = LiveStations()
    await enter(store, cast)
    await refresh(store, live)
    gate.clear()
    await enter(store, cast, ("百花新村",), first=6)
    await refresh(store, live)
    assert codes(live) == ["12-01", "12-02", "12-03", "12-04", "12-05"]
    # What is hidden meanwhile is gone at once, from the present index and from the one that is being built.
    await turn(store, cast, "12-03", now, hide=True)
    await refresh(store, live)
    assert codes(live) == ["12-01", "12-02", "12-04", "12-05"]
    gate.set()
    await live.settle()
    assert codes(live) == ["12-01", "12-02", "12-04", "12-05", "12-06"]
    assert isinstance(find(live.index, "百花新村"), Found)


async def test_an_index_that_cannot_be_built_leaves_the_present_one(
    store: Store, cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    live = LiveStations()
    await enter(store, cast)
    await refresh(store, live)

    def broken(*_: object) -> StationIndex:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(live_stations, "SMALL", 0)
        patched.setattr(live_stations, "StationIndex", broken)
        await enter(store, cast, ("百花新村",), first=6)
        await refresh(store, live)
        await live.settle()
    assert codes(live) == ["12-01", "12-02", "12-03", "12-04", "12-05"]
    assert "could not be indexed" in caplog.text


async def test_a_row_number_that_is_used_again_is_another_station(
    store: Store, cast: Cast, now: datetime
) -> None:
    """SQLite gives the number of the last row away again once it is gone."""
    live = LiveStations()
    await enter(store, cast)
    await refresh(store, live)
    async with store.transaction() as session:
        last = await stations.by_code(session, StationKind.REGISTRATION, "12-05")
        await session.delete(last)
        await new_revision(session)
    await enter(store, cast, ("百花新村",), first=5)
    await refresh(store, live)
    place = live.index.by_code("12-05")
    assert place is not None
    assert place.near == "百花新村"
