"""Governed data in a real browser: tried, proposed by one, signed by another, answered, taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.bot.running import Running
from tests.journeys.test_story import PHONE, a_page, joins, newest, says, sound

LARGE = {"width": 390, "height": 844}
STEPS = ("回户籍地向选举机构开选民资格证明", "带证明和身份证到居住地登记站", "在居住地参选")


async def opened(page: Page, address: str) -> None:
    """A page of the console that is fit for everybody."""
    await page.goto(address)
    await sound(page)


async def tries_the_case(page: Page, home: str) -> None:
    """A wife from another province, without a certificate."""
    await opened(page, f"{home}/admin/packs/shanghai")
    for slot, option in (("hukou", "elsewhere"), ("status", "none"), ("cert", "no"), ("relax", "married_in")):
        await page.select_option(f"#slot_{slot}", option)
    await page.get_by_role("button", name="试答").click()
    await sound(page)


@pytest.mark.parametrize("size", [PHONE], ids=["phone"])
async def test_the_districts_wording_and_a_moved_election_reach_the_voters(
    browser: Browser, tmp_path: Path, begun: Path, size: dict[str, int]
) -> None:
    third: list[str] = []
    async with Running(tmp_path, begun) as program:
        home, links = program.address, program.invites()
        officer = await a_page(browser, size, third, home)
        await joins(officer, links[0], "first")
        wang_fang = await a_page(browser, size, third, home)
        await joins(wang_fang, links[1], "wangfang")

        # As shipped, a person answers; the page shows which rows were looked at.
        await opened(officer, f"{home}/admin/packs")
        await tries_the_case(officer, home)
        found = officer.locator("#found")
        await expect(found).to_contain_text("转值班同志")
        await expect(found).to_contain_text("符合")

        # The district's own wording: looked at, refused for a date in it, then proposed.
        await opened(officer, f"{home}/admin/packs/shanghai/B1")
        await officer.select_option("#leaf", "A10b")
        await officer.select_option("#ticket", "0")
        await officer.fill("#answer", "12月5日前登记。在哪里参选由您自己决定。")
        await officer.fill("#steps", "\n".join(STEPS))
        await officer.fill("#paper", "区选举委员会第3次会议")
        await officer.get_by_role("button", name="提出，等人签发").click()
        await expect(officer.locator("[role=alert]")).to_contain_text("12月5日")
        await expect(officer.locator("#answer")).to_have_attribute("aria-invalid", "true")
        await expect(officer.locator("#steps")).to_have_value("\n".join(STEPS))
        await sound(officer)
        await officer.fill("#answer", "在哪里参选由您自己决定，先开选民资格证明。")
        await officer.get_by_role("button", name="先看看").click()
        await expect(officer.locator("#looked")).to_contain_text(STEPS[2])
        await sound(officer)
        await officer.get_by_role("button", name="提出，等人签发").click()
        await expect(officer.locator("main")).to_contain_text("等另一位同志签发")
        wording = officer.url.split("?")[0]
        await expect(officer.get_by_role("button", name="核对无误，签发")).to_have_count(0)

        # The second person finds it in the list, signs, and the case is answered.
        await opened(wang_fang, f"{home}/admin/changes")
        await wang_fang.locator("[data-row] a").first.click()
        await sound(wang_fang)
        assert wang_fang.url == wording
        await wang_fang.get_by_role("button", name="核对无误，签发").click()
        await expect(wang_fang.locator("main")).to_contain_text("已签发")
        await tries_the_case(officer, home)
        await expect(officer.locator("#found")).to_contain_text(STEPS[0])
        await expect(officer.locator("#found")).to_contain_text("直接回答")

        # Election day moves: every date before and after, a contradiction refused at its field.
        await opened(officer, f"{home}/admin/calendar")
        await officer.get_by_role("link", name="提出新的日程").click()
        await sound(officer)
        await officer.fill("#day", "2027-01-06")
        await officer.fill("#window_to_1", "2027-01-06")
        await officer.fill("#paper", "市选举委员会通知")
        await officer.get_by_role("button", name="先推算看看").click()
        await expect(officer.locator("#window_to_1")).to_have_attribute("aria-invalid", "true")
        await sound(officer)
        await officer.fill("#window_to_1", "2026-12-05")
        await officer.get_by_role("button", name="先推算看看").click()
        await expect(officer.locator("#computed")).to_be_visible()
        await sound(officer)
        await officer.fill("#reason", "市里统一推迟")
        await officer.get_by_role("button", name="提出，等人签发").click()
        await expect(officer.locator("main")).to_contain_text("1月6日")
        moved = officer.url.split("?")[0]
        await opened(wang_fang, moved)
        await wang_fang.get_by_role("button", name="核对无误，签发").click()
        await expect(wang_fang.locator("main")).to_contain_text("已签发")
        await opened(officer, f"{home}/admin/calendar")
        await expect(officer.locator("main")).to_contain_text("1月6日")

        # Whoever asks is told the new day, and after the change is taken back the old one.
        zhang_min = await a_page(browser, PHONE, third, home)
        await zhang_min.goto(home)
        await says(zhang_min, "哪天投票")
        await expect(newest(zhang_min)).to_contain_text("1月6日")
        await wang_fang.goto(moved)
        await wang_fang.get_by_text("撤销这份变更").click()
        await wang_fang.get_by_label("我已核对，确定撤销").check()
        await sound(wang_fang)
        await wang_fang.get_by_role("button", name="立即撤销").click()
        await expect(wang_fang.locator("main")).to_contain_text("已撤销")
        await says(zhang_min, "到底哪天投票")
        await expect(newest(zhang_min)).to_contain_text("12月29日")
    assert not third


async def test_everything_works_without_script_with_large_text_and_in_english(
    browser: Browser, tmp_path: Path, begun: Path
) -> None:
    third: list[str] = []
    async with Running(tmp_path, begun) as program:
        home, links = program.address, program.invites()
        first = await a_page(browser, LARGE, third, home)
        await joins(first, links[0], "first")
        known = await first.context.storage_state()
        officer = await a_page(browser, LARGE, third, home, java_script_enabled=False, storage_state=known)
        await officer.goto(f"{home}/admin/calendar/propose")
        before = await officer.locator("input[name=window_audience]").count()
        await officer.get_by_role("region", name="登记时间").get_by_role("button", name="再加一行").click()
        lines = officer.locator("input[name=window_audience]")
        assert await lines.count() == before + 1
        await lines.last.fill("个人线上")
        await officer.fill(f"#window_from_{before + 1}", "2026-11-25")
        await officer.fill(f"#window_to_{before + 1}", "2026-12-01")
        await officer.fill("#paper", "区选举委员会公告")
        # Enter in a field only computes.
        await lines.last.press("Enter")
        assert officer.url.split("#")[0] == f"{home}/admin/calendar/propose"
        assert "个人线上" in await officer.inner_text("#computed")
        await officer.get_by_role("button", name="提出，等人签发").click()
        assert "/admin/changes/" in officer.url
        await officer.locator("details.menu summary").click()
        await officer.locator("details.menu").get_by_role("button", name="大", exact=True).click()
        await officer.locator("details.menu summary").click()
        await officer.get_by_role("button", name="English").click()
        address = officer.url.split("?")[0]

        chosen = await officer.context.storage_state()
        page = await a_page(browser, LARGE, third, home, storage_state=chosen)
        for place in (
            address.removeprefix(home), "/admin/changes", "/admin/packs", "/admin/packs/shanghai",
            "/admin/packs/shanghai/B1", "/admin/packs/shanghai/contacts", "/admin/calendar",
            "/admin/calendar/try?day=2021-11-16", "/admin/packs/beijing",
        ):  # fmt: skip
            await opened(page, home + place)
            assert await page.get_attribute("html", "lang") == "en"
            assert await page.get_attribute("html", "data-text-size") == "large"
    assert not third
