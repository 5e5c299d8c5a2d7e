"""The web chat's mailbox: what a page can show is written down in order, what it cannot is an error."""

from __future__ import annotations

import ast
import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiogram.methods
import pytest
from aiogram import Bot
from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteMessage,
    DeleteMyCommands,
    EditMessageReplyMarkup,
    EditMessageText,
    GetMe,
    SendChatAction,
    SendDocument,
    SendMessage,
    SendVenue,
    SetMyCommands,
    TelegramMethod,
)
from aiogram.types import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, Message
from sqlalchemy import select

from bot.channels import web
from bot.channels.web import MailboxItem, Op
from office import contacts
from office.contacts import Channel, Contact
from office.store import Store
from tests.make import Cast

HANDLERS = Path(__file__).parent.parent.parent.parent / "handlers"
YES = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="是", callback_data="1|yes")]])


@pytest.fixture
async def reader(store: Store, cast: Cast, now: datetime) -> Contact:
    async with store.transaction() as session:
        return await contacts.seen(session, Channel.WEB, "digest-of-a-cookie", now=now)


@pytest.fixture
def bot(store: Store, now: datetime) -> Bot:
    return web.make_bot(store, lambda: now)


async def lines(store: Store, reader: Contact) -> list[MailboxItem]:
    async with store.reading() as session:
        return await web.since(session, reader.id, 0)


def a_method(kind: type[TelegramMethod[Any]], chat: int) -> TelegramMethod[Any]:
    made: dict[type[TelegramMethod[Any]], TelegramMethod[Any]] = {
        SendMessage: SendMessage(chat_id=chat, text="好", reply_markup=YES),
        EditMessageText: EditMessageText(chat_id=chat, message_id=1, text="更好"),
        EditMessageReplyMarkup: EditMessageReplyMarkup(chat_id=chat, message_id=1),
        DeleteMessage: DeleteMessage(chat_id=chat, message_id=1),
        AnswerCallbackQuery: AnswerCallbackQuery(callback_query_id=f"{chat}:event", text="已记下"),
        SendChatAction: SendChatAction(chat_id=chat, action="typing"),
        GetMe: GetMe(),
        SetMyCommands: SetMyCommands(commands=[BotCommand(command="dan", description="我的工单")]),
        DeleteMyCommands: DeleteMyCommands(),
        SendVenue: SendVenue(
            chat_id=chat,
            latitude=30.5,
            longitude=125.0,
            title="登记站",
            address="示例路1号",
            reply_markup=YES,
        ),
    }
    return made[kind]


def spoken_by_handlers() -> set[str]:
    """The aiogram methods whose names the handlers use."""
    known = set(aiogram.methods.__all__) - {"TelegramMethod"}
    found = set()
    for path in HANDLERS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known:
                found.add(node.func.id)
    return found


# What only staff groups or only Telegram see; a web visitor never causes them.
NOT_FOR_THE_WEB: set[str] = {"LeaveChat", "GetChatAdministrators", "CreateForumTopic", "SendDocument"}


async def test_every_method_that_handlers_return_is_accepted(bot: Bot, reader: Contact) -> None:
    names = spoken_by_handlers() - NOT_FOR_THE_WEB
    assert {"SendMessage", "AnswerCallbackQuery", "EditMessageReplyMarkup", "DeleteMessage"} <= names
    for name in sorted(names):
        assert await bot(a_method(getattr(aiogram.methods, name), reader.id))


async def test_a_method_that_no_page_can_show_raises(bot: Bot, reader: Contact) -> None:
    with pytest.raises(NotImplementedError, match="SendDocument"):
        await bot(SendDocument(chat_id=reader.id, document="x"))
    with pytest.raises(NotImplementedError):
        await bot(EditMessageText(inline_message_id="x", text="y"))


async def test_lines_are_numbered_and_marked(bot: Bot, store: Store, reader: Contact) -> None:
    sent = await bot(SendMessage(chat_id=reader.id, text="<b>一</b>", reply_markup=YES))
    plain = await bot(SendMessage(chat_id=reader.id, text="<b>二</b>", parse_mode=None))
    assert isinstance(sent, Message)
    assert (sent.message_id, plain.message_id, sent.chat.id) == (1, 2, reader.id)
    one, two = await lines(store, reader)
    assert (one.seq, one.op, one.target, one.content["html"]) == (1, Op.APPEND, 1, True)
    assert one.content["buttons"] == [[{"text": "是", "action": "1|yes", "url": "", "style": ""}]]
    assert (two.seq, two.content["html"], two.content["buttons"]) == (2, False, [])


async def test_a_venue_is_a_card_without_its_position(bot: Bot, store: Store, reader: Contact) -> None:
    sent = await bot(a_method(SendVenue, reader.id))
    assert isinstance(sent, Message)
    (line,) = await lines(store, reader)
    assert line.content["venue"] == {"title": "登记站", "address": "示例路1号"}
    assert line.content["buttons"][0][0]["text"] == "是"
    assert "125" not in str(line.content)


