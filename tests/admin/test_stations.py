"""The pages of stations: found, looked at, hidden at once, changed by two persons."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import pytest
import python_calamine

from admin import station_plot
from admin.station_plot import Point
from knowledge import station_shelf
from knowledge.live_stations import LiveStations
from knowledge.station_shelf import Filter, Standing
from knowledge.stations import Station, StationKind
from office.store import Store
from tests.admin.station_desk import count, demo_rows, installed, station, words
from tests.make import Cast


@pytest.fixture
async def stations(store: Store, cast: Cast, now: datetime) -> None:
    await installed(store, cast, now)


def form_of(page: str) -> dict[str, str]:
    """The fields of the station's form, as a browser would send them."""
    from html import unescape

    form = page[page.index('action="/admin/stations/') :]
    found = {
        name: unescape(value)
        for name, value in re.findall(
            r'<input class="input"[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', form
        )
    }
    for name, inside in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        found[name] = re.findall(r'<option value="([^"]*)" selected', inside)[0]
    for name, text in re.findall(r'<textarea[^>]*? name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL):
        found[name] = unescape(text)
    return found


# --- the list ---


async def test_without_stations_the_page_says_how_to_begin(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.li_qiang)
    page = (await browser.get("/admin/stations")).text
    assert "还没有登记站" in words(page)
    assert 'href="/admin/stations/template"' in page


async def test_all_stations_are_listed_with_what_holds_now(
    cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    shown = words((await browser.get("/admin/stations")).text)
    assert "登记站 18 个。 投票站 6 个。" in shown
    assert (
        "12-03 书香苑居委会登记站 登记站 临江街道 书香苑居委会 书院路88弄1号书香苑活动室 现在开放，到11:30"
        in shown
    )
    assert "12-01 滨河投票站 投票站 临江街道 滨河居委会 江堤路18号 未开放，12月29日（周二）7:00开" in shown


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("q=书香苑", {"12-03"}),
        ("q=13-05", {"13-04", "13-01"}),  # a group served, by either kind of station
        ("q=临江 投票", {"12-01", "12-03", "12-06"}),
        ("q=江堤路&kind=polling", {"12-01"}),
        ("q=0000-12340206", {"21-06"}),
        ("kind=polling&q=和兴街道", {"13-01", "13-06"}),
        ("state=hidden", {"12-08"}),
        ("state=no_hours", {"13-03"}),
        ("state=open&q=北塘镇", {"21-01", "21-03", "21-04", "21-06", "21-07", "21-08"}),
        ("q=１２－０３&kind=registration", {"12-03"}),
        ("q=%", set()),
        ("state=nonsense&kind=&street=x&page=0&q=荷塘", {"13-03"}),
    ],
)
async def test_stations_are_found_by_words_street_kind_and_state(
    store: Store,
    cast: Cast,
    stations: None,
    signed_in: Callable[..., Any],
    query: str,
    codes: set[str],
    now: datetime,
) -> None:
    hidden, closed = await station(store, "12-08"), await station(store, "13-03")
    async with store.transaction() as session:
        (await session.get_one(Station, hidden.id)).hidden = True
        (await session.get_one(Station, closed.id)).hours = []
    browser = await signed_in(cast.li_qiang)
    page = (await browser.get(f"/admin/stations?{query}")).text
    assert set(re.findall(r'<td data-label="编号" class="code">([^<]*)<', page)) == codes
    if not codes:
        assert "没有符合的站" in words(page)


