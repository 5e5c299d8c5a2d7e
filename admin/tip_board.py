"""The board of one work tip: how its sending goes on, who has read it, whom to remind."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response

from admin import times, tip_can, tip_progress, tip_readers, tips
from admin.pages import Desk, Number, Refusal, done, signed_in
from knowledge import tip_receipts, tip_words
from knowledge import tips as kept_tips
from knowledge.tip_receipts import ReceiptWay
from knowledge.tips import WorkTip
from office import broadcasts, staff, units
from office.errors import Conflict, Invalid
from office.staff import Permission
from ticketing import tip_arrivals, tip_chases, tip_resends

router = APIRouter(prefix="/tips/{tip_id}/board")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ENTRIES))]
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]
Steering = Annotated[Desk, Depends(signed_in(Permission.PUBLISH_ENTRIES))]
DONE = (
    "pause",
    "resume",
    "stop",
    "again",
    "again_none",
    "chased",
    "noted",
    "noted_before",
    "back",
    "phone",
    "read",
    "read_before",
)
# A unit and the stamp of its receipt, as the page put them there.
_RECEIPT = re.compile(r"([0-9]{1,9})\.([0-9]{1,9}\.[0-9]{1,20})")
STEPS = {"pause": broadcasts.pause, "resume": broadcasts.resume, "stop": broadcasts.stop}


@router.get("")
async def show(desk: Reading, tip_id: Number) -> Response:
    """Sending and receipts of a released tip; of units and groups those within the reader's reach."""
    return await _page(desk, tip_id)


@router.get("/progress")
async def progress(desk: Reading, tip_id: Number) -> Response:
    """Only what changes by itself, for the page that asks for it again and again."""
    tip = await kept_tips.get(desk.session, desk.person, tip_id)
    return desk.render("console/tip_progress.html", **await tip_progress.view(desk, tip))


@router.post("/pause")
async def pause(desk: Steering, tip_id: Number) -> Response:
    """Hold what has not been sent."""
    return await _step(desk, tip_id, "pause")


@router.post("/resume")
async def resume(desk: Steering, tip_id: Number) -> Response:
    """Send on."""
    return await _step(desk, tip_id, "resume")


@router.post("/stop")
async def stop(desk: Steering, tip_id: Number) -> Response:
    """Never send what has not been sent."""
    return await _step(desk, tip_id, "stop")


@router.post("/again")
async def again(desk: Steering, tip_id: Number) -> Response:
    """Send it to the groups that have not got it; once more pressed, to nobody."""
    tip = await _acting(desk, tip_id)
    groups = await tip_resends.send_again(
        desk.session, tip, actor=desk.person, now=desk.now, public_url=desk.services.public_url
    )
    return done(f"/admin/tips/{tip_id}/board", "again" if groups else "again_none")


async def _step(desk: Desk, tip_id: int, act: str) -> Response:
    tip = await _acting(desk, tip_id)
    home = await units.get(desk.session, tip.unit_id)
    await staff.must(desk.session, desk.person, Permission.PUBLISH_ENTRIES, home.path)
    run = await tip_arrivals.run_of(desk.session, tip, desk.form.number("run"))
    seen = desk.form.number("version")
    await STEPS[act](desk.session, run, seen=seen, actor=desk.person, now=desk.now)
    return done(f"/admin/tips/{tip_id}/board", act)


@router.post("/chase")
async def chase(desk: Working, tip_id: Number) -> Response:
    """Remind the units that have not read it."""
    tip = await _acting(desk, tip_id)
    try:
        await tip_chases.chase(desk.session, tip, actor=desk.person, hours=desk.hours, now=desk.now)
    except Conflict as refusal:
        if isinstance(at := refusal.facts.get("next"), datetime):
            # On a Friday evening the hour alone would be misread.
            raise Conflict(refusal.key, next=times.moment(at, desk.frame.language, now=desk.now)) from refusal
        raise
    return done(f"/admin/tips/{tip_id}/board", "chased")


@router.post("/receipts")
async def note(desk: Working, tip_id: Number) -> Response:
    """Write down a receipt that was given by telephone."""
    tip = await _acting(desk, tip_id)
    unit = await units.get(desk.session, desk.form.number("unit"))
    _, new = await tip_receipts.acknowledge(
        desk.session, tip, unit, person=None, way=ReceiptWay.PHONE, now=desk.now,
        recorded_by=desk.person, signer=desk.form.text("signer"),
    )  # fmt: skip
    return done(f"/admin/tips/{tip_id}/board", "noted" if new else "noted_before")


@router.post("/receipts/back")
async def take_back(desk: Working, tip_id: Number) -> Response:
    """A receipt that was written down from the telephone was none."""
    tip = await _acting(desk, tip_id)
    named = _RECEIPT.fullmatch(desk.form.text("receipt"))
    if named is None:
        raise Invalid("form_broken")
    unit = await units.get(desk.session, int(named[1]))
    await tip_receipts.take_back(
        desk.session, tip, unit, desk.form.text("why"), seen=named[2], actor=desk.person, now=desk.now
    )
    return done(f"/admin/tips/{tip_id}/board", "back")


@router.post("/read")
async def read(desk: Reading, tip_id: Number) -> Response:
    """The reader's own unit has read it."""
    tip = await _acting(desk, tip_id)
    unit = await units.get(desk.session, desk.form.number("unit"))
    _, new = await tip_receipts.acknowledge(
        desk.session, tip, unit, person=desk.person, way=ReceiptWay.CONSOLE, now=desk.now
    )
    return done(f"/admin/tips/{tip_id}/board", "read" if new else "read_before")


async def _acting(desk: Desk, tip_id: int) -> WorkTip:
    async def again(fresh: Desk, refusal: Refusal) -> Response:
        return await _page(fresh, tip_id, refusal)

    desk.on_refusal(again)
    return await kept_tips.get(desk.session, desk.person, tip_id)


async def _page(desk: Desk, tip_id: int, refusal: Refusal | None = None) -> Response:
    tip = await kept_tips.get(desk.session, desk.person, tip_id)
    if tip.state in kept_tips.UNRELEASED:
        return RedirectResponse(f"/admin/tips/{tip_id}", 303)
    asked = desk.request.query_params
    told = asked.get("done", "") if asked.get("done") in DONE else ""
    return desk.render(
        "console/tip_board.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/tips/{tip_id}/board",
        error=refusal.words if refusal else "",
        typed=refusal.typed if refusal else {"unit": asked.get("unit", ""), "receipt": asked.get("back", "")},
        told=(await tip_readers.chased(desk, tip) if told == "chased" else "")
        or (desk.t(f"tipboard.done_{told}") if told else ""),
        tip={
            "id": tip.id,
            "title": tip.title,
            "number": tip_words.number(tip),
            "short": tip_words.short_number(tip),
            "state": desk.t(f"tips.state_{tip.state}"),
            "tone": tips.TONES[tip.state],
            "marks": tips.marks_of(desk, tip),
            "held": await tip_can.held(desk, tip),
        },
        **await tip_progress.view(desk, tip),
        **await tip_readers.view(desk, tip),
    )
