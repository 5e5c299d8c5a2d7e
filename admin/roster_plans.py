"""A file of shifts: read, its bad rows shown, prepared with what it changes, published by a second person."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import roster_rows, times, uploads
from admin.downloads import attached
from admin.pages import Desk, Number, Refusal, done, signed_in
from office import staff, units
from office.errors import NotFound
from office.rosters import Roster, RosterState
from office.staff import Permission
from office.units import Unit, contains
from ticketing import roster_files, roster_reading, rostering
from ticketing.roster_checks import Stint
from ticketing.roster_files import Fault
from ticketing.rostering import Plan

router = APIRouter(prefix="/roster")
Editing = Annotated[Desk, Depends(signed_in(Permission.EDIT_ROSTER))]
Sending = Annotated[Desk, Depends(signed_in(Permission.EDIT_ROSTER, uploads.read))]
MOST_FAULTS = 200


@router.get("/template")
async def template(desk: Editing) -> Response:
    """An empty workbook with the columns and one example."""
    return attached(roster_files.template(desk.now), "roster-template.xlsx", desk.t("roster.template_name"))


@router.get("/file")
async def choose(desk: Editing) -> Response:
    """The form for a file."""
    return await _choose(desk)


@router.post("/file")
async def take(desk: Sending) -> Response:
    """Read a file: with a bad row it is shown what is wrong and nothing is kept, else it is prepared."""
    desk.on_refusal(_choose)
    upload = uploads.chosen(desk.form)
    unit = await _unit(desk)
    found = await roster_reading.look(desk.session, upload.name, upload.data, unit=unit, now=desk.now)
    if found.faults:
        return await _choose(desk, faults=found.faults, name=upload.name)
    made = await rostering.prepare(
        desk.session, upload.name, found, unit=unit, actor=desk.person, now=desk.now
    )
    return done(f"/admin/roster/plans/{made.id}")


@router.get("/plans/{roster_id}")
async def one(desk: Editing, roster_id: Number) -> Response:
    """What a roster would change, and what the checks say of it."""
    return await _plan(desk, roster_id)


@router.post("/plans/{roster_id}/publish")
async def publish(desk: Editing, roster_id: Number) -> Response:
    """A second person puts it in force."""
    found = await _found(desk, roster_id)
    await rostering.publish(
        desk.session, found, seen=desk.form.number("version"), standing=desk.form.text("standing"),
        actor=desk.person, now=desk.now,
    )  # fmt: skip
    return done("/admin/roster", "published")


@router.post("/plans/{roster_id}/discard")
async def discard(desk: Editing, roster_id: Number) -> Response:
    """Put it away."""
    found = await _found(desk, roster_id)
    await rostering.discard(
        desk.session, found, seen=desk.form.number("version"), actor=desk.person, now=desk.now
    )
    return done("/admin/roster", "discarded")


async def _found(desk: Desk, roster_id: int) -> Roster:
    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _plan(later, roster_id, refusal)

    found, _ = await rostering.get(desk.session, desk.person, roster_id)
    desk.on_refusal(again)
    return found


async def _unit(desk: Desk) -> Unit:
    within = {str(unit.id): unit for unit in await _within(desk)}
    unit = within.get(desk.form.text("unit") or str(desk.person.unit_id))
    if unit is None:
        raise NotFound("unit_unknown")
    return unit


async def _within(desk: Desk) -> list[Unit]:
    reach = await staff.reach(desk.session, desk.person)
    return [unit for unit in await units.all_units(desk.session) if contains(reach, unit.path)]


async def _choose(
    desk: Desk, refusal: Refusal | None = None, *, faults: tuple[Fault, ...] = (), name: str = ""
) -> Response:
    return desk.render(
        "console/roster_file.html",
        status=refusal.status if refusal else 422 if faults else 200,
        here="/admin/roster/file",
        error=refusal.words if refusal else "",
        file_name=name,
        faults=[
            {
                "row": fault.row,
                "column": fault.column,
                "reason": desk.t(f"roster_fault.{fault.key}", **fault.facts),
            }
            for fault in faults[:MOST_FAULTS]
        ],
        fault_count=len(faults),
        more=max(0, len(faults) - MOST_FAULTS),
        unit_id=desk.form.text("unit") or desk.person.unit_id,
        units=[(unit.id, unit.name) for unit in await _within(desk)],
        most=roster_files.LARGEST // 1_000_000,
        columns=[roster_files.COLUMNS[field][0] for field in roster_files.WRITTEN],
    )


async def _plan(desk: Desk, roster_id: int, refusal: Refusal | None = None) -> Response:
    found, unit = await rostering.get(desk.session, desk.person, roster_id)
    plan = await rostering.preview(desk.session, found, unit, now=desk.now)
    names = {number: person.name for number, person in plan.people.items()}
    authors = await staff.names(
        desk.session, {person for person in (found.prepared_by_id, found.published_by_id) if person}
    )
    waits = found.state is RosterState.PREPARED
    own = found.prepared_by_id == desk.person.id
    return desk.render(
        "console/roster_plan.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/roster/plans/{roster_id}",
        error=refusal.words if refusal else "",
        plan={
            "id": found.id,
            "version": found.version,
            "standing": plan.standing,
            "name": found.file_name,
            "unit": unit.name,
            "state": desk.t(f"roster.state.{found.state.value}"),
            "waits": waits,
            "own": own,
            "prepared": desk.t(
                "roster.prepared_by",
                who=authors.get(found.prepared_by_id, ""),
                at=times.moment(found.prepared_at, desk.frame.language),
            ),
            "published": desk.t(
                "roster.published_by",
                who=authors.get(found.published_by_id or 0, ""),
                at=times.moment(found.published_at, desk.frame.language),
            )
            if found.published_at
            else "",
            "past": next((said["n"] for said in found.findings if said["key"] == "past"), 0),
        },
        blocked=_blocked(desk, plan, names) if waits else [],
        warned=_warned(desk, plan, names) if waits else [],
        changes=_changes(desk, plan, names) if waits else [],
        same=plan.difference.same,
        off=[_day(desk, day) for day in plan.off] if waits else [],
        shares=await roster_rows.shares(desk, plan.shares) if waits else [],
    )


def _blocked(desk: Desk, plan: Plan, names: dict[int, str]) -> list[str]:
    """What keeps the roster from being published, in words."""
    return [
        *(desk.t("roster.stopped_now", name=names.get(person, "")) for person in plan.stopped),
        *(
            desk.t(
                "roster.booked_now",
                name=names.get(person, ""),
                one=_said(desk, one),
                other=_said(desk, other),
            )
            for person, one, other in plan.booked
        ),
    ]


def _warned(desk: Desk, plan: Plan, names: dict[int, str]) -> list[str]:
    """What is said and left to whoever publishes."""
    return [
        *(roster_rows.gap_words(desk, gap) for gap in plan.gaps),
        *(desk.t("roster.leaderless", day=_day(desk, day)) for day in plan.leaderless),
        *(desk.t("roster.unable", name=names.get(person, "")) for person in plan.unable),
    ]


def _changes(desk: Desk, plan: Plan, names: dict[int, str]) -> list[dict[str, Any]]:
    rows = [(stint, "added", "good", [_people(stint, names)]) for stint in plan.difference.added]
    rows += [(stint, "removed", "danger", [_people(stint, names)]) for stint in plan.difference.removed]
    for change in plan.difference.changed:
        told = [
            desk.t(
                "roster.field_change",
                field=desk.t(f"roster.column.{field.removesuffix('_id')}"),
                before=_value(desk, field, before, names),
                after=_value(desk, field, after, names),
            )
            for field, before, after in change.fields
        ]
        rows.append((change.after, "changed", "info", told))
    return [
        {
            "when": _said(desk, stint),
            "kind": desk.t(f"roster.change.{kind}"),
            "tone": tone,
            "told": told,
        }
        for stint, kind, tone, told in sorted(rows, key=lambda row: row[0])
    ]


def _value(desk: Desk, field: str, value: Any, names: dict[int, str]) -> str:
    if field == "name":
        return desk.t(f"roster.shift.{value.value}")
    if field.endswith("_id"):
        return names.get(value, "") or "—"
    return str(value) or "—"


def _people(stint: Stint, names: dict[int, str]) -> str:
    return "/".join(names.get(person, "") for person in stint.people)


def _said(desk: Desk, stint: Stint) -> str:
    return f"{_day(desk, stint.day)} {stint.opens}–{stint.closes}"


def _day(desk: Desk, day: date) -> str:
    weekday = desk.t(f"hours.weekday.{day.isoweekday()}")
    return desk.t("roster.day", day=times.short_day(day, desk.frame.language), weekday=weekday)
