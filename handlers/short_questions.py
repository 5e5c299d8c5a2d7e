"""A few words of staff without a command: looked up in the whole base, before they are a question."""

from __future__ import annotations

from typing import Any

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.types import Message, TelegramObject

from handlers import doorstep
from handlers.cases import LONGEST_MATCHED
from handlers.plain_words import choice, meaning, refuses, says_something
from handlers.staff_chat import OnStaff
from handlers.turn import Reply, Turn
from knowledge.gate import gate
from knowledge.text import is_greeting, split_questions
from office.staff import Staff

router = Router(name="short_questions")


class Short(OnStaff):
    """Passes a short question of staff; what means something else to the conversation goes on to it."""

    async def __call__(self, event: TelegramObject, turn: Turn) -> bool | dict[str, Any]:
        words = (event.text or "").strip() if isinstance(event, Message) else ""
        if not words or words.startswith("/") or len(words) > LONGEST_MATCHED or not _asks(words):
            return False
        return await super().__call__(event, turn)


def _asks(words: str) -> bool:
    other = meaning(words) is not None or choice(words) is not None or refuses(words) or is_greeting(words)
    if other or not says_something(words) or gate(words) is not None:
        return False
    return len(split_questions(words)) == 1


@router.message(StateFilter(None), F.text, Short())
async def typed(message: Message, turn: Turn, person: Staff) -> Reply:
    return await doorstep.search(turn, person, message.text or "")
