"""What a worker takes from the outbox, and what has become of it: claimed, sent, put back, failed.

A message leaves at least once. A claim is a lease: what its worker never reported comes back, and counts as
uncertain, as does every try whose end nobody knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, Update, exists, literal, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession

from office.contacts import Channel, Contact, ContactState, find
from office.delivery import Broadcast, BroadcastState, Delivery, DeliveryState, Priority, Undeliverable

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 12
D = DeliveryState
ALL = (Priority.ANSWER, Priority.NOTICE, Priority.BROADCAST)
# What becomes of a message that was not sent, by the state of its broadcast.
UNSENT = {
    BroadcastState.RUNNING: D.DUE,
    BroadcastState.PAUSED: D.HELD,
    BroadcastState.STOPPED: D.STOPPED,
}


async def waiting(
    session: AsyncSession, channels: Collection[Channel], *, now: datetime
) -> set[tuple[Channel, Priority]]:
    """Where `claim` would find something now. One statement, which locks nothing and writes nothing."""
    table = Delivery.__table__.c
    found = [
        select(literal(channel, table.channel.type), literal(priority, table.priority.type)).where(
            exists(_due(select(Delivery.id), channel, priority, now))
        )
        for channel in channels
        for priority in ALL
    ]
    # Few are under way at a time, so these are looked through.
    lapsed = select(Delivery.channel, Delivery.priority).where(
        Delivery.state == D.CLAIMED, Delivery.channel.in_(channels), Delivery.claimed_until < now
    )
    return {(channel, priority) for channel, priority in await session.execute(union_all(*found, lapsed))}


async def claim(
    session: AsyncSession,
    channels: Collection[Channel],
    *,
    limit: int,
    now: datetime,
    priorities: Sequence[Priority] = ALL,
) -> list[tuple[Delivery, Contact]]:
    """Take due messages of these channels for `LEASE`, most urgent first, broadcasts in turns.

    A dead worker's come back when its lease runs out; each counts as uncertain then: it may have left.
    """
    late = await _lapsed(session, channels, priorities, limit, now)
    ids: list[int] = []
    for priority in priorities:
        # One walk along the index for each: what waits behind costs nothing, however much it is.
        for channel in channels:
            if len(late) + len(ids) >= limit:
                break
            left = limit - len(late) - len(ids)
            ids += (await session.scalars(ready(channel, priority, limit=left, now=now))).all()
    claimed = [*await _take(session, late, now, uncertain=1), *await _take(session, ids, now)]
    if not claimed:
        return []
    where = select(Contact).where(Contact.id.in_({row.contact_id for row in claimed}))
    rows = await session.scalars(where.execution_options(populate_existing=True))
    reached = {contact.id: contact for contact in rows}
    claimed.sort(key=lambda row: (row.priority, row.turn, row.due_at, row.id))
    return [(row, reached[row.contact_id]) for row in claimed]


def ready(channel: Channel, priority: Priority, *, limit: int, now: datetime) -> Select[int]:
    """What is due on a channel in this priority: a walk along `ix_delivery_claim`, without sorting."""
    return (
        _due(select(Delivery.id), channel, priority, now)
        .order_by(Delivery.turn, Delivery.due_at, Delivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _due(query: Select[int], channel: Channel, priority: Priority, now: datetime) -> Select[int]:
    return query.where(
        Delivery.state == D.DUE, Delivery.channel == channel, Delivery.priority == priority,
        Delivery.due_at <= now,
    )  # fmt: skip


async def _lapsed(
    session: AsyncSession,
    channels: Collection[Channel],
    priorities: Sequence[Priority],
    limit: int,
    now: datetime,
) -> list[int]:
    """What a dead worker held and may be claimed again; what has been paused or stopped meanwhile may not."""
    found = await session.execute(
        select(Delivery.id, Delivery.broadcast_id)
        .where(Delivery.state == D.CLAIMED, Delivery.channel.in_(channels))
        .where(Delivery.priority.in_(priorities), Delivery.claimed_until < now)
        .order_by(Delivery.priority, Delivery.turn, Delivery.due_at, Delivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = [(number, broadcast) for number, broadcast in found]
    if not rows:
        return []
    # Not locked: whoever pauses meanwhile finds these claimed, as what is on its way.
    states = await states_of(session, (broadcast for _, broadcast in rows))
    to = {number: UNSENT[states[broadcast]] if broadcast else D.DUE for number, broadcast in rows}
    for state in (D.HELD, D.STOPPED):
        ids = [number for number, chosen in to.items() if chosen is state]
        if ids:
            change = _these(ids).values(state=state, claimed_until=None, uncertain=Delivery.uncertain + 1)
            await session.execute(change)
    return [number for number, chosen in to.items() if chosen is D.DUE]


async def _take(
    session: AsyncSession, ids: Sequence[int], now: datetime, *, uncertain: int = 0
) -> list[Delivery]:
    if not ids:
        return []
    values: dict[str, Any] = {
        "state": D.CLAIMED, "claimed_until": now + LEASE, "attempts": Delivery.attempts + 1,
    }  # fmt: skip
    if uncertain:
        values["uncertain"] = Delivery.uncertain + uncertain
    change = _these(ids).values(values).returning(Delivery)
    rows = await session.scalars(change.execution_options(populate_existing=True))
    return list(rows.all())


def _these(ids: Collection[int]) -> Update:
    return update(Delivery).where(Delivery.id.in_(ids)).execution_options(synchronize_session=False)


def _held(ids: Collection[int], until: datetime | None) -> Update:
    """Those of them that nobody has claimed anew since."""
    return _these(ids).where(Delivery.state == D.CLAIMED, Delivery.claimed_until == until)


async def states_of(
    session: AsyncSession, ids: Iterable[int | None], *, lock: bool = False
) -> dict[int, BroadcastState]:
    """The states of these broadcasts; `lock`: they stay so until the end of the transaction."""
    wanted = {number for number in ids if number is not None}
    if not wanted:
        return {}
    query = select(Broadcast.id, Broadcast.state).where(Broadcast.id.in_(wanted)).order_by(Broadcast.id)
    rows = await session.execute(query.with_for_update(read=True) if lock else query)
    return dict(rows.all())


async def keep_running(session: AsyncSession, deliveries: Iterable[Delivery]) -> None:
    """Keep the broadcasts of these messages as they are until the end of the transaction.

    To be called before anything else is locked in a transaction that records several failures: who pauses
    locks the broadcast first as well.
    """
    await states_of(session, (delivery.broadcast_id for delivery in deliveries), lock=True)


async def sent(session: AsyncSession, *delivery_ids: int, now: datetime) -> None:
    """Record that claimed messages left."""
    await session.execute(
        _these(delivery_ids).values(state=D.SENT, sent_at=now, claimed_until=None, last_error="")
    )


async def renew(session: AsyncSession, deliveries: Sequence[Delivery], *, now: datetime) -> set[int]:
    """Hold what one claim has taken for `LEASE` from now; returns the numbers of those still held by it."""
    claimed_until = deliveries[0].claimed_until
    change = _held([delivery.id for delivery in deliveries], claimed_until).values(claimed_until=now + LEASE)
    return set((await session.scalars(change.returning(Delivery.id))).all())


async def put_back(
    session: AsyncSession, deliveries: Collection[Delivery], *, due_at: datetime, why: str = ""
) -> None:
    """Give back claimed messages that were not tried: none of their attempts is used.

    What has been paused or stopped meanwhile is held or stopped. Nothing happens to what somebody else
    claimed since. `why` stands as the last error; the one before stays if it is empty.
    """
    states = await states_of(session, (delivery.broadcast_id for delivery in deliveries), lock=True)
    values: dict[str, Any] = {"due_at": due_at, "claimed_until": None, "attempts": Delivery.attempts - 1}
    if why:
        values["last_error"] = why[:300]
    groups: dict[tuple[DeliveryState, datetime | None], list[int]] = {}
    for delivery in deliveries:
        to = UNSENT[states[delivery.broadcast_id]] if delivery.broadcast_id else D.DUE
        groups.setdefault((to, delivery.claimed_until), []).append(delivery.id)
    for (to, until), ids in groups.items():
        await session.execute(_held(ids, until).values(state=to, **values))


async def failed(
    session: AsyncSession,
    delivery_id: int,
    error: Undeliverable,
    *,
    now: datetime,
    claimed_until: datetime | None = None,
) -> None:
    """Record a failure: given up for good, or due again after a growing pause.

    A permanent failure marks the contact lost; a moved chat gets its new address and another try. What
    belongs to a paused broadcast is held, to a stopped one stopped. Nothing happens if the message is not
    claimed any more, or claimed anew since `claimed_until`: another worker has it, or its contact was
    forgotten. Who asks us to wait is told nothing else meanwhile.
    """
    # The broadcast before the message, as who pauses it does; `broadcast_id` never changes.
    broadcast = await session.scalar(select(Delivery.broadcast_id).where(Delivery.id == delivery_id))
    states = await states_of(session, (broadcast,), lock=True)
    delivery = await session.get_one(Delivery, delivery_id, with_for_update=True, populate_existing=True)
    if delivery.state is not D.CLAIMED or claimed_until not in (None, delivery.claimed_until):
        return
    contact = await session.get_one(Contact, delivery.contact_id)
    delivery.last_error = error.reason[:300]
    delivery.claimed_until = None
    delivery.uncertain += error.uncertain
    if error.retry_after is not None:
        # Who asks us to wait says nothing about the message: a closed channel uses up none of its attempts.
        delivery.attempts -= 1
    again = UNSENT[states[broadcast]] if broadcast is not None else D.DUE
    if error.permanent and error.moved_to is None:
        delivery.state = D.FAILED
        contact.state = ContactState.LOST
    elif delivery.attempts >= MOST_ATTEMPTS:
        delivery.state = D.FAILED
    elif error.moved_to is not None:
        await _move_to(session, delivery, contact, error.moved_to)
        delivery.state, delivery.due_at = again, now
    else:
        delivery.state = again
        delivery.due_at = now + pause(delivery.attempts, error.retry_after)
    if error.retry_after:
        await _leave_alone(session, delivery, now + timedelta(seconds=error.retry_after))


async def _leave_alone(session: AsyncSession, delivery: Delivery, until: datetime) -> None:
    """Nothing else goes to the same place before: the pacing knows it too, but not beyond a crash."""
    others = (
        select(Delivery.id)
        .where(Delivery.contact_id == delivery.contact_id, Delivery.state == D.DUE)
        .where(Delivery.due_at < until, Delivery.id != delivery.id)
        .with_for_update(skip_locked=True)
    )
    if ids := (await session.scalars(others)).all():
        await session.execute(_these(ids).values(due_at=until, last_error=delivery.last_error))


async def _move_to(session: AsyncSession, delivery: Delivery, contact: Contact, address: str) -> None:
    known = await find(session, contact.channel, address)
    if known is None:
        contact.address = address
    elif known.id != contact.id:
        # The new chat has written to us already and is a contact of its own.
        delivery.contact_id = known.id
        contact.state = ContactState.LOST


def pause(attempts: int, retry_after: float | None) -> timedelta:
    """How long to wait before the next try: what the channel asked for, else 2, 4, 8 … 600 seconds."""
    if retry_after is not None:
        return timedelta(seconds=retry_after)
    return timedelta(seconds=min(600, 2**attempts))
