"""What the channels have in common that are no Telegram: aiogram's methods go another way."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from aiogram.client.session.base import BaseSession


class OwnSession(BaseSession):
    """A session behind which there is no Bot API: `make_request` carries the methods where they belong."""

    async def close(self) -> None:
        """Let go of what is held open: nothing."""

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,  # noqa: ASYNC109  aiogram's signature
        chunk_size: int = 65536,
        raise_for_status: bool = True,
    ) -> AsyncGenerator[bytes, None]:
        """Nothing that is sent here can be fetched from Telegram."""
        raise NotImplementedError("this channel has no files")
        yield b""
