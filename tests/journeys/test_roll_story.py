"""A roll in a real browser: carried in, applied by another, asked at the counter, and purged at the end."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.demo_roll import OFFLINE
from knowledge.roll import keys
from tests import rolls
from tests.bot.running import Running
from tests.journeys.test_story import DESK, a_page, joins, sound
from tests.voters import LIN_YAN


def a_package(folder: Path, var: Path) -> Path:
    """The cast instead of the sample's voters, made just now by the sample's offline machine."""
    key = keys.read_offline(var / OFFLINE)
    path = folder / "cast.roll"
    rolls.write(path, key, rolls.rows(key.digest), made_at=datetime.now(UTC))
    return path


async def carries_in(page: Page, home: str, package: Path) -> str:
    """A table of voters is refused; the package becomes an import with its figures."""
    await page.goto(f"{home}/admin/roll")
    await sound(page)
    table = f"姓名,号码\n{LIN_YAN.name},{LIN_YAN.number}\n".encode()
    await page.set_input_files("#file", {"name": "voters.csv", "mimeType": "text/csv", "buffer": table})
    await page.get_by_role("button", name="检查并预览").click()
    await expect(page.locator("main")).to_contain_text("roll build")
    await sound(page)
    await page.set_input_files("#file", package)
    await page.get_by_role("button", name="检查并预览").click()
    await page.wait_for_url("**/admin/roll/imports/*")
    await expect(page.locator("main")).to_contain_text("二人原则")
    await sound(page)
    return page.url.partition("?")[0]


@pytest.mark.parametrize("size", [DESK], ids=["desktop"])
async def test_a_roll_comes_is_asked_and_goes(
    browser: Browser, tmp_path: Path, begun: Path, size: dict[str, int]
) -> None:
    third: list[str] = []
    async with Running(tmp_path / "var", begun) as program:
        home, links = program.address, program.invites()
        first = await a_page(browser, size, third, home)
        await joins(first, links[0], "first")
        wang_fang = await a_page(browser, size, third, home)
        await joins(wang_fang, links[1], "wangfang")

        address = await carries_in(first, home, a_package(tmp_path, tmp_path / "var"))
        await wang_fang.goto(address)
        await sound(wang_fang)
        for box in await wang_fang.locator("input[name=meant]").all():
            await box.check()
        await wang_fang.get_by_role("button", name="启用这份名册").click()
        await expect(wang_fang.locator("main")).to_contain_text("新名册已启用")
        await sound(wang_fang)

        # The demo's calendar lets lookups be open for some weeks only.
        await first.goto(f"{home}/admin/counter")
        await sound(first)
        await first.fill("#look-name", LIN_YAN.name)
        await first.fill("#look-number", LIN_YAN.number)
        await first.select_option("#look-reason", "in_person")
        await first.locator("form[action$='/person'] button").click()
        await expect(first.locator("main")).to_contain_text(re.compile("已登记|查询没有开放"))
        await expect(first.locator("#look-number")).to_have_value("")
        assert LIN_YAN.number not in await first.content()
        await sound(first)
        await wang_fang.goto(f"{home}/admin/lookups")
        await sound(wang_fang)

        await wang_fang.goto(f"{home}/admin/roll/purge")
        await sound(wang_fang)
        await wang_fang.fill("#basis", "选举委员会决定")
        if await wang_fang.locator("#reason").count():
            await wang_fang.fill("#reason", "演练结束")
        await wang_fang.get_by_role("button", name="提出清除").click()
        await expect(wang_fang.locator("main")).to_contain_text("等待另一位同志执行")
        await first.goto(f"{home}/admin/roll/purge")
        await sound(first)
        await first.get_by_label("我已核对，现在就清除").check()
        await first.get_by_role("button", name="执行清除").click()
        await first.locator("[data-confirm-yes]").click()
        await expect(first.locator("main")).to_contain_text("服务端密钥文件已于")
        await sound(first)
        async with first.expect_download() as downloading:
            await first.get_by_role("link", name="下载清除证书").click()
        assert (await downloading.value).suggested_filename.endswith(".docx")
        assert not list((tmp_path / "var").glob("roll.key"))
        assert third == []
