"""Bring the database to the newest form, or to any other revision."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from office.store import Store

SCRIPTS = Path(__file__).parent.parent / "migrations"


def config(connection: Connection) -> Config:
    """Alembic's configuration for one open connection."""
    found = Config()
    found.set_main_option("script_location", str(SCRIPTS))
    found.attributes["connection"] = connection
    return found


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
