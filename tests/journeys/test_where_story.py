"""The wizard's pages in a real browser: by keyboard and on a phone, and as one sheet of paper."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bot.running import Running
from tests.servers.browser import axe_violations, launch

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
async def program(tmp_path_factory: pytest.TempPathFactory, begun: Path) -> AsyncIterator[Running]:
    async with Running(tmp_path_factory.mktemp("where") / "var", begun) as running:
        yield running


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with launch() as found:
        yield found


async def sound(page: Page) -> None:
    """Nothing wrong for a screen reader, and nothing that must be scrolled to sideways."""
    assert [(found["id"], found["nodes"][0]["html"]) for found in await axe_violations(page)] == []
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def test_on_a_phone_without_scripts_to_a_number_in_the_chat(program: Running, browser: Browser) -> None:
    context = await browser.new_context(viewport=PHONE, java_script_enabled=False, locale="zh-CN")
    reader = await browser.new_context(viewport=PHONE, locale="zh-CN")  # looks at the same pages with axe
    page, checked = await context.new_page(), await reader.new_page()
    await page.goto(f"{program.address}/")
    await page.get_by_role("link", name="我该在哪里登记").click()
    for label in ["外省市", "没有单位", "没有", "和本地人结婚", "对，看结果"]:
        await checked.goto(page.url)
        await sound(checked)
        await page.get_by_role("link", name=label, exact=True).click()
    await checked.goto(page.url)
    await sound(checked)
    await page.get_by_role("button", name="请值班同志核实").click()
    await page.wait_for_url("**/#newest")
    assert "您的情况已经记下" in await page.inner_text("main")
    assert "查询码" in await page.inner_text("main")
    await context.close()
    await reader.close()


async def test_by_keyboard_in_the_largest_letters(program: Running, browser: Browser) -> None:
    context = await browser.new_context(viewport=PHONE, locale="zh-CN")
    await context.add_cookies([{"name": "one-window-size", "value": "extra", "url": program.address}])
    page = await context.new_page()
    await page.goto(f"{program.address}/where")
    await sound(page)
    for label in ["迁出还没落户", "对，看结果"]:
        for _ in range(40):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.textContent.trim()") == label:
                break
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        await sound(page)
    assert "可以在现居住地登记" in await page.inner_text("main")
    await context.close()


async def test_the_sheet_is_one_page_without_pictures(program: Running, browser: Browser) -> None:
    context = await browser.new_context(locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"{program.address}/where")
    for label in ["外省市", "在职", "一般单位", "没有", "都没有", "对，看结果", "打印版"]:
        await page.get_by_role("link", name=label, exact=True).click()
    await sound(page)
    await page.emulate_media(media="print")
    pictures = (
        "[...document.querySelectorAll('svg, img, canvas')].filter(one => one.checkVisibility()).length"
    )
    assert await page.evaluate(pictures) == 0
    printed = await page.inner_text("body")
    for words in ("第二十条第（十）项", "第1版", "登记组", "东浦区", "查询日期"):
        assert words in printed
    assert "打印版" not in printed
    paper = await page.pdf(format="A4")
    assert paper.count(b"/Type /Page\n") == 1
    await context.close()


async def test_the_wizard_in_the_chat(program: Running, browser: Browser) -> None:
    context = await browser.new_context(viewport=PHONE, locale="zh-CN")
    page = await context.new_page()
    await page.goto(f"{program.address}/")
    await page.get_by_role("button", name="在哪里登记", exact=True).click()
    for label in ["本市其他区", "没有单位", "其他地方", "对"]:
        await page.get_by_role("button", name=label, exact=True).last.click()
    await page.get_by_text("两处选一处").wait_for()
    await sound(page)
    await page.get_by_role("link", name="保存或打印").click()
    await page.get_by_role("heading", name="我该在哪里登记").wait_for()
    assert "两处选一处" in await page.inner_text("main")
    await context.close()
