"""Everything is built once here: store, conversation, channels, pages, worker."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from aiogram import Bot, Dispatcher
from aiogram.fsm.storage.base import BaseEventIsolation, BaseStorage, DefaultKeyBuilder
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from aiogram.fsm.storage.redis import RedisEventIsolation, RedisStorage
from fastapi import FastAPI
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff

from admin import router as console
from admin.pages import Services
from admin.posters import Doors
from bot import (
    calendar_page,
    lookup_page,
    public,
    receiving,
    sharing,
    station_pages,
    tip_pages,
    webchat,
    where_page,
)
from bot.channels import robot_bots, telegram, web
from bot.database_clock import DatabaseClock
from bot.learning import Learner
from bot.memory import ForgivingIsolation, ForgivingStorage, Outage, QuickWakeups
from bot.pacing import MemoryPacing, Pacing, RedisPacing
from bot.receiving import Intake
from bot.settings import Settings
from bot.sharing import Sharing
from bot.visitors import Conversation
from bot.worker import Worker
from handlers.router import dispatcher
from handlers.turn import Desk
from knowledge.live import LiveBase
from knowledge.roll.attempts import Attempts, MemoryAttempts, RedisAttempts
from knowledge.roll.keys import KeyHolder
from knowledge.roll.lookups import Lookups
from office.contacts import Channel
from office.seal import Sealer
from office.store import Store
from office.wakeups import Wakeups

STATE_LASTS = 30 * 60
REDIS_WAITS = 2.0
ANSWER_WITHIN = 2.0


@dataclass
class Machine:
    """The parts of the running program."""

    settings: Settings
    desk: Desk
    dispatcher: Dispatcher
    bots: dict[Channel, Bot]
    worker: Worker
    intake: Intake | None
    redis: tuple[Redis, ...]

    @property
    def telegram(self) -> Bot | None:
        return self.bots.get(Channel.TELEGRAM)

    async def close(self) -> None:
        """Let go of every connection."""
        for bot in self.bots.values():
            await bot.session.close()
        await self.dispatcher.storage.close()
        await self.desk.store.wakeups.close()
        await self.desk.store.close()
        for redis in self.redis:
            await redis.aclose()


def now() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)


def build(settings: Settings, clock: Callable[[], datetime] | None = None) -> Machine:
    """Put the parts together; needs a running event loop, opens no connection yet.

    `clock` is the one clock of the whole program: the database's, unless another one is given.
    """
    if settings.database_url is None:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    connections: tuple[Redis, ...] = ()
    wakeups = Wakeups()
    storage: BaseStorage = MemoryStorage()
    isolation: BaseEventIsolation = SimpleEventIsolation()
    attempts: Attempts = MemoryAttempts()
    pacing: Pacing = MemoryPacing()
    if settings.redis_url is not None:
        redis = _redis(settings.redis_url.get_secret_value(), waits=REDIS_WAITS)
        # The bot's number keeps two channels with the same chat number apart.
        keys = DefaultKeyBuilder(with_bot_id=True)
        outage = Outage()
        storage = ForgivingStorage(
            RedisStorage(redis, key_builder=keys, state_ttl=STATE_LASTS, data_ttl=STATE_LASTS), outage
        )
        isolation = ForgivingIsolation(RedisEventIsolation(redis, key_builder=keys), outage)
        # Who listens waits for hours: on a connection of its own, without a limit on reading.
        listener = _redis(settings.redis_url.get_secret_value(), waits=None)
        wakeups = QuickWakeups(listener, REDIS_WAITS)
        wakeups.start()
        attempts = RedisAttempts(redis)
        pacing = RedisPacing(redis, outage)
        connections = (redis, listener)
    store = Store(settings.store_url, wakeups, name=sharing.name())
    clock = clock or DatabaseClock(store, now)
    lookups = Lookups(store, KeyHolder(settings.roll_key_file), attempts, settings.form_key())
    public_url = (settings.public_url or "").rstrip("/")
    sealer = Sealer(settings.form_key())
    desk = Desk(
        store, LiveBase(), clock, public_url=public_url, lookups=lookups, sealer=sealer,
        ephemeral=settings.ephemeral_answers,
    )  # fmt: skip
    bots: dict[Channel, Bot] = {Channel.WEB: web.make_bot(store, clock)}
    bots.update(robot_bots.make_bots(store, sealer, clock, home=public_url))
    if settings.telegram_token is not None:
        token = settings.telegram_token.get_secret_value()
        bots[Channel.TELEGRAM] = telegram.make_bot(token, settings.telegram_api_url)
    conversation = dispatcher(desk, storage, isolation)
    known = bots.get(Channel.TELEGRAM)
    intake = Intake(conversation, known, store) if known else None
    alone = Sharing() if settings.redis_url is None else None
    worker = Worker(desk, bots, Learner(store, clock, settings.wanted_wrong), pacing, alone)
    return Machine(settings, desk, conversation, bots, worker, intake, connections)


def _redis(url: str, *, waits: float | None) -> Redis:
    # One quick try more and no long pauses: what Redis does for us can be done without for a while.
    return Redis.from_url(
        url, socket_timeout=waits, socket_connect_timeout=REDIS_WAITS, retry=Retry(ConstantBackoff(0.05), 1)
    )


def application(machine: Machine) -> FastAPI:
    """The web application: web chat, public pages, console, and Telegram's webhook where it is used."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with machine.desk.store.reading() as session:
            await machine.desk.live.refresh(session)
            await machine.desk.stations.refresh(session)
            if isinstance(machine.desk.clock, DatabaseClock):
                await machine.desk.clock.compare(session)
        machine.worker.start()
        receiving_task = _start_receiving(machine)
        # What lives as long as the program need not be looked at by each collection.
        gc.collect()
        gc.freeze()
        gc.enable()
        yield
        if receiving_task is not None:
            receiving_task.cancel()
            await asyncio.gather(receiving_task, return_exceptions=True)
        if machine.intake is not None:
            await machine.intake.finish(ANSWER_WITHIN)
        await machine.worker.stop()

    settings = machine.settings
    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    equip(app, machine)
    console.install(app, secure=(settings.public_url or "").startswith("https://"))
    app.include_router(webchat.router)
    app.include_router(public.router)
    app.include_router(calendar_page.router)
    app.include_router(where_page.router)
    app.include_router(station_pages.router)
    app.include_router(lookup_page.router)
    app.include_router(tip_pages.router)
    if machine.telegram is not None and settings.public_url:
        assert machine.intake is not None
        app.include_router(receiving.webhook(machine.intake, machine.telegram, settings.telegram_secret()))
    return app


