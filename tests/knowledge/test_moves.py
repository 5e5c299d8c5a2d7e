"""Days of a calendar in words, with the year where it is another one."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.milestones import K, KeyDate
from knowledge.moves import compared, when

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("first", "last", "latest", "chinese", "english"),
    [
        ("2026-12-29", "2026-12-29", False, "12月29日（周二）", "Tue 29 Dec"),
        ("2027-01-05", "2027-01-05", False, "2027年1月5日（周二）", "Tue 5 Jan 2027"),
        ("2027-01-05", "2027-01-05", True, "2027年1月5日（周二）", "Tue 5 Jan 2027"),
        ("2026-12-29", "2027-01-05", False, "2027年1月5日（周二）", "Tue 5 Jan 2027"),
        ("2027-11-05", "2027-11-12", False, "2027年11月5日（周五）", "Fri 5 Nov 2027"),
    ],
)
def test_a_day_of_another_year_is_said_with_it(
    first: str, last: str, latest: bool, chinese: str, english: str
) -> None:
    one = KeyDate(K.VOTING, date.fromisoformat(first), date.fromisoformat(last), latest=latest)
    assert chinese in when(one, TODAY)
    assert english in when(one, TODAY, "en")
    assert ("年" in when(one, TODAY)) is ("2027" in last)


def test_a_span_whose_first_words_end_on_the_last_day_s_keeps_them_apart() -> None:
    # The fifth of November 2026 is a Thursday, and the fifth of January 2034 too.
    one = KeyDate(K.REGISTRATION, date(2026, 11, 5), date(2034, 1, 5), note="9:00–17:00")
    said = when(one, TODAY)
    assert "2034年1月5日（周四）" in said
    assert said.startswith("11月5日（周四）")
    assert said.endswith("9:00–17:00")


def test_of_several_lookup_windows_each_is_compared_with_its_own() -> None:
    days = [date(2026, 11, 16), date(2026, 12, 1), date(2026, 12, 20)]
    spans = [KeyDate(K.LOOKUP, day, day) for day in days]
    found = compared({K.LOOKUP: spans[:2]}, {K.LOOKUP: [spans[0], spans[2]]})
    assert [(move.before, move.after, move.moved) for move in found] == [
        (spans[0], spans[0], False),
        (spans[1], spans[2], True),
    ]
    assert not any(move.told for move in found)
    removed = compared({K.LOOKUP: spans[:2]}, {K.LOOKUP: spans[:1]})
    assert (removed[1].before, removed[1].after) == (spans[1], None)
