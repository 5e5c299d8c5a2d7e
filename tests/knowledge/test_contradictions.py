"""Calendars that contradict themselves, each refused with its place; and doubts that need a reason."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from knowledge import calendar
from knowledge.calendar import Election, Finding, contradictions
from office.words import LANGUAGES, say

RULES = calendar.rules("shanghai")
TODAY = date(2026, 11, 20)
WINDOW = {"audience": "居民登记", "from": "2026-11-25", "to": "2026-12-05"}
LOOKUP = {"from": "2026-11-25", "to": "2026-12-05"}
# A Monday, from which no term ends on a rest day: the list on 11-19, suits on 12-04, amended on 12-07.
SOUND: dict[str, Any] = {"name": "示例选举", "day": "2026-12-09", "windows": []}


def found(content: dict[str, Any], today: date = TODAY, **more: Any) -> list[Finding]:
    return list(contradictions(Election.from_content(content), RULES, today, **more))


def blocking(content: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    return [(one.field, one.key) for one in found(content, **more) if one.blocks]


def test_a_sound_calendar_has_neither() -> None:
    assert found(SOUND, date(2026, 11, 19)) == []
    assert found({"name": "示例选举", "windows": [WINDOW]}) == []


@pytest.mark.parametrize(
    ("changes", "field", "key"),
    [
        ({"day": "2026-11-19", "windows": []}, "day", "calendar.day_past"),
        ({"windows": [{**WINDOW, "to": "2026-11-24"}]}, "windows[0].to", "calendar.reversed"),
        (
            {"windows": [WINDOW, {"audience": "单位", "from": "2026-12-20", "to": "2026-12-29"}]},
            "windows[1].to",
            "calendar.window_late",
        ),
        ({"windows": [WINDOW, dict(WINDOW)]}, "windows[1].audience", "calendar.audience_twice"),
        ({"lookup": [{**LOOKUP, "to": "2026-11-24"}]}, "lookup[0].to", "calendar.reversed"),
        ({"lookup": [{**LOOKUP, "to": "2026-12-30"}]}, "lookup[0].to", "calendar.lookup_late"),
        (
            {"lookup": [LOOKUP, {"from": "2026-12-05", "to": "2026-12-06"}]},
            "lookup[1].from",
            "calendar.lookup_overlap",
        ),
        ({"lookup": [{**LOOKUP, "note": "12月9日起"}]}, "lookup[0].note", "lint_date"),
        ({"posted": {"list_posted": "2026-12-10"}}, "posted.list_posted", "calendar.posted_late"),
        ({"posted": {"list_posted": "2027-01-02"}}, "posted.list_posted", "calendar.posted_after_day"),
        ({"posted": {"list_posted": "2026-11-24"}}, "posted.list_posted", "calendar.posted_early"),
        ({"posted": {"nominees_posted": "2026-12-15"}}, "posted.nominees_posted", "calendar.posted_late"),
        (
            {"day": None, "posted": {"list_posted": "2026-12-08"}},
            "posted.list_posted",
            "calendar.posted_no_day",
        ),
        (
            {"offsets": {"list_posted": {"days": 20, "basis": "x"}}},
            "offsets.list_posted.days",
            "calendar.offset_turned",
        ),
        (
            {"offsets": {"appeals_close": {"days": 40, "basis": "x"}}},
            "offsets.appeals_close.days",
            "calendar.posted_after_day",
        ),
        (
            {"offsets": {"candidates_posted": {"days": -16, "basis": "x"}}},
            "offsets.candidates_posted.days",
            "calendar.order",
        ),
        ({"posted": {"nominees_posted": "2026-12-07"}}, "posted.nominees_posted", "calendar.order"),
    ],
)
def test_a_contradiction_is_named_by_its_place(changes: dict[str, Any], field: str, key: str) -> None:
    content = {"name": "示例选举", "day": "2026-12-29", "windows": [WINDOW], **changes}
    assert blocking(content) == [(field, key)]


def test_a_window_may_end_on_the_eve_and_a_list_be_posted_on_its_latest_day() -> None:
    content = {
        "name": "示例选举", "day": "2026-12-29", "posted": {"list_posted": "2026-12-09"},
        "windows": [{**WINDOW, "to": "2026-12-28"}],
    }  # fmt: skip
    assert blocking(content) == []


def test_election_day_today_is_not_past_and_one_that_stays_may_be() -> None:
    content = {"name": "示例选举", "day": "2026-11-20"}
    assert blocking(content) == []
    before = Election.from_content(content)
    assert blocking(content, today=date(2026, 11, 21), before=before) == []


def doubts(content: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    return [(one.field, one.key) for one in found(content, **more) if not one.blocks]


def test_terms_on_rest_days_are_not_moved_and_asked_about() -> None:
    content = {"name": "示例选举", "day": "2026-12-29"}
    assert doubts(content) == [("list_amended", "calendar.rest_day")]
    assert doubts(content, rests=lambda day: day == date(2026, 12, 24)) == [
        ("suits_close", "calendar.rest_day"),
        ("suspension_served", "calendar.rest_day"),
    ]


def test_moving_the_day_after_the_list_is_out_needs_a_reason() -> None:
    before = Election.from_content({**SOUND, "posted": {"list_posted": "2026-11-18"}})
    moved = {**SOUND, "day": "2026-12-16"}
    assert ("day", "calendar.day_after_list") in doubts(moved, before=before)
    # Nobody has entered a posting, but its latest day has come.
    unposted = Election.from_content(SOUND)
    assert ("day", "calendar.day_after_list") in doubts(moved, before=unposted)
    assert ("day", "calendar.day_after_list") not in doubts(moved, before=unposted, today=date(2026, 11, 18))


def test_a_published_day_that_is_emptied_needs_a_reason() -> None:
    before = Election.from_content({"name": "示例选举", "day": "2026-12-29"})
    emptied: dict[str, Any] = {"name": "示例选举", "day": None}
    assert doubts(emptied, before=before) == [("day", "calendar.day_emptied")]
    assert doubts(emptied, before=Election.from_content(emptied)) == doubts(emptied) == []


@pytest.mark.parametrize(
    ("day", "asked"), [("2028-11-20", False), ("2028-11-22", True), ("2036-12-29", True)]
)
def test_a_day_more_than_two_years_ahead_needs_a_reason(day: str, asked: bool) -> None:
    assert (("day", "calendar.day_far") in doubts({"name": "示例选举", "day": day})) is asked


def test_a_list_that_would_have_had_to_be_posted_already_needs_a_reason() -> None:
    past = ("day", "calendar.list_past")
    assert past in doubts(SOUND, today=date(2026, 11, 20))
    assert past not in doubts(SOUND, today=date(2026, 11, 19))
    # Once the actual posting is entered there is nothing to ask.
    posted = {**SOUND, "posted": {"list_posted": "2026-11-18"}}
    assert past not in doubts(posted, today=date(2026, 11, 20))


def test_lookup_may_last_until_election_day_and_before_registration_it_is_asked_about() -> None:
    content = {"name": "示例选举", "day": "2026-12-28", "windows": [WINDOW]}
    assert blocking({**content, "lookup": [LOOKUP, {"from": "2026-12-06", "to": "2026-12-28"}]}) == []
    early = ("lookup[0].from", "calendar.lookup_early")
    assert early in doubts({**content, "lookup": [{**LOOKUP, "from": "2026-11-24"}]})
    assert early not in doubts({**content, "lookup": [LOOKUP]})
    assert early not in doubts({**content, "windows": [], "lookup": [LOOKUP]})


def test_registration_beyond_the_posting_and_looser_distances_are_asked_about() -> None:
    content = {
        "name": "示例选举", "day": "2026-12-29", "windows": [{**WINDOW, "to": "2026-12-09"}],
        "offsets": {"candidates_posted": {"days": -6, "basis": "x"}},
    }  # fmt: skip
    assert doubts(content)[:2] == [
        ("windows[0].to", "calendar.window_after_list"),
        ("offsets.candidates_posted.days", "calendar.offset_looser"),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_can_be_said_in_one_line(language: str) -> None:
    contents = [
        {"name": "示例选举", "day": "2026-12-29", "windows": [{**WINDOW, "to": "2026-12-09"}, dict(WINDOW)]},
        {"name": "示例选举", "day": "2026-12-29"},
        {"name": "示例选举", "day": "2026-12-01"},
        {"name": "示例选举", "day": "2029-12-29"},
        {"name": "示例选举", "day": None},
        {"name": "示例选举", "day": "2026-12-29", "lookup": [LOOKUP, LOOKUP, {**LOOKUP, "to": "2027-01-01"}]},
        {
            "name": "示例选举",
            "day": "2026-12-28",
            "windows": [WINDOW],
            "lookup": [{**LOOKUP, "from": "2026-11-01"}],
        },
    ]
    before = Election.from_content(SOUND)
    for content in contents:
        for one in found(content, before=before):
            text = say(one.key, language, field=one.field, **one.facts)
            assert text.startswith(one.field)
            assert "\n" not in text
