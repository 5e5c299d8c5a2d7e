"""Which work tip an entry version hangs on: what waits for a signed tip is not free for another one."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import tip_words, tips
from knowledge.lint import Problem
from knowledge.tips import UNRELEASED, Tip, TipEntry, TipState, WorkTip
from office.errors import Conflict
from office.staff import Staff
from office.units import Unit

# Signed, and its entries have not come into force yet.
_WAITS = (WorkTip.state == TipState.RELEASED, WorkTip.in_effect_at.is_(None))


async def waiting(session: AsyncSession, version_ids: Collection[int]) -> Mapping[int, WorkTip]:
    """The signed tip that a version waits for, by version, for those of them that wait for one."""
    rows = await session.execute(
        select(TipEntry.version_id, WorkTip)
        .join(WorkTip, WorkTip.id == TipEntry.tip_id)
        .where(TipEntry.version_id.in_(version_ids), *_WAITS)
        .order_by(WorkTip.id)
    )
    return {row.version_id: row.WorkTip for row in rows}


async def demand_free(session: AsyncSession, tip: Tip) -> None:
    """Raise `Conflict("tip_entry_waits")` for what is to come into force with another tip, signed already.

    The tip that takes the place of that one may have it.
    """
    for other in (await waiting(session, tip.entries or ())).values():
        if other.id != tip.supersedes_id:
            raise Conflict("tip_entry_waits", no=tip_words.number(other))


async def problems(session: AsyncSession, tip: WorkTip, version_ids: Collection[int]) -> list[Problem]:
    """What a tip links that has been promised to another one meanwhile."""
    others = (await waiting(session, version_ids)).values()
    free = (tip.id, tip.supersedes_id)
    return [
        Problem("tip_entry_waits", facts={"no": tip_words.number(other)})
        for other in others
        if other.id not in free
    ]


async def of_versions(
    session: AsyncSession, person: Staff, version_ids: Collection[int]
) -> Mapping[int, WorkTip]:
    """The tip with which each version came into force, or will, as far as the person may see it.

    The last one counts: a correction takes over what its predecessor did not bring into force.
    """
    rows = await session.execute(
        select(TipEntry.version_id, WorkTip)
        .join(WorkTip, WorkTip.id == TipEntry.tip_id)
        .join(Unit, Unit.id == WorkTip.unit_id)
        .where(TipEntry.version_id.in_(version_ids), await tips.visible(session, person))
        .where(
            or_(
                WorkTip.state.in_((*UNRELEASED, TipState.RELEASED)),
                WorkTip.in_effect_at.is_not(None),
            )
        )
        .order_by(WorkTip.in_effect_at.is_not(None), WorkTip.state == TipState.RELEASED, WorkTip.id)
    )
    return {row.version_id: row.WorkTip for row in rows}
