"""Questions answered per second, against two aiogram bots that do almost nothing.

The bare echo touches no disk, so its ratio says what durability, matching and the record cost together. The
notebook writes each message down in one transaction, as whoever must not lose a question has to; its ratio
says what all the rest costs: redaction, matching, the answer with dates and passport, counting and limits.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from aiogram.methods import SendMessage, TelegramMethod
from aiogram.types import Chat, Message, Update, User

from bot import app, demo, migrate
from bot.app import Machine
from bot.channels.own import OwnSession
from bot.settings import Settings
from knowledge import base
from office import contacts
from office.contacts import Channel
from office.store import Store

ROUNDS = 5
PER_ROUND = 100
# Each asker stays far below the limit on messages a minute.
PEOPLE = 100
# An echo is a dictionary and a dispatch; a question is one durable transaction of a dozen statements.
GOAL_ECHO = 0.01
# The notebook needs two statements.
GOAL_NOTEBOOK = 0.07


Rounds = tuple[list[float], list[float], list[float]]


class Silent(OwnSession):
    """Takes every method and answers at once: neither side waits for a network."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = 0

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109  aiogram's signature
    ) -> Any:
        if isinstance(method, SendMessage):
            self.answers += "K-0" in method.text
            chat = Chat(id=int(method.chat_id), type="private")
            return Message(message_id=1, date=datetime.now(UTC), chat=chat, text=method.text)
        return True


def _update(number: int, text: str) -> Update:
    person = User(id=7000 + number % PEOPLE, is_bot=False, first_name="visitor")
    chat = Chat(id=person.id, type="private")
    message = Message(message_id=number, date=datetime.now(UTC), chat=chat, from_user=person, text=text)
    return Update(update_id=number, message=message)


async def _rate(dispatcher: Dispatcher, bot: Bot, texts: list[str], first: int, **data: Any) -> float:
    updates = [_update(first + number, text) for number, text in enumerate(texts)]
    begun = time.perf_counter()
    for update in updates:
        await dispatcher.feed_update(bot, update, **data)
    return len(texts) / (time.perf_counter() - begun)


def _echo() -> Dispatcher:
    """The least that a bot can do: say everything back."""
    least = Dispatcher(storage=MemoryStorage(), events_isolation=SimpleEventIsolation())

    @least.message()
    async def repeat(message: Message) -> SendMessage:
        return SendMessage(chat_id=message.chat.id, text=message.text or "")

    return least


def _notebook(store: Store) -> Dispatcher:
    """The least that a bot which loses nothing can do: one row, one commit, one reply."""
    least = Dispatcher(storage=MemoryStorage(), events_isolation=SimpleEventIsolation())

    @least.message()
    async def note(message: Message) -> SendMessage:
        async with store.transaction() as session:
            name = f"note:{message.message_id}"
            await contacts.first_time(session, Channel.TELEGRAM, name, now=datetime.now(UTC))
        return SendMessage(chat_id=message.chat.id, text=message.text or "")

    return least


async def _measure(machine: Machine) -> Rounds:
    store = machine.desk.store
    await migrate.upgrade(store)
    await demo.load(store, now=datetime.now(UTC))
    async with store.reading() as session:
        await machine.desk.live.refresh(session)
    asked = [source.question for source in base.shipped() if source.audience == "voter"]
    silent = Silent()
    bot, echo, notebook = Bot("100009:bench", session=silent), _echo(), _notebook(store)
    ours, echoes, notes = [], [], []
    for number in range(-1, ROUNDS):
        first = (number + 2) * PER_ROUND
        texts = [asked[(first + place) % len(asked)] for place in range(PER_ROUND)]
        before = silent.answers
        # By turns, so that a busy machine slows both alike.
        rate = await _rate(machine.dispatcher, bot, texts, first, channel=Channel.TELEGRAM)
        if silent.answers - before < PER_ROUND * 0.9:
            raise RuntimeError(f"only {silent.answers - before} of {PER_ROUND} questions were answered")
        said = await _rate(echo, bot, texts, first)
        written = await _rate(notebook, bot, texts, first)
        if number >= 0:  # the first round warms up
            ours.append(rate)
            echoes.append(said)
            notes.append(written)
    return ours, echoes, notes


async def _run() -> Rounds:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            _env_file=None,
            data_dir=Path(folder),
            database_url=None,
            redis_url=None,
            telegram_token=None,
        )
        machine = app.build(settings)
        try:
            return await _measure(machine)
        finally:
            await machine.close()


def figures() -> list[dict[str, Any]]:
    """`questions` against the bare echo and `questions_durable` against the notebook, medians."""
    ours, echoes, notes = asyncio.run(_run())
    what = "questions answered per second (dispatcher, SQLite with fsync, matcher), against "
    return [
        _figure("questions", what + "a bare aiogram echo", ours, echoes, GOAL_ECHO),
        _figure(
            "questions_durable", what + "a bot that only writes each message down", ours, notes, GOAL_NOTEBOOK
        ),
    ]


def _figure(name: str, what: str, ours: list[float], peer: list[float], goal: float) -> dict[str, Any]:
    ratio = statistics.median(mine / other for mine, other in zip(ours, peer, strict=True))
    return {
        "name": name,
        "what": what,
        "ours": round(statistics.median(ours), 1),
        "reference": round(statistics.median(peer), 1),
        "ratio": round(ratio, 4),
        "goal": goal,
        "better": "more",
        "unit": "questions/s",
    }
