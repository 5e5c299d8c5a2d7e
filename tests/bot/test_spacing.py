"""The pace of real sending: between the messages of a chat, and between the parts of one."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import SimpleNamespace

import pytest
from aiogram.methods import SendMessage

from bot import carrying
from bot.pacing import Bucket, MemoryPacing, Unpaced
from bot.worker import Worker
from office import outbox
from office.contacts import Channel
from office.delivery import DeliveryState, Priority
from office.store import Store
from tests.bot.town import Town, a_worker, broadcast, deliveries, groups, put
from tests.make import Cast, Clock
from tests.servers import paces


@pytest.fixture
def passed(clock: Clock) -> Callable[[], float]:
    """The seconds since the beginning."""
    start = clock.now
    return lambda: (clock.now - start).total_seconds()


@pytest.fixture
def paced(
    store: Store, clock: Clock, town: Town, passed: Callable[[], float], monkeypatch: pytest.MonkeyPatch
) -> Worker:
    """A worker with our pace, whose waits take no time but that of the clock."""
    worker = a_worker(store, clock, town, MemoryPacing(passed))

    async def nap(seconds: float) -> None:
        clock.now += timedelta(seconds=seconds + 0.001)

    monkeypatch.setattr(worker.room, "nap", nap)
    monkeypatch.setattr(carrying, "asyncio", SimpleNamespace(sleep=nap, timeout=asyncio.timeout))
    return worker


async def test_one_contact_s_messages_leave_in_order_and_not_too_fast(
    store: Store, cast: Cast, clock: Clock, town: Town, paced: Worker, passed: Callable[[], float]
) -> None:
    group = (await groups(store, 1, clock.now))[0]
    left: list[float] = []

    async def arrives(method: SendMessage) -> None:
        left.append(passed())

    town.answer = arrives
    await put(store, group, *"abcd", now=clock.now)
    for _ in range(400):
        await paced.send_due(Channel.TELEGRAM)
        rows = await deliveries(store)
        waiting = [row for row in rows.values() if row.state is DeliveryState.DUE]
        if not waiting:
            break
        # All for the same moment: their order is that of writing. None has been tried.
        assert len({row.due_at for row in waiting}) == 1
        assert {row.attempts for row in waiting} == {0}
        clock.now = max(waiting[0].due_at, clock.now + timedelta(milliseconds=1))
    assert [text for _, text in town.sent] == ["答复a", "答复b", "答复c", "答复d"]
    # Two at once, as far as a single chat allows it, and then what the group allows.
    assert [round(moment, 1) for moment in left] == [0.0, 1.1, 3.3, 6.7]


class Counting(Unpaced):
    """Notes what asked to be let through."""

    def __init__(self) -> None:
        self.taken: list[Sequence[Bucket]] = []

    async def take(self, buckets: Sequence[Bucket]) -> float:
        self.taken.append(buckets)
        return 0.01 if len(self.taken) % 2 else 0.0  # everybody waits a little


async def test_each_part_of_a_long_message_keeps_the_pace(store: Store, cast: Cast, clock: Clock) -> None:
    town, pacing = Town(), Counting()
    async with store.transaction() as session:
        facts = {"text": "\n\n".join(["问" * 3000, "答" * 3000]), "buttons": None}
        await outbox.put(
            session, cast.zhang_min, "reply", facts, key="long", subject="contact:1", now=clock.now
        )
    await a_worker(store, clock, town, pacing).send_due(Channel.TELEGRAM)
    assert len(town.sent) == 2
    assert len(pacing.taken) == 4


async def test_a_message_of_very_many_parts_is_held_to_its_end_and_leaves_once(
    store: Store, cast: Cast, clock: Clock, town: Town, paced: Worker, passed: Callable[[], float]
) -> None:
    """More parts than a lease is long: nobody else may take it meanwhile, nor what stands behind it."""
    group = (await groups(store, 1, clock.now))[0]
    left: list[float] = []

    async def arrives(method: SendMessage) -> None:
        left.append(passed())
        async with store.transaction() as session:
            assert await outbox.claim(session, [Channel.TELEGRAM], limit=9, now=clock.now) == []

    town.answer = arrives
    parts = [f"{number}、{'问' * 3000}" for number in range(40)]
    async with store.transaction() as session:
        facts = {"text": "\n\n".join(parts), "buttons": None}
        await outbox.put(session, group, "reply", facts, key="long", subject="contact:1", now=clock.now)
    await put(store, group, "behind", now=clock.now)
    await paced.send_due(Channel.TELEGRAM)
    rows = await deliveries(store)
    assert [text.partition("、")[0] for _, text in town.sent[:40]] == [str(number) for number in range(40)]
    assert passed() > 2 * outbox.LEASE.total_seconds()
    assert (rows["long"].state, rows["long"].attempts, rows["long"].uncertain) == (DeliveryState.SENT, 1, 0)
    assert (rows["behind"].attempts, rows["behind"].uncertain) == (0, 0)
    assert paces.GROUP.broken(left) == []


async def test_a_message_that_somebody_else_has_claimed_goes_no_further(
    store: Store, cast: Cast, clock: Clock, town: Town, paced: Worker
) -> None:
    async def stolen(method: SendMessage) -> None:
        clock.now += outbox.LEASE + timedelta(seconds=1)
        async with store.transaction() as session:
            assert len(await outbox.claim(session, [Channel.TELEGRAM], limit=9, now=clock.now)) == 1

    town.answer = stolen
    async with store.transaction() as session:
        facts = {"text": "\n\n".join(["问" * 3000, "答" * 3000]), "buttons": None}
        await outbox.put(
            session, cast.zhang_min, "reply", facts, key="long", subject="contact:1", now=clock.now
        )
    await paced.send_due(Channel.TELEGRAM)
    row = (await deliveries(store))["long"]
    assert len(town.sent) == 1
    assert (row.state, row.attempts, row.uncertain) == (DeliveryState.CLAIMED, 2, 1)


async def test_while_one_message_is_on_its_way_to_a_chat_no_other_lane_or_process_sends_there(
    store: Store, cast: Cast, clock: Clock, town: Town, passed: Callable[[], float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    arrived: list[float] = []
    begun, release, naps = asyncio.Event(), asyncio.Event(), itertools.count(1)

    async def slow(method: SendMessage) -> None:
        if not begun.is_set():
            begun.set()
            await release.wait()
        arrived.append(passed())

    async def nap(seconds: float) -> None:
        clock.now += timedelta(seconds=seconds + 0.001)
        if next(naps) == 8:
            release.set()
        await asyncio.sleep(0.01)

    town.answer = slow
    pacing = MemoryPacing(passed)
    workers = [a_worker(store, clock, town, pacing) for _ in range(2)]
    for worker in workers:
        monkeypatch.setattr(worker.room, "nap", nap)
    await put(store, cast.zhang_min, "answer", now=clock.now)
    await broadcast(store, [cast.zhang_min], clock.now)
    async with asyncio.timeout(120):
        first = asyncio.create_task(workers[0].room.send_due(Channel.TELEGRAM, outbox.URGENT))
        await begun.wait()
        await workers[1].room.send_due(Channel.TELEGRAM, (Priority.BROADCAST,))
        await first
    assert arrived[0] > 1.5
    assert paces.PRIVATE.broken(arrived) == []
    assert [text for _, text in town.sent] == ["答复answer", "tip"]


@pytest.mark.parametrize("kind", ["private", "group"])
async def test_two_messages_keep_their_distance_where_they_arrive_however_slow_the_way_is(
    store: Store, cast: Cast, clock: Clock, town: Town, paced: Worker, passed: Callable[[], float], kind: str
) -> None:
    arrived: list[float] = []
    ways = itertools.cycle((0.9, 0.0, 2.5, 0.0))

    async def slow(method: SendMessage) -> None:
        clock.now += timedelta(seconds=next(ways))
        arrived.append(passed())

    town.answer = slow
    contact = cast.zhang_min if kind == "private" else (await groups(store, 1, clock.now))[0]
    await put(store, contact, *map(str, range(30)), now=clock.now)
    for _ in range(400):
        await paced.send_due(Channel.TELEGRAM)
        waiting = [row.due_at for row in (await deliveries(store)).values() if row.state is DeliveryState.DUE]
        if not waiting:
            break
        clock.now = max(min(waiting), clock.now + timedelta(milliseconds=1))
    assert len(arrived) == 30
    assert paces.PRIVATE.broken(arrived) == []
    assert kind == "private" or paces.GROUP.broken(arrived) == []
