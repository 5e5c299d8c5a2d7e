"""The pace: no window of any chat, group, robot or channel ever holds more than its limit; nobody starves."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot import pacing
from bot.channels import limits
from bot.memory import Outage
from bot.pacing import Bucket, MemoryPacing, Pacing, RedisPacing, Unpaced
from office.contacts import Channel, Contact, ContactKind

C, K = Channel, ContactKind
HOUR = 3600.0
# What the platforms allow: the channel (None: each place for itself), kind, messages, within so many seconds.
ALLOWED = [
    (C.TELEGRAM, None, 30, 1.0),
    (C.TELEGRAM, K.PRIVATE, 1, 1.0),
    (C.TELEGRAM, K.GROUP, 20, 60.0),
    (C.WECOM_ROBOT, K.GROUP, 20, 60.0),
    (C.DINGTALK_ROBOT, K.GROUP, 20, 60.0),
    (C.FEISHU_ROBOT, K.GROUP, 100, 60.0),
    (C.FEISHU_ROBOT, K.GROUP, 5, 1.0),
]


def place(number: int, channel: Channel, kind: ContactKind = K.GROUP) -> Contact:
    return Contact(id=number, channel=channel, kind=kind, address=str(number))


async def an_hour(contacts: list[Contact], chosen: random.Random) -> dict[int, list[float]]:
    """Everybody always has another message, as a broadcast or not; when each of them left."""
    moment = [0.0]
    pace = MemoryPacing(lambda: moment[0])
    left: dict[int, list[float]] = defaultdict(list)
    waiting = [(0.0, number, contact) for number, contact in enumerate(contacts)]
    numbers = itertools.count(len(contacts))
    while waiting[0][0] < HOUR:
        moment[0], _, contact = heapq.heappop(waiting)
        wait = await pace.take(limits.buckets(contact, broadcast=contact.id % 2 == 0))
        if wait == 0:
            left[contact.id].append(moment[0])
            await pace.arrived(limits.chat(contact))
        # Asked again when it said, sometimes later, as a busy worker does.
        again = moment[0] + max(wait, 1e-6) + chosen.choice((0.0, 0.0, chosen.uniform(0, 3)))
        heapq.heappush(waiting, (again, next(numbers), contact))
    return left


def most_within(moments: list[float], seconds: float) -> int:
    """The most messages in any window of so many seconds, its end not included."""
    moments, first, most = sorted(moments), 0, 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= seconds - 1e-9:
            first += 1
        most = max(most, last - first + 1)
    return most


async def test_no_window_of_an_hour_holds_more_than_its_limit_and_nobody_starves() -> None:
    contacts = [place(number, C.TELEGRAM) for number in range(1, 41)]
    contacts += [place(number, C.TELEGRAM, K.PRIVATE) for number in range(41, 49)]
    for channel in (C.WECOM_ROBOT, C.DINGTALK_ROBOT, C.FEISHU_ROBOT):
        contacts += [place(100 * len(contacts) + number, channel) for number in range(2)]

    left = await an_hour(contacts, random.Random(20261120))

    for channel, kind, most, seconds in ALLOWED:
        own = [contact.id for contact in contacts if contact.channel is channel]
        if kind is None:
            assert most_within([moment for number in own for moment in left[number]], seconds) <= most
            continue
        for contact in contacts:
            if contact.channel is channel and contact.kind is kind:
                assert most_within(left[contact.id], seconds) <= most, (channel, kind, seconds)
    # Nobody waits long for the next one, and what is allowed is made use of.
    for contact in contacts:
        moments = [0.0, *left[contact.id], HOUR]
        assert max(later - earlier for earlier, later in itertools.pairwise(moments)) < 60
    groups = sum(len(left[number]) for number in range(1, 41))
    assert groups > 40 * 60 * 10  # of the 18 a minute
    assert len(left[contacts[-1].id]) > 60 * 60  # of the 90 a minute


async def test_a_burst_is_what_was_saved_up_and_no_more() -> None:
    moment = [0.0]
    pace, group = MemoryPacing(lambda: moment[0]), [Bucket("group", 60 / 18, burst=2)]
    assert [await pace.take(group), await pace.take(group)] == [0, 0]
    assert await pace.take(group) == pytest.approx(60 / 18)
    moment[0] = 1000.0  # however long the rest was
    assert [await pace.take(group), await pace.take(group)] == [0, 0]
    assert await pace.take(group) > 0


async def test_a_message_takes_from_all_of_its_buckets_or_from_none() -> None:
    moment = [0.0]
    pace, all_, chat = MemoryPacing(lambda: moment[0]), Bucket("all", 0.04), Bucket("chat", 1.1)
    assert await pace.take([all_, chat]) == 0
    moment[0] = 0.5
    assert await pace.take([all_, chat]) == pytest.approx(0.6)
    assert await pace.take([all_]) == 0  # the chat's waiting has cost the others nothing
    assert await pace.take([]) == 0


def test_broadcasts_leave_room_for_answers_and_the_web_needs_no_pace() -> None:
    voter, group = place(1, C.TELEGRAM, K.PRIVATE), place(2, C.TELEGRAM)
    answer = {bucket.key for bucket in limits.buckets(voter, broadcast=False)}
    broadcast = {bucket.key for bucket in limits.buckets(voter, broadcast=True)}
    assert answer < broadcast
    assert limits.TELEGRAM_BROADCASTS.every > limits.TELEGRAM_ALL.every
    assert len(limits.chat(group)) > len(limits.chat(voter))
    assert limits.buckets(place(3, C.WEB, K.PRIVATE), broadcast=True) == []
    # A robot that is refused says nothing about the others.
    assert limits.whole(C.TELEGRAM)
    assert not limits.whole(C.WECOM_ROBOT)


async def test_what_left_long_ago_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [0.0]
    pace = MemoryPacing(lambda: moment[0])
    for number in range(pacing._SWEEP_ABOVE + 10):
        moment[0] += 1.0
        assert await pace.take([Bucket(f"chat:{number}", 1.1)]) == 0
    assert len(pace._expected) < pacing._SWEEP_ABOVE / 2


async def test_unpaced_lets_all_through() -> None:
    pace, chat = Unpaced(), [Bucket("chat", 1.1)]
    await pace.rest(chat, 60)
    await pace.arrived(chat)
    assert [await pace.take(chat), await pace.take(chat)] == [0, 0]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    keys = [key async for key in client.scan_iter(pacing.PREFIX + "*")]
    if keys:
        await client.delete(*keys)
    await client.aclose()


@pytest.fixture(params=["memory", "redis"])
def make(request: pytest.FixtureRequest) -> Callable[[], Pacing]:
    """One process's pace; those in Redis share it."""
    if request.param == "memory":
        one = MemoryPacing()
        return lambda: one
    client: Redis = request.getfixturevalue("redis")
    return lambda: RedisPacing(client, Outage())


