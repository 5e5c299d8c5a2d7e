"""The worker: sends what the outbox holds, and does what the clock asks for."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramRetryAfter

from bot import fetching, jobs, learning, placed
from bot.channels import telegram, web
from bot.database_clock import DatabaseClock
from bot.learning import Learner
from handlers import deliveries
from handlers.turn import Desk
from office import outbox, worktime
from office.contacts import Channel, Contact
from office.outbox import Delivery, Undeliverable
from office.wakeups import rang
from ticketing.fetching import TOPIC as FETCH_TOPIC

log = logging.getLogger(__name__)

BATCH = 30
LOOK_EVERY = 2.0
TIMED_EVERY = 1.0
MINUTE = timedelta(minutes=1)
TIDY_EVERY = 3600.0
TIMED_TOPIC = "timed"
LEARN_TOPIC = "learn"
# A batch must be through before its lease ends, so a send that hangs is given up early.
SEND_WITHIN = timedelta(seconds=15)
RECORD_TRIES = 5
LONGEST_PAUSE = 300.0
# Telegram's published pace is about thirty messages a second over all chats.
PACE = {Channel.TELEGRAM: 1 / 25}
STOP_WITHIN = 2.0


class Worker:
    """One of possibly several; each claims what it sends, so none does another's work.

    `bots` are the channels this process can send on; each has its own loop, so one that hangs holds up no
    other. So has learning, where this process takes part in it.
    """

    def __init__(self, desk: Desk, bots: Mapping[Channel, Bot], learner: Learner | None = None) -> None:
        self._desk = desk
        self.learner = learner
        self._bots = bots
        self._clock = desk.clock
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._stopped = asyncio.Event()
        self._paused: dict[Channel, tuple[float, float]] = {}
        self._minute_at: datetime | None = None
        # What each message in hand has become, until that is recorded.
        self._became: dict[int, object] = {}
        self._tidied_at: float | None = None

    def start(self) -> None:
        """Begin to work in the running event loop."""
        self._stopping = False
        self._stopped.clear()
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._forever(partial(self.send_due, channel), outbox.DUE_TOPIC, LOOK_EVERY))
            for channel in self._bots
        ]
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
        self._stopped.set()
        for topic in (outbox.DUE_TOPIC, TIMED_TOPIC, LEARN_TOPIC, FETCH_TOPIC):
            self._desk.store.wakeups.ring(topic)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _forever(self, step: Callable[[], Awaitable[bool]], topic: str, pause: float) -> None:
        with self._desk.store.wakeups.listening(topic) as bell:
            while not self._stopping:
                try:
                    busy = await step()
                except Exception:
                    log.exception("the worker stumbled and goes on")
                    busy = False
                    await self._nap(pause)
                if not busy and not self._stopping:
                    await rang(bell, pause)

    async def _nap(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()

    async def send_due(self, channel: Channel) -> bool:
        """Send one batch of what is due on a channel; returns whether there was anything."""
        until, _ = self._paused.get(channel, (0.0, 0.0))
        if time.monotonic() < until:
            return False
        async with self._desk.store.transaction() as session:
            claimed = await outbox.claim(session, [channel], limit=BATCH, now=self._clock())
        slowed = 0
        for number, (delivery, contact) in enumerate(claimed):
            if self._stopping:
                await self._give_back(claimed[number:], "the worker was stopped", 0)
                return True
            if delivery.claimed_until and self._clock() + SEND_WITHIN > delivery.claimed_until:
                return True  # too late to be sure: another worker may take the rest soon
            error = await self._send(delivery, contact)
            await self._record(delivery, error)
            slowed += error is not None and error.retry_after is not None
            until, pause = self._paused.get(channel, (0.0, 0.0))
            if slowed > 1 or time.monotonic() < until:
                # Not the chat but the channel is at fault: the rest would only fail as well.
                wait = (error.retry_after if error else None) or pause
                self._paused[channel] = (time.monotonic() + wait, pause)
                await self._give_back(claimed[number + 1 :], "the channel is paused", wait)
                return True
            if error is None:
                self._paused.pop(channel, None)
            if channel in PACE:
                await self._nap(PACE[channel])
        return bool(claimed)

    async def _send(self, delivery: Delivery, contact: Contact) -> Undeliverable | None:
        try:
            async with asyncio.timeout(SEND_WITHIN.total_seconds()):
                await self._carry(delivery, contact)
        except (AiogramError, TimeoutError) as refused:
            if telegram.perhaps_away(refused) and not await self._answers(contact.channel):
                return self._paused_channel(contact.channel, f"{type(refused).__name__}: out of reach")
            if isinstance(refused, TimeoutError):
                return Undeliverable("TimeoutError")
            error = telegram.translated(refused)
            if telegram.broken(refused):
                log.critical("the channel %s refuses us: %s", contact.channel.value, error.reason)
                return self._paused_channel(contact.channel, error.reason)
            if isinstance(refused, TelegramRetryAfter):
                # Apart from each other, or all would be asked again at the same moment.
                error.retry_after = refused.retry_after + random.uniform(0, 1)
            return error
        except Exception as failed:
            log.exception("delivery %s could not be put into words", delivery.id)
            return Undeliverable(type(failed).__name__)
        return None

    async def _answers(self, channel: Channel) -> bool:
        try:
            async with asyncio.timeout(5):
                await self._bots[channel].get_me()
        except Exception:
            return False
        return True

    def _paused_channel(self, channel: Channel, reason: str) -> Undeliverable:
        """A failure of the whole channel: nothing counts against the message, pauses grow."""
        _, before = self._paused.get(channel, (0.0, 0.0))
        pause = min(LONGEST_PAUSE, before * 2 or LOOK_EVERY)
        self._paused[channel] = (time.monotonic() + pause, pause)
        log.warning("the channel %s rests for %s seconds: %s", channel.value, pause, reason)
        return Undeliverable(reason, retry_after=pause)

    async def _record(self, delivery: Delivery, error: Undeliverable | None) -> None:
        # A message that left and is not recorded would be sent again, so this insists a little.
        for attempt in range(1, RECORD_TRIES + 1):
            try:
                async with self._desk.store.transaction() as session:
                    if error is None:
                        await outbox.sent(session, delivery.id, now=self._clock())
                        await placed.note(session, delivery, self._became.get(delivery.id))
                    else:
                        await outbox.failed(session, delivery.id, error, now=self._clock())
                self._became.pop(delivery.id, None)
                return
            except Exception:
                if attempt == RECORD_TRIES or self._stopping:
                    log.exception("what became of delivery %s could not be recorded", delivery.id)
                    return
                await self._nap(attempt * 0.5)

    async def _give_back(self, claimed: list[tuple[Delivery, Contact]], why: str, seconds: float) -> None:
        for delivery, _ in claimed:
            await self._record(delivery, Undeliverable(why, retry_after=seconds))

    async def _carry(self, delivery: Delivery, contact: Contact) -> None:
        bot = self._bots[contact.channel]
        chat_id = contact.id if contact.channel is Channel.WEB else int(contact.address)
        for number, method in enumerate(deliveries.methods(delivery, chat_id, contact.language)):
            # The mailbox is ours, so there a repeat after a crash can be told from the first time.
            with web.once(f"{delivery.key}#{number}"):
                self._became[delivery.id] = await bot(method)

    async def do_timed(self) -> bool:
        """Do what is due by the clock; every job finds its work by its own rows, so none is done twice."""
        now = self._clock()
        async with self._desk.store.reading() as session:
            hours = await worktime.hours(session, now=now)
        due = jobs.each_second(self._desk.lookups, hours, now)
        # By the time that has passed: a look at the minute hand can be missed, or hit several times.
        minute = self._minute_at is None or abs(now - self._minute_at) >= MINUTE
        tidy = self._tidied_at is None or time.monotonic() - self._tidied_at >= TIDY_EVERY
        due += jobs.each_minute(hours, now) if minute else []
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
