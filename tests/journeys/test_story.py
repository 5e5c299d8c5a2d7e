"""The main job in a real browser: asked, owed, answered, signed, kept, and answered at once to the next."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.bot.running import Running
from tests.servers.browser import axe_violations

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
SERIOUS = {"serious", "critical"}


async def sound(page: Page) -> None:
    """No serious fault for screen readers and keyboards, and no sideways scrolling."""
    faults = [v for v in await axe_violations(page) if v["impact"] in SERIOUS]
    assert not faults, [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in faults]
    wide = await page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1")
    assert not wide, f"{page.url} scrolls sideways"


async def says(page: Page, words: str) -> None:
    """Type and send, as a visitor does."""
    await page.fill("#text", words)
    await page.keyboard.press("Enter")
    await expect(page.locator("article.message.mine").last).to_contain_text(words[:20])


def newest(page: Page) -> Any:
    return page.locator("article.message:not(.mine)").last


async def a_page(browser: Browser, size: dict[str, int], third: list[str], home: str, **more: Any) -> Page:
    """A page of a fresh person; requests that leave our own address are noted in `third`."""
    context: BrowserContext = await browser.new_context(viewport=size, locale="zh-CN", **more)  # type: ignore[arg-type]
    page = await context.new_page()
    page.on(
        "request", lambda request: third.append(request.url) if not request.url.startswith(home) else None
    )
    page.on("pageerror", lambda error: third.append(f"script error: {error}"))
    return page


async def joins(page: Page, link: str, username: str) -> None:
    """Open a one-time link and choose name and password."""
    await page.goto(link)
    await sound(page)
    await page.fill("#username", username)
    await page.fill("#password", "long enough for us")
    await page.fill("#password_again", "long enough for us")
    await page.click("main button.primary")
    await page.wait_for_url(lambda url: "/invite/" not in url)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desktop"])
async def test_a_question_is_answered_or_owed_and_the_next_asker_is_answered_at_once(
    browser: Browser, tmp_path: Path, begun: Path, size: dict[str, int]
) -> None:
    third: list[str] = []
    # Once on nothing, as on the first day.
    async with Running(tmp_path, begun if size is DESK else None) as program:
        home, links = program.address, program.invites()
        zhang_min = await a_page(browser, PHONE, third, home)
        await zhang_min.goto(home)
        await sound(zhang_min)

        # What the office knows is answered with its legal basis.
        await says(zhang_min, "啥辰光好登记？")
        await expect(newest(zhang_min)).to_contain_text("登记")
        await says(zhang_min, "户口在外地，选民资格证明怎么开")
        await expect(zhang_min.locator("article.message:not(.mine)").last).to_contain_text("资格证明")

        # What it has not decided becomes a ticket with number, code and promised time.
        words = "登记站门口的无人机拍到我家选票怎么处理"
        await says(zhang_min, words)
        await expect(newest(zhang_min)).to_contain_text(re.compile("哪一个|DP-"))
        if await newest(zhang_min).get_by_role("button", name="都不是").count():
            await newest(zhang_min).get_by_role("button", name="都不是").click()
        await expect(newest(zhang_min)).to_contain_text("DP-")
        await expect(newest(zhang_min)).to_contain_text("前答复您")
        await sound(zhang_min)

        # The officer takes it from the queue and drafts an answer; nobody may sign their own.
        officer = await a_page(browser, size, third, home)
        await joins(officer, links[0], "first")
        await officer.goto(f"{home}/admin")
        await sound(officer)
        await officer.locator("[data-row] a").first.click()
        await sound(officer)
        await officer.get_by_role("button", name="认领").first.click()
        await expect(officer.locator("textarea[name=text]")).to_be_visible()
        answer = "请不要担心，选票上没有您的姓名；请把情况告诉登记站，由工作人员处理。"
        await officer.fill("textarea[name=text]", answer)
        await officer.fill("textarea[name=basis]", "选举法第四十条（无记名投票）")
        await sound(officer)
        await officer.get_by_role("button", name="送审").first.click()
        ticket_url = officer.url.split("?")[0]
        await sound(officer)

        # The second person signs; the answer appears in the visitor's open chat by itself.
        wang_fang = await a_page(browser, size, third, home)
        await joins(wang_fang, links[1], "wangfang")
        await wang_fang.goto(ticket_url)
        wang_fang.on("dialog", lambda dialog: dialog.accept())
        await wang_fang.get_by_role("button", name="签发").first.click()
        confirm = wang_fang.locator("dialog[open] button").last
        if await confirm.count():
            await confirm.click()
        await expect(newest(zhang_min)).to_contain_text("选票上没有您的姓名")
        await sound(zhang_min)

        # The office keeps it as an entry: promoted, completed, submitted, published by the second person.
        await officer.goto(ticket_url)
        await officer.get_by_role("button", name="写成口径").first.click()
        await sound(officer)
        await officer.select_option("select[name=topic]", "vote_how")
        await officer.fill("textarea[name=phrasings]", "\n".join([
            words, "无人机拍到我的选票怎么办", "有人用无人机拍选票怎么处理", "选票被无人机拍下来了",
        ]))  # fmt: skip
        await officer.get_by_role("button", name="保存草稿").first.click()
        entry_url = officer.url.split("?")[0].removesuffix("/edit")
        await officer.goto(entry_url)
        await sound(officer)
        await officer.get_by_role("button", name="送审").first.click()
        await wang_fang.goto(entry_url)
        await sound(wang_fang)
        # First it is shown which answers change, then it is confirmed.
        await wang_fang.get_by_role("button", name="发布").first.click()
        publish = wang_fang.get_by_role("button", name="确认发布")
        await expect(publish).to_be_visible()
        await sound(wang_fang)
        await publish.click()
        await expect(wang_fang.locator("main")).to_contain_text("已发布")

        # The next person is answered at once.
        next_person = await a_page(browser, PHONE, third, home)
        await next_person.goto(home)
        await says(next_person, "无人机拍到我的选票怎么办")
        await expect(newest(next_person)).to_contain_text("选票上没有您的姓名")
        await expect(newest(next_person)).to_contain_text("K-2001")

        # The asker says it is solved.
        await zhang_min.get_by_role("button", name="解决了").last.click()
        await officer.goto(ticket_url)
        await expect(officer.locator("main")).to_contain_text("办结")
        assert third == []
