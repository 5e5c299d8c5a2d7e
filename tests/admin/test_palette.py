"""Going somewhere by name or number, the sheet of keys, and a table of questions in the console."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from knowledge import entries
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Clock
from tests.make import Cast, a_ticket, an_entry, content
from tests.ticketing import work
from tests.ticketing.test_bulk_questions import HEADINGS, ROWS, filled
from tests.ticketing.tip_world import drafted, released
from ticketing import bulk_questions, tickets
from ticketing.particulars import Secrecy
from ticketing.records import Ticket, TicketState

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


async def shown(desk: Any, query: str) -> list[tuple[str, str]]:
    """What the dialog lists, in its order: the address of each line and its words."""
    page = (await desk.get("/admin/go/list", params={"q": query})).text
    lines = re.findall(r'<li><a href="([^"]*)" data-go>(.*?)</a>', page)
    return [(href, " ".join(re.sub(r"<[^>]*>", " ", words).split())) for href, words in lines]


async def test_what_speaks_of_the_words_in_its_question_comes_first(
    store: Store, cast: Cast, clock: Clock, signed_in: SignIn
) -> None:
    """停车: tickets that ask about it, the draft of an entry, a tip; what only mentions it comes last."""
    older = await work.answered(store, cast, clock(), words="骑车来登记，停车要钱吗？")
    ticket = await work.opened(store, cast, clock(), words="登记站门口可以停车吗？")
    async with store.transaction() as session:
        draft = await entries.draft(
            session, content(cast, question="登记站门口能不能停车？"), actor=cast.wang_fang, now=clock()
        )
        aside = await an_entry(
            session, cast, clock(), "K-0122", question="登记站在哪里？", short="看通知。门口不能停车。"
        )
    tip = await drafted(store, cast, clock(), title="关于登记站停车的提示")
    mentioning = await drafted(store, cast, clock(), title="关于秩序的提示", steps="请劝停车的人挪开")
    found = await shown(await signed_in(cast.li_qiang), "停车")
    assert [href for href, _ in found] == [
        f"/admin/tickets/{ticket.id}",
        f"/admin/tickets/{older.id}",
        f"/admin/entries/{draft.entry_id}",
        f"/admin/tips/{tip.id}",
        f"/admin/entries/{aside.entry_id}",
        f"/admin/tips/{mentioning.id}",
    ]
    said = dict(found)
    assert f"{ticket.ticket_no} 登记站门口可以停车吗？ · 东浦区 · 待派" in said[f"/admin/tickets/{ticket.id}"]
    assert "登记站门口能不能停车？ · 草稿" in said[f"/admin/entries/{draft.entry_id}"]
    both = [href for href, _ in await shown(await signed_in(cast.li_qiang), "停车 门口")]
    assert both[:2] == [f"/admin/tickets/{ticket.id}", f"/admin/entries/{draft.entry_id}"]


async def test_words_find_no_ticket_out_of_reach_and_no_confidential_one(
    store: Store, cast: Cast, clock: Clock, signed_in: SignIn
) -> None:
    there = await work.opened(store, cast, clock(), words="镇上停车方便吗？", unit=cast.north)
    flagged = await work.opened(store, cast, clock(), words="有人在停车场发钱拉票")
    decided = await work.opened(store, cast, clock(), words="停车场的那个人是谁")
    async with store.transaction() as session:
        (await tickets.get(session, flagged.id)).secrecy = Secrecy.RESTRICTED
        closed = await tickets.get(session, decided.id)
        closed.state, closed.offline_owner_id = TicketState.OFFLINE, cast.wang_fang.id
    found = await shown(await signed_in(cast.wang_fang), "停车")
    assert [href for href, _ in found] == [f"/admin/tickets/{there.id}"]
    assert [href for href, _ in await shown(await signed_in(cast.zhao_lei), "停车")] == [
        f"/admin/tickets/{there.id}"
    ]
    assert await shown(await signed_in(cast.zhou_ning), "停车") == []
    by_number = await shown(await signed_in(cast.wang_fang), flagged.ticket_no)
    assert "拉票" not in by_number[0][1]


async def test_a_page_is_found_by_its_name_before_what_only_speaks_of_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignIn
) -> None:
    ticket = await work.opened(store, cast, clock(), words="值班到几点？")
    found = [href for href, _ in await shown(await signed_in(cast.li_qiang), "值班")]
    assert found[0] == "/admin/roster"
    assert f"/admin/tickets/{ticket.id}" in found


@pytest.mark.parametrize(
    "typed", ["1120-01", "1120 01", "112001", "1120-1", "１１２０－０１", "1120-01-{letter}"]
)
async def test_a_ticket_number_needs_no_district(
    store: Store, cast: Cast, clock: Clock, signed_in: SignIn, typed: str
) -> None:
    ticket = await work.opened(store, cast, clock())
    assert ticket.ticket_no.startswith("DP-1120-01-")
    query = typed.format(letter=ticket.ticket_no[-1])
    for person in (cast.li_qiang, cast.zhao_lei):
        desk = await signed_in(person)
        straight = await desk.get("/admin/go", params={"q": query})
        found = straight.headers.get("location") == f"/admin/tickets/{ticket.id}"
        assert found is (person is cast.li_qiang)
