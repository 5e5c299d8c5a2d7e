"""The database's time is the only one by which anything is due, whatever the clocks of the servers say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from bot.database_clock import DatabaseClock
from office.store import Store
from tests.make import HOURS
from ticketing import clocks

WRONG = datetime(2026, 11, 20, 9, 29, tzinfo=UTC)


async def test_e45_servers_whose_clocks_differ_promise_the_same(store: Store) -> None:
    fast = DatabaseClock(store, lambda: WRONG + timedelta(hours=5))
    slow = DatabaseClock(store, lambda: WRONG)
    async with store.reading() as session:
        for clock in (fast, slow):
            await clock.compare(session)
        if store.sqlite:
            # A file has no clock: one machine, one time, and nothing is put right.
            assert slow() == WRONG
            return
        theirs = await session.scalar(select(func.transaction_timestamp()))
    assert theirs is not None
    assert abs(fast() - slow()) < timedelta(minutes=1)
    assert abs(slow() - theirs) < timedelta(minutes=1)
    # The machine that is five hours ahead would have promised the next day: 17:29 is still today's.
    apart = [clocks.promise(at, HOURS).due_day for at in (WRONG, WRONG + timedelta(hours=5))]
    assert apart[0] != apart[1]


async def test_between_two_askings_the_machine_goes_on(store: Store) -> None:
    moments = [WRONG]
    clock = DatabaseClock(store, lambda: moments[-1])
    async with store.reading() as session:
        await clock.compare(session)
    before = clock()
    moments.append(WRONG + timedelta(seconds=40))
    assert clock() - before == timedelta(seconds=40)
