"""Redis goes away in mid-conversation: tries cannot be counted, so lookup closes; questions go on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from bot import app
from bot.settings import Settings
from knowledge.roll import receipts
from office.store import Store
from tests.bot.conftest import ADDRESS, Visitor
from tests.make import Cast, Clock, an_entry
from tests.rolls import install_roll
from tests.servers import redis
from tests.voters import LIN_YAN, TAO_MIN

Visitors = Callable[..., Visitor]


async def test_without_redis_lookup_closes_and_questions_are_answered(
    store: Store, cast: Cast, clock: Clock, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(os.environ, "TEST_REDIS_URL", raising=False)
    started, url = await asyncio.to_thread(redis.start)
    assert started is not None
    await install_roll(store, bare)
    async with store.transaction() as session:
        await an_entry(session, cast, clock())
    settings = Settings(
        database_url=store.url, data_dir=bare / "data", roll_key=bare / "roll.key", redis_url=url
    )
    machine = app.build(settings, clock)
    machine.desk.lookups._floor = 0
    transport = httpx.ASGITransport(app=app.application(machine), client=("192.0.2.1", 40000))
    try:
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            zhang_min = Visitor(client)
            shown = await zhang_min.ask(receipts.written(LIN_YAN.receipt))
            assert "查询结果：已登记" in shown[-1]["html"]
            await asyncio.to_thread(started.stop)
            # The same words for one who is registered and one who is not.
            for code in (LIN_YAN.receipt, TAO_MIN.receipt):
                closed = (await zhang_min.ask(receipts.written(code)))[-1]["html"]
                assert "登记查询暂时停用，其他问题照常回答" in closed
                assert "查询结果" not in closed
            assert 'name="number"' not in (await client.get("/lookup")).text
            answered = await zhang_min.ask("选民证丢了怎么办？")
            assert "K-0540" in answered[-1]["html"]
    finally:
        await machine.close()
        await asyncio.to_thread(started.stop)
