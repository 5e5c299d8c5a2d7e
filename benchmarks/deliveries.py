"""The post room without a network, and an urgent answer behind a hundred thousand pending messages.

`deliveries_…`: a broadcast through `PostRoom` to a channel that answers at once, words and records included,
against a bare loop that claims as many rows at a time and marks them sent. Both by turns on the same rows.
`deliveries_urgent`: the transaction in which a worker claims an answer, with a hundred thousand messages of
broadcasts waiting, against the same with nothing else in the table, by turns.

    python3 -m benchmarks.deliveries --count 5000 postgres sqlite
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiogram import Bot
from aiogram.methods import SendMessage, TelegramMethod
from aiogram.types import Chat, Message
from sqlalchemy import insert, text, update

from benchmarks.desk import _address
from benchmarks.roll_lookup import roll_folder
from bot import migrate
from bot.channels.own import OwnSession
from bot.pacing import MemoryPacing
from bot.post_room import BATCH, PostRoom
from handlers.turn import Desk
from knowledge.answer import LiveBase
from office import broadcasts, outbox
from office.contacts import Channel, Contact, ContactKind
from office.outbox import Delivery, DeliveryState, Priority
from office.store import Store

COUNT = 3_000
"""Messages of the broadcast that is sent in each round."""
ROUNDS = 5
PENDING = 100_000
GROUPS = 1_000
CLAIMS = 300
GOAL = 0.5
URGENT_GOAL = 2.0
DATABASES = ("postgres", "sqlite")
NOW = datetime(2026, 11, 20, 2, 5, tzinfo=UTC)
LANE = (Priority.BROADCAST,)
CHANNEL = Channel.TELEGRAM

Row = dict[str, Any]


class AtOnce(OwnSession):
    """A channel that takes every message at once, always with the same answer: making one is not our work."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0
        self._answer = Message(message_id=1, date=NOW, chat=Chat(id=-1, type="supergroup"), text="")

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109  aiogram's signature
    ) -> Any:
        assert isinstance(method, SendMessage)
        self.taken += 1
        return self._answer


# ---- databases with something to send ----


@asynccontextmanager
async def post(database: str, folder: Path, count: int) -> AsyncIterator[Store]:
    """A store with so many groups, each of which has a message of one broadcast to get, or more than one."""
    async with AsyncExitStack() as stack:
        store = Store(await _address(database, folder, stack))
        stack.push_async_callback(store.close)
        await migrate.upgrade(store)
        async with store.transaction() as session:
            await session.execute(insert(Contact), [_contact(number) for number in range(GROUPS)])
        await fill(store, count)
        yield store


def _contact(number: int) -> Row:
    return {
        "channel": CHANNEL, "address": str(-1_000_000 - number), "kind": ContactKind.GROUP,
        "first_seen_at": NOW, "last_seen_at": NOW,
    }  # fmt: skip


async def fill(store: Store, count: int) -> None:
    """Broadcasts to all groups until so many messages are laid out."""
    facts = {"text": "工作提示第3期：集中登记时间不变。", "buttons": None}
    for number, first in enumerate(range(0, count, GROUPS)):
        messages = [broadcasts.Message(row + 1, facts) for row in range(min(GROUPS, count - first))]
        async with store.transaction() as session:
            row = await broadcasts.begin(session, f"tip:{number}", actor=None, starts_at=NOW, now=NOW)
            await broadcasts.lay(session, row, messages, "reply", key=f"tip:{number}", now=NOW)
    await _settle(store)


async def _settle(store: Store) -> None:
    """What autovacuum does by itself within a minute: old rows swept, and the planner told."""
    if store.sqlite:  # which has none
        return
    async with store.engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text("VACUUM ANALYZE delivery"))


async def _again(store: Store) -> None:
    """All is to be sent anew."""
    async with store.transaction() as session:
        values = {"state": DeliveryState.DUE, "attempts": 0, "sent_at": None, "claimed_until": None}
        await session.execute(update(Delivery).values(values))
    await _settle(store)
    gc.collect()


# ---- what is measured ----


async def sent_by_us(store: Store, count: int) -> float:
    """Deliveries a second through the post room."""
    town = AtOnce()
    desk = Desk(store, LiveBase(), lambda: NOW)
    # By a clock on which a minute has passed at each look: what the pacing does is in it, its waits are not.
    minutes = itertools.count(0.0, 60.0)
    pacing = MemoryPacing(lambda: next(minutes))
    room = PostRoom(desk, {CHANNEL: Bot("100007:bench", session=town)}, pacing)
    begun = time.perf_counter()
    while await room.send_due(CHANNEL, LANE, linger=True):
        pass
    await room.ended(60)
    taken = time.perf_counter() - begun
    await _all_sent(store, town.taken, count)
    return count / taken


