"""The way in and out: sign-in, invites, one's own sign-ins and settings."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from admin import forms, times
from admin.frame import PLACES
from admin.pages import (
    FORM_COOKIE,
    LANGUAGES,
    SIGN_IN_COOKIE,
    TEXT_SIZES,
    THEMES,
    Number,
    Own,
    Refusal,
    Visit,
    Visitor,
    done,
    drop_cookie,
    set_cookie,
    who,
)
from office import signin, staff
from office.errors import Invalid, NotFound

router = APIRouter()
A_YEAR = 365 * 24 * 3600


@router.get("/sign-in")
async def sign_in_page(visit: Visitor) -> Response:
    """Name and password; whoever is signed in already goes on."""
    following = forms.local(visit.request.query_params.get("next", ""), "")
    if visit.frame.person:
        return RedirectResponse(following or visit.frame.home, 303)
    return _sign_in_page(visit, following)


@router.post("/sign-in")
async def sign_in(visit: Visitor) -> Response:
    """Sign in and go where one wanted to go; every wrong pair gets the same answer."""
    following = forms.local(visit.form.text("next"), "")

    async def again(later: Visit, refusal: Refusal) -> Response:
        return _sign_in_page(later, following, refusal)

    visit.on_refusal(again)
    token = await signin.sign_in(
        visit.session,
        visit.form.text("username")[:80],
        visit.form.text("password")[:200],
        source=_source(visit),
        device=_device(visit),
        now=visit.now,
    )
    if token is None:
        # Not raised: the failed attempt is on record and must be committed.
        words = visit.t("refused.sign_in")
        return _sign_in_page(visit, following, Refusal("sign_in", words, 422, visit.form.typed))
    return await _let_in(visit, token, following)


@router.post("/sign-out")
async def sign_out(desk: Own) -> Response:
    """End this browser's sign-in."""
    await signin.end(desk.session, desk.person, desk.sign_in.id, now=desk.now)
    response = done("/admin/sign-in", "signed_out")
    drop_cookie(desk.request, response, SIGN_IN_COOKIE)
    return response


@router.get("/invite/{token}")
async def invite_page(visit: Visitor, token: str) -> Response:
    """Where an invited person chooses a name and a password; opening it uses nothing up."""
    return await _invite_page(visit, token)


@router.post("/invite/{token}")
async def accept_invite(visit: Visitor, token: str) -> Response:
    """Take up an invite: it works once, and signs its owner in."""

    async def again(later: Visit, refusal: Refusal) -> Response:
        return await _invite_page(later, token, refusal)

    visit.on_refusal(again)
    password = visit.form.text("password")
    if password != visit.form.text("password_again"):
        raise Invalid("passwords_differ")
    fresh = await signin.accept_invite(
        visit.session,
        token[:80],
        visit.form.text("username"),
        password[:200],
        device=_device(visit),
        now=visit.now,
    )
    return await _let_in(visit, fresh, "")


@router.get("/me")
async def me(desk: Own) -> Response:
    """One's own account: open sign-ins, language, text size."""
    rows = await signin.sign_ins(desk.session, desk.person, now=desk.now)
    language = desk.frame.language
    return desk.render(
        "console/me.html",
        done=desk.request.query_params.get("done", ""),
        account=desk.person.name,
        username=desk.person.username or "",
        roles=[desk.t(f"role.{role}") for role in desk.person.roles],
        sign_ins=[
            {
                "id": row.id,
                "device": row.device or desk.t("me.device_unknown"),
                "since": times.moment(row.created_at, language),
                "until": times.moment(row.expires_at, language),
                "this": row.id == desk.sign_in.id,
            }
            for row in rows
        ],
    )


@router.post("/me/sign-ins/{sign_in_id}/end")
async def end_sign_in(desk: Own, sign_in_id: Number) -> Response:
    """End one of one's own sign-ins; somebody else's stays untouched."""
    await signin.end(desk.session, desk.person, sign_in_id, now=desk.now)
    return done("/admin/me", "sign_in_ended")


@router.post("/me/sign-ins/end")
async def end_all_sign_ins(desk: Own) -> Response:
    """End all of one's own sign-ins, this one too."""
    await signin.end_all(desk.session, desk.person, now=desk.now)
    response = done("/admin/sign-in", "signed_out")
    drop_cookie(desk.request, response, SIGN_IN_COOKIE)
    return response


@router.post("/settings")
async def settings(visit: Visitor) -> Response:
    """Language, text size and colours, kept in this browser; the language with the account as well."""
    home = visit.frame.home if visit.frame.person else "/admin/sign-in"
    response = RedirectResponse(forms.local(visit.form.text("next"), home), 303)
    chosen: dict[str, Any] = {"max_age": A_YEAR}
    if visit.form.text("lang") in LANGUAGES:
        language = LANGUAGES[visit.form.text("lang")]
        set_cookie(visit.request, response, "language", language, **chosen)
        found = await who(visit.request, visit.session)
        if found:
            await staff.speak(visit.session, found[0].id, language)
    if visit.form.text("size") in TEXT_SIZES:
        set_cookie(visit.request, response, "size", visit.form.text("size"), **chosen)
    if visit.form.all("theme") and visit.form.text("theme") in THEMES:
        set_cookie(visit.request, response, "theme", visit.form.text("theme"), **chosen)
    return response


def _sign_in_page(visit: Visit, following: str, refusal: Refusal | None = None) -> Response:
    return visit.render(
        "console/sign_in.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/sign-in?next={quote(following)}" if following else "/admin/sign-in",
        following=following,
        error=refusal.words if refusal else "",
        username=refusal.typed.get("username", "") if refusal else "",
        done=visit.request.query_params.get("done", ""),
    )


async def _invite_page(visit: Visit, token: str, refusal: Refusal | None = None) -> Response:
    try:
        invite, person = await signin.open_invite(visit.session, token[:80], now=visit.now)
    except NotFound:
        return visit.render("console/invite_over.html", status=404)
    return visit.render(
        "console/invite.html",
        status=refusal.status if refusal else 200,
        here="/admin/sign-in",
        token=token,
        name=person.name,
        again=person.username is not None,
        until=times.moment(invite.expires_at, visit.frame.language),
        error=refusal.words if refusal else "",
        error_key=refusal.key if refusal else "",
        username=refusal.typed.get("username", "") if refusal else person.username or "",
        least=signin.SHORTEST_PASSWORD,
    )


async def _let_in(visit: Visit, token: str, following: str) -> Response:
    found = await signin.who(visit.session, token, now=visit.now)
    assert found is not None
    home = next((href for href, _, needed in PLACES if staff.may(found[0], needed)), "/admin/me")
    response = RedirectResponse(following or home, 303)
    set_cookie(visit.request, response, SIGN_IN_COOKIE, token)
    # The token of the forms before the sign-in has done its work; a planted one must not live on.
    drop_cookie(visit.request, response, FORM_COOKIE)
    return response


def _source(visit: Visit) -> str:
    return forms.source(visit.request, visit.services.secret, visit.services.trusted_proxies)


def _device(visit: Visit) -> str:
    """A few words by which a person knows the browser again; nothing else is kept of it."""
    agent = visit.request.headers.get("user-agent", "")
    browsers = (("MicroMessenger", "微信"), ("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))
    systems = (("HarmonyOS", "鸿蒙"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"))
    desktops = (("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"))
    browser = next((name for mark, name in (*browsers, ("Safari", "Safari")) if mark in agent), "")
    system = next((name for mark, name in (*systems, *desktops) if mark in agent), "")
    return " · ".join(part for part in (browser, system) if part)
