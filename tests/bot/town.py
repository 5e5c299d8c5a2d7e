"""A Telegram for tests of sending, a worker on it, and what the outbox holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from aiogram import Bot
from aiogram.exceptions import (
    TelegramNetworkError,
)
from aiogram.methods import GetMe, SendMessage, TelegramMethod
from aiogram.types import Chat, Message, User
from sqlalchemy import select

from bot.channels import web
from bot.channels.own import OwnSession
from bot.pacing import Pacing, Unpaced
from bot.worker import Worker
from handlers.turn import Desk
from knowledge.answer import LiveBase
from office import broadcasts, contacts, outbox
from office.broadcasts import Broadcast
from office.contacts import Channel, Contact, ContactKind
from office.outbox import Delivery
from office.store import Store
from tests.make import Clock


class Town(OwnSession):
    """The Telegram of these tests: takes what is sent, or refuses it as `answer` says."""

    def __init__(self, answer: Callable[[SendMessage], Awaitable[None]] | None = None) -> None:
        super().__init__()
        self.sent: list[tuple[int, str]] = []
        self.there = True
        self.answer = answer

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109  aiogram's signature
    ) -> Any:
        if not self.there:
            raise TelegramNetworkError(method, "no route")
        if isinstance(method, GetMe):
            return User(id=bot.id, is_bot=True, first_name="town")
        assert isinstance(method, SendMessage)
        if self.answer is not None:
            await self.answer(method)
        self.sent.append((int(method.chat_id), method.text))
        chat = Chat(id=int(method.chat_id), type="private")
        return Message(message_id=len(self.sent), date=datetime.now(), chat=chat)  # noqa: DTZ005


def a_worker(
    store: Store, clock: Clock, town: Town, pacing: Pacing | None = None, channel: Channel = Channel.TELEGRAM
) -> Worker:
    """A worker that reaches the town on one channel and the web chat, unpaced unless told otherwise."""
    bots = {channel: Bot("100007:town", session=town), Channel.WEB: web.make_bot(store, clock)}
    return Worker(Desk(store, LiveBase(), clock), bots, pacing=pacing or Unpaced())


async def groups(
    store: Store, number: int, now: datetime, channel: Channel = Channel.TELEGRAM
) -> list[Contact]:
    async with store.transaction() as session:
        return [
            await contacts.seen(session, channel, str(-2000 - one), kind=ContactKind.GROUP, now=now)
            for one in range(number)
        ]


async def put(store: Store, contact: Contact, *keys: str, now: datetime) -> None:
    async with store.transaction() as session:
        for key in keys:
            await outbox.put(
                session, contact, "reply", {"text": f"答复{key}", "buttons": None},
                key=key, subject="contact:1", now=now,
            )  # fmt: skip


async def broadcast(store: Store, to: Sequence[Contact], now: datetime, key: str = "tip") -> Broadcast:
    async with store.transaction() as session:
        row = await broadcasts.begin(session, "tip:1", actor=None, starts_at=now, now=now)
        messages = [broadcasts.Message(one.id, {"text": key, "buttons": None}) for one in to]
        await broadcasts.lay(session, row, messages, "reply", key=key, now=now)
    return row


async def deliveries(store: Store) -> dict[str, Delivery]:
    async with store.reading() as session:
        return {row.key: row for row in await session.scalars(select(Delivery))}


async def states(store: Store) -> dict[str, str]:
    return {key: row.state.value for key, row in (await deliveries(store)).items()}
