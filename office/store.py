"""The database: tables' common ground, and the only place that commits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, DateTime, Dialect, Enum, MetaData, Select, Table, TypeDecorator, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from office.quick import Quick
from office.wakeups import Wakeups

WAITS_FOR_TURN = 20.0

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCTime(TypeDecorator[datetime]):
    """Aware UTC datetimes on both databases; SQLite would hand them back naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone must not reach the store")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def word(enum: type[StrEnum]) -> Enum:
    """Column type of a `StrEnum`: stored as its lower-case value, checked on the way in."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """Mother of all tables. Relationships are not used: each query loads what it shows."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UTCTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    }


def ring_after_commit(session: AsyncSession, topic: str) -> None:
    """Wake whoever waits for `topic` once this session's transaction is committed."""
    session.info.setdefault("rings", set()).add(topic)


async def insert_once(
    session: AsyncSession, table: type[Base], values: Mapping[str, Any], *, unique: Iterable[str]
) -> bool:
    """Insert a row unless one with the same `unique` columns exists; tells whether it was inserted."""
    statement = _insert(session, table).values(**values).on_conflict_do_nothing(index_elements=list(unique))
    result = await session.execute(statement)
    return bool(result.rowcount)  # type: ignore[attr-defined]


async def insert_many_once(
    session: AsyncSession, table: type[Base], rows: Sequence[Mapping[str, Any]], *, unique: Iterable[str]
) -> int:
    """Insert rows with the same columns, each unless one with the same `unique` columns exists.

    Returns how many were inserted.
    """
    new, columns = 0, list(unique)
    # Both databases take some 32,000 values in a statement.
    for start in range(0, len(rows), 500):
        statement = _insert(session, table).values([dict(row) for row in rows[start : start + 500]])
        result = await session.execute(statement.on_conflict_do_nothing(index_elements=columns))
        new += int(result.rowcount)  # type: ignore[attr-defined]
    return new


async def insert_selected_once(
    session: AsyncSession,
    table: type[Base],
    names: Sequence[str],
    rows: Select[*tuple[Any, ...]],
    *,
    unique: Iterable[str],
) -> int:
    """Insert the rows of a query into the columns `names` unless their `unique` columns exist already.

    Returns how many were inserted. The query needs a condition; without one SQLite cannot tell where it ends.
    """
    statement = _insert(session, table).from_select(list(names), rows)
    result = await session.execute(statement.on_conflict_do_nothing(index_elements=list(unique)))
    return int(result.rowcount)  # type: ignore[attr-defined]


async def count_up(session: AsyncSession, table: type[Base], key: Mapping[str, Any], counter: str) -> int:
    """Add one to the column `counter` of the row with this primary key, made with 1 if it is new.

    Returns the new count. One statement, so parallel callers never get the same number.
    """
    column = table.__table__.c[counter]
    statement = (
        _insert(session, table)
        .values(**key, **{counter: 1})
        .on_conflict_do_update(index_elements=list(key), set_={counter: column + 1})
        .returning(column)
    )
    return int((await session.execute(statement)).scalar_one())


def _insert(session: AsyncSession, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    # Both databases know ON CONFLICT; SQLAlchemy has it on each one's own insert only.
    target = table.__table__
    assert isinstance(target, Table)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return insert(target)


class Store:
    """The engine, its two kinds of session, and `quick` for one row at a time without any.

    `url` is an async SQLAlchemy address (`sqlite+aiosqlite:///...` or `postgresql+asyncpg://...`). `name` is
    what PostgreSQL calls our connections.
    """

    def __init__(self, url: str, wakeups: Wakeups | None = None, *, name: str = "one-window") -> None:
        self.url = url
        self.wakeups = wakeups or Wakeups()
        self.sqlite = url.startswith("sqlite")
        pool: dict[str, Any] = {}
        if not self.sqlite:
            called = {"server_settings": {"application_name": name}}
            pool = {"pool_size": 10, "max_overflow": 10, "connect_args": called}
        self.engine: AsyncEngine = create_async_engine(url, pool_pre_ping=not self.sqlite, **pool)
        if self.sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
        self._writing = async_sessionmaker(self.engine, expire_on_commit=False)
        self._reading = async_sessionmaker(
            self.engine.execution_options(reading=True), expire_on_commit=False, autoflush=False
        )
        self.quick = Quick(self.engine, sqlite=self.sqlite)
        # SQLite has one writer and lets the others ask again and again, in no order: forty officers at once
        # would now and then find one who never gets its turn. Within a process they stand in line.
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        if not self.sqlite:
            yield
            return
        try:
            async with asyncio.timeout(WAITS_FOR_TURN):
                await self._turn.acquire()
        except TimeoutError as error:
            raise PoolTimeout("no turn to write within the time allowed") from error
        try:
            yield
        finally:
            self._turn.release()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One unit of work: committed at the end of the block, rolled back if it raises.

        Not within another one: on SQLite that would wait for itself until the time allowed is over.
        """
        async with self._in_turn(), self._writing() as session:
            async with session.begin():
                yield session
            rings: set[str] = session.info.pop("rings", set())
        if rings:
            await self.wakeups.announce(rings)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that only looks: it never waits for a writer on SQLite and is never committed."""
        async with self._reading() as session:
            yield session

    async def close(self) -> None:
        await self.quick.close()
        await self.engine.dispose()


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours, see below
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL costs one fsync a commit and keeps an acknowledged question through a power cut.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A plain BEGIN that reads first and writes later fails at once when another writer was faster;
    # IMMEDIATE waits its turn instead.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
