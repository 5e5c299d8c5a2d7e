"""Telegram as a channel: the bot, its command menus, and what each failure means."""

from __future__ import annotations

import logging
import re
from html import unescape
from typing import Any

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import EditMessageText, SendMessage, TelegramMethod
from aiogram.types import (
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    LinkPreviewOptions,
)
from aiohttp import ClientConnectorError

from handlers import menus
from handlers.unwanted import Unwanted
from office.outbox import Undeliverable

log = logging.getLogger(__name__)

# Written out, because the default of the Bot API leaves out what tells us that we were blocked.
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
# The reasons of a bad request that mean: nobody is there to be reached.
GONE = ("chat not found", "user is deactivated", "peer_id_invalid", "bot was kicked", "user not found")
# The reasons that mean: what we wanted is so already, or cannot be had any more and costs nobody anything.
# A tap that was answered late is the commonest.
DONE = (
    "message is not modified",
    "message to delete not found",
    "message can't be deleted",
    "query is too old",
)
# The reasons that mean: what stands there stays as it is. Whoever needs it said otherwise says it anew.
UNEDITABLE = ("message to edit not found", "message can't be edited")
UNREADABLE = "can't parse entities"
# The topic of a group was closed or removed: the message is still worth sending.
NO_TOPIC = ("message thread not found", "topic_closed", "topic closed", "topic_deleted")
WAIT_FOR_REPAIR = 60.0
# A refusal for speed that does not say how long: the library then has no class of its own for it.
TOO_MANY = "too many requests"
UNSAID_WAIT = 30.0


class Softened(BaseRequestMiddleware):
    """Turns refusals that harm nobody into successes, and unreadable markup into plain text.

    A method that was refused because it had nothing to do returns True; an edit of a message that cannot be
    edited (any more) returns False.
    """

    async def __call__(
        self, make_request: NextRequestMiddlewareType[Any], bot: Bot, method: TelegramMethod[Any]
    ) -> Any:
        try:
            return await make_request(bot, method)
        except ClientDecodeError:
            # Telegram took the message and answered in words newer than the library's.
            log.critical("Telegram answered %s in an unknown form", type(method).__name__)
            return True
        except TelegramBadRequest as error:
            reason = error.message.lower()
            if _any(DONE, reason) and not isinstance(method, Unwanted):
                return True
            if _any(UNEDITABLE, reason):
                return False
            if isinstance(method, SendMessage) and method.message_thread_id and _any(NO_TOPIC, reason):
                return await make_request(bot, method.model_copy(update={"message_thread_id": None}))
            if UNREADABLE in reason and isinstance(method, SendMessage | EditMessageText) and method.text:
                log.critical("our own markup was refused; the text went out plain: %s", error.message)
                plain = {"text": plain_text(method.text), "parse_mode": None, "entities": None}
                return await make_request(bot, method.model_copy(update=plain))
            raise


def _any(reasons: tuple[str, ...], reason: str) -> bool:
    return any(words in reason for words in reasons)


def plain_text(html: str) -> str:
    """A message without its markup."""
    return unescape(re.sub(r"</?[a-z][^<>]*>", "", html))


def make_bot(token: str, api_url: str | None = None) -> Bot:
    """The Telegram bot; `api_url` is another Bot API server, for a local one or for tests."""
    server = TelegramAPIServer.from_base(api_url) if api_url else PRODUCTION
    session = AiohttpSession(api=server)
    session.middleware(Softened())
    return Bot(
        token,
        session=session,
        default=DefaultBotProperties(
            parse_mode=ParseMode.HTML, link_preview=LinkPreviewOptions(is_disabled=True)
        ),
    )


async def publish_commands(bot: Bot, *, ephemeral: bool = False) -> None:
    """Set the command menus in Chinese, and in English for those who use it.

    `ephemeral`: questions in groups may be sent so that nobody else sees them.
    """
    for language in (None, "en"):
        words = "en" if language else "zh_CN"
        for names, scope in (
            (menus.PRIVATE, BotCommandScopeAllPrivateChats()),
            (menus.GROUP, BotCommandScopeAllGroupChats()),
            (menus.GROUP_ADMINISTRATORS, BotCommandScopeAllChatAdministrators()),
        ):
            commands = menus.commands(names, words, ephemeral=ephemeral)
            await bot.set_my_commands(commands, scope=scope, language_code=language)


def broken(error: AiogramError) -> bool:
    """Whether a failure says something about the channel and not about the message: token or set-up."""
    return isinstance(error, TelegramUnauthorizedError | TelegramNotFound | TelegramConflictError)


def perhaps_away(error: Exception) -> bool:
    """Whether the reason may be that Telegram is out of reach; the message itself is then not at fault."""
    return isinstance(error, TelegramNetworkError | TelegramServerError | TimeoutError)


def perhaps_arrived(error: Exception) -> bool:
    """Whether a failed send may have arrived: unless no connection came about, nobody knows."""
    if isinstance(error, TelegramEntityTooLarge) or isinstance(error.__cause__, ClientConnectorError):
        return False
    return perhaps_away(error)


def translated(error: AiogramError | TimeoutError) -> Undeliverable:
    """What a failed send means for the post room."""
    message = getattr(error, "message", "")
    reason = f"{type(error).__name__}: {message}".removesuffix(": ")
    match error:
        case TelegramRetryAfter():
            return Undeliverable(reason, retry_after=error.retry_after)
        case TelegramMigrateToChat():
            return Undeliverable(reason, moved_to=str(error.migrate_to_chat_id))
        case TelegramForbiddenError():
            return Undeliverable(reason, permanent=True)
        case TelegramBadRequest() if _any(GONE, message.lower()):
            return Undeliverable(reason, permanent=True)
        case TelegramAPIError() if message.lower().startswith(TOO_MANY):
            said = re.search(r"retry after (\d+)", message, re.IGNORECASE)
            return Undeliverable(reason, retry_after=float(said[1]) if said else UNSAID_WAIT)
        case AiogramError() if broken(error):
            # A wrong token says nothing about the contact: the message stays due.
            return Undeliverable(reason, retry_after=WAIT_FOR_REPAIR)
    return Undeliverable(reason, uncertain=perhaps_arrived(error))
