"""More people than the cast, their shifts and groups, and what the desk has told them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import contacts, notices
from office.contacts import Channel, Contact
from office.hours import beijing_day
from office.rosters import Roster, RosterState
from office.shifts import DutyShift, ShiftName
from office.staff import Role, Staff
from office.store import Store
from office.units import Unit
from office.work_groups import WorkGroup, WorkGroupMember
from tests.make import Cast
from ticketing import tickets
from ticketing.records import Ticket

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def person(
    store: Store, unit: Unit, now: datetime, name: str = "陈静", *roles: Role, **more: Any
) -> Staff:
    """Another member of staff, a duty officer if nothing else is said."""
    async with store.transaction() as session:
        found = Staff(
            name=name,
            unit_id=unit.id,
            roles=[role.value for role in roles or (Role.DUTY_OFFICER,)],
            created_at=now - 30 * DAY,
            **more,
        )
        session.add(found)
    return found


async def another_asker(store: Store, now: datetime, address: str = "5002", **more: Any) -> Contact:
    """Somebody else who asks on Telegram."""
    async with store.transaction() as session:
        return await contacts.seen(session, Channel.TELEGRAM, address, now=now, **more)


async def on_duty(
    store: Store,
    cast: Cast,
    now: datetime,
    officer: Staff,
    *,
    opens: str = "8:30",
    closes: str = "17:30",
    signed_in: bool = True,
    **more: Any,
) -> DutyShift:
    """A shift of the district's roster on the day of `now`, and a published roster to which it belongs."""
    async with store.transaction() as session:
        roster = Roster(
            state=RosterState.PUBLISHED,
            unit_id=cast.district.id,
            rows=[],
            findings=[],
            prepared_by_id=cast.zhou_ning.id,
            prepared_at=now,
        )
        session.add(roster)
        await session.flush()
        shift = DutyShift(
            roster_id=roster.id,
            unit_id=cast.district.id,
            day=beijing_day(now),
            name=ShiftName.WHOLE_DAY,
            opens=opens,
            closes=closes,
            officer_id=officer.id,
            signed_in_at=now if signed_in else None,
            **more,
        )
        session.add(shift)
    return shift


async def a_group(store: Store, now: datetime, name: str, topics: list[str], *members: Staff) -> WorkGroup:
    """A functional group with its members."""
    async with store.transaction() as session:
        group = WorkGroup(name=name, topics=topics)
        session.add(group)
        await session.flush()
        for member in members:
            session.add(WorkGroupMember(work_group_id=group.id, staff_id=member.id, since=now))
    return group


async def told(store: Store, member: Staff) -> list[str]:
    """The kinds of notices somebody got, oldest first."""
    async with store.reading() as session:
        return [notice.kind for notice in reversed(await notices.listed(session, member.id))]


async def act(store: Store, ticket: Ticket, do: Callable[[AsyncSession, Ticket], Awaitable[Any]]) -> Ticket:
    """Carry out one act on a ticket in a transaction of its own; returns the ticket as it stands then."""
    async with store.transaction() as session:
        found = (await session.scalars(select(Ticket).where(Ticket.id == ticket.id))).one()
        await do(session, found)
    async with store.reading() as session:
        return await tickets.get(session, ticket.id)
