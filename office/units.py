"""The organisation tree: city, district, subdistrict, working group, neighbourhood, electoral units."""

from __future__ import annotations

from enum import StrEnum, auto

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office.errors import NotFound
from office.store import Base, word


class UnitKind(StrEnum):
    """What a node of the tree is."""

    CITY = auto()
    DISTRICT = auto()
    SUBDISTRICT = auto()
    TOWN = auto()
    WORKING_GROUP = auto()
    NEIGHBOURHOOD = auto()
    ELECTORAL_DISTRICT = auto()
    VOTER_GROUP = auto()


class Unit(Base):
    """A node of the tree with the way to reach it.

    `path` lists the row numbers from the root to the unit itself, `.1.4.`, so a subtree is a prefix.
    `code` is the two letters before ticket numbers for a district, else a short code of its own.
    """

    __tablename__ = "unit"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[UnitKind] = mapped_column(word(UnitKind))
    code: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    path: Mapped[str] = mapped_column(String(200), index=True, default="")
    office_name: Mapped[str] = mapped_column(String(120), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    address: Mapped[str] = mapped_column(String(200), default="")
    hours_text: Mapped[str] = mapped_column(String(200), default="")


async def add(
    session: AsyncSession,
    kind: UnitKind,
    code: str,
    name: str,
    parent: Unit | None = None,
    **ways: str,
) -> Unit:
    """Add a unit below `parent`; `ways` are `office_name`, `phone`, `address`, `hours_text`."""
    unit = Unit(kind=kind, code=code, name=name, parent_id=parent.id if parent else None, **ways)
    session.add(unit)
    await session.flush()
    unit.path = f"{parent.path if parent else '.'}{unit.id}."
    await session.flush()
    return unit


async def get(session: AsyncSession, unit_id: int) -> Unit:
    """The unit with this row number; raises `NotFound`."""
    unit = await session.get(Unit, unit_id)
    if unit is None:
        raise NotFound("unit_unknown")
    return unit


async def election_office(session: AsyncSession) -> Unit:
    """The district whose office runs this desk and signs its answers; raises `NotFound` without one."""
    unit = await session.scalar(select(Unit).where(Unit.kind == UnitKind.DISTRICT).order_by(Unit.id).limit(1))
    if unit is None:
        raise NotFound("unit_unknown")
    return unit


async def all_units(session: AsyncSession) -> list[Unit]:
    """The whole tree in the order of its paths' depth and row number."""
    rows = (await session.scalars(select(Unit).order_by(Unit.id))).all()
    return sorted(rows, key=lambda unit: [int(part) for part in unit.path.strip(".").split(".")])


def contains(above: str, below: str) -> bool:
    """Whether the unit with path `below` is the unit with path `above` or lies under it."""
    return below.startswith(above)


async def published_numbers(session: AsyncSession) -> tuple[str, ...]:
    """The phone numbers that units publish themselves: these are never redacted."""
    return tuple((await session.scalars(select(Unit.phone).where(Unit.phone != ""))).all())
