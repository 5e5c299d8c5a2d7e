"""Phone and counter: what an officer writes down while somebody talks, answered at once or owed an answer.

The same rows as for every other channel: an enquiry each, a ticket where no reliable answer could be given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import answer, calendar, lessons
from knowledge.lessons import Source
from knowledge.text import split_questions
from knowledge.versions import Audience, EntryLevel, EntryState, EntryVersion
from office import audit, contacts, redact, units, work_groups
from office.contacts import Channel
from office.errors import Conflict, Invalid, NotPermitted
from office.hours import OfficeHours
from office.seal import Sealer
from office.staff import Permission, Staff, must
from office.store import ring_after_commit
from office.units import Unit
from ticketing import callers, intake, ledgers
from ticketing.clocks import business_day
from ticketing.ledgers import Enquiry, Outcome
from ticketing.particulars import (
    AskerKind,
    LedgerKind,
    Nature,
    PlatformModule,
    Relay,
    ResidenceCase,
    Secrecy,
    Symptom,
    VoterKind,
)
from ticketing.records import OPEN_STATES, QUEUE_TOPIC, Ticket, TicketKind, UnansweredReason

CHANNELS: Final = (Channel.PHONE, Channel.COUNTER)
LONGEST_WORDS: Final = 6000
LONGEST_NAME: Final = 40
# A word or two typed to find an entry is no question that the matcher should learn from.
FEWEST_TAUGHT: Final = 6
# As long as the ticket's columns are.
LIMITS: Final[Mapping[str, int]] = {
    "electoral_district": 60, "group_no": 16, "station": 60, "failure_reason": 80, "relayed_no": 40,
    "post": 40, "note": 1000,
}  # fmt: skip
CHOICES: Final[Mapping[str, type[StrEnum]]] = {
    "asker_kind": AskerKind, "voter_kind": VoterKind, "nature": Nature, "residence_case": ResidenceCase,
    "platform_module": PlatformModule, "symptom": Symptom, "relayed_from": Relay, "secrecy": Secrecy,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One question put by phone or at the counter, as it was typed.

    `event_id` is the form's own: what it brings a second time is not written down again. `caller` is
    `callers.digest` of the phone. `topic` is what the matcher takes the question for, `ledger` an officer's
    own choice. Texts are redacted here; name and phone are sealed and never stand in an enquiry's words.
    """

    words: str
    unit: Unit
    event_id: str
    channel: Channel = Channel.PHONE
    started_at: datetime | None = None
    ended_at: datetime | None = None
    asker_name: str = ""
    phone: str = ""
    caller: bytes = b""
    topic: str = ""
    urgent: bool = False
    asker_kind: AskerKind | None = None
    voter_kind: VoterKind | None = None
    electoral_district: str = ""
    group_no: str = ""
    station: str = ""
    ledger: LedgerKind | None = None
    nature: Nature | None = None
    residence_case: ResidenceCase | None = None
    platform_module: PlatformModule | None = None
    symptom: Symptom | None = None
    failure_reason: str = ""
    relayed_from: Relay | None = None
    relayed_no: str = ""
    post: str = ""
    secrecy: Secrecy | None = None
    note: str = ""


async def answered(
    session: AsyncSession,
    call: Call,
    version: EntryVersion,
    *,
    actor: Staff,
    hours: OfficeHours,
    sealer: Sealer,
    now: datetime,
) -> Enquiry:
    """当场答复: the question was answered at once with this entry; the row says what was said and by whom.

    Only a published entry of ordinary level that is confirmed carries such an answer. With any other one the
    question becomes a ticket, and the row that comes back says so. Raises `NotPermitted("calls.staff_only")`
    where an entry for staff would have been read out to a voter.
    """
    known = await _begun(session, call, actor, now)
    if known is not None:
        return known
    if version.audience is Audience.STAFF and call.asker_kind in (None, AskerKind.VOTER):
        raise NotPermitted("calls.staff_only")
    office = await units.election_office(session)
    told = await answer.published(session, version.entry_id, office=office, now=now)
    if told is None or told.version_id != version.id or not reliable(version, now=now):
        why = UnansweredReason.NO_ENTRY if told is None else UnansweredReason.NEEDS_SUPERIOR
        enquiry, _ = await _owe(
            session, call, why, version.group, topic=version.topic, actor=actor, hours=hours,
            sealer=sealer, now=now,
        )  # fmt: skip
        return enquiry
    found = await _clean(session, call)
    enquiry = _row(call, found, version.topic, Outcome.ON_THE_SPOT, actor, now)
    enquiry.entry_id, enquiry.entry_version_id = version.entry_id, version.id
    enquiry.reply = told.short
    enquiry.particulars |= _sealed(call, found, sealer)
    await _write(session, call, enquiry, now)
    await audit.record(
        session, "call.answer", f"enquiry:{enquiry.id}", actor=actor.as_actor(), now=now,
        channel=call.channel.value, entry=told.entry_no, version=told.number,
    )  # fmt: skip
    await _teach(session, enquiry, call, actor, now)
    ring_after_commit(session, QUEUE_TOPIC)
    return enquiry


