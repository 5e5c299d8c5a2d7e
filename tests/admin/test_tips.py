"""Work tips in the console: the archive, who sees what in it, and how a tip is begun."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import select

from knowledge import tip_titles
from knowledge.tips import TipState, TipType, WorkTip
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock, plain
from tests.make import Cast
from tests.ticketing.gathered import TITLE, confirmed, fourteen, signed
from tests.ticketing.tip_world import drafted, released, submitted
from tests.ticketing.work import REPLY, answered, opened

SignedIn = Callable[[Staff], Awaitable[Browser]]
MARK = "未签发，不作为正式文件"


async def somebody(store: Store, cast: Cast, role: Role, clock: Clock) -> Staff:
    """A person of the district with this one role."""
    async with store.transaction() as session:
        found = Staff(name="韩梅", unit_id=cast.district.id, roles=[role.value], created_at=clock())
        session.add(found)
    return found


async def test_what_a_cluster_has_drafted_reads_as_it_will_and_says_that_it_is_a_draft(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    tickets = await fourteen(store, cast, clock())
    await confirmed(store, cast, tickets, clock())
    await signed(store, cast, tickets[0], clock())
    desk = await signed_in(cast.wang_fang)
    assert tip_titles.of_question(TITLE) in (await desk.get("/admin/tips")).text
    page = await desk.get("/admin/tips/1")
    for words in ("来由", "统一口径", "时限与联系人", REPLY, "14件", "C-1120-01", tickets[0].ticket_no, MARK):
        assert words in page.text
    # Of what it is based on everybody reads once, in each of the outputs.
    async with store.reading() as session:
        basis = (await session.get_one(WorkTip, 1)).basis
    for output in ("message", "paper", "web"):
        shown = re.search(rf'<section class="card" id="{output}".*?</section>', page.text, re.DOTALL)
        assert shown is not None
        assert html.unescape(shown[0]).count(basis) == 1, output


async def test_a_tip_begins_from_an_answered_ticket_or_from_a_meeting(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await answered(store, cast, clock())
    waiting = await opened(store, cast, clock(), "选民证丢了怎么办")
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/tips")
    begun = await desk.post(f"/admin/tips/from-ticket/{ticket.id}")
    assert begun.headers["location"] == "/admin/tips/1/edit?done=begun"
    assert ticket.ticket_no in (await desk.get(begun.headers["location"])).text
    assert (await desk.post(f"/admin/tips/from-ticket/{waiting.id}")).status_code == 409

    await desk.get("/admin/tips/from-meeting")
    refused = await desk.post("/admin/tips/from-meeting", {"meeting": " ", "day": "2026-11-19"})
    assert refused.status_code == 422
    assert "请写会议名称" in refused.text
    assert 'value="2026-11-19"' in refused.text
    named = {"meeting": "选举工作第3次例会<b>", "day": "2026-11-19"}
    begun = await desk.post("/admin/tips/from-meeting", named)
    page = await desk.get(begun.headers["location"])
    assert "2026年11月19日选举工作第3次例会" in page.text
    assert "<b>" not in page.text
    await desk.get("/admin/tips/from-meeting")
    early = await desk.post("/admin/tips/from-meeting", named | {"day": "2030-01-05"})
    assert (early.status_code, 'value="2030-01-05"' in early.text) == (422, True)
    assert "会议日期不能晚于今天" in plain(early)


async def test_the_archive_is_found_by_words_year_state_and_type(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    first = await released(store, cast, clock(), title="关于居住证年限的提示")
    await released(store, cast, clock(), title="关于门牌号的提示", type=TipType.PROCEDURE)
    await drafted(store, cast, clock(), title="关于选民证<i>的提示")
    desk = await signed_in(cast.wang_fang)

    async def found(query: str) -> set[str]:
        text = plain(await desk.get(f"/admin/tips?{query}"))
        return {word for word in ("居住证", "门牌号", "选民证<i>") if f"关于{word}" in text}

    assert await found("") == {"居住证", "门牌号", "选民证<i>"}
    assert await found("q=门牌号") == {"门牌号"}
    assert await found("q=工作提示第1期") == {"居住证"}
    assert await found("state=draft") == {"选民证<i>"}
    assert await found("type=procedure") == {"门牌号"}
    assert await found("year=2026") == {"居住证", "门牌号"}
    assert await found("year=2025") == set()
    # What no form of ours sends is as if it were not there.
    assert len(await found("year=x&state=odd&type=odd&page=-1")) == 3
    for long in ("长" * 400, "1" * 400, "第" + "9" * 390 + "期", "字 " * 200, "%' _\"" * 80):
        assert (await desk.get("/admin/tips", params={"q": long, "year": "9" * 400})).status_code == 200
        assert (await desk.get("/admin/tips", params={"search": long, "page": "9" * 400})).status_code == 200
    page = await desk.get("/admin/tips?q=%00找不到")
    assert "没有找到" in page.text
    listed = await desk.get("/admin/tips")
    assert "<i>" not in listed.text
    assert f'href="/admin/tips/{first.id}/board"' in listed.text


async def test_drafts_are_for_those_near_them_and_released_ones_for_all_who_see_entries(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    draft = await drafted(store, cast, clock(), title="还没定的提示")
    tip = await released(store, cast, clock())
    elsewhere = await signed_in(cast.zhao_lei)
    assert "还没定的提示" not in (await elsewhere.get("/admin/tips")).text
    for path in ("", "/edit", "/paper.docx"):
        assert (await elsewhere.get(f"/admin/tips/{draft.id}{path}")).status_code == 404
    for path in ("edit", "submit", "take-back", "look-over", "correct"):
        assert (await elsewhere.post(f"/admin/tips/{draft.id}/{path}", {"version": "1"})).status_code == 404
    page = await elsewhere.get(f"/admin/tips/{tip.id}")
    assert page.status_code == 200
    assert "更正本期" not in page.text
    # Its own office's tips alone are for its people to go on with.
    assert (await elsewhere.get(f"/admin/tips/{tip.id}/edit")).status_code == 404
    assert (await elsewhere.post(f"/admin/tips/{tip.id}/correct", {"version": "4"})).status_code == 403

    for role in (Role.REGISTRAR, Role.ADMIN):
        reader = await signed_in(await somebody(store, cast, role, clock))
        listed = await reader.get("/admin/tips")
        assert "您看到的是已签发的" in listed.text
        assert tip.title in listed.text
        assert "还没定的提示" not in listed.text
        assert "新起草" not in listed.text
        assert (await reader.get(f"/admin/tips/{draft.id}")).status_code == 404
        assert (await reader.get(f"/admin/tips/{tip.id}")).status_code == 200
        assert (await reader.get("/admin/tips/new")).status_code == 403
        for path in ("submit", "release", "return", "withdraw", "in-effect", "correct", "take-back"):
            assert (await reader.post(f"/admin/tips/{tip.id}/{path}", {"version": "4"})).status_code == 403
    async with store.reading() as session:
        states = await session.scalars(select(WorkTip.state).order_by(WorkTip.id))
        assert list(states) == [TipState.DRAFT, TipState.RELEASED]


async def test_the_page_says_where_a_tip_stands_and_who_did_what(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    now = clock()
    until = now + timedelta(days=2)
    tip = await released(store, cast, now, effective_from=now + timedelta(hours=3), effective_until=until)
    desk = await signed_in(cast.li_qiang)
    said = plain(await desk.get(f"/admin/tips/{tip.id}"))
    for words in ("已签发", "2026年第1期", "11月20日（周五）13:05起生效", "李强", "王芳", "临江街道、北塘镇"):
        assert words in said
    clock.pass_by(timedelta(days=3))
    desk = await signed_in(cast.li_qiang)
    said = plain(await desk.get(f"/admin/tips/{tip.id}"))
    assert "已失效（11月22日（周日）10:05）" in said
    waiting = await submitted(store, cast, clock(), send_at=clock() + timedelta(hours=5))
    said = plain(await desk.get(f"/admin/tips/{waiting.id}"))
    assert "在11月23日（周一）15:05之前，控制台以外谁也看不到" in said
    # Beside another year the year is told.
    clock.pass_by(timedelta(days=60))
    desk = await signed_in(cast.li_qiang)
    assert "已失效（2026年11月22日10:05）" in plain(await desk.get("/admin/tips"))
    said = plain(await desk.get(f"/admin/tips/{tip.id}"))
    assert "王芳，2026年11月20日10:05" in said
