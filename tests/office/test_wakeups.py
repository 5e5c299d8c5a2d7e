"""Bells: who waits is woken, a ring between look and wait is kept, a lost Redis only delays."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisGone

from office.wakeups import RedisWakeups, Wakeups, rang


async def test_a_ring_wakes_those_who_wait_for_its_topic() -> None:
    wakeups = Wakeups()
    with wakeups.listening("outbox") as bell, wakeups.listening("tickets") as other:
        await wakeups.announce({"outbox"})
        assert await rang(bell, 1)
        assert not await rang(other, 0.01)


async def test_a_ring_before_the_wait_is_kept_and_counts_once() -> None:
    wakeups = Wakeups()
    with wakeups.listening("outbox") as bell:
        wakeups.ring("outbox")
        wakeups.ring("outbox")
        assert await rang(bell, 0.01)
        assert not await rang(bell, 0.01)


async def test_who_has_left_leaves_nothing_behind() -> None:
    wakeups = Wakeups()
    with wakeups.listening("outbox"):
        pass
    wakeups.ring("outbox")
    assert wakeups._waiting == {}


async def test_a_ring_reaches_another_process(redis_url: str) -> None:
    here, there = Redis.from_url(redis_url), Redis.from_url(redis_url)
    sender, listener = RedisWakeups(here), RedisWakeups(there)
    listener.start()
    try:
        with listener.listening("base") as bell:
            for _ in range(50):
                await sender.announce({"base"})
                if await rang(bell, 0.1):
                    break
            else:
                pytest.fail("the ring did not arrive")
    finally:
        await listener.close()
        await here.aclose()
        await there.aclose()


async def test_without_redis_a_ring_stays_inside_the_process(caplog: pytest.LogCaptureFixture) -> None:
    class Gone:
        async def publish(self, channel: str, topic: str) -> None:
            raise RedisGone

    wakeups = RedisWakeups(Gone())  # type: ignore[arg-type]
    with wakeups.listening("outbox") as bell:
        async with asyncio.timeout(120):
            await wakeups.announce({"outbox"})
        assert bell.is_set()
    assert "not passed on" in caplog.text