async def test_replacing_removing_and_toasts(bot: Bot, store: Store, reader: Contact) -> None:
    for text in ("一", "二", "三"):
        await bot(SendMessage(chat_id=reader.id, text=text, reply_markup=YES))
    edited = await bot(EditMessageText(chat_id=reader.id, message_id=2, text="二改", reply_markup=YES))
    assert isinstance(edited, Message)
    assert edited.message_id == 2
    await bot(EditMessageReplyMarkup(chat_id=reader.id, message_id=2))
    await bot(DeleteMessage(chat_id=reader.id, message_id=1))
    await bot(AnswerCallbackQuery(callback_query_id=f"{reader.id}:event", text="已记下"))
    await bot(AnswerCallbackQuery(callback_query_id=f"{reader.id}:event"))
    found = [(line.seq, line.op, line.target) for line in await lines(store, reader)]
    assert found == [
        (1, Op.APPEND, 1), (2, Op.APPEND, 2), (3, Op.APPEND, 3), (4, Op.REPLACE, 2), (5, Op.REPLACE, 2),
        (6, Op.REMOVE, 1), (7, Op.TOAST, 7),
    ]  # fmt: skip
    async with store.reading() as session:
        items, newest = await web.page(session, reader.id)
        assert [(item.target, item.content["text"], item.content["buttons"]) for item in items] == [
            (2, "二改", []),
            (3, "三", [[{"text": "是", "action": "1|yes", "url": "", "style": ""}]]),
        ]
        assert newest == await web.last(session, reader.id) == 7


async def test_a_long_page_begins_with_the_newest(bot: Bot, store: Store, reader: Contact) -> None:
    async with store.transaction() as session:
        for number in range(web.SHOWN + 5):
            await web.write(session, reader.id, Op.APPEND, {"text": str(number)}, now=reader.last_seen_at)
    async with store.reading() as session:
        items, newest = await web.page(session, reader.id)
    assert [item.content["text"] for item in items][:: web.SHOWN - 1] == ["5", str(web.SHOWN + 4)]
    assert newest == web.SHOWN + 5


async def test_a_key_is_written_once(bot: Bot, store: Store, reader: Contact) -> None:
    for _ in range(3):
        with web.once("delivery:1#0"):
            first = await bot(SendMessage(chat_id=reader.id, text="答复"))
        with web.once("delivery:1#1"):
            second = await bot(SendMessage(chat_id=reader.id, text="答复（续）"))
    assert (first.message_id, second.message_id) == (1, 2)
    assert [line.content["text"] for line in await lines(store, reader)] == ["答复", "答复（续）"]
    await bot(SendMessage(chat_id=reader.id, text="答复"))
    assert len(await lines(store, reader)) == 3


async def test_the_same_key_at_the_same_time_is_written_once(store: Store, reader: Contact) -> None:
    async def deliver() -> None:
        async with store.transaction() as session:
            await web.write(
                session, reader.id, Op.APPEND, {"text": "答复"}, key="one", now=reader.last_seen_at
            )

    await asyncio.gather(*(deliver() for _ in range(8)))
    assert [line.seq for line in await lines(store, reader)] == [1]


async def test_writers_at_the_same_time_leave_no_gap(store: Store, reader: Contact, cast: Cast) -> None:
    """Whoever reads after number n must never later find a smaller number: order of commits is order."""
    seen: list[int] = []
    done = asyncio.Event()

    async def write(number: int) -> None:
        async with store.transaction() as session:
            await web.write(session, reader.id, Op.APPEND, {"text": str(number)}, now=reader.last_seen_at)
            await asyncio.sleep(0.002)

    async def watch() -> None:
        while not done.is_set() or len(seen) < 40:
            async with store.reading() as session:
                seen.extend(item.seq for item in await web.since(session, reader.id, max(seen, default=0)))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(write(number) for number in range(40)))
    done.set()
    async with asyncio.timeout(60):
        await watching
    assert seen == list(range(1, 41))


async def test_mailboxes_of_two_visitors_stay_apart(
    bot: Bot, store: Store, reader: Contact, now: datetime
) -> None:
    async with store.transaction() as session:
        other = await contacts.seen(session, Channel.WEB, "another-cookie", now=now)
    await bot(SendMessage(chat_id=reader.id, text="给甲"))
    await bot(SendMessage(chat_id=other.id, text="给乙"))
    assert [(line.seq, line.content["text"]) for line in await lines(store, other)] == [(1, "给乙")]


async def test_old_mailboxes_are_emptied_and_living_ones_kept(
    bot: Bot, store: Store, reader: Contact, now: datetime
) -> None:
    await bot(SendMessage(chat_id=reader.id, text="旧"))
    for days, left in ((29, 1), (31, 0)):
        async with store.transaction() as session:
            await web.forget_old(session, now=now + timedelta(days=days))
        assert len(await lines(store, reader)) == left
    await bot(SendMessage(chat_id=reader.id, text="又来"))
    async with store.transaction() as session:
        here = await session.scalar(select(Contact).where(Contact.id == reader.id))
        assert here is not None
        here.last_seen_at = now + timedelta(days=40)
        await session.flush()
        await web.forget_old(session, now=now + timedelta(days=60))
    assert len(await lines(store, reader)) == 1


async def test_end_and_clear_leaves_nothing(bot: Bot, store: Store, reader: Contact) -> None:
    await bot(SendMessage(chat_id=reader.id, text="一"))
    async with store.transaction() as session:
        await web.clear(session, reader.id)
    assert await lines(store, reader) == []


async def test_the_bot_knows_itself_and_has_a_number_of_its_own(bot: Bot) -> None:
    assert (await bot.me()).username == "web"
    assert bot.id == int(web.TOKEN.split(":", maxsplit=1)[0])
