"""What is done with several tickets of the list at once, and the officer's own views of it."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import queue as queue_page
from admin import queue_filter, refusals
from admin.pages import Desk, Number, done, signed_in
from admin.replay import Aside
from office.errors import Invalid
from office.staff import Permission
from ticketing import bulk, queue, saved
from ticketing.bulk import Act, Asked, Result, Row
from ticketing.particulars import LedgerKind

router = APIRouter(prefix="/queue")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_TICKETS))]
Working = Annotated[Desk, Depends(Aside(Permission.WORK_TICKETS))]
_ROW = re.compile(r"([0-9]{1,9}):([0-9]{1,9})", re.ASCII)


@router.post("/bulk")
async def several(desk: Working) -> Response:
    """Do one act on each chosen ticket and tell of each what became of it."""
    desk.on_refusal(queue_page.page)
    asked = await _asked(desk)
    rows = [_row(value) for value in desk.form.all("row")]
    if asked.act is Act.VOID and desk.form.text("sure") != "1":
        raise Invalid("bulk_sure")
    chosen = await queue_filter.read_query(desk, desk.form.text("back"))
    person, now = desk.person, desk.now
    # Each ticket is a transaction of its own; none waits for this page's.
    await desk.session.close()
    found = await bulk.apply(desk.services.store, asked, rows, actor=person, now=now)
    good = sum(result.refusal is None for result in found)
    return desk.render(
        "console/queue_done.html",
        here="/admin" + chosen.query(),
        act=desk.t(f"bulk.act_{asked.act.value}"),
        good=good,
        bad=len(found) - good,
        rows=[_result(desk, result) for result in found],
        back="/admin" + chosen.query(),
    )


async def _asked(desk: Desk) -> Asked:
    form = desk.form
    try:
        act = Act(form.text("act"))
    except ValueError as error:
        raise Invalid("bulk_incomplete") from error
    to, ledger, lead_no = form.text("to"), form.text("ledger"), form.text("lead_no").strip()
    lead = None
    if act is Act.MERGE and lead_no:
        lead = await queue.by_number(desk.session, desk.person, lead_no)
    return Asked(
        act=act,
        to_id=form.number("to") if to else None,
        group=form.text("group"),
        lead_id=lead.id if lead else None,
        ledger=next((one for one in LedgerKind if one.value == ledger), None),
        reason=form.text("reason"),
    )


def _row(value: str) -> Row:
    found = _ROW.fullmatch(value)
    if found is None:
        raise Invalid("form_broken")
    return Row(int(found[1]), int(found[2]))


def _result(desk: Desk, result: Result) -> dict[str, Any]:
    return {
        "id": result.ticket_id,
        "no": result.no,
        "good": result.refusal is None,
        "words": refusals.in_words(result.refusal, desk.frame.language) if result.refusal else "",
    }


@router.post("/saved")
async def save(desk: Reading) -> Response:
    """Keep the present view under a name."""
    desk.on_refusal(queue_page.page)
    chosen = await queue_filter.read_query(desk, desk.form.text("back"))
    await saved.save(desk.session, desk.form.text("saved_name"), chosen.query(), actor=desk.person)
    return done("/admin" + chosen.query(), "view_saved")


@router.post("/saved/{filter_id}/rename")
async def rename(desk: Reading, filter_id: Number) -> Response:
    """Give one's own view another name."""
    desk.on_refusal(queue_page.page)
    found = await saved.get(desk.session, desk.person, filter_id)
    await saved.rename(desk.session, found, desk.form.text("saved_name"), actor=desk.person)
    return done("/admin" + found.query, "view_saved")


@router.post("/saved/{filter_id}/remove")
async def remove(desk: Reading, filter_id: Number) -> Response:
    """Remove one's own view."""
    desk.on_refusal(queue_page.page)
    found = await saved.get(desk.session, desk.person, filter_id)
    await saved.remove(desk.session, found, actor=desk.person)
    return done("/admin", "view_removed")
