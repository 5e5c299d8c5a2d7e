"""The steps of a work tip in the console: handed in, looked over, sent back, released, withdrawn."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin.pages import Desk, Number, Refusal, done, signed_in
from admin.tips import page
from knowledge import tip_moves, tips
from knowledge.tips import WorkTip
from office.errors import Invalid
from office.staff import Permission
from ticketing import tip_discards, tip_effect, tip_release

router = APIRouter(prefix="/tips")
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_ENTRIES))]
Releasing = Annotated[Desk, Depends(signed_in(Permission.PUBLISH_ENTRIES))]


async def _shown(desk: Desk, tip_id: int) -> tuple[WorkTip, int]:
    """The tip of a form and the version count it was made from; a refusal shows the tip's page again."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await page(later, tip_id, refusal)

    desk.on_refusal(again)
    return await tips.get(desk.session, desk.person, tip_id), desk.form.number("version")


@router.post("/{tip_id}/submit")
async def submit(desk: Drafting, tip_id: Number) -> Response:
    """Hand the draft to whoever may release it."""
    tip, seen = await _shown(desk, tip_id)
    await tip_moves.submit(desk.session, tip, seen=seen, actor=desk.person, now=desk.now)
    return done(f"/admin/tips/{tip_id}", "submitted")


@router.post("/{tip_id}/delete")
async def delete(desk: Drafting, tip_id: Number) -> Response:
    """Delete a draft that was begun in vain."""
    tip, seen = await _shown(desk, tip_id)
    if desk.form.text("sure") != "1":
        raise Invalid("tip_delete_unsure")
    await tip_discards.discard(desk.session, tip, seen=seen, actor=desk.person, now=desk.now)
    return done("/admin/tips", "deleted")


@router.post("/{tip_id}/look-over")
async def look_over(desk: Drafting, tip_id: Number) -> Response:
    """Note that one has gone over the text before it is signed."""
    tip, seen = await _shown(desk, tip_id)
    await tip_moves.look_over(desk.session, tip, seen=seen, actor=desk.person, now=desk.now)
    return done(f"/admin/tips/{tip_id}", "looked_over")


@router.post("/{tip_id}/take-back")
async def take_back(desk: Drafting, tip_id: Number) -> Response:
    """Take a tip back out of review, to go on writing."""
    tip, seen = await _shown(desk, tip_id)
    await tip_moves.take_back(desk.session, tip, seen=seen, actor=desk.person, now=desk.now)
    return done(f"/admin/tips/{tip_id}", "taken_back")


@router.post("/{tip_id}/return")
async def send_back(desk: Releasing, tip_id: Number) -> Response:
    """Return a tip to its drafter with a remark."""
    tip, seen = await _shown(desk, tip_id)
    remark = desk.form.text("remark")
    await tip_moves.send_back(desk.session, tip, remark, seen=seen, actor=desk.person, now=desk.now)
    return done(f"/admin/tips/{tip_id}", "returned")


@router.post("/{tip_id}/release")
async def release(desk: Releasing, tip_id: Number) -> Response:
    """Sign a tip: it gets its number, and what it says goes out; only a second person may."""
    tip, seen = await _shown(desk, tip_id)
    await tip_release.release(
        desk.session, tip, seen=seen, actor=desk.person, hours=desk.hours, now=desk.now,
        public_url=desk.services.public_url,
    )  # fmt: skip
    return done(f"/admin/tips/{tip_id}", "released")


@router.post("/{tip_id}/in-effect")
async def in_effect(desk: Releasing, tip_id: Number) -> Response:
    """Bring the entries of a tip into force whose time came while they could not be published."""
    tip, _ = await _shown(desk, tip_id)
    await tip_effect.now_in_effect(desk.session, tip, actor=desk.person, now=desk.now)
    return done(f"/admin/tips/{tip_id}", "in_effect")


@router.post("/{tip_id}/withdraw")
async def withdraw(desk: Releasing, tip_id: Number) -> Response:
    """Take a released tip out of force; every group that shows it is told."""
    tip, seen = await _shown(desk, tip_id)
    why = desk.form.text("why")
    await tip_release.withdraw(desk.session, tip, why, seen=seen, actor=desk.person, now=desk.now)
    return done(f"/admin/tips/{tip_id}", "withdrawn")
