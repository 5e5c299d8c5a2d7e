"""What a fresh installation begins with: the invented district (示例数据，非真实信息), or one's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot import demo_roll, demo_roster
from knowledge import base, elections, rules, station_imports
from knowledge.calendar import BadCalendar
from office import signin, units
from office.staff import Role, Staff
from office.store import Store
from office.units import Unit, UnitKind
from office.words import say

FILE = Path(__file__).parent.parent / "data" / "demo" / "district.yaml"
FIRST_ROLES = (Role.ADMIN, Role.DUTY_OFFICER, Role.EDITOR, Role.REVIEWER, Role.REGISTRAR)


class BadFile(ValueError):
    """The file of units is not in the form of the sample's."""


async def empty(store: Store) -> bool:
    """Whether nothing has been set up yet."""
    async with store.reading() as session:
        return await session.scalar(select(Unit.id).limit(1)) is None


async def load(
    store: Store,
    file: Path = FILE,
    *,
    now: datetime,
    progress: Callable[[int, int], None] | None = None,
    roll_key: Path | None = None,
) -> int:
    """Load a district, the sample one or one's own in the same form, and the base of entries.

    The file may name neighbouring offices, a file of stations beside it, and a roll of invented voters; that
    one is made only with `roll_key`, where the service's key is or shall be.

    Returns how many entries there are. Raises `OSError`, and `BadFile` for a file in another form.
    """
    data = _read(file)
    async with store.transaction() as session:
        found = await _units(session, data["units"])
        for row in data.get("staff", []):
            await signin.invite(
                session, row["name"], [Role(role) for role in row["roles"]], found[row["unit"]],
                actor=None, now=now,
            )  # fmt: skip
        if data.get("election") is not None:
            await _calendar(session, found, data["election"], file.name, now)
        if data.get("neighbours"):
            await rules.install_contacts(session, data["neighbours"], basis=file.name, now=now)
        if data.get("stations"):
            await station_imports.install(session, file.with_name(data["stations"]), now=now)
        if data.get("roll") and roll_key is not None:
            await demo_roll.install(session, data["roll"], roll_key, basis=file.name, now=now)
        district = await units.election_office(session)
        if data.get("roster"):
            await demo_roster.install(session, data["roster"], district, now=now)
        return await base.load(session, base.FOLDER, district, now=now, progress=progress)


def _read(file: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        wanted = {"code", "kind", "name"}
        if not all(wanted <= row.keys() for row in data["units"]):
            raise BadFile(f"{file.name}: {', '.join(sorted(wanted))}?")
        return data
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise BadFile(f"{file.name}: {type(error).__name__}") from error


async def _calendar(
    session: AsyncSession, found: dict[str, Unit], election: dict[str, Any], name: str, now: datetime
) -> None:
    try:
        scope, content = found[election["unit"]], elections.from_file(election)
        await elections.install(session, scope, content, basis=name, now=now)
    except KeyError as error:
        raise BadFile(f"{name}: election.unit?") from error
    except BadCalendar as error:
        raise BadFile(f"{name}: election: {say(error.key, **error.facts)}") from error


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
