"""The outer edge of a turn: what handlers returned is sent after the commit, and failures become words."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Any

from aiogram import BaseMiddleware, Bot
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.enums import ChatType
from aiogram.exceptions import (
    AiogramError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import AnswerCallbackQuery, DeleteMessage, SendMessage, TelegramMethod
from aiogram.types import Chat, InlineKeyboardMarkup, Message, TelegramObject, Update, User
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from handlers import passing, speech, unwanted
from handlers.passing import Passing
from handlers.sparing import Sparing
from handlers.turn import Desk, Turn
from handlers.unwanted import Unwanted
from office import contacts, outbox
from office.contacts import Channel, ContactState
from office.errors import DeskError, NotFound, NotPermitted
from office.words import CHINESE, say

log = logging.getLogger(__name__)
Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]
Methods = list[TelegramMethod[Any]]

# Drivers raise the operating system's errors as they are when nobody listens at the other end.
DOWN = (OperationalError, InterfaceError, PoolTimeout, OSError)
EXCUSE_EVERY = timedelta(minutes=10)


@dataclass(frozen=True)
class Asker:
    """Who caused an update, as plain values: a row is no use any more once its transaction was undone."""

    channel: Channel
    address: str
    language: str


class Replies(BaseMiddleware):
    """Sends what handlers returned, after their transaction is committed.

    A refusal becomes words; any other failure becomes one fixed text with the phone number. Replies are
    sent at most once, except that one which fails for a passing reason goes to the outbox. A database
    that cannot be reached is raised again, so that the channel keeps the update.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.sparing = Sparing()
        self.phone = ""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, Update)
        bot: Bot = data["bot"]
        try:
            result = await handler(event, data)
        except DeskError as error:
            result = self._refused(event, data, error)
        except Exception as error:
            if _is_down(error):
                log.exception("the database could not be reached for update %s", event.update_id)
                chat, _ = asker_of(event)
                # Until it is back, the channel sends the same update again and again.
                key = f"down:{chat.id if chat else 0}"
                if self.sparing.first_in(key, EXCUSE_EVERY, self._desk.clock()):
                    await self._deliver(bot, event, data, self._excuse(event, data, "db_down"))
                raise
            log.exception("update %s failed", event.update_id)
            result = self._excuse(event, data, "went_wrong")
        if result is UNHANDLED or result is None:
            result = []
        methods = result if isinstance(result, list) else [result]
        await self._in_time(data)
        await self._deliver(bot, event, data, [m for m in methods if isinstance(m, TelegramMethod)])
        # Polling would send a returned method once more.
        return None

    async def _deliver(self, bot: Bot, event: Update, data: dict[str, Any], methods: Methods) -> None:
        chat, _ = asker_of(event)
        private = chat is not None and chat.type == ChatType.PRIVATE
        for number, method in enumerate(methods):
            try:
                if isinstance(method, Passing):
                    await self._send_passing(bot, method, data)
                elif isinstance(method, Unwanted):
                    await unwanted.removed(bot, method, self._desk, self.sparing)
                else:
                    await self._send(bot, method)
            except TelegramForbiddenError:
                if private:
                    await self._lost(data)
                return
            except (TelegramNetworkError, TelegramRetryAfter, TelegramServerError) as error:
                log.warning("a reply could not be sent: %s", type(error).__name__)
                if private:
                    # In a group it would come too late, and without what it replied to.
                    await self._later(data, methods[number:])
                return
            except AiogramError as error:
                log.warning("%s was refused: %s", type(method).__name__, error)

    async def _send(self, bot: Bot, method: TelegramMethod[Any]) -> Any:
        try:
            return await bot(method)
        except TelegramMigrateToChat as moved:
            return await bot(method.model_copy(update={"chat_id": moved.migrate_to_chat_id}))

    async def _in_time(self, data: dict[str, Any]) -> None:
        """Wait, with no transaction open, until no reply to a lookup tells by its time what it says."""
        turn: Turn | None = data.get("turn")
        if turn is not None and turn.begun is not None:
            await self._desk.lookups.settle(turn.begun)

    async def _send_passing(self, bot: Bot, method: Passing, data: dict[str, Any]) -> None:
        """Send it and have it taken away in time; what cannot be promised to go away does not stay."""
        sent, asker = await self._send(bot, method), data.get("asker")
        if not isinstance(sent, Message) or asker is None:
            log.critical("a message that should go away has no number by which to delete it")
            return
        if not await self._taken_away(asker, sent.message_id, method.stays):
            await bot(DeleteMessage(chat_id=method.chat_id, message_id=sent.message_id))
            await bot(_once_more(method, data))

    async def _taken_away(self, asker: Asker, message_id: int, stays: timedelta) -> bool:
        try:
            async with self._desk.store.transaction() as session:
                found = await contacts.find(session, asker.channel, asker.address)
                if found is not None:
                    now = self._desk.clock()
                    await passing.take_away(session, found, message_id, stays=stays, now=now)
        except (SQLAlchemyError, OSError):
            log.exception("a message that should go away later goes at once")
            return False
        return found is not None

    async def _later(self, data: dict[str, Any], methods: Methods) -> None:
        asker: Asker | None = data.get("asker")
        if asker is None:
            return
        try:
            async with self._desk.store.transaction() as session:
                # A contact whose first message was rolled back is not there to be written to.
                found = await contacts.find(session, asker.channel, asker.address)
                if found is None:
                    return
                for number, method in enumerate(methods):
                    if isinstance(method, Passing):
                        method = _once_more(method, data)
                    if isinstance(method, SendMessage):
                        await outbox.put(
                            session, found, "reply", _facts(method), now=self._desk.clock(),
                            key=f"reply:{found.channel.value}:{data['event_id']}:{number}",
                            subject=f"contact:{found.id}",
                        )  # fmt: skip
        except (SQLAlchemyError, OSError):
            log.exception("a reply was lost, because it could not be kept either")

    async def _lost(self, data: dict[str, Any]) -> None:
        asker: Asker | None = data.get("asker")
        if asker is None:
            return
        try:
            async with self._desk.store.transaction() as session:
                found = await contacts.find(session, asker.channel, asker.address)
                if found is not None:
                    found.state = ContactState.LOST
        except (SQLAlchemyError, OSError):
            log.exception("a contact that cannot be reached could not be marked")

    def _refused(self, event: Update, data: dict[str, Any], error: DeskError) -> Methods:
        if isinstance(error, NotFound | NotPermitted):
            log.warning("update %s was refused: %s", event.update_id, error.key)
        # A refusal without a key is one that has just been put into words.
        return _words_for(event, speech.refusal(error, _language(data))) if error.key else []

    def _excuse(self, event: Update, data: dict[str, Any], key: str) -> Methods:
        # The phone number is not known before the database was reached once.
        key = key if self.phone else f"{key}.no_phone"
        return _words_for(event, say(key, _language(data), phone=self.phone))


