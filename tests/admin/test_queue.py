"""The queue as a page: views, filters, counts, own views, several tickets at once, and all without script."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, a_ticket
from ticketing import queue, tickets
from ticketing.particulars import LedgerKind, Secrecy
from ticketing.records import Ticket, TicketState

SignedIn = Callable[[Staff], Awaitable[Browser]]
pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
S = TicketState


async def made(
    store: Store, cast: Cast, clock: Clock, words: str = "选民证丢了怎么办", **fields: object
) -> Ticket:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock(), words)
        for name, value in fields.items():
            setattr(ticket, name, value)
    return ticket


async def state_of(store: Store, ticket: Ticket) -> Ticket:
    async with store.reading() as session:
        return await tickets.get(session, ticket.id)


def listed(page: str) -> list[int]:
    """The tickets of the list, in its order."""
    return [int(number) for number in re.findall(r'data-open href="/admin/tickets/(\d+)"', page)]


def count_of(page: str, label: str) -> str:
    found = re.search(rf'>{label} <span class="count">([^<]*)</span>', page)
    return found[1] if found else ""


async def test_views_and_filters_show_what_they_name(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    plain = await made(store, cast, clock)
    grouped = await made(store, cast, clock, group="登记组", ledger=LedgerKind.POLICY)
    flagged = await made(store, cast, clock, secrecy=Secrecy.RESTRICTED)
    wanted = await made(store, cast, clock, hold_wanted_until=clock() + timedelta(hours=4))
    clock.pass_by(timedelta(days=1))
    desk = await signed_in(cast.li_qiang)
    for query, expected in {
        "": [plain, grouped, flagged, wanted],
        "?view=today": [plain, grouped, flagged, wanted],
        "?view=overdue": [plain, grouped, flagged, wanted],
        "?view=mine": [],
        "?view=free": [plain, grouped, flagged, wanted],
        "?view=flagged": [flagged],
        "?view=hold_wanted": [wanted],
        "?view=undisposed": [plain, grouped, flagged, wanted],
        "?view=call_back": [],
        "?view=answered": [],
        "?group=登记组": [grouped],
        "?ledger=policy": [grouped],
        "?kind=appeal": [],
        "?cluster=7": [],
        "?from=2026-11-20&to=2026-11-20": [plain, grouped, flagged, wanted],
        "?from=2026-11-21": [],
        "?view=nonsense&ledger=x&kind=x&cluster=x&from=x&unit=x": [plain, grouped, flagged, wanted],
        f"?view=mine&q={plain.ticket_no}": [plain],
    }.items():
        page = await desk.get(f"/admin{query}")
        assert page.status_code == 200
        assert listed(page.text) == [ticket.id for ticket in expected], query
    assert count_of(page.text, "未办结") == "4"
    assert count_of(page.text, "待定线下") == "1"
    assert count_of(page.text, "待批挂起") == "1"


async def test_many_are_counted_only_as_far_as_it_matters(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PAGE": 2, "MOST": 5, "MOST_SHOWN": 3}.items():
        monkeypatch.setattr(queue, name, value)
    found = [await made(store, cast, clock) for _ in range(7)]
    desk = await signed_in(cast.li_qiang)
    first = await desk.get("/admin")
    assert count_of(first.text, "未办结") == "3+"
    assert "超过5张，只列前5张" in first.text
    assert "第1页，共3页" in first.text.replace(" ", "")
    last = await desk.get("/admin?page=3")
    assert listed(last.text) == [found[4].id]
    assert listed((await desk.get("/admin?page=4")).text) == []


async def test_a_view_is_kept_as_a_tab_renamed_and_removed(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin?view=today&group=登记组")
    kept = await desk.post(
        "/admin/queue/saved", {"saved_name": "登记组今天", "back": "?view=today&group=登记组"}
    )
    assert kept.status_code == 303
    page = await desk.get(kept.headers["location"])
    assert "视图已保存" in page.text
    assert re.search(
        r'<a href="/admin\?view=today&amp;group=[^"]*" aria-current="page">登记组今天', page.text
    )
    (number,) = re.findall(r"/admin/queue/saved/(\d+)/rename", page.text)
    renamed = await desk.post(f"/admin/queue/saved/{number}/rename", {"saved_name": "今日登记组"})
    page = await desk.get(renamed.headers["location"])
    assert "今日登记组" in page.text
    other = await signed_in(cast.wang_fang)
    assert "今日登记组" not in (await other.get("/admin")).text
    assert (await other.post(f"/admin/queue/saved/{number}/remove", {"back": ""})).status_code == 404
    empty = await desk.post("/admin/queue/saved", {"saved_name": " "})
    assert empty.status_code == 422
    assert "请给这个视图起个名字" in empty.text
    removed = await desk.post(f"/admin/queue/saved/{number}/remove")
    assert "今日登记组" not in (await desk.get(removed.headers["location"])).text


async def test_several_are_taken_and_each_result_is_told(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    free, raced = await made(store, cast, clock), await made(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    page = await desk.get("/admin?view=free")
    assert f'name="row" value="{free.id}:{free.version}" form="bulk"' in page.text
    async with store.transaction() as session:
        found = await tickets.get(session, raced.id)
        await tickets.take(session, found, actor=cast.wang_fang, now=clock())
    rows = [f"{ticket.id}:{ticket.version}" for ticket in (free, raced)]
    done = await desk.post("/admin/queue/bulk", {"row": rows, "act": "take"})
    assert done.status_code == 200
    assert "已处理 1 张；1 张没有处理" in done.text
    assert free.ticket_no in done.text
    assert re.search(rf"{raced.ticket_no}.*?已由 王\* 于 10:05:00 认领", done.text, re.DOTALL)
    assert 'href="/admin?view=free"' in done.text
    assert (await state_of(store, free)).assignee_id == cast.li_qiang.id


async def test_setting_aside_several_asks_to_be_sure_and_loses_nothing(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await made(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin")
    fields = {"row": [f"{ticket.id}:{ticket.version}"], "act": "void", "reason": "都是骚扰电话"}
    asked = await desk.post("/admin/queue/bulk", fields)
    assert asked.status_code == 422
    assert "设为无效前请勾选确认" in asked.text
    assert 'value="都是骚扰电话"' in asked.text
    assert re.search(rf'value="{ticket.id}:\d+" form="bulk" data-tick[^>]* checked', asked.text)
    assert (await state_of(store, ticket)).state is S.UNASSIGNED
    done = await desk.post("/admin/queue/bulk", {**fields, "sure": "1"})
    assert "1 张都已处理" in done.text
    assert (await state_of(store, ticket)).state is S.VOID


async def test_a_broken_or_empty_form_changes_nothing(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await made(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin")
    for fields in (
        {"act": "take"},
        {"act": "nonsense", "row": [f"{ticket.id}:1"]},
        {"act": "take", "row": ["1"]},
        {"act": "merge", "row": [f"{ticket.id}:1"]},
        {"act": "take", "row": [f"{number}:1" for number in range(1, 60)]},
    ):
        assert (await desk.post("/admin/queue/bulk", fields)).status_code == 422, fields
    unknown = {"act": "merge", "row": [f"{ticket.id}:1"], "lead_no": "DP-1120-99-A"}
    assert (await desk.post("/admin/queue/bulk", unknown)).status_code == 404
    assert (await state_of(store, ticket)).version == ticket.version


async def test_who_only_reads_has_nothing_to_tick(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await made(store, cast, clock)
    async with store.transaction() as session:
        observer = Staff(
            name="郑看", unit_id=cast.district.id, roles=["observer"], created_at=clock(), username="kan"
        )
        session.add(observer)
    desk = await signed_in(observer)
    page = await desk.get("/admin")
    assert "data-tick" not in page.text
    assert "data-bulk" not in page.text
    assert (await desk.post("/admin/queue/bulk", {"row": ["1:1"], "act": "take"})).status_code == 403
    assert "/admin/exports" in page.text
