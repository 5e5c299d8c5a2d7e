"""A work tip begun from a ticket: the draft that is there already, else a new one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.tips import UNRELEASED, WorkTip
from office.staff import Permission, Staff, must, reach
from office.units import Unit
from ticketing import promote
from ticketing.records import Ticket


async def begin(
    session: AsyncSession, ticket: Ticket, *, actor: Staff, now: datetime, another: bool = False
) -> tuple[WorkTip, bool]:
    """The last unreleased tip that names this ticket as its source, where the actor reaches it; and if new.

    A draft of the cluster that the ticket belongs to counts, and so does a correction of a tip that answered
    it. What is out or was deleted does not, and with `another` nothing does: then a new one is begun. Raises
    as `promote.to_tip` does, and `NotPermitted` outside the reach.
    """
    unit = await session.get_one(Unit, ticket.unit_id)
    await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)
    # Locked, so that two people at the same moment do not begin it twice.
    await session.refresh(ticket, with_for_update=True)
    there = None if another else await _unreleased(session, ticket, actor)
    if there is not None:
        return there, False
    return await promote.to_tip(session, ticket, actor=actor, now=now), True


async def _unreleased(session: AsyncSession, ticket: Ticket, actor: Staff) -> WorkTip | None:
    rows = await session.execute(
        select(WorkTip.id, WorkTip.sources)
        .join(Unit, Unit.id == WorkTip.unit_id)
        .where(WorkTip.state.in_(UNRELEASED), Unit.path.startswith(await reach(session, actor)))
        .order_by(WorkTip.id.desc())
    )
    # Looked through here: the two databases ask a list in JSON in different ways, and drafts are few.
    found = next((number for number, sources in rows if ticket.id in sources.get("tickets", ())), None)
    return await session.get(WorkTip, found) if found is not None else None
