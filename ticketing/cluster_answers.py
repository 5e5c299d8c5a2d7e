"""What the answer to a cluster leaves behind: its state, a draft entry and a draft tip."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.versions import EntryVersion
from office import audit
from office.staff import Permission, Staff, may, reach
from office.units import Unit, contains
from ticketing import promote
from ticketing.cluster_records import TRANSITIONS, Cluster, ClusterState, led_by
from ticketing.records import Ticket


async def answered(session: AsyncSession, lead: Ticket, *, actor: Staff, now: datetime) -> Cluster | None:
    """Follow the answer of a lead in the same transaction; nothing happens for a ticket that leads nobody.

    The drafts are begun in the name of whoever wrote the answer, so that another person can publish them.
    Where the answer cites a published entry there is an entry already, and only the tip is drafted. Whoever
    may not draft leaves none: an answer never fails for want of a draft, the cluster's page offers them.
    """
    cluster = await led_by(session, lead)
    if cluster is None:
        return None
    await session.flush()
    await session.refresh(cluster, with_for_update=True)
    cluster.answered_at = now
    if cluster.state is ClusterState.OPEN:
        await audit.move(
            session, cluster, ClusterState.ANSWERED, by="answer", table=TRANSITIONS,
            actor=actor.as_actor(), now=now,
        )  # fmt: skip
    author = await session.get(Staff, lead.author_id or actor.id) or actor
    await drafted(session, cluster, lead, actor=author, now=now)
    return cluster


async def drafted(
    session: AsyncSession, cluster: Cluster, lead: Ticket, *, actor: Staff, now: datetime
) -> None:
    """Begin the entry and the tip that are still missing, as far as `actor` may."""
    place = await session.get_one(Unit, lead.unit_id)
    whole = await session.get_one(Unit, cluster.unit_id)
    within = await reach(session, actor)
    if not may(actor, Permission.DRAFT_ENTRIES) or not contains(within, place.path):
        return
    if lead.conclusion_version_id is not None:
        cluster.entry_id = (await session.get_one(EntryVersion, lead.conclusion_version_id)).entry_id
    elif lead.entry_created_id is not None:
        cluster.entry_id = lead.entry_created_id
    else:
        cluster.entry_id = (await promote.to_entry(session, lead, actor=actor, now=now)).entry_id
    if cluster.tip_id is None and contains(within, whole.path):
        cluster.tip_id = (await promote.to_tip(session, lead, cluster, actor=actor, now=now)).id
    await session.flush()
