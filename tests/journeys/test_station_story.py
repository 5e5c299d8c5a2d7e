"""A poster on a wall, a phone in a hand, and the printer it came from: stations in a real browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from sqlalchemy import select

from knowledge.stations import PosterCount
from office import signin
from office.staff import Staff
from office.store import Store
from office.units import Unit
from tests.bot.running import Running
from tests.servers.browser import axe_violations
from tests.servers.qr import read_picture
from tests.station_places import LATITUDE, LONGITUDE, a_station

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

PHONE: Any = {"width": 390, "height": 844}
EVERY_DAY = [{"from": "2026-01-01", "to": "2036-12-31", "weekdays": "1-7", "spans": ["0:00-23:59"]}]
LABEL = "临江街道 88-03 登记站"


@dataclass
class Place:
    """The running program with three stations in the sea, and the store behind it."""

    program: Running
    store: Store

    @property
    def address(self) -> str:
        return self.program.address

    async def counts(self) -> dict[tuple[str, str], int]:
        async with self.store.reading() as session:
            rows = (await session.scalars(select(PosterCount))).all()
        return {(row.code, row.source): row.count for row in rows}


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory, begun: Path) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("stations") / "var"
    async with Running(folder, begun) as program:
        store = Store(f"sqlite+aiosqlite:///{folder / 'one-window.db'}")
        async with store.transaction() as session:
            street = (await session.scalars(select(Unit).where(Unit.name == "临江街道"))).one()
            for number, name in enumerate(("星海苑", "观澜里", "鸣沙新村")):
                await a_station(
                    session,
                    street,
                    f"88-0{number + 3}",
                    f"{name}居委会登记站",
                    neighbourhood=name,
                    near=f"{name}北门",
                    hours=EVERY_DAY,
                    latitude=LATITUDE + number / 100,
                    address=f"示例海路{number + 1}号",
                )
        yield Place(program, store)
        await store.close()


async def sound(page: Page) -> None:
    """Nothing wrong for a screen reader, and nothing that must be scrolled to sideways."""
    assert [(found["id"], found["nodes"][0]["html"]) for found in await axe_violations(page)] == []
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def phone(browser: Browser, **more: Any) -> BrowserContext:
    return await browser.new_context(viewport=PHONE, locale="zh-CN", **more)


async def test_from_the_poster_to_the_wizard(place: Place, browser: Browser) -> None:
    context = await phone(browser)
    page = await context.new_page()
    await page.goto(f"{place.address}/?start=st_88-03__p07")
    await page.get_by_text(f"您扫描的是“{LABEL}”").wait_for()
    assert page.url == f"{place.address}/"
    await sound(page)

    # Neither a reload nor the browser coming back begins once more.
    await page.reload()
    assert await page.get_by_text(f"您扫描的是“{LABEL}”").count() == 1
    assert (await place.counts())["88-03", "p07"] == 1

    await page.locator(".message").get_by_role("button", name="在哪里登记", exact=True).click()
    await page.locator(".venue").get_by_text("示例海路1号").wait_for()
    await page.get_by_text("现在开放").nth(1).wait_for()
    await sound(page)
    await page.get_by_role("button", name="我该在这里登记吗").click()
    await page.get_by_text("您的户口在哪里").wait_for()
    await context.close()


async def test_without_script_one_button_more(place: Place, browser: Browser) -> None:
    context = await phone(browser, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{place.address}/?start=st_88-04__p01")
    assert ("88-04", "p01") not in await place.counts()
    await page.get_by_role("button", name="继续").click()
    await page.wait_for_url("**/#newest")
    assert "您扫描的是“临江街道 88-04 登记站”" in await page.inner_text("main")
    assert (await place.counts())["88-04", "p01"] == 1
    await context.close()


async def test_where_somebody_is_is_asked_on_a_tap_only_and_told_roughly(
    place: Place, browser: Browser
) -> None:
    here: Any = {"latitude": LATITUDE + 0.0012345, "longitude": LONGITUDE}
    context = await phone(browser, geolocation=here, permissions=["geolocation"])
    page = await context.new_page()
    sent: list[dict[str, list[str]]] = []
    page.on("request", lambda asked: sent.append(parse_qs(asked.post_data or "")))
    await page.goto(f"{place.address}/")
    assert not any("latitude" in fields for fields in sent)
    await page.get_by_role("button", name="找附近的登记站").click()
    await page.get_by_text("离您最近的登记站").wait_for()
    (told,) = [fields for fields in sent if "latitude" in fields]
    assert told["latitude"] == ["30.501"]
    words = await page.inner_text("[data-log]")
    assert "我的位置（用后丢弃）" in words
    assert words.index("88-03") < words.index("88-04") < words.index("88-05")
    assert "300米以内" in words
    await sound(page)

    # The button under a message asks the browser too.
    await page.get_by_label("您的问题").fill("附近登记站")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="发送位置").click()
    await page.get_by_text("离您最近的登记站").nth(1).wait_for()
    await context.close()


async def test_who_gives_no_position_is_told_another_way(place: Place, browser: Browser) -> None:
    context = await phone(browser, permissions=[])
    page = await context.new_page()
    await page.goto(f"{place.address}/")
    await page.get_by_role("button", name="找附近的登记站").click()
    await page.get_by_text("请发送小区或路名").wait_for()
    assert await page.get_by_role("button", name="找附近的登记站").is_enabled()
    await context.close()


@pytest.mark.parametrize("size", ["standard", "extra"])
async def test_the_pages_on_a_phone(place: Place, browser: Browser, size: str) -> None:
    context = await phone(browser)
    await context.add_cookies([{"name": "one-window-size", "value": size, "url": place.address}])
    page = await context.new_page()
    await page.goto(f"{place.address}/stations")
    await sound(page)
    await page.get_by_label("小区、路名、街镇或编号").fill("星海苑")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name=re.compile(LABEL)).click()
    await page.get_by_role("heading", name=LABEL).wait_for()
    await sound(page)
    assert await page.get_by_role("button", name="打印").is_visible()
    await page.get_by_role("link", name=re.compile("咨询|提问|聊|问")).last.click()
    await page.get_by_text(f"您扫描的是“{LABEL}”").wait_for()
    await context.close()


async def test_posters_come_out_of_the_printer_one_a_page_and_can_be_scanned(
    place: Place, browser: Browser
) -> None:
    async with place.store.transaction() as session:
        person = (await session.scalars(select(Staff).where(Staff.name == "李强"))).one()
        token = await signin._sign_in(session, person, device="Test", now=datetime.now(UTC))
    context = await phone(browser)
    await context.add_cookies([{"name": "one-window-desk", "value": token, "url": place.address}])
    page = await context.new_page()
    await page.goto(f"{place.address}/admin/posters")
    await sound(page)
    await page.get_by_label("登记站编号").fill("88-03")
    await page.get_by_label("每站几张").fill("2")
    await page.get_by_role("button", name="生成打印页").click()
    await page.get_by_role("heading", name=LABEL).first.wait_for()
    await sound(page)
    for number, poster in enumerate(await page.locator(".poster").all(), start=1):
        seen = await read_picture(browser, await poster.locator(".poster-code").first.screenshot())
        assert seen == f"{place.address}/?start=st_88-03__p0{number}"
    paper = await page.pdf(prefer_css_page_size=True, print_background=True)
    assert paper.count(b"/Type /Page\n") == 2
    await context.close()
