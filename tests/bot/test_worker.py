"""The worker: what it begins, looks at by the clock, and ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiogram.methods import SendMessage
from sqlalchemy import update

from bot import fetching
from bot import worker as working
from bot.worker import Worker
from office import contacts, outbox
from office.contacts import Channel, Contact
from office.store import Store
from tests.bot.town import Town, deliveries, put, states
from tests.make import Cast, Clock
from ticketing import timed


async def test_a_worker_that_is_stopped_finishes_one_and_gives_the_rest_back(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock
) -> None:
    begun = asyncio.Event()

    async def slow(method: SendMessage) -> None:
        begun.set()
        await asyncio.sleep(0.2)

    town.answer = slow
    await put(store, cast.zhang_min, *"abc", now=clock.now)
    worker.start()
    async with asyncio.timeout(30):
        await begun.wait()
        await worker.stop()
    assert await states(store) == {"a": "sent", "b": "due", "c": "due"}
    assert (await deliveries(store))["b"].attempts == 0


async def test_a_stop_does_not_wait_for_a_send_that_hangs(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def hang(method: SendMessage) -> None:
        begun.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(working, "STOP_WITHIN", 0.1)
    town.answer = hang
    await put(store, cast.zhang_min, "a", now=clock.now)
    worker.start()
    async with asyncio.timeout(30):
        await begun.wait()
        await worker.stop()
    assert await states(store) == {"a": "claimed"}


async def test_a_new_message_leaves_at_once(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived = asyncio.Event()
    monkeypatch.setattr(working, "LOOK_EVERY", 600.0)

    async def arrive(method: SendMessage) -> None:
        arrived.set()

    town.answer = arrive
    worker.start()
    try:
        await asyncio.sleep(0.1)
        async with asyncio.timeout(60):  # less than the worker's own look
            await put(store, cast.zhang_min, "a", now=clock.now)
            await arrived.wait()
    finally:
        await worker.stop()


async def test_an_idle_desk_writes_nothing_and_only_the_lane_that_has_something_to_do_wakes(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, looks, sent = Counter[str](), asyncio.Semaphore(0), asyncio.Semaphore(0)
    send_due, look, transaction = worker.room.send_due, worker.look, store.transaction

    async def sending(channel: Channel, priorities: Any, *, linger: bool) -> bool:
        begun[f"{channel}:{priorities[0]}"] += 1
        return await send_due(channel, priorities, linger=linger)

    async def looking() -> bool:
        looks.release()
        return await look()

    def writing() -> Any:
        begun["transactions"] += 1
        return transaction()

    async def arrive(method: SendMessage) -> None:
        sent.release()

    async def nothing(*_: Any) -> bool:
        return False

    town.answer = arrive
    await put(store, cast.zhang_min, "later", now=clock.now + timedelta(minutes=5))
    async with store.transaction() as session:
        other = await contacts.seen(session, Channel.TELEGRAM, "6000", now=clock.now)
    await put(store, other, "claimed", now=clock.now)
    async with store.transaction() as session:
        await outbox.claim(session, [Channel.TELEGRAM], limit=1, now=clock.now)
    for where, name, instead in (
        (worker.room, "send_due", sending), (worker, "look", looking), (worker, "do_timed", nothing),
        (fetching, "fetch_due", nothing), (store, "transaction", writing), (working, "LOOK_EVERY", 0.005),
    ):  # fmt: skip
        monkeypatch.setattr(where, name, instead)
    worker.start()
    try:
        async with asyncio.timeout(120):
            for _ in range(20):
                await looks.acquire()
            assert begun == {}
            # A lease has run out, and then something becomes due: nobody rings for either.
            for passed in (outbox.LEASE + timedelta(seconds=1), timedelta(minutes=5)):
                clock.now += passed
                await sent.acquire()
    finally:
        await worker.stop()
    assert set(begun) == {"telegram:1_answer", "transactions"}
    assert await states(store) == {"later": "sent", "claimed": "sent"}


async def test_what_is_out_of_order_is_tidied_once_an_hour_and_catches_up(
    store: Store, cast: Cast, worker: Worker, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[datetime] = []
    elapsed = [100.0]

    async def tidy(session: Any, *, now: datetime) -> None:
        runs.append(now)

    monkeypatch.setattr(timed, "tidy", tidy)
    monkeypatch.setattr(working, "time", SimpleNamespace(monotonic=lambda: elapsed[0]))
    for passed in (0, 1, 3500, 200, 3599, 10):
        elapsed[0] += passed
        await worker.do_timed()
    assert len(runs) == 3


async def test_a_timed_job_that_fails_stops_no_other(
    store: Store,
    cast: Cast,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(session: Any, **given: Any) -> int:
        await session.execute(update(Contact).values(language="en"))
        raise RuntimeError("broken")

    ran: list[str] = []

    async def closing(session: Any, **given: Any) -> int:
        ran.append("closed")
        return 0

    monkeypatch.setattr(timed, "ask_back", broken)
    monkeypatch.setattr(timed, "close_by_default", closing)
    await worker.do_timed()
    assert ran == ["closed"]
    assert "broken" in caplog.text
    async with store.reading() as session:
        assert (await contacts.get(session, cast.zhang_min.id)).language == "zh_CN"
