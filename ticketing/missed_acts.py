"""The four keys of the missed-question desk, and taking back what one of them did."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import answer as answers
from knowledge import calendar, entries, golden, lessons
from knowledge.golden import GoldenQuestion
from knowledge.labelled import OUT_OF_SCOPE
from knowledge.lessons import Source
from knowledge.versions import Entry, EntryLevel, EntryVersion, content_of, get_version
from office import audit, redact, units
from office.errors import Conflict, Invalid, NotFound
from office.hours import OfficeHours, beijing_day
from office.staff import Permission, Staff, may, must
from ticketing import feedback, promote, tickets
from ticketing.ledgers import Enquiry
from ticketing.missed import MissDecision, Missed, MissKey, OffTopic, chosen, of_batch
from ticketing.records import Ticket, TicketState

S = TicketState
MOST_AT_ONCE = 100
_TAUGHT = {
    MissKey.PHRASING: Source.DESK_PHRASING,
    MissKey.POINTED: Source.DESK_POINTED,
    MissKey.ENTRY: Source.DESK_NEW,
    MissKey.OFF_TOPIC: Source.DESK_DISMISSED,
}


@dataclass(frozen=True, slots=True)
class Pointed:
    """How many askers were answered just now, and how many open tickets somebody else has to answer."""

    batch: str
    answered: int
    left: int


async def to_phrasing(
    session: AsyncSession, numbers: Collection[int], entry: Entry, *, actor: Staff, now: datetime
) -> str:
    """Key 1: these questions become ways to ask for an entry, in a draft that goes through review.

    Returns the batch. Raises `Conflict("miss_gone")` for what is decided already, and as
    `promote.add_phrasings` does. What it changes among the golden questions is to be shown before.
    """
    rows = await _rows(session, actor, numbers)
    words = [row.enquiry.words for row in rows]
    await promote.add_phrasings(session, entry, words, actor=actor, now=now)
    return await _decided(session, rows, MissKey.PHRASING, entry.id, actor=actor, now=now)


async def point(
    session: AsyncSession,
    numbers: Collection[int],
    entry: Entry,
    *,
    actor: Staff,
    hours: OfficeHours,
    now: datetime,
) -> Pointed:
    """Key 2: an entry answers these questions. Whoever still waits gets it now, from the acting officer.

    The pair of words and entry is kept as a lesson; the entry stays as it is. A ticket in somebody else's
    hands is left to them, and so is every ticket where the entry needs a reviewer or the actor works on none.
    Raises `Conflict("entry_not_in_force")`, `Conflict("miss_gone")`.
    """
    rows = await _rows(session, actor, numbers)
    office = await units.election_office(session)
    known = await answers.published(session, entry.id, office=office, now=now)
    if known is None:
        raise Conflict("entry_not_in_force")
    version = await get_version(session, known.version_id)
    alone = (
        version.level is EntryLevel.ORDINARY
        and version.confirmed
        and version.covers(calendar.today(now))
        and may(actor, Permission.WORK_TICKETS)
    )
    answered: set[int] = set()
    left: set[int] = set()
    for ticket in {row.ticket.id: row.ticket for row in rows}.values():
        if alone and await _mine_now(session, ticket, actor, now):
            await tickets.answer(session, ticket, known.short, version, actor=actor, hours=hours, now=now)
            answered.add(ticket.id)
        elif ticket.state in (S.UNASSIGNED, S.ASSIGNED, S.WORKING, S.ON_HOLD, S.IN_REVIEW):
            left.add(ticket.id)
    batch = await _decided(session, rows, MissKey.POINTED, known.entry_id, actor=actor, now=now)
    return Pointed(batch, len(answered), len(left))


async def to_entry(
    session: AsyncSession, numbers: Collection[int], *, actor: Staff, now: datetime
) -> EntryVersion:
    """Key 3: a draft entry from these questions, with the answer and basis of one that was answered already.

    Raises `Conflict("miss_gone")`, `NotPermitted`.
    """
    rows = await _rows(session, actor, numbers)
    solved = [await _answering(session, row.ticket) for row in rows]
    source = next((t for t in solved if t.state in promote.ANSWERED and t.entry_created_id is None), None)
    words = [row.enquiry.words for row in rows]
    if source is None:
        version = await promote.from_questions(
            session, words, topic=rows[0].ticket.topic, actor=actor, now=now
        )
    else:
        version = await promote.to_entry(session, source, actor=actor, now=now)
        await _with_more(session, version, words, actor=actor, now=now)
    await _decided(session, rows, MissKey.ENTRY, version.entry_id, actor=actor, now=now)
    return version


async def dismiss(
    session: AsyncSession, numbers: Collection[int], why: OffTopic, *, actor: Staff, now: datetime
) -> str:
    """Key 4: no matter of ours. The words become golden questions that nothing may answer.

    What is still owed to the askers stays owed: a ticket is set aside by an officer, with a reason.
    Raises `Conflict("miss_gone")`.
    """
    rows = await _rows(session, actor, numbers)
    for words in dict.fromkeys(row.enquiry.words for row in rows):
        # A golden question is read by many and stays: no stories, nothing with a number taken out.
        if redact.PLACEHOLDER not in words and promote.one_question(words) and len(words) <= golden.LONGEST:
            await golden.grow(session, words, topic=OUT_OF_SCOPE, kind=why.value, actor=actor, now=now)
    return await _decided(session, rows, MissKey.OFF_TOPIC, None, why.value, actor=actor, now=now)


async def undo(session: AsyncSession, batch: str, *, actor: Staff, now: datetime) -> MissKey:
    """Take back one's own key press of today: lessons, golden questions and drafts go, the questions return.

    What was sent stays sent. Raises `NotFound("miss_unknown")` for somebody else's,
    `Conflict("miss_undo_late")` after midnight, `Conflict("miss_moved_on")` once a draft has gone to review.
    """
    rows = await of_batch(session, batch)
    if not rows or rows[0].staff_id != actor.id:
        raise NotFound("miss_unknown")
    if beijing_day(rows[0].at) != beijing_day(now):
        raise Conflict("miss_undo_late")
    await must(session, actor, Permission.DRAFT_ENTRIES)
    first = rows[0]
    enquiries = [await session.get_one(Enquiry, row.enquiry_id) for row in rows]
    asked = [await session.get_one(Ticket, one.ticket_id) for one in enquiries if one.ticket_id is not None]
    if first.key is MissKey.PHRASING:
        await _without(session, first, enquiries, actor=actor, now=now)
    elif first.key is MissKey.ENTRY:
        await _no_entry(session, first, asked, actor=actor, now=now)
    for row in rows:
        row.undone_at = now
        await lessons.take_back(session, _TAUGHT[row.key], occasion=f"enquiry:{row.enquiry_id}")
    if first.key is MissKey.POINTED:
        for ticket in asked:
            if ticket.author_id == actor.id and ticket.answered_at == first.at:
                await feedback.undone(session, ticket)
    if first.key in (MissKey.OFF_TOPIC, MissKey.ENTRY):
        await _ask_no_more(session, first, actor=actor, now=now)
    await audit.record(
        session, "missed.undo", f"missed:{batch}", actor=actor.as_actor(), now=now,
        key=first.key.value, count=len(rows),
    )  # fmt: skip
    return first.key


async def _rows(session: AsyncSession, actor: Staff, numbers: Collection[int]) -> list[Missed]:
    wanted = set(numbers)
    if not wanted:
        raise Invalid("miss_none_chosen")
    if len(wanted) > MOST_AT_ONCE:
        raise Invalid("miss_too_many", most=MOST_AT_ONCE)
    # Held until the commit: two editors who press at the same moment decide one after the other.
    await session.execute(
        select(Enquiry.id).where(Enquiry.id.in_(wanted)).order_by(Enquiry.id).with_for_update()
    )
    rows = await chosen(session, actor, wanted)
    if len(rows) != len(wanted):
        raise Conflict("miss_gone")
    return rows


async def _decided(
    session: AsyncSession,
    rows: Sequence[Missed],
    key: MissKey,
    entry_id: int | None,
    off_topic: str = "",
    *,
    actor: Staff,
    now: datetime,
) -> str:
    batch = secrets.token_hex(8)
    for row in rows:
        session.add(
            MissDecision(
                enquiry_id=row.enquiry.id, batch=batch, key=key, entry_id=entry_id, off_topic=off_topic,
                staff_id=actor.id, at=now,
            )
        )  # fmt: skip
        if promote.one_question(row.enquiry.words):
            await lessons.teach(
                session, _TAUGHT[key], row.enquiry.words, entry_id, occasion=f"enquiry:{row.enquiry.id}",
                contact_id=row.enquiry.contact_id, staff_id=actor.id, enquiry_id=row.enquiry.id, now=now,
            )  # fmt: skip
    await session.flush()
    await audit.record(
        session, f"missed.{key.value}", f"missed:{batch}", actor=actor.as_actor(), now=now,
        count=len(rows), **({"why": off_topic} if off_topic else {}),
    )  # fmt: skip
    return batch


async def _mine_now(session: AsyncSession, ticket: Ticket, actor: Staff, now: datetime) -> bool:
    """Whether the actor holds the ticket, having taken it if nobody else was named."""
    if ticket.state is S.UNASSIGNED or (ticket.state is S.ASSIGNED and ticket.assignee_id == actor.id):
        await tickets.take(session, ticket, actor=actor, now=now)
    return ticket.state is S.WORKING and ticket.assignee_id == actor.id


async def _answering(session: AsyncSession, ticket: Ticket) -> Ticket:
    return await session.get_one(Ticket, ticket.merged_into_id) if ticket.merged_into_id else ticket


async def _with_more(
    session: AsyncSession, version: EntryVersion, asked: Sequence[str], *, actor: Staff, now: datetime
) -> None:
    content = await content_of(session, version)
    known = {content.question, *content.phrasings}
    new = [words for words in dict.fromkeys(asked) if promote.one_question(words) and words not in known]
    if new:
        more = replace(content, phrasings=(*content.phrasings, *new))
        await entries.edit(session, version, more, seen=version.version, actor=actor, now=now)


async def _without(
    session: AsyncSession, decision: MissDecision, asked: Sequence[Enquiry], *, actor: Staff, now: datetime
) -> None:
    """Take the ways to ask out of the draft again; a draft that then changes nothing is given up."""
    entry = await session.get_one(Entry, decision.entry_id)
    draft = await promote.open_draft(session, entry)
    if draft is None:
        raise Conflict("miss_moved_on")
    words = {one.words.strip() for one in asked}
    content = await content_of(session, draft)
    kept = tuple(text for text in content.phrasings if text not in words)
    before = replace(content, phrasings=kept)
    published = await get_version(session, entry.published_id) if entry.published_id else None
    if published is not None and before == await content_of(session, published):
        await entries.drop(session, draft, actor=actor, now=now)
    else:
        await entries.edit(session, draft, before, seen=draft.version, actor=actor, now=now)


async def _no_entry(
    session: AsyncSession, decision: MissDecision, asked: Sequence[Ticket], *, actor: Staff, now: datetime
) -> None:
    entry = await session.get_one(Entry, decision.entry_id)
    draft = await promote.open_draft(session, entry)
    if draft is None or entry.published_id is not None or draft.author_id != actor.id:
        raise Conflict("miss_moved_on")
    await entries.drop(session, draft, actor=actor, now=now)
    for ticket in [*asked, *[await _answering(session, one) for one in asked]]:
        if ticket.entry_created_id == entry.id:
            ticket.entry_created_id = None
            await lessons.take_back(session, Source.DESK_NEW, occasion=f"ticket:{ticket.id}")


async def _ask_no_more(session: AsyncSession, decision: MissDecision, *, actor: Staff, now: datetime) -> None:
    """Retire the golden questions that this key press added; others of the same words stay."""
    statement = select(GoldenQuestion).where(
        GoldenQuestion.added_by_id == actor.id,
        GoldenQuestion.added_at == decision.at,
        GoldenQuestion.retired_at.is_(None),
    )
    if decision.key is MissKey.ENTRY:
        statement = statement.where(GoldenQuestion.entry_id == decision.entry_id)
    else:
        statement = statement.where(GoldenQuestion.kind == decision.off_topic)
    for question in (await session.scalars(statement.order_by(GoldenQuestion.id))).all():
        await golden.retire(session, question, actor=actor, now=now)
