"""An officer in a process of their own: takes, answers or signs the tickets named on a pipe.

What comes in is an act, a ticket and its version, and at the end nothing; what goes out is the outcome.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from multiprocessing.connection import Connection

from sqlalchemy import select

from knowledge.versions import EntryVersion
from office import staff
from office.errors import DeskError
from office.hours import beijing_day
from office.store import Store
from tests.bot.running import die_with_the_tests
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


async def act(url: str, staff_id: int, pipe: Connection) -> None:
    """Say that one is ready, then do what is asked for, until nothing is."""
    store = Store(url)
    async with store.reading() as session:
        await staff.get(session, staff_id)
    pipe.send("ready")
    while asked := await asyncio.to_thread(pipe.recv):
        pipe.send(await attempt(store, staff_id, *asked))
    await store.close()


def main(url: str, staff_id: int, pipe: Connection) -> None:
    """What the process does."""
    die_with_the_tests()
    asyncio.run(act(url, staff_id, pipe))
