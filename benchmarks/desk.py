"""The helpdesk with 100,000 tickets against the same with 1,000: pages as a browser gets them, by turns.

Both desks stand on databases of one kind, beside each other, and are asked for the same pages by the same
officer through the application itself: routing, session, queries, template. Most tickets are done, as after
months: of 1,000 a fifth is open, of 100,000 one in a hundred, which is five times as many. A figure is the
time with many over the time with few; how fast the machine is does not matter for it.

    python3 -m benchmarks.desk --tickets 100000 sqlite postgres
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI
from sqlalchemy import text

from admin import router
from admin.pages import Services
from benchmarks import desk_rows
from benchmarks.roll_lookup import roll_folder
from bot import migrate
from knowledge.answer import LiveBase
from office import signin
from office.store import Store

MANY, FEW = 100_000, 1_000
OPEN_OF_MANY, OPEN_OF_FEW = 1_000, 200
ROUNDS = 15
PAGES = 12
"""Tickets whose pages are asked for in a round."""
GOAL = 2.0
DATABASES = ("sqlite", "postgres")
NOW = datetime(2026, 11, 20, 2, 5, tzinfo=UTC)
# What is searched for: a number, what stands in many tickets, in some, in one, in none.
SEARCHES = {
    "a number": "{no}",
    "a word of nearly all": "登记",
    "a word of some": "居住证",
    "two words": "{estate} 居住证",
    "a name of few": "{estate}",
    "words of one": "{only}",
    "words of none": "从来没有人问过的话",
}
VIEWS = {
    "what is open": "/admin",
    "one's own": "/admin?view=mine",
    "overdue": "/admin?view=overdue",
    "one town": "/admin?unit={unit}",
    "answered": "/admin?view=answered",
    "all, the tenth page": "/admin?view=all&page=10",
}

Row = dict[str, Any]
NAMES: Final = ("tickets_queue", "tickets_search", "tickets_page")


@dataclass
class Desk:
    """One filled desk: the application, the cookie of its officer, and what there is to ask it."""

    app: FastAPI
    cookie: str
    filled: desk_rows.Filled

    async def get(self, address: str) -> float:
        """Seconds that a page takes; raises `RuntimeError` for anything but a page."""
        path, _, query = address.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "root_path": "", "server": ("desk.bench", 80), "client": ("192.0.2.1", 40000),
            "headers": [(b"host", b"desk.bench"), (b"cookie", self.cookie.encode())],
        }  # fmt: skip
        status: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])

        begun = time.perf_counter()
        await self.app(scope, receive, send)
        took = time.perf_counter() - begun
        if status != [200]:
            raise RuntimeError(f"{address} was answered with {status}")
        return took


@asynccontextmanager
async def desk(database: str, folder: Path, count: int, waiting: int) -> AsyncIterator[Desk]:
    """A desk with so many tickets, `waiting` of them open, on a database of its own."""
    async with AsyncExitStack() as stack:
        store = Store(await _address(database, folder, stack))
        stack.push_async_callback(store.close)
        await migrate.upgrade(store)
        filled = await desk_rows.fill(store, count, waiting, now=NOW)
        if not store.sqlite:  # as autovacuum does by itself within a minute
            async with store.transaction() as session:
                await session.execute(text("ANALYZE"))
        async with store.transaction() as session:
            token = await signin._sign_in(session, filled.officer, device="bench", now=NOW)
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        app.state.services = Services(
            store=store, live=LiveBase(), secret=b"bench", sample=True, official=False, secure_cookies=False,
            trusted_proxies=frozenset(), clock=lambda: NOW,
        )  # fmt: skip
        router.install(app)
        yield Desk(app, f"one-window-desk={token}", filled)


async def _address(database: str, folder: Path, stack: AsyncExitStack) -> str:
    name = f"bench_{uuid.uuid4().hex[:12]}"
    if database == "sqlite":
        return f"sqlite+aiosqlite:///{folder / name}.db"
    from tests.servers import postgres

    server, url = await asyncio.to_thread(postgres.start)
    if server is not None:
        stack.push_async_callback(asyncio.to_thread, server.stop)
    address = await postgres.create_database(url, name)
    stack.push_async_callback(postgres.drop_database, url, name)
    return address


# ---- what is asked ----


def addresses(found: desk_rows.Filled) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """The pages of each figure by what they are, the same choice of tickets in each desk."""
    dice = random.Random(7)
    some = [dice.choice(found.done) for _ in range(PAGES // 2)]
    some += [dice.choice(found.open) for _ in range(PAGES - PAGES // 2)]
    facts = {"no": found.number, "estate": found.estate, "only": found.only}
    return {
        "tickets_queue": {what: [address.format(unit=found.unit_id)] for what, address in VIEWS.items()},
        "tickets_search": {
            what: [f"/admin?view=all&q={quote(words.format(**facts))}"] for what, words in SEARCHES.items()
        },
        "tickets_page": {"a ticket": [f"/admin/tickets/{number}" for number in some]},
    }


async def compare(few: Desk, many: Desk, rounds: int) -> dict[str, dict[str, tuple[float, float]]]:
    """Milliseconds for each kind of page with many and with few tickets, asked by turns.

    Each page counts with the fastest of its rounds: what else a machine has to do only ever adds to it.
    """
    asked = {id(one): addresses(one.filled) for one in (few, many)}
    for one in (few, many):  # templates, plans and catalogues are made once in the life of a process
        for kinds in asked[id(one)].values():
            for pages in kinds.values():
                await one.get(pages[0])
    gc.collect()
    taken: dict[tuple[str, str, int], dict[int, float]] = {}
    for _ in range(rounds):
        for name, kinds in asked[id(few)].items():
            for what, pages in kinds.items():
                for place in range(len(pages)):
                    for one in (few, many):
                        address = asked[id(one)][name][what][place]
                        best = taken.setdefault((name, what, id(one)), {})
                        best[place] = min(await one.get(address), best.get(place, math.inf))
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for name, kinds in asked[id(few)].items():
        for what in kinds:
            much, little = (statistics.mean(taken[name, what, id(one)].values()) for one in (many, few))
            found.setdefault(name, {})[what] = (much * 1e3, little * 1e3)
    return found


async def measure(
    database: str, many: int, few: int, rounds: int
) -> dict[str, dict[str, tuple[float, float]]]:
    """Both desks on databases of one kind, compared."""
    waiting = {many: min(OPEN_OF_MANY, many // 2), few: min(OPEN_OF_FEW, few // 2)}
    with tempfile.TemporaryDirectory(prefix="one-window-bench-", dir=roll_folder()) as name:
        folder = Path(name)
        async with (
            desk(database, folder, few, waiting[few]) as little,
            desk(database, folder, many, waiting[many]) as much,
        ):
            return await compare(little, much, rounds)


# ---- figures ----


@cache
def figures(databases: tuple[str, ...] = DATABASES) -> tuple[Row, ...]:
    """The three figures, each on the database where it is worse, and the table of all kinds of pages."""
    found = {one: asyncio.run(measure(one, MANY, FEW, ROUNDS)) for one in databases}
    rows, table = [], []
    for name in NAMES:
        means = {one: _mean(found[one][name].values()) for one in databases}
        worst = max(databases, key=lambda one, means=means: means[one][0] / means[one][1])  # type: ignore[misc]
        rows.append(_figure(name, worst, *means[worst]))
        table += [
            {
                "table": "tickets", "figure": name, "database": one, "page": what,
                "ms_at_many": round(much, 1), "ms_at_few": round(little, 1), "ratio": round(much / little, 2),
            }
            for one in databases
            for what, (much, little) in found[one][name].items()
        ]  # fmt: skip
    return (*rows, *table)


def named(name: str) -> list[Row]:
    """One of the figures with its part of the table."""
    return [row for row in figures() if name in (row.get("name"), row.get("figure"))]


def _mean(pairs: Any) -> tuple[float, float]:
    """The geometric means: a kind of page counts by its ratio, not by how long it takes."""
    much, little = zip(*pairs, strict=True)
    return statistics.geometric_mean(much), statistics.geometric_mean(little)


def _figure(name: str, database: str, much: float, little: float) -> Row:
    what = {
        "tickets_queue": "the queue in six views", "tickets_search": "seven searches",
        "tickets_page": "pages of tickets",
    }[name]  # fmt: skip
    return {
        "name": name, "what": f"{what}, {MANY:,} against {FEW:,} tickets ({database})",
        "ours": round(much, 2), "reference": round(little, 2), "ratio": round(much / little, 3), "goal": GOAL,
        "better": "less", "unit": "ms",
    }  # fmt: skip


def main() -> None:
    """The table of one size on the databases named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("databases", nargs="+", choices=DATABASES)
    parser.add_argument("--tickets", type=int, default=MANY)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    found = {}
    for one in given.databases:
        found[one] = asyncio.run(measure(one, given.tickets, FEW, given.rounds))
    print(json.dumps(found, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
