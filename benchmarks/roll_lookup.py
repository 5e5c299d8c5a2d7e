"""Looking one voter up in a large roll, against the bare driver finding the same row by its key.

Ours is what stands between the words typed and the result: the key's file looked at, name and number brought
to one form and checked, the HMAC, the one statement over all six tables, the result. The reference sends a
digest that is there already with the same driver, over a connection of its own, and gets the row of one
table: with `execute_fetchall` of aiosqlite, with a prepared `fetchrow` of asyncpg. Both by turns.

Not in it, because they are no work of looking up: the floor time, which is waiting, and the network. Budgets,
calendar, record of the act and the transaction around them are in the second figure, which has no goal.

    python3 -m benchmarks.roll_lookup --rows 10000000 postgres sqlite
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import numpy as np

from benchmarks import roll_apply
from benchmarks.roll_apply import Office
from knowledge import elections
from knowledge.roll import identity, keys
from knowledge.roll.identity import DigestKey
from knowledge.roll.keys import KeyHolder
from knowledge.roll.lookup import lookup
from knowledge.roll.lookups import Caller, Lookups
from knowledge.roll.package import Block
from knowledge.roll.records import LookupResult
from office import units
from office.hours import beijing_day

ROWS = 1_000_000
VOTERS = 2_000
"""Invented persons among the rows, whom both look up."""
ROUNDS = 5
GOAL = 3.0
ONE_ROW = "SELECT place_id, mark FROM roll_row WHERE import_id = {} AND digest = {}"
REGION = "310199"
"""The code of no place, so that nobody bears these numbers."""

Person = tuple[str, str]
Step = Callable[[int], Awaitable[None]]


@dataclass
class Times:
    """Seconds of one lookup, the median of each round."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)


def persons() -> list[Person]:
    """Invented voters, all with numbers whose check character is right."""
    found = []
    for number in range(VOTERS):
        born = f"19{60 + number % 40:02}{number % 12 + 1:02}{number // 12 % 28 + 1:02}"
        found.append((f"林{chr(0x4E00 + number)}", identity.with_check(f"{REGION}{born}{number % 1000:03}")))
    return found


def with_persons(blocks: Sequence[Block], key: DigestKey, who: Sequence[Person]) -> list[Block]:
    """The rows, some of which are of these persons now, in order again."""
    made = np.concatenate(blocks)
    every = max(1, len(made) // len(who))
    for place, (name, number) in enumerate(who):
        made["digest"][place * every] = np.frombuffer(key.identity(name, number), "u1")
    # As two numbers: numpy's own order of bytes ends at a zero.
    high, low = made["digest"].copy().view(">u8").reshape(-1, 2).T
    made = made[np.lexsort((low, high))]
    return [made[first : first + roll_apply.BLOCK] for first in range(0, len(made), roll_apply.BLOCK)]


async def measure(database: str, count: int, rounds: int) -> Times:
    """All three by turns, over persons in the same order."""
    who, times = persons(), Times()
    with tempfile.TemporaryDirectory(prefix="one-window-bench-", dir=roll_folder()) as name:
        folder = Path(name)
        async with roll_apply.office(database, folder) as found:
            await found.carry_in(found.package(with_persons(roll_apply.rows(count), found.key.digest, who)))
            keys.write_service(found.key.digest, folder / "roll.key")
            bare, close = await _bare(found, [found.key.digest.identity(*person) for person in who])
            steps = {"ours": _ours(found, folder / "roll.key", who), "bare": bare}
            whole = await _whole(found, folder / "roll.key", who)
            try:
                for _ in range(rounds):
                    # Or the first of the two would fetch the pages for the other.
                    await _median(bare, VOTERS)
                    for kind, step in steps.items():
                        getattr(times, kind).append(await _median(step, VOTERS))
                    times.whole.append(await _median(whole, VOTERS // 10))
            finally:
                await close()
    return times


def roll_folder() -> Path | None:
    """In memory where there is room for it, so that the disk is no part of it."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else None


async def _median(step: Step, times: int) -> float:
    taken = []
    gc.collect()
    for number in range(times):
        begun = time.perf_counter()
        await step(number)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _ours(found: Office, key_file: Path, who: Sequence[Person]) -> Step:
    holder, today = KeyHolder(key_file), beijing_day(found.now)

    async def step(number: int) -> None:
        name, digits = who[number]
        key = holder.key()
        digest = key.identity(identity.read_name(name), identity.read_number(digits, today))
        seen = await lookup(found.store, digest, key_id=key.key_id)
        assert seen.found is not None
        assert seen.found.result is LookupResult.REGISTERED

    return step


async def _whole(found: Office, key_file: Path, who: Sequence[Person]) -> Step:
    """The lookup as a page makes it: one transaction with calendar, budgets and act; no floor time."""
    now = datetime.now(UTC)
    window = {"from": (now - timedelta(days=2)).date().isoformat(), "to": beijing_day(now).isoformat()}
    election = {"name": "bench", "region": "shanghai", "lookup": [window]}
    async with found.store.transaction() as session:
        office = await units.election_office(session)
        await elections.install(session, office, election, basis="bench", now=now)
    lookups = Lookups(found.store, KeyHolder(key_file), secret=b"bench", floor=0.0)
    asked = iter(range(10**9))

    async def step(number: int) -> None:
        # Another day for each round would be another budget; another person does as well.
        turn = next(asked)
        name, digits = who[turn % VOTERS]
        async with found.store.transaction() as session:
            caller = Caller("bench", f"contact:{turn}", "")
            await lookups.by_identity(session, caller, name, digits, notice="1", now=now)

    return step


async def _bare(found: Office, digests: Sequence[bytes]) -> tuple[Step, Callable[[], Awaitable[None]]]:
    url = found.store.engine.url
    if found.store.sqlite:
        sqlite = await aiosqlite.connect(str(url.database), isolation_level=None)
        statement = ONE_ROW.format("?", "?")

        async def by_aiosqlite(number: int) -> None:
            rows = await sqlite.execute_fetchall(statement, (1, digests[number]))
            assert len(list(rows)) == 1

        return by_aiosqlite, sqlite.close
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection: Any = await asyncpg.connect(plain)
    prepared = await connection.prepare(ONE_ROW.format("$1", "$2"))

    async def by_asyncpg(number: int) -> None:
        assert await prepared.fetchrow(1, digests[number]) is not None

    return by_asyncpg, connection.close


def figures(database: str, count: int = ROWS, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Milliseconds a lookup against the reference, as the bench prints it."""
    times = asyncio.run(measure(database, count, rounds))
    ours, bare, whole = (1000 * statistics.median(taken) for taken in (times.ours, times.bare, times.whole))
    ratio = statistics.median(o / b for o, b in zip(times.ours, times.bare, strict=True))
    name = f"roll_lookup_{database}"
    return [
        {
            "name": name, "ours": ours, "reference": bare, "unit": "ms", "ratio": ratio, "goal": GOAL,
            "better": "less",
            "what": f"from name and number to the result among {count:,} rows, against the bare driver's row",
        },
        {
            "name": f"{name}_whole", "ours": whole, "reference": bare, "unit": "ms", "ratio": whole / bare,
            "goal": None, "better": "less",
            "what": "the same with calendar, budgets, the record of the act and its transaction",
        },
    ]  # fmt: skip


def main() -> None:
    """Measure by hand, with another number of rows."""
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks.roll_lookup")
    parser.add_argument("databases", nargs="*", metavar="postgres|sqlite")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    for database in given.databases or ("postgres", "sqlite"):
        for row in figures(database, given.rows, given.rounds):
            print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
