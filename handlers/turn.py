"""One turn of a conversation: who asks, when, in which transaction, and how to speak back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiogram.methods import SendMessage, TelegramMethod
from aiogram.types import InlineKeyboardMarkup, ReplyKeyboardMarkup, ReplyKeyboardRemove
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import speech
from handlers.sparing import Sparing
from knowledge.live import LiveBase
from knowledge.live_stations import LiveStations
from knowledge.roll.lookups import Lookups
from office.audit import Actor, ActorKind
from office.contacts import Contact
from office.hours import OfficeHours
from office.seal import Sealer
from office.store import Store
from office.units import Unit
from office.words import say

Reply = list[TelegramMethod[Any]]
Keyboard = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Desk:
    """What every turn needs of the running machine; handed to the dispatcher once.

    `clock` gives the present moment, aware UTC. `public_url` is where the pages are reached from
    outside, empty where they are not. `ephemeral`: in groups, answers that only the asker sees may be tried.
    """

    store: Store
    live: LiveBase
    clock: Callable[[], datetime] = _now
    public_url: str = ""
    stations: LiveStations = field(default_factory=LiveStations)
    lookups: Lookups = field(default_factory=Lookups)
    sealer: Sealer = field(default_factory=lambda: Sealer(b""))
    ephemeral: bool = False


@dataclass
class Turn:
    """The asker, the moment and the open transaction of one update.

    Handlers return what is to be sent; it leaves after the commit. `event_id` names the message within the
    chat, so that an edit finds what the message caused. `redacted` counts the personal numbers that were
    taken out of the message before anything else saw it, `identity_taken` says whether an identity number was
    among them, `receipt` is a receipt code that was. `network` is
    an opaque key of where the message came from, empty where nobody knows. `begun` is set by a lookup, on the
    monotonic clock: its reply leaves after the floor time.
    """

    session: AsyncSession
    contact: Contact
    district: Unit
    desk: Desk
    hours: OfficeHours
    now: datetime
    chat_id: int
    event_id: str
    sparing: Sparing
    redacted: dict[str, int] = field(default_factory=dict)
    identity_taken: bool = False
    receipt: str = field(default="", repr=False)
    network: str = ""
    begun: float | None = None

    @property
    def lang(self) -> str:
        return self.contact.language

    @property
    def large(self) -> bool:
        """Whether the contact reads the large-print view."""
        return self.contact.text_size != "standard"

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.CONTACT, self.contact.id, "asker", self.contact.channel.value)

    def first_in(self, what: str, span: timedelta) -> bool:
        """Whether `what` was not said to this contact within `span`; a hint, not a fact."""
        return self.sparing.first_in(f"{what}:{self.contact.id}", span, self.now)

    def words(self, key: str, **facts: Any) -> str:
        """Wording in the contact's language; `phone` and `office` are always at hand."""
        facts.setdefault("phone", self.district.phone)
        facts.setdefault("office", self.district.office_name)
        return say(key, self.lang, **facts)

    def say(self, text: str, keyboard: Keyboard | None = None) -> Reply:
        """A message, split where it is too long, with the buttons under its last part.

        The large-print view shows the phone number in every message.
        """
        if self.large and self.district.phone not in text:
            text += "\n" + self.words("phone_line")
        pieces = speech.parts(text)
        return [
            SendMessage(
                chat_id=self.chat_id,
                text=piece,
                reply_markup=keyboard if number == len(pieces) else None,
            )
            for number, piece in enumerate(pieces, start=1)
        ]