async def test_tabs_count_within_the_other_conditions(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    page = (await browser.get("/admin/stations?q=北塘镇")).text
    assert "全部 7 现在开放 6 现在不开 1 没有开放时间 0 已停显 0" in words(page)
    street = re.search(r'<option value="(\d+)">北塘镇', page)
    assert street
    only = (await browser.get(f"/admin/stations?street={street[1]}&state=open")).text
    assert "共6个站" in words(only)


async def test_what_is_missing_is_told_with_the_way_to_it(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    row = await station(store, "13-03")
    async with store.transaction() as session:
        found = await session.get_one(Station, row.id)
        found.hours, found.latitude, found.longitude = [], None, None
    browser = await signed_in(cast.li_qiang)
    page = (await browser.get("/admin/stations")).text
    shown = words(page)
    assert "1个站没有开放时间： 13-03 荷塘居委会登记站" in shown
    assert "1个站没有位置，按距离找不到： 13-03 荷塘居委会登记站" in shown
    assert f'href="/admin/stations/{row.id}"' in page
    assert "另有1个站没有位置，只在表里" in shown


async def test_long_lists_have_pages(store: Store, cast: Cast, signed_in: Callable[..., Any]) -> None:
    async with store.transaction() as session:
        for number in range(60):
            session.add(
                Station(
                    kind=StationKind.REGISTRATION, code=f"12-{number:02}", name=f"{number}号站",
                    unit_id=cast.riverside.id, groups=[], address=f"示例路{number}号", hours=[], access=[],
                )
            )  # fmt: skip
    browser = await signed_in(cast.li_qiang)
    first = (await browser.get("/admin/stations?q=号站")).text
    assert len(re.findall(r"<tr data-row>", first)) == station_shelf.PAGE
    assert "/admin/stations?q=%E5%8F%B7%E7%AB%99&amp;page=2" in first
    second = (await browser.get("/admin/stations?q=号站&page=2")).text
    assert len(re.findall(r"<tr data-row>", second)) == 10


# --- the plot ---


async def test_each_point_is_a_link_with_words(
    cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    page = (await browser.get("/admin/stations")).text
    marks = re.findall(r'<a class="mark-link" href="(/admin/stations/\d+)" aria-label="([^"]+)">', page)
    assert len(marks) == 24
    assert ("12-03 书香苑居委会登记站，临江街道") in {label for _, label in marks}
    assert "https://" not in page.split("<svg viewBox", 1)[1].split("</figure>")[0]


async def test_a_point_far_outside_is_marked_and_named(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    row = await station(store, "21-07")
    async with store.transaction() as session:
        found = await session.get_one(Station, row.id)
        found.latitude, found.longitude = 21.9308, 31.062
    browser = await signed_in(cast.li_qiang)
    page = (await browser.get("/admin/stations")).text
    assert "这些位置明显在外，请核对经纬度 21-07 盐场登记站，北塘镇，位置明显在外" in words(page)
    assert page.count('class="point-outside"') == 2  # the point itself and the key


def test_north_is_up_and_east_is_right() -> None:
    found = station_plot.plot([Point(31.0, 121.9, 0), Point(31.01, 121.9, 0), Point(31.0, 121.92, 1)])
    assert found is not None
    middle, north, east = found.marks
    assert north.y < middle.y
    assert north.x == middle.x
    assert east.x > middle.x
    assert east.y == middle.y
    # One sheet, one scale: 0.01 degrees north are 1113 m, 0.02 east at this latitude 1908 m.
    assert (east.x - middle.x) / (middle.y - north.y) == pytest.approx(1908 / 1113, rel=0.01)
    metres, length = found.scale
    assert length * found.metres == pytest.approx(metres)
    assert 100 <= length <= 500 / 2


def test_one_swapped_position_does_not_shrink_the_others() -> None:
    near = [Point(31 + n / 1000, 121.9 + n % 5 / 1000, n % 3) for n in range(40)]
    alone = station_plot.plot(near)
    beside = station_plot.plot([*near, Point(-31.0, 11.9, 1)])
    assert alone is not None
    assert beside is not None
    assert [mark.outside for mark in beside.marks] == [False] * 40 + [True]
    assert beside.metres == pytest.approx(alone.metres, rel=0.2)
    for mark in beside.marks:
        assert 0 <= mark.x <= beside.width
        assert 0 <= mark.y <= beside.height


def test_one_point_and_none_have_a_sheet_too() -> None:
    assert station_plot.plot([]) is None
    single = station_plot.plot([Point(31.0, 121.9, 0)])
    assert single is not None
    assert (single.marks[0].x, single.marks[0].y) == (single.width / 2, single.height / 2)
    assert not single.marks[0].outside


def test_points_on_top_of_each_other_are_moved_apart() -> None:
    spread = [Point(31 + n / 500, 121.9 + n % 5 / 500, 0) for n in range(10)]
    found = station_plot.plot([*spread, *[Point(31.0101, 121.9041, n % 3) for n in range(8)]])
    assert found is not None
    assert len(found.marks) == 18
    places = [(mark.x, mark.y) for mark in found.marks]
    for number, one in enumerate(places):
        assert 0 <= one[0] <= found.width
        assert 0 <= one[1] <= found.height
        for other in places[:number]:
            assert math.dist(one, other) >= 20, (one, other)


def test_thousands_share_marks_and_none_is_lost() -> None:
    points = [Point(31 + n // 100 / 500, 121.9 + n % 100 / 500, n % 4) for n in range(10_000)]
    found = station_plot.plot(points)
    assert found is not None
    assert len(found.marks) < 2_500
    assert sorted(number for mark in found.marks for number in mark.members) == list(range(10_000))
    for mark in found.marks:
        assert {points[number].street for number in mark.members} == {mark.street}


def test_thirty_six_streets_have_marks_of_their_own() -> None:
    looks = {(mark.shape, mark.colour) for n in range(36) for mark in (station_plot.Mark(0, 0, n, ()),)}
    assert len(looks) == 36


# --- one station ---


async def test_a_station_shows_all_there_is(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    row = await station(store, "12-03")
    browser = await signed_in(cast.li_qiang)
    page = (await browser.get(f"/admin/stations/{row.id}")).text
    shown = words(page)
    for told in (
        "12-03 书香苑居委会登记站 现在开放，到11:30",
        "书院路88弄1号书香苑活动室",
        "11月16日至12月5日 周一至周五 9:00–11:30、13:30–17:00",
        "无障碍坡道、在一楼、备有老花镜",
        "双休日只开一个窗口",
        "31.0035, 121.9064",
        "服务的选民小组 12-03 12-04",
        "随程序安装 新增了这个站 已签发",
    ):
        assert told in shown, told
    assert f'href="/admin/posters/print?code={row.code}"' in page
    assert (await browser.get("/admin/stations/999")).status_code == 404


async def test_a_reviewer_hides_and_shows_at_once_with_a_reason(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    row, live = await station(store, "12-03"), LiveStations()
    address = f"/admin/stations/{row.id}"

    async def found_by_voters() -> bool:
        async with store.reading() as session:
            await live.refresh(session)
        return live.index.by_code("12-03") is not None and live.index.by_code("12-03").kind == "registration"

    assert await found_by_voters()
    wang_fang, li_qiang = await signed_in(cast.wang_fang), await signed_in(cast.li_qiang)
    assert "马上停显" not in (await li_qiang.get(address)).text
    assert (await li_qiang.post(f"{address}/hide", {"why": "漏水", "version": "1"})).status_code == 403
    await wang_fang.get(address)
    unreasoned = await wang_fang.post(f"{address}/hide", {"why": " "})
    assert unreasoned.status_code == 422
    assert (await wang_fang.post(f"{address}/hide", {"why": "漏水，临时关闭"})).status_code == 303
    assert not await found_by_voters()
    shown = words((await wang_fang.get(address)).text)
    assert "这个站已停显，群众查不到 漏水，临时关闭" in shown
    assert shown.count("王芳") >= 2  # the menu and the history
    # Somebody whose page is older does not show it again by accident.
    stale = await wang_fang.post(f"{address}/show", {"version": str(row.version)})
    assert stale.status_code == 409
    await wang_fang.get(address)
    assert (await wang_fang.post(f"{address}/show")).status_code == 303
    assert await found_by_voters()
    history = words((await wang_fang.get(address)).text)
    assert "王芳 停显了这个站" in history
    assert "王芳 重新显示了这个站" in history


async def test_a_town_hides_only_its_own(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    row = await station(store, "12-03")
    browser = await signed_in(cast.zhao_lei)
    page = (await browser.get(f"/admin/stations/{row.id}")).text
    assert f"/admin/stations/{row.id}/edit" not in page
    fields = form_of((await browser.get(f"/admin/stations/{row.id}/edit")).text)
    refused = await browser.post(
        f"/admin/stations/{row.id}/edit", fields | {"phone": "0000-1", "basis": "依据", "then": "propose"}
    )
    assert refused.status_code in (403, 404, 422)
    assert (await station(store, "12-03")).phone == row.phone


# --- changed by a proposal ---


async def test_the_form_shows_the_station_and_changes_nothing_by_itself(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    for code in ("12-01", "12-03", "13-06"):
        row = await station(store, code)
        fields = form_of((await browser.get(f"/admin/stations/{row.id}/edit")).text)
        assert fields["unit"] == ("临江街道" if code < "13" else "和兴街道")
        same = await browser.post(
            f"/admin/stations/{row.id}/edit", fields | {"basis": "依据", "then": "propose"}
        )
        assert same.status_code == 422, code
        assert "没有" in words(same.text)
    polling = await station(store, "12-01", StationKind.POLLING)
    fields = form_of((await browser.get(f"/admin/stations/{polling.id}/edit")).text)
    assert fields["kind"] == "投票站"
    assert (fields["hours_0_from"], fields["hours_0_to"], fields["hours_0_times"]) == (
        "2026-12-29",
        "",
        "7:00-18:00",
    )


async def test_a_change_of_one_station_takes_two_persons_and_can_be_undone(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    row = await station(store, "12-03")
    address = f"/admin/stations/{row.id}/edit"
    li_qiang, wang_fang = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    fields = form_of((await li_qiang.get(address)).text)
    assert fields["hours_0_weekdays"] == "周一至周五"
    fields |= {
        "address": "书院路90号", "hours_1_from": "2026-11-28", "hours_1_to": "", "hours_1_weekdays": "",
        "hours_1_times": "9:00 - 12:00", "basis": "街道来函", "then": "propose",
    }  # fmt: skip
    sent = await li_qiang.post(address, fields)
    assert sent.status_code == 303, words(sent.text)
    change = sent.headers["location"].partition("?")[0]
    assert (await station(store, "12-03")).address == row.address
    full = words((await wang_fang.get(f"/admin/stations/imports/{change.rsplit('/', 1)[1]}")).text)
    assert "12-03 登记站 书香苑居委会登记站 地址 书院路88弄1号书香苑活动室 书院路90号" in full
    assert "11月28日（周六） 9:00–12:00" in full
    signing = words((await wang_fang.get(change)).text)
    assert "开放时间：11月16日至12月5日 周一至周五 9:00–11:30" in signing
    assert "11月28日（周六） 9:00–12:00" in signing
    assert "2026-11-28" not in signing
    assert (await wang_fang.post(f"{change}/sign")).status_code == 303
    signed = words((await wang_fang.get(change)).text)
    assert "站点改动已生效" in signed
    assert "station.publish" not in signed
    changed = await station(store, "12-03")
    assert changed.address == "书院路90号"
    assert changed.hours[1] == {
        "from": "2026-11-28", "to": "2026-11-28", "weekdays": "1-7", "spans": ["9:00-12:00"]
    }  # fmt: skip
    history = words((await wang_fang.get(f"/admin/stations/{row.id}")).text)
    assert "李强 改了：地址、开放时间 已签发" in history
    await wang_fang.get(change)
    assert (await wang_fang.post(f"{change}/undo", {"sure": "1"})).status_code == 303
    assert (await station(store, "12-03")).address == row.address


async def test_a_faulty_form_names_the_fields_and_keeps_what_was_typed(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    row = await station(store, "12-03")
    address = f"/admin/stations/{row.id}/edit"
    browser = await signed_in(cast.li_qiang)
    fields = form_of((await browser.get(address)).text) | {
        "code": "12之3", "unit": "南海街道", "phone": "打给我", "latitude": "121.9", "longitude": "31.0",
        "hours_1_times": "九点到", "basis": "街道来函 <b>", "then": "propose",
    }  # fmt: skip
    refused = await browser.post(address, fields)
    assert refused.status_code == 422
    page = refused.text
    for name in ("code", "unit", "phone", "latitude", "hours_1_from"):
        assert re.search(rf'id="{name}"[^>]*aria-invalid="true"', page), name
    assert not re.search(r'id="hours_0_from"[^>]*aria-invalid', page)
    assert 'href="#code"' in page
    kept = form_of(page)
    assert {name: kept[name] for name in fields if name != "then"} == {
        name: value for name, value in fields.items() if name != "then"
    }
    more = form_of((await browser.post(address, fields | {"then": "more"})).text)
    assert more["hours_1_times"] == "九点到"
    assert "hours_5_from" in more


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"note": "长" * 2001}, "备注 ：太长，最多2000个字"),
        ({"note": "11010119900307" + "7272"}, "备注 ：像有身份证号"),
        ({"note": "12月1日起停用"}, "备注 ：不要写日期“12月1日”，日期写在开放时间里"),
        ({}, "没有改动，不用提交"),
    ],
)
async def test_the_form_speaks_of_fields_and_not_of_rows_and_files(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any], typed: dict[str, str], told: str
) -> None:
    row = await station(store, "12-03")
    address = f"/admin/stations/{row.id}/edit"
    browser = await signed_in(cast.li_qiang)
    fields = form_of((await browser.get(address)).text) | typed | {"basis": "来函", "then": "propose"}
    refused = await browser.post(address, fields)
    assert refused.status_code == 422
    shown = words(refused.text)
    assert told in shown
    assert "文件" not in shown.split("基本情况")[0].split("修改 12-03")[-1]


async def test_what_waits_already_is_linked_where_a_second_proposal_is_refused(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    row = await station(store, "12-03")
    address = f"/admin/stations/{row.id}/edit"
    browser = await signed_in(cast.li_qiang)
    fields = form_of((await browser.get(address)).text) | {
        "address": "书院路90号", "basis": "街道来函", "then": "propose",
    }  # fmt: skip
    sent = await browser.post(address, fields)
    change = sent.headers["location"].partition("?")[0]
    again = await browser.post(address, fields)
    assert again.status_code == 409
    assert f'<a href="{change}">' in again.text
    removal = await browser.post(f"/admin/stations/{row.id}/remove", {"basis": "街道来函"})
    assert removal.status_code == 409
    assert f'<a href="{change}">' in removal.text


async def test_a_new_station_is_proposed_and_a_known_code_refused(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    li_qiang, wang_fang = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    fields = form_of((await li_qiang.get("/admin/stations/new")).text) | {
        "code": "12-03", "name": "新苑登记站", "unit": "临江街道", "address": "新苑路1号",
        "hours_0_from": "2026-11-25", "hours_0_to": "2026-12-05", "hours_0_weekdays": "每天",
        "hours_0_times": "9:00-17:00", "basis": "街道来函", "then": "propose",
    }  # fmt: skip
    taken = await li_qiang.post("/admin/stations/new", fields)
    assert taken.status_code == 422
    assert re.search(r'id="code"[^>]*aria-invalid="true"', taken.text)
    sent = await li_qiang.post("/admin/stations/new", fields | {"code": "12-33", "groups": "12-33"})
    change = sent.headers["location"].partition("?")[0]
    await wang_fang.get(change)
    assert (await wang_fang.post(f"{change}/sign")).status_code == 303
    assert (await station(store, "12-33")).name == "新苑登记站"


async def test_a_removal_takes_two_persons_too(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    row = await station(store, "12-08")
    li_qiang, wang_fang = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    await li_qiang.get(f"/admin/stations/{row.id}")
    unfounded = await li_qiang.post(f"/admin/stations/{row.id}/remove", {"basis": " "})
    assert unfounded.status_code == 422
    sent = await li_qiang.post(f"/admin/stations/{row.id}/remove", {"basis": "并入社区中心"})
    change = sent.headers["location"].partition("?")[0]
    assert await count(store) == 24
    full = words((await wang_fang.get(f"/admin/stations/imports/{change.rsplit('/', 1)[1]}")).text)
    assert "删去的站（1个） 12-08 登记站 望潮居委会登记站" in full
    await wang_fang.get(change)
    await wang_fang.post(f"{change}/sign")
    assert await count(store) == 23
    await wang_fang.get(change)
    await wang_fang.post(f"{change}/undo", {"sure": "1"})
    assert (await station(store, "12-08")).name == row.name


# --- files ---


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_an_exported_file_changes_nothing_when_it_comes_back(
    cast: Cast, stations: None, signed_in: Callable[..., Any], kind: str
) -> None:
    browser = await signed_in(cast.li_qiang)
    exported = await browser.get(f"/admin/stations/export?format={kind}")
    named = exported.headers["content-disposition"]
    assert named.startswith(f'attachment; filename="stations.{kind}"')
    assert unquote(named).endswith(f"登记站和投票站.{kind}")
    await browser.get("/admin/stations/import")
    file = {"file": (f"stations.{kind}", exported.content, "application/octet-stream")}
    looked = words((await browser.post("/admin/stations/import", {"then": "look"}, files=file)).text)
    assert "新增 0 改动 0 删去 0 不变 24" in looked
    assert "和现有的一样，不用导入" in looked
    assert (await browser.get("/admin/stations/export?format=exe")).status_code == 422


async def test_the_template_has_the_headings_and_can_be_filled_in(
    cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    content = (await browser.get("/admin/stations/template")).content
    rows = python_calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[0] == demo_rows()[0].split(",")


def test_a_station_stands_in_one_way_at_a_time() -> None:
    assert Filter() == Filter(words="", street=0, kind=None, standing=None)
    assert {standing.value for standing in Standing} == {"open", "closed", "no_hours", "hidden"}


@pytest.mark.parametrize(
    "address",
    [
        "/admin/stations",
        "/admin/stations/{id}",
        "/admin/stations/{id}/edit",
        "/admin/stations/new",
        "/admin/stations/import",
    ],
)
async def test_every_page_has_english_words(
    store: Store, cast: Cast, stations: None, signed_in: Callable[..., Any], address: str
) -> None:
    async with store.transaction() as session:
        person = await session.merge(cast.wang_fang)
        person.language = "en"
    browser = await signed_in(cast.wang_fang)
    row = await station(store, "12-03")
    page = await browser.get(address.format(id=row.id))
    assert page.status_code == 200
    assert '<html lang="en"' in page.text
    assert "tation" in words(page.text)
