"""Open or closed, to the minute, in Beijing time, and how it is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.opening import Opening, hours_lines, opening, opening_words, weekday_numbers
from office.hours import BEIJING

WEEK = {"from": "2026-11-25", "to": "2026-12-05", "weekdays": "1-5", "spans": ["9:00-11:30", "13:30-17:00"]}
SATURDAY = {"from": "2026-11-28", "to": "2026-11-28", "weekdays": "1-7", "spans": ["9:00-12:00"]}
VOTING = {"from": "2026-12-29", "to": "2026-12-29", "weekdays": "1-7", "spans": ["0:00-24:00"]}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


def words(hours: list[dict[str, Any]], text: str, lang: str = "zh_CN") -> str:
    return opening_words(opening(hours, at(text)), at(text), lang)


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-20 10:05", "未开放，11月25日（周三）9:00开"),
        ("2026-11-24 23:59", "未开放，明天（11月25日）9:00开"),
        ("2026-11-25 00:00", "未开放，今天9:00开"),
        ("2026-11-25 08:59", "未开放，今天9:00开"),
        ("2026-11-25 09:00", "现在开放，到11:30"),
        ("2026-11-25 11:29", "现在开放，到11:30"),
        ("2026-11-25 11:30", "未开放，今天13:30开"),
        ("2026-11-25 16:59", "现在开放，到17:00"),
        ("2026-11-25 17:00", "未开放，明天（11月26日）9:00开"),
        ("2026-11-27 17:00", "未开放，明天（11月28日）9:00开"),
        ("2026-11-28 12:00", "未开放，11月30日（周一）9:00开"),
        ("2026-12-04 17:00", "已结束"),
        ("2026-12-05 10:00", "已结束"),
        ("2027-01-01 10:00", "已结束"),
    ],
)
def test_every_edge_of_the_hours(moment: str, said: str) -> None:
    assert words([WEEK, SATURDAY], moment) == said


def test_a_whole_day_is_open_from_its_first_to_its_last_minute() -> None:
    assert words([VOTING], "2026-12-28 23:59") == "未开放，明天（12月29日）0:00开"
    assert words([VOTING], "2026-12-29 00:00") == "现在开放，到24:00"
    assert words([VOTING], "2026-12-29 23:59") == "现在开放，到24:00"
    assert words([VOTING], "2026-12-30 00:00") == "已结束"


def test_days_that_touch_at_midnight_are_one_stretch() -> None:
    both = [VOTING, VOTING | {"from": "2026-12-30", "to": "2026-12-30", "spans": ["0:00-6:00"]}]
    assert opening(both, at("2026-12-29 23:59")).until == at("2026-12-30 06:00")
    assert words(both, "2026-12-29 12:00") == "现在开放，到明天（12月30日）6:00"


def test_rows_that_overlap_are_joined() -> None:
    longer = WEEK | {"from": "2026-11-26", "to": "2026-11-26", "spans": ["11:00-14:00", "16:30-19:00"]}
    assert words([WEEK, longer], "2026-11-26 09:30") == "现在开放，到19:00"


def test_without_hours_nothing_is_claimed() -> None:
    assert opening([], at("2026-11-25 10:00")) == Opening(False, known=False)
    assert words([], "2026-11-25 10:00") == "开放时间待公布"
    assert words([], "2026-11-25 10:00", "en") == "Opening hours not announced yet"


def test_the_same_in_english() -> None:
    assert words([WEEK], "2026-11-25 09:00", "en") == "Open now, until 11:30"
    assert words([WEEK], "2026-11-25 17:00", "en") == "Closed; opens tomorrow (26 Nov) at 9:00"
    assert words([WEEK], "2026-11-20 17:00", "en") == "Closed; opens Wed 25 Nov at 9:00"


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        opening([WEEK], datetime(2026, 11, 25, 10))  # noqa: DTZ001


def test_hours_in_lines() -> None:
    assert hours_lines([WEEK, SATURDAY, WEEK | {"weekdays": "1,3,6-7"}]) == (
        "11月25日至12月5日 周一至周五 9:00–11:30、13:30–17:00",
        "11月28日（周六） 9:00–12:00",
        "11月25日至12月5日 周一、周三、周六、周日 9:00–11:30、13:30–17:00",
    )
    assert hours_lines([WEEK | {"weekdays": "1-7"}], "en") == (
        "25 Nov to 5 Dec, daily 9:00–11:30, 13:30–17:00",
    )


def test_weekdays_that_are_none() -> None:
    for text in ("0-3", "5-8", "3-1", "", "x"):
        with pytest.raises(ValueError, match=r"weekdays|invalid"):
            weekday_numbers(text)


# --- against looking at every minute ----------------------------------------------------------------------

FIRST = date(2026, 12, 28)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, 4))
        last = start + draw(st.integers(0, 3))
        opens = draw(st.integers(0, 1438))
        closes = draw(st.integers(opens + 1, 1440))
        found.append(
            {
                "from": (FIRST + timedelta(days=start)).isoformat(),
                "to": (FIRST + timedelta(days=last)).isoformat(),
                "weekdays": draw(st.sampled_from(["1-7", "1-5", "2", "3,6-7"])),
                "spans": [f"{opens // 60}:{opens % 60:02}-{closes // 60}:{closes % 60:02}"],
            }
        )
    return found


def minutes_open(hours: list[dict[str, Any]]) -> set[int]:
    """The open minutes, counted from the beginning of the first day."""
    found = set()
    for row in hours:
        first, last = (date.fromisoformat(row[end]) for end in ("from", "to"))
        opens, closes = (
            int(clock.split(":")[0]) * 60 + int(clock.split(":")[1]) for clock in row["spans"][0].split("-")
        )
        for ahead in range((last - first).days + 1):
            day = first + timedelta(days=ahead)
            if day.isoweekday() in weekday_numbers(row["weekdays"]):
                begin = (day - FIRST).days * 1440
                found |= set(range(begin + opens, begin + closes))
    return found


@given(rows(), st.integers(-100, 9 * 1440))
def test_as_if_every_minute_were_looked_at(hours: list[dict[str, Any]], minute: int) -> None:
    midnight = datetime.combine(FIRST, datetime.min.time(), BEIJING).astimezone(UTC)
    opened = minutes_open(hours)
    found = opening(hours, midnight + timedelta(minutes=minute))
    assert found.open_now is (minute in opened)
    if found.open_now:
        closes = next(later for later in range(minute, 20 * 1440) if later not in opened)
        assert found.until == midnight + timedelta(minutes=closes)
    else:
        opens = min((later for later in opened if later > minute), default=None)
        assert found.opens_at == (None if opens is None else midnight + timedelta(minutes=opens))
