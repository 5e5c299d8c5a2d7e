"""The telephone numbers of units' offices: shown to who manages staff there, and changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin.pages import Desk, Number, Refusal, done, signed_in
from office import staff, unit_phones, units
from office.staff import Permission
from office.units import Unit, contains

router = APIRouter(prefix="/units")
Managing = Annotated[Desk, Depends(signed_in(Permission.MANAGE_STAFF))]
HERE = "/admin/units"


@router.get("")
async def show(desk: Managing) -> Response:
    """The units in reach with the number of each."""
    reach = await staff.reach(desk.session, desk.person)
    office = await units.election_office(desk.session)
    return desk.render(
        "console/units.html",
        told=desk.t("units.done_phone") if desk.request.query_params.get("done") == "phone" else "",
        rows=[
            {"id": unit.id, "name": unit.name, "phone": unit.phone, "office": unit.id == office.id}
            for unit in await units.all_units(desk.session)
            if contains(reach, unit.path)
        ],
    )


@router.get("/{unit_id}")
async def one(desk: Managing, unit_id: Number) -> Response:
    """The form for one unit's number."""
    return await _page(desk, unit_id)


@router.post("/{unit_id}")
async def change(desk: Managing, unit_id: Number) -> Response:
    """Another number, or none; whoever came from a tip's telephone list goes back to it."""

    async def again(fresh: Desk, refusal: Refusal) -> Response:
        return await _page(fresh, unit_id, refusal)

    desk.on_refusal(again)
    unit = await _near(desk, unit_id)
    await unit_phones.change(
        desk.session, unit, desk.form.text("phone"), seen=desk.form.text("before"), actor=desk.person,
        now=desk.now,
    )  # fmt: skip
    tip = desk.form.number("tip") if desk.form.text("tip") else 0
    return done(f"/admin/tips/{tip}/board" if tip else HERE, "phone")


async def _near(desk: Desk, unit_id: int) -> Unit:
    unit = await units.get(desk.session, unit_id)
    await staff.must(desk.session, desk.person, Permission.MANAGE_STAFF, unit.path)
    return unit


async def _page(desk: Desk, unit_id: int, refusal: Refusal | None = None) -> Response:
    unit = await _near(desk, unit_id)
    tip = refusal.typed.get("tip", "") if refusal else desk.request.query_params.get("tip", "")
    return desk.render(
        "console/unit.html",
        status=refusal.status if refusal else 200,
        error=refusal.words if refusal else "",
        here=f"{HERE}/{unit_id}",
        name=unit.name,
        phone=unit.phone,
        typed=refusal.typed.get("phone", "") if refusal else unit.phone,
        theirs=unit.phone if refusal and refusal.key == "stale_card" else None,
        fixed=unit.id == (await units.election_office(desk.session)).id,
        tip=tip if tip.isascii() and tip.isdecimal() and len(tip) < 10 else "",
    )
