"""Changing a shift with a colleague (换班): one asks, the other agrees, the leader is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum, auto

from sqlalchemy import ForeignKey, String, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, notices, staff, units
from office.audit import CLOCK
from office.errors import Conflict, Invalid, NotFound
from office.hours import moment
from office.shifts import DutyShift
from office.staff import Permission, Staff, must
from office.store import Base, word
from office.units import contains
from ticketing import leading
from ticketing.intake import clean
from ticketing.roster_checks import overlap

LONGEST_REASON = 300


class SwapState(StrEnum):
    """Where a wish to change stands."""

    ASKED = auto()
    AGREED = auto()
    DECLINED = auto()
    WITHDRAWN = auto()


S = SwapState
TRANSITIONS = {S.ASKED: frozenset({S.AGREED, S.DECLINED, S.WITHDRAWN})}


class DutySwap(Base):
    """`shift_id` goes from `from_id` to `to_id`; with `back_shift_id` the other's shift comes in return."""

    __tablename__ = "duty_swap"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[SwapState] = mapped_column(word(SwapState), default=SwapState.ASKED)
    shift_id: Mapped[int] = mapped_column(ForeignKey(DutyShift.id), index=True)
    back_shift_id: Mapped[int | None] = mapped_column(ForeignKey(DutyShift.id))
    from_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(String(300), default="")
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


async def get(session: AsyncSession, swap_id: int) -> DutySwap:
    """The wish with this row number; raises `NotFound`."""
    swap = await session.scalar(select(DutySwap).where(DutySwap.id == swap_id))
    if swap is None:
        raise NotFound("swap.unknown")
    return swap


async def ask(
    session: AsyncSession,
    shift: DutyShift,
    to: Staff,
    *,
    back: DutyShift | None = None,
    reason: str = "",
    actor: Staff,
    now: datetime,
) -> DutySwap:
    """Ask a colleague to take one's shift, in return for one of theirs or for none.

    Raises `NotPermitted`, `Conflict("swap.not_yours")`, `Conflict("swap.open")` while another wish about the
    shift waits, and what makes a change impossible: `swap.past`, `swap.overtaken`, `swap.booked`,
    `swap.unfit`.
    """
    await _lock(session, shift, back)
    if actor.id not in (shift.officer_id, shift.standby_id):
        raise Conflict("swap.not_yours")
    waiting = await session.scalar(
        select(DutySwap.id).where(DutySwap.shift_id == shift.id, DutySwap.state == S.ASKED).limit(1)
    )
    if waiting is not None:
        raise Conflict("swap.open")
    await _possible(session, shift, back, actor, to, now=now)
    swap = DutySwap(
        shift_id=shift.id, back_shift_id=back.id if back else None, from_id=actor.id, to_id=to.id,
        reason=(await clean(session, reason.strip()))[:LONGEST_REASON], asked_at=now,
    )  # fmt: skip
    session.add(swap)
    await session.flush()
    await audit.record(
        session, "duty_swap.ask", f"duty_swap:{swap.id}", actor=actor.as_actor(), now=now,
        shift=shift.id, to=to.id,
    )  # fmt: skip
    await _tell(session, swap, to.id, "swap_asked", await facts(session, swap), now)
    return swap


async def agree(session: AsyncSession, swap: DutySwap, *, actor: Staff, now: datetime) -> None:
    """The colleague agrees: the shift changes hands at once, and the leaders are told.

    Everything is looked at anew; raises what `ask` raises, `Conflict("swap.not_asked")` for anybody else,
    `Conflict("stale_card")` for a wish that is decided.
    """
    shift, back = await _shifts(session, swap)
    await _lock(session, shift, back)
    await session.refresh(swap, with_for_update=True)
    if swap.to_id != actor.id:
        raise Conflict("swap.not_asked")
    if swap.state is not S.ASKED:
        raise Conflict("stale_card")
    asker = await staff.get(session, swap.from_id)
    if swap.from_id not in (shift.officer_id, shift.standby_id):
        raise Conflict("swap.overtaken")
    if back is not None and actor.id not in (back.officer_id, back.standby_id):
        raise Conflict("swap.overtaken")
    await _possible(session, shift, back, asker, actor, now=now)
    told = await facts(session, swap)
    _give(shift, swap.from_id, actor.id)
    if back is not None:
        _give(back, actor.id, swap.from_id)
    await _decide(session, swap, S.AGREED, "agree", actor, now)
    await _tell(session, swap, swap.from_id, "swap_agreed", told, now)
    unit = await units.get(session, shift.unit_id)
    leaders = {person.id for person in await leading.leaders(session, unit, now=now)}
    leaders |= {one.leader_id for one in (shift, back) if one is not None and one.leader_id}
    for leader in sorted(leaders - {swap.from_id, swap.to_id}):
        await _tell(session, swap, leader, "swap_made", told, now)


async def decline(session: AsyncSession, swap: DutySwap, *, actor: Staff, now: datetime) -> None:
    """The colleague cannot; raises `Conflict`."""
    await session.refresh(swap, with_for_update=True)
    if swap.to_id != actor.id:
        raise Conflict("swap.not_asked")
    await _decide(session, swap, S.DECLINED, "decline", actor, now)
    await _tell(session, swap, swap.from_id, "swap_declined", await facts(session, swap), now)


async def withdraw(session: AsyncSession, swap: DutySwap, *, actor: Staff, now: datetime) -> None:
    """Whoever asked takes the wish back; raises `Conflict`."""
    await session.refresh(swap, with_for_update=True)
    if swap.from_id != actor.id:
        raise Conflict("swap.not_yours")
    await _decide(session, swap, S.WITHDRAWN, "withdraw", actor, now)
    await _tell(session, swap, swap.to_id, "swap_withdrawn", await facts(session, swap), now)


