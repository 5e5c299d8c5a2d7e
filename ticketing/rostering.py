"""A roster's way into force: prepared with what it would change, published by a second person."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import elections
from office import audit, notices, staff, units, worktime
from office.errors import Conflict, Invalid, NotFound
from office.hours import OfficeHours, beijing_day, moment
from office.rosters import Roster, RosterState
from office.shifts import DutyShift
from office.staff import Permission, Staff, must, second_person
from office.store import ring_after_commit
from office.timetable import Span
from office.units import Unit, contains
from ticketing import roster_checks, swaps
from ticketing.records import QUEUE_TOPIC
from ticketing.roster_checks import Difference, Gap, Share, Stint
from ticketing.roster_reading import Look, beside

S = RosterState
TRANSITIONS = {S.PREPARED: frozenset({S.PUBLISHED, S.DISCARDED})}
COPIED = ("signed_in_at", "signed_in_by_id", "signed_out_at")


@dataclass(frozen=True, slots=True)
class Plan:
    """A roster as it is looked at before it is published, against what is in force now.

    `standing` stands for the shifts it was compared with: publishing asks for it again. `booked` and
    `stopped` keep it from being published; the rest is said and left to whoever publishes. `unable` are
    people without the right to work on tickets.
    """

    difference: Difference
    standing: str
    days: tuple[date, ...]
    off: tuple[date, ...]
    gaps: tuple[Gap, ...]
    leaderless: tuple[date, ...]
    shares: tuple[Share, ...]
    booked: tuple[tuple[int, Stint, Stint], ...]
    stopped: tuple[int, ...]
    unable: tuple[int, ...]
    people: dict[int, Staff]


async def get(session: AsyncSession, person: Staff, roster_id: int) -> tuple[Roster, Unit]:
    """A roster within the person's reach; raises `NotFound`, as if it were not there."""
    await must(session, person, Permission.EDIT_ROSTER)
    roster = await session.scalar(select(Roster).where(Roster.id == roster_id))
    if roster is not None:
        unit = await units.get(session, roster.unit_id)
        if contains(await staff.reach(session, person), unit.path):
            return roster, unit
    raise NotFound("roster.unknown")


async def listed(session: AsyncSession, person: Staff, limit: int = 20) -> list[tuple[Roster, Unit]]:
    """The rosters within the person's reach, newest first."""
    await must(session, person, Permission.EDIT_ROSTER)
    rows = await session.execute(
        select(Roster, Unit)
        .join(Unit, Unit.id == Roster.unit_id)
        .where(Unit.path.startswith(await staff.reach(session, person)))
        .order_by(Roster.id.desc())
        .limit(limit)
    )
    return [(roster, unit) for roster, unit in rows]


async def prepare(
    session: AsyncSession, filename: str, found: Look, *, unit: Unit, actor: Staff, now: datetime
) -> Roster:
    """Keep a sound roster for a second person to publish.

    Raises `Invalid("roster.faulty")` while a row is bad, `Invalid("roster.all_past")`, and
    `Invalid("roster.same")` for one that would change nothing.
    """
    await must(session, actor, Permission.EDIT_ROSTER, unit.path)
    if found.faults:
        raise Invalid("roster.faulty", n=len(found.faults))
    if not found.days:
        raise Invalid("roster.all_past")
    rows = [stint.row for stint in found.stints] + [
        {"day": day.isoformat(), "off": True} for day in found.off
    ]
    roster = Roster(
        unit_id=unit.id,
        file_name=filename[:120],
        rows=rows,
        findings=[],
        prepared_by_id=actor.id,
        prepared_at=now,
    )
    plan = await preview(session, roster, unit, now=now)
    if not plan.difference.any:
        raise Invalid("roster.same")
    roster.findings = [
        {"key": "gaps", "n": len(plan.gaps)},
        {"key": "leaderless", "n": len(plan.leaderless)},
        {"key": "past", "n": found.past},
    ]
    session.add(roster)
    await session.flush()
    await audit.record(
        session, "roster.prepare", f"roster:{roster.id}", actor=actor.as_actor(), now=now,
        unit=unit.id, shifts=len(found.stints), days=len(found.days),
    )  # fmt: skip
    return roster


