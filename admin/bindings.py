"""Chats of staff and groups: inviting, comparing the two digits, confirming a group, ending."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends
from fastapi.responses import Response
from markupsafe import Markup

from admin import times
from admin.group_states import states
from admin.pages import Desk, Number, Refusal, anchor, cookie_name, done, set_cookie, signed_in
from office import bindings, chat_groups, chat_invites, group_health, staff, units
from office.bindings import BindingState, GroupPurpose, GroupState
from office.chat_invites import Compared
from office.contacts import Channel
from office.errors import Invalid, NotFound
from office.staff import Permission, Staff
from office.units import contains

router = APIRouter(prefix="/bindings")
log = logging.getLogger(__name__)
Seeing = Annotated[Desk, Depends(signed_in(Permission.SEE_STAFF))]
Managing = Annotated[Desk, Depends(signed_in(Permission.MANAGE_STAFF))]
HERE = "/admin/bindings"
LINK_COOKIE = "chat-link"
LINK_SECONDS = 300
NAME_WAITS = 3.0
CORRECTION = "m"
TONES = {"invited": "info", "waiting": "warn", "bound": "good"}


@router.get("")
async def show(desk: Seeing) -> Response:
    """Chats and groups in reach; right after an invitation also its link and code, this one time."""
    response = await _page(desk)
    if cookie_name(desk.request, LINK_COOKIE) in desk.request.cookies:
        response.delete_cookie(
            cookie_name(desk.request, LINK_COOKIE), path="/", secure=desk.services.secure_cookies
        )
    return response


@router.post("")
async def invite(desk: Managing) -> Response:
    """A link by which somebody on staff binds a chat."""
    desk.on_refusal(_again)
    person = await _person(desk, desk.form.number("staff"))
    _, token = await chat_invites.invite(desk.session, person, actor=desk.person, now=desk.now)
    # The link may stand in no address and in no log: the next page finds it in a short-lived, sealed cookie.
    response = done(HERE)
    value = f"{person.id}.{token}.{_seal(desk, person.id, token)}"
    set_cookie(desk.request, response, LINK_COOKIE, value, max_age=LINK_SECONDS)
    return response


@router.post("/{binding_id}/confirm")
async def confirm(desk: Managing, binding_id: Number) -> Response:
    """The two digits that the person reads out from the phone."""
    desk.on_refusal(_again)
    typed = desk.form.text(f"digits_{binding_id}")
    outcome = await chat_invites.confirm(desk.session, binding_id, typed, actor=desk.person, now=desk.now)
    return done(HERE, _OUTCOMES[outcome])


_OUTCOMES = {
    Compared.BOUND: "bound",
    Compared.FIRST_PHONE: "first_phone",
    Compared.WRONG: "wrong",
    Compared.ENDED: "over",
}


@router.post("/{binding_id}/end")
async def end(desk: Managing, binding_id: Number) -> Response:
    """End an invitation or a binding."""
    desk.on_refusal(_again)
    await chat_invites.end_one(desk.session, binding_id, actor=desk.person, now=desk.now)
    return done(HERE, "ended")


@router.post("/groups/{group_id}/bind")
async def bind_group(desk: Managing, group_id: Number) -> Response:
    """Confirm that a group belongs to a unit, and what it is for."""
    desk.on_refusal(_again)
    purpose = desk.form.text(f"purpose_{group_id}")
    if purpose not in tuple(GroupPurpose):
        raise Invalid("form_broken")
    unit = await units.get(desk.session, desk.form.number(f"unit_{group_id}"))
    await chat_groups.bind(
        desk.session, group_id, unit, GroupPurpose(purpose), actor=desk.person, now=desk.now
    )
    return done(HERE, "group_bound")


@router.post("/groups/{group_id}/unbind")
async def unbind_group(desk: Managing, group_id: Number) -> Response:
    """End a group's binding, or refuse one that was asked for."""
    desk.on_refusal(_again)
    await chat_groups.unbind(desk.session, group_id, actor=desk.person, now=desk.now)
    return done(HERE, "group_ended")


