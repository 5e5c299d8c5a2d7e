"""How well a group can be reached: what stands between a message and the people in it."""

from __future__ import annotations

from enum import StrEnum, auto

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office.bindings import ChatGroup, GroupState
from office.contacts import Contact, ContactState
from office.robots import GroupRobot


class Health(StrEnum):
    """Lost, restricted and stopped groups get nothing for now, silent ones later; moved ones get all."""

    LOST = auto()
    RESTRICTED = auto()
    STOPPED = auto()
    SILENT = auto()
    MOVED = auto()


# Nothing arrives there until somebody has done something.
DEAD = frozenset({Health.LOST, Health.RESTRICTED, Health.STOPPED})


def of(group: ChatGroup, contact: Contact, robot: GroupRobot | None = None) -> tuple[Health, ...]:
    """What ails a group, the worst first; empty for a sound one."""
    signs = {
        Health.LOST: group.state is GroupState.LOST or contact.state is ContactState.LOST,
        Health.RESTRICTED: group.restricted_at is not None,
        Health.STOPPED: robot is not None and robot.stopped_at is not None,
        Health.SILENT: group.silent_since is not None or contact.state is ContactState.SILENCED,
        Health.MOVED: group.moved_at is not None,
    }
    return tuple(health for health, there in signs.items() if there)


async def robots_of(session: AsyncSession) -> dict[int, GroupRobot]:
    """The robots by the number of their group, for a page that shows many groups."""
    return {robot.group_id: robot for robot in (await session.scalars(select(GroupRobot))).all()}
