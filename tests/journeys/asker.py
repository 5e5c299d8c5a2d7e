"""A process that asks the live base at a steady rate: `python -m tests.journeys.asker`.

Reads one JSON object from its first line of input (address of the database, questions a second, what to
ask) and says `ready` when it knows the base. A second line lets it ask, a third ends it; it then prints one
JSON list a question: when it began and ended (seconds since 1970), what was asked, the outcome, and the
entries that were shown, best first.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

from knowledge import calendar
from knowledge.answer import LiveBase
from knowledge.match import Near
from knowledge.versions import Audience
from office.store import Store

AT_ONCE = 4


async def main() -> None:
    """Ask until told to stop."""
    order = json.loads(sys.stdin.readline())
    store, live = Store(order["database"]), LiveBase()
    records: list[tuple[float, float, str, str, list[str]]] = []
    today = calendar.today(datetime.now(UTC))

    async def ask(key: str, question: str, unit_path: str) -> None:
        began = time.time()
        # Each question looks at the base anew, as each message of a visitor does.
        async with store.reading() as session:
            await live.refresh(session)
        outcome = live.rank(question, Audience.VOTER, unit_path, today)
        shown = [*outcome.candidates, *(outcome.choices if isinstance(outcome, Near) else ())]
        numbers = list(dict.fromkeys(candidate.entry_no for candidate in shown))
        records.append((began, time.time(), key, type(outcome).__name__, numbers))

    probes: list[Any] = order["probes"]
    for probe in probes:  # the first look reads the whole base
        await ask(*probe)
    records.clear()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    stopped = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    begun, number = time.monotonic(), 0

    async def worker() -> None:
        nonlocal number
        while not stopped.done():
            turn, number = number, number + 1
            await asyncio.sleep(max(0.0, begun + turn / order["rate"] - time.monotonic()))
            await ask(*probes[turn % len(probes)])

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    await store.close()
    for record in records:
        print(json.dumps(record))


if __name__ == "__main__":
    asyncio.run(main())
