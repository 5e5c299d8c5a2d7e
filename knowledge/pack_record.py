"""What the shipped rows said when a district signed its own wording over them.

An update of the program may bring other rows. Once a day the worker writes into the audit what the rows of
each pack are, as digests, whenever they are not what was written down last; so of every signed change it can
be told whether the row under it has been another since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import packs
from knowledge.adaptations import BadRow, adapted
from knowledge.pack_parts import Leaf, RulePack
from office import audit, changes
from office.audit import SYSTEM, AuditEntry
from office.changes import Change, ChangeKind
from office.hours import beijing_day

ACTION = "pack.rows"
CONTACTS = "contacts"
DIGITS = 12


@dataclass(frozen=True, slots=True)
class Unfit:
    """A signed change whose row is no more (`row_gone`), cannot take what was signed (`row_unfit`), or says
    something else by now (`row_renewed`)."""

    change: Change
    how: str
    facts: dict[str, Any]


async def note(session: AsyncSession, *, now: datetime) -> int:
    """Write down the rows of every pack that are not as they were last; returns of how many packs."""
    noted = 0
    for pack_id in packs.names():
        pack = packs.load(pack_id)
        rows = digests(pack)
        before = await _noted(session, pack_id)
        if not before or before[-1].facts["rows"] != rows:
            await audit.record(
                session, ACTION, f"pack:{pack_id}", actor=SYSTEM, now=now, version=pack.version, rows=rows
            )
            noted += 1
    return noted


async def unfit(session: AsyncSession, *, now: datetime) -> list[Unfit]:
    """The changes of rows in force today whose row has changed under them."""
    found = []
    for pack_id in packs.names():
        signed = await changes.subjects_in_force(session, ChangeKind.RULES, f"{pack_id}:", beijing_day(now))
        lines = await _noted(session, pack_id)
        pack = packs.load(pack_id)
        present = digests(pack)
        for change in signed:
            row = change.subject.partition(":")[2]
            if row == CONTACTS:
                continue
            then = _at(lines, change.signed_at)
            how = ""
            if row not in present:
                how = "row_gone"
            elif not _fits(pack, row, change.content):
                how = "row_unfit"
            elif then and then.get(row, "") != present[row]:
                how = "row_renewed"
            if how:
                found.append(Unfit(change, how, {"row": row, "version": pack.version}))
    return found


def _fits(pack: RulePack, row: str, content: Mapping[str, Any]) -> bool:
    try:
        adapted(pack, {row: content})
    except BadRow:
        return False
    return True


def digests(pack: RulePack) -> dict[str, str]:
    """A short digest of what each row of a pack says and for whom, by the row's code."""
    rows: dict[str, list[Any]] = {}
    for leaf in pack.leaves:
        rows.setdefault(leaf.row, []).append(_plain(leaf))
    return {
        row: hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[
            :DIGITS
        ]
        for row, said in rows.items()
    }


def _plain(leaf: Leaf) -> dict[str, Any]:
    found = asdict(leaf)
    when = [{slot: sorted(codes) for slot, codes in alternative.items()} for alternative in leaf.when]
    return {**found, "when": when}


async def _noted(session: AsyncSession, pack_id: str) -> list[AuditEntry]:
    rows = await session.scalars(
        select(AuditEntry)
        .where(AuditEntry.action == ACTION, AuditEntry.subject == f"pack:{pack_id}")
        .order_by(AuditEntry.id)
    )
    return list(rows)


def _at(lines: list[AuditEntry], moment: datetime | None) -> Mapping[str, str]:
    """The rows as they were at a moment: by the last line before it, else by the first there is."""
    if not lines:
        return {}
    before = [line for line in lines if moment is None or line.at <= moment]
    rows: Mapping[str, str] = (before[-1] if before else lines[0]).facts["rows"]
    return rows
