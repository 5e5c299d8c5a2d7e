"""What may be done with a ticket. Every act checks the actor, moves the state by the table and is audited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.versions import Entry, EntryLevel, EntryState, EntryVersion
from office import audit, contacts, outbox, redact, units
from office.audit import Actor
from office.contacts import Channel, Contact
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.hours import OfficeHours
from office.staff import Permission, Staff, must
from office.store import ring_after_commit
from office.units import Unit
from ticketing import clocks, numbers
from ticketing.clocks import Priority
from ticketing.records import (
    OPEN_STATES,
    QUEUE_TOPIC,
    REOPEN_WITHIN,
    TRANSITIONS,
    ClosedBy,
    FollowUp,
    PostKind,
    Serial,
    ThreadPost,
    Ticket,
    TicketKind,
    TicketState,
    UnansweredReason,
)

S = TicketState
LONGEST_ANSWER = 3500
HIGHER = {Priority.P3: Priority.P2, Priority.P2: Priority.P1, Priority.P1: Priority.P1}


async def open_ticket(
    session: AsyncSession,
    contact: Contact | None,
    words: str,
    *,
    unit: Unit,
    district: Unit,
    channel: Channel,
    actor: Actor,
    hours: OfficeHours,
    now: datetime,
    topic: str = "",
    kind: TicketKind = TicketKind.ENQUIRY,
    why: UnansweredReason = UnansweredReason.NO_ENTRY,
    asked_for_person: bool = False,
    urgent: bool = False,
    event_id: str = "",
) -> Ticket:
    """Write a question down as a ticket with its number, code and promised time.

    `words` are redacted once more here, so that no caller can forget it.
    """
    clean = redact.text(words, published=await units.published_numbers(session))
    promise = clocks.promise(now, hours, urgent=urgent)
    day = clocks.business_day(now)
    serial = await _next_serial(session, district.code, day)
    ticket = Ticket(
        kind=kind,
        ticket_no=numbers.ticket_no(district.code, day, serial),
        progress_code=numbers.new_progress_code(),
        district_code=district.code,
        serial=serial,
        contact_id=contact.id if contact else None,
        channel=channel,
        unit_id=unit.id,
        topic=topic,
        words=clean.text,
        has_personal=bool(clean.counts),
        asked_for_person=asked_for_person,
        why_unanswered=why,
        priority=promise.priority,
        business_day=day,
        due_day=promise.due_day,
        promised_at=promise.promised_at,
        due_at=promise.due_at,
        accepted_at=now,
        first_taker_id=actor.id if actor.kind is audit.ActorKind.STAFF else None,
    )
    session.add(ticket)
    await session.flush()
    await post(session, ticket, PostKind.ASKER, clean.text, now=now, event_id=event_id)
    await audit.record(
        session, "ticket.open", f"ticket:{ticket.id}", actor=actor, now=now,
        no=ticket.ticket_no, kind=kind.value, why=why.value,
    )  # fmt: skip
    ring_after_commit(session, QUEUE_TOPIC)
    return ticket


async def append(
    session: AsyncSession, ticket: Ticket, words: str, *, now: datetime, event_id: str = ""
) -> None:
    """Add what the same asker wrote later to the thread of their open ticket."""
    clean = await _clean(session, words)
    await post(session, ticket, PostKind.ASKER, clean, now=now, event_id=event_id)
    ring_after_commit(session, QUEUE_TOPIC)


async def edited(session: AsyncSession, ticket: Ticket, words: str, *, now: datetime, event_id: str) -> None:
    """Keep the new wording of a message the asker edited; the officer's page shows a banner."""
    clean = await _clean(session, words)
    await post(session, ticket, PostKind.EDITED, clean, now=now, event_id=event_id)
    ring_after_commit(session, QUEUE_TOPIC)


