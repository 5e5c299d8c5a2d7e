"""A day at the desk, step by step: what is there in the morning, and each thing that is done about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from playwright.async_api import Browser, Locator, Page, expect
from sqlalchemy import select

from bot import demo
from office import contacts, outbox, units
from office.audit import SYSTEM
from office.contacts import Channel, ContactState
from office.hours import beijing_day
from office.outbox import Undeliverable
from office.staff import Staff
from office.store import Store
from office.units import Unit
from tests.bot.conftest import Visitor
from tests.bot.running import Running
from tests.journeys.test_crash import owed
from tests.journeys.test_story import a_page, joins, sound
from tests.make import HOURS
from tests.ticketing.gathered import FOURTEEN
from ticketing import intake, ledgers, roster_files, tickets
from ticketing.ledgers import Outcome
from ticketing.records import Ticket

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
KNOWN = "户口在外地，选民资格证明怎么开"
LEFT_OVER = "楼顶的鸽子棚算不算登记地址"
SECRET = "隔壁有人放话不让我家老人去登记，请替我们保密"
PHONE = "0000-55667788"
# Who of the fourteen came how: one in the chat, one by telephone, and these through the store.
STORED = (
    *[(Channel.WEB, ContactState.ACTIVE)] * 6,
    *[(Channel.TELEGRAM, ContactState.SILENCED)] * 2,
    *[(Channel.TELEGRAM, ContactState.ACTIVE)] * 2,
    *[(Channel.COUNTER, None)] * 2,
)
SITTING = "按选举委员会说明，居住证按累计年限计算，请带居住证到登记站核对。"
MENDED = "请向户口所在地的选区开具选民资格证明，今年起也可以由登记站代为联系开具。"


def store_of(folder: Path) -> Store:
    """The database of a program that runs in this folder."""
    return Store(f"sqlite+aiosqlite:///{folder / 'one-window.db'}")


@dataclass
class Morning:
    """What is there before the first of the desk comes in."""

    way_in: str
    left_over: int
    secret: int


async def morning(folder: Path) -> Morning:
    """Twelve of the fourteen have asked, 李强 holds a ticket since yesterday, and one asks for secrecy."""
    store, now = store_of(folder), datetime.now(UTC)
    way_in = await demo.way_in(store, "李强", now=now)
    assert way_in
    async with store.transaction() as session:
        district = await units.election_office(session)
        places = (await session.scalars(select(Unit).where(Unit.parent_id == district.id))).all()
        li = (await session.scalars(select(Staff).where(Staff.name == "李强"))).one()

        async def opened(words: str, channel: Channel, state: ContactState | None, at: datetime) -> Ticket:
            contact = await contacts.seen(session, channel, f"asker-{words[:40]}", now=at) if state else None
            if contact is not None and state is not None:
                contact.state = state
            ticket = await intake.open_ticket(
                session, contact, words, unit=places[len(words) % len(places)], district=district,
                channel=channel, actor=SYSTEM, hours=HOURS, now=at,
            )  # fmt: skip
            if contact is not None:
                enquiry = await ledgers.record(session, contact, words, outcome=Outcome.TICKETED, now=at)
                enquiry.ticket_id = ticket.id
            return ticket

        for words, (channel, state) in zip(FOURTEEN[2:], STORED, strict=True):
            await opened(words, channel, state, now)
        before = now - timedelta(hours=20)
        held = await opened(LEFT_OVER, Channel.WEB, ContactState.ACTIVE, before)
        await tickets.take(session, held, actor=li, now=before)
        secret = await opened(SECRET, Channel.WEB, ContactState.ACTIVE, now)
        found = Morning(way_in, held.id, secret.id)
    await store.close()
    return found


@dataclass
class Day:
    """The people at their desks: 李强 the officer, 王芳 who reviews and leads, and the administrator."""

    home: str
    store: Store
    begun: Morning
    li: Page
    wang: Page
    admin: Page
    third: list[str]
    asker: Visitor

    async def opens(self, page: Page, path: str) -> None:
        """Go to a page of the console and look whether it is sound."""
        await page.goto(f"{self.home}/admin{path}")
        await sound(page)


async def comes_in(
    browser: Browser, program: Running, folder: Path, begun: Morning, client: httpx.AsyncClient
) -> Day:
    """All three take over their accounts."""
    third: list[str] = []
    home, links = program.address, program.invites()
    li, wang, admin = [await a_page(browser, WIDE, third, home) for _ in range(3)]
    await joins(li, f"{home}/admin/invite/{begun.way_in}", "liqiang")
    await joins(admin, links[0], "first")
    await joins(wang, links[1], "wangfang")
    asker = Visitor(client)
    await asker.ask(KNOWN)
    await owed(asker, FOURTEEN[0])
    return Day(home, store_of(folder), begun, li, wang, admin, third, asker)


async def presses(button: Locator, page: Page | None = None) -> None:
    """Press a button with the keyboard; with `page` say yes to the question it asks."""
    await button.press("Enter")
    if page is not None:
        await page.locator("[data-confirm-yes]").press("Enter")


async def hands_over(day: Day) -> None:
    """李强 leaves a message, 王芳 signs and takes over what he held."""
    await day.opens(day.li, "/handover")
    await day.li.fill("#message", "鸽子棚那张要等城管回话")
    await presses(day.li.locator("form[action='/admin/handover'] button"))
    await day.li.wait_for_url("**done=begun")
    await day.opens(day.wang, "/handover")
    await expect(day.wang.locator("main")).to_contain_text("鸽子棚那张要等城管回话")
    await day.wang.locator(f"input[name=take][value='{day.begun.left_over}']").press("Space")
    await presses(day.wang.locator("form[action$='/sign'] button"))
    await day.wang.wait_for_url("**done=signed")
    await sound(day.wang)
    await day.opens(day.wang, "/handover/1")
    await day.opens(day.wang, "?view=mine")
    await expect(day.wang.locator("main")).to_contain_text(LEFT_OVER)


async def makes_the_roster(day: Day) -> None:
    """The administrator reads a workbook in, 王芳 publishes it."""
    first = beijing_day(datetime.now(UTC)) + timedelta(days=15)
    days = [first + timedelta(days=ahead) for ahead in range(3)]
    blank = dict.fromkeys(roster_files.WRITTEN, "")
    told = {"span": "8:30-17:30", "leader": "王芳", "officer": "李强/王芳"}
    rows = [{**blank, **told, "day": one.isoformat()} for one in days]
    content = roster_files.to_xlsx(rows, datetime.now(UTC))
    await day.opens(day.admin, "/roster/file")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    await day.admin.set_input_files("#file", {"name": "下旬.xlsx", "mimeType": kind, "buffer": content})
    await presses(day.admin.locator("form[action='/admin/roster/file'] button"))
    await day.admin.wait_for_url("**/roster/plans/*")
    await sound(day.admin)
    await expect(day.admin.locator("form[action$='/publish']")).to_have_count(0)
    await day.wang.goto(day.admin.url.partition("?")[0])
    await sound(day.wang)
    await presses(day.wang.locator("form[action$='/publish'] button"))
    await day.wang.wait_for_url("**done=published")
    await day.opens(day.wang, f"/roster?from={first.isoformat()}")
    await expect(day.wang.locator(".duty-shift")).to_have_count(3)


async def takes_calls(day: Day) -> None:
    """Two calls with the keyboard: one answered on the spot, one that stays owed."""
    page = day.li
    await day.opens(page, "")
    await page.keyboard.press("Control+k")
    await page.wait_for_url("**/admin/calls/new")
    await expect(page.locator("#words")).to_be_focused()
    await page.keyboard.insert_text(KNOWN)
    await expect(page.locator("[data-choice]").first).to_be_visible()
    await sound(page)
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("已记录：当场答复")
    await sound(page)
    await page.keyboard.press("Enter")
    await expect(page.locator("#words")).to_be_focused()
    await page.keyboard.insert_text(FOURTEEN[1])
    await expect(page.locator("[data-outcome]")).to_be_visible()
    await page.fill("#asker_name", "钱晓美")
    await page.fill("#phone", PHONE)
    await page.keyboard.press("F8")
    await expect(page.locator("h1")).to_have_text("已记录：转未答复")
    await expect(page.locator(".read-out")).to_contain_text("****7788")
    await expect(page.locator(".read-out")).not_to_contain_text("5566")
    await sound(page)


async def gathers(day: Day) -> None:
    """Fourteen with one question: confirmed, answered once, and the board tells of each."""
    page, wang = day.li, day.wang
    await day.opens(page, "/clusters")
    await expect(page.locator("main")).to_contain_text("近48小时14个相似问题")
    # The one who wrote in the chat leads; a caller who led would have heard it on the telephone.
    await page.locator("tr", has_text=FOURTEEN[0]).locator("input[name=lead]").press("Space")
    await presses(page.get_by_role("button", name="合并为主工单").first, page)
    await page.wait_for_url("**/admin/clusters/*")
    await sound(page)
    await page.keyboard.press("r")
    await page.wait_for_url("**/admin/tickets/*")
    lead = page.url.partition("?")[0]
    await presses(page.get_by_role("button", name="认领").first)
    await expect(page.locator("textarea[name=text]")).to_be_visible()
    await page.fill("textarea[name=text]", SITTING)
    await page.fill("textarea[name=basis]", "选举委员会第3次会议")
    await sound(page)
    await presses(page.get_by_role("button", name="送审").first)
    await page.wait_for_url("**done=proposed")
    await wang.goto(lead)
    await sound(wang)
    await presses(wang.get_by_role("button", name="签发").first)
    if await wang.locator("dialog[open]").count():
        await wang.locator("[data-confirm-yes]").press("Enter")
    await wang.wait_for_url("**done=answered")
    await telegram_says_no(day.store)
    seen = Counter[str]()
    for _ in range(40):
        await page.goto(f"{day.home}/admin/clusters/1")
        seen = await board(page)
        if not seen["未到"]:
            break
        await page.wait_for_timeout(250)
    await sound(page)
    assert (seen["成员"], seen["已告知"], seen["待取"], seen["未到"]) == (14, 7, 4, 0), seen
    # The clock may have put the undeliverable ones onto the call-back list by now.
    assert seen["无法送达"] + seen["待回拨"] == 3, seen
    assert seen["待回拨"] >= 1
    await day.opens(page, "/call-backs")
    await expect(page.locator("main")).not_to_contain_text("5566")
    assert SITTING in await mailbox(day.asker)
    await page.set_viewport_size(NARROW)
    for path in ("/clusters", "/clusters/1", "/call-backs", "/handover", "/roster", "/tickets/1"):
        await day.opens(page, path)
    await page.set_viewport_size(WIDE)


async def mailbox(visitor: Visitor) -> str:
    """All that stands in a visitor's conversation; its lines can be tapped from now on."""
    answered = await visitor.client.get("/chat/mailbox", params={"after": 0})
    visitor.seen = answered.json()["items"]
    return "\n".join(item["html"] for item in visitor.seen)


async def board(page: Page) -> Counter[str]:
    """The figures of a cluster's page by their labels."""
    figures = await page.locator(".gathered-figures .stat p").all_inner_texts()
    return Counter({label: int(figure) for label, figure in zip(figures[::2], figures[1::2], strict=True)})


async def telegram_says_no(store: Store) -> None:
    """This program has no bot there: what its worker would hear from two who blocked it."""
    now = datetime.now(UTC)
    async with store.transaction() as session:
        for delivery, _ in await outbox.claim(session, [Channel.TELEGRAM], limit=9, now=now):
            blocked = Undeliverable("bot was blocked by the user", permanent=True)
            await outbox.failed(session, delivery.id, blocked, now=now)
