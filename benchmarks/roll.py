"""Building a roll package, against bare HMAC over the names and numbers of the same rows.

Ours is everything between the file and the records of a package: processes begun, rows read, checked,
digested, compared with each other, sorted. The reference has its messages ready, in processes that have
begun, and calls `hmac.digest` for each. Both have the same number of processes, and go by turns.

    python3 -m benchmarks.roll --rows 10000000 --rounds 1
"""

from __future__ import annotations

import argparse
import csv
import hmac
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from knowledge.roll import building, columns, crew, keys, sample, sources
from knowledge.roll.columns import Field
from knowledge.roll.identity import DigestKey
from knowledge.roll.keys import OfflineKey

ROWS = 400_000
ROUNDS = 5
SIZES = (100_000, 1_000_000)
GOAL = 0.6
MAP = "riverside"
TODAY, ELECTION = date(2026, 11, 20), date(2026, 12, 16)
_MEMORY = Path("/dev/shm")

Row = dict[str, Any]


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock, and of processor time in all processes."""

    clock: float
    processor: float


def figures() -> list[Row]:
    """`roll_build`, the rows a second that a core builds, and the table of the memory that building takes."""
    with _folder() as folder:
        path = folder / "roll.csv"
        write(path, ROWS)
        rows = _figures(*_turns(path, ROUNDS))
        return [*rows, *_memory(folder)]


def write(path: Path, rows: int) -> None:
    """A file as the invented platform exports it, of invented voters; one row in forty has a fault."""
    found = columns.load(MAP)
    headings = [found.headings[name][0] for name in found.headings]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["序号", *headings, "备注"])
        voters = sample.voters(rows, places=sample.places_of(found))
        writer.writerows(
            [number, *sample.cells(voter, found).values(), ""] for number, voter in enumerate(voters, start=1)
        )


def messages(path: Path, key: DigestKey) -> Iterator[bytes]:
    """What bare HMAC is given for each row: what stands before every digest, the name and the number."""
    table = sources.look(path, columns.load(MAP))
    before = key.prefix("identity")
    name, number = table.columns[Field.NAME], table.columns[Field.NUMBER]
    for _, cells in table.rows():
        yield before + f"{cells[name]}\x1f{cells[number]}".encode()


def _turns(path: Path, rounds: int) -> tuple[int, list[tuple[Taken, Taken]]]:
    """How many rows there are, and what ours and the reference took, by turns."""
    found, key = columns.load(MAP), keys.make("东浦区2026")
    workers = crew.cores()
    turns = []
    with _bare(path, key, workers) as bare:
        for _ in range(rounds):
            reference = bare()
            begun, before = time.perf_counter(), _processor()
            with building.build(
                sources.look(path, found), found, key, today=TODAY, election_day=ELECTION,
                with_receipts=False, workers=workers,
            ) as built:  # fmt: skip
                assert sum(map(len, built.blocks())) == built.rows
                rows = built.counts["read"]
            turns.append((Taken(time.perf_counter() - begun, _processor() - before), reference))
    return rows, turns


@contextmanager
def _bare(path: Path, key: OfflineKey, workers: int) -> Iterator[Callable[[], Taken]]:
    """Processes with their share of the messages ready, and a function that has them all digested once."""
    # They read the file themselves: ours forks, and whatever this process held would be copied page by page.
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(workers)]
    processes = [
        context.Process(target=_share, args=(end, path, key.digest, at, workers))
        for at, (_, end) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    ends = [end for end, _ in pipes]

    def once() -> Taken:
        begun = time.perf_counter()
        for end in ends:
            end.send(True)
        taken = [end.recv() for end in ends]
        return Taken(time.perf_counter() - begun, sum(taken))

    try:
        for end in ends:
            end.recv()
        yield once
    finally:
        for end in ends:
            end.send(False)
        for process in processes:
            process.join()


def _share(end: Connection, path: Path, key: DigestKey, at: int, workers: int) -> None:
    mine = list(islice(messages(path, key), at, None, workers))
    secret = key.secret
    end.send(len(mine))
    while end.recv():
        begun = time.process_time()
        for message in mine:
            hmac.digest(secret, message, "sha256")
        end.send(time.process_time() - begun)


def _processor() -> float:
    """Seconds of processor time of this process and of those that it has ended."""
    now = os.times()
    return now.user + now.system + now.children_user + now.children_system


def _figures(rows: int, turns: Sequence[tuple[Taken, Taken]]) -> list[Row]:
    """Rows a second that a core builds: by the clock, with all of them at work, and by processor time."""
    workers = crew.cores()
    return [
        _figure("roll_build", "all cores at work, by the clock", len(turns), [
            (rows / ours.clock / workers, rows / bare.clock / workers) for ours, bare in turns
        ]),
        _figure("roll_build_processor", "the same by processor time", len(turns), [
            # Counted in hundredths of a second, so a handful of rows may take none at all.
            (rows / max(ours.processor, 0.01), rows / max(bare.processor, 0.01)) for ours, bare in turns
        ]),
    ]  # fmt: skip


def _figure(name: str, what: str, rounds: int, rates: Sequence[tuple[float, float]]) -> Row:
    ours, bare = (statistics.median(column) for column in zip(*rates, strict=True))
    ratio = statistics.median(one / other for one, other in rates)
    return {
        "name": name, "what": f"rows a core builds, against bare HMAC, {what}, {rounds} times by turns",
        "ours": round(ours), "reference": round(bare), "ratio": round(ratio, 3), "goal": GOAL,
        "better": "more", "unit": "rows/s",
    }  # fmt: skip


def _memory(folder: Path) -> list[Row]:
    taken = []
    for rows in SIZES:
        path = folder / f"{rows}.csv"
        write(path, rows)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.roll", "--memory", str(path)],
            cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True,
        )  # fmt: skip
        path.unlink()
        taken.append(json.loads(done.stdout))
    return [
        {
            "table": "memory of a build", "rows": one["rows"], "workers": one["workers"],
            "parent_mb": one["parent_mb"], "worker_mb": one["worker_mb"],
            "growth": round(one["all_mb"] / taken[0]["all_mb"], 2), "seconds": one["seconds"],
        }
        for one in taken
    ]  # fmt: skip


def measure(path: Path) -> Row:
    """What one build takes, by the system's counters; all of it, interpreter and packages included."""
    found, workers = columns.load(MAP), crew.cores()
    begun = time.perf_counter()
    with building.build(
        sources.look(path, found), found, keys.make("东浦区2026"), today=TODAY, election_day=ELECTION,
        with_receipts=False, workers=workers,
    ) as built:  # fmt: skip
        read = built.counts["read"]
        for _ in built.blocks():
            pass
    seconds = time.perf_counter() - begun
    # macOS counts in bytes. Of the workers the largest is told.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    parent, worker = peak() / 1e3, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit
    return {
        "rows": read, "workers": workers, "parent_mb": round(parent, 1), "worker_mb": round(worker, 1),
        "all_mb": round(parent + workers * worker, 1), "seconds": round(seconds, 2),
    }  # fmt: skip


def peak() -> int:
    """The most kilobytes that this process has held."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    # Linux's `ru_maxrss` begins with what the process held that started this one.
    return int(status.partition("VmHWM:")[2].split()[0])


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder in memory where there is one, so that no disk is measured."""
    with tempfile.TemporaryDirectory(
        prefix="roll-bench-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None
    ) as name:
        yield Path(name)


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--memory", type=Path)
    given = parser.parse_args()
    if given.memory:
        print(json.dumps(measure(given.memory)))
        return
    with _folder() as folder:
        write(folder / "roll.csv", given.rows)
        print(json.dumps(_figures(*_turns(folder / "roll.csv", given.rounds)), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    _main()
