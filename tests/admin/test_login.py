"""The way in: sign-in, its throttle, invites, one's own sign-ins, and forms from elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.requests import Request

from admin import forms
from admin.forms import Form
from office import audit, signin, staff
from office.errors import Invalid, NotPermitted
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import PASSWORD, Browser, Clock
from tests.make import Cast

BOTH_DATABASES = True

SignedIn = Callable[[Staff], Awaitable[Browser]]
Browsers = Callable[..., Browser]


async def try_in(browser: Browser, username: str, password: str, **more: Any) -> int:
    await browser.get("/admin/sign-in")
    response = await browser.post("/admin/sign-in", {"username": username, "password": password}, **more)
    browser.shown = response.text
    return response.status_code


async def test_signing_in_leads_to_the_page_that_was_wanted(
    cast: Cast, browsing: Browsers, with_password: dict[str, str]
) -> None:
    desk = browsing()
    wanted = await desk.get("/admin?view=mine")
    assert wanted.status_code == 303
    page = await desk.get(wanted.headers["location"])
    assert page.status_code == 200
    response = await desk.post("/admin/sign-in", with_password)
    assert response.headers["location"] == "/admin?view=mine"
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "李强" in (await desk.get("/admin")).text


async def test_signing_in_never_leads_elsewhere(
    cast: Cast, browsing: Browsers, with_password: dict[str, str]
) -> None:
    for planted in ("https://evil.example/", "//evil.example", "/\\evil.example", "/adminevil"):
        desk = browsing()
        await desk.get(f"/admin/sign-in?next={planted}")
        response = await desk.post("/admin/sign-in", {**with_password, "next": planted})
        assert response.headers["location"] == "/admin"


async def test_wrong_name_and_wrong_password_look_the_same(
    cast: Cast, browsing: Browsers, with_password: dict[str, str]
) -> None:
    one, two = browsing(), browsing()
    assert await try_in(one, "liqiang", "not the password") == 422
    assert await try_in(two, "nobody1", "not the password") == 422
    same = one.hidden("csrf"), two.hidden("csrf")
    assert one.shown.replace(same[0], "").replace("liqiang", "") == two.shown.replace(same[1], "").replace(
        "nobody1", ""
    )
    assert "用户名或密码不对" in one.shown
    assert 'value="liqiang"' in one.shown
    assert "not the password" not in one.shown


async def test_failures_close_the_source_for_a_while_and_not_the_account(
    cast: Cast, clock: Clock, browsing: Browsers, with_password: dict[str, str]
) -> None:
    guesser = browsing("198.51.100.7")
    for _ in range(signin.FAILURES):
        assert await try_in(guesser, "liqiang", "wrong password") == 422
    await guesser.get("/admin/sign-in")
    stopped = await guesser.post("/admin/sign-in", with_password)
    assert stopped.status_code == 429
    assert "10:10以后再试" in stopped.text
    assert 0 < int(stopped.headers["retry-after"]) <= 600

    assert await try_in(browsing("198.51.100.8"), **with_password) == 303
    clock.pass_by(timedelta(minutes=10))
    assert await try_in(guesser, **with_password) == 303


async def test_parallel_guesses_get_no_more_than_the_limit(
    cast: Cast, browsing: Browsers, with_password: dict[str, str]
) -> None:
    guessers = [browsing("198.51.100.9") for _ in range(signin.FAILURES + 4)]
    statuses = await asyncio.gather(*(try_in(g, "liqiang", "wrong password") for g in guessers))
    assert sorted(statuses) == [422] * signin.FAILURES + [429] * 4


async def test_addresses_of_one_ipv6_network_share_a_budget(
    cast: Cast, browsing: Browsers, with_password: dict[str, str]
) -> None:
    for number in range(signin.FAILURES):
        assert await try_in(browsing(f"2001:db8:1:2::{number + 1:x}"), "liqiang", "wrong password") == 422
    assert await try_in(browsing("2001:db8:1:2:ffff::1"), "liqiang", "wrong password") == 429
    assert await try_in(browsing("2001:db8:1:3::1"), "liqiang", "wrong password") == 422


async def test_forwarded_address_counts_from_configured_proxies_only(
    cast: Cast, browsing: Browsers, behind: Callable[..., None], with_password: dict[str, str]
) -> None:
    def spoofed(number: int) -> dict[str, dict[str, str]]:
        return {"headers": {"X-Forwarded-For": f"203.0.113.{number}"}}

    for number in range(signin.FAILURES):
        assert await try_in(browsing("198.51.100.7"), "liqiang", "wrong password", **spoofed(number)) == 422
    assert await try_in(browsing("198.51.100.7"), "liqiang", "wrong password", **spoofed(99)) == 429

    behind("10.0.0.0/8")
    assert await try_in(browsing("10.0.0.1"), "liqiang", "wrong password", **spoofed(1)) == 422
    # What the client itself put in front of the proxy's own entry does not count.
    forged = {"headers": {"X-Forwarded-For": "203.0.113.200, 203.0.113.1"}}
    for _ in range(signin.FAILURES - 1):
        assert await try_in(browsing("10.0.0.1"), "liqiang", "wrong password", **forged) == 422
    assert await try_in(browsing("10.0.0.1"), "liqiang", "wrong password", **spoofed(1)) == 429


async def test_deactivated_person_does_not_come_in(
    store: Store, cast: Cast, now: object, browsing: Browsers, clock: Clock, with_password: dict[str, str]
) -> None:
    desk = browsing()
    assert await try_in(desk, **with_password) == 303
    async with store.transaction() as session:
        person = await staff.get(session, cast.li_qiang.id)
        await staff.suspend(session, person, actor=cast.zhou_ning, now=clock())
    assert (await desk.get("/admin")).status_code == 303
    assert await try_in(browsing(), **with_password) == 422


async def test_cookie_from_before_the_sign_in_is_worth_nothing_after_it(
    cast: Cast, browsing: Browsers, with_password: dict[str, str]
) -> None:
    desk = browsing()
    desk.client.cookies.set("one-window-desk", "planted-before-the-sign-in")
    assert await try_in(desk, **with_password) == 303
    token = {cookie.value for cookie in desk.client.cookies.jar if cookie.name == "one-window-desk"}
    other = browsing()
    other.client.cookies.set("one-window-desk", "planted-before-the-sign-in")
    assert (await other.get("/admin")).status_code == 303
    assert len(token - {"planted-before-the-sign-in"}) == 1


@pytest.mark.parametrize("csrf", ["", "0" * 64, None])
async def test_form_without_our_token_is_refused(
    store: Store, cast: Cast, signed_in: SignedIn, browsing: Browsers, csrf: str | None
) -> None:
    desk = await signed_in(cast.zhou_ning)
    fields = {"name": "钱一", "unit": str(cast.district.id), "roles": "registrar"}
    refused = await desk.client.post("/admin/staff", data=fields | ({} if csrf is None else {"csrf": csrf}))
    assert refused.status_code == 403
    stranger = browsing()
    await stranger.get("/admin/sign-in")
    foreign = await desk.client.post("/admin/staff", data={**fields, "csrf": stranger.hidden("csrf")})
    assert foreign.status_code == 403
    async with store.reading() as session:
        assert "钱一" not in [p.name for p in await staff.all_staff(session, ".")]


async def test_form_sent_by_another_site_is_refused_even_with_the_token(
    cast: Cast, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/me")
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        refused = await desk.post("/admin/settings", {"size": "large"}, headers=headers)
        assert refused.status_code == 403
    for headers in (
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Origin": "null"},
        {"Origin": "http://desk.test"},
    ):
        assert (await desk.post("/admin/settings", {"size": "large"}, headers=headers)).status_code == 303


async def test_token_in_a_header_serves_scripts(cast: Cast, signed_in: SignedIn) -> None:
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/me")
    headers = {"X-CSRF-Token": desk.hidden("csrf")}
    taken = await desk.client.post("/admin/settings", data={"size": "large"}, headers=headers)
    assert taken.status_code == 303


async def test_form_after_the_sign_in_ended_shows_what_was_typed(
    cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/me")
    clock.pass_by(timedelta(hours=13))
    refused = await desk.post("/admin/tickets/1/answer", {"text": "写了一半的答复"})
    assert refused.status_code == 401
    assert "写了一半的答复</textarea>" in refused.text
    assert '<label for="typed-1">答复</label>' in refused.text
    assert "编号 401" not in refused.text
    assert 'href="/admin/sign-in"' in refused.text
    json = {"Accept": "application/json"}
    assert (await desk.post("/admin/tickets/1/looking", headers=json)).json() == {
        "error": "登录已结束，请重新登录。"
    }


async def test_invite_works_once(store: Store, cast: Cast, clock: Clock, browsing: Browsers) -> None:
    async with store.transaction() as session:
        person, token = await signin.invite(
            session, "钱一", [staff.Role.REGISTRAR], cast.riverside, actor=cast.zhou_ning, now=clock()
        )
    guest, late = browsing(), browsing()
    page = await guest.get(f"/admin/invite/{token}")
    assert "钱一，您好" in page.text
    await late.get(f"/admin/invite/{token}")
    fields = {"username": "Qian Yi", "password": PASSWORD, "password_again": PASSWORD}
    refused = await guest.post(f"/admin/invite/{token}", fields)
    assert refused.status_code == 422
    assert 'value="Qian Yi"' in refused.text
    differ = await guest.post(
        f"/admin/invite/{token}", {**fields, "username": "qianyi", "password": "x" * 12}
    )
    assert "两次输入的密码不一样" in differ.text
    done = await guest.post(f"/admin/invite/{token}", {**fields, "username": "QianYi"})
    assert done.status_code == 303
    assert done.headers["location"] == "/admin/calls"
    assert "钱一" in (await guest.get("/admin/me")).text

    again = await late.post(f"/admin/invite/{token}", {**fields, "username": "other"})
    assert again.status_code == 404
    assert "这个链接已不能使用" in again.text
    assert (await browsing().get(f"/admin/invite/{token}")).status_code == 404
    assert await try_in(browsing(), "qianyi", PASSWORD) == 303
    assert person.id


@pytest.mark.parametrize("token", ["null", "undefined", "%00", "a" * 500, " "])
async def test_invented_invite_is_refused(cast: Cast, browsing: Browsers, token: str) -> None:
    assert (await browsing().get(f"/admin/invite/{token}")).status_code == 404


async def test_invite_ends_after_a_day(store: Store, cast: Cast, clock: Clock, browsing: Browsers) -> None:
    async with store.transaction() as session:
        token = await signin.new_way_in(session, cast.li_qiang, actor=cast.zhou_ning, now=clock())
    clock.pass_by(timedelta(hours=24))
    assert (await browsing().get(f"/admin/invite/{token}")).status_code == 404


async def test_own_sign_ins_can_be_ended_and_nobody_elses(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    one, two, other = (
        await signed_in(cast.li_qiang),
        await signed_in(cast.li_qiang),
        await signed_in(cast.wang_fang),
    )
    async with store.reading() as session:
        mine = await signin.sign_ins(session, cast.li_qiang, now=clock())
        theirs = await signin.sign_ins(session, cast.wang_fang, now=clock())
    await two.get("/admin/me")
    await two.post(f"/admin/me/sign-ins/{mine[1].id}/end")
    assert (await one.get("/admin/me")).status_code == 303
    await two.post(f"/admin/me/sign-ins/{theirs[0].id}/end")
    assert (await other.get("/admin/me")).status_code == 200
    ended = await two.post("/admin/me/sign-ins/end")
    assert ended.headers["location"].startswith("/admin/sign-in")
    assert (await two.get("/admin/me")).status_code == 303


async def test_sign_out_ends_the_sign_in_not_only_the_cookie(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/me")
    await desk.post("/admin/sign-out")
    async with store.reading() as session:
        assert await signin.sign_ins(session, cast.li_qiang, now=clock()) == []


async def test_language_and_size_are_remembered(store: Store, cast: Cast, signed_in: SignedIn) -> None:
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin?view=mine")
    switched = await desk.post("/admin/settings", {"lang": "en", "next": "/admin?view=mine"})
    assert switched.headers["location"] == "/admin?view=mine"
    await desk.post("/admin/settings", {"size": "extra"})
    await desk.post("/admin/settings", {"theme": "dark"})
    await desk.post("/admin/settings", {"size": "huge", "lang": "xx", "theme": "<b>"})
    page = (await desk.get("/admin?view=mine")).text
    assert '<html lang="en" data-text-size="extra" data-theme="dark"' in page
    assert "You hold no ticket" in page
    elsewhere = await signed_in(cast.li_qiang)
    async with store.reading() as session:
        assert (await staff.get(session, cast.li_qiang.id)).language == "en"
    assert '<html lang="en" data-text-size="standard"' in (await elsewhere.get("/admin")).text


async def test_failed_and_successful_sign_ins_are_on_record(
    store: Store, cast: Cast, browsing: Browsers, with_password: dict[str, str]
) -> None:
    await try_in(browsing(), "liqiang", "wrong password")
    await try_in(browsing(), **with_password)
    async with store.reading() as session:
        rows, _ = await audit.listed(session, action="staff.sign_in")
        assert [row.action for row in rows] == ["staff.sign_in", "staff.sign_in_failed"]
        assert "wrong password" not in str([row.facts for row in rows])


async def test_large_or_foreign_kinds_of_forms_are_refused(cast: Cast, signed_in: SignedIn) -> None:
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/me")
    large = await desk.post("/admin/settings", {"x": "字" * forms.LARGEST_FORM})
    assert large.status_code == 422
    many = await desk.client.post("/admin/settings", content=b"&".join([b"a=1"] * 300), headers={
        "Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    assert many.status_code == 422
    parts = await desk.client.post("/admin/settings", files={"csrf": b"x"})
    assert parts.status_code == 422


def test_form_reads_what_a_browser_sends() -> None:
    form = Form({"a": ("一\n\n 二 \n一",), "day": ("2026-11-20",), "n": ("12",), "csrf": ("t",), "e": (" ",)})
    assert form.lines("a") == ("一", "二")
    assert str(form.day("day")) == "2026-11-20"
    assert form.day("none") is None
    assert form.number("n") == 12
    assert set(form.typed) == {"a", "day", "n"}
    with pytest.raises(Invalid):
        form.day("a")
    for bad in ("a", "none"):
        with pytest.raises(Invalid):
            form.number(bad)


def test_token_belongs_to_one_browser_and_one_secret() -> None:
    request = Request({"type": "http", "headers": [(b"host", b"desk.test")]})
    good = Form({"csrf": (forms.token(b"s", "cookie"),)})
    forms.check(request, good, b"s", "cookie")
    for secret, anchor in ((b"s", "other"), (b"t", "cookie"), (b"s", "")):
        with pytest.raises(NotPermitted):
            forms.check(request, good, secret, anchor)


def test_secure_cookies_carry_the_host_prefix(app: FastAPI) -> None:
    from dataclasses import replace

    from admin import pages

    app.state.services = replace(app.state.services, secure_cookies=True)
    request = Request({"type": "http", "headers": [], "app": app})
    assert pages.cookie_name(request, "desk") == "__Host-one-window-desk"
