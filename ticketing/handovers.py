"""Handing over (交接班): a signed snapshot of what is owed, and nothing left that nobody answers for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Select, Text, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, notices, staff, units
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.hours import beijing_day, moment
from office.shifts import DutyShift
from office.staff import Permission, Staff, must
from office.store import Base, ring_after_commit
from office.units import Unit, contains
from ticketing import assigning, duty, leading
from ticketing.intake import clean
from ticketing.moving import move, noted
from ticketing.owed import compared, held_by, orphans, snapshot
from ticketing.records import QUEUE_TOPIC, Ticket, TicketState

S = TicketState
SIGN_WITHIN = timedelta(minutes=10)
LONGEST_MESSAGE = 2000


class Handover(Base):
    """`snapshot` is what the leaver leaves, `difference` what had changed when the taker's shift ended."""

    __tablename__ = "handover"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    shift_id: Mapped[int | None] = mapped_column(ForeignKey(DutyShift.id))
    from_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    to_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    snapshot: Mapped[dict[str, Any]]
    message: Mapped[str] = mapped_column(Text, default="")
    made_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]
    leader_told_at: Mapped[datetime | None]
    difference: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


async def begin(
    session: AsyncSession, leaver: Staff, message: str, *, shift: DutyShift | None = None, now: datetime
) -> Handover:
    """The leaver writes down what is owed and a message for the next one; it then waits for a signature.

    A second time before that replaces message and snapshot. What had changed since the leaver signed for the
    shift is kept with that handover. Raises `Invalid("handover.message_long")`, which says how long it is.
    """
    unit = await units.get(session, shift.unit_id if shift else leaver.unit_id)
    await must(session, leaver, Permission.WORK_TICKETS, unit.path)
    if shift is not None and leaver.id not in (shift.officer_id, shift.standby_id):
        raise Conflict("duty.not_yours")
    words = await clean(session, message.strip())
    if len(words) > LONGEST_MESSAGE:
        raise Invalid("handover.message_long", most=LONGEST_MESSAGE, n=len(words))
    # One at a time of a unit: two that begin in the same moment are one after the other.
    await session.execute(select(Unit.id).where(Unit.id == unit.id).with_for_update())
    found = await snapshot(session, unit, since=await _last_signed_at(session, unit), now=now)
    mine = await session.scalar(
        select(Handover).where(Handover.from_id == leaver.id, Handover.signed_at.is_(None)).with_for_update()
    )
    if mine is None:
        mine = Handover(unit_id=unit.id, from_id=leaver.id, snapshot=found, made_at=now)
        session.add(mine)
    mine.shift_id = shift.id if shift else mine.shift_id
    mine.snapshot, mine.message, mine.made_at, mine.leader_told_at = found, words, now, None
    await session.flush()
    taken = await _taken_by(session, leaver)
    if taken is not None and not taken.difference:
        taken.difference = compared(taken.snapshot, found)
    await audit.record(
        session, "handover.begin", f"handover:{mine.id}", actor=leaver.as_actor(), now=now,
        open=len(found["open"]),
    )  # fmt: skip
    ring_after_commit(session, QUEUE_TOPIC)
    return mine


async def sign(
    session: AsyncSession,
    handover: Handover,
    *,
    seen: int,
    taker: Staff,
    taking: Collection[int] = (),
    now: datetime,
) -> None:
    """The next officer signs: tickets of the leaver in `taking` become theirs, the others go into the queue.

    Raises `Conflict("stale_card")` for one that is signed or was written anew, `Conflict("handover.own")`,
    and `Conflict("handover.orphans_left")` while somebody who is not there holds tickets (see `orphans`).
    """
    unit = await units.get(session, handover.unit_id)
    await must(session, taker, Permission.WORK_TICKETS, unit.path)
    await session.refresh(handover, with_for_update=True)
    if handover.signed_at is not None or handover.version != seen:
        raise Conflict("stale_card")
    if taker.id == handover.from_id:
        raise Conflict("handover.own")
    leaver = await staff.get(session, handover.from_id)
    for ticket in await held_by(session, leaver, locked=True):
        if ticket.id in taking:
            await _pass(session, ticket, leaver, taker, now)
    await session.flush()
    await assigning.requeue(session, leaver, actor=leaver if leaver.active else None, now=now)
    left = await orphans(session, unit, beside=taker, now=now)
    if left:
        raise Conflict("handover.orphans_left", n=len(left))
    handover.to_id, handover.signed_at = taker.id, now
    await session.flush()
    await audit.record(
        session, "handover.sign", f"handover:{handover.id}", actor=taker.as_actor(), now=now,
        taken=len(taking), left=leaver.id,
    )  # fmt: skip
    await _signs(session, handover, leaver, taker, now)
    ring_after_commit(session, QUEUE_TOPIC)


async def free(session: AsyncSession, unit: Unit, *, actor: Staff, now: datetime) -> int:
    """Put every ticket that nobody present answers for back into the queue; returns how many."""
    await must(session, actor, Permission.WORK_TICKETS, unit.path)
    found = await orphans(session, unit, beside=actor, now=now, locked=True)
    for ticket in found:
        left, ticket.assignee_id = ticket.assignee_id, None
        if ticket.state in (S.ASSIGNED, S.WORKING):
            ticket.taken_at = ticket.assigned_at = None
            await move(session, ticket, S.UNASSIGNED, "requeue", actor.as_actor(), now, left=left)
        else:
            await noted(session, ticket, "requeue", actor.as_actor(), now, left=left)
    return len(found)


