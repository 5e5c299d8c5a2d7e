"""What each failure means: for the message, for its chat, for the whole channel."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import GetMe, SendMessage
from aiohttp import ClientConnectorError
from aiohttp.client_reqrep import ConnectionKey
from sqlalchemy import select

from bot import carrying, post_room
from bot.worker import Worker
from office import contacts
from office.contacts import Channel, ContactState
from office.outbox import MOST_ATTEMPTS, Delivery, DeliveryState, Undeliverable
from office.store import Store
from tests.bot.town import Town, a_worker, broadcast, deliveries, groups, put, states
from tests.make import Cast, Clock

BLOCKED = TelegramForbiddenError(GetMe(), "Forbidden: bot was blocked by the user")
D = DeliveryState
NO_CONNECTION = ClientConnectorError(ConnectionKey("desk.test", 443, True, True, None, None, None), OSError())


async def put_to_many(store: Store, number: int, *, now: datetime) -> None:
    async with store.transaction() as session:
        people = [
            await contacts.seen(session, Channel.TELEGRAM, str(6000 + one), now=now) for one in range(number)
        ]
    for person in people:
        await put(store, person, f"to {person.address}", now=now)


async def refused(store: Store, cast: Cast, clock: Clock, error: Exception) -> Delivery:
    """What a message is like after this failure."""

    async def refuse(method: SendMessage) -> None:
        raise error

    await put(store, cast.zhang_min, "a", now=clock.now)
    await a_worker(store, clock, Town(refuse)).send_due(Channel.TELEGRAM)
    return (await deliveries(store))["a"]


async def test_a_blocked_chat_is_lost_and_never_tried_again(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock
) -> None:
    async def block(method: SendMessage) -> None:
        raise BLOCKED

    town.answer = block
    await put(store, cast.zhang_min, "a", now=clock.now)
    await worker.send_due(Channel.TELEGRAM)
    clock.now += timedelta(days=1)
    town.answer = None
    assert not await worker.send_due(Channel.TELEGRAM)
    assert await states(store) == {"a": "failed"}
    async with store.reading() as session:
        assert (await contacts.get(session, cast.zhang_min.id)).state is ContactState.LOST


async def test_a_busy_channel_is_asked_again_when_it_said(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(method: SendMessage) -> None:
        raise TelegramRetryAfter(method, "slow down", 30)

    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    town.answer = busy
    await put(store, cast.zhang_min, "a", now=clock.now)
    for _ in range(MOST_ATTEMPTS + 3):
        await worker.send_due(Channel.TELEGRAM)
        row = (await deliveries(store))["a"]
        assert (row.state, row.due_at) == (DeliveryState.DUE, clock.now + timedelta(seconds=31))
        clock.now = row.due_at
    town.answer = None
    await worker.send_due(Channel.TELEGRAM)
    assert await states(store) == {"a": "sent"}


async def test_several_refusals_for_speed_rest_the_whole_channel(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock
) -> None:
    tried = itertools.count()

    async def busy(method: SendMessage) -> None:
        next(tried)
        raise TelegramRetryAfter(method, "slow down", 30)

    town.answer = busy
    await put_to_many(store, 20, now=clock.now)
    await put(store, cast.zhang_min, *"abcdef", now=clock.now)
    await worker.send_due(Channel.TELEGRAM)
    assert not await worker.send_due(Channel.TELEGRAM)
    assert next(tried) <= post_room.AT_ONCE
    assert set((await states(store)).values()) == {"due"}


async def test_a_moved_group_gets_its_message_at_the_new_address(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock
) -> None:
    async def moved(method: SendMessage) -> None:
        if method.chat_id == 5001:
            raise TelegramMigrateToChat(method, "moved", -100777)

    town.answer = moved
    await put(store, cast.zhang_min, "a", now=clock.now)
    await worker.send_due(Channel.TELEGRAM)
    await worker.send_due(Channel.TELEGRAM)
    assert town.sent == [(-100777, "答复a")]


async def test_telegram_away_marks_nothing_as_failed_and_leaves_the_web_alone(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store.transaction() as session:
        reader = await contacts.seen(session, Channel.WEB, "cookie", now=clock.now)
    await put(store, cast.zhang_min, *"abc", now=clock.now)
    await put(store, reader, "w", now=clock.now)
    town.there = False
    elapsed = itertools.count(0.0, 1000.0)
    monkeypatch.setattr(carrying, "time", SimpleNamespace(monotonic=lambda: next(elapsed)))
    for _ in range(MOST_ATTEMPTS + 3):
        await worker.send_due(Channel.TELEGRAM)
        clock.now += timedelta(hours=1)
    await worker.send_due(Channel.WEB)
    assert await states(store) == {"a": "due", "b": "due", "c": "due", "w": "sent"}
    assert max(row.attempts for row in (await deliveries(store)).values()) <= 1
    town.there = True
    await worker.send_due(Channel.TELEGRAM)
    assert sorted(text for _, text in town.sent) == ["答复a", "答复b", "答复c"]


async def test_a_wrong_token_stops_the_channel_and_alarms(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async def wrong(method: SendMessage) -> None:
        raise TelegramUnauthorizedError(method, "Unauthorized")

    town.answer = wrong
    await put(store, cast.zhang_min, *"abc", now=clock.now)
    await worker.send_due(Channel.TELEGRAM)
    await worker.send_due(Channel.TELEGRAM)
    assert [r.levelname for r in caplog.records].count("CRITICAL") == 1
    assert set((await states(store)).values()) == {"due"}
    async with store.reading() as session:
        assert (await contacts.get(session, cast.zhang_min.id)).state is ContactState.ACTIVE


async def test_a_chat_that_asks_for_a_rest_gets_it_and_the_others_go_on(
    store: Store, cast: Cast, clock: Clock
) -> None:
    tried: list[int] = []
    busy, *others = await groups(store, 6, clock.now)

    async def answer(method: SendMessage) -> None:
        tried.append(int(method.chat_id))
        if int(method.chat_id) == int(busy.address):
            raise TelegramRetryAfter(method, "slow down", 30)

    await put(store, busy, *"abc", now=clock.now)
    for number, one in enumerate(others):
        await put(store, one, f"other {number}", now=clock.now)
    worker = a_worker(store, clock, Town(answer))
    await worker.send_due(Channel.TELEGRAM)
    clock.now += timedelta(seconds=29.9)
    await worker.send_due(Channel.TELEGRAM)
    assert Counter(tried) == {int(one.address): 1 for one in (busy, *others)}
    rows = await deliveries(store)
    for key in "abc":
        assert (rows[key].state, rows[key].attempts) == (D.DUE, 0)
        assert timedelta(seconds=0.1) <= rows[key].due_at - clock.now <= timedelta(seconds=1.1)


async def test_too_many_requests_without_a_number_waits_by_itself(
    store: Store, cast: Cast, clock: Clock
) -> None:
    row = await refused(store, cast, clock, TelegramAPIError(GetMe(), "Too Many Requests"))
    assert (row.state, row.attempts, row.uncertain) == (D.DUE, 0, 0)
    assert row.due_at == clock.now + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("error", "uncertain"),
    [
        (TelegramServerError(GetMe(), "Bad Gateway"), 1),
        (TelegramNetworkError(GetMe(), "Request timeout error"), 1),
        (TimeoutError(), 1),
        (TelegramAPIError(GetMe(), "Conflict of some kind"), 0),
        ("no connection", 0),
    ],
    ids=str,
)
async def test_a_try_whose_end_nobody_knows_is_counted(
    store: Store, cast: Cast, clock: Clock, error: Any, uncertain: int
) -> None:
    if error == "no connection":
        error = TelegramNetworkError(GetMe(), "ClientConnectorError")
        error.__cause__ = NO_CONNECTION
    row = await refused(store, cast, clock, error)
    assert (row.state, row.attempts, row.uncertain) == (D.DUE, 1, uncertain)


async def test_a_robot_s_refusal_says_nothing_about_the_other_robots(
    store: Store, cast: Cast, clock: Clock
) -> None:
    robots = await groups(store, 7, clock.now, Channel.DINGTALK_ROBOT)
    errors = {
        robots[0].id: Undeliverable("300001: address", permanent=True),
        **{one.id: Undeliverable("too fast", retry_after=600) for one in robots[1:5]},
        robots[5].id: Undeliverable("cut off", uncertain=True),
    }

    async def answer(method: SendMessage) -> None:
        if error := errors.get(int(method.chat_id)):
            raise error

    town = Town(answer)
    worker = a_worker(store, clock, town, channel=Channel.DINGTALK_ROBOT)
    await broadcast(store, robots, clock.now)
    await worker.send_due(Channel.DINGTALK_ROBOT)
    assert {number for number, _ in town.sent} == {robots[6].id}
    assert not worker.room.carrier.rests.left(Channel.DINGTALK_ROBOT)
    async with store.reading() as session:
        rows = (await session.scalars(select(Delivery).order_by(Delivery.id))).all()
    assert [row.state for row in rows] == [D.FAILED, *[D.DUE] * 5, D.SENT]
    assert [row.uncertain for row in rows] == [0, 0, 0, 0, 0, 1, 0]
    assert {row.due_at - clock.now for row in rows[1:5]} == {timedelta(minutes=10)}
