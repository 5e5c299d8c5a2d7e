"""Around every update: one transaction, events that count once, redaction before anybody looks."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from aiogram import BaseMiddleware
from aiogram.enums import ChatType
from aiogram.fsm.context import FSMContext
from aiogram.methods import AnswerCallbackQuery, DeleteMessage, SendMessage, TelegramMethod
from aiogram.types import Message, TelegramObject, Update
from sqlalchemy.ext.asyncio import AsyncSession

from handlers import lookup_keyboards, lookup_memory, zones
from handlers.replies import Asker, Replies, asker_of
from handlers.turn import Desk, Reply, Turn
from handlers.unwanted import unwanted
from office import budgets, contacts, redact, units, worktime
from office.contacts import Channel, Contact, ContactKind
from office.errors import TooMany
from office.words import CHINESE, say

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]
PER_MINUTE = 30
SLOW_DOWN_EVERY = timedelta(seconds=10)
NO_TEXT = frozenset({"Cc", "Cs", "Co", "Cn"})


class Transactions(BaseMiddleware):
    """One update is one transaction; an event that came before is passed over without a word."""

    def __init__(self, desk: Desk, replies: Replies) -> None:
        self._desk = desk
        self._replies = replies

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, Update)
        channel: Channel = data.setdefault("channel", Channel.TELEGRAM)
        event_id: str = data.setdefault("event_id", str(event.update_id))
        chat, person = asker_of(event)
        if chat is None or person is None:
            return _nowhere(event)
        now = self._desk.clock()
        private = chat.type == ChatType.PRIVATE
        async with self._desk.store.transaction() as session:
            if not await contacts.first_time(session, channel, event_id, now=now):
                return None
            district = await units.election_office(session)
            self._replies.phone = district.phone
            contact = await _contact(session, channel, person.id, now)
            data["asker"] = Asker(contact.channel, contact.address, contact.language)
            if event.my_chat_member is None:
                await self._not_too_fast(session, contact, now, aloud=private)
            clean, found, has_id = _clean(event, await units.published_numbers(session))
            clean, code = await _without_code(clean, data.get("state"), now)
            turn = Turn(
                session=session, contact=contact, district=district, desk=self._desk,
                hours=await worktime.hours(session, now=now), now=now,
                chat_id=chat.id, event_id=_message_name(event) or event_id,
                sparing=self._replies.sparing, redacted=found, identity_taken=has_id,
                receipt=code if private else "", network=data.get("network", ""),
            )  # fmt: skip
            data["turn"] = turn
            result = await handler(clean, data)
        message = event.message or event.edited_message
        if message is not None and zones.away(message.text or ""):
            result = zones.named(turn, _listed(result))
        if message is None or not (found or code):
            return result
        if private:
            return [*_taken_away(turn, message, has_id), *_listed(result)]
        if has_id or code:
            return unwanted(message, "number" if has_id else "code", turn.lang)
        return result

    async def _not_too_fast(
        self, session: AsyncSession, contact: Contact, now: datetime, *, aloud: bool
    ) -> None:
        """Raises `TooMany` over the limit, which also takes back everything this update has written."""
        try:
            await budgets.spend(
                session, f"said:{contact.id}", limit=PER_MINUTE, span=timedelta(minutes=1), now=now
            )
        except TooMany as error:
            # Answering each message of a flood would be a flood of our own.
            aloud = aloud and self._replies.sparing.first_in(f"slow:{contact.id}", SLOW_DOWN_EVERY, now)
            raise TooMany("slow_down" if aloud else "", phone=self._replies.phone) from error


async def _contact(session: AsyncSession, channel: Channel, person_id: int, now: datetime) -> Contact:
    if channel is Channel.WEB:
        contact = await contacts.get(session, person_id)
        contact.last_seen_at = now
        return contact
    # In a group the person is the asker: what they ask is answered, and counted, per person.
    return await contacts.seen(session, channel, str(person_id), kind=ContactKind.PRIVATE, now=now)


def _nowhere(event: Update) -> list[TelegramMethod[Any]]:
    # A button whose message is gone cannot be answered with a message; the tap itself always is.
    if event.callback_query is None:
        return []
    text = say("expired_button", CHINESE)
    return [AnswerCallbackQuery(callback_query_id=event.callback_query.id, text=text)]


def _message_name(event: Update) -> str:
    message = event.message or event.edited_message
    return f"m{message.chat.id}:{message.message_id}" if message else ""


def _clean(event: Update, published: tuple[str, ...]) -> tuple[Update, dict[str, int], bool]:
    """A copy of the update without control characters and personal numbers, what was taken out, and
    whether an identity number was among it; nothing after this point sees the original."""
    for name in ("message", "edited_message"):
        message: Message | None = getattr(event, name)
        raw = message and (message.text or message.caption)
        if message is None or not raw:
            continue
        text = "".join(c for c in raw if c in "\n\t" or unicodedata.category(c) not in NO_TEXT)
        clean = redact.text(text, published=published)
        if clean.text == raw:
            return event, {}, False
        changes: dict[str, Any] = {"text" if message.text else "caption": clean.text}
        if clean.counts:
            changes |= {"entities": None, "caption_entities": None}
        copy = message.model_copy(update=changes)
        found = dict(clean.counts)
        return event.model_copy(update={name: copy}), found, bool(found) and redact.has_id_number(text)
    return event, {}, False


async def _without_code(event: Update, state: FSMContext | None, now: datetime) -> tuple[Update, str]:
    """A copy of the update without receipt codes, and the first that was taken out; "" where none was."""
    for name in ("message", "edited_message"):
        message: Message | None = getattr(event, name)
        words = message and (message.text or message.caption)
        if message is None or not words:
            continue
        found = await lookup_memory.typed(words, state, now)
        if found is None:
            return event, ""
        changes = {"text" if message.text else "caption": found.text}
        copy = message.model_copy(update=changes | {"entities": None, "caption_entities": None})
        return event.model_copy(update={name: copy}), found.code
    return event, ""


def _taken_away(turn: Turn, message: Message, has_id: bool) -> Reply:
    """Delete what was sent with a number in it, and say so; a receipt code is deleted without a word.

    The web chat's own page has never shown the code.
    """
    reply: Reply = []
    if turn.redacted or turn.contact.channel is not Channel.WEB:
        reply.append(DeleteMessage(chat_id=turn.chat_id, message_id=message.message_id))
    if has_id:
        text, buttons = turn.words("lookupchat.number_deleted"), lookup_keyboards.ways(turn.lang)
        reply.append(SendMessage(chat_id=turn.chat_id, text=text, parse_mode=None, reply_markup=buttons))
    elif turn.redacted:
        reply.append(SendMessage(chat_id=turn.chat_id, text=turn.words("id_deleted"), parse_mode=None))
    return reply


def _listed(result: Any) -> list[Any]:
    if isinstance(result, list):
        return result
    return [result] if isinstance(result, TelegramMethod) else []