async def sent_bare(store: Store, count: int) -> float:
    """Deliveries a second that are claimed and marked, and go nowhere."""
    marked = 0
    begun = time.perf_counter()
    while True:
        async with store.transaction() as session:
            claimed = await outbox.claim(session, [CHANNEL], limit=BATCH, now=NOW, priorities=LANE)
        if not claimed:
            break
        async with store.transaction() as session:
            await outbox.sent(session, *(delivery.id for delivery, _ in claimed), now=NOW)
        marked += len(claimed)
    taken = time.perf_counter() - begun
    await _all_sent(store, marked, count)
    return count / taken


async def _all_sent(store: Store, taken: int, count: int) -> None:
    async with store.reading() as session:
        found = await broadcasts.progress(session, 1)
    if taken != count or found.sent != found.total:
        raise RuntimeError(f"{taken} of {count} left: {found}")


async def rates(database: str, count: int, rounds: int) -> tuple[list[float], list[float]]:
    """Deliveries a second of both, by turns on the same rows."""
    ours, bare = [], []
    with tempfile.TemporaryDirectory(prefix="one-window-bench-", dir=roll_folder()) as name:
        async with post(database, Path(name), count) as store:
            await sent_bare(store, count)  # plans and pages are made once
            for _ in range(rounds):
                await _again(store)
                ours.append(await sent_by_us(store, count))
                await _again(store)
                bare.append(await sent_bare(store, count))
    return ours, bare


async def urgent(database: str, pending: int, claims: int) -> tuple[float, float]:
    """Milliseconds in which an answer is claimed, the medians with so many messages waiting and with none."""
    with tempfile.TemporaryDirectory(prefix="one-window-bench-", dir=roll_folder()) as name:
        folder = Path(name)
        async with post(database, folder, pending) as full, post(database, folder, 0) as empty:
            taken: dict[Store, list[float]] = {full: [], empty: []}
            for number in range(-claims // 10, claims):
                for store, found in taken.items():
                    took = await _claim_one(store, number)
                    if number >= 0:
                        found.append(took)
    return 1000 * statistics.median(taken[full]), 1000 * statistics.median(taken[empty])


async def _claim_one(store: Store, number: int) -> float:
    async with store.transaction() as session:
        reader = await session.get_one(Contact, GROUPS)
        facts = {"text": "您的问题有答复了。", "buttons": None}
        key = f"answer:{number}"
        await outbox.put(session, reader, "reply", facts, key=key, subject="contact:1", now=NOW)
    begun = time.perf_counter()
    async with store.transaction() as session:
        claimed = await outbox.claim(session, [CHANNEL], limit=BATCH, now=NOW, priorities=outbox.URGENT)
    taken = time.perf_counter() - begun
    if [delivery.key for delivery, _ in claimed] != [key]:
        raise RuntimeError("the answer was not what came first")
    async with store.transaction() as session:
        await outbox.sent(session, claimed[0][0].id, now=NOW)
    return taken


# ---- figures ----


def figures(database: str, count: int | None = None, rounds: int | None = None) -> list[Row]:
    """Deliveries a second against the bare loop, as the bench prints it."""
    count, rounds = count or COUNT, rounds or ROUNDS
    ours, bare = asyncio.run(rates(database, count, rounds))
    return [
        {
            "name": f"deliveries_{database}", "ours": round(statistics.median(ours)),
            "reference": round(statistics.median(bare)), "unit": "deliveries/s",
            "ratio": round(statistics.median(o / b for o, b in zip(ours, bare, strict=True)), 3),
            "goal": GOAL, "better": "more",
            "what": f"{count:,} messages through the post room without a network, against claim and mark",
        }
    ]  # fmt: skip


def urgent_figures(databases: Sequence[str] = DATABASES) -> list[Row]:
    """An urgent answer's claim, on the database where it is worse; the other one as a row of a table."""
    found = {one: asyncio.run(urgent(one, PENDING, CLAIMS)) for one in databases}
    worst = max(found, key=lambda one: found[one][0] / found[one][1])
    full, empty = found[worst]
    rows: list[Row] = [
        {
            "name": "deliveries_urgent", "ours": round(full, 3), "reference": round(empty, 3), "unit": "ms",
            "ratio": round(full / empty, 3), "goal": URGENT_GOAL, "better": "less",
            "what": f"an answer claimed with {PENDING:,} messages waiting, against none ({worst})",
        }
    ]  # fmt: skip
    for one, (much, little) in found.items():
        rows.append(
            {
                "table": "urgent answers", "database": one, "ms_with_many": round(much, 3),
                "ms_with_none": round(little, 3), "ratio": round(much / little, 2),
            }
        )  # fmt: skip
    return rows


def main() -> None:
    """Measure by hand, with another number of messages."""
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks.deliveries")
    parser.add_argument("databases", nargs="*", metavar="postgres|sqlite")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--urgent", action="store_true", help="the claim of an urgent answer instead")
    given = parser.parse_args()
    databases = given.databases or DATABASES
    rows = (
        urgent_figures(databases)
        if given.urgent
        else [row for one in databases for row in figures(one, given.count, given.rounds)]
    )
    for row in rows:
        print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
