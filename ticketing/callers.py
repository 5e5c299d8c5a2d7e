"""Who calls again: a keyed digest of the number, kept while it can still join two calls, and no longer."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from datetime import datetime
from typing import Final

from rapidfuzz import fuzz
from sqlalchemy import ForeignKey, LargeBinary, String, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.live import lexicon
from knowledge.text import normalise
from office import redact, staff
from office.errors import Invalid
from office.staff import Staff
from office.store import Base
from office.units import Unit
from ticketing.ledgers import ONCE_WITHIN, Enquiry
from ticketing.records import OPEN_STATES, Ticket, TicketState

LONGEST_PHONE: Final = 40
SAME_WORDS: Final = 70
MOST_OFFERED: Final = 5
# From a local number to the longest of the world (ITU-T E.164), without the extension.
FEWEST_DIGITS, MOST_DIGITS = 7, 15
_NUMBER: Final = re.compile(
    r"\+?[0-9]{1,4}(?:[ \-()]{0,2}[0-9]){5,13}(?: ?(?:转|分机|EXT\.?|X|-) ?[0-9]{1,5})?"
)
_EXTENSION: Final = re.compile(r"(?:转|分机|EXT|X).*")
# A ticket that waits for another one's answer is still owed one.
_STILL_OWED: Final = (*OPEN_STATES, TicketState.MERGED, TicketState.OFFLINE)


class CallerMark(Base):
    """That the holder of some number asked about something; the number itself cannot be read from it."""

    __tablename__ = "caller_mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16), index=True)
    topic: Mapped[str] = mapped_column(String(32), default="")
    enquiry_id: Mapped[int] = mapped_column(ForeignKey("enquiry.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)


def number(text: str) -> str:
    """A telephone number as it was given, on one line; empty for none.

    Raises `Invalid("calls.phone_bad")` for what cannot be dialled, above all for an identity number,
    and `Invalid("calls.phone_length")` for a number with too few digits or too many.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    if not plain:
        return ""
    if len(plain) > LONGEST_PHONE or not _NUMBER.fullmatch(plain.upper()) or redact.has_id_number(plain):
        raise Invalid("calls.phone_bad")
    if not FEWEST_DIGITS <= sum(map(str.isdecimal, _EXTENSION.sub("", plain.upper()))) <= MOST_DIGITS:
        raise Invalid("calls.phone_length", least=FEWEST_DIGITS, most=MOST_DIGITS)
    return plain


def digest(secret: bytes, phone: str) -> bytes:
    """What two calls from one number have in common: 16 bytes under this installation's secret; b"" for none.

    Spelling, country code and extension do not matter.
    """
    figures = re.sub(r"[^0-9]", "", _EXTENSION.sub("", unicodedata.normalize("NFKC", phone).upper()))
    figures = re.sub(r"^(?:00)?86(?=1[3-9][0-9]{9}$|0?[1-9][0-9]{8,}$)", "", figures)
    if not figures:
        return b""
    return hmac.new(secret, b"caller:" + figures.encode(), hashlib.sha256).digest()[:16]


async def mark(session: AsyncSession, caller: bytes, enquiry: Enquiry) -> None:
    """Remember for a while that this caller asked this; nothing for somebody without a number."""
    if caller:
        session.add(
            CallerMark(
                digest=caller, topic=enquiry.topic, enquiry_id=enquiry.id, ticket_id=enquiry.ticket_id,
                at=enquiry.at,
            )
        )  # fmt: skip
        await session.flush()


async def repeated(session: AsyncSession, caller: bytes, topic: str, *, now: datetime) -> int | None:
    """The enquiry that a new one by this caller on this topic repeats, if half an hour is not over."""
    if not caller or not topic:
        return None
    found = await session.scalar(
        select(Enquiry)
        .join(CallerMark, CallerMark.enquiry_id == Enquiry.id)
        .where(CallerMark.digest == caller, CallerMark.topic == topic, CallerMark.at > now - ONCE_WITHIN)
        .order_by(CallerMark.id.desc())
        .limit(1)
    )
    # What repeats a repeat counts with the first of them.
    return (found.repeat_of_id or found.id) if found else None


async def owed(session: AsyncSession, caller: bytes, person: Staff) -> list[Ticket]:
    """The caller's tickets that are still owed an answer, newest first, as far as `person` reaches."""
    if not caller:
        return []
    rows = await session.scalars(
        select(Ticket)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(Ticket.id.in_(select(CallerMark.ticket_id).where(CallerMark.digest == caller)))
        .where(Ticket.state.in_(_STILL_OWED), Unit.path.startswith(await staff.reach(session, person)))
        .order_by(Ticket.id.desc())
        .limit(MOST_OFFERED)
    )
    return list(rows.all())


async def owns(session: AsyncSession, caller: bytes, ticket: Ticket) -> bool:
    """Whether it was this caller who asked what the ticket holds."""
    known = select(CallerMark.id).where(CallerMark.digest == caller, CallerMark.ticket_id == ticket.id)
    return bool(caller) and await session.scalar(known.limit(1)) is not None


def alike(ticket: Ticket, words: str, topic: str) -> bool:
    """Whether a question is probably the one that this ticket holds: one topic, or almost the same words."""
    if topic and topic == ticket.topic:
        return True
    asked, before = normalise(words[:500], lexicon()), normalise(ticket.words[:500], lexicon())
    return bool(asked) and fuzz.ratio(asked, before) >= SAME_WORDS


async def forget_old(session: AsyncSession, *, now: datetime) -> None:
    """Remove marks that join nothing any more: half an hour old, and no ticket of theirs still owed."""
    still = exists().where(Ticket.id == CallerMark.ticket_id, Ticket.state.in_(_STILL_OWED))
    await session.execute(
        delete(CallerMark).where(
            CallerMark.at <= now - ONCE_WITHIN, or_(CallerMark.ticket_id.is_(None), ~still)
        )
    )
