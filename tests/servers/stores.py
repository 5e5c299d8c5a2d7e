"""Stores for tests, copied from ones filled once: empty, with the cast, or with the town's entries too."""

from __future__ import annotations

import itertools
import pickle
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from bot import migrate
from office.store import Store
from tests.make import Cast, make_cast
from tests.security import leaks
from tests.servers import postgres
from tests.servers.processes import quick_folder

LEVELS = ("empty", "cast", "town")
"""What may stand in a store when a test gets it; each level holds the one before."""


class SQLiteFiles:
    """Databases that are files in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def begin(self, name: str, below: str | None) -> str:
        """The address of a database `name`, a copy of `below` or without anything."""
        path = self._folder / f"{name}.db"
        if below is not None:
            shutil.copy(self._folder / f"{below}.db", path)
        return f"sqlite+aiosqlite:///{path}"

    @asynccontextmanager
    async def copied(self, name: str) -> AsyncIterator[str]:
        """The address of a copy that is gone after the block."""
        with tempfile.TemporaryDirectory(prefix="one-window-store-", dir=quick_folder()) as folder:
            shutil.copy(self._folder / f"{name}.db", f"{folder}/store.db")
            yield f"sqlite+aiosqlite:///{folder}/store.db"
            leaks.look_into_sqlite(Path(folder), self._folder / f"{name}.db")


class PostgresDatabases:
    """Databases of one server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count()

    async def begin(self, name: str, below: str | None) -> str:
        template = None if below is None else f"template_{below}"
        return await postgres.create_database(self._url, f"template_{name}", template=template)

    @asynccontextmanager
    async def copied(self, name: str) -> AsyncIterator[str]:
        copy = f"test_{next(self._numbers)}"
        address = await postgres.create_database(self._url, copy, template=f"template_{name}")
        copied_at = time.time()
        yield address
        look = partial(
            leaks.look_into_postgres, url=self._url, name=copy, template=f"template_{name}", since=copied_at
        )
        await postgres.put_away(self._url, copy, look)


class Templates:
    """The filled databases of one kind. To fill one anew for each test would cost more than most tests do."""

    def __init__(self, databases: SQLiteFiles | PostgresDatabases, now: datetime) -> None:
        self._databases = databases
        self._now = now
        self._ready: set[str] = set()
        self._people = b""

    def cast(self) -> Cast:
        """The people in a copied store, as rows that no other test has in its hands."""
        found: Cast = pickle.loads(self._people)
        return found

    @asynccontextmanager
    async def store(self, level: str) -> AsyncIterator[Store]:
        """A store filled up to `level`, for one test."""
        await self._prepare(LEVELS.index(level))
        async with self._databases.copied(level) as address:
            found = Store(address)
            yield found
            await found.close()

    async def _prepare(self, number: int) -> None:
        level = LEVELS[number]
        if level in self._ready:
            return
        if number:
            await self._prepare(number - 1)
        store = Store(await self._databases.begin(level, LEVELS[number - 1] if number else None))
        await self._fill(store, level)
        await store.close()
        self._ready.add(level)

    async def _fill(self, store: Store, level: str) -> None:
        # Imported late: whoever needs an empty store need not know of the conversation.
        from tests.journeys.conversation import fill_town

        if level == "empty":
            await migrate.upgrade(store)
            return
        async with store.transaction() as session:
            if level == "town":
                await fill_town(session, self.cast(), self._now)
                return
            cast = await make_cast(session, self._now)
        self._people = pickle.dumps(cast)
