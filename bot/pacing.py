"""Not faster than each channel allows: over all, in each chat, in each group, in one process or several.

Each bucket is a spacing with a tolerance, the virtual scheduling form of the generic cell rate algorithm
(ITU-T I.371): it keeps the moment at which the next message is expected, and one may come earlier by as much
as the tolerance. A message passes all of its buckets or takes from none.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from redis.exceptions import RedisError

from bot.memory import Outage

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

WAITS: Final = 1.0
"""Seconds for an answer of Redis."""
PREFIX: Final = "one-window:pace:"
FREE: Final = -1.0
"""In place of seconds to wait: nobody holds it any more."""
ASK_AGAIN: Final = 0.25
"""Seconds after which one asks again for what is held: mostly it is free long before its time."""
_SWEEP_ABOVE: Final = 5000


@dataclass(frozen=True, slots=True)
class Bucket:
    """One message every `every` seconds, `burst` at once after a rest; `key` is the same in all processes.

    `held`: by one message from its `take` until it has `arrived`, whoever dies meanwhile for `every` seconds.
    """

    key: str
    every: float
    burst: int = 1
    held: bool = False

    @property
    def tolerance(self) -> float:
        """By how many seconds a message may come earlier than expected."""
        return (self.burst - 1) * self.every


class Pacing(Protocol):
    """Where the pace is kept."""

    async def take(self, buckets: Sequence[Bucket]) -> float:
        """0: send now, each bucket is charged. Else the seconds until asking again; none is charged."""
        ...

    async def arrived(self, buckets: Sequence[Bucket]) -> None:
        """What was let through has arrived, perhaps only now: the next keeps its distance from here.

        What it has held is free again.
        """
        ...

    async def rest(self, buckets: Sequence[Bucket], seconds: float) -> None:
        """Let nothing through these buckets for so long: the channel has asked for it."""
        ...


class Unpaced:
    """Lets everything through: for a channel of our own, and for tests of something else."""

    async def take(self, buckets: Sequence[Bucket]) -> float:
        return 0.0

    async def arrived(self, buckets: Sequence[Bucket]) -> None:
        return

    async def rest(self, buckets: Sequence[Bucket], seconds: float) -> None:
        return


class MemoryPacing:
    """The pace of one process. No step waits for anything, so no other comes between its parts.

    `clock` gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._expected: dict[str, float] = {}

    async def take(self, buckets: Sequence[Bucket]) -> float:
        now = self._clock()
        wait = max((self._wait(bucket, now) for bucket in buckets), default=0.0)
        if wait > 0:
            return wait
        self.charge(buckets)
        return 0.0

    def _wait(self, bucket: Bucket, now: float) -> float:
        wait = self._expected.get(bucket.key, now) - bucket.tolerance - now
        return min(wait, ASK_AGAIN) if bucket.held else wait

    def charge(self, buckets: Sequence[Bucket]) -> None:
        """Note that a message has left, whoever let it through."""
        now = self._clock()
        for bucket in buckets:
            self._expected[bucket.key] = max(now, self._expected.get(bucket.key, now)) + bucket.every
        if len(self._expected) > _SWEEP_ABOVE:
            self._expected = {key: moment for key, moment in self._expected.items() if moment > now}

    async def arrived(self, buckets: Sequence[Bucket]) -> None:
        self._put_off(_after_arrival(buckets))

    async def rest(self, buckets: Sequence[Bucket], seconds: float) -> None:
        self._put_off(_while_resting(buckets, seconds))

    def _put_off(self, spans: Mapping[str, float]) -> None:
        """Expect the next messages so many seconds from now at the earliest; at once where it is `FREE`."""
        now = self._clock()
        for key, seconds in spans.items():
            if seconds == FREE:
                self._expected.pop(key, None)
            else:
                self._expected[key] = max(now + seconds, self._expected.get(key, now))


def _after_arrival(buckets: Sequence[Bucket]) -> dict[str, float]:
    return {bucket.key: FREE if bucket.held else bucket.every for bucket in buckets}


def _while_resting(buckets: Sequence[Bucket], seconds: float) -> dict[str, float]:
    return {bucket.key: seconds + bucket.tolerance for bucket in buckets if not bucket.held}


# One step for all callers, by the clock of Redis: those of the processes may differ. Microseconds. For each
# key its spacing, its tolerance, and after how long at the latest one asks again (0: when it is free).
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local expected, wait = {}, 0
for i, key in ipairs(KEYS) do
    expected[i] = math.max(now, tonumber(redis.call('GET', key) or now))
    local own, again = expected[i] - ARGV[3 * i - 1] - now, tonumber(ARGV[3 * i])
    if again > 0 then own = math.min(own, again) end
    wait = math.max(wait, own)
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
    local next = expected[i] + ARGV[3 * i - 2]
    redis.call('SET', key, string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000) + 1)
end
return 0
"""
_PUT_OFF = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for i, key in ipairs(KEYS) do
    local span = tonumber(ARGV[i])
    if span < 0 then
        redis.call('DEL', key)
    else
        local until_ = math.max(now + span, tonumber(redis.call('GET', key) or now))
        redis.call('SET', key, string.format('%.0f', until_), 'PX', math.ceil((until_ - now) / 1000) + 1)
    end
end
return 0
"""


class RedisPacing:
    """The pace of all processes together; while Redis is out of reach, each keeps it for itself.

    Then several processes together may be faster than they should be by as many times as there are of them;
    what the channel refuses for that waits as long as it asks. Each also notes what Redis let through, so
    that none begins anew when Redis goes.
    """

    def __init__(self, redis: Redis, outage: Outage, here: MemoryPacing | None = None) -> None:
        self._take = redis.register_script(_TAKE)
        self._putting_off = redis.register_script(_PUT_OFF)
        self._outage = outage
        self._here = here or MemoryPacing()

    async def take(self, buckets: Sequence[Bucket]) -> float:
        if not buckets:
            return 0.0
        if not self._outage.now:
            spans = [
                _micro(span)
                for bucket in buckets
                for span in (bucket.every, bucket.tolerance, ASK_AGAIN if bucket.held else 0.0)
            ]
            try:
                async with asyncio.timeout(WAITS):
                    wait = float(await self._take(keys=_keys(buckets), args=spans)) / 1e6
            except (RedisError, OSError, TimeoutError) as error:
                self._fails(error)
            else:
                if wait == 0:
                    self._here.charge(buckets)
                return wait
        return await self._here.take(buckets)

    async def arrived(self, buckets: Sequence[Bucket]) -> None:
        await self._here.arrived(buckets)
        await self._put_off(_after_arrival(buckets))

    async def rest(self, buckets: Sequence[Bucket], seconds: float) -> None:
        await self._here.rest(buckets, seconds)
        await self._put_off(_while_resting(buckets, seconds))

    async def _put_off(self, spans: Mapping[str, float]) -> None:
        if not spans or self._outage.now:
            return
        try:
            async with asyncio.timeout(WAITS):
                keys = [PREFIX + key for key in spans]
                await self._putting_off(keys=keys, args=[_micro(span) for span in spans.values()])
        except (RedisError, OSError, TimeoutError) as error:
            self._fails(error)

    def _fails(self, error: Exception) -> None:
        log.warning("Redis failed (%s): each process keeps the pace for itself", type(error).__name__)
        self._outage.begins(error)


def _keys(buckets: Sequence[Bucket]) -> list[str]:
    return [PREFIX + bucket.key for bucket in buckets]


def _micro(seconds: float) -> int:
    return round(seconds * 1e6)
