"""Exports: the record sheet as Word document, workbook, CSV or a page to print; and checking such a file."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import downloads, printed, queue_filter, times, uploads
from admin.pages import Desk, Number, Refusal, signed_in
from admin.replay import Aside
from office.errors import Invalid
from office.staff import Permission
from office.words import CHINESE, say
from ticketing import exports, queue, record_sheet, record_view
from ticketing.export_rows import MOST_ROWS, Form, Sheet, Snapshot
from ticketing.exports import Verdict

router = APIRouter(prefix="/exports")
Reading = Annotated[Desk, Depends(signed_in(Permission.EXPORT_TICKETS))]
Checking = Annotated[Desk, Depends(signed_in(Permission.EXPORT_TICKETS, uploads.read))]
Exporting = Annotated[Desk, Depends(Aside(Permission.EXPORT_TICKETS))]


@router.get("")
async def show(desk: Reading) -> Response:
    """What would be exported, in which forms; and what was."""
    return await _page(desk)


@router.post("")
async def export(desk: Exporting) -> Response:
    """The record sheet of what the filter shows, in the form that was chosen."""
    desk.on_refusal(_page)
    chosen = await queue_filter.read_query(desk, desk.form.text("back"))
    form = _form(desk)
    found = await queue.matching(
        desk.session, desk.person, chosen.filter(), now=desk.now, most=MOST_ROWS[form]
    )
    sheet = await record_sheet.sheet(
        desk.session,
        found,
        sealer=desk.services.sealer,
        notes=(*chosen.notes(), say("export.count", CHINESE, n=min(len(found), MOST_ROWS[form]))),
    )
    return await _left(
        desk, record_sheet.WHAT, sheet, form, chosen.codes(), "/admin/exports" + chosen.query()
    )


@router.post("/tickets/{ticket_id}")
async def one(desk: Exporting, ticket_id: Number) -> Response:
    """One ticket as a sheet of its own."""
    desk.on_refusal(_page)
    ticket, unit = await queue.seen_by(desk.session, desk.person, ticket_id)
    form = _form(desk)
    sheet = await record_view.sheet(desk.session, ticket, unit, sealer=desk.services.sealer)
    back = f"/admin/tickets/{ticket_id}"
    return await _left(desk, record_view.WHAT, sheet, form, {"ticket": ticket.ticket_no}, back)


@router.post("/verify")
async def verify(desk: Checking) -> Response:
    """Whether a file is what left the desk: its rows are counted and digested anew."""
    desk.on_refusal(_page)
    verdict = await exports.verify(desk.session, uploads.chosen(desk.form).data)
    return await _page(desk, verdict=verdict)


def _form(desk: Desk) -> Form:
    try:
        return Form(desk.form.text("form"))
    except ValueError as error:
        raise Invalid("export.choose_form") from error


async def _left(
    desk: Desk, what: str, sheet: Sheet, form: Form, filters: dict[str, Any], back: str
) -> Response:
    """Note the export in a short transaction, then make the file, which may take a while, in a thread."""
    person, now, purpose = desk.person, desk.now, desk.form.text("purpose")
    await desk.session.close()
    async with desk.services.store.transaction() as session:
        snapshot: Snapshot = await exports.make(
            session, what, sheet, form=form, filters=filters, purpose=purpose, actor=person, now=now
        )
    if form is Form.PRINT:
        return printed.page(desk, snapshot, back)
    content = await asyncio.to_thread(exports.file, snapshot, form)
    title = f"{sheet.title} {snapshot.marks.snapshot}"
    return downloads.attached(content, exports.file_name(what, snapshot, form), title)


async def _page(desk: Desk, refusal: Refusal | None = None, verdict: Verdict | None = None) -> Response:
    chosen = await queue_filter.read_query(desk, desk.form.text("back") or desk.request.url.query)
    # A list is what is exported as a rule; in the list nothing that is done, in a record all of a day.
    _, total = await queue.listed(desk.session, desk.person, chosen.filter(), now=desk.now)
    rows = await exports.listed(desk.session, desk.person)
    return desk.render(
        "console/exports.html",
        status=refusal.status if refusal else 200,
        here="/admin/exports" + chosen.query(),
        error=refusal.words if refusal else "",
        typed={"purpose": desk.form.text("purpose"), "form": desk.form.text("form") or Form.DOCX.value},
        query=chosen.query(),
        filters=chosen.notes(desk.frame.language)[0],
        chosen=chosen.fields,
        view=chosen.view,
        views=[(name, desk.t(f"queue.view_{name}")) for name in queue_filter.VIEWS],
        units=[("", desk.t("queue.all_units")), *((unit.id, unit.name) for unit in chosen.within)],
        total=desk.t("export.more_than", n=queue.MOST) if total > queue.MOST else str(total),
        forms=[(form.value, desk.t(f"export.form_{form.value}", n=MOST_ROWS[form])) for form in Form],
        reason_above=exports.REASON_ABOVE,
        longest=exports.LONGEST_PURPOSE,
        rows=[
            {
                "id": row.id,
                "at": times.moment(row.at, desk.frame.language),
                "who": who,
                "what": desk.t(f"export.what_{row.what}"),
                "rows": row.rows,
                "digest": row.digest[:12],
                "purpose": row.purpose,
            }
            for row, who in rows
        ],
        verdict=_verdict(desk, verdict) if verdict else None,
    )


def _verdict(desk: Desk, verdict: Verdict) -> dict[str, Any]:
    row = verdict.export
    key = "good" if verdict.good else "mark" if verdict.whole else "changed"
    return {
        "good": verdict.good,
        "title": desk.t(f"export.verdict_{key}"),
        "pairs": [
            (desk.t("export.no"), row.id),
            (desk.t("export.who"), verdict.who),
            (desk.t("export.at"), times.moment(row.at, desk.frame.language)),
            (desk.t("export.what"), desk.t(f"export.what_{row.what}")),
            (desk.t("export.rows_then"), row.rows),
            (desk.t("export.rows_now"), verdict.rows),
        ],
    }