async def unsigned(session: AsyncSession, *, now: datetime) -> int:
    """Tell the leaders of handovers that nobody signed within ten minutes; each once."""
    rows = await session.scalars(
        select(Handover)
        .where(Handover.signed_at.is_(None), Handover.leader_told_at.is_(None))
        .where(Handover.made_at <= now - SIGN_WITHIN)
        .order_by(Handover.id)
        .with_for_update(skip_locked=True)
    )
    found = list(rows.all())
    for handover in found:
        handover.leader_told_at = now
        unit = await units.get(session, handover.unit_id)
        leaver = await staff.get(session, handover.from_id)
        facts = {"who": leaver.masked_name, "open": handover.snapshot["counts"]["open"]}
        for leader in await leading.leaders(session, unit, now=now):
            await notices.tell(
                session, leader.id, "handover_unsigned", facts,
                key=f"handover:{handover.id}:{int(handover.made_at.timestamp())}",
                subject=f"handover:{handover.id}", now=now,
            )  # fmt: skip
    return len(found)


async def get(session: AsyncSession, person: Staff, handover_id: int) -> Handover:
    """A handover of a unit that this person works for; raises `NotFound`, as if it were not there."""
    await must(session, person, Permission.SEE_TICKETS)
    handover = await session.scalar(select(Handover).where(Handover.id == handover_id))
    if handover is not None:
        unit = await units.get(session, handover.unit_id)
        if contains(await staff.reach(session, person), unit.path):
            return handover
    raise NotFound("handover.unknown")


async def waiting(session: AsyncSession, person: Staff, limit: int = 20) -> Sequence[Handover]:
    """What waits for a signature within the person's reach, the newest first."""
    rows = await session.scalars(
        (await _seen(session, person)).where(Handover.signed_at.is_(None)).limit(limit)
    )
    return rows.all()


async def past(
    session: AsyncSession, person: Staff, limit: int, *, on: date | None = None, before: int = 0
) -> Sequence[Handover]:
    """What was signed within the person's reach, the newest first.

    `on`: only what was written or signed on that day; `before`: only what is older than this row number.
    """
    statement = (await _seen(session, person)).where(Handover.signed_at.is_not(None))
    if on is not None:
        first, last = moment(on, timedelta(0)), moment(on, timedelta(days=1))
        statement = statement.where(
            or_(
                and_(Handover.made_at >= first, Handover.made_at < last),
                and_(Handover.signed_at >= first, Handover.signed_at < last),
            )
        )
    if before:
        statement = statement.where(Handover.id < before)
    return (await session.scalars(statement.limit(limit))).all()


async def _seen(session: AsyncSession, person: Staff) -> Select[Handover]:
    await must(session, person, Permission.SEE_TICKETS)
    return (
        select(Handover)
        .join(Unit, Unit.id == Handover.unit_id)
        .where(Unit.path.startswith(await staff.reach(session, person)))
        .order_by(Handover.id.desc())
    )


async def _pass(session: AsyncSession, ticket: Ticket, leaver: Staff, taker: Staff, now: datetime) -> None:
    """One ticket goes from hand to hand; the signature is its acceptance."""
    await must(session, taker, Permission.WORK_TICKETS, (await units.get(session, ticket.unit_id)).path)
    if ticket.state in (S.ASSIGNED, S.WORKING):
        ticket.assignee_id = None
        await move(session, ticket, S.UNASSIGNED, "hand_over", leaver.as_actor(), now, taker=taker.id)
        ticket.assignee_id, ticket.taken_at = taker.id, now
        await move(session, ticket, S.WORKING, "take", taker.as_actor(), now)
    else:
        ticket.assignee_id = taker.id
        await noted(session, ticket, "hand_over", leaver.as_actor(), now, taker=taker.id)


async def _signs(
    session: AsyncSession, handover: Handover, leaver: Staff, taker: Staff, now: datetime
) -> None:
    """A signature is 签退 for the one and 签到 for the other, where the roster has shifts for them."""
    own = await session.get(DutyShift, handover.shift_id) if handover.shift_id else None
    if own is not None and own.signed_in_by_id == leaver.id:
        # Signed out already, the shift withdrawn, or the leaver stopped meanwhile: the signature counts.
        with suppress(Conflict, NotPermitted):
            await duty.sign_out(session, own, actor=leaver, now=now)
    for shift in await duty.of_person(session, taker, now=now):
        if shift.day == beijing_day(now) and shift.signed_in_at is None:
            try:
                await duty.sign_in(session, shift, actor=taker, now=now)
            except Conflict:
                continue
            return


async def _last_signed_at(session: AsyncSession, unit: Unit) -> datetime | None:
    return await session.scalar(select(func.max(Handover.signed_at)).where(Handover.unit_id == unit.id))


async def _taken_by(session: AsyncSession, person: Staff) -> Handover | None:
    """The handover that this person signed last: the beginning of the shift that ends now."""
    return await session.scalar(
        select(Handover)
        .where(Handover.to_id == person.id, Handover.signed_at.is_not(None))
        .order_by(Handover.id.desc())
        .limit(1)
    )
