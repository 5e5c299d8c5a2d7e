"""What every test may ask for: an empty migrated store on each database, and the cast."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import migrate
from office.store import Store
from tests.make import Cast, make_cast
from tests.servers.processes import quick_folder

pytest_plugins = ["tests.servers.fixtures"]

# Friday 2026-11-20, 10:05 in Beijing: inside working hours, and inside the sample registration window.
NOW = datetime(2026, 11, 20, 2, 5, tzinfo=UTC)
_numbers = itertools.count()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that each test copies."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    store = Store(f"sqlite+aiosqlite:///{path}")
    await migrate.upgrade(store)
    await store.close()
    return path


@pytest.fixture(scope="session")
async def postgres_template(postgres_url: str) -> str:
    """A migrated PostgreSQL database that each test copies; returns the server's address."""
    from tests.servers.postgres import create_database

    store = Store(await create_database(postgres_url, "template_migrated"))
    await migrate.upgrade(store)
    await store.close()
    return postgres_url


@pytest.fixture(params=["sqlite", "postgres"])
def template(request: pytest.FixtureRequest) -> Path | str:
    """What to copy a database from. Not async: within a running loop no other async fixture can be made."""
    found: Path | str = request.getfixturevalue(f"{request.param}_template")
    return found


@pytest.fixture
async def store(template: Path | str) -> AsyncIterator[Store]:
    """An empty, migrated store; each test that asks for it runs on both databases."""
    if isinstance(template, Path):
        with tempfile.TemporaryDirectory(prefix="one-window-store-", dir=quick_folder()) as folder:
            shutil.copy(template, f"{folder}/store.db")
            found = Store(f"sqlite+aiosqlite:///{folder}/store.db")
            yield found
            await found.close()
        return
    from tests.servers.postgres import create_database, drop_database

    name = f"test_{next(_numbers)}"
    found = Store(await create_database(template, name, template="template_migrated"))
    yield found
    await found.close()
    await drop_database(template, name)


@pytest.fixture
async def cast(store: Store, now: datetime) -> Cast:
    """The invented district with its people: 张敏, 李强, 王芳, 赵磊 and 孙洁."""
    async with store.transaction() as session:
        return await make_cast(session, now)
