"""The secure page in a real browser: by keyboard, on a phone, without script, and gone afterwards."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll import challenges, keys, links
from knowledge.roll.identity import DigestKey
from knowledge.roll.records import LookupAct, Mark, RollPlace, RollRow, RollState
from office.changes import Change, ChangeKind
from office.contacts import Channel
from office.hours import beijing_day
from office.store import Store
from office.words import say
from tests.bot.running import Running
from tests.servers.browser import axe_violations, launch
from tests.voters import CAST, HE_JIE, LIN_YAN, OUYANG, TAO_MIN, Voter, voter

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

PHONE: Any = {"width": 390, "height": 844}
LOOK = "查询"


@dataclass
class Place:
    """The running program with a roll of the cast, and the store behind it."""

    program: Running
    store: Store
    group_no: str

    @property
    def address(self) -> str:
        return self.program.address

    async def acts(self) -> int:
        async with self.store.reading() as session:
            return await session.scalar(select(func.count()).select_from(LookupAct)) or 0

    async def link(self) -> str:
        async with self.store.transaction() as session:
            token = await links.make(session, Channel.TELEGRAM, None, datetime.now(UTC))
        return f"{self.address}/lookup/{token}"


async def stand_on_the_roll(session: AsyncSession, key: DigestKey) -> str:
    """Add the cast to the sample's roll, where HE_JIE has to ask the station; the number of their group."""
    found = (await session.scalars(select(RollPlace).order_by(RollPlace.id).limit(1))).one()
    current = (await session.get_one(RollState, 1)).current_id
    for who in CAST:
        mark = Mark(0) if who is HE_JIE else Mark.REGISTERED
        for digest, more in (
            (key.identity(who.name, who.number), Mark(0)),
            (key.receipt(who.receipt), Mark.RECEIPT),
        ):
            session.add(RollRow(import_id=current, digest=digest, place_id=found.id, mark=int(mark | more)))
    return found.group_no


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory, begun: Path) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("lookup") / "var"
    async with Running(folder, begun) as program:
        store = Store(f"sqlite+aiosqlite:///{folder / 'one-window.db'}")
        now = datetime.now(UTC)
        today = beijing_day(now)
        # An election that is always five weeks away, so that the story can be told on any day.
        day, first, last = (today + timedelta(days=n) for n in (38, -3, 8))
        windows = [{"audience": "居民登记", "from": first.isoformat(), "to": last.isoformat(), "note": ""}]
        lookup = [{"from": first.isoformat(), "to": (day - timedelta(days=1)).isoformat(), "note": ""}]
        async with store.transaction() as session:
            calendar = (await session.scalars(select(Change).where(Change.kind == ChangeKind.CALENDAR))).one()
            moved = {"day": day.isoformat(), "windows": windows, "lookup": lookup}
            calendar.content = {**calendar.content, **moved}
            group_no = await stand_on_the_roll(session, keys.read_service(folder / "roll.key"))
        yield Place(program, store, group_no)
        await store.close()


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with launch() as found:
        yield found


async def sound(page: Page) -> None:
    """Nothing wrong for a screen reader, and nothing that must be scrolled to sideways."""
    assert [(found["id"], found["nodes"][0]["html"]) for found in await axe_violations(page)] == []
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def phone(browser: Browser, **more: Any) -> BrowserContext:
    return await browser.new_context(viewport=PHONE, locale="zh-CN", **more)


def solved(question: str) -> str:
    """The answer to a question, as somebody knows it who reads it."""
    names = challenges.data()["numerals"]["zh"]
    numbers = [names.index(word) for word in re.findall("[零一二三四五六七八九十]+", question)]
    if "星期" in question or "一年" in question or "筷子" in question:
        return "七" if "星期" in question else "12个月" if "一年" in question else "两根"
    for sign, answer in (
        ("加", sum(numbers)), ("减", numbers[0] - numbers[-1]), ("后面", numbers[0] + 1),
        ("前面", numbers[0] - 1), ("哪个数大", max(numbers)), ("哪个数小", min(numbers)),
    ):  # fmt: skip
        if sign in question:
            return str(answer)
    raise AssertionError(f"nobody knows the answer to {question}")


async def fill(page: Page, who: Voter) -> None:
    """Write a name, a number and the answer into the form."""
    await page.get_by_label("姓名", exact=True).fill(who.name)
    await page.get_by_label("身份证号码", exact=True).fill(who.number)
    await page.locator("#answer").fill(solved(await page.inner_text("label[for=answer]")))


async def look(page: Page) -> None:
    await page.get_by_role("button", name=LOOK, exact=True).first.click()


async def go_on(page: Page) -> None:
    await page.get_by_role("button", name="我知道了，继续").click()
    await page.wait_for_url("**/lookup/form")


