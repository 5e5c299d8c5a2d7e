"""The page of macros: what a unit's officers often put into answers, made and retired by themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin.pages import Desk, Number, Refusal, done, signed_in
from office import units
from office.staff import Permission
from ticketing import macros

router = APIRouter(prefix="/macros")
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]


@router.get("")
async def show(desk: Working) -> Response:
    """The macros this person may use; those of the own unit may be retired."""
    return await _page(desk)


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    rows = await macros.listed(desk.session, desk.person)
    names = {unit.id: unit.name for unit in await units.all_units(desk.session)}
    shown = [
        {
            "id": macro.id,
            "name": macro.name,
            "text": macro.text,
            "unit": names[macro.unit_id],
            "own": macro.unit_id == desk.person.unit_id,
        }
        for macro in rows
    ]
    return desk.render(
        "console/macros.html",
        status=refusal.status if refusal else 200,
        here="/admin/macros",
        macros=shown,
        most_name=macros.LONGEST_NAME,
        most_text=macros.LONGEST_TEXT,
        error=refusal.words if refusal else "",
        typed=refusal.typed if refusal else {},
        done=desk.request.query_params.get("done", ""),
    )


@router.post("")
async def create(desk: Working) -> Response:
    """Keep a new macro."""
    desk.on_refusal(_page)
    name, text = desk.form.text("macro_name"), desk.form.text("macro_text")
    await macros.create(desk.session, name, text, actor=desk.person, now=desk.now)
    return done("/admin/macros", "macro_made")


@router.post("/{macro_id}/retire")
async def retire(desk: Working, macro_id: Number) -> Response:
    """Take a macro out of use."""
    desk.on_refusal(_page)
    await macros.retire(desk.session, macro_id, actor=desk.person, now=desk.now)
    return done("/admin/macros", "macro_retired")
