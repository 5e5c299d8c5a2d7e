"""Changes in the console: what waits, who signs, what differs, and how a signed one is taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from admin.change_kinds import KINDS
from knowledge import station_imports
from office import changes, timetable, worktime
from office.changes import Change, ChangeKind, ChangeState
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast

LIST = "/admin/changes"
ANSWER = "先开选民资格证明，再到居住地的登记站登记。"


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
async def waiting(store: Store, cast: Cast, clock: Clock) -> Change:
    """李强 has proposed another wording for a row."""
    async with store.transaction() as session:
        return await changes.propose(
            session, ChangeKind.RULES, "shanghai:B1", {"answer": ANSWER},
            basis="区选举委员会第3次会议\n记录第2页", scope=cast.district,
            actor=cast.li_qiang, now=clock(), effective_from=date(2026, 11, 25),
            review_on=date(2027, 3, 1),
        )  # fmt: skip


async def page(browser: Browser, change: Change) -> str:
    return (await browser.get(f"{LIST}/{change.id}")).text


async def sign(browser: Browser, change: Change) -> Any:
    await page(browser, change)
    return await browser.post(f"{LIST}/{change.id}/sign")


async def state(store: Store, change: Change) -> ChangeState:
    async with store.reading() as session:
        return (await changes.get(session, change.id)).state


def test_every_kind_knows_how_it_is_signed_undone_and_shown() -> None:
    assert set(KINDS) == set(ChangeKind)


async def test_what_waits_is_listed_first_and_counted_in_the_menu(
    cast: Cast, signed_in: Callable[..., Any], waiting: Change
) -> None:
    wang_fang = await signed_in(cast.wang_fang)
    shown = (await wang_fang.get(LIST)).text
    first = shown.split('id="decided"')[0]
    assert f'href="{LIST}/{waiting.id}"' in first
    assert "李强" in first
    assert "上海市 · B1" in first
    menu = re.search(r'<nav class="mainnav.*?</nav>', shown, re.DOTALL)
    assert menu
    assert '<span class="count">1</span>' in menu[0]


async def test_history_by_kind_and_page(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    async with store.transaction() as session:
        for _ in range(changes.PAGE + 1):
            change = await changes.propose(
                session, ChangeKind.RULES, "shanghai:B1", {"answer": ANSWER}, basis="会议",
                scope=cast.district, actor=cast.li_qiang, now=clock(),
            )  # fmt: skip
            await changes.drop(session, change, actor=cast.li_qiang, now=clock())
    browser = await signed_in(cast.zhou_ning)
    assert (await browser.get(f"{LIST}?kind=rules")).text.count("data-row") == changes.PAGE
    assert (await browser.get(f"{LIST}?kind=rules&page=2")).text.count("data-row") == 1
    assert "还没有办过的变更" in (await browser.get(f"{LIST}?kind=stations")).text
    for odd in ("?kind=moon&page=-1", "?page=99999999999"):
        assert (await browser.get(LIST + odd)).status_code == 200


async def test_a_change_shows_who_on_what_basis_for_when_and_what_differs(
    cast: Cast, signed_in: Callable[..., Any], waiting: Change
) -> None:
    shown = await page(await signed_in(cast.wang_fang), waiting)
    words = text(shown)
    for said in (
        "区选举委员会第3次会议",
        "记录第2页",
        "2026年11月25日起",
        "2027年3月1日",
        "东浦区",
        "提出变更",
    ):
        assert said in words, said
    assert "<ins>" in shown
    assert "<del>" in shown
    assert "再到居住地的登记站登记" in shown


async def test_the_author_is_told_why_another_must_sign(
    store: Store, cast: Cast, signed_in: Callable[..., Any], waiting: Change
) -> None:
    li_qiang = await signed_in(cast.li_qiang)
    shown = await page(li_qiang, waiting)
    assert f'action="{LIST}/{waiting.id}/sign"' not in shown
    assert f'action="{LIST}/{waiting.id}/drop"' in shown
    assert (await li_qiang.post(f"{LIST}/{waiting.id}/sign", {"version": "1"})).status_code == 403
    assert await state(store, waiting) is ChangeState.PROPOSED


async def test_the_second_person_signs_what_was_read(
    store: Store, cast: Cast, signed_in: Callable[..., Any], waiting: Change
) -> None:
    wang_fang = await signed_in(cast.wang_fang)
    await page(wang_fang, waiting)
    stale = await wang_fang.post(f"{LIST}/{waiting.id}/sign", {"version": "7"})
    assert stale.status_code == 409
    signed = await sign(wang_fang, waiting)
    assert signed.status_code == 303
    after = text((await wang_fang.get(signed.headers["location"])).text)
    assert "已签发，按生效日期生效" in after
    assert "王芳" in after
    again = await wang_fang.post(f"{LIST}/{waiting.id}/sign", {"version": "2"})
    assert again.status_code == 409
    assert await state(store, waiting) is ChangeState.SIGNED


async def test_of_a_reviewers_own_proposal_the_page_says_that_another_must_sign(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    async with store.transaction() as session:
        own = await changes.propose(
            session, ChangeKind.RULES, "shanghai:A3", {"answer": ANSWER}, basis="会议", scope=cast.district,
            actor=cast.wang_fang, now=clock(),
        )  # fmt: skip
    wang_fang = await signed_in(cast.wang_fang)
    assert "须由作者以外的另一位同志来做" in await page(wang_fang, own)
    assert (await wang_fang.post(f"{LIST}/{own.id}/sign", {"version": "1"})).status_code == 403


async def test_a_proposal_is_dropped_by_its_author(
    store: Store, cast: Cast, signed_in: Callable[..., Any], waiting: Change
) -> None:
    zhou_ning = await signed_in(cast.zhou_ning)
    assert f"{LIST}/{waiting.id}/drop" not in await page(zhou_ning, waiting)
    assert (await zhou_ning.post(f"{LIST}/{waiting.id}/drop")).status_code == 403
    li_qiang = await signed_in(cast.li_qiang)
    await page(li_qiang, waiting)
    assert (await li_qiang.post(f"{LIST}/{waiting.id}/drop")).status_code == 303
    assert await state(store, waiting) is ChangeState.DROPPED
    assert "没有生效" in await page(li_qiang, waiting)


async def test_undoing_asks_to_be_sure_also_without_script(
    store: Store, cast: Cast, signed_in: Callable[..., Any], waiting: Change
) -> None:
    wang_fang = await signed_in(cast.wang_fang)
    await sign(wang_fang, waiting)
    shown = await page(wang_fang, waiting)
    assert 'name="sure"' in shown
    assert "不会自动通知群众" in shown
    unsure = await wang_fang.post(f"{LIST}/{waiting.id}/undo")
    assert unsure.status_code == 422
    assert "请先勾选确认" in unsure.text
    assert (await wang_fang.post(f"{LIST}/{waiting.id}/undo", {"sure": "1"})).status_code == 303
    assert await state(store, waiting) is ChangeState.UNDONE
    li_qiang = await signed_in(cast.li_qiang)
    assert "撤销已签变更" in text(await page(li_qiang, waiting))


async def test_an_earlier_change_is_not_undone_beneath_a_later_one(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    rows = []
    async with store.transaction() as session:
        for answer in (ANSWER, "以区选举办通知为准。"):
            change = await changes.propose(
                session, ChangeKind.RULES, "shanghai:B1", {"answer": answer}, basis="会议",
                scope=cast.district, actor=cast.li_qiang, now=clock(),
            )  # fmt: skip
            await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=clock())
            rows.append(change)
    wang_fang = await signed_in(cast.wang_fang)
    later = await page(wang_fang, rows[1])
    # The later one is compared with the earlier one, not with the files.
    assert "先开选民资格证明" in text(later)
    await page(wang_fang, rows[0])
    refused = await wang_fang.post(f"{LIST}/{rows[0].id}/undo", {"sure": "1"})
    assert refused.status_code == 409
    assert "请先撤销那一份" in refused.text


async def test_who_sees_no_rules_sees_no_changes(
    store: Store, cast: Cast, signed_in: Callable[..., Any], waiting: Change, clock: Clock
) -> None:
    async with store.transaction() as session:
        nobody = Staff(name="冯一", unit_id=cast.district.id, roles=[], created_at=clock())
        session.add(nobody)
    browser = await signed_in(nobody)
    assert (await browser.get(LIST)).status_code == 403
    assert (await browser.get(f"{LIST}/{waiting.id}")).status_code == 403


async def test_an_unknown_change_is_not_there(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.wang_fang)
    assert (await browser.get(f"{LIST}/4711")).status_code == 404
    await browser.get(LIST)
    assert (await browser.post(f"{LIST}/4711/sign", {"version": "1"})).status_code == 404


async def test_a_change_that_no_longer_fits_its_pack_can_still_be_read(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    async with store.transaction() as session:
        old = await changes.propose(
            session, ChangeKind.RULES, "shanghai:Z9", {"answer": ANSWER, "steps": ["一", "二"]}, basis="会议",
            scope=cast.district, actor=cast.li_qiang, now=clock(),
        )  # fmt: skip
    shown = text(await page(await signed_in(cast.wang_fang), old))
    assert "不能再套用" in shown
    assert ANSWER in shown


async def test_working_time_shows_the_days_that_differ(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    content = worktime.of_change(None).content()
    content["weekly"]["saturday"] = ["9:00-12:00"]
    content["shifts"] = {"2026-11-22": ["9:00-11:00"]}
    async with store.transaction() as session:
        change = await worktime.propose(
            session, timetable.read(content), basis="值班安排", seen=0, actor=cast.li_qiang, now=clock()
        )
    wang_fang = await signed_in(cast.wang_fang)
    words = text(await page(wang_fang, change))
    assert "9:00–12:00" in words
    assert "9:00–11:00" in words
    assert (await wang_fang.get(f"/admin/hours/changes/{change.id}")).status_code == 200
    assert (await sign(wang_fang, change)).status_code == 303
    async with store.reading() as session:
        hours = await worktime.hours(session, now=clock())
        assert hours.is_duty_day(date(2026, 11, 21))


async def test_stations_show_how_many_come_and_what_was_left_out(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    heading = "类型,编号,名称,所属街镇,居村,服务小组,地址,开放时间\n"
    hours = "2026-11-16至2026-12-05 周一至周五 9:00-17:00"
    good = f"登记站,01-01,书香苑登记站,临江街道,书香苑居委会,01-01,示例路2号,{hours}\n"
    bad = f"登记站,01-02,外滩登记站,外滩街道,外滩居委会,01-02,示例路3号,{hours}\n"
    async with store.transaction() as session:
        change = await station_imports.propose(
            session, "stations.csv", (heading + good + bad).encode(), mode=station_imports.Mode.ADD,
            basis="街道报送", actor=cast.li_qiang, now=clock(),
        )  # fmt: skip
    wang_fang = await signed_in(cast.wang_fang)
    words = text(await page(wang_fang, change))
    assert (await wang_fang.get(f"/admin/stations/imports/{change.id}")).status_code == 200
    assert "新增1处" in words
    assert "01-01 书香苑登记站" in words
    assert "没有收进1行" in words
    assert "第3行 01-02" in words
    assert (await sign(wang_fang, change)).status_code == 303
    await page(wang_fang, change)
    assert (await wang_fang.post(f"{LIST}/{change.id}/undo", {"sure": "1"})).status_code == 303
    assert await state(store, change) is ChangeState.UNDONE
