"""The worker: sends what the outbox holds, and does what the clock asks for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from aiogram import Bot
from aiogram.exceptions import TelegramAPIError

from bot.channels import telegram, web
from handlers import deliveries
from handlers.turn import Desk
from office import outbox
from office.contacts import Channel, Contact
from office.outbox import Delivery, Undeliverable
from office.wakeups import rang
from ticketing import timed

log = logging.getLogger(__name__)

BATCH = 30
LOOK_EVERY = 2.0
TIMED_EVERY = 1.0


class Worker:
    """One of possibly several; each claims what it sends, so none does another's work.

    `bots` are the channels this process can send on.
    """

    def __init__(self, desk: Desk, bots: Mapping[Channel, Bot]) -> None:
        self._desk = desk
        self._bots = bots
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to work in the running event loop."""
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._forever(self._send_due, LOOK_EVERY)),
            loop.create_task(self._forever(self._do_timed, TIMED_EVERY)),
        ]

    async def stop(self) -> None:
        """Finish nothing, lose nothing: what was claimed and not sent comes back by its lease."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _forever(self, step: object, pause: float) -> None:
        assert callable(step)
        with self._desk.store.wakeups.listening(outbox.DUE_TOPIC) as bell:
            while True:
                try:
                    busy = await step(datetime.now(UTC))
                except asyncio.CancelledError:
                    raise
                except Exception:
                    log.exception("the worker stumbled and goes on")
                    busy = False
                    await asyncio.sleep(pause)
                if not busy:
                    await rang(bell, pause)

    async def _send_due(self, now: datetime) -> bool:
        async with self._desk.store.transaction() as session:
            claimed = await outbox.claim(session, list(self._bots), limit=BATCH, now=now)
        for delivery, contact in claimed:
            await self._send(delivery, contact)
        return bool(claimed)

    async def _send(self, delivery: Delivery, contact: Contact) -> None:
        error: Undeliverable | None = None
        try:
            await self._carry(delivery, contact)
        except TelegramAPIError as refused:
            error = telegram.translated(refused)
        except Exception as broken:
            log.exception("delivery %s could not be put into words", delivery.id)
            error = Undeliverable(f"{type(broken).__name__}")
        async with self._desk.store.transaction() as session:
            if error is None:
                await outbox.sent(session, delivery.id, now=datetime.now(UTC))
            else:
                await outbox.failed(session, delivery.id, error, now=datetime.now(UTC))

    async def _carry(self, delivery: Delivery, contact: Contact) -> None:
        bot = self._bots[contact.channel]
        chat_id = contact.id if contact.channel is Channel.WEB else int(contact.address)
        for number, method in enumerate(deliveries.methods(delivery, chat_id, contact.language)):
            # The mailbox is ours, so there a repeat after a crash can be told from the first time.
            with web.once(f"{delivery.key}#{number}"):
                await bot(method)

    async def _do_timed(self, now: datetime) -> bool:
        async with self._desk.store.transaction() as session:
            await timed.settle_pieces(session, hours=self._desk.hours, now=now)
            await timed.ask_back(session, now=now)
            await timed.close_by_default(session, now=now)
        if now.minute == 0 and now.second < TIMED_EVERY:
            async with self._desk.store.transaction() as session:
                await timed.tidy(session, now=now)
        return False


async def drain(worker: Worker, *, within: timedelta = timedelta(seconds=10)) -> None:
    """Send everything that is due now; for tests and for the command line."""
    until = datetime.now(UTC) + within
    while datetime.now(UTC) < until and await worker._send_due(datetime.now(UTC)):
        pass
