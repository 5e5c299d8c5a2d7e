"""A Telegram Bot API for tests with long polling, in private and group chats: npm's telegram-test-api.

Its limits: `getMe` is incomplete and `getUpdates` returns at once even when there is nothing (`polling_bot`
makes up for both); buttons come back without what aiogram needs; any method besides sending, editing and
deleting text, answering callbacks and the webhook ones is refused. Use one token for each test: the server
keeps everything.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from tests.servers import node
from tests.servers.ports import HOST, answers_http, free_port
from tests.servers.processes import Server, new_scratch

if TYPE_CHECKING:
    from aiogram import Bot

SERVE = """
const { TelegramServer } = require('telegram-test-api/lib/telegramServer');
new TelegramServer(JSON.parse(process.argv[1])).start();
"""
PAUSE_SECONDS = 0.05


def start() -> tuple[Server, str]:
    """The server and its base address, e.g. for `TelegramAPIServer.from_base`."""
    port, modules, scratch = free_port(), node.packages("telegram"), new_scratch("telegram-test-api")
    config = json.dumps({"port": port, "host": HOST, "storeTimeout": 600})
    environment = dict(os.environ, NODE_PATH=str(modules))
    command = [str(node.node()), "-e", SERVE, config]
    server = Server("telegram-test-api", command, scratch=scratch, env=environment)
    server.wait_until(lambda: answers_http(port))
    return server, f"http://{HOST}:{port}"


def polling_bot(base_url: str, token: str) -> Bot:
    """A bot that knows its own name and that pauses between polls. Close its session after use."""
    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.methods import GetUpdates, TelegramMethod
    from aiogram.types import User

    class Pausing(AiohttpSession):
        async def make_request(
            self,
            bot: Bot,
            method: TelegramMethod[Any],
            timeout: int | None = None,  # noqa: ASYNC109 - the name is aiogram's
        ) -> Any:
            result = await super().make_request(bot, method, timeout)
            if isinstance(method, GetUpdates) and not result:
                await asyncio.sleep(PAUSE_SECONDS)
            return result

    bot = Bot(token, session=Pausing(api=TelegramAPIServer.from_base(base_url)))
    bot._me = User(id=bot.id, is_bot=True, first_name="一窗", username="one_window_bot")
    return bot


def private(person_id: int, first_name: str = "张敏") -> dict[str, Any]:
    """A private chat with somebody."""
    return {"id": person_id, "type": "private", "first_name": first_name}


def group(chat_id: int, title: str = "临江街道值班群") -> dict[str, Any]:
    """A group. Its number is negative, as in Telegram."""
    return {"id": chat_id, "type": "supergroup", "title": title}


class Client:
    """The other side of the conversation: what people send to a bot, and what it has answered."""

    def __init__(self, base_url: str, bot_token: str) -> None:
        self._token = bot_token
        self._unread: dict[int, list[dict[str, Any]]] = {}
        self._http = httpx.AsyncClient(base_url=base_url, timeout=120, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send_message(
        self, text: str, *, chat: dict[str, Any], person_id: int, first_name: str = "张敏"
    ) -> None:
        """Somebody writes in `chat`."""
        await self._from_person("/sendMessage", person_id, first_name, chat=chat, text=text)

    async def send_command(
        self, text: str, *, chat: dict[str, Any], person_id: int, first_name: str = "张敏"
    ) -> None:
        """Somebody sends a command, slash included; words after it are its arguments."""
        entity = {"type": "bot_command", "offset": 0, "length": len(text.split()[0])}
        await self._from_person(
            "/sendCommand", person_id, first_name, chat=chat, text=text, entities=[entity]
        )

    async def send_callback(
        self, data: str, *, message: dict[str, Any], person_id: int, first_name: str = "张敏"
    ) -> None:
        """Somebody presses a button. The server drops `chat_instance`, without which aiogram refuses it."""
        await self._from_person("/sendCallback", person_id, first_name, data=data, message=message)

    async def get_updates(self, chat_id: int) -> list[dict[str, Any]]:
        """The bot's messages to `chat_id` that no earlier call has returned; what it said is in `message`."""
        updates: list[dict[str, Any]] = await self._post("/getUpdates", token=self._token, chatId=chat_id)
        return updates

    async def get_updates_history(self) -> list[dict[str, Any]]:
        """Everything people and the bot have sent, oldest first."""
        history: list[dict[str, Any]] = await self._post("/getUpdatesHistory", token=self._token)
        return history

    async def wait(self, chat_id: int, *, seconds: float = 30) -> dict[str, Any]:
        """The bot's next message to `chat_id`. Raises `TimeoutError` if none comes within `seconds`."""
        deadline = time.monotonic() + seconds
        unread = self._unread.setdefault(chat_id, [])
        while time.monotonic() < deadline:
            unread += [update["message"] for update in await self.get_updates(chat_id)]
            if unread:
                return unread.pop(0)
            await asyncio.sleep(PAUSE_SECONDS)
        raise TimeoutError(f"the bot said nothing in chat {chat_id} within {seconds} seconds")

    async def _from_person(self, path: str, person_id: int, first_name: str, **content: Any) -> None:
        person = {"id": person_id, "first_name": first_name, "is_bot": False}
        await self._post(path, botToken=self._token, date=int(time.time()), **{"from": person}, **content)

    async def _post(self, path: str, **body: Any) -> Any:
        answer = await self._http.post(path, json=body)
        answer.raise_for_status()
        return answer.json()["result"]
