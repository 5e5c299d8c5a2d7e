"""A broadcast against a Telegram that misbehaves, while its workers are killed: nothing lost, nothing hidden.

The limits of the platforms, and with them our pace, run several times as fast where a test has to wait for a
thousand groups, and as they are in the last one.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from office import broadcasts, outbox, robots
from office.broadcasts import Message, Progress
from office.contacts import Channel, Contact, ContactKind
from office.outbox import Delivery, DeliveryState, Priority
from office.seal import Sealer
from office.store import Store
from tests.make import Cast
from tests.servers import paces, redis, telegram_double
from tests.servers.robots import DINGTALK, FEISHU, WECOM
from tests.servers.telegram_double import OF_ROBOTS, Books, Fault, Request, Rest, TelegramDouble
from tests.servers.worker_process import SECRET, Work, Workers

TIP = "工作提示第3期"
KILLS = 20
TIMES = 5.0
REDIS_DATABASE = 9
MANY = 22
"""Messages for one chat, one of which would be too many within a minute of any platform."""
PLATFORMS = {
    Channel.WECOM_ROBOT: (WECOM, (paces.WECOM,)),
    Channel.DINGTALK_ROBOT: (DINGTALK, (paces.DINGTALK,)),
    Channel.FEISHU_ROBOT: (FEISHU, paces.FEISHU),
}
UNSETTLED = (DeliveryState.DUE, DeliveryState.CLAIMED)
# After these nobody knows whether the message is there, after anything else but a kill everybody does.
DOUBTFUL = {Fault.BROKEN, Fault.BROKEN_LATE, Fault.HANGS, Fault.CUT, Fault.CUT_LATE}


@dataclass
class Town:
    """What is to be sent: one tip for each group, and many answers for a few chats."""

    broadcast: int
    chats: dict[int, str]
    """The number under which the double knows each contact."""
    faults: dict[str, list[Fault]]


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """The prepared process, for all tests of this module."""
    with Workers(tmp_path_factory.mktemp("workers")) as found:
        yield found


async def fill(store: Store, cast: Cast, groups: int, *, crowded: int, each: int, seed: int = 3) -> Town:
    """A broadcast for so many groups, one robot of each platform among them, and `each` answers for some."""
    moment = datetime.now(UTC)
    async with store.transaction() as session:
        rows = [
            Contact(
                channel=Channel.TELEGRAM, address=f"-{5_000_000 + number}", kind=ContactKind.GROUP,
                first_seen_at=moment, last_seen_at=moment,
            )
            for number in range(groups)
        ]  # fmt: skip
        people = [
            Contact(
                channel=Channel.TELEGRAM, address=str(70_000 + number), first_seen_at=moment,
                last_seen_at=moment,
            )
            for number in range(crowded)
        ]  # fmt: skip
        session.add_all(rows + people)
        await session.flush()
        chats = {row.id: row.address for row in rows + people}
        for channel, (form, _) in PLATFORMS.items():
            key = form.token(f"{channel.value}-0001")
            robot = await robots.add(
                session, cast.riverside, channel, "工作群机器人", form.format(key), "a-secret-of-theirs",
                sealer=Sealer(SECRET.encode()), actor=cast.zhou_ning, now=moment,
            )  # fmt: skip
            found = await robots.get(session, robot.id, actor=cast.zhou_ning)
            rows.append(found.contact)
            chats[found.contact.id] = key
        broadcast = await broadcasts.begin(session, "tip:1", actor=None, starts_at=moment, now=moment)
        facts = {"text": TIP, "buttons": None}
        messages = [Message(row.id, facts) for row in rows]
        assert await broadcasts.lay(session, broadcast, messages, "reply", key="tip:1", now=moment) == len(
            rows
        )
        for row in [*rows[:crowded], *rows[groups:], *people]:
            for number in range(each if row.kind is ContactKind.GROUP else min(each, 9)):
                text = {"text": f"答复{number:02}。", "buttons": None}
                await outbox.put(
                    session, row, "reply", text, key=f"answer:{row.id}:{number}", subject="contact:1",
                    now=moment, priority=Priority.NOTICE,
                )  # fmt: skip
    faults = telegram_double.plans((row.address for row in rows[:groups]), seed)
    at_home: dict[Fault, int] = {
        fault: share for fault, share in telegram_double.SHARES.items() if fault is not Fault.MOVED
    }
    faults |= telegram_double.plans((row.address for row in people), seed, at_home)
    for channel, (form, _) in PLATFORMS.items():
        faults[form.token(f"{channel.value}-0001")] = list(OF_ROBOTS)
    return Town(broadcast.id, chats, faults)


class Watch:
    """Looks at a broadcast again and again: the sum is right at every look."""

    def __init__(self, store: Store, town: Town) -> None:
        self._store, self._town = store, town
        self.seen: list[Progress] = []

    async def look(self) -> Progress:
        async with self._store.reading() as session:
            found = await broadcasts.progress(session, self._town.broadcast, now=datetime.now(UTC))
            rows = await session.scalar(
                select(func.count()).where(Delivery.broadcast_id == self._town.broadcast)
            )
        assert found.total == rows == found.sent + found.failed + found.pending + found.stopped
        assert not self.seen or found.sent >= self.seen[-1].sent
        assert not self.seen or found.uncertain >= self.seen[-1].uncertain
        self.seen.append(found)
        return found

    async def left(self) -> list[str]:
        """What has not been settled, answers included."""
        async with self._store.reading() as session:
            rows = await session.scalars(select(Delivery).where(Delivery.state.in_(UNSETTLED)))
            return [f"{row.key} {row.state.value} tried {row.attempts}: {row.last_error}" for row in rows]

    async def go_on(self) -> None:
        with suppress(asyncio.CancelledError):
            while True:
                await self.look()
                await asyncio.sleep(0.15)

    async def until_all_is_settled(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while left := await self.left():
            assert time.monotonic() < deadline, (self.seen[-1], left[:9])
            await asyncio.sleep(0.2)


async def check(
    store: Store, town: Town, double: TelegramDouble, end: Progress, times: float, deaths: list[float]
) -> int:
    """Nothing lost, nothing twice but what is counted, no limit broken; how many tips arrived twice."""
    async with store.reading() as session:
        rows = list(await session.scalars(select(Delivery).where(Delivery.contact_id.in_(town.chats))))
    arrived: Counter[tuple[str, str]] = Counter(
        (one.chat, text) for one in double.books.requests if one.accepted for text in said(one.text)
    )
    lost = {chat for chat, faults in town.faults.items() if Fault.GONE in faults}
    wrong, twice = [], 0
    for row in rows:
        (text,) = said(row.facts["text"])
        chat, count = town.chats[row.contact_id], arrived[town.chats[row.contact_id], text]
        if row.state is DeliveryState.SENT and not 1 <= count <= 1 + row.uncertain:
            wrong.append(f"{row.key} is sent, {count} arrived, {row.uncertain} uncertain")
        elif row.state is DeliveryState.FAILED and (chat not in lost or count > row.uncertain):
            wrong.append(f"{row.key} has failed, {count} arrived, {row.last_error}")
        elif row.state not in (DeliveryState.SENT, DeliveryState.FAILED):
            wrong.append(f"{row.key} is {row.state.value}")
        twice += max(0, count - 1) if row.broadcast_id else 0
    assert not wrong, wrong[:20]
    assert twice <= end.uncertain
    assert end.uncertain == sum(row.uncertain for row in rows if row.broadcast_id)
    robots_of = {form.token(f"{channel.value}-0001"): limits for channel, (form, limits) in PLATFORMS.items()}
    assert not paces.breaches(double.books, robots_of, times=times)
    assert not paces.hasty(double.books, deaths), deaths
    return twice


def said(text: str) -> list[str]:
    """Which of our messages stands in what was received."""
    return (
        [TIP]
        if TIP in text
        else [f"答复{number:02}。" for number in range(MANY) if f"答复{number:02}。" in text]
    )


async def something_new(double: TelegramDouble) -> None:
    """Wait until messages come in: a worker that has just begun is killed only when it is at work."""
    before, deadline = len(double.books.requests), time.monotonic() + 60
    while len(double.books.requests) < before + 5:
        assert time.monotonic() < deadline, "nothing comes in"
        await asyncio.sleep(0.01)


async def tell(
    store: Store, town: Town, workers: Workers, work: Work, *, count: int, kills: int, seconds: float
) -> tuple[Books, Progress]:
    """Let so many workers send it all, and kill one of them so often meanwhile."""
    dice, watch = random.Random(11), Watch(store, town)
    begun, deaths = time.monotonic(), []
    await watch.look()
    with TelegramDouble(town.faults) as double:
        given = replace(work, api=double.base)
        running = [workers.start(given) for _ in range(count)]
        looking = asyncio.create_task(watch.go_on())
        try:
            for _ in range(kills):
                await something_new(double)
                await asyncio.sleep(dice.uniform(0.02, 0.25))
                victim = running.pop(dice.randrange(len(running)))
                deaths.append(time.monotonic())
                await asyncio.to_thread(workers.kill, victim)
                running.append(await asyncio.to_thread(workers.start, given))
            assert not kills or (await watch.look()).pending, "all was sent before the last was killed"
            await watch.until_all_is_settled(seconds)
        finally:
            looking.cancel()
            await looking
            for pid in running:
                await asyncio.to_thread(workers.stop, pid)
        end = await watch.look()
        assert (end.pending, end.stopped) == (0, 0)
        assert end.total == end.sent + end.failed
        twice = await check(store, town, double, end, work.times, deaths)
    assert len(watch.seen) > 10
    print(f"\n{time.monotonic() - begun:.0f} s, {end}, {twice} arrived twice")
    return double.books, end


async def test_a_thousand_groups_while_workers_are_killed_twenty_times(
    store: Store, cast: Cast, workers: Workers, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Three workers on PostgreSQL with Redis between them, one on SQLite."""
    town = await fill(store, cast, 1000, crowded=5, each=MANY)
    work = Work(store.url, "", str(tmp_path), times=TIMES)
    if not store.sqlite:
        url = redis.database(request.getfixturevalue("redis_url"), REDIS_DATABASE)
        work = replace(work, redis_url=url)
    count = 1 if store.sqlite else 3
    books, _ = await tell(store, town, workers, work, count=count, kills=KILLS, seconds=240)
    assert set(books.met()) == set(Fault)


