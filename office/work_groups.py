"""Functional groups (信息组, 登记组, and the district's own): what each answers, who is in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import yaml
from sqlalchemy import ForeignKey, String, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, staff, units
from office.errors import Conflict, Invalid, NotFound
from office.staff import Permission, Staff
from office.store import Base, insert_once

DATA: Final = Path(__file__).parent.parent / "data" / "work_groups.yaml"
LONGEST_NAME: Final = 20


class WorkGroup(Base):
    """A group with the topics that go to it; tickets and entries name it by its name."""

    __tablename__ = "work_group"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20), unique=True)
    topics: Mapped[list[str]]
    position: Mapped[int] = mapped_column(default=0)
    retired_at: Mapped[datetime | None]


class WorkGroupMember(Base):
    """Somebody in a group."""

    __tablename__ = "work_group_member"

    work_group_id: Mapped[int] = mapped_column(ForeignKey("work_group.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    since: Mapped[datetime]


async def install(session: AsyncSession, *, now: datetime) -> int:
    """Make the shipped groups if there is none yet; returns how many were made."""
    if await session.scalar(select(func.count()).select_from(WorkGroup)):
        return 0
    rows = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    for position, row in enumerate(rows):
        session.add(WorkGroup(name=row["name"], topics=list(row["topics"]), position=position))
    await session.flush()
    await audit.record(
        session, "work_group.install", "work_group:0", actor=audit.SYSTEM, now=now, groups=len(rows)
    )
    return len(rows)


async def listed(session: AsyncSession, *, retired: bool = False) -> Sequence[WorkGroup]:
    """The groups in their order; with `retired` those that are no more as well."""
    statement = select(WorkGroup).order_by(WorkGroup.position, WorkGroup.id)
    if not retired:
        statement = statement.where(WorkGroup.retired_at.is_(None))
    return (await session.scalars(statement)).all()


async def get(session: AsyncSession, group_id: int) -> WorkGroup:
    """The group with this row number; raises `NotFound`."""
    found = await session.get(WorkGroup, group_id)
    if found is None:
        raise NotFound("group_unknown")
    return found


async def named(session: AsyncSession, name: str) -> WorkGroup | None:
    """The group of this name, if it is one that still works."""
    statement = select(WorkGroup).where(WorkGroup.name == name, WorkGroup.retired_at.is_(None))
    return (await session.scalars(statement)).one_or_none()


async def group_of(session: AsyncSession, topic: str) -> str:
    """The name of the group that answers for a topic, or an empty text."""
    if not topic:
        return ""
    return next((group.name for group in await listed(session) if topic in group.topics), "")


async def members(session: AsyncSession, group: WorkGroup) -> Sequence[Staff]:
    """Who is in a group, in order of joining the office; people who have left are not counted."""
    rows = await session.scalars(
        select(Staff)
        .join(WorkGroupMember, WorkGroupMember.staff_id == Staff.id)
        .where(WorkGroupMember.work_group_id == group.id)
        .order_by(Staff.id)
    )
    return [person for person in rows if person.active]


async def members_of(session: AsyncSession, name: str) -> Sequence[Staff]:
    """Who is in the group of this name; nobody if there is none."""
    group = await named(session, name) if name else None
    return await members(session, group) if group else []


async def of_person(session: AsyncSession, person: Staff) -> Sequence[str]:
    """The names of the groups somebody is in."""
    rows = await session.scalars(
        select(WorkGroup.name)
        .join(WorkGroupMember, WorkGroupMember.work_group_id == WorkGroup.id)
        .where(WorkGroupMember.staff_id == person.id, WorkGroup.retired_at.is_(None))
        .order_by(WorkGroup.position)
    )
    return rows.all()


async def add_group(
    session: AsyncSession, name: str, topics: Collection[str], *, actor: Staff, now: datetime
) -> WorkGroup:
    """Make a group of the district's own; raises `Conflict("group_exists")` for a name that is taken."""
    await _manage(session, actor)
    name = await _free(session, name)
    last = await session.scalar(select(func.max(WorkGroup.position)))
    group = WorkGroup(name=name, topics=sorted(set(topics)), position=(last or 0) + 1)
    session.add(group)
    await session.flush()
    await _noted(session, "make", group, actor, now)
    return group


async def change(
    session: AsyncSession,
    group: WorkGroup,
    name: str,
    topics: Collection[str],
    *,
    actor: Staff,
    now: datetime,
) -> None:
    """Give a group another name and other topics. Open tickets keep the old name as they were written.

    A topic goes to one group only: it is taken from the one that had it.
    """
    await _manage(session, actor)
    if name.strip() != group.name:
        group.name = await _free(session, name)
    for other in await listed(session):
        if other.id != group.id and set(other.topics) & set(topics):
            other.topics = [topic for topic in other.topics if topic not in set(topics)]
    group.topics = sorted(set(topics))
    await session.flush()
    await _noted(session, "change", group, actor, now)


async def retire(session: AsyncSession, group: WorkGroup, *, actor: Staff, now: datetime) -> None:
    """End a group: nothing goes to it any more, what went to it keeps its name."""
    await _manage(session, actor)
    if group.retired_at is not None:
        raise Conflict("stale_card")
    group.retired_at = now
    await session.flush()
    await _noted(session, "retire", group, actor, now)


async def add(session: AsyncSession, group: WorkGroup, person: Staff, *, actor: Staff, now: datetime) -> bool:
    """Put somebody into a group; returns whether they are new there."""
    await _manage(session, actor, person)
    if not person.active or group.retired_at is not None:
        raise Invalid("group_member_unfit")
    row = {"work_group_id": group.id, "staff_id": person.id, "since": now}
    if not await insert_once(session, WorkGroupMember, row, unique=("work_group_id", "staff_id")):
        return False
    await _noted(session, "add", group, actor, now, person=person.id)
    return True


async def remove(
    session: AsyncSession, group: WorkGroup, person: Staff, *, actor: Staff, now: datetime
) -> None:
    """Take somebody out of a group."""
    await _manage(session, actor, person)
    await session.execute(
        delete(WorkGroupMember).where(
            WorkGroupMember.work_group_id == group.id, WorkGroupMember.staff_id == person.id
        )
    )
    await _noted(session, "remove", group, actor, now, person=person.id)


async def _manage(session: AsyncSession, actor: Staff, person: Staff | None = None) -> None:
    # Groups are the whole district's: who manages them reaches the office itself.
    unit = await units.get(session, person.unit_id) if person else await units.election_office(session)
    await staff.must(session, actor, Permission.MANAGE_STAFF, unit.path)


async def _free(session: AsyncSession, name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise Invalid("group_name", most=LONGEST_NAME)
    taken = await session.scalar(select(WorkGroup.id).where(WorkGroup.name == name))
    if taken is not None:
        raise Conflict("group_exists")
    return name


async def _noted(
    session: AsyncSession, act: str, group: WorkGroup, actor: Staff, now: datetime, **facts: int
) -> None:
    await audit.record(
        session, f"work_group.{act}", f"work_group:{group.id}", actor=actor.as_actor(), now=now, **facts
    )
