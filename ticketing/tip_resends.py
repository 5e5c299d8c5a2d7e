"""Sending a work tip again (补发): a broadcast of its own, only to the groups that have not got it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import tips
from knowledge.tips import TipState, WorkTip
from office import audit, broadcasts, staff, units
from office.errors import Conflict
from office.staff import Permission, Staff
from ticketing import tip_coverage, tip_places, tip_posts
from ticketing.tip_places import KIND


def may_go(tip: WorkTip, *, now: datetime) -> bool:
    """Whether a tip can be sent again at all: it was sent once, it stands, and its time is not over."""
    sent = tip.state is TipState.RELEASED and tip.laid_out_at is not None
    return sent and tips.shown(tip, now) and not tips.expired(tip, now)


async def send_again(
    session: AsyncSession, tip: WorkTip, *, actor: Staff, now: datetime, public_url: str = ""
) -> int:
    """Send a tip to the groups that could get it and have not: stopped, failed, or bound since.

    Returns to how many; 0, and nothing happens, where there is none (any more): what is under way already
    is not sent twice. Raises `NotPermitted` without `PUBLISH_ENTRIES` over the tip's unit and
    `Conflict("tip_again.over")` for a tip that cannot be sent (any more).
    """
    home = await units.get(session, tip.unit_id)
    await staff.must(session, actor, Permission.PUBLISH_ENTRIES, home.path)
    # Whoever presses second waits here, and finds what the first one has laid out.
    await session.refresh(tip, with_for_update=True)
    if not may_go(tip, now=now):
        raise Conflict("tip_again.over")
    left = await tip_coverage.missing(session, tip)
    if not left:
        return 0
    messages = await tip_posts.put_up(session, tip, left, now=now, public_url=public_url, lock=True)
    subject = tip_places.subject_of(tip)
    broadcast = await broadcasts.begin(session, subject, actor=actor, starts_at=now, now=now)
    await session.flush()
    new = await broadcasts.lay(session, broadcast, messages, KIND, key=f"{subject}:{broadcast.id}", now=now)
    await audit.record(
        session, "work_tip.send_again", f"work_tip:{tip.id}", actor=actor.as_actor(), now=now,
        broadcast=broadcast.id, groups=new,
    )  # fmt: skip
    return new
