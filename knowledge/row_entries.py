"""Entries of the library beside which a signed wording of a row stands: they may still say it the old way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.pack_parts import RulePack
from knowledge.shelf import Shelved
from knowledge.versions import Audience, EntryVersion
from office import changes
from office.changes import Change, ChangeKind
from office.hours import beijing_day


@dataclass(frozen=True, slots=True)
class Beside:
    """A row that the district words itself, and the entries of its topic to be looked at with it."""

    row: str
    change_id: int
    number: int
    entries: tuple[Shelved, ...]


async def beside(
    session: AsyncSession, rows: Sequence[Shelved], pack: RulePack, *, now: datetime
) -> list[Beside]:
    """Of the published `rows`, those that answer voters today on the topic of a signed wording, and that are
    unconfirmed or were published before it was signed."""
    today, found = beijing_day(now), []
    for change in await changes.subjects_in_force(session, ChangeKind.RULES, f"{pack.id}:", today):
        row = change.subject.partition(":")[2]
        topics = {leaf.topic for leaf in pack.rows(row)}
        entries = tuple(
            one
            for one in rows
            if one.version.topic in topics
            and one.version.audience is Audience.VOTER
            and one.version.covers(today)
            and (not one.version.confirmed or _older(one.version, change))
        )
        if entries:
            found.append(Beside(row, change.id, change.number, entries))
    return found


def _older(version: EntryVersion, change: Change) -> bool:
    written = version.published_at or version.created_at
    return change.signed_at is not None and written < change.signed_at
