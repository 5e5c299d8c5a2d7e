"""What every test may ask for: a store of its own on each database, and the cast."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from aiogram.fsm.storage.memory import MemoryStorage
from argon2 import PasswordHasher

from office import signin
from office.store import Store
from tests.make import Cast
from tests.security import leaks
from tests.servers import engines
from tests.servers.stores import PostgresDatabases, SQLiteFiles, Templates

pytest_plugins = ["tests.servers.fixtures"]
engines.share()

# Friday 2026-11-20, 10:05 in Beijing: inside working hours, and inside the sample registration window.
NOW = datetime(2026, 11, 20, 2, 5, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session", autouse=True)
def nothing_of_voters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of an invented voter is left in a log, an address, a database or the state of a conversation.

    Stores are looked through as they are put away (`tests.servers.stores`), servers as they end.
    """
    listener = leaks.Listener(tmp_path_factory.mktemp("logged") / "all.log")
    logging.getLogger().addHandler(listener)
    # The addresses that the tests ask for: for the listener alone, other tests look at what is logged.
    requests = logging.getLogger("httpx")
    requests.setLevel(logging.INFO)
    requests.propagate = False
    requests.addHandler(listener)
    inner = MemoryStorage.set_data

    async def set_data(self: MemoryStorage, key: Any, data: Any) -> None:
        leaks.look_into_state(data, "conversation state")
        await inner(self, key, data)

    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(MemoryStorage, "set_data", set_data)
        yield
    logging.getLogger().removeHandler(listener)
    requests.removeHandler(listener)
    listener.close()
    leaks.look_into_file(listener.path, "log", words=True)
    for path in tmp_path_factory.getbasetemp().rglob("*.db*"):
        leaks.look_into_file(path)


@pytest.fixture(scope="session", autouse=True)
def costly() -> Iterator[PasswordHasher]:
    """What the running program hashes passwords with. In the tests the same is done at the least price."""
    real, quick = signin._hasher, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(signin, "_hasher", quick)
        patching.setattr(signin, "_nobody", quick.hash("nobody's"))
        yield real


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """What stores in SQLite are copied from."""
    return Templates(SQLiteFiles(tmp_path_factory.mktemp("templates")), NOW)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_templates(postgres_url: str) -> AsyncIterator[Templates]:
    """What stores in PostgreSQL are copied from."""
    databases = PostgresDatabases(postgres_url)
    yield Templates(databases, NOW)
    await databases.close()


EDGES = ("tests.admin.", "tests.handlers.")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a store runs on both databases; one of pages or of the conversation on SQLite.

    The rooms below and the stories meet both, and so does a module of the edges that says `BOTH_DATABASES`,
    because its tests race or because everybody passes there.
    """
    marks = metafunc.definition.iter_markers("parametrize")
    if "templates" not in metafunc.fixturenames or any("templates" in mark.args[0] for mark in marks):
        return
    module = metafunc.module
    edge = module.__name__.startswith(EDGES) and not getattr(module, "BOTH_DATABASES", False)
    metafunc.parametrize("templates", ["sqlite"] if edge else ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def templates(request: pytest.FixtureRequest) -> Templates:
    """What the stores of one database are copied from."""
    found: Templates = request.getfixturevalue(f"{request.param}_templates")
    return found


@pytest.fixture
async def store(request: pytest.FixtureRequest, templates: Templates) -> AsyncIterator[Store]:
    """A migrated store; with the cast or the town in it for a test that asks for these, else empty."""
    level = next((name for name in ("town", "cast") if name in request.fixturenames), "empty")
    async with templates.store(level) as found:
        yield found


@pytest.fixture
def cast(store: Store, templates: Templates) -> Cast:
    """The invented district with its people: 张敏, 李强, 王芳, 赵磊 and 孙洁."""
    return templates.cast()
