"""Cells and rows of stations: what they say, and in which words they are refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import station_cells, station_hours, station_rows
from knowledge.opening import weekday_numbers
from knowledge.station_cells import BadCell
from knowledge.station_files import Table, heading
from knowledge.station_hours import BadHours
from knowledge.station_rows import Around, Checked, UnitName, in_words
from office.words import LANGUAGES, catalogue

TODAY = date(2026, 11, 20)
UNITS = [
    UnitName("DP", "东浦区", ".1."), UnitName("LJ", "临江街道", ".1.2."), UnitName("HX", "和兴街道", ".1.3."),
    UnitName("LJ1", "幸福居委会", ".1.2.4."), UnitName("HX1", "幸福居委会", ".1.3.5."),
]  # fmt: skip
SOUND = {
    "code": "12-03", "name": "书香苑登记站", "unit": "临江街道", "address": "书院路88弄1号",
    "hours": "2026-11-25至2026-12-05 每天 9:00-17:00",
}  # fmt: skip


def check(*rows: dict[str, Any], **around: Any) -> Checked:
    cells = [(number, SOUND | row) for number, row in enumerate(rows, start=2)]
    headings = {field: heading(field) for _, row in cells for field in row}
    return station_rows.check(Table(headings, tuple(cells), {}), Around(UNITS, ".1.", TODAY, **around))


def reasons(checked: Checked) -> list[str]:
    return [fault.reason for fault in checked.faults if not fault.warning]


# --- hours ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("2026-11-25至2026-12-05 周一至周五 9:00-11:30、13:30-17:00", None),
        ("2026-11-25至2026-12-05 每天 9:00-17:00；2026-11-28 9:00-12:00", None),
        ("11月25日至12月5日（含双休日）9:00–17:00", "2026-11-25至2026-12-05 每天 9:00-17:00"),
        ("11月25日-12月5日 9：00－17：00", "2026-11-25至2026-12-05 每天 9:00-17:00"),
        ("2026/11/25-2026/12/5 1-5 8:30~11:30", "2026-11-25至2026-12-05 周一至周五 8:30-11:30"),
        ("2026.11.25—12.5 9:00-17:00", "2026-11-25至2026-12-05 每天 9:00-17:00"),
        (
            "11月25日至30日 上午9点至11点半，下午1:30-5:00",
            "2026-11-25至2026-11-30 每天 9:00-11:30、13:30-17:00",
        ),
        ("12月29日（周二）7:00-20:00", "2026-12-29 7:00-20:00"),
        (
            "11月16日至12月5日 工作日 9:00-17:00；周末 9:00-12:00",
            "2026-11-16至2026-12-05 周一至周五 9:00-17:00；2026-11-16至2026-12-05 周六至周日 9:00-12:00",
        ),
        (
            "11月25日至28日 9:00-17:00，11月30日 9:00-12:00",
            "2026-11-25至2026-11-28 每天 9:00-17:00；2026-11-30 9:00-12:00",
        ),
        ("11月16日至12月5日 周一、三、五 9:00-17:00", "2026-11-16至2026-12-05 周一、周三、周五 9:00-17:00"),
        ("11月16日至12月5日 双休日除外 9:00-17:00", "2026-11-16至2026-12-05 周一至周五 9:00-17:00"),
        ("12月25日至1月5日 0:00-24:00", "2026-12-25至2027-01-05 每天 0:00-24:00"),
        ("2026-12-29 7:00-12:00、11:00-18:00", "2026-12-29 7:00-18:00"),
    ],
)
def test_hours_as_offices_write_them(cell: str, written: str | None) -> None:
    rows = station_hours.read(cell, TODAY)
    assert station_hours.written(rows) == (written or cell)
    assert station_hours.read(station_hours.written(rows), TODAY) == rows


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("待定", "hours_no_days"),
        ("周一至周五 9:00-17:00", "hours_no_days"),
        ("11月25日至12月5日", "hours_no_times"),
        ("11月25日 全天开放中", "hours_unreadable"),
        ("11月25日 17:00-9:00", "hours_reversed"),
        ("11月25日 9:00-9:00", "hours_reversed"),
        ("11月25日 9:00-25:00", "hours_reversed"),
        ("12月5日至11月25日 9:00-17:00", "days_reversed"),
        ("2026-01-01至2027-12-31 9:00-17:00", "hours_too_long"),
        ("12月29日（周三）9:00-17:00", "hours_weekday"),
        ("11月28日至29日 周一至周五 9:00-17:00", "hours_weekday"),
        ("2026-02-30 9:00-17:00", "hours_unreadable"),
        ("2026-13-01 9:00-17:00", "hours_unreadable"),
    ],
)
def test_hours_that_cannot_be_meant(cell: str, reason: str) -> None:
    with pytest.raises(BadHours) as error:
        station_hours.read(cell, TODAY)
    assert error.value.reason == reason


def test_hours_from_columns_of_their_own() -> None:
    cells = {
        "opens_from": date(2026, 11, 25),
        "opens_to": "2026-12-05",
        "weekdays": "1-5",
        "times": "9:00-17:00",
    }
    assert station_hours.written(station_cells.hours(cells, TODAY)) == (
        "2026-11-25至2026-12-05 周一至周五 9:00-17:00"
    )


@given(st.text(max_size=60) | st.text("0123456789:-至日月年周一二三 ;、点", max_size=40))
def test_no_cell_of_hours_is_anything_but_read_or_refused(cell: str) -> None:
    try:
        rows = station_hours.read(cell, TODAY)
    except BadHours:
        return
    assert station_hours.read(station_hours.written(rows), TODAY) == rows
    assert all(weekday_numbers(row["weekdays"]) for row in rows)


# --- other cells ------------------------------------------------------------------------------------------


def test_a_code_that_the_spreadsheet_has_made_a_date_of() -> None:
    checked = check({"code": date(2026, 12, 3)}, {"groups": date(2026, 12, 4)})
    assert [in_words(fault) for fault in checked.faults if not fault.warning] == [
        "表格把编号变成了日期（2026-12-03）。请把这一列设为“文本”，再填一次。",
        "表格把编号变成了日期（2026-12-04）。请把这一列设为“文本”，再填一次。",
    ]
    assert checked.unkeyed == 1


@pytest.mark.parametrize("cell", ["12-3", "12－03", "１２-03", "12—03"])
def test_codes_in_other_spellings(cell: str) -> None:
    assert station_cells.code(cell) == "12-03"


@pytest.mark.parametrize(
    "cell",
    [
        "", "0000-12340003", "0000 12340003", "(0000)12340003", "0000-12340003转801", "12340003",
        "0000-12340003、0000-12340004", "400-123-4567", "0000-1234567-12",
    ],
)  # fmt: skip
def test_telephone_numbers_that_are_taken(cell: str) -> None:
    assert station_cells.phone(cell) == cell


@pytest.mark.parametrize("cell", ["无", "123", "0000-12340003（张敏）", "0000--12340003", "拨打总机"])
def test_telephone_numbers_that_are_not(cell: str) -> None:
    with pytest.raises(BadCell, match="phone_bad"):
        station_cells.phone(cell)


@pytest.mark.parametrize(
    ("latitude", "longitude", "found"),
    [
        ("31.0035", "121.9064", (31.0035, 121.9064)),
        ("31.00350000001", "121.9064", (31.0035, 121.9064)),
        ("", "", (None, None)),
        ("121.9064", "31.0035", "position_turned"),
        ("31.0", "", "position_half"),
        ("31.0", "200", "position_bad"),
        ("北纬31", "121", "position_bad"),
        ("nan", "121", "position_bad"),
    ],
)
def test_positions(latitude: str, longitude: str, found: Any) -> None:
    cells = {"latitude": latitude, "longitude": longitude}
    if isinstance(found, str):
        with pytest.raises(BadCell, match=found):
            station_cells.position(cells)
    else:
        assert station_cells.position(cells) == found


def test_accessibility_has_codes_and_keeps_other_words() -> None:
    assert station_cells.access("无障碍坡道，电梯、轮椅通道 手摇铃") == ["ramp", "lift", "手摇铃"]


# --- rows together ----------------------------------------------------------------------------------------


def test_a_unit_is_named_by_name_code_or_with_what_is_above_it() -> None:
    for words in ("临江街道", "LJ", "lj", "东浦区临江街道", " 臨江街道"):
        assert check({"unit": words}).good[0]["unit"] == "LJ"
    assert check({"unit": "和兴街道幸福居委会"}).good[0]["unit"] == "HX1"
    assert reasons(check({"unit": "幸福居委会"})) == ["unit_ambiguous"]
    assert reasons(check({"unit": "西岸街道"})) == ["unit_unknown"]


def test_far_positions_are_measured_from_the_middle_of_all() -> None:
    near = [
        {"code": f"12-0{n}", "name": f"{n}", "latitude": f"31.{n}", "longitude": "121.9"} for n in range(1, 4)
    ]
    far = {"code": "12-09", "name": "9", "latitude": "32", "longitude": "121.9"}
    assert reasons(check(*near, far)) == ["position_far"]
    # Two positions have no middle.
    assert reasons(check(near[0], far)) == []


def test_degrees_that_could_be_exchanged_are_named_as_such() -> None:
    near = [
        {"code": f"12-0{n}", "name": f"{n}", "latitude": f"31.{n}", "longitude": "41.2"} for n in range(1, 4)
    ]
    turned = {"code": "12-09", "name": "9", "latitude": "41.2", "longitude": "31.2"}
    assert reasons(check(*near, turned)) == ["position_turned"]


def test_a_position_that_is_in_force_already_is_only_doubted() -> None:
    near = [
        {"code": f"12-0{n}", "name": f"{n}", "latitude": f"31.{n}", "longitude": "121.9"} for n in range(1, 4)
    ]
    far = {"code": "12-09", "name": "9", "latitude": "32", "longitude": "121.9"}
    known = check(far).good[0]
    checked = check(*near, far, known={station_rows.key_of(known): known})
    assert checked.bad == 0
    assert "position_far" in {fault.reason for fault in checked.faults}


def test_polling_stations_are_held_against_the_days_of_voting() -> None:
    polling = {"kind": "投票站", "hours": "2026-12-28 7:00-18:00"}
    day = date(2026, 12, 29)

    def doubted(row: dict[str, str], **around: Any) -> bool:
        return "hours_outside" in {fault.reason for fault in check(row, **around).faults}

    assert doubted(polling, voting=(day, day))
    assert not doubted(polling | {"hours": "2026-12-29 7:00-18:00"}, voting=(day, day))
    assert not doubted(polling)


def test_one_group_may_be_served_by_a_station_of_each_kind() -> None:
    both = check({"groups": "12-03"}, {"groups": "12-03", "kind": "投票站"})
    assert both.bad == 0
    assert reasons(check({"groups": "12-03"}, {"code": "12-04", "name": "别的", "groups": "12-3"})) == [
        "group_twice"
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_reason_has_words(lang: str) -> None:
    every = {key for key in catalogue(lang) if key.startswith("station_fault.")}
    assert len(every) > 30
    facts = dict.fromkeys(
        (
            "value",
            "limit",
            "other",
            "code",
            "group",
            "km",
            "first",
            "last",
            "names",
            "count",
            "date",
            "name",
            "correct",
        ),
        "…",
    )
    for key in every:
        assert catalogue(lang)[key].format(**facts)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("工作日 8:30–11:30、13:30–17:30", "working days 8:30–11:30, 13:30–17:30"),
        ("周一至周五 9:00-17:00；周六 9:00-12:00", "Mon–Fri 9:00–17:00; Sat 9:00–12:00"),
        ("每天 8:00–20:00", "daily 8:00–20:00"),
        ("以公告为准", "以公告为准"),
        ("", ""),
    ],
)
def test_hours_of_every_week_are_said_in_english(written: str, said: str) -> None:
    assert station_hours.weekly(written, "en") == said
