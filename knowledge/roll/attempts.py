"""How often may be looked up: several budgets at once, exact under any number of parallel tries.

In memory for one process, in Redis for several. What cannot be counted is refused: while Redis is out of
reach nobody looks up. Keys are keyed digests: no dump of Redis tells who asked or about whom.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from redis.exceptions import RedisError

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

WAITS: Final = 1.0
"""Seconds for an answer of Redis."""
MOST_AT_ONCE: Final = 8
"""Questions under way: each one needs a connection, and a crowd at once should not open as many."""
LEFT_ALONE: Final = 2.0
"""Seconds for which a Redis that failed is not asked again."""
MISSES: Final = 5
MISSES_WITHIN: Final = timedelta(minutes=10)
BLOCKED_FOR: Final = timedelta(hours=24)
_SWEEP_EVERY: Final = 1000


class Unreachable(Exception):
    """The budgets cannot be counted now."""


@dataclass(frozen=True, slots=True)
class Budget:
    """So many tries of one key: within any `span`, or, without one, until the moment `ends`."""

    key: str
    limit: int
    span: timedelta | None = None
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What became of a try. `refused` is the place of the budget that had no room, -1 for a blocked asker.

    `counts` says how often each budget before that one is used now, this try included.
    """

    refused: int | None
    until: datetime | None
    counts: tuple[int, ...]


class Attempts(Protocol):
    """Where tries are counted."""

    async def spend(self, asker: str, budgets: Sequence[Budget], now: datetime) -> Spent:
        """Take one try from each budget in turn, up to the first that has no room: one step for all callers.

        A blocked `asker` takes nothing. Those before the one that refuses stay spent: else it would cost
        nothing to find out whether somebody else has used it up. Raises `Unreachable`.
        """
        ...

    async def heard(self, asker: str, *, missed: bool, now: datetime) -> None:
        """Note a result; five misses within ten minutes block the asker for a day. Raises `Unreachable`.

        To be called for every result, so that none of them takes longer than another.
        """
        ...

    async def reach(self) -> None:
        """Raises `Unreachable` if a try could not be counted now."""
        ...

    async def forget(self, key: str) -> None:
        """Give a budget back as a whole. Raises `Unreachable`."""
        ...


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _span(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)


class MemoryAttempts:
    """Tries of one process. No step waits for anything, so no other comes between its parts."""

    def __init__(self) -> None:
        self._logs: dict[str, list[int]] = {}
        self._ends: dict[str, int] = {}
        self._blocked: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._steps = 0

    async def spend(self, asker: str, budgets: Sequence[Budget], now: datetime) -> Spent:
        at = _ms(now)
        counts: list[int] = []
        self._sweep(at)
        if self._blocked.get(asker, 0) > at:
            return Spent(-1, _moment(self._blocked[asker]), ())
        for place, budget in enumerate(budgets):
            if budget.span:
                span = _span(budget.span)
                used = self._log(budget.key, at, span)
                if len(used) >= budget.limit:
                    return Spent(place, _moment(used[-budget.limit] + span), tuple(counts))
                used.append(at)
                counts.append(len(used))
            else:
                before = self._counts.get(budget.key, 0)
                if before >= budget.limit:
                    return Spent(place, budget.ends, tuple(counts))
                self._counts[budget.key] = before + 1
                self._ends[budget.key] = _ms(budget.ends) if budget.ends else at
                counts.append(before + 1)
        return Spent(None, None, tuple(counts))

    async def heard(self, asker: str, *, missed: bool, now: datetime) -> None:
        key, at = f"misses:{asker}", _ms(now)
        if not asker or not missed:
            return
        used = self._log(key, at, _span(MISSES_WITHIN))
        used.append(at)
        if len(used) >= MISSES:
            self._blocked[asker] = at + _span(BLOCKED_FOR)
            self._drop(key)

    async def reach(self) -> None:
        return

    async def forget(self, key: str) -> None:
        self._drop(key)

    def _log(self, key: str, at: int, span: int) -> list[int]:
        used = self._logs.setdefault(key, [])
        while used and used[0] <= at - span:
            used.pop(0)
        self._ends[key] = at + span
        return used

    def _drop(self, key: str) -> None:
        for kept in (self._logs, self._ends, self._counts):
            kept.pop(key, None)

    def _sweep(self, at: int) -> None:
        self._steps += 1
        if self._steps % _SWEEP_EVERY == 0:
            for key in [key for key, ends in self._ends.items() if ends <= at]:
                self._drop(key)
            self._blocked = {asker: until for asker, until in self._blocked.items() if until > at}


