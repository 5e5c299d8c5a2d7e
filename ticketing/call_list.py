"""The call-back list as it is read: who is to be called, what was tried, and how many wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from office.errors import NotFound
from office.staff import Permission, Staff, may, reach
from office.units import Unit
from ticketing.call_backs import TO_CALL, CallBack, CallBackState, CallTry, in_reach
from ticketing.records import Ticket

PAGE = 50


async def listed(
    session: AsyncSession,
    person: Staff,
    *,
    states: Sequence[CallBackState] = (CallBackState.DUE,),
    to_ask: bool = False,
    page: int = 1,
    limit: int = PAGE,
) -> tuple[list[tuple[CallBack, Unit]], int]:
    """One page of the calls within the person's reach, who is due first on top, and how many there are.

    Of those that are due, who left no phone is left out: `to_ask` gives them instead.
    """
    statement = await in_reach(session, person)
    statement = statement.where(CallBack.state.in_(states))
    if CallBackState.DUE in states:
        statement = statement.where(~TO_CALL if to_ask else TO_CALL)
    total = await session.scalar(select(func.count()).select_from(statement.subquery()))
    last = CallBack.done_at.desc() if CallBackState.DUE not in states else CallBack.due_at
    rows = await session.execute(
        statement.order_by(last, CallBack.id).limit(limit).offset((max(page, 1) - 1) * limit)
    )
    return [(call, unit) for call, unit in rows], total or 0


async def count_due(session: AsyncSession, person: Staff, *, now: datetime) -> int:
    """How many people in the person's reach are to be called by now; none for who does not call."""
    if not may(person, Permission.WORK_TICKETS):
        return 0
    statement = select(func.count()).select_from(CallBack).join(Unit, Unit.id == CallBack.unit_id)
    statement = statement.where(CallBack.state == CallBackState.DUE, TO_CALL, CallBack.due_at <= now)
    return await session.scalar(statement.where(Unit.path.startswith(await reach(session, person)))) or 0


async def seen_by(session: AsyncSession, person: Staff, call_id: int) -> tuple[CallBack, Unit]:
    """A call for a page; raises `NotFound` outside the person's reach, as if it were not there."""
    row = (
        await session.execute((await in_reach(session, person)).where(CallBack.id == call_id))
    ).one_or_none()
    if row is None:
        raise NotFound("call_unknown")
    return row[0], row[1]


async def of_ticket(session: AsyncSession, ticket_ids: Sequence[int]) -> list[CallBack]:
    """The calls about these tickets, oldest first."""
    found = select(CallBack).where(CallBack.ticket_id.in_(ticket_ids)).order_by(CallBack.id)
    return list((await session.scalars(found)).all())


async def tries_of(session: AsyncSession, call_ids: Sequence[int]) -> list[CallTry]:
    """The tries of these calls, oldest first."""
    found = select(CallTry).where(CallTry.call_back_id.in_(call_ids)).order_by(CallTry.id)
    return list((await session.scalars(found)).all())


async def ticket_numbers(session: AsyncSession, calls: Sequence[CallBack]) -> dict[int, str]:
    """The numbers of the tickets that these calls are about, by row number."""
    ids = {call.ticket_id for call in calls if call.ticket_id is not None}
    rows = await session.execute(select(Ticket.id, Ticket.ticket_no).where(Ticket.id.in_(ids)))
    return {row.id: row.ticket_no for row in rows}
