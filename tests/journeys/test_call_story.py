"""Calls written down in a real browser with the keyboard alone, both ways, and the keys of the console."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, Route, expect

from tests.bot.running import Running
from tests.journeys.test_story import a_page, joins, sound

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
KNOWN = "户口在外地，选民资格证明怎么开"
UNKNOWN = "楼顶的鸽子棚算不算登记地址"
TYPES_AND_LOOKS = """(field, typed) => {
    field.value = typed;
    field.dispatchEvent(new Event("input", {bubbles: true}));
    return document.querySelector("[data-call-status]").textContent;
}"""


class Keys:
    """The keyboard, and how many strokes a call took besides its words."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.pressed = 0

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self._page.keyboard.press(key)
            self.pressed += 1

    async def types(self, words: str) -> None:
        # What an input method hands over, piece by piece; the words themselves are not counted.
        await self._page.keyboard.insert_text(words)


async def focused(page: Page) -> Any:
    return await page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")


async def a_call(page: Page, keys: Keys, words: str) -> None:
    """The telephone rings: one key, and the cursor stands in the question."""
    await keys.press("Control+k")
    await page.wait_for_url("**/admin/calls/new")
    await expect(page.locator("#words")).to_be_focused()
    await keys.types(words)
    await expect(page.locator("[data-outcome]")).to_be_visible()


async def both_ways(page: Page, home: str) -> str:
    """Answered on the spot, then handed over; the number of the ticket."""
    keys = Keys(page)
    await page.goto(f"{home}/admin")
    await a_call(page, keys, KNOWN)
    await expect(page.locator("[data-choice]").first).to_be_visible()
    await expect(page.locator("[data-outcome]")).to_have_attribute("data-outcome", re.compile("hit|near"))
    # The second entry and back to the first: what is chosen is what is read out.
    await keys.press("ArrowDown", "ArrowUp")
    await expect(page.locator("input[name=version_id]").first).to_be_checked()
    await sound(page)
    await keys.press("Enter")
    await expect(page.locator("h1")).to_have_text("已记录：当场答复")
    await expect(page.locator(".read-out")).to_contain_text("K-")
    assert keys.pressed == 4

    # Enter goes on to the next call; F8 hands it over, with reason and group set already.
    keys = Keys(page)
    await keys.press("Enter")
    await expect(page.locator("#words")).to_be_focused()
    await keys.types(UNKNOWN)
    await expect(page.locator("[data-outcome]")).to_be_visible()
    await expect(page.locator("#group")).not_to_have_value("")
    await keys.press("F8")
    await expect(page.locator("h1")).to_have_text("已记录：转未答复")
    await expect(page.locator(".read-out-words")).to_contain_text("您的问题需要进一步核实，最迟")
    await sound(page)
    assert keys.pressed == 2
    return await page.locator(".read-out-code").first.inner_text()


async def survives(page: Page, home: str) -> None:
    """A call in progress is there again after a reload, and Enter with nothing chosen sends nothing."""
    keys = Keys(page)
    await page.goto(f"{home}/admin/calls")
    await a_call(page, keys, UNKNOWN + "，再问一次")
    await page.keyboard.press("Tab")
    line = page.locator("[data-call-status]")
    await expect(line).to_contain_text("已")
    # What was saved before is no news about what is typed now: looked at in the same breath.
    said = await page.locator("#phone").evaluate(TYPES_AND_LOOKS, "0000-55667788")
    assert "已" not in said
    await expect(line).to_contain_text("已")
    await page.reload()
    await expect(page.locator("#words")).to_have_value(UNKNOWN + "，再问一次")
    await expect(page.locator("#phone")).to_have_value("0000-55667788")
    await expect(page.locator("main")).to_contain_text("没有记完的来电")
    await expect(page.locator("#words")).to_be_focused()
    if await page.locator("input[name=version_id]:checked").count() == 0:
        await keys.press("Enter")
        await expect(page.locator("[data-call-status]")).to_contain_text("还没有选中口径")
    stored = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "55667788" not in stored
    await keys.press("Control+Shift+Enter")
    await expect(page.locator("h1")).to_have_text("已记录：转未答复")
    await expect(page.locator("main")).to_contain_text("7788")


