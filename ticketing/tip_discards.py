"""A work tip that was begun in vain: its draft is deleted, and what it came from is free again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import tip_moves
from knowledge.tips import TipEntry, TipState, TipTarget, WorkTip
from office import audit
from office.errors import Conflict
from office.staff import Permission, Staff
from ticketing.cluster_records import Cluster


async def discard(session: AsyncSession, tip: WorkTip, *, seen: int, actor: Staff, now: datetime) -> None:
    """Delete a draft that nobody but its authors has been asked to read; the audit keeps that it was there.

    The cluster it was begun from may begin another one; its tickets and entry versions hang on it no more.
    What was handed in once stays, with what was said of it. Raises `NotPermitted`, `Conflict` with
    `stale_card` or `tip_was_submitted`.
    """
    await tip_moves.locked(session, tip, TipState.DRAFT, seen, Permission.DRAFT_ENTRIES, actor)
    if tip.submitted_at is not None:
        raise Conflict("tip_was_submitted")
    rows = await session.scalars(select(Cluster).where(Cluster.tip_id == tip.id).with_for_update())
    from_clusters = list(rows)
    for cluster in from_clusters:
        cluster.tip_id = None
    await session.flush()
    facts = {
        "type": tip.type.value, "drafter": tip.drafter_id, "supersedes": tip.supersedes_id,
        "tickets": len(tip.sources.get("tickets", ())), "clusters": [row.cluster_no for row in from_clusters],
    }  # fmt: skip
    for table in (TipTarget, TipEntry):
        await session.execute(delete(table).where(table.tip_id == tip.id))
    subject = f"work_tip:{tip.id}"
    await session.delete(tip)
    await session.flush()
    await audit.record(session, "work_tip.discard", subject, actor=actor.as_actor(), now=now, **facts)
