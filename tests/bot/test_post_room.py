"""The post room's lanes: who waits for whom, and what each failure means for message, chat and channel."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import GetMe, SendMessage
from aiohttp import ClientConnectorError
from aiohttp.client_reqrep import ConnectionKey
from sqlalchemy import select

from bot import placed
from bot.pacing import Bucket, MemoryPacing, Pacing, Unpaced
from bot.worker import Worker
from handlers.turn import Desk
from knowledge.answer import LiveBase
from office import audit, broadcasts, chat_groups, contacts, outbox
from office.bindings import ChatGroup
from office.broadcasts import Broadcast, Message
from office.contacts import Channel, Contact, ContactKind, ContactState
from office.outbox import Delivery, DeliveryState, Undeliverable
from office.store import Store
from tests.bot.test_worker import Town, deliveries, put
from tests.make import Cast, Clock

D = DeliveryState
NO_CONNECTION = ClientConnectorError(ConnectionKey("desk.test", 443, True, True, None, None, None), OSError())


def a_worker(store: Store, clock: Clock, town: Town, pacing: Pacing | None = None) -> Worker:
    bots = {Channel.TELEGRAM: Bot("100031:town", session=town)}
    return Worker(Desk(store, LiveBase(), clock), bots, pacing=pacing or Unpaced())


async def groups(
    store: Store, number: int, now: datetime, channel: Channel = Channel.TELEGRAM
) -> list[Contact]:
    async with store.transaction() as session:
        return [
            await contacts.seen(session, channel, str(-2000 - one), kind=ContactKind.GROUP, now=now)
            for one in range(number)
        ]


async def broadcast(store: Store, to: Sequence[Contact], now: datetime, key: str = "tip") -> Broadcast:
    async with store.transaction() as session:
        row = await broadcasts.begin(session, "tip:1", actor=None, starts_at=now, now=now)
        messages = [Message(one.id, {"text": key, "buttons": None}) for one in to]
        await broadcasts.lay(session, row, messages, "reply", key=key, now=now)
    return row


async def refused(store: Store, cast: Cast, clock: Clock, error: Exception) -> Delivery:
    """What a message is like after this failure."""

    async def refuse(method: SendMessage) -> None:
        raise error

    await put(store, cast.zhang_min, "a", now=clock.now)
    await a_worker(store, clock, Town(refuse)).send_due(Channel.TELEGRAM)
    return (await deliveries(store))["a"]


async def test_a_broadcast_that_hangs_holds_up_no_answer_and_little_of_itself(
    store: Store, cast: Cast, clock: Clock
) -> None:
    places, answered = await groups(store, 60, clock.now), asyncio.Event()
    silent = {int(places[0].address), int(places[20].address)}
    release, nearly_all = asyncio.Event(), asyncio.Event()

    async def town_answers(method: SendMessage) -> None:
        if int(method.chat_id) in silent:
            await release.wait()
        if int(method.chat_id) == 5001:
            answered.set()
        if len(town.sent) >= 57:
            nearly_all.set()

    town = Town(town_answers)
    worker = a_worker(store, clock, town)
    await broadcast(store, places, clock.now)
    worker.start()
    try:
        async with asyncio.timeout(20):
            await nearly_all.wait()
            silent |= {int(one.address) for one in places}
            await broadcast(store, places, clock.now, "again")
            await asyncio.sleep(0.1)  # now every place of the lane is taken
            await put(store, cast.zhang_min, "answer", now=clock.now)
            await answered.wait()
    finally:
        release.set()
        await worker.stop()
    # What was begun is finished, what was only claimed goes back untried.
    rows = (await deliveries(store)).values()
    assert Counter(row.state for row in rows) == {D.SENT: len(town.sent), D.DUE: 121 - len(town.sent)}
    assert all(row.attempts == 0 for row in rows if row.state is D.DUE)


async def test_one_contact_s_messages_leave_in_order_and_not_too_fast(
    store: Store, cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = clock.now

    def passed() -> float:
        return (clock.now - start).total_seconds()

    group = (await groups(store, 1, clock.now))[0]
    left: list[float] = []

    async def arrives(method: SendMessage) -> None:
        left.append(passed())

    town = Town(arrives)
    worker = a_worker(store, clock, town, MemoryPacing(passed))

    async def nap(seconds: float) -> None:
        clock.now += timedelta(seconds=seconds + 0.001)

    monkeypatch.setattr(worker.room, "nap", nap)
    await put(store, group, *"abcd", now=clock.now)
    for _ in range(400):
        await worker.send_due(Channel.TELEGRAM)
        rows = await deliveries(store)
        waiting = [row for row in rows.values() if row.state is D.DUE]
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


async def test_a_chat_that_asks_for_a_rest_gets_it_and_the_others_go_on(
    store: Store, cast: Cast, clock: Clock
) -> None:
    tried: list[int] = []
    busy, *others = await groups(store, 6, clock.now)

    async def answer(method: SendMessage) -> None:
        tried.append(int(method.chat_id))
        if int(method.chat_id) == int(busy.address):
            raise TelegramRetryAfter(method, "slow down", 30)

    await put(store, busy, *"abc", now=clock.now)
    for number, one in enumerate(others):
        await put(store, one, f"other {number}", now=clock.now)
    worker = a_worker(store, clock, Town(answer))
    await worker.send_due(Channel.TELEGRAM)
    clock.now += timedelta(seconds=29.9)
    await worker.send_due(Channel.TELEGRAM)
    assert Counter(tried) == {int(one.address): 1 for one in (busy, *others)}
    rows = await deliveries(store)
    for key in "abc":
        assert (rows[key].state, rows[key].attempts) == (D.DUE, 0)
        assert timedelta(seconds=0.1) <= rows[key].due_at - clock.now <= timedelta(seconds=1.1)


async def test_too_many_requests_without_a_number_waits_by_itself(
    store: Store, cast: Cast, clock: Clock
) -> None:
    row = await refused(store, cast, clock, TelegramAPIError(GetMe(), "Too Many Requests"))
    assert (row.state, row.attempts, row.uncertain) == (D.DUE, 0, 0)
    assert row.due_at == clock.now + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("error", "uncertain"),
    [
        (TelegramServerError(GetMe(), "Bad Gateway"), 1),
        (TelegramNetworkError(GetMe(), "Request timeout error"), 1),
        (TimeoutError(), 1),
        (TelegramAPIError(GetMe(), "Conflict of some kind"), 0),
        ("no connection", 0),
    ],
    ids=str,
)
async def test_a_try_whose_end_nobody_knows_is_counted(
    store: Store, cast: Cast, clock: Clock, error: Any, uncertain: int
) -> None:
    if error == "no connection":
        error = TelegramNetworkError(GetMe(), "ClientConnectorError")
        error.__cause__ = NO_CONNECTION
    row = await refused(store, cast, clock, error)
    assert (row.state, row.attempts, row.uncertain) == (D.DUE, 1, uncertain)


async def test_a_bound_group_that_moved_is_followed_and_sent_to_once_more(
    store: Store, cast: Cast, clock: Clock
) -> None:
    """E14."""

    async def moved(method: SendMessage) -> None:
        if method.chat_id == -2000:
            raise TelegramMigrateToChat(method, "moved", -100777)

    async with store.transaction() as session:
        group = await chat_groups.seen(session, -2000, "北塘镇工作群", actor=audit.SYSTEM, now=clock.now)
    town = Town(moved)
    await broadcast(store, [group.contact], clock.now)
    worker = a_worker(store, clock, town)
    await worker.send_due(Channel.TELEGRAM)
    await worker.send_due(Channel.TELEGRAM)
    assert town.sent == [(-100777, "tip")]
    async with store.reading() as session:
        row = await session.get_one(ChatGroup, group.row.id)
        contact = await session.get_one(Contact, row.contact_id)
        acts, _ = await audit.listed(session, subject=f"chat_group:{row.id}")
        assert row.moved_at == clock.now
        assert (contact.address, contact.state) == ("-100777", ContactState.ACTIVE)
        assert acts[0].action == "chat_group.moved"
        assert (await session.scalars(select(Delivery.state))).all() == [D.SENT]


async def test_what_fails_while_its_broadcast_is_stopped_is_stopped(
    store: Store, cast: Cast, clock: Clock
) -> None:
    places = await groups(store, 3, clock.now)
    row = await broadcast(store, places, clock.now)
    halted = False

    async def stop(method: SendMessage) -> None:
        nonlocal halted
        if not halted:
            halted = True
            async with store.transaction() as session:
                fresh = await session.get_one(Broadcast, row.id)
                await broadcasts.stop(session, fresh, seen=fresh.version, actor=cast.wang_fang, now=clock.now)
            raise TelegramServerError(method, "Bad Gateway")

    await a_worker(store, clock, Town(stop)).send_due(Channel.TELEGRAM)
    async with store.reading() as session:
        found = await broadcasts.progress(session, row.id)
    assert (found.sent, found.stopped, found.pending, found.uncertain) == (2, 1, 0, 1)


async def test_a_robot_s_refusal_says_nothing_about_the_other_robots(
    store: Store, cast: Cast, clock: Clock
) -> None:
    robots = await groups(store, 7, clock.now, Channel.DINGTALK_ROBOT)
    errors = {
        robots[0].id: Undeliverable("300001: address", permanent=True),
        **{one.id: Undeliverable("too fast", retry_after=600) for one in robots[1:5]},
        robots[5].id: Undeliverable("cut off", uncertain=True),
    }

    async def answer(method: SendMessage) -> None:
        if error := errors.get(int(method.chat_id)):
            raise error

    town = Town(answer)
    bots = {Channel.DINGTALK_ROBOT: Bot("100032:robots", session=town)}
    worker = Worker(Desk(store, LiveBase(), clock), bots, pacing=Unpaced())
    await broadcast(store, robots, clock.now)
    await worker.send_due(Channel.DINGTALK_ROBOT)
    assert {number for number, _ in town.sent} == {robots[6].id}
    assert not worker.room.carrier.rests.left(Channel.DINGTALK_ROBOT)
    async with store.reading() as session:
        rows = (await session.scalars(select(Delivery).order_by(Delivery.id))).all()
    assert [row.state for row in rows] == [D.FAILED, *[D.DUE] * 5, D.SENT]
    assert [row.uncertain for row in rows] == [0, 0, 0, 0, 0, 1, 0]
    assert {row.due_at - clock.now for row in rows[1:5]} == {timedelta(minutes=10)}


async def test_a_record_that_fails_spoils_no_other_of_the_same_moment(
    store: Store, cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, together = await groups(store, 8, clock.now), asyncio.Barrier(8)
    noted: list[int] = []

    async def meet(method: SendMessage) -> None:
        await together.wait()

    async def note(session: Any, delivery: Delivery, became: Any) -> None:
        noted.append(delivery.contact_id)
        if delivery.contact_id == places[3].id:
            raise RuntimeError("nobody expected this")

    monkeypatch.setattr(placed, "note", note)
    worker = a_worker(store, clock, Town(meet))
    await broadcast(store, places, clock.now)

    async def hasty(seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(worker.room._records, "_nap", hasty)
    await worker.send_due(Channel.TELEGRAM)
    async with store.reading() as session:
        states = dict((await session.execute(select(Delivery.contact_id, Delivery.state))).all())
    assert states == {one.id: D.CLAIMED if one is places[3] else D.SENT for one in places}
    assert set(noted) == {one.id for one in places}
