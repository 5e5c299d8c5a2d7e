"""Bring the database to the newest form, or to any other revision."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, select

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
    async with store.engine.connect() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config(sync), revision))
        await connection.commit()


async def downgrade(store: Store, revision: str) -> None:
    """Take migrations back down to `revision` (`base` for none)."""
    async with store.engine.connect() as connection:
        await connection.run_sync(lambda sync: command.downgrade(config(sync), revision))
        await connection.commit()
