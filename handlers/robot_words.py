"""What a group is told to see whether its robot works."""

from __future__ import annotations

from html import escape
from typing import Any

from aiogram.types import InlineKeyboardMarkup

from office.words import say


def works(facts: dict[str, Any], lang: str) -> tuple[str, InlineKeyboardMarkup | None]:
    """The test message: who will speak here, and to whom."""
    return say("robot.test", lang, office=escape(facts["office"]), unit=escape(facts["unit"])), None
