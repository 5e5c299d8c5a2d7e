"""Who waits for news and who brings it: a bell per topic, inside one process or between several.

A lost ring only delays: every waiter also looks again by itself after its timeout.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)


class Wakeups:
    """Bells inside one process."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def ring(self, topic: str) -> None:
        """Wake everybody in this process who waits for `topic`."""
        for event in self._waiting.get(topic, ()):
            event.set()

    async def announce(self, topics: set[str]) -> None:
        """Ring each topic here and in every other process that listens."""
        for topic in topics:
            self.ring(topic)

    @contextlib.contextmanager
    def listening(self, topic: str) -> Iterator[asyncio.Event]:
        """An `asyncio.Event` that is set by each ring of `topic` while the block runs.

        Listening starts before the caller reads, so a ring between the read and the wait is kept.
        """
        event = asyncio.Event()
        self._waiting.setdefault(topic, set()).add(event)
        try:
            yield event
        finally:
            waiting = self._waiting[topic]
            waiting.discard(event)
            if not waiting:
                del self._waiting[topic]

    async def close(self) -> None:
        """Stop listening to other processes."""


async def rang(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait until `event` is set, at most so many seconds if told; clears it; tells whether it rang."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    event.clear()
    return True


class RedisWakeups(Wakeups):
    """Bells between processes over Redis publish/subscribe.

    If Redis goes away, rings stay inside the process and waiters find news by their own look.
    """

    CHANNEL = "one-window:wakeups"

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._redis = redis
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen; needs a running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._listen())

    async def announce(self, topics: set[str]) -> None:
        await super().announce(topics)
        try:
            for topic in topics:
                await self._redis.publish(self.CHANNEL, topic)
        except Exception:
            log.warning("wake-up not passed on to other processes", exc_info=True)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(self.CHANNEL)
                    async for message in pubsub.listen():
                        if message["type"] == "message":
                            self.ring(message["data"].decode())
            except asyncio.CancelledError:
                raise
            except Exception:
                log.warning("wake-ups from other processes are interrupted", exc_info=True)
                await asyncio.sleep(1)

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
