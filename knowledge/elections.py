"""The calendar in force: entered by one person, signed by another, told to everybody who asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import calendar, reminders
from knowledge.calendar import BadCalendar, Dates, Election, Finding
from knowledge.lint import variables_in
from knowledge.moves import Move, compared, told
from knowledge.versions import Entry, EntryVersion
from office import changes, units, worktime
from office.changes import Change, ChangeKind
from office.errors import Invalid
from office.hours import beijing_day
from office.staff import Staff
from office.units import Unit

SUBJECT = "calendar"


@dataclass(frozen=True, slots=True)
class Preview:
    """What signing a calendar would do: all dates before and after, who would be told, what would read anew.

    `doubts` need a reason with the proposal; those that the calendar in force has too need none.
    """

    election: Election
    moves: tuple[Move, ...]
    doubts: tuple[Finding, ...]
    subscribers: int
    entries: int


async def change_in_force(session: AsyncSession, day: date) -> Change | None:
    """The signed calendar that holds on this day."""
    return await changes.in_force(session, ChangeKind.CALENDAR, SUBJECT, day)


async def in_force(session: AsyncSession, day: date) -> Election | None:
    """The election in hand on this Beijing day; None while the office has entered none."""
    change = await change_in_force(session, day)
    return Election.from_content(change.content) if change else None


async def spans(session: AsyncSession, now: datetime) -> Dates:
    """The key dates of the election in hand; empty while the office has entered none."""
    return dates_of(await in_force(session, beijing_day(now)))


def dates_of(election: Election | None) -> Dates:
    """All key dates by the rules of the election's region; none without an election."""
    return calendar.computed(election, calendar.rules(election.region)) if election else {}


async def install(
    session: AsyncSession, scope: Unit, content: Mapping[str, Any], *, basis: str, now: datetime
) -> Change:
    """Put the first calendar in force, from the installation's own files; raises `BadCalendar`."""
    election = _read(content)
    found = calendar.contradictions(election, calendar.rules(election.region), date.min)
    if blocking := [finding for finding in found if finding.blocks]:
        raise BadCalendar(*blocking)
    return await changes.install(
        session, ChangeKind.CALENDAR, SUBJECT, election.as_content(), basis=basis, scope=scope, now=now
    )


def from_file(row: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a calendar from the `election` of a file of units, where windows are `registration`."""
    own = {name: value for name, value in row.items() if name not in ("unit", "registration")}
    return {**own, "windows": row.get("registration") or []}


async def propose(
    session: AsyncSession,
    content: Mapping[str, Any],
    *,
    basis: str,
    actor: Staff,
    now: datetime,
    reason: str = "",
) -> Change:
    """Write a new calendar down for a second person to sign; it is of the whole office.

    `reason` says why what is doubtful is meant; it is kept with the basis. Raises `BadCalendar` for one that
    contradicts itself, `Invalid("calendar.reason_needed")` where something is doubtful and no reason given,
    and what `changes.propose` raises.
    """
    found = await preview(session, content, now)
    if found.doubts and not reason.strip():
        doubt = found.doubts[0]
        raise Invalid("calendar.reason_needed", field=doubt.field)
    papers = f"{basis.strip()}（{reason.strip()}）" if basis.strip() and reason.strip() else basis
    scope = await units.election_office(session)
    return await changes.propose(
        session, ChangeKind.CALENDAR, SUBJECT, found.election.as_content(),
        basis=papers, scope=scope, actor=actor, now=now,
    )  # fmt: skip


async def preview(session: AsyncSession, content: Mapping[str, Any], now: datetime) -> Preview:
    """What would change if this calendar were signed today; raises `BadCalendar`."""
    today = beijing_day(now)
    before, after = await in_force(session, today), _read(content)
    hours = await worktime.hours(session, now=now)

    def found(election: Election, replaced: Election | None) -> tuple[Finding, ...]:
        return calendar.contradictions(
            election, calendar.rules(election.region), today, before=replaced,
            rests=lambda day: not hours.is_duty_day(day) and election.day != day,
        )  # fmt: skip

    findings = found(after, before)
    if blocking := [finding for finding in findings if finding.blocks]:
        raise BadCalendar(*blocking)
    known = found(before, before) if before else ()
    moves = compared(dates_of(before), dates_of(after))
    return Preview(
        election=after,
        moves=moves,
        doubts=tuple(finding for finding in findings if finding not in known),
        subscribers=await reminders.subscribers(session) if told(moves) else 0,
        entries=await _entries_changed(session, dates_of(before), dates_of(after), today),
    )


async def sign(session: AsyncSession, change: Change, *, seen: int, actor: Staff, now: datetime) -> None:
    """A second person puts a calendar in force; every subscriber is told once of what moved.

    Raises what `changes.sign` raises, and `BadCalendar` if the calendar has come to contradict the day.
    """
    # First: what else is signed or undone meanwhile falls before the dates that are compared, or after.
    await changes.in_turn(session)
    found = await preview(session, change.content, now)
    await changes.sign(session, change, seen=seen, actor=actor, now=now)
    await reminders.tell_moves(
        session, found.moves, key=f"calendar:{change.id}", subject=f"change:{change.id}", now=now
    )


async def undo(session: AsyncSession, change: Change, *, actor: Staff, now: datetime) -> None:
    """Take a calendar out of force: the one before holds again, and subscribers are told as of any move."""
    await changes.in_turn(session)
    before = dates_of(await in_force(session, beijing_day(now)))
    await changes.undo(session, change, actor=actor, now=now)
    after = dates_of(await in_force(session, beijing_day(now)))
    await reminders.tell_moves(
        session, compared(before, after), key=f"calendar:{change.id}:undone", subject=f"change:{change.id}",
        now=now,
    )  # fmt: skip


def _read(content: Mapping[str, Any]) -> Election:
    election = Election.from_content(content)
    try:
        calendar.rules(election.region)
    except KeyError:
        raise BadCalendar(Finding("region", "calendar.unknown", facts={"said": election.region})) from None
    return election


async def remind(session: AsyncSession, *, now: datetime) -> int:
    """Tell what is due to be told now of the calendar in force; see `reminders.due`."""
    return await reminders.due(session, await spans(session, now), now=now)


async def _entries_changed(session: AsyncSession, before: Dates, after: Dates, today: date) -> int:
    """How many published entries read otherwise today by the new calendar."""
    old, new = calendar.variables(before, today), calendar.variables(after, today)
    names = {f"cal.{name}" for name in new if old[name] != new[name]}
    if not names:
        return 0
    rows = await session.scalars(select(EntryVersion).join(Entry, Entry.published_id == EntryVersion.id))
    return sum(
        version.covers(today)
        and not names.isdisjoint(
            variables_in([version.short, version.full, *version.steps, *version.documents])
        )
        for version in rows
    )
