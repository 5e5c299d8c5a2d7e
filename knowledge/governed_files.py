"""Everything governed as files in a folder: written out, and read back as what would have to be proposed.

    entries/*.yaml    published entries, one topic a file
    rules.yaml        the district's signed wording of rules, and its directory of neighbouring offices
    calendar.yaml     the signed calendar
    hours.yaml        the working time
    stations.csv      stations

A file that is not there is passed over. What is in force and in no file stays as it is, for taking something
out of force is an act of its own; only stations are compared as a whole.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import (
    base,
    change_files,
    elections,
    entries,
    entry_files,
    packs,
    rules,
    station_cells,
    station_files,
    station_imports,
    station_reading,
)
from knowledge.adaptations import BadRow, adapted
from knowledge.calendar import BadCalendar
from knowledge.change_files import Given, bad, values_of
from knowledge.entry_files import Row
from knowledge.station_files import Table
from knowledge.station_reading import Mode
from knowledge.station_rows import Key, in_words, key_of
from knowledge.versions import Alteration, Content, by_number
from office import changes, timetable_files, units, worktime
from office.changes import Change, ChangeKind
from office.errors import DeskError, Invalid
from office.hours import beijing_day
from office.staff import Staff
from office.timetable import Timetable
from office.units import Unit
from office.words import say

NAMES = ENTRIES, RULES, CALENDAR, HOURS, STATIONS = (
    "entries", "rules.yaml", "calendar.yaml", "hours.yaml", "stations.csv",
)  # fmt: skip

Difference = tuple[str, Any, Any]
Propose = Callable[[AsyncSession, Staff, str, datetime], Awaitable[object]]
"""Writes down what a file says, as a draft or a change that waits for its second person; the text is the
basis where the file itself names none."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What a file says otherwise than what is in force: each part with both values, None where one has none.

    `file` and `line` are where it stands. Without `propose`, it is in force and in no file.
    """

    file: str
    line: int
    name: str
    parts: tuple[Difference, ...]
    propose: Propose | None


async def export(session: AsyncSession, folder: Path, *, now: datetime) -> dict[str, int]:
    """Write everything in force into `folder`; returns how much went into each file."""
    day = beijing_day(now)
    found = {ENTRIES: await base.export(session, folder / ENTRIES)}
    for name, kind in ((RULES, ChangeKind.RULES), (CALENDAR, ChangeKind.CALENDAR)):
        signed = await changes.subjects_in_force(session, kind, "", day)
        scopes = await _scopes(session)
        listed = [(change, scopes[change.scope_unit_id]) for change in signed]
        _write(folder / name, change_files.written(listed).encode())
        found[name] = len(listed)
    table = await worktime.in_force(session, now=now)
    _write(folder / HOURS, timetable_files.written(table).encode())
    found[HOURS] = 1
    rows = await station_imports.exported(session, (await units.election_office(session)).path)
    _write(folder / STATIONS, station_files.to_csv(rows))
    return found | {STATIONS: len(rows)}


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


async def _scopes(session: AsyncSession) -> dict[int, str]:
    """The code of every unit by its row, empty for the election office's district."""
    office = await units.election_office(session)
    return {unit.id: "" if unit.id == office.id else unit.code for unit in await units.all_units(session)}


async def edits(session: AsyncSession, folder: Path, *, now: datetime) -> list[Edit]:
    """What the files say otherwise, file by file; nothing is stored.

    Raises `Invalid("base_file")` with file and line of what cannot be used, `OSError` for an unreadable file.
    """
    found: list[Edit] = []
    if (folder / ENTRIES).is_dir():
        found += await _entries(session, folder / ENTRIES)
    for name, kind in ((RULES, ChangeKind.RULES), (CALENDAR, ChangeKind.CALENDAR)):
        if (folder / name).is_file():
            found += await _changes(session, folder / name, kind, now)
    if (folder / HOURS).is_file():
        found += await _hours(session, folder / HOURS, now)
    if (folder / STATIONS).is_file():
        found += await _stations(session, folder / STATIONS, now)
    return found


# --- entries ---


