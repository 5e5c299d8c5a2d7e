"""The post room: proactive messages are rows, written with the act that causes them, sent by a worker.

A message is sent at least once: a crash between sending and recording may repeat it, and its ticket or
tip number makes the repeat harmless. Such tries are counted (`Delivery.uncertain`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, String, case, cast, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from office.claims import ALL as ALL
from office.claims import LEASE as LEASE
from office.claims import MOST_ATTEMPTS as MOST_ATTEMPTS
from office.claims import UNSENT, states_of
from office.claims import claim as claim
from office.claims import failed as failed
from office.claims import keep_running as keep_running
from office.claims import pause as pause
from office.claims import put_back as put_back
from office.claims import renew as renew
from office.claims import sent as sent
from office.contacts import Channel, Contact, ContactState
from office.delivery import Delivery as Delivery
from office.delivery import DeliveryState as DeliveryState
from office.delivery import Priority as Priority
from office.delivery import Undeliverable as Undeliverable
from office.store import insert_once, insert_selected_once, ring_after_commit

DUE_TOPIC = "outbox"
# Into so many moments a message to everybody is spread.
PLACES = 20
D = DeliveryState
# In the order in which they are sent; the last ones never hold up the others.
URGENT = (Priority.ANSWER, Priority.NOTICE)


async def put(
    session: AsyncSession,
    contact: Contact,
    kind: str,
    facts: dict[str, Any],
    *,
    key: str,
    subject: str,
    now: datetime,
    due_at: datetime | None = None,
    priority: Priority = Priority.ANSWER,
    though_silenced: bool = False,
) -> bool:
    """Lay a message into the outbox; `key` makes the same message to the same contact unique.

    Returns whether it is new. A silenced contact's message is parked, except `though_silenced`: what takes a
    message away says nothing to anybody.
    """
    parked = contact.state is ContactState.SILENCED and not though_silenced
    state = D.PARKED if parked else D.DUE
    new = await insert_once(
        session,
        Delivery,
        {
            "key": key,
            "contact_id": contact.id,
            "channel": contact.channel,
            "kind": kind,
            "facts": facts,
            "subject": subject,
            "priority": priority,
            "state": state,
            "due_at": due_at or now,
            "turn": 0,
            "attempts": 0,
            "uncertain": 0,
            "last_error": "",
            "created_at": now,
        },
        unique=("key",),
    )
    ring_after_commit(session, DUE_TOPIC)
    return new


async def put_many(
    session: AsyncSession,
    contact_ids: Select[int],
    kind: str,
    facts: dict[str, Any],
    *,
    key: str,
    subject: str,
    now: datetime,
    spread: timedelta,
    priority: Priority = Priority.BROADCAST,
) -> int:
    """Lay the same message for many contacts into the outbox, due for them one after another within `spread`.

    `contact_ids` selects them; whoever is silenced is left out, because what everybody is told waits for
    nobody. `key` with the contact's number makes each message unique. Returns how many are new. The rows
    never pass through this process: fifty thousand of them take a moment, in which other writers wait.
    """
    ids = contact_ids.subquery()
    number = ids.c[0]
    new, first = 0, await first_turns(session, now=now)
    for place in range(PLACES):
        columns: dict[str, Any] = {
            "key": f"{key}:",
            "contact_id": None,
            "channel": None,
            "kind": kind,
            "facts": facts,
            "subject": subject,
            "priority": priority,
            "state": D.DUE,
            "due_at": now + spread * place / PLACES,
            "turn": 0,
            "attempts": 0,
            "uncertain": 0,
            "last_error": "",
            "created_at": now,
        }
        table = Delivery.__table__.c
        values = [literal(value, table[name].type).label(name) for name, value in columns.items()]
        values[0] = literal(f"{key}:", String).concat(cast(number, String)).label("key")
        values[1] = Contact.id.label("contact_id")
        values[2] = Contact.channel.label("channel")
        # One turn for each, after those of the places before: what else is to be told to many has its turns
        # between them.
        beginning = case(first, value=Contact.channel, else_=0) if first else literal(0)
        own = func.row_number().over(partition_by=Contact.channel, order_by=Contact.id)
        values[list(columns).index("turn")] = (beginning + new + own - 1).label("turn")
        rows = select(*values).join(ids, number == Contact.id).where(Contact.id % PLACES == place)
        rows = rows.where(Contact.state == ContactState.ACTIVE)
        new += await insert_selected_once(session, Delivery, list(columns), rows, unique=("key",))
    ring_after_commit(session, DUE_TOPIC)
    return new


async def first_turns(session: AsyncSession, *, now: datetime) -> dict[Channel, int]:
    """The turn with which a message to many begins on each channel: that of what is sent there now.

    So it shares the channel from its first message on with what is under way, and neither waits for the
    other's end (start-time fair queueing: Goyal, Vin, Cheng 1996). What failed and waits for another try is
    behind its time and says nothing. Channels on which nothing is under way are left out: they begin with 0.
    """
    found: dict[Channel, int] = {}
    for channel in Channel:
        waiting = select(Delivery.turn).where(
            Delivery.channel == channel, Delivery.priority == Priority.BROADCAST
        )
        due = waiting.where(Delivery.state == D.DUE, Delivery.due_at <= now, Delivery.attempts == 0)
        turn = await session.scalar(due.order_by(Delivery.turn).limit(1))
        if turn is None:
            held = waiting.where(Delivery.state == D.CLAIMED).order_by(Delivery.turn.desc()).limit(1)
            turn = await session.scalar(held)
        if turn:
            found[channel] = turn
    return found


async def unpark(session: AsyncSession, contact: Contact, *, now: datetime) -> int:
    """Make the contact's parked messages due; returns how many there were.

    Those of a broadcast that is paused are held like the rest of it.
    """
    parked = (Delivery.contact_id == contact.id, Delivery.state == D.PARKED)
    ids = set((await session.scalars(select(Delivery.broadcast_id).where(*parked).distinct())).all())
    states = await states_of(session, ids, lock=True)
    count = 0
    for number in ids:
        of = Delivery.broadcast_id.is_(None) if number is None else Delivery.broadcast_id == number
        to = D.DUE if number is None else UNSENT[states[number]]
        result = await session.execute(update(Delivery).where(*parked, of).values(state=to, due_at=now))
        count += result.rowcount  # type: ignore[attr-defined]
    if count:
        ring_after_commit(session, DUE_TOPIC)
    return count


async def about(session: AsyncSession, subject: str) -> list[Delivery]:
    """All messages about one subject, oldest first: the delivery truth shown on a ticket."""
    rows = await session.scalars(select(Delivery).where(Delivery.subject == subject).order_by(Delivery.id))
    return list(rows.all())
