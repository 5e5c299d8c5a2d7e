"""Posters in the console: sheets whose codes a phone can read, and the arrivals by each."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from admin import posters as pages
from admin.posters import Doors
from knowledge import posters
from knowledge.posters import Scan
from knowledge.stations import Station, StationKind
from office.store import Store
from tests.admin.conftest import Browser
from tests.make import Cast, Clock
from tests.servers.qr import read_drawing
from tests.station_places import a_station, hide, some_stations

SignedIn = Callable[..., Any]
CODE = re.compile(r'<svg viewBox="0 0 \d+ \d+" class="qr">.*?</svg>', re.DOTALL)


@pytest.fixture
async def placed(store: Store, cast: Cast, app: FastAPI) -> Cast:
    async with store.transaction() as session:
        await some_stations(session, cast)
        await a_station(session, cast.riverside, "12-03", "书香苑投票站", kind=StationKind.POLLING)

    async def name() -> str:
        return "desk_bot"

    app.state.doors = Doors("https://desk.example/", name)
    return cast


@pytest.fixture
async def desk(placed: Cast, signed_in: SignedIn) -> Browser:
    """李强's browser."""
    made: Browser = await signed_in(placed.li_qiang)
    return made


def links(page: str) -> list[str]:
    return [read_drawing(drawing) for drawing in CODE.findall(page)]


async def test_each_poster_has_a_code_for_each_channel_that_a_phone_can_read(desk: Browser) -> None:
    page = await desk.get("/admin/posters/print?code=12-03&first=7&copies=1")
    assert page.status_code == 200
    assert links(page.text) == [
        "https://desk.example/?start=st_12-03__p07",
        "https://t.me/desk_bot?start=st_12-03__p07",
    ]
    for link in links(page.text):
        assert posters.scanned(link.partition("?start=")[2]) == Scan("12-03", "p07")


async def test_a_poster_says_what_one_needs_to_know(desk: Browser) -> None:
    page = (await desk.get("/admin/posters/print?code=12-03")).text
    for words in (
        "临江街道 12-03 登记站",
        "书香苑居委会登记站",
        "临江路示例弄3号（书香苑小区北门）",
        "11月16日至12月5日",
        "0000-11110003",
        "0000-12345678",
        "登记不收费",
        "请勿发送身份证号码",
        "示例数据，非真实信息",
        "p01",
    ):
        assert words in page
    assert page.count('<section class="poster"') == 1


async def test_posters_are_in_chinese_whoever_prints_them(desk: Browser, store: Store, placed: Cast) -> None:
    async with store.transaction() as session:
        (await session.get_one(type(placed.li_qiang), placed.li_qiang.id)).language = "en"
    page = (await desk.get("/admin/posters/print?code=12-03")).text
    assert "Back to the posters" in page
    assert "选民登记，扫码问一问" in page
    assert "临江街道 12-03 登记站" in page


async def test_all_stations_of_a_street_at_once_and_polling_stations_never(
    desk: Browser, placed: Cast
) -> None:
    page = (await desk.get(f"/admin/posters/print?street={placed.riverside.id}&copies=2")).text
    said = re.findall(r'<section class="poster"[^>]* aria-label="([^"]+)"', page)
    assert said == [f"临江街道 12-0{n} 登记站 p0{copy}" for n in (3, 4, 5) for copy in (1, 2)]
    assert "投票站" not in page


async def test_a_real_district_has_no_sample_mark(desk: Browser, app: FastAPI) -> None:
    from dataclasses import replace

    app.state.services = replace(app.state.services, sample=False)
    assert "示例数据" not in (await desk.get("/admin/posters/print?code=12-03")).text


@pytest.mark.parametrize("query", ["copies=51", "first=999&copies=2", "street=x", "street=1e5", "copies=-1"])
async def test_what_the_form_cannot_have_sent_is_refused(desk: Browser, query: str) -> None:
    assert (await desk.get(f"/admin/posters/print?{query}")).status_code == 422


