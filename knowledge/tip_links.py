"""What hangs on a work tip: the units it is addressed to, the entry versions that come into force with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import tip_bonds, tip_words
from knowledge.tips import TipEntry, TipTarget, WorkTip
from knowledge.versions import Entry, EntryState, EntryVersion
from office import units
from office.errors import Conflict, Invalid
from office.staff import Permission, Staff, must, reach
from office.units import Unit

OPEN = (EntryState.DRAFT, EntryState.IN_REVIEW)


async def targets(session: AsyncSession, tip: WorkTip) -> list[Unit]:
    """The units it is addressed to, in the order of the tree."""
    rows = await session.scalars(
        select(Unit).join(TipTarget, TipTarget.unit_id == Unit.id).where(TipTarget.tip_id == tip.id)
    )
    return sorted(rows.all(), key=lambda unit: [int(part) for part in unit.path.strip(".").split(".")])


async def linked(session: AsyncSession, tip: WorkTip) -> Sequence[tuple[TipEntry, EntryVersion, Entry]]:
    """The entry versions that come into force with it, in the order of their entries."""
    rows = await session.execute(
        select(TipEntry, EntryVersion, Entry)
        .join(EntryVersion, EntryVersion.id == TipEntry.version_id)
        .join(Entry, Entry.id == EntryVersion.entry_id)
        .where(TipEntry.tip_id == tip.id)
        .order_by(Entry.id, EntryVersion.id)
    )
    return [(link, version, entry) for link, version, entry in rows]


async def demand_free(session: AsyncSession, version: EntryVersion) -> None:
    """Raise `Conflict("entry_of_tip")` for a version that a signed tip brings into force at its time.

    Not before it, not after it, and not in other words than those that were signed: whoever wants it
    otherwise withdraws the tip.
    """
    for tip in (await tip_bonds.waiting(session, [version.id])).values():
        raise Conflict("entry_of_tip", no=tip_words.number(tip))


async def set_targets(session: AsyncSession, tip: WorkTip, unit_ids: Iterable[int], *, actor: Staff) -> None:
    """Address a draft to these units and no other; `tip_drafts.edit` has locked it.

    Raises `NotFound` for an unknown unit, `NotPermitted` for a new one outside the actor's reach.
    """
    wanted = sorted(set(unit_ids))
    before = {unit.id for unit in await targets(session, tip)}
    for unit_id in set(wanted) - before:
        unit = await units.get(session, unit_id)
        await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)
    await session.execute(delete(TipTarget).where(TipTarget.tip_id == tip.id))
    session.add_all(TipTarget(tip_id=tip.id, unit_id=unit_id) for unit_id in wanted)
    await session.flush()


async def link(session: AsyncSession, tip: WorkTip, version_ids: Iterable[int], *, actor: Staff) -> None:
    """Let these entry versions, and no other, come into force with a draft; `tip_drafts.edit` has locked it.

    Raises `Invalid("tip_entry_unfit")` for what is no unpublished version, and for two of one entry,
    `NotPermitted` for one whose scope lies outside the actor's reach.
    """
    wanted = sorted(set(version_ids))
    rows = await session.scalars(select(EntryVersion).where(EntryVersion.id.in_(wanted)))
    versions = [version for version in rows if version.state in OPEN]
    if len({version.entry_id for version in versions}) != len(wanted):
        raise Invalid("tip_entry_unfit")
    for version in versions:
        scope = await units.get(session, version.scope_unit_id)
        await must(session, actor, Permission.DRAFT_ENTRIES, scope.path)
    await session.execute(delete(TipEntry).where(TipEntry.tip_id == tip.id))
    session.add_all(TipEntry(tip_id=tip.id, version_id=version_id) for version_id in wanted)
    await session.flush()


async def open_versions(session: AsyncSession, person: Staff) -> Sequence[tuple[EntryVersion, Entry]]:
    """What could be linked by this person: unpublished versions within their reach, by number of entry."""
    await must(session, person, Permission.DRAFT_ENTRIES)
    rows = await session.execute(
        select(EntryVersion, Entry)
        .join(Entry, Entry.id == EntryVersion.entry_id)
        .join(Unit, Unit.id == EntryVersion.scope_unit_id)
        .where(EntryVersion.state.in_(OPEN), Unit.path.startswith(await reach(session, person)))
        .order_by(Entry.entry_no)
    )
    return [(version, entry) for version, entry in rows]
