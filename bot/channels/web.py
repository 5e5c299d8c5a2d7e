"""The web chat as a channel: outgoing methods become lines of the visitor's mailbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Any, cast

from aiogram import Bot
from aiogram.client.default import Default, DefaultBotProperties
from aiogram.enums import ParseMode
from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteMessage,
    DeleteMyCommands,
    EditMessageReplyMarkup,
    EditMessageText,
    GetMe,
    SendChatAction,
    SendMessage,
    SendVenue,
    SetMyCommands,
    TelegramMethod,
)
from aiogram.types import Chat, InlineKeyboardMarkup, Message, User
from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from bot.channels.own import OwnSession
from office.contacts import Channel, Contact
from office.store import Base, Store, ring_after_commit, word

TOKEN = "100001:web"
_key: ContextVar[str | None] = ContextVar("mailbox_key", default=None)
SHOWN = 200
KEPT = timedelta(days=30)
EMPTY: dict[str, Any] = {"text": "", "html": False, "buttons": []}


class Op(StrEnum):
    """What a line does to the page."""

    APPEND = auto()
    REPLACE = auto()
    REMOVE = auto()
    TOAST = auto()


class MailboxItem(Base):
    """One outgoing method, or one message of the visitor, numbered per visitor.

    `target` is the message that the line shows, replaces or removes; the number of the line that first
    showed it. `key` makes a line unique: an inbound event or a delivery counts once.
    """

    __tablename__ = "mailbox_item"
    __table_args__ = (UniqueConstraint("contact_id", "seq"), UniqueConstraint("contact_id", "key"))

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    seq: Mapped[int]
    op: Mapped[Op] = mapped_column(word(Op))
    target: Mapped[int]
    mine: Mapped[bool] = mapped_column(default=False)
    content: Mapped[dict[str, Any]]
    key: Mapped[str | None] = mapped_column(String(120))
    at: Mapped[datetime]


@contextmanager
def once(key: str) -> Iterator[None]:
    """Messages sent inside the block are written once, however often the block is repeated."""
    token = _key.set(key)
    try:
        yield
    finally:
        _key.reset(token)


def key() -> str | None:
    """What makes the message that is being sent unique; None outside of `once`."""
    return _key.get()


def topic(contact_id: int) -> str:
    """The wake-up topic of one visitor's mailbox."""
    return f"mailbox:{contact_id}"


async def write(
    session: AsyncSession,
    contact_id: int,
    op: Op,
    content: dict[str, Any],
    *,
    target: int | None = None,
    mine: bool = False,
    key: str | None = None,
    after: int = 0,
    now: datetime,
) -> tuple[MailboxItem, bool]:
    """Add a line to a mailbox and wake its streams; a line with the same `key` is written once.

    `after` is a number that the page has seen already, from a mailbox that was cleared. Returns the line
    and whether it is new.
    """
    # The contact's row is the lock that keeps the numbers of one mailbox in the order of their commits.
    await session.execute(select(Contact.id).where(Contact.id == contact_id).with_for_update())
    if key is not None:
        found = await session.scalar(
            select(MailboxItem).where(MailboxItem.contact_id == contact_id, MailboxItem.key == key)
        )
        if found is not None:
            return found, False
    seq = max(await last(session, contact_id), after) + 1
    item = MailboxItem(
        contact_id=contact_id, seq=seq, op=op, target=target or seq,
        mine=mine, content=content, key=key, at=now,
    )  # fmt: skip
    session.add(item)
    await session.flush()
    ring_after_commit(session, topic(contact_id))
    return item, True


async def remove(session: AsyncSession, contact_id: int, message_id: int, *, now: datetime) -> None:
    """Take a message off the page, and what it said out of the mailbox; a second time changes nothing."""
    shown = (MailboxItem.contact_id == contact_id, MailboxItem.target == message_id)
    gone = await session.scalar(select(MailboxItem.id).where(*shown, MailboxItem.op == Op.REMOVE).limit(1))
    if gone is None:
        await write(session, contact_id, Op.REMOVE, {}, target=message_id, now=now)
        await session.execute(update(MailboxItem).where(*shown).values(content=EMPTY))


async def since(session: AsyncSession, contact_id: int, after: int) -> list[MailboxItem]:
    """The lines after number `after`, in order."""
    rows = await session.scalars(
        select(MailboxItem)
        .where(MailboxItem.contact_id == contact_id, MailboxItem.seq > after)
        .order_by(MailboxItem.seq)
    )
    return list(rows.all())


async def page(session: AsyncSession, contact_id: int) -> tuple[list[MailboxItem], int]:
    """The messages a visitor sees when the page is loaded, and the number of the last line.

    Replacements and removals are applied; toasts have expired.
    """
    newest = await session.scalars(
        select(MailboxItem)
        .where(MailboxItem.contact_id == contact_id)
        .order_by(MailboxItem.seq.desc())
        .limit(SHOWN)
    )
    shown: dict[int, MailboxItem] = {}
    newest_seq = 0
    for item in reversed(newest.all()):
        newest_seq = item.seq
        if item.op is Op.REMOVE:
            shown.pop(item.target, None)
        elif item.op is Op.APPEND:
            shown[item.seq] = item
        elif item.op is Op.REPLACE and item.target in shown:
            shown[item.target] = item
    return list(shown.values()), newest_seq


