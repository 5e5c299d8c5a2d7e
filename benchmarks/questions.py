"""Questions answered per second through dispatcher, database and matcher, against a bare aiogram echo."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.client.session.base import BaseSession
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from aiogram.methods import SendMessage, TelegramMethod
from aiogram.types import Chat, Message, Update, User

from bot import app, demo, migrate
from bot.settings import Settings
from knowledge import base
from office.contacts import Channel

QUESTIONS = 400
GOAL = 0.03


class Silent(BaseSession):
    """Takes every method and answers at once: neither side waits for a network."""

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109  aiogram's signature
    ) -> Any:
        if isinstance(method, SendMessage):
            chat = Chat(id=int(method.chat_id), type="private")
            return Message(message_id=1, date=datetime.now(UTC), chat=chat, text=method.text)
        return True

    async def close(self) -> None:
        return None

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,  # noqa: ASYNC109  aiogram's signature
        chunk_size: int = 65536,
        raise_for_status: bool = True,
    ) -> AsyncGenerator[bytes, None]:
        raise NotImplementedError
        yield b""


def _update(number: int, text: str) -> Update:
    person = User(id=7000 + number % 50, is_bot=False, first_name="visitor")
    chat = Chat(id=person.id, type="private")
    message = Message(message_id=number, date=datetime.now(UTC), chat=chat, from_user=person, text=text)
    return Update(update_id=number, message=message)


async def _rate(dispatcher: Dispatcher, bot: Bot, texts: list[str], **data: Any) -> float:
    begun = time.perf_counter()
    for number, text in enumerate(texts, start=1):
        await dispatcher.feed_update(bot, _update(number, text), **data)
    return len(texts) / (time.perf_counter() - begun)


async def _measure() -> tuple[float, float]:
    echo = Dispatcher(storage=MemoryStorage(), events_isolation=SimpleEventIsolation())

    @echo.message()
    async def repeat(message: Message) -> SendMessage:
        return SendMessage(chat_id=message.chat.id, text=message.text or "")

    with tempfile.TemporaryDirectory() as folder:
        machine = app.build(Settings(data_dir=Path(folder), database_url=None, redis_url=None))
        try:
            await migrate.upgrade(machine.desk.store)
            await demo.load(machine.desk.store, now=datetime.now(UTC))
            async with machine.desk.store.reading() as session:
                await machine.desk.live.refresh(session)
            asked = [source.question for source in base.shipped() if source.audience == "voter"]
            texts = (asked * (QUESTIONS // len(asked) + 1))[:QUESTIONS]
            bot = Bot("100009:bench", session=Silent())
            ours = await _rate(machine.dispatcher, bot, texts, channel=Channel.TELEGRAM)
            floor = await _rate(echo, bot, texts * 3)
        finally:
            await machine.close()
    return ours, floor


def figures() -> list[dict[str, Any]]:
    """The figure `questions`."""
    ours, floor = asyncio.run(_measure())
    return [
        {
            "name": "questions",
            "what": "questions answered per second: dispatcher, SQLite with fsync, matcher, answer; against "
            "a bare aiogram echo",
            "ours": round(ours, 1),
            "reference": round(floor, 1),
            "ratio": round(ours / floor, 4),
            "goal": GOAL,
            "better": "more",
            "unit": "questions/s",
        }
    ]
