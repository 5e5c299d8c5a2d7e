"""The calls that were written down: a person's own of the day, corrections to them, who was told what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ForeignKey, Text, cast, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, staff
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.seal import Sealer
from office.staff import Permission, Staff, may, must
from office.store import Base
from office.units import Unit, contains
from ticketing import call_drafts, callers
from ticketing.clocks import business_day
from ticketing.intake import clean
from ticketing.ledgers import Enquiry, Outcome
from ticketing.particulars import LedgerKind
from ticketing.records import OPEN_STATES, Ticket, TicketState

LONGEST_NOTE: Final = 1000
FOLLOWED_FOR: Final = timedelta(days=7)
MOST_FOLLOWED: Final = 50
TELEPHONE_KEPT: Final = timedelta(days=90)
"""As long as the words: until then a correction can still be told to whoever was told the old wording."""
BATCH: Final = 500
_OF_A_PERSON: Final = ("asker_name", "phone", "note")


class EnquiryNote(Base):
    """A correction to what was written down of a call; the row itself stays as it was."""

    __tablename__ = "enquiry_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    enquiry_id: Mapped[int] = mapped_column(ForeignKey("enquiry.id"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Told:
    """One caller who was told a version on the spot; name and phone sealed as on a ticket, where known."""

    enquiry_id: int
    version_id: int
    unit_id: int | None
    asker_name: bytes | None
    phone: bytes | None
    at: datetime


async def today(session: AsyncSession, person: Staff, *, now: datetime) -> Sequence[Enquiry]:
    """What this person has written down of calls on this business day, newest first."""
    await must(session, person, Permission.OPEN_TICKETS)
    rows = await session.scalars(
        select(Enquiry)
        .where(Enquiry.staff_id == person.id, Enquiry.business_day == business_day(now))
        .order_by(Enquiry.id.desc())
    )
    return rows.all()


async def last(session: AsyncSession, person: Staff) -> Enquiry | None:
    """The newest call of this person: unit, post and kind of asker are mostly the same in the next one."""
    rows = select(Enquiry).where(Enquiry.staff_id == person.id).order_by(Enquiry.id.desc()).limit(1)
    return await session.scalar(rows)


async def followed(session: AsyncSession, person: Staff, *, now: datetime) -> Sequence[Ticket]:
    """The tickets this person was the first to take and that are open or were just answered, newest first."""
    await must(session, person, Permission.OPEN_TICKETS)
    open_or_answered = (*OPEN_STATES, TicketState.ANSWERED, TicketState.MERGED, TicketState.OFFLINE)
    closed = (Ticket.state == TicketState.CLOSED) & (Ticket.closed_at > now - FOLLOWED_FOR)
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.first_taker_id == person.id, Ticket.state.in_(open_or_answered) | closed)
        .order_by(Ticket.id.desc())
        .limit(MOST_FOLLOWED)
    )
    return rows.all()


async def seen_by(session: AsyncSession, person: Staff, enquiry_id: int) -> Enquiry:
    """A call for its page: the person's own, or one in the reach of who sees tickets; else `NotFound`."""
    found = await session.get(Enquiry, enquiry_id)
    if found is None or found.staff_id is None:
        raise NotFound("calls.unknown")
    if found.staff_id != person.id:
        unit = await session.get(Unit, found.unit_id) if found.unit_id else None
        near = unit is not None and contains(await staff.reach(session, person), unit.path)
        if not (near and may(person, Permission.SEE_TICKETS)):
            raise NotFound("calls.unknown")
    return found


async def opened_it(session: AsyncSession, enquiry: Enquiry) -> bool:
    """Whether the call's ticket was opened by it; a later call was added to a ticket there was."""
    if enquiry.ticket_id is None:
        return False
    first = select(func.min(Enquiry.id)).where(Enquiry.ticket_id == enquiry.ticket_id)
    return await session.scalar(first) == enquiry.id


