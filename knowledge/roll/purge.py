"""The end of a roll: asked for by one person, carried out by another, and told in facts for a certificate.

Two steps, because a database can take back what it did and a file cannot: first everything in the tables, in
one transaction; then, once that holds, the key file and what the database has left in its own files. What
the second step could not do stands in the facts, and may be tried again.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, column, delete, func, select, table, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import elections
from knowledge.roll import key_end
from knowledge.roll.key_end import KeyEnd
from knowledge.roll.records import (
    PURGES,
    TRANSITIONS,
    ImportState,
    LookupLink,
    PurgeState,
    ReceiptStop,
    RollImport,
    RollPlace,
    RollPurge,
    RollRow,
    RollState,
    Suppression,
)
from office import audit, redact
from office.errors import Conflict, Invalid, NotFound
from office.hours import beijing_day
from office.staff import Permission, Staff, must, second_person
from office.staff import get as staff_member
from office.store import Base, Store

AFTER = timedelta(days=30)
"""From so long after election day the roll may go without a further reason."""
BACKUPS = timedelta(days=35)
"""How long a backup of before the purge may still hold it."""
LONGEST = 140
"""Characters of the basis, and of the reason of an early purge: both stand in one column of 300."""
EMPTIED: dict[str, type[Base]] = {
    "rows": RollRow, "places": RollPlace, "suppressions": Suppression,
    "receipt_stops": ReceiptStop, "links": LookupLink,
}  # fmt: skip
# Tickets belong to the floor above; the one column of theirs that is the roll's is known here by name.
_TICKETS = table("ticket", column("receipt_digest"))


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether there is a roll to purge, whose, and from which day on that needs no reason."""

    election: str
    election_day: date | None
    from_day: date | None
    early: bool
    imports: int


async def standing(session: AsyncSession, now: datetime) -> Standing | None:
    """What a purge would be about now; None if no import is left that was not purged."""
    rows = await _imports(session)
    if not rows:
        return None
    in_hand = await elections.in_force(session, beijing_day(now))
    day = in_hand.day if in_hand else None
    from_day = day + AFTER if day else None
    state = await session.get(RollState, 1)
    current = next((row for row in rows if state and row.id == state.current_id), rows[-1])
    early = from_day is None or beijing_day(now) < from_day
    return Standing(current.election, day, from_day, early, len(rows))


async def ask(
    session: AsyncSession, *, basis: str, reason: str = "", actor: Staff, now: datetime
) -> RollPurge:
    """Ask that the roll ends; nothing goes yet.

    Before 30 days after election day, or without a calendar, `reason` says why. Raises `NotPermitted`;
    `Conflict`: "roll_purge.nothing", "roll_purge.asked_already"; `Invalid`: "roll_purge.basis",
    "roll_purge.early".
    """
    await must(session, actor, Permission.APPLY_ROLL)
    found = await standing(session, now)
    if found is None:
        raise Conflict("roll_purge.nothing")
    if await session.scalar(select(RollPurge.id).where(RollPurge.state == PurgeState.ASKED)) is not None:
        raise Conflict("roll_purge.asked_already")
    papers = [_plain(words) for words in (basis, reason)]
    if not papers[0] or any(len(words) > LONGEST for words in papers):
        raise Invalid("roll_purge.basis", most=LONGEST)
    if found.early and not papers[1]:
        raise Invalid("roll_purge.early", day=found.from_day.isoformat() if found.from_day else "—")
    facts: dict[str, Any] = {
        "election_day": found.election_day.isoformat() if found.election_day else "",
        "early": papers[1] if found.early else "",
    }
    row = RollPurge(election=found.election, asked_by_id=actor.id, asked_at=now, basis=papers[0], facts=facts)
    session.add(row)
    await session.flush()
    await audit.record(session, "roll_purge.ask", f"roll_purge:{row.id}", actor=actor.as_actor(), now=now,
                       early=found.early)  # fmt: skip
    return row


async def drop(session: AsyncSession, purge: RollPurge, *, actor: Staff, now: datetime) -> None:
    """Take the wish back; either person may. Raises `NotPermitted`, `Conflict("stale_card")`."""
    await must(session, actor, Permission.APPLY_ROLL)
    await audit.move(session, purge, PurgeState.DROPPED, by="drop", table=PURGES,
                     actor=actor.as_actor(), now=now)  # fmt: skip


async def get(session: AsyncSession, purge_id: int) -> RollPurge:
    """The purge with this row number; raises `NotFound`."""
    row = await session.get(RollPurge, purge_id)
    if row is None:
        raise NotFound("roll_purge.unknown")
    return row


async def listed(session: AsyncSession) -> list[RollPurge]:
    """Every purge, the latest first."""
    return list(await session.scalars(select(RollPurge).order_by(RollPurge.id.desc())))


