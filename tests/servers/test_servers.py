"""Each server for tests answers for real."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ChatType
from aiogram.filters import CommandStart
from aiogram.methods import EditMessageText, SendMessage
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web
from redis.asyncio import Redis

from tests.servers import postgres
from tests.servers.browser import axe_violations
from tests.servers.cache import ROOT
from tests.servers.ports import HOST, free_port
from tests.servers.processes import Server, ServerError, new_scratch
from tests.servers.telegram_test_api import Client, group, polling_bot, private
from tests.servers.telemelya import Control

if TYPE_CHECKING:
    from playwright.async_api import Browser

YES = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="是", callback_data="yes")]])


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=60)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_postgres_answers(postgres_url: str) -> None:
    assert str(await ask(postgres_url, "SELECT version()")).startswith("PostgreSQL")
    assert await ask(postgres_url, "SHOW server_encoding") == "UTF8"


async def test_postgres_copies_a_template(postgres_url: str) -> None:
    template = await postgres.create_database(postgres_url, "servers_template")
    await ask(template, "CREATE TABLE place AS SELECT '临江街道'::text AS name")
    copy = await postgres.create_database(postgres_url, "servers_copy", template="servers_template")
    assert await ask(copy, "SELECT name FROM place") == "临江街道"
    for name in ("servers_copy", "servers_template"):
        await postgres.drop_database(postgres_url, name)
    names = "SELECT count(*) FROM pg_database WHERE datname LIKE 'servers%'"
    assert await ask(postgres_url, names) == 0


async def test_postgres_refuses_a_name_that_is_not_one(postgres_url: str) -> None:
    with pytest.raises(ValueError, match="not a database name"):
        await postgres.create_database(postgres_url, 'x"; DROP DATABASE postgres; --')


async def test_redis_answers(redis_url: str) -> None:
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        # One signature serves both clients of redis-py, and says less than it could.
        assert await redis.ping()  # type: ignore[misc]
        entry = await redis.xadd("servers:stream", {"word": "一窗"})
        assert await redis.xrange("servers:stream") == [(entry, {"word": "一窗"})]
        async with redis.pubsub() as listener:
            await listener.subscribe("servers:channel")
            await redis.publish("servers:channel", "来了")
            heard = [await listener.get_message(timeout=30) for _ in range(2)]
        assert [item and item["data"] for item in heard] == [1, "来了"]
        await redis.delete("servers:stream")


async def test_telemelya_carries_a_conversation(telemelya: str) -> None:
    token, chat = "100091:servers", 9001
    dispatcher = Dispatcher()

    @dispatcher.message(CommandStart())
    async def greet(message: Message) -> SendMessage:
        return SendMessage(chat_id=message.chat.id, text="您好", reply_markup=YES)

    @dispatcher.callback_query(F.data == "yes")
    async def agree(query: CallbackQuery) -> EditMessageText:
        assert query.message
        return EditMessageText(chat_id=chat, message_id=query.message.message_id, text="好的")

    @dispatcher.message()
    async def echo(message: Message) -> SendMessage:
        return SendMessage(chat_id=message.chat.id, text=f"收到：{message.text}")

    async with Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(telemelya))) as bot:
        assert (await bot.get_me()).username == "telemelya_bot"
        async with served(dispatcher, bot) as address, Control(telemelya, token) as control:
            await bot.set_webhook(address)
            await control.send_command(chat, "start")
            greeting = await control.wait("sendMessage")
            assert greeting["text"] == "您好"
            assert greeting["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "yes"
            await control.press(chat, "yes", greeting["message_id"])
            assert (await control.wait("editMessageText"))["text"] == "好的"
            await control.send_text(chat, "我的登记在哪里查")
            assert (await control.wait())["text"] == "收到：我的登记在哪里查"
            assert await control.responses() == []
            with pytest.raises(TimeoutError):
                await control.wait("sendPhoto", seconds=0.2)


@asynccontextmanager
async def served(dispatcher: Dispatcher, bot: Bot) -> AsyncIterator[str]:
    """A dispatcher behind a webhook, whose address this gives."""
    application = web.Application()
    SimpleRequestHandler(dispatcher, bot).register(application, "/hook")
    runner, port = web.AppRunner(application), free_port()
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        yield f"http://{HOST}:{port}/hook"
    finally:
        await runner.cleanup()


async def test_telegram_test_api_polls_in_private_and_in_a_group(telegram_test_api: str) -> None:
    token, chat = "100092:servers", group(-100_9002)
    dispatcher = Dispatcher()

    @dispatcher.message(CommandStart())
    async def greet(message: Message) -> SendMessage:
        return SendMessage(chat_id=message.chat.id, text="您好", reply_markup=YES)

    @dispatcher.message(F.chat.type == ChatType.SUPERGROUP)
    async def take(message: Message) -> SendMessage:
        assert message.from_user
        return SendMessage(chat_id=message.chat.id, text=f"{message.from_user.first_name}：{message.text}")

    async with polling_bot(telegram_test_api, token) as bot, Client(telegram_test_api, token) as client:
        polling = asyncio.create_task(
            dispatcher.start_polling(bot, handle_signals=False, allowed_updates=["message"])
        )
        try:
            await client.send_command("/start", chat=private(9003), person_id=9003)
            assert (await client.wait(9003))["text"] == "您好"
            await client.send_message("值班", chat=chat, person_id=9004, first_name="李强")
            assert (await client.wait(chat["id"]))["text"] == "李强：值班"
            history = [entry["message"]["text"] for entry in await client.get_updates_history()]
            assert history == ["/start", "您好", "值班", "李强：值班"]
        finally:
            await dispatcher.stop_polling()
            await asyncio.wait_for(polling, 60)


PAGE = """<!doctype html>
<html lang="zh"><head><title>一窗</title><style>b {{ font-size: 40px }}</style></head>
<body><main>
<h1>东浦区临江街道选民登记</h1><p><b id="a">东</b> <b id="b">浦</b></p>{more}
</main></body></html>"""


async def test_browser_draws_chinese(browser: Browser) -> None:
    async with await browser.new_context(locale="zh-CN") as context:
        page = await context.new_page()
        await page.set_content(PAGE.format(more=""))
        assert await page.locator("h1").inner_text() == "东浦区临江街道选民登记"
        # Without glyphs both would be the same empty box.
        assert await page.locator("#a").screenshot() != await page.locator("#b").screenshot()


async def test_axe_finds_what_is_wrong(browser: Browser) -> None:
    async with await browser.new_context() as context:
        page = await context.new_page()
        await page.set_content(PAGE.format(more=""))
        assert await axe_violations(page) == []
        await page.set_content(PAGE.format(more='<input name="q">'))
        assert [rule["id"] for rule in await axe_violations(page)] == ["label"]


def test_a_server_that_dies_says_why() -> None:
    scratch = new_scratch("dying")
    server = Server("dying", [sys.executable, "-c", "raise SystemExit('no licence')"], scratch=scratch)
    with pytest.raises(ServerError, match="no licence"):
        server.wait_until(lambda: False, seconds=10)
    assert not scratch.exists()


def test_a_server_that_never_answers_is_ended() -> None:
    scratch = new_scratch("silent")
    server = Server("silent", [sys.executable, "-c", "import time; time.sleep(60)"], scratch=scratch)
    with pytest.raises(ServerError, match="not ready within"):
        server.wait_until(lambda: False, seconds=0.2)
    assert not scratch.exists()


def test_servers_end_with_a_killed_test_run(tmp_path: Path) -> None:
    start = "from tests.servers import redis; s, u = redis.start(); print(s.scratch, flush=True); input()"
    environment = {key: value for key, value in os.environ.items() if key != "TEST_REDIS_URL"}
    environment["PYTHONPATH"] = str(ROOT)
    with subprocess.Popen(
        [sys.executable, "-c", start],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
    ) as run:
        assert run.stdout
        scratch = Path(run.stdout.readline().strip())
        assert scratch.is_dir()
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while scratch.exists():  # the guard removes it once the server has ended
        assert time.monotonic() < deadline
        time.sleep(0.05)
