"""Rosters: the duty shifts of a unit as a file brought them, prepared by one person, published by another."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from office.store import Base, word


class RosterState(StrEnum):
    """Where a roster stands."""

    PREPARED = auto()
    PUBLISHED = auto()
    DISCARDED = auto()


class Roster(Base):
    """One file of shifts: `rows` as they were read, `findings` what the checks said of them."""

    __tablename__ = "roster"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[RosterState] = mapped_column(word(RosterState), default=RosterState.PREPARED)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    file_name: Mapped[str] = mapped_column(String(120), default="")
    rows: Mapped[list[dict[str, Any]]]
    findings: Mapped[list[dict[str, Any]]]
    prepared_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    prepared_at: Mapped[datetime]
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    published_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so