async def take(
    session: AsyncSession, ticket: Ticket, *, seen: int | None = None, actor: Staff, now: datetime
) -> None:
    """Assign an open ticket to oneself and begin; the first one wins.

    `seen` is the version on the officer's card. Raises `Conflict("taken")` with the name of whoever was
    faster.
    """
    await _may_work(session, actor, ticket)
    if ticket.state not in (S.UNASSIGNED, S.ASSIGNED) or (seen is not None and ticket.version != seen):
        await _tell_who(session, ticket)
    ticket.assignee_id, ticket.taken_at = actor.id, now
    if ticket.first_taker_id is None:
        ticket.first_taker_id = actor.id
    try:
        await _move(session, ticket, S.WORKING, "take", actor.as_actor(), now)
    except Conflict:
        await _tell_who(session, ticket, reload=True)


async def put_back(
    session: AsyncSession, ticket: Ticket, reason: str, *, actor: Staff, now: datetime
) -> None:
    """Give a ticket one holds back to the queue; the reason stays on it."""
    await _must_hold(session, actor, ticket)
    ticket.reason = _reason(reason)
    ticket.assignee_id = None
    await _move(session, ticket, S.UNASSIGNED, "send_back", actor.as_actor(), now)


async def note(session: AsyncSession, ticket: Ticket, text: str, *, actor: Staff, now: datetime) -> None:
    """A line for colleagues; never shown to the asker."""
    await _may_work(session, actor, ticket)
    clean = await _clean(session, _text(text))
    await post(session, ticket, PostKind.NOTE, clean, now=now, staff=actor)
    await audit.record(session, "ticket.note", f"ticket:{ticket.id}", actor=actor.as_actor(), now=now)
    ring_after_commit(session, QUEUE_TOPIC)


async def propose(
    session: AsyncSession, ticket: Ticket, text: str, basis: str, *, actor: Staff, now: datetime
) -> None:
    """Hand a draft answer with its basis to a reviewer: an answer that no entry carries needs one."""
    await _must_hold(session, actor, ticket)
    if not basis.strip():
        raise Invalid("basis_needed")
    ticket.proposed_text = await _clean(session, _text(text))
    ticket.conclusion_basis = await _clean(session, basis.strip()[:500])
    ticket.conclusion_version_id = None
    ticket.author_id = actor.id
    await _move(session, ticket, S.IN_REVIEW, "propose", actor.as_actor(), now)


async def revise(session: AsyncSession, ticket: Ticket, remark: str, *, actor: Staff, now: datetime) -> None:
    """The reviewer gives a draft answer back to its author with a remark."""
    await must(session, actor, Permission.PUBLISH_ENTRIES, await _unit_path(session, ticket))
    await post(session, ticket, PostKind.NOTE, await _clean(session, _text(remark)), now=now, staff=actor)
    await _move(session, ticket, S.WORKING, "revise", actor.as_actor(), now)


async def sign(
    session: AsyncSession, ticket: Ticket, *, seen: int, actor: Staff, hours: OfficeHours, now: datetime
) -> None:
    """A reviewer, not the author, signs the draft answer; it leaves for everybody who asked."""
    await must(session, actor, Permission.PUBLISH_ENTRIES, await _unit_path(session, ticket))
    if ticket.state is not S.IN_REVIEW or ticket.version != seen:
        raise Conflict("stale_card")
    if ticket.author_id == actor.id:
        raise NotPermitted("second_person_needed")
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

    Raises `Conflict("entry_not_in_force")` for any other version, `NotPermitted` for a level that needs
    a reviewer.
    """
    await _must_hold(session, actor, ticket)
    if version.state is not EntryState.PUBLISHED:
        raise Conflict("entry_not_in_force")
    if version.level is not EntryLevel.ORDINARY or not version.confirmed:
        raise NotPermitted("reviewer_needed")
    entry = await session.get_one(Entry, version.entry_id)
    ticket.conclusion_version_id = version.id
    ticket.author_id = actor.id
    ticket.reviewer_id = None
    ticket.topic = version.topic
    await _answer(session, ticket, text, entry.entry_no, actor=actor, hours=hours, now=now)


async def close(
    session: AsyncSession, ticket: Ticket, *, by: ClosedBy, actor: Actor, now: datetime, reason: str = ""
) -> None:
    """Close an answered ticket: by its asker's word, by the clock, or by an officer with a reason."""
    if by is ClosedBy.OFFICER:
        ticket.reason = _reason(reason)
    ticket.closed_at, ticket.closed_by = now, by
    await _move(session, ticket, S.CLOSED, "close", actor, now, closed_by=by.value)


