"""The store: one commit at the edge, aware times, foreign keys, rows that are inserted once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from office.contacts import Channel, Contact, InboundEvent
from office.store import Store, insert_once, ring_after_commit

BEIJING = timezone(timedelta(hours=8))


def event(number: str, at: datetime) -> InboundEvent:
    return InboundEvent(channel=Channel.WEB, event_id=number, at=at)


async def count(store: Store) -> int:
    async with store.reading() as session:
        return await session.scalar(select(func.count()).select_from(InboundEvent)) or 0


async def test_a_transaction_is_all_or_nothing(store: Store, now: datetime) -> None:
    async with store.transaction() as session:
        session.add(event("1", now))

    async def failing() -> None:
        async with store.transaction() as session:
            session.add(event("2", now))
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await failing()
    assert await count(store) == 1


async def test_a_reading_session_leaves_nothing_behind(store: Store, now: datetime) -> None:
    async with store.reading() as session:
        session.add(event("1", now))
        await session.flush()
    assert await count(store) == 0


async def test_times_come_back_aware_and_in_utc(store: Store) -> None:
    local = datetime(2026, 11, 20, 10, 5, tzinfo=BEIJING)
    async with store.transaction() as session:
        session.add(event("1", local))
    async with store.reading() as session:
        at = (await session.scalars(select(InboundEvent.at))).one()
    assert at == local
    assert at.tzinfo is UTC


async def test_a_time_without_zone_does_not_enter(store: Store) -> None:
    with pytest.raises(StatementError, match="without zone"):
        async with store.transaction() as session:
            session.add(event("1", datetime(2026, 11, 20, 10, 5)))  # noqa: DTZ001


async def test_foreign_keys_hold(store: Store, now: datetime) -> None:
    with pytest.raises(IntegrityError):
        async with store.transaction() as session:
            session.add(
                Contact(channel=Channel.WEB, address="x", unit_id=404, first_seen_at=now, last_seen_at=now)
            )


async def test_writers_wait_for_each_other_instead_of_failing(store: Store, now: datetime) -> None:
    """Reading first and writing later is what fails at once on SQLite without `BEGIN IMMEDIATE`."""

    async def read_then_write(number: int) -> None:
        async with store.transaction() as session:
            await session.scalar(select(func.count()).select_from(InboundEvent))
            await asyncio.sleep(0.01)
            session.add(event(str(number), now))

    await asyncio.gather(*(read_then_write(number) for number in range(6)))
    assert await count(store) == 6


async def test_a_reader_does_not_wait_for_a_writer(store: Store, now: datetime) -> None:
    async with store.transaction() as session:
        session.add(event("1", now))
        await session.flush()
        async with asyncio.timeout(8):  # less than a writer is waited for
            assert await count(store) == 0


async def test_a_row_is_inserted_once(store: Store, now: datetime) -> None:
    row = {"channel": Channel.WEB, "event_id": "1", "at": now}
    async with store.transaction() as session:
        assert await insert_once(session, InboundEvent, row, unique=("channel", "event_id"))
        assert not await insert_once(session, InboundEvent, row, unique=("channel", "event_id"))


async def test_bells_ring_after_the_commit_and_not_after_a_rollback(store: Store) -> None:
    async def failing() -> None:
        async with store.transaction() as session:
            await session.execute(text("SELECT 1"))
            ring_after_commit(session, "base")
            raise RuntimeError

    with store.wakeups.listening("base") as bell:
        with pytest.raises(RuntimeError):
            await failing()
        assert not bell.is_set()
        async with store.transaction() as session:
            ring_after_commit(session, "base")
        assert bell.is_set()
