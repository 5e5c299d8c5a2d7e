"""Files that a chat holds for us: written down with the message, fetched afterwards, refused in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import audit, contacts, outbox
from office.audit import CLOCK
from office.contacts import Channel, Contact
from office.errors import Invalid
from office.seal import Sealer
from office.store import ring_after_commit
from ticketing import attachments
from ticketing.attachments import LARGEST_CHAT, Attachment, kind_of, room, safe_name
from ticketing.concealing import TAKE_AWAY
from ticketing.records import Ticket

TOPIC = "attachments"
REFUSED = "attachment_refused"
"""The kind of delivery that tells an asker that a file could not be kept, and why."""
LEASE = timedelta(minutes=3)
MOST_TRIES = 6
BATCH = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file to be fetched: the row, and by which name the channel gives it out."""

    attachment_id: int
    source: str


async def want(
    session: AsyncSession,
    ticket: Ticket,
    contact: Contact,
    source: str,
    *,
    name: str,
    media_type: str,
    size: int,
    message_id: int,
    now: datetime,
) -> None:
    """Note that a message brought a file for this ticket; it is fetched after the commit.

    `media_type` and `size` are what the channel says, believed only where they refuse. Raises
    `Invalid("attachment_kind")`, `Invalid("attachment_large")`, `Invalid("attachment_many")`.
    """
    if media_type not in attachments.ENDINGS:
        raise Invalid("attachment_kind")
    if size > LARGEST_CHAT:
        raise Invalid("attachment_large", most=LARGEST_CHAT // 1024 // 1024)
    await room(session, ticket)
    # The name of a file in a confidential case may say what the case is about.
    shown = "" if ticket.offline_owner_id is not None else name
    session.add(
        Attachment(
            ticket_id=ticket.id, name=safe_name(shown, media_type), media_type=media_type, size=size,
            sealed=None, quarantined=True, contact_id=contact.id, at=now, source=source,
            message_id=message_id, fetch_at=now,
        )
    )  # fmt: skip
    await session.flush()
    ring_after_commit(session, TOPIC)


async def due(session: AsyncSession, channel: Channel, *, now: datetime) -> list[Wanted]:
    """Take what is to be fetched from this channel for `LEASE`; a dead worker's comes back after it."""
    rows = await session.scalars(
        select(Attachment)
        .join(Contact, Contact.id == Attachment.contact_id)
        .where(Attachment.fetch_at <= now, Attachment.removed_at.is_(None), Contact.channel == channel)
        .order_by(Attachment.fetch_at, Attachment.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=Attachment)
    )
    found = rows.all()
    for row in found:
        row.fetch_at, row.tries = now + LEASE, row.tries + 1
    return [Wanted(row.id, row.source) for row in found]


async def fetched(
    session: AsyncSession, attachment_id: int, content: bytes, *, sealer: Sealer, now: datetime
) -> None:
    """Lay what was fetched into its row, and have the message removed where it came from.

    What is no picture and no PDF after all is dropped, and the asker told so. A file that was removed in the
    meantime, because its asker was forgotten or its ticket ended, stays removed.
    """
    row = await session.get(Attachment, attachment_id, with_for_update=True)
    if row is None or row.removed_at is not None or row.fetch_at is None:
        return
    media_type = kind_of(content)
    if not media_type or len(content) > LARGEST_CHAT:
        await _refuse(session, row, "attachment_kind" if not media_type else "attachment_large", now)
        return
    row.media_type, row.size = media_type, len(content)
    row.name = safe_name(row.name, media_type)
    row.sealed = sealer.seal_bytes(content)
    await audit.record(
        session, "attachment.put", f"ticket:{row.ticket_id}", actor=CLOCK, now=now,
        attachment=row.id, size=row.size, media_type=media_type, quarantined=True,
    )  # fmt: skip
    contact = await contacts.get(session, row.contact_id) if row.contact_id else None
    if contact is not None and row.message_id is not None:
        await outbox.put(
            session, contact, TAKE_AWAY, {"message": row.message_id},
            key=f"{TAKE_AWAY}:{contact.id}:{row.message_id}:file", subject=f"contact:{contact.id}", now=now,
            though_silenced=True,
        )  # fmt: skip
    row.source, row.fetch_at, row.message_id = "", None, None


async def missed(session: AsyncSession, attachment_id: int, *, now: datetime, for_good: bool = False) -> None:
    """A file could not be fetched: again after a growing pause, or given up and the asker told."""
    row = await session.get(Attachment, attachment_id, with_for_update=True)
    if row is None or row.removed_at is not None or row.fetch_at is None:
        return
    if for_good or row.tries >= MOST_TRIES:
        await _refuse(session, row, "attachment_lost", now)
    else:
        row.fetch_at = now + timedelta(seconds=10 * 3**row.tries)


async def _refuse(session: AsyncSession, row: Attachment, why: str, now: datetime) -> None:
    number, contact_id = row.id, row.contact_id
    ticket = await session.get_one(Ticket, row.ticket_id)
    await attachments.remove(session, Attachment.id == number, now=now)
    await audit.record(
        session, "attachment.refuse", f"ticket:{ticket.id}", actor=CLOCK, now=now, attachment=number, why=why
    )
    if contact_id is not None:
        contact = await contacts.get(session, contact_id)
        await outbox.put(
            session, contact, REFUSED, {"no": ticket.ticket_no, "why": why}, key=f"file:{number}",
            subject=f"ticket:{ticket.id}", now=now,
        )  # fmt: skip
