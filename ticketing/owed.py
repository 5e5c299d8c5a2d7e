"""What is owed at one moment: a snapshot in numbers, who holds what, and what nobody present answers for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from office.staff import Staff
from office.units import Unit
from ticketing import clocks, duty
from ticketing.call_backs import TO_CALL, CallBack, CallBackState
from ticketing.clusters import Cluster, ClusterState
from ticketing.records import OPEN_STATES, Ticket, TicketState

S = TicketState
MOST_KEPT = 2000
"""So many numbers of tickets a snapshot keeps of each kind; the counts are whole."""
COUNTED = ("open", "overdue", "due_today", "on_hold", "call_backs", "clusters")


async def orphans(
    session: AsyncSession, unit: Unit, *, beside: Staff, now: datetime, locked: bool = False
) -> list[Ticket]:
    """Open tickets that are in the hands of nobody present.

    Held by somebody who was stopped or has left; or given to somebody, not accepted yet, who is not on duty
    now and is not `beside`. Where no shift is on nobody can be told to be absent.
    """
    on = await duty.covering(session, unit, now=now)
    present = {beside.id}
    for shift in on:
        if shift.signed_out_at is None:
            present |= {shift.officer_id, shift.standby_id or 0, shift.leader_id or 0}
    gone = or_(Staff.suspended_at.is_not(None), Staff.deactivated_at.is_not(None))
    absent = and_(Ticket.state == S.ASSIGNED, Ticket.assignee_id.not_in(present))
    statement = (
        select(Ticket)
        .join(Unit, Unit.id == Ticket.unit_id)
        .join(Staff, Staff.id == Ticket.assignee_id)
        .where(Unit.path.startswith(unit.path), Ticket.state.in_(OPEN_STATES))
        .where(or_(gone, absent) if on else gone)
        .order_by(Ticket.id)
    )
    if locked:
        statement = statement.with_for_update(of=Ticket).execution_options(populate_existing=True)
    return list((await session.scalars(statement)).all())


async def held_by(session: AsyncSession, person: Staff, *, locked: bool = False) -> list[Ticket]:
    """What is open in a person's hands, most urgent first."""
    statement = (
        select(Ticket)
        .where(Ticket.assignee_id == person.id, Ticket.state.in_(OPEN_STATES))
        .order_by(Ticket.id if locked else Ticket.due_at)
    )
    if locked:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return list((await session.scalars(statement)).all())


async def snapshot(
    session: AsyncSession, unit: Unit, *, since: datetime | None, now: datetime
) -> dict[str, Any]:
    """What is owed at this moment in a unit and below: numbers of tickets, call-backs and new clusters.

    Clusters count as new since `since`, the last signed handover; without one, within a day. `counts` are
    whole, the lists hold no more than `MOST_KEPT`.
    """
    today = clocks.business_day(now)
    conditions: dict[str, tuple[ColumnElement[bool], ...]] = {
        "open": (Ticket.state.in_(OPEN_STATES),),
        "overdue": (Ticket.state.in_(OPEN_STATES), Ticket.due_at < now),
        "due_today": (Ticket.state.in_(OPEN_STATES), Ticket.due_day <= today, Ticket.due_at >= now),
        "on_hold": (Ticket.state == S.ON_HOLD,),
        "unassigned": (Ticket.state == S.UNASSIGNED,),
    }
    made: dict[str, Any] = {"counts": {}, "at": now.isoformat()}
    for name, wanted in conditions.items():
        where = (Unit.path.startswith(unit.path), *wanted)
        total = await session.scalar(select(func.count()).select_from(Ticket).join(Unit).where(*where))
        rows = await session.scalars(
            select(Ticket.id)
            .join(Unit, Unit.id == Ticket.unit_id)
            .where(*where)
            .order_by(Ticket.id)
            .limit(MOST_KEPT)
        )
        made["counts"][name], made[name] = total or 0, list(rows.all())
    calls = await session.scalars(
        select(CallBack.id)
        .join(Unit, Unit.id == CallBack.unit_id)
        .where(Unit.path.startswith(unit.path), CallBack.state == CallBackState.DUE, TO_CALL)
        .order_by(CallBack.id)
        .limit(MOST_KEPT)
    )
    fresh = await session.scalars(
        select(Cluster.id)
        .join(Unit, Unit.id == Cluster.unit_id)
        .where(Unit.path.startswith(unit.path), Cluster.state == ClusterState.OPEN)
        .where(Cluster.created_at > (since or now - timedelta(days=1)))
        .order_by(Cluster.id)
        .limit(MOST_KEPT)
    )
    for name, found in (("call_backs", list(calls.all())), ("clusters", list(fresh.all()))):
        made["counts"][name], made[name] = len(found), found
    return made


def compared(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What happened between two snapshots: finished, still open, new; and how late things are."""
    old, new = set(before["open"]), set(after["open"])
    late = set(after["overdue"]) - set(before["overdue"])
    return {
        "finished": sorted(old - new),
        "left": sorted(old & new),
        "new": sorted(new - old),
        "overdue": sorted(late),
        "called": len(set(before["call_backs"]) - set(after["call_backs"])),
        "at": after["at"],
    }