def asker_of(event: Update) -> tuple[Chat | None, User | None]:
    """The chat an update belongs to and the person who caused it, where there are such."""
    if event.callback_query is not None:
        tapped = event.callback_query.message
        return (tapped.chat if tapped else None), event.callback_query.from_user
    message = event.message or event.edited_message
    if message is not None:
        return message.chat, message.from_user
    if event.my_chat_member is not None:
        return event.my_chat_member.chat, event.my_chat_member.from_user
    return None, None


def _is_down(error: Exception) -> bool:
    return isinstance(error, DOWN) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def _language(data: dict[str, Any]) -> str:
    asker: Asker | None = data.get("asker")
    return asker.language if asker else CHINESE


def _once_more(method: Passing, data: dict[str, Any]) -> SendMessage:
    # By the time it could be sent, what it said may be wrong or somebody else's to read.
    return SendMessage(chat_id=method.chat_id, text=say("lookupchat.once_more", _language(data)))


def _facts(method: SendMessage) -> dict[str, Any]:
    buttons = method.reply_markup
    return {
        # Deliveries are HTML.
        "text": escape(method.text) if method.parse_mode is None else method.text,
        "buttons": buttons.model_dump(mode="json", exclude_none=True)
        if isinstance(buttons, InlineKeyboardMarkup)
        else None,
    }


def _words_for(event: Update, text: str) -> Methods:
    if event.callback_query is not None:
        return [AnswerCallbackQuery(callback_query_id=event.callback_query.id, text=text[:200])]
    chat, _ = asker_of(event)
    if chat is None or event.my_chat_member is not None:
        return []
    return [SendMessage(chat_id=chat.id, text=text, parse_mode=None)]
