"""Roll packages carried in: prepared by one person, applied by another in one switch, taken out.

What a lookup asks is the import that the one row of `roll_state` names. A switch changes that row and
nothing else, so whoever asks meets the old roll or the new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll import differences, package, signers, staging
from knowledge.roll.identity import DIGEST_VERSION, DigestKey
from knowledge.roll.package import BadPackage, Header, Package
from knowledge.roll.records import TRANSITIONS, ImportState, RollImport, RollRow, RollState
from office import audit, redact
from office.audit import CLOCK, SYSTEM, Actor
from office.errors import Conflict, Invalid, NotFound
from office.staff import Permission, Staff, may, must, second_person
from office.store import Store

S = ImportState
BATCH: Final = 20_000
"""Rows that one call of `clear_away` deletes: it runs every second, and others wait meanwhile."""
LOADING_LASTS: Final = timedelta(hours=1)
CLOCKS_DIFFER: Final = timedelta(days=1)
"""So far ahead may the clock of the offline machine be; beyond, no later package would be newer."""
LONGEST_WHY: Final = 200
NO_ROLL: Final = "no_roll"
"""The reason of a stop that ends with an apply, because there was nothing to ask."""
_OVER = (S.REPLACED, S.ROLLED_BACK, S.DROPPED)


async def prepare(store: Store, path: Path, *, key: DigestKey, actor: Staff, now: datetime) -> RollImport:
    """Check a package against what is trusted, stage its rows unseen, and count what it would change.

    `key` is the service's. The file is not kept. Takes as long as the rows do; a crash on the way leaves
    nothing that can be asked. Raises `NotPermitted`; what `package.check` raises; `BadPackage`:
    "roll_package.no_signer", ".signer", ".election", ".key", ".digest_version", ".empty", ".future",
    ".replayed", ".older"; `Conflict("roll_package.loading")` while the same package is under way,
    `Conflict("stale_card")` if it was given up meanwhile.
    """
    async with store.reading() as session:
        await must(session, actor, Permission.PREPARE_ROLL)
    found = await asyncio.to_thread(package.check, path)
    async with store.transaction() as session:
        await _refuse(session, found.header, key, now)
        imported = await _begin(session, found, actor.id, now)
    try:
        await staging.load(store, imported.id, found)
        counts = await _compared(store, imported.id)
        async with store.transaction() as session:
            row = await _locked(session, imported.id)
            row.counts = {**row.counts, **counts}
            await _move(session, row, S.PREPARED, "prepare", actor.as_actor(), now)
            return row
    except BaseException:
        # If even this cannot be written down, the worker does it later; what went wrong first is what counts.
        with suppress(Exception):
            async with store.transaction() as session:
                await _give_up(session, await _locked(session, imported.id), "fail", SYSTEM, now)
        raise


async def compare(store: Store, import_id: int, *, actor: Staff, now: datetime) -> RollImport:
    """Count anew what a prepared import would change, after another roll came in force.

    Raises `NotPermitted`, `NotFound`, `Conflict("stale_card")` for one that no longer waits.
    """
    async with store.reading() as session:
        await must(session, actor, Permission.PREPARE_ROLL)
        await get(session, import_id)
    counts = await _compared(store, import_id)
    async with store.transaction() as session:
        row = await _locked(session, import_id)
        if row.state is not S.PREPARED:
            raise Conflict("stale_card")
        row.counts = {**row.counts, **counts}
        await session.flush()
        await audit.record(session, "roll_import.compare", f"roll_import:{row.id}",
                           actor=actor.as_actor(), now=now, **counts)  # fmt: skip
        return row


async def apply(
    session: AsyncSession, imported: RollImport, *, seen: int, actor: Staff, now: datetime
) -> None:
    """A second person puts a prepared import in force. `seen` is the `version` of the page that was read.

    Raises `NotPermitted`; `Conflict`: "stale_card", "roll_import.compared" if the roll in force is not the
    one that the counts were made against; `BadPackage` if its signer is no longer trusted or it is no longer
    newer.
    """
    await must(session, actor, Permission.APPLY_ROLL)
    state = await _in_turn(session)
    await session.refresh(imported, with_for_update=True)
    await second_person(session, actor, imported.prepared_by_id, now=now)
    if imported.version != seen or imported.state is not S.PREPARED:
        raise Conflict("stale_card")
    signer = await signers.in_force(session, now=now)
    if signer is None or (signer.public_key, signer.key_id) != (imported.signer, imported.key_id):
        raise BadPackage("roll_package.signer" if signer else "roll_package.no_signer")
    current = await in_force(session)
    if current is not None and imported.made_at <= current.made_at:
        raise BadPackage("roll_package.older", theirs=imported.made_at, ours=current.made_at)
    if imported.counts["compared_with"] != (state.current_id or 0):
        raise Conflict("roll_import.compared")
    await _switch(session, state, imported, actor.id, actor.as_actor(), now)


async def roll_back(session: AsyncSession, *, seen: int, why: str, actor: Staff, now: datetime) -> RollImport:
    """Take the roll in force out at once: the one before it is asked again. One person is enough.

    `seen` is the `version` of the import in force on the page that was read. Returns the import that is asked
    now. Raises `NotPermitted`, `Invalid("roll_import.why")`, `Conflict`: "stale_card",
    "roll_import.none_before".
    """
    await must(session, actor, Permission.APPLY_ROLL)
    reason = redact.text(why).text.strip()
    if not reason or len(reason) > LONGEST_WHY:
        raise Invalid("roll_import.why", most=LONGEST_WHY)
    state = await _in_turn(session)
    current, earlier = await in_force(session), await before(session)
    # Another election's roll lies under a key that the service no longer has.
    if current is None or earlier is None or earlier.key_id != current.key_id:
        raise Conflict("roll_import.none_before")
    if current.version != seen:
        raise Conflict("stale_card")
    current.ended_at, earlier.ended_at = now, None
    state.current_id, state.previous_id = earlier.id, None
    await _move(session, current, S.ROLLED_BACK, "roll_back", actor.as_actor(), now, why=reason)
    await _move(session, earlier, S.APPLIED, "restore", actor.as_actor(), now)
    return earlier


async def drop(
    session: AsyncSession, imported: RollImport, *, seen: int, actor: Staff, now: datetime
) -> None:
    """Give up an import that nobody has applied, also one whose loading hangs; either person may.

    Its package may be carried in again. Raises `NotPermitted`, `Conflict("stale_card")`.
    """
    if not may(actor, Permission.APPLY_ROLL):
        await must(session, actor, Permission.PREPARE_ROLL)
    await _in_turn(session)
    await session.refresh(imported, with_for_update=True)
    if imported.version != seen:
        raise Conflict("stale_card")
    await _give_up(session, imported, "drop", actor.as_actor(), now)


async def install(session: AsyncSession, found: Package, *, now: datetime) -> RollImport:
    """Put a small package in force that came with the installation, all in the caller's transaction.

    Raises `Conflict("roll_import.there")` if a roll is in force.
    """
    state = await _in_turn(session)
    if state.current_id is not None:
        raise Conflict("roll_import.there")
    imported = await _begin(session, found, None, now)
    await staging.load_small(session, imported.id, found)
    counts = await differences.count(session, imported.id, None)
    imported.counts = {**imported.counts, **counts.counts(), "compared_with": 0}
    await _move(session, imported, S.PREPARED, "prepare", SYSTEM, now)
    await _switch(session, state, imported, None, SYSTEM, now)
    return imported


async def clear_away(session: AsyncSession, now: datetime) -> int:
    """Delete some rows that nobody can ask again; loads that stopped an hour ago are given up first.

    Returns how many rows went. A roll in force, the one before it and those that wait keep theirs.
    """
    stuck = select(RollImport).where(RollImport.state == S.LOADING)
    stuck = stuck.where(RollImport.prepared_at < now - LOADING_LASTS).with_for_update(skip_locked=True)
    for row in await session.scalars(stuck):
        await _give_up(session, row, "give_up", CLOCK, now)
    state = await session.get_one(RollState, 1, populate_existing=True)
    over = (
        select(RollImport)
        .where(RollImport.state.in_(_OVER), RollImport.cleared_at.is_(None))
        .where(RollImport.id.not_in([state.current_id or 0, state.previous_id or 0]))
        .order_by(RollImport.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    imported = await session.scalar(over)
    if imported is None:
        return 0
    rows = RollRow.import_id == imported.id
    first_kept = await session.scalar(
        select(RollRow.digest).where(rows).order_by(RollRow.digest).offset(BATCH).limit(1)
    )
    going = delete(RollRow).where(rows)
    if first_kept is not None:
        going = going.where(RollRow.digest < first_kept)
    gone = await session.execute(going.execution_options(synchronize_session=False))
    if first_kept is None:
        imported.cleared_at = now
        await audit.record(session, "roll_import.clear", f"roll_import:{imported.id}", actor=CLOCK, now=now)
    return int(gone.rowcount)  # type: ignore[attr-defined]


async def get(session: AsyncSession, import_id: int) -> RollImport:
    """The import with this row number; raises `NotFound`."""
    row = await session.get(RollImport, import_id)
    if row is None:
        raise NotFound("roll_import.unknown")
    return row


async def in_force(session: AsyncSession) -> RollImport | None:
    """The import that lookups ask; None if there is none."""
    statement = select(RollImport).join(RollState, RollState.current_id == RollImport.id)
    return await session.scalar(statement, execution_options={"populate_existing": True})


async def before(session: AsyncSession) -> RollImport | None:
    """The import that a roll back would put in force again; None if there is none."""
    statement = select(RollImport).join(RollState, RollState.previous_id == RollImport.id)
    return await session.scalar(statement, execution_options={"populate_existing": True})


async def listed(session: AsyncSession, *, limit: int = 50) -> list[RollImport]:
    """The imports, the latest first."""
    return list(await session.scalars(select(RollImport).order_by(RollImport.id.desc()).limit(limit)))


async def _refuse(session: AsyncSession, header: Header, key: DigestKey, now: datetime) -> None:
    signer = await signers.in_force(session, now=now)
    if signer is None:
        raise BadPackage("roll_package.no_signer")
    if header.signer != signer.public_key:
        raise BadPackage("roll_package.signer")
    if header.election != signer.election or header.election != key.election:
        raise BadPackage("roll_package.election", theirs=header.election, ours=key.election)
    if header.key_id != signer.key_id or header.key_id != key.key_id:
        raise BadPackage("roll_package.key", theirs=header.key_id, ours=key.key_id)
    if header.digest_version != DIGEST_VERSION:
        raise BadPackage("roll_package.digest_version", version=header.digest_version)
    if not header.counts["persons"]:
        raise BadPackage("roll_package.empty")
    if header.made_at > now + CLOCKS_DIFFER:
        raise BadPackage("roll_package.future", at=header.made_at)
    same = await session.scalar(select(RollImport).where(RollImport.package_id == header.package_id))
    if same is not None:
        if same.state is S.LOADING:
            raise Conflict("roll_package.loading", number=same.id)
        raise BadPackage("roll_package.replayed", number=same.id)
    current = await in_force(session)
    if current is not None and header.made_at <= current.made_at:
        raise BadPackage("roll_package.older", theirs=header.made_at, ours=current.made_at)


async def _begin(session: AsyncSession, found: Package, actor_id: int | None, now: datetime) -> RollImport:
    header = found.header
    imported = RollImport(
        package_id=header.package_id, package_hash=found.hash, election=header.election, key_id=header.key_id,
        digest_version=header.digest_version, signer=header.signer, made_at=header.made_at, rows=header.rows,
        counts=dict(header.counts), prepared_by_id=actor_id, prepared_at=now,
    )  # fmt: skip
    session.add(imported)
    await session.flush()
    return imported


async def _compared(store: Store, import_id: int) -> Mapping[str, int]:
    async with store.reading() as session:
        state = await session.get_one(RollState, 1)
        found = await differences.count(session, import_id, state.current_id)
        return {**found.counts(), "compared_with": state.current_id or 0}


async def _switch(
    session: AsyncSession,
    state: RollState,
    imported: RollImport,
    actor_id: int | None,
    actor: Actor,
    now: datetime,
) -> None:
    current = await in_force(session)
    if current is not None:
        current.ended_at = now
        await _move(session, current, S.REPLACED, "replace", actor, now)
    imported.applied_by_id, imported.applied_at = actor_id, now
    state.previous_id, state.current_id = state.current_id, imported.id
    if state.stopped_why == NO_ROLL:
        state.stopped_at, state.stopped_why = None, ""
    await _move(session, imported, S.APPLIED, "apply", actor, now)


async def _give_up(session: AsyncSession, imported: RollImport, by: str, actor: Actor, now: datetime) -> None:
    was = imported.package_id
    await _move(session, imported, S.DROPPED, by, actor, now, package=was)
    # The name is free again, so that the same package can be carried in once more; hash and audit keep it.
    imported.package_id, imported.ended_at = f"dropped:{imported.id}", now
    await session.flush()


async def _move(
    session: AsyncSession,
    row: RollImport,
    to: ImportState,
    by: str,
    actor: Actor,
    now: datetime,
    **facts: str,
) -> None:
    await audit.move(session, row, to, by=by, table=TRANSITIONS, actor=actor, now=now,
                     hash=row.package_hash, rows=row.rows, **facts)  # fmt: skip


async def _locked(session: AsyncSession, import_id: int) -> RollImport:
    return await session.get_one(RollImport, import_id, with_for_update=True, populate_existing=True)


async def _in_turn(session: AsyncSession) -> RollState:
    """The state of the roll, for one writer at a time until the commit; lookups do not wait."""
    return await session.get_one(RollState, 1, with_for_update=True, populate_existing=True)
