"""Weeks of lookups by staff: which wait, in Beijing's weeks, and who may say to have looked."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from knowledge.roll import acts, circuit, lookup_reviews
from knowledge.roll.circuit import Why
from knowledge.roll.imports import NO_ROLL
from knowledge.roll.records import LookupResult, RollState, Way
from office.errors import Conflict, Invalid, NotPermitted
from office.staff import Staff
from office.store import Store
from tests.make import Cast

WEEK = timedelta(days=7)


async def looked_up(store: Store, person: Staff, at: datetime) -> None:
    async with store.transaction() as session:
        await acts.record(session, way=Way.COUNTER, channel="console", result=LookupResult.REGISTERED,
                          now=at, staff_id=person.id, reason="in_person")  # fmt: skip


async def waiting(store: Store, now: datetime) -> list[date]:
    async with store.reading() as session:
        return await lookup_reviews.open_weeks(session, now=now)


async def mark(store: Store, week: date, actor: Staff, now: datetime, remark: str = "") -> None:
    async with store.transaction() as session:
        await lookup_reviews.mark(session, week, remark=remark, actor=actor, now=now)


async def test_weeks_wait_until_somebody_else_looked(store: Store, cast: Cast, now: datetime) -> None:
    for weeks in (0, 1, 1, 3):
        await looked_up(store, cast.li_qiang, now - weeks * WEEK)
    assert await waiting(store, now) == [date(2026, 10, 26), date(2026, 11, 9)]
    assert await waiting(store, now + WEEK) == [date(2026, 10, 26), date(2026, 11, 9), date(2026, 11, 16)]
    await mark(store, date(2026, 11, 9), cast.wang_fang, now)
    assert await waiting(store, now) == [date(2026, 10, 26)]
    with pytest.raises(Conflict, match=re.escape("lookups.reviewed")):
        await mark(store, date(2026, 11, 9), cast.wang_fang, now)
    with pytest.raises(NotPermitted, match="not_permitted"):
        await mark(store, date(2026, 10, 26), cast.li_qiang, now)


async def test_a_week_begins_on_monday_in_beijing(store: Store, cast: Cast, now: datetime) -> None:
    # Half past midnight on Monday there is still Sunday in UTC.
    await looked_up(store, cast.li_qiang, datetime(2026, 11, 8, 16, 30, tzinfo=UTC))
    assert await waiting(store, now) == [date(2026, 11, 9)]


async def test_what_is_no_finished_week_is_refused(store: Store, cast: Cast, now: datetime) -> None:
    for week, key in ((date(2026, 11, 16), "week_open"), (date(2026, 11, 10), "no_week")):
        with pytest.raises(Invalid, match=key):
            await mark(store, week, cast.wang_fang, now)
    with pytest.raises(Invalid, match=re.escape("lookups.remark")):
        await mark(store, date(2026, 11, 9), cast.wang_fang, now, remark="长" * 301)
    await looked_up(store, cast.wang_fang, now - WEEK)
    with pytest.raises(NotPermitted, match=re.escape("lookups.own_week")):
        await mark(store, date(2026, 11, 9), cast.wang_fang, now)


async def test_the_graver_of_two_calls_is_the_one_heard(store: Store, cast: Cast, now: datetime) -> None:
    async def called(person: Staff) -> str:
        async with store.reading() as session:
            return (await lookup_reviews.called(session, person, now=now))[1]

    assert await called(cast.wang_fang) == ""
    async with store.transaction() as session:
        await circuit.alarm(session, Why.CANARY, way="receipt", now=now)
    assert await called(cast.wang_fang) == "roll_alarm.alarm"
    async with store.transaction() as session:
        await circuit.trip(session, Why.CANARY, now=now)
    assert await called(cast.wang_fang) == "roll_alarm.stopped"
    assert await called(cast.li_qiang) == ""
    async with store.transaction() as session:
        state = await session.get_one(RollState, 1)
        state.stopped_why = NO_ROLL
        await lookup_reviews.mark_seen(session, remark="演练", actor=cast.wang_fang, now=now)
    assert await called(cast.wang_fang) == ""
