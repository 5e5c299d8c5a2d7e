"""Many ask the same, in a real browser with the keyboard: a cluster confirmed, missed questions decided."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from office import contacts, units
from office.audit import SYSTEM
from office.contacts import Channel
from office.store import Store
from office.units import Unit
from tests.bot.running import Running
from tests.journeys.test_story import a_page, joins, sound
from tests.make import HOURS
from tests.ticketing.gathered import FOURTEEN
from ticketing import intake, ledgers
from ticketing.ledgers import Outcome

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
CARS = "小区车位怎么摇号"


async def fourteen_ask(folder: Path) -> None:
    """Fourteen people ask about residence permits, and one about something that is not our matter."""
    store = Store(f"sqlite+aiosqlite:///{folder / 'one-window.db'}")
    now = datetime.now(UTC)
    async with store.transaction() as session:
        district = await units.election_office(session)
        places = (await session.scalars(select(Unit).where(Unit.parent_id == district.id))).all()
        for number, words in enumerate((*FOURTEEN, CARS)):
            contact = await contacts.seen(session, Channel.WEB, f"visitor-{number}", now=now)
            enquiry = await ledgers.record(session, contact, words, outcome=Outcome.TICKETED, now=now)
            ticket = await intake.open_ticket(
                session, contact, words, unit=places[number % len(places)], district=district,
                channel=Channel.WEB, actor=SYSTEM, hours=HOURS, now=now,
            )  # fmt: skip
            enquiry.ticket_id = ticket.id
    await store.close()


async def gathers(page: Page, home: str) -> None:
    """The suggestion is confirmed, the cluster looked at, and its page leads to the lead ticket."""
    await page.goto(f"{home}/admin/clusters")
    await expect(page.locator("main")).to_contain_text("近48小时14个相似问题")
    await sound(page)
    await page.get_by_role("button", name="合并为主工单").focus()
    await page.keyboard.press("Enter")
    await page.locator("[data-confirm-yes]").press("Enter")
    await page.wait_for_url("**/admin/clusters/*")
    await expect(page.locator("h1")).to_contain_text("C-")
    await expect(page.locator(".gathered-figures")).to_contain_text("14")
    await sound(page)
    await page.keyboard.press("r")
    await page.wait_for_url("**/admin/tickets/*")


async def decides(page: Page, home: str) -> None:
    """J, K and the digits: nothing is decided before a group has the focus; 4 asks for its kind; undo."""
    await page.goto(f"{home}/admin/missed")
    await expect(page.locator("[data-row]")).to_have_count(2)
    await sound(page)
    await page.keyboard.press("4")
    await expect(page.locator("[data-row]")).to_have_count(2)
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    while CARS not in (await page.evaluate("document.activeElement.closest('[data-row]').textContent")):
        await page.keyboard.press("j")
    await page.keyboard.press("4")
    kind = page.locator("select:focus")
    await expect(kind).to_have_attribute("name", "off_topic")
    await kind.select_option("other_office")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**done=off_topic**")
    await expect(page.locator("main")).to_contain_text("今天处理的")
    await sound(page)
    await page.get_by_role("button", name="撤回").press("Enter")
    await page.wait_for_url("**done=undone**")
    await expect(page.locator("[data-row]")).to_have_count(2)


async def previews(page: Page, home: str) -> None:
    """Key 1 shows what would change before it saves."""
    await page.goto(f"{home}/admin/missed")
    await page.locator("[data-row] [data-open]").first.focus()
    await page.keyboard.press("1")
    # The whole base is asked all golden questions twice.
    await page.wait_for_url("**/admin/missed/preview")
    await expect(page.locator("h2#changes")).to_contain_text("哪些答复会变")
    await sound(page)
    await page.get_by_role("button", name="保存为草稿").press("Enter")
    await page.wait_for_url("**done=phrasing**")
    await expect(page.locator("main")).to_contain_text("去送审")


async def test_a_cluster_and_the_missed_desk_need_no_mouse(
    browser: Browser, tmp_path: Path, begun: Path
) -> None:
    third: list[str] = []
    program = Running(tmp_path / "var", begun)
    await fourteen_ask(tmp_path / "var")
    async with program:
        home, links = program.address, program.invites()
        page = await a_page(browser, WIDE, third, home)
        await joins(page, links[0], "liqiang")
        await decides(page, home)
        await gathers(page, home)
        await previews(page, home)
        await page.set_viewport_size(NARROW)
        for address in ("clusters", "clusters/1", "missed", "tips"):
            await page.goto(f"{home}/admin/{address}")
            await sound(page)
        assert third == []
