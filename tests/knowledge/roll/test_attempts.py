"""Budgets of lookups: exact under parallel tries, the same in memory and with Redis, shut without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from knowledge.roll.attempts import (
    Attempts,
    Budget,
    MemoryAttempts,
    RedisAttempts,
    Spent,
    Unreachable,
)
from tests.servers import ports
from tests.servers.redis import database

NOW = datetime(2026, 11, 20, 2, 5, tzinfo=UTC)
TEN_MINUTES, MINUTE = timedelta(minutes=10), timedelta(minutes=1)
MIDNIGHT = datetime(2026, 11, 20, 16, tzinfo=UTC)
PARALLEL = 200


def five(key: str = "contact:a") -> Budget:
    return Budget(key, 5, TEN_MINUTES)


def in_all(limit: int) -> Budget:
    return Budget("all:2026-11-20", limit, ends=MIDNIGHT)


@pytest.fixture(params=["memory", "redis"])
async def attempts(request: pytest.FixtureRequest) -> AsyncIterator[Attempts]:
    if request.param == "memory":
        yield MemoryAttempts()
        return
    redis = Redis.from_url(database(request.getfixturevalue("redis_url"), 9))
    await redis.flushdb()
    yield RedisAttempts(redis)
    await redis.aclose()


async def at_once(step: Callable[[int], object]) -> list[Spent]:
    return await asyncio.gather(*(step(number) for number in range(PARALLEL)))


def admitted(found: list[Spent]) -> int:
    return sum(spent.refused is None for spent in found)


async def test_of_two_hundred_at_once_exactly_as_many_pass_as_the_budget_has(attempts: Attempts):
    found = await at_once(lambda number: attempts.spend("", [five()], NOW))
    assert admitted(found) == 5
    assert {spent.until for spent in found if spent.refused is not None} == {NOW + TEN_MINUTES}


async def test_several_budgets_are_exact_together(attempts: Attempts):
    """Two hundred askers of one network, all after one person: three pass, and twenty tries are counted."""

    def step(number: int):
        network, digest = Budget("network:n", 20, timedelta(hours=1)), Budget("digest:d", 3, ends=MIDNIGHT)
        return attempts.spend(f"contact:{number}", [five(f"contact:{number}"), network, digest], NOW)

    found = await at_once(step)
    assert admitted(found) == 3
    assert [spent.refused for spent in found].count(2) == 17
    assert [spent.refused for spent in found].count(1) == PARALLEL - 20


async def test_a_days_budget_is_exact_and_says_who_used_it_up(attempts: Attempts):
    found = await at_once(lambda number: attempts.spend("", [in_all(120)], NOW))
    assert admitted(found) == 120
    assert sorted(spent.counts[0] for spent in found if spent.counts) == list(range(1, 121))


async def test_tries_come_back_one_by_one_as_they_grow_old(attempts: Attempts):
    for minute in range(5):
        assert (await attempts.spend("", [five()], NOW + minute * MINUTE)).refused is None
    refused = await attempts.spend("", [five()], NOW + 9 * MINUTE)
    assert (refused.refused, refused.until) == (0, NOW + TEN_MINUTES)
    just_before = NOW + TEN_MINUTES - timedelta(milliseconds=1)
    assert (await attempts.spend("", [five()], just_before)).refused == 0
    assert (await attempts.spend("", [five()], NOW + TEN_MINUTES)).refused is None
    assert (await attempts.spend("", [five()], NOW + TEN_MINUTES)).until == NOW + 11 * MINUTE


async def test_a_refused_try_costs_what_stands_before_the_refusal(attempts: Attempts):
    """Else it would cost nothing to find out whether somebody was looked up today."""
    used_up = Budget("digest:d", 0, ends=MIDNIGHT)
    for _ in range(5):
        assert (await attempts.spend("", [five(), used_up], NOW)).refused == 1
    assert (await attempts.spend("", [five(), used_up], NOW)).refused == 0


async def test_five_misses_within_ten_minutes_block_for_a_day(attempts: Attempts):
    for _ in range(5):
        await attempts.heard("contact:a", missed=True, now=NOW)
    blocked = await attempts.spend("contact:a", [five()], NOW + timedelta(hours=23, minutes=59))
    assert (blocked.refused, blocked.until) == (-1, NOW + timedelta(hours=24))
    assert (await attempts.spend("contact:b", [five("contact:b")], NOW)).refused is None
    assert (await attempts.spend("contact:a", [five()], NOW + timedelta(hours=24))).refused is None


async def test_misses_that_are_spread_out_or_few_block_nobody(attempts: Attempts):
    for number in range(8):
        await attempts.heard("contact:a", missed=True, now=NOW + number * 3 * MINUTE)
    for _ in range(9):
        await attempts.heard("contact:b", missed=False, now=NOW)
    later = NOW + 24 * MINUTE
    assert (await attempts.spend("contact:a", [five()], later)).refused is None
    assert (await attempts.spend("contact:b", [five("contact:b")], later)).refused is None


async def test_parallel_misses_block_once(attempts: Attempts):
    await asyncio.gather(*(attempts.heard("contact:a", missed=True, now=NOW) for _ in range(5)))
    assert (await attempts.spend("contact:a", [five()], NOW)).until == NOW + timedelta(hours=24)


async def test_without_an_asker_nobody_is_blocked(attempts: Attempts):
    for _ in range(5):
        await attempts.heard("", missed=True, now=NOW)
    assert (await attempts.spend("", [five()], NOW)).refused is None


async def test_a_budget_can_be_given_back_as_a_whole(attempts: Attempts):
    await attempts.spend("", [in_all(1)], NOW)
    await attempts.forget("all:2026-11-20")
    assert (await attempts.spend("", [in_all(1)], NOW)).refused is None


async def test_what_is_over_is_not_kept_in_memory():
    attempts = MemoryAttempts()
    for number in range(3000):
        await attempts.spend("", [five(f"contact:{number}")], NOW + number * MINUTE)
    assert len(attempts._logs) < 1100


def nowhere() -> RedisAttempts:
    """A Redis that is not there."""
    url = f"redis://{ports.HOST}:{ports.free_port()}/0"
    return RedisAttempts(Redis.from_url(url, retry=Retry(NoBackoff(), 0)))


async def test_without_redis_nothing_is_counted_and_nobody_passes(caplog: pytest.LogCaptureFixture):
    attempts = nowhere()
    with pytest.raises(Unreachable):
        await attempts.spend("contact:a", [five()], NOW)
    with pytest.raises(Unreachable):
        await attempts.heard("contact:a", missed=True, now=NOW)
    with pytest.raises(Unreachable):
        await attempts.reach()
    with pytest.raises(Unreachable):
        await attempts.forget("all:2026-11-20")
    assert len(caplog.records) == 1, "a Redis that failed is left alone for a while"


async def test_what_redis_keeps_ends_by_itself(redis_url: str):
    redis = Redis.from_url(database(redis_url, 9))
    await redis.flushdb()
    attempts = RedisAttempts(redis)
    now = datetime.now(UTC)
    ends = now + timedelta(hours=3)
    await attempts.spend("contact:a", [five(), Budget("all:x", 9, ends=ends)], now)
    for _ in range(5):
        await attempts.heard("contact:a", missed=True, now=now)
    await attempts.heard("contact:b", missed=True, now=now)
    lasts = {key.decode().split(":", 2)[2]: await redis.pttl(key) / 1000 for key in await redis.keys("*")}
    await redis.aclose()
    assert lasts == {
        "contact:a": pytest.approx(600, abs=20),
        "all:x": pytest.approx(3 * 3600, abs=20),
        "blocked:contact:a": pytest.approx(24 * 3600, abs=20),
        "misses:contact:b": pytest.approx(600, abs=20),
    }
