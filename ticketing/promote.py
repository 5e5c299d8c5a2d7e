"""From an answered ticket to a draft entry, with everything prefilled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import entries
from knowledge.lint import LONGEST_SHORT_ANSWER, SHORTEST_PHRASING
from knowledge.text import split_questions
from knowledge.versions import Content, Entry, EntryVersion
from office import units
from office.errors import Conflict
from office.staff import Permission, Staff, must, reach
from office.units import Unit, contains
from ticketing.ledgers import Enquiry
from ticketing.records import Ticket, TicketState


async def to_entry(session: AsyncSession, ticket: Ticket, *, actor: Staff, now: datetime) -> EntryVersion:
    """Begin a draft entry from what was asked and answered; the editor completes it.

    Raises `NotPermitted` outside the actor's reach, `Conflict` unless the ticket is answered or if it
    already became an entry.
    """
    # Locked, so that two editors at the same moment do not begin the same entry twice.
    await session.refresh(ticket, with_for_update=True)
    unit = await session.get_one(Unit, ticket.unit_id)
    await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)
    if ticket.state not in (TicketState.ANSWERED, TicketState.CLOSED):
        raise Conflict("stale_card")
    if ticket.entry_created_id is not None:
        raise Conflict("already_promoted")
    asked = [ticket.words, *(await _other_words(session, ticket))]
    questions = list(dict.fromkeys(part.strip() for words in asked for part in split_questions(words)))
    question = questions[0][:200] if questions else ticket.words[:200]
    text = ticket.answer_text
    content = Content(
        topic=ticket.topic or "reg_other",
        question=question,
        phrasings=tuple(q[:300] for q in questions if len(q) >= SHORTEST_PHRASING),
        short=text if len(text) <= LONGEST_SHORT_ANSWER else "",
        full="" if len(text) <= LONGEST_SHORT_ANSWER else text,
        basis=await _basis(session, ticket),
        scope_unit_id=await _scope(session, actor),
    )
    version = await entries.draft(session, content, actor=actor, now=now, ticket_id=ticket.id)
    entry = await session.get_one(Entry, version.entry_id)
    ticket.entry_created_id = entry.id
    await session.flush()
    return version


async def _basis(session: AsyncSession, ticket: Ticket) -> tuple[Mapping[str, str], ...]:
    if ticket.conclusion_version_id is not None:
        return tuple((await session.get_one(EntryVersion, ticket.conclusion_version_id)).basis)
    return ({"law": ticket.conclusion_basis, "article": ""},) if ticket.conclusion_basis else ()


async def _other_words(session: AsyncSession, ticket: Ticket) -> list[str]:
    rows = await session.scalars(select(Enquiry.words).where(Enquiry.ticket_id == ticket.id))
    return [words for words in rows.all() if words != ticket.words]


async def _scope(session: AsyncSession, actor: Staff) -> int:
    """The district where it lies in the officer's reach, else the officer's own unit."""
    district = await units.election_office(session)
    return district.id if contains(await reach(session, actor), district.path) else actor.unit_id
