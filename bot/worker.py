"""The worker: sends what the outbox holds, and does what the clock asks for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from aiogram import Bot

from bot import fetching, jobs, learning
from bot.database_clock import DatabaseClock
from bot.learning import Learner
from bot.pacing import Pacing
from bot.post_room import LANES, PostRoom
from handlers.turn import Desk
from office import outbox, worktime
from office.contacts import Channel
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
    broadcasts, so one that hangs holds up no other. So has learning, where this process takes part in it.
    `pacing` is kept by this process alone unless another one is given.
    """

    def __init__(
        self,
        desk: Desk,
        bots: Mapping[Channel, Bot],
        learner: Learner | None = None,
        pacing: Pacing | None = None,
    ) -> None:
        self._desk = desk
        self.learner = learner
        self._bots = bots
        self._clock = desk.clock
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self.room = PostRoom(desk, bots, pacing)
        self._minute_at: datetime | None = None
        self._tidied_at: float | None = None

    def start(self) -> None:
        """Begin to work in the running event loop."""
        self._stopping = False
        self.room.open()
        loop = asyncio.get_running_loop()
        for channel in self._bots:
            for lane in LANES:
                send = partial(self.room.send_due, channel, lane, linger=True)
                self._tasks.append(loop.create_task(self._forever(send, outbox.DUE_TOPIC, LOOK_EVERY)))
        self._tasks.append(loop.create_task(self._forever(self.do_timed, TIMED_TOPIC, TIMED_EVERY)))
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
        for topic in (outbox.DUE_TOPIC, TIMED_TOPIC, LEARN_TOPIC, FETCH_TOPIC):
            self._desk.store.wakeups.ring(topic)
        late_at = time.monotonic() + STOP_WITHIN
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.ended(max(0.1, late_at - time.monotonic()))
        self._tasks = []

    async def _forever(self, step: Callable[[], Awaitable[bool]], topic: str, pause: float) -> None:
        with self._desk.store.wakeups.listening(topic) as bell:
            while not self._stopping:
                try:
                    busy = await step()
                except Exception:
                    log.exception("the worker stumbled and goes on")
                    busy = False
                    await self.room.nap(pause)
                if not busy and not self._stopping:
                    await rang(bell, pause)

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
