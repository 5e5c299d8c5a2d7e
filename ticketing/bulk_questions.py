"""Questions brought as a table (批量提问): a template of twenty rows, read back strictly, one ticket a row.

A file in another layout, or with a person's number in it, is refused as a whole before anything is kept.
"""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Final

import xlsxwriter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import workbooks
from office import audit, contacts, redact, units
from office.contacts import Channel, Contact
from office.errors import Conflict, Invalid
from office.hours import OfficeHours
from office.staff import Permission, Staff, must
from office.units import Unit
from office.words import CHINESE, say
from ticketing import calls, intake, ledgers
from ticketing.clocks import business_day
from ticketing.ledgers import Enquiry, Outcome
from ticketing.particulars import AskerKind, PlatformModule, Symptom
from ticketing.records import Ticket, UnansweredReason

MOST_ROWS: Final = 20
LARGEST: Final = 1_000_000
"""Bytes; twenty rows of text come nowhere near it."""
LONGEST_WORDS: Final = 500
COLUMNS: Final = ("no", "words", "asker_kind", "group_no", "platform_module", "symptom", "note")
_WIDTHS: Final = (6, 60, 14, 14, 12, 12, 30)
_LIMITS: Final = {"no": 8, "words": LONGEST_WORDS, "group_no": 16, "note": 200}
_CHOICES: Final[dict[str, type[StrEnum]]] = {
    "asker_kind": AskerKind, "platform_module": PlatformModule, "symptom": Symptom,
}  # fmt: skip
# What a column is called that may not be in the file at all, in any spelling.
_IDENTITY: Final = re.compile(r"身份证|证件|护照|ID\s*(?:NO|NUMBER|CARD)|IDENTITY|PASSPORT", re.IGNORECASE)
_SHOWN: Final = 20
_EMPTY_BEHIND: Final = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One question of the file; `number` is its row in the sheet, as the spreadsheet counts."""

    number: int
    words: str
    asker_kind: AskerKind | None = None
    group_no: str = ""
    platform_module: PlatformModule | None = None
    symptom: Symptom | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """The ticket that a row became."""

    row: Row
    ticket: Ticket


def template(now: datetime) -> bytes:
    """The empty table as a workbook: headings, twenty rows, choices to pick, and how to fill it in."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    book.set_properties({"created": now.replace(tzinfo=None)})
    head = book.add_format({"bold": True, "bg_color": "#DFEBE7", "border": 1, "text_wrap": True})
    plain = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top", "border": 1})
    sheet = book.add_worksheet(say("questions.sheet"))
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    for column, (name, width) in enumerate(zip(COLUMNS, _WIDTHS, strict=True)):
        sheet.set_column(column, column, width, plain)
        sheet.write_string(0, column, heading(name), head)
        if name in _CHOICES:
            rule = {"validate": "list", "source": list(_said(name)), "ignore_blank": True}
            sheet.data_validation(1, column, MOST_ROWS, column, rule)
    for number in range(1, MOST_ROWS + 1):
        sheet.write_string(number, 0, str(number), plain)
        for column in range(1, len(COLUMNS)):
            sheet.write_blank(number, column, None, plain)
    notes = book.add_worksheet(say("questions.notes"))
    notes.set_column(0, 0, 90)
    for number, line in enumerate(say("questions.how", most=MOST_ROWS).splitlines()):
        notes.write_string(number, 0, line)
    book.close()
    return target.getvalue()


def heading(name: str) -> str:
    """What a column is called in the template."""
    return say(f"questions.column.{name}")