async def test_nothing_to_print_is_said(desk: Browser) -> None:
    page = await desk.get("/admin/posters/print?code=99-99")
    assert page.status_code == 422
    assert "没有公开的登记站" in page.text


async def test_too_many_sheets_are_refused_with_their_number(desk: Browser, monkeypatch: Any) -> None:
    monkeypatch.setattr(pages, "MOST_SHEETS", 7)
    page = await desk.get("/admin/posters/print?copies=2")
    assert page.status_code == 422
    assert "现在是 8 张" in page.text
    assert 'value="2"' in page.text


async def test_a_hidden_station_gets_no_poster(desk: Browser, store: Store) -> None:
    async with store.transaction() as session:
        wanted = select(Station).where(Station.code == "12-03", Station.kind == StationKind.REGISTRATION)
        await hide(session, (await session.scalars(wanted)).one())
    assert "12-03" not in (await desk.get("/admin/posters/print")).text


async def test_without_a_public_address_there_is_a_warning(desk: Browser, app: FastAPI) -> None:
    app.state.doors = Doors()
    page = (await desk.get("/admin/posters/print?code=12-03")).text
    assert "还没有设置 PUBLIC_URL" in page
    assert links(page) == ["http://desk.test/?start=st_12-03__p01"]


async def test_telegram_out_of_reach_leaves_the_other_code(desk: Browser, app: FastAPI) -> None:
    async def away() -> str:
        raise OSError("no route")

    app.state.doors = Doors("https://desk.example", away)
    page = (await desk.get("/admin/posters/print?code=12-03")).text
    assert "Telegram 现在连不上" in page
    assert links(page) == ["https://desk.example/?start=st_12-03__p01"]


async def test_arrivals_are_shown_by_poster_and_day(desk: Browser, store: Store, clock: Clock) -> None:
    assert "还没有人扫码" in (await desk.get("/admin/posters")).text
    async with store.transaction() as session:
        for days, times in ((0, 3), (1, 2), (20, 4)):
            for _ in range(times):
                await posters.count(session, Scan("12-03", "p07"), now=clock() - timedelta(days=days))
        await posters.count(session, Scan("12-03"), now=clock())
        await posters.count(session, Scan("88-88", "p01"), now=clock())
    page = (await desk.get("/admin/posters")).text
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in page.split("<tr>")[2:]]
    figures = [[re.sub(r"<[^>]+>|\s+", "", cell) for cell in row[1:]] for row in rows]
    assert figures == [
        ["1", "1", *["–"] * 7],
        ["9", "3", "2", *["–"] * 5, "4"],
        ["1", "1", *["–"] * 7],
    ]
    assert "无编号" in page
    assert "p07" in page
    assert "已不公开" in page
    assert "11/20" in page


async def test_arrivals_of_one_street(desk: Browser, store: Store, clock: Clock, placed: Cast) -> None:
    async with store.transaction() as session:
        await posters.count(session, Scan("12-03", "p07"), now=clock())
        await posters.count(session, Scan("21-01", "p01"), now=clock())
    page = (await desk.get(f"/admin/posters?street={placed.north.id}")).text
    assert "21-01" in page
    assert "12-03" not in page.partition('id="counts"')[2]


async def test_english(desk: Browser, store: Store, placed: Cast) -> None:
    async with store.transaction() as session:
        (await session.get_one(type(placed.li_qiang), placed.li_qiang.id)).language = "en"
    assert "Nobody has scanned one yet" in (await desk.get("/admin/posters")).text


async def test_only_staff_may_print(placed: Cast, browsing: Callable[..., Browser]) -> None:
    for address in ("/admin/posters", "/admin/posters/print"):
        assert (await browsing().get(address)).status_code in (303, 401)


async def test_who_left_may_not(placed: Cast, signed_in: SignedIn) -> None:
    gone: Browser = await signed_in(placed.sun_jie)
    assert (await gone.get("/admin/posters")).status_code in (303, 401)
