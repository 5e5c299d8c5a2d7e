"""The post room's lanes: who waits for whom, and each message leaves once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from aiogram.methods import SendMessage

from bot.worker import Worker
from office import outbox
from office.contacts import Channel
from office.outbox import MOST_ATTEMPTS, DeliveryState
from office.store import Store
from tests.bot.town import Town, a_worker, broadcast, deliveries, groups, put, states
from tests.make import Cast, Clock


async def test_what_is_due_is_sent_and_recorded(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock
) -> None:
    await put(store, cast.zhang_min, "a", "b", now=clock.now)
    assert await worker.send_due(Channel.TELEGRAM)
    assert town.sent == [(5001, "答复a"), (5001, "答复b")]
    assert set((await states(store)).values()) == {"sent"}
    assert not await worker.send_due(Channel.TELEGRAM)


async def test_nothing_is_sent_before_it_is_due(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock
) -> None:
    await put(store, cast.zhang_min, "a", now=clock.now + timedelta(minutes=1))
    assert not await worker.send_due(Channel.TELEGRAM)
    clock.now += timedelta(minutes=2)
    assert await worker.send_due(Channel.TELEGRAM)
    assert len(town.sent) == 1


async def test_what_is_left_of_a_batch_that_took_too_long_goes_back_and_is_not_uncertain(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock
) -> None:
    """Otherwise another worker would take the rest while this one still sends it."""

    async def slow(method: SendMessage) -> None:
        clock.now += timedelta(seconds=50)

    town.answer = slow
    await put(store, cast.zhang_min, "a", "b", now=clock.now)
    await worker.send_due(Channel.TELEGRAM)
    assert await states(store) == {"a": "sent", "b": "due"}
    assert (await deliveries(store))["b"].attempts == 0
    clock.now += timedelta(seconds=1)
    await worker.send_due(Channel.TELEGRAM)
    assert [text for _, text in town.sent] == ["答复a", "答复b"]
    assert (await deliveries(store))["b"].uncertain == 0


async def test_several_workers_send_each_message_once(
    store: Store, cast: Cast, clock: Clock, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait(method: SendMessage) -> None:
        await asyncio.sleep(0.001)

    town.answer = wait
    keys = [f"k{number:03}" for number in range(150)]
    await put(store, cast.zhang_min, *keys, now=clock.now)
    workers = [a_worker(store, clock, town) for _ in range(4)]

    async def drain(worker: Worker) -> None:
        while await worker.send_due(Channel.TELEGRAM):
            pass

    await asyncio.gather(*(drain(worker) for worker in workers))
    await drain(workers[0])  # SKIP LOCKED may let all four see nothing while one still claims
    assert Counter(text for _, text in town.sent) == Counter(f"答复{key}" for key in keys)
    assert set((await states(store)).values()) == {"sent"}


async def test_one_message_that_cannot_be_sent_holds_up_no_other(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock
) -> None:
    async with store.transaction() as session:
        await outbox.put(
            session, cast.zhang_min, "no such kind", {}, key="a", subject="contact:1", now=clock.now
        )
    await put(store, cast.zhang_min, "b", now=clock.now)
    await worker.send_due(Channel.TELEGRAM)
    assert town.sent == [(5001, "答复b")]
    row = (await deliveries(store))["a"]
    assert (row.state, row.due_at) == (DeliveryState.DUE, clock.now + timedelta(seconds=2))
    for _ in range(MOST_ATTEMPTS):
        clock.now += timedelta(hours=1)
        await worker.send_due(Channel.TELEGRAM)
    assert (await deliveries(store))["a"].state is DeliveryState.FAILED


async def test_a_broadcast_that_hangs_holds_up_no_answer_and_little_of_itself(
    store: Store, cast: Cast, clock: Clock
) -> None:
    places, answered = await groups(store, 60, clock.now), asyncio.Event()
    silent = {int(places[0].address), int(places[20].address)}
    release, nearly_all = asyncio.Event(), asyncio.Event()

    async def town_answers(method: SendMessage) -> None:
        if int(method.chat_id) in silent:
            await release.wait()
        if int(method.chat_id) == 5001:
            answered.set()
        if len(town.sent) >= 57:
            nearly_all.set()

    town = Town(town_answers)
    worker = a_worker(store, clock, town)
    await broadcast(store, places, clock.now)
    worker.start()
    try:
        async with asyncio.timeout(120):
            await nearly_all.wait()
            silent |= {int(one.address) for one in places}
            await broadcast(store, places, clock.now, "again")
            await asyncio.sleep(0.1)  # now every place of the lane is taken
            await put(store, cast.zhang_min, "answer", now=clock.now)
            await answered.wait()
    finally:
        release.set()
        await worker.stop()
    # What was begun is finished, what was only claimed goes back untried.
    rows = (await deliveries(store)).values()
    assert Counter(row.state for row in rows) == {
        DeliveryState.SENT: len(town.sent),
        DeliveryState.DUE: 121 - len(town.sent),
    }
    assert all(row.attempts == 0 for row in rows if row.state is DeliveryState.DUE)
