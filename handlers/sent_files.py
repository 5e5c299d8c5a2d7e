"""Pictures and files that askers send: kept beside their open ticket, out of everybody's sight but one."""

from __future__ import annotations

from aiogram.types import Message

from handlers.owing import open_ticket_of
from handlers.turn import Reply, Turn
from office.contacts import Channel
from office.errors import Invalid
from ticketing import fetching, queue
from ticketing.records import Ticket


async def kept(turn: Turn, message: Message, ticket: Ticket | None = None) -> str:
    """Have a picture or file of this message kept with the asker's ticket; returns the wording of what became
    of it, "" where it belongs to no ticket and is not kept at all.

    Only Telegram gives files out. Raises `Invalid` for what may not be kept, before a byte of it is fetched.
    """
    found = _file(message)
    if found is None or turn.contact.channel is not Channel.TELEGRAM:
        return ""
    ticket = ticket or await open_ticket_of(turn)
    if ticket is None:
        return ""
    source, name, media_type, size = found
    await fetching.want(
        turn.session, ticket, turn.contact, source, name=name, media_type=media_type, size=size,
        message_id=message.message_id, now=turn.now,
    )  # fmt: skip
    return turn.words("file_kept", no=ticket.ticket_no)


async def reply(turn: Turn, message: Message, ticket: Ticket | None = None, *, aloud: bool = True) -> Reply:
    """What is said about a file: that it is kept, or why it is not; nothing where no ticket is open.

    `aloud`: whether to say so, for an album is answered once. A refusal is said in any case.
    """
    try:
        said = await kept(turn, message, ticket)
    except Invalid as error:
        return turn.say(turn.words(error.key, **error.facts))
    return turn.say(said) if said and aloud else []


async def belonging_to(turn: Turn) -> Ticket | None:
    """The ticket to which the words under a picture have just led."""
    return await queue.of_event(turn.session, turn.contact, turn.event_id)


def _file(message: Message) -> tuple[str, str, str, int] | None:
    if message.photo:
        # The last is the largest: small print and stamps are read in it.
        best = message.photo[-1]
        return best.file_id, "图片", "image/jpeg", best.file_size or 0
    if message.document is not None:
        sent = message.document
        return sent.file_id, sent.file_name or "", sent.mime_type or "", sent.file_size or 0
    return None
