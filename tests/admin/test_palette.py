"""Going somewhere by name or number, the sheet of keys, and a table of questions in the console."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Clock
from tests.make import Cast, a_ticket, an_entry
from tests.ticketing.test_bulk_questions import HEADINGS, ROWS, filled
from tests.ticketing.tip_world import drafted, released
from ticketing import bulk_questions
from ticketing.records import Ticket

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
SignIn = Callable[[Staff], Any]


async def test_only_pages_one_may_open_are_found(signed_in: SignIn, cast: Cast) -> None:
    li_qiang, zhou_ning = await signed_in(cast.li_qiang), await signed_in(cast.zhou_ning)
    mine, theirs = (await li_qiang.get("/admin/go")).text, (await zhou_ning.get("/admin/go")).text
    assert 'href="/admin/calls/new" data-go' in mine
    assert 'href="/admin/calls/new" data-go' not in theirs
    assert 'href="/admin/staff" data-go' in theirs
    assert 'href="/admin/staff" data-go' not in mine
    for words in ("来电", "口径", "calls", "New call"):
        assert "data-go" in (await li_qiang.get("/admin/go/list", params={"q": words})).text
    none = (await li_qiang.get("/admin/go/list", params={"q": "没有这一页"})).text
    assert "没有找到" in none
    assert "<html" not in none


async def test_a_ticket_is_found_by_its_number_within_reach(
    signed_in: SignIn, store: Store, cast: Cast, clock: Clock
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock.now)
    li_qiang = await signed_in(cast.li_qiang)
    straight = await li_qiang.get("/admin/go", params={"q": ticket.ticket_no.lower().replace("-", " ")})
    assert straight.status_code == 303
    assert straight.headers["location"] == f"/admin/tickets/{ticket.id}"
    begun = (await li_qiang.get("/admin/go/list", params={"q": ticket.ticket_no[:7]})).text
    assert f'href="/admin/tickets/{ticket.id}"' in begun
    for person in (cast.zhao_lei, cast.zhou_ning):
        page = await (await signed_in(person)).get("/admin/go", params={"q": ticket.ticket_no})
        assert page.status_code == 200
        assert f"/admin/tickets/{ticket.id}" not in page.text


async def test_an_entry_is_found_by_its_number(
    signed_in: SignIn, store: Store, cast: Cast, clock: Clock
) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, clock.now - timedelta(days=1))
    browser = await signed_in(cast.li_qiang)
    for number in ("K-0540", "k0540", "540"):
        found = await browser.get("/admin/go", params={"q": number})
        assert found.headers["location"] == f"/admin/entries/{version.entry_id}"


async def test_the_sheet_of_keys_is_a_page_and_stands_on_every_page(signed_in: SignIn, cast: Cast) -> None:
    browser = await signed_in(cast.zhou_ning)
    page = (await browser.get("/admin/keys")).text
    for key in ("Ctrl+K", "Ctrl+/", "F8", "J", "M"):
        assert page.count(f"<kbd>{key}</kbd>") == 2
    assert "data-new-call" not in page
    assert "data-new-call" in (await (await signed_in(cast.li_qiang)).get("/admin/keys")).text


async def send(browser: Any, content: bytes | None, **fields: str) -> Any:
    file = {"file": ("问题.xlsx", content)} if content else {"file": ("", b"")}
    return await browser.client.post(
        "/admin/calls/bulk", data={"csrf": browser.hidden("csrf"), **fields}, files=file
    )


async def test_a_table_is_looked_at_then_brought(
    signed_in: SignIn, store: Store, cast: Cast, clock: Clock
) -> None:
    browser = await signed_in(cast.li_qiang)
    template = await browser.get("/admin/calls/template")
    assert template.content == bulk_questions.template(clock.now)
    await browser.get("/admin/calls/bulk")
    content = filled(*ROWS, now=clock.now)
    looked = await send(browser, content, then="look")
    assert looked.status_code == 200
    assert ROWS[1][1] in looked.text.replace("&#34;", '"')
    async with store.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 0
    browser.shown = looked.text
    kept = {name: browser.hidden(name) for name in ("kept_file", "kept_name")}
    sent = await send(browser, None, then="bring", unit_id=str(cast.riverside.id), **kept)
    async with store.reading() as session:
        tickets = (await session.scalars(select(Ticket).order_by(Ticket.id))).all()
    assert [ticket.unit_id for ticket in tickets] == [cast.riverside.id] * 2
    for ticket in tickets:
        assert ticket.ticket_no in sent.text
        assert ticket.progress_code in sent.text
    outside = await signed_in(cast.zhao_lei)
    await outside.get("/admin/calls/bulk")
    refused = await send(outside, None, then="bring", unit_id=str(cast.riverside.id), **kept)
    assert refused.status_code == 403


async def test_a_refused_table_is_not_kept_in_the_page(signed_in: SignIn, cast: Cast, clock: Clock) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get("/admin/calls/bulk")
    wrong = await send(browser, filled(*ROWS, now=clock.now, headings=[*HEADINGS, "身份证号"]), then="bring")
    assert wrong.status_code == 422
    assert "“身份证号”一列不能有" in wrong.text
    assert "kept_file" not in wrong.text
    assert (await send(browser, None, then="look")).status_code == 422


async def test_entries_are_found_by_words_of_their_question(
    store: Store, cast: Cast, clock: Clock, signed_in: Any
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, clock())
    desk = await signed_in(cast.li_qiang)
    assert "K-0540" in (await desk.get("/admin/go?q=选民证")).text
    assert "K-0540" not in (await desk.get("/admin/go?q=证")).text


async def test_work_tips_are_found_by_number_and_title(
    store: Store, cast: Cast, clock: Clock, signed_in: SignIn
) -> None:
    out = await released(store, cast, clock())
    draft = await drafted(store, cast, clock(), title="关于新证件的提示")
    desk = await signed_in(cast.li_qiang)
    for query in ("2026年第1期", "第1期", "工作提示第１期"):
        straight = await desk.get("/admin/go", params={"q": query})
        assert straight.headers["location"] == f"/admin/tips/{out.id}"
    shown = (await desk.get("/admin/go/list", params={"q": out.title})).text
    assert f'href="/admin/tips/{out.id}"' in shown
    assert "2026年第1期" in shown
    assert f"/admin/tips/{draft.id}" in (await desk.get("/admin/go/list", params={"q": "新证件"})).text
    assert "没有找到" in (await desk.get("/admin/go/list", params={"q": "第9期"})).text
    other = await signed_in(cast.zhao_lei)
    found = (await other.get("/admin/go/list", params={"q": "新证件"})).text
    assert f"/admin/tips/{draft.id}" not in found, "a draft is for those who reach its unit"
