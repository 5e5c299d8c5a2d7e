"""What officers have typed but not sent, and who else is looking at a ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ForeignKey, Text, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, redact, units
from office.errors import Conflict, NotFound
from office.staff import Permission, Staff, must
from office.store import Base, insert_once
from office.units import Unit
from ticketing import restricted
from ticketing.records import Ticket, TicketState

LOOKING_LASTS = timedelta(seconds=40)
LONGEST_BASIS = 500


class Draft(Base):
    """What one officer has typed so far as an answer; kept per person, survives reassignment."""

    __tablename__ = "ticket_draft"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(Text, default="")
    version_id: Mapped[int | None] = mapped_column(ForeignKey("entry_version.id"))
    saved_at: Mapped[datetime]


class Looking(Base):
    """Who has a ticket open at the moment."""

    __tablename__ = "ticket_looking"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Typed:
    """A draft as it is shown: whose, by masked name, since when, and the version it cites."""

    staff_id: int
    who: str
    text: str
    basis: str
    version_id: int | None
    saved_at: datetime


async def save(
    session: AsyncSession,
    ticket: Ticket,
    text: str,
    *,
    actor: Staff,
    now: datetime,
    basis: str = "",
    version_id: int | None = None,
) -> None:
    """Keep what `actor` has typed for this ticket, redacted; an empty text removes the draft.

    `version_id` is the entry's version that it cites. Raises `NotPermitted` for whoever may not work on the
    ticket, `Conflict("stale_card")` while an answer waits for its reviewer: what is there comes back then.
    """
    await _may(session, ticket, actor)
    if not text.strip():
        await session.execute(delete(Draft).where(Draft.ticket_id == ticket.id, Draft.staff_id == actor.id))
        return
    if ticket.state is TicketState.IN_REVIEW:
        raise Conflict("stale_card")
    # A page that was open while the case was taken offline goes on saving what stands in its box.
    restricted.must_be_open(ticket)
    published = await units.published_numbers(session)
    await _write(
        session, ticket, actor.id, text=redact.text(text, published=published).text,
        basis=redact.text(basis.strip(), published=published).text[:LONGEST_BASIS],
        version_id=version_id, saved_at=now,
    )  # fmt: skip


async def give_back(session: AsyncSession, ticket: Ticket, *, now: datetime) -> None:
    """Lay the proposed answer, with its basis and what it cites, back as its author's draft.

    It replaces whatever a window of theirs has saved meanwhile: they go on with what the reviewer has read.
    """
    if ticket.author_id is not None and ticket.proposed_text:
        await _write(
            session, ticket, ticket.author_id, text=ticket.proposed_text, basis=ticket.conclusion_basis,
            version_id=ticket.conclusion_version_id, saved_at=now,
        )  # fmt: skip


async def returned_as(session: AsyncSession, ticket: Ticket) -> int:
    """The ticket's version with which its answer last came back from a reviewer; 0 if none did."""
    acts, _ = await audit.listed(session, subject=f"ticket:{ticket.id}", action="ticket.revise", limit=1)
    return int(acts[0].facts["version"][1]) if acts else 0


async def must_be_current(session: AsyncSession, ticket: Ticket, seen: int | None) -> None:
    """Raise `Conflict("stale_card")` for a box filled before the answer went to a reviewer, or came back.

    `seen` is the version of the page with the box. Anything else that has happened to the ticket is no
    obstacle to keeping what is typed.
    """
    if ticket.state is TicketState.IN_REVIEW:
        raise Conflict("stale_card")
    if seen is not None and seen < await returned_as(session, ticket):
        raise Conflict("stale_card")


async def _write(session: AsyncSession, ticket: Ticket, staff_id: int, **kept: object) -> None:
    row = {"ticket_id": ticket.id, "staff_id": staff_id, **kept}
    if not await insert_once(session, Draft, row, unique=("ticket_id", "staff_id")):
        own = (Draft.ticket_id == ticket.id, Draft.staff_id == staff_id)
        await session.execute(update(Draft).where(*own).values(**kept))


async def own(session: AsyncSession, ticket: Ticket, person: Staff) -> Typed | None:
    """The person's own draft with its basis and what it cites."""
    found = await _kept(session, ticket, Draft.staff_id == person.id)
    return found[0] if found else None


async def others(session: AsyncSession, ticket: Ticket, person: Staff) -> list[Typed]:
    """What colleagues have typed for this ticket, newest first; for whoever may work on it."""
    await _may(session, ticket, person)
    return await _kept(session, ticket, Draft.staff_id != person.id)


async def take_over(
    session: AsyncSession, ticket: Ticket, staff_id: int, *, actor: Staff, now: datetime
) -> None:
    """Copy a colleague's draft behind one's own; theirs stays. Raises `NotFound("draft_gone")`."""
    found = [one for one in await others(session, ticket, actor) if one.staff_id == staff_id]
    if not found:
        raise NotFound("draft_gone")
    theirs, mine = found[0], await own(session, ticket, actor)
    texts = [mine.text.strip()] if mine and mine.text.strip() != theirs.text.strip() else []
    await save(
        session,
        ticket,
        "\n\n".join([*texts, theirs.text]),
        actor=actor,
        now=now,
        basis=(mine.basis if mine else "") or theirs.basis,
        version_id=(mine.version_id if mine else None) or theirs.version_id,
    )


async def _kept(session: AsyncSession, ticket: Ticket, whose: ColumnElement[bool]) -> list[Typed]:
    rows = await session.execute(
        select(Draft, Staff)
        .join(Staff, Staff.id == Draft.staff_id)
        .where(Draft.ticket_id == ticket.id, whose)
        .order_by(Draft.saved_at.desc(), Draft.staff_id)
        # Written past the session by `save`, so what it remembers may be old.
        .execution_options(populate_existing=True)
    )
    return [
        Typed(person.id, person.masked_name, row.text, row.basis, row.version_id, row.saved_at)
        for row, person in rows
    ]


async def _may(session: AsyncSession, ticket: Ticket, actor: Staff) -> None:
    unit = await session.get_one(Unit, ticket.unit_id)
    await must(session, actor, Permission.WORK_TICKETS, unit.path)


async def of(session: AsyncSession, ticket: Ticket, person: Staff) -> str:
    """The person's own draft for this ticket, or an empty text."""
    return (
        await session.scalar(
            select(Draft.text).where(Draft.ticket_id == ticket.id, Draft.staff_id == person.id)
        )
        or ""
    )


async def writing(session: AsyncSession, ticket: Ticket, person: Staff, *, now: datetime) -> list[str]:
    """The masked names of the colleagues who have typed something within the last moments."""
    lately = Draft.saved_at > now - LOOKING_LASTS
    return [one.who for one in await _kept(session, ticket, lately & (Draft.staff_id != person.id))]


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
