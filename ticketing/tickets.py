"""What officers do with a ticket. Every act checks the actor, moves the state by the table and is audited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import calendar
from knowledge.versions import Entry, EntryLevel, EntryState, EntryVersion
from office import audit, contacts, outbox
from office.audit import Actor
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.hours import OfficeHours
from office.staff import Permission, Staff, must, second_person
from office.store import ring_after_commit
from office.units import Unit
from ticketing import clocks, feedback
from ticketing.intake import clean, post
from ticketing.records import (
    QUEUE_TOPIC,
    TRANSITIONS,
    PostKind,
    ThreadPost,
    Ticket,
    TicketKind,
    TicketState,
)

S = TicketState
LONGEST_ANSWER = 3500
LONGEST_REASON = 300
LONGEST_BASIS = 500


async def get(session: AsyncSession, ticket_id: int) -> Ticket:
    """The ticket with this row number; raises `NotFound`. Reach is checked by who acts or shows."""
    ticket = await session.scalar(select(Ticket).where(Ticket.id == ticket_id))
    if ticket is None:
        raise NotFound("ticket_unknown")
    return ticket


async def take(
    session: AsyncSession, ticket: Ticket, *, seen: int | None = None, actor: Staff, now: datetime
) -> None:
    """Assign an open ticket to oneself and begin; the first one wins.

    `seen` is the version on the officer's card. Raises `Conflict("taken")` with the name of whoever was
    faster.
    """
    await may_work(session, actor, ticket)
    # Locked and read again, so that whoever comes second waits for the first and can be told who it was.
    await session.refresh(ticket, with_for_update=True)
    if ticket.state not in (S.UNASSIGNED, S.ASSIGNED) or (seen is not None and ticket.version != seen):
        await _tell_who(session, ticket)
    ticket.assignee_id, ticket.taken_at = actor.id, now
    if ticket.first_taker_id is None:
        ticket.first_taker_id = actor.id
    await move(session, ticket, S.WORKING, "take", actor.as_actor(), now)


async def put_back(
    session: AsyncSession, ticket: Ticket, reason: str, *, actor: Staff, now: datetime
) -> None:
    """Give a ticket one holds back to the queue; the reason stays on it."""
    await _must_hold(session, actor, ticket)
    ticket.reason = await reason_given(session, reason)
    ticket.assignee_id = None
    await move(session, ticket, S.UNASSIGNED, "send_back", actor.as_actor(), now)


async def note(session: AsyncSession, ticket: Ticket, text: str, *, actor: Staff, now: datetime) -> None:
    """A line for colleagues; never shown to the asker."""
    await may_work(session, actor, ticket)
    await post(session, ticket, PostKind.NOTE, await clean(session, _text(text)), now=now, staff=actor)
    await audit.record(session, "ticket.note", f"ticket:{ticket.id}", actor=actor.as_actor(), now=now)
    ring_after_commit(session, QUEUE_TOPIC)


async def propose(
    session: AsyncSession, ticket: Ticket, text: str, basis: str, *, actor: Staff, now: datetime
) -> None:
    """Hand a draft answer with its basis to a reviewer: an answer that no entry carries needs one."""
    await _must_hold(session, actor, ticket)
    if not basis.strip():
        raise Invalid("basis_needed")
    ticket.proposed_text = await clean(session, _text(text))
    ticket.conclusion_basis = (await clean(session, basis.strip()))[:LONGEST_BASIS]
    ticket.conclusion_version_id = ticket.reviewer_id = None
    ticket.author_id = actor.id
    await move(session, ticket, S.IN_REVIEW, "propose", actor.as_actor(), now)


async def revise(session: AsyncSession, ticket: Ticket, remark: str, *, actor: Staff, now: datetime) -> None:
    """The reviewer gives a draft answer back to its author with a remark."""
    await must(session, actor, Permission.PUBLISH_ENTRIES, await _unit_path(session, ticket))
    await lock(session, ticket)
    if ticket.state is not S.IN_REVIEW:
        raise Conflict("stale_card")
    await post(session, ticket, PostKind.NOTE, await clean(session, _text(remark)), now=now, staff=actor)
    await move(session, ticket, S.WORKING, "revise", actor.as_actor(), now)


async def sign(
    session: AsyncSession, ticket: Ticket, *, seen: int, actor: Staff, hours: OfficeHours, now: datetime
) -> None:
    """A reviewer, not the author, signs the draft answer; it leaves for everybody who asked."""
    await must(session, actor, Permission.PUBLISH_ENTRIES, await _unit_path(session, ticket))
    await lock(session, ticket)
    if ticket.state is not S.IN_REVIEW or ticket.version != seen:
        raise Conflict("stale_card")
    await second_person(session, actor, ticket.author_id, now=now)
    ticket.reviewer_id = actor.id
    await _answer(session, ticket, ticket.proposed_text, "", actor=actor, hours=hours, now=now)


async def answer(
    session: AsyncSession,
    ticket: Ticket,
    text: str,
    version: EntryVersion,
    *,
    actor: Staff,
    hours: OfficeHours,
    now: datetime,
) -> None:
    """Answer with a published entry of ordinary level as the reliable conclusion.

    Raises `Conflict("entry_not_in_force")` for a version that is not published or not for today,
    `NotPermitted` for a level that needs a reviewer.
    """
    await _must_hold(session, actor, ticket)
    if version.state is not EntryState.PUBLISHED or not version.covers(calendar.today(now)):
        raise Conflict("entry_not_in_force")
    if version.level is not EntryLevel.ORDINARY or not version.confirmed:
        raise NotPermitted("reviewer_needed")
    entry = await session.get_one(Entry, version.entry_id)
    ticket.conclusion_version_id = version.id
    ticket.author_id = actor.id
    ticket.reviewer_id = None
    ticket.proposed_text = ticket.conclusion_basis = ""
    ticket.topic = version.topic
    await _answer(session, ticket, text, entry.entry_no, actor=actor, hours=hours, now=now)
    await feedback.pointed(session, ticket, entry.id, actor=actor, now=now)


async def merge(session: AsyncSession, ticket: Ticket, lead: Ticket, *, actor: Staff, now: datetime) -> None:
    """Join a ticket to another one of the same asker; the lead's conclusion answers both, once.

    What the asker wrote goes over into the lead's thread, and what had been joined to the ticket as well.
    A term of the law goes along: the earlier one counts. Raises `Conflict("merge_other_asker")`,
    `Conflict("merge_cycle")` for itself or a merged lead, and `Conflict("merge_statutory")` where a term of
    the law would be lost in a lead on which it does not run.
    """
    await may_work(session, actor, ticket)
    await may_work(session, actor, lead)
    await lock(session, ticket, lead)
    if lead.id == ticket.id or lead.state in (S.MERGED, S.VOID):
        raise Conflict("merge_cycle")
    if ticket.contact_id is None or ticket.contact_id != lead.contact_id:
        raise Conflict("merge_other_asker")
    if S.MERGED not in TRANSITIONS[ticket.state]:
        raise Conflict("stale_card")
    if ticket.statutory_due is not None:
        if lead.statutory_due is None or lead.statutory_kind is not ticket.statutory_kind:
            raise Conflict("merge_statutory")
        lead.statutory_due = min(lead.statutory_due, ticket.statutory_due)
    # Two receipts are two persons': the lead keeps its own.
    lead.receipt_digest = lead.receipt_digest or ticket.receipt_digest
    ticket.receipt_digest = None
    ticket.merged_into_id = lead.id
    await session.execute(
        update(Ticket).where(Ticket.merged_into_id == ticket.id).values(merged_into_id=lead.id)
    )
    written = await session.scalars(
        select(ThreadPost)
        .where(ThreadPost.ticket_id == ticket.id, ThreadPost.kind.in_((PostKind.ASKER, PostKind.EDITED)))
        .order_by(ThreadPost.id)
    )
    for line in written.all():
        await post(session, lead, line.kind, line.text, now=line.at, event_id=line.event_id)
    await move(session, ticket, S.MERGED, "merge", actor.as_actor(), now, lead=lead.ticket_no)


async def void(session: AsyncSession, ticket: Ticket, reason: str, *, actor: Staff, now: datetime) -> None:
    """Set aside what is no question for this office; never appeals, reports, or what a legal term runs on.

    Tickets that had been joined to it come back into the queue: they are still owed an answer.
    """
    await may_work(session, actor, ticket)
    if not may_be_void(ticket):
        raise NotPermitted("never_void")
    await lock(session, ticket)
    joined = await session.scalars(
        select(Ticket).where(Ticket.merged_into_id == ticket.id).order_by(Ticket.id).with_for_update()
    )
    ticket.reason = await reason_given(session, reason)
    ticket.receipt_digest = None
    await move(session, ticket, S.VOID, "void", actor.as_actor(), now)
    await feedback.dismissed(session, ticket, actor=actor, now=now)
    for child in joined.all():
        child.merged_into_id = None
        await move(session, child, S.UNASSIGNED, "split", actor.as_actor(), now, lead=ticket.ticket_no)


def may_be_void(ticket: Ticket) -> bool:
    """Whether a ticket may be set aside at all; its state decides besides."""
    return ticket.kind not in (TicketKind.APPEAL, TicketKind.REPORT) and ticket.statutory_due is None


async def _answer(
    session: AsyncSession,
    ticket: Ticket,
    text: str,
    entry_no: str,
    *,
    actor: Staff,
    hours: OfficeHours,
    now: datetime,
) -> None:
    words = await clean(session, _text(text))
    ticket.answer_text, ticket.answered_at = words, now
    ticket.conclusion_no += 1
    ticket.follow_up, ticket.follow_up_asked_at = None, None
    ticket.follow_up_due_at = clocks.follow_up_at(now, hours)
    await move(session, ticket, S.ANSWERED, "answer", actor.as_actor(), now, conclusion=ticket.conclusion_no)
    await post(session, ticket, PostKind.ANSWER, words, now=now, staff=actor)
    if ticket.contact_id is not None:
        contact = await contacts.get(session, ticket.contact_id)
        await outbox.put(
            session,
            contact,
            "answer",
            {
                "ticket": ticket.id,
                "no": ticket.ticket_no,
                "asked": ticket.words[:200],
                "asked_on": ticket.business_day.isoformat(),
                "text": words,
                "basis": ticket.conclusion_basis,
                "entry": entry_no,
                "conclusion": ticket.conclusion_no,
            },
            key=f"ticket:{ticket.id}:{ticket.conclusion_no}:{contact.id}",
            subject=f"ticket:{ticket.id}",
            now=now,
        )


async def move(
    session: AsyncSession, ticket: Ticket, to: TicketState, by: str, actor: Actor, now: datetime, **facts: Any
) -> None:
    """Move a ticket by its table of transitions, with the audit line, and wake the officers' queues."""
    await audit.move(session, ticket, to, by=by, table=TRANSITIONS, actor=actor, now=now, **facts)
    ring_after_commit(session, QUEUE_TOPIC)


