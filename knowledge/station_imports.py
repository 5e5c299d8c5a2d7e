"""Stations change by imports: proposed with a report, published by a second person, undone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import station_files, station_reading
from knowledge.station_files import FIELDS
from knowledge.station_reading import Mode, Reading
from knowledge.station_rows import Fault, Fields, Key, key_of
from knowledge.station_table import apply, bare, moved, standing
from knowledge.stations import Station, StationKind
from office import audit, changes, units
from office.audit import SYSTEM, Actor
from office.changes import Change, ChangeKind, ChangeState
from office.errors import Conflict, Invalid, NotFound
from office.staff import Staff
from office.units import Unit, contains

SUBJECT: Final = "stations"
LONGEST_BASIS: Final = 2_000
MOST_FAULTS: Final = 5_000
"""So many faults are kept with a proposal; a file with more has to be made anew in any case."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A station that a change alters: fields with old and new value, of one that stays; none else."""

    kind: StationKind
    code: str
    name: str
    fields: tuple[tuple[str, Any, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """A change of stations as it is looked at before it is signed.

    `moved` are codes of stations that have changed since the proposal: it can no longer be published.
    """

    added: tuple[Changed, ...]
    changed: tuple[Changed, ...]
    removed: tuple[Changed, ...]
    unchanged: int
    faults: tuple[Fault, ...]
    bad: int
    source: str
    mode: Mode
    moved: tuple[str, ...]


async def read(
    session: AsyncSession, filename: str, content: bytes, *, mode: Mode, scope: Unit, now: datetime
) -> Reading:
    """What a file would change within `scope`, and everything that is wrong with it.

    Raises `Invalid` for a file that cannot be read or that holds data about persons.
    """
    table = await asyncio.to_thread(station_reading.table_of, filename, content)
    return await station_reading.held_against(session, table, mode, scope, now)


async def propose(
    session: AsyncSession,
    filename: str,
    content: bytes,
    *,
    mode: Mode,
    basis: str,
    actor: Staff,
    now: datetime,
    removal_meant: bool = False,
) -> Change:
    """Propose what a file changes, without its bad rows; everything waits for a second person.

    The author speaks for their own unit and what is below it: in mode REPLACE only stations there are
    removed, and none unless the author has seen which and says that it is meant. Raises what `read` and
    `changes.propose` raise, `Invalid("station_import.same")` if nothing would change,
    `Invalid("station_import.removal")`, `Invalid("station_basis_long")`.
    """
    scope = await units.get(session, actor.unit_id)
    reading = await read(session, filename, content, mode=mode, scope=scope, now=now)
    if not reading.rows:
        raise Invalid("station_import.bad" if reading.bad else "station_import.same", count=reading.bad)
    removed = sum(row["after"] is None for row in reading.rows)
    if removed and not removal_meant:
        raise Invalid("station_import.removal", count=removed)
    return await _proposed(session, reading, _bare(filename), mode, basis, actor, now)


async def check_one(
    session: AsyncSession,
    values: Mapping[str, str],
    *,
    instead_of: tuple[StationKind, str] | None,
    actor: Staff,
    now: datetime,
) -> Reading:
    """What a form about one station would change. `values` are texts by field, as in the columns of a file;
    `instead_of` is the station that is edited, None for a new one. Raises `NotFound` for one out of reach."""
    scope = await units.get(session, actor.unit_id)
    return await station_reading.one(session, values, instead_of, scope, now)


async def propose_one(
    session: AsyncSession,
    values: Mapping[str, str],
    *,
    instead_of: tuple[StationKind, str] | None,
    basis: str,
    actor: Staff,
    now: datetime,
) -> Change:
    """Propose one new or edited station; see `check_one`. Raises what `propose` raises about the basis,
    `Invalid("station_faulty")`, and `Invalid("station_same")` if nothing would change."""
    reading = await check_one(session, values, instead_of=instead_of, actor=actor, now=now)
    if reading.bad:
        raise Invalid("station_faulty", count=sum(not fault.warning for fault in reading.faults))
    if not reading.rows:
        raise Invalid("station_same")
    return await _proposed(session, reading, "", Mode.ADD, basis, actor, now)


async def propose_removal(
    session: AsyncSession, kind: StationKind, code: str, *, basis: str, actor: Staff, now: datetime
) -> Change:
    """Propose to remove a station for good; what is only closed for a while is hidden instead."""
    scope = await units.get(session, actor.unit_id)
    known = (await standing(session)).get(_key((kind, code)))
    if known is None or not contains(scope.path, known.path):
        raise NotFound("station_unknown")
    fields = known.kept()
    row = {"kind": fields["kind"], "code": fields["code"], "before": fields, "after": None}
    reading = Reading((row,), (), 0, 0)
    return await _proposed(session, reading, "", Mode.ADD, basis, actor, now)


async def preview(session: AsyncSession, change: Change) -> Preview:
    """What publishing a change would do, station by station and field by field."""
    content = change.content
    there = await standing(session)
    lists: dict[str, list[Changed]] = {"added": [], "changed": [], "removed": []}
    for row in content["rows"]:
        before, after = row["before"], row["after"]
        way = "added" if before is None else "removed" if after is None else "changed"
        fields = changes.differences(bare(before), bare(after)) if way == "changed" else ()
        lists[way].append(
            Changed(
                StationKind(row["kind"]),
                row["code"],
                (after or before)["name"],
                _whole(fields, before, after),
            )
        )
    waits = change.state is ChangeState.PROPOSED
    return Preview(
        **{way: tuple(found) for way, found in lists.items()},
        unchanged=content["unchanged"],
        faults=tuple(Fault(**fault) for fault in content["faults"]),
        bad=content["bad"],
        source=content["source"],
        mode=Mode(content["mode"]),
        moved=tuple(moved(content["rows"], there)) if waits else (),
    )


async def publish(session: AsyncSession, change: Change, *, seen: int, actor: Staff, now: datetime) -> None:
    """A second person puts the good rows in force, all in one transaction.

    Raises what `changes.sign` raises, and `Conflict("stations_moved")` if a station has changed since the
    proposal, or would serve a group twice.
    """
    await changes.sign(session, change, seen=seen, actor=actor, now=now)
    await _applied(session, change, change.content["rows"], "station.publish", actor.as_actor(), now)


async def undo(session: AsyncSession, change: Change, *, actor: Staff, now: datetime) -> None:
    """Put everything back as it was before a published change; what is hidden stays hidden.

    Raises what `changes.undo` raises, and `Conflict("stations_moved")`.
    """
    await changes.undo(session, change, actor=actor, now=now)
    rows = [{**row, "before": row["after"], "after": row["before"]} for row in change.content["rows"]]
    await _applied(session, change, rows, "station.undo", actor.as_actor(), now)


async def install(session: AsyncSession, path: Path, *, now: datetime) -> Change:
    """Put the stations of a file in force that came with the installation.

    Raises `Invalid` for a file with any bad row, and `Conflict` if stations have been entered already.
    """
    scope = await units.election_office(session)
    content_of_file = await asyncio.to_thread(path.read_bytes)
    reading = await read(session, path.name, content_of_file, mode=Mode.ADD, scope=scope, now=now)
    if reading.bad:
        raise Invalid("station_import.bad", count=reading.bad)
    content = _content(reading, path.name, Mode.ADD)
    change = await changes.install(
        session, ChangeKind.STATIONS, SUBJECT, content, basis=path.name, scope=scope, now=now
    )
    await _applied(session, change, content["rows"], "station.publish", SYSTEM, now)
    return change


def fields(station: Station) -> Fields:
    """A station's fields as in a change, without its unit: that has a name only beside the tree of units."""
    found = {name: getattr(station, name) for name in FIELDS if name != "unit"}
    return {**found, "kind": station.kind.value, "unit": ""}


async def exported(session: AsyncSession, within: str) -> list[list[str | float]]:
    """All stations under the unit with this path, hidden ones too, as rows of a file that changes nothing."""
    names = {unit.code: unit.name for unit in await units.all_units(session)}
    there = await standing(session)
    return [
        station_files.cells(known.fields, names[known.fields["unit"]])
        for _, known in sorted(there.items(), key=lambda pair: (pair[0][0] != "registration", pair[0]))
        if contains(within, known.path)
    ]


def _bare(filename: str) -> str:
    return filename.replace("\\", "/").rpartition("/")[2][:80]


async def _proposed(
    session: AsyncSession, reading: Reading, source: str, mode: Mode, basis: str, actor: Staff, now: datetime
) -> Change:
    if len(basis.strip().replace("\r\n", "\n")) > LONGEST_BASIS:
        raise Invalid("station_basis_long", limit=LONGEST_BASIS)
    scope = await units.get(session, actor.unit_id)
    return await changes.propose(
        session, ChangeKind.STATIONS, SUBJECT, _content(reading, source, mode),
        basis=basis, scope=scope, actor=actor, now=now,
    )  # fmt: skip


def _content(reading: Reading, source: str, mode: Mode) -> dict[str, Any]:
    return {
        "rows": list(reading.rows),
        "faults": [asdict(fault) for fault in reading.faults[:MOST_FAULTS]],
        "source": source,
        "mode": mode.value,
        "unchanged": reading.unchanged,
        "bad": reading.bad,
    }


async def _applied(
    session: AsyncSession,
    change: Change,
    rows: Sequence[Mapping[str, Any]],
    action: str,
    actor: Actor,
    now: datetime,
) -> None:
    there = await standing(session, locked=True)
    if codes := moved(rows, there):
        raise Conflict("stations_moved", codes="、".join(codes[:5]))
    counts = await apply(session, rows, there)
    await audit.record(session, action, f"change:{change.id}", actor=actor, now=now, **counts)


def _whole(found: Any, before: Fields | None, after: Fields | None) -> tuple[tuple[str, Any, Any], ...]:
    """Differences field by field: lists of groups or hours are compared as a whole."""
    names = dict.fromkeys(path.partition("[")[0].partition(".")[0] for path, _, _ in found)
    return tuple((name, (before or {})[name], (after or {})[name]) for name in names)


def _key(station: tuple[StationKind, str]) -> Key:
    return key_of({"kind": station[0].value, "code": station[1]})
