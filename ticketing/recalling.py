"""Sending a correction: let out by a second person, laid out by the worker, counted from rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.answer import AnswerGiven
from knowledge.versions import Entry, EntryVersion, get_version, versions
from office import audit, contacts, outbox, redact, staff, units
from office.contacts import Contact
from office.errors import Conflict, Invalid, NotFound
from office.hours import beijing_day
from office.outbox import Delivery, DeliveryState
from office.staff import Permission, Staff, second_person
from ticketing import call_backs, call_log
from ticketing.call_backs import CallBack, CallBackKind, CallBackState
from ticketing.ledgers import Enquiry
from ticketing.recalls import (
    LONGEST_REASON,
    TRANSITIONS,
    Recall,
    Recalled,
    RecallState,
    gather,
)
from ticketing.records import Ticket

KIND = "correction"
BATCH = 200


async def get(session: AsyncSession, recall_id: int, *, actor: Staff) -> Recall:
    """The recall with this number, for whoever sees entries and reaches its scope; raises `NotFound`."""
    recall = await session.get(Recall, recall_id)
    if recall is None:
        raise NotFound("recall_unknown")
    await staff.must(session, actor, Permission.SEE_ENTRIES)
    return recall


async def listed(session: AsyncSession, limit: int = 100) -> list[tuple[Recall, Entry]]:
    """Recalls, those that wait first, then the newest."""
    waiting = case((Recall.state == RecallState.PROPOSED, 0), else_=1)
    rows = await session.execute(
        select(Recall, Entry)
        .join(Entry, Entry.id == Recall.entry_id)
        .order_by(waiting, Recall.id.desc())
        .limit(limit)
    )
    return [(recall, entry) for recall, entry in rows]


async def send(session: AsyncSession, recall: Recall, *, seen: int, actor: Staff, now: datetime) -> None:
    """Let a correction go out as it stands: the published wording, or what the first person proposed.

    Nobody changes the words alone at the last moment. Raises `NotPermitted`, `Conflict("stale_card")`.
    """
    await _decides(session, recall, seen, actor, now)
    recall.decided_by_id, recall.decided_at = actor.id, now
    people = await gather(session, recall)
    await audit.move(
        session, recall, RecallState.SENT, by="send", table=TRANSITIONS, actor=actor.as_actor(), now=now,
        people=people,
    )  # fmt: skip


async def drop(
    session: AsyncSession, recall: Recall, reason: str, *, seen: int, actor: Staff, now: datetime
) -> None:
    """Decide that nobody is to be corrected, and say why; it can still be sent later."""
    await _decides(session, recall, seen, actor, now)
    if not reason.strip():
        raise Invalid("reason_needed")
    recall.reason = redact.text(reason.strip()).text[:LONGEST_REASON]
    recall.decided_by_id, recall.decided_at = actor.id, now
    await audit.move(
        session, recall, RecallState.DROPPED, by="drop", table=TRANSITIONS, actor=actor.as_actor(), now=now
    )


async def _decides(session: AsyncSession, recall: Recall, seen: int, actor: Staff, now: datetime) -> None:
    newest = await _newest(session, recall)
    scope = await units.get(session, newest.scope_unit_id)
    await staff.must(session, actor, Permission.PUBLISH_ENTRIES, scope.path)
    await session.refresh(recall, with_for_update=True)
    await second_person(session, actor, recall.proposed_by_id, now=now)
    if recall.version != seen:
        raise Conflict("stale_card")


async def _newest(session: AsyncSession, recall: Recall) -> EntryVersion:
    if recall.new_version_id is not None:
        return await get_version(session, recall.new_version_id)
    entry = await session.get_one(Entry, recall.entry_id)
    return next(row for row in await versions(session, entry) if row.published_at)


async def lay_out(session: AsyncSession, *, now: datetime) -> int:
    """Lay the next corrections of a sent recall into the outbox or onto the call-back list.

    Some at a time, so that no writer waits for thousands; each person's key makes theirs unique, so a stop in
    between repeats nothing. Returns how many.
    """
    recall = await session.scalar(
        select(Recall)
        .where(Recall.state == RecallState.SENT, Recall.laid_out_at.is_(None))
        .order_by(Recall.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if recall is None:
        return 0
    rows = await session.scalars(
        select(Recalled)
        .where(Recalled.recall_id == recall.id, Recalled.laid_at.is_(None))
        .order_by(Recalled.id)
        .limit(BATCH)
    )
    found = rows.all()
    for row in found:
        await _lay(session, recall, row, now)
    if len(found) < BATCH:
        recall.laid_out_at = now
    return len(found)


async def _lay(session: AsyncSession, recall: Recall, row: Recalled, now: datetime) -> None:
    row.laid_at = now
    if row.enquiry_id is not None:
        await _lay_call(session, recall, row, now)
        return
    if row.contact_id is None:
        ticket = await session.get_one(Ticket, row.ticket_id)
        await call_backs.put(
            session, key=f"recall:{recall.id}:t{ticket.id}", kind=CallBackKind.CORRECTION, ticket=ticket,
            recall_id=recall.id, point=recall.new_text, now=now,
        )  # fmt: skip
        return
    contact = await contacts.get(session, row.contact_id)
    told = beijing_day(row.told_at)
    facts = {
        "recall": recall.id,
        "told": told.isoformat(),
        "old": recall.old_text,
        "new": recall.new_text,
        "basis": recall.basis,
    }
    key = f"recall:{recall.id}:{contact.id}"
    await outbox.put(session, contact, KIND, facts, key=key, subject=f"recall:{recall.id}", now=now)
    if recall.new_version_id is not None:
        # Whoever is corrected now is among those to be corrected when that wording changes.
        session.add(AnswerGiven(contact_id=contact.id, entry_version_id=recall.new_version_id, at=now))


async def _lay_call(session: AsyncSession, recall: Recall, row: Recalled, now: datetime) -> None:
    enquiry = await session.get_one(Enquiry, row.enquiry_id)
    unit_id = enquiry.unit_id or (await units.election_office(session)).id
    call = await call_backs.put(
        session, key=f"recall:{recall.id}:e{enquiry.id}", kind=CallBackKind.CORRECTION, recall_id=recall.id,
        unit_id=unit_id, point=recall.new_text, now=now,
    )  # fmt: skip
    if call is not None:
        call.asker_name, call.phone = (call_log.sealed(enquiry, name) for name in ("asker_name", "phone"))


async def acknowledge(session: AsyncSession, recall_id: int, contact: Contact, *, now: datetime) -> datetime:
    """The person has read the correction; returns when they first said so.

    Raises `NotFound("expired_button")` for anybody who was sent none.
    """
    row = await session.scalar(
        select(Recalled).where(Recalled.recall_id == recall_id, Recalled.contact_id == contact.id)
    )
    if row is None or row.laid_at is None:
        raise NotFound("expired_button")
    row.acknowledged_at = row.acknowledged_at or now
    return row.acknowledged_at


@dataclass(frozen=True, slots=True)
class Board:
    """Where the corrections of one recall stand; the five kinds add up to `people`.

    `acknowledged` is a part of `told`; `strangers` were told by telephone and left nothing: they are not
    among the people.
    """

    people: int
    waiting: int
    told: int
    parked: int
    undeliverable: int
    to_call: int
    acknowledged: int


async def board(session: AsyncSession, recall: Recall) -> Board:
    """Count the people of a recall by what became of their correction, from rows alone."""
    people = await session.scalar(
        select(func.count()).select_from(Recalled).where(Recalled.recall_id == recall.id)
    )
    acknowledged = await session.scalar(
        select(func.count())
        .select_from(Recalled)
        .where(Recalled.recall_id == recall.id, Recalled.acknowledged_at.is_not(None))
    )
    by_state: dict[DeliveryState, int] = dict(
        (
            await session.execute(
                select(Delivery.state, func.count())
                .where(Delivery.subject == f"recall:{recall.id}")
                .group_by(Delivery.state)
            )
        ).all()
    )
    calls: dict[CallBackState, int] = dict(
        (
            await session.execute(
                select(CallBack.state, func.count())
                .where(CallBack.recall_id == recall.id)
                .group_by(CallBack.state)
            )
        ).all()
    )
    told = by_state.get(DeliveryState.SENT, 0) + calls.get(CallBackState.REACHED, 0)
    parked = by_state.get(DeliveryState.PARKED, 0)
    lost = by_state.get(DeliveryState.FAILED, 0) + calls.get(CallBackState.GIVEN_UP, 0)
    to_call = calls.get(CallBackState.DUE, 0)
    everybody = people or 0
    return Board(
        people=everybody,
        waiting=everybody - told - parked - lost - to_call,
        told=told,
        parked=parked,
        undeliverable=lost,
        to_call=to_call,
        acknowledged=acknowledged or 0,
    )