async def preview(session: AsyncSession, roster: Roster, unit: Unit, *, now: datetime) -> Plan:
    """What publishing a roster would do now, and what is to be known before.

    Of today, what is over or has its officer there stays out of it: see `roster_checks.settled`.
    """
    today = beijing_day(now)
    rows = [row for row in roster.rows if row["day"] >= today.isoformat()]
    stints = [Stint.of_row(row) for row in rows if not row.get("off")]
    days = sorted({date.fromisoformat(row["day"]) for row in rows})
    if not days:
        nothing = Difference((), (), (), 0)
        return Plan(nothing, "", (), (), (), (), (), (), (), (), {})
    there = await in_force(session, unit, days[0], days[-1])
    named = set(days)
    kept, stints = roster_checks.settled([shift for shift in there if shift.day in named], stints, now)
    standing = [Stint.of_shift(shift) for shift in there]
    after = [stint for stint in standing if stint.day not in named] + kept + stints
    before = [stint for stint in standing if stint.day in named]
    for stint in kept:
        before.remove(stint)
    running = [stint for stint in kept if moment(stint.day, stint.span.closes) > now]
    on: dict[date, list[Span]] = defaultdict(list)
    for stint in after:
        on[stint.day].append(stint.span)
    plain = OfficeHours.of(await worktime.in_force(session, now=now))
    election = await elections.in_force(session, today)
    promised = roster_checks.promised_days(election, days[0], days[-1])
    ids = {person for stint in (*after, *before) for person in (*stint.people, stint.leader_id) if person}
    people = {person.id: person for person in await session.scalars(select(Staff).where(Staff.id.in_(ids)))}
    own = {person for stint in stints for person in (*stint.people, stint.leader_id) if person}
    return Plan(
        roster_checks.difference(before, stints),
        _mark(before),
        tuple(days),
        tuple(sorted(named - {stint.day for stint in (*stints, *kept)})),
        tuple(roster_checks.gaps(plain, on, promised)),
        tuple(roster_checks.leaderless((*stints, *kept))),
        tuple(roster_checks.fairness(after, plain)),
        tuple(roster_checks.twice(stints, [*running, *await beside(session, unit, stints)])),
        tuple(sorted(who for who in own if not people[who].active)),
        tuple(
            sorted(w for w in own if people[w].active and not staff.may(people[w], Permission.WORK_TICKETS))
        ),
        people,
    )


async def publish(
    session: AsyncSession, roster: Roster, *, seen: int, standing: str, actor: Staff, now: datetime
) -> int:
    """A second person puts a roster in force; on the days it names it takes the place of what was there.

    `standing` is the plan's that was looked at. Shifts that stay as they are keep their sign-in. Returns how
    many shifts changed. Raises `Conflict("stale_card")`, `Conflict("roster.overtaken")` if the shifts in
    force have changed since the page was made, `Conflict("roster.faulty_now")` if somebody was stopped or
    booked elsewhere meanwhile, and what `second_person` raises.
    """
    unit = await units.get(session, roster.unit_id)
    await must(session, actor, Permission.EDIT_ROSTER, unit.path)
    # One publication of a unit at a time; whoever comes second finds other shifts in force, and is told.
    await session.execute(select(Unit.id).where(Unit.id == unit.id).with_for_update())
    await session.refresh(roster, with_for_update=True)
    if roster.state is not S.PREPARED or roster.version != seen:
        raise Conflict("stale_card")
    await second_person(session, actor, roster.prepared_by_id, now=now)
    plan = await preview(session, roster, unit, now=now)
    if not plan.days:
        raise Invalid("roster.all_past")
    if plan.standing != standing:
        raise Conflict("roster.overtaken")
    if plan.booked or plan.stopped:
        raise Conflict("roster.faulty_now")
    touched = await _apply(session, roster, unit, plan, now)
    roster.published_by_id, roster.published_at = actor.id, now
    await audit.move(
        session, roster, S.PUBLISHED, by="publish", table=TRANSITIONS, actor=actor.as_actor(), now=now,
        days=[plan.days[0].isoformat(), plan.days[-1].isoformat()],
        added=len(plan.difference.added), removed=len(plan.difference.removed),
        changed=len(plan.difference.changed),
    )  # fmt: skip
    facts = {"unit": unit.name, "first": plan.days[0].isoformat(), "last": plan.days[-1].isoformat()}
    for person in sorted(touched):
        await notices.tell(
            session,
            person,
            "roster",
            facts,
            key=f"roster:{roster.id}",
            subject=f"roster:{roster.id}",
            now=now,
        )
    ring_after_commit(session, QUEUE_TOPIC)
    return len(plan.difference.added) + len(plan.difference.removed) + len(plan.difference.changed)


