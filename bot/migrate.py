"""Bring the database to the newest form, or to any other revision."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from office.store import Store

SCRIPTS = Path(__file__).parent.parent / "migrations"
# Any number will do, as long as it stays the same.
PREPARING = 0x1717_2121


def config(connection: Connection) -> Config:
    """Alembic's configuration for one open connection."""
    found = Config()
    found.set_main_option("script_location", str(SCRIPTS))
    found.attributes["connection"] = connection
    return found


@asynccontextmanager
async def alone(store: Store) -> AsyncIterator[None]:
    """Only one program at a time prepares a shared database; the others wait here and find it done."""
    if store.sqlite:
        yield
        return
    async with store.engine.connect() as connection:
        await connection.execute(select(func.pg_advisory_xact_lock(PREPARING)))
        yield


async def upgrade(store: Store, revision: str = "head") -> None:
    """Apply every migration up to `revision`; does nothing if the database is there already."""
    async with _changing(store) as connection:
        await connection.run_sync(lambda sync: command.upgrade(config(sync), revision))


async def downgrade(store: Store, revision: str) -> None:
    """Take migrations back down to `revision` (`base` for none)."""
    async with _changing(store) as connection:
        await connection.run_sync(lambda sync: command.downgrade(config(sync), revision))


@asynccontextmanager
async def _changing(store: Store) -> AsyncIterator[AsyncConnection]:
    """A connection whose changes stay if the block ends well.

    SQLite changes a column by making the table anew, and would not let go of one that others refer to: so it
    looks at references at the end and not meanwhile (https://sqlite.org/lang_altertable.html, section 7).
    Raises `RuntimeError` if some lead nowhere then; nothing has changed.
    """
    async with store.engine.connect() as connection:
        # Outside of any transaction, where alone it has an effect.
        driver = (await connection.get_raw_connection()).driver_connection if store.sqlite else None
        if driver is not None:
            await driver.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
            if store.sqlite:
                lost = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
                if lost:
                    raise RuntimeError(f"the migration leaves references that lead nowhere: {lost[:5]}")
            await connection.commit()
        finally:
            await connection.rollback()
            if driver is not None:
                await driver.execute("PRAGMA foreign_keys=ON")