async def carry_out(
    store: Store, purge_id: int, *, seen: int, actor: Staff, now: datetime, key_path: Path
) -> RollPurge:
    """End the roll as the second person: tables, key file and traces; returns the purge with its facts.

    `seen` is the version of the row that the person read. On PostgreSQL it waits for lookups that are being
    answered, on SQLite writers wait for it, about half a second a million rows. Raises what `get`,
    `staff.second_person` and `audit.move` raise; afterwards nothing is raised, what failed is in the facts.
    """
    async with store.transaction() as session:
        await must(session, actor, Permission.APPLY_ROLL)
        row = await get(session, purge_id)
        await second_person(session, actor, row.asked_by_id, now=now)
        if row.version != seen:
            raise Conflict("stale_card")
        found = await _imports(session)
        facts = {
            **row.facts,
            "deleted": await _empty(session, store),
            "packages": [_package(one) for one in found],
            "key_ids": sorted({one.key_id for one in found}),
            "asked_by": (await staff_member(session, row.asked_by_id)).name,
            "done_by": actor.name,
            "key": {"end": KeyEnd.PENDING.value, "why": "", "at": ""},
            "storage": "",
        }
        for one in found:
            one.ended_at, one.cleared_at = one.ended_at or now, one.cleared_at or now
            await audit.move(session, one, ImportState.PURGED, by="purge", table=TRANSITIONS,
                             actor=actor.as_actor(), now=now)  # fmt: skip
        row.done_by_id, row.done_at, row.facts = actor.id, now, facts
        await audit.move(
            session, row, PurgeState.DONE, by="carry_out", table=PURGES, actor=actor.as_actor(), now=now,
            deleted=facts["deleted"], packages=[one["hash"] for one in facts["packages"]],
            key_ids=facts["key_ids"],
        )  # fmt: skip
    return await finish(store, purge_id, actor=actor, now=now, key_path=key_path)


async def finish(store: Store, purge_id: int, *, actor: Staff, now: datetime, key_path: Path) -> RollPurge:
    """Do what can only be done outside the tables: the key file, and what the database files still hold.

    Also to try again what did not succeed. Raises `NotPermitted`, `Conflict("stale_card")` before the purge.
    """
    async with store.reading() as session:
        await must(session, actor, Permission.APPLY_ROLL)
        row = await get(session, purge_id)
    if row.state is not PurgeState.DONE:
        raise Conflict("stale_card")
    key = row.facts["key"]
    if KeyEnd(key["end"]) not in key_end.FINAL:
        end, why = await asyncio.to_thread(key_end.destroy, key_path, row.facts["key_ids"])
        key = {"end": end.value, "why": why, "at": now.astimezone(UTC).isoformat()}
    storage = row.facts["storage"] or await _swept(store)
    async with store.transaction() as session:
        row = await get(session, purge_id)
        row.facts = {**row.facts, "key": key, "storage": storage}
        await audit.record(session, "roll_purge.key", f"roll_purge:{row.id}", actor=actor.as_actor(), now=now,
                           end=key["end"], storage=storage)  # fmt: skip
    return row


def complete(purge: RollPurge) -> bool:
    """Whether nothing is left to be tried again."""
    return bool(purge.facts.get("storage")) and KeyEnd(purge.facts["key"]["end"]) in key_end.FINAL


def _plain(words: str) -> str:
    # A document cannot hold control characters, and nobody would find the one that was typed.
    told = " ".join(redact.text(words).text.split())
    return "".join(letter for letter in told if letter.isprintable())


async def _imports(session: AsyncSession) -> list[RollImport]:
    rows = select(RollImport).where(RollImport.state != ImportState.PURGED).order_by(RollImport.id)
    return list(await session.scalars(rows))


def _package(row: RollImport) -> dict[str, Any]:
    applied = row.applied_at.astimezone(UTC).isoformat() if row.applied_at else ""
    made = row.made_at.astimezone(UTC).isoformat()
    return {"hash": row.package_hash, "rows": row.rows, "made_at": made, "applied_at": applied}


async def _empty(session: AsyncSession, store: Store) -> dict[str, int]:
    """Empty the tables of the roll, close the lookup, and count what was there."""
    if store.sqlite:
        # What is deleted is overwritten with zeros; else it would stay in pages that wait to be used again.
        await session.execute(text("PRAGMA secure_delete=ON"))
    counts = {
        name: await session.scalar(select(func.count()).select_from(model)) or 0
        for name, model in EMPTIED.items()
    }
    has_receipt = _TICKETS.c.receipt_digest.is_not(None)
    counts["tickets"] = (
        await session.scalar(select(func.count()).select_from(_TICKETS).where(has_receipt)) or 0
    )
    nothing = {"current_id": None, "previous_id": None, "stopped_at": None, "stopped_why": ""}
    await session.execute(update(RollState).values(**nothing))
    await session.execute(update(_TICKETS).where(has_receipt).values(receipt_digest=None))
    if store.sqlite:
        for model in EMPTIED.values():
            # Without a condition SQLite frees whole pages and does not walk ten million rows.
            await session.execute(delete(model))
    else:
        names = ", ".join(_name(model) for model in EMPTIED.values())
        await session.execute(text(f"TRUNCATE {names}"))  # new empty files; the old ones are unlinked
    return counts


def _name(model: type[Base]) -> str:
    found = model.__table__
    assert isinstance(found, Table)
    return found.name


async def _swept(store: Store) -> str:
    """Make the database let go of what it keeps of old content; "done", or "" if that failed for now."""
    try:
        async with store.engine.connect() as connection:
            if not store.sqlite:
                outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await outside.execute(text("VACUUM ticket"))  # of the other tables the files are gone
                return "done"
            # Beneath SQLAlchemy, which would open a transaction, in which neither may run.
            driver: Any = (await connection.get_raw_connection()).driver_connection
            for statement in ("PRAGMA secure_delete=OFF", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                found = list(await driver.execute_fetchall(statement))
            # A reader that still looks at the old pages keeps the journal of before.
            return "" if found[0][0] else "done"
    except (SQLAlchemyError, sqlite3.Error, OSError):
        return ""
