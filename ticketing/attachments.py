"""Pictures and files that belong to a ticket: checked, bounded, sealed, gone a week after closing.

What a chat sends is not in our hands yet: its row says by which name the channel gives it out, and
`bot.fetching` gets it with no transaction open, as often as it takes, and lays it in here.
"""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    LargeBinary,
    String,
    and_,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from office import audit, redact, staff, units
from office.audit import Actor, ActorKind
from office.contacts import Contact
from office.errors import Conflict, Invalid, NotFound
from office.seal import Sealer
from office.staff import Permission, Staff
from office.store import Base
from office.units import contains
from ticketing.records import Ticket, TicketState

LARGEST_WEB = 10 * 1024 * 1024
LARGEST_CHAT = 20 * 1024 * 1024
"""More than this the Bot API does not hand out."""
MOST = 10
"""So many files one ticket holds."""
LINK_HOLDS = timedelta(minutes=30)
KEPT = timedelta(days=7)
LONGEST_NAME = 80
_DIGEST = 16
_NOT_IN_A_NAME = re.compile(r"[^\w.()（）\- ]")
ENDINGS = {
    "image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "application/pdf": ".pdf",
}  # fmt: skip


class Attachment(Base):
    """One file, sealed. `quarantined`: it may show somebody's papers, so only the assignee opens it.

    While it waits to be fetched from a chat, `source` is the channel's own name for it, `fetch_at` when to
    try next and `message_id` the message it came with.
    """

    __tablename__ = "attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    quarantined: Mapped[bool] = mapped_column(default=False)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(String(200), default="")
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    fetch_at: Mapped[datetime | None] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)


@dataclass(frozen=True, slots=True)
class Opened:
    """One file in clear, for one response."""

    name: str
    media_type: str
    content: bytes
    quarantined: bool


def kind_of(content: bytes) -> str:
    """The media type by what the file begins with, whatever its name says; empty for anything else.

    PNG, JPEG, WEBP and PDF. A PNG of more than 20,000 pixels a side is none: such are made to fill memory.
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        sides = (int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big"))
        return "image/png" if all(0 < side <= 20_000 for side in sides) else ""
    if content.startswith(b"\xff\xd8\xff") and len(content) > 20:
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith((b"%PDF-1.", b"%PDF-2.")):
        return "application/pdf"
    return ""


def safe_name(name: str, media_type: str) -> str:
    """A name without folders, misleading signs or anybody's number, with the ending of what it is."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFKC", name))[-1]
    plain = " ".join(_NOT_IN_A_NAME.sub(" ", redact.text(last).text).split()).strip(". ")
    stem = plain.split(".")[0].strip() or "附件"
    ending = ENDINGS[media_type]
    return f"{stem[: LONGEST_NAME - len(ending)]}{ending}"


