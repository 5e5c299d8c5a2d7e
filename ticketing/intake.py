"""Writing questions down: a new ticket with its number and promise, and what its asker adds later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from sqlalchemy.ext.asyncio import AsyncSession

from office import audit, redact, units, work_groups
from office.audit import Actor
from office.contacts import Channel, Contact
from office.hours import OfficeHours
from office.staff import Staff
from office.store import count_up, ring_after_commit
from office.units import Unit
from ticketing import alarms, clocks, numbers, restricted
from ticketing.clocks import Priority
from ticketing.records import (
    QUEUE_TOPIC,
    PostKind,
    RollIssue,
    Serial,
    StatutoryKind,
    ThreadPost,
    Ticket,
    TicketKind,
    UnansweredReason,
)

NO_FACTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class OnRoll:
    """What a ticket about the voter list carries besides: see the fields of `Ticket` of the same names."""

    roll_issue: RollIssue | None = None
    statutory_kind: StatutoryKind | None = None
    statutory_due: date | None = None
    lookup_result: str = ""
    receipt_digest: bytes | None = None


NOTHING_OF_THE_ROLL = OnRoll()


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
    group: str = "",
    wizard_facts: Mapping[str, str] = NO_FACTS,
    on_roll: OnRoll = NOTHING_OF_THE_ROLL,
) -> Ticket:
    """Write a question down as a ticket with its number, code and promised time.

    `words` are redacted once more here, so that no caller can forget it. `group` is the functional group
    that is to answer, else the one that has the topic; `wizard_facts` are the answers given step by step
    already; `on_roll` is what a case about the voter list carries, from `ticketing.roll_cases`. What is
    urgent while nobody is on duty wakes the standby officer.
    """
    found = redact.text(words, published=await units.published_numbers(session))
    promise = clocks.promise(now, hours, urgent=urgent)
    day = clocks.business_day(now)
    serial = await count_up(session, Serial, {"district_code": district.code, "day": day}, "last")
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
        group=group or await work_groups.group_of(session, topic),
        wizard_facts=dict(wizard_facts),
        words=found.text,
        has_personal=bool(found.counts),
        asked_for_person=asked_for_person,
        why_unanswered=why,
        priority=promise.priority,
        business_day=day,
        weekend_duty=clocks.weekend_duty(day, hours),
        due_day=promise.due_day,
        promised_at=promise.promised_at,
        due_at=promise.due_at,
        accepted_at=now,
        first_taker_id=actor.id if actor.kind is audit.ActorKind.STAFF else None,
        roll_issue=on_roll.roll_issue,
        statutory_kind=on_roll.statutory_kind,
        statutory_due=on_roll.statutory_due,
        lookup_result=on_roll.lookup_result,
        receipt_digest=on_roll.receipt_digest,
        secrecy=restricted.by_default(kind, why, found.text),
    )
    session.add(ticket)
    await session.flush()
    await post(session, ticket, PostKind.ASKER, found.text, now=now, event_id=event_id)
    await audit.record(
        session, "ticket.open", f"ticket:{ticket.id}", actor=actor, now=now,
        no=ticket.ticket_no, kind=kind.value, why=why.value,
    )  # fmt: skip
    if promise.priority is Priority.P1 and not hours.is_open(now):
        await alarms.urgent_outside_duty(session, ticket, unit, now=now)
    ring_after_commit(session, QUEUE_TOPIC)
    return ticket


async def append(
    session: AsyncSession, ticket: Ticket, words: str, *, now: datetime, event_id: str = ""
) -> None:
    """Add what the same asker wrote later to the thread of their open ticket."""
    await post(session, ticket, PostKind.ASKER, await clean(session, words), now=now, event_id=event_id)
    ring_after_commit(session, QUEUE_TOPIC)


async def edited(session: AsyncSession, ticket: Ticket, words: str, *, now: datetime, event_id: str) -> None:
    """Keep the new wording of a message the asker edited; the officer's page shows a banner."""
    await post(session, ticket, PostKind.EDITED, await clean(session, words), now=now, event_id=event_id)
    ring_after_commit(session, QUEUE_TOPIC)


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
    """Write one line into the thread; of a confidential case it goes into the restricted store instead."""
    text = await restricted.append(session, ticket, text, kind=kind, now=now, staff=staff)
    session.add(
        ThreadPost(
            ticket_id=ticket.id, kind=kind, text=text, staff_id=staff.id if staff else None,
            event_id=event_id, at=now,
        )
    )  # fmt: skip
    await session.flush()


async def clean(session: AsyncSession, text: str) -> str:
    """The text without personal numbers; those that the office publishes itself stay."""
    return redact.text(text, published=await units.published_numbers(session)).text
