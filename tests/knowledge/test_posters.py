"""What posters carry, and how arrivals by them are counted."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import posters
from knowledge.posters import Scan, Tally
from knowledge.stations import PosterCount
from office.store import Store

CODES = st.from_regex(r"[0-9]{2,3}-[0-9]{2,3}", fullmatch=True)
SOURCES = st.from_regex(r"[0-9a-z]{1,8}", fullmatch=True)


def test_a_posters_link() -> None:
    assert posters.payload("12-03", "p07") == "st_12-03__p07"
    assert posters.payload("12-03") == "st_12-03"
    assert posters.scanned("st_12-03__p07") == Scan("12-03", "p07")
    assert posters.scanned("st_112-003") == Scan("112-003")


@given(code=CODES, source=st.one_of(st.just(""), SOURCES))
def test_what_is_put_into_a_link_comes_out_of_it(code: str, source: str) -> None:
    made = posters.payload(code, source)
    assert posters.scanned(made) == Scan(code, source)
    assert len(made) <= 64


@pytest.mark.parametrize(
    "start",
    [
        "",
        "st_",
        "st_12",
        "st_1-03",
        "st_12-3",
        "st_1234-03",
        "st_12-03__",
        "st_12-03__P07",
        "st_12-03_p07",
        "st_12-03__p07__p08",
        "st_12-03__p07 ",
        "st_12-03\n",
        "ST_12-03",
        "st_１２-０３",
        "st_12-03__p０7",
        "st_12-03__123456789",
        "k_0540",
    ],
)
def test_outside_the_grammar_there_is_no_station(start: str) -> None:
    assert posters.scanned(start) is None


@pytest.mark.parametrize(
    ("code", "source"), [("1-03", ""), ("12-03", "P07"), ("12-03", "p_7"), ("书香苑", ""), ("12-03", "x" * 9)]
)
def test_what_a_link_cannot_carry_is_refused(code: str, source: str) -> None:
    with pytest.raises(ValueError, match="no link"):
        posters.payload(code, source)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        ("st_99-99__p07", "st"),
        ("k_9", "k"),
        ("t_DP-1120-07-K_7K2M", "t"),
        ("inv_geheim", "inv"),
        ("ask_x", "ask"),
        ("askme", "other"),
        ("ask", "ask"),
        ("13800000000", "other"),
        ("", "other"),
        ("stolen", "other"),
    ],
)
def test_only_the_kind_of_a_link_is_ever_named(start: str, kind: str) -> None:
    assert posters.kind_of(start) == kind


def test_posters_are_numbered_from_p01() -> None:
    assert [posters.number(place) for place in (1, 7, 99, 100, 999)] == ["p01", "p07", "p99", "p100", "p999"]
    for place in (0, 1000):
        with pytest.raises(ValueError, match="numbered"):
            posters.number(place)


async def test_arrivals_are_counted_by_the_day_in_beijing(store: Store) -> None:
    late = datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC)
    async with store.transaction() as session:
        for at in (late, late, late + timedelta(seconds=1)):
            await posters.count(session, Scan("12-03", "p07"), now=at)
        await posters.count(session, Scan("12-04"), now=late)
    async with store.reading() as session:
        rows = await posters.counted(session)
        assert [(r.code, r.source, r.day, r.count) for r in rows] == [
            ("12-03", "p07", date(2026, 11, 20), 2),
            ("12-03", "p07", date(2026, 11, 21), 1),
            ("12-04", "", date(2026, 11, 20), 1),
        ]
        assert [r.code for r in await posters.counted(session, ["12-04"])] == ["12-04"]
        assert await posters.counted(session, []) == []


async def test_two_at_the_same_moment_are_both_counted(store: Store) -> None:
    now = datetime(2026, 11, 20, 2, tzinfo=UTC)

    async def arrive() -> None:
        async with store.transaction() as session:
            await posters.count(session, Scan("12-03", "p07"), now=now)

    await asyncio.gather(*(arrive() for _ in range(8)))
    async with store.reading() as session:
        (row,) = await posters.counted(session)
        assert row.count == 8


def test_a_tally_holds_the_whole_and_the_days_asked_for() -> None:
    days = [date(2026, 11, 20), date(2026, 11, 19)]
    rows = [
        PosterCount(code="12-04", source="p01", day=days[0], count=4),
        PosterCount(code="12-03", source="p07", day=days[0], count=2),
        PosterCount(code="12-03", source="p07", day=date(2026, 11, 1), count=5),
    ]
    assert posters.tallies(rows, days) == [Tally("12-03", "p07", 7, (2, 0)), Tally("12-04", "p01", 4, (4, 0))]
    assert posters.tallies([], days) == []