async def _entries(session: AsyncSession, folder: Path) -> list[Edit]:
    office = await units.election_office(session)
    codes = {unit.code: unit.id for unit in await units.all_units(session)}
    scopes = await _scopes(session)
    present = await base.in_force(session)
    try:
        rows = entry_files.rows(folder, office.id, codes)
    except Invalid as error:
        file = f"{ENTRIES}/{error.facts['file']}"
        raise bad(file, error.facts["line"], error.facts["error"]) from error
    found = []
    for row in rows:
        for problem in entries.problems(row.content):
            if problem.blocks:
                raise bad(
                    f"{ENTRIES}/{row.file}", row.line, f"{row.entry_no}: {say(problem.key, **problem.facts)}"
                )
        parts = tuple(
            changes.differences(_entry(present.get(row.entry_no), scopes), _entry(row.content, scopes))
        )
        if parts:
            propose = partial(_draft, row)
            found.append(Edit(f"{ENTRIES}/{row.file}", row.line, row.entry_no, parts, propose))
    gone = present.keys() - {row.entry_no for row in rows}
    return found + [Edit(ENTRIES, 0, no, (), None) for no in sorted(gone)]


def _entry(content: Content | None, scopes: Mapping[int, str]) -> dict[str, Any]:
    if content is None:
        return {}
    scope = scopes[content.scope_unit_id]
    return {"topic": content.topic, **entry_files.plain(content), **({"scope": scope} if scope else {})}


async def _draft(row: Row, session: AsyncSession, actor: Staff, basis: str, now: datetime) -> None:
    present = await base.in_force(session)
    entry = await by_number(session, row.entry_no) if row.entry_no in present else None
    no = "" if entry else row.entry_no
    version = await entries.draft(session, row.content, actor=actor, now=now, entry=entry, entry_no=no)
    await entries.submit(session, version, actor=actor, now=now, alteration=Alteration.SUBSTANTIVE)


# --- rules and calendar ---


async def _changes(session: AsyncSession, path: Path, kind: ChangeKind, now: datetime) -> list[Edit]:
    signed = await changes.subjects_in_force(session, kind, "", beijing_day(now))
    present = {change.subject: change for change in signed}
    scopes, found = await _scopes(session), []
    given = change_files.read(path)
    for one in given:
        unit = await _scope(session, one)
        before = _values(present.get(one.subject), scopes)
        parts = tuple(changes.differences(before, one.values()))
        if parts:
            await _check(session, one, kind, now)
            for name in _fixed(one, kind):
                if one.values().get(name) != before.get(name):
                    raise one.bad(name, f"{name}: {before.get(name)}?")
            propose = partial(_propose, one, kind, unit)
            found.append(Edit(one.file, one.line, one.subject, parts, propose))
    gone = present.keys() - {one.subject for one in given}
    return found + [Edit(path.name, 0, subject, (), None) for subject in sorted(gone)]


def _fixed(given: Given, kind: ChangeKind) -> tuple[str, ...]:
    """What a proposal of this subject cannot change: its owner proposes it without."""
    if kind is ChangeKind.CALENDAR:
        return (*change_files.DAYS, "scope")
    return ("effective_from", "effective_until") if given.subject.endswith(f":{rules.CONTACTS}") else ()


def _values(change: Change | None, scopes: Mapping[int, str]) -> dict[str, Any]:
    return values_of(change, scopes[change.scope_unit_id]) if change else {}


async def _scope(session: AsyncSession, given: Given) -> Unit:
    if not given.scope:
        return await units.election_office(session)
    unit = next((unit for unit in await units.all_units(session) if unit.code == given.scope), None)
    if unit is None:
        raise given.bad("scope", f"{given.scope}?")
    return unit


async def _check(session: AsyncSession, given: Given, kind: ChangeKind, now: datetime) -> None:
    """Hold the content to what its owner would refuse, with the line that is wrong."""
    try:
        if kind is ChangeKind.CALENDAR:
            if given.subject != elections.SUBJECT:
                raise given.bad("subject", f"{given.subject}?")
            await elections.preview(session, given.content, now)
            return
        pack_id, _, row = given.subject.partition(":")
        if pack_id not in packs.names() or not row:
            raise given.bad("subject", f"{given.subject}?")
        if row == rules.CONTACTS:
            rules.directory_of(given.content.get("contacts") or [])
        else:
            adapted(packs.load(pack_id), {row: given.content})
    except BadRow as error:
        # A row that does not exist is named by the subject, unless the content names another one.
        named = error.field != "leaf" or "leaf" in given.content
        raise given.bad(
            f"content.{error.field}" if named else "subject", say(error.key, **error.facts)
        ) from error
    except BadCalendar as error:
        facts = {"field": error.findings[0].field, **error.findings[0].facts}
        raise given.bad(f"content.{facts['field']}", say(error.key, **facts)) from error


