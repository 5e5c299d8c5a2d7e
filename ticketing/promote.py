"""From a ticket to a draft: a new entry with everything prefilled, or one more way to ask for an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import entries
from knowledge.lint import LONGEST_SHORT_ANSWER, SHORTEST_PHRASING
from knowledge.text import split_questions
from knowledge.versions import Content, Entry, EntryState, EntryVersion, content_of, get_version
from office import units
from office.errors import Conflict, Invalid
from office.staff import Permission, Staff, must, reach
from office.units import Unit, contains
from ticketing import feedback
from ticketing.ledgers import Enquiry
from ticketing.records import Ticket, TicketState

LONGEST_PHRASING = 300


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
    await feedback.began_entry(session, ticket, entry.id, actor=actor, now=now)
    await session.flush()
    return version


async def to_phrasing(
    session: AsyncSession, ticket: Ticket, entry: Entry, *, actor: Staff, now: datetime
) -> None:
    """Add what was asked to the ways to ask for an entry: to its open draft, or to a new one for review.

    Raises `NotPermitted` outside the actor's reach, `Conflict` if the entry is not in force, knows the words
    already or waits for its review, `Invalid("not_one_question")` for a ticket that is a story or asks more.
    """
    unit = await session.get_one(Unit, ticket.unit_id)
    await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)
    await session.refresh(entry, with_for_update=True)
    if entry.published_id is None:
        raise Conflict("entry_not_in_force")
    words = ticket.words.strip()
    if not SHORTEST_PHRASING <= len(words) <= LONGEST_PHRASING or len(split_questions(words)) > 1:
        raise Invalid("not_one_question")
    open_draft = await session.scalar(
        select(EntryVersion).where(EntryVersion.entry_id == entry.id, EntryVersion.state == EntryState.DRAFT)
    )
    before = await content_of(session, open_draft or await get_version(session, entry.published_id))
    if words in (before.question, *before.phrasings, *before.aliases):
        raise Conflict("phrasing_known")
    content = replace(before, phrasings=(*before.phrasings, words))
    if open_draft is not None:
        await entries.edit(session, open_draft, content, seen=open_draft.version, actor=actor, now=now)
    else:
        await entries.draft(session, content, actor=actor, now=now, entry=entry, ticket_id=ticket.id)
    await feedback.added_phrasing(session, ticket, entry.id, actor=actor, now=now)


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
