"""Groups that were bound after a work tip went out: they get what still holds and is still fresh."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, String, cast, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from knowledge.tips import TipTarget, WorkTip
from office.bindings import ChatGroup, GroupPurpose, GroupState
from office.broadcasts import Broadcast, BroadcastState
from office.contacts import Contact, ContactState
from office.units import Unit
from ticketing import tip_effect, tip_posts
from ticketing.tip_places import KIND, TipPost

FRESH: Final = timedelta(days=7)
"""So long after a tip went out a new group gets it, and longer while its receipts are not due. All that ever
went out would bury a group in messages; there the older ones are read with /tip."""


async def lay_out(session: AsyncSession, *, now: datetime, public_url: str = "") -> int:
    """Timed job: lay tips out to groups of addressed units that were bound since; returns for how many tips.

    A tip whose sending somebody has stopped goes to nobody else. A group never gets a tip twice.
    """
    rows = await tip_effect.due(
        session,
        WorkTip.laid_out_at.is_not(None),
        or_(WorkTip.effective_until.is_(None), WorkTip.effective_until > now),
        or_(WorkTip.laid_out_at > now - FRESH, WorkTip.receipt_due > now),
        _newcomer(),
        _sending(),
    )
    for tip in rows:
        await tip_posts.lay_out(session, tip, actor=None, now=now, public_url=public_url)
    return len(rows)


def _newcomer() -> ColumnElement[bool]:
    """There is a group that the tip would have gone to, had it been bound then (`tip_targets.reached`)."""
    addressed, home = aliased(Unit), aliased(Unit)
    has_it = exists().where(TipPost.tip_id == WorkTip.id, TipPost.group_id == ChatGroup.id)
    return exists(
        select(ChatGroup.id)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .join(home, home.id == ChatGroup.unit_id)
        .join(TipTarget, TipTarget.tip_id == WorkTip.id)
        .join(addressed, addressed.id == TipTarget.unit_id)
        .where(ChatGroup.purpose == GroupPurpose.STAFF, ChatGroup.state == GroupState.BOUND)
        .where(ChatGroup.bound_at >= WorkTip.laid_out_at, Contact.state != ContactState.LOST, ~has_it)
        .where(func.substr(home.path, 1, func.length(addressed.path)) == addressed.path)
        .correlate(WorkTip)
    )


def _sending() -> ColumnElement[bool]:
    subject = literal(f"{KIND}:").concat(cast(WorkTip.id, String))
    return exists().where(Broadcast.subject == subject, Broadcast.state != BroadcastState.STOPPED)
