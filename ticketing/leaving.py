"""Somebody leaves or is stopped (停用, 冻结): in one act the account, sign-ins, chats, tickets and shifts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from office import bindings, notices, signin, staff, units
from office.hours import beijing_day
from office.shifts import DutyShift
from office.staff import Staff
from ticketing import assigning, leading, swaps


@dataclass(frozen=True, slots=True)
class Left:
    """What had to be taken from somebody's hands: tickets, chats, and shifts that need another person."""

    tickets: int
    chats: int
    shifts: int


async def suspend(session: AsyncSession, person: Staff, *, actor: Staff, now: datetime) -> Left:
    """Stop an account at once, pending a check; effective at its next request or message."""
    return await _leave(session, person, staff.suspend, "staff_suspended", actor=actor, now=now)


async def deactivate(session: AsyncSession, person: Staff, *, actor: Staff, now: datetime) -> Left:
    """The person has left: no more access anywhere; the name stays in the audit."""
    return await _leave(session, person, staff.deactivate, "staff_left", actor=actor, now=now)


async def _leave(
    session: AsyncSession,
    person: Staff,
    stop: Callable[..., Awaitable[None]],
    notice: str,
    *,
    actor: Staff,
    now: datetime,
) -> Left:
    await stop(session, person, actor=actor, now=now)
    await signin.end_all(session, person, now=now)
    tickets = await assigning.requeue(session, person, actor=actor, now=now)
    chats = await bindings.end_all(session, person, actor=actor, now=now)
    await swaps.of_leaver(session, person, now=now)
    own = or_(
        DutyShift.officer_id == person.id, DutyShift.standby_id == person.id, DutyShift.leader_id == person.id
    )
    shifts = await session.scalar(
        select(func.count())
        .select_from(DutyShift)
        .where(own, DutyShift.withdrawn_at.is_(None), DutyShift.day >= beijing_day(now))
    )
    left = Left(tickets, chats, shifts or 0)
    unit = await units.get(session, person.unit_id)
    facts = {"who": person.masked_name, "tickets": left.tickets, "shifts": left.shifts}
    for leader in await leading.leaders(session, unit, now=now):
        if leader.id not in (person.id, actor.id):
            await notices.tell(
                session, leader.id, notice, facts, key=f"{notice}:{person.id}:{int(now.timestamp())}",
                subject=f"staff:{person.id}", now=now,
            )  # fmt: skip
    return left
