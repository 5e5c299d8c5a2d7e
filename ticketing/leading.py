"""Who leads the desk: the leader of the shift that is on, and whoever reviews (helpdesk roles, 带班领导)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import shifts, staff, units
from office.errors import NotPermitted
from office.staff import Permission, Role, Staff
from office.units import Unit, contains
from ticketing.records import Ticket


async def leads(session: AsyncSession, person: Staff, unit: Unit, *, now: datetime) -> bool:
    """Whether this person decides as leader on matters of this unit at this moment.

    A reviewer always does within their reach; an officer while the roster names them as leader of a shift
    that is on, for the unit of the roster and what lies under it.
    """
    if not staff.may(person, Permission.WORK_TICKETS):
        return False
    if not contains(await staff.reach(session, person), unit.path):
        return False
    if Role.REVIEWER in person.roles:
        return True
    own = [shift for shift in await shifts.present(session, now) if shift.leader_id == person.id]
    return any([contains((await units.get(session, shift.unit_id)).path, unit.path) for shift in own])


async def must_lead(session: AsyncSession, person: Staff, ticket: Ticket, *, now: datetime) -> None:
    """Raise `NotPermitted("leader_needed")` unless the person leads for this ticket's unit now."""
    if not await leads(session, person, await units.get(session, ticket.unit_id), now=now):
        raise NotPermitted("leader_needed")


async def leaders(
    session: AsyncSession, unit: Unit, *, now: datetime, but: Staff | None = None
) -> list[Staff]:
    """Who is to be told what a leader must know: the leaders on shift, else all reviewers.

    `but` is left out: what they ask for themselves, somebody else decides.
    """
    asking = but.id if but else None
    on = {
        shift.leader_id
        for shift in await shifts.present(session, now)
        if shift.leader_id not in (None, asking)
        and contains((await units.get(session, shift.unit_id)).path, unit.path)
    }
    if on:
        rows = await session.scalars(select(Staff).where(Staff.id.in_(on)).order_by(Staff.id))
        found = [person for person in rows if person.active]
        if found:
            return found
    everyone = select(Staff, Unit).join(Unit, Unit.id == Staff.unit_id).order_by(Staff.id)
    everybody = await session.execute(everyone)
    return [
        person
        for person, home in everybody
        if person.active
        and person.id != asking
        and Role.REVIEWER in person.roles
        and contains(home.path, unit.path)
    ]