async def follow_up(
    session: AsyncSession, ticket: Ticket, said: FollowUp, *, contact: Contact, actor: Actor, now: datetime
) -> bool:
    """Take the asker's word on the answer; returns whether anything changed.

    解决了 closes, 还没有 reopens with the same number; a second tap changes nothing.
    """
    if ticket.contact_id != contact.id:
        raise NotFound("expired_button")
    if said is FollowUp.NOT_SOLVED:
        if ticket.state in OPEN_STATES:
            return False
        ticket.follow_up = said
        await reopen(session, ticket, actor=actor, now=now)
        return True
    if ticket.state is not S.ANSWERED or ticket.follow_up is said:
        return False
    ticket.follow_up = said
    if said is FollowUp.SOLVED:
        await close(session, ticket, by=ClosedBy.ASKER, actor=actor, now=now)
    else:
        await audit.record(session, "ticket.follow_up", f"ticket:{ticket.id}", actor=actor, now=now)
    return True


async def reopen(session: AsyncSession, ticket: Ticket, *, actor: Actor, now: datetime) -> None:
    """Open an answered ticket, or one closed within seven days, again: same number, one priority higher."""
    if ticket.state is S.CLOSED and (ticket.closed_at is None or now - ticket.closed_at > REOPEN_WITHIN):
        raise Conflict("reopen_too_late")
    if ticket.state not in (S.ANSWERED, S.CLOSED):
        raise Conflict("stale_card")
    ticket.reopen_count += 1
    ticket.priority = HIGHER[ticket.priority]
    ticket.closed_at = ticket.closed_by = None
    ticket.follow_up_due_at = ticket.follow_up_asked_at = None
    back_to_holder = ticket.state is S.ANSWERED and await _still_here(session, ticket.assignee_id)
    if not back_to_holder:
        ticket.assignee_id = None
    await _move(session, ticket, S.WORKING if back_to_holder else S.UNASSIGNED, "reopen", actor, now)


async def merge(session: AsyncSession, ticket: Ticket, lead: Ticket, *, actor: Staff, now: datetime) -> None:
    """Join a ticket to another one of the same asker; the lead's conclusion answers both.

    Raises `Conflict("merge_other_asker")`, and `Conflict("merge_cycle")` for itself or a merged lead.
    """
    await _may_work(session, actor, ticket)
    await _may_work(session, actor, lead)
    if lead.id == ticket.id or lead.state in (S.MERGED, S.VOID):
        raise Conflict("merge_cycle")
    if ticket.contact_id is None or ticket.contact_id != lead.contact_id:
        raise Conflict("merge_other_asker")
    ticket.merged_into_id = lead.id
    await post(session, lead, PostKind.ASKER, ticket.words, now=now)
    await _move(session, ticket, S.MERGED, "merge", actor.as_actor(), now, lead=lead.ticket_no)


async def void(session: AsyncSession, ticket: Ticket, reason: str, *, actor: Staff, now: datetime) -> None:
    """Set aside what is no question for this office; appeals and reports never."""
    await _may_work(session, actor, ticket)
    if ticket.kind in (TicketKind.APPEAL, TicketKind.REPORT):
        raise NotPermitted("never_void")
    ticket.reason = _reason(reason)
    await _move(session, ticket, S.VOID, "void", actor.as_actor(), now)


