"""A file of stations: looked at with its faults and its differences, proposed, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import station_differences, uploads
from admin.downloads import attached
from admin.pages import Desk, Number, Refusal, done, signed_in
from admin.stations import file_format
from knowledge import station_imports, station_reports
from knowledge.station_reading import Mode, Reading
from knowledge.station_rows import Fault
from office import changes, units
from office.changes import Change, ChangeKind, ChangeState
from office.errors import Invalid, NotFound
from office.staff import Permission

router = APIRouter(prefix="/stations")
Seeing = Annotated[Desk, Depends(signed_in(Permission.SEE_RULES))]
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_RULES))]
Sending = Annotated[Desk, Depends(signed_in(Permission.DRAFT_RULES, uploads.read))]


@router.get("/import")
async def choose(desk: Drafting) -> Response:
    """The form for a file, and what its two modes mean."""
    return await _page(desk)


@router.post("/import")
async def take(desk: Sending) -> Response:
    """Look at a file, take its report away, or propose what it changes; the file comes with the page."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _page(later, refusal)

    desk.on_refusal(again)
    upload, wish = uploads.chosen(desk.form), desk.form.text("then")
    if wish == "propose":
        change = await station_imports.propose(
            desk.session,
            upload.name,
            upload.data,
            mode=_mode(desk),
            basis=desk.form.text("basis"),
            actor=desk.person,
            now=desk.now,
            removal_meant=desk.form.text("removal_meant") == "1",
        )
        return done(f"/admin/changes/{change.id}", "change_proposed")
    if wish.startswith("report_"):
        return _report(desk, (await _read(desk)).faults, wish.removeprefix("report_"))
    return await _page(desk)


@router.get("/imports/{change_id}")
async def one(desk: Seeing, change_id: Number) -> Response:
    """What one change does to the stations, in full: for whoever signs it, and afterwards."""
    change = await _change(desk, change_id)
    found = await station_imports.preview(desk.session, change)
    shown = await station_differences.differences(
        desk, change.content["rows"], unchanged=found.unchanged, moved=found.moved
    )
    return desk.render(
        "console/station_import_change.html",
        change={
            "id": change.id,
            "number": change.number,
            "waits": change.state is ChangeState.PROPOSED,
            "source": found.source,
            "mode": desk.t(f"stationdesk.mode.{found.mode.value}"),
        },
        shown=shown,
        bad=found.bad,
        **_faults(desk, found.faults),
    )


@router.get("/imports/{change_id}/report")
async def report(desk: Seeing, change_id: Number) -> Response:
    """The faults that a proposed file had, as a file."""
    found = await station_imports.preview(desk.session, await _change(desk, change_id))
    return _report(desk, found.faults, file_format(desk))


async def _change(desk: Desk, change_id: int) -> Change:
    change = await changes.get(desk.session, change_id)
    if change.kind is not ChangeKind.STATIONS:
        raise NotFound("change_unknown")
    return change


def _mode(desk: Desk) -> Mode:
    text = desk.form.text("mode") or Mode.ADD.value
    if text not in tuple(Mode):
        raise Invalid("form_broken")
    return Mode(text)


async def _read(desk: Desk) -> Reading:
    upload = uploads.chosen(desk.form)
    scope = await units.get(desk.session, desk.person.unit_id)
    return await station_imports.read(
        desk.session, upload.name, upload.data, mode=_mode(desk), scope=scope, now=desk.now
    )


def _report(desk: Desk, faults: tuple[Fault, ...], kind: str) -> Response:
    lines = station_reports.lines(faults, desk.frame.language)
    csv = kind == "csv"
    content = station_reports.to_csv(lines) if csv else station_reports.to_xlsx(lines, desk.now)
    return attached(content, f"stations-report.{kind}", desk.t("stationdesk.report_name"))


def _faults(desk: Desk, found: tuple[Fault, ...]) -> dict[str, Any]:
    shown = station_differences.faults(desk, found)
    return {
        "faults": shown,
        "fault_count": len(found),
        "warnings": sum(fault.warning for fault in found),
        "more_faults": len(found) - len(shown),
    }


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    """The form; with a file that can be read also what it would do and what is wrong with it."""
    reading: Reading | None = None
    if isinstance(desk.form, uploads.Posted) and desk.form.upload and desk.form.upload.data:
        try:
            reading = await _read(desk)
        except Invalid:
            # It is this that the refusal tells of; a first look is refused before anything is shown.
            if refusal is None:
                raise
    upload = desk.form.upload if isinstance(desk.form, uploads.Posted) else None
    return desk.render(
        "console/station_import.html",
        status=refusal.status if refusal else 200,
        here="/admin/stations/import",
        error=refusal.words if refusal else "",
        refused=refusal.key if refusal else "",
        longest_basis=station_imports.LONGEST_BASIS,
        waiting=await station_differences.waiting(desk),
        mode=desk.form.text("mode") or Mode.ADD.value,
        modes=[(mode.value, desk.t(f"stationdesk.mode.{mode.value}")) for mode in Mode],
        basis=desk.form.text("basis"),
        scope=(await units.get(desk.session, desk.person.unit_id)).name,
        most=uploads.LARGEST_FILE // 1024 // 1024,
        kept=upload.kept() if upload and reading else {},
        file_name=upload.name if upload else "",
        shown=await station_differences.differences(desk, reading.rows, unchanged=reading.unchanged)
        if reading
        else None,
        bad=reading.bad if reading else 0,
        **_faults(desk, reading.faults if reading else ()),
    )
