"""Not faster than each channel allows: over all, in each chat, in each group, in one process or several.

Each bucket is a spacing with a tolerance, the virtual scheduling form of the generic cell rate algorithm
(ITU-T I.371): it keeps the moment at which the next message is expected, and one may come earlier by as much
as the tolerance. A message passes all of its buckets or takes from none.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
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
_SWEEP_ABOVE: Final = 5000


@dataclass(frozen=True, slots=True)
class Bucket:
    """One message every `every` seconds, `burst` at once after a rest; `key` is the same in all processes."""

    key: str
    every: float
    burst: int = 1

    @property
    def tolerance(self) -> float:
        """By how many seconds a message may come earlier than expected."""
        return (self.burst - 1) * self.every


class Pacing(Protocol):
    """Where the pace is kept."""

    async def take(self, buckets: Sequence[Bucket]) -> float:
        """0: send now, each bucket is charged. Else the seconds until asking again; none is charged."""
        ...

    async def rest(self, buckets: Sequence[Bucket], seconds: float) -> None:
        """Let nothing through these buckets for so long: the channel has asked for it."""
        ...


class Unpaced:
    """Lets everything through: for a channel of our own, and for tests of something else."""

    async def take(self, buckets: Sequence[Bucket]) -> float:
        return 0.0

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
        wait = max(
            (self._expected.get(bucket.key, now) - bucket.tolerance - now for bucket in buckets), default=0.0
        )
        if wait > 0:
            return wait
        self.charge(buckets)
        return 0.0

    def charge(self, buckets: Sequence[Bucket]) -> None:
        """Note that a message has left, whoever let it through."""
        now = self._clock()
        for bucket in buckets:
            self._expected[bucket.key] = max(now, self._expected.get(bucket.key, now)) + bucket.every
        if len(self._expected) > _SWEEP_ABOVE:
            self._expected = {key: moment for key, moment in self._expected.items() if moment > now}

    async def rest(self, buckets: Sequence[Bucket], seconds: float) -> None:
        now = self._clock()
        for bucket in buckets:
            until = now + seconds + bucket.tolerance
            self._expected[bucket.key] = max(until, self._expected.get(bucket.key, until))


# One step for all callers, by the clock of Redis: those of the processes may differ. Microseconds.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local expected, wait = {}, 0
for i, key in ipairs(KEYS) do
    expected[i] = math.max(now, tonumber(redis.call('GET', key) or now))
    wait = math.max(wait, expected[i] - ARGV[2 * i] - now)
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
    local next = expected[i] + ARGV[2 * i - 1]
    redis.call('SET', key, string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000) + 1)
end
return 0
"""
_REST = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for i, key in ipairs(KEYS) do
    local until_ = math.max(now + ARGV[i], tonumber(redis.call('GET', key) or now))
    redis.call('SET', key, string.format('%.0f', until_), 'PX', math.ceil((until_ - now) / 1000) + 1)
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
        self._rest = redis.register_script(_REST)
        self._outage = outage
        self._here = here or MemoryPacing()

    async def take(self, buckets: Sequence[Bucket]) -> float:
        if not buckets:
            return 0.0
        if not self._outage.now:
            spans = [_micro(span) for bucket in buckets for span in (bucket.every, bucket.tolerance)]
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

    async def rest(self, buckets: Sequence[Bucket], seconds: float) -> None:
        if not buckets:
            return
        await self._here.rest(buckets, seconds)
        if self._outage.now:
            return
        try:
            async with asyncio.timeout(WAITS):
                spans = [_micro(seconds + bucket.tolerance) for bucket in buckets]
                await self._rest(keys=_keys(buckets), args=spans)
        except (RedisError, OSError, TimeoutError) as error:
            self._fails(error)

    def _fails(self, error: Exception) -> None:
        log.warning("Redis failed (%s): each process keeps the pace for itself", type(error).__name__)
        self._outage.begins(error)


def _keys(buckets: Sequence[Bucket]) -> list[str]:
    return [PREFIX + bucket.key for bucket in buckets]


def _micro(seconds: float) -> int:
    return round(seconds * 1e6)
