"""What askers and officers do with a question: lessons for the matcher, and golden questions for the gate."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import golden, lessons
from knowledge.lessons import Source
from knowledge.text import split_questions
from knowledge.versions import Entry
from office import redact
from office.staff import Staff
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import Ticket, TicketKind, UnansweredReason


async def verdict(session: AsyncSession, enquiry: Enquiry, *, solved: bool, now: datetime) -> None:
    """解决了 or 没解决 under an answer from the base; the last word counts."""
    if enquiry.entry_id is None or enquiry.outcome is None:
        return
    said, unsaid = (Source.SOLVED, Source.NOT_SOLVED) if solved else (Source.NOT_SOLVED, Source.SOLVED)
    await lessons.take_back(session, unsaid, occasion=_of(enquiry))
    at_once = enquiry.outcome is Outcome.AUTO and not enquiry.offered
    await _from_asker(
        session, said, enquiry, enquiry.entry_id, now, probability=enquiry.probability if at_once else None
    )


async def choice(session: AsyncSession, enquiry: Enquiry, entry_id: int, *, now: datetime) -> None:
    """One of the offered entries was taken; a later choice takes the place of an earlier one."""
    await lessons.take_back(session, Source.CHOICE_TAKEN, occasion=_of(enquiry))
    await _from_asker(session, Source.CHOICE_TAKEN, enquiry, entry_id, now)


async def refusal(session: AsyncSession, enquiry: Enquiry, *, now: datetime) -> None:
    """都不是: none of the offered entries is what was asked for."""
    await lessons.take_back(session, Source.CHOICE_TAKEN, occasion=_of(enquiry))
    for entry_id in enquiry.offered:
        await _from_asker(session, Source.CHOICES_REFUSED, enquiry, int(entry_id), now)


async def pointed(
    session: AsyncSession, ticket: Ticket, entry_id: int, *, actor: Staff, now: datetime
) -> None:
    """An officer answered with this entry; what was cited before for the same ticket no longer counts."""
    await undone(session, ticket)
    await _from_desk(session, Source.DESK_POINTED, ticket, entry_id, actor, now)


async def undone(session: AsyncSession, ticket: Ticket) -> None:
    """The ticket is open again: what answered it, or set it aside, was not the last word."""
    for source in (Source.DESK_POINTED, Source.DESK_DISMISSED):
        await lessons.take_back(session, source, occasion=_of(ticket))


async def added_phrasing(
    session: AsyncSession, ticket: Ticket, entry_id: int, *, actor: Staff, now: datetime
) -> None:
    """An officer added the ticket's words to the ways to ask for this entry."""
    await _from_desk(session, Source.DESK_PHRASING, ticket, entry_id, actor, now)


async def began_entry(
    session: AsyncSession, ticket: Ticket, entry_id: int, *, actor: Staff, now: datetime
) -> None:
    """An officer began a new entry from the ticket; it teaches once that is published.

    The ticket's words become a golden question for that entry.
    """
    await _from_desk(session, Source.DESK_NEW, ticket, entry_id, actor, now)
    if _may_be_golden(ticket):
        entry = await session.get_one(Entry, entry_id)
        await golden.grow(session, ticket.words, entry=entry, actor=actor, now=now)


async def dismissed(session: AsyncSession, ticket: Ticket, *, actor: Staff, now: datetime) -> None:
    """An officer set the ticket aside: no entry answers it, nor should one.

    As a golden question it says so before every publication.
    """
    await _from_desk(session, Source.DESK_DISMISSED, ticket, None, actor, now)
    if _may_be_golden(ticket):
        await golden.grow(session, ticket.words, topic="none", kind="offtopic", actor=actor, now=now)


async def _from_asker(
    session: AsyncSession,
    source: Source,
    enquiry: Enquiry,
    entry_id: int,
    now: datetime,
    *,
    probability: float | None = None,
) -> None:
    await lessons.teach(
        session, source, enquiry.words, entry_id, occasion=_of(enquiry), contact_id=enquiry.contact_id,
        enquiry_id=enquiry.id, probability=probability, now=now,
    )  # fmt: skip


async def _from_desk(
    session: AsyncSession, source: Source, ticket: Ticket, entry_id: int | None, actor: Staff, now: datetime
) -> None:
    if _one_open_question(ticket):
        await lessons.teach(
            session, source, ticket.words, entry_id, occasion=_of(ticket), contact_id=ticket.contact_id,
            staff_id=actor.id, now=now,
        )  # fmt: skip


def _one_open_question(ticket: Ticket) -> bool:
    # Reports, appeals and people in distress are for few eyes, and no matter for a base.
    open_to_all = (
        ticket.kind is TicketKind.ENQUIRY and ticket.why_unanswered is not UnansweredReason.RESTRICTED
    )
    return open_to_all and len(split_questions(ticket.words)) <= 1


def _may_be_golden(ticket: Ticket) -> bool:
    # A golden question stays longer than its ticket and is read by many: no stories, nothing that held a
    # number of somebody's, nothing of people who have had their words removed.
    if ticket.contact_id is None or not _one_open_question(ticket):
        return False
    words = redact.text(ticket.words).text
    return redact.PLACEHOLDER not in words and 0 < len(words) <= golden.LONGEST


def _of(row: Enquiry | Ticket) -> str:
    return f"{row.__tablename__}:{row.id}"