def read(content: bytes) -> list[Row]:
    """The questions of a filled-in template; raises `Invalid` with the reason for any other file.

    Nothing of a refused file is kept, and no refusal repeats what stood in a cell.
    """
    if len(content) > LARGEST:
        raise Invalid("bulk_file.large", limit=LARGEST // 1000)
    try:
        table = workbooks.rows(content, MOST_ROWS + _EMPTY_BEHIND, len(COLUMNS) + 3)
    except Invalid as error:
        raise _refused(error) from error
    lines = [[_text(cell) for cell in cells] for cells in table]
    headings = [_plain(cell) for cell in lines[0]] if lines else []
    _refuse_identity(headings, lines[1:])
    if headings[: len(COLUMNS)] != [_plain(heading(name)) for name in COLUMNS] or any(
        headings[len(COLUMNS) :]
    ):
        raise _layout()
    _refuse_days(table[1:])
    found = []
    for number, cells in enumerate(lines[1:], start=2):
        row = _row(number, dict(zip(COLUMNS, cells, strict=False)))
        if row is not None:
            found.append(row)
    if not found:
        raise Invalid("bulk_file.empty")
    if len(found) > MOST_ROWS:
        raise Invalid("bulk_file.rows", most=MOST_ROWS, found=len(found))
    return found


async def bring(
    session: AsyncSession,
    rows: Sequence[Row],
    content: bytes,
    *,
    unit: Unit,
    contact: Contact | None = None,
    actor: Staff,
    hours: OfficeHours,
    now: datetime,
) -> list[Opened]:
    """One ticket for each row, with the person who brought the file as first taker.

    `contact` is the chat it came by: answers go there. The same file of the same person is brought once; a
    second time gives the tickets there are.
    """
    await must(session, actor, Permission.OPEN_TICKETS, unit.path)
    batch = f"bulk-{hashlib.sha256(content).hexdigest()[:24]}"
    if not await contacts.first_time(session, Channel.COUNTER, f"{actor.id}:{batch}", now=now):
        return await _brought(session, rows, batch, actor)
    district = await units.election_office(session)
    channel = contact.channel if contact else Channel.COUNTER
    found = []
    for row in rows:
        platform = row.platform_module is not None
        event_id = f"{batch}:{row.number}"
        ticket = await intake.open_ticket(
            session, contact, row.words, unit=unit, district=district, channel=channel,
            actor=actor.as_actor(channel.value), hours=hours, now=now, why=UnansweredReason.NO_ENTRY,
            event_id=event_id, group=await calls.group_for(session, "", row.asker_kind, platform),
        )  # fmt: skip
        ticket.asker_kind, ticket.platform_module, ticket.symptom = (
            row.asker_kind, row.platform_module, row.symptom,
        )  # fmt: skip
        ticket.group_no, ticket.note = row.group_no, (await intake.clean(session, row.note))
        ticket.ledger = ledgers.kind_of("", row.asker_kind, platform=platform)
        session.add(
            Enquiry(
                contact_id=contact.id if contact else None, channel=channel, words=ticket.words, topic="",
                outcome=Outcome.TICKETED, offered=[], ticket_id=ticket.id, event_id=event_id, at=now,
                business_day=business_day(now), unit_id=unit.id, staff_id=actor.id, ledger=ticket.ledger,
                particulars={},
            )
        )  # fmt: skip
        found.append(Opened(row, ticket))
    await session.flush()
    await audit.record(
        session, "questions.bring", f"unit:{unit.id}", actor=actor.as_actor(channel.value), now=now,
        rows=len(found), batch=batch,
    )  # fmt: skip
    return found


async def _brought(session: AsyncSession, rows: Sequence[Row], batch: str, actor: Staff) -> list[Opened]:
    known = await session.execute(
        select(Enquiry.event_id, Ticket)
        .join(Ticket, Ticket.id == Enquiry.ticket_id)
        .where(Enquiry.staff_id == actor.id, Enquiry.event_id.startswith(f"{batch}:", autoescape=True))
    )
    tickets: dict[str, Ticket] = {row.event_id: row.Ticket for row in known}
    found = [
        Opened(row, tickets[event_id]) for row in rows if (event_id := f"{batch}:{row.number}") in tickets
    ]
    if len(found) < len(rows):
        raise Conflict("stale_card")
    return found


def _row(number: int, cells: dict[str, str]) -> Row | None:
    if not any(cells.get(name, "") for name in COLUMNS[1:]):
        return None
    for name, limit in _LIMITS.items():
        if len(cells.get(name, "")) > limit:
            raise Invalid("bulk_file.cell", row=number, column=heading(name), limit=limit)
    if not cells["words"]:
        raise Invalid("bulk_file.no_words", row=number)
    chosen: dict[str, Any] = {name: _member(name, cells.get(name, ""), number) for name in _CHOICES}
    words, group_no, note = cells["words"], cells.get("group_no", ""), cells.get("note", "")
    return Row(number, words, group_no=group_no, note=note, **chosen)


def _member(name: str, text: str, row: int) -> StrEnum | None:
    if not text:
        return None
    found = _said(name).get(_plain(text))
    if found is None:
        raise Invalid("bulk_file.choice", row=row, column=heading(name), choices="、".join(_said(name)))
    return found


def _said(name: str) -> dict[str, StrEnum]:
    return {say(f"calls.{name}.{member}", CHINESE): member for member in _CHOICES[name]}


def _refuse_identity(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    for name in headings:
        if _IDENTITY.search(name):
            raise Invalid("bulk_file.identity", column=name[:_SHOWN])
    for number, cells in enumerate(lines, start=2):
        if any(redact.has_id_number(cell) for cell in cells):
            raise Invalid("bulk_file.identity_row", row=number)


def _refuse_days(table: Sequence[Sequence[str | date | time]]) -> None:
    # A spreadsheet makes a day of 12-3, and nobody can tell any more which group was meant.
    for number, cells in enumerate(table, start=2):
        for name, cell in zip(COLUMNS, cells, strict=False):
            if not isinstance(cell, str):
                raise Invalid("bulk_file.day", row=number, column=heading(name))


def _text(cell: str | date | time) -> str:
    """A cell on its lines, without the apostrophe that keeps a text from being calculated."""
    words = cell if isinstance(cell, str) else cell.isoformat()
    return words.strip().removeprefix("'").strip()


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _refused(error: Invalid) -> Invalid:
    what = error.key.rpartition(".")[2]
    if what == "rows":
        return Invalid("bulk_file.rows", most=MOST_ROWS, found=f">{MOST_ROWS}")
    if what == "columns":
        return _layout()
    return Invalid("bulk_file.unreadable")


def _layout() -> Invalid:
    return Invalid("bulk_file.layout", columns="、".join(map(heading, COLUMNS)))
