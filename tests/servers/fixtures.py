"""Session fixtures of the real servers. None starts before a test asks for it; all end with the session."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.security import leaks
from tests.servers import browser as chromium
from tests.servers import postgres, redis
from tests.servers import telegram_test_api as polling
from tests.servers import telemelya as webhooks

if TYPE_CHECKING:
    from playwright.async_api import Browser


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The `postgres` database of a fresh server; make others with `postgres.create_database`."""
    server, url = postgres.start()
    yield url
    if server:
        try:
            leaks.look_into_folder(server.scratch / "data")
        finally:
            server.stop()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Database 0 of a fresh server. Database 15 belongs to `telemelya`."""
    server, url = redis.start()
    yield url
    if server:
        try:
            leaks.look_into_folder(server.scratch)
        finally:
            server.stop()


@pytest.fixture(scope="session")
def telemelya(redis_url: str) -> Iterator[str]:
    """The base address of a Telegram Bot API with webhooks; write to its bots with `telemelya.Control`."""
    server, base_url = webhooks.start(redis_url)
    yield base_url
    server.stop()


@pytest.fixture(scope="session")
def telegram_test_api() -> Iterator[str]:
    """The base address of one with polling and groups; write to its bots with `telegram_test_api.Client`."""
    server, base_url = polling.start()
    yield base_url
    server.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the sample district in it, as the first start leaves it: for `Running` to copy."""
    # Of several processes of one run the first makes it.
    mine = tmp_path_factory.mktemp("begun")
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    shared = tmp_path_factory.getbasetemp().parent if run else tmp_path_factory.mktemp("told")
    told = shared / f"begun-{run}"
    with told.open("a+") as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        file.seek(0)
        if there := file.read():
            return Path(there)
        await _begin(mine)
        file.write(str(mine))
    return mine


async def _begin(folder: Path) -> None:
    from bot import demo, migrate
    from office.store import Store

    store = Store(f"sqlite+aiosqlite:///{folder / 'one-window.db'}")
    await migrate.upgrade(store)
    await demo.load(store, now=datetime.now(UTC), roll_key=folder / "roll.key")
    await store.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A Chromium with Chinese glyphs. Open a context of your own for each test, and close it."""
    await asyncio.to_thread(chromium.prepare)
    async with chromium.launch() as launched:
        yield launched
