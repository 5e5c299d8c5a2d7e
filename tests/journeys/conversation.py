"""A conversation to be held in tests: updates go in, the methods that come out are recorded.

Nothing inside is patched: what a channel would send is the contract, and its failures are canned.
"""

from __future__ import annotations

import itertools
import re
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.base import BaseSession
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
)
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from aiogram.methods import (
    AnswerCallbackQuery,
    CreateForumTopic,
    DeleteMessage,
    EditMessageReplyMarkup,
    EditMessageText,
    GetFile,
    GetMe,
    SendMessage,
    TelegramMethod,
)
from aiogram.types import (
    CallbackQuery,
    ChatMemberBanned,
    ChatMemberMember,
    ChatMemberUpdated,
    File,
    ForumTopic,
    InaccessibleMessage,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    Update,
    User,
)
from aiogram.types import Chat as TelegramChat
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.pacing import Unpaced
from bot.worker import Worker
from handlers.router import dispatcher
from handlers.turn import Desk
from knowledge.answer import LiveBase
from knowledge.versions import Audience, EntryVersion
from office.contacts import Channel
from office.store import Base, Store
from tests.make import HOURS, Cast, an_entry
from ticketing import tickets
from ticketing.records import Ticket, TicketState

USERNAME = "desk_bot"
GROUP = -1001
Failure = Callable[[TelegramMethod[Any]], Exception]

ZHANG_MIN = 5001


def busy(seconds: int = 30) -> Failure:
    """429: the channel asks us to wait."""
    return lambda method: TelegramRetryAfter(method, "Too Many Requests", seconds)


def blocked(method: TelegramMethod[Any]) -> Exception:
    """403: the person has blocked us."""
    return TelegramForbiddenError(method, "Forbidden: bot was blocked by the user")


def unreachable(method: TelegramMethod[Any]) -> Exception:
    """No connection to the channel."""
    return TelegramNetworkError(method, "connection reset")


def refused(reason: str) -> Failure:
    """400 with a reason."""
    return lambda method: TelegramBadRequest(method, f"Bad Request: {reason}")


def moved(to: int) -> Failure:
    """The group has become a supergroup."""
    return lambda method: TelegramMigrateToChat(method, "group migrated", to)


