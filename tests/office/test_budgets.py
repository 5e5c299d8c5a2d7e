"""Counters that hold when everybody tries at once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from office import budgets
from office.budgets import Budget
from office.errors import TooMany
from office.store import Store

SPAN = timedelta(minutes=10)


async def spend(store: Store, now: datetime, key: str = "lookup:a", limit: int = 5) -> None:
    async with store.transaction() as session:
        await budgets.spend(session, key, limit=limit, span=SPAN, now=now)


async def test_parallel_tries_never_get_one_more_than_the_limit(store: Store, now: datetime) -> None:
    ended = await asyncio.gather(*(spend(store, now) for _ in range(12)), return_exceptions=True)
    assert [type(one) for one in ended if one is not None] == [TooMany] * 7
    assert ended.count(None) == 5


async def test_a_refused_try_does_not_count_and_the_next_span_is_free(store: Store, now: datetime) -> None:
    for _ in range(5):
        await spend(store, now)
    for _ in range(3):
        with pytest.raises(TooMany) as refused:
            await spend(store, now)
    async with store.reading() as session:
        assert await session.scalar(select(func.sum(Budget.used))) == 5
    until = refused.value.facts["until"]
    with pytest.raises(TooMany):
        await spend(store, until - timedelta(seconds=1))
    await spend(store, until)


async def test_keys_are_counted_apart(store: Store, now: datetime) -> None:
    for _ in range(5):
        await spend(store, now)
    await spend(store, now, "lookup:b")


async def test_a_try_that_did_not_count_is_given_back(store: Store, now: datetime) -> None:
    for _ in range(8):
        async with store.transaction() as session:
            await budgets.spend(session, "signin:a", limit=1, span=SPAN, now=now)
            await budgets.give_back(session, "signin:a", span=SPAN, now=now)


async def test_counters_go_a_day_after_they_were_opened(store: Store, now: datetime) -> None:
    await spend(store, now)
    async with store.transaction() as session:
        await budgets.forget_old(session, now=now + timedelta(hours=23))
        assert await session.scalar(select(func.count()).select_from(Budget)) == 1
        await budgets.forget_old(session, now=now + timedelta(days=1, seconds=1))
        assert await session.scalar(select(func.count()).select_from(Budget)) == 0


async def test_whether_tries_are_left_can_be_asked_without_using_one(store: Store, now: datetime) -> None:
    async def ask(at: datetime) -> None:
        async with store.reading() as session:
            await budgets.demand(session, "link:a", limit=2, span=SPAN, now=at)

    for _ in range(2):
        await ask(now)
        await ask(now)
        await spend(store, now, "link:a", 2)
    with pytest.raises(TooMany) as refused:
        await ask(now)
    await ask(refused.value.facts["until"])