async def discard(session: AsyncSession, roster: Roster, *, seen: int, actor: Staff, now: datetime) -> None:
    """Put a prepared roster away; raises `Conflict("stale_card")`."""
    await must(session, actor, Permission.EDIT_ROSTER, (await units.get(session, roster.unit_id)).path)
    await session.refresh(roster, with_for_update=True)
    if roster.version != seen:
        raise Conflict("stale_card")
    await audit.move(
        session, roster, S.DISCARDED, by="discard", table=TRANSITIONS, actor=actor.as_actor(), now=now
    )


async def in_force(session: AsyncSession, unit: Unit, first: date, last: date) -> list[DutyShift]:
    """The unit's own shifts in force from `first` to `last`, in order."""
    rows = await session.scalars(
        select(DutyShift)
        .where(DutyShift.unit_id == unit.id, DutyShift.withdrawn_at.is_(None))
        .where(DutyShift.day.between(first, last))
        .order_by(DutyShift.day, DutyShift.opens, DutyShift.id)
    )
    return list(rows.all())


async def _apply(session: AsyncSession, roster: Roster, unit: Unit, plan: Plan, now: datetime) -> set[int]:
    """Withdraw and add shifts; returns whose they are."""
    rows = await session.scalars(
        select(DutyShift)
        .where(DutyShift.unit_id == unit.id, DutyShift.withdrawn_at.is_(None), DutyShift.day.in_(plan.days))
        .order_by(DutyShift.id)
        .with_for_update()
    )
    there = list(rows.all())
    touched: set[int] = set()
    gone: list[DutyShift] = []

    def withdraw(stint: Stint) -> DutyShift:
        shift = next(row for row in there if Stint.of_shift(row) == stint)
        there.remove(shift)
        shift.withdrawn_at = now
        gone.append(shift)
        touched.update((*stint.people, stint.leader_id))
        return shift

    def add(stint: Stint, **more: Any) -> None:
        values = {name: getattr(stint, name) for name in stint.__slots__}
        values |= {name: values[name] or None for name in ("leader_id", "standby_id")}
        session.add(DutyShift(roster_id=roster.id, unit_id=unit.id, **values, **more))
        touched.update((*stint.people, stint.leader_id))

    for stint in plan.difference.removed:
        withdraw(stint)
    for change in plan.difference.changed:
        old = withdraw(change.before)
        stays = old.signed_in_by_id in change.after.people
        add(change.after, **({name: getattr(old, name) for name in COPIED} if stays else {}))
    for stint in plan.difference.added:
        add(stint)
    await session.flush()
    await swaps.overtaken(session, [shift.id for shift in gone], now=now)
    return touched - {0}


def _mark(stints: Sequence[Stint]) -> str:
    told = repr([stint.row for stint in sorted(stints)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