async def notes(session: AsyncSession, ids: Collection[int]) -> dict[int, list[EnquiryNote]]:
    """The corrections to these calls, oldest first."""
    rows = await session.scalars(
        select(EnquiryNote).where(EnquiryNote.enquiry_id.in_(ids)).order_by(EnquiryNote.id)
    )
    found: dict[int, list[EnquiryNote]] = {}
    for note in rows:
        found.setdefault(note.enquiry_id, []).append(note)
    return found


async def correct(
    session: AsyncSession,
    enquiry: Enquiry,
    text: str,
    ledger: LedgerKind | None = None,
    *,
    actor: Staff,
    now: datetime,
) -> None:
    """更正: add what was wrong, and put the row into another ledger; by whoever wrote it, on the same day.

    Raises `Conflict("calls.too_late")` afterwards: a day that is over is counted as it was.
    """
    await must(session, actor, Permission.OPEN_TICKETS)
    if enquiry.staff_id != actor.id:
        raise NotPermitted("not_permitted")
    if enquiry.business_day != business_day(now):
        raise Conflict("calls.too_late")
    words = (await clean(session, text.strip()))[:LONGEST_NOTE]
    moved = ledger is not None and ledger is not enquiry.ledger
    if not words and not moved:
        raise Invalid("text_needed")
    facts = {}
    if moved and ledger is not None:
        facts = {"ledger": ledger.value, "was": enquiry.ledger.value if enquiry.ledger else ""}
        enquiry.ledger = ledger
        if enquiry.ticket_id is not None:
            ticket = await session.get_one(Ticket, enquiry.ticket_id)
            ticket.ledger = ledger
    if words:
        session.add(EnquiryNote(enquiry_id=enquiry.id, staff_id=actor.id, text=words, at=now))
    await session.flush()
    await audit.record(
        session, "call.correct", f"enquiry:{enquiry.id}", actor=actor.as_actor(), now=now, **facts
    )


async def told(session: AsyncSession, version_ids: Collection[int]) -> list[Told]:
    """Who was told one of these versions by phone or at the counter: a recall has to call them back.

    Without a phone the unit has to find the person; askers of tickets stand on their tickets.
    """
    rows = await session.scalars(
        select(Enquiry)
        .where(Enquiry.entry_version_id.in_(version_ids), Enquiry.outcome == Outcome.ON_THE_SPOT)
        .where(Enquiry.contact_id.is_(None))
        .order_by(Enquiry.id)
    )
    return [
        Told(
            row.id, row.entry_version_id or 0, row.unit_id, sealed(row, "asker_name"), sealed(row, "phone"),
            row.at,
        )
        for row in rows
    ]  # fmt: skip


def sealed(enquiry: Enquiry, name: str) -> bytes | None:
    """`asker_name` or `phone` of a call without a ticket, still sealed; None where none was given."""
    text = enquiry.particulars.get(name)
    return text.encode("ascii") if isinstance(text, str) and text else None


def shown_phone(sealer: Sealer, phone: bytes | None) -> str:
    """A sealed number as pages show it, 138****5678; empty for none or one that cannot be opened."""
    try:
        text = sealer.open(phone)
    except Conflict:
        return ""
    digits = [place for place, sign in enumerate(text) if sign.isdigit()]
    hidden = set(digits[3:-4] if len(digits) > 8 else digits[:-4])
    return "".join("*" if place in hidden else sign for place, sign in enumerate(text))


async def forget_old(session: AsyncSession, *, now: datetime) -> None:
    """Remove what has been kept long enough: what told who called, marks, drafts, texts of corrections."""
    old = now - TELEPHONE_KEPT
    written = cast(Enquiry.particulars, Text)
    rows = await session.scalars(
        select(Enquiry)
        .where(Enquiry.staff_id.is_not(None), Enquiry.at < old)
        .where(or_(*(written.contains(f'"{name}"') for name in _OF_A_PERSON)))
        .order_by(Enquiry.id)
        .limit(BATCH)
    )
    for row in rows:
        row.particulars = {name: kept for name, kept in row.particulars.items() if name not in _OF_A_PERSON}
    await session.execute(update(EnquiryNote).where(EnquiryNote.at < old).values(text=""))
    await callers.forget_old(session, now=now)
    await call_drafts.forget_old(session, now=now)
