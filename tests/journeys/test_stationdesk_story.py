"""Working time and stations in a real browser: proposed by one, signed by another, seen by all at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from office.hours import BEIJING
from tests.bot.running import Running
from tests.journeys.test_story import DESK, a_page, joins, sound

LARGE = {"one-window-size": "large"}
HEADING = "类型,编号,名称,所属街镇,服务小组,地址,附近,开放时间,电话,纬度,经度"
ROWS = (
    "登记站,77-01,晒谷场登记站,北塘镇,77-01,晒谷路1号,晒谷场,{day}至{last} 每天 0:00-24:00,,31.05,121.94",
    "登记站,77-02,水塔登记站,北塘镇,77-02,水塔路2号,老水塔,{day}至{last} 每天 9:00-17:00,,31.06,121.95",
    "登记站,77-03,磨坊登记站,没有的镇,77-03,磨坊路3号,老磨坊,{day} 9:00-17:00,,31.07,121.96",
)


def days() -> tuple[str, str, str]:
    """Yesterday, tomorrow, and a day two months ahead, by the program's own clock."""
    today = datetime.now(BEIJING).date()
    found = (today - timedelta(days=1), today + timedelta(days=1), today + timedelta(days=60))
    return found[0].isoformat(), found[1].isoformat(), found[2].isoformat()


async def signs(page: Page, address: str) -> None:
    """The second person opens the change and puts it in force."""
    await page.goto(address)
    await sound(page)
    await page.get_by_role("button", name="签发").first.click()
    await expect(page.locator("main")).to_contain_text("已签发")
    await sound(page)


async def proposes_a_shift(page: Page, home: str, day: str) -> str:
    """李强 enters duty for a day, is told of a slip, looks at the change, and proposes it."""
    await page.goto(f"{home}/admin/hours")
    await sound(page)
    await page.get_by_role("link", name="修改").click()
    await page.fill("#shifts", f"{day} 9-12")
    await page.get_by_role("button", name="看看会变成什么样").click()
    await expect(page.locator("main")).to_contain_text("值班安排第1行：时间读不懂")
    await sound(page)
    await page.fill("#shifts", f"{day} 6:00-6:30")
    await page.fill("#basis", "值班表第3号")
    await page.get_by_role("button", name="看看会变成什么样").click()
    await expect(page.locator("#look")).to_contain_text(day)
    await sound(page)
    await page.get_by_role("button", name="提交，请另一位同志签发").click()
    await page.wait_for_url("**/admin/changes/*")
    return page.url.partition("?")[0]


async def proposes_a_file(page: Page, home: str, file: Path) -> str:
    """李强 imports three stations, one of them wrong, and proposes the two others."""
    await page.goto(f"{home}/admin/stations/import")
    await sound(page)
    await page.set_input_files("#file", file)
    await page.get_by_role("button", name="看看这个文件").click()
    await expect(page.locator("main")).to_contain_text("1行有错，先不导入")
    await expect(page.locator("main")).to_contain_text("没有“没有的镇”这个单位")
    await sound(page)
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="下载问题清单 csv").click()
    report = await (await downloading.value).path()
    assert "77-03,所属街镇,错行" in report.read_text(encoding="utf-8-sig")
    await page.fill("#basis", "北塘镇来函")
    await page.get_by_role("button", name="提交2处改动").click()
    await page.wait_for_url("**/admin/changes/*")
    return page.url.partition("?")[0]