class RecordingSession(BaseSession):
    """Records what is sent; a canned failure takes the place of the next sending."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[TelegramMethod[Any]] = []
        self.failures: deque[Failure | None] = deque()
        # What the channel gives out, by the name it has there.
        self.files: dict[str, bytes] = {}
        self._numbers = itertools.count(100_000)

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109  aiogram's signature
    ) -> Any:
        if isinstance(method, GetMe):
            return User(id=bot.id, is_bot=True, first_name="一窗", username=USERNAME)
        failure = self.failures.popleft() if self.failures else None
        if failure is not None:
            raise failure(method)
        if isinstance(method, GetFile):
            if method.file_id not in self.files:
                raise TelegramBadRequest(method, "Bad Request: wrong file_id")
            return File(file_id=method.file_id, file_unique_id="u", file_path=method.file_id)
        self.sent.append(method)
        if isinstance(method, SendMessage):
            chat = TelegramChat(
                id=int(method.chat_id), type="private" if int(method.chat_id) > 0 else "group"
            )
            return Message(message_id=next(self._numbers), date=0, chat=chat, text=method.text)
        if isinstance(method, CreateForumTopic):
            return ForumTopic(message_thread_id=next(self._numbers), name=method.name, icon_color=0)
        return True

    async def close(self) -> None:
        """Nothing is held open."""

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,  # noqa: ASYNC109  aiogram's signature
        chunk_size: int = 65536,
        raise_for_status: bool = True,
    ) -> AsyncGenerator[bytes, None]:
        content = self.files[url.rpartition("/")[2]]
        for start in range(0, len(content), chunk_size):
            yield content[start : start + chunk_size]


@dataclass(frozen=True)
class Out:
    """What came out of one step."""

    methods: list[TelegramMethod[Any]]

    @property
    def messages(self) -> list[SendMessage]:
        return [method for method in self.methods if isinstance(method, SendMessage)]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]

    @property
    def text(self) -> str:
        return "\n".join(self.texts)

    @property
    def keys(self) -> list[InlineKeyboardButton]:
        return [
            button
            for message in self.methods
            if isinstance(message, SendMessage | EditMessageText | EditMessageReplyMarkup)
            if isinstance(message.reply_markup, InlineKeyboardMarkup)
            for row in message.reply_markup.inline_keyboard
            for button in row
        ]

    @property
    def buttons(self) -> list[str]:
        return [button.text for button in self.keys]

    @property
    def toast(self) -> str | None:
        """The words of the answered tap; None if no tap was answered."""
        found = [m for m in self.methods if isinstance(m, AnswerCallbackQuery)]
        assert len(found) <= 1, "a tap is answered once"
        return (found[0].text or "") if found else None

    @property
    def deleted(self) -> list[int]:
        return [method.message_id for method in self.methods if isinstance(method, DeleteMessage)]

    @property
    def unbuttoned(self) -> list[int | None]:
        return [method.message_id for method in self.methods if isinstance(method, EditMessageReplyMarkup)]


@dataclass
class Town:
    """The desk with its conversation, a clock that stands still, and a recording channel."""

    store: Store
    cast: Cast
    now: datetime
    desk: Desk = field(init=False)
    bot: Bot = field(init=False)
    session: RecordingSession = field(init=False)
    dispatcher: Dispatcher = field(init=False)
    worker: Worker = field(init=False)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.session = RecordingSession()
        self.bot = Bot(
            "700001:test", session=self.session, default=DefaultBotProperties(parse_mode=ParseMode.HTML)
        )
        self.desk = Desk(self.store, LiveBase(), lambda: self.now)
        self.restart()
        self.worker = Worker(self.desk, {Channel.TELEGRAM: self.bot}, pacing=Unpaced())

    def restart(self, **changes: Any) -> None:
        """A new process: conversation state and everything else in memory is gone."""
        self.desk = replace(self.desk, **changes)
        self.dispatcher = dispatcher(self.desk, MemoryStorage(), SimpleEventIsolation())

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def fails(self, *failures: Failure | None) -> None:
        """The next sendings fail so, in this order; None lets one pass."""
        self.session.failures.extend(failures)

    def chat(self, person: int = ZHANG_MIN) -> Chat:
        """张敏's private chat, or another person's."""
        return Chat(self, person, person)

    def group(self, person: int = ZHANG_MIN) -> Chat:
        """A group chat, in which this person speaks."""
        return Chat(self, person, GROUP)

    async def feed(self, update: Update) -> Out:
        """Hand an update in and collect what goes out."""
        before = len(self.session.sent)
        await self.dispatcher.feed_update(self.bot, update, channel=Channel.TELEGRAM)
        return Out(self.session.sent[before:])

    async def delivers(self) -> Out:
        """The worker sends what is due."""
        before = len(self.session.sent)
        while await self.worker.send_due(Channel.TELEGRAM):
            pass
        return Out(self.session.sent[before:])

    async def clock_ticks(self) -> None:
        """The worker does what the clock asks for."""
        await self.worker.do_timed()

    async def rows(self, table: type[Base]) -> list[Any]:
        """All rows of a table, oldest first."""
        async with self.store.reading() as session:
            return list((await session.scalars(select(table).order_by(*table.__table__.primary_key))).all())

    async def tickets(self) -> list[Ticket]:
        return await self.rows(Ticket)

    async def ticket(self) -> Ticket:
        """The only ticket there is."""
        (found,) = await self.tickets()
        return found

    async def answers(
        self, ticket: Ticket, text: str = "请尽快联系发证的登记站核对，由登记站告诉您怎么办。"
    ) -> None:
        """李强 takes the ticket and answers it with the entry about lost voter cards."""
        async with self.store.transaction() as session:
            row = await tickets.get(session, ticket.id)
            if row.state is TicketState.UNASSIGNED:
                await tickets.take(session, row, actor=self.cast.li_qiang, now=self.now)
            version = await session.scalar(
                select(EntryVersion).where(EntryVersion.question == "选民证丢了怎么办？")
            )
            assert version is not None
            await tickets.answer(
                session, row, text, version, actor=self.cast.li_qiang, hours=HOURS, now=self.now
            )


@dataclass
class Chat:
    """One person in one chat."""

    town: Town
    person: int
    where: int
    shown: list[tuple[int, InlineKeyboardButton]] = field(default_factory=list)

    @property
    def _from(self) -> User:
        return User(id=self.person, is_bot=False, first_name="张敏")

    def message(self, **content: Any) -> Message:
        """A message as it comes in."""
        kind = "private" if self.where > 0 else "supergroup"
        fields: dict[str, Any] = {
            "message_id": next(self.town.numbers),
            "date": self.town.now,
            "chat": TelegramChat(id=self.where, type=kind),
            "from_user": self._from,
        }
        return Message(**(fields | content))

    async def says(self, text: str, **more: Any) -> Out:
        """A text message."""
        return await self.sends(text=text, **more)

    async def sends(self, **content: Any) -> Out:
        """A message of any kind."""
        return await self.feed(message=self.message(**content))

    async def edits(self, message_id: int, text: str) -> Out:
        """Change a message sent before; `last_message` numbers it."""
        edited = self.message(message_id=message_id, text=text, edit_date=1)
        return await self.feed(edited_message=edited)

    @property
    def last_message(self) -> int:
        """The number of the newest message that went in. Looking uses up a number, which changes nothing."""
        return next(self.town.numbers) - 2

    async def taps(self, label: str, *, accessible: bool = True) -> Out:
        """Tap the newest button of this label that this chat has been shown."""
        message_id, button = next(s for s in reversed(self.shown) if s[1].text == label)
        assert button.callback_data is not None
        return await self.taps_data(button.callback_data, message_id, accessible=accessible)

    async def taps_data(self, data: str, message_id: int = 1, *, accessible: bool = True) -> Out:
        """A tap with this callback data, forged or not."""
        kind = "private" if self.where > 0 else "supergroup"
        chat = TelegramChat(id=self.where, type=kind)
        message: Message | InaccessibleMessage = (
            Message(message_id=message_id, date=self.town.now, chat=chat, text="…")
            if accessible
            else InaccessibleMessage(chat=chat, message_id=message_id, date=0)
        )
        query = CallbackQuery(
            id=str(next(self.town.numbers)), from_user=self._from, chat_instance="test", data=data,
            message=message,
        )  # fmt: skip
        return await self.feed(callback_query=query)

    async def blocks(self) -> Out:
        """The person blocks the assistant."""
        me = User(id=self.town.bot.id, is_bot=True, first_name="一窗")
        change = ChatMemberUpdated(
            chat=TelegramChat(id=self.where, type="private"), from_user=self._from, date=self.town.now,
            old_chat_member=ChatMemberMember(user=me),
            new_chat_member=ChatMemberBanned(user=me, until_date=0),
        )  # fmt: skip
        return await self.feed(my_chat_member=change)

    async def feed(self, **content: Any) -> Out:
        """An update of any kind; a step of its own, half an hour's traffic need not wait."""
        out = await self.town.feed(Update(update_id=next(self.town.numbers), **content))
        self.saw(out)
        return out

    def saw(self, out: Out) -> None:
        """What came out, from the worker for example, is on this chat's screen."""
        number = 1000 + len(self.shown)
        self.shown += [(number, button) for button in out.keys if button.callback_data]


