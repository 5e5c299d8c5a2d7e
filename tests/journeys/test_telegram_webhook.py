"""A question's whole way on Telegram, by webhook, through two real servers.

The program runs as a process of its own. The Bot API is telemelya, which does not send the webhook's secret
header; a tiny proxy between the two adds it, as Telegram itself would.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web
from sqlalchemy import select

from handlers.callbacks import base36
from knowledge.versions import Entry, EntryVersion
from office.store import Store
from tests.bot.running import Running
from tests.journeys.test_crash import answered
from tests.servers.ports import HOST, free_port
from tests.servers.telemelya import Control
from ticketing.ledgers import Enquiry
from ticketing.records import ClosedBy, Ticket, TicketState

TOKEN = "100093:webhook-journey"
SECRET = "secret-of-the-journey"
CHAT = 9301
# Which of these is unsure depends on the base; the first that is offered as a choice is taken.
VAGUE = ("我在外地怎么办", "不识字怎么办", "老人行动不便", "单位登记还是居住地登记", "代表候选人怎么产生")


@asynccontextmanager
async def telegrams_door(port: int) -> AsyncIterator[dict[str, str]]:
    """A proxy on `port` that adds the secret header; set `to` to the program's address."""
    target: dict[str, str] = {}

    async def forward(request: web.Request) -> web.Response:
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}
        async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
            answer = await client.post(
                target["to"] + request.path, content=await request.read(), headers=headers
            )
        return web.Response(status=answer.status_code, body=answer.content)

    application = web.Application()
    application.router.add_post("/{path:.*}", forward)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        yield target
    finally:
        await runner.cleanup()


def data_of(sent: dict[str, Any], words: str, end: str = "") -> str:
    """The callback data of the button that carries these words, or whose data do and end like this."""
    for row in (sent["reply_markup"] or {}).get("inline_keyboard", []):
        for button in row:
            data = button.get("callback_data", "")
            if words in button["text"] or (words in data and data.endswith(end)):
                return str(button["callback_data"])
    raise AssertionError(f"no button {words} in {sent}")


async def unsure(control: Control, store: Store) -> tuple[dict[str, Any], str]:
    """A message with choices, and the data of a button that leads to an entry without any doubt left."""
    for words in VAGUE:
        await control.send_text(CHAT, words)
        sent = await control.wait("sendMessage")
        async with store.reading() as session:
            asked = await session.scalar(select(Enquiry).order_by(Enquiry.id.desc()).limit(1))
            assert asked is not None
            for number, entry_id in enumerate(asked.offered):
                version = await session.scalar(
                    select(EntryVersion).join(Entry, Entry.published_id == EntryVersion.id)
                    .where(Entry.id == int(entry_id))
                )  # fmt: skip
                if version is not None and version.confirmed:
                    return sent, data_of(sent, f"|pik|{base36(asked.id)}|", f"|{number}")
    raise AssertionError("the base is sure of everything")


async def test_from_the_question_to_the_last_tap(telemelya: str, tmp_path: Path, begun: Path) -> None:
    door, folder = free_port(), tmp_path / "var"
    settings = {
        "TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": telemelya, "WEBHOOK_SECRET": SECRET,
        "PUBLIC_URL": f"http://{HOST}:{door}",
    }  # fmt: skip
    async with (
        telegrams_door(door) as target,
        Running(folder, begun, **settings) as program,
        Control(telemelya, TOKEN) as control,
    ):
        target["to"] = program.address
        store = Store(f"sqlite+aiosqlite:///{folder / 'one-window.db'}")
        offered, choice = await unsure(control, store)

        await control.press(CHAT, choice, offered["message_id"])
        assert (await control.wait())["method"] == "answerCallbackQuery"
        answer = await control.wait("sendMessage")
        assert "<b>【" in answer["text"]
        assert "K-0" in answer["text"]

        await control.press(CHAT, data_of(answer, "没解决"), answer["message_id"])
        assert (await control.wait())["method"] == "answerCallbackQuery"
        stripped = await control.wait("editMessageReplyMarkup")
        assert stripped["message_id"] == answer["message_id"]
        promise = await control.wait("sendMessage")
        async with store.reading() as session:
            ticket = (await session.scalars(select(Ticket))).one()
        assert ticket.ticket_no in promise["text"]
        assert ticket.progress_code in promise["text"]

        text = await answered(store, 1)
        arrived = await control.wait("sendMessage", seconds=60)
        assert text in arrived["text"]
        assert ticket.ticket_no in arrived["text"]

        await control.press(CHAT, data_of(arrived, "解决了"), arrived["message_id"])
        assert (await control.wait())["method"] == "answerCallbackQuery"
        async with store.reading() as session:
            closed = (await session.scalars(select(Ticket))).one()
        await store.close()
        assert (closed.state, closed.closed_by) == (TicketState.CLOSED, ClosedBy.ASKER)
        assert await control.responses() == [] or {r["method"] for r in await control.responses()} <= {
            "editMessageReplyMarkup"
        }

        async with httpx.AsyncClient(trust_env=False, timeout=120) as stranger:
            refused = await stranger.post(program.address + "/telegram/webhook", json={"update_id": 1})
        assert refused.status_code == 403
        assert "Traceback" not in program.said()