async def unanswered(
    session: AsyncSession,
    call: Call,
    why: UnansweredReason,
    group: str = "",
    *,
    actor: Staff,
    hours: OfficeHours,
    sealer: Sealer,
    now: datetime,
) -> Ticket:
    """转未答复: the question becomes a ticket; number, code and promised time are read out to the caller.

    Without `group` the topic decides who is to answer. The officer is the first taker.
    """
    known = await _begun(session, call, actor, now)
    if known is not None:
        if known.ticket_id is None:
            raise Conflict("calls.recorded")
        return await session.get_one(Ticket, known.ticket_id)
    _, ticket = await _owe(
        session, call, why, group, topic=call.topic, actor=actor, hours=hours, sealer=sealer, now=now
    )
    return ticket


async def appended(
    session: AsyncSession, call: Call, ticket: Ticket, *, actor: Staff, sealer: Sealer, now: datetime
) -> Enquiry:
    """The same caller asks again: the words go to the ticket there is already, which keeps its number.

    Raises `Conflict("merge_other_asker")` for somebody else's ticket, `Conflict("stale_card")` for one that
    is not open any more.
    """
    known = await _begun(session, call, actor, now)
    if known is not None:
        return known
    await must(session, actor, Permission.OPEN_TICKETS, (await units.get(session, ticket.unit_id)).path)
    if not await callers.owns(session, call.caller, ticket):
        raise Conflict("merge_other_asker")
    if ticket.state not in OPEN_STATES:
        raise Conflict("stale_card")
    found = await _clean(session, call)
    enquiry = _row(call, found, ticket.topic, Outcome.TICKETED, actor, now)
    enquiry.ticket_id = ticket.id
    await _write(session, call, enquiry, now)
    await intake.append(session, ticket, found["words"], now=now, event_id=call.event_id)
    await audit.record(
        session, "call.append", f"ticket:{ticket.id}", actor=actor.as_actor(), now=now,
        enquiry=enquiry.id,
    )  # fmt: skip
    return enquiry


async def recorded(session: AsyncSession, event_id: str, person: Staff) -> Enquiry | None:
    """What this person has written down from the form with this id already."""
    rows = select(Enquiry).where(Enquiry.staff_id == person.id, Enquiry.event_id == event_id)
    return await session.scalar(rows.order_by(Enquiry.id).limit(1))


def reliable(version: EntryVersion, *, now: datetime) -> bool:
    """Whether one officer alone may answer with this version: in force, ordinary, confirmed."""
    in_force = version.state is EntryState.PUBLISHED and version.covers(calendar.today(now))
    return in_force and version.level is EntryLevel.ORDINARY and version.confirmed


async def group_for(session: AsyncSession, topic: str, asker: AskerKind | None, platform: bool) -> str:
    """Who is to answer a question, where nobody has said: its topic's group, else its ledger's."""
    named = await work_groups.group_of(session, topic)
    return named or ledgers.group_by_ledger(ledgers.kind_of(topic, asker, platform=platform))


async def _begun(session: AsyncSession, call: Call, actor: Staff, now: datetime) -> Enquiry | None:
    """Check who writes what, once; the row there is already for a form that came before."""
    await must(session, actor, Permission.OPEN_TICKETS, call.unit.path)
    if call.channel not in CHANNELS:
        raise Invalid("form_broken")
    if not call.words.strip():
        raise Invalid("calls.words_needed")
    if len(call.words) > LONGEST_WORDS:
        raise Invalid("calls.words_long", most=LONGEST_WORDS, n=len(call.words))
    callers.number(call.phone)
    # One name for both channels: a second press may bring another one along.
    if await contacts.first_time(session, Channel.PHONE, f"{actor.id}:{call.event_id}", now=now):
        return None
    known = await recorded(session, call.event_id, actor)
    if known is None:
        raise Conflict("stale_card")
    return known