async def last(session: AsyncSession, contact_id: int) -> int:
    """The number of the newest line, 0 for an empty mailbox."""
    return (
        await session.scalar(select(func.max(MailboxItem.seq)).where(MailboxItem.contact_id == contact_id))
        or 0
    )


async def forget_old(session: AsyncSession, *, now: datetime) -> None:
    """Remove lines that are 30 days old, of visitors who have not written for as long."""
    old = now - KEPT
    gone = select(Contact.id).where(Contact.channel == Channel.WEB, Contact.last_seen_at < old)
    await session.execute(delete(MailboxItem).where(MailboxItem.at < old, MailboxItem.contact_id.in_(gone)))


async def clear(session: AsyncSession, contact_id: int) -> None:
    """Empty a mailbox for good."""
    await session.execute(delete(MailboxItem).where(MailboxItem.contact_id == contact_id))


class WebChatSession(OwnSession):
    """Carries methods into mailboxes; the chat number is the contact's row number."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._store = store
        self._clock = clock

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109  aiogram's signature
    ) -> Any:
        """Write the method down; raises `NotImplementedError` for one that the page cannot show."""
        now = self._clock()
        match method:
            case SendMessage():
                content = _content(bot, method.text, method.parse_mode, method.reply_markup)
                return await self._append(int(method.chat_id), content, now)
            case SendVenue():
                return await self._append(int(method.chat_id), _venue(method), now)
            case EditMessageText() if method.message_id is not None and method.chat_id is not None:
                content = _content(bot, method.text, method.parse_mode, method.reply_markup)
                return await self._replace(int(method.chat_id), method.message_id, content, now)
            case EditMessageReplyMarkup() if method.message_id is not None and method.chat_id is not None:
                return await self._new_buttons(method, now)
            case DeleteMessage():
                async with self._store.transaction() as session:
                    await remove(session, int(method.chat_id), method.message_id, now=now)
                return True
            case AnswerCallbackQuery():
                return await self._toast(method, now)
            case SendChatAction() | SetMyCommands() | DeleteMyCommands():
                # The page has no menu of commands; words do the same.
                return True
            case GetMe():
                return User(id=bot.id, is_bot=True, first_name="One Window", username="web")
        raise NotImplementedError(f"the web chat cannot show {type(method).__name__}")

    async def _append(self, contact_id: int, content: dict[str, Any], now: datetime) -> Message:
        async with self._store.transaction() as session:
            item, _ = await write(session, contact_id, Op.APPEND, content, key=_key.get(), now=now)
        return _message(contact_id, item.seq, content["text"], now)

    async def _replace(
        self, contact_id: int, message_id: int, content: dict[str, Any], now: datetime
    ) -> Message:
        async with self._store.transaction() as session:
            await write(session, contact_id, Op.REPLACE, content, target=message_id, now=now)
        return _message(contact_id, message_id, content["text"], now)

    async def _new_buttons(self, method: EditMessageReplyMarkup, now: datetime) -> Message | bool:
        contact_id, message_id = int(cast(int, method.chat_id)), cast(int, method.message_id)
        async with self._store.transaction() as session:
            shown = await session.scalar(
                select(MailboxItem)
                .where(MailboxItem.contact_id == contact_id, MailboxItem.target == message_id)
                .where(MailboxItem.op.in_((Op.APPEND, Op.REPLACE)))
                .order_by(MailboxItem.seq.desc())
                .limit(1)
            )
            if shown is None:
                return True
            content = {**shown.content, "buttons": _buttons(method.reply_markup)}
            await write(session, contact_id, Op.REPLACE, content, target=message_id, now=now)
        return _message(contact_id, message_id, content["text"], now)

    async def _toast(self, method: AnswerCallbackQuery, now: datetime) -> bool:
        contact_id = int(method.callback_query_id.partition(":")[0])
        if method.text:
            async with self._store.transaction() as session:
                await write(session, contact_id, Op.TOAST, {"text": method.text, "html": False}, now=now)
        return True


def make_bot(store: Store, clock: Callable[[], datetime]) -> Bot:
    """The web chat's bot: its number keeps its conversations apart from every other channel's."""
    return Bot(
        TOKEN, session=WebChatSession(store, clock), default=DefaultBotProperties(parse_mode=ParseMode.HTML)
    )


def _content(bot: Bot, text: str | None, parse_mode: Any, markup: Any) -> dict[str, Any]:
    if isinstance(parse_mode, Default):
        parse_mode = bot.default[parse_mode.name]
    return {"text": text or "", "html": parse_mode == ParseMode.HTML, "buttons": _buttons(markup)}


def _venue(method: SendVenue) -> dict[str, Any]:
    # A card with the address in words: a map would have to be fetched from somebody else.
    return {
        "text": f"{method.title}\n{method.address}",
        "html": False,
        "venue": {"title": method.title, "address": method.address},
        "buttons": _buttons(method.reply_markup),
    }


def _buttons(markup: Any) -> list[list[dict[str, str]]]:
    if not isinstance(markup, InlineKeyboardMarkup):
        return []
    return [
        [
            {
                "text": button.text,
                "action": button.callback_data or "",
                "url": button.url or "",
                "style": str(button.style or ""),
            }
            for button in row
            # What copies a text is of no use here: on a page one marks the text itself.
            if button.callback_data or button.url
        ]
        for row in markup.inline_keyboard
    ]


def _message(contact_id: int, message_id: int, text: str, now: datetime) -> Message:
    return Message(message_id=message_id, date=now, chat=Chat(id=contact_id, type="private"), text=text)
