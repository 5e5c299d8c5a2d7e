"""The end of a day: what becomes of each open ticket at 17:30, and how the day stood at 24:00."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, String, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, notices, staff, units
from office.errors import Conflict, Invalid, NotPermitted
from office.hours import OfficeHours, beijing_day, moment
from office.shifts import DutyShift
from office.staff import Permission, Staff, must
from office.store import Base, insert_once, ring_after_commit, word
from office.timetable import DAY
from office.units import Unit, contains
from ticketing import clocks, day_figures, leading
from ticketing.moving import reason_given
from ticketing.records import OPEN_STATES, QUEUE_TOPIC, Ticket

MOST_AT_ONCE = 200
MOST_DAYS_BACK = 31
"""So many days are closed after a stop; what lies further back has no snapshot."""
PAGE = 200


class DispositionKind(StrEnum):
    """What becomes of an open ticket at the end of a day: 延至明日, 转值班, 已电话."""

    TOMORROW = auto()
    TO_DUTY = auto()
    PHONED = auto()


class Disposition(Base):
    """One ticket's disposition on one day; the last one given counts."""

    __tablename__ = "disposition"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[DispositionKind] = mapped_column(word(DispositionKind))
    reason: Mapped[str] = mapped_column(String(300), default="")
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]


class DayEnd(Base):
    """How a day stood at its 24:00, Beijing time; `figures` are counts, derived from rows at that moment."""

    __tablename__ = "day_end"

    day: Mapped[date] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    figures: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]


def ends_at(day: date, hours: OfficeHours) -> datetime:
    """When a day's dispositions are due: at 17:30, or at its last closing if that is earlier."""
    spans = hours.spans_on(day)
    last = max((span.closes for span in spans), default=clocks.DAY_END)
    return moment(day, min(last, clocks.DAY_END))


async def dispose(
    session: AsyncSession,
    ticket_ids: Collection[int],
    kind: DispositionKind,
    reason: str = "",
    *,
    actor: Staff,
    now: datetime,
) -> int:
    """Say for open tickets what becomes of them today; the same for all of them. Returns how many.

    延至明日 needs a reason, 转值班 somebody on duty later today, 已电话 a phone on each ticket. Tickets that
    are not open are passed over. Raises `Invalid("reason_needed")`, `Invalid("day_end.nothing_chosen")`,
    `Conflict("day_end.nobody_on")`, `Conflict("day_end.no_phone")` with the numbers of those without a
    phone, and `NotPermitted` for one out of reach.
    """
    await must(session, actor, Permission.WORK_TICKETS)
    chosen = sorted(set(ticket_ids))[: MOST_AT_ONCE + 1]
    if not chosen:
        raise Invalid("day_end.nothing_chosen")
    if len(chosen) > MOST_AT_ONCE:
        raise Invalid("day_end.too_many", most=MOST_AT_ONCE)
    words = ""
    if reason.strip() or kind is DispositionKind.TOMORROW:
        words = await reason_given(session, reason)
    today, reach = beijing_day(now), await staff.reach(session, actor)
    rows = await session.execute(
        select(Ticket, Unit)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(Ticket.id.in_(chosen))
        .order_by(Ticket.id)
        .with_for_update(of=Ticket)
    )
    found = [(ticket, unit) for ticket, unit in rows]
    if any(not contains(reach, unit.path) for _, unit in found):
        raise NotPermitted("not_permitted")
    if kind is DispositionKind.TO_DUTY and not await somebody_later(session, now):
        raise Conflict("day_end.nobody_on")
    still_open = [ticket for ticket, _ in found if ticket.state in OPEN_STATES]
    phoneless = [ticket.ticket_no for ticket in still_open if ticket.phone is None]
    if kind is DispositionKind.PHONED and phoneless:
        raise Conflict("day_end.no_phone", nos="、".join(phoneless))
    done = 0
    for ticket in still_open:
        values = {"kind": kind, "reason": words, "staff_id": actor.id, "at": now}
        key = {"ticket_id": ticket.id, "day": today}
        if not await insert_once(session, Disposition, {**key, **values}, unique=tuple(key)):
            there = await session.get_one(Disposition, (ticket.id, today), with_for_update=True)
            there.kind, there.reason, there.staff_id, there.at = kind, words, actor.id, now
        await audit.record(
            session, "ticket.dispose", f"ticket:{ticket.id}", actor=actor.as_actor(), now=now,
            kind=kind.value, day=today.isoformat(),
        )  # fmt: skip
        done += 1
    ring_after_commit(session, QUEUE_TOPIC)
    return done


async def open_today(
    session: AsyncSession, person: Staff, *, now: datetime, limit: int = PAGE
) -> list[tuple[Ticket, Unit, Disposition | None]]:
    """The open tickets in the person's reach with what was said of them today; those without come first."""
    await must(session, person, Permission.SEE_TICKETS)
    today = beijing_day(now)
    rows = await session.execute(
        select(Ticket, Unit, Disposition)
        .join(Unit, Unit.id == Ticket.unit_id)
        .outerjoin(Disposition, and_(Disposition.ticket_id == Ticket.id, Disposition.day == today))
        .where(Unit.path.startswith(await staff.reach(session, person)), Ticket.state.in_(OPEN_STATES))
        .order_by(Disposition.ticket_id.is_not(None), Ticket.due_at, Ticket.id)
        .limit(limit)
    )
    return [(ticket, unit, said) for ticket, unit, said in rows]


