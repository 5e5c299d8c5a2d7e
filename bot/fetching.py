"""Gets the files that askers sent out of their chats, with no transaction open while the network works."""

from __future__ import annotations

import asyncio
import io
import logging
from typing import Any

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramNotFound

from handlers.turn import Desk
from office.contacts import Channel
from ticketing import fetching
from ticketing.attachments import LARGEST_CHAT

log = logging.getLogger(__name__)

WITHIN = 60.0
EVERY = 5.0


class _TooLarge(Exception):
    """More came than the channel had said."""


class _Bounded(io.BytesIO):
    """Takes no more than a file may have; what is sent on is not read any further."""

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > LARGEST_CHAT:
            raise _TooLarge
        return super().write(data)


async def fetch_due(desk: Desk, bot: Bot, channel: Channel = Channel.TELEGRAM) -> bool:
    """Fetch one batch of what askers have sent on a channel; returns whether there was anything."""
    async with desk.store.transaction() as session:
        wanted = await fetching.due(session, channel, now=desk.clock())
    for file in wanted:
        into = _Bounded()
        content: bytes | None = None
        for_good = False
        try:
            async with asyncio.timeout(WITHIN):
                await bot.download(file.source, destination=into)
            content = into.getvalue()
        except _TooLarge:
            for_good = True
        except Exception as error:
            # A download fails in as many ways as the network has, and each is tried again. The address of a
            # file holds the bot's token, so nothing of the failure but its kind is told.
            log.warning("a file could not be fetched: %s", type(error).__name__)
            for_good = isinstance(error, TelegramBadRequest | TelegramNotFound)
        async with desk.store.transaction() as session:
            now = desk.clock()
            if content is None:
                await fetching.missed(session, file.attachment_id, now=now, for_good=for_good)
            else:
                await fetching.fetched(session, file.attachment_id, content, sealer=desk.sealer, now=now)
    return bool(wanted)