async def _owe(
    session: AsyncSession,
    call: Call,
    why: UnansweredReason,
    group: str,
    *,
    topic: str,
    actor: Staff,
    hours: OfficeHours,
    sealer: Sealer,
    now: datetime,
) -> tuple[Enquiry, Ticket]:
    found = await _clean(session, call)
    kind = TicketKind.REPORT if call.nature is Nature.COMPLAINT else TicketKind.ENQUIRY
    platform = call.platform_module is not None
    ticket = await intake.open_ticket(
        session, None, call.words.strip(), unit=call.unit, district=await units.election_office(session),
        channel=call.channel, actor=actor.as_actor(), hours=hours, now=now, topic=topic, kind=kind, why=why,
        urgent=call.urgent or kind is TicketKind.REPORT, event_id=call.event_id,
        group=(group or await group_for(session, topic, call.asker_kind, platform))[:20],
    )  # fmt: skip
    for name in CHOICES.keys() - {"secrecy"}:
        setattr(ticket, name, getattr(call, name))
    for name in LIMITS:
        setattr(ticket, name, found[name])
    # A flag that was set for what the words are about is not taken back by a choice left as it was.
    if call.secrecy is not None and ticket.secrecy is not Secrecy.RESTRICTED:
        ticket.secrecy = call.secrecy
    ticket.call_started_at, ticket.call_ended_at = call.started_at, call.ended_at
    ticket.asker_name, ticket.phone = (
        sealer.seal(found["asker_name"]),
        sealer.seal(callers.number(call.phone)),
    )
    ticket.ledger = call.ledger or ledgers.kind_of(topic, call.asker_kind, platform=platform)
    enquiry = _row(call, found, topic, Outcome.TICKETED, actor, now)
    enquiry.ticket_id = ticket.id
    await _write(session, call, enquiry, now)
    return enquiry, ticket


def _row(
    call: Call, found: Mapping[str, str], topic: str, outcome: Outcome, actor: Staff, now: datetime
) -> Enquiry:
    ledger = call.ledger or ledgers.kind_of(topic, call.asker_kind, platform=call.platform_module is not None)
    kept = {name: getattr(call, name).value for name in CHOICES if getattr(call, name) is not None}
    kept |= {name: found[name] for name in LIMITS if found[name]}
    for name, at in (("call_started_at", call.started_at), ("call_ended_at", call.ended_at)):
        kept |= {name: at.isoformat()} if at else {}
    return Enquiry(
        channel=call.channel, words=found["words"], topic=topic, outcome=outcome, offered=[],
        event_id=call.event_id, at=now, business_day=business_day(now), unit_id=call.unit.id,
        staff_id=actor.id, ledger=ledger, particulars=kept,
    )  # fmt: skip


async def _write(session: AsyncSession, call: Call, enquiry: Enquiry, now: datetime) -> None:
    enquiry.repeat_of_id = await callers.repeated(session, call.caller, enquiry.topic, now=now)
    session.add(enquiry)
    await session.flush()
    await callers.mark(session, call.caller, enquiry)


async def _clean(session: AsyncSession, call: Call) -> dict[str, str]:
    """The call's texts without personal numbers, each as long as it may be."""
    published = await units.published_numbers(session)
    most = {"words": LONGEST_WORDS, "asker_name": LONGEST_NAME, **LIMITS}
    return {
        name: redact.text(getattr(call, name).strip(), published=published).text[:limit]
        for name, limit in most.items()
    }


def _sealed(call: Call, found: Mapping[str, str], sealer: Sealer) -> dict[str, Any]:
    """Name and phone as a row without a ticket keeps them; see `call_log.told`."""
    sealed = {
        "asker_name": sealer.seal(found["asker_name"]),
        "phone": sealer.seal(callers.number(call.phone)),
    }
    return {name: text.decode("ascii") for name, text in sealed.items() if text}


async def _teach(session: AsyncSession, enquiry: Enquiry, call: Call, actor: Staff, now: datetime) -> None:
    """The officer's choice is a lesson for the matcher, if what was typed is one question and open to all."""
    words = enquiry.words
    secret = call.nature is Nature.COMPLAINT or call.secrecy is Secrecy.RESTRICTED
    if secret or len(words) < FEWEST_TAUGHT or len(split_questions(words)) > 1:
        return
    await lessons.teach(
        session, Source.DESK_POINTED, words, enquiry.entry_id, occasion=f"enquiry:{enquiry.id}",
        staff_id=actor.id, enquiry_id=enquiry.id, now=now,
    )  # fmt: skip