async def missing(session: AsyncSession, within: str, hours: OfficeHours, *, now: datetime) -> int:
    """How many tickets under this path were open when the day's work ended and have no disposition."""
    today = beijing_day(now)
    found = await session.scalar(
        select(func.count())
        .select_from(Ticket)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(Unit.path.startswith(within), *_without(today, ends_at(today, hours)))
    )
    return found or 0


async def holders_without(
    session: AsyncSession, within: str, hours: OfficeHours, *, now: datetime
) -> dict[int | None, int]:
    """Who holds how many tickets without a disposition; None for those in nobody's hands."""
    today = beijing_day(now)
    rows = await session.execute(
        select(Ticket.assignee_id, func.count())
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(Unit.path.startswith(within), *_without(today, ends_at(today, hours)))
        .group_by(Ticket.assignee_id)
    )
    return {row[0]: row[1] for row in rows}


async def remind(session: AsyncSession, hours: OfficeHours, now: datetime) -> int:
    """From 17:30 on tell officers on duty, holders and leaders once of tickets without a disposition.

    Returns how many people were told anew. On days without duty nobody is.
    """
    today = beijing_day(now)
    if not hours.is_duty_day(today) or now < ends_at(today, hours):
        return 0
    office = await units.election_office(session)
    held = await holders_without(session, office.path, hours, now=now)
    if not held:
        return 0
    rows = await session.scalars(
        select(DutyShift).where(
            DutyShift.unit_id == office.id, DutyShift.withdrawn_at.is_(None), DutyShift.day == today
        )
    )
    on = {
        shift.officer_id for shift in rows.all() if moment(today, shift.span.closes) >= ends_at(today, hours)
    }
    leaders = {person.id for person in await leading.leaders(session, office, now=now)}
    facts, told = {"n": sum(held.values())}, 0
    for person in sorted(on | leaders | {holder for holder in held if holder is not None}):
        told += await notices.tell(
            session, person, "day_end", facts, key=f"day_end:{today.isoformat()}", subject="day_end", now=now
        )
    return told


async def close_day(session: AsyncSession, hours: OfficeHours, now: datetime) -> int:
    """Write down how each day before this one stood at its 24:00, for each unit; returns how many rows.

    Each day once; after a stop the days between are made up for, a month back at most.
    """
    today = beijing_day(now)
    office = await units.election_office(session)
    last = await session.scalar(
        select(func.max(DayEnd.day)).where(DayEnd.unit_id == office.id, DayEnd.day < today)
    )
    first = await session.scalar(select(func.min(Ticket.business_day)))
    if first is None:
        return 0
    begin = max(last + DAY if last else first, today - MOST_DAYS_BACK * DAY)
    under = await session.scalars(select(Unit.id).where(Unit.path.startswith(office.path)))
    ids, made = sorted(under.all()), 0
    for ahead in range((today - begin).days):
        day = begin + ahead * DAY
        found = await day_figures.at_end(session, day, hours, _without(day, ends_at(day, hours)))
        for unit_id in ids:
            row = {
                "day": day, "unit_id": unit_id, "made_at": now,
                "figures": found.get(unit_id, day_figures.nothing(day, hours)),
            }  # fmt: skip
            made += await insert_once(session, DayEnd, row, unique=("day", "unit_id"))
    return made


async def past(
    session: AsyncSession, person: Staff, *, limit: int = 31
) -> Sequence[tuple[date, dict[str, Any]]]:
    """The days that are over, newest first, with the figures of the person's reach added up."""
    await must(session, person, Permission.SEE_TICKETS)
    newest = await session.scalar(select(func.max(DayEnd.day)))
    if newest is None:
        return []
    rows = await session.execute(
        select(DayEnd.day, DayEnd.figures)
        .join(Unit, Unit.id == DayEnd.unit_id)
        .where(Unit.path.startswith(await staff.reach(session, person)))
        .where(DayEnd.day > newest - timedelta(days=limit))
        .order_by(DayEnd.day.desc())
    )
    days: dict[date, dict[str, Any]] = {}
    for day, figures in rows:
        days[day] = day_figures.added(days[day], figures) if day in days else figures
    return list(days.items())


def _without(day: date, by: datetime) -> tuple[Any, ...]:
    said = exists().where(Disposition.ticket_id == Ticket.id, Disposition.day == day)
    return Ticket.state.in_(OPEN_STATES), Ticket.accepted_at <= by, ~said


async def somebody_later(session: AsyncSession, now: datetime) -> bool:
    """Whether a shift of today lasts beyond this moment."""
    rows = await session.scalars(
        select(DutyShift).where(DutyShift.day == beijing_day(now), DutyShift.withdrawn_at.is_(None))
    )
    return any(moment(shift.day, shift.span.closes) > now for shift in rows.all())
