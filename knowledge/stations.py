"""Registration and polling stations: where they are, whom they serve, when they are open."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum, auto
from typing import Any, Final

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, redact, units
from office.errors import Conflict, Invalid, NotFound
from office.staff import Permission, Staff, must
from office.store import Base, word

LONGEST_WHY: Final = 200


class StationKind(StrEnum):
    """Where one registers, and where one votes."""

    REGISTRATION = auto()
    POLLING = auto()


class Station(Base):
    """A station as it is in force. It changes by signed imports only, and is hidden or shown at once.

    `code` is what posters carry, in the form of a group number (`12-03`); `groups` are the numbers of the
    voter groups it serves. `hours` are rows `{"from": day, "to": day, "weekdays": "1-5",
    "spans": ["9:00-17:00"]}`; a day without a row is closed. Position in degrees, WGS 84, as phones give it.
    """

    __tablename__ = "station"
    __table_args__ = (UniqueConstraint("kind", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[StationKind] = mapped_column(word(StationKind))
    code: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(80))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    neighbourhood: Mapped[str] = mapped_column(String(80), default="")
    groups: Mapped[list[str]]
    address: Mapped[str] = mapped_column(String(200))
    near: Mapped[str] = mapped_column(String(200), default="")
    directions: Mapped[str] = mapped_column(String(200), default="")
    hours: Mapped[list[dict[str, Any]]]
    phone: Mapped[str] = mapped_column(String(40), default="")
    access: Mapped[list[str]]
    note: Mapped[str] = mapped_column(Text, default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    hidden: Mapped[bool] = mapped_column(default=False)
    hidden_why: Mapped[str] = mapped_column(String(200), default="")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


class StationState(Base):
    """How often the stations have changed: one row, locked by whoever changes them."""

    __tablename__ = "station_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int]


class PosterCount(Base):
    """How many people came by one poster on one day; nothing is kept of who they were."""

    __tablename__ = "poster_count"

    code: Mapped[str] = mapped_column(String(16), primary_key=True)
    source: Mapped[str] = mapped_column(String(8), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    count: Mapped[int]


async def by_code(session: AsyncSession, kind: StationKind, code: str) -> Station:
    """The station, shown or hidden; raises `NotFound`."""
    found = await session.scalar(select(Station).where(Station.kind == kind, Station.code == code))
    if found is None:
        raise NotFound("station_unknown")
    return found


async def hide(
    session: AsyncSession, station: Station, why: str, *, seen: int, actor: Staff, now: datetime
) -> None:
    """Stop showing a station at once; one person who may sign is enough. `seen` is the version that was read.

    Raises `NotPermitted`, `Invalid("station_why")` without a reason, `Conflict` if it has changed meanwhile.
    """
    if not why.strip():
        raise Invalid("station_why")
    await _turned(session, station, actor, seen, hidden=True, why=redact.text(why.strip()).text[:LONGEST_WHY])
    await _told(session, station, "station.hide", actor, now)


async def show(session: AsyncSession, station: Station, *, seen: int, actor: Staff, now: datetime) -> None:
    """Show a hidden station again; raises as `hide`."""
    await _turned(session, station, actor, seen, hidden=False, why="")
    await _told(session, station, "station.show", actor, now)


async def new_revision(session: AsyncSession) -> int:
    """Count one change of the stations; whoever changes them waits here for the one before."""
    state = (
        await session.execute(
            select(StationState)
            .where(StationState.id == 1)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one()
    state.revision += 1
    return state.revision


async def _turned(
    session: AsyncSession, station: Station, actor: Staff, seen: int, *, hidden: bool, why: str
) -> None:
    unit = await units.get(session, station.unit_id)
    await must(session, actor, Permission.SIGN_RULES, unit.path)
    await new_revision(session)
    await session.refresh(station, with_for_update=True)
    if seen != station.version or station.hidden is hidden:
        raise Conflict("stale_card")
    station.hidden, station.hidden_why = hidden, why
    await session.flush()


async def _told(session: AsyncSession, station: Station, action: str, actor: Staff, now: datetime) -> None:
    await audit.record(
        session, action, f"station:{station.id}", actor=actor.as_actor(), now=now,
        kind=station.kind.value, code=station.code,
    )  # fmt: skip
