"""Who is on duty, who is next, and who gets a ticket: by group, presence and load."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import elections
from office import audit, shifts, staff, units, worktime
from office.errors import Conflict, NotFound
from office.hours import OfficeHours, beijing_day, moment
from office.shifts import DutyShift
from office.staff import Permission, Staff
from office.store import ring_after_commit
from office.timetable import Span
from office.units import Unit, contains
from office.work_groups import WorkGroup, WorkGroupMember
from ticketing import roster_checks
from ticketing.records import OPEN_STATES, QUEUE_TOPIC, Ticket
from ticketing.roster_checks import Gap

EARLIEST = timedelta(minutes=30)
"""So long before a shift its officer may sign in."""


async def covering(session: AsyncSession, unit: Unit, *, now: datetime) -> list[DutyShift]:
    """The shifts in force that cover this moment, of the unit's own roster and of those above it."""
    return await shifts.present(session, now, _above(unit))


async def on_now(session: AsyncSession, unit: Unit, *, now: datetime) -> list[DutyShift]:
    """The shifts of `covering` that somebody still stands for: one ends early when its officer signs out."""
    return [shift for shift in await covering(session, unit, now=now) if shift.signed_out_at is None]


async def next_shift(session: AsyncSession, unit: Unit, *, now: datetime) -> DutyShift | None:
    """The shift that begins next after this moment, of the unit's roster or one above it; None for none."""
    rows = await session.scalars(
        select(DutyShift)
        .where(DutyShift.unit_id.in_(_above(unit)), DutyShift.withdrawn_at.is_(None))
        .where(DutyShift.day >= beijing_day(now))
        .order_by(DutyShift.day, DutyShift.opens, DutyShift.id)
        # A day has few shifts: what is over of today is passed by, and the next one stands right behind.
        .limit(60)
    )
    return next((shift for shift in rows if moment(shift.day, shift.span.opens) > now), None)


async def choose(session: AsyncSession, ticket: Ticket, *, now: datetime) -> Staff | None:
    """Who should get this ticket: on duty now, of its group, in reach, with the fewest open tickets.

    Whoever signed in to the shift comes before a main officer (主班) who did not, and a standby (备班) last;
    nobody after signing out. A group that nobody belongs to does not narrow the choice. None when nobody
    fits: a leader then assigns.
    """
    unit = await units.get(session, ticket.unit_id)
    ranks = _ranks(await on_now(session, unit, now=now))
    if not ranks:
        return None
    members = await _members(session, ticket.group)
    people = await session.scalars(select(Staff).where(Staff.id.in_(ranks)))
    fit = [
        person
        for person in people.all()
        if staff.may(person, Permission.WORK_TICKETS)
        and (members is None or person.id in members)
        and contains(await staff.reach(session, person), unit.path)
    ]
    if not fit:
        return None
    load = await open_of(session, {person.id for person in fit})
    return min(fit, key=lambda person: (ranks[person.id], load.get(person.id, 0), person.id))


async def open_of(session: AsyncSession, staff_ids: set[int]) -> dict[int, int]:
    """How many open tickets each of these people holds; who holds none is left out."""
    rows = await session.execute(
        select(Ticket.assignee_id, func.count())
        .where(Ticket.assignee_id.in_(staff_ids), Ticket.state.in_(OPEN_STATES))
        .group_by(Ticket.assignee_id)
    )
    return {person: count for person, count in rows if person is not None}


def _above(unit: Unit) -> list[int]:
    return [int(part) for part in unit.path.strip(".").split(".")]


def _ranks(on: list[DutyShift]) -> dict[int, int]:
    """People of these shifts with their rank: 0 signed in, 1 main, 2 standby; the best of each."""
    found: dict[int, int] = {}
    for shift in on:
        for person, rank in ((shift.signed_in_by_id, 0), (shift.officer_id, 1), (shift.standby_id, 2)):
            if person is not None:
                found[person] = min(rank, found.get(person, rank))
    return found


async def _members(session: AsyncSession, group: str) -> set[int] | None:
    if not group:
        return None
    rows = await session.scalars(
        select(WorkGroupMember.staff_id)
        .join(WorkGroup, WorkGroup.id == WorkGroupMember.work_group_id)
        .where(WorkGroup.name == group, WorkGroup.retired_at.is_(None))
    )
    return set(rows.all()) or None


