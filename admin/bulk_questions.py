"""Questions brought as a table: the template, a look at the file, and which row became which ticket."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import times, uploads
from admin.downloads import attached
from admin.pages import Desk, Refusal, signed_in
from office import redact, staff, units
from office.errors import Invalid, NotPermitted
from office.staff import Permission
from office.units import Unit, contains
from ticketing import bulk_questions
from ticketing.bulk_questions import Opened, Row

router = APIRouter(prefix="/calls")
Calling = Annotated[Desk, Depends(signed_in(Permission.OPEN_TICKETS))]
Sending = Annotated[Desk, Depends(signed_in(Permission.OPEN_TICKETS, uploads.read))]
FILE = "bulk-questions.xlsx"


@router.get("/template")
async def template(desk: Calling) -> Response:
    """The empty table to fill in."""
    return attached(bulk_questions.template(desk.now), FILE, desk.t("command.template"))


@router.get("/bulk")
async def choose(desk: Calling) -> Response:
    """The form for a file."""
    return await _page(desk)


@router.post("/bulk")
async def take(desk: Sending) -> Response:
    """Look at a file, or write its questions down; the file comes back with the page that shows it."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _page(later, refusal)

    desk.on_refusal(again)
    upload = uploads.chosen(desk.form)
    rows = bulk_questions.read(upload.data)
    if desk.form.text("then") != "bring":
        return await _page(desk, rows=rows)
    opened = await bulk_questions.bring(
        desk.session, rows, upload.data, unit=await _unit(desk), actor=desk.person, hours=desk.hours,
        now=desk.now,
    )  # fmt: skip
    return await _page(desk, opened=opened)


async def _unit(desk: Desk) -> Unit:
    desk.form.number("unit_id")
    found = next((unit for unit in await _units(desk) if str(unit.id) == desk.form.text("unit_id")), None)
    if found is None:
        raise NotPermitted("not_permitted")
    return found


async def _units(desk: Desk) -> list[Unit]:
    path = await staff.reach(desk.session, desk.person)
    return [unit for unit in await units.all_units(desk.session) if contains(path, unit.path)]


async def _page(
    desk: Desk,
    refusal: Refusal | None = None,
    rows: list[Row] | None = None,
    opened: list[Opened] | None = None,
) -> Response:
    upload = desk.form.upload if isinstance(desk.form, uploads.Posted) else None
    if refusal is not None and upload is not None and desk.form.text("then") == "bring":
        try:
            rows = bulk_questions.read(upload.data)
        except Invalid:
            rows = None
    published = await units.published_numbers(desk.session)
    return desk.render(
        "console/call_bulk.html",
        status=refusal.status if refusal else 200,
        here="/admin/calls/bulk",
        error=refusal.words if refusal else "",
        columns=[(name, bulk_questions.heading(name)) for name in bulk_questions.COLUMNS],
        most=bulk_questions.MOST_ROWS,
        file_name=upload.name if upload else "",
        kept=upload.kept() if upload and rows else {},
        rows=[_shown(desk, row, redact.text(row.words, published).text) for row in rows or []],
        units=[(unit.id, unit.name) for unit in await _units(desk)],
        unit_id=desk.form.text("unit_id") or str(desk.person.unit_id),
        opened=[
            {
                "row": found.row.number,
                "no": found.ticket.ticket_no,
                "key": found.ticket.progress_code,
                "id": found.ticket.id,
                "words": found.ticket.words,
                "promise": times.moment(found.ticket.promised_at, desk.frame.language),
            }
            for found in opened or []
        ],
        may_see=desk.may(Permission.SEE_TICKETS),
    )


def _shown(desk: Desk, row: Row, words: str) -> dict[str, Any]:
    def said(name: str) -> str:
        member = getattr(row, name)
        return desk.t(f"calls.{name}.{member}") if member else ""

    return {
        "row": row.number,
        "words": words,
        "about": " · ".join(
            filter(None, (said("asker_kind"), row.group_no, said("platform_module"), said("symptom")))
        ),
    }
