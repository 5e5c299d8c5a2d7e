"""One row by one statement on a connection of the driver itself, for questions that thousands ask at once.

A session costs several times what the database needs to find a row by its key. Here nothing is begun, written
or mapped: a statement goes out and its first row comes back, each one a snapshot of its own.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any, Final, Protocol

import aiosqlite
import asyncpg
from sqlalchemy import Select, make_url
from sqlalchemy.ext.asyncio import AsyncEngine

MOST_CONNECTIONS: Final = 4
WAITS: Final = 10.0
"""Seconds for a connection, and for an answer."""
# What only SQLAlchemy's own adapter understands of an address.
_ADAPTER = (
    "prepared_statement_cache_size", "prepared_statement_name_func", "async_fallback", "async_creator_fn",
)  # fmt: skip
BY_KEY: Final = """
SET plan_cache_mode = force_generic_plan; SET jit = off; SET enable_seqscan = off;
SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off
"""
"""One row by its key is planned once and by indexes; PostgreSQL would plan a large table anew each time."""
# What tells that a connection is gone; a server that restarts says so in several ways.
BROKEN: Final = (
    OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError, asyncpg.CrashShutdownError, sqlite3.ProgrammingError, ValueError,
)  # fmt: skip


class Connection(Protocol):
    """A connection of either driver."""

    async def row(self, statement: str, values: Sequence[Any]) -> Sequence[Any] | None: ...

    async def close(self) -> None: ...


class Statement:
    """A query in the words of one database, and in which order its values are given."""

    def __init__(self, query: Select[Any], engine: AsyncEngine) -> None:
        compiled = query.compile(dialect=engine.dialect)
        self.text = str(compiled)
        self._order: tuple[str, ...] = tuple(getattr(compiled, "positiontup", None) or ())
        self._fixed = dict(compiled.params)

    def values(self, **given: Any) -> list[Any]:
        """The values in their order."""
        return [given[name] if name in given else self._fixed[name] for name in self._order]


class Quick:
    """A few connections that stay open, opened as they are needed; the last one given back goes out first."""

    def __init__(self, engine: AsyncEngine, *, sqlite: bool) -> None:
        self._engine = engine
        self._sqlite = sqlite
        self._idle: list[Connection] = []
        self._turns = asyncio.Semaphore(MOST_CONNECTIONS)

    async def row(self, statement: str, values: Sequence[Any]) -> Sequence[Any] | None:
        """The first row of a query, or None. A broken connection is replaced once, else its error raised."""
        async with self._turns:
            kept = bool(self._idle)
            connection = self._idle.pop() if kept else await self._open()
            try:
                found = await connection.row(statement, values)
            except BROKEN:
                await _end(connection)
                if not kept:
                    raise
                # The others were opened to the same server, and are gone as well.
                await self.close()
                connection = await self._open()
                try:
                    found = await connection.row(statement, values)
                except BaseException:
                    await _end(connection)
                    raise
            except BaseException:
                # Cancelled, or refused by the database: nobody knows in which state it is.
                await _end(connection)
                raise
            self._idle.append(connection)
            return found

    async def close(self) -> None:
        """Let go of every connection that is not in use."""
        while self._idle:
            await _end(self._idle.pop())

    async def _open(self) -> Connection:
        if self._sqlite:
            return await _Sqlite.opened(str(self._engine.url.database))
        _, options = self._engine.dialect.create_connect_args(make_url(self._engine.url))
        plain = {name: value for name, value in options.items() if name not in _ADAPTER}
        inner = await asyncpg.connect(**plain, timeout=WAITS, command_timeout=WAITS)
        await inner.execute(BY_KEY)
        return _Postgres(inner)


async def _end(connection: Connection) -> None:
    try:
        await connection.close()
    except (*BROKEN, TimeoutError, asyncpg.PostgresError):
        pass


class _Sqlite:
    def __init__(self, inner: aiosqlite.Connection) -> None:
        self._inner = inner

    @classmethod
    async def opened(cls, path: str) -> _Sqlite:
        inner = await aiosqlite.connect(path, timeout=WAITS, isolation_level=None)
        await inner.execute_fetchall("PRAGMA query_only=ON")
        return cls(inner)

    async def row(self, statement: str, values: Sequence[Any]) -> Sequence[Any] | None:
        # One way to the connection's thread and back, where execute, fetch and close would be three.
        return next(iter(await self._inner.execute_fetchall(statement, values)), None)

    async def close(self) -> None:
        await self._inner.close()


class _Postgres:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def row(self, statement: str, values: Sequence[Any]) -> Sequence[Any] | None:
        # The driver prepares a statement once for each connection. It is in no transaction.
        found: Sequence[Any] | None = await self._inner.fetchrow(statement, *values)
        return found

    async def close(self) -> None:
        await self._inner.close(timeout=1)
