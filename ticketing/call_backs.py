"""The call-back list (回拨单): who has to be telephoned because nothing else reaches them."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Select, String, Text, cast, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, redact, units
from office.errors import Conflict
from office.hours import OfficeHours
from office.outbox import Delivery, DeliveryState
from office.seal import Sealer
from office.staff import Permission, Staff, must, reach
from office.store import Base, insert_once, ring_after_commit, word
from office.units import Unit
from ticketing.records import QUEUE_TOPIC, Ticket

FEWEST_TRIES = 3
"""So often somebody is called before a person may give up."""
AGAIN_AFTER = timedelta(hours=2)
KEPT = timedelta(days=90)
LOOKED_BACK = timedelta(days=7)
BATCH = 100
MOST_FAILED = 500
LONGEST_NOTE = 300
SHORTEST_PHONE = 7


class CallBackKind(StrEnum):
    """Why somebody is called: an answer, a correction, a delivery that failed, a promise to call."""

    ANSWER = auto()
    CORRECTION = auto()
    UNDELIVERABLE = auto()
    PROMISED = auto()


class CallBackState(StrEnum):
    """Where a call stands."""

    DUE = auto()
    REACHED = auto()
    GIVEN_UP = auto()


class CallResult(StrEnum):
    """What one try gave: 已告知, 未接通, 停机空号, 要求再拨."""

    TOLD = auto()
    NO_ANSWER = auto()
    DEAD_NUMBER = auto()
    CALL_AGAIN = auto()


class CallBack(Base):
    """One person to be called once; `key` makes the same cause unique (`ticket:5:1`, `recall:3:5`).

    Name and phone are sealed as on the ticket; without a phone the unit has to find the person.
    """

    __tablename__ = "call_back"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[CallBackKind] = mapped_column(word(CallBackKind))
    state: Mapped[CallBackState] = mapped_column(word(CallBackState), default=CallBackState.DUE, index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    # No foreign key, or whoever closes a ticket would have to know of recalls.
    recall_id: Mapped[int | None] = mapped_column(index=True)
    asker_name: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    point: Mapped[str] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so

    @property
    def to_ask(self) -> bool:
        """Whether nobody can be called: no phone was left, so they hear the answer when they ask again."""
        return self.phone is None and self.kind is CallBackKind.ANSWER


TO_CALL = CallBack.phone.is_not(None) | (CallBack.kind != CallBackKind.ANSWER)
"""The calls that somebody has to make: all but those of `CallBack.to_ask`."""


class CallTry(Base):
    """One try to reach somebody."""

    __tablename__ = "call_try"

    id: Mapped[int] = mapped_column(primary_key=True)
    call_back_id: Mapped[int] = mapped_column(ForeignKey("call_back.id"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    result: Mapped[CallResult] = mapped_column(word(CallResult))
    note: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime]


async def put(
    session: AsyncSession,
    *,
    key: str,
    kind: CallBackKind,
    ticket: Ticket | None = None,
    recall_id: int | None = None,
    unit_id: int | None = None,
    point: str,
    now: datetime,
    due_at: datetime | None = None,
) -> CallBack | None:
    """Lay somebody on the call-back list once; None if this cause is on it already.

    `point` is what is to be said, `ticket` whose asker is called: name and phone are copied as sealed there,
    and its unit decides who calls. Without a ticket `unit_id` does.
    """
    unit = ticket.unit_id if ticket is not None else unit_id
    if unit is None:
        raise ValueError("a call belongs to a unit")
    row: dict[str, Any] = {
        "key": key,
        "version": 1,
        "kind": kind,
        "state": CallBackState.DUE,
        "unit_id": unit,
        "ticket_id": ticket.id if ticket is not None else None,
        "recall_id": recall_id,
        "asker_name": ticket.asker_name if ticket is not None else None,
        "phone": ticket.phone if ticket is not None else None,
        "point": point,
        "tries": 0,
        "due_at": due_at or now,
        "created_at": now,
    }
    if not await insert_once(session, CallBack, row, unique=("key",)):
        return None
    ring_after_commit(session, QUEUE_TOPIC)
    return (await session.scalars(select(CallBack).where(CallBack.key == key))).one()


async def in_reach(session: AsyncSession, person: Staff) -> Select[CallBack, Unit]:
    """The calls that this person may see and make, each with its unit."""
    await must(session, person, Permission.WORK_TICKETS)
    return (
        select(CallBack, Unit)
        .join(Unit, Unit.id == CallBack.unit_id)
        .where(Unit.path.startswith(await reach(session, person)))
    )


def masked_phone(phone: str) -> str:
    """138****5678, or **** with the last four digits of a shorter number; empty without one."""
    digits = "".join(char for char in phone if char.isdecimal())
    if not digits:
        return ""
    if len(digits) < SHORTEST_PHONE:
        return "****"
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 11 else f"****{digits[-4:]}"


async def opened(
    session: AsyncSession, call: CallBack, sealer: Sealer, *, actor: Staff, now: datetime
) -> tuple[str, str]:
    """Name and phone of whoever is to be called, for the officer who calls now; that they looked is audited.

    Raises `Conflict("call_done")` for a call that is over: nobody has to know the number any more, and
    `Conflict("call_no_phone")` where none was left.
    """
    await _may(session, call, actor)
    if call.state is not CallBackState.DUE:
        raise Conflict("call_done")
    if call.to_ask:
        raise Conflict("call_no_phone")
    found = sealer.open(call.asker_name), sealer.open(call.phone)
    await audit.record(
        session,
        "call_back.open",
        f"call_back:{call.id}",
        actor=actor.as_actor(),
        now=now,
        kind=call.kind.value,
    )
    return found


async def tried(
    session: AsyncSession,
    call: CallBack,
    result: CallResult,
    note: str,
    *,
    actor: Staff,
    hours: OfficeHours,
    now: datetime,
    seen: int | None = None,
) -> None:
    """Write one try down: whoever was told is done, anybody else is due again two duty hours later.

    `seen` is the version on the officer's page. Raises `Conflict("stale_card")` if somebody wrote a try
    meanwhile, so that nobody is called twice for one thing, and `Conflict("call_no_phone")` for any result
    but TOLD where no phone was left.
    """
    await _held(session, call, actor, seen)
    if call.to_ask and result is not CallResult.TOLD:
        raise Conflict("call_no_phone")
    clean = redact.text(note.strip(), published=await units.published_numbers(session)).text[:LONGEST_NOTE]
    session.add(CallTry(call_back_id=call.id, staff_id=actor.id, result=result, note=clean, at=now))
    call.tries += 1
    if result is CallResult.TOLD:
        call.state, call.done_at, call.done_by_id = CallBackState.REACHED, now, actor.id
    else:
        call.due_at = _again_at(now, hours)
    await _noted(session, call, "try", actor, now, result=result.value, tries=call.tries)


def _again_at(now: datetime, hours: OfficeHours) -> datetime:
    try:
        due = hours.add_duty(now, AGAIN_AFTER)
    except LookupError:
        # An office without any duty ahead has its try written down all the same.
        return now + AGAIN_AFTER
    return hours.next_open(due) or due


async def renumbered(session: AsyncSession, ticket: Ticket) -> None:
    """Take over a phone that was found out or mended later into the calls that are still to be made."""
    due = (CallBack.ticket_id == ticket.id, CallBack.state == CallBackState.DUE)
    # Row by row, so that a page made before is stale: whoever reads it would call the old number.
    for call in await session.scalars(select(CallBack).where(*due).order_by(CallBack.id)):
        call.phone = ticket.phone
    ring_after_commit(session, QUEUE_TOPIC)


async def give_up(
    session: AsyncSession, call: CallBack, *, actor: Staff, now: datetime, seen: int | None = None
) -> None:
    """End a call without having told anybody: only a person does, after three tries or on a dead number.

    Raises `Conflict("call_too_early")` before.
    """
    await _held(session, call, actor, seen)
    dead = await session.scalar(
        select(func.count())
        .select_from(CallTry)
        .where(CallTry.call_back_id == call.id, CallTry.result == CallResult.DEAD_NUMBER)
    )
    if call.phone is not None and call.tries < FEWEST_TRIES and not dead:
        raise Conflict("call_too_early", least=FEWEST_TRIES)
    call.state, call.done_at, call.done_by_id = CallBackState.GIVEN_UP, now, actor.id
    await _noted(session, call, "give_up", actor, now, tries=call.tries)


async def _held(session: AsyncSession, call: CallBack, actor: Staff, seen: int | None) -> None:
    await _may(session, call, actor)
    await session.refresh(call, with_for_update=True)
    if call.state is not CallBackState.DUE:
        raise Conflict("call_done")
    if seen is not None and call.version != seen:
        raise Conflict("stale_card")


async def _may(session: AsyncSession, call: CallBack, actor: Staff) -> None:
    await must(session, actor, Permission.WORK_TICKETS, (await units.get(session, call.unit_id)).path)


async def _noted(
    session: AsyncSession, call: CallBack, act: str, actor: Staff, now: datetime, **facts: Any
) -> None:
    await session.flush()
    facts["ticket"] = call.ticket_id
    await audit.record(
        session, f"call_back.{act}", f"call_back:{call.id}", actor=actor.as_actor(), now=now, **facts
    )
    ring_after_commit(session, QUEUE_TOPIC)


async def undeliverable(session: AsyncSession, *, now: datetime) -> int:
    """Lay on the list whom a message failed to reach for good and whose phone is known; returns how many.

    Without a phone the ticket's page says 无法送达, and the asker may still collect the answer.
    """
    known = select(CallBack.id).where(CallBack.key == literal("failed:") + cast(Delivery.id, String))
    rows = await session.execute(
        select(Delivery.id, Delivery.subject)
        .where(Delivery.due_at > now - LOOKED_BACK, Delivery.state == DeliveryState.FAILED)
        .where(Delivery.subject.startswith("ticket:"), ~known.exists())
        .order_by(Delivery.id)
    )
    failed = {row.id: int(row.subject.removeprefix("ticket:")) for row in rows}
    # Asked by row number, for a join on the subject would read every ticket there is.
    ids = sorted(set(failed.values()))[-MOST_FAILED:]
    if not ids:
        return 0
    found = await session.scalars(select(Ticket).where(Ticket.id.in_(ids), Ticket.phone.is_not(None)))
    reachable = {ticket.id: ticket for ticket in found}
    laid = 0
    for number in [number for number, ticket_id in failed.items() if ticket_id in reachable]:
        delivery = await session.get_one(Delivery, number)
        point = delivery.facts.get("text", "")
        if not isinstance(point, str) or not point:
            continue
        key, kind, ticket = f"failed:{number}", CallBackKind.UNDELIVERABLE, reachable[failed[number]]
        call = await put(session, key=key, kind=kind, ticket=ticket, point=point, now=now)
        laid += call is not None
        if laid == BATCH:
            break
    return laid


async def forget_old(session: AsyncSession, *, now: datetime) -> None:
    """Remove name and phone once nobody has to call any more, and what was said 90 days later."""
    done = CallBack.state != CallBackState.DUE
    personal = CallBack.phone.is_not(None) | CallBack.asker_name.is_not(None)
    await session.execute(update(CallBack).where(done, personal).values(asker_name=None, phone=None))
    old = select(CallBack.id).where(done, CallBack.done_at < now - KEPT)
    await session.execute(update(CallBack).where(CallBack.id.in_(old), CallBack.point != "").values(point=""))
    await session.execute(
        update(CallTry).where(CallTry.call_back_id.in_(old), CallTry.note != "").values(note="")
    )
