"""Rows on their way into the table: all of them, byte for byte, in the way of each database."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from knowledge.roll import imports, keys, package, staging
from knowledge.roll.records import ImportState, Mark, RollImport, RollPlace, RollRow
from office.errors import Conflict
from office.store import Store
from tests import rolls
from tests.make import Cast
from tests.servers.cache import ROOT
from tests.voters import voter

KEY = keys.make(rolls.ELECTION)


async def loading(store: Store, path: Path, now: datetime) -> int:
    """An import that has begun."""
    found = package.check(path)
    header = found.header
    async with store.transaction() as session:
        row = RollImport(
            package_id=header.package_id, package_hash=found.hash, election=header.election,
            key_id=header.key_id, digest_version=1, signer=header.signer, made_at=header.made_at,
            rows=header.rows, counts=dict(header.counts), prepared_at=now,
        )  # fmt: skip
        session.add(row)
    return row.id


async def test_every_row_comes_in_byte_for_byte(
    store: Store, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(package, "BLOCK", 70)
    monkeypatch.setattr(staging, "CHUNK", 32)
    block = rolls.rows(KEY.digest, [voter(n) for n in range(100)], marks={voter(3): Mark.CANARY})
    # Zeros at the end are part of a digest, and a place may stand in the middle of the list.
    block["digest"][7, 1:] = 0
    block.sort(order="digest")
    rolls.write(tmp_path / "a.roll", KEY, block)
    number = await loading(store, tmp_path / "a.roll", now)
    await staging.load(store, number, package.check(tmp_path / "a.roll"))
    async with store.reading() as session:
        places = {row.id: (row.district, row.group_no, row.station) for row in await all_places(session)}
        rows = await session.execute(
            select(RollRow.digest, RollRow.place_id, RollRow.mark)
            .where(RollRow.import_id == number)
            .order_by(RollRow.digest)
        )
        found = [(digest, places[place], mark) for digest, place, mark in rows]
    assert found == [(row["digest"].tobytes(), rolls.PLACES[row["place"]], row["mark"]) for row in block]


async def all_places(session: object) -> list[RollPlace]:
    return list(await session.scalars(select(RollPlace)))  # type: ignore[attr-defined]


async def test_a_place_has_one_row_whoever_names_it(store: Store):
    one, two = (("第一选区", "12-01", "12-01"), ("第二选区", "12-02", "")), (("第二选区", "12-02", ""),)
    async with store.transaction() as session:
        first = await staging.known_places(session, one)
    async with store.transaction() as session:
        again = await staging.known_places(session, two)
        assert len(await all_places(session)) == 2
    assert again.tolist() == [first[1]]


async def test_two_who_add_the_same_places_do_not_stumble(store: Store):
    wanted = tuple(("第一选区", f"12-{n:02}", "") for n in range(50))

    async def add(places: tuple[tuple[str, str, str], ...]) -> set[int]:
        async with store.transaction() as session:
            return set((await staging.known_places(session, places)).tolist())

    found = await asyncio.gather(add(wanted), add(wanted[::-1]))
    assert found[0] == found[1]
    assert len(found[0]) == 50


async def test_nothing_comes_in_behind_an_import_that_was_given_up(
    store: Store, cast: Cast, now: datetime, tmp_path: Path
):
    rolls.write(tmp_path / "a.roll", KEY, rolls.rows(KEY.digest))
    number = await loading(store, tmp_path / "a.roll", now)
    async with store.transaction() as session:
        await imports.drop(session, await imports.get(session, number), seen=1, actor=cast.wang_fang, now=now)
    with pytest.raises(Conflict, match="stale_card"):
        await staging.load(store, number, package.check(tmp_path / "a.roll"))
    async with store.reading() as session:
        assert await session.scalar(select(func.count()).select_from(RollRow)) == 0


def test_on_sqlite_a_load_waits_for_whoever_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rolls.write(tmp_path / "a.roll", KEY, rolls.rows(KEY.digest))
    found, places = package.check(tmp_path / "a.roll"), np.array([1, 2], dtype=np.int32)
    path, waits = str(tmp_path / "store.db"), threading.Event()
    pause = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: (waits.set(), pause(seconds))[1])
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(1) as thread:
        other.executescript(
            "PRAGMA journal_mode=WAL; CREATE TABLE roll_import (id, state);"
            "CREATE TABLE roll_row (import_id, digest, place_id, mark);"
            "INSERT INTO roll_import VALUES (1, 'loading'); BEGIN IMMEDIATE;"
        )
        load = thread.submit(staging._load_sqlite, path, 1, found, places)
        assert waits.wait(10)
        other.execute("COMMIT")
        load.result(10)
        assert other.execute("SELECT count(*) FROM roll_row").fetchone() == (8,)
        monkeypatch.setattr(staging, "PATIENCE", 0.0)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            thread.submit(staging._load_sqlite, path, 1, found, places).result(10)


def test_a_row_on_the_wire_is_what_postgresql_expects():
    block = rolls.rows(KEY.digest)[:1]
    block["place"] = 1
    content = staging.wire(7, block, np.array([11, 258], dtype=np.int32))
    assert staging.WIRE.itemsize == 44
    assert content.hex(" ", 1).split() == [
        "00", "04",
        "00", "00", "00", "04", "00", "00", "00", "07",
        "00", "00", "00", "10", *block["digest"][0].tobytes().hex(" ").split(),
        "00", "00", "00", "04", "00", "00", "01", "02",
        "00", "00", "00", "02", "00", f"{int(block['mark'][0]):02x}",
    ]  # fmt: skip


LOADER = """
import asyncio, sys, time
from datetime import UTC, datetime
from pathlib import Path
from knowledge.roll import package, staging
from office.store import Store

def slowly(self, blocks=package.Package.blocks):
    for number, block in enumerate(blocks(self)):
        if number == 3:
            print("half way", flush=True)
            time.sleep(60)
        yield block

package.BLOCK = staging.CHUNK = 50
package.Package.blocks = slowly
asyncio.run(staging.load(Store(sys.argv[1]), int(sys.argv[2]), package.check(Path(sys.argv[3]))))
"""


async def test_a_process_killed_half_way_leaves_nothing_that_can_be_asked(
    store: Store, cast: Cast, now: datetime, tmp_path: Path
):
    await rolls.install_roll(store, tmp_path, key=KEY)
    path = tmp_path / "b.roll"
    rolls.write(path, KEY, rolls.rows(KEY.digest, [voter(n) for n in range(200)]))
    number = await loading(store, path, now)
    command = [sys.executable, "-c", LOADER, store.url, str(number), str(path)]
    loader = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert loader.stdout is not None
    assert await loader.stdout.readline() == b"half way\n"
    loader.kill()
    await loader.communicate()
    async with store.reading() as session:
        in_force = await imports.in_force(session)
        assert in_force is not None
        assert in_force.rows == 8
    later = now + timedelta(minutes=59)
    async with store.transaction() as session:
        assert await imports.clear_away(session, later) == 0
        assert (await imports.get(session, number)).state is ImportState.LOADING
    async with store.transaction() as session:
        # On PostgreSQL the transaction went with the process.
        assert await imports.clear_away(session, later + timedelta(minutes=2)) == (150 if store.sqlite else 0)
    async with store.reading() as session:
        assert (await imports.get(session, number)).state is ImportState.DROPPED
        assert await session.scalar(select(func.count()).select_from(RollRow)) == 8
