"""Enquiries: one row per question on any channel, the rows behind the three ledgers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum, auto

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office.contacts import Channel, Contact
from office.errors import NotFound
from office.store import Base, word
from ticketing.clocks import business_day


class Outcome(StrEnum):
    """How the first contact ended."""

    AUTO = auto()
    ON_THE_SPOT = auto()
    TICKETED = auto()


class Enquiry(Base):
    """One question, redacted. `outcome` is empty while offered choices are open.

    `offered` holds the entries offered; `best` and `probability` are what the matcher thought, for the
    missed-question desk. `pending_until` waits a few seconds for the rest of a message sent in pieces.
    """

    __tablename__ = "enquiry"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    channel: Mapped[Channel] = mapped_column(word(Channel))
    words: Mapped[str] = mapped_column(Text)
    topic: Mapped[str] = mapped_column(String(32), default="")
    outcome: Mapped[Outcome | None] = mapped_column(word(Outcome), index=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    entry_version_id: Mapped[int | None] = mapped_column(ForeignKey("entry_version.id"))
    offered: Mapped[list[str]]
    probability: Mapped[float | None]
    solved: Mapped[bool | None]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    event_id: Mapped[str] = mapped_column(String(80), default="")
    pending_until: Mapped[datetime | None] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    business_day: Mapped[date]


async def record(
    session: AsyncSession,
    contact: Contact,
    words: str,
    *,
    outcome: Outcome | None,
    now: datetime,
    topic: str = "",
    offered: Sequence[int] = (),
    probability: float | None = None,
    entry_id: int | None = None,
    entry_version_id: int | None = None,
    event_id: str = "",
) -> Enquiry:
    """Write an enquiry down; `words` must have been redacted."""
    enquiry = Enquiry(
        contact_id=contact.id,
        channel=contact.channel,
        words=words,
        topic=topic,
        outcome=outcome,
        entry_id=entry_id,
        entry_version_id=entry_version_id,
        offered=[str(number) for number in offered],
        probability=probability,
        event_id=event_id,
        pending_until=None,
        at=now,
        business_day=business_day(now),
    )
    session.add(enquiry)
    await session.flush()
    return enquiry


async def of_contact(session: AsyncSession, enquiry_id: int, contact: Contact) -> Enquiry:
    """The contact's own enquiry; raises `NotFound` for anybody else's."""
    enquiry = await session.get(Enquiry, enquiry_id)
    if enquiry is None or enquiry.contact_id != contact.id:
        raise NotFound("expired_button")
    return enquiry
