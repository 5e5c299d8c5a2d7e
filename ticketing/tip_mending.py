"""Posts of work tips that groups see and should not: found by the clock, told once more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from knowledge import tip_receipts
from knowledge.tips import TipState, WorkTip
from office.bindings import ChatGroup
from office.contacts import Contact, ContactState
from office.outbox import Delivery
from ticketing import tip_places, tip_posts
from ticketing.tip_places import CORRECTION, EDIT, Shown, TipPost, facts
from ticketing.tip_posts import BATCH, GONE, PENDING


async def mend(session: AsyncSession, *, now: datetime) -> int:
    """Timed job: what groups see and should not, told once more; returns in how many.

    A message that slipped through as its tip fell, an edit that failed for good, and tips whose time is over
    (已失效), which stay but say so.
    """
    expired = (WorkTip.effective_until <= now) & (
        TipPost.edited_at.is_(None) | (TipPost.edited_at < WorkTip.effective_until)
    )
    new = aliased(WorkTip)
    known = new.laid_out_at.is_not(None) | new.state.in_(GONE)
    slipped = (WorkTip.state == TipState.WITHDRAWN) | ((WorkTip.state == TipState.SUPERSEDED) & known)
    waits = exists().where(
        Delivery.contact_id == ChatGroup.contact_id, Delivery.kind.in_((EDIT, CORRECTION)),
        Delivery.facts["post"].as_integer() == TipPost.id, Delivery.state.in_(PENDING),
    )  # fmt: skip
    rows = await session.execute(
        select(TipPost.id, WorkTip)
        .join(WorkTip, WorkTip.id == TipPost.tip_id)
        .join(ChatGroup, ChatGroup.id == TipPost.group_id)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .outerjoin(new, new.id == WorkTip.superseded_by_id)
        .where(Contact.state == ContactState.ACTIVE)
        .where(
            ((TipPost.shown == Shown.CURRENT) & slipped)
            | ((TipPost.shown == Shown.OLD) & ~waits)
            | ((TipPost.shown == Shown.CURRENT) & (TipPost.message_id > 0) & expired)
        )
        .order_by(TipPost.id)
        .limit(BATCH)
    )
    found = rows.all()
    for post_id, tip in found:
        place = await tip_places.place_of(session, post_id, lock=True)
        if place is None:
            continue
        if (await tip_places.fallen(session, tip))[0]:
            # The edit was tried and failed: what is left is a message of its own.
            edit = place.post.shown is Shown.CURRENT
            await tip_posts.tell(session, place, tip, edit=edit, again="", now=now)
            continue
        if tip.state in GONE:
            continue
        place.post.edited_at = now
        told = facts(tip, place, counts=await tip_receipts.counts(session, tip), now=now)
        await tip_posts.put(session, place, EDIT, told, key=f"tip_expired:{post_id}", now=now)
    return len(found)
