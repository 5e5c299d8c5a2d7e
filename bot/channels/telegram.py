"""Telegram as a channel: the bot, its command menus, and what each failure means."""

from __future__ import annotations

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    LinkPreviewOptions,
)

from office.outbox import Undeliverable
from office.words import say

# Written out, because the default of the Bot API leaves out what tells us that we were blocked.
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
PRIVATE_COMMANDS = ("start", "when", "status", "human", "mine", "big", "privacy", "forget", "help")
GROUP_COMMANDS = ("ask", "help")
PERMANENT = ("chat not found", "user is deactivated", "peer_id_invalid", "bot was kicked")


def make_bot(token: str, api_url: str | None = None) -> Bot:
    """The Telegram bot; `api_url` is another Bot API server, for a local one or for tests."""
    server = TelegramAPIServer.from_base(api_url) if api_url else PRODUCTION
    return Bot(
        token,
        session=AiohttpSession(api=server),
        default=DefaultBotProperties(
            parse_mode=ParseMode.HTML, link_preview=LinkPreviewOptions(is_disabled=True)
        ),
    )


async def publish_commands(bot: Bot) -> None:
    """Set the command menus in Chinese, and in English for those who use it."""
    for language in (None, "en"):
        words = "en" if language else "zh_CN"
        for names, scope in (
            (PRIVATE_COMMANDS, BotCommandScopeAllPrivateChats()),
            (GROUP_COMMANDS, BotCommandScopeAllGroupChats()),
        ):
            commands = [BotCommand(command=name, description=say(f"command.{name}", words)) for name in names]
            await bot.set_my_commands(commands, scope=scope, language_code=language)


def translated(error: TelegramAPIError) -> Undeliverable:
    """What a failed send means for the post room."""
    reason = f"{type(error).__name__}: {error.message}"
    match error:
        case TelegramRetryAfter():
            return Undeliverable(reason, retry_after=error.retry_after)
        case TelegramMigrateToChat():
            return Undeliverable(reason, moved_to=str(error.migrate_to_chat_id))
        case TelegramForbiddenError():
            return Undeliverable(reason, permanent=True)
        case TelegramBadRequest() if any(words in error.message.lower() for words in PERMANENT):
            return Undeliverable(reason, permanent=True)
        case TelegramUnauthorizedError():
            # A wrong token says nothing about the contact: the message stays due.
            return Undeliverable(reason, retry_after=60)
        case TelegramNetworkError() | ClientDecodeError():
            return Undeliverable(reason)
    return Undeliverable(reason)
