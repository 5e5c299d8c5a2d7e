"""Duty shifts that are in force: who is on when, and which hours the office therefore has."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum, auto

from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office.hours import beijing_day, moment
from office.rosters import Roster
from office.store import Base, word
from office.timetable import Span

SEEN_BACK, SEEN_AHEAD = timedelta(days=35), timedelta(days=400)


class ShiftName(StrEnum):
    """上午, 下午, 晚间, 全天."""

    MORNING = auto()
    AFTERNOON = auto()
    EVENING = auto()
    WHOLE_DAY = auto()


class DutyShift(Base):
    """One shift of a unit's roster. It is in force until `withdrawn_at`: a newer roster took its place.

    `opens` and `closes` are `HH:MM` Beijing time, `closes` at most 24:00. `note` is what is handed over,
    `signed_in_at` and `signed_out_at` are 签到 and 签退; `signed_in_by_id` says whether the officer came or
    the standby stepped in.
    """

    __tablename__ = "duty_shift"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    roster_id: Mapped[int | None] = mapped_column(ForeignKey(Roster.id))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    day: Mapped[date] = mapped_column(index=True)
    name: Mapped[ShiftName] = mapped_column(word(ShiftName))
    opens: Mapped[str] = mapped_column(String(5))
    closes: Mapped[str] = mapped_column(String(5))
    leader_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    officer_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    standby_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    phone: Mapped[str] = mapped_column(String(40), default="")
    place: Mapped[str] = mapped_column(String(80), default="")
    duty: Mapped[str] = mapped_column(String(200), default="")
    emergency: Mapped[str] = mapped_column(String(80), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    signed_in_at: Mapped[datetime | None]
    signed_in_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    signed_out_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so

    @property
    def span(self) -> Span:
        return Span.parse(f"{self.opens}-{self.closes}")

    def covers(self, at: datetime) -> bool:
        """Whether somebody is on duty by this shift at this moment; at its end nobody is any more."""
        span = self.span
        return moment(self.day, span.opens) <= at < moment(self.day, span.closes)


async def present(session: AsyncSession, now: datetime, unit_ids: list[int] | None = None) -> list[DutyShift]:
    """The shifts in force that cover this moment, of these units or of all."""
    statement = select(DutyShift).where(DutyShift.day == beijing_day(now), DutyShift.withdrawn_at.is_(None))
    if unit_ids is not None:
        statement = statement.where(DutyShift.unit_id.in_(unit_ids))
    rows = await session.scalars(statement.order_by(DutyShift.opens, DutyShift.id))
    return [shift for shift in rows if shift.covers(now)]


async def opened(session: AsyncSession, unit_id: int, *, now: datetime) -> dict[date, tuple[Span, ...]]:
    """The hours that a unit's shifts give each day they name, from five weeks back to a year ahead."""
    today = beijing_day(now)
    rows = await session.execute(
        select(DutyShift.day, DutyShift.opens, DutyShift.closes)
        .where(DutyShift.unit_id == unit_id, DutyShift.withdrawn_at.is_(None))
        .where(DutyShift.day.between(today - SEEN_BACK, today + SEEN_AHEAD))
    )
    found: dict[date, tuple[Span, ...]] = {}
    for day, opens, closes in rows:
        found[day] = (*found.get(day, ()), Span.parse(f"{opens}-{closes}"))
    return found
