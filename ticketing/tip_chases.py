"""Chasing (催阅): only units without a receipt, twice a day at most, in duty hours; then the telephone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge import tip_receipts, tips
from knowledge.tip_receipts import CHASE_KIND, chase_subject
from knowledge.tip_receipts import silent as silent
from knowledge.tips import TipState, TipTarget, WorkTip
from office import audit, outbox, shifts, staff, units
from office.bindings import GroupState
from office.contacts import ContactState
from office.errors import Conflict
from office.hours import OfficeHours, beijing_day
from office.outbox import Delivery, Priority
from office.shifts import DutyShift
from office.staff import Permission, Staff
from office.store import Base
from office.units import Unit
from ticketing import tip_places
from ticketing.tip_places import Shown

KIND: Final = CHASE_KIND
MOST_A_DAY: Final = 2
"""Helpdesk, work tips: a unit is reminded at most twice a day."""
LOOKED_BACK: Final = timedelta(days=30)
"""So long after the term the clock still looks whether its one reminder went out."""


class TipChase(Base):
    """One round of reminders for a tip: how many units were still silent."""

    __tablename__ = "tip_chase"

    id: Mapped[int] = mapped_column(primary_key=True)
    tip_id: Mapped[int] = mapped_column(ForeignKey("work_tip.id"), index=True)
    day: Mapped[date]
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    units: Mapped[int]


@dataclass(frozen=True, slots=True)
class Call:
    """A line of the telephone list: a unit, its number, and who is on duty there now, if anybody."""

    unit: Unit
    phone: str
    on_duty: str
    duty_phone: str


async def chase(
    session: AsyncSession, tip: WorkTip, *, actor: Staff | None, hours: OfficeHours, now: datetime
) -> TipChase:
    """Remind the units that are silent, each in its groups where the tip hangs; None acts for the clock.

    A unit without such a group is on the telephone list only. Raises `NotPermitted` without `WORK_TICKETS`
    over the tip's unit, `Conflict` with `tip_chase.over` for a tip that asks for no receipt (any more),
    `tip_chase.closed` outside duty hours (`next`: when they begin), `tip_chase.twice` after two rounds of a
    day, `tip_chase.nobody` when every unit has signed.
    """
    if actor is not None:
        home = await units.get(session, tip.unit_id)
        await staff.must(session, actor, Permission.WORK_TICKETS, home.path)
    await session.refresh(tip, with_for_update=True)
    if not tip.receipt_wanted or tip.state is not TipState.RELEASED or not tips.shown(tip, now):
        raise Conflict("tip_chase.over")
    if not hours.is_open(now):
        upcoming = hours.next_open(now)
        raise Conflict("tip_chase.closed", **({"next": upcoming} if upcoming else {"next": "—"}))
    if len(await rounds(session, tip, day=beijing_day(now))) >= MOST_A_DAY:
        raise Conflict("tip_chase.twice")
    left = {unit.id: unit for unit in await silent(session, tip)}
    if not left:
        raise Conflict("tip_chase.nobody")
    made = TipChase(
        tip_id=tip.id, day=beijing_day(now), at=now, by_id=actor.id if actor else None, units=len(left)
    )
    session.add(made)
    await session.flush()
    groups = await _remind(session, tip, left, made, now)
    await audit.record(
        session, "work_tip.chase", f"work_tip:{tip.id}", actor=actor.as_actor() if actor else audit.CLOCK,
        now=now, units=len(left), groups=groups,
    )  # fmt: skip
    return made


async def automatic(session: AsyncSession, *, hours: OfficeHours, now: datetime) -> int:
    """Timed job: one reminder by itself once the term for receipts is over; returns for how many tips."""
    if not hours.is_open(now):
        return 0
    by_clock = select(TipChase.tip_id).where(TipChase.by_id.is_(None))
    rows = await session.scalars(
        select(WorkTip)
        .where(WorkTip.state == TipState.RELEASED, WorkTip.receipt_wanted.is_(True))
        .where(WorkTip.receipt_due <= now, WorkTip.receipt_due > now - LOOKED_BACK)
        .where(WorkTip.id.not_in(by_clock))
        .order_by(WorkTip.id)
    )
    done = 0
    for tip in rows.all():
        try:
            await chase(session, tip, actor=None, hours=hours, now=now)
        except Conflict:
            # Nobody is silent, or somebody has chased twice by hand today: perhaps tomorrow.
            continue
        done += 1
    return done


async def rounds(session: AsyncSession, tip: WorkTip, *, day: date | None = None) -> list[TipChase]:
    """The rounds of reminders of a tip, or those of one Beijing day, the first one first."""
    statement = select(TipChase).where(TipChase.tip_id == tip.id)
    if day is not None:
        statement = statement.where(TipChase.day == day)
    return list((await session.scalars(statement.order_by(TipChase.id))).all())


async def count(session: AsyncSession, tip: WorkTip) -> int:
    """How many rounds of reminders there have been."""
    rows = select(func.count()).select_from(TipChase).where(TipChase.tip_id == tip.id)
    return await session.scalar(rows) or 0


async def reminded(session: AsyncSession, tip: WorkTip, made: TipChase) -> int:
    """Into how many groups a round of reminders was sent; a unit without one is to be telephoned."""
    addressed = await session.scalars(select(TipTarget.unit_id).where(TipTarget.tip_id == tip.id))
    subjects = [chase_subject(tip.id, unit_id) for unit_id in addressed]
    rows = select(func.count()).where(
        Delivery.subject.in_(subjects), Delivery.kind == KIND, Delivery.created_at == made.at
    )
    return await session.scalar(rows) or 0


async def phone_list(session: AsyncSession, left: Sequence[Unit], *, now: datetime) -> list[Call]:
    """Whom to telephone: these units with their number and who is on duty there by their own roster.

    Whoever signed in to a shift is there; else its officer should be. Checks nothing: the page has.
    """
    covering = await shifts.present(session, now, [unit.id for unit in left])
    on: dict[int, DutyShift] = {}
    for shift in covering:
        if shift.signed_out_at is None:
            on.setdefault(shift.unit_id, shift)
    ids = {unit_id: shift.signed_in_by_id or shift.officer_id for unit_id, shift in on.items()}
    names = await staff.names(session, set(ids.values()))
    return [_call(unit, on, names.get(ids.get(unit.id, 0), "")) for unit in left]


def _call(unit: Unit, on: Mapping[int, DutyShift], name: str) -> Call:
    shift = on.get(unit.id)
    return Call(unit, unit.phone, name, shift.phone if shift is not None else "")


async def _remind(
    session: AsyncSession, tip: WorkTip, left: Mapping[int, Unit], made: TipChase, now: datetime
) -> int:
    """One message in each group of these units; returns how many. A silent group is left in peace."""
    counts = await tip_receipts.counts(session, tip)
    links = await tip_places.links(session, tip)
    told = 0
    for place in await tip_places.places(session, tip):
        reached = place.group.state is GroupState.BOUND and place.contact.state is ContactState.ACTIVE
        if place.unit.id not in left or not reached or place.post.shown is not Shown.CURRENT:
            continue
        facts: dict[str, Any] = tip_places.facts(tip, place, counts=counts, now=now)
        facts |= {"link": links.get(place.contact.id, ""), "unit": place.unit.name}
        await outbox.put(
            session, place.contact, KIND, facts, key=f"{KIND}:{made.id}:{place.post.id}",
            subject=chase_subject(tip.id, place.unit.id), now=now, priority=Priority.BROADCAST,
        )  # fmt: skip
        told += 1
    return told
