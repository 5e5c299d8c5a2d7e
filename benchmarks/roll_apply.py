"""Carrying a roll in, against the fastest load of the same rows that each database knows.

Ours is everything between the file and the first lookup of the new roll: the signature and every row checked,
places found, rows loaded unseen, counted, and put in force. The reference loads the same rows, laid out in
memory beforehand, into an equal table. Both by turns, each time into an empty table.

    python3 -m benchmarks.roll_apply --rows 10000000 --rounds 1 postgres sqlite
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
from sqlalchemy import text

from bot import migrate
from knowledge.roll import imports, keys, package, signers, staging
from knowledge.roll.identity import DIGEST_SIZE, DIGEST_VERSION
from knowledge.roll.keys import OfflineKey
from knowledge.roll.package import RECORD, Block, Header
from knowledge.roll.records import Mark, RollImport
from knowledge.roll.signers import Signer
from office import units
from office.staff import Role, Staff
from office.store import Store
from office.units import UnitKind

ROWS = 400_000
ROUNDS = 5
BLOCK = 65_536
PLACES = 3_000
GOALS = {"postgres": 0.6, "sqlite": 0.5}
AGAINST = {
    "postgres": "binary COPY of the same bytes into an equal table",
    "sqlite": f"inserts of {staging.TOGETHER} rows each in one transaction, no journal, no sync",
}

Row = dict[str, Any]
Places = tuple[tuple[str, str, str], ...]


@dataclass
class Office:
    """An empty installation with the two people a roll needs, and the machine that makes its packages."""

    store: Store
    folder: Path
    key: OfflineKey = field(default_factory=lambda: keys.make("东浦区2026"))
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    people: tuple[Staff, ...] = ()

    async def open(self) -> None:
        await migrate.upgrade(self.store)
        async with self.store.transaction() as session:
            unit = await units.add(session, UnitKind.DISTRICT, "DP", "东浦区")
            self.people = tuple(
                Staff(name=name, unit_id=unit.id, roles=[Role.REVIEWER.value], created_at=self.now)
                for name in ("王芳", "周宁")
            )
            session.add_all(self.people)
            signer = Signer(self.key.signer, self.key.digest.election, self.key.digest.key_id)
            await signers.install(session, signer, basis="bench", now=self.now)

    def package(self, blocks: Sequence[Block], places: Places | None = None) -> Path:
        """A package of these rows, newer than the one before."""
        self.now += timedelta(minutes=1)
        tallies = [package.tally(block) for block in blocks]
        tally = {name: sum(one[name] for one in tallies) for name in tallies[0]}
        header = Header(
            package_id=uuid.uuid4().hex, election=self.key.digest.election, key_id=self.key.digest.key_id,
            signer=self.key.signer, made_at=self.now, digest_version=DIGEST_VERSION,
            rows=sum(len(block) for block in blocks), places=places or groups(),
            counts={"read": tally["persons"], "good": tally["persons"], "refused": 0, "doubtful": 0, **tally},
        )  # fmt: skip
        path = self.folder / f"{header.package_id}.roll"
        package.write(path, header, blocks, self.key)
        return path

    async def carry_in(self, path: Path) -> None:
        """What is measured: from the file to the roll in force."""
        await self.apply(await self.prepare(path))
        await asyncio.to_thread(path.unlink)

    async def prepare(self, path: Path) -> RollImport:
        """The first person's part."""
        key = self.key.digest
        return await imports.prepare(self.store, path, key=key, actor=self.people[0], now=self.now)

    async def apply(self, prepared: RollImport) -> None:
        """The second person's part."""
        async with self.store.transaction() as session:
            found = await imports.get(session, prepared.id)
            await imports.apply(session, found, seen=found.version, actor=self.people[1], now=self.now)

    async def empty(self) -> None:
        """As it was before the first roll, but for the lines about it."""
        async with self.store.transaction() as session:
            await session.execute(text("UPDATE roll_state SET current_id = NULL, previous_id = NULL"))
            # Truncating gives the pages back, so that every round fills a new file.
            emptying = "DELETE FROM roll_row" if self.store.sqlite else "TRUNCATE roll_row"
            await session.execute(text(emptying))


def groups() -> Places:
    """Groups of a large district."""
    return tuple((f"第{n // 30 + 1}选区", f"{n // 30 + 1}-{n % 30 + 1:02}", f"S{n}") for n in range(PLACES))


def rows(count: int) -> list[Block]:
    """Digests as of a keyed hash, sorted, in blocks; the same for the same count."""
    dice = np.random.default_rng(count)
    halves = dice.integers(0, 2**64, (count, 2), dtype=np.uint64)
    halves = halves[np.argsort(halves[:, 0])]
    made = np.zeros(count, RECORD)
    made["digest"] = halves.astype(">u8").view("u1").reshape(count, DIGEST_SIZE)
    made["place"] = dice.integers(0, PLACES, count)
    made["mark"] = Mark.REGISTERED
    return [made[first : first + BLOCK] for first in range(0, count, BLOCK)]


