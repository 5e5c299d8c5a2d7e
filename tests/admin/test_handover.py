"""交接班 in the console: what was left, what is taken over, the signature."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from admin import handover
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Clock
from tests.make import Cast
from tests.ticketing import work
from tests.ticketing.shifts import FRIDAY, at, shift
from ticketing import handovers, tickets
from ticketing.records import TicketState

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
SignIn = Callable[[Staff], Any]


async def test_a_morning_is_handed_over_and_signed(
    store: Store, cast: Cast, signed_in: SignIn, clock: Clock
) -> None:
    for place in range(5):
        await work.taken(store, cast, clock(), words=f"第{place}个问题怎么办？")
    kept = await work.taken(store, cast, clock(), words="接着办的问题怎么办？")
    held = await work.taken(store, cast, clock(), words="挂起的问题怎么办？")
    async with store.transaction() as session:
        (await tickets.get(session, kept.id)).due_at = clock() - timedelta(minutes=1)
        (await tickets.get(session, held.id)).state = TicketState.ON_HOLD
    await shift(store, cast, FRIDAY, "08:30-17:30", phone="0000-12345678")
    li, wang = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    await li.get("/admin/handover")
    answer = await li.post("/admin/handover", {"message": "DP-1120-07 答应了\n下午两点回"})
    assert answer.headers["location"] == "/admin/handover?done=begun"
    page = (await wang.get("/admin/handover")).text
    assert "李强 的交接" in page
    assert "DP-1120-07 答应了<br>下午两点回" in page
    assert "待办 7（超时1，今日到期6）、挂起 1、待回拨 0、新聚类 0" in page
    assert "李强 手里有7张工单" in page
    clock.pass_by(timedelta(minutes=10))
    assert "超过10分钟没人签名" in (await wang.get("/admin/handover")).text
    answer = await wang.post("/admin/handover/1/sign", {"take": str(kept.id)})
    assert answer.headers["location"] == "/admin/handover?done=signed", answer.text
    found = await work.read(store, kept)
    assert (found.state, found.assignee_id) == (TicketState.WORKING, cast.wang_fang.id)
    assert "李强 → 王芳" in (await wang.get("/admin/handover?done=signed")).text
    page = (await wang.get("/admin/handover/1")).text
    assert "接班以来的变化" in page
    assert "王芳 于" in page


async def handed_over(store: Store, leaver: Staff, taker: Staff, message: str, clock: Clock) -> int:
    """A handover with its message, signed ten minutes later."""
    async with store.transaction() as session:
        left = await handovers.begin(session, leaver, message, now=clock())
    clock.pass_by(timedelta(minutes=10))
    async with store.transaction() as session:
        found = await handovers.get(session, taker, left.id)
        await handovers.sign(session, found, seen=left.version, taker=taker, now=clock())
    return left.id


async def test_the_message_is_read_after_the_signature_too(
    store: Store, cast: Cast, signed_in: SignIn, clock: Clock
) -> None:
    await work.opened(store, cast, clock())
    number = await handed_over(store, cast.li_qiang, cast.wang_fang, "DP-1120-07 答应了\n下午两点回", clock)
    page = (await (await signed_in(cast.wang_fang)).get("/admin/handover")).text
    past = page.split('id="past"')[1]
    assert "DP-1120-07 答应了<br>下午两点回" in past
    for words in (
        "李强 → 王芳",
        "李强 于11月20日（周五）10:05交班",
        "王芳 于11月20日（周五）10:15签名",
        "待办 1",
    ):
        assert words in past, words
    assert f'href="/admin/handover/{number}"' in past
    own = (await (await signed_in(cast.zhao_lei)).get("/admin/handover")).text
    assert "下午两点回" not in own, "a handover is for those who work for its unit"


async def test_a_handover_of_last_week_is_found_by_its_day(
    store: Store, cast: Cast, signed_in: SignIn, clock: Clock
) -> None:
    await handed_over(store, cast.li_qiang, cast.wang_fang, "上周五的留言", clock)
    clock.pass_by(timedelta(days=3))
    for _ in range(handover.PAST):
        await handed_over(store, cast.li_qiang, cast.wang_fang, "周一的留言", clock)
    desk = await signed_in(cast.li_qiang)
    page = (await desk.get("/admin/handover")).text
    assert page.count("周一的留言") == handover.PAST
    assert "上周五的留言" not in page
    friday = (await desk.get("/admin/handover", params={"day": "2026-11-20"})).text
    assert "上周五的留言" in friday
    assert "周一的留言" not in friday
    older = re.search(r'href="(/admin/handover\?before=[0-9]+#past)"', page)
    assert older
    assert "上周五的留言" in (await desk.get(older[1])).text
    none = (await desk.get("/admin/handover", params={"day": "2026-11-19"})).text
    assert "这一天没有签过名的交接" in none
    for strange in ({"day": "昨天"}, {"before": "x"}):
        assert (await desk.get("/admin/handover", params=strange)).status_code == 200


async def test_a_message_that_is_too_long_stays_whole_and_says_how_long_it_is(
    store: Store, cast: Cast, signed_in: SignIn
) -> None:
    desk = await signed_in(cast.li_qiang)
    assert "maxlength" not in (await desk.get("/admin/handover")).text.split('id="message"')[1].split(">")[0]
    refused = await desk.post("/admin/handover", {"message": "长" * 10_000})
    assert refused.status_code == 422
    assert "最多 2000 个字，现在有 10000 个字" in refused.text
    assert "长" * 10_000 in refused.text


async def test_what_is_refused_says_so_and_the_page_stays(
    store: Store, cast: Cast, signed_in: SignIn, clock: Clock
) -> None:
    orphan = await work.taken(store, cast, clock(), by=cast.wang_fang, words="派给走了的人？")
    async with store.transaction() as session:
        (await tickets.get(session, orphan.id)).assignee_id = cast.sun_jie.id
    li, wang, zhao = [await signed_in(who) for who in (cast.li_qiang, cast.wang_fang, cast.zhao_lei)]
    await li.get("/admin/handover")
    long = await li.post("/admin/handover", {"message": "长" * 2001})
    assert long.status_code == 422
    assert "长" * 100 in long.text
    await li.post("/admin/handover", {"message": ""})
    page = (await li.get("/admin/handover")).text
    assert "等下一班签名" in page
    await wang.get("/admin/handover")
    refused = await wang.post("/admin/handover/1/sign")
    assert refused.status_code == 409
    assert "还有1张工单没人在场负责" in refused.text
    assert "孙洁" in refused.text
    wang.shown = refused.text
    assert (await wang.post("/admin/handover/orphans")).headers["location"].endswith("freed")
    await wang.get("/admin/handover")
    assert (await wang.post("/admin/handover/1/sign", {"take": "x"})).status_code == 422
    assert (await wang.post("/admin/handover/1/sign")).status_code == 303
    await zhao.get("/admin/handover")
    assert (await zhao.get("/admin/handover/1")).status_code == 404
    assert (await zhao.post("/admin/handover/1/sign", {"version": "1"})).status_code == 404
    clock.now = at(FRIDAY, "17:40")
    assert (await (await signed_in(cast.zhou_ning)).get("/admin/handover")).status_code == 403
