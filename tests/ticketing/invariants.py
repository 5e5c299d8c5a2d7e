"""The twelve invariants of the desk, asked of the rows themselves (helpdesk, states and transitions)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.versions import EntryLevel, EntryVersion
from office.audit import AuditEntry
from office.outbox import Delivery
from ticketing.call_backs import CallBack
from ticketing.drafts import Draft
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import OPEN_STATES, TRANSITIONS, ThreadPost, Ticket, TicketState
from ticketing.waiting import askers

S = TicketState
IDENTITY = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")


def of_row(ticket: Ticket) -> None:
    """What a single row has to fulfil at every moment (1, 2, 3, 8)."""
    if ticket.state is S.CLOSED:
        offline = ticket.offline_owner_id is not None and ticket.offline_done_at is not None
        concluded = ticket.conclusion_no > 0 and (ticket.conclusion_version_id or ticket.reviewer_id)
        assert offline or concluded, "1: closed without a conclusion"
        assert ticket.closed_at is not None, "1: closed at no time"
        assert ticket.closed_by is not None, "1: closed by nobody"
    assert ticket.state is not S.VOID or ticket.reason, "1: void without a reason"
    assert (ticket.state is S.MERGED) == (ticket.merged_into_id is not None), (
        "1: merged and a lead go together"
    )
    assert ticket.reviewer_id is None or ticket.reviewer_id != ticket.author_id, "2: reviewed by its author"
    passed = (
        ticket.accepted_at, ticket.assigned_at, ticket.taken_at, ticket.answered_at, ticket.closed_at,
    )  # fmt: skip
    known = [at for at in passed if at is not None]
    assert known == sorted(known), f"3: {passed}"
    if ticket.state is S.WORKING:
        assert ticket.assignee_id is not None, "8: worked on by nobody"
        assert ticket.taken_at is not None, "8: worked on since never"
    if ticket.state is S.UNASSIGNED:
        assert ticket.assignee_id is None, "8: in the queue and in somebody's hands"
    if ticket.state in OPEN_STATES:
        assert ticket.due_at is not None, "8: owed by no time"
    held = (ticket.held_at is not None, ticket.resume_by is not None)
    assert held == ((ticket.state is S.ON_HOLD),) * 2, "8: held and an end of the hold go together"
    assert ticket.hold_wanted_until is None or ticket.state is S.WORKING, "8: a wish outlived the work"


async def of_levels(session: AsyncSession) -> None:
    """2: what is statutory or sensitive was signed by a second person."""
    rows = await session.execute(
        select(Ticket.author_id, Ticket.reviewer_id)
        .join(EntryVersion, EntryVersion.id == Ticket.conclusion_version_id)
        .where(Ticket.conclusion_no > 0, EntryVersion.level != EntryLevel.ORDINARY)
        .where(Ticket.state.in_((S.ANSWERED, S.CLOSED)))
    )
    assert all(reviewer is not None and reviewer != author for author, reviewer in rows), "2: not signed"


async def of_leads(session: AsyncSession) -> None:
    """5: one step from a joined ticket to its lead, which is no void one."""
    rows = await session.execute(select(Ticket.id, Ticket.state, Ticket.merged_into_id))
    states = {number: (state, lead) for number, state, lead in rows}
    for number, (state, lead) in states.items():
        if state is S.MERGED:
            assert lead != number, "5: joined to itself"
            assert states[lead][0] not in (S.MERGED, S.VOID), f"5: {number} is led by a {states[lead][0]} one"


async def of_lines(session: AsyncSession) -> None:
    """6: each move has its one line in the audit; the lines of a ticket join to where it stands now."""
    entries = await session.execute(
        select(AuditEntry.subject, AuditEntry.facts, AuditEntry.actor_kind, AuditEntry.channel)
        .where(AuditEntry.action.like("ticket.%"))
        .order_by(AuditEntry.id)
    )
    at: dict[str, str] = {}
    version: dict[str, int] = {}
    for subject, facts, actor, channel in entries:
        if "from" not in facts:
            continue
        assert at.get(subject, S.UNASSIGNED.value) == facts["from"], f"6: a move of {subject} has no line"
        assert S(facts["to"]) in TRANSITIONS[S(facts["from"])], f"6: {subject} {facts}"
        before, after = facts["version"]
        assert version.get(subject, 0) <= before < after, f"6: versions of {subject}"
        assert actor, channel
        at[subject], version[subject] = facts["to"], after
    rows = await session.execute(select(Ticket.id, Ticket.state))
    for number, state in rows:
        assert at.get(f"ticket:{number}", S.UNASSIGNED.value) == state.value, (
            f"6: ticket {number} moved alone"
        )


async def of_answer(session: AsyncSession, lead: Ticket) -> None:
    """9: everybody who waited has this conclusion once, in their chat or on the call-back list."""
    key = f":%:{lead.id}:{lead.conclusion_no}"
    sent = await session.scalars(
        select(Delivery.contact_id).where(Delivery.key.like(f"ticket{key}:%"), Delivery.kind == "answer")
    )
    called = await session.scalars(select(CallBack.ticket_id).where(CallBack.key.like(f"ticket{key}")))
    waiting = await askers(session, lead)
    chats = Counter(one.contact.id for one in waiting if one.contact)
    found = Counter(sent.all())
    assert found == chats, f"9: {found} were told {key}, {chats} wait"
    assert Counter(called.all()) == Counter(one.ticket.id for one in waiting if not one.contact), "9: calls"


async def of_outbox(session: AsyncSession) -> None:
    """9: no recipient has one conclusion of one ticket twice."""
    rows = await session.execute(
        select(Delivery.subject, Delivery.contact_id, Delivery.facts).where(Delivery.kind == "answer")
    )
    # What is handled offline by now has lost everything but its number.
    known = [row for row in rows if "conclusion" in row.facts]
    told = Counter((subject, contact, facts["conclusion"]) for subject, contact, facts in known)
    twice = {one: times for one, times in told.items() if times > 1}
    assert not twice, f"9: told twice: {twice}"


async def of_offline(session: AsyncSession, words: dict[int, str]) -> None:
    """10: what is handled offline stands nowhere that is read, sent, searched or exported."""
    rows = await session.scalars(select(Ticket.id).where(Ticket.state == S.OFFLINE))
    secret = [words[number] for number in rows if number in words]
    if secret:
        found = [text for text in await texts(session) for mark in secret if f"{mark}：" in text]
        assert not found, f"10: an offline text is to be read: {found}"


async def of_numbers(session: AsyncSession, opened: int) -> None:
    """11: the states add up to the tickets, the outcomes to the enquiries."""
    states = dict((await session.execute(select(Ticket.state, func.count()).group_by(Ticket.state))).all())
    assert sum(states.values()) == opened, "11: a ticket more or less"
    outcomes = await session.execute(select(Enquiry.outcome, func.count()).group_by(Enquiry.outcome))
    counted = dict(outcomes.all())
    total = await session.scalar(select(func.count()).select_from(Enquiry))
    assert sum(counted.get(outcome, 0) for outcome in Outcome) == total, "11: an enquiry without an outcome"


async def of_identity(session: AsyncSession) -> None:
    """12: no text anywhere holds an identity number."""
    assert not [text for text in await texts(session) if IDENTITY.search(text)], "12: an identity number"


async def texts(session: AsyncSession) -> Sequence[str]:
    """Every text of tickets, threads, drafts, enquiries, messages and the audit."""
    found: list[str] = []
    for column in (
        Ticket.words, Ticket.answer_text, Ticket.proposed_text, Ticket.conclusion_basis, Ticket.reason,
        Ticket.summary, Ticket.note, ThreadPost.text, Draft.text, Enquiry.words, CallBack.point,
    ):  # fmt: skip
        found += (await session.scalars(select(column).where(column != ""))).all()
    for facts in (Delivery.facts, AuditEntry.facts):
        found += [json.dumps(row, ensure_ascii=False) for row in (await session.scalars(select(facts))).all()]
    return found


async def everything(session: AsyncSession, words: dict[int, str]) -> None:
    """All that can be asked of the whole store; `words` are the marks of each ticket's words."""
    for row in (await session.scalars(select(Ticket))).all():
        of_row(row)
    await of_levels(session)
    await of_leads(session)
    await of_lines(session)
    await of_outbox(session)
    await of_offline(session, words)
    await of_numbers(session, len(words))
    await of_identity(session)


def kept(ticket: Ticket) -> tuple[Any, ...]:
    """What never changes about a ticket, whatever is done to it (5)."""
    return ticket.ticket_no, ticket.progress_code, ticket.contact_id, ticket.channel, ticket.accepted_at


def clocks(ticket: Ticket) -> tuple[Any, ...]:
    """When it is owed (4)."""
    return ticket.due_at, ticket.promised_at
