"""From an answered ticket to a draft entry, with everything prefilled."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import entries
from knowledge.lint import LONGEST_SHORT_ANSWER, SHORTEST_PHRASING
from knowledge.text import split_questions
from knowledge.versions import Content, Entry, EntryVersion
from office import units
from office.errors import Conflict
from office.staff import Staff
from ticketing.ledgers import Enquiry
from ticketing.records import Ticket, TicketState


async def to_entry(session: AsyncSession, ticket: Ticket, *, actor: Staff, now: datetime) -> EntryVersion:
    """Begin a draft entry from what was asked and answered; the editor completes it.

    Raises `Conflict` unless the ticket is answered, or if it already became an entry.
    """
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
        basis=({"law": ticket.conclusion_basis, "article": ""},) if ticket.conclusion_basis else (),
        scope_unit_id=(await units.election_office(session)).id,
    )
    version = await entries.draft(session, content, actor=actor, now=now, ticket_id=ticket.id)
    entry = await session.get_one(Entry, version.entry_id)
    ticket.entry_created_id = entry.id
    await session.flush()
    return version


async def _other_words(session: AsyncSession, ticket: Ticket) -> list[str]:
    rows = await session.scalars(select(Enquiry.words).where(Enquiry.ticket_id == ticket.id))
    return [words for words in rows.all() if words != ticket.words]
