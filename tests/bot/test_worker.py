"""The worker: every message leaves once, or is visibly waiting; no failure of one harms another."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.exceptions import (
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods import GetMe, SendMessage, TelegramMethod
from aiogram.types import Chat, Message, User
from sqlalchemy import select, update

from bot import carrying, post_room
from bot import worker as working
from bot.channels import web
from bot.pacing import Unpaced
from bot.worker import Worker
from handlers.turn import Desk
from knowledge.answer import LiveBase
from office import contacts, outbox
from office.contacts import Channel, Contact, ContactState
from office.outbox import MOST_ATTEMPTS, Delivery, DeliveryState
from office.store import Store
from tests.make import Cast, Clock
from ticketing import timed

BLOCKED = TelegramForbiddenError(GetMe(), "Forbidden: bot was blocked by the user")


class Town(BaseSession):
    """The Telegram of these tests: takes what is sent, or refuses it as `answer` says."""

    def __init__(self, answer: Callable[[SendMessage], Awaitable[None]] | None = None) -> None:
        super().__init__()
        self.sent: list[tuple[int, str]] = []
        self.there = True
        self.answer = answer

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109  aiogram's signature
    ) -> Any:
        if not self.there:
            raise TelegramNetworkError(method, "no route")
        if isinstance(method, GetMe):
            return User(id=bot.id, is_bot=True, first_name="town")
        assert isinstance(method, SendMessage)
        if self.answer is not None:
            await self.answer(method)
        self.sent.append((int(method.chat_id), method.text))
        chat = Chat(id=int(method.chat_id), type="private")
        return Message(message_id=len(self.sent), date=datetime.now(), chat=chat)  # noqa: DTZ005

    async def close(self) -> None:
        return None

    async def stream_content(self, *args: Any, **more: Any) -> AsyncGenerator[bytes, None]:
        raise NotImplementedError
        yield b""


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def worker(store: Store, clock: Clock, town: Town, monkeypatch: pytest.MonkeyPatch) -> Worker:
    return a_worker(store, clock, town, monkeypatch)


def a_worker(store: Store, clock: Clock, town: Town, monkeypatch: pytest.MonkeyPatch) -> Worker:
    bots = {Channel.TELEGRAM: Bot("100007:town", session=town), Channel.WEB: web.make_bot(store, clock)}
    return Worker(Desk(store, LiveBase(), clock), bots, pacing=Unpaced())


async def put(store: Store, contact: Contact, *keys: str, now: datetime) -> None:
    async with store.transaction() as session:
        for key in keys:
            await outbox.put(
                session, contact, "reply", {"text": f"答复{key}", "buttons": None},
                key=key, subject="contact:1", now=now,
            )  # fmt: skip


async def put_to_many(store: Store, number: int, *, now: datetime) -> None:
    async with store.transaction() as session:
        people = [
            await contacts.seen(session, Channel.TELEGRAM, str(6000 + one), now=now) for one in range(number)
        ]
    for person in people:
        await put(store, person, f"to {person.address}", now=now)


async def deliveries(store: Store) -> dict[str, Delivery]:
    async with store.reading() as session:
        return {row.key: row for row in await session.scalars(select(Delivery))}


async def states(store: Store) -> dict[str, str]:
    return {key: row.state.value for key, row in (await deliveries(store)).items()}


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


async def test_a_dead_worker_s_claim_comes_back_with_its_lease(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock
) -> None:
    """A crash between claim and send."""
    await put(store, cast.zhang_min, "a", now=clock.now)
    async with store.transaction() as session:
        assert len(await outbox.claim(session, [Channel.TELEGRAM], limit=9, now=clock.now)) == 1
    assert not await worker.send_due(Channel.TELEGRAM)
    clock.now += outbox.LEASE + timedelta(seconds=1)
    assert await worker.send_due(Channel.TELEGRAM)
    assert len(town.sent) == 1
    assert await states(store) == {"a": "sent"}


async def test_a_crash_between_send_and_record_shows_once_in_the_mailbox(
    store: Store, cast: Cast, worker: Worker, clock: Clock
) -> None:
    async with store.transaction() as session:
        reader = await contacts.seen(session, Channel.WEB, "cookie", now=clock.now)
    await put(store, reader, "a", now=clock.now)
    async with store.transaction() as session:
        claimed = await outbox.claim(session, [Channel.WEB], limit=9, now=clock.now)
    carrier, (delivery, contact) = worker.room.carrier, claimed[0]
    methods = carrier.words(delivery, contact)
    assert not isinstance(methods, outbox.Undeliverable)
    assert await carrier.send(delivery, contact, methods) is None  # and here the process dies
    clock.now += outbox.LEASE + timedelta(seconds=1)
    assert await worker.send_due(Channel.WEB)
    async with store.reading() as session:
        assert [line.content["text"] for line in await web.since(session, reader.id, 0)] == ["答复a"]
    assert await states(store) == {"a": "sent"}


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
    workers = [a_worker(store, clock, town, monkeypatch) for _ in range(4)]

    async def drain(worker: Worker) -> None:
        while await worker.send_due(Channel.TELEGRAM):
            pass

    await asyncio.gather(*(drain(worker) for worker in workers))
    await drain(workers[0])  # SKIP LOCKED may let all four see nothing while one still claims
    assert Counter(text for _, text in town.sent) == Counter(f"答复{key}" for key in keys)
    assert set((await states(store)).values()) == {"sent"}


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
    async with asyncio.timeout(5):
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
    async with asyncio.timeout(5):
        await begun.wait()
        await worker.stop()
    assert await states(store) == {"a": "claimed"}


async def test_a_new_message_leaves_at_once(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock
) -> None:
    arrived = asyncio.Event()

    async def arrive(method: SendMessage) -> None:
        arrived.set()

    town.answer = arrive
    worker.start()
    try:
        await asyncio.sleep(0.1)
        async with asyncio.timeout(1):  # less than the worker's own look
            await put(store, cast.zhang_min, "a", now=clock.now)
            await arrived.wait()
    finally:
        await worker.stop()


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
