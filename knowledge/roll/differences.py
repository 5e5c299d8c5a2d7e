"""What a package would change, in counts of persons: compared inside the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from knowledge.roll.records import Mark, ReceiptStop, RollImport, RollRow, Suppression

_NOBODY = int(Mark.RECEIPT | Mark.CANARY)
MOST_RECEIPTS_GONE: Final = 0.10
"""Share of the receipt codes in force: those on paper are in people's hands."""


@dataclass(frozen=True, slots=True)
class Differences:
    """Persons who are new, gone, stand at another place or with another mark, or stand as they did.

    `receipts_new` and `receipts_gone` count receipt codes. Canary rows are nobody and are not counted.
    `other_key` is 1 where the two were made under different keys: then nobody is found in both, and the
    protections (`protected`) and the stopped receipt codes (`stopped`) hold no longer.
    """

    new: int
    changed: int
    gone: int
    same: int
    receipts_new: int
    receipts_gone: int
    other_key: int = 0
    protected: int = 0
    stopped: int = 0

    def counts(self) -> dict[str, int]:
        """As they are kept with an import."""
        return asdict(self)


async def count(session: AsyncSession, import_id: int, current_id: int | None) -> Differences:
    """Compare an import with the one in force, None if there is none.

    One walk over each of the two; the rows stay in the database.
    """
    persons, receipts = await _standing(session, import_id)
    if current_id is None:
        return Differences(persons, 0, 0, 0, receipts, 0)
    before_persons, before_receipts = await _standing(session, current_id)
    after, before = aliased(RollRow), aliased(RollRow)
    person = after.mark.op("&")(_NOBODY) == 0
    as_it_was = and_(after.place_id == before.place_id, after.mark == before.mark)
    both = (
        select(
            func.count(case((and_(person, as_it_was), 1))),
            func.count(case((person, 1))),
            func.count(case((after.mark.op("&")(int(Mark.RECEIPT)) != 0, 1))),
        )
        .select_from(after)
        .join(before, after.digest == before.digest)
        .where(after.import_id == import_id, before.import_id == current_id)
        # A digest of one kind never is one of another: identity and receipt are told apart before hashing.
        .where(or_(and_(person, before.mark.op("&")(_NOBODY) == 0), ~person))
    )
    same, stayed, receipts_stayed = (await session.execute(both)).one()
    keys = await session.scalars(select(RollImport.key_id).where(RollImport.id.in_([import_id, current_id])))
    other_key = len(set(keys)) > 1
    return Differences(
        new=persons - stayed,
        changed=stayed - same,
        gone=before_persons - stayed,
        same=same,
        receipts_new=receipts - receipts_stayed,
        receipts_gone=before_receipts - receipts_stayed,
        other_key=int(other_key),
        protected=await _held(session, Suppression) if other_key else 0,
        stopped=await _held(session, ReceiptStop) if other_key else 0,
    )


def ending(counts: Mapping[str, Any]) -> list[tuple[str, int]]:
    """What ends with an import, by its kept counts, as (name, how many); for "other_key" 0."""
    receipts_gone = counts.get("receipts_gone", 0)
    receipts_before = counts.get("receipts", 0) - counts.get("receipts_new", 0) + receipts_gone
    found = [("other_key", 0)] if counts.get("other_key") else []
    if receipts_gone > MOST_RECEIPTS_GONE * receipts_before:
        found.append(("receipts_gone", receipts_gone))
    return found + [(name, counts[name]) for name in ("protected", "stopped") if counts.get(name)]


async def _held(session: AsyncSession, table: type[Suppression | ReceiptStop]) -> int:
    """How many digests a table of the old key holds."""
    return await session.scalar(select(func.count()).select_from(table)) or 0


async def _standing(session: AsyncSession, import_id: int) -> tuple[int, int]:
    """How many persons and receipts an import holds."""
    statement = select(
        func.count(case((RollRow.mark.op("&")(_NOBODY) == 0, 1))),
        func.count(case((RollRow.mark.op("&")(int(Mark.RECEIPT)) != 0, 1))),
    ).where(RollRow.import_id == import_id)
    persons, receipts = (await session.execute(statement)).one()
    return persons, receipts
