"""The console as a whole: what each route demands, the headers of each response, and its wording."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from admin import queue, router
from admin.headers import HEADERS
from admin.pages import Need, visitor
from office import words
from office.staff import Permission, Role, Staff
from office.store import Store
from office.wakeups import Wakeups
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, a_ticket, an_entry

SignedIn = Callable[[Staff], Awaitable[Browser]]
ADMIN = Path(router.__file__).parent

PUBLIC = {
    ("GET", "/admin/sign-in"),
    ("POST", "/admin/sign-in"),
    ("GET", "/admin/invite/{token}"),
    ("POST", "/admin/invite/{token}"),
    ("POST", "/admin/settings"),
}
OWN = {
    ("GET", "/admin/me"),
    ("GET", "/admin/notices"),
    ("POST", "/admin/notices/read"),
    ("POST", "/admin/me/sign-ins/{sign_in_id}/end"),
    ("POST", "/admin/me/sign-ins/end"),
    ("POST", "/admin/sign-out"),
    ("GET", "/admin/design"),
    ("GET", "/admin/keys"),
    ("GET", "/admin/go"),
    ("GET", "/admin/go/list"),
}


def routes() -> Iterator[tuple[str, str, APIRoute]]:
    for part in router.PARTS:
        for route in part.router.routes:
            assert isinstance(route, APIRoute)
            for method in route.methods:
                yield method, f"/admin{route.path}", route


def calls(route: APIRoute) -> list[Any]:
    return [dependency.call for dependency in route.dependant.dependencies]


def test_every_route_declares_a_permission_or_is_on_a_short_list() -> None:
    seen = set()
    for method, path, route in routes():
        needs = [call for call in calls(route) if isinstance(call, Need)]
        if (method, path) in PUBLIC:
            assert calls(route) == [visitor], path
        elif (method, path) in OWN:
            assert [need.permission for need in needs] == [None], path
        else:
            assert len(needs) == 1, path
            assert isinstance(needs[0].permission, Permission), path
        seen.add((method, path))
    assert seen >= PUBLIC | OWN
    assert len(seen) > 40


STANDS_UNDER = (
    ("ticket_", "/admin/tickets/X"),
    ("tip_step", "/admin/tips/X"),
    ("tip_progress", "/admin/tips/X/board"),
)
"""Parts of a page, and where that page is."""


def test_every_form_of_a_template_leads_to_a_route() -> None:
    known = {re.sub(r"\{[^}]*\}", "X", path) for method, path, _ in routes() if method == "POST"}
    posted: set[str] = set()
    for template in (ADMIN / "templates" / "console").glob("*.html"):
        source = template.read_text(encoding="utf-8")
        # A page that names its own address says so; parts of the ticket's page stand under the ticket's.
        named = re.search(r'{% set base = "([^"]*)" ~ [a-z_.]+( ~ "([^"]*)")?', source)
        base = next((base for start, base in STANDS_UNDER if template.name.startswith(start)), "")
        if named:
            tail = named[3] or ""
            base = f"{named[1]}X{'/X' if tail == '/' else tail}"
        source = source.replace("{{ base }}", base).replace("{{ act }}", "pause")
        for address in re.findall(r'method="post" action="(/[^"]*)"', source):
            posted.add(re.sub(r"\{\{[^}]*\}\}", "X", address).partition("#")[0])
        for tail in re.findall(r'base ~ "(/[a-z-]+)"', source):
            if base and tail not in ("/edit", "/referral", "/board"):  # these are looked at, not posted to
                posted.add(base + tail)
    assert posted <= known
    assert len(posted) > 20


async def test_headers_stand_on_every_response(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, browsing: Callable[..., Browser]
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock())
        entry = await an_entry(session, cast, clock())
    ids = {"ticket_id": ticket.id, "entry_id": entry.entry_id, "staff_id": cast.li_qiang.id,
           "sign_in_id": 1, "question_id": 1, "version_id": entry.id, "token": "unknown",
           "pack_id": "shanghai", "row": "B1", "row_id": 1, "change_id": 1, "station_id": 1,
           "import_id": 1, "purge_id": 1, "what": "entry",
           "enquiry_id": 1, "call_id": 1, "cluster_id": 1, "tip_id": 1, "macro_id": 1, "recall_id": 1,
           "batch": "x", "attachment_id": 1, "opening_id": 1, "export_id": 1, "filter_id": 1,
           "binding_id": 1, "roster_id": 1, "shift_id": 1, "swap_id": 1, "handover_id": 1,
           "group_id": 1, "robot_id": 1, "unit_id": 1}  # fmt: skip
    visitors = [browsing(), await signed_in(cast.wang_fang), await signed_in(cast.zhou_ning)]
    statuses = set()
    for method, path, _ in routes():
        if path == "/admin/queue/stream":
            continue
        address = path.format(**ids)
        for person in visitors:
            response = await person.client.request(method, address)
            statuses.add(response.status_code)
            for name, value in HEADERS.items():
                assert response.headers[name] == value, (address, name)
            assert "set-cookie" not in response.headers or "HttpOnly" in response.headers["set-cookie"]
    # 422: what takes a file refuses everything else before it looks for the form's token.
    assert statuses <= {200, 303, 401, 403, 404, 422}
    for address in ("/nowhere", "/admin/nowhere", "/admin/tickets/99999999999999", "/admin/tickets/x"):
        response = await visitors[1].get(address)
        assert response.status_code == 404
        assert "没有这个页面" in response.text
        assert "0000-12345678" in response.text
        assert response.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


async def test_pages_load_nothing_from_elsewhere_and_hold_no_inline_code(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock())
        entry = await an_entry(session, cast, clock())
    desk, admin = await signed_in(cast.wang_fang), await signed_in(cast.zhou_ning)
    for person, address in (
        (desk, "/admin"), (desk, f"/admin/tickets/{ticket.id}"), (desk, "/admin/entries"),
        (desk, f"/admin/entries/{entry.entry_id}"), (desk, "/admin/entries/new"), (desk, "/admin/audit"),
        (desk, "/admin/me"), (desk, "/admin/design"), (desk, "/admin/golden"), (admin, "/admin/staff"),
        (desk, "/admin/changes"), (desk, "/admin/changes/1"), (desk, "/admin/packs"),
        (desk, "/admin/packs/shanghai"), (desk, "/admin/packs/shanghai/B1"), (desk, "/admin/calendar"),
        (desk, "/admin/calendar/propose"), (desk, "/admin/hours"), (desk, "/admin/hours/edit"),
        (desk, "/admin/stations"), (desk, "/admin/stations/import"), (desk, "/admin/posters"),
        (desk, "/admin/health"),
        (admin, f"/admin/staff/{cast.li_qiang.id}"),
    ):  # fmt: skip
        page = await person.get(address)
        assert page.status_code == 200, address
        for link in re.findall(r'(?:src|href|action)="([^"]*)"', page.text):
            assert re.match(r"/(?!/)|#|\?|tel:", link), (address, link)
        assert not re.search(r"<script(?![^>]*\bsrc=)", page.text), address
        assert not re.search(r"\s(?:style|on[a-z]+)=", page.text), address
        assert "<style" not in page.text
        identities = re.findall(r'\sid="([^"]+)"', page.text)
        assert len(identities) == len(set(identities)), address


async def test_fault_of_our_own_is_told_in_words_with_headers_and_text(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock())
    desk = await signed_in(cast.li_qiang)
    await desk.get(f"/admin/tickets/{ticket.id}")

    async def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("ticketing.tickets.note", fails)
    broken = await desk.post(f"/admin/tickets/{ticket.id}/note", {"note": "刚写的备注"})
    assert broken.status_code == 500
    assert "刚写的备注</textarea>" in broken.text
    assert "0000-12345678" in broken.text
    assert "secret detail" not in broken.text
    assert broken.headers["X-Content-Type-Options"] == "nosniff"


async def test_files_are_kept_by_browsers_and_change_their_address(
    cast: Cast, browsing: Callable[..., Browser]
) -> None:
    page = await browsing().get("/admin/sign-in")
    (address,) = set(re.findall(r'href="(/static/tokens\.css\?v=[0-9a-f]{12})"', page.text))
    named = await browsing().get(address)
    assert named.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert named.headers["X-Content-Type-Options"] == "nosniff"
    assert (await browsing().get("/static/tokens.css")).headers["Cache-Control"] == "no-cache"
    assert (await browsing().get("/static/../pages.py")).status_code == 404


async def test_stream_rings_when_a_ticket_changes() -> None:
    wakeups = Wakeups()
    lines = queue.rings(wakeups, returning=False, beat=600)
    assert await anext(lines) == "retry: 3000\n\n"
    waiting = asyncio.ensure_future(anext(lines))
    await asyncio.sleep(0)
    wakeups.ring("tickets")
    assert "event: change" in await asyncio.wait_for(waiting, 60)
    await lines.aclose()
    assert wakeups._waiting == {}


async def test_stream_tells_a_returning_browser_to_look_and_ends_by_itself() -> None:
    lines = [line async for line in queue.rings(Wakeups(), returning=True, beat=0.001, beats=4)]
    assert lines[1].startswith("id: 0\nevent: change")
    assert lines[2:5] == [": \n\n"] * 3
    assert "event: change" in lines[5]


async def test_stream_is_refused_to_whoever_is_not_signed_in(
    cast: Cast, browsing: Callable[..., Browser]
) -> None:
    refused = await browsing().get("/admin/queue/stream", headers={"Accept": "text/event-stream"})
    assert refused.status_code == 401


async def test_search_with_odd_characters_finds_nothing_and_breaks_nothing(
    cast: Cast, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.wang_fang)
    for page in ("/admin", "/admin/entries", "/admin/audit"):
        for query in ("q=%00", "q=%25", "q=%27%22%5C", "page=0", "page=999999", "page=%E4%B8%80", "q=%FF",
                      "page=²"):  # fmt: skip
            assert (await desk.get(f"{page}?{query}")).status_code == 200, (page, query)


def test_wording_is_complete_in_both_languages() -> None:
    chinese, english = words.catalogue("zh_CN"), words.catalogue("en")
    path = words.LOCALES / "zh_CN" / "LC_MESSAGES" / "console.po"
    keys = set(re.findall(r'^msgid "(.+)"$', path.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(keys) > 300
    for key in keys:
        assert key in english, key
        placeholders = [set(re.findall(r"\{(\w+)\}", text[key])) for text in (chinese, english)]
        assert placeholders[0] == placeholders[1], key


def test_every_word_that_a_page_asks_for_exists() -> None:
    known = words.catalogue("zh_CN")
    asked: set[str] = set()
    for source in (*ADMIN.glob("*.py"), *(ADMIN / "templates" / "console").glob("*.html")):
        found = re.findall(
            r"""\b(?:t|say)\(\s*["']([a-z_0-9.]+)["']\s*[,)]""", source.read_text(encoding="utf-8")
        )
        asked.update(found)
    assert len(asked) > 200
    assert asked <= set(known)


def test_application_shows_no_schema(app: FastAPI) -> None:
    assert app.openapi_url is None


async def test_who_may_not_see_the_queue_is_led_to_the_own_first_page(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        person = Staff(name="钱一", unit_id=cast.riverside.id, roles=[Role.REGISTRAR], created_at=clock())
        session.add(person)
    desk = await signed_in(person)
    led = await desk.get("/admin")
    assert (led.status_code, led.headers["location"]) == (303, "/admin/calls")
    assert (await desk.get("/admin/calls")).status_code == 200


async def test_refusal_for_a_signed_in_person_keeps_the_menu_and_the_sign_out(
    cast: Cast, signed_in: SignedIn, browsing: Callable[..., Browser]
) -> None:
    page = await (await signed_in(cast.li_qiang)).get("/admin/audit")
    assert page.status_code == 403
    assert 'href="/admin/entries"' in page.text
    assert 'action="/admin/sign-out"' in page.text
    assert page.text.count("<h1>") == 1
    assert "编号 403" not in page.text
    outside = await browsing().get("/admin/nowhere")
    assert outside.status_code == 404
    assert 'action="/admin/sign-out"' not in outside.text
    assert outside.text.count("<h1>") == 1
    assert "工作日 8:30–11:30、13:30–17:30" in outside.text
    english = await signed_in(cast.li_qiang)
    await english.get("/admin")
    await english.post("/admin/settings", {"lang": "en", "next": "/admin"})
    told = (await english.get("/admin/nowhere")).text
    assert "Opening hours" in told
    assert "working days 8:30–11:30, 13:30–17:30" in told
