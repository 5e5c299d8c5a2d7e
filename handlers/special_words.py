"""What askers are told of special handling: that staff will be in touch, and what became of a file."""

from __future__ import annotations

from typing import Any

from aiogram.types import InlineKeyboardMarkup

from handlers import keyboards
from office.words import say

Built = tuple[str, InlineKeyboardMarkup | None]


def offline(facts: dict[str, Any], lang: str) -> Built:
    """Which question it is, 将由工作人员与您联系, and nothing of the matter."""
    return say("offline", lang, no=facts["no"]), keyboards.after_ticket(lang)


def file_refused(facts: dict[str, Any], lang: str) -> Built:
    """A picture or file that could not be kept."""
    return say(f"file_refused.{facts['why']}", lang, no=facts["no"]), None
