"""Macros: short texts that a unit's officers put into answers; they carry no conclusion of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import lint
from office import audit, redact, staff, units
from office.errors import Conflict, Invalid, NotFound
from office.staff import Permission, Staff, must
from office.store import insert_once
from office.units import Unit
from ticketing.saved import Macro

LONGEST_NAME = 40
LONGEST_TEXT = 500
MOST = 60


async def listed(session: AsyncSession, person: Staff) -> Sequence[Macro]:
    """The macros of the person's unit and of the units above it, by name."""
    must_see = await staff.reach(session, person)
    found = await session.execute(
        select(Macro, Unit)
        .join(Unit, Unit.id == Macro.unit_id)
        .where(Macro.retired_at.is_(None))
        .order_by(Macro.name)
    )
    return [macro for macro, unit in found if units.contains(unit.path, must_see)]


async def get(session: AsyncSession, person: Staff, macro_id: int) -> Macro:
    """One macro that this person may use; raises `NotFound("macro_unknown")`."""
    for macro in await listed(session, person):
        if macro.id == macro_id:
            return macro
    raise NotFound("macro_unknown")


async def create(session: AsyncSession, name: str, text: str, *, actor: Staff, now: datetime) -> Macro:
    """Keep a text under a name for the unit of `actor`; a retired one of that name comes back with it.

    Raises `Invalid` for a missing, long or unfit text: what must not stand in an entry (days written out,
    claims known to be wrong) must not come in this way, and `Conflict("macro_exists")` for a name in use.
    """
    unit = await units.get(session, actor.unit_id)
    await must(session, actor, Permission.WORK_TICKETS, unit.path)
    name, text = " ".join(name.split()), text.strip()
    if not name or not text:
        raise Invalid("macro_empty")
    if len(name) > LONGEST_NAME or len(text) > LONGEST_TEXT:
        raise Invalid("macro_long", name=LONGEST_NAME, text=LONGEST_TEXT)
    for problem in lint.in_texts([text], variables=()):
        if problem.blocks:
            raise Invalid(problem.key, **problem.facts)
    clean = redact.text(text, published=await units.published_numbers(session)).text
    own = select(func.count()).select_from(Macro)
    if (await session.scalar(own.where(Macro.unit_id == unit.id, Macro.retired_at.is_(None))) or 0) >= MOST:
        raise Conflict("macro_most", most=MOST)
    kept = {"text": clean, "author_id": actor.id, "at": now, "retired_at": None}
    row = {"unit_id": unit.id, "name": name, **kept}
    new = await insert_once(session, Macro, row, unique=("unit_id", "name"))
    macro = await session.scalar(
        select(Macro).where(Macro.unit_id == unit.id, Macro.name == name).with_for_update()
    )
    assert macro is not None
    if not new:
        if macro.retired_at is None:
            raise Conflict("macro_exists", name=name)
        macro.text, macro.author_id, macro.at, macro.retired_at = clean, actor.id, now, None
    await session.flush()
    await audit.record(session, "macro.create", f"macro:{macro.id}", actor=actor.as_actor(), now=now)
    return macro


async def retire(session: AsyncSession, macro_id: int, *, actor: Staff, now: datetime) -> None:
    """Take a macro of one's own unit out of use; a second time changes nothing."""
    macro = await session.get(Macro, macro_id, with_for_update=True)
    if macro is None:
        raise NotFound("macro_unknown")
    await must(session, actor, Permission.WORK_TICKETS, (await units.get(session, macro.unit_id)).path)
    if macro.retired_at is not None:
        return
    macro.retired_at = now
    await session.flush()
    await audit.record(session, "macro.retire", f"macro:{macro.id}", actor=actor.as_actor(), now=now)