async def post(
    session: AsyncSession,
    ticket: Ticket,
    kind: PostKind,
    text: str,
    *,
    now: datetime,
    staff: Staff | None = None,
    event_id: str = "",
) -> None:
    """Write one line into the thread."""
    session.add(
        ThreadPost(
            ticket_id=ticket.id, kind=kind, text=text, staff_id=staff.id if staff else None,
            event_id=event_id, at=now,
        )
    )  # fmt: skip
    await session.flush()


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
    clean = await _clean(session, _text(text))
    ticket.answer_text, ticket.answered_at = clean, now
    ticket.conclusion_no += 1
    ticket.follow_up, ticket.follow_up_asked_at = None, None
    ticket.follow_up_due_at = clocks.follow_up_at(now, hours)
    await _move(session, ticket, S.ANSWERED, "answer", actor.as_actor(), now, conclusion=ticket.conclusion_no)
    await post(session, ticket, PostKind.ANSWER, clean, now=now, staff=actor)
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
                "text": clean,
                "basis": ticket.conclusion_basis,
                "entry": entry_no,
                "conclusion": ticket.conclusion_no,
            },
            key=f"ticket:{ticket.id}:{ticket.conclusion_no}:{contact.id}",
            subject=f"ticket:{ticket.id}",
            now=now,
        )


async def _move(
    session: AsyncSession, ticket: Ticket, to: TicketState, by: str, actor: Actor, now: datetime, **facts: Any
) -> None:
    await audit.move(session, ticket, to, by=by, table=TRANSITIONS, actor=actor, now=now, **facts)
    ring_after_commit(session, QUEUE_TOPIC)


async def _unit_path(session: AsyncSession, ticket: Ticket) -> str:
    return (await session.get_one(Unit, ticket.unit_id)).path


async def _may_work(session: AsyncSession, actor: Staff, ticket: Ticket) -> None:
    await must(session, actor, Permission.WORK_TICKETS, await _unit_path(session, ticket))


async def _must_hold(session: AsyncSession, actor: Staff, ticket: Ticket) -> None:
    await _may_work(session, actor, ticket)
    if ticket.state is not S.WORKING:
        raise Conflict("stale_card")
    if ticket.assignee_id != actor.id:
        raise Conflict("not_yours")


async def _tell_who(session: AsyncSession, ticket: Ticket, *, reload: bool = False) -> None:
    if reload:
        session.expunge(ticket)
        ticket = await session.get_one(Ticket, ticket.id)
    if ticket.state is S.WORKING and ticket.assignee_id and ticket.taken_at:
        holder = await session.get_one(Staff, ticket.assignee_id)
        raise Conflict("taken", who=holder.masked_name, at=ticket.taken_at)
    raise Conflict("stale_card")


async def _still_here(session: AsyncSession, staff_id: int | None) -> bool:
    person = await session.get(Staff, staff_id) if staff_id else None
    return person is not None and person.active


async def _next_serial(session: AsyncSession, code: str, day: Any) -> int:
    table = Serial.__table__
    assert isinstance(table, Table)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(table)
        .values(district_code=code, day=day, last=1)
        .on_conflict_do_update(index_elements=["district_code", "day"], set_={"last": table.c.last + 1})
        .returning(table.c.last)
    )
    return int((await session.execute(statement)).scalar_one())


async def _clean(session: AsyncSession, text: str) -> str:
    return redact.text(text, published=await units.published_numbers(session)).text


def _text(text: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid("text_needed")
    if len(text) > LONGEST_ANSWER:
        raise Invalid("text_long", most=LONGEST_ANSWER)
    return text


def _reason(reason: str) -> str:
    reason = redact.text(reason.strip()[:300]).text
    if not reason:
        raise Invalid("reason_needed")
    return reason


async def get(session: AsyncSession, ticket_id: int) -> Ticket:
    """The ticket with this row number; raises `NotFound`. Reach is checked by who acts or shows."""
    ticket = await session.scalar(select(Ticket).where(Ticket.id == ticket_id))
    if ticket is None:
        raise NotFound("ticket_unknown")
    return ticket