async def put(
    session: AsyncSession,
    ticket: Ticket,
    name: str,
    content: bytes,
    *,
    contact: Contact | None = None,
    actor: Staff | None = None,
    quarantined: bool,
    sealer: Sealer,
    now: datetime,
) -> Attachment:
    """Lay a file beside a ticket. What an asker sends is always quarantined by its caller.

    Raises `Invalid("attachment_kind")`, `Invalid("attachment_large")`, `Invalid("attachment_many")`, and for
    staff `NotPermitted` outside their reach.
    """
    if actor is not None:
        await staff.must(session, actor, Permission.WORK_TICKETS, await _path(session, ticket))
    most = LARGEST_CHAT if contact is not None else LARGEST_WEB
    if len(content) > most:
        raise Invalid("attachment_large", most=most // 1024 // 1024)
    media_type = kind_of(content)
    if not media_type:
        raise Invalid("attachment_kind")
    await room(session, ticket)
    row = Attachment(
        ticket_id=ticket.id, name=safe_name(name, media_type), media_type=media_type, size=len(content),
        sealed=sealer.seal_bytes(content), quarantined=quarantined,
        contact_id=contact.id if contact else None, staff_id=actor.id if actor else None, at=now,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    by = actor.as_actor() if actor else _asker(contact)
    await audit.record(
        session, "attachment.put", f"ticket:{ticket.id}", actor=by, now=now,
        attachment=row.id, size=row.size, media_type=media_type, quarantined=quarantined,
    )  # fmt: skip
    return row


async def room(session: AsyncSession, ticket: Ticket) -> None:
    """Raise `Invalid("attachment_many")` when a ticket holds as many files as it may."""
    held = await session.scalar(
        select(func.count(Attachment.id)).where(
            Attachment.ticket_id == ticket.id, Attachment.removed_at.is_(None)
        )
    )
    if (held or 0) >= MOST:
        raise Invalid("attachment_many", most=MOST)


async def of_ticket(session: AsyncSession, ticket: Ticket) -> list[Attachment]:
    """The files of a ticket, oldest first, those that are gone as well: that there was one stays known."""
    rows = await session.scalars(
        select(Attachment).where(Attachment.ticket_id == ticket.id).order_by(Attachment.id)
    )
    return list(rows.all())


def link(secret: bytes, attachment_id: int, staff_id: int, until: datetime) -> str:
    """The last part of the address of a file, for this person and until then; it cannot be guessed."""
    moment = int(until.timestamp())
    return f"{attachment_id}.{moment}.{_digest(secret, attachment_id, staff_id, moment)}"


async def open_(
    session: AsyncSession,
    secret: bytes,
    token: str,
    *,
    sealer: Sealer,
    actor: Staff,
    now: datetime,
) -> Opened:
    """The file behind a link; permission is checked once more. Every opening is audited.

    A link that was made for somebody else, has run out or was put together by hand, a file that is gone and
    one that the person may not open are all the same `NotFound("attachment_gone")`.
    """
    number, _, rest = token.partition(".")
    moment, _, digest = rest.partition(".")
    gone = NotFound("attachment_gone")
    if not (number.isdecimal() and moment.isdecimal()) or len(number) > 10 or len(moment) > 12:
        raise gone
    wanted = _digest(secret, int(number), actor.id, int(moment))
    if not hmac.compare_digest(wanted.encode(), digest.encode()) or int(moment) <= now.timestamp():
        raise gone
    row = await session.get(Attachment, int(number))
    if row is None or row.removed_at is not None or row.fetch_at is not None:
        raise gone
    ticket = await session.get_one(Ticket, row.ticket_id)
    if not await may_open(session, row, ticket, actor):
        raise gone
    await session.refresh(row, ["sealed"])
    if row.sealed is None:
        raise gone
    await audit.record(
        session, "attachment.open", f"ticket:{ticket.id}", actor=actor.as_actor(), now=now, attachment=row.id
    )
    return Opened(row.name, row.media_type, sealer.open_bytes(row.sealed), row.quarantined)


async def may_open(session: AsyncSession, row: Attachment, ticket: Ticket, person: Staff) -> bool:
    """Whether this person may open the file: the assignee, and what is not quarantined a reviewer as well.

    Of a confidential case its owner alone.
    """
    path = await _path(session, ticket)
    if not staff.may(person, Permission.WORK_TICKETS):
        return False
    if not contains(await staff.reach(session, person), path):
        return False
    if ticket.offline_owner_id is not None:
        return ticket.offline_owner_id == person.id
    if ticket.assignee_id == person.id:
        return True
    own = row.staff_id == person.id
    return not row.quarantined and (own or staff.may(person, Permission.PUBLISH_ENTRIES))


async def release(session: AsyncSession, row: Attachment, *, actor: Staff, now: datetime) -> None:
    """The assignee has looked and saw nobody's papers: a reviewer may open it as well from now on."""
    ticket = await session.get_one(Ticket, row.ticket_id)
    if ticket.assignee_id != actor.id or not await may_open(session, row, ticket, actor):
        raise Conflict("not_yours")
    row.quarantined = False
    await audit.record(
        session, "attachment.release", f"ticket:{ticket.id}", actor=actor.as_actor(), now=now,
        attachment=row.id,
    )  # fmt: skip


async def forget_old(session: AsyncSession, *, now: datetime) -> int:
    """Remove what is older than seven days after closing; returns how many files went.

    Also of tickets that were set aside, and of those joined to a closed one.
    """
    lead = aliased(Ticket)
    old = now - KEPT
    ended = select(Ticket.id).where(
        or_(
            and_(Ticket.state == TicketState.CLOSED, Ticket.closed_at <= old),
            # When a ticket was set aside is known to the audit alone.
            and_(Ticket.state == TicketState.VOID, Ticket.accepted_at <= old),
            and_(
                Ticket.state == TicketState.MERGED,
                exists().where(
                    lead.id == Ticket.merged_into_id, lead.state == TicketState.CLOSED, lead.closed_at <= old
                ),
            ),
        )
    )
    return await remove(session, Attachment.ticket_id.in_(ended), now=now)


async def remove(session: AsyncSession, which: ColumnElement[bool], *, now: datetime) -> int:
    """Remove the content of these files, and what they were called; returns how many there were."""
    result = await session.execute(
        update(Attachment)
        .where(which, Attachment.removed_at.is_(None))
        .values(sealed=None, removed_at=now, name="", source="", fetch_at=None, message_id=None)
        .execution_options(synchronize_session="fetch")
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


async def _path(session: AsyncSession, ticket: Ticket) -> str:
    return (await units.get(session, ticket.unit_id)).path


def _digest(secret: bytes, attachment_id: int, staff_id: int, moment: int) -> str:
    told = f"attachment:{attachment_id}:{staff_id}:{moment}".encode()
    return base64.urlsafe_b64encode(hmac.digest(secret, told, "sha256")[:_DIGEST]).decode().rstrip("=")


def _asker(contact: Contact | None) -> Actor:
    if contact is None:
        return audit.SYSTEM
    return Actor(ActorKind.CONTACT, contact.id, "asker", contact.channel.value)