async def overtaken(session: AsyncSession, shift_ids: Sequence[int], *, now: datetime) -> int:
    """A newer roster took these shifts away: wishes about them end, and both are told."""
    rows = await session.scalars(
        select(DutySwap)
        .where(DutySwap.state == S.ASKED)
        .where(or_(DutySwap.shift_id.in_(shift_ids), DutySwap.back_shift_id.in_(shift_ids)))
        .order_by(DutySwap.id)
        .with_for_update()
    )
    return await _end(session, list(rows.all()), now)


async def of_leaver(session: AsyncSession, person: Staff, *, now: datetime) -> int:
    """Somebody was stopped or has left: wishes from or to them end."""
    rows = await session.scalars(
        select(DutySwap)
        .where(DutySwap.state == S.ASKED, or_(DutySwap.from_id == person.id, DutySwap.to_id == person.id))
        .order_by(DutySwap.id)
        .with_for_update()
    )
    return await _end(session, list(rows.all()), now)


async def of_person(session: AsyncSession, person: Staff, limit: int = 20) -> list[DutySwap]:
    """The wishes from and to a person, those that wait first."""
    rows = await session.scalars(
        select(DutySwap)
        .where(or_(DutySwap.from_id == person.id, DutySwap.to_id == person.id))
        .order_by((DutySwap.state != S.ASKED), DutySwap.id.desc())
        .limit(limit)
    )
    return list(rows.all())


async def facts(session: AsyncSession, swap: DutySwap) -> dict[str, str]:
    """What notices and pages say of a wish: who, with whom, which shift, which in return."""
    names = await staff.names(session, {swap.from_id, swap.to_id})
    shift, back = await _shifts(session, swap)
    return {
        "one": staff.mask_name(names[swap.from_id]),
        "other": staff.mask_name(names[swap.to_id]),
        "shift": _said(shift),
        "back": _said(back) if back else "—",
    }


def _said(shift: DutyShift) -> str:
    return f"{shift.day.isoformat()} {shift.opens}–{shift.closes}"


def _give(shift: DutyShift, one: int, other: int) -> None:
    if shift.officer_id == one:
        shift.officer_id = other
    else:
        shift.standby_id = other


async def _shifts(session: AsyncSession, swap: DutySwap) -> tuple[DutyShift, DutyShift | None]:
    shift = await session.get_one(DutyShift, swap.shift_id)
    return shift, await session.get_one(DutyShift, swap.back_shift_id) if swap.back_shift_id else None


async def _lock(session: AsyncSession, *rows: DutyShift | None) -> None:
    # Shifts before wishes, in the order of their numbers, as publishing a roster does.
    for row in sorted((row for row in rows if row is not None), key=lambda row: row.id):
        await session.refresh(row, with_for_update=True)


async def _possible(
    session: AsyncSession,
    shift: DutyShift,
    back: DutyShift | None,
    one: Staff,
    other: Staff,
    *,
    now: datetime,
) -> None:
    unit = await units.get(session, shift.unit_id)
    await must(session, one, Permission.WORK_TICKETS)
    if one.id == other.id or not staff.may(other, Permission.WORK_TICKETS):
        raise Conflict("swap.unfit", who=other.masked_name)
    home = await units.get(session, other.unit_id)
    if not (contains(unit.path, home.path) or contains(home.path, unit.path)):
        raise Conflict("swap.unfit", who=other.masked_name)
    for row in (shift, back):
        if row is None:
            continue
        if row.withdrawn_at is not None:
            raise Conflict("swap.overtaken")
        if moment(row.day, row.span.opens) <= now:
            raise Conflict("swap.past")
    if back is not None and (back.id == shift.id or other.id not in (back.officer_id, back.standby_id)):
        raise Invalid("swap.back_not_theirs", who=other.masked_name)
    if await _booked(session, other, shift, aside=back):
        raise Conflict("swap.booked", who=other.masked_name)
    if back is not None and await _booked(session, one, back, aside=shift):
        raise Conflict("swap.booked", who=one.masked_name)


async def _booked(session: AsyncSession, person: Staff, shift: DutyShift, aside: DutyShift | None) -> bool:
    """Whether somebody is on another shift in those hours; `aside` is the one they give away."""
    rows = await session.scalars(
        select(DutyShift)
        .where(DutyShift.day == shift.day, DutyShift.withdrawn_at.is_(None))
        .where(or_(DutyShift.officer_id == person.id, DutyShift.standby_id == person.id))
    )
    return any(overlap(row, shift) for row in rows.all() if aside is None or row.id != aside.id)


async def _end(session: AsyncSession, found: list[DutySwap], now: datetime) -> int:
    for swap in found:
        swap.decided_at = now
        await audit.move(session, swap, S.WITHDRAWN, by="overtaken", table=TRANSITIONS, actor=CLOCK, now=now)
        told = await facts(session, swap)
        for person in (swap.from_id, swap.to_id):
            await _tell(session, swap, person, "swap_overtaken", told, now)
    return len(found)


async def _decide(
    session: AsyncSession, swap: DutySwap, to: SwapState, by: str, actor: Staff, now: datetime
) -> None:
    swap.decided_at = now
    await audit.move(session, swap, to, by=by, table=TRANSITIONS, actor=actor.as_actor(), now=now)


async def _tell(
    session: AsyncSession, swap: DutySwap, person: int, kind: str, told: dict[str, str], now: datetime
) -> None:
    await notices.tell(
        session, person, kind, told, key=f"{kind}:{swap.id}", subject=f"duty_swap:{swap.id}", now=now
    )
