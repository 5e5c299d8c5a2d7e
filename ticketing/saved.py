"""What officers keep for themselves: filters of the queue, and macros, texts that are typed often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office.errors import Conflict, Invalid, NotFound
from office.staff import Permission, Staff, must
from office.store import Base


class SavedFilter(Base):
    """A view of the queue under a name; `query` is the address after the question mark."""

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("staff_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    name: Mapped[str] = mapped_column(String(40))
    query: Mapped[str] = mapped_column(String(400))


class Macro(Base):
    """A text that a unit's officers put into their answers; it carries no conclusion of its own."""

    __tablename__ = "macro"
    __table_args__ = (UniqueConstraint("unit_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    name: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


LONGEST_NAME = 40
LONGEST_QUERY = 400
MOST = 12
"""More tabs than these nobody finds anything in."""


async def listed(session: AsyncSession, person: Staff) -> Sequence[SavedFilter]:
    """The person's own views, in the order they were made."""
    await must(session, person, Permission.SEE_TICKETS)
    rows = select(SavedFilter).where(SavedFilter.staff_id == person.id).order_by(SavedFilter.id)
    return (await session.scalars(rows)).all()


async def get(session: AsyncSession, person: Staff, filter_id: int) -> SavedFilter:
    """One of the person's own views; raises `NotFound("saved_unknown")` for anybody else's."""
    await must(session, person, Permission.SEE_TICKETS)
    found = await session.get(SavedFilter, filter_id)
    if found is None or found.staff_id != person.id:
        raise NotFound("saved_unknown")
    return found


async def save(session: AsyncSession, name: str, query: str, *, actor: Staff) -> SavedFilter:
    """Keep a view under a name; one of that name is replaced, so that saving again changes it.

    `query` is an address that the page itself made. Raises `Invalid` for a missing or long name, and
    `Conflict("saved_many")` for one view too many.
    """
    await must(session, actor, Permission.SEE_TICKETS)
    kept = _name(name)
    if len(query) > LONGEST_QUERY:
        raise Invalid("saved_long", most=LONGEST_QUERY)
    own = await listed(session, actor)
    found = next((one for one in own if one.name == kept), None)
    if found is None:
        if len(own) >= MOST:
            raise Conflict("saved_many", most=MOST)
        found = SavedFilter(staff_id=actor.id, name=kept, query=query)
        session.add(found)
    found.query = query
    await session.flush()
    return found


async def rename(session: AsyncSession, found: SavedFilter, name: str, *, actor: Staff) -> None:
    """Give one's own view another name; raises `Conflict("saved_exists")` for a name in use."""
    kept = _name(name)
    own = await listed(session, actor)
    if found.id not in {one.id for one in own}:
        raise NotFound("saved_unknown")
    if any(one.name == kept and one.id != found.id for one in own):
        raise Conflict("saved_exists")
    found.name = kept
    await session.flush()


async def remove(session: AsyncSession, found: SavedFilter, *, actor: Staff) -> None:
    """Remove one's own view."""
    if found.staff_id != actor.id:
        raise NotFound("saved_unknown")
    await session.delete(found)
    await session.flush()


def _name(name: str) -> str:
    kept = " ".join(name.split())
    if not kept:
        raise Invalid("saved_empty")
    if len(kept) > LONGEST_NAME:
        raise Invalid("saved_long", most=LONGEST_NAME)
    return kept