async def test_several_processes_together_keep_one_pace(make: Callable[[], Pacing]) -> None:
    """Sixteen at once ask three processes: exactly what fits gets through."""
    workers = [make() for _ in range(3)]
    group = [Bucket("all", 0.001, burst=100), Bucket("together", 600.0, burst=5)]
    waits = await asyncio.gather(*(workers[number % 3].take(group) for number in range(16)))
    assert sorted(wait == 0 for wait in waits) == [False] * 11 + [True] * 5
    assert all(590 < wait <= 600 for wait in waits if wait)


async def test_a_rest_holds_for_all_processes_and_is_never_shortened(make: Callable[[], Pacing]) -> None:
    one, other, chat = make(), make(), [Bucket("resting", 0.001, burst=3)]
    await one.rest(chat, 300)
    await other.rest(chat, 5)
    assert 299 < await other.take(chat) <= 300
    assert await one.take([Bucket("another", 0.001)]) == 0
    await one.rest([], 300)


async def test_the_distance_counts_from_the_arrival_in_all_processes(make: Callable[[], Pacing]) -> None:
    one, other, chat = make(), make(), [Bucket("slow", 300.0), Bucket("slower", 400.0, burst=2)]
    await one.arrived(chat)
    assert 299 < await other.take(chat) <= 300
    await one.rest(chat, 600)
    await one.arrived(chat)
    assert 599 < await other.take(chat) <= 600
    await one.arrived([])


async def test_what_is_held_is_free_with_its_arrival_or_when_its_holder_died(
    make: Callable[[], Pacing],
) -> None:
    one, other = make(), make()
    held, brief = [Bucket("held", 300.0, held=True)], [Bucket("brief", 0.05, held=True)]
    assert await one.take(held) == 0
    assert await other.take(held) == pytest.approx(pacing.ASK_AGAIN)
    await other.rest(held, 600)  # a rest is for the chat; its holder is not longer on its way for that
    await one.arrived(held)
    assert await other.take(held) == 0
    assert await one.take(brief) == 0
    assert 0 < await other.take(brief) <= 0.05
    await asyncio.sleep(0.06)
    assert await other.take(brief) == 0


async def test_keys_in_redis_go_by_themselves(redis: Redis) -> None:
    pace = RedisPacing(redis, Outage())
    assert await pace.take([Bucket("short", 5.0)]) == 0
    (key,) = [key async for key in redis.scan_iter(pacing.PREFIX + "*")]
    assert 0 < await redis.pttl(key) <= 5001


async def test_without_redis_each_process_keeps_the_pace_for_itself(caplog: Any) -> None:
    gone = Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    outage, moment = Outage(), [0.0]
    pace = RedisPacing(gone, outage, MemoryPacing(lambda: moment[0]))
    chat = [Bucket("chat", 1.1)]
    assert await pace.take(chat) == 0
    assert outage.now
    assert await pace.take(chat) == pytest.approx(1.1)
    await pace.rest(chat, 60)
    assert await pace.take(chat) == 60
    assert "each process keeps the pace for itself" in caplog.text
    await gone.aclose()


async def test_what_redis_let_through_counts_when_it_goes(redis: Redis) -> None:
    outage = Outage()
    pace, chat = RedisPacing(redis, outage), [Bucket("before", 60.0)]
    assert await pace.take(chat) == 0
    outage.begins(ConnectionError())
    assert await pace.take(chat) > 50
    await pace.rest(chat, 100)
    assert await pace.take(chat) > 90