@asynccontextmanager
async def office(database: str, folder: Path) -> AsyncIterator[Office]:
    """An office on a database of its own, gone afterwards."""
    if database == "sqlite":
        async with _opened(f"sqlite+aiosqlite:///{folder / 'bench.db'}", folder) as found:
            yield found
        return
    from tests.servers import postgres

    server, url = await asyncio.to_thread(postgres.start)
    name = f"bench_{uuid.uuid4().hex[:12]}"
    try:
        async with _opened(await postgres.create_database(url, name), folder) as found:
            yield found
    finally:
        await postgres.drop_database(url, name)
        if server is not None:
            await asyncio.to_thread(server.stop)


@asynccontextmanager
async def _opened(url: str, folder: Path) -> AsyncIterator[Office]:
    found = Office(Store(url), folder)
    try:
        await found.open()
        yield found
    finally:
        await found.store.close()


# ---- the references ----


async def bare_postgres(found: Office, wires: Sequence[bytes]) -> float:
    """Seconds for the binary COPY of rows that are laid out already."""

    async def source() -> AsyncIterator[bytes]:
        yield staging.WIRE_HEAD
        for wire in wires:
            yield wire
        yield staging.WIRE_END

    address = found.store.url.replace("postgresql+asyncpg", "postgresql")
    connection = await asyncpg.connect(address)
    try:
        await connection.execute("CREATE TABLE bare (LIKE roll_row INCLUDING ALL)")
        begun = time.perf_counter()
        async with connection.transaction():
            await connection.copy_to_table("bare", columns=staging.COLUMNS, format="binary", source=source())
        took = time.perf_counter() - begun
        await connection.execute("DROP TABLE bare")
    finally:
        await connection.close()
    return took


def bare_sqlite(folder: Path, inserts: Sequence[tuple[str, list[list[Any]]]]) -> float:
    """Seconds for all rows in one transaction that no power cut would survive."""
    path = folder / "bare.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(
            "CREATE TABLE roll_row (import_id INTEGER NOT NULL, digest BLOB NOT NULL,"
            " place_id INTEGER NOT NULL, mark SMALLINT NOT NULL, PRIMARY KEY (import_id, digest))"
            " WITHOUT ROWID"
        )
        begun = time.perf_counter()
        connection.execute("BEGIN")
        for statement, values in inserts:
            connection.executemany(statement, values)
        connection.execute("COMMIT")
        took = time.perf_counter() - begun
    path.unlink()
    return took


# ---- the rounds ----


@dataclass
class Times:
    """Seconds of each round, and of the preview against a roll in force of the same size."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    again: float = 0.0


async def measure(database: str, count: int, rounds: int) -> Times:
    """Both by turns; the last of ours is followed by one that meets it in force."""
    blocks, times = rows(count), Times()
    numbers = np.arange(PLACES, dtype=np.int32) + 1
    with tempfile.TemporaryDirectory(prefix="one-window-bench-") as name:
        folder = Path(name)
        async with office(database, folder) as found:
            bare = _bare(database, found, blocks, numbers)
            for number in range(rounds):
                path = found.package(blocks)
                gc.collect()
                times.bare.append(await bare())
                gc.collect()
                begun = time.perf_counter()
                await found.carry_in(path)
                times.ours.append(time.perf_counter() - begun)
                if number < rounds - 1:
                    await found.empty()
            path = found.package(blocks)
            begun = time.perf_counter()
            await found.carry_in(path)
            times.again = time.perf_counter() - begun
    return times


def _bare(
    database: str, found: Office, blocks: Sequence[Block], numbers: staging.Places
) -> Callable[[], Any]:
    if database == "postgres":
        wires = [staging.wire(1, block, numbers) for block in blocks]
        return lambda: bare_postgres(found, wires)
    inserts = [made for block in blocks for made in staging.inserts(1, block, numbers)]
    return lambda: asyncio.to_thread(bare_sqlite, found.folder, inserts)


def figures(database: str, count: int = ROWS, rounds: int = ROUNDS) -> list[Row]:
    """Rows a second against the reference, as the bench prints it."""
    times = asyncio.run(measure(database, count, rounds))
    ours, bare = (count / statistics.median(taken) for taken in (times.ours, times.bare))
    pairs = [b / o for o, b in zip(times.ours, times.bare, strict=True)]
    name = f"roll_apply_{database}"
    return [
        {
            "name": name, "ours": ours, "reference": bare, "unit": "rows/s",
            "ratio": statistics.median(pairs), "goal": GOALS[database], "better": "more",
            "what": f"{count:,} rows of a package checked, loaded, counted and in force, against "
                    f"{AGAINST[database]}",
        },
        {
            "name": f"{name}_again", "ours": count / times.again, "reference": bare, "unit": "rows/s",
            "ratio": statistics.median(times.bare) / times.again, "goal": None, "better": "more",
            "what": "the same while a roll of that size is in force, every row compared with it",
        },
    ]  # fmt: skip


def main() -> None:
    """Measure by hand, with another number of rows."""
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks.roll_apply")
    parser.add_argument("databases", nargs="*", metavar="postgres|sqlite")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    for database in given.databases or GOALS:
        for row in figures(database, given.rows, given.rounds):
            print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
