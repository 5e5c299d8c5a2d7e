"""A question's whole way in the web chat, over HTTP, against the program as it is run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from playwright.async_api import Route, expect
from sqlalchemy import select

from office.store import Store
from tests.bot.conftest import Visitor
from tests.bot.running import Running
from tests.journeys.test_crash import answered, owed
from tests.journeys.test_two_processes import Listener
from tests.servers.browser import axe_violations, launch
from ticketing.records import ClosedBy, Ticket, TicketState

QUESTION = "新楼盘没有门牌号，户口还没迁过来，应该怎么登记？"


async def test_from_the_first_visit_to_the_end(tmp_path: Path, begun: Path) -> None:
    folder = tmp_path / "var"
    async with (
        Running(folder, begun) as program,
        httpx.AsyncClient(base_url=program.address, trust_env=False, timeout=120) as browser,
    ):
        store = Store(f"sqlite+aiosqlite:///{folder / 'one-window.db'}")
        visitor = Visitor(browser)
        await visitor.open()
        stream = Listener(browser)
        following = asyncio.create_task(stream.follow())  # open before the visitor has said anything
        try:
            async with asyncio.timeout(120):
                await owed(visitor, QUESTION)
                await stream.until(QUESTION)
                async with store.reading() as session:
                    ticket = (await session.scalars(select(Ticket))).one()
                text = await answered(store, 1)
                await stream.until(text)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

        items = (await browser.get("/chat/mailbox?after=0")).json()["items"]
        visitor.seen = items
        assert ticket.ticket_no in str(items)
        await visitor.tap("解决了")
        async with store.reading() as session:
            closed = (await session.scalars(select(Ticket))).one()
        await store.close()
        assert (closed.state, closed.closed_by) == (TicketState.CLOSED, ClosedBy.ASKER)

        left = await browser.post("/chat/end", data={"csrf": visitor.csrf})
        assert left.status_code == 303
        assert QUESTION not in (await visitor.open()).text

        # With number and code, and from another computer, the answer can still be collected.
        async with httpx.AsyncClient(base_url=program.address, trust_env=False, timeout=120) as elsewhere:
            stranger = Visitor(elsewhere)
            shown = await stranger.ask(f"进度 {ticket.ticket_no} {ticket.progress_code}")
            assert text in str(shown)
            refused = await stranger.ask(f"进度 {ticket.ticket_no} 2222")
            assert text not in str(refused)
        status, seconds = await program.stop()
        assert status == 0
        assert seconds < 15
        assert "Traceback" not in program.said()


PHONE = {"width": 390, "height": 844}
# An answer that still waits for the announcement, and so is followed by a ticket.
UNCONFIRMED = "选民证丢了怎么办？"
# Where the header ends, the composer begins, the notice stands, and where the first of what came last is.
STANDING = """(words) => {
  const box = (one) => one.getBoundingClientRect();
  const theirs = [...document.querySelectorAll("article:not(.mine)")];
  const came = theirs.findLast((one) => one.innerText.includes(words));
  const newer = document.querySelector("[data-newer]");
  newer.hidden = false;
  return {
    header: box(document.querySelector(".chat-head")).bottom,
    composer: box(document.querySelector(".composer")).top,
    notice: box(newer.firstElementChild).top,
    answer: box(came).top,
    line: parseFloat(getComputedStyle(came.querySelector(".sheet p")).lineHeight),
    wide: document.documentElement.scrollWidth,
  };
}"""


async def test_on_a_phone_what_came_last_is_read_from_its_beginning(tmp_path: Path, begun: Path) -> None:
    async with Running(tmp_path / "var", begun) as program, launch() as browser:
        for size, scripts in (("standard", True), ("extra", True), ("extra", False)):
            context = await browser.new_context(viewport=PHONE, java_script_enabled=scripts, locale="zh-CN")
            await context.add_cookies([{"name": "one-window-size", "value": size, "url": program.address}])
            page = await context.new_page()
            await page.goto(f"{program.address}/")
            for question, words in (("Where do I register?", "in Chinese only"), (UNCONFIRMED, "选民证丢了")):
                await page.fill("#text", question)
                await page.click("[data-send-button]")
                await page.wait_for_selector(f"article:not(.mine):has-text('{words}')")
                await page.wait_for_timeout(500)
            found = await page.evaluate(STANDING, "选民证丢了")
            assert found["header"] <= found["answer"] < found["header"] + 60
            # The notice leaves three lines to read.
            assert found["notice"] - found["header"] > 3 * found["line"]
            assert found["notice"] < found["composer"]
            assert found["wide"] <= PHONE["width"]
            if scripts:
                assert [fault["id"] for fault in await axe_violations(page)] == []
            await page.fill("#text", "   ")
            await page.click("[data-send-button]")
            await page.wait_for_selector("[data-hint]:has-text('请写下您的问题。')")
            assert await page.is_visible("#text")
            await context.close()


async def test_who_types_on_before_the_request_has_ended_loses_nothing(tmp_path: Path, begun: Path) -> None:
    """The stream may bring the answer first; what is sent then goes too, once, and in its order."""
    gate = asyncio.Event()
    sent: list[str] = []

    async def late(route: Route) -> None:
        sent.append(route.request.post_data or "")
        if len(sent) == 2:
            await route.abort()
            return
        response = await route.fetch()
        await gate.wait()
        await route.fulfill(response=response)

    async with Running(tmp_path / "var", begun) as program, launch() as browser:
        page = await browser.new_page()
        await page.goto(f"{program.address}/")
        await page.fill("#text", "第一个问题：在哪里登记？")
        await page.keyboard.press("Enter")
        await expect(page.locator("article.mine")).to_have_count(1)
        await page.wait_for_timeout(1000)
        await page.route("**/chat/messages", late)
        for words in ("第二个问题：什么时候登记？", "第三个问题：怎么登记？"):
            await page.fill("#text", words)
            await page.keyboard.press("Enter")
            await page.keyboard.press("Enter")
        await expect(page.locator("article.mine").nth(1)).to_contain_text("第二个问题")
        gate.set()
        # The third did not get through; it is sent again, and is there once.
        await page.click("[data-retry]")
        await expect(page.locator("article.mine").last).to_contain_text("第三个问题")
        await expect(page.locator("#text")).to_have_value("")
        await expect(page.locator("[data-error]")).to_be_hidden()
        await expect(page.locator("article.mine")).to_have_count(3)
        assert len(sent) == 3
