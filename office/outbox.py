"""The post room: proactive messages are rows, written with the act that causes them, sent by a worker.

A message is sent at least once: a crash between sending and recording may repeat it, and its ticket or
tip number makes the repeat harmless.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, Select, String, cast, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office.contacts import Channel, Contact, ContactState, find
from office.store import Base, insert_once, insert_selected_once, ring_after_commit, word

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 12
DUE_TOPIC = "outbox"
# Into so many moments a message to everybody is spread.
PLACES = 20


class DeliveryState(StrEnum):
    """Where a message stands; parked ones wait until the contact writes again."""

    DUE = auto()
    CLAIMED = auto()
    SENT = auto()
    FAILED = auto()
    PARKED = auto()


class Priority(StrEnum):
    """What goes first when much is due."""

    ANSWER = "1_answer"
    NOTICE = "2_notice"
    BROADCAST = "3_broadcast"


class Undeliverable(Exception):
    """The one failure the worker understands; each channel translates its own into it.

    `permanent`: never try again. `retry_after`: seconds the channel asked us to wait. `moved_to`: the
    new address of the same chat.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        moved_to: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after
        self.moved_to = moved_to


class Delivery(Base):
    """One message to one contact. `kind` and `facts` say what; the edge chooses words and buttons."""

    __tablename__ = "delivery"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    facts: Mapped[dict[str, Any]]
    subject: Mapped[str] = mapped_column(String(64), index=True)
    priority: Mapped[Priority] = mapped_column(word(Priority))
    state: Mapped[DeliveryState] = mapped_column(word(DeliveryState), default=DeliveryState.DUE)
    due_at: Mapped[datetime] = mapped_column(index=True)
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


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
    state = DeliveryState.PARKED if parked else DeliveryState.DUE
    new = await insert_once(
        session,
        Delivery,
        {
            "key": key,
            "contact_id": contact.id,
            "kind": kind,
            "facts": facts,
            "subject": subject,
            "priority": priority,
            "state": state,
            "due_at": due_at or now,
            "attempts": 0,
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
    new = 0
    for place in range(PLACES):
        columns: dict[str, Any] = {
            "key": f"{key}:",
            "contact_id": None,
            "kind": kind,
            "facts": facts,
            "subject": subject,
            "priority": priority,
            "state": DeliveryState.DUE,
            "due_at": now + spread * place / PLACES,
            "attempts": 0,
            "last_error": "",
            "created_at": now,
        }
        table = Delivery.__table__.c
        values = [literal(value, table[name].type).label(name) for name, value in columns.items()]
        values[0] = literal(f"{key}:", String).concat(cast(number, String)).label("key")
        values[1] = Contact.id.label("contact_id")
        rows = select(*values).join(ids, number == Contact.id).where(Contact.id % PLACES == place)
        rows = rows.where(Contact.state == ContactState.ACTIVE)
        new += await insert_selected_once(session, Delivery, list(columns), rows, unique=("key",))
    ring_after_commit(session, DUE_TOPIC)
    return new


async def claim(
    session: AsyncSession, channels: Collection[Channel], *, limit: int, now: datetime
) -> list[tuple[Delivery, Contact]]:
    """Take due messages of these channels for `LEASE`; a dead worker's come back when it runs out."""
    ready = (
        select(Delivery.id)
        .join(Contact, Contact.id == Delivery.contact_id)
        .where(Contact.channel.in_(channels), Delivery.due_at <= now)
        .where(
            (Delivery.state == DeliveryState.DUE)
            | ((Delivery.state == DeliveryState.CLAIMED) & (Delivery.claimed_until < now))
        )
        .order_by(Delivery.priority, Delivery.due_at, Delivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Delivery)
    )
    ids = list((await session.scalars(ready)).all())
    if not ids:
        return []
    await session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids))
        .values(state=DeliveryState.CLAIMED, claimed_until=now + LEASE, attempts=Delivery.attempts + 1)
    )
    rows = await session.execute(
        select(Delivery, Contact)
        .join(Contact, Contact.id == Delivery.contact_id)
        .where(Delivery.id.in_(ids))
        .order_by(Delivery.priority, Delivery.due_at, Delivery.id)
        .execution_options(populate_existing=True)
    )
    return [(delivery, contact) for delivery, contact in rows]


async def sent(session: AsyncSession, delivery_id: int, *, now: datetime) -> None:
    """Record that a claimed message left."""
    await session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id)
        .values(state=DeliveryState.SENT, sent_at=now, claimed_until=None, last_error="")
    )


async def failed(session: AsyncSession, delivery_id: int, error: Undeliverable, *, now: datetime) -> None:
    """Record a failure: given up for good, or due again after a growing pause.

    A permanent failure marks the contact lost; a moved chat gets its new address and another try. Nothing
    happens if the message is not claimed any more: another worker sent it, or its contact was forgotten.
    """
    delivery = await session.get_one(Delivery, delivery_id, with_for_update=True)
    if delivery.state is not DeliveryState.CLAIMED:
        return
    contact = await session.get_one(Contact, delivery.contact_id)
    delivery.last_error = error.reason[:300]
    delivery.claimed_until = None
    if error.retry_after is not None:
        # Who asks us to wait says nothing about the message: a closed channel uses up none of its attempts.
        delivery.attempts -= 1
    if error.permanent and error.moved_to is None:
        delivery.state = DeliveryState.FAILED
        contact.state = ContactState.LOST
    elif delivery.attempts >= MOST_ATTEMPTS:
        delivery.state = DeliveryState.FAILED
    elif error.moved_to is not None:
        await _move_to(session, delivery, contact, error.moved_to)
        delivery.state, delivery.due_at = DeliveryState.DUE, now
    else:
        delivery.state = DeliveryState.DUE
        delivery.due_at = now + pause(delivery.attempts, error.retry_after)


async def _move_to(session: AsyncSession, delivery: Delivery, contact: Contact, address: str) -> None:
    known = await find(session, contact.channel, address)
    if known is None:
        contact.address = address
    else:
        # The new chat has written to us already and is a contact of its own.
        delivery.contact_id = known.id
        contact.state = ContactState.LOST


def pause(attempts: int, retry_after: float | None) -> timedelta:
    """How long to wait before the next try: what the channel asked for, else 2, 4, 8 … 600 seconds."""
    if retry_after is not None:
        return timedelta(seconds=retry_after)
    return timedelta(seconds=min(600, 2**attempts))


async def unpark(session: AsyncSession, contact: Contact, *, now: datetime) -> int:
    """Make the contact's parked messages due; returns how many there were."""
    result = await session.execute(
        update(Delivery)
        .where(Delivery.contact_id == contact.id, Delivery.state == DeliveryState.PARKED)
        .values(state=DeliveryState.DUE, due_at=now)
    )
    count: int = result.rowcount  # type: ignore[attr-defined]
    if count:
        ring_after_commit(session, DUE_TOPIC)
    return count


async def about(session: AsyncSession, subject: str) -> list[Delivery]:
    """All messages about one subject, oldest first: the delivery truth shown on a ticket."""
    rows = await session.scalars(select(Delivery).where(Delivery.subject == subject).order_by(Delivery.id))
    return list(rows.all())