async def fill_town(session: AsyncSession, cast: Cast, now: datetime) -> None:
    """Published entries: one to hit, two near each other, one unconfirmed, one for staff only."""
    before = now - timedelta(days=2)
    await an_entry(
        session, cast, before,
        phrasings=(
            "选民证掉了咋办", "我把选民证弄丢了", "选民证遗失到哪里补",
            "选民证不见了", "补办选民证",
        ),
        full="请尽快联系发证的登记站核对。投票前都可以办。",
        documents=("身份证",),
    )  # fmt: skip
    await an_entry(
        session, cast, before, "K-0300",
        topic="reg_migrant",
        question="外省市户口的人在上海怎么登记？",
        phrasings=(
            "外地户口在哪里登记", "外地人怎么登记选民", "户口在外地能在上海登记吗",
            "外来人员登记选民", "不是上海户口怎么登记",
        ),
        short="在现居住地登记，要有户口所在地开的选民资格证明。",
        steps=("先开证明。", "再到登记站。"),
    )  # fmt: skip
    await an_entry(
        session, cast, before, "K-0301",
        topic="reg_where_hukou",
        question="上海户口的人在哪里登记？",
        phrasings=(
            "本地户口在哪里登记", "我该在哪里登记", "上海户口到哪登记选民",
            "户口在上海怎么登记", "本市户口登记地点",
        ),
        short="一般在户口所在地登记。",
    )  # fmt: skip
    await an_entry(
        session, cast, before, "K-0700",
        topic="mobile_box",
        question="走不动的老人能不能在家投票？",
        phrasings=(
            "老人走不动怎么投票", "行动不便能上门投票吗", "流动票箱怎么申请",
            "生病在家可以投票吗", "卧床老人投票",
        ),
        short="可以用流动票箱投票。",
        confirmed=False,
    )  # fmt: skip
    await an_entry(
        session, cast, before, "K-0900",
        topic="st_import",
        question="云平台导入名单时报错怎么处理？",
        phrasings=(
            "导入失败怎么办", "平台导入报错", "导入时提示身份证号重复",
            "名单导不进去", "批量导入出错",
        ),
        short="先核对表头，再重新导入。",
        audience=Audience.STAFF,
    )  # fmt: skip


def open_town(store: Store, cast: Cast, now: datetime) -> Town:
    """The desk over a store that holds the town's entries."""
    # 张敏 wrote to us a minute ago: nobody in the tests is a stranger who need not be one.
    return Town(store, cast, now + timedelta(minutes=1))


def number_and_code(text: str) -> tuple[str, str]:
    """The ticket number and the progress code that a reply names."""
    found = re.search(r"(DP-\d{4}-\d{2,}-[A-Z]).*?([0-9A-Z]{4})(?![0-9A-Z-])", text)
    assert found, text
    return found[1], found[2]


@contextmanager
def at(town: Town, moment: datetime) -> Iterator[None]:
    """The block happens at another moment."""
    before, town.now = town.now, moment
    try:
        yield
    finally:
        town.now = before
