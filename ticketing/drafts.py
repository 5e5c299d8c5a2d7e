"""What officers have typed but not sent, and who else is looking at a ticket."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Text, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import redact, units
from office.staff import Permission, Staff, must
from office.store import Base, insert_once
from office.units import Unit
from ticketing.records import Ticket

LOOKING_LASTS = timedelta(seconds=40)


class Draft(Base):
    """What one officer has typed so far as an answer; kept per person, survives reassignment."""

    __tablename__ = "ticket_draft"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime]


class Looking(Base):
    """Who has a ticket open at the moment."""

    __tablename__ = "ticket_looking"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    at: Mapped[datetime]


async def save(session: AsyncSession, ticket: Ticket, text: str, *, actor: Staff, now: datetime) -> None:
    """Keep what `actor` has typed for this ticket, redacted; an empty text removes the draft.

    Raises `NotPermitted` for whoever may not work on the ticket.
    """
    unit = await session.get_one(Unit, ticket.unit_id)
    await must(session, actor, Permission.WORK_TICKETS, unit.path)
    own = (Draft.ticket_id == ticket.id, Draft.staff_id == actor.id)
    if not text.strip():
        await session.execute(delete(Draft).where(*own))
        return
    clean = redact.text(text, published=await units.published_numbers(session)).text
    row = {"ticket_id": ticket.id, "staff_id": actor.id, "text": clean, "saved_at": now}
    if not await insert_once(session, Draft, row, unique=("ticket_id", "staff_id")):
        await session.execute(update(Draft).where(*own).values(text=clean, saved_at=now))


async def of(session: AsyncSession, ticket: Ticket, person: Staff) -> str:
    """The person's own draft for this ticket, or an empty text."""
    return (
        await session.scalar(
            select(Draft.text).where(Draft.ticket_id == ticket.id, Draft.staff_id == person.id)
        )
        or ""
    )


async def look(session: AsyncSession, ticket: Ticket, *, actor: Staff, now: datetime) -> list[str]:
    """Note that `actor` has the ticket open; returns the masked names of the others who do."""
    row = {"ticket_id": ticket.id, "staff_id": actor.id, "at": now}
    if not await insert_once(session, Looking, row, unique=("ticket_id", "staff_id")):
        own = (Looking.ticket_id == ticket.id, Looking.staff_id == actor.id)
        await session.execute(update(Looking).where(*own).values(at=now))
    others = await session.scalars(
        select(Staff)
        .join(Looking, Looking.staff_id == Staff.id)
        .where(Looking.ticket_id == ticket.id, Looking.at > now - LOOKING_LASTS, Staff.id != actor.id)
        .order_by(Staff.id)
    )
    return [person.masked_name for person in others]
