"""One station on the console: everything about it, hidden at once, changed by a proposal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import station_differences, station_form, times
from admin.pages import Desk, Number, Refusal, done, signed_in
from admin.station_form import HoursRow
from knowledge import posters, station_files, station_imports, station_rows, station_shelf, stations
from knowledge.opening import hours_lines, opening, opening_words
from knowledge.station_rows import Fault
from knowledge.station_shelf import Touch
from knowledge.stations import Station, StationKind
from office import audit, staff, units
from office.changes import ChangeState
from office.errors import DeskError
from office.staff import Permission
from office.units import UnitKind, contains

router = APIRouter(prefix="/stations")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_RULES))]
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_RULES))]
Signing = Annotated[Desk, Depends(signed_in(Permission.SIGN_RULES))]
KINDS_OF_UNIT = (UnitKind.SUBDISTRICT, UnitKind.TOWN, UnitKind.WORKING_GROUP, UnitKind.NEIGHBOURHOOD)
TONES = {ChangeState.SIGNED: "good", ChangeState.PROPOSED: "warn"}


@router.get("/new")
async def new(desk: Drafting) -> Response:
    """An empty form for a station more."""
    fields = station_form.empty() | {"kind": _kind_word(StationKind.REGISTRATION)}
    return await _form(desk, None, fields, station_form.spare())


@router.post("/new")
async def create(desk: Drafting) -> Response:
    """Propose a new station."""
    return await _propose(desk, None)


@router.get("/{station_id}")
async def one(desk: Reading, station_id: Number) -> Response:
    """Everything about one station."""
    return await _station(desk, station_id)


@router.get("/{station_id}/edit")
async def edit(desk: Drafting, station_id: Number) -> Response:
    """The station as a form."""
    station = await station_shelf.get(desk.session, station_id)
    fields, hours = await _stored(desk, station)
    return await _form(desk, station, fields, hours)


@router.post("/{station_id}/edit")
async def change(desk: Drafting, station_id: Number) -> Response:
    """Propose the station as the form has it."""
    return await _propose(desk, station_id)


@router.post("/{station_id}/remove")
async def remove(desk: Drafting, station_id: Number) -> Response:
    """Propose that the station is no more."""
    station = await _begun(desk, station_id)
    proposed = await station_imports.propose_removal(
        desk.session,
        station.kind,
        station.code,
        basis=desk.form.text("basis"),
        actor=desk.person,
        now=desk.now,
    )
    return done(f"/admin/changes/{proposed.id}", "change_proposed")


@router.post("/{station_id}/hide")
async def hide(desk: Signing, station_id: Number) -> Response:
    """Take a station out of every answer at once; the reason is for colleagues."""
    station = await _begun(desk, station_id)
    why, seen = desk.form.text("why"), desk.form.number("version")
    await stations.hide(desk.session, station, why, seen=seen, actor=desk.person, now=desk.now)
    return done(f"/admin/stations/{station_id}", "hidden")


@router.post("/{station_id}/show")
async def show_again(desk: Signing, station_id: Number) -> Response:
    """Put a hidden station back into the answers."""
    station = await _begun(desk, station_id)
    seen = desk.form.number("version")
    await stations.show(desk.session, station, seen=seen, actor=desk.person, now=desk.now)
    return done(f"/admin/stations/{station_id}", "shown")


async def _begun(desk: Desk, station_id: int) -> Station:
    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _station(later, station_id, refusal)

    desk.on_refusal(again)
    return await station_shelf.get(desk.session, station_id)


async def _station(desk: Desk, station_id: int, refusal: Refusal | None = None) -> Response:
    station = await station_shelf.get(desk.session, station_id)
    street, language = await station_shelf.street_of(desk.session, station), desk.frame.language
    unit = await units.get(desk.session, station.unit_id)
    within = contains(await staff.reach(desk.session, desk.person), unit.path)
    found = opening(station.hours, desk.now)
    arrived = sum(row.count for row in await posters.counted(desk.session, [station.code]))
    return desk.render(
        "console/station.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/stations/{station_id}",
        error=refusal.words if refusal else "",
        refused=refusal.key if refusal else "",
        waiting=await station_differences.waiting(desk),
        longest_basis=station_imports.LONGEST_BASIS,
        done=desk.request.query_params.get("done", ""),
        station=station,
        kind=desk.t(f"sta.kind.{station.kind.value}"),
        street=street.name,
        state=opening_words(found, desk.now, language),
        tone="good" if found.open_now else "neutral" if found.known else "warn",
        hours=hours_lines(station.hours, language),
        access=[desk.t_or(f"sta.access.{code}", code) for code in station.access],
        position=f"{station.latitude}, {station.longitude}" if station.latitude is not None else "",
        arrived=arrived,
        poster=station.kind is StationKind.REGISTRATION and not station.hidden,
        touches=await _touches(desk, station),
        why=desk.form.text("why"),
        basis=desk.form.text("basis"),
        may_sign=within and desk.may(Permission.SIGN_RULES),
        may_draft=within and desk.may(Permission.DRAFT_RULES),
    )


async def _touches(desk: Desk, station: Station) -> list[dict[str, Any]]:
    """The changes that touched the station and what was done to it at once, newest first."""
    found = await station_shelf.touches(desk.session, station.kind, station.code)
    people = {number for touch in found for number in (touch.change.author_id,) if number}
    names = await staff.names(desk.session, people)
    lines, _ = await audit.listed(desk.session, subject=f"station:{station.id}")
    dated = [
        (touch.change.signed_at or touch.change.created_at, _touch(desk, touch, names)) for touch in found
    ]
    dated += [
        (
            line.at,
            {
                "who": line.actor_name,
                "what": desk.t_or(f"act.{line.action}", line.action),
                "tone": "neutral",
                "href": "",
                "basis": str(line.facts.get("why", "")),
            },
        )
        for line in lines
    ]
    dated.sort(key=lambda both: both[0], reverse=True)
    return [{**row, "time": times.moment(at, desk.frame.language)} for at, row in dated]


def _touch(desk: Desk, touch: Touch, names: Mapping[int, str]) -> dict[str, Any]:
    if touch.before is None:
        what = desk.t("stationdesk.touch_added")
    elif touch.after is None:
        what = desk.t("stationdesk.touch_removed")
    else:
        before, after = touch.before, touch.after
        changed = [desk.t(f"stationdesk.field.{name}") for name in after if after[name] != before.get(name)]
        what = desk.t("stationdesk.touch_changed", fields=desk.t("list.comma").join(changed))
    return {
        "who": names.get(touch.change.author_id or 0, desk.t("stationdesk.installation")),
        "what": what,
        "tone": TONES.get(touch.change.state, "neutral"),
        "href": f"/admin/changes/{touch.change.id}",
        "link": desk.t(f"change.state.{touch.change.state.value}"),
        "basis": touch.change.basis,
    }


async def _stored(desk: Desk, station: Station) -> tuple[dict[str, str], list[HoursRow]]:
    unit = await units.get(desk.session, station.unit_id)
    fields = {name: getattr(station, name) for name in station_files.FIELDS if name != "unit"}
    cells = station_files.cells(fields | {"kind": station.kind.value}, unit.name)
    return station_form.values(cells), station_form.hours_rows(station.hours)


async def _propose(desk: Desk, station_id: int | None) -> Response:
    station = await station_shelf.get(desk.session, station_id) if station_id else None
    fields, hours = station_form.typed(desk.form)
    if desk.form.text("then") == "more":
        return await _form(desk, station, fields, hours + station_form.spare())

    async def again(later: Desk, refusal: Refusal) -> Response:
        present = await station_shelf.get(later.session, station_id) if station_id else None
        return await _form(later, present, *station_form.typed(later.form), refusal)

    desk.on_refusal(again)
    proposed = await station_imports.propose_one(
        desk.session,
        station_form.row_of_file(fields, hours),
        instead_of=_key(station),
        basis=desk.form.text("basis"),
        actor=desk.person,
        now=desk.now,
    )
    return done(f"/admin/changes/{proposed.id}", "change_proposed")


def _key(station: Station | None) -> tuple[StationKind, str] | None:
    return (station.kind, station.code) if station else None


async def _faults(
    desk: Desk, station: Station | None, fields: dict[str, str], hours: list[HoursRow]
) -> tuple[Fault, ...]:
    try:
        found = await station_imports.check_one(
            desk.session,
            station_form.row_of_file(fields, hours),
            instead_of=_key(station),
            actor=desk.person,
            now=desk.now,
        )
    except DeskError:
        return ()  # what is wrong with the form as a whole has been said already
    return found.faults


async def _form(
    desk: Desk,
    station: Station | None,
    fields: dict[str, str],
    hours: list[HoursRow],
    refusal: Refusal | None = None,
) -> Response:
    language = desk.frame.language
    faults = await _faults(desk, station, fields, hours) if refusal else ()
    named = {station_files.heading(name): name for name in station_files.FIELDS}
    told: dict[str, str] = {}
    for fault in faults:
        told.setdefault(named.get(fault.column, ""), station_rows.in_words(fault, language))
    reach = await staff.reach(desk.session, desk.person)
    tree = await units.all_units(desk.session)
    return desk.render(
        "console/station_edit.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/stations/{station.id}/edit" if station else "/admin/stations/new",
        error=refusal.words if refusal and not (faults and refusal.key == "station_faulty") else "",
        refused=refusal.key if refusal else "",
        waiting=await station_differences.waiting(desk),
        longest_basis=station_imports.LONGEST_BASIS,
        station=station,
        fields=fields,
        hours=hours,
        faults=[
            {
                "field": named.get(fault.column, ""),
                "column": fault.column,
                "words": station_rows.in_words(fault, language),
                "warning": fault.warning,
            }
            for fault in faults
        ],
        told=told,
        wrong_row=_wrong_row(faults, hours),
        kinds=[(_kind_word(kind), desk.t(f"sta.kind.{kind.value}")) for kind in StationKind],
        unit_names=[unit.name for unit in tree if unit.kind in KINDS_OF_UNIT and contains(reach, unit.path)],
        weekdays=["每天", "周一至周五", "周六、周日"],
        basis=desk.form.text("basis"),
    )


def _wrong_row(faults: tuple[Fault, ...], hours: list[HoursRow]) -> int | None:
    column = station_files.heading("hours")
    quoted = [str(fault.facts.get("value", "")) for fault in faults if fault.column == column]
    return next(
        (n for value in quoted if (n := station_form.hours_row_at_fault(hours, value)) is not None), None
    )


def _kind_word(kind: StationKind) -> str:
    return str(station_files.data()["kinds"][kind.value][0])
