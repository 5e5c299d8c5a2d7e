"""Answering: a draft to its reviewer and back, and the conclusion that goes to everybody who waits, once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import calendar
from knowledge.conflicts import DifferenceKind
from knowledge.versions import Entry, EntryLevel, EntryState, EntryVersion
from office import notices, outbox
from office.errors import Conflict, Invalid, NotPermitted
from office.hours import OfficeHours
from office.staff import Permission, Staff, must, second_person
from ticketing import answering, call_backs, clocks, cluster_answers, drafts, feedback, restricted
from ticketing.intake import clean, post
from ticketing.moving import lock, move, must_hold, reason_given, text_given, unit_path
from ticketing.particulars import AnswerMode, Cause
from ticketing.records import PostKind, Ticket, TicketState
from ticketing.waiting import Asker, askers

S = TicketState
LONGEST_BASIS = 500
# Somebody who was told on the telephone, at the counter or by letter has the answer already.
TOLD_ALREADY = (AnswerMode.PHONE, AnswerMode.IN_PERSON, AnswerMode.LETTER)


async def propose(
    session: AsyncSession,
    ticket: Ticket,
    text: str,
    basis: str,
    version: EntryVersion | None = None,
    *,
    actor: Staff,
    now: datetime,
    mode: AnswerMode | None = None,
    cause: Cause | None = None,
) -> None:
    """Hand a draft answer with its basis to a reviewer: an answer that no entry carries needs one.

    `version` is what it cites; `mode`, how the asker will learn it, and `cause` stay as they are for None.
    Raises `Invalid` with `answer_needed` before `basis_needed`.
    """
    await must_hold(session, actor, ticket)
    restricted.must_be_open(ticket)
    if not text.strip():
        raise Invalid("answer_needed")
    if not basis.strip():
        raise Invalid("basis_needed")
    ticket.answer_mode = mode or ticket.answer_mode
    ticket.cause = cause or ticket.cause
    await _to_review(session, ticket, text, basis, version, actor=actor, now=now)


async def revise(session: AsyncSession, ticket: Ticket, remark: str, *, actor: Staff, now: datetime) -> None:
    """The reviewer gives a draft answer back to its author with a remark: it is the author's draft again.

    Whoever held the ticket may have gone meanwhile; then it goes on into the queue.
    """
    await must(session, actor, Permission.PUBLISH_ENTRIES, await unit_path(session, ticket))
    await lock(session, ticket)
    if ticket.state is not S.IN_REVIEW:
        raise Conflict("stale_card")
    await post(session, ticket, PostKind.NOTE, await clean(session, text_given(remark)), now=now, staff=actor)
    holder = await session.get(Staff, ticket.assignee_id) if ticket.assignee_id else None
    await drafts.give_back(session, ticket, now=now)
    await move(session, ticket, S.WORKING, "revise", actor.as_actor(), now)
    if ticket.author_id is not None:
        await notices.tell(
            session, ticket.author_id, "revised", {"no": ticket.ticket_no}, subject=f"ticket:{ticket.id}",
            key=f"revised:{ticket.id}:{ticket.version}", now=now,
        )  # fmt: skip
    if holder is None or not holder.active:
        ticket.assignee_id = ticket.taken_at = None
        await move(session, ticket, S.UNASSIGNED, "requeue", actor.as_actor(), now)


async def sign(
    session: AsyncSession, ticket: Ticket, *, seen: int, actor: Staff, hours: OfficeHours, now: datetime
) -> None:
    """A reviewer, not the author, signs the draft answer; it leaves for everybody who asked."""
    await must(session, actor, Permission.PUBLISH_ENTRIES, await unit_path(session, ticket))
    await lock(session, ticket)
    if ticket.state is not S.IN_REVIEW or ticket.version != seen:
        raise Conflict("stale_card")
    await second_person(session, actor, ticket.author_id, now=now)
    version = await session.get(EntryVersion, ticket.conclusion_version_id or 0)
    entry = await session.get(Entry, version.entry_id) if version else None
    ticket.reviewer_id, ticket.reviewed_at = actor.id, now
    await _answer(
        session, ticket, ticket.proposed_text, entry.entry_no if entry else "",
        mode=ticket.answer_mode or AnswerMode.CHAT, actor=actor, hours=hours, now=now,
    )  # fmt: skip


async def answer(
    session: AsyncSession,
    ticket: Ticket,
    text: str,
    version: EntryVersion,
    *,
    actor: Staff,
    hours: OfficeHours,
    now: datetime,
    mode: AnswerMode = AnswerMode.CHAT,
    cause: Cause | None = None,
    explained: str = "",
) -> None:
    """Answer with a published entry of ordinary level as the reliable conclusion.

    `mode` is how the asker learns it: after a call they are not written to besides. Where the text says
    something other than the entry or the calendar, `Conflict("answer.conflicts")` names the first difference;
    with the reason in `explained` it goes to a reviewer and not straight out. A text from a version replaced
    since is refused with `Conflict("answer.version_moved")` in the same way. Raises
    `Conflict("entry_not_in_force")` for a version that is not published or not for today, and
    `NotPermitted("reviewer_needed")` for a level that needs a reviewer.
    """
    await must_hold(session, actor, ticket)
    restricted.must_be_open(ticket)
    if version.state is not EntryState.PUBLISHED or not version.covers(calendar.today(now)):
        raise Conflict("entry_not_in_force")
    if version.level is not EntryLevel.ORDINARY or not version.confirmed:
        raise NotPermitted("reviewer_needed")
    typed = await drafts.own(session, ticket, actor)
    differences = await answering.guard(
        session, ticket, text, version, now=now, drafted_from=typed.version_id if typed else None
    )
    if cause is not None:
        ticket.cause = cause
    ticket.answer_mode = mode
    if differences:
        if not explained.strip():
            if any(one.kind is DifferenceKind.OLDER for one in differences):
                raise Conflict("answer.version_moved")
            raise Conflict("answer.conflicts", count=len(differences))
        ticket.topic = version.topic
        await _to_review(session, ticket, text, explained, version, actor=actor, now=now)
        return
    entry = await session.get_one(Entry, version.entry_id)
    ticket.conclusion_version_id = version.id
    ticket.author_id = actor.id
    ticket.reviewer_id = ticket.reviewed_at = None
    ticket.proposed_text = ticket.conclusion_basis = ""
    ticket.topic = version.topic
    await _answer(session, ticket, text, entry.entry_no, mode=mode, actor=actor, hours=hours, now=now)
    await feedback.pointed(session, ticket, entry.id, actor=actor, now=now)


async def _to_review(
    session: AsyncSession,
    ticket: Ticket,
    text: str,
    basis: str,
    version: EntryVersion | None,
    *,
    actor: Staff,
    now: datetime,
) -> None:
    ticket.proposed_text = await clean(session, text_given(text))
    ticket.conclusion_basis = (await reason_given(session, basis))[:LONGEST_BASIS]
    ticket.conclusion_version_id = version.id if version else None
    ticket.reviewer_id = ticket.reviewed_at = None
    ticket.author_id = actor.id
    await move(session, ticket, S.IN_REVIEW, "propose", actor.as_actor(), now)


async def _answer(
    session: AsyncSession,
    ticket: Ticket,
    text: str,
    entry_no: str,
    *,
    mode: AnswerMode,
    actor: Staff,
    hours: OfficeHours,
    now: datetime,
) -> None:
    words = await clean(session, text_given(text))
    ticket.answer_text, ticket.answered_at = words, now
    ticket.first_answered_at = ticket.first_answered_at or now
    ticket.answered_by_id, ticket.answer_mode = ticket.author_id or actor.id, mode
    ticket.conclusion_no += 1
    _to_be_asked(ticket, now, hours)
    await move(session, ticket, S.ANSWERED, "answer", actor.as_actor(), now, conclusion=ticket.conclusion_no)
    await post(session, ticket, PostKind.ANSWER, words, now=now, staff=actor)
    for asker in await askers(session, ticket, locked=True):
        if asker.ticket is ticket:
            if mode not in TOLD_ALREADY:
                await _tell(session, asker, ticket, entry_no, now=now)
            continue
        asker.ticket.conclusion_no += 1
        _to_be_asked(asker.ticket, now, hours)
        await _tell(session, asker, ticket, entry_no, now=now)
    await cluster_answers.answered(session, ticket, actor=actor, now=now)


async def tell_late(
    session: AsyncSession, member: Ticket, lead: Ticket, *, hours: OfficeHours, now: datetime
) -> bool:
    """Tell somebody who was joined to an answered ticket what the others know already; returns if it is new.

    Nothing happens while the lead owes its answer, nor for somebody who was told by another ticket.
    """
    if lead.state not in (S.ANSWERED, S.CLOSED) or member.merged_into_id != lead.id:
        return False
    for asker in await askers(session, lead, locked=True):
        if asker.ticket.id == member.id:
            version = await session.get(EntryVersion, lead.conclusion_version_id or 0)
            entry = await session.get(Entry, version.entry_id) if version else None
            asker.ticket.conclusion_no += 1
            if await _tell(session, asker, lead, entry.entry_no if entry else "", now=now):
                _to_be_asked(asker.ticket, now, hours)
                return True
            asker.ticket.conclusion_no -= 1
    return False


def _to_be_asked(ticket: Ticket, now: datetime, hours: OfficeHours) -> None:
    ticket.follow_up, ticket.follow_up_asked_at = None, None
    ticket.follow_up_due_at = clocks.follow_up_at(now, hours)


async def _tell(session: AsyncSession, asker: Asker, lead: Ticket, entry_no: str, *, now: datetime) -> bool:
    """Give one asker the lead's conclusion under their own number, or lay them on the call-back list."""
    own = asker.ticket
    key = f"ticket:{own.id}:{lead.id}:{lead.conclusion_no}"
    if asker.contact is None:
        called = await call_backs.put(
            session, key=key, kind=call_backs.CallBackKind.ANSWER, ticket=own, point=lead.answer_text, now=now
        )
        return called is not None
    facts = {
        "ticket": own.id,
        "no": own.ticket_no,
        "asked": own.words[:200],
        "asked_on": own.business_day.isoformat(),
        "text": lead.answer_text,
        "basis": lead.conclusion_basis,
        "entry": entry_no,
        "conclusion": own.conclusion_no,
    }
    return await outbox.put(
        session, asker.contact, "answer", facts, key=f"{key}:{asker.contact.id}",
        subject=f"ticket:{own.id}", now=now,
    )  # fmt: skip
