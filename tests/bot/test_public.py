"""The public pages: entries to read and print, choices kept in cookies, headers on every answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from html import unescape

import pytest
from fastapi import FastAPI

from bot.app import Machine
from tests.bot.conftest import Visitor, hidden, new_id
from tests.bot.test_receiving import break_database
from tests.make import Cast, an_entry

Visitors = Callable[..., Visitor]
PAGES = ["/", "/entries", "/entries/K-0540", "/entries/K-0540?paper=slip", "/privacy", "/chat/mailbox"]


@pytest.fixture
async def more(machine: Machine, cast: Cast, now: datetime) -> None:
    async with machine.desk.store.transaction() as session:
        await an_entry(session, cast, now, "K-0777", audience="staff", question="内部操作口径怎么查？")
        await an_entry(
            session, cast, now, "K-0888", question="明年才生效的口径是什么？", effective_from=date(2027, 1, 1)
        )


async def test_all_public_entries_are_listed_and_can_be_searched(more: None, visitor: Visitors) -> None:
    client = visitor().client
    everything = await client.get("/entries")
    assert "选民证丢了怎么办？" in everything.text
    assert "内部操作" not in everything.text
    assert "明年才生效" not in everything.text
    assert "选民证丢了怎么办？" in (await client.get("/entries", params={"q": "遗失"})).text
    assert "选民证丢了怎么办？" not in (await client.get("/entries", params={"q": "%"})).text
    assert (await client.get("/entries", params={"q": "长" * 61})).status_code == 404


@pytest.mark.parametrize("number", ["K-0777", "K-0888", "K-9999", "x", "K-0540'--"])
async def test_what_is_not_public_is_not_there(more: None, visitor: Visitors, number: str) -> None:
    assert (await visitor().client.get(f"/entries/{number}")).status_code == 404


async def test_an_entry_has_its_passport_and_a_slip(visitor: Visitors) -> None:
    client = visitor().client
    page = await client.get("/entries/k-0540")
    for words in ("选民证丢了怎么办？", "请尽快联系发证的登记站核对", "K-0540", "第二十七条", "东浦区"):
        assert words in page.text
    slip = await client.get("/entries/K-0540?paper=slip")
    assert slip.status_code == 200
    assert slip.text != page.text
    assert (await client.get("/entries/K-0540?paper=poster")).text != slip.text


async def test_text_size_is_kept(visitor: Visitors) -> None:
    someone = visitor()
    await someone.open()
    for size in ("extra", "enormous"):
        data = {"csrf": someone.csrf, "size": size}
        assert (await someone.client.post("/chat/size", data=data)).status_code == 303
        assert someone.client.cookies["one-window-size"] == "extra"
    assert 'data-size="extra"' in (await someone.open()).text or "extra" in someone.page


@pytest.mark.parametrize(
    "address", ["/where?a=w-------", "/stations?q=x&kind=polling", "/calendar", "/entries?q=x", "/privacy"]
)
async def test_language_and_size_are_chosen_on_every_page_and_lead_back_to_it(
    visitor: Visitors, address: str
) -> None:
    client = visitor().client
    page = (await client.get(address)).text
    assert not client.cookies  # reading leaves nothing behind, and choosing needs nothing left
    fields = {"csrf": hidden(page, "csrf"), "next": unescape(hidden(page, "next"))}
    chosen = await client.post("/language", data={**fields, "lang": "en"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, address)
    chosen = await client.post("/chat/size", data={**fields, "size": "extra"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, address)
    page = (await client.get(address)).text
    assert '<html lang="en" data-text-size="extra"' in page
    assert page.count('aria-pressed="true"') == 2


async def test_a_link_in_english_needs_no_cookie_and_leads_on_in_english(visitor: Visitors) -> None:
    client = visitor().client
    assert '<html lang="en"' in (await client.get("/where?lang=en")).text
    assert '<html lang="en"' in (await client.get("/stations")).text
    assert '<html lang="en"' in (await client.get("/stations?lang=xx")).text
    page = (await client.get("/calendar?lang=en")).text
    fields = {"csrf": hidden(page, "csrf"), "next": unescape(hidden(page, "next")), "lang": "zh-CN"}
    chosen = await client.post("/language", data=fields)
    assert chosen.headers["location"] == "/calendar"
    assert '<html lang="zh-CN"' in (await client.get("/calendar")).text


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/admin", "/where\\evil", "/wherever", "/where /x"]
)
async def test_a_choice_leads_nowhere_else(visitor: Visitors, address: str) -> None:
    client = visitor().client
    fields = {"csrf": hidden((await client.get("/where")).text, "csrf"), "next": address, "size": "large"}
    assert (await client.post("/chat/size", data=fields)).headers["location"] == "/"
    foreign = await client.post("/chat/size", data=fields, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403


async def test_a_page_read_without_a_cookie_sends_no_message(visitor: Visitors) -> None:
    client = visitor().client
    fields = {"csrf": hidden((await client.get("/where")).text, "csrf"), "event_id": new_id(), "text": "你好"}
    assert (await client.post("/chat/messages", data=fields)).status_code == 403


async def test_privacy_names_the_office(visitor: Visitors) -> None:
    page = await visitor().client.get("/privacy")
    assert page.status_code == 200
    assert "东浦区选举委员会办公室" in page.text


async def test_every_public_answer_carries_the_security_headers(site: FastAPI, visitor: Visitors) -> None:
    someone = visitor()
    await someone.ask("你好")
    answers = [await someone.client.get(address) for address in [*PAGES, "/healthz", "/nowhere"]]
    answers.append(await someone.send(""))
    answers.append(await someone.client.post("/chat/messages", data={"csrf": "wrong"}))
    answers.append(await someone.client.delete("/chat/messages"))
    answers.append(await someone.send("你好", script=False))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


@pytest.mark.parametrize("address", PAGES)
async def test_pages_load_nothing_from_elsewhere(visitor: Visitors, address: str) -> None:
    text = (await visitor().client.get(address)).text
    for opening in ('src="http', "src='http", 'href="http', "url(http", 'src="//', "@import"):
        assert opening not in text
    assert "<script>" not in text
    assert " style=" not in text


async def test_health_is_one_word(visitor: Visitors, machine: Machine) -> None:
    client = visitor().client
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


async def test_without_a_database_the_phone_number_is_still_there(
    visitor: Visitors, machine: Machine
) -> None:
    client = visitor().client
    await client.get("/")
    mend = break_database(machine)
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"ok": False})
    page = await client.get("/")
    assert page.status_code == 500
    assert "0000-12345678" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    mend()
    assert (await client.get("/")).status_code == 200


async def test_no_documentation_is_served(visitor: Visitors) -> None:
    client = visitor().client
    for address in ("/docs", "/redoc", "/openapi.json", "/metrics"):
        assert (await client.get(address)).status_code == 404


async def test_the_webhook_is_not_there_without_telegram(visitor: Visitors) -> None:
    assert (await visitor().client.post("/telegram/webhook", json={})).status_code == 404
