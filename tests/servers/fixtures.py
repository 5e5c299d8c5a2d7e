"""Session fixtures of the real servers. None starts before a test asks for it; all end with the session."""

from __future__ import annotations

import asyncio
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
    from bot import demo, migrate
    from office.store import Store

    folder = tmp_path_factory.mktemp("begun")
    store = Store(f"sqlite+aiosqlite:///{folder / 'one-window.db'}")
    await migrate.upgrade(store)
    await demo.load(store, now=datetime.now(UTC), roll_key=folder / "roll.key")
    await store.close()
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A Chromium with Chinese glyphs. Open a context of your own for each test, and close it."""
    await asyncio.to_thread(chromium.prepare)
    async with chromium.launch() as launched:
        yield launched