async def _again(desk: Desk, refusal: Refusal) -> Response:
    return await _page(desk, refusal)


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    reach = await staff.reach(desk.session, desk.person)
    within = [unit for unit in await units.all_units(desk.session) if contains(reach, unit.path)]
    places = {unit.id: unit.name for unit in await units.all_units(desk.session)}
    people = [person for person in await staff.all_staff(desk.session, reach) if person.active]
    return desk.render(
        "console/bindings.html",
        status=refusal.status if refusal else 200,
        here=HERE,
        error=refusal.words if refusal else "",
        done=desk.request.query_params.get("done", ""),
        link=await _link(desk, people),
        hours=int(chat_invites.LASTS.total_seconds() // 3600),
        people=[(person.id, f"{person.name} · {places.get(person.unit_id, '')}") for person in people],
        rows=await _rows(desk, reach, places),
        groups=await _groups(desk, reach),
        units=[(unit.id, unit.name) for unit in within],
        purposes=[(purpose.value, desk.t(f"group_purpose.{purpose.value}")) for purpose in GroupPurpose],
        may_manage=desk.may(Permission.MANAGE_STAFF),
    )


async def _rows(desk: Desk, reach: str, places: dict[int, str]) -> list[dict[str, Any]]:
    language = desk.frame.language
    return [
        {
            "id": binding.id,
            "name": person.name,
            "unit": places.get(person.unit_id, ""),
            "channel": desk.t(f"bindings.channel.{contact.channel.value}") if contact else "",
            "state": desk.t(f"bindings.state.{binding.state.value}"),
            "tone": TONES.get(binding.state.value, "neutral"),
            "since": times.moment(binding.bound_at or binding.used_at or binding.invited_at, language),
            "until": times.moment(binding.expires_at, language),
            "waiting": binding.state is BindingState.WAITING and binding.bound_by_id is None,
            "first_phone": binding.state is BindingState.WAITING and binding.bound_by_id is not None,
        }
        for binding, person, contact in await bindings.listed(desk.session, reach)
    ]


async def _groups(desk: Desk, reach: str) -> list[dict[str, Any]]:
    language = desk.frame.language
    found, robots = [], await group_health.robots_of(desk.session)
    for row, contact, unit in await chat_groups.listed(desk.session, reach):
        robot = robots.get(row.id)
        ails = group_health.of(row, contact, robot) if row.state is GroupState.BOUND else ()
        found.append(
            {
                "id": row.id,
                "title": row.title or f"#{row.id}",
                "unit": unit.name if row.state in (GroupState.BOUND, GroupState.ASKED) else "",
                "unit_id": row.unit_id,
                "purpose": row.purpose.value,
                "purpose_words": desk.t(f"group_purpose.{row.purpose.value}"),
                "state": desk.t(f"bindings.group_state.{row.state.value}"),
                "tone": {"asked": "warn", "bound": "good", "lost": "danger"}.get(row.state.value, "neutral"),
                "since": times.moment(row.bound_at or row.asked_at, language),
                "asked": row.state is GroupState.ASKED,
                "bound": row.state is GroupState.BOUND,
                "ails": states(desk, ails),
                "channel": desk.t(f"bindings.channel.{contact.channel.value}"),
                "robot": robot.id if robot else None,
                "ours": contact.channel is Channel.TELEGRAM,
            }
        )
    return found


async def _person(desk: Desk, staff_id: int) -> Staff:
    within = await staff.all_staff(desk.session, await staff.reach(desk.session, desk.person))
    person = next((person for person in within if person.id == staff_id), None)
    if person is None:
        raise NotFound("staff_unknown")
    return person


def _seal(desk: Desk, staff_id: int, token: str) -> str:
    bound = f"chat-link:{anchor(desk.request)}:{staff_id}:{token}"
    return hmac.new(desk.services.secret, bound.encode(), hashlib.sha256).hexdigest()


async def _link(desk: Desk, people: list[Staff]) -> dict[str, Any] | None:
    """The links of the invitation just made, one for each channel that has an address."""
    value = desk.request.cookies.get(cookie_name(desk.request, LINK_COOKIE), "")
    number, _, rest = value.partition(".")
    token, _, seal = rest.partition(".")
    if not token or not number.isdecimal() or len(number) > 9:
        return None
    if not hmac.compare_digest(seal.encode(), _seal(desk, int(number), token).encode()):
        return None
    name = await _bot_name(desk)
    doors = getattr(desk.request.app.state, "doors", None)
    web = (doors.web.rstrip("/") if doors else "") or f"{desk.request.url.scheme}://{desk.request.url.netloc}"
    telegram = f"https://t.me/{name}?start=inv_{token}" if name else ""
    return {
        "who": next((person.name for person in people if person.id == int(number)), ""),
        "telegram": telegram,
        "web": f"{web}/?start=inv_{token}",
        "words": f"/start inv_{token}",
        "code": _code(telegram or f"{web}/?start=inv_{token}"),
    }


async def _bot_name(desk: Desk) -> str:
    doors = getattr(desk.request.app.state, "doors", None)
    if doors is None:
        return ""
    try:
        async with asyncio.timeout(NAME_WAITS):
            name: str = await doors.telegram()
    except Exception as error:  # whatever Telegram raises: the other ways in stand on the page all the same
        log.warning("the bot's name could not be asked for: %s", type(error).__name__)
        return ""
    return name


def _code(link: str) -> Markup:
    return Markup(segno.make_qr(link, error=CORRECTION).svg_inline(omitsize=True, border=4, svgclass="qr"))
