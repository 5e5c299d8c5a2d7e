"""The rows of a package on their way into the table, under an import that nobody asks yet.

Until an apply names the import, no lookup can meet one of its rows, so a load may stand there half done. What
must not happen is that rows come in behind an import that was given up meanwhile and cleared away: whoever
loads looks at its state in the same transaction as the rows.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll.identity import DIGEST_SIZE
from knowledge.roll.package import Block, Package
from knowledge.roll.records import ImportState, RollImport, RollPlace, RollRow, RollState
from office.errors import Conflict
from office.store import Store

Places = NDArray[np.int32]
"""For each place of a package the row of `roll_place`."""

CHUNK: Final = 8_192
"""Rows that SQLite takes in one transaction: others wait for about 10 ms."""
GAP: Final = 0.0005
"""Seconds in which others get in after each."""
LONG_GAP: Final = 0.03
"""The same while others write: SQLite has no queue, and who waits looks again after up to 100 ms."""
CROWDED: Final = 1.0
"""Seconds from meeting somebody who writes until the gaps are short again."""
PATIENCE: Final = 600.0
"""Seconds after which a load gives up to get in: somebody else holds the database for good."""
PLACES_AT_ONCE: Final = 2_000
COLUMNS: Final = ("import_id", "digest", "place_id", "mark")
TOGETHER: Final = 64
"""Rows in one statement for SQLite: with one each, two thirds of the time go into stepping statements."""
# A row of PostgreSQL's binary COPY, all big-endian: the number of fields, then each behind its length.
# https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
WIRE: Final = np.dtype(
    [
        ("fields", ">i2"),
        ("import_length", ">i4"), ("import_id", ">i4"),
        ("digest_length", ">i4"), ("digest", "u1", (DIGEST_SIZE,)),
        ("place_length", ">i4"), ("place_id", ">i4"),
        ("mark_length", ">i4"), ("mark", ">i2"),
    ]
)  # fmt: skip
WIRE_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
WIRE_END: Final = b"\xff\xff"


async def load(store: Store, import_id: int, package: Package) -> None:
    """Write every row of a package under `import_id`, which is LOADING and stays so.

    On PostgreSQL in one transaction; on SQLite in many short ones, so that voters who ask meanwhile need not
    wait for the end. Raises `BadPackage` if the file is no longer the one that was checked, and
    `Conflict("stale_card")` if the import was given up meanwhile; rows may be left for `imports.clear_away`.
    """
    async with store.transaction() as session:
        places = await known_places(session, package.header.places)
    if store.sqlite:
        path = make_url(store.url).database
        assert path is not None
        await asyncio.to_thread(_load_sqlite, path, import_id, package, places)
    else:
        async with store.transaction() as session:
            await _copy(session, import_id, package, places)


async def load_small(session: AsyncSession, import_id: int, package: Package) -> None:
    """Write the rows of a small package in the caller's transaction."""
    places = await known_places(session, package.header.places)
    for block in package.blocks():
        found = zip(repeat(import_id), *columns(block, places), strict=False)
        await session.execute(insert(RollRow), [dict(zip(COLUMNS, row, strict=True)) for row in found])


async def known_places(session: AsyncSession, wanted: tuple[tuple[str, str, str], ...]) -> Places:
    """Row numbers of these places in their order; new ones are added.

    One place has one row whatever package names it, so that rows of two imports can be compared by it.
    """
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    adding = dialect.insert(RollPlace).on_conflict_do_nothing()
    there = await _places(session)
    # In order, or two who add the same ones could wait for each other.
    missing = sorted(set(wanted) - there.keys())
    for first in range(0, len(missing), PLACES_AT_ONCE):
        names = ("district", "group_no", "station")
        rows = [dict(zip(names, place, strict=True)) for place in missing[first : first + PLACES_AT_ONCE]]
        await session.execute(adding, rows)
    if missing:
        there = await _places(session)
    return np.array([there[place] for place in wanted], dtype=np.int32)


async def _places(session: AsyncSession) -> dict[tuple[str, str, str], int]:
    rows = await session.execute(
        select(RollPlace.id, RollPlace.district, RollPlace.group_no, RollPlace.station)
    )
    return {(district, group, station): row for row, district, group, station in rows}


# ---- PostgreSQL ----


