"""What the roll says of one digest: the only reader of its rows, in one statement, with one of three results.

The statement looks at everything at once: which roll is in force, the row, its place, who is protected, which
receipts were stopped. So no switch to another roll can fall between two looks, and every digest takes the
same way whatever becomes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import LargeBinary, Select, bindparam, select

from knowledge.roll.records import (
    LookupResult,
    Mark,
    ReceiptStop,
    RollImport,
    RollPlace,
    RollRow,
    RollState,
    Suppression,
)
from office.quick import Statement
from office.store import Store


@dataclass(frozen=True, slots=True)
class Found:
    """One of three results; the place is there for who is registered, else its three texts are empty."""

    result: LookupResult
    district: str = ""
    group_no: str = ""
    station: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen. `found` is None unless the roll in force was made with this key, and none was stopped.

    `canary`: the digest is of nobody; only who works through a stolen list can know it.
    """

    found: Found | None
    canary: bool = False


_NOT_FOUND, _ASK_STATION = Found(LookupResult.NOT_FOUND), Found(LookupResult.ASK_STATION)
# As plain numbers: sums of flags are looked up each time.
_REGISTERED, _CANARY = int(Mark.REGISTERED), int(Mark.CANARY)
_PLAIN = int(Mark.REGISTERED | Mark.SUPPRESSED | Mark.CANARY)


def _statement() -> Select[Any]:
    digest = bindparam("digest", type_=LargeBinary)
    made = (
        select(
            RollImport.key_id, RollState.stopped_at.is_not(None), RollRow.mark,
            RollPlace.district, RollPlace.group_no, RollPlace.station,
            Suppression.digest.is_not(None), ReceiptStop.digest.is_not(None),
        )
        .select_from(RollState)
        .join(RollImport, RollImport.id == RollState.current_id)
        .outerjoin(RollRow, (RollRow.import_id == RollState.current_id) & (RollRow.digest == digest))
        .outerjoin(RollPlace, RollPlace.id == RollRow.place_id)
        .outerjoin(Suppression, Suppression.digest == digest)
        .outerjoin(ReceiptStop, ReceiptStop.digest == digest)
        .where(RollState.id == 1)
    )  # fmt: skip
    return cast(Select[Any], made)


_statements: WeakKeyDictionary[Store, Statement] = WeakKeyDictionary()


async def lookup(store: Store, digest: bytes, *, key_id: str) -> Seen:
    """What the roll in force says of `digest`, made with the key that `key_id` names.

    A row without a place in the answer, a protected person and nobody's row are all told to ask the station;
    a stopped receipt is one that never was. Raises what the driver raises.
    """
    statement = _statements.get(store)
    if statement is None:
        statement = _statements[store] = Statement(_statement(), store.engine)
    row = await store.quick.row(statement.text, statement.values(digest=digest))
    if row is None:
        return Seen(None)
    made_with, stopped, bits, district, group_no, station, suppressed, ended = row
    if made_with != key_id or stopped:
        return Seen(None)
    mark = bits or 0
    canary = bool(mark & _CANARY)
    if bits is None or ended:
        return Seen(_ASK_STATION if suppressed else _NOT_FOUND)
    if suppressed or mark & _PLAIN != _REGISTERED or district is None:
        return Seen(_ASK_STATION, canary)
    return Seen(Found(LookupResult.REGISTERED, district, group_no, station))
