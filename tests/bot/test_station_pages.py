"""The public pages of the stations, and what the web chat does with a QR code and with where somebody is."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from bot import app
from bot.app import Machine
from bot.channels.web import MailboxItem
from bot.settings import Settings
from knowledge.stations import PosterCount, Station, StationKind
from office.contacts import Contact
from office.store import Base, Store
from tests.bot.conftest import ADDRESS, Visitor, hidden, new_id
from tests.conftest import NOW
from tests.make import Cast
from tests.station_places import LATITUDE, LONGITUDE, a_station, hide, some_stations
from ticketing.ledgers import Enquiry

Visitors = Callable[..., Visitor]
PAGES = ["/stations", "/stations?q=书香苑", "/stations/registration-12-03", "/stations/polling-12-03"]


@pytest.fixture
async def placed(machine: Machine, cast: Cast) -> Machine:
    async with machine.desk.store.transaction() as session:
        await some_stations(session, cast)
        await a_station(
            session,
            cast.riverside,
            "12-03",
            "书香苑投票站",
            kind=StationKind.POLLING,
            near="书香苑小区南门",
            address="临江路示例弄5号",
        )
    return machine


# ---- pages ----


async def test_all_stations_are_listed_with_what_they_are_now(placed: Machine, visitor: Visitors) -> None:
    page = (await visitor().client.get("/stations")).text
    for words in (
        "临江街道 12-03 登记站",
        "临江街道 12-03 投票站",
        "北塘镇 21-01 登记站",
        "现在开放",
        "共5个",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("asked", "there", "away"),
    [
        ({"q": "书香苑"}, ["12-03 登记站", "12-03 投票站"], ["12-04", "21-01"]),
        ({"q": "书香苑", "kind": "polling"}, ["12-03 投票站"], ["12-03 登记站"]),
        ({"q": "12-04"}, ["12-04 登记站"], ["12-03"]),
        ({"q": "北塘镇"}, ["21-01"], ["12-03"]),
        ({"kind": "polling"}, ["12-03 投票站"], ["登记站</strong>"]),
        ({"q": "%"}, ["没有找到"], ["12-03 登记站"]),
        ({"q": "天涯海角新村"}, ["没有找到"], ["12-03 登记站"]),
        ({"kind": "nonsense"}, ["12-03 登记站", "21-01"], []),
    ],
)
async def test_search_and_filters(
    placed: Machine, visitor: Visitors, asked: dict[str, str], there: list[str], away: list[str]
) -> None:
    page = (await visitor().client.get("/stations", params=asked)).text
    for words in there:
        assert words in page
    for words in away:
        assert words not in page


async def test_one_street_alone(placed: Machine, cast: Cast, visitor: Visitors) -> None:
    page = (await visitor().client.get("/stations", params={"street": str(cast.north.id)})).text
    assert "21-01" in page
    assert "12-03" not in page
    assert re.search(rf'<option value="{cast.north.id}" selected>北塘镇', page)


async def test_many_stations_come_in_pages(machine: Machine, cast: Cast, visitor: Visitors) -> None:
    async with machine.desk.store.transaction() as session:
        for number in range(35):
            await a_station(session, cast.north, f"41-{number + 10}", f"第{number}登记站", groups=[])
    client = visitor().client
    first = (await client.get("/stations")).text
    assert "41-10" in first
    assert "41-44" not in first
    second = (await client.get("/stations?page=2")).text
    assert "41-44" in second
    assert (await client.get("/stations?page=99")).text.count("41-44") == second.count("41-44")


async def test_a_station_to_read_and_print(placed: Machine, visitor: Visitors) -> None:
    page = (await visitor().client.get("/stations/registration-12-03")).text
    for words in (
        "临江街道 12-03 登记站",
        "书香苑居委会登记站",
        "临江路示例弄3号（书香苑小区北门）",
        "0000-11110003",
        "现在开放，到11:30",
        "进行中，还剩15天",
        "无障碍坡道",
        'href="/?start=st_12-03__web"',
        'href="/where"',
        "data-print",
    ):
        assert words in page


async def test_a_polling_station_says_whose_it_is(placed: Machine, visitor: Visitors) -> None:
    page = (await visitor().client.get("/stations/polling-12-03")).text
    assert "临江路示例弄5号" in page
    assert "只能在自己所在选区的投票站投票" in page
    assert 'href="/where"' not in page


@pytest.mark.parametrize(
    "address",
    ["registration-99-99", "polling-12-04", "12-03", "registration-12-03x", "registration-１２-03", "x"],
)
async def test_what_is_not_shown_is_not_there(placed: Machine, visitor: Visitors, address: str) -> None:
    answer = await visitor().client.get(f"/stations/{address}")
    assert answer.status_code == 404
    assert "没有这个登记站" in answer.text


async def test_a_hidden_station_is_gone_at_once(placed: Machine, visitor: Visitors) -> None:
    client = visitor().client
    assert (await client.get("/stations/registration-12-03")).status_code == 200
    async with placed.desk.store.transaction() as session:
        row = (
            await session.scalars(
                select(Station).where(Station.code == "12-03", Station.kind == StationKind.REGISTRATION)
            )
        ).one()
        await hide(session, row)
    assert (await client.get("/stations/registration-12-03")).status_code == 404
    assert "12-03 登记站" not in (await client.get("/stations")).text


async def test_without_any_station_the_phone_is_there(visitor: Visitors) -> None:
    page = (await visitor().client.get("/stations")).text
    assert "还没有公布登记站" in page
    assert "0000-12345678" in page


async def test_english(placed: Machine, visitor: Visitors) -> None:
    someone = visitor()
    await someone.open()
    await someone.client.post("/language", data={"csrf": someone.csrf, "lang": "en"})
    page = (await someone.client.get("/stations/registration-12-03")).text
    assert "临江街道 12-03 registration station" in page
    assert "ramp, reading glasses" in page


@pytest.mark.parametrize("address", PAGES)
async def test_pages_load_nothing_from_elsewhere(placed: Machine, visitor: Visitors, address: str) -> None:
    answer = await visitor().client.get(address)
    assert answer.status_code == 200
    for opening in ('src="http', 'href="http', "url(http", 'src="//', "@import", "<script>", " style="):
        assert opening not in answer.text


# ---- the QR code in the web chat ----


def arrival(page: str) -> dict[str, str]:
    form = re.search(r"<form[^>]*data-arrival[^>]*>(.*?)</form>", page, re.DOTALL)
    assert form, "no form to begin with"
    return {name: hidden(form[1], name) for name in ("csrf", "event_id", "start")}


async def counts(machine: Machine) -> list[tuple[str, str, int]]:
    async with machine.desk.store.reading() as session:
        rows = (await session.scalars(select(PosterCount))).all()
    return [(row.code, row.source, row.count) for row in rows]


async def test_looking_at_the_link_counts_nobody(placed: Machine, visitor: Visitors) -> None:
    someone = visitor()
    for _ in range(2):
        page = await someone.client.get("/?start=st_12-03__p07")
        assert page.status_code == 200
    assert await counts(placed) == []
    async with placed.desk.store.reading() as session:
        assert (await session.scalars(select(Contact).where(Contact.channel == "web"))).all() == []


async def test_without_script_one_button_begins_and_begins_once(placed: Machine, visitor: Visitors) -> None:
    someone = visitor()
    fields = arrival((await someone.client.get("/?start=st_12-03__p07")).text)
    for _ in range(2):
        answer = await someone.client.post("/chat/messages", data=fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/#newest")
    page = (await someone.open()).text
    assert page.count("您扫描的是“临江街道 12-03 登记站”") == 1
    assert "您好！我是东浦选举咨询助手" in page
    assert "data-arrival" not in page
    assert await counts(placed) == [("12-03", "p07", 1)]


async def test_the_same_visitor_counts_once(placed: Machine, visitor: Visitors) -> None:
    someone = visitor()
    for _ in range(2):
        fields = arrival((await someone.client.get("/?start=st_12-03__p07")).text)
        await someone.client.post("/chat/messages", data=fields)
    assert await counts(placed) == [("12-03", "p07", 1)]


@pytest.mark.parametrize("start", ["st_99-99", "st_12-03__P7", "x" * 300, "<script>", "st_12-03 ", "st_"])
async def test_a_wrong_link_asks_for_the_street(placed: Machine, visitor: Visitors, start: str) -> None:
    someone = visitor()
    page = await someone.client.get("/", params={"start": start})
    assert "<script>" not in page.text
    fields = arrival(page.text)
    await someone.client.post("/chat/messages", data=fields)
    assert "这个二维码已更新，请选择您所在的街镇" in (await someone.open()).text
    assert await counts(placed) == []


# ---- where somebody is ----


async def tells(someone: Visitor, latitude: str, longitude: str) -> Any:
    await someone.open()
    return await someone.client.post(
        "/chat/messages",
        data={"csrf": someone.csrf, "event_id": new_id(), "latitude": latitude, "longitude": longitude},
        headers={"accept": "application/json"},
    )


async def test_a_position_is_answered_and_written_down_nowhere(placed: Machine, visitor: Visitors) -> None:
    someone = visitor()
    answer = await tells(someone, "30.503321", "125.001234")
    said, found = answer.json()["items"]
    assert "我的位置（用后丢弃）" in said["html"]
    assert "12-03" in found["html"]
    assert "500米以内" in found["html"]
    async with placed.desk.store.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in (await session.execute(text(f'SELECT * FROM "{table.name}"'))).mappings():
                written = json.dumps(dict(row), default=str)
                assert "30.503" not in written, table.name
                assert "125.001" not in written, table.name
        assert (await session.scalars(select(Enquiry))).all() == []
    assert "30.503" not in (await someone.open()).text


async def test_the_same_position_sent_twice_is_answered_once(placed: Machine, visitor: Visitors) -> None:
    someone = visitor()
    await someone.open()
    fields = {"csrf": someone.csrf, "event_id": new_id(), "latitude": "30.5", "longitude": "125.0"}
    for _ in range(2):
        await someone.client.post("/chat/messages", data=fields)
    async with placed.desk.store.reading() as session:
        assert len((await session.scalars(select(MailboxItem))).all()) == 2


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        ("91", "0"),
        ("0", "181"),
        ("nan", "0"),
        ("", "1"),
        ("1", ""),
        ("1e5", "1"),
        ("30.5; DROP", "1"),
        ("３０", "1"),
    ],
)
async def test_what_is_no_position_is_refused(
    placed: Machine, visitor: Visitors, latitude: str, longitude: str
) -> None:
    answer = await tells(visitor(), latitude, longitude)
    assert answer.status_code == 422


async def test_only_the_conversation_may_ask_the_browser(placed: Machine, visitor: Visitors) -> None:
    client = visitor().client
    assert "geolocation=(self)" in (await client.get("/")).headers["permissions-policy"]
    for address in ("/stations", "/entries", "/privacy"):
        assert "geolocation=()" in (await client.get(address)).headers["permissions-policy"]


async def test_the_map_is_a_card_with_the_address(placed: Machine, visitor: Visitors) -> None:
    someone = visitor()
    await someone.ask("12-03登记站在哪")
    (item,) = await someone.tap("地图")
    assert '<div class="venue">' in item["html"]
    assert "临江路示例弄3号" in item["html"]
    assert str(LONGITUDE) not in item["html"]
    assert "临江路示例弄3号" in (await someone.open()).text


async def test_the_card_leads_to_the_page_to_print(placed: Machine, visitor: Visitors) -> None:
    (_, card) = await visitor().ask("12-03登记站在哪")
    assert 'href="/stations/registration-12-03"' in card["html"]


async def test_names_are_escaped_on_cards_and_pages(machine: Machine, cast: Cast, visitor: Visitors) -> None:
    async with machine.desk.store.transaction() as session:
        await a_station(
            session,
            cast.riverside,
            name="<b>登记站</b>&",
            address='路"><script>1</script>',
            near="",
            groups=[],
            latitude=LATITUDE,
            longitude=LONGITUDE,
        )
    someone = visitor()
    await someone.ask("12-03登记站在哪")
    await someone.tap("地图")
    for page in (
        (await someone.open()).text,
        (await someone.client.get("/stations/registration-12-03")).text,
    ):
        assert "<script>1" not in page
        assert "<b>登记站" not in page


async def test_a_stranger_is_greeted_although_the_clock_goes_on(store: Store, cast: Cast, bare: Path) -> None:
    """The page looks at the clock a moment before the conversation does."""
    ticks = (NOW + timedelta(seconds=number) for number in itertools.count())
    settings = Settings(database_url=store.url, data_dir=bare / "data")
    made = app.build(settings, clock=lambda: next(ticks))
    async with store.transaction() as session:
        await a_station(session, cast.riverside)
    transport = httpx.ASGITransport(app=app.application(made), client=("192.0.2.1", 40000))
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        someone = Visitor(client)
        for greeted in (1, 1):
            fields = arrival((await client.get("/?start=st_12-03__p07")).text)
            await client.post("/chat/messages", data=fields)
            assert (await someone.open()).text.count("您好！我是东浦选举咨询助手") == greeted
    await made.close()


async def test_on_paper_stands_nothing_that_holds_for_a_moment(placed: Machine, visitor: Visitors) -> None:
    page = (await visitor().client.get("/stations/registration-12-03")).text
    assert re.search(r'<p class="no-print">(?:(?!</p>).)*现在开放', page, re.DOTALL)
    assert '<span class="station-hours no-print">11月16日至12月5日 周一至周五' in page
    assert re.search(r'class="station-printed"[^>]*>[^<（]*13:30–17:00<', page)
    assert "打印日期：11月20日（周五）" in page
