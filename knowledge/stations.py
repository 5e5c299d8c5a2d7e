"""Registration and polling stations: where they are, whom they serve, when they are open."""

from __future__ import annotations

from datetime import date
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from office.store import Base, word


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
