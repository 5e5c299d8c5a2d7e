"""Where a work tip would go: units to groups, how each group stands, and which units have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office.bindings import ChatGroup, GroupPurpose, GroupState
from office.contacts import Channel, Contact, ContactState
from office.robots import GroupRobot
from office.units import Unit, contains

MOVED_WITHIN: Final = timedelta(days=7)
"""So long a group with a new number is worth a look before something is sent there."""


class GroupHealth(StrEnum):
    """How a group stands: gone, may not speak there, asked to be silent, robot refused, new number, well."""

    LOST = auto()
    RESTRICTED = auto()
    SILENT = auto()
    STOPPED = auto()
    MOVED = auto()
    WELL = auto()


REACHED: Final = frozenset({GroupHealth.WELL, GroupHealth.MOVED})
"""Those that get the message; into the others it is not sent, or it waits until somebody has mended them."""


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """A group with its own unit and how it stands."""

    group: ChatGroup
    contact: Contact
    unit: Unit
    health: GroupHealth

    @property
    def channel(self) -> Channel:
        return self.contact.channel

    @property
    def reached(self) -> bool:
        """Whether the message would arrive there now."""
        return self.health in REACHED


@dataclass(frozen=True, slots=True)
class Target:
    """A unit that is addressed, with its groups: its own and those of units below that are not addressed."""

    unit: Unit
    groups: tuple[TargetGroup, ...]

    @property
    def reached(self) -> bool:
        """Whether the message would arrive in any group of the unit."""
        return any(group.reached for group in self.groups)


@dataclass(frozen=True, slots=True)
class Targets:
    """What a preview shows before anything is sent."""

    units: tuple[Target, ...]

    @property
    def groups(self) -> tuple[TargetGroup, ...]:
        """Every group once."""
        return tuple(group for target in self.units for group in target.groups)

    @property
    def reached(self) -> int:
        """In how many groups the message would arrive."""
        return sum(group.reached for group in self.groups)

    @property
    def troubled(self) -> tuple[TargetGroup, ...]:
        """Groups to look at first: lost, restricted, silent, stopped, moved lately."""
        return tuple(group for group in self.groups if group.health is not GroupHealth.WELL)

    @property
    def without_group(self) -> tuple[Unit, ...]:
        """Units that have no group at all: they learn of it by telephone or on the web page."""
        return tuple(target.unit for target in self.units if not target.groups)

    @property
    def unreached(self) -> tuple[Unit, ...]:
        """Units that the message would not reach, with no group or none in order."""
        return tuple(target.unit for target in self.units if not target.reached)

    @property
    def by_channel(self) -> Mapping[Channel, int]:
        """How many groups there are on each channel."""
        return Counter(group.channel for group in self.groups)

    @property
    def by_health(self) -> Mapping[GroupHealth, int]:
        """How many groups stand how."""
        return Counter(group.health for group in self.groups)


async def preview(session: AsyncSession, unit_ids: Collection[int], *, now: datetime) -> Targets:
    """Which groups a tip to these units would go to, in the order of the tree.

    Only groups of staff that are bound, or were until we lost them: the helpdesk's own and those open to
    voters get no tips. A group belongs to the nearest unit above it that is addressed.
    """
    rows = (await session.scalars(select(Unit).where(Unit.id.in_(sorted(set(unit_ids)))))).all()
    units = sorted(rows, key=_in_tree)
    found: dict[int, list[TargetGroup]] = {unit.id: [] for unit in units}
    statement = (
        select(ChatGroup, Contact, Unit, GroupRobot)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .join(Unit, Unit.id == ChatGroup.unit_id)
        .outerjoin(GroupRobot, GroupRobot.group_id == ChatGroup.id)
        .where(ChatGroup.purpose == GroupPurpose.STAFF, ChatGroup.bound_at.is_not(None))
        .where(ChatGroup.state.in_((GroupState.BOUND, GroupState.LOST)))
        .order_by(ChatGroup.id)
    )
    for group, contact, unit, robot in await session.execute(statement):
        above = nearest(units, unit)
        if above is not None:
            health = _health(group, contact, robot, now)
            found[above.id].append(TargetGroup(group, contact, unit, health))
    return Targets(tuple(Target(unit, tuple(found[unit.id])) for unit in units))


async def reached(session: AsyncSession, unit_ids: Collection[int]) -> list[tuple[ChatGroup, Unit]]:
    """The groups that a tip to these units is laid out for, each with the unit whose receipt it may give.

    Those that are silent or may not speak are among them, their messages wait; lost ones are not.
    """
    statement = (
        select(ChatGroup, Unit)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .join(Unit, Unit.id == ChatGroup.unit_id)
        .where(ChatGroup.purpose == GroupPurpose.STAFF, ChatGroup.state == GroupState.BOUND)
        .where(Contact.state != ContactState.LOST)
        .order_by(ChatGroup.id)
    )
    units = (await session.scalars(select(Unit).where(Unit.id.in_(sorted(set(unit_ids)))))).all()
    rows = (await session.execute(statement)).all()
    found = ((group, nearest(units, unit)) for group, unit in rows)
    return [(group, unit) for group, unit in found if unit is not None]


def nearest(units: Sequence[Unit], place: Unit) -> Unit | None:
    """The one of these units that a place belongs to: itself, or the nearest above it."""
    above = [unit for unit in units if contains(unit.path, place.path)]
    return max(above, key=lambda unit: len(unit.path), default=None)


def _health(group: ChatGroup, contact: Contact, robot: GroupRobot | None, now: datetime) -> GroupHealth:
    if group.state is GroupState.LOST or contact.state is ContactState.LOST:
        return GroupHealth.LOST
    if robot is not None and robot.stopped_at is not None:
        return GroupHealth.STOPPED
    if group.restricted_at is not None:
        return GroupHealth.RESTRICTED
    if group.silent_since is not None or contact.state is ContactState.SILENCED:
        return GroupHealth.SILENT
    moved = group.moved_at is not None and now - group.moved_at < MOVED_WITHIN
    return GroupHealth.MOVED if moved else GroupHealth.WELL


def _in_tree(unit: Unit) -> list[int]:
    return [int(part) for part in unit.path.strip(".").split(".")]
