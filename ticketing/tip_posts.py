"""Where a work tip hangs: laid out to its groups, counted, and replaced everywhere when it holds no more."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import String, cast, exists, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import tip_links, tip_receipts, tip_shelf, tip_words
from knowledge.tip_receipts import Receipt
from knowledge.tips import TipState, TipTarget, WorkTip
from office import audit, broadcasts, outbox
from office.bindings import ChatGroup
from office.broadcasts import Broadcast, BroadcastState, Message
from office.contacts import Contact, ContactState
from office.delivery import BROADCAST_MOVES
from office.errors import Conflict
from office.outbox import Delivery, DeliveryState, Priority
from office.staff import Staff
from office.store import insert_many_once
from office.units import Unit
from ticketing import tip_places, tip_targets
from ticketing.tip_places import CORRECTION, EDIT, EDITS, KIND, PATH, facts, places
from ticketing.tip_places import Place as Place
from ticketing.tip_places import Shown as Shown
from ticketing.tip_places import TipPost as TipPost

EDIT_EVERY: Final = timedelta(seconds=30)
"""So often the counter in a group changes at most."""
BATCH: Final = 200
URGENT: Final = Priority.NOTICE
"""A correction goes before every broadcast: until it arrives the group is misled."""
GONE: Final = (TipState.SUPERSEDED, TipState.WITHDRAWN)
FALLEN: Final = tuple(state.value for state in GONE)
UNSENT: Final = (DeliveryState.DUE, DeliveryState.HELD, DeliveryState.PARKED)
PENDING: Final = (*UNSENT, DeliveryState.CLAIMED)
MINUTE: Final = timedelta(minutes=1)
HALF_HOUR: Final = 1800


async def lay_out(
    session: AsyncSession, tip: WorkTip, *, actor: Staff | None, now: datetime, public_url: str = ""
) -> Broadcast:
    """Lay a released tip into the outbox for the groups of the units it is addressed to, one message each.

    Lost groups are left out. Called again, it reaches only groups that were bound meanwhile: a group never
    gets the same tip twice. Raises `Conflict("stale_card")` unless the tip stands.
    """
    if tip.state is not TipState.RELEASED:
        raise Conflict("stale_card")
    subject = tip_places.subject_of(tip)
    # What is set for a full or half hour goes a little later: then the whole world sends.
    crowded = tip.send_at is not None and tip.send_at.timestamp() % HALF_HOUR < MINUTE.total_seconds()
    known = [one for one in await broadcasts.of(session, subject) if one.state is not BroadcastState.STOPPED]
    broadcast = known[0] if known else await broadcasts.begin(
        session, subject, actor=actor, starts_at=now + MINUTE if crowded else now, now=now
    )  # fmt: skip
    addressed = await tip_links.targets(session, tip)
    before = {place.group.id for place in await places(session, tip)}
    new = [
        (group, unit)
        for group, unit in await tip_targets.reached(session, [unit.id for unit in addressed])
        if group.id not in before
    ]
    # The unique key of each delivery keeps a group from a second message if two do this at once.
    messages = await put_up(session, tip, new, now=now, public_url=public_url)
    spread = broadcasts.SCHEDULED_SPREAD if crowded else timedelta(0)
    await broadcasts.lay(session, broadcast, messages, KIND, key=subject, now=now, spread=spread)
    return broadcast


async def put_up(
    session: AsyncSession,
    tip: WorkTip,
    groups: Collection[tuple[ChatGroup, Unit]],
    *,
    now: datetime,
    public_url: str,
    lock: bool = False,
) -> list[Message]:
    """The messages of a tip to these groups, each with the unit whose receipt it may give.

    Every group gets its post; one that has a post keeps it with its link. `lock`: there may be such.
    """
    counts = await tip_receipts.counts(session, tip)
    rows = [
        {
            "tip_id": tip.id, "group_id": group.id, "unit_id": unit.id, "token": secrets.token_urlsafe(32),
            "thread_id": tip_places.topic(group), "shown": Shown.WAITING, "counted": counts[0],
        }
        for group, unit in groups
    ]  # fmt: skip
    await insert_many_once(session, TipPost, rows, unique=("tip_id", "group_id"))
    wanted = {group.id for group, _ in groups}
    messages = []
    for place in await places(session, tip, lock=lock):
        if place.group.id in wanted:
            place.post.counted, place.post.thread_id = counts[0], tip_places.topic(place.group)
            link = f"{public_url.rstrip('/')}{PATH}{place.post.token}" if public_url else ""
            told = facts(tip, place, counts=counts, now=now) | {"link": link}
            messages.append(Message(place.contact.id, told))
    return messages


async def replace(session: AsyncSession, old: WorkTip, new: WorkTip | None, *, now: datetime) -> int:
    """A tip holds no more: its messages are to say so in every group; returns in how many.

    `old` has been moved already, and `new` is what took its place, if anything did. The message is edited
    where the channel can, else a 更正 is posted where it hangs. What has not left yet never does. What may
    have arrived though nobody knows is corrected as well. Checks nothing: whoever calls has.
    """
    subject = tip_places.subject_of(old)
    await _stop(session, old, now=now)
    perhaps = set(
        await session.scalars(
            select(Delivery.contact_id)
            .where(Delivery.subject == subject, Delivery.kind == KIND, Delivery.uncertain > 0)
        )
    )  # fmt: skip
    edits: list[Message] = []
    corrections: list[Message] = []
    told = await _told(session, old, new, now=now)
    for place in await places(session, old, lock=True):
        waiting = place.post.shown is Shown.WAITING and place.contact.id in perhaps
        if place.post.shown is not Shown.CURRENT and not waiting:
            continue
        place.post.shown = Shown.OLD
        message = Message(place.contact.id, told(place))
        (edits if place.editable else corrections).append(message)
    if not edits and not corrections:
        return 0
    await session.flush()
    broadcast = await broadcasts.begin(session, _changed(old), actor=None, starts_at=now, now=now)
    for kind, messages in ((EDIT, edits), (CORRECTION, corrections)):
        await broadcasts.lay(
            session, broadcast, messages, kind, key=_key(kind, old), now=now, priority=URGENT
        )
    return len(edits) + len(corrections)


async def still_old(session: AsyncSession, tip: WorkTip) -> list[Place]:
    """The groups in which the message of a superseded or withdrawn tip still reads as if it held."""
    return [place for place in await places(session, tip) if place.post.shown is Shown.OLD]


async def noted(
    session: AsyncSession, delivery: Delivery, *, message_id: int, refused: bool, now: datetime
) -> None:
    """What a sent post, edit or 更正 has become, in the transaction that records the sending.

    `message_id` is 0 where the channel told none; `refused`: the message cannot be edited any more.
    """
    place = await tip_places.place_of(session, int(delivery.facts["post"]), lock=True)
    if place is None:
        return
    post = place.post
    if delivery.kind == CORRECTION:
        post.shown = Shown.CORRECTED
        return
    if delivery.kind == KIND:
        post.message_id = message_id if place.contact.channel in EDITS else 0
        post.posted_at = post.posted_at or now
        post.shown = Shown.CURRENT if post.shown is Shown.WAITING else post.shown
    elif refused:
        post.message_id = 0
    tip = await session.get_one(WorkTip, post.tip_id)
    if not (await tip_places.fallen(session, tip))[0]:
        return
    says_so = delivery.kind == EDIT and delivery.facts["state"] in FALLEN and not refused
    if says_so:
        # A 更正 that stands below it already stays what the group was told.
        post.shown = Shown.REPLACED if post.shown is not Shown.CORRECTED else post.shown
    elif post.shown is not Shown.CORRECTED:
        # It left just before the tip fell, or a counter overtook the edit: the group sees the old text.
        await tell(session, place, tip, again=f":{delivery.id}", now=now)


async def recount(session: AsyncSession, *, now: datetime, group_id: int | None = None) -> int:
    """Timed job: edit the counter 已阅 17/29 where it has changed; returns in how many groups.

    At most one edit in a group every 30 seconds, and none while one waits to be sent: with 500 groups a
    morning of receipts would else be a flood. With `group_id` only there, for whoever has just tapped.
    """
    read = (
        select(TipTarget.tip_id, func.count(Receipt.id).label("n"))
        .outerjoin(Receipt, (Receipt.tip_id == TipTarget.tip_id) & (Receipt.unit_id == TipTarget.unit_id))
        .group_by(TipTarget.tip_id)
        .subquery()
    )
    lately = select(TipPost.group_id).where(TipPost.edited_at > now - EDIT_EVERY)
    waits = exists().where(
        Delivery.contact_id == Contact.id, Delivery.kind == EDIT, Delivery.state.in_(PENDING)
    )
    statement = (
        select(TipPost.id, WorkTip)
        .join(WorkTip, WorkTip.id == TipPost.tip_id)
        .join(ChatGroup, ChatGroup.id == TipPost.group_id)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .join(read, read.c.tip_id == TipPost.tip_id)
        .where(WorkTip.state == TipState.RELEASED, WorkTip.receipt_wanted.is_(True))
        .where(or_(WorkTip.effective_until.is_(None), WorkTip.effective_until > now))
        .where(TipPost.shown == Shown.CURRENT, TipPost.message_id > 0, TipPost.counted != read.c.n)
        .where(Contact.channel.in_(EDITS), Contact.state == ContactState.ACTIVE)
        .where(TipPost.group_id.not_in(lately), ~waits)
        .order_by(TipPost.edited_at.is_not(None), TipPost.edited_at, TipPost.id)
        .limit(BATCH)
    )
    if group_id is not None:
        statement = statement.where(TipPost.group_id == group_id)
    found: dict[int, WorkTip] = dict((await session.execute(statement)).all())
    counts = {tip.id: await tip_receipts.counts(session, tip) for tip in set(found.values())}
    groups: set[int] = set()
    for place in await tip_places.these(session, found, lock=True):
        tip, post = found[place.post.id], place.post
        if place.group.id in groups or counts[tip.id][0] == post.counted:
            continue
        groups.add(place.group.id)
        post.counted, post.edited_at = counts[tip.id][0], now
        told = facts(tip, place, counts=counts[tip.id], now=now)
        # With the moment: a receipt that is taken back brings the same number once more.
        key = f"tip_count:{post.id}:{post.counted}:{now.timestamp():.0f}"
        await put(session, place, EDIT, told, key=key, now=now)
    return len(groups)


async def _stop(session: AsyncSession, old: WorkTip, *, now: datetime) -> None:
    """Nothing more of a tip leaves: neither what waits, nor what is on its way and fails."""
    for broadcast in await broadcasts.of(session, tip_places.subject_of(old)):
        left = (await broadcasts.progress(session, broadcast.id)).pending
        if left and BroadcastState.STOPPED in BROADCAST_MOVES[broadcast.state]:
            broadcast.halted_at = now
            await audit.move(
                session, broadcast, BroadcastState.STOPPED, by="stop", table=BROADCAST_MOVES,
                actor=audit.SYSTEM, now=now,
            )  # fmt: skip
    posts = select(literal("tip_post:").concat(cast(TipPost.id, String))).where(TipPost.tip_id == old.id)
    subjects = Delivery.subject.in_(posts) | (Delivery.subject == tip_places.subject_of(old))
    await session.execute(
        update(Delivery)
        .where(subjects, Delivery.kind.in_((KIND, EDIT)), Delivery.state.in_(UNSENT))
        .values(state=DeliveryState.STOPPED)
        .execution_options(synchronize_session=False)
    )


async def tell(
    session: AsyncSession, place: Place, tip: WorkTip, *, again: str, now: datetime, edit: bool = True
) -> None:
    """Have this group told that the tip holds no more: by an edit where that can be, else by one 更正."""
    _, new = await tip_places.fallen(session, tip)
    told = (await _told(session, tip, new, only=place.contact.id, now=now))(place)
    place.post.shown = Shown.OLD
    kind = EDIT if edit and place.editable else CORRECTION
    # Of a 更正 there is one in each group, however often something goes wrong.
    key = f"{_key(kind, tip)}:{place.contact.id}{again if kind == EDIT else ''}"
    await put(session, place, kind, told, key=key, now=now, priority=URGENT)


async def _told(
    session: AsyncSession, old: WorkTip, new: WorkTip | None, *, only: int | None = None, now: datetime
) -> Callable[[Place], dict[str, Any]]:
    """What each group is told of a tip that holds no more."""
    counts = await tip_receipts.counts(session, old)
    links = await tip_places.links(session, old, only=only)
    if new is not None:
        # Where the new one hangs as well, the way leads straight to it.
        links |= await tip_places.links(session, new, only=only)
    more: dict[str, Any] = {}
    if new is not None:
        more = {"new": new.id, "new_short": tip_words.beside(new, old.year), "new_title": new.title}
        more["new_from"] = new.effective_from.isoformat() if new.effective_from else ""
        more["new_later"] = (await tip_shelf.standing(session, old, now=now)).since is not None
        more["state"] = "superseded"
    else:
        # What was to replace it may have been withdrawn before it was ever sent.
        last = await session.get(WorkTip, old.superseded_by_id) if old.superseded_by_id else old
        more = {"state": "withdrawn", "why": last.withdrawn_why if last is not None else ""}

    def told(place: Place) -> dict[str, Any]:
        link = {"link": links.get(place.contact.id, "")}
        return facts(old, place, counts=counts, now=now) | more | link

    return told


async def put(
    session: AsyncSession,
    place: Place,
    kind: str,
    told: dict[str, Any],
    *,
    key: str,
    now: datetime,
    priority: Priority = Priority.BROADCAST,
) -> None:
    await outbox.put(
        session, place.contact, kind, told, key=key, subject=f"tip_post:{place.post.id}", now=now,
        priority=priority,
    )  # fmt: skip


def _changed(tip: WorkTip) -> str:
    """The subject of the broadcast that tells the groups of a tip that it holds no more."""
    return f"tip_replaced:{tip.id}"


def _key(kind: str, tip: WorkTip) -> str:
    return f"tip_correction:{tip.id}" if kind == CORRECTION else f"tip_replaced:{tip.id}"
