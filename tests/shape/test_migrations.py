"""Every migration goes up, down and up again, and afterwards the models ask for nothing more."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot import migrate
from office.store import Base, Store


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_each_revision_goes_up_down_and_up(kind, tmp_path, request):
    if kind == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'stairs.db'}"
    else:
        from tests.servers.postgres import create_database

        url = await create_database(request.getfixturevalue("postgres_url"), "stairs")
    store = Store(url)
    try:
        async with store.engine.connect() as connection:
            scripts = await connection.run_sync(
                lambda sync: ScriptDirectory.from_config(migrate.config(sync))
            )
        revisions = [script.revision for script in reversed(list(scripts.walk_revisions()))]
        assert revisions
        before = "base"
        for revision in revisions:
            await migrate.upgrade(store, revision)
            await migrate.downgrade(store, before)
            await migrate.upgrade(store, revision)
            before = revision
        async with store.engine.connect() as connection:
            difference = await connection.run_sync(
                lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
            )
        assert difference == []
    finally:
        await store.close()
