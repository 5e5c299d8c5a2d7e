"""The roster's pages: a file with its bad rows, the plan, its publication, one's own shifts, paper."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from docx import Document

from office.shifts import DutyShift
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast
from tests.ticketing.shifts import FRIDAY, NEXT_SATURDAY, SATURDAY, SUNDAY, at, file, in_force, person, shift
from ticketing import roster_files

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
SignIn = Callable[[Staff], Any]
SOUND = (
    "2026-11-28",
    "周六",
    "上午",
    "9:00-11:30",
    "王芳",
    "李强/王芳",
    "0000-12345678",
    "二楼",
    "接听",
    "",
    "看交接单",
)


async def sent(browser: Browser, content: bytes, name: str = "十一月.csv") -> Any:
    await browser.get("/admin/roster/file")
    return await browser.post("/admin/roster/file", files={"file": (name, content)})


async def test_a_file_is_prepared_and_a_second_person_publishes_it(
    store: Store, cast: Cast, signed_in: SignIn
) -> None:
    wang = await signed_in(cast.wang_fang)
    answer = await sent(wang, file(SOUND, ("2026-11-30", "", "", "8:30-11:30", "", "李强")))
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    page = (await wang.get(address)).text
    assert "11月30日（周一）下午无人（13:30–17:30）" in page
    assert "11月30日（周一）没有带班领导" in page
    assert "要由另一位同志发布" in page
    assert "publish" not in re.findall(r'action="([^"]+)"', page)
    refused = await wang.post(f"{address}/publish", {"standing": "x"})
    assert refused.status_code == 403
    zhou = await signed_in(cast.zhou_ning)
    await zhou.get(address)
    answer = await zhou.post(f"{address}/publish")
    assert answer.headers["location"] == "/admin/roster?done=published"
    assert [row.day for row in await in_force(store)] == [NEXT_SATURDAY, NEXT_SATURDAY.replace(day=30)]
    page = (await zhou.get("/admin/roster?done=published&from=2026-11-23")).text
    assert "值班表已发布。" in page
    assert "李强（备：王芳）" in page
    assert "双休日值班" in page


async def test_a_bad_file_names_row_column_and_reason_and_keeps_nothing(
    store: Store, cast: Cast, signed_in: SignIn
) -> None:
    zhou = await signed_in(cast.zhou_ning)
    answer = await sent(zhou, file(SOUND, ("2026-11-29", "周六", "", "9:00-11:30", "", "张三")))
    assert answer.status_code == 422
    assert "“十一月.csv”有1处要改" in answer.text
    assert "2026-11-29是周日，不是周六" in answer.text
    answer = await sent(zhou, file(("2026-11-29", "", "", "9:00-11:30", "", "张三")))
    assert "本单位没有“张三”" in answer.text
    answer = await sent(zhou, b"x")
    assert answer.status_code == 422
    assert "缺少这些列" in answer.text
    assert not await in_force(store)


async def test_a_plan_overtaken_by_another_is_shown_anew(store: Store, cast: Cast, signed_in: SignIn) -> None:
    wang, zhou = await signed_in(cast.wang_fang), await signed_in(cast.zhou_ning)
    address = (await sent(wang, file(SOUND))).headers["location"]
    await zhou.get(address)
    await shift(store, cast, NEXT_SATURDAY, "13:00-17:00")
    answer = await zhou.post(f"{address}/publish")
    assert answer.status_code == 409
    assert "值班表刚刚有了变化" in answer.text
    zhou.shown = answer.text
    assert (await zhou.post(f"{address}/publish")).status_code == 303


async def test_a_plan_is_discarded(store: Store, cast: Cast, signed_in: SignIn) -> None:
    zhou = await signed_in(cast.zhou_ning)
    address = (await sent(zhou, file(SOUND))).headers["location"]
    await zhou.get(address)
    assert (await zhou.post(f"{address}/discard")).headers["location"] == "/admin/roster?done=discarded"
    assert "已作废" in (await zhou.get(address)).text


async def test_who_may_do_what_with_rosters(
    store: Store, cast: Cast, signed_in: SignIn, clock: Clock
) -> None:
    zhou = await signed_in(cast.zhou_ning)
    address = (await sent(zhou, file(SOUND))).headers["location"]
    reviewer = await person(store, "钱进", cast.north, clock(), Role.REVIEWER)
    elsewhere = await signed_in(reviewer)
    assert (await elsewhere.get(address)).status_code == 404
    officer = await signed_in(cast.li_qiang)
    for path in (address, "/admin/roster/file", "/admin/roster/template"):
        assert (await officer.get(path)).status_code == 403
    assert (await officer.get("/admin/roster")).status_code == 200


async def test_signing_in_changing_and_agreeing(
    store: Store, cast: Cast, signed_in: SignIn, clock: Clock
) -> None:
    now_on = await shift(store, cast, FRIDAY, "08:30-17:30", phone="0000-12345678")
    mine = await shift(store, cast, SATURDAY, "09:00-12:00", leader=cast.wang_fang, note="钥匙在门卫")
    theirs = await shift(store, cast, SUNDAY, "09:00-12:00", cast.wang_fang)
    li, wang = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    page = (await li.get("/admin/roster")).text
    assert "0000-12345678" in page
    assert "钥匙在门卫" in page
    assert (
        (await li.post(f"/admin/roster/shifts/{now_on.id}/sign-in")).headers["location"].endswith("signed_in")
    )
    await wang.get("/admin/roster")
    refused = await wang.post(f"/admin/roster/shifts/{now_on.id}/sign-in")
    assert refused.status_code == 409
    page = (await li.get("/admin/roster")).text
    assert "李强 已签到" in page
    answer = await li.post(
        f"/admin/roster/shifts/{mine.id}/swap",
        {"to": f"{cast.wang_fang.id}:{theirs.id}", "reason": "家里有事"},
    )
    assert answer.status_code == 303, answer.text
    page = (await wang.get("/admin/roster")).text
    assert "李* 的 2026-11-21 09:00–12:00 换给 王*" in page
    (swap,) = re.findall(r"/admin/roster/swaps/(\d+)/agree", page)
    assert (await wang.post(f"/admin/roster/swaps/{swap}/agree")).headers["location"].endswith("swap_agreed")
    held = {row.id: row.officer_id for row in await in_force(store)}
    assert (held[mine.id], held[theirs.id]) == (cast.wang_fang.id, cast.li_qiang.id)
    assert (await li.post(f"/admin/roster/shifts/{now_on.id}/sign-out")).status_code == 303
    for path in ("decline", "withdraw"):
        assert (await wang.post(f"/admin/roster/swaps/{swap}/{path}")).status_code == 409
    assert (await wang.post("/admin/roster/swaps/99/agree")).status_code == 404
    assert (await li.post(f"/admin/roster/shifts/{mine.id}/swap", {"to": "x"})).status_code == 404


async def test_the_roster_on_paper_and_as_a_table_that_can_be_read_in_again(
    store: Store, cast: Cast, signed_in: SignIn
) -> None:
    await shift(
        store, cast, FRIDAY, "08:30-11:30", leader=cast.wang_fang, standby=cast.wang_fang, note="看交接单"
    )
    await shift(store, cast, FRIDAY, "13:30-17:30", cast.wang_fang)
    li = await signed_in(cast.li_qiang)
    span = "from=2026-11-20&to=2026-11-21"
    page = (await li.get(f"/admin/roster/print?{span}")).text
    assert "东浦区选举委员会办公室值班表" in page
    assert "李强/王芳" in page
    paper = (await li.get(f"/admin/roster/sheet?{span}")).content
    assert paper == (await li.get(f"/admin/roster/sheet?{span}")).content
    found = Document(io.BytesIO(paper))
    cells = [[cell.text for cell in row.cells] for row in found.tables[0].rows]
    assert cells[0][:6] == ["日期", "星期", "班次", "起止", "带班领导", "值班员(主/备)"]
    assert cells[1][:6] == ["2026-11-20", "周五", "全天", "08:30-11:30", "王芳", "李强/王芳"]
    # A day stands once; what is handed over is no matter for a wall.
    assert cells[2][:4] == ["", "", "全天", "13:30-17:30"]
    assert "看交接单" not in str(cells)
    table = (await li.get(f"/admin/roster/export?{span}")).content
    back = roster_files.read("a.xlsx", table, today=FRIDAY)
    assert [(line.opens, line.officer, line.note) for line in back.lines] == [
        ("08:30", "李强", "看交接单"),
        ("13:30", "王芳", ""),
    ]


async def test_a_street_without_a_roster_sees_the_districts(
    store: Store, cast: Cast, signed_in: SignIn, clock: Clock
) -> None:
    await shift(store, cast, FRIDAY, "08:30-17:30")
    zhao = await signed_in(cast.zhao_lei)
    page = (await zhao.get("/admin/roster?from=nonsense&unit=999")).text
    assert "东浦区两周值班" in page
    assert "李强" in page
    clock.now = at(FRIDAY, "18:00")
    assert "现在无人值班。" in (await zhao.get("/admin/roster")).text


async def test_who_has_signed_out_is_not_on_duty_any_more(
    store: Store, cast: Cast, signed_in: SignIn, clock: Clock
) -> None:
    gone = clock()
    await shift(store, cast, FRIDAY, "08:30-17:30", leader=cast.wang_fang, phone="0000-11112222")
    wang = await signed_in(cast.wang_fang)
    assert _on_duty((await wang.get("/admin/roster")).text).count("0000-11112222") == 1
    async with store.transaction() as session:
        row = await session.get_one(DutyShift, 1)
        row.signed_in_at, row.signed_in_by_id, row.signed_out_at = gone, cast.li_qiang.id, gone
    assert "0000-11112222" not in _on_duty((await wang.get("/admin/roster")).text)


def _on_duty(page: str) -> str:
    found = re.search(r'<p class="on-duty.*?</p>', page, re.DOTALL)
    assert found is not None
    return found[0]