async def leaves(page: Page, home: str) -> None:
    """Who leaves the page amid a call finds every field again; a late save takes back nothing."""
    keys = Keys(page)
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await page.route("**/admin/calls/draft", hold, times=1)
    await page.goto(f"{home}/admin/calls")
    await a_call(page, keys, UNKNOWN + "，问第三次")
    await page.keyboard.press("Tab")
    while not held:
        await page.wait_for_timeout(50)
    # The first draft is still on its way when the next field is typed and left: it waits for its turn.
    await page.fill("#asker_name", "何阿婆")
    await page.keyboard.press("Tab")
    await held[0].continue_()
    await expect(page.locator("[data-call-status]")).to_contain_text("已")
    # Gone before the draft of the last field was due.
    await page.fill("#phone", "0000-55667799")
    await page.goto(f"{home}/admin/calls")
    assert UNKNOWN not in await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    phone = page.locator("#phone")
    for _ in range(100):
        await page.goto(f"{home}/admin/calls/new")
        if await phone.input_value():
            break
    await expect(phone).to_have_value("0000-55667799")
    await expect(page.locator("#asker_name")).to_have_value("何阿婆")
    await page.click("[data-owe]")
    await expect(page.locator("h1")).to_have_text("已记录：转未答复")
    # A call that is over does not come back.
    await page.goto(f"{home}/admin/calls/new")
    await expect(page.locator("#words")).to_have_value("")


async def goes_about(page: Page, home: str, number: str) -> None:
    """The palette, the sheet of keys, rows and letters; in a field they are letters."""
    await page.goto(f"{home}/admin/calls")
    await page.keyboard.press("j")
    await expect(page.locator("[data-open]").first).to_be_focused()
    await page.keyboard.press("j")
    await expect(page.locator("[data-open]").nth(1)).to_be_focused()
    await page.keyboard.press("k")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(r"/admin/calls/\d+$"))
    await page.keyboard.press("?")
    await expect(page.locator("#keys")).to_be_visible()
    await sound(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await expect(page.locator("#palette-q")).to_be_focused()
    await page.keyboard.insert_text(number)
    await expect(page.locator("#palette [data-go]").first).to_contain_text(number)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/admin/tickets/*")
    await page.keyboard.press("Control+Slash")
    await page.keyboard.press("j")
    await expect(page.locator("#palette-q")).to_have_value("j")
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await page.wait_for_url(lambda url: "/admin/tickets/" not in url or not url.endswith(f"/{number}"))


async def test_a_call_takes_four_keys_or_two_and_no_mouse(
    browser: Browser, tmp_path: Path, begun: Path
) -> None:
    third: list[str] = []
    async with Running(tmp_path / "var", begun) as program:
        home, links = program.address, program.invites()
        page = await a_page(browser, WIDE, third, home)
        await joins(page, links[0], "liqiang")
        number = await both_ways(page, home)
        await survives(page, home)
        await leaves(page, home)
        await goes_about(page, home, number)
        await page.set_viewport_size(NARROW)
        for address in ("calls", "calls/new", "keys"):
            await page.goto(f"{home}/admin/{address}")
            await sound(page)
        assert third == []


async def test_without_script_a_call_is_written_down_as_well(
    browser: Browser, tmp_path: Path, begun: Path
) -> None:
    third: list[str] = []
    async with Running(tmp_path / "var", begun) as program:
        home = program.address
        signing_in = await a_page(browser, WIDE, third, home)
        await joins(signing_in, program.invites()[0], "liqiang")
        cookies = await signing_in.context.storage_state()
        page = await a_page(browser, NARROW, third, home, java_script_enabled=False, storage_state=cookies)
        await page.goto(f"{home}/admin/calls/new")
        await page.fill("#words", KNOWN)
        await page.get_by_role("button", name="找口径").click()
        await expect(page.locator("input[name=version_id]").first).to_be_checked()
        await page.get_by_role("button", name="当场答复").click()
        await expect(page.locator("h1")).to_have_text("已记录：当场答复")
        await page.goto(f"{home}/admin/go?q=K-0020")
        await page.wait_for_url("**/admin/entries/*")
        assert third == []
