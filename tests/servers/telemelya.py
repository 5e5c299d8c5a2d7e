"""A Telegram Bot API for tests with webhooks, inline buttons, edits and deletes: the package telemelya.

Its limits: private chats only, no documents, no webhook secret header, no pictures (they would need an
object store), and a method that a bot returns in its webhook's answer, instead of calling it, is lost. Each
test takes its own `Control` and chat number, since the server keeps what bots have said.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from tests.servers import redis
from tests.servers.cache import ROOT
from tests.servers.ports import HOST, answers_http, free_port
from tests.servers.processes import Server, new_scratch

if TYPE_CHECKING:
    from fastapi import FastAPI

API_KEY = "key-for-tests"
REDIS_DATABASE = 15
"""Kept apart from database 0, where the program under test lives."""


def start(redis_url: str) -> tuple[Server, str]:
    """The server and its base address, e.g. for `TelegramAPIServer.from_base`."""
    port, scratch = free_port(), new_scratch("telemelya")
    environment = dict(os.environ, AUTH_KEYS=API_KEY, REDIS_URL=redis.database(redis_url, REDIS_DATABASE))
    app = ["--factory", "tests.servers.telemelya:build_app", "--app-dir", str(ROOT)]
    command = [sys.executable, "-m", "uvicorn", *app, "--host", HOST, "--port", str(port)]
    # In its scratch folder and not in ours: its settings would trip over the project's own `.env`.
    server = Server("telemelya", [*command, "--log-level", "warning"], scratch=scratch, env=environment)
    server.wait_until(lambda: answers_http(port), seconds=60)
    return server, f"http://{HOST}:{port}"


def build_app() -> FastAPI:
    """The package's two routers without its object store, which only pictures need."""
    from fastapi import FastAPI
    from telemelya.server.bot_api import router as bot_api
    from telemelya.server.control_api import router as control_api
    from telemelya.server.state import state_manager

    @asynccontextmanager
    async def connected(app: FastAPI) -> AsyncIterator[None]:
        await state_manager.connect()
        yield
        await state_manager.close()

    app = FastAPI(lifespan=connected)
    app.include_router(bot_api)
    app.include_router(control_api)
    return app


class Control:
    """The other side of the conversation: what people send to a bot, and what it has answered.

    The bot must have called setWebhook. Sending returns once its webhook has answered. What the bot does is
    recorded as dictionaries with `method`, `chat_id`, `message_id`, `text`, `reply_markup` and `raw`, in the
    session of the control that last wrote to that chat.
    """

    def __init__(self, base_url: str, bot_token: str, *, session: str | None = None) -> None:
        self.session = session or uuid.uuid4().hex
        self._bot = {"bot_token": bot_token}
        self._http = httpx.AsyncClient(
            base_url=f"{base_url}/api/v1/test",
            headers={"Authorization": f"Bearer {API_KEY}", "X-Test-Session": self.session},
            timeout=120,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send_text(self, chat_id: int, text: str, *, first_name: str = "张敏") -> dict[str, Any]:
        """Somebody writes. Returns the update as delivered."""
        return await self._send(chat_id, first_name, text=text)

    async def send_command(self, chat_id: int, command: str, *, first_name: str = "张敏") -> dict[str, Any]:
        """Somebody sends a command, with or without the slash; words after it are its arguments."""
        return await self._send(chat_id, first_name, command=command)

    async def press(
        self, chat_id: int, data: str, message_id: int, *, first_name: str = "张敏"
    ) -> dict[str, Any]:
        """Somebody presses the button with callback data `data` under the bot's message `message_id`."""
        return await self._send(chat_id, first_name, callback_data=data, callback_message_id=message_id)

    async def responses(self) -> list[dict[str, Any]]:
        """What the bot has done in this session and `wait` has not taken yet, oldest first."""
        answer = await self._http.get("/responses")
        answer.raise_for_status()
        recorded: list[dict[str, Any]] = answer.json()["responses"]
        return recorded

    async def wait(self, method: str | None = None, *, seconds: float = 30) -> dict[str, Any]:
        """Take the next thing the bot does, or its next call of `method`, dropping those before it.

        Raises `TimeoutError` if it does not come within `seconds`.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            # Short waits: the server reads Redis with a socket limit of its own.
            answer = await self._http.get("/responses/wait", params={"timeout": min(left, 2)})
            answer.raise_for_status()
            response: dict[str, Any] | None = answer.json()["response"]
            if response and method in (None, response["method"]):
                return response
        raise TimeoutError(f"the bot did not call {method or 'anything'} within {seconds} seconds")

    async def _send(self, chat_id: int, first_name: str, **content: Any) -> dict[str, Any]:
        person = {"id": chat_id, "first_name": first_name}
        body = {"chat_id": chat_id, "from_user": person, **content}
        answer = await self._http.post("/send_update", params=self._bot, json=body)
        answer.raise_for_status()
        delivered = answer.json()
        if delivered["delivery"]["status_code"] != httpx.codes.OK:
            raise RuntimeError(f"the bot's webhook refused the update: {delivered['delivery']}")
        update: dict[str, Any] = delivered["update"]
        return update
