"""Redis goes away in mid-conversation: people are still answered, and it is taken up again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiogram.fsm.storage.base import StorageKey
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation

from bot import app, memory
from bot.app import Machine
from bot.channels import web
from bot.memory import ForgivingIsolation, ForgivingStorage, Outage
from bot.settings import Settings
from office.contacts import Channel
from office.store import Store
from tests.bot.test_receiving import an_update
from tests.bot.town import Town
from tests.make import Cast, an_entry
from tests.servers import redis

KEY = StorageKey(bot_id=1, chat_id=2, user_id=3)


class Gone(MemoryStorage):
    """A storage that cannot be reached while `gone` is set."""

    gone = True

    def __getattribute__(self, name: str) -> Any:
        if name in ("get_state", "set_state", "get_data", "set_data") and Gone.gone:
            raise ConnectionRefusedError("nobody listens")
        return super().__getattribute__(name)


@pytest.fixture
async def server() -> AsyncIterator[tuple[Any, str]]:
    """A Redis of this test's own, to be taken away."""
    started, url = await asyncio.to_thread(redis.start)
    if started is None:
        pytest.skip("the given Redis is not ours to stop")
    yield started, url
    await asyncio.to_thread(started.stop)


async def test_a_lost_redis_costs_no_answer(
    store: Store, cast: Cast, now: Any, bare: Any, server: tuple[Any, str]
) -> None:
    started, url = server
    async with store.transaction() as session:
        await an_entry(session, cast, now)
    settings = Settings(
        database_url=store.url, data_dir=bare / "data", redis_url=url, telegram_token="100008:memory"
    )
    machine: Machine = app.build(settings, clock=lambda: now)
    bot, town = machine.bots[Channel.TELEGRAM], Town()
    await bot.session.close()
    bot.session = town
    assert machine.intake
    try:
        assert await machine.intake.take(an_update(1))
        await asyncio.to_thread(started.stop)
        async with asyncio.timeout(60):
            for number in range(2, 6):
                assert await machine.intake.take(an_update(number))
            # The mailbox of a web visitor is written too, although nobody can be told of it elsewhere.
            reader = machine.bots[Channel.WEB]
            assert isinstance(reader.session, web.WebChatSession)
        assert len(town.sent) == 5
    finally:
        await machine.close()


async def test_nothing_is_raised_and_nothing_is_remembered_during_an_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "LEFT_ALONE", 0.05)
    monkeypatch.setattr(Gone, "gone", True)
    storage = ForgivingStorage(Gone(), Outage())
    await storage.set_state(KEY, "waiting")
    await storage.set_data(KEY, {"a": 1})
    assert await storage.get_state(KEY) is None
    assert await storage.get_data(KEY) == {}
    monkeypatch.setattr(Gone, "gone", False)
    await asyncio.sleep(0.06)
    await storage.set_state(KEY, "waiting")
    assert await storage.get_state(KEY) == "waiting"


async def test_one_person_s_updates_stay_in_turn_without_redis() -> None:
    class NoLock(SimpleEventIsolation):
        def lock(self, key: StorageKey) -> Any:
            raise ConnectionRefusedError("nobody listens")

    outage = Outage()
    outage.begins(ConnectionRefusedError())
    isolation = ForgivingIsolation(NoLock(), outage)
    order: list[str] = []

    async def turn(name: str) -> None:
        async with isolation.lock(KEY):
            order.append(f"{name} in")
            await asyncio.sleep(0.01)
            order.append(f"{name} out")

    await asyncio.gather(turn("a"), turn("b"))
    assert order == ["a in", "a out", "b in", "b out"]
