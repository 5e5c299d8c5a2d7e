"""A receipt code on Telegram, with a Bot API server: the code goes at once, the result after five minutes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiogram.types import Update
from aiohttp import web
from sqlalchemy import select

from bot import app
from bot.app import Machine
from bot.settings import Settings
from knowledge.roll import receipts
from office.contacts import Channel
from office.store import Base, Store
from tests.journeys.test_telegram_webhook import data_of
from tests.make import Cast, Clock
from tests.rolls import install_roll
from tests.servers.ports import HOST, free_port
from tests.servers.telemelya import Control
from tests.voters import LIN_YAN
from ticketing.records import Ticket, TicketKind

TOKEN = "100095:lookup-journey"
CHAT = 9501


@dataclass
class Place:
    """The program with a roll, its clock, and 张敏 with her telephone."""

    machine: Machine
    clock: Clock
    phone: Control

    async def works(self) -> None:
        """The worker sends and deletes what is due."""
        while await self.machine.worker.send_due(Channel.TELEGRAM):
            pass

    async def stored(self) -> str:
        """All that is stored, in one text."""
        found: list[Any] = []
        async with self.machine.desk.store.reading() as session:
            for table in Base.metadata.sorted_tables:
                found += (await session.execute(select(table))).all()
        return repr(found)


@pytest.fixture
async def place(telemelya: str, store: Store, cast: Cast, tmp_path: Path, now: Any) -> AsyncIterator[Place]:
    await install_roll(store, tmp_path)
    clock, port = Clock(now), free_port()
    settings = Settings(
        _env_file=None, data_dir=tmp_path, database_url=store.url, telegram_token=TOKEN,
        telegram_api_url=telemelya, public_url="https://desk.example",
    )  # fmt: skip
    machine = app.build(settings, clock)
    assert machine.intake is not None
    assert machine.telegram is not None
    intake, bot = machine.intake, machine.telegram

    async def receive(request: web.Request) -> web.Response:
        update = Update.model_validate(await request.json(), context={"bot": bot})
        return web.Response(status=200 if await intake.take(update) else 503)

    door = web.Application()
    door.router.add_post("/", receive)
    runner = web.AppRunner(door)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    await bot.set_webhook(f"http://{HOST}:{port}/")
    async with Control(telemelya, TOKEN) as phone:
        yield Place(machine, clock, phone)
    await runner.cleanup()
    await machine.close()


async def test_from_the_question_to_a_case(place: Place) -> None:
    phone, clock = place.phone, place.clock
    await phone.send_text(CHAT, "我登记了吗")
    ways = await phone.wait("sendMessage")
    assert ways["text"].startswith("为保护您的个人信息，请不要在这里发送身份证号码。")

    await phone.press(CHAT, data_of(ways, "安全查询页"), ways["message_id"])
    page = await phone.wait("sendMessage")
    assert str(page["reply_markup"]).count("https://desk.example/lookup/") == 1

    await phone.press(CHAT, data_of(ways, "用回执码查询"), ways["message_id"])
    assert "10位回执码" in (await phone.wait("sendMessage"))["text"]
    sent = await phone.send_text(CHAT, receipts.written(LIN_YAN.receipt).lower())
    removed = await phone.wait("deleteMessage")
    assert removed["message_id"] == sent["message"]["message_id"]
    result = await phone.wait("sendMessage")
    assert result["text"].startswith("<b>查询结果：已登记</b>\n选区：第一选区　小组：12-01　")
    assert result["text"].endswith("<i>本消息5分钟后自动删除</i>")
    assert str(result["raw"]["protect_content"]).lower() in ("true", "1")
    assert "stays" not in result["raw"]

    await phone.press(CHAT, data_of(result, "帮我核实"), result["message_id"])
    assert "已为您转给值班同志核实" in (await phone.wait("sendMessage"))["text"]
    async with place.machine.desk.store.reading() as session:
        ticket = (await session.scalars(select(Ticket))).one()
    assert (ticket.kind, ticket.lookup_result) == (TicketKind.VERIFY, "registered")

    clock.pass_by(timedelta(minutes=4, seconds=59))
    await place.works()
    assert [done for done in await phone.responses() if done["method"] == "deleteMessage"] == []
    clock.pass_by(timedelta(seconds=1))
    await place.works()
    assert (await phone.wait("deleteMessage"))["message_id"] == result["message_id"]
    clock.pass_by(timedelta(minutes=5))
    await place.works()
    assert (await phone.wait("deleteMessage"))["message_id"] == page["message_id"]
    assert LIN_YAN.receipt not in (await place.stored()).upper().replace("-", "")


async def test_v5_for_somebody_else_and_never_by_name(place: Place) -> None:
    for words in ("帮我妈查一下", "查一下张三登记了没有", "邻居登记了没有"):
        await place.phone.send_text(CHAT + 1, words)
        said = await place.phone.wait("sendMessage")
        assert "登记回执码查询；没有回执码，请带" in said["text"]
        assert "查询结果" not in said["text"]
    stored = await place.stored()
    assert "张三" not in stored
    assert "lookup_act" not in stored
