"""Ways into offline handling for tests, and a look through everything a database holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, text
from sqlalchemy.ext.asyncio import AsyncSession

from office.seal import Sealer
from office.staff import Role, Staff
from office.store import Base, Store
from office.units import Unit
from tests.make import Cast
from tests.ticketing.work import opened
from ticketing import offline, tickets
from ticketing.records import Ticket

SEALER = Sealer(b"")
"""The key that the services of the tests have as well."""
MARK = "丙字楼的钥匙"
WORDS = f"有人在登记时拿走了{MARK}，请不要公开"
WHY = "涉及个人，宜线下核实"


async def person(session: AsyncSession, unit: Unit, name: str, now: datetime, *roles: Role) -> Staff:
    """One more member of staff."""
    made = Staff(name=name, unit_id=unit.id, roles=[role.value for role in roles], created_at=now)
    session.add(made)
    await session.flush()
    return made


async def reviewer(store: Store, cast: Cast, now: datetime, name: str = "何静") -> Staff:
    """A second reviewer of the district."""
    async with store.transaction() as session:
        return await person(session, cast.district, name, now, Role.REVIEWER, Role.DUTY_OFFICER)


async def confidential(store: Store, cast: Cast, now: datetime, **more: Any) -> Ticket:
    """A ticket of 张敏's as it is opened, its words confidential."""
    return await opened(store, cast, now, **({"words": WORDS} | more))


async def taken_offline(store: Store, cast: Cast, now: datetime, **more: Any) -> Ticket:
    """王芳 has had it handled offline by 李强."""
    ticket = await confidential(store, cast, now, **more)
    return await take(store, cast, ticket, now)


async def take(store: Store, cast: Cast, ticket: Ticket, now: datetime, *readers: Staff) -> Ticket:
    """王芳, who reviews and so leads, has a ticket handled offline by 李强."""
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await offline.take(
            session, found, cast.li_qiang, readers=list(readers), reason=WHY, sealer=SEALER,
            actor=cast.wang_fang, now=now,
        )  # fmt: skip
    return found


async def places_of(store: Store, mark: str) -> set[str]:
    """Every table and column in which a text stands in clear, read without any model in between."""
    found = set()
    async with store.reading() as session:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, LargeBinary):
                    continue
                rows = await session.execute(
                    text(f'SELECT CAST("{column.name}" AS TEXT) FROM "{table.name}"')
                )
                for (value,) in rows:
                    # JSON writes what is not ASCII as \\uXXXX.
                    plain = value or ""
                    if mark in plain or mark.encode("unicode_escape").decode() in plain:
                        found.add(f"{table.name}.{column.name}")
    return found
