"""Lookups at a steady pace while rolls are carried in one after the other: how each ended, how long it took.

Two rolls of the same persons stand at other places in each, and each has some that the other lacks, so every
answer tells which roll it is from, and one that were mixed of both would fit neither.

    python3 -m benchmarks.roll_load --rows 1000000 --seconds 60 postgres sqlite
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import roll_apply
from benchmarks.roll_apply import Office, Places
from knowledge.roll import acts, imports
from knowledge.roll.lookup import Found, lookup
from knowledge.roll.package import Block
from knowledge.roll.records import LookupResult, Way

NOBODY = Found(LookupResult.NOT_FOUND)
PER_SECOND = 50
ASKED = 400
MISSING = 7
"""One in so many persons is missing in the old roll, and another one in the new."""


def _places(word: str) -> Places:
    """The places of one of the rolls: all three texts differ from the other's."""
    return tuple((word + district, f"{word}{group}", word + station) for district, group, station in
                 roll_apply.groups())  # fmt: skip


PLACES: Final = (_places("旧"), _places("新"))


@dataclass(frozen=True, slots=True)
class Person:
    """A digest with what each of the two rolls says of it."""

    digest: bytes
    says: tuple[Found, Found]


@dataclass(frozen=True, slots=True)
class Switch:
    """A roll that came in force: which of the two, when it was asked for and when that was confirmed."""

    roll: int
    begun: float
    confirmed: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One lookup: when it was due and when it ended, by `time.perf_counter`; the error, if it failed."""

    person: Person
    due: float
    ended: float
    found: Found | None
    error: str = ""


@dataclass
class Run:
    """What was answered, and which roll was in force when; the first of `switches` was there before."""

    answers: list[Answer] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)
    carried: list[float] = field(default_factory=list)
    """Seconds from each file to the roll in force."""
    cleared: int = 0
    """Rows of earlier rolls that were deleted meanwhile."""

    @property
    def errors(self) -> list[str]:
        return [one.error for one in self.answers if one.error]

    @property
    def mixed(self) -> list[Answer]:
        """Answers of no roll that was in force between the question and its answer."""
        return [one for one in self.answers if not one.error and one.found not in self._possible(one)]

    def _possible(self, one: Answer) -> set[Found]:
        ends = [later.confirmed for later in self.switches[1:]] + [math.inf]
        held = zip(self.switches, ends, strict=True)
        return {
            one.person.says[switch.roll]
            for switch, end in held
            if switch.begun <= one.ended and one.due <= end
        }

    def report(self) -> dict[str, Any]:
        """The figures; times of lookups in milliseconds."""
        taken = sorted((one.ended - one.due) * 1000 for one in self.answers)
        return {
            "lookups": len(self.answers), "errors": len(self.errors), "mixed": len(self.mixed),
            "applied": len(self.carried), "apply_s": round(statistics.median(self.carried), 1),
            "rows cleared away": self.cleared,
            "p50_ms": _part(taken, 0.5), "p95_ms": _part(taken, 0.95), "p99_ms": _part(taken, 0.99),
            "max_ms": _part(taken, 1),
        }  # fmt: skip


def _part(ordered: Sequence[float], share: float) -> float:
    return round(ordered[int((len(ordered) - 1) * share)], 1)


async def run(office: Office, count: int, seconds: float, least: int = 1) -> Run:
    """Ask for `seconds`, while one roll after the other is carried in and earlier ones are cleared away.

    However slow it is, `least` rolls are carried in.
    """
    rolls, people = two_rolls(count)
    await office.carry_in(office.package(rolls[0], PLACES[0]))
    found = Run(switches=[Switch(0, 0.0, 0.0)])
    stopped = asyncio.Event()
    around = [asyncio.create_task(job(office, people, found, stopped)) for job in (_ask, _clear_away)]
    begun = time.perf_counter()
    await asyncio.sleep(min(1.0, seconds / 5))
    while len(found.carried) < least or _in_time(found, begun + seconds - time.perf_counter()):
        roll = len(found.switches) % 2
        path = await asyncio.to_thread(office.package, rolls[roll], PLACES[roll])
        started = time.perf_counter()
        row = await office.prepare(path)
        asked = time.perf_counter()
        await office.apply(row)
        confirmed = time.perf_counter()
        found.switches.append(Switch(roll, asked, confirmed))
        found.carried.append(confirmed - started)
        await asyncio.to_thread(path.unlink)
    await asyncio.sleep(max(0.5, begun + seconds - time.perf_counter()))
    stopped.set()
    await asyncio.gather(*around)
    return found


def _in_time(found: Run, ahead: float) -> bool:
    """Whether another roll would be in force early enough to be asked, `ahead` seconds before the end."""
    return ahead > found.carried[-1] * 1.5


async def _clear_away(office: Office, people: Sequence[Person], found: Run, stopped: asyncio.Event) -> None:
    # As the worker does.
    while not stopped.is_set():
        async with office.store.transaction() as session:
            found.cleared += await imports.clear_away(session, office.now)
        await asyncio.sleep(1)


def two_rolls(count: int) -> tuple[list[list[Block]], list[Person]]:
    """The old roll and the new one in blocks, and some of their persons."""
    everybody = np.concatenate(roll_apply.rows(count))
    turns = np.arange(count) % MISSING
    numbers = everybody["place"]
    kept = [everybody[turns != missing] for missing in (0, 1)]
    old, new = PLACES
    people = []
    for at in np.linspace(0, count - 1, min(ASKED, count), dtype=np.int64):
        place, turn = int(numbers[at]), int(turns[at])
        people.append(
            Person(
                everybody["digest"][at].tobytes(),
                (
                    NOBODY if turn == 0 else Found(LookupResult.REGISTERED, *old[place]),
                    NOBODY if turn == 1 else Found(LookupResult.REGISTERED, *new[place]),
                ),
            )
        )
    return [_blocks(rows) for rows in kept], people


def _blocks(rows: Block) -> list[Block]:
    return [rows[first : first + roll_apply.BLOCK] for first in range(0, len(rows), roll_apply.BLOCK)]


async def _ask(office: Office, people: Sequence[Person], found: Run, stopped: asyncio.Event) -> None:
    """Start a lookup every fiftieth of a second, whether or not those before have ended."""
    begun, number, open_yet = time.perf_counter(), 0, set()
    while not stopped.is_set():
        due = begun + number / PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(_one(office, people[number % len(people)], due, found))
        open_yet.add(task)
        task.add_done_callback(open_yet.discard)
        number += 1
    await asyncio.gather(*open_yet)


async def _one(office: Office, person: Person, due: float, run: Run) -> None:
    # As at the edges: the lookup and the line that it was made, in one transaction.
    answer, error = None, ""
    try:
        async with office.store.transaction() as session:
            seen = await lookup(office.store, person.digest, key_id=office.key.digest.key_id)
            answer = seen.found
            result = answer.result if answer else LookupResult.ASK_STATION
            await acts.record(
                session, way=Way.IDENTITY, channel="web", result=result, notice="1", now=datetime.now(UTC)
            )
        if answer is None:
            error = "lookup was closed"
    except Exception as failed:
        error = type(failed).__name__
    run.answers.append(Answer(person, due, time.perf_counter(), answer, error))


async def measure(database: str, count: int, seconds: float) -> Run:
    """A run on a database of its own."""
    with tempfile.TemporaryDirectory(prefix="one-window-bench-") as folder:
        async with roll_apply.office(database, Path(folder)) as office:
            return await run(office, count, seconds)


def main() -> None:
    """Run by hand and print the figures."""
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks.roll_load")
    parser.add_argument("databases", nargs="*", metavar="postgres|sqlite")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    for database in given.databases or ("postgres", "sqlite"):
        found = asyncio.run(measure(database, given.rows, given.seconds))
        figures = {"database": database, "rows": given.rows, **found.report()}
        print(json.dumps(figures, ensure_ascii=False), flush=True)
        for error in sorted(set(found.errors)):
            print(f"  {error}: {found.errors.count(error)}", flush=True)


if __name__ == "__main__":
    main()