@pytest.mark.parametrize("size", [DESK], ids=["desktop"])
async def test_a_shift_and_new_stations_take_two_persons_and_hold_at_once(
    browser: Browser, tmp_path: Path, begun: Path, size: dict[str, int]
) -> None:
    yesterday, _, later = days()
    file = tmp_path / "stations.csv"
    rows = [row.format(day=yesterday, last=later) for row in ROWS]
    file.write_text("\n".join([HEADING, *rows]), encoding="utf-8")
    third: list[str] = []
    async with Running(tmp_path / "var", begun) as program:
        home, links = program.address, program.invites()
        li_qiang = await a_page(browser, size, third, home)
        await joins(li_qiang, links[0], "liqiang")
        wang_fang = await a_page(browser, size, third, home)
        await joins(wang_fang, links[1], "wangfang")

        # A day that no roster names: the hours of a published roster would stand before these.
        change = await proposes_a_shift(li_qiang, home, later)
        await signs(wang_fang, change)
        await wang_fang.goto(f"{home}/admin/hours?from={later}")
        day = wang_fang.locator("ol.days > li").first
        await expect(day).to_contain_text("6:00–6:30")
        await expect(day).to_contain_text("值班")

        change = await proposes_a_file(li_qiang, home, file)
        await signs(wang_fang, change)
        await wang_fang.get_by_role("link", name="看全部内容和问题清单").click()
        await sound(wang_fang)
        await wang_fang.goto(f"{home}/admin/stations?q=77-0")
        await sound(wang_fang)
        await expect(wang_fang.locator("#list")).to_contain_text("共2个站")
        await expect(wang_fang.locator("#list tr", has_text="晒谷场登记站")).to_contain_text("现在开放")

        # A point is reached by the keyboard and leads to its station, which is hidden at once.
        point = wang_fang.locator("svg a[aria-label*='晒谷场']")
        await point.focus()
        await wang_fang.keyboard.press("Enter")
        await expect(wang_fang.locator("h1")).to_contain_text("77-01 晒谷场登记站")
        await sound(wang_fang)
        await wang_fang.fill("#why", "漏水，临时关闭")
        await wang_fang.get_by_role("button", name="停显").click()
        await expect(wang_fang.locator("main")).to_contain_text("这个站已停显")
        await sound(wang_fang)
        await wang_fang.goto(f"{home}/admin/stations?state=hidden&q=77-01")
        await expect(wang_fang.locator("#list")).to_contain_text("已停显")

        # The form for one station, in large text.
        await li_qiang.context.add_cookies(
            [{"name": name, "value": value, "url": home} for name, value in LARGE.items()]
        )
        await li_qiang.goto(f"{home}/admin/stations?q=77-02")
        await li_qiang.get_by_role("link", name="水塔登记站").first.click()
        await li_qiang.get_by_role("link", name="修改这个站").click()
        await sound(li_qiang)
        await li_qiang.fill("#hours_0_times", "九点到")
        await li_qiang.fill("#basis", "街道来电")
        await li_qiang.get_by_role("button", name="提交，请另一位同志签发").click()
        await expect(li_qiang.locator("main")).to_contain_text("开放时间")
        await expect(li_qiang.locator("#hours_0_times")).to_have_value("九点到")
        await sound(li_qiang)
        assert third == []


async def test_without_script_the_same_forms_work(browser: Browser, tmp_path: Path, begun: Path) -> None:
    yesterday, tomorrow, later = days()
    third: list[str] = []
    async with Running(tmp_path / "var", begun) as program:
        home = program.address
        signing_in = await a_page(browser, DESK, third, home)
        await joins(signing_in, program.invites()[0], "liqiang")
        cookies = await signing_in.context.storage_state()
        page = await a_page(browser, DESK, third, home, java_script_enabled=False, storage_state=cookies)
        await page.goto(f"{home}/admin/hours/edit")
        await page.get_by_role("button", name="年再加几行").first.click()
        await expect(page.locator("#row_2026_7_from")).to_be_visible()
        await page.fill("#shifts", f"{tomorrow} 6:00-6:30")
        await page.fill("#basis", "值班表第3号")
        await page.get_by_role("button", name="提交，请另一位同志签发").click()
        await expect(page.locator("main")).to_contain_text("待签发")
        await page.goto(f"{home}/admin/stations/import")
        text = "\n".join([HEADING, ROWS[0].format(day=yesterday, last=later)])
        await page.set_input_files(
            "#file", {"name": "a.csv", "mimeType": "text/csv", "buffer": text.encode()}
        )
        await page.get_by_role("button", name="看看这个文件").click()
        await page.fill("#basis", "北塘镇来函")
        await page.get_by_role("button", name="提交1处改动").click()
        await expect(page.locator("main")).to_contain_text("待签发")
        assert third == []
