"""That lookups were made: counted by person, way, reason and result, kept for a year, of nobody."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from knowledge.roll import acts
from knowledge.roll.acts import Count
from knowledge.roll.records import LookupAct, LookupResult, Way
from office.store import Store
from tests.make import Cast

FRIDAY = date(2026, 11, 20)
R = LookupResult


@pytest.fixture
async def lookups(store: Store, cast: Cast, now: datetime) -> Store:
    """李强 has looked up three, 王芳 one just before midnight; two voters have asked for themselves."""
    li_qiang, wang_fang = cast.li_qiang.id, cast.wang_fang.id
    counter = {"way": Way.COUNTER, "channel": "console"}
    async with store.transaction() as session:
        for result in (R.REGISTERED, R.REGISTERED, R.NOT_FOUND):
            await acts.record(
                session, **counter, result=result, staff_id=li_qiang, reason="in_person", now=now
            )  # fmt: skip
        last = datetime(2026, 11, 20, 15, 59, 59, tzinfo=now.tzinfo)
        await acts.record(
            session, **counter, result=R.ASK_STATION, staff_id=wang_fang, reason="correction", now=last
        )
        await acts.record(
            session, way=Way.IDENTITY, channel="web", result=R.NOT_FOUND, notice="1", now=now
        )  # fmt: skip
        await acts.record(session, way=Way.RECEIPT, channel="telegram", result=R.REGISTERED, now=now)
    return store


async def test_staff_are_counted_by_what_they_looked_up(lookups: Store, cast: Cast):
    li_qiang, wang_fang = cast.li_qiang.id, cast.wang_fang.id
    async with lookups.reading() as session:
        assert await acts.of_staff(session, FRIDAY, FRIDAY) == [
            Count(li_qiang, Way.COUNTER, "in_person", R.REGISTERED, 2),
            Count(li_qiang, Way.COUNTER, "in_person", R.NOT_FOUND, 1),
            Count(wang_fang, Way.COUNTER, "correction", R.ASK_STATION, 1),
        ]
        assert await acts.of_staff(session, FRIDAY + timedelta(days=1), FRIDAY + timedelta(days=7)) == []
        assert await acts.of_person(session, li_qiang, FRIDAY) == 3
        assert await acts.of_person(session, li_qiang, FRIDAY - timedelta(days=1)) == 0


async def test_voters_are_only_numbers(lookups: Store):
    async with lookups.reading() as session:
        assert await acts.of_public(session, FRIDAY, FRIDAY) == {
            (Way.IDENTITY, R.NOT_FOUND): 1,
            (Way.RECEIPT, R.REGISTERED): 1,
        }


async def test_acts_are_kept_for_a_year(lookups: Store, now: datetime):
    for age, left in ((timedelta(days=365) - timedelta(seconds=1), 6), (timedelta(days=365), 1)):
        async with lookups.transaction() as session:
            await acts.forget_old(session, now=now + age)
            assert len((await session.scalars(select(LookupAct))).all()) == left
