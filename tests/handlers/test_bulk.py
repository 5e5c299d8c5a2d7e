"""Questions as a table in chat: staff get the template and bring it back, anybody else gets neither."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from aiogram import Bot
from aiogram.methods import DeleteMessage, GetFile, SendDocument
from aiogram.types import Document, File

from handlers import bulk
from office.contacts import Channel
from tests.handlers.staff_desk import LI_QIANG, ZHOU_NING, bind, command, registrar
from tests.journeys.conversation import Chat, RecordingSession, Town
from tests.ticketing.test_bulk_questions import HEADINGS, ROWS, filled
from ticketing import bulk_questions

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)


class Files(RecordingSession):
    """A channel that gives one file out; `asked` counts how often."""

    content = b""
    asked = 0
    fails = False

    async def make_request(self, bot: Bot, method: Any, timeout: int | None = None) -> Any:  # noqa: ASYNC109
        if isinstance(method, GetFile):
            return File(file_id=method.file_id, file_unique_id="u", file_path="documents/file")
        return await super().make_request(bot, method, timeout)

    async def stream_content(self, url: str, *args: Any, **more: Any) -> AsyncGenerator[bytes, None]:
        self.asked += 1
        if self.fails:
            raise OSError("connection reset")
        yield self.content


@pytest.fixture
def files(town: Town, monkeypatch: pytest.MonkeyPatch) -> Files:
    """The town's channel with a file to fetch."""
    found = Files()
    monkeypatch.setattr(town, "session", found)
    monkeypatch.setattr(town.bot, "session", found)
    return found


async def sends(chat: Chat, size: int | None = 900, name: str = "问题.xlsx") -> Any:
    document = Document(file_id="f", file_unique_id="u", file_name=name, file_size=size)
    return await chat.sends(document=document)


async def test_staff_get_the_template_by_command_and_in_words(town: Town) -> None:
    chat = await bind(town, town.cast.li_qiang, LI_QIANG)
    for content in (command("/template"), {"text": "批量提问模板"}):
        out = await chat.sends(**content)
        (sent,) = [method for method in out.methods if isinstance(method, SendDocument)]
        assert sent.document.data == bulk_questions.template(town.now)
        assert sent.document.filename == bulk.NAME
        assert "不要写姓名、身份证号和电话" in sent.caption


async def test_a_filled_in_table_becomes_tickets_and_a_table_of_numbers(town: Town, files: Files) -> None:
    chat = await bind(town, await registrar(town), LI_QIANG)
    files.content = filled(*ROWS, now=town.now)
    out = await sends(chat)
    tickets = await town.tickets()
    assert len(tickets) == 2
    for row, ticket in zip((2, 3), tickets, strict=True):
        assert f"第{row}行 → {ticket.ticket_no}，查询码 {ticket.progress_code}" in out.text
        assert ticket.channel is Channel.TELEGRAM
        assert ticket.contact_id is not None
    assert "已登记2个问题，最迟" in out.text
    # Sent once more, it is the same file: the same numbers come back.
    assert tickets[0].ticket_no in (await sends(chat)).text
    assert len(await town.tickets()) == 2


async def test_a_refused_file_leaves_nothing_and_says_why(town: Town, files: Files) -> None:
    chat = await bind(town, town.cast.li_qiang, LI_QIANG)
    files.content = filled(*ROWS, now=town.now, headings=[*HEADINGS, "<b>身份证号"])
    out = await sends(chat)
    assert "“&lt;b&gt;身份证号”一列不能有" in out.text
    assert any(isinstance(method, DeleteMessage) for method in out.methods)
    files.content = filled(*ROWS, now=town.now, headings=["编号", *HEADINGS[1:]])
    out = await sends(chat)
    assert "标题行和模板不一样" in out.text
    assert not out.deleted
    files.content = filled(*ROWS, now=town.now)
    assert "文件超过1000 KB" in (await sends(chat, bulk_questions.LARGEST + 1)).text
    files.fails = True
    assert "文件没有收到" in (await sends(chat)).text
    assert not await town.tickets()


async def test_more_than_the_channel_says_is_not_read(town: Town, files: Files) -> None:
    chat = await bind(town, town.cast.li_qiang, LI_QIANG)
    files.content = b"0" * (bulk_questions.LARGEST * 3)
    assert "文件超过1000 KB" in (await sends(chat, None)).text


async def test_nobody_elses_file_is_fetched(town: Town, files: Files) -> None:
    stranger = town.chat()
    assert "没有该操作权限" in (await stranger.sends(**command("/template"))).text
    await sends(stranger)
    zhou_ning = await bind(town, town.cast.zhou_ning, ZHOU_NING)
    await sends(zhou_ning)
    assert "没有该操作权限" in (await zhou_ning.sends(**command("/template"))).text
    assert files.asked == 0
    assert not await town.tickets()
    # To a voter the words are a question like any other.
    assert not [m for m in (await stranger.says("批量提问模板")).methods if isinstance(m, SendDocument)]
