"""Days named in a question become days of the Beijing calendar; house numbers and lines do not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import said_dates
from knowledge.calendar import DateKind

FRIDAY = date(2026, 11, 20)


def read(text: str, today: date = FRIDAY) -> list[tuple[date, date]]:
    return [(one.first, one.last) for one in said_dates.read(text, today)]


def one(month: int, day: int, year: int = 2026) -> list[tuple[date, date]]:
    return [(date(year, month, day), date(year, month, day))]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("今天还能登记吗", one(11, 20)),
        ("明天登记", one(11, 21)),
        ("明朝好登记伐", one(11, 21)),
        ("后天登记", one(11, 22)),
        ("大后天登记", one(11, 23)),
        ("昨天登记的", one(11, 19)),
        ("周五登记", one(11, 20)),  # today is one
        ("周三登记", one(11, 25)),
        ("这周三登记", one(11, 18)),  # has passed
        ("本周日登记", one(11, 22)),
        ("星期天登记", one(11, 22)),
        ("下周三登记", one(11, 25)),
        ("下个礼拜一登记", one(11, 23)),
        ("下下周二登记", one(12, 1)),
        ("上周五登记的", one(11, 13)),
        ("周末登记", [(date(2026, 11, 21), date(2026, 11, 22))]),
        ("下周末登记", [(date(2026, 11, 28), date(2026, 11, 29))]),
        ("下周登记", [(date(2026, 11, 23), date(2026, 11, 29))]),
        ("月底登记", one(11, 30)),
        ("12月底登记", one(12, 31)),
        ("下个月初登记", [(date(2026, 12, 1), date(2026, 12, 10))]),
        ("12月中旬登记", [(date(2026, 12, 11), date(2026, 12, 20))]),
        ("十二月下旬登记", [(date(2026, 12, 21), date(2026, 12, 31))]),
        ("12月3号登记", one(12, 3)),
        ("12月3日登记", one(12, 3)),
        ("１２月３号登记", one(12, 3)),
        ("十二月三号登记", one(12, 3)),
        ("十二月二十九日投票", one(12, 29)),
        ("2027年1月5日登记", one(1, 5, 2027)),
        ("12.6登记", one(12, 6)),
        ("12/6能登记吗", one(12, 6)),
        ("12月5号晚上8点登记", one(12, 5)),
        ("12月9号之前能申诉吗", [(FRIDAY, date(2026, 12, 8))]),
        ("12月9日前登记", [(FRIDAY, date(2026, 12, 8))]),
        ("昨天之前登记的", one(11, 19)),
        ("1月5号登记", one(1, 5, 2027)),  # the nearest
        ("11月3号登记", one(11, 3)),
        ("25号登记", one(11, 25)),
        ("5号登记", one(12, 5)),  # that of this month has passed
        ("二十五号登记", one(11, 25)),
        ("11月25日和12月5日都能登记吗", one(11, 25) + one(12, 5)),
    ],
)
def test_words_for_days(said: str, expected: list[tuple[date, date]]) -> None:
    assert read(said) == expected


@pytest.mark.parametrize(
    "said",
    [
        "5号线附近的登记站", "3号楼的人到哪里登记", "12-03登记站在哪里", "12号选区", "2月30号登记",
        "13月1日登记", "以后天天都能登记吗", "每周三登记吗", "两三个月底登记", "5日内申诉", "选举日20日以前",
        "8.30-11.30登记", "上午9.30登记", "24/7", "12.6%",
        "周三个人登记", "38号登记", "声明天天写", "", "登记",
    ],
)  # fmt: skip
def test_what_names_no_day(said: str) -> None:
    assert read(said) == []


def test_the_29th_of_february_is_a_day_of_leap_years_only() -> None:
    assert read("2月29号登记", date(2028, 1, 10)) == one(2, 29, 2028)
    assert read("29号登记", date(2027, 2, 10)) == one(3, 29, 2027)
    assert read("月底登记", date(2028, 2, 10)) == one(2, 29, 2028)
    assert read("下月底登记", date(2026, 12, 10)) == one(1, 31, 2027)


@given(st.dates(date(2000, 1, 1), date(2199, 12, 1)))
def test_weekdays_are_what_looking_day_by_day_gives(today: date) -> None:
    for number, char in enumerate("一二三四五六日"):
        upcoming = next(
            day for ahead in range(7) if (day := today + timedelta(days=ahead)).weekday() == number
        )
        assert read(f"周{char}登记", today) == [(upcoming, upcoming)]
        monday = today
        while monday.weekday():
            monday -= timedelta(days=1)
        for which, weeks in (("上", -1), ("这", 0), ("下", 1), ("下下", 2)):
            day = monday + timedelta(days=7 * weeks + number)
            assert read(f"{which}周{char}登记", today) == [(day, day)]


@given(st.dates(date(2000, 1, 1), date(2199, 12, 1)), st.integers(-150, 150))
def test_a_day_without_a_year_is_the_nearest_one(today: date, away: int) -> None:
    day = today + timedelta(days=away)
    if (day.month, day.day) != (2, 29):
        assert read(f"{day.month}月{day.day}号登记", today) == [(day, day)]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("下周三还能登记吗", DateKind.REGISTRATION),
        ("12月29号能投票吗", DateKind.VOTING),
        ("名单后天能看到吗", DateKind.LIST_POSTED),
        ("后天还能申诉吗", DateKind.APPEALS_CLOSE),
        ("12月26号还能补正吗", DateKind.LIST_AMENDED),
        ("后天有登记员来吗", None),
        ("登记站后天开门吗", None),
    ],
)
def test_what_a_question_is_about(said: str, kind: DateKind | None) -> None:
    assert said_dates.about(said) is kind


@pytest.mark.parametrize(
    "said",
    [
        "下周三还能登记吗",
        "请问月底登记还来得及吗？",
        "我12月5号去登记行不行",
        "后天投票可以吗",
        "我没单位，今天能登记吗",
        "今天能去登记站登记吗",
        "居民12月1号能登记吗",
        "我是退休的，明天去登记可以吗",
        "12月5号晚上8点能登记吗",
    ],
)
def test_questions_that_ask_only_about_a_day(said: str) -> None:
    assert said_dates.only_about(said)


@pytest.mark.parametrize(
    "said",
    [
        "后天怎么登记",
        "我妈下周三出院能登记吗",
        "我12月29日满18岁能登记吗",
        "下周三在哪里登记",
        "后天登记要带什么",
    ],
)
def test_questions_that_ask_more(said: str) -> None:
    assert not said_dates.only_about(said)


@pytest.mark.parametrize(
    ("said", "hour"),
    [
        ("12月5号晚上8点能登记吗", "晚上8点"),
        ("明天18:30能登记吗", "18:30"),
        ("周六上午九点半登记", "上午九点半"),
        ("12月5号能登记吗", ""),
    ],
)
def test_the_hour_that_is_named(said: str, hour: str) -> None:
    assert said_dates.clock(said) == hour
