"""Stations that are open on other days than those of the calendar."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from knowledge.milestones import Dates, K, KeyDate
from knowledge.station_days import fits, strays
from knowledge.stations import Station, StationKind
from office.store import Store
from tests.make import Cast

POLLING, REGISTRATION = StationKind.POLLING, StationKind.REGISTRATION


def on(first: str, last: str | None = None, weekdays: str = "1-7") -> dict[str, Any]:
    return {"from": first, "to": last or first, "weekdays": weekdays, "spans": ["7:00-20:00"]}


def a_station(kind: StationKind, *hours: dict[str, Any], code: str = "12-01", **more: Any) -> Station:
    fields: dict[str, Any] = {
        "kind": kind, "code": code, "name": "书香苑", "groups": [], "address": "示例路2号",
        "hours": list(hours), "access": [],
    }  # fmt: skip
    return Station(**fields | more)


def dates(voting: tuple[str, str] | None = None, *windows: tuple[str, str]) -> Dates:
    def spans(kind: K, found: list[tuple[str, str]]) -> list[KeyDate]:
        return [KeyDate(kind, date.fromisoformat(first), date.fromisoformat(last)) for first, last in found]

    made: Dates = {K.VOTING: spans(K.VOTING, [voting])} if voting else {}
    return made | ({K.REGISTRATION: spans(K.REGISTRATION, list(windows))} if windows else {})


@pytest.mark.parametrize(
    ("hours", "voting", "expected"),
    [
        ([on("2026-12-29")], ("2026-12-29", "2026-12-29"), True),
        ([on("2026-12-29")], ("2027-01-05", "2027-01-05"), False),
        ([on("2026-12-01", "2027-01-31", "1,3-7")], ("2027-01-05", "2027-01-05"), False),
        ([on("2027-01-05")], ("2027-01-05", "2027-01-06"), False),
        ([on("2027-01-05"), on("2027-01-06")], ("2027-01-05", "2027-01-06"), True),
        ([on("2026-12-29")], None, True),
    ],
)
def test_a_polling_station_is_open_on_every_voting_day(
    hours: list[dict[str, Any]], voting: tuple[str, str] | None, expected: bool
) -> None:
    assert fits(a_station(POLLING, *hours), dates(voting, ("2026-11-25", "2026-12-05"))) is expected


@pytest.mark.parametrize(
    ("hours", "windows", "expected"),
    [
        ([on("2026-11-20", "2026-11-25")], [("2026-11-25", "2026-12-05")], True),
        ([on("2026-11-20", "2026-11-24")], [("2026-11-25", "2026-12-05")], False),
        ([on("2026-11-20")], [("2026-11-25", "2026-12-05"), ("2026-11-18", "2026-11-20")], True),
        ([on("2026-11-20")], [], True),
    ],
)
def test_a_registration_station_is_open_on_some_day_of_a_window(
    hours: list[dict[str, Any]], windows: list[tuple[str, str]], expected: bool
) -> None:
    assert fits(a_station(REGISTRATION, *hours), dates(None, *windows)) is expected


async def test_hidden_stations_and_those_without_hours_contradict_nothing(store: Store, cast: Cast) -> None:
    unit = {"unit_id": cast.riverside.id}
    old = on("2026-10-01")
    async with store.transaction() as session:
        session.add_all(
            [
                a_station(REGISTRATION, old, code="12-01", **unit),
                a_station(POLLING, old, code="12-02", **unit),
                a_station(POLLING, code="12-03", **unit),
                a_station(POLLING, old, code="12-04", hidden=True, **unit),
            ]
        )
    async with store.reading() as session:
        found = await strays(session, dates(("2026-12-29", "2026-12-29"), ("2026-11-25", "2026-12-05")))
    assert [(one.kind, one.code) for one in found] == [(POLLING, "12-02"), (REGISTRATION, "12-01")]
