"""How far a work tip has come to each unit: arrived, on its way, stopped, failed, or no group for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum, auto
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.tips import TipState, TipTarget, WorkTip
from office.bindings import ChatGroup
from office.outbox import Delivery, DeliveryState
from office.units import Unit
from ticketing import tip_targets
from ticketing.tip_places import KIND, Shown, TipPost


class Cover(StrEnum):
    """What a unit has of a tip; of several groups the best one counts.

    SILENT: its group asked for silence, the message waits there. FAILED: it did not arrive, or was never
    sent to the groups that there are now. NO_GROUP: there is none to send it to.
    """

    ARRIVED = auto()
    WAITING = auto()
    SILENT = auto()
    STOPPED = auto()
    FAILED = auto()
    NO_GROUP = auto()


ORDER: Final = tuple(Cover)
WITHOUT: Final = frozenset({Cover.SILENT, Cover.STOPPED, Cover.FAILED, Cover.NO_GROUP})
"""Units that do not have it and will not by themselves: the telephone is left."""
OF_STATE: Final = {
    DeliveryState.SENT: Cover.ARRIVED, DeliveryState.DUE: Cover.WAITING, DeliveryState.CLAIMED: Cover.WAITING,
    DeliveryState.HELD: Cover.WAITING, DeliveryState.PARKED: Cover.SILENT,
    DeliveryState.STOPPED: Cover.STOPPED, DeliveryState.FAILED: Cover.FAILED,
}  # fmt: skip


async def covers(session: AsyncSession, tips: Sequence[WorkTip]) -> dict[tuple[int, int], Cover]:
    """How far these tips have come to each unit that they are addressed to, by unit and tip."""
    numbers = [tip.id for tip in tips]
    targets = await session.execute(
        select(TipTarget.unit_id, TipTarget.tip_id).where(TipTarget.tip_id.in_(numbers))
    )
    addressed: dict[int, set[int]] = {number: set() for number in numbers}
    for unit_id, tip_id in targets:
        addressed[tip_id].add(unit_id)
    found: dict[tuple[int, int], Cover] = {}
    for unit_id, tip_id, cover in await _posted(session, numbers):
        before = found.get((unit_id, tip_id), Cover.NO_GROUP)
        found[(unit_id, tip_id)] = min(before, cover, key=ORDER.index)
    for tip in tips:
        rest = [unit_id for unit_id in addressed[tip.id] if (unit_id, tip.id) not in found]
        with_group = await _with_group(session, addressed[tip.id]) if rest else set()
        # Before its time all that has a group waits; afterwards such a group was bound too late.
        waits = tip.state is TipState.RELEASED and tip.laid_out_at is None
        for unit_id in rest:
            late = Cover.WAITING if waits else Cover.FAILED
            found[(unit_id, tip.id)] = late if unit_id in with_group else Cover.NO_GROUP
    return {key: cover for key, cover in found.items() if key[0] in addressed[key[1]]}


async def missing(session: AsyncSession, tip: WorkTip) -> list[tuple[ChatGroup, Unit]]:
    """The groups that could get a tip now, have not got it, and to which nothing of it is under way.

    Each with the unit whose receipt it may give.

    Where a try may have arrived though nobody knows, the group is among them: nothing shows that it did.
    """
    units = await session.scalars(select(TipTarget.unit_id).where(TipTarget.tip_id == tip.id))
    groups = await tip_targets.reached(session, units.all())
    states = await _states(session, [tip.id])
    rows = await session.execute(
        select(TipPost.group_id, TipPost.id, TipPost.shown).where(TipPost.tip_id == tip.id)
    )
    posts = {group_id: (post_id, shown) for group_id, post_id, shown in rows}
    found = []
    for group, unit in groups:
        post_id, shown = posts.get(group.id, (None, Shown.WAITING))
        cover = _best(shown, states.get(post_id or 0, ()))
        if cover in (Cover.STOPPED, Cover.FAILED):
            found.append((group, unit))
    return found


async def _posted(session: AsyncSession, tips: Collection[int]) -> list[tuple[int, int, Cover]]:
    """Unit, tip and cover of each post."""
    states = await _states(session, tips)
    rows = await session.execute(
        select(TipPost.id, TipPost.unit_id, TipPost.tip_id, TipPost.shown).where(TipPost.tip_id.in_(tips))
    )
    return [
        (unit_id, tip_id, _best(shown, states.get(number, ()))) for number, unit_id, tip_id, shown in rows
    ]


async def _states(session: AsyncSession, tips: Collection[int]) -> dict[int, set[DeliveryState]]:
    """What has become of the messages of each post; one that was sent again has several."""
    subjects = [f"{KIND}:{number}" for number in tips]
    post = func.coalesce(Delivery.facts["post"].as_integer(), 0)
    rows = await session.execute(
        select(post, Delivery.state).where(Delivery.subject.in_(subjects), Delivery.kind == KIND)
    )
    found: dict[int, set[DeliveryState]] = {}
    for number, state in rows:
        found.setdefault(number, set()).add(state)
    return found


def _best(shown: Shown, states: Collection[DeliveryState]) -> Cover:
    if shown is not Shown.WAITING:
        return Cover.ARRIVED
    return min((OF_STATE[state] for state in states), key=ORDER.index, default=Cover.FAILED)


async def _with_group(session: AsyncSession, unit_ids: Collection[int]) -> set[int]:
    return {unit.id for _, unit in await tip_targets.reached(session, unit_ids)}