async def _copy(session: AsyncSession, import_id: int, package: Package, places: Places) -> None:
    still = select(RollImport.id).where(RollImport.id == import_id, RollImport.state == ImportState.LOADING)
    # A first statement, or the driver would have no transaction yet.
    if await session.scalar(still) is None:
        raise Conflict("stale_card")
    pooled = await (await session.connection()).get_raw_connection()
    driver: Any = pooled.driver_connection
    await driver.copy_to_table(
        RollRow.__tablename__, columns=COLUMNS, format="binary", source=_wire(import_id, package, places)
    )
    # From here on whoever gives the import up waits, and then finds the rows.
    if await session.scalar(still.with_for_update()) is None:
        raise Conflict("stale_card")
    if await session.scalar(select(RollState.current_id).where(RollState.id == 1)) is not None:
        # The planner has never heard of this import, and the comparison that follows is a large join.
        await session.execute(text(f"ANALYZE {RollRow.__tablename__}"))


async def _wire(import_id: int, package: Package, places: Places) -> AsyncIterator[bytes]:
    yield WIRE_HEAD
    blocks = package.blocks()
    # In a thread: the loop goes on answering while a block is read, checked and laid out.
    while (content := await asyncio.to_thread(_next_wire, import_id, blocks, places)) is not None:
        yield content
    yield WIRE_END


def _next_wire(import_id: int, blocks: Iterator[Block], places: Places) -> bytes | None:
    block = next(blocks, None)
    return None if block is None else wire(import_id, block, places)


def wire(import_id: int, block: Block, places: Places) -> bytes:
    """Rows as the binary COPY takes them, without its head and end."""
    rows = np.empty(len(block), WIRE)
    rows["fields"] = len(COLUMNS)
    rows["import_length"], rows["import_id"] = 4, import_id
    rows["digest_length"], rows["digest"] = DIGEST_SIZE, block["digest"]
    rows["place_length"], rows["place_id"] = 4, places[block["place"]]
    rows["mark_length"], rows["mark"] = 2, block["mark"]
    return rows.tobytes()


# ---- SQLite ----


def _load_sqlite(path: str, import_id: int, package: Package, places: Places) -> None:
    """On a connection of its own, in the thread it is called in.

    This commits by itself, besides the store: each chunk is a transaction of the driver's. Nothing reads the
    rows before the apply, which goes through the store, so no unit of work is torn by it.
    """
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        # Without waiting for the disk at each chunk: the apply does, and it carries all before it.
        connection.execute("PRAGMA synchronous=NORMAL")
        # 16 MB between two times that the log goes into the file: each waits for the disk.
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        crowded_until = 0.0
        for block in package.blocks():
            for first in range(0, len(block), CHUNK):
                if _chunk(connection, import_id, block[first : first + CHUNK], places):
                    crowded_until = time.monotonic() + CROWDED
                time.sleep(LONG_GAP if time.monotonic() < crowded_until else GAP)


def _chunk(connection: sqlite3.Connection, import_id: int, block: Block, places: Places) -> bool:
    """Write some rows in a transaction; returns whether others were writing when it wanted to begin."""
    made = list(inserts(import_id, block, places))
    waited = _begin(connection)
    try:
        state = connection.execute("SELECT state FROM roll_import WHERE id = ?", (import_id,)).fetchone()
        if state != (ImportState.LOADING.value,):
            raise Conflict("stale_card")
        for statement, values in made:
            connection.executemany(statement, values)
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    return waited


def _begin(connection: sqlite3.Connection) -> bool:
    """Begin when nobody else writes, those who wait first; returns whether somebody did."""
    given_up = time.monotonic() + PATIENCE
    waited = False
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > given_up:
                raise
            waited = True
            time.sleep(LONG_GAP)
        else:
            return waited


def inserts(import_id: int, block: Block, places: Places) -> Iterator[tuple[str, list[list[Any]]]]:
    """Rows as SQLite's driver takes them fastest: statements of many rows, each with its lists of values."""
    whole = len(block) // TOGETHER * TOGETHER
    for rows, size in ((block[:whole], TOGETHER), (block[whole:], 1)):
        if not len(rows):
            continue
        values: list[Any] = [None] * (len(rows) * 3)
        values[0::3], values[1::3], values[2::3] = columns(rows, places)
        # The number of an import is ours and no text.
        each = ", ".join([f"({import_id:d}, ?, ?, ?)"] * size)
        statement = f"INSERT INTO roll_row (import_id, digest, place_id, mark) VALUES {each}"
        yield statement, [values[at : at + 3 * size] for at in range(0, len(values), 3 * size)]


def columns(block: Block, places: Places) -> tuple[list[bytes], list[int], list[int]]:
    """Digests, rows of places, and marks."""
    # Not as text of numpy's: that would lose the zeros at the end of a digest.
    digests = np.ascontiguousarray(block["digest"]).view(f"V{DIGEST_SIZE}").ravel().tolist()
    return digests, places[block["place"]].tolist(), block["mark"].tolist()
