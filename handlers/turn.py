"""One turn of a conversation: who asks, when, in which transaction, and how to speak back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiogram.methods import SendMessage, TelegramMethod
from aiogram.types import InlineKeyboardMarkup
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import speech
from knowledge.answer import LiveBase
from office.audit import Actor, ActorKind
from office.contacts import Contact
from office.hours import OfficeHours
from office.store import Store
from office.units import Unit
from office.words import say

Reply = list[TelegramMethod[Any]]


@dataclass(frozen=True)
class Desk:
    """What every turn needs of the running machine; handed to the dispatcher once."""

    store: Store
    live: LiveBase
    hours: OfficeHours


@dataclass
class Turn:
    """The asker, the moment and the open transaction of one update.

    Handlers return what is to be sent; it leaves after the commit. `event_id` names the message within the
    chat, so that an edit finds what the message caused.
    """

    session: AsyncSession
    contact: Contact
    district: Unit
    desk: Desk
    now: datetime
    chat_id: int
    event_id: str
    redacted: dict[str, int] = field(default_factory=dict)
    had_id_number: bool = False

    @property
    def lang(self) -> str:
        return self.contact.language

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.CONTACT, self.contact.id, "asker", self.contact.channel.value)

    def words(self, key: str, **facts: Any) -> str:
        """Wording in the contact's language; `phone` and `office` are always at hand."""
        facts.setdefault("phone", self.district.phone)
        facts.setdefault("office", self.district.office_name)
        return say(key, self.lang, **facts)

    def say(self, text: str, keyboard: InlineKeyboardMarkup | None = None) -> Reply:
        """A message, split where it is too long, with the buttons under its last part."""
        pieces = speech.parts(text)
        return [
            SendMessage(
                chat_id=self.chat_id,
                text=piece,
                reply_markup=keyboard if number == len(pieces) else None,
            )
            for number, piece in enumerate(pieces, start=1)
        ]
