"""Leaving an editor with something typed in it asks first, in a real browser."""

from __future__ import annotations

from playwright.async_api import Browser, Dialog, Page, expect

from tests.admin.test_tip_board import SignedIn
from tests.admin.test_tip_board_live import WIDE, shown
from tests.make import Cast

EDITOR = "/admin/tips/new"
ELSEWHERE = "**/admin/notices"


async def leaves(page: Page, *, stay: bool) -> list[str]:
    """Press a link of the frame; the kinds of questions that the browser asked."""
    asked: list[str] = []

    async def decide(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await (dialog.dismiss() if stay else dialog.accept())

    page.on("dialog", decide)
    await page.locator("a[href='/admin/notices']").first.click(no_wait_after=True)
    if stay:
        while not asked:
            await page.wait_for_timeout(20)
    else:
        await page.wait_for_url(ELSEWHERE)
    page.remove_listener("dialog", decide)
    return asked


async def test_what_was_typed_is_not_left_behind_without_a_question(
    browser: Browser, cast: Cast, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.wang_fang)
    async with shown(browser, desk.client, WIDE) as page:
        await page.goto(EDITOR)
        assert await leaves(page, stay=False) == []
        await page.goto(EDITOR)
        await page.fill("textarea[name=wording]", "带身份证")
        assert await leaves(page, stay=True) == ["beforeunload"]
        await expect(page.locator("textarea[name=wording]")).to_have_value("带身份证")
        # Refused, it is back in the form and stored nowhere: leaving asks as well.
        await page.fill("input[name=title]", "提示" * 200)
        await page.locator("form[data-guard] button.primary").first.click()
        await expect(page.locator("[role=alert]").first).to_be_visible()
        assert await leaves(page, stay=False) == ["beforeunload"]
