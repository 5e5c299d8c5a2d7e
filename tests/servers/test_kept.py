"""A database that goes from test to test is for each of them what a new one is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url, text

from office import staff
from office.store import Store
from tests.conftest import NOW
from tests.make import a_ticket, an_entry
from tests.servers import kept, postgres
from tests.servers.stores import LEVELS, PostgresDatabases, Templates
from ticketing import tickets

SCHEMA = (
    "SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default"
    " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
)


def plain(address: str) -> str:
    return make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)


async def everything(address: str) -> dict[str, list[Any]]:
    """Schema, the rows of each table in the order in which they are found, and where each sequence stands."""
    connection = await asyncpg.connect(plain(address))
    try:
        found: dict[str, list[Any]] = {query: list(await connection.fetch(query)) for query in SCHEMA}
        tables = await connection.fetch("SELECT relname, relkind FROM pg_class WHERE relnamespace = 2200")
        for name, kind in tables:
            if kind == b"r":
                found[name] = await connection.fetch(f'SELECT row::text FROM public."{name}" AS row')
            elif kind == b"S":
                found[name] = await connection.fetch(f'SELECT last_value, is_called FROM public."{name}"')
        return found
    finally:
        await connection.close()


@pytest.fixture
async def databases(postgres_url: str) -> AsyncIterator[PostgresDatabases]:
    """Databases with templates of their own names, beside those of the other tests."""
    made = PostgresDatabases(postgres_url, prefix="kept_")
    yield made
    await made.close()
    for level in LEVELS:
        await postgres.drop_database(postgres_url, f"kept_template_{level}")


@pytest.fixture
def filled(databases: PostgresDatabases) -> Templates:
    return Templates(databases, NOW)


@asynccontextmanager
async def new(url: str, level: str) -> AsyncIterator[str]:
    yield await postgres.create_database(url, "kept_new", template=f"kept_template_{level}")
    await postgres.drop_database(url, "kept_new")


async def work(store: Store, templates: Templates, now: datetime) -> None:
    """Rows in many tables, changed, taken out and undone, as tests leave them."""
    cast = templates.cast()
    async with store.transaction() as session:
        await an_entry(session, cast, now, no="K-0777", question="什么时候投票？")
        ticket = await a_ticket(session, cast, now)
        await tickets.take(session, ticket, actor=cast.li_qiang, now=now)
        person = await staff.get(session, cast.wang_fang.id)
        await staff.suspend(session, person, actor=cast.zhou_ning, now=now)
        await session.execute(text("UPDATE staff SET name = name"))
        await session.execute(text("DELETE FROM staff WHERE name = '孙洁'"))
    async with store.transaction() as session:
        await a_ticket(session, cast, now, "这一条不会留下")
        await session.rollback()


@pytest.mark.parametrize("level", ["cast", "town"])
async def test_it_is_again_what_a_new_one_is(
    filled: Templates, postgres_url: str, level: str, now: datetime
) -> None:
    addresses, before = set(), None
    for _ in range(3):
        async with filled.store(level) as store:
            addresses.add(store.url)
            found = await everything(store.url)
            if before is None:
                async with new(postgres_url, level) as address:
                    before = await everything(address)
            assert found == before
            await work(store, filled, now)
            assert await everything(store.url) != before
    assert len(addresses) == 1


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE staff ADD COLUMN nickname text",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "CREATE INDEX ix_more ON staff (name)",
        "TRUNCATE unit CASCADE",
        "CREATE VIEW one AS SELECT 1",
    ],
)
async def test_who_changes_the_schema_leaves_one_that_is_not_used_again(
    filled: Templates, change: str
) -> None:
    async with filled.store("cast") as store:
        first = store.url
        async with store.transaction() as session:
            await session.execute(text(change))
    async with filled.store("cast") as store:
        assert store.url != first


async def test_nor_is_one_that_somebody_is_still_connected_to(filled: Templates) -> None:
    async with filled.store("cast") as store:
        first = store.url
        left = await asyncpg.connect(plain(first))
    async with filled.store("cast") as store:
        assert store.url != first
    await left.close()


async def test_nor_is_one_in_which_very_much_was_written(
    filled: Templates, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_LOGGED", 1000)
    async with filled.store("cast") as store:
        first = store.url
        await work(store, filled, now)
    async with filled.store("cast") as store:
        assert store.url != first
