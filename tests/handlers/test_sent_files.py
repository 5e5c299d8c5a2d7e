"""Pictures and files in the chat: with an open ticket they are kept for one person, and leave the chat."""

from __future__ import annotations

from typing import Any

import pytest
from aiogram.types import Document, PhotoSize

from bot import fetching as bot_fetching
from tests.journeys.conversation import Chat, Town, unreachable
from tests.ticketing.test_attachments import PDF, PNG
from ticketing import attachments
from ticketing.attachments import LARGEST_CHAT, Attachment
from ticketing.ledgers import Enquiry

UNHEARD = "新楼盘还没有门牌号，登记表上的地址怎么填？"
LARGE = [
    PhotoSize(file_id="small", file_unique_id="s", width=90, height=90),
    PhotoSize(file_id="large", file_unique_id="l", width=900, height=900, file_size=5000),
]


def document(**changes: Any) -> Document:
    fields: dict[str, Any] = {
        "file_id": "doc", "file_unique_id": "d", "file_name": "证明.pdf", "mime_type": "application/pdf",
        "file_size": 4000,
    }  # fmt: skip
    return Document(**(fields | changes))


async def fetched(town: Town, **files: bytes) -> None:
    """What the worker fetches, and sends, once the channel gives out these files."""
    town.session.files |= files
    while await bot_fetching.fetch_due(town.desk, town.bot):
        pass


async def test_e22_a_number_in_a_photo(chat: Chat, town: Town) -> None:
    """E22: the picture becomes a staff-only attachment with an end, and leaves the chat."""
    await chat.says(UNHEARD)
    ticket = await town.ticket()
    sent = chat.message(photo=LARGE)
    out = await chat.feed(message=sent)
    assert ticket.ticket_no in out.text
    assert "只有承办人能打开" in out.text
    (row,) = await town.rows(Attachment)
    assert (row.quarantined, row.source, row.ticket_id) == (True, "large", ticket.id)

    await fetched(town, large=PNG)
    (row,) = await town.rows(Attachment)
    assert (row.media_type, row.source, row.fetch_at) == ("image/png", "", None)
    assert (await town.delivers()).deleted == [sent.message_id]
    async with town.store.reading() as session:
        kept = await session.get_one(Attachment, row.id)
        for person in (town.cast.li_qiang, town.cast.wang_fang, town.cast.zhao_lei):
            assert not await attachments.may_open(session, kept, ticket, person)
    # Looked at by nobody, searched by nothing: the question is still the words alone.
    assert [row.words for row in await town.rows(Enquiry)] == [UNHEARD]


async def test_without_an_open_ticket_nothing_is_kept(chat: Chat, town: Town) -> None:
    assert "您发来一张图片" in (await chat.sends(photo=LARGE)).text
    assert "文件我看不了" in (await chat.sends(document=document())).text
    assert await town.rows(Attachment) == []


async def test_the_words_under_a_picture_lead_to_its_ticket(chat: Chat, town: Town) -> None:
    out = await chat.sends(photo=LARGE, caption=UNHEARD)
    ticket = await town.ticket()
    assert f"附在您的问题 {ticket.ticket_no} 上" in out.text
    assert "图片我看不了" not in out.text
    assert [row.ticket_id for row in await town.rows(Attachment)] == [ticket.id]


async def test_an_album_is_one_ticket_with_all_its_pictures(chat: Chat, town: Town) -> None:
    first = await chat.sends(photo=LARGE, media_group_id="a", caption=UNHEARD)
    assert first.texts
    for _ in range(2):
        assert (await chat.sends(photo=LARGE, media_group_id="a")).texts == []
    ticket = await town.ticket()
    assert [row.ticket_id for row in await town.rows(Attachment)] == [ticket.id] * 3


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (document(mime_type="text/html", file_name="a.png"), "这种文件不能保存"),
        (document(mime_type=None), "这种文件不能保存"),
        (document(file_size=LARGEST_CHAT + 1), "文件太大"),
    ],
)
async def test_what_cannot_be_kept_is_refused_at_once(
    chat: Chat, town: Town, sent: Document, words: str
) -> None:
    await chat.says(UNHEARD)
    assert words in (await chat.sends(document=sent)).text
    assert await town.rows(Attachment) == []


async def test_more_than_a_ticket_holds(chat: Chat, town: Town) -> None:
    await chat.says(UNHEARD)
    for _ in range(attachments.MOST):
        assert "已收到" in (await chat.sends(photo=LARGE)).text
    assert "不能再加" in (await chat.sends(photo=LARGE)).text
    assert len(await town.rows(Attachment)) == attachments.MOST


async def test_a_lie_about_the_kind_is_found_out(chat: Chat, town: Town) -> None:
    await chat.says(UNHEARD)
    await chat.sends(document=document())
    await fetched(town, doc=b"<html><script>alert(1)</script>")
    assert "不是图片或 PDF" in (await town.delivers()).text
    (row,) = await town.rows(Attachment)
    assert row.removed_at is not None


async def test_more_than_may_come_is_not_read_to_its_end(
    chat: Chat, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot_fetching, "LARGEST_CHAT", 1000)
    await chat.says(UNHEARD)
    await chat.sends(document=document())
    await fetched(town, doc=PDF + b"\x00" * 2000)
    assert "没能收到" in (await town.delivers()).text


async def test_a_channel_out_of_reach_is_asked_again(chat: Chat, town: Town) -> None:
    await chat.says(UNHEARD)
    await chat.sends(document=document())
    town.fails(unreachable)
    await fetched(town, doc=PDF)
    (row,) = await town.rows(Attachment)
    assert (row.source, row.removed_at, row.tries) == ("doc", None, 1)
    town.later(minutes=2)
    await fetched(town)
    (row,) = await town.rows(Attachment)
    assert (row.media_type, row.name) == ("application/pdf", "证明.pdf")


async def test_a_file_that_the_channel_does_not_know_is_told(chat: Chat, town: Town) -> None:
    await chat.says(UNHEARD)
    await chat.sends(document=document())
    await fetched(town)
    assert "没能收到" in (await town.delivers()).text


async def test_who_asks_to_be_forgotten_leaves_no_file(chat: Chat, town: Town) -> None:
    await chat.says(UNHEARD)
    await chat.sends(photo=LARGE)
    await chat.says("/forget")
    await chat.taps("确认删除")
    await fetched(town, large=PNG)
    (row,) = await town.rows(Attachment)
    assert (row.source, row.contact_id, row.name) == ("", None, "")
    assert row.removed_at is not None
