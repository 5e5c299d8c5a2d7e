"""One message to its channel, and what a failure means: for it, for its chat, for the whole channel."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramRetryAfter
from aiogram.methods import TelegramMethod

from bot.channels import limits, robots, telegram, web
from bot.pacing import Bucket, Pacing
from handlers import deliveries
from office.contacts import Channel, Contact
from office.outbox import Delivery, Undeliverable

log = logging.getLogger(__name__)

# A message must be gone before its lease ends, so a send that hangs is given up early.
SEND_WITHIN = timedelta(seconds=limits.UNDER_WAY)
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 300.0
# So many chats that ask us within so many seconds to slow down mean the channel and not themselves.
SEVERAL = 3
AT_ONCE_WITHIN = 2.0

Hold = Callable[[Sequence[Delivery], timedelta], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Letter:
    """A delivery in words: one method for each of its parts, and what each part has to be let through by.

    `chat` are those of the `buckets` that are its chat's own. `claimed` is the delivery with those behind it,
    which wait for it.
    """

    contact: Contact
    methods: Sequence[TelegramMethod[Any]]
    buckets: Sequence[Bucket]
    chat: Sequence[Bucket]
    claimed: Sequence[Delivery]

    @property
    def delivery(self) -> Delivery:
        return self.claimed[0]


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
    """Puts deliveries into words and hands them to their channels' bots.

    `hold` keeps what is claimed, as `Records.hold`.
    """

    def __init__(self, bots: Mapping[Channel, Bot], pacing: Pacing, hold: Hold) -> None:
        self._bots = bots
        self._pacing = pacing
        self._hold = hold
        self.rests = Rests()
        self._asked: dict[Channel, dict[int, float]] = {}
        # What each message in hand has become, until that is recorded.
        self.became: dict[int, object] = {}

    def letter(
        self, delivery: Delivery, contact: Contact, behind: Sequence[Delivery] = ()
    ) -> Letter | Undeliverable:
        """A delivery in words, or why it cannot be put into any."""
        # On a channel of ours and on a group robot the chat is the contact: its address is no number.
        chat_id = int(contact.address) if contact.channel is Channel.TELEGRAM else contact.id
        try:
            methods = deliveries.methods(delivery, chat_id, contact.language)
            # What a robot cannot take in one request is parted here, so that each part keeps the pace.
            bot = self._bots.get(contact.channel)
            methods = [part for method in methods for part in robots.parts(bot, method)]
        except Exception as failed:
            log.exception("delivery %s could not be put into words", delivery.id)
            return Undeliverable(type(failed).__name__)
        buckets = limits.buckets(contact, broadcast=delivery.broadcast_id is not None)
        return Letter(contact, methods, buckets, limits.chat(contact), [delivery, *behind])

    async def send(self, letter: Letter) -> Undeliverable | None:
        """Send what the pacing has let through; returns why it failed, or None."""
        channel = letter.contact.channel
        try:
            await self._carry(letter)
        except Undeliverable as refused:
            await self._asked_to_wait(letter, refused)
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
            await self._asked_to_wait(letter, error)
            return error
        except Exception as failed:
            log.exception("delivery %s could not be sent", letter.delivery.id)
            return Undeliverable(type(failed).__name__, uncertain=True)
        self.rests.answers(channel)
        return None

    async def _carry(self, letter: Letter) -> None:
        bot, delivery = self._bots[letter.contact.channel], letter.delivery
        for number, method in enumerate(letter.methods):
            if number:
                await self._let_through(letter)
            try:
                # The mailbox is ours, so there a repeat after a crash can be told from the first time.
                with web.once(f"{delivery.key}#{number}"):
                    async with asyncio.timeout(SEND_WITHIN.total_seconds()):
                        self.became[delivery.id] = await bot(method)
            finally:
                # It came there at some moment until now, so the next one's distance is kept from now.
                await self._pacing.arrived(letter.chat)

    async def _let_through(self, letter: Letter) -> None:
        """The next part of a message keeps the pace like a message of its own, however many there are."""
        step = SEND_WITHIN.total_seconds()
        while True:
            # Long enough for one step of waiting and for sending then.
            await self._hold(letter.claimed, 2 * SEND_WITHIN)
            wait = await self._pacing.take(letter.buckets)
            if not wait:
                return
            await asyncio.sleep(min(wait, step))

    async def _asked_to_wait(self, letter: Letter, error: Undeliverable) -> None:
        if not error.retry_after:
            return
        seconds, contact, channel = error.retry_after, letter.contact, letter.contact.channel
        await self._pacing.rest(letter.chat, seconds)
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
