"""Whether a new version says something else to askers, and what its author says about that."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.versions import Alteration, Entry, EntryVersion
from office.errors import Invalid

READ_BY_ASKERS = ("short", "full", "steps", "documents", "basis", "confirmed")


async def says_otherwise(session: AsyncSession, version: EntryVersion) -> bool:
    """Whether askers would read something else than what the version in force tells them."""
    entry = await session.get_one(Entry, version.entry_id)
    if entry.published_id is None or entry.published_id == version.id:
        return False
    before = await session.get_one(EntryVersion, entry.published_id)
    return any(getattr(before, name) != getattr(version, name) for name in READ_BY_ASKERS)


async def chosen(
    session: AsyncSession, version: EntryVersion, choice: Alteration | None
) -> Alteration | None:
    """What is kept of the author's choice: none where askers read the same as before.

    Whether those who were told the old wording are owed a correction is for the author to say: without a
    choice where one is owed it raises `Invalid("alteration_needed")`.
    """
    if not await says_otherwise(session, version):
        return None
    if choice is None:
        raise Invalid("alteration_needed")
    return choice