@pytest.mark.parametrize("templates", ["postgres"], indirect=True)
async def test_groups_at_the_true_pace(
    store: Store, cast: Cast, workers: Workers, tmp_path: Path, redis_url: str
) -> None:
    """Two workers, nothing of the limits changed. As nobody is killed, what is uncertain is known exactly."""
    town = await fill(store, cast, 150, crowded=3, each=2)
    url = redis.database(redis_url, REDIS_DATABASE)
    # On a busy machine a second is too short for what does answer, and that would be uncertain as well.
    work = Work(store.url, "", str(tmp_path), redis_url=url, lease=60, send_within=8)
    books, end = await tell(store, town, workers, work, count=2, kills=0, seconds=180)
    doubtful = [one for one in books.requests if TIP in one.text and one.fault in DOUBTFUL]
    assert end.uncertain == len(doubtful)


def test_the_books_tell_what_was_too_fast() -> None:
    """The checks above could fail."""
    books = Books([Request("-1", TIP, 3.1 * number, None, True) for number in range(21)])
    assert not paces.breaches(books, {})
    books.requests += [Request("-1", TIP, 59.7, None, True), Request("-1", TIP, 59.8, None, True)]
    assert [line.split(":")[0] for line in paces.breaches(books, {})] == ["-1", "-1"]
    assert not paces.breaches(books, {}, times=20)
    books = Books([Request(f"-{number}", TIP, 0.03 * number, None, True) for number in range(40)])
    assert [line.split(":")[0] for line in paces.breaches(books, {})] == ["the bot"]
    assert not paces.breaches(books, {f"-{number}": (paces.WECOM,) for number in range(40)})
    books = Books([Request("-1", TIP, 0, Fault.BUSY, False), Request("-1", TIP, 2.5, None, True)])
    books.rests.append(Rest("-1", 0.1, 3))
    assert len(paces.hasty(books)) == 1
    assert not paces.hasty(books, [0.3])
    books.rests[:] = [Rest("-1", 0.1, 2)]
    assert not paces.hasty(books)
