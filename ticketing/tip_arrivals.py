"""How the messages of a work tip arrived: what failed and why, what may be there twice, who read in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Final

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.tip_receipts import Receipt
from knowledge.tips import TipTarget, WorkTip
from office import broadcasts, group_health
from office.bindings import ChatGroup
from office.broadcasts import Broadcast
from office.contacts import Contact
from office.errors import NotFound
from office.group_health import Health
from office.outbox import Delivery, DeliveryState
from office.units import Unit
from ticketing import tip_places, tip_posts
from ticketing.tip_places import CORRECTION, EDIT, KIND, Place, Shown, TipPost

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
    """A message with the group it was for; None where the group has become another one since.

    `shown`: what has become of the tip in that group since.
    """

    delivery: Delivery
    contact: Contact
    group: ChatGroup | None
    unit: Unit | None
    shown: Shown | None = None

    @property
    def failed(self) -> bool:
        """Whether it was given up."""
        return self.delivery.state is DeliveryState.FAILED

    @property
    def made_good(self) -> bool:
        """Whether it was given up, and the group has got another one since."""
        return self.failed and self.delivery.kind == KIND and self.shown not in (None, Shown.WAITING)

    @property
    def doubtful(self) -> bool:
        """Whether it arrived, and an earlier try of it may have arrived as well."""
        return self.delivery.uncertain > 0 and not self.failed


class Misled(StrEnum):
    """Why a group still shows the old text of a tip that has fallen, the first that holds.

    WAITING: the correction is under way. FAILED: it was given up, `tip_arrivals.why` says why.
    """

    LOST = auto()
    RESTRICTED = auto()
    STOPPED = auto()
    SILENT = auto()
    HALTED = auto()
    FAILED = auto()
    WAITING = auto()


@dataclass(frozen=True, slots=True)
class Old:
    """A group that still shows the old text, why, and the correction that has not arrived, if any."""

    place: Place
    why: Misled
    delivery: Delivery | None


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


def is_again(rows: Sequence[Broadcast], run: Broadcast) -> bool:
    """Whether a broadcast sent the tip again; `rows` are all of the tip, as `runs` returns them."""
    first = next((row for row in rows if row.subject == run.subject), run)
    return run.subject.startswith(f"{KIND}:") and run.id != first.id


async def troubles(session: AsyncSession, tip: WorkTip) -> list[Arrival]:
    """The messages of all its broadcasts that failed or may have arrived twice, in the order of sending."""
    post = and_(TipPost.group_id == ChatGroup.id, TipPost.tip_id == tip.id)
    subjects = (tip_places.subject_of(tip), _replaced(tip))
    rows = await session.execute(
        select(Delivery, Contact, ChatGroup, Unit, TipPost.shown)
        .join(Contact, Contact.id == Delivery.contact_id)
        .outerjoin(ChatGroup, ChatGroup.contact_id == Contact.id)
        .outerjoin(TipPost, post)
        .outerjoin(Unit, Unit.id == func.coalesce(TipPost.unit_id, ChatGroup.unit_id))
        .where(Delivery.subject.in_(subjects), Delivery.broadcast_id.is_not(None))
        .where((Delivery.state == DeliveryState.FAILED) | (Delivery.uncertain > 0))
        .order_by(Delivery.id)
    )
    return [Arrival(*row) for row in rows]


async def misled(session: AsyncSession, tip: WorkTip) -> list[Old]:
    """The groups in which a superseded or withdrawn tip still reads as if it held, each with the reason."""
    places = await tip_posts.still_old(session, tip)
    robots = await group_health.robots_of(session) if places else {}
    post = Delivery.facts["post"].as_integer()
    rows = await session.scalars(
        select(Delivery)
        .where(Delivery.contact_id.in_({place.contact.id for place in places}))
        .where(Delivery.kind.in_((EDIT, CORRECTION)), post.in_({place.post.id for place in places}))
        .order_by(Delivery.id)
    )
    last = {delivery.facts["post"]: delivery for delivery in rows}
    found = []
    for place in places:
        ails = group_health.of(place.group, place.contact, robots.get(place.group.id))
        delivery = last.get(place.post.id)
        found.append(Old(place, _misled(ails, delivery), delivery))
    return found


def _misled(ails: Sequence[Health], delivery: Delivery | None) -> Misled:
    dead = {Health.LOST: Misled.LOST, Health.RESTRICTED: Misled.RESTRICTED, Health.STOPPED: Misled.STOPPED}
    for health, why in dead.items():
        if health in ails:
            return why
    state = delivery.state if delivery is not None else None
    if state is DeliveryState.FAILED:
        return Misled.FAILED
    if Health.SILENT in ails or state is DeliveryState.PARKED:
        return Misled.SILENT
    halted = (DeliveryState.HELD, DeliveryState.STOPPED)
    return Misled.HALTED if state in halted else Misled.WAITING


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