async def get(session: AsyncSession, shift_id: int) -> DutyShift:
    """The shift with this row number, in force or not; raises `NotFound`."""
    shift = await session.scalar(select(DutyShift).where(DutyShift.id == shift_id))
    if shift is None:
        raise NotFound("duty.unknown")
    return shift


async def seen_by(session: AsyncSession, person: Staff, shift_id: int) -> DutyShift:
    """A shift that this person may see: of a unit in their reach or above it. Raises `NotFound`."""
    await staff.must(session, person, Permission.SEE_ROSTER)
    shift = await get(session, shift_id)
    unit, home = await units.get(session, shift.unit_id), await units.get(session, person.unit_id)
    if not (contains(home.path, unit.path) or contains(unit.path, home.path)):
        raise NotFound("duty.unknown")
    return shift


async def of_person(
    session: AsyncSession, person: Staff, *, now: datetime, limit: int = 20
) -> list[DutyShift]:
    """A person's own shifts in force that are not over, the next one first."""
    rows = await session.scalars(
        select(DutyShift)
        .where(DutyShift.withdrawn_at.is_(None), DutyShift.day >= beijing_day(now))
        .where((DutyShift.officer_id == person.id) | (DutyShift.standby_id == person.id))
        .order_by(DutyShift.day, DutyShift.opens, DutyShift.id)
        .limit(limit)
    )
    return [shift for shift in rows.all() if moment(shift.day, shift.span.closes) > now]


async def sign_in(session: AsyncSession, shift: DutyShift, *, actor: Staff, now: datetime) -> None:
    """The officer of a shift, or its standby stepping in, is there (签到); at most half an hour before it.

    Raises `Conflict("duty.not_yours")`, `Conflict("duty.signed_in")` with who was faster, and
    `Conflict("duty.not_now")` before and after the shift.
    """
    await _own(session, shift, actor)
    if shift.signed_in_at is not None:
        who = await staff.get(session, shift.signed_in_by_id or shift.officer_id)
        raise Conflict("duty.signed_in", who=who.masked_name, at=shift.signed_in_at)
    opens, closes = moment(shift.day, shift.span.opens), moment(shift.day, shift.span.closes)
    if not opens - EARLIEST <= now < closes:
        raise Conflict("duty.not_now")
    shift.signed_in_at, shift.signed_in_by_id = now, actor.id
    await _noted(session, shift, "sign_in", actor, now)


async def sign_out(session: AsyncSession, shift: DutyShift, *, actor: Staff, now: datetime) -> None:
    """Whoever signed in leaves (签退): no ticket is given to them any more.

    Raises `Conflict("duty.not_yours")` for anybody else, `Conflict("duty.not_signed_in")`.
    """
    await _own(session, shift, actor)
    if shift.signed_in_at is None or shift.signed_out_at is not None:
        raise Conflict("duty.not_signed_in")
    if shift.signed_in_by_id != actor.id:
        raise Conflict("duty.not_yours")
    shift.signed_out_at = now
    await _noted(session, shift, "sign_out", actor, now)


async def gaps(session: AsyncSession, unit: Unit, first: date, last: date, *, now: datetime) -> list[Gap]:
    """The promised hours from `first` to `last` in which nobody of the unit's roster is on duty."""
    rows = await session.scalars(
        select(DutyShift)
        .where(DutyShift.unit_id == unit.id, DutyShift.withdrawn_at.is_(None))
        .where(DutyShift.day.between(first, last))
    )
    on: dict[date, list[Span]] = {}
    for shift in rows.all():
        on.setdefault(shift.day, []).append(shift.span)
    plain = OfficeHours.of(await worktime.in_force(session, now=now))
    election = await elections.in_force(session, beijing_day(now))
    return list(roster_checks.gaps(plain, on, roster_checks.promised_days(election, first, last)))


async def _own(session: AsyncSession, shift: DutyShift, actor: Staff) -> None:
    await staff.must(session, actor, Permission.WORK_TICKETS)
    await session.refresh(shift, with_for_update=True)
    if shift.withdrawn_at is not None:
        raise Conflict("stale_card")
    if actor.id not in (shift.officer_id, shift.standby_id):
        raise Conflict("duty.not_yours")


async def _noted(session: AsyncSession, shift: DutyShift, act: str, actor: Staff, now: datetime) -> None:
    await audit.record(
        session, f"duty_shift.{act}", f"duty_shift:{shift.id}", actor=actor.as_actor(), now=now
    )
    ring_after_commit(session, QUEUE_TOPIC)
