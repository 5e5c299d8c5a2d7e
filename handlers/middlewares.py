"""Around every update: replies after the commit, one transaction, events that count once, redaction first."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiogram import BaseMiddleware, Bot
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
)
from aiogram.methods import AnswerCallbackQuery, DeleteMessage, SendMessage, TelegramMethod
from aiogram.types import CallbackQuery, Chat, InlineKeyboardMarkup, Message, TelegramObject, Update, User
from sqlalchemy.exc import SQLAlchemyError

from handlers import speech
from handlers.turn import Desk, Turn
from office import contacts, outbox, redact, units
from office.contacts import Channel, Contact, ContactKind, ContactState
from office.errors import DeskError
from office.words import CHINESE, say

log = logging.getLogger(__name__)
Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class Replies(BaseMiddleware):
    """The outer edge: sends what handlers returned, after their transaction is committed.

    A refusal becomes words; any other failure becomes one fixed text with the phone number. Replies are
    sent at most once, except that one which fails for a passing reason goes to the outbox.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, Update)
        bot: Bot = data["bot"]
        try:
            result = await handler(event, data)
        except DeskError as error:
            result = self._refused(event, error)
        except SQLAlchemyError:
            log.exception("the database failed while update %s was handled", event.update_id)
            await self._deliver(bot, data, self._excuse(event, "db_down"))
            raise
        except Exception:
            log.exception("update %s failed", event.update_id)
            result = self._excuse(event, "went_wrong")
        if result is UNHANDLED or result is None:
            result = []
        methods = result if isinstance(result, list) else [result]
        await self._deliver(bot, data, [m for m in methods if isinstance(m, TelegramMethod)])
        # Polling would send a returned method once more.
        return None

    async def _deliver(self, bot: Bot, data: dict[str, Any], methods: list[TelegramMethod[Any]]) -> None:
        for number, method in enumerate(methods):
            try:
                await bot(method)
            except TelegramForbiddenError:
                await self._lost(data)
                return
            except (TelegramNetworkError, TelegramRetryAfter):
                await self._later(data, methods[number:])
                return
            except TelegramAPIError:
                log.warning("%s was refused", type(method).__name__, exc_info=True)

    async def _later(self, data: dict[str, Any], methods: list[TelegramMethod[Any]]) -> None:
        contact: Contact | None = data.get("contact")
        if contact is None:
            return
        now = datetime.now(UTC)
        async with self._desk.store.transaction() as session:
            for number, method in enumerate(methods):
                if isinstance(method, SendMessage):
                    buttons = method.reply_markup
                    facts = {
                        "text": method.text,
                        "buttons": buttons.model_dump(mode="json", exclude_none=True)
                        if isinstance(buttons, InlineKeyboardMarkup)
                        else None,
                    }
                    await outbox.put(
                        session, contact, "reply", facts, now=now,
                        key=f"reply:{contact.channel.value}:{data['event_id']}:{number}",
                        subject=f"contact:{contact.id}",
                    )  # fmt: skip

    async def _lost(self, data: dict[str, Any]) -> None:
        contact: Contact | None = data.get("contact")
        if contact is None:
            return
        async with self._desk.store.transaction() as session:
            (await contacts.get(session, contact.id)).state = ContactState.LOST

    def _refused(self, event: Update, error: DeskError) -> list[TelegramMethod[Any]]:
        return _words_for(event, speech.refusal(error, CHINESE))

    def _excuse(self, event: Update, key: str) -> list[TelegramMethod[Any]]:
        return _words_for(event, say(key, CHINESE, phone=self.phone))

    phone = ""


class Transactions(BaseMiddleware):
    """One update is one transaction; an event that came before is passed over without a word."""

    def __init__(self, desk: Desk, replies: Replies) -> None:
        self._desk = desk
        self._replies = replies

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, Update)
        channel: Channel = data.get("channel", Channel.TELEGRAM)
        event_id: str = data.setdefault("event_id", str(event.update_id))
        chat, person = _where(event)
        if chat is None or person is None:
            return None
        now = datetime.now(UTC)
        async with self._desk.store.transaction() as session:
            if not await contacts.first_time(session, channel, event_id, now=now):
                return None
            district = await units.election_office(session)
            self._replies.phone = district.phone
            if channel is Channel.WEB:
                contact = await contacts.get(session, person.id)
                contact.last_seen_at = now
            else:
                # In a group the person is the asker: what they ask is answered, and counted, per person.
                contact = await contacts.seen(
                    session, channel, str(person.id), kind=ContactKind.PRIVATE, now=now
                )
            data["contact"] = contact
            clean, found, has_id = _redacted(event, (district.phone,))
            data["turn"] = Turn(
                session=session, contact=contact, district=district, desk=self._desk, now=now,
                chat_id=chat.id, event_id=_message_name(event) or event_id,
                redacted=found, had_id_number=has_id,
            )  # fmt: skip
            result = await handler(clean, data)
        if has_id and event.message is not None and chat.type == "private":
            extra: list[TelegramMethod[Any]] = [
                DeleteMessage(chat_id=chat.id, message_id=event.message.message_id)
            ]
            listed = result if isinstance(result, list) else [result] if result else []
            result = [*extra, *listed]
        return result


def _where(event: Update) -> tuple[Chat | None, User | None]:
    if event.callback_query is not None:
        message = event.callback_query.message
        return (message.chat if message else None), event.callback_query.from_user
    message = event.message or event.edited_message
    if message is not None:
        return message.chat, message.from_user
    if event.my_chat_member is not None:
        return event.my_chat_member.chat, event.my_chat_member.from_user
    return None, None


def _message_name(event: Update) -> str:
    message = event.message or event.edited_message
    return f"m{message.chat.id}:{message.message_id}" if message else ""


def _redacted(event: Update, published: tuple[str, ...]) -> tuple[Update, dict[str, int], bool]:
    """A copy of the update without personal numbers; nothing after this point sees the original."""
    for name in ("message", "edited_message"):
        message: Message | None = getattr(event, name)
        raw = message and (message.text or message.caption)
        if message is None or not raw:
            continue
        clean = redact.text(raw, published=published)
        if not clean.counts:
            return event, {}, False
        field = "text" if message.text else "caption"
        copy = message.model_copy(update={field: clean.text, "entities": None, "caption_entities": None})
        return event.model_copy(update={name: copy}), dict(clean.counts), redact.has_id_number(raw)
    return event, {}, False


def _words_for(event: Update, text: str) -> list[TelegramMethod[Any]]:
    tapped: CallbackQuery | None = event.callback_query
    methods: list[TelegramMethod[Any]] = []
    if tapped is not None:
        methods.append(AnswerCallbackQuery(callback_query_id=tapped.id, text=text[:200]))
        return methods
    chat, _ = _where(event)
    if chat is not None:
        methods.append(SendMessage(chat_id=chat.id, text=text, parse_mode=None))
    return methods
