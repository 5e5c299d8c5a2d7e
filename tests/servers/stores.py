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
from tests.servers.kept import USES, Kept, Unusable
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
    """Databases of one server. On one of ours they go from test to test, see `tests.servers.kept`."""

    def __init__(self, url: str, *, again: bool = True, prefix: str = "") -> None:
        self._url, self._prefix = url, prefix
        self._again = again
        self._numbers = itertools.count()
        self._spare: dict[str, list[Kept]] = {level: [] for level in LEVELS}
        self._data: Path | None = None

    async def begin(self, name: str, below: str | None) -> str:
        if self._again and below is None:
            self._data = await postgres.own_data(self._url)
        template = None if below is None else self._template(below)
        return await postgres.create_database(self._url, self._template(name), template=template)

    @asynccontextmanager
    async def copied(self, name: str) -> AsyncIterator[str]:
        """The address of a database that is as if copied just now."""
        if self._data is None:
            async with self._once(name) as address:
                yield address
            return
        kept = self._spare[name].pop() if self._spare[name] else None
        if kept is None:
            kept = await Kept.opened(*await self._copy(name), self._data)
        try:
            yield kept.address
            if leaks.planting() or kept.uses == USES:
                raise Unusable
            leaks.look(await kept.written(), f"PostgreSQL {kept.name}")
        except Unusable:
            await kept.close()
            await self._put_away(kept.name, name, kept.begun)
        except BaseException:
            await kept.close()
            await postgres.drop_database(self._url, kept.name)
            raise
        else:
            self._spare[name].append(kept)

    async def close(self) -> None:
        """Let go of those that wait for a test."""
        for kept in itertools.chain.from_iterable(self._spare.values()):
            await kept.close()
            await postgres.drop_database(self._url, kept.name)

    def _template(self, level: str) -> str:
        return f"{self._prefix}template_{level}"

    async def _copy(self, level: str) -> tuple[str, str]:
        """Name and address of a new one."""
        name = f"{self._prefix}test_{next(self._numbers)}"
        return name, await postgres.create_database(self._url, name, template=self._template(level))

    @asynccontextmanager
    async def _once(self, level: str) -> AsyncIterator[str]:
        name, address = await self._copy(level)
        copied_at = time.time()
        yield address
        await self._put_away(name, level, copied_at)

    async def _put_away(self, name: str, level: str, since: float) -> None:
        look = partial(
            leaks.look_into_postgres, url=self._url, name=name, template=self._template(level), since=since
        )
        await postgres.put_away(self._url, name, look)


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
