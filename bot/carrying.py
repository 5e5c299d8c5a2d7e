"""One message to its channel, and what a failure means: for it, for its chat, for the whole channel."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramRetryAfter
from aiogram.methods import TelegramMethod

from bot.channels import limits, robots, telegram, web
from bot.pacing import Pacing
from handlers import deliveries
from office.contacts import Channel, Contact
from office.outbox import LEASE, Delivery, Undeliverable

log = logging.getLogger(__name__)

# A batch must be through before its lease ends, so a send that hangs is given up early.
SEND_WITHIN = timedelta(seconds=15)
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 300.0
# So many chats that ask us within so many seconds to slow down mean the channel and not themselves.
SEVERAL = 3
AT_ONCE_WITHIN = 2.0

Methods = Sequence[TelegramMethod[Any]]


class Rests:
    """Which channels are left alone, and how long; pauses grow while a channel stays out of reach."""

    def __init__(self) -> None:
        self._until: dict[Channel, float] = {}
        self._pauses: dict[Channel, float] = {}

    def left(self, channel: Channel) -> float:
        """Seconds for which the channel is to be left alone; 0 if it is not."""
        return max(0.0, self._until.get(channel, 0.0) - time.monotonic())

    def begin(self, channel: Channel, seconds: float) -> None:
        """Leave a channel alone for at least so long."""
        self._until[channel] = max(self._until.get(channel, 0.0), time.monotonic() + seconds)

    def grow(self, channel: Channel) -> float:
        """Leave a channel alone for longer than the time before; returns for how long.

        What was on its way when it began to rest makes nothing longer.
        """
        left = self.left(channel)
        if left:
            return left
        pause = min(LONGEST_PAUSE, self._pauses.get(channel, 0.0) * 2 or FIRST_PAUSE)
        self._pauses[channel] = pause
        self.begin(channel, pause)
        return pause

    def answers(self, channel: Channel) -> None:
        """A message got through: the next pause is a short one again."""
        if not self.left(channel):
            self._pauses.pop(channel, None)


class Carrier:
    """Puts deliveries into words and hands them to their channels' bots."""

    def __init__(self, bots: Mapping[Channel, Bot], pacing: Pacing) -> None:
        self._bots = bots
        self._pacing = pacing
        self.rests = Rests()
        self._asked: dict[Channel, dict[int, float]] = {}
        # What each message in hand has become, until that is recorded.
        self.became: dict[int, object] = {}

    def words(self, delivery: Delivery, contact: Contact) -> Methods | Undeliverable:
        """The messages of a delivery, or why there are none."""
        # On a channel of ours and on a group robot the chat is the contact: its address is no number.
        chat_id = int(contact.address) if contact.channel is Channel.TELEGRAM else contact.id
        try:
            methods = deliveries.methods(delivery, chat_id, contact.language)
            # What a robot cannot take in one request is parted here, so that each part keeps the pace.
            bot = self._bots.get(contact.channel)
            return [part for method in methods for part in robots.parts(bot, method)]
        except Exception as failed:
            log.exception("delivery %s could not be put into words", delivery.id)
            return Undeliverable(type(failed).__name__)

    @staticmethod
    def takes(delivery: Delivery, contact: Contact, methods: Methods) -> timedelta:
        """How long sending it may take at most, with the waits between its parts."""
        buckets = limits.buckets(contact, broadcast=delivery.broadcast_id is not None)
        apart = max((bucket.every for bucket in buckets), default=0.0)
        # Never longer than a fresh claim lasts, or a message of very many parts would not be begun at all.
        longest = LEASE - SEND_WITHIN
        return min(longest, SEND_WITHIN + timedelta(seconds=apart) * max(0, len(methods) - 1))

    async def send(self, delivery: Delivery, contact: Contact, methods: Methods) -> Undeliverable | None:
        """Send what the pacing has let through; returns why it failed, or None."""
        channel = contact.channel
        try:
            async with asyncio.timeout(self.takes(delivery, contact, methods).total_seconds()):
                await self._carry(delivery, contact, methods)
        except Undeliverable as refused:
            await self._asked_to_wait(contact, refused)
            return refused
        except (AiogramError, TimeoutError) as refused:
            error = telegram.translated(refused)
            if telegram.perhaps_away(refused) and not await self._answers(channel):
                return self._away(channel, f"{type(refused).__name__}: out of reach", error.uncertain)
            if isinstance(refused, AiogramError) and telegram.broken(refused):
                if not self.rests.left(channel):
                    log.critical("the channel %s refuses us: %s", channel.value, error.reason)
                return self._away(channel, error.reason)
            if isinstance(refused, TelegramRetryAfter):
                # Apart from each other, or all would be asked again at the same moment.
                error.retry_after = refused.retry_after + random.uniform(0, 1)
            await self._asked_to_wait(contact, error)
            return error
        except Exception as failed:
            log.exception("delivery %s could not be sent", delivery.id)
            return Undeliverable(type(failed).__name__, uncertain=True)
        self.rests.answers(channel)
        return None

    async def _carry(self, delivery: Delivery, contact: Contact, methods: Methods) -> None:
        bot = self._bots[contact.channel]
        for number, method in enumerate(methods):
            if number:
                await self._let_through(delivery, contact)
            # The mailbox is ours, so there a repeat after a crash can be told from the first time.
            with web.once(f"{delivery.key}#{number}"):
                self.became[delivery.id] = await bot(method)

    async def _let_through(self, delivery: Delivery, contact: Contact) -> None:
        """The next part of a message keeps the pace like a message of its own."""
        buckets = limits.buckets(contact, broadcast=delivery.broadcast_id is not None)
        while True:
            wait = await self._pacing.take(buckets)
            if not wait:
                return
            await asyncio.sleep(wait)

    async def _asked_to_wait(self, contact: Contact, error: Undeliverable) -> None:
        if not error.retry_after:
            return
        seconds, channel = error.retry_after, contact.channel
        await self._pacing.rest(limits.chat(contact), seconds)
        whole = limits.whole(channel)
        if not whole:
            return  # each place has limits of its own there
        moment = time.monotonic()
        lately = self._asked.get(channel, {}).items()
        asked = {number: at for number, at in lately if at > moment - AT_ONCE_WITHIN} | {contact.id: moment}
        self._asked[channel] = asked
        if len(asked) >= SEVERAL:
            log.warning("the channel %s asks for a rest of %.0f seconds", channel.value, seconds)
            self.rests.begin(channel, seconds)
            await self._pacing.rest(whole, seconds)

    async def _answers(self, channel: Channel) -> bool:
        try:
            async with asyncio.timeout(5):
                await self._bots[channel].get_me()
        except Exception:
            return False
        return True

    def _away(self, channel: Channel, reason: str, uncertain: bool = False) -> Undeliverable:
        """A failure of the whole channel: nothing counts against the message, pauses grow."""
        before = self.rests.left(channel)
        pause = self.rests.grow(channel)
        if not before:
            log.warning("the channel %s rests for %s seconds: %s", channel.value, pause, reason)
        return Undeliverable(reason, retry_after=pause, uncertain=uncertain)
