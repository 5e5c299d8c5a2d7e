"""The worker: sends what the outbox holds, and does what the clock asks for."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from aiogram import Bot

from bot import effects, fetching, jobs, learning
from bot.database_clock import DatabaseClock
from bot.learning import Learner
from bot.pacing import Pacing
from bot.post_room import LANES, PostRoom
from bot.sharing import Sharing
from handlers.turn import Desk
from office import claims, outbox, worktime
from office.contacts import Channel
from office.delivery import Priority
from office.wakeups import rang
from ticketing.fetching import TOPIC as FETCH_TOPIC

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0
TIMED_EVERY = 1.0
MINUTE = timedelta(minutes=1)
TIDY_EVERY = 3600.0
TIMED_TOPIC = "timed"
LEARN_TOPIC = "learn"
STOP_WITHIN = 2.0


class Worker:
    """One of possibly several; each claims what it sends, so none does another's work.

    `bots` are the channels this process can send on; each has two loops of its own, for answers and for
    broadcasts, so one that hangs holds up no other. They sleep until one look for all of them has seen
    something due there. Learning has a loop too, where this process takes part in it.
    `pacing` is kept by this process alone unless another one is given; `alone` warns where it should not be.
    """

    def __init__(
        self,
        desk: Desk,
        bots: Mapping[Channel, Bot],
        learner: Learner | None = None,
        pacing: Pacing | None = None,
        alone: Sharing | None = None,
    ) -> None:
        self._desk = desk
        self.learner = learner
        self._bots = bots
        self._clock = desk.clock
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self.room = PostRoom(desk, bots, pacing)
        self._alone = alone
        self._minute_at: datetime | None = None
        self._tidied_at: float | None = None

    @property
    def _lanes(self) -> list[tuple[Channel, tuple[Priority, ...]]]:
        return list(itertools.product(self._bots, LANES))

    def start(self) -> None:
        """Begin to work in the running event loop."""
        self._stopping = False
        self.room.open()
        loop = asyncio.get_running_loop()
        for channel, lane in self._lanes:
            send = partial(self.room.send_due, channel, lane, linger=True)
            self._tasks.append(loop.create_task(self._forever(send, _topic(channel, lane), None)))
        self._tasks.append(loop.create_task(self._forever(self.look, outbox.DUE_TOPIC, LOOK_EVERY)))
        self._tasks.append(loop.create_task(self._forever(self.do_timed, TIMED_TOPIC, TIMED_EVERY)))
        again = partial(effects.look, self._desk.store, self._clock)
        self._tasks.append(loop.create_task(self._forever(again, TIMED_TOPIC, effects.LOOK_EVERY)))
        if (bot := self._bots.get(Channel.TELEGRAM)) is not None:
            fetch = self._forever(partial(fetching.fetch_due, self._desk, bot), FETCH_TOPIC, fetching.EVERY)
            self._tasks.append(loop.create_task(fetch))
        if self.learner is not None:
            look = self._forever(self.learner.look, LEARN_TOPIC, learning.LOOK_EVERY)
            self._tasks.append(loop.create_task(look))

    async def stop(self) -> None:
        """Finish the message in hand and give the rest back; what takes too long comes back by its lease."""
        self._stopping = True
        self.room.close()
        lanes = (_topic(channel, lane) for channel, lane in self._lanes)
        for topic in (outbox.DUE_TOPIC, TIMED_TOPIC, LEARN_TOPIC, FETCH_TOPIC, *lanes):
            self._desk.store.wakeups.ring(topic)
        late_at = time.monotonic() + STOP_WITHIN
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.ended(max(0.1, late_at - time.monotonic()))
        self._tasks = []

    async def _forever(self, step: Callable[[], Awaitable[bool]], topic: str, pause: float | None) -> None:
        """Step on while there is something to do; else wait for a ring, at most `pause` seconds.

        Without a `pause` nothing is done before the first ring either.
        """
        with self._desk.store.wakeups.listening(topic) as bell:
            busy = pause is not None
            while not self._stopping:
                if not busy:
                    await rang(bell, pause)
                    if self._stopping:
                        return
                try:
                    busy = await step()
                except Exception:
                    log.exception("the worker stumbled and goes on")
                    busy = False
                    await self.room.nap(LOOK_EVERY)

    async def look(self) -> bool:
        """See in one query where something is due and wake the loops it is for: an idle desk writes nothing.

        Returns False: what has been seen is for others to do.
        """
        async with self._desk.store.reading() as session:
            found = await claims.waiting(session, list(self._bots), now=self._clock())
        for channel, lane in self._lanes:
            if any((channel, priority) in found for priority in lane):
                self._desk.store.wakeups.ring(_topic(channel, lane))
        return False

    async def send_due(self, channel: Channel) -> bool:
        """Send one batch of what is due on a channel; returns whether there was anything."""
        return await self.room.send_due(channel)

    async def do_timed(self) -> bool:
        """Do what is due by the clock; every job finds its work by its own rows, so none is done twice."""
        now = self._clock()
        async with self._desk.store.reading() as session:
            hours = await worktime.hours(session, now=now)
        due = jobs.each_second(self._desk.lookups, hours, now)
        # By the time that has passed: a look at the minute hand can be missed, or hit several times.
        minute = self._minute_at is None or abs(now - self._minute_at) >= MINUTE
        tidy = self._tidied_at is None or time.monotonic() - self._tidied_at >= TIDY_EVERY
        due += jobs.each_minute(hours, now, self._desk.public_url) if minute else []
        if minute and isinstance(self._clock, DatabaseClock):
            due.append(self._clock.compare)
        if minute and self._alone is not None:
            due.append(self._alone.look)
        due += jobs.each_hour(now) if tidy else []
        for job in due:
            try:
                async with self._desk.store.transaction() as session:
                    await job(session)
            except Exception:
                log.exception("a timed job failed; the others go on")
        if minute:
            self._minute_at = now
        if tidy:
            self._tidied_at = time.monotonic()
        return False


def _topic(channel: Channel, lane: tuple[Priority, ...]) -> str:
    """Rung within this process only: each looks for itself."""
    return f"{outbox.DUE_TOPIC}:{channel.value}:{lane[0].value}"
