"""How the messages of a work tip arrived: what failed and why, what may be there twice, who read in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.tip_receipts import Receipt
from knowledge.tips import TipTarget, WorkTip
from office import broadcasts
from office.bindings import ChatGroup
from office.broadcasts import Broadcast
from office.contacts import Contact
from office.errors import NotFound
from office.outbox import Delivery, DeliveryState
from office.units import Unit
from ticketing import tip_places
from ticketing.tip_places import TipPost

COUNTED_WITHIN: Final = timedelta(hours=24)
"""Helpdesk, figures: 已阅率@24h is of the receipts given so long after the sending."""
# What a channel says of a failure, in small letters, and the word for it; the first that fits.
SIGNS: Final = (
    ("kicked", ("bot was kicked", "bot is not a member", "bot was blocked")),
    ("muted", ("not enough rights", "have no rights", "chat_write_forbidden", "chat_restricted")),
    ("gone", ("chat not found", "deactivated", "chat was deleted", "peer_id_invalid")),
    ("removed", ("the robot was removed",)),
    ("refused", ("refuses with",)),
    ("kicked", ("forbidden",)),
    ("long", ("too long", "toolarge")),
    ("unreached", ("network", "timeout", "servererror", "out of reach", "client", "connect", "retryafter")),
    ("unreached", ("too many requests", "disconnected", "payload", "none of the platform's")),
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message with the group it was for; None where the group has become another one since."""

    delivery: Delivery
    contact: Contact
    group: ChatGroup | None
    unit: Unit | None

    @property
    def failed(self) -> bool:
        """Whether it was given up."""
        return self.delivery.state is DeliveryState.FAILED

    @property
    def doubtful(self) -> bool:
        """Whether it arrived, and an earlier try of it may have arrived as well."""
        return self.delivery.uncertain > 0 and not self.failed


async def runs(session: AsyncSession, tip: WorkTip) -> list[Broadcast]:
    """The broadcasts of a tip, the first one first: its own, then those that tell that it holds no more."""
    own = await broadcasts.of(session, tip_places.subject_of(tip))
    after = await broadcasts.of(session, _replaced(tip))
    return [*reversed(own), *reversed(after)]


async def run_of(session: AsyncSession, tip: WorkTip, number: int) -> Broadcast:
    """One of them by its row number; raises `NotFound("tip_unknown")` for a broadcast of anything else."""
    for run in await runs(session, tip):
        if run.id == number:
            return run
    raise NotFound("tip_unknown")


def is_change(tip: WorkTip, run: Broadcast) -> bool:
    """Whether a broadcast tells that the tip holds no more."""
    return run.subject == _replaced(tip)


async def troubles(session: AsyncSession, tip: WorkTip) -> list[Arrival]:
    """The messages of all its broadcasts that failed or may have arrived twice, in the order of sending."""
    post = and_(TipPost.group_id == ChatGroup.id, TipPost.tip_id == tip.id)
    subjects = (tip_places.subject_of(tip), _replaced(tip))
    rows = await session.execute(
        select(Delivery, Contact, ChatGroup, Unit)
        .join(Contact, Contact.id == Delivery.contact_id)
        .outerjoin(ChatGroup, ChatGroup.contact_id == Contact.id)
        .outerjoin(TipPost, post)
        .outerjoin(Unit, Unit.id == func.coalesce(TipPost.unit_id, ChatGroup.unit_id))
        .where(Delivery.subject.in_(subjects), Delivery.broadcast_id.is_not(None))
        .where((Delivery.state == DeliveryState.FAILED) | (Delivery.uncertain > 0))
        .order_by(Delivery.id)
    )
    return [Arrival(*row) for row in rows]


async def held_up(session: AsyncSession, run: Broadcast) -> tuple[int, Delivery] | None:
    """How many messages of a broadcast wait for another try, and the next of them; None for none."""
    waits = (
        Delivery.broadcast_id == run.id, Delivery.state == DeliveryState.DUE, Delivery.last_error != "",
    )  # fmt: skip
    count = await session.scalar(select(func.count()).select_from(Delivery).where(*waits)) or 0
    first = await session.scalar(select(Delivery).where(*waits).order_by(Delivery.due_at).limit(1))
    return (count, first) if first is not None else None


def why(delivery: Delivery) -> str:
    """Why a message failed, as one of a few words: kicked, muted, gone, removed, refused, long, unreached.

    Empty for anything else. What the channel said is never shown: it may hold an address.
    """
    said = delivery.last_error.lower()
    return next((word for word, signs in SIGNS if any(sign in said for sign in signs)), "")


async def read_in_time(session: AsyncSession, tip: WorkTip) -> int:
    """How many units had read it 24 hours after it was sent."""
    begun = sent_at(tip)
    if begun is None:
        return 0
    rows = (
        select(func.count())
        .select_from(TipTarget)
        .join(Receipt, and_(Receipt.tip_id == TipTarget.tip_id, Receipt.unit_id == TipTarget.unit_id))
        .where(TipTarget.tip_id == tip.id, Receipt.at <= begun + COUNTED_WITHIN)
    )
    return await session.scalar(rows) or 0


def sent_at(tip: WorkTip) -> datetime | None:
    """When its messages were laid out; None while they wait for their time."""
    return tip.laid_out_at


def _replaced(tip: WorkTip) -> str:
    # As `tip_posts.replace` names what it sends.
    return f"tip_replaced:{tip.id}"
