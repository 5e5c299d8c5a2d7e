"""The invented district that a fresh installation shows. 示例数据，非真实信息。"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import base, calendar
from office import signin, units
from office.staff import Role, Staff
from office.store import Store
from office.units import Unit, UnitKind

FILE = Path(__file__).parent.parent / "data" / "demo" / "district.yaml"
FIRST_ROLES = (Role.ADMIN, Role.DUTY_OFFICER, Role.EDITOR, Role.REVIEWER)


async def empty(store: Store) -> bool:
    """Whether nothing has been set up yet."""
    async with store.reading() as session:
        return await session.scalar(select(Unit.id).limit(1)) is None


async def load(store: Store, *, now: datetime, progress: Callable[[int, int], None] | None = None) -> int:
    """Load the sample district and the base of entries; returns how many entries there are."""
    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    async with store.transaction() as session:
        found = await _units(session, data["units"])
        for row in data["staff"]:
            await signin.invite(
                session, row["name"], [Role(role) for role in row["roles"]], found[row["unit"]],
                actor=None, now=now,
            )  # fmt: skip
        election = data["election"]
        await calendar.enter(
            session, found[election["unit"]].id, election["name"], election["day"], election["registration"]
        )
        district = await units.election_office(session)
        return await base.load(session, base.FOLDER, district, now=now, progress=progress)


async def way_in(store: Store, name: str, *, now: datetime) -> str | None:
    """A one-time token for the account `name` if nobody has taken it over yet, else None.

    The first administrator's account is made on the first call.
    """
    async with store.transaction() as session:
        person = await session.scalar(select(Staff).where(Staff.name == name).order_by(Staff.id).limit(1))
        if person is None and name == FIRST:
            office = await units.election_office(session)
            _, token = await signin.invite(session, name, FIRST_ROLES, office, actor=None, now=now)
            return token
        if person is None or person.password_hash is not None:
            return None
        return await signin.new_way_in(session, person, actor=None, now=now)


FIRST = "首位管理员"


async def _units(session: AsyncSession, rows: list[dict[str, Any]]) -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for row in rows:
        ways = {key: row[key] for key in ("office_name", "phone", "address", "hours_text") if key in row}
        found[row["code"]] = await units.add(
            session, UnitKind(row["kind"]), row["code"], row["name"], found.get(row.get("parent", "")), **ways
        )
    return found
