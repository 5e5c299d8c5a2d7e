"""Questions brought as a table in chat: the template goes out, a filled-in one comes back, for staff only."""

from __future__ import annotations

import io
import logging
from collections.abc import Awaitable, Callable
from html import escape
from typing import Any

from aiogram import BaseMiddleware, Bot, F, Router
from aiogram.enums import ChatType
from aiogram.exceptions import AiogramError
from aiogram.filters import Command
from aiogram.methods import DeleteMessage, SendDocument
from aiogram.types import BufferedInputFile, Document, Message, TelegramObject, Update
from aiohttp import ClientError

from handlers import speech, staff_chat
from handlers.replies import asker_of
from handlers.staff_chat import OnStaff, StaffSaid
from handlers.turn import Desk, Reply, Turn
from office import bindings, contacts, staff, units
from office.contacts import Channel
from office.errors import Invalid
from office.staff import Permission, Staff
from ticketing import bulk_questions

log = logging.getLogger(__name__)
router = Router(name="bulk")
Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]

NAME = "bulk-questions.xlsx"
ENDING = ".xlsx"
SECONDS = 20
_SHEET = "bulk_sheet"


class Fetching(BaseMiddleware):
    """Fetches a table that staff send, before the transaction of its update begins.

    A slow line may not hold the database. Nobody's files but those of bound staff are fetched, and nothing of
    them outlives the update.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, Update)
        sheet = _sheet(event.message)
        if sheet is not None and await self._may_bring(event, data.get("channel", Channel.TELEGRAM)):
            data[_SHEET] = await _fetched(data["bot"], sheet)
        return await handler(event, data)

    async def _may_bring(self, event: Update, channel: Channel) -> bool:
        _, person = asker_of(event)
        if person is None or channel is Channel.WEB:
            return False
        async with self._desk.store.reading() as session:
            contact = await contacts.find(session, channel, str(person.id))
            holder = await bindings.bound(session, contact) if contact is not None else None
        return holder is not None and staff.may(holder, Permission.OPEN_TICKETS)


class _Bounded(io.BytesIO):
    """Takes as much as a template may hold and one byte more, whatever the channel says of its size."""

    def write(self, data: Any) -> int:
        if self.tell() > bulk_questions.LARGEST:
            return len(data)
        return super().write(data[: bulk_questions.LARGEST + 1 - self.tell()])


@router.message(StaffSaid("template"))
@router.message(Command("template"), F.chat.type == ChatType.PRIVATE)
async def template(message: Message, turn: Turn) -> Reply:
    """The empty table; a channel that carries no files says where the console has it."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.command_refused(turn, "template")
    staff_chat.must_have(person, Permission.OPEN_TICKETS)
    if turn.contact.channel is Channel.WEB:
        address = f"{turn.desk.public_url.rstrip('/')}/admin/calls/bulk" if turn.desk.public_url else ""
        return turn.say(
            turn.words("questions.link", url=address) if address else turn.words("questions.no_link")
        )
    file = BufferedInputFile(bulk_questions.template(turn.now), NAME)
    caption = turn.words("questions.caption", most=bulk_questions.MOST_ROWS)
    return [SendDocument(chat_id=turn.chat_id, document=file, caption=caption)]


@router.message(F.chat.type == ChatType.PRIVATE, F.document.file_name.lower().endswith(ENDING), OnStaff())
async def brought(message: Message, turn: Turn, person: Staff, **data: Any) -> Reply:
    """One ticket for each row, and which row became which; a file that is refused leaves nothing behind."""
    staff_chat.must_have(person, Permission.OPEN_TICKETS)
    if message.document is not None and (message.document.file_size or 0) > bulk_questions.LARGEST:
        raise Invalid("bulk_file.large", limit=bulk_questions.LARGEST // 1000)
    content: bytes | None = data.get(_SHEET)
    if not content:
        return turn.say(turn.words("questions.not_fetched"))
    try:
        rows = bulk_questions.read(content)
    except Invalid as error:
        said = turn.say(escape(speech.refusal(error, turn.lang), quote=False))
        if error.key.startswith("bulk_file.identity"):
            # It may not stay in the chat either.
            return [DeleteMessage(chat_id=turn.chat_id, message_id=message.message_id), *said]
        return said
    unit = await units.get(turn.session, person.unit_id)
    opened = await bulk_questions.bring(
        turn.session, rows, content, unit=unit, contact=turn.contact, actor=person, hours=turn.hours,
        now=turn.now,
    )  # fmt: skip
    latest = max(found.ticket.promised_at for found in opened)
    lines = [turn.words("questions.brought", n=len(opened), promise=speech.spoken_time(latest, turn.lang))]
    for found in opened:
        no, code = found.ticket.ticket_no, found.ticket.progress_code
        lines.append(turn.words("questions.line", row=found.row.number, no=no, code=code))
    return turn.say("\n".join(lines))


def _sheet(message: Message | None) -> Document | None:
    if message is None or message.document is None or message.chat.type != ChatType.PRIVATE:
        return None
    named = (message.document.file_name or "").lower().endswith(ENDING)
    small = (message.document.file_size or 0) <= bulk_questions.LARGEST
    return message.document if named and small else None


async def _fetched(bot: Bot, sheet: Document) -> bytes | None:
    target = _Bounded()
    try:
        await bot.download(sheet.file_id, destination=target, timeout=SECONDS, seek=False)
    except (AiogramError, ClientError, OSError, TimeoutError) as error:
        log.warning("a table could not be fetched: %s", type(error).__name__)
        return None
    return target.getvalue()
