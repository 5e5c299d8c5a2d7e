"""How Telegram's updates come in, by webhook or by polling: an update that was not handled is not lost."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.exceptions import AiogramError, TelegramConflictError
from aiogram.methods import GetUpdates
from aiogram.types import Update
from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from bot.channels import telegram
from office.contacts import Channel
from office.store import Store

log = logging.getLogger(__name__)

PATH = "/telegram/webhook"
LARGEST_UPDATE = 1024 * 1024
TRIES = 3
LONGEST_PAUSE = 60.0
POLL_SECONDS = 25
AT_ONCE = 10
# A server that answers an empty poll at once must not be asked in a tight loop.
SHORTEST_POLL = 0.2


async def reachable(store: Store) -> bool:
    """Whether the database answers within a few seconds."""
    try:
        async with asyncio.timeout(5), store.reading() as session:
            await session.execute(select(1))
    except Exception:
        return False
    return True


class Intake:
    """Feeds Telegram's updates to the conversation and says which must come again."""

    def __init__(self, dispatcher: Dispatcher, bot: Bot, store: Store) -> None:
        self._dispatcher = dispatcher
        self._bot = bot
        self._store = store
        self._failed: dict[int, int] = {}
        self._running: set[asyncio.Task[bool]] = set()

    async def take(self, update: Update) -> bool:
        """Handle an update; False if it must be sent again.

        While the database is away everything must come again. An update that fails although the database
        is there is given up after three tries: it would hold up all that come after it.
        """
        # A task of its own: if the caller is stopped, the answer that is already committed still leaves.
        task = asyncio.create_task(self._take(update))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def finish(self, seconds: float) -> None:
        """Let the updates in hand be answered, for so long at most; the rest will come again."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=seconds)
            for task in late:
                task.cancel()

    async def _take(self, update: Update) -> bool:
        try:
            await self._dispatcher.feed_update(self._bot, update, channel=Channel.TELEGRAM)
        except Exception:
            log.exception("update %s is left to be sent again", update.update_id)
            if not await reachable(self._store):
                return False
            tries = self._failed[update.update_id] = self._failed.pop(update.update_id, 0) + 1
            if tries < TRIES:
                while len(self._failed) > 1000:
                    del self._failed[next(iter(self._failed))]
                return False
            log.critical("update %s failed %s times and is given up", update.update_id, tries)
        self._failed.pop(update.update_id, None)
        return True


def webhook(intake: Intake, bot: Bot, secret: str) -> APIRouter:
    """The route that Telegram calls."""
    router = APIRouter()
    expected = secret.encode()

    @router.post(PATH)
    async def receive(request: Request) -> Response:
        """An update from Telegram; the secret header is compared before the body is read."""
        given = request.headers.get("x-telegram-bot-api-secret-token", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, expected):
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
        # Telegram keeps what is answered with 503 and sends it again.
        return Response(status_code=200 if await intake.take(update) else 503)

    return router


class Polling:
    """Asks Telegram for updates; acknowledges a batch only when all of it was handled.

    The library's own polling acknowledges what it has handed over, so a lost database would lose questions.
    `sleep` takes seconds.
    """

    def __init__(
        self,
        intake: Intake,
        bot: Bot,
        store: Store,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._intake = intake
        self._bot = bot
        self._store = store
        self._sleep = sleep
        self._offset: int | None = None
        self._pause = 0.0

    async def run(self) -> None:
        """Poll for ever; returns only when another process polls with the same token."""
        while True:
            if not await reachable(self._store):
                log.warning("the database is away: polling waits")
                await self._wait()
                continue
            begun = time.monotonic()
            try:
                updates = await self._bot(
                    GetUpdates(
                        offset=self._offset,
                        timeout=POLL_SECONDS,
                        limit=50,
                        allowed_updates=list(telegram.ALLOWED_UPDATES),
                    ),
                    request_timeout=POLL_SECONDS + 15,
                )
            except TelegramConflictError:
                log.critical(
                    "Telegram 令牌被另一个程序占用，已停止接收 "
                    "(another program polls with this token: polling has stopped)"
                )
                return
            except (AiogramError, OSError) as error:
                log.warning("Telegram cannot be polled: %s", type(error).__name__)
                await self._wait()
                continue
            self._pause = 0.0
            if updates:
                await self.handle(updates)
            elif time.monotonic() - begun < SHORTEST_POLL:
                await self._sleep(SHORTEST_POLL)

    async def handle(self, updates: list[Update]) -> None:
        """Handle a batch until nothing of it is left, then move on; each chat's updates in their order."""
        left = updates
        while left:
            chats: dict[int, list[Update]] = {}
            for update in left:
                chats.setdefault(_chat_of(update), []).append(update)
            gate = asyncio.Semaphore(AT_ONCE)
            rests = await asyncio.gather(*(self._chain(gate, chain) for chain in chats.values()))
            left = sorted((u for rest in rests for u in rest), key=lambda update: update.update_id)
            if left:
                await self._wait()
        self._pause = 0.0
        self._offset = max(update.update_id for update in updates) + 1

    async def _chain(self, gate: asyncio.Semaphore, chain: list[Update]) -> list[Update]:
        async with gate:
            for number, update in enumerate(chain):
                if not await self._intake.take(update):
                    return chain[number:]
        return []

    async def _wait(self) -> None:
        self._pause = min(LONGEST_PAUSE, self._pause * 2 or 1.0)
        await self._sleep(self._pause)


def _chat_of(update: Update) -> int:
    tapped = update.callback_query
    message = update.message or update.edited_message or (tapped and tapped.message)
    if message:
        return message.chat.id
    return tapped.from_user.id if tapped else 0


async def receive(
    intake: Intake,
    bot: Bot,
    store: Store,
    *,
    public_url: str | None,
    secret: Callable[[], str],
    ephemeral: bool = False,
) -> None:
    """Get updates flowing, however long Telegram is out of reach: by webhook with `public_url`, else by
    polling. A polling that was a webhook before keeps what is waiting. `ephemeral`: commands in groups may
    be sent so that only their sender sees the answer.
    """
    async with asyncio.TaskGroup() as both:
        both.create_task(_publish_commands(bot, ephemeral))
        if public_url:
            address = public_url.rstrip("/") + PATH
            updates = list(telegram.ALLOWED_UPDATES)
            await _insist(
                lambda: bot.set_webhook(address, secret_token=secret(), allowed_updates=updates),
                "the webhook could not be set",
            )
            return
        await _insist(bot.delete_webhook, "the webhook could not be taken back")
        await Polling(intake, bot, store).run()


async def _publish_commands(bot: Bot, ephemeral: bool) -> None:
    # Menus are a comfort: words and buttons work without them.
    try:
        await telegram.publish_commands(bot, ephemeral=ephemeral)
    except (AiogramError, OSError) as error:
        log.warning("Telegram's command menus could not be set: %s", type(error).__name__)


async def _insist(call: Callable[[], Coroutine[Any, Any, object]], trouble: str) -> None:
    pause = 1.0
    while True:
        try:
            await call()
            return
        except (AiogramError, OSError) as error:
            log.warning("%s: %s", trouble, type(error).__name__)
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 2)