def equip(app: FastAPI, machine: Machine) -> None:
    """Hand the routes of an application what they work with."""
    settings = machine.settings
    app.state.services = Services(
        store=machine.desk.store,
        live=machine.desk.live,
        secret=settings.form_key(),
        sample=settings.demo,
        official=bool(settings.operator_name),
        secure_cookies=(settings.public_url or "").startswith("https://"),
        trusted_proxies=settings.trusted_proxies,
        clock=machine.desk.clock,
        stations=machine.desk.stations,
        roll_key=KeyHolder(settings.roll_key_file),
        lookups=machine.desk.lookups,
        sealer=machine.desk.sealer,
        public_url=machine.desk.public_url,
    )
    app.state.conversation = Conversation(machine.dispatcher, machine.bots[Channel.WEB])
    app.state.doors = Doors(settings.public_url or "", lambda: _name_of(machine.telegram))


async def _name_of(bot: Bot | None) -> str:
    return "" if bot is None else (await bot.me()).username or ""


def _start_receiving(machine: Machine) -> asyncio.Task[None] | None:
    bot, intake, settings = machine.telegram, machine.intake, machine.settings
    if bot is None or intake is None:
        return None
    # In the background: a Telegram out of reach must not keep the web chat from starting.
    return asyncio.create_task(
        receiving.receive(
            intake,
            bot,
            machine.desk.store,
            public_url=settings.public_url,
            secret=settings.telegram_secret,
            ephemeral=settings.ephemeral_answers,
        )
    )
