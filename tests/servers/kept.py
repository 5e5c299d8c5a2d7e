"""A database of PostgreSQL that goes from test to test, and is for each what it was when it was copied.

To copy a database and to drop it costs more than most tests do. Here rows and sequences are put back instead:
every table is emptied and gets the rows again that it was copied with, in their order, all in one call. Who
changes the schema, leaves a connection open or writes very much leaves a database that is not used again.

What a test has written is looked through in the log of writes (`leaks`). It holds every row at its full
length, also those that are gone again: the server logs as if somebody followed it (`wal_level=logical`).
"""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import asyncpg
from sqlalchemy import make_url

USES = 40
"""So often one database is used: what was deleted stays in its files."""
MOST_LOGGED = 48 * 1024**2
"""Bytes; the server keeps more than that of its log."""
SEGMENT, PAGE = 16 * 1024**2, 8192
FIRST_HEADER, HEADER = 40, 24

# Who else is there, how far the log has come, and what changes with every change of the schema.
STATE = """
SELECT
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker') AS others,
    (pg_current_wal_insert_lsn() - '0/0')::bigint AS logged,
    ARRAY[
        (SELECT (count(*), max(xmin::text::bigint), sum(relfilenode::bigint)) FROM pg_class
            WHERE oid >= 16384),
        (SELECT (count(*), max(xmin::text::bigint), 0::numeric) FROM pg_attribute WHERE attrelid >= 16384),
        (SELECT (count(*), max(xmin::text::bigint), 0::numeric) FROM pg_attrdef),
        (SELECT (count(*), max(xmin::text::bigint), 0::numeric) FROM pg_constraint),
        (SELECT (count(*), max(xmin::text::bigint), 0::numeric) FROM pg_index WHERE indexrelid >= 16384),
        (SELECT (count(*), max(xmin::text::bigint), 0::numeric) FROM pg_trigger),
        (SELECT (count(*), max(xmin::text::bigint), 0::numeric) FROM pg_proc WHERE oid >= 16384),
        (SELECT (count(*), max(xmin::text::bigint), 0::numeric) FROM pg_type WHERE oid >= 16384),
        (SELECT (count(*), max(xmin::text::bigint), 0::numeric) FROM pg_sequence),
        (SELECT (count(*), max(xmin::text::bigint), 0::numeric) FROM pg_namespace),
        (SELECT (count(*), max(xmin::text::bigint), 0::numeric) FROM pg_extension),
        (SELECT (count(*), max(xmin::text::bigint), 0::numeric) FROM pg_largeobject_metadata),
        (SELECT (count(*), max(xmin::text::bigint), 0::numeric) FROM pg_db_role_setting)
    ]::text AS shape
"""
ORDER = """
SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'S', 'i')
"""


class Unusable(Exception):
    """This database cannot be what it was."""


@dataclass
class Kept:
    """One such database. `connection` is ours; what it needs lies in its own temporary schema."""

    name: str
    address: str
    data: Path
    connection: asyncpg.Connection
    shape: str = ""
    logged: int = 0
    begun: float = 0.0
    uses: int = 0

    @classmethod
    async def opened(cls, name: str, address: str, data: Path) -> Self:
        """The database at `address`, which was copied just now."""
        plain = make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)
        begun = time.time()
        connection = await asyncpg.connect(plain, timeout=60)
        found = cls(name, address, data, connection, begun=begun)
        try:
            # Triggers of rows that are only added to, and foreign keys, are for others.
            await connection.execute(
                "SET session_replication_role = replica; SET synchronous_commit = local;"
                " SET lock_timeout = '2s'; SET application_name = 'between the tests'"
            )
            if await connection.fetchval(ORDER):
                raise Unusable("views, or tables in parts")
            await connection.execute(await _restoring(connection))
            state = await found._state()
            found.shape, found.logged = state["shape"], state["logged"]
        except BaseException:
            await connection.close(timeout=60)
            raise
        return found

    async def written(self) -> bytes:
        """What was written since it was handed out; it is what it was then again. Raises `Unusable`."""
        self.uses += 1
        state = await self._alone()
        if state["shape"] != self.shape:
            raise Unusable("another schema")
        if state["logged"] - self.logged > MOST_LOGGED:
            raise Unusable("very much was written")
        try:
            await self.connection.execute("SELECT pg_temp.restore()")
        except asyncpg.PostgresError as error:
            raise Unusable(str(error)) from error
        # The commit of the restoring is in the files, and so is everything before it.
        written = logged(self.data / "pg_wal", self.logged, state["logged"])
        self.logged, self.begun = (await self._state())["logged"], time.time()
        return written

    async def _alone(self) -> Any:
        """The state when all others have gone; the server notices a little later than they do."""
        for wait in itertools.chain([0.001] * 10, [0.01] * 40, [None]):
            state = await self._state()
            if not state["others"]:
                return state
            if wait is None:
                raise Unusable("somebody is still connected")
            await asyncio.sleep(wait)
        raise AssertionError

    async def _state(self) -> Any:
        return await self.connection.fetchrow(STATE)

    async def close(self) -> None:
        await self.connection.close(timeout=60)


async def _restoring(connection: asyncpg.Connection) -> str:
    """The function that puts everything back, and copies of the rows that there are now."""
    before, acts = [], []
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    for number, row in enumerate(tables):
        table = f'public."{row["tablename"]}"'
        acts.append(f"DELETE FROM {table};")
        if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):
            before.append(f"CREATE TEMPORARY TABLE kept_{number} AS SELECT * FROM {table};")
            acts.append(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM pg_temp.kept_{number};")
    for row in await connection.fetch(
        "SELECT sequencename AS name, start_value, last_value FROM pg_sequences WHERE schemaname = 'public'"
    ):
        sequence, called = f'public."{row["name"]}"', row["last_value"] is not None
        last = row["last_value"] if called else row["start_value"]
        acts.append(
            f"PERFORM setval('{sequence}', {last}, {called}) FROM {sequence}"
            f" WHERE (last_value, is_called) <> ({last}, {called});"
        )
    # With a number of its own the transaction is written out at once, and all before it.
    acts.append("PERFORM pg_current_xact_id();")
    body = "\n".join(acts)
    return (
        "\n".join(before)
        + f"CREATE FUNCTION pg_temp.restore() RETURNS void LANGUAGE plpgsql AS $$ BEGIN\n{body}\nEND $$"
    )


def logged(folder: Path, begin: int, end: int) -> bytes:
    """The log of writes between two places, without the headers of its pages, which cut through rows."""
    found = []
    for page in range(begin - begin % PAGE, end, PAGE):
        segment, within = divmod(page, SEGMENT)
        # Of a new server, which never was another's second.
        path = folder / f"{1:08X}{segment >> 8:08X}{segment & 0xFF:08X}"
        header = HEADER if within else FIRST_HEADER
        try:
            with path.open("rb") as file:
                file.seek(within)
                data = file.read(PAGE)
        except FileNotFoundError as error:
            raise Unusable("the log was cleared away") from error
        if int.from_bytes(data[8:16], "little") != page:
            raise Unusable("the log was written over")
        found.append(data[max(header, begin - page) : end - page])
    return b"".join(found)
