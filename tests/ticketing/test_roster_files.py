"""Files of rosters: days, hours and names written the usual ways, bad rows named, and what is checked."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from knowledge.election import Election, Window
from office.errors import Invalid
from office.hours import OfficeHours
from office.shifts import ShiftName
from office.store import Store
from office.timetable import Span
from tests.make import HOURS, Cast
from tests.ticketing.shifts import (
    FRIDAY,
    HEADING,
    NEXT_SATURDAY,
    SATURDAY,
    SOUND,
    file,
    looked,
    person,
    shift,
)
from ticketing import roster_cells, roster_checks, roster_files
from ticketing.roster_cells import Unread
from ticketing.roster_checks import Stint

ONE = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)


# --- cells ---


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-28", "2026/11/28", "2026.11.28", "2026年11月28日", "11月28日", "11月28日（周六）", "11/28",
        "11.28",
        "十一月二十八日", "20261128", "46354", "２０２６－１１－２８", "11月28号 星期六",
    ],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(text: str) -> None:
    assert roster_cells.days(text, FRIDAY) == (NEXT_SATURDAY,)


def test_a_day_without_a_year_is_the_nearest_one() -> None:
    assert roster_cells.days("1月3日", date(2026, 12, 20)) == (date(2027, 1, 3),)
    assert roster_cells.days("12月30日", date(2027, 1, 4)) == (date(2026, 12, 30),)


@pytest.mark.parametrize(
    "text", ["11月28日至29日", "11月28日（周六）—11月29日（周日）", "2026-11-28至2026-11-29"]
)
def test_days_in_a_row_are_each_one(text: str) -> None:
    assert roster_cells.days(text, FRIDAY) == (NEXT_SATURDAY, NEXT_SATURDAY + timedelta(days=1))


def test_a_row_of_days_may_cross_the_year() -> None:
    found = roster_cells.days("12月31日-1月2日", FRIDAY)
    assert [day.isoformat() for day in found] == ["2026-12-31", "2027-01-01", "2027-01-02"]


@pytest.mark.parametrize(
    "text", ["", "13月1日", "2月30日", "下周三", "28日", "11月29日至28日", "1月1日至12月31日"]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Unread):
        roster_cells.days(text, FRIDAY)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8:30-11:30", [("08:30", "11:30")]),
        ("8：30—11：30", [("08:30", "11:30")]),
        ("8点半至11点半", [("08:30", "11:30")]),
        ("8时30分～17时", [("08:30", "17:00")]),
        ("0830-1130", [("08:30", "11:30")]),
        ("18:00-24:00", [("18:00", "24:00")]),
        ("8:30-11:30、13:30-17:30", [("08:30", "11:30"), ("13:30", "17:30")]),
    ],
)
def test_hours_are_read_however_they_are_written(text: str, found: list[tuple[str, str]]) -> None:
    assert list(roster_cells.spans(text)) == found


@pytest.mark.parametrize(
    ("text", "key"),
    [("", "span_missing"), ("上午", "span"), ("25:00-26:00", "span"), ("22:00-次日6:00", "span_midnight")],
)
def test_what_are_no_hours_is_refused(text: str, key: str) -> None:
    with pytest.raises(Unread) as refused:
        roster_cells.spans(text)
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("李强/王芳", ("李强", "王芳")),
        ("主：李强 备：王芳", ("李强", "王芳")),
        ("李强（主）、王芳（备）", ("李强", "王芳")),
        ("备：王芳 主：李强", ("李强", "王芳")),
        ("李　强", ("李强", "")),
        ("李 强/王 芳", ("李强", "王芳")),
        ("", ("", "")),
    ],
)
def test_main_and_standby_are_told_apart(text: str, found: tuple[str, str]) -> None:
    assert roster_cells.people(text) == found


# --- files ---


def test_a_file_is_read_with_what_stands_above_and_below_the_table() -> None:
    content = "11月值班表\n".encode() + file(
        SOUND, ("", "", "下午", "13:30-17:30", "王芳", "李强"), ("备注：有事请找带班领导",)
    )
    found = roster_files.read("a.csv", content, today=FRIDAY)
    assert not found.faults
    assert [(line.row, line.day, line.name, line.opens) for line in found.lines] == [
        (3, NEXT_SATURDAY, ShiftName.MORNING, "09:00"),
        # The cell of a day that covers two rows is empty in the second.
        (4, NEXT_SATURDAY, ShiftName.AFTERNOON, "13:30"),
    ]
    assert (found.lines[0].officer, found.lines[0].standby, found.lines[0].leader) == ("李强", "王芳", "王芳")


def test_an_export_and_the_template_come_back(now: datetime) -> None:
    empty = roster_files.template(now)
    with pytest.raises(Invalid, match=r"station_file\.empty"):
        roster_files.read("模板.xlsx", empty, today=FRIDAY)
    row = dict(zip(roster_files.WRITTEN, SOUND, strict=True))
    back = roster_files.read("值班表.xlsx", roster_files.to_xlsx([row], now), today=FRIDAY)
    assert not back.faults
    assert back.lines[0].phone == "0000-12345678"


def test_every_bad_row_is_named_with_column_and_reason() -> None:
    found = roster_files.read(
        "a.csv",
        file(
            ("2026-11-28", "周五", "上午", "9:00-11:30", "", "李强"),
            ("13月1日", "", "上午", "9:00-11:30", "", "李强"),
            ("2026-11-28", "", "上午", "九点", "", "李强/王芳/赵磊"),
            ("2026-11-28", "", "凌晨", "9:00-11:30", "", ""),
        ),
        today=FRIDAY,
    )
    assert [(fault.row, fault.column, fault.key) for fault in found.faults] == [
        (2, "星期", "weekday"),
        (3, "日期", "day"),
        (4, "起止", "span"),
        (4, "值班员(主/备)", "officers_many"),
        (5, "班次", "shift"),
        (5, "值班员(主/备)", "officer_missing"),
    ]
    assert found.faults[0].facts == {"day": "2026-11-28", "said": "五", "true": "六"}


def test_a_file_without_its_columns_or_with_identity_numbers_is_refused() -> None:
    with pytest.raises(Invalid, match=r"station_file\.headings") as refused:
        roster_files.read("a.csv", "日期,电话\n2026-11-28,1\n".encode(), today=FRIDAY)
    assert refused.value.facts["missing"] == "值班员(主/备)、起止"
    with pytest.raises(Invalid, match=r"station_file\.identity"):
        roster_files.read("a.csv", file(heading=(*HEADING, "身份证号")), today=FRIDAY)
    for name, content in (("a.xls", b"\xd0\xcf\x11\xe0"), ("a.csv", b"\x00\x01")):
        with pytest.raises(Invalid):
            roster_files.read(name, content, today=FRIDAY)


@ONE
async def test_names_are_held_against_the_office(store: Store, cast: Cast, now: datetime) -> None:
    await person(store, "刘洋", cast.riverside, now)
    await person(store, "刘洋", cast.north, now)
    await shift(store, cast, NEXT_SATURDAY, "08:00-12:00", cast.zhao_lei, unit=cast.north)
    found = await looked(
        store, cast, now,
        SOUND,
        ("2026-11-28", "", "", "13:30-17:30", "", "张三"),
        ("2026-11-29", "", "", "13:30-17:30", "", "孙洁"),
        ("2026-11-29", "", "", "9:00-11:30", "", "刘洋"),
        ("2026-11-29", "", "", "18:00-20:00", "", "李强/李强"),
        ("2026-11-28", "", "", "10:00-12:00", "", "李强"),
        ("2026-11-28", "", "", "9:00-11:30", "", "赵磊"),
        ("2028-01-01", "", "", "9:00-11:30", "", "李强"),
        ("2026-11-19", "", "", "9:00-11:30", "", "李强"),
    )  # fmt: skip
    assert [(fault.row, fault.key) for fault in found.faults] == [
        (3, "unknown"),
        (4, "stopped"),
        (5, "namesakes"),
        (6, "same_person"),
        # At ten 李强 is on duty already, and 赵磊 is on duty in his own town.
        (7, "booked"),
        (8, "booked"),
        (9, "far"),
    ]
    assert found.past == 1


# --- checks ---


def test_gaps_are_hours_that_somebody_is_promised_for() -> None:
    monday, november_28 = date(2026, 11, 23), NEXT_SATURDAY
    election = Election(
        "示例",
        "shanghai",
        windows=(Window(date(2026, 11, 25), date(2026, 12, 5), "居民", "9:00–17:00（含双休日）"),),
    )
    promised = roster_checks.promised_days(election, monday, date(2026, 11, 29))
    assert promised == {november_28, date(2026, 11, 29)}
    on = {monday: [Span.parse("8:30-10:00")], november_28: [Span.parse("9:00-11:30")]}
    found = [(gap.day.day, gap.span, gap.part) for gap in roster_checks.gaps(HOURS, on, promised)]
    assert found == [
        (23, "10:00–11:30", "morning"),
        (23, "13:30–17:30", "afternoon"),
        (28, "8:30–9:00", "morning"),
        (28, "13:30–17:30", "afternoon"),
        (29, "8:30–11:30", "morning"),
        (29, "13:30–17:30", "afternoon"),
    ]


def test_a_holiday_owes_nothing_and_a_make_up_saturday_its_hours() -> None:
    holiday, make_up = date(2026, 10, 1), date(2026, 10, 10)
    on = {holiday: [Span.parse("9:00-10:00")], make_up: [Span.parse("8:30-17:30")]}
    assert not list(roster_checks.gaps(HOURS, on, ()))
    assert not roster_checks.is_weekend(make_up, HOURS)
    assert roster_checks.is_weekend(SATURDAY, HOURS)


def test_who_does_how_much_and_which_days_have_no_leader() -> None:
    stints = [
        Stint(FRIDAY, "08:30", "17:30", 1, leader_id=2),
        Stint(SATURDAY, "09:00", "12:00", 1, standby_id=2),
        Stint(SATURDAY, "13:00", "17:00", 2),
    ]
    assert roster_checks.leaderless(stints) == [SATURDAY]
    plain = OfficeHours(HOURS.weekly)
    found = [
        (s.person_id, s.shifts, s.weekends, s.standbys, s.hours)
        for s in roster_checks.fairness(stints, plain)
    ]
    assert found == [(1, 2, 1, 0, 12.0), (2, 1, 1, 1, 4.0)]
