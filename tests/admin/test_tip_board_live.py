"""The board of a tip in a real browser: it follows the sending by itself, and works without any script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
from playwright.async_api import Browser, Page, Route, expect

from knowledge.tips import WorkTip
from office.outbox import Undeliverable
from office.staff import Role
from office.store import Store
from tests.admin.conftest import ADDRESS, Clock
from tests.admin.test_tip_board import KICKED, SignedIn, arrive, person, tip
from tests.make import Cast
from tests.servers.browser import axe_violations
from tests.ticketing.tip_world import released

__all__ = ["tip"]
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


@asynccontextmanager
async def shown(
    browser: Browser, client: httpx.AsyncClient, size: dict[str, int], **more: Any
) -> AsyncIterator[Page]:
    """A page whose requests the application answers in this process, signed in as the client is."""

    async def answer(route: Route) -> None:
        asked = route.request
        told = {name: asked.headers[name] for name in ("accept", "content-type") if name in asked.headers}
        found = await client.request(
            asked.method, asked.url, content=asked.post_data_buffer, headers=told, follow_redirects=True
        )
        await route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    context = await browser.new_context(viewport=size, locale="zh-CN", base_url=ADDRESS, **more)  # type: ignore[arg-type]
    try:
        await context.route("**/*", answer)
        yield await context.new_page()
    finally:
        await context.close()


async def sound(page: Page) -> None:
    """No serious fault for screen readers and keyboards, and no sideways scrolling."""
    faults = [v for v in await axe_violations(page) if v["impact"] in ("serious", "critical")]
    assert not faults, [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in faults]
    assert not await page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1")


async def test_the_board_moves_with_its_sending_and_keeps_what_is_open(
    browser: Browser, store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, tip: WorkTip
) -> None:
    desk = await signed_in(cast.wang_fang)
    async with shown(browser, desk.client, WIDE) as page:
        trouble: list[str] = []
        page.on("pageerror", lambda error: trouble.append(str(error)))
        await page.goto(f"/admin/tips/{tip.id}/board")
        bar, words = page.locator(".tip-run progress"), page.locator(".tip-sent")
        await expect(words).to_have_text("已送达0/3")
        await expect(bar).to_have_attribute("value", "0")
        await expect(page.locator("[data-refresh]")).to_be_hidden()
        await page.evaluate("window.same = true")
        question = page.locator(".tip-steer summary")
        await question.press("Enter")
        clock.pass_by(timedelta(seconds=1))
        await arrive(store, clock, None)
        await expect(words).to_have_text("已送达1/3")
        await expect(bar).to_have_attribute("value", "1")
        await expect(page.locator(".tip-run")).to_contain_text("每分钟1条，预计还要2分钟")
        await expect(page.locator(".tip-steer details")).to_have_attribute("open", "")
        await expect(question).to_be_focused()
        await arrive(store, clock, Undeliverable(KICKED, permanent=True), None)
        await expect(words).to_have_text("已送达2/3，失败1（机器人被移出）")
        assert await page.locator(".tip-sum dd").all_text_contents() == ["3", "2", "1", "0", "0"]
        await expect(page.locator("[data-status]")).to_have_text("发送已结束。")
        await expect(page.locator("main")).to_contain_text("没有送达的群（1）")
        assert await page.evaluate("window.same"), "the page was not loaded anew"
        assert trouble == []
        await sound(page)


async def test_the_board_and_its_lists_work_without_script_and_fit_a_phone(
    browser: Browser, store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, tip: WorkTip
) -> None:
    for number in range(9):
        await released(store, cast, clock(), title=f"第{number}份关于登记的提示")
    everything = await person(store, clock, cast.district, Role.REVIEWER, Role.ADMIN)
    desk = await signed_in(everything)
    board = f"/admin/tips/{tip.id}/board"
    async with shown(browser, desk.client, NARROW, java_script_enabled=False) as page:
        await page.goto(board)
        clock.pass_by(timedelta(seconds=1))
        await arrive(store, clock, None)
        await page.get_by_role("link", name="刷新进度").click()
        await expect(page.locator(".tip-sent")).to_have_text("已送达1/3")
        await page.locator(".tip-steer summary").click()
        await page.get_by_role("button", name="停止发送").click()
        await expect(page.locator("main")).to_contain_text("已停止，未送达")
        await page.get_by_role("button", name="补发给还没收到的2个群").click()
        await expect(page.locator("main")).to_contain_text("已开始补发")
        await page.goto(board)
        await page.locator("#unit").select_option("北塘镇")
        await page.fill("#signer", "吴兰")
        await page.get_by_role("button", name="记下").click()
        await expect(page.locator("main")).to_contain_text("已记下电话签阅")
        await page.goto(board)
        await page.get_by_role("link", name="收回 北塘镇").click()
        await page.fill("#why", "记错单位")
        await page.get_by_role("button", name="收回").click()
        await expect(page.locator("main")).to_contain_text("已收回，该单位回到未阅")
    async with shown(browser, desk.client, NARROW) as page:
        for address in (board, "/admin/tips/board", "/admin/units", f"/admin/units/{cast.north.id}"):
            await page.goto(address)
            await sound(page)
            inner = (
                "[...document.querySelectorAll('.table-wrap')].filter(e => e.scrollWidth > e.clientWidth + 1)"
            )
            assert await page.evaluate(f"{inner}.length") == 0, f"{address} scrolls a list sideways"
    async with shown(browser, desk.client, {"width": 700, "height": 900}) as page:
        # Where the table is wider than the screen, its edge shows a shadow until its end is reached.
        await page.goto("/admin/tips/board")
        await sound(page)
        table = "document.querySelector('.tip-matrix')"
        edge = f"getComputedStyle({table}.parentElement, '::after').opacity"
        assert await page.evaluate(f"{table}.scrollWidth > {table}.clientWidth + 1")
        assert float(await page.evaluate(edge)) > 0
        await page.evaluate(f"{table}.scrollLeft = 9999")
        await page.wait_for_function(f"Number({edge}) === 0")