async def tab_to(page: Page, words: str) -> None:
    """Reach a link, a button or a field by the keyboard."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        name = "((e) => e.labels?.[0]?.innerText || e.textContent)(document.activeElement).trim()"
        if words in await page.evaluate(name):
            return
    raise AssertionError(f"the keyboard does not reach {words}")


async def test_by_keyboard_from_the_conversation_to_the_result(place: Place, browser: Browser) -> None:
    context = await phone(browser)
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{place.address}/")
    await tab_to(page, "查登记状态")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/lookup")
    await sound(page)
    await tab_to(page, "我知道了，继续")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/lookup/form")
    await sound(page)
    await tab_to(page, "姓名")
    await page.keyboard.insert_text(LIN_YAN.name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(LIN_YAN.number[:-1])
    await page.keyboard.press("Tab")
    await page.keyboard.insert_text(solved(await page.inner_text("label[for=answer]")))
    await page.keyboard.press("Enter")

    # A slip loses nothing, and the keyboard stands in the field that has to be mended.
    await page.locator("#number[aria-invalid=true]").wait_for()
    assert await page.evaluate("document.activeElement.id") == "number"
    assert await page.input_value("#name") == LIN_YAN.name
    assert "应为18位" in await page.inner_text("#number-error")
    assert await place.acts() == 0
    await sound(page)
    await page.locator("#number").press("End")
    await page.keyboard.type(LIN_YAN.number[-1])
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="查询结果：已登记").wait_for()
    assert await page.evaluate("document.activeElement.id") == "result"
    assert f"小组：{place.group_no}" in await page.inner_text("main")
    await sound(page)

    assert {urlsplit(url).netloc for url in asked} == {urlsplit(place.address).netloc}
    assert not [url for url in asked if urlsplit(url).path.startswith("/lookup") and urlsplit(url).query]
    assert page.url == f"{place.address}/lookup/form"
    await context.close()


async def test_in_the_largest_letters_to_a_ticket(place: Place, browser: Browser) -> None:
    context = await phone(browser)
    page = await context.new_page()
    await page.goto(f"{place.address}/lookup")
    await go_on(page)
    await fill(page, TAO_MIN)
    # Larger letters where one stands: nothing typed is lost.
    await page.get_by_role("button", name="特大").click()
    assert await page.get_attribute("html", "data-text-size") == "extra"
    assert await page.input_value("#number") == TAO_MIN.number
    await sound(page)
    await look(page)
    await page.get_by_role("heading", name="查询结果：未查到").wait_for()
    await sound(page)
    await page.get_by_role("button", name="帮我核实").click()
    await page.get_by_role("heading", name="已转给工作人员").wait_for()
    assert re.search(r"DP-\d{4}-\d\d-[A-Z]", await page.inner_text("main"))
    await sound(page)
    await context.close()


async def test_without_script_a_link_from_elsewhere_works_once(place: Place, browser: Browser) -> None:
    context = await phone(browser, java_script_enabled=False)
    page, link = await context.new_page(), await place.link()
    for _ in range(2):
        await page.goto(link)
    await go_on(page)
    await fill(page, HE_JIE)
    await page.get_by_label("身份证号码", exact=True).fill("1")
    await look(page)
    assert "请核对号码" in await page.inner_text("#number-error")
    assert await page.input_value("#name") == await page.input_value("#number") == ""
    assert await page.input_value("#answer") != ""
    await fill(page, HE_JIE)
    await look(page)
    assert "请到登记站核实" in await page.inner_text("#result")
    assert "东浦区选举委员会办公室" in await page.inner_text("main")
    await page.goto(link)
    await page.get_by_role("button", name="我知道了，继续").click()
    assert "用过了" in await page.inner_text("main")
    await page.get_by_role("button", name="继续").click()
    await page.wait_for_url("**/lookup/form")
    await page.get_by_role("textbox", name="登记回执码").fill(HE_JIE.receipt)
    await page.get_by_role("button", name=LOOK, exact=True).last.click()
    assert "请到登记站核实" in await page.inner_text("#result")
    await context.close()


async def test_a_result_is_gone_after_its_time_and_does_not_come_back(place: Place, browser: Browser) -> None:
    context = await phone(browser)
    page = await context.new_page()
    await page.clock.install()
    await page.goto(f"{place.address}/lookup")
    await go_on(page)
    await fill(page, OUYANG)
    await look(page)
    await page.get_by_role("heading", name="查询结果：已登记").wait_for()
    await page.clock.fast_forward("05:01")
    await page.wait_for_url("**/lookup/cleared")
    await sound(page)
    await page.go_back()
    await page.wait_for_load_state()
    assert "选区" not in await page.inner_text("main")
    assert OUYANG.number not in await page.content()
    await context.close()


async def test_who_is_blocked_reads_until_when(place: Place, browser: Browser) -> None:
    context = await phone(browser)
    page = await context.new_page()
    for number in range(6):
        await page.goto(f"{place.address}/lookup")
        await go_on(page)
        await fill(page, voter(number))
        await look(page)
        await page.locator("[data-focus]").wait_for()
    told = await page.inner_text("main")
    assert "之后可以再查" in told
    assert "到登记站" in told
    assert "未查到" not in told
    await sound(page)
    assert say("lookupchat.result.not_found") not in told
    await context.close()
