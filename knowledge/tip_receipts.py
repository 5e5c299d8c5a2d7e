"""Receipts (回执): which unit has read a work tip, who said so, when and where. The first counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Final

from sqlalchemy import ColumnElement, ForeignKey, String, UniqueConstraint, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge import tips
from knowledge.tips import LONGEST_LINE, TipState, TipTarget, WorkTip
from office import audit, redact, units
from office.audit import AuditEntry
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.hours import BEIJING, beijing_day
from office.outbox import Delivery, DeliveryState
from office.staff import Permission, Staff, may, must, reach
from office.store import Base, insert_once, word
from office.units import Unit, contains

CHASE_KIND = "tip_chase"
"""The kind of a reminder in the outbox: one that still waits there is called off by the receipt."""
LONGEST_SIGNER = 40
# A local telephone number alone is no personal number elsewhere; beside a name it is.
_DIGITS: Final = re.compile(r"(?:\d[ -]?){5}")
TAKEN_BACK = "work_tip.receipt_back"
"""The act by which a receipt given by telephone goes: the row is gone, the audit keeps why."""


class ReceiptWay(StrEnum):
    """Where a unit said that it has read a tip."""

    GROUP = auto()
    LINK = auto()
    CONSOLE = auto()
    PHONE = auto()


class Receipt(Base):
    """A unit's 签阅 of a tip, once. `recorded_by_id`: who wrote down what was said on the telephone."""

    __tablename__ = "receipt"
    __table_args__ = (UniqueConstraint("tip_id", "unit_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tip_id: Mapped[int] = mapped_column(ForeignKey("work_tip.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    signer: Mapped[str] = mapped_column(String(40))
    way: Mapped[ReceiptWay] = mapped_column(word(ReceiptWay))
    at: Mapped[datetime]
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


@dataclass(frozen=True, slots=True)
class Board:
    """Units × tips. `cells` has a place for each receipt that is owed, with the receipt or None."""

    tips: tuple[WorkTip, ...]
    units: tuple[Unit, ...]
    cells: Mapping[tuple[int, int], Receipt | None]

    def cell(self, unit: Unit, tip: WorkTip) -> Receipt | None:
        """The receipt of a unit, None while it is silent; raises KeyError where none is owed."""
        return self.cells[(unit.id, tip.id)]

    def owed(self, unit: Unit, tip: WorkTip) -> bool:
        """Whether this unit owes a receipt of this tip, or has given it."""
        return (unit.id, tip.id) in self.cells


async def acknowledge(
    session: AsyncSession,
    tip: WorkTip,
    unit: Unit,
    *,
    person: Staff | None,
    way: ReceiptWay,
    now: datetime,
    recorded_by: Staff | None = None,
    signer: str = "",
) -> tuple[Receipt, bool]:
    """A unit has read a tip; returns its receipt, the first one there is, and whether this made it.

    Somebody of the unit, or of one below it, signs (`person`). What is said on the telephone is written down
    by `recorded_by`, who works on tickets and reaches the unit, with the name of the `signer`. Raises
    `NotPermitted("tip_receipt.outsider")` for anybody else, an officer of a unit above among them: that the
    office has read its own tip says nothing about the unit. Raises `Invalid` with
    `tip_receipt.signer_needed`, `tip_receipt.signer_long` or `tip_receipt.signer_number` (a telephone or
    identity number beside the name), `NotFound("tip_receipt.not_addressed")` for a unit that the tip was not
    addressed to, `Conflict` with `tip_receipt.superseded` (the number of the tip that holds as `no`),
    `tip_receipt.withdrawn` or `tip_receipt.early` for one that is not in force.
    """
    if recorded_by is not None:
        await must(session, recorded_by, Permission.WORK_TICKETS, unit.path)
        signed = signer.strip() or (person.name if person else "")
        if not signed:
            raise Invalid("tip_receipt.signer_needed")
        if len(signed) > LONGEST_SIGNER:
            raise Invalid("tip_receipt.signer_long", most=LONGEST_SIGNER)
        if redact.text(signed).text != signed or _DIGITS.search(signed):
            raise Invalid("tip_receipt.signer_number")
    else:
        if person is None or not person.active or not contains(unit.path, await reach(session, person)):
            raise NotPermitted("tip_receipt.outsider")
        signed = person.name
    if await session.get(TipTarget, (tip.id, unit.id)) is None:
        raise NotFound("tip_receipt.not_addressed")
    await _in_force(session, tip, now)
    row = {
        "tip_id": tip.id, "unit_id": unit.id, "staff_id": person.id if person else None,
        "signer": signed, "way": way, "at": now,
        "recorded_by_id": recorded_by.id if recorded_by else None,
    }  # fmt: skip
    new = await insert_once(session, Receipt, row, unique=("tip_id", "unit_id"))
    found = await of(session, tip, unit)
    assert found is not None
    if new:
        acting = recorded_by or person
        assert acting is not None
        await audit.record(
            session, "work_tip.acknowledge", f"work_tip:{tip.id}", actor=acting.as_actor(way.value), now=now,
            unit=unit.id, way=way.value,
        )  # fmt: skip
        await _call_off(session, tip, unit)
    return found, new


async def take_back(
    session: AsyncSession, tip: WorkTip, unit: Unit, why: str, *, seen: str, actor: Staff, now: datetime
) -> None:
    """A receipt that was written down from the telephone was none: the unit is silent again.

    By whoever wrote it down, or by somebody who publishes and reaches the unit. `seen` is its `stamp` on the
    page. The reason, without numbers of persons, stays in the audit. Raises `NotPermitted`, also with
    `tip_receipt.not_yours`; `Conflict` with `stale_card`, and `tip_receipt.own_hand` for what the unit has
    signed itself; `Invalid` with `reason_needed` or `tip_long`.
    """
    await must(session, actor, Permission.WORK_TICKETS, unit.path)
    found = await session.scalar(
        select(Receipt)
        .where(Receipt.tip_id == tip.id, Receipt.unit_id == unit.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None or stamp(found) != seen:
        raise Conflict("stale_card")
    if found.way is not ReceiptWay.PHONE:
        raise Conflict("tip_receipt.own_hand")
    if not may_take_back(found, actor):
        raise NotPermitted("tip_receipt.not_yours")
    reason = redact.text(" ".join(why.split()), published=await units.published_numbers(session)).text
    if not reason:
        raise Invalid("reason_needed")
    if len(reason) > LONGEST_LINE:
        raise Invalid("tip_long", most=LONGEST_LINE)
    await session.delete(found)
    await session.flush()
    await audit.record(
        session, TAKEN_BACK, f"work_tip:{tip.id}", actor=actor.as_actor(), now=now, unit=unit.id, why=reason,
        recorded_by=found.recorded_by_id,
    )  # fmt: skip


def may_take_back(receipt: Receipt, person: Staff) -> bool:
    """Whether this person may take a receipt back; that they reach the unit is asked by `take_back`."""
    by_phone = receipt.way is ReceiptWay.PHONE
    return by_phone and (receipt.recorded_by_id == person.id or may(person, Permission.PUBLISH_ENTRIES))


def stamp(receipt: Receipt) -> str:
    """What a page names a receipt by: a row number alone may be given again to the next one."""
    return f"{receipt.id}.{round(receipt.at.timestamp() * 1_000_000)}"


async def taken_back(session: AsyncSession, tip: WorkTip) -> list[AuditEntry]:
    """The lines of the audit about receipts of this tip that were taken back, the newest first."""
    rows = await session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject == f"work_tip:{tip.id}", AuditEntry.action == TAKEN_BACK)
        .order_by(AuditEntry.id.desc())
    )
    return list(rows.all())


async def of(session: AsyncSession, tip: WorkTip, unit: Unit) -> Receipt | None:
    """The receipt of a unit; None while it is silent."""
    return await session.scalar(
        select(Receipt)
        .where(Receipt.tip_id == tip.id, Receipt.unit_id == unit.id)
        .execution_options(populate_existing=True)
    )


async def counts(session: AsyncSession, tip: WorkTip) -> tuple[int, int]:
    """How many units have read a tip, and to how many it is addressed: 已阅 17/29."""
    row = (
        await session.execute(
            select(func.count(Receipt.id), func.count())
            .select_from(TipTarget)
            .outerjoin(Receipt, _same())
            .where(TipTarget.tip_id == tip.id)
        )
    ).one()
    return row[0], row[1]


async def silent(session: AsyncSession, tip: WorkTip) -> list[Unit]:
    """The units that owe a receipt still, in the order of the tree."""
    rows = await session.scalars(
        select(Unit)
        .join(TipTarget, TipTarget.unit_id == Unit.id)
        .outerjoin(Receipt, _same())
        .where(TipTarget.tip_id == tip.id, Receipt.id.is_(None))
    )
    return sorted(rows.all(), key=_in_tree)


async def board(session: AsyncSession, tips: Sequence[WorkTip]) -> Board:
    """Who has read which of these tips: every unit that any of them is addressed to."""
    rows = await session.execute(
        select(TipTarget.tip_id, Unit, Receipt)
        .join(Unit, Unit.id == TipTarget.unit_id)
        .outerjoin(Receipt, _same())
        .where(TipTarget.tip_id.in_([tip.id for tip in tips]))
    )
    units: dict[int, Unit] = {}
    cells: dict[tuple[int, int], Receipt | None] = {}
    for tip_id, unit, receipt in rows:
        units[unit.id] = unit
        cells[(unit.id, tip_id)] = receipt
    return Board(tuple(tips), tuple(sorted(units.values(), key=_in_tree)), cells)


def when(receipt: Receipt, now: datetime) -> str:
    """10:02 of a receipt of today, else 11-19 10:02, of another year 2025-11-19 10:02; Beijing time."""
    at, today = receipt.at.astimezone(BEIJING), beijing_day(now)
    if at.date() == today:
        return f"{at:%H:%M}"
    return f"{at:%m-%d %H:%M}" if at.year == today.year else f"{at:%Y-%m-%d %H:%M}"


def when_in_full(receipt: Receipt) -> str:
    """2026-11-20 10:02:31 for files, which are read on other days; Beijing time."""
    return f"{receipt.at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def chase_subject(tip_id: int, unit_id: int) -> str:
    """The subject of the reminders to one unit."""
    return f"tip_chase:{tip_id}:{unit_id}"


async def _call_off(session: AsyncSession, tip: WorkTip, unit: Unit) -> None:
    # A reminder that has not left yet would remind those who have just signed.
    await session.execute(
        update(Delivery)
        .where(Delivery.subject == chase_subject(tip.id, unit.id), Delivery.kind == CHASE_KIND)
        .where(Delivery.state.in_((DeliveryState.DUE, DeliveryState.HELD, DeliveryState.PARKED)))
        .values(state=DeliveryState.STOPPED)
    )


async def _in_force(session: AsyncSession, tip: WorkTip, now: datetime) -> None:
    if tip.state is TipState.SUPERSEDED:
        by = await session.get(WorkTip, tip.superseded_by_id) if tip.superseded_by_id else None
        # Until what replaces it may be seen, nobody is told of it: what stands there was read.
        if by is None or tips.shown(by, now):
            raise Conflict("tip_receipt.superseded", no=by.issue_no if by is not None else "")
        return
    if tip.state is TipState.WITHDRAWN:
        raise Conflict("tip_receipt.withdrawn")
    if tip.state is not TipState.RELEASED or (tip.send_at is not None and tip.send_at > now):
        raise Conflict("tip_receipt.early")


def _in_tree(unit: Unit) -> list[int]:
    return [int(part) for part in unit.path.strip(".").split(".")]


def _same() -> ColumnElement[bool]:
    return and_(Receipt.tip_id == TipTarget.tip_id, Receipt.unit_id == TipTarget.unit_id)
