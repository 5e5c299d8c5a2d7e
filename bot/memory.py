"""Conversation state in Redis that may fail: then people are answered without memory of earlier steps.

State is a hint and the database the truth, so a lost Redis costs a tap, never an answer. Events still count
once, by their rows; only two updates of one person in two processes may then be handled side by side.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiogram.fsm.storage.base import BaseEventIsolation, BaseStorage, StateType, StorageKey
from aiogram.fsm.storage.memory import SimpleEventIsolation
from redis.asyncio import Redis
from redis.exceptions import RedisError

from office.wakeups import RedisWakeups

log = logging.getLogger(__name__)

LEFT_ALONE = 5.0


class Outage:
    """Remembers for a few seconds that Redis failed, so that not every question waits for it again."""

    def __init__(self) -> None:
        self._until = 0.0

    @property
    def now(self) -> bool:
        return time.monotonic() < self._until

    def begins(self, error: Exception) -> None:
        log.warning("Redis failed (%s): going on without conversation state", type(error).__name__)
        self._until = time.monotonic() + LEFT_ALONE


class QuickWakeups(RedisWakeups):
    """Wake-ups between processes for which nobody waits longer than `seconds`: who missed one looks again."""

    def __init__(self, redis: Redis, seconds: float) -> None:
        super().__init__(redis)
        self._seconds = seconds

    async def announce(self, topics: set[str]) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await super().announce(topics)
        except TimeoutError:
            log.warning("Redis is slow: a wake-up may not have reached the other processes")


class ForgivingStorage(BaseStorage):
    """A storage in Redis; while it fails nothing is remembered and nothing is raised."""

    def __init__(self, inner: BaseStorage, outage: Outage) -> None:
        self._inner = inner
        self._outage = outage

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        if not self._outage.now:
            try:
                await self._inner.set_state(key, state)
            except (RedisError, OSError) as error:
                self._outage.begins(error)

    async def get_state(self, key: StorageKey) -> str | None:
        if not self._outage.now:
            try:
                return await self._inner.get_state(key)
            except (RedisError, OSError) as error:
                self._outage.begins(error)
        return None

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        if not self._outage.now:
            try:
                await self._inner.set_data(key, data)
            except (RedisError, OSError) as error:
                self._outage.begins(error)

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        if not self._outage.now:
            try:
                return await self._inner.get_data(key)
            except (RedisError, OSError) as error:
                self._outage.begins(error)
        return {}

    async def close(self) -> None:
        await self._inner.close()


class ForgivingIsolation(BaseEventIsolation):
    """One update of a person at a time, over all processes; while Redis fails, in this process only."""

    def __init__(self, inner: BaseEventIsolation, outage: Outage) -> None:
        self._inner = inner
        self._here = SimpleEventIsolation()
        self._outage = outage

    @asynccontextmanager
    async def lock(self, key: StorageKey) -> AsyncGenerator[None, None]:
        async with self._here.lock(key):
            if self._outage.now:
                yield
                return
            held = self._inner.lock(key)
            try:
                await held.__aenter__()
            except (RedisError, OSError) as error:
                self._outage.begins(error)
                yield
                return
            try:
                yield
            finally:
                # A lock that cannot be given back ends by itself; the update was handled either way.
                try:
                    await held.__aexit__(None, None, None)
                except (RedisError, OSError) as error:
                    self._outage.begins(error)

    async def close(self) -> None:
        await self._inner.close()
        await self._here.close()
