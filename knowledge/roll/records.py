"""The tables of the roll: what is kept of a voter is a digest, a mark and a place, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import IntFlag, StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.roll.identity import DIGEST_SIZE
from office.contacts import Channel
from office.store import Base, word

DIGEST = LargeBinary(DIGEST_SIZE)


class Mark(IntFlag):
    """What a row says: registered, else ask the station; protected; nobody's; of a receipt, not a person."""

    REGISTERED = 1
    SUPPRESSED = 2
    CANARY = 4
    RECEIPT = 8


class ImportState(StrEnum):
    """Where a roll package stands on its way in and out."""

    LOADING = auto()
    PREPARED = auto()
    APPLIED = auto()
    REPLACED = auto()
    ROLLED_BACK = auto()
    DROPPED = auto()
    PURGED = auto()


S = ImportState
TRANSITIONS: Mapping[ImportState, frozenset[ImportState]] = {
    S.LOADING: frozenset({S.PREPARED, S.DROPPED, S.PURGED}),
    S.PREPARED: frozenset({S.APPLIED, S.DROPPED, S.PURGED}),
    S.APPLIED: frozenset({S.REPLACED, S.ROLLED_BACK, S.PURGED}),
    S.REPLACED: frozenset({S.APPLIED, S.PURGED}),
    S.ROLLED_BACK: frozenset({S.PURGED}),
    S.DROPPED: frozenset({S.PURGED}),
    S.PURGED: frozenset(),
}


class RollImport(Base):
    """One package that was carried in. Its row stays when its voters are gone: it proves what was there.

    `counts` holds what the package says of itself and what it would change, numbers only.
    """

    __tablename__ = "roll_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[ImportState] = mapped_column(word(ImportState), default=S.LOADING, index=True)
    package_id: Mapped[str] = mapped_column(String(32), unique=True)
    package_hash: Mapped[str] = mapped_column(String(64))
    election: Mapped[str] = mapped_column(String(80))
    key_id: Mapped[str] = mapped_column(String(16))
    digest_version: Mapped[int]
    signer: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
    rows: Mapped[int]
    counts: Mapped[dict[str, Any]]
    prepared_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    prepared_at: Mapped[datetime]
    applied_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    applied_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    cleared_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


class RollState(Base):
    """Which import is asked, which one was before it, and whether lookup was stopped: one row."""

    __tablename__ = "roll_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    current_id: Mapped[int | None] = mapped_column(ForeignKey("roll_import.id"))
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("roll_import.id"))
    stopped_at: Mapped[datetime | None]
    stopped_why: Mapped[str] = mapped_column(String(32), default="")


class RollPlace(Base):
    """An electoral district, a voter group and its station; rows of every import point here."""

    __tablename__ = "roll_place"
    __table_args__ = (UniqueConstraint("district", "group_no", "station"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    district: Mapped[str] = mapped_column(String(80))
    group_no: Mapped[str] = mapped_column(String(16))
    station: Mapped[str] = mapped_column(String(16))


class RollRow(Base):
    """A voter or a receipt of one import. Read by `knowledge.roll.lookup` alone.

    Without foreign keys: ten million of them would be checked one by one.
    """

    __tablename__ = "roll_row"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  SQLAlchemy reads it so

    import_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[bytes] = mapped_column(DIGEST, primary_key=True)
    place_id: Mapped[int]
    mark: Mapped[int] = mapped_column(SmallInteger)


class Suppression(Base):
    """A person for whom every lookup says 请到登记站核实, whatever package is in force."""

    __tablename__ = "suppression"

    digest: Mapped[bytes] = mapped_column(DIGEST, primary_key=True)
    basis: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    lift_asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class ReceiptStop(Base):
    """A receipt code that was lost and counts no longer: a lookup treats it as one that never was."""

    __tablename__ = "receipt_stop"

    digest: Mapped[bytes] = mapped_column(DIGEST, primary_key=True)
    at: Mapped[datetime]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))


class LookupResult(StrEnum):
    """The three results, and never a reason."""

    REGISTERED = auto()
    NOT_FOUND = auto()
    ASK_STATION = auto()


class Way(StrEnum):
    """How a lookup was made: name and number on our page, a receipt code, at the counter, for a case."""

    IDENTITY = auto()
    RECEIPT = auto()
    COUNTER = auto()
    CASE = auto()


class LookupLink(Base):
    """A single-use way to the secure page, valid for ten minutes; only the digest of its token is kept."""

    __tablename__ = "lookup_link"

    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    channel: Mapped[Channel] = mapped_column(word(Channel))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    opened_at: Mapped[datetime | None]


class LookupAct(Base):
    """That a lookup was made, by which way and with which result; of whom is not kept.

    `staff_id` and `reason` are set for lookups by staff alone. `notice` is the version of the notice shown.
    """

    __tablename__ = "lookup_act"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    channel: Mapped[str] = mapped_column(String(32))
    way: Mapped[Way] = mapped_column(word(Way))
    result: Mapped[LookupResult] = mapped_column(word(LookupResult))
    notice: Mapped[str] = mapped_column(String(16), default="")
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    reason: Mapped[str] = mapped_column(String(40), default="")


class LookupReview(Base):
    """That a reviewer has looked through one week's lookups by staff; `week` is its Monday."""

    __tablename__ = "lookup_review"

    week: Mapped[date] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    remark: Mapped[str] = mapped_column(String(300), default="")


class PurgeState(StrEnum):
    """An end of the roll is asked for by one person and done by another."""

    ASKED = auto()
    DONE = auto()
    DROPPED = auto()


PURGES: Mapping[PurgeState, frozenset[PurgeState]] = {
    PurgeState.ASKED: frozenset({PurgeState.DONE, PurgeState.DROPPED}),
    PurgeState.DONE: frozenset(),
    PurgeState.DROPPED: frozenset(),
}


class RollPurge(Base):
    """The end of one election's roll; `facts` is what the certificate says: counts, hashes, key id, names."""

    __tablename__ = "roll_purge"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[PurgeState] = mapped_column(word(PurgeState), default=PurgeState.ASKED, index=True)
    election: Mapped[str] = mapped_column(String(80))
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    basis: Mapped[str] = mapped_column(String(300))
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    done_at: Mapped[datetime | None]
    facts: Mapped[dict[str, Any]]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so