async def lock(session: AsyncSession, *rows: Ticket) -> None:
    """Hold these tickets until the commit; raises `Conflict("stale_card")` if one changed since it was read.

    Every act locks before it writes, and before the audit locks its end of the chain: so whoever comes
    second is told, and no two acts wait for each other.
    """
    await session.flush()
    for ticket in sorted(rows, key=lambda row: row.id):
        before = ticket.version
        await session.refresh(ticket, with_for_update=True)
        if ticket.version != before:
            raise Conflict("stale_card")


async def _unit_path(session: AsyncSession, ticket: Ticket) -> str:
    return (await session.get_one(Unit, ticket.unit_id)).path


async def may_work(session: AsyncSession, actor: Staff, ticket: Ticket) -> None:
    """Raise `NotPermitted` unless this ticket is in `actor`'s reach and they may work on tickets."""
    await must(session, actor, Permission.WORK_TICKETS, await _unit_path(session, ticket))


async def _must_hold(session: AsyncSession, actor: Staff, ticket: Ticket) -> None:
    await may_work(session, actor, ticket)
    await lock(session, ticket)
    if ticket.state is not S.WORKING:
        raise Conflict("stale_card")
    if ticket.assignee_id != actor.id:
        raise Conflict("not_yours")


async def _tell_who(session: AsyncSession, ticket: Ticket) -> None:
    if ticket.state is S.WORKING and ticket.assignee_id and ticket.taken_at:
        holder = await session.get_one(Staff, ticket.assignee_id)
        raise Conflict("taken", who=holder.masked_name, at=ticket.taken_at)
    raise Conflict("stale_card")


def _text(text: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid("text_needed")
    if len(text) > LONGEST_ANSWER:
        raise Invalid("text_long", most=LONGEST_ANSWER)
    return text


async def reason_given(session: AsyncSession, reason: str) -> str:
    """The reason as it is kept; raises `Invalid("reason_needed")` for an empty one."""
    reason = (await clean(session, reason.strip()))[:LONGEST_REASON]
    if not reason:
        raise Invalid("reason_needed")
    return reason
