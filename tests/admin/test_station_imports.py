"""A file of stations through the pages: looked at, proposed without its bad rows, published, undone."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import python_calamine
from sqlalchemy import select

from knowledge import station_reports
from knowledge.station_rows import Fault
from office.changes import Change, ChangeKind
from office.store import Store
from tests.admin.conftest import Browser
from tests.admin.station_desk import a_file, count, demo_rows, installed, station, words
from tests.make import Cast

ADDRESS = "/admin/stations/import"
HEADING = demo_rows()[0]


@pytest.fixture
async def stations(store: Store, cast: Cast, now: datetime) -> None:
    await installed(store, cast, now)


@pytest.fixture
async def li_qiang(cast: Cast, signed_in: Callable[..., Any]) -> Browser:
    made: Browser = await signed_in(cast.li_qiang)
    await made.get(ADDRESS)
    return made


@pytest.fixture
async def wang_fang(cast: Cast, signed_in: Callable[..., Any]) -> Browser:
    made: Browser = await signed_in(cast.wang_fang)
    return made


def a_row(number: int, **changes: str) -> str:
    """A sound row of 临江街道; the code tells its number."""
    cells = {
        "类型": "登记站",
        "编号": f"{30 + number // 100}-{number % 100:02}",
        "名称": f"示例{number}号登记站",
        "所属街镇": "临江街道",
        "居村": f"示例{number % 60}居委会",
        "服务小组": f"{30 + number // 100}-{number % 100:02}",
        "地址": f"示例路{number}号",
        "附近": "",
        "乘车": "",
        "开放时间": "2026-11-16至2026-12-05 每天 9:00-17:00",
        "电话": f"0000-{50000000 + number}",
        "无障碍": "一楼",
        "备注": "",
        "纬度": f"{31 + number % 71 / 2000:.4f}",
        "经度": f"{121.9 + number // 71 / 2000:.4f}",
    } | changes
    return ",".join(cells[name] for name in HEADING.split(","))


def kept(page: str) -> dict[str, str]:
    """The hidden fields with which the page brings its file back."""
    form = page[page.index('<form method="post" action="/admin/stations/import"') :].split("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">', form))


async def looked_at(browser: Browser, lines: list[str], **fields: str) -> str:
    answer = await browser.post(ADDRESS, {"then": "look", **fields}, **a_file(lines))
    assert answer.status_code == 200, words(answer.text)
    return answer.text


async def changes_of_stations(store: Store) -> list[Change]:
    async with store.reading() as session:
        rows = await session.scalars(select(Change).where(Change.kind == ChangeKind.STATIONS))
        return list(rows)


# --- looking ---


async def test_a_look_tells_faults_and_differences_and_changes_nothing(
    store: Store, stations: None, li_qiang: Browser
) -> None:
    rows = demo_rows()
    rows[2] = rows[2].replace("书院路88弄1号书香苑活动室", "书院路90号")
    rows += [
        a_row(1),
        a_row(2, 所属街镇="没有的街道"),
        a_row(3, 编号="12-01", 名称="又一个"),
        a_row(4, 开放时间=""),
    ]
    page = await looked_at(li_qiang, rows)
    shown = words(page)
    assert "“登记站.csv”已经看过，还没有提交，什么都没有变。" in shown
    assert "4行有错，先不导入" in shown
    assert "新增 1 改动 1 删去 0 不变 22" in shown
    assert "12-03 登记站 书香苑居委会登记站 地址 书院路88弄1号书香苑活动室 书院路90号" in shown
    assert "新增的站（1个） 30-01 登记站 示例1号登记站" in shown
    for number, column in ((2, "编号"), (27, "所属街镇"), (28, "编号"), (29, "开放时间")):
        assert re.search(
            rf'<td data-label="行" class="code">{number}</td>.*?<td data-label="列">{column}</td>',
            page,
            re.DOTALL,
        ), number
    assert len(await changes_of_stations(store)) == 1  # the installation's own
    assert await count(store) == 24


async def test_the_two_modes_differ_in_what_is_missing(
    store: Store, stations: None, li_qiang: Browser
) -> None:
    few = demo_rows()[:19]
    assert "新增 0 改动 0 删去 0 不变 18" in words(await looked_at(li_qiang, few, mode="add"))
    page = await looked_at(li_qiang, few, mode="replace")
    assert "新增 0 改动 0 删去 6 不变 18" in words(page)
    assert "东浦区范围内文件里没有的站，删去" in words(page)
    assert kept(page)["mode"] == "replace"


async def test_a_file_that_removes_most_stations_must_be_seen_and_ticked(
    store: Store, stations: None, li_qiang: Browser
) -> None:
    page = await looked_at(li_qiang, demo_rows()[:2], mode="replace")
    beside = words(page[page.index('id="do"') : page.index('value="propose"')])
    assert "这23个站会删去，请逐个核对" in beside
    assert "13-06 登记站" in beside
    assert "这些站确实不再使用" in beside
    assert re.search(r'<input type="checkbox" name="removal_meant" value="1" required="">', page)
    sent = kept(page) | {"then": "propose", "basis": "来函"}
    refused = await li_qiang.post(ADDRESS, sent, files={"none": ("", b"")})
    assert refused.status_code == 422
    assert "有23个站会删去" in words(refused.text)
    assert len(await changes_of_stations(store)) == 1
    ticked = await li_qiang.post(ADDRESS, sent | {"removal_meant": "1"}, files={"none": ("", b"")})
    assert ticked.status_code == 303, words(ticked.text)


async def test_a_mistyped_code_removes_nothing_unseen(stations: None, li_qiang: Browser) -> None:
    lines = [
        line.replace(",13-06,", ",13-07,", 1) if "登记站,13-06" in line else line for line in demo_rows()
    ]
    page = await looked_at(li_qiang, lines, mode="replace")
    shown = words(page)
    assert "2行有错，先不导入" in shown
    assert "新增 0 改动 0 删去 1 不变 22" in shown
    assert "还有2行有错。删去的站也许就在错行里" in shown


async def test_a_cell_that_is_too_long_is_named_with_row_and_column(
    stations: None, li_qiang: Browser
) -> None:
    lines = [HEADING, a_row(1), a_row(2, 备注="长" * 2001)]
    refused = await li_qiang.post(ADDRESS, {"then": "look"}, **a_file(lines))
    assert refused.status_code == 422
    assert "第3行“备注”超过2000个字" in words(refused.text)


async def test_an_over_long_basis_is_told_at_its_field(stations: None, li_qiang: Browser) -> None:
    page = await looked_at(li_qiang, [HEADING, a_row(1)])
    assert 'maxlength="2000"' in page
    refused = await li_qiang.post(
        ADDRESS, kept(page) | {"then": "propose", "basis": "据" * 2001}, files={"none": ("", b"")}
    )
    assert refused.status_code == 422
    assert re.search(r'<textarea[^>]*id="basis"[^>]*aria-invalid="true"', refused.text)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.xlsx", b"PK\x03\x04 no workbook", ""),
        ("a.csv", b"\xff\xff\xff", ""),
        ("a.csv", "名称,地址\n甲,乙\n".encode(), "编号"),
        ("a.csv", (HEADING + ",身份证号\n" + a_row(1) + ",x\n").encode(), "身份证号"),
        ("a.xls", b"\xd0\xcf\x11\xe0", ""),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_in_words_and_another_can_be_chosen(
    stations: None, li_qiang: Browser, name: str, content: bytes, told: str
) -> None:
    refused = await li_qiang.post(ADDRESS, {"then": "look"}, files={"file": (name, content, "x/y")})
    assert refused.status_code == 422
    shown = words(refused.text)
    assert "没有办成" in shown
    assert told in shown
    assert 'type="file"' in refused.text
    assert "检查结果" not in shown


async def test_markup_in_a_file_stays_text(stations: None, li_qiang: Browser) -> None:
    page = await looked_at(
        li_qiang, [HEADING, a_row(1, 名称="<script>alert(1)</script>", 所属街镇="<b>街道")]
    )
    assert "<script>alert" not in page
    assert "<b>街道" not in page


# --- the report ---


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_the_report_names_each_bad_row_with_number_column_and_reason(
    stations: None, li_qiang: Browser, kind: str
) -> None:
    page = await looked_at(li_qiang, [HEADING, a_row(1), a_row(2, 所属街镇="没有的街道"), a_row(3, 编号="x")])
    sent = await li_qiang.post(ADDRESS, kept(page) | {"then": f"report_{kind}"}, files={"none": ("", b"")})
    assert sent.headers["content-disposition"].startswith(f'attachment; filename="stations-report.{kind}"; ')
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(sent.content.decode("utf-8-sig"))))
    else:
        sheet = python_calamine.load_workbook(io.BytesIO(sent.content)).get_sheet_by_index(0)
        rows = [[str(cell) for cell in row] for row in sheet.to_python()]
    assert rows[0] == ["行号", "编号", "列", "类别", "原因"]
    assert [row[:4] for row in rows[1:] if row[3] == "错行"] == [
        ["3", "30-02", "所属街镇", "错行"],
        ["4", "", "编号", "错行"],
    ]
    assert all(row[4] for row in rows)


def test_a_report_calculates_nothing_when_it_is_opened() -> None:
    fault = Fault(2, "=cmd()", "unit_unknown", "所属街镇", {"value": "=1+1"})
    (_, line) = station_reports.lines([fault])
    assert line[1] == "'=cmd()"
    assert not [cell for cell in line if re.match(r"\s*[=+@]", cell)]


# --- proposed, published, undone ---


async def test_from_the_file_to_the_voters_and_back(
    store: Store, stations: None, li_qiang: Browser, wang_fang: Browser
) -> None:
    rows = demo_rows()
    rows[2] = rows[2].replace("书院路88弄1号书香苑活动室", "书院路90号")
    page = await looked_at(li_qiang, [*rows, a_row(1), a_row(2, 编号="x")])
    unfounded = await li_qiang.post(
        ADDRESS, kept(page) | {"then": "propose", "basis": " "}, files={"none": ("", b"")}
    )
    assert unfounded.status_code == 422
    # The page is made again with its file, so nothing has to be chosen a second time.
    assert kept(unfounded.text)["kept_file"] == kept(page)["kept_file"]
    assert "请写明依据" in words(unfounded.text)
    sent = await li_qiang.post(
        ADDRESS, kept(unfounded.text) | {"then": "propose", "basis": "街道来函3号"}, files={"none": ("", b"")}
    )
    assert sent.status_code == 303, words(sent.text)
    change = sent.headers["location"].partition("?")[0]
    number = change.rsplit("/", 1)[1]
    assert await count(store) == 24

    again = words((await li_qiang.get(ADDRESS)).text)
    assert "有一份站点修改待签发" in again
    await li_qiang.get(change)
    own = await li_qiang.post(f"{change}/sign")
    assert own.status_code == 403
    full = words((await wang_fang.get(f"/admin/stations/imports/{number}")).text)
    assert "来自文件“登记站.csv”（增加和更新）" in full
    assert "新增 1 改动 1 删去 0 不变 23" in full
    assert "有错的1行没有导入" in full
    report = await wang_fang.get(f"/admin/stations/imports/{number}/report?format=csv")
    assert "27,,编号,错行" in report.content.decode("utf-8-sig")

    await wang_fang.get(change)
    assert (await wang_fang.post(f"{change}/sign")).status_code == 303
    assert await count(store) == 25
    assert (await station(store, "12-03")).address == "书院路90号"
    await wang_fang.get(change)
    assert (await wang_fang.post(f"{change}/undo", {"sure": "1"})).status_code == 303
    assert await count(store) == 24
    assert (await station(store, "12-03")).address == "书院路88弄1号书香苑活动室"


async def test_a_station_that_changed_meanwhile_is_told_before_signing(
    store: Store, stations: None, li_qiang: Browser, wang_fang: Browser
) -> None:
    rows = [HEADING, demo_rows()[2].replace("书院路88弄1号书香苑活动室", "书院路90号")]
    page = await looked_at(li_qiang, rows)
    sent = await li_qiang.post(
        ADDRESS, kept(page) | {"then": "propose", "basis": "依据"}, files={"none": ("", b"")}
    )
    change = sent.headers["location"].partition("?")[0]
    row = await station(store, "12-03")
    async with store.transaction() as session:
        (await session.merge(row)).phone = "0000-99"
    full = words((await wang_fang.get(f"/admin/stations/imports/{change.rsplit('/', 1)[1]}")).text)
    assert "这份修改不能再签发，请撤下后重新导入：12-03" in full
    await wang_fang.get(change)
    refused = await wang_fang.post(f"{change}/sign")
    assert refused.status_code == 409
    assert (await station(store, "12-03")).phone == "0000-99"


async def test_a_file_with_nothing_new_or_nothing_sound_cannot_be_proposed(
    stations: None, li_qiang: Browser
) -> None:
    assert "和现有的一样，不用导入" in words(await looked_at(li_qiang, demo_rows()))
    page = await looked_at(li_qiang, [HEADING, a_row(1, 编号="x")])
    assert "没有可以导入的行" in words(page)
    sent = await li_qiang.post(
        ADDRESS, kept(page) | {"then": "propose", "basis": "依据"}, files={"none": ("", b"")}
    )
    assert sent.status_code == 422


async def test_who_only_reads_takes_no_file_in(
    cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    observer = await signed_in(cast.zhou_ning)
    assert (await observer.get(ADDRESS)).status_code == 403
    await observer.get("/admin/stations")
    assert (await observer.post(ADDRESS, {"then": "look"}, **a_file(demo_rows()))).status_code == 403


async def test_a_town_speaks_only_for_itself(
    cast: Cast, stations: None, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.zhao_lei)
    await browser.get(ADDRESS)
    page = await looked_at(browser, demo_rows(), mode="replace")
    shown = words(page)
    assert "新增 0 改动 0 删去 0 不变 7" in shown
    assert "17行有错" in shown
    assert "北塘镇范围内文件里没有的站，删去" in shown


async def test_another_kind_of_change_has_no_page_here(stations: None, wang_fang: Browser) -> None:
    assert (await wang_fang.get("/admin/stations/imports/999")).status_code == 404


# --- a whole district ---


async def test_five_thousand_rows_with_three_hundred_bad_ones(
    store: Store, stations: None, li_qiang: Browser, wang_fang: Browser
) -> None:
    """The good ones wait for the second person, each bad one is named with its reason, all can be undone."""
    wrong = (
        {"所属街镇": "没有的街道"},
        {"开放时间": ""},
        {"编号": "坏的"},
        {"纬度": "121.9", "经度": "31.0"},
        {"电话": "打给我"},
        {"服务小组": "第三组"},
    )
    lines = [HEADING]
    for number in range(5000):
        bad = number % 100 < 6
        lines.append(a_row(number, **(wrong[number % 100] if bad else {})))
    page = await looked_at(li_qiang, lines)
    shown = words(page)
    assert "300行有错，先不导入" in shown
    assert "新增 4700 改动 0 删去 0 不变 0" in shown
    assert len(page) < 1_500_000
    sent = await li_qiang.post(ADDRESS, kept(page) | {"then": "report_csv"}, files={"none": ("", b"")})
    rows = list(csv.reader(io.StringIO(sent.content.decode("utf-8-sig"))))
    told = {int(row[0]): (row[2], row[4]) for row in rows[1:] if row[3] == "错行"}
    assert set(told) == {number + 2 for number in range(5000) if number % 100 < 6}
    assert [told[number][0] for number in (2, 3, 4, 5, 6, 7)] == [
        "所属街镇", "开放时间", "编号", "纬度", "电话", "服务小组"
    ]  # fmt: skip
    assert all(reason for _, reason in told.values())

    sent = await li_qiang.post(
        ADDRESS, kept(page) | {"then": "propose", "basis": "普查"}, files={"none": ("", b"")}
    )
    assert sent.status_code == 303, words(sent.text)
    assert await count(store) == 24
    change = sent.headers["location"].partition("?")[0]
    await wang_fang.get(change)
    assert (await wang_fang.post(f"{change}/sign")).status_code == 303
    assert await count(store) == 4724
    listed = words((await wang_fang.get("/admin/stations")).text)
    assert "共4724个站" in listed
    await wang_fang.get(change)
    assert (await wang_fang.post(f"{change}/undo", {"sure": "1"})).status_code == 303
    assert await count(store) == 24
