"""A broadcast: one message to many. It can be paused, resumed and stopped, and says how far it has come.

Every message of it is a row from the beginning, so that at every moment all of them are sent, failed, pending
or stopped. Broadcasts that run side by side take turns (`outbox.first_turns`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from office import audit, outbox, staff
from office.audit import SYSTEM
from office.claims import UNSENT
from office.contacts import Channel, Contact, ContactState
from office.delivery import BROADCAST_MOVES, Delivery, DeliveryState, Priority
from office.delivery import Broadcast as Broadcast
from office.delivery import BroadcastState as BroadcastState
from office.errors import Conflict
from office.staff import Permission, Staff
from office.store import insert_many_once, ring_after_commit

D = DeliveryState
PENDING = (D.DUE, D.CLAIMED, D.PARKED, D.HELD)
MINUTE = timedelta(minutes=1)
# At full and half hours the whole world sends: Feishu asks robots to keep away from them. What is scheduled
# for such a moment begins a minute later and is spread over some minutes.
HALF_HOUR = 1800
SCHEDULED_SPREAD = timedelta(minutes=4)


@dataclass(frozen=True, slots=True)
class Message:
    """What one contact is told: `facts` as the builder of the delivery's kind reads them."""

    contact_id: int
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a broadcast has come; `total` is the sum of the next four at every moment.

    `uncertain` counts tries whose end nobody knows: at most so many of its messages arrived once too often.
    `per_minute` is how many left within the last minute.
    """

    total: int
    sent: int
    failed: int
    pending: int
    stopped: int
    uncertain: int
    per_minute: int


async def begin(
    session: AsyncSession, subject: str, *, actor: Staff | None, starts_at: datetime, now: datetime
) -> Broadcast:
    """Begin a broadcast about `subject`; `lay` gives it its messages. None acts for the clock.

    Who may begin one depends on what is told: the caller has checked it.
    """
    row = Broadcast(
        subject=subject, starts_at=starts_at, begun_by_id=actor.id if actor else None, begun_at=now,
        state=BroadcastState.RUNNING,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    by = actor.as_actor() if actor else SYSTEM
    await audit.record(session, "broadcast.begin", f"broadcast:{row.id}", actor=by, now=now, about=subject)
    return row


async def lay(
    session: AsyncSession,
    broadcast: Broadcast,
    messages: Sequence[Message],
    kind: str,
    *,
    key: str,
    now: datetime,
    spread: timedelta = timedelta(0),
    priority: Priority = Priority.BROADCAST,
) -> int:
    """Lay a message for each contact into the outbox, in this order, due one after another within `spread`.

    `key` with the contact's number makes each unique; returns how many are new. A silenced contact's is
    parked; those of a paused broadcast are held. Raises `Conflict("stale_card")` for a stopped one.
    """
    await session.refresh(broadcast, with_for_update=True)
    if broadcast.state is BroadcastState.STOPPED:
        raise Conflict("stale_card")
    contacts = await _contacts(session, [message.contact_id for message in messages])
    turns = await _next_turns(session, broadcast, now)
    begins = max(broadcast.starts_at, now)
    if begins > now and not spread and _crowded(begins):
        spread = SCHEDULED_SPREAD
    rows: list[Mapping[str, Any]] = []
    for number, message in enumerate(messages):
        contact = contacts.get(message.contact_id)
        if contact is None:
            continue
        turn = turns.get(contact.channel, 0)
        turns[contact.channel] = turn + 1
        parked = contact.state is ContactState.SILENCED
        due_at = begins + spread * number / len(messages)
        rows.append(
            {
                "key": f"{key}:{contact.id}",
                "contact_id": contact.id,
                "channel": contact.channel,
                "broadcast_id": broadcast.id,
                "turn": turn,
                "kind": kind,
                "facts": message.facts,
                "subject": broadcast.subject,
                "priority": priority,
                "state": D.PARKED if parked else UNSENT[broadcast.state],
                "due_at": _aside(due_at) if begins > now else due_at,
                "attempts": 0,
                "uncertain": 0,
                "last_error": "",
                "created_at": now,
            }
        )
    new = await insert_many_once(session, Delivery, rows, unique=("key",))
    ring_after_commit(session, outbox.DUE_TOPIC)
    return new


def _crowded(moment: datetime) -> bool:
    return moment.timestamp() % HALF_HOUR < MINUTE.total_seconds()


def _aside(moment: datetime) -> datetime:
    return moment + MINUTE if _crowded(moment) else moment


async def _contacts(session: AsyncSession, ids: Sequence[int]) -> dict[int, Contact]:
    found: dict[int, Contact] = {}
    for start in range(0, len(ids), 500):
        rows = await session.scalars(select(Contact).where(Contact.id.in_(ids[start : start + 500])))
        found |= {contact.id: contact for contact in rows}
    return found


async def _next_turns(session: AsyncSession, broadcast: Broadcast, now: datetime) -> dict[Channel, int]:
    """Where its next message on each channel stands: after its own, and not before what is sent there now."""
    turns = await outbox.first_turns(session, now=now)
    own = await session.execute(
        select(Delivery.channel, func.max(Delivery.turn))
        .where(Delivery.broadcast_id == broadcast.id)
        .group_by(Delivery.channel)
    )
    for channel, last in own:
        turns[channel] = max(turns.get(channel, 0), last + 1)
    return turns


async def pause(
    session: AsyncSession, broadcast: Broadcast, *, seen: int, actor: Staff, now: datetime
) -> None:
    """Hold what has not been sent; a message that is on its way still arrives.

    `seen` is the version the page was made from. Raises `NotPermitted` without `PUBLISH_ENTRIES` and
    `Conflict("stale_card")` if it is not running any more or somebody changed it since.
    """
    await _move(session, broadcast, BroadcastState.PAUSED, "pause", seen, actor, now)
    await _turn(session, broadcast, (D.DUE,), D.HELD)


async def stop(
    session: AsyncSession, broadcast: Broadcast, *, seen: int, actor: Staff, now: datetime
) -> None:
    """Never send what has not been sent; a message that is on its way still arrives. As `pause` otherwise."""
    await _move(session, broadcast, BroadcastState.STOPPED, "stop", seen, actor, now)
    await _turn(session, broadcast, (D.DUE, D.HELD, D.PARKED), D.STOPPED)


async def resume(
    session: AsyncSession, broadcast: Broadcast, *, seen: int, actor: Staff, now: datetime
) -> None:
    """Send on: beside what is under way now, not before it. Raises as `pause` does."""
    await _move(session, broadcast, BroadcastState.RUNNING, "resume", seen, actor, now)
    held = await session.execute(
        select(Delivery.channel, func.min(Delivery.turn))
        .where(Delivery.broadcast_id == broadcast.id, Delivery.state == D.HELD)
        .group_by(Delivery.channel)
    )
    turns = await outbox.first_turns(session, now=now)
    for channel, least in held.all():
        # Its turns stood still while those of the others went on.
        behind = max(0, turns.get(channel, 0) - least)
        await session.execute(
            update(Delivery)
            .where(Delivery.broadcast_id == broadcast.id, Delivery.state == D.HELD)
            .where(Delivery.channel == channel)
            .values(state=D.DUE, turn=Delivery.turn + behind)
            .execution_options(synchronize_session=False)
        )
    ring_after_commit(session, outbox.DUE_TOPIC)


async def _move(
    session: AsyncSession,
    broadcast: Broadcast,
    to: BroadcastState,
    by: str,
    seen: int,
    actor: Staff,
    now: datetime,
) -> None:
    await staff.must(session, actor, Permission.PUBLISH_ENTRIES)
    await session.refresh(broadcast, with_for_update=True)
    if broadcast.version != seen:
        raise Conflict("stale_card")
    halts = to is not BroadcastState.RUNNING
    broadcast.halted_by_id, broadcast.halted_at = (actor.id, now) if halts else (None, None)
    await audit.move(session, broadcast, to, by=by, table=BROADCAST_MOVES, actor=actor.as_actor(), now=now)


async def _turn(
    session: AsyncSession, broadcast: Broadcast, states: Collection[DeliveryState], to: DeliveryState
) -> None:
    await session.execute(
        update(Delivery)
        .where(Delivery.broadcast_id == broadcast.id, Delivery.state.in_(states))
        .values(state=to)
        .execution_options(synchronize_session=False)
    )


async def progress(session: AsyncSession, broadcast_id: int, *, now: datetime | None = None) -> Progress:
    """How far a broadcast has come.

    Without `now` the rate is that of the minute before the newest message that left.
    """
    end: Any = now
    if now is None:
        newest = select(func.max(Delivery.sent_at)).where(Delivery.broadcast_id == broadcast_id)
        end = await session.scalar(newest)
    lately = Delivery.sent_at > end - MINUTE if end else Delivery.id < 0
    rows = await session.execute(
        select(
            Delivery.state,
            func.count(),
            func.sum(Delivery.uncertain),
            func.sum(case((lately, 1), else_=0)),
        )
        .where(Delivery.broadcast_id == broadcast_id)
        .group_by(Delivery.state)
    )
    found = {state: (count, uncertain, recent) for state, count, uncertain, recent in rows}
    counts = {state: found.get(state, (0, 0, 0))[0] for state in DeliveryState}
    return Progress(
        total=sum(counts.values()),
        sent=counts[D.SENT],
        failed=counts[D.FAILED],
        pending=sum(counts[state] for state in PENDING),
        stopped=counts[D.STOPPED],
        uncertain=sum(int(row[1]) for row in found.values()),
        per_minute=int(found.get(D.SENT, (0, 0, 0))[2]),
    )


async def of(session: AsyncSession, subject: str) -> list[Broadcast]:
    """The broadcasts about a subject, the newest first."""
    rows = await session.scalars(
        select(Broadcast).where(Broadcast.subject == subject).order_by(Broadcast.id.desc())
    )
    return list(rows.all())
