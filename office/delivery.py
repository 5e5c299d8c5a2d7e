"""What is to be sent: a message to one contact, and the broadcast that ties many of them together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from office.contacts import Channel
from office.store import Base, word


class DeliveryState(StrEnum):
    """Where a message stands; parked ones wait until the contact writes again.

    HELD and STOPPED belong to broadcasts: paused until somebody resumes it, and never to be sent.
    """

    DUE = auto()
    CLAIMED = auto()
    SENT = auto()
    FAILED = auto()
    PARKED = auto()
    HELD = auto()
    STOPPED = auto()


class Priority(StrEnum):
    """What goes first when much is due."""

    ANSWER = "1_answer"
    NOTICE = "2_notice"
    BROADCAST = "3_broadcast"


class Undeliverable(Exception):
    """The one failure the worker understands; each channel translates its own into it.

    `permanent`: never try again. `retry_after`: seconds the channel asked us to wait. `moved_to`: the
    new address of the same chat. `uncertain`: the message may have arrived all the same.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        moved_to: str | None = None,
        uncertain: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after
        self.moved_to = moved_to
        self.uncertain = uncertain


class Delivery(Base):
    """One message to one contact. `kind` and `facts` say what; the edge chooses words and buttons.

    `channel` is its contact's. `turn` is its place among broadcasts that run side by side
    (`office.broadcasts`). `uncertain` counts tries whose end nobody knows: the message may have arrived more
    than once.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_claim", "state", "channel", "priority", "turn", "due_at", "id"),
        Index("ix_delivery_broadcast_id_state", "broadcast_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    channel: Mapped[Channel] = mapped_column(word(Channel))
    broadcast_id: Mapped[int | None] = mapped_column(ForeignKey("broadcast.id"))
    turn: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str] = mapped_column(String(32))
    facts: Mapped[dict[str, Any]]
    subject: Mapped[str] = mapped_column(String(64), index=True)
    priority: Mapped[Priority] = mapped_column(word(Priority))
    state: Mapped[DeliveryState] = mapped_column(word(DeliveryState), default=DeliveryState.DUE)
    due_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    uncertain: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class BroadcastState(StrEnum):
    """Whether its messages leave. What a stopped one has not sent is never sent."""

    RUNNING = auto()
    PAUSED = auto()
    STOPPED = auto()


B = BroadcastState
BROADCAST_MOVES: Mapping[BroadcastState, frozenset[BroadcastState]] = {
    B.RUNNING: frozenset({B.PAUSED, B.STOPPED}),
    B.PAUSED: frozenset({B.RUNNING, B.STOPPED}),
}


class Broadcast(Base):
    """What ties the deliveries of one message to many together; `subject` says of what, as in `Delivery`."""

    __tablename__ = "broadcast"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[BroadcastState] = mapped_column(word(BroadcastState), default=BroadcastState.RUNNING)
    subject: Mapped[str] = mapped_column(String(64), index=True)
    starts_at: Mapped[datetime]
    begun_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    begun_at: Mapped[datetime]
    halted_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    halted_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so
