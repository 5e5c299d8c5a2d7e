"""One SQLAlchemy dialect for all engines of a process, so that a statement is compiled once for all tests.

Each test has a store of its own, and each engine by itself compiles every statement anew, asks the server
for its version and works out how each type is read and written: a fifth of the time of most tests. What is
compiled depends on the tables and the dialect alone, and these are the same in every store. The programs that
tests start have engines of their own, as they come.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from typing import Any

import aiosqlite
from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
    SQLiteDialect_aiosqlite,
)
from sqlalchemy.util import LRUCache

STATEMENTS = 10_000


class _Once:
    """Whoever makes such a dialect with the same options gets the one there is."""

    known: dict[tuple[Any, ...], _Once]
    compiled: LRUCache[Any, Any]
    supports_statement_cache = True
    _made = _asked = False

    def __init_subclass__(cls) -> None:
        cls.known, cls.compiled = {}, LRUCache(STATEMENTS)
        cls.supports_statement_cache = True  # SQLAlchemy looks for it in the class itself

    def __new__(cls, **options: Any) -> _Once:
        # The driver is wrapped anew for each engine, which makes no difference.
        key = tuple(sorted((name, value) for name, value in options.items() if name != "dbapi"))
        return cls.known.setdefault(key, super().__new__(cls))

    def __init__(self, **options: Any) -> None:
        if not self._made:
            super().__init__(**options)
            self._made = True

    def initialize(self, connection: Any) -> None:
        """What is asked of the server on the first connection of an engine."""
        if not self._asked:
            super().initialize(connection)  # type: ignore[misc]
            self._asked = True

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine._compiled_cache = cls.compiled


class Postgres(_Once, PGDialect_asyncpg):
    """The dialect of PostgreSQL."""


class _Said:
    """What is known of a statement that has been carried out."""

    description: Any = None
    rowcount, lastrowid, arraysize = -1, None, 1

    def close(self) -> None:
        """Nothing is open any more."""


def _carry_out(connection: sqlite3.Connection, name: str, words: Any, values: Any) -> tuple[_Said, list[Any]]:
    said, cursor = _Said(), connection.cursor()
    try:
        getattr(cursor, name)(words, values)
        rows = cursor.fetchall() if cursor.description else []
        said.description, said.rowcount = cursor.description, cursor.rowcount
        said.lastrowid = cursor.lastrowid
        return said, rows
    finally:
        cursor.close()


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """One way to the connection's thread and back for a statement, not four.

    These ways are a third of what a test costs on SQLite.
    """

    __slots__ = ()
    _awaitable_cursor_close = False

    def _make_new_cursor(self, connection: Any) -> Any:
        return _Said()

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        return await self._carried_out("execute", operation, parameters or ())

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        return await self._carried_out("executemany", operation, seq_of_parameters)

    async def _carried_out(self, name: str, words: Any, values: Any) -> None:
        async with self._adapt_connection._execute_mutex:
            inner: Any = self._connection
            self._cursor, rows = await inner._execute(_carry_out, inner._conn, name, words, values)
            self._rows = deque(rows)


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()
    _cursor_cls = _Cursor


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *arg: Any, **kw: Any) -> AsyncAdapt_aiosqlite_connection:
        return _Connection(self, super().connect(*arg, **kw)._connection)


class SQLite(_Once, SQLiteDialect_aiosqlite):
    """The dialect of SQLite."""

    @classmethod
    def import_dbapi(cls) -> AsyncAdapt_aiosqlite_dbapi:
        return _Driver(aiosqlite, sqlite3)


def share() -> None:
    """From now on each engine of this process works so."""
    registry.register("postgresql.asyncpg", __name__, "Postgres")
    registry.register("sqlite.aiosqlite", __name__, "SQLite")
