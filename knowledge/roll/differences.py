"""What a package would change, in counts of persons: compared inside the database."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from knowledge.roll.records import Mark, RollRow

_NOBODY = int(Mark.RECEIPT | Mark.CANARY)


@dataclass(frozen=True, slots=True)
class Differences:
    """Persons who are new, gone, stand at another place or with another mark, or stand as they did.

    `receipts_new` and `receipts_gone` count receipt codes. Canary rows are nobody and are not counted.
    """

    new: int
    changed: int
    gone: int
    same: int
    receipts_new: int
    receipts_gone: int

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
    return Differences(
        new=persons - stayed,
        changed=stayed - same,
        gone=before_persons - stayed,
        same=same,
        receipts_new=receipts - receipts_stayed,
        receipts_gone=before_receipts - receipts_stayed,
    )


async def _standing(session: AsyncSession, import_id: int) -> tuple[int, int]:
    """How many persons and receipts an import holds."""
    statement = select(
        func.count(case((RollRow.mark.op("&")(_NOBODY) == 0, 1))),
        func.count(case((RollRow.mark.op("&")(int(Mark.RECEIPT)) != 0, 1))),
    ).where(RollRow.import_id == import_id)
    persons, receipts = (await session.execute(statement)).one()
    return persons, receipts