_PREFIX: Final = "{one-window:lookup}:"
"""The braces keep all of one try on one server of a cluster."""
# KEYS: the asker's block, then the budgets. ARGV: now, then for each budget its limit, span (0: none), end.
_SPEND: Final = """
local now = tonumber(ARGV[1])
local blocked = tonumber(redis.call('GET', KEYS[1]) or '0')
if blocked > now then return {-1, blocked} end
local counts = {0, 0}
for place = 2, #KEYS do
  local key, at = KEYS[place], 3 * place - 4
  local limit, span, ends = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  if span > 0 then
    local first = redis.call('LINDEX', key, 0)
    while first and tonumber(first) <= now - span do
      redis.call('LPOP', key)
      first = redis.call('LINDEX', key, 0)
    end
    local used = redis.call('LLEN', key)
    if used >= limit then
      counts[1], counts[2] = place - 1, tonumber(redis.call('LINDEX', key, used - limit)) + span
      return counts
    end
    redis.call('RPUSH', key, ARGV[1])
    redis.call('PEXPIRE', key, span)
    counts[#counts + 1] = used + 1
  else
    local used = tonumber(redis.call('GET', key) or '0')
    if used >= limit then
      counts[1], counts[2] = place - 1, ends
      return counts
    end
    redis.call('SET', key, used + 1, 'PX', math.max(1, ends - now))
    counts[#counts + 1] = used + 1
  end
end
return counts
"""
# KEYS: the asker's misses, the asker's block. ARGV: now, 1 for a miss, span, limit, length of a block.
_HEARD: Final = """
if ARGV[2] == '0' then return 0 end
local now, span = tonumber(ARGV[1]), tonumber(ARGV[3])
local first = redis.call('LINDEX', KEYS[1], 0)
while first and tonumber(first) <= now - span do
  redis.call('LPOP', KEYS[1])
  first = redis.call('LINDEX', KEYS[1], 0)
end
local used = redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], span)
if used >= tonumber(ARGV[4]) then
  redis.call('SET', KEYS[2], string.format('%.0f', now + tonumber(ARGV[5])), 'PX', ARGV[5])
  redis.call('DEL', KEYS[1])
end
return used
"""


class RedisAttempts:
    """Tries of all processes: each step is one script, which Redis runs without another between its parts."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._spend = redis.register_script(_SPEND)
        self._heard = redis.register_script(_HEARD)
        self._failed_until = 0.0
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    async def spend(self, asker: str, budgets: Sequence[Budget], now: datetime) -> Spent:
        values: list[int] = [_ms(now)]
        for budget in budgets:
            values += [
                budget.limit,
                _span(budget.span) if budget.span else 0,
                _ms(budget.ends) if budget.ends else 0,
            ]
        keys = [f"{_PREFIX}blocked:{asker}", *(_PREFIX + budget.key for budget in budgets)]
        refused, until, *counts = await self._answer(self._spend(keys=keys, args=values))
        if refused == 0:
            return Spent(None, None, tuple(counts))
        return Spent(-1 if refused < 0 else refused - 1, _moment(until), tuple(counts))

    async def heard(self, asker: str, *, missed: bool, now: datetime) -> None:
        keys = [f"{_PREFIX}misses:{asker}", f"{_PREFIX}blocked:{asker}"]
        values = [_ms(now), int(missed and bool(asker)), _span(MISSES_WITHIN), MISSES, _span(BLOCKED_FOR)]
        await self._answer(self._heard(keys=keys, args=values))

    async def reach(self) -> None:
        await self._answer(self._redis.ping())

    async def forget(self, key: str) -> None:
        await self._answer(self._redis.delete(_PREFIX + key))

    async def _answer(self, asked: Any) -> Any:
        async with self._turns:
            if time.monotonic() < self._failed_until:
                asked.close()
                raise Unreachable
            try:
                async with asyncio.timeout(WAITS):
                    return await asked
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("Redis failed (%s): lookup is closed meanwhile", type(error).__name__)
                self._failed_until = time.monotonic() + LEFT_ALONE
                raise Unreachable from error
