"""The office's own pages: people and their ways in, and the sheet of design."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import times
from admin.pages import (
    Desk,
    Number,
    Own,
    Refusal,
    anchor,
    cookie_name,
    done,
    set_cookie,
    signed_in,
)
from office import signin, staff, units
from office.errors import Invalid, NotFound
from office.staff import Permission, Role, Staff
from office.units import contains
from ticketing import leaving

router = APIRouter()
Seeing = Annotated[Desk, Depends(signed_in(Permission.SEE_STAFF))]
Managing = Annotated[Desk, Depends(signed_in(Permission.MANAGE_STAFF))]
LINK_COOKIE = "link"
LINK_SECONDS = 120


@router.get("/staff")
async def show(desk: Seeing) -> Response:
    """Everybody in the person's reach, and the form to invite one more."""
    return await _list(desk)


@router.post("/staff")
async def invite(desk: Managing) -> Response:
    """Make an account and the link by which its owner comes in."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _list(later, refusal)

    desk.on_refusal(again)
    chosen = desk.form.all("roles")
    if any(role not in tuple(Role) for role in chosen):
        raise Invalid("form_broken")
    unit = await units.get(desk.session, desk.form.number("unit"))
    person, token = await signin.invite(
        desk.session,
        desk.form.text("name"),
        [role for role in Role if role in chosen],
        unit,
        actor=desk.person,
        now=desk.now,
    )
    return _with_link(desk, person.id, token)


@router.get("/staff/{staff_id}")
async def show_person(desk: Seeing, staff_id: Number) -> Response:
    """One person; right after an invitation also the link, this one time."""
    response = await _person_page(desk, staff_id)
    if cookie_name(desk.request, LINK_COOKIE) in desk.request.cookies:
        response.delete_cookie(
            cookie_name(desk.request, LINK_COOKIE), path="/", secure=desk.services.secure_cookies
        )
    return response


@router.post("/staff/{staff_id}/link")
async def new_link(desk: Managing, staff_id: Number) -> Response:
    """A fresh link for an account: it was lost, or the password was."""
    person = await _person(desk, staff_id)
    token = await signin.new_way_in(desk.session, person, actor=desk.person, now=desk.now)
    return _with_link(desk, person.id, token)


@router.post("/staff/{staff_id}/suspend")
async def suspend(desk: Managing, staff_id: Number) -> Response:
    """Stop an account at once."""
    person = await _person(desk, staff_id)
    await leaving.suspend(desk.session, person, actor=desk.person, now=desk.now)
    return done(f"/admin/staff/{staff_id}", "suspended")


@router.post("/staff/{staff_id}/resume")
async def resume(desk: Managing, staff_id: Number) -> Response:
    """Open a suspended account again."""
    person = await _person(desk, staff_id)
    await staff.resume(desk.session, person, actor=desk.person, now=desk.now)
    return done(f"/admin/staff/{staff_id}", "resumed")


@router.post("/staff/{staff_id}/deactivate")
async def deactivate(desk: Managing, staff_id: Number) -> Response:
    """The person has left."""
    person = await _person(desk, staff_id)
    await leaving.deactivate(desk.session, person, actor=desk.person, now=desk.now)
    return done(f"/admin/staff/{staff_id}", "deactivated")


@router.get("/design")
async def design(desk: Own) -> Response:
    """Every part of the pages in every state."""
    return desk.render("design.html")


async def _person(desk: Desk, staff_id: int) -> Staff:
    """A person in reach; anybody else is not there."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _person_page(later, staff_id, refusal)

    desk.on_refusal(again)
    within = await staff.all_staff(desk.session, await staff.reach(desk.session, desk.person))
    person = next((person for person in within if person.id == staff_id), None)
    if person is None:
        raise NotFound("staff_unknown")
    return person


def _row(desk: Desk, person: Staff, places: dict[int, str]) -> dict[str, Any]:
    if person.deactivated_at:
        state, tone = "deactivated", "neutral"
    elif person.suspended_at:
        state, tone = "suspended", "danger"
    elif person.password_hash is None:
        state, tone = "invited", "info"
    else:
        state, tone = "active", "good"
    return {
        "id": person.id,
        "name": person.name,
        "username": person.username or "",
        "unit": places.get(person.unit_id, ""),
        "roles": desk.t("list.comma").join(desk.t(f"role.{role}") for role in person.roles),
        "state": desk.t(f"staff.state_{state}"),
        "state_key": state,
        "tone": tone,
        "since": times.moment(person.created_at, desk.frame.language),
        "self": person.id == desk.person.id,
    }


async def _list(desk: Desk, refusal: Refusal | None = None) -> Response:
    reach = await staff.reach(desk.session, desk.person)
    within = [unit for unit in await units.all_units(desk.session) if contains(reach, unit.path)]
    places = {unit.id: unit.name for unit in within}
    people = await staff.all_staff(desk.session, reach)
    return desk.render(
        "console/staff.html",
        status=refusal.status if refusal else 200,
        here="/admin/staff",
        error=refusal.words if refusal else "",
        name=desk.form.text("name"),
        chosen=desk.form.all("roles"),
        unit_id=desk.form.text("unit") or desk.person.unit_id,
        units=[(unit.id, unit.name) for unit in within],
        roles=[(role.value, desk.t(f"role.{role}"), desk.t(f"role_does.{role}")) for role in Role],
        rows=[_row(desk, person, places) for person in people],
        may_manage=desk.may(Permission.MANAGE_STAFF),
    )


async def _person_page(desk: Desk, staff_id: int, refusal: Refusal | None = None) -> Response:
    person = await _person(desk, staff_id)
    places = {unit.id: unit.name for unit in await units.all_units(desk.session)}
    return desk.render(
        "console/person.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/staff/{staff_id}",
        error=refusal.words if refusal else "",
        done=desk.request.query_params.get("done", ""),
        row=_row(desk, person, places),
        link=_link(desk, staff_id),
        hours=int(signin.INVITE_LASTS.total_seconds() // 3600),
        may_manage=desk.may(Permission.MANAGE_STAFF),
    )


def _seal(desk: Desk, staff_id: int, token: str) -> str:
    bound = f"link:{anchor(desk.request)}:{staff_id}:{token}"
    return hmac.new(desk.services.secret, bound.encode(), hashlib.sha256).hexdigest()


def _with_link(desk: Desk, staff_id: int, token: str) -> Response:
    # The link may stand in no address and in no log, so the next page finds it in a short-lived cookie,
    # sealed for this sign-in and this person so that nobody can plant another link.
    response = done(f"/admin/staff/{staff_id}", "link_made")
    value = f"{token}.{_seal(desk, staff_id, token)}"
    set_cookie(desk.request, response, LINK_COOKIE, value, max_age=LINK_SECONDS)
    return response


def _link(desk: Desk, staff_id: int) -> str:
    value = desk.request.cookies.get(cookie_name(desk.request, LINK_COOKIE), "")
    token, _, seal = value.partition(".")
    if not token or not hmac.compare_digest(seal.encode(), _seal(desk, staff_id, token).encode()):
        return ""
    scheme = "https" if desk.services.secure_cookies else desk.request.url.scheme
    return f"{scheme}://{desk.request.url.netloc}/admin/invite/{token}"
