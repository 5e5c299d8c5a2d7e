"""Moments and spans in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from admin import times

NOW = datetime(2026, 11, 20, 2, 5, tzinfo=UTC)


def test_moments_are_beijing_time_in_either_language() -> None:
    assert times.moment(NOW, "zh_CN") == "11月20日（周五）10:05"
    assert times.moment(NOW, "en") == "Fri 20 Nov, 10:05"
    for language, told in (("zh_CN", "2026年11月20日10:05"), ("en", "20 Nov 2026, 10:05")):
        assert times.moment(NOW, language, now=NOW) == times.moment(NOW, language)
        assert times.moment(NOW, language, now=datetime(2026, 12, 31, 16, tzinfo=UTC)) == told
    # 23:30 in Greenwich is the next morning in Beijing.
    assert times.moment(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), "zh_CN") == "11月21日（周六）07:30"
    assert times.clock(NOW) == "10:05"
    assert times.clock(NOW.replace(second=31), seconds=True) == "10:05:31"
    assert times.day(date(2027, 3, 1), "zh_CN") == "2027年3月1日"
    assert times.day(date(2027, 3, 1), "en") == "1 Mar 2027"
    assert times.short_day(date(2027, 3, 1), "zh_CN") == "3月1日"
    assert times.short_day(date(2027, 3, 1), "en") == "1 Mar"


@pytest.mark.parametrize(
    ("amount", "chinese", "english"),
    [
        (timedelta(seconds=59), "不到1分", "less than 1 min"),
        (timedelta(minutes=25), "25分", "25 min"),
        (timedelta(hours=2), "2小时", "2 h"),
        (timedelta(hours=2, minutes=5), "2小时5分", "2 h 5 min"),
        (timedelta(days=3), "3天", "3 d"),
        (timedelta(days=3, hours=4, minutes=59), "3天4小时", "3 d 4 h"),
        (timedelta(days=3, minutes=59), "3天", "3 d"),
        (-timedelta(hours=1, minutes=1), "1小时1分", "1 h 1 min"),
    ],
)
def test_spans_keep_the_two_largest_units(amount: timedelta, chinese: str, english: str) -> None:
    assert times.span(amount, "zh_CN") == chinese
    assert times.span(amount, "en") == english


def test_time_left_turns_into_time_over() -> None:
    assert times.remaining(NOW + timedelta(hours=2), NOW, "zh_CN") == "还剩2小时"
    assert times.remaining(NOW - timedelta(minutes=25), NOW, "zh_CN") == "超时25分"
    assert times.remaining(NOW, NOW, "zh_CN") == "超时不到1分"
