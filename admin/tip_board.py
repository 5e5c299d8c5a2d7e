"""The board of one work tip: how its sending goes on, who has read it, whom to remind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response

from admin import times, tip_progress, tips
from admin.pages import Desk, Number, Refusal, done, signed_in
from knowledge import tip_receipts, tip_words
from knowledge import tips as kept_tips
from knowledge.tip_receipts import LONGEST_SIGNER, Receipt, ReceiptWay
from knowledge.tips import TipState, WorkTip
from office import broadcasts, staff, units
from office.errors import Conflict
from office.staff import Permission
from office.units import Unit, contains
from ticketing import tip_arrivals, tip_chases, tip_places, tip_questions

router = APIRouter(prefix="/tips/{tip_id}/board")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ENTRIES))]
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]
Steering = Annotated[Desk, Depends(signed_in(Permission.PUBLISH_ENTRIES))]
DONE = ("pause", "resume", "stop", "chased", "noted", "noted_before", "read", "read_before")
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
            raise Conflict(refusal.key, next=times.moment(at, desk.frame.language)) from refusal
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
    return desk.render(
        "console/tip_board.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/tips/{tip_id}/board",
        error=refusal.words if refusal else "",
        typed=refusal.typed if refusal else {"unit": asked.get("unit", "")},
        done=asked.get("done", "") if asked.get("done") in DONE else "",
        tip={
            "id": tip.id,
            "title": tip.title,
            "number": tip_words.number(tip),
            "short": tip_words.short_number(tip),
            "state": desk.t(f"tips.state_{tip.state}"),
            "tone": tips.TONES[tip.state],
            "marks": tips.marks_of(desk, tip),
        },
        **await tip_progress.view(desk, tip),
        **await _receipts(desk, tip),
    )


async def _receipts(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """Who has read it and who has not, and what may be done about that here."""
    reach = await staff.reach(desk.session, desk.person)
    board = await tip_receipts.board(desk.session, [tip])
    within = [unit for unit in board.units if contains(reach, unit.path)]
    silent = [unit for unit in within if board.cell(unit, tip) is None]
    signed = [(unit, row) for unit in within if (row := board.cell(unit, tip)) is not None]
    read, addressed = await tip_receipts.counts(desk.session, tip)
    home = await units.get(desk.session, tip.unit_id)
    works = desk.may(Permission.WORK_TICKETS)
    standing = tip.state is TipState.RELEASED and kept_tips.shown(tip, desk.now)
    return {
        "read": read,
        "addressed": addressed,
        "partly": len(within) < len(board.units),
        "rate": await _rate(desk, tip, addressed),
        "due": times.moment(tip.receipt_due, desk.frame.language) if tip.receipt_due else "",
        "wanted": tip.receipt_wanted,
        "silent": await _silent(desk, tip, silent),
        "signed": await _signed(desk, signed),
        "rounds": await _rounds(desk, tip),
        "most_rounds": tip_chases.MOST_A_DAY,
        "may_chase": works and standing and tip.receipt_wanted and read < addressed
        and contains(reach, home.path),
        "may_note": works and standing,
        # Somebody of a committee signs for the street above it, of which the lists here show nothing.
        "own": [
            unit
            for unit in board.units
            if standing and board.cell(unit, tip) is None and contains(unit.path, reach)
        ],
        "questions": await tip_questions.count(desk.session, tip),
        "sees_tickets": desk.may(Permission.SEE_TICKETS),
        "longest_signer": LONGEST_SIGNER,
    }  # fmt: skip


async def _rate(desk: Desk, tip: WorkTip, addressed: int) -> dict[str, str]:
    """已阅率@24h in words; until a day is over it can still rise."""
    begun = tip_arrivals.sent_at(tip)
    if begun is None or not addressed:
        return {"figure": "—", "note": ""}
    read = await tip_arrivals.read_in_time(desk.session, tip)
    open_still = begun + tip_arrivals.COUNTED_WITHIN > desk.now
    return {
        # Never rounded up to all of them.
        "figure": f"{read * 100 // addressed}%",
        "note": desk.t("tipboard.rate_open" if open_still else "tipboard.rate_of", n=read, of=addressed),
    }


async def _silent(desk: Desk, tip: WorkTip, silent: list[Unit]) -> list[dict[str, Any]]:
    """The telephone list: the units that owe a receipt, their number, and who is on duty there."""
    near = {unit.id for unit in silent}
    reached = {place.unit.id for place in await tip_places.places(desk.session, tip)}
    return [
        {
            "id": call.unit.id,
            "name": call.unit.name,
            "phone": call.phone,
            "on_duty": call.on_duty,
            "duty_phone": call.duty_phone,
            "no_group": call.unit.id not in reached,
        }
        for call in await tip_chases.phone_list(desk.session, tip, now=desk.now)
        if call.unit.id in near
    ]


async def _signed(desk: Desk, rows: list[tuple[Unit, Receipt]]) -> list[dict[str, str]]:
    names = await staff.names(desk.session, {row.recorded_by_id for _, row in rows if row.recorded_by_id})
    return [
        {
            "unit": unit.name,
            "who": row.signer,
            "at": times.moment(row.at, desk.frame.language),
            "way": _way(desk, row, names),
        }
        for unit, row in sorted(rows, key=lambda pair: pair[1].at, reverse=True)
    ]


def _way(desk: Desk, row: Receipt, names: Mapping[int, str]) -> str:
    said = desk.t(f"tipboard.way_{row.way}")
    if row.recorded_by_id is None:
        return said
    return desk.t("tipboard.way_noted", way=said, who=names.get(row.recorded_by_id, "—"))


async def _rounds(desk: Desk, tip: WorkTip) -> list[str]:
    rows = await tip_chases.rounds(desk.session, tip)
    names = await staff.names(desk.session, {row.by_id for row in rows if row.by_id})
    return [
        desk.t(
            "tipboard.round", at=times.moment(row.at, desk.frame.language), n=row.units,
            who=names.get(row.by_id or 0, "") or desk.t("tipboard.by_clock"),
        )
        for row in reversed(rows)
    ]  # fmt: skip
