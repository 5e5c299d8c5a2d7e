"""Exports: what left the desk as a file, by whom, and the marks by which a file can be checked later."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, units
from office.audit import AuditEntry
from office.errors import Invalid, NotFound
from office.staff import Permission, Staff, must, reach
from office.store import Base
from office.units import Unit
from ticketing import documents, export_files, export_rows, spreadsheets
from ticketing.export_rows import MOST_ROWS, SHOWN_DIGITS, Form, Marks, Sheet, Snapshot
from ticketing.intake import clean

REASON_ABOVE: Final = 1_000
"""More rows than these need a reason (helpdesk, exports)."""
LONGEST_PURPOSE: Final = 200
LISTED: Final = 50


class Export(Base):
    """One export. Its row number is the snapshot number printed on the file; `digest` is over its rows."""

    __tablename__ = "export"

    id: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(32))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    filters: Mapped[dict[str, Any]]
    rows: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(200), default="")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a file is compared with what was exported.

    `whole` says that the rows of the file are those that left, by the table and by the audit's own line;
    `shown` that the digest printed on it is theirs. `rows` are the file's.
    """

    export: Export
    who: str
    whole: bool
    shown: bool
    rows: int

    @property
    def good(self) -> bool:
        """Whether the file is what it says it is."""
        return self.whole and self.shown


async def make(
    session: AsyncSession,
    what: str,
    sheet: Sheet,
    *,
    form: Form,
    filters: Mapping[str, Any],
    purpose: str,
    actor: Staff,
    now: datetime,
) -> Snapshot:
    """Note an export and mark its rows; the file is made of what this returns, after the commit.

    `filters` are codes, never words that somebody typed. Raises `Invalid("export.reason_needed")` for many
    rows without a purpose, `Invalid("export.rows")` for more than such a file may have.
    """
    await must(session, actor, Permission.EXPORT_TICKETS)
    if len(sheet.rows) > MOST_ROWS[form]:
        raise Invalid("export.rows", most=MOST_ROWS[form])
    told = " ".join((await clean(session, purpose.strip())).split())[:LONGEST_PURPOSE]
    if len(sheet.rows) > REASON_ABOVE and not told:
        raise Invalid("export.reason_needed", most=REASON_ABOVE)
    digest = export_rows.digest(sheet.heads, sheet.rows)
    row = Export(
        what=what, staff_id=actor.id, at=now, filters=dict(filters), rows=len(sheet.rows), digest=digest,
        purpose=told,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await audit.record(
        session, "export.make", f"export:{row.id}", actor=actor.as_actor(), now=now,
        what=what, form=form.value, rows=row.rows, digest=digest, filters=dict(filters),
    )  # fmt: skip
    office = await units.election_office(session)
    marks = Marks(actor.name, now.replace(microsecond=0), row.id, digest, told)
    return Snapshot(sheet, marks, office.office_name or office.name)


def file(snapshot: Snapshot, form: Form) -> bytes:
    """The file of a snapshot, the same bytes each time; takes a while for many rows, so ask in a thread."""
    if form is Form.DOCX:
        return documents.docx(snapshot)
    if form is Form.XLSX:
        return spreadsheets.xlsx(snapshot)
    if form is Form.CSV:
        return spreadsheets.to_csv(snapshot)
    raise ValueError(f"{form} is no file")


def file_name(what: str, snapshot: Snapshot, form: Form) -> str:
    """A name that tells no more than what it is and which number: `record_sheet-17.xlsx`."""
    return f"{what}-{snapshot.marks.snapshot}.{form.value}"


async def listed(session: AsyncSession, person: Staff) -> Sequence[tuple[Export, str]]:
    """The last exports by people in one's reach, newest first, with the names of who made them."""
    await must(session, person, Permission.EXPORT_TICKETS)
    rows = await session.execute(
        select(Export, Staff.name)
        .join(Staff, Staff.id == Export.staff_id)
        .join(Unit, Unit.id == Staff.unit_id)
        .where(Unit.path.startswith(await reach(session, person)))
        .order_by(Export.id.desc())
        .limit(LISTED)
    )
    return [(row, name) for row, name in rows]


async def verify(session: AsyncSession, content: bytes) -> Verdict:
    """Recompute a file's digest from its own rows and compare it with what left the desk.

    Raises `Invalid` for a file that is no export, `NotFound("export.unknown")` for a number never given.
    """
    held = export_files.read(content)
    row = await session.get(Export, held.snapshot)
    entry = await session.scalar(
        select(AuditEntry).where(
            AuditEntry.subject == f"export:{held.snapshot}", AuditEntry.action == "export.make"
        )
    )
    if row is None or entry is None:
        raise NotFound("export.unknown", no=held.snapshot)
    digest = held.digest
    whole = (
        hmac.compare_digest(digest, row.digest)
        and digest == entry.facts.get("digest")
        and len(held.rows) == row.rows == entry.facts.get("rows")
    )
    shown = held.shown == row.digest[:SHOWN_DIGITS]
    return Verdict(row, entry.actor_name, whole, shown, len(held.rows))
