"""The organisation tree: city, district, subdistrict, working group, neighbourhood, electoral units."""

from __future__ import annotations

import re
from enum import StrEnum, auto
from typing import Final

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office.digits import fold
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


# --- group numbers ----------------------------------------------------------------------------------------

_NUMERALS: Final = "零〇一二两三四五六七八九十百"
_NUMBER: Final = rf"[0-9]{{1,3}}|[{_NUMERALS}]{{1,5}}"
_WIDE: Final = str.maketrans("０１２３４５６７８９，", "0123456789,")
_SAID: Final = re.compile(
    rf"(?:第 ?)?(?<![0-9{_NUMERALS}])({_NUMBER}) ?号?大?选区[, ]?第? ?({_NUMBER}) ?号?(?:选民)?小?组"
)
# Not within dates, telephone numbers, times or longer numbers, and not what a door or a day is called.
_WRITTEN: Final = re.compile(
    r"(?<![0-9A-Z.:/\-])([0-9]{1,3}) ?- ?([0-9]{1,3})(?! ?[0-9:./-])"
    r"(?!号楼|号|室|弄|幢|栋|楼|层|元|点|时|日|月|岁)"
)
_NAMED: Final = re.compile(r" ?(?:选民)?(?:小?组|登记站|投票站|选区|站)")


def parse_group_no(text: str) -> str | None:
    """The group number that a text names, `12-03`, wherever it stands in it; the first of several.

    大选区编号-选民小组编号: also 12－03, 12选区3组 and 第十二选区第三小组. With fewer than two digits in a
    part it is one only as the whole text or before a word for it (12-3组), else it is more likely a date.
    """
    found = group_numbers(text)
    return found[0] if found else None


def group_numbers(text: str) -> tuple[str, ...]:
    """All group numbers that a text names, in order, each once; see `parse_group_no`."""
    return tuple(dict.fromkeys(number for _, _, number in _numbers(text)))


def without_group_numbers(text: str) -> str:
    """The text with a space in place of every group number."""
    pieces, kept_from = [], 0
    for start, end, _ in _numbers(text):
        pieces.append(text[kept_from:start])
        kept_from = max(kept_from, end)
    return " ".join([*pieces, text[kept_from:]])


def group_key(group_no: str) -> tuple[int, int]:
    """What makes two spellings one number: 12-3, 12-03 and 012-003 are the same.

    Raises ValueError for anything that is no group number.
    """
    district, _, group = group_no.partition("-")
    return int(district), int(group)


def _numbers(text: str) -> list[tuple[int, int, str]]:
    """Where group numbers stand in a text, in order, with the numbers."""
    plain = text.translate(_WIDE)
    found = [(*said.span(), _group_no(_value(said[1]), _value(said[2]))) for said in _SAID.finditer(plain)]
    symbols, origins, _ = fold(text)
    for written in _WRITTEN.finditer(symbols):
        district, group = written[1], written[2]
        whole = written[0] == symbols.strip(" ")
        if (len(district) > 1 and len(group) > 1) or whole or _NAMED.match(symbols, written.end()):
            start, end = origins[written.start()], origins[written.end() - 1] + 1
            found.append((start, end, _group_no(district, group)))
    return sorted(found)


def _group_no(district: str, group: str) -> str:
    return f"{district.zfill(2)}-{group.zfill(2)}"


def _value(numeral: str) -> str:
    if numeral.isascii():
        return numeral
    total = current = 0
    for character in numeral:
        if character in "十百":
            total += (current or 1) * (10 if character == "十" else 100)
            current = 0
        else:
            digit = "零一二三四五六七八九".find(character)
            current = current * 10 + (digit if digit >= 0 else 2 * (character == "两"))
    return str(total + current)
