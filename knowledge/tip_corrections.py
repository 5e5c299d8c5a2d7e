"""The correction of a work tip: one at a time, and one that puts something right."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import tip_drafts
from knowledge.tips import UNRELEASED, TipType, WorkTip
from office.staff import Permission, Staff, must, reach
from office.units import Unit

READ: Final = (
    "title", "addressed_to", "origin", "wording", "steps", "contact_lines", "basis", "scope", "copied_to",
)  # fmt: skip
"""What its readers have before their eyes, beside its attachments and its days."""


async def begin(session: AsyncSession, old: WorkTip, *, actor: Staff, now: datetime) -> tuple[WorkTip, bool]:
    """The correction that is being drafted already, where the actor reaches it, else a new one; and if new.

    Raises as `tip_drafts.correction` does, and `NotPermitted` outside the reach.
    """
    unit = await session.get_one(Unit, old.unit_id)
    await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)
    # Locked, so that two people at the same moment do not begin it twice.
    await session.refresh(old, with_for_update=True)
    open_one = await session.scalar(
        select(WorkTip)
        .join(Unit, Unit.id == WorkTip.unit_id)
        .where(WorkTip.supersedes_id == old.id, WorkTip.state.in_(UNRELEASED))
        .where(Unit.path.startswith(await reach(session, actor)))
        .order_by(WorkTip.id)
        .limit(1)
    )
    if open_one is not None:
        return open_one, False
    return await tip_drafts.correction(session, old, actor=actor, now=now), True


def corrects_nothing(tip: WorkTip, old: WorkTip | None) -> bool:
    """Whether a correction says word for word what the tip says that it replaces.

    A tip of another type may: it sends the same words to other units. Without a day of its own a correction
    takes effect when it is signed, which puts nothing right.
    """
    if old is None or tip.type is not TipType.CORRECTION:
        return False
    same = all(" ".join(getattr(tip, name).split()) == " ".join(getattr(old, name).split()) for name in READ)
    days = tip.effective_from in (None, old.effective_from) and tip.effective_until == old.effective_until
    return same and days and tip.attachments == old.attachments
