"""Everything is built once here: store, conversation, channels, pages, worker."""

from __future__ import annotations

import asyncio
import gc
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml
from aiogram import Bot, Dispatcher
from aiogram.fsm.storage.base import BaseEventIsolation, BaseStorage, DefaultKeyBuilder
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from aiogram.fsm.storage.redis import RedisEventIsolation, RedisStorage
from aiogram.types import Update
from fastapi import APIRouter, FastAPI, Request, Response
from redis.asyncio import Redis

from admin import router as console
from admin.pages import Services
from bot import public, webchat
from bot.channels import telegram, web
from bot.settings import Settings
from bot.visitors import Conversation
from bot.worker import Worker
from handlers.router import dispatcher
from handlers.turn import Desk
from knowledge.answer import LiveBase
from office.contacts import Channel
from office.hours import OfficeHours
from office.store import Store
from office.wakeups import RedisWakeups, Wakeups

log = logging.getLogger(__name__)

HOURS = Path(__file__).parent.parent / "data" / "hours.yaml"
STATE_LASTS = 30 * 60
WEBHOOK = "/telegram/webhook"
LARGEST_UPDATE = 1024 * 1024


@dataclass
class Machine:
    """The parts of the running program."""

    settings: Settings
    desk: Desk
    dispatcher: Dispatcher
    bots: dict[Channel, Bot]
    worker: Worker
    redis: Redis | None

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
        if self.redis is not None:
            await self.redis.aclose()


def build(settings: Settings) -> Machine:
    """Put the parts together; needs a running event loop, opens no connection yet."""
    redis: Redis | None = None
    wakeups = Wakeups()
    storage: BaseStorage = MemoryStorage()
    isolation: BaseEventIsolation = SimpleEventIsolation()
    if settings.redis_url is not None:
        redis = Redis.from_url(settings.redis_url.get_secret_value())
        # The bot's number keeps two channels with the same chat number apart.
        keys = DefaultKeyBuilder(with_bot_id=True)
        storage = RedisStorage(redis, key_builder=keys, state_ttl=STATE_LASTS, data_ttl=STATE_LASTS)
        isolation = RedisEventIsolation(redis, key_builder=keys)
        wakeups = RedisWakeups(redis)
        wakeups.start()
    if settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url, wakeups)
    hours = OfficeHours.from_data(yaml.safe_load(HOURS.read_text(encoding="utf-8")))
    desk = Desk(store, LiveBase(), hours)
    bots: dict[Channel, Bot] = {Channel.WEB: web.make_bot(store)}
    if settings.telegram_token is not None:
        token = settings.telegram_token.get_secret_value()
        bots[Channel.TELEGRAM] = telegram.make_bot(token, settings.telegram_api_url)
    return Machine(settings, desk, dispatcher(desk, storage, isolation), bots, Worker(desk, bots), redis)


def application(machine: Machine) -> FastAPI:
    """The web application: web chat, public pages, console, and Telegram's webhook where it is used."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with machine.desk.store.reading() as session:
            await machine.desk.live.refresh(session)
        machine.worker.start()
        stop_telegram = await _start_telegram(machine)
        # What lives as long as the program need not be looked at by each collection.
        gc.collect()
        gc.freeze()
        yield
        await machine.worker.stop()
        await stop_telegram()

    settings = machine.settings
    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.services = Services(
        store=machine.desk.store,
        hours=machine.desk.hours,
        live=machine.desk.live,
        secret=settings.form_key(),
        sample=settings.demo,
        official=bool(settings.operator_name),
        secure_cookies=(settings.public_url or "").startswith("https://"),
        trusted_proxies=settings.trusted_proxies,
        clock=lambda: datetime.now(UTC),
    )
    app.state.conversation = Conversation(machine.dispatcher, machine.bots[Channel.WEB])
    console.install(app, secure=(settings.public_url or "").startswith("https://"))
    app.include_router(webchat.router)
    app.include_router(public.router)
    if machine.telegram is not None and settings.public_url:
        app.include_router(_webhook(machine, machine.telegram))
    return app


async def _start_telegram(machine: Machine) -> Callable[[], Awaitable[None]]:
    bot, settings = machine.telegram, machine.settings

    async def nothing() -> None:
        return None

    if bot is None:
        return nothing
    try:
        await telegram.publish_commands(bot)
    except Exception as error:
        log.warning("Telegram's command menus could not be set: %s", error)
    if settings.public_url:
        await bot.set_webhook(
            settings.public_url.rstrip("/") + WEBHOOK,
            secret_token=settings.telegram_secret(),
            allowed_updates=list(telegram.ALLOWED_UPDATES),
        )
        return nothing
    polling = asyncio.create_task(
        machine.dispatcher.start_polling(
            bot,
            handle_signals=False,
            close_bot_session=False,
            allowed_updates=list(telegram.ALLOWED_UPDATES),
            channel=Channel.TELEGRAM,
        )
    )

    async def stop() -> None:
        await machine.dispatcher.stop_polling()
        await polling

    return stop


def _webhook(machine: Machine, bot: Bot) -> APIRouter:
    router = APIRouter()
    secret = machine.settings.telegram_secret().encode()

    @router.post(WEBHOOK)
    async def receive(request: Request) -> Response:
        """An update from Telegram; the secret header is compared before the body is read."""
        given = request.headers.get("x-telegram-bot-api-secret-token", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, secret):
            return Response(status_code=403)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_UPDATE:
                return Response(status_code=413)
        try:
            update = Update.model_validate_json(bytes(body), context={"bot": bot})
        except ValueError:
            return Response(status_code=400)
        # A failing database answers 503, so Telegram keeps the update and sends it again.
        try:
            await machine.dispatcher.feed_update(bot, update, channel=Channel.TELEGRAM)
        except Exception:
            log.exception("update %s is left to be sent again", update.update_id)
            return Response(status_code=503)
        return Response(status_code=200)

    return router