async def _propose(
    given: Given, kind: ChangeKind, unit: Unit, session: AsyncSession, actor: Staff, basis: str, now: datetime
) -> None:
    who: dict[str, Any] = {"basis": given.basis, "actor": actor, "now": now}
    if kind is ChangeKind.CALENDAR:
        await elections.propose(session, given.content, reason=given.reason, **who)
        return
    pack_id, _, row = given.subject.partition(":")
    if row == rules.CONTACTS:
        rows = given.content["contacts"]
        await rules.propose_contacts(session, pack_id, rows, scope=unit, review_on=given.review_on, **who)
        return
    await rules.propose_row(
        session, pack_id, row, given.content, scope=unit, effective_from=given.effective_from,
        effective_until=given.effective_until, review_on=given.review_on, **who,
    )  # fmt: skip


# --- working time ---


async def _hours(session: AsyncSession, path: Path, now: datetime) -> list[Edit]:
    table, lines = timetable_files.read(_bytes(path))
    for fault, line in zip(table.faults, lines, strict=True):
        raise bad(path.name, line, say(f"hours_fault.{fault.key}", **fault.facts))
    present = await worktime.in_force(session, now=now)
    parts = tuple(changes.differences(present.content(), table.content()))
    change = await worktime.signed(session, now=now)
    propose = partial(_propose_hours, table, change.id if change else 0)
    return [Edit(path.name, 1, worktime.SUBJECT, parts, propose)] if parts else []


async def _propose_hours(
    table: Timetable, seen: int, session: AsyncSession, actor: Staff, basis: str, now: datetime
) -> None:
    await worktime.propose(session, table, basis=basis, seen=seen, actor=actor, now=now)


# --- stations ---


async def _stations(session: AsyncSession, path: Path, now: datetime) -> list[Edit]:
    """One edit for each station that differs; they are proposed together, as one change of all stations."""
    data, office = _bytes(path), await units.election_office(session)
    try:
        found = await station_imports.read(session, path.name, data, mode=Mode.REPLACE, scope=office, now=now)
        table = station_reading.table_of(path.name, data)
    except Invalid as error:
        if error.key == "station_file.empty" and not await station_imports.exported(session, office.path):
            return []
        raise bad(path.name, 1, say(error.key, **error.facts)) from error
    for fault in found.faults:
        if fault.row and not fault.warning:
            raise bad(path.name, fault.row, f"{fault.code} {in_words(fault)}".strip())
    propose, lines = partial(_propose_stations, path.name, data), _lines(table)
    listed = [
        Edit(path.name, lines.get(key_of(row), 1), row["code"], tuple(_parts(row)), None)
        for row in found.rows
    ]
    return [*listed, Edit(path.name, 1, station_imports.SUBJECT, (), propose)] if listed else []


def _lines(table: Table) -> dict[Key, int]:
    """On which line each station stands; the bad rows among them have been refused."""
    rows = (
        (line, station_cells.kind(cells), station_cells.code(cells["code"])) for line, cells in table.rows
    )
    return {key_of({"kind": kind, "code": code}): line for line, kind, code in rows}


def _parts(row: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = row["before"], row["after"]
    if before is None or after is None:
        yield "", before and before["name"], after and after["name"]
        return
    for name in {**before, **after}:
        if name in before and name in after and before[name] != after[name]:
            yield name, before[name], after[name]


async def _propose_stations(
    name: str, data: bytes, session: AsyncSession, actor: Staff, basis: str, now: datetime
) -> None:
    await station_imports.propose(session, name, data, mode=Mode.REPLACE, basis=basis, actor=actor, now=now)


def _bytes(path: Path) -> bytes:
    return path.read_bytes()


def refused(error: DeskError) -> str:
    """`rules.yaml:12: …`, as editors and compilers write it."""
    return f"{error.facts['file']}:{error.facts['line']}: {error.facts['error']}"
