"""Telegram: what each failure means for the post room, and which are none."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    RestartingTelegram,
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

from bot.channels import telegram
from handlers import menus

METHOD = SendMessage(chat_id=5001, text="<b>1 &lt; 2</b>\n选民证")
EDIT = EditMessageText(chat_id=5001, message_id=3, text="好")


class Refusing(BaseSession):
    """Answers each call with the next error, then with True; remembers what was asked."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.errors = list(errors)
        self.calls: list[TelegramMethod[Any]] = []

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109  aiogram's signature
    ) -> Any:
        self.calls.append(method)
        if self.errors:
            raise self.errors.pop(0)
        return True

    async def close(self) -> None:
        return None

    async def stream_content(self, *args: Any, **more: Any) -> AsyncGenerator[bytes, None]:
        raise NotImplementedError
        yield b""


def bad(message: str) -> TelegramBadRequest:
    return TelegramBadRequest(METHOD, f"Bad Request: {message}")


def refusing(*errors: Exception) -> tuple[Bot, Refusing]:
    session = Refusing(*errors)
    session.middleware(telegram.Softened())
    bot = telegram.make_bot("123456:refused")
    bot.session = session
    return bot, session


@pytest.mark.parametrize(
    ("error", "permanent", "retry_after", "moved_to"),
    [
        (TelegramRetryAfter(METHOD, "slow down", 17), False, 17, None),
        (TelegramMigrateToChat(METHOD, "moved", -1001), False, None, "-1001"),
        (TelegramForbiddenError(METHOD, "Forbidden: bot was blocked by the user"), True, None, None),
        (TelegramForbiddenError(METHOD, "Forbidden: bot was kicked from the group"), True, None, None),
        (TelegramForbiddenError(METHOD, "Forbidden: user is deactivated"), True, None, None),
        (bad("chat not found"), True, None, None),
        (bad("PEER_ID_INVALID"), True, None, None),
        (bad("message text is empty"), False, None, None),
        (bad("not enough rights to send text messages to the chat"), False, None, None),
        (TelegramServerError(METHOD, "Bad Gateway"), False, None, None),
        (RestartingTelegram(METHOD, "restarting"), False, None, None),
        (TelegramNetworkError(METHOD, "no route"), False, None, None),
        (TelegramEntityTooLarge(METHOD, "too large"), False, None, None),
        (TelegramUnauthorizedError(METHOD, "Unauthorized"), False, 60, None),
        (TelegramNotFound(METHOD, "Not Found"), False, 60, None),
        (TelegramConflictError(METHOD, "Conflict"), False, 60, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_failures_are_translated(
    error: AiogramError, permanent: bool, retry_after: float | None, moved_to: str | None
) -> None:
    found = telegram.translated(error)
    assert (found.permanent, found.retry_after, found.moved_to) == (permanent, retry_after, moved_to)
    assert type(error).__name__ in found.reason


@pytest.mark.parametrize(
    ("words", "became"),
    [
        ("message is not modified: specified new message content is exactly the same", True),
        ("message to edit not found", False),
        ("message can't be edited", False),
        ("message to delete not found", True),
        ("query is too old and response timeout expired or query ID is invalid", True),
    ],
)
async def test_refusals_that_harm_nobody_count_as_done(words: str, became: bool) -> None:
    """False says that the message stands there unchanged: whoever needs it otherwise says it anew."""
    bot, session = refusing(bad(words))
    assert await bot(EDIT) is became
    assert len(session.calls) == 1


async def test_unreadable_markup_goes_out_plain(caplog: pytest.LogCaptureFixture) -> None:
    bot, session = refusing(bad("can't parse entities: unsupported start tag"))
    await bot(METHOD)
    first, second = session.calls
    assert first == METHOD
    assert isinstance(second, SendMessage)
    assert (second.text, second.parse_mode) == ("1 < 2\n选民证", None)
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


async def test_an_answer_newer_than_the_library_counts_as_sent(caplog: pytest.LogCaptureFixture) -> None:
    bot, session = refusing(ClientDecodeError("failed", ValueError("x"), {"ok": True}))
    assert await bot(METHOD) is True
    assert len(session.calls) == 1
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


async def test_every_other_refusal_stays_one() -> None:
    bot, _ = refusing(bad("chat not found"))
    with pytest.raises(TelegramBadRequest):
        await bot(METHOD)


def test_what_may_mean_that_telegram_is_away() -> None:
    away: list[TelegramAPIError] = [TelegramNetworkError(METHOD, "x"), TelegramServerError(METHOD, "x")]
    assert all(telegram.perhaps_away(error) for error in [*away, TimeoutError()])
    assert not telegram.perhaps_away(bad("chat not found"))


async def test_the_token_shows_in_no_failure() -> None:
    bot = telegram.make_bot("123456:hidden-token", "http://127.0.0.1:9")
    with pytest.raises(TelegramNetworkError) as caught:
        await bot.get_me()
    await bot.session.close()
    assert "hidden" not in str(caught.value) + repr(caught.value) + repr(bot)
    assert "hidden" not in telegram.translated(caught.value).reason


async def test_commands_are_set_in_both_languages_for_both_kinds_of_chat() -> None:
    bot, session = refusing()
    await telegram.publish_commands(bot)
    found = [(call.language_code, call.scope.type, len(call.commands)) for call in session.calls]  # type: ignore[attr-defined]
    assert sorted(found, key=str) == sorted(
        [
            (language, scope, count)
            for language in (None, "en")
            for scope, count in (
                ("all_private_chats", len(menus.PRIVATE)),
                ("all_group_chats", len(menus.GROUP)),
                ("all_chat_administrators", len(menus.GROUP_ADMINISTRATORS)),
            )
        ],
        key=str,
    )
    for call in session.calls:
        for command in call.commands:  # type: ignore[attr-defined]
            assert re.fullmatch(r"[a-z0-9_]{1,32}", command.command)
            assert 1 <= len(command.description) <= 256


def test_messages_are_html_without_previews() -> None:
    bot = telegram.make_bot("123456:x")
    assert bot.default.parse_mode == ParseMode.HTML
    assert bot.default.link_preview
    assert bot.default.link_preview.is_disabled
