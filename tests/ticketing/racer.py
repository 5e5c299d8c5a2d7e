"""An officer in a process of their own: takes, answers or signs the tickets named on the standard input.

Started as `python -m tests.ticketing.racer URL STAFF`; each line in is `ACT TICKET VERSION`, each line out
the outcome as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime

from sqlalchemy import select

from knowledge.versions import EntryVersion
from office import staff
from office.errors import DeskError
from office.hours import beijing_day
from office.store import Store
from tests.make import HOURS
from tests.ticketing.work import REPLY
from ticketing import assigning, tickets


async def attempt(store: Store, staff_id: int, act: str, number: int, version: int) -> dict[str, object]:
    """One act in a transaction of its own; what it did or why it was refused."""
    now = datetime(2026, 11, 20, 2, 6, tzinfo=UTC)
    try:
        async with store.transaction() as session:
            person = await staff.get(session, staff_id)
            ticket = await tickets.get(session, number)
            if act == "take":
                await tickets.take(session, ticket, seen=version, actor=person, now=now)
            elif act == "sign":
                await tickets.sign(session, ticket, seen=version, actor=person, hours=HOURS, now=now)
            elif act == "send_back":
                await assigning.send_back(session, ticket, reason="不归", rule="第3条", actor=person, now=now)
            else:
                known = await session.scalars(select(EntryVersion).order_by(EntryVersion.id.desc()).limit(1))
                await tickets.answer(session, ticket, REPLY, known.one(), actor=person, hours=HOURS, now=now)
    except DeskError as refused:
        return {"refused": refused.key, "who": refused.facts.get("who", "")}
    return {"done": beijing_day(now).isoformat()}


async def main(url: str, staff_id: int) -> None:
    """Say that one is ready, then do what each line asks for."""
    store = Store(url)
    async with store.reading() as session:
        await staff.get(session, staff_id)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        act, number, version = line.split()
        print(json.dumps(await attempt(store, staff_id, act, int(number), int(version))), flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
