"""Statutory days: computed from election day, worded in four tenses, and never invented."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import calendar, packs
from knowledge.calendar import (
    NOT_ANNOUNCED,
    BadCalendar,
    DateKind,
    Dates,
    Election,
    KeyDate,
    Tense,
    age_line,
    computed,
    worded,
)

K = DateKind
RULES = calendar.rules("shanghai")
E = date(2026, 12, 29)
NOT_COMPUTED = {K.REGISTRATION, K.REGISTRATION_OPENS, K.REGISTRATION_CLOSES, K.LOOKUP}


def election(day: date | None = E, region: str = "shanghai", **more: object) -> Election:
    return Election.from_content(
        {"name": "示例选举", "region": region, "day": day.isoformat() if day else None, **more}
    )


def dates(day: date | None = E, region: str = "shanghai", **more: object) -> Dates:
    return computed(election(day, region, **more), calendar.rules(region))


def firsts(found: Dates) -> dict[DateKind, date]:
    return {kind: key_dates[0].first for kind, key_dates in found.items()}


WINDOWS = [{"audience": "居民登记", "from": "2026-11-25", "to": "2026-12-05", "note": "9:00–17:00"}]


# --- lookup windows ---------------------------------------------------------------------------------

LOOKUP = [
    {"from": "2026-12-01", "to": "2026-12-02", "note": "9:00–17:00"},
    {"from": "2026-11-16", "to": "2026-11-20"},
]


def test_lookup_is_closed_until_the_office_enters_a_window() -> None:
    assert election().lookup == ()
    assert K.LOOKUP not in dates()
    assert calendar.variables(dates(), date(2026, 11, 20))["lookup"] == "时间尚未公布"


def test_lookup_windows_are_read_written_and_shown_in_the_order_of_their_days() -> None:
    made = election(lookup=LOOKUP)
    assert Election.from_content(made.as_content()) == made
    found = dates(lookup=LOOKUP)[K.LOOKUP]
    assert [(one.first.day, one.last.day, one.note) for one in found] == [(16, 20, ""), (1, 2, "9:00–17:00")]
    assert [worded(one, date(2026, 11, 20)) for one in found] == [
        "11月16日（周一）至11月20日（周五），今天截止",
        "12月1日（周二）至12月2日（周三） 9:00–17:00，未开始（还有11天）",
    ]
    assert "请联系登记站" in worded(found[0], date(2026, 11, 21))


def test_a_calendar_of_before_lookup_was_there_is_still_the_same_calendar() -> None:
    old = {
        "name": "示例选举", "level": "county", "region": "shanghai", "day": "2026-12-29", "voting_days": 1,
        "windows": WINDOWS, "posted": {}, "offsets": {},
    }  # fmt: skip
    assert Election.from_content(old).as_content() == old


@pytest.mark.parametrize(
    ("lookup", "field"),
    [
        ("2026-12-01", "lookup"),
        ([{"from": "2026-12-01", "to": "morgen"}], "lookup[0].to"),
        ([{"from": "2026-12-01", "to": "2026-12-02", "audience": "居民"}], "lookup[0].audience"),
    ],
)
def test_a_lookup_window_that_cannot_be_read_is_named(lookup: object, field: str) -> None:
    with pytest.raises(BadCalendar) as refused:
        election(lookup=lookup)
    assert refused.value.findings[0].field == field


def test_a_lookup_window_has_no_distance_of_a_districts_own() -> None:
    with pytest.raises(BadCalendar):
        election(offsets={"lookup": {"days": 3, "basis": "x"}})


# --- computed days ----------------------------------------------------------------------------------


def test_the_calendar_of_an_earlier_election() -> None:
    assert firsts(dates(date(2021, 11, 16))) == {
        K.DAY: date(2021, 11, 16),
        K.AGE_LINE: date(2003, 11, 16),
        K.LIST_POSTED: date(2021, 10, 27),
        K.APPEALS_CLOSE: date(2021, 11, 1),
        K.APPEAL_DECIDED: date(2021, 11, 4),
        K.SUITS_CLOSE: date(2021, 11, 11),
        K.SUSPENSION_SERVED: date(2021, 11, 11),
        K.COURT_DECIDES: date(2021, 11, 15),
        K.LIST_AMENDED: date(2021, 11, 14),
        K.NOMINATION_OPENS: date(2021, 10, 27),
        K.NOMINEES_POSTED: date(2021, 11, 1),
        K.CANDIDATES_POSTED: date(2021, 11, 9),
        K.INTRODUCTION_STOPS: date(2021, 11, 16),
        K.VOTING: date(2021, 11, 16),
    }


def test_the_sample_column() -> None:
    found = firsts(dates())
    assert set(found) == set(DateKind) - NOT_COMPUTED
    assert found[K.AGE_LINE] == date(2008, 12, 29)
    assert found[K.LIST_POSTED] == date(2026, 12, 9)
    assert found[K.APPEALS_CLOSE] == date(2026, 12, 14)
    assert found[K.APPEAL_DECIDED] == date(2026, 12, 17)
    assert found[K.SUITS_CLOSE] == found[K.SUSPENSION_SERVED] == date(2026, 12, 24)
    assert found[K.LIST_AMENDED] == date(2026, 12, 27)  # a Sunday, not moved
    assert found[K.COURT_DECIDES] == date(2026, 12, 28)
    assert found[K.NOMINEES_POSTED] == date(2026, 12, 14)
    assert found[K.CANDIDATES_POSTED] == date(2026, 12, 22)


def test_notices_of_other_places_count_the_same() -> None:
    assert firsts(dates(date(2026, 12, 1)))[K.LIST_POSTED] == date(2026, 11, 11)
    assert firsts(dates(date(2016, 11, 30)))[K.LIST_POSTED] == date(2016, 11, 10)


def test_every_rule_names_its_article() -> None:
    counted = [rule for rule in RULES if rule.relation == "offset"]
    assert all(re.fullmatch(r"细则\d+", rule.citation) for rule in counted)
    assert all(found[0].citation for found in dates(windows=WINDOWS).values())


@pytest.mark.parametrize("region", packs.names())
def test_every_region_computes_its_list_and_names_its_rule(region: str) -> None:
    found = dates(region=region)
    for kind in (K.LIST_POSTED, K.APPEALS_CLOSE, K.SUITS_CLOSE, K.NOMINEES_POSTED, K.CANDIDATES_POSTED):
        assert found[kind][0].rule is not None
        assert found[kind][0].citation
    assert found[K.LIST_POSTED][0].first == date(2026, 12, 9)


def slowly(day: date, days: int) -> date:
    """So many days on or back, one at a time by the rules of the months."""
    year, month, number = day.year, day.month, day.day
    for _ in range(abs(days)):
        number += 1 if days > 0 else -1
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        lengths = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        if number > lengths[month - 1]:
            month, number = month + 1, 1
        if number < 1:
            month -= 1
            number = lengths[month - 1] if month else 31
        if month > 12:
            year, month = year + 1, 1
        if month < 1:
            year, month = year - 1, 12
    return date(year, month, number)


@given(st.dates(date(1980, 3, 1), date(2198, 12, 31)), st.integers(0, 30))
def test_every_day_is_what_counting_day_by_day_gives(day: date, early: int) -> None:
    posted = slowly(day, -20 - early)
    for found, list_day in (
        (dates(day), slowly(day, -20)),
        (dates(day, posted={"list_posted": posted.isoformat()}), posted),
    ):
        assert found[K.LIST_POSTED][0].first == list_day
        for rule in RULES:
            if rule.relation == "offset" and rule.kind != K.LIST_POSTED:
                base = found[DateKind(rule.base)][0].first
                assert found[DateKind(rule.kind)][0].first == slowly(base, rule.days)
        assert found[K.APPEAL_DECIDED][0].first == slowly(list_day, 8)


def test_the_day_the_list_was_really_posted_moves_what_counts_from_it() -> None:
    found = dates(posted={"list_posted": "2026-12-07"})
    assert found[K.LIST_POSTED][0].first == date(2026, 12, 7)
    assert not found[K.LIST_POSTED][0].latest
    assert found[K.APPEALS_CLOSE][0].first == date(2026, 12, 12)
    assert found[K.APPEAL_DECIDED][0].first == date(2026, 12, 15)
    assert found[K.NOMINATION_OPENS][0].first == date(2026, 12, 7)
    assert found[K.SUITS_CLOSE][0].first == date(2026, 12, 24)


def test_a_district_may_count_otherwise_and_says_by_which_paper() -> None:
    found = dates(offsets={"list_posted": {"days": -25, "basis": "区选办〔2026〕3号"}})
    posted = found[K.LIST_POSTED][0]
    assert (posted.first, posted.days, posted.basis) == (date(2026, 12, 4), -25, "区选办〔2026〕3号")
    assert found[K.APPEALS_CLOSE][0].first == date(2026, 12, 9)


def test_voting_takes_as_many_days_as_are_entered() -> None:
    voting = dates(voting_days=3)[K.VOTING][0]
    assert (voting.first, voting.last) == (E, date(2026, 12, 31))


def test_windows_are_shown_as_spans_and_by_their_ends() -> None:
    units = {"audience": "单位登记", "from": "2026-11-20", "to": "2026-12-05"}
    found = dates(windows=[*WINDOWS, units])
    assert [one.audience for one in found[K.REGISTRATION]] == ["单位登记", "居民登记"]
    assert [one.first for one in found[K.REGISTRATION_OPENS]] == [date(2026, 11, 20), date(2026, 11, 25)]
    assert [one.last for one in found[K.REGISTRATION_CLOSES]] == [date(2026, 12, 5)] * 2


# --- eighteen on election day -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "line"),
    [
        (date(2026, 12, 29), date(2008, 12, 29)),
        (date(2028, 2, 29), date(2010, 2, 28)),  # 2010 has no 29th
        (date(2026, 2, 28), date(2008, 2, 28)),  # who was born on the 29th is not yet eighteen
        (date(2026, 3, 1), date(2008, 3, 1)),  # and now is
        (date(2036, 2, 29), date(2018, 2, 28)),
        (date(2026, 1, 1), date(2008, 1, 1)),
    ],
)
def test_the_age_line_compares_dates_and_counts_no_days(day: date, line: date) -> None:
    assert age_line(day) == line
    assert dates(day)[K.AGE_LINE][0].first == line


@given(st.dates(date(1980, 1, 1), date(2190, 12, 31)), st.integers(-3, 3))
def test_whoever_has_had_the_eighteenth_birthday_is_within_the_line(day: date, shift: int) -> None:
    born = age_line(day) + timedelta(days=shift)
    had_it = (day.year - born.year, day.month, day.day) >= (18, born.month, born.day)
    assert (born <= age_line(day)) is had_it


# --- tenses -----------------------------------------------------------------------------------------


def beijing(month: int, day: int, hour: int, minute: int) -> date:
    """The Beijing day of a moment given by the Beijing clock."""
    at = datetime(2026, month, day, hour, minute, tzinfo=calendar.BEIJING).astimezone(UTC)
    return calendar.today(at)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ((11, 23, 23, 59), "未开始（还有2天）"),
        ((11, 24, 0, 0), "未开始（还有1天）"),
        ((11, 24, 23, 59), "未开始（还有1天）"),
        ((11, 25, 0, 0), "进行中（还剩10天）"),
        ((12, 4, 23, 59), "进行中（还剩1天）"),
        ((12, 5, 0, 0), "今天截止"),
        ((12, 5, 23, 59), "今天截止"),
        ((12, 6, 0, 0), "已结束（错过的请马上联系登记站，名单补正公布最迟12月27日）"),
        ((12, 27, 23, 59), "已结束（错过的请马上联系登记站，名单补正公布最迟12月27日）"),
        ((12, 28, 0, 0), "已结束（名单补正公布也已截止（12月27日），请咨询选举办）"),
    ],
)
def test_the_tense_changes_at_midnight_in_beijing(at: tuple[int, int, int, int], said: str) -> None:
    window = dates(windows=WINDOWS)[K.REGISTRATION][0]
    assert worded(window, beijing(*at)) == f"居民登记：11月25日（周三）至12月5日（周六） 9:00–17:00，{said}"


IF_POSTED = "名单公布之日起5日内；按最迟公布日算到12月14日（周一），"
TURNS = {
    # a term that opens with the posting of the list
    K.APPEALS_CLOSE: [
        ((11, 21, 0, 0), f"{IF_POSTED}还有23天"),
        ((12, 8, 23, 59), f"{IF_POSTED}还有6天"),
        ((12, 9, 0, 0), f"{IF_POSTED}进行中（还剩5天）"),
        ((12, 14, 0, 0), f"{IF_POSTED}今天截止"),
        ((12, 14, 23, 59), f"{IF_POSTED}今天截止"),
        ((12, 15, 0, 0), f"{IF_POSTED}已结束（仍可请登记站核实，名单补正公布最迟12月27日）"),
    ],
    K.SUITS_CLOSE: [
        ((12, 8, 23, 59), "最迟12月24日（周四），还有16天"),
        ((12, 24, 23, 59), "最迟12月24日（周四），今天截止"),
        ((12, 25, 0, 0), "最迟12月24日（周四），已结束"),
    ],
    K.LIST_AMENDED: [
        ((12, 8, 23, 59), "最迟12月27日（周日），还有19天"),
        ((12, 27, 23, 59), "最迟12月27日（周日），今天截止"),
        ((12, 28, 0, 0), "最迟12月27日（周日），已结束（名单不再补正，有疑问请咨询选举办）"),
    ],
    # a posting whose actual day nobody has entered
    K.LIST_POSTED: [
        ((12, 8, 23, 59), "最迟12月9日（周三），还有1天"),
        ((12, 9, 0, 0), "最迟12月9日（周三），最迟今天公布"),
        (
            (12, 10, 0, 0),
            "最迟12月9日（周三），应已公布，以公告为准"
            "（请看名单里有没有您，有错漏马上联系登记站，名单补正公布最迟12月27日）",
        ),
    ],
    K.COURT_DECIDES: [
        ((12, 28, 23, 59), "最迟12月28日（周一），今天截止"),
        ((12, 29, 0, 0), "最迟12月28日（周一），已结束"),
    ],
    K.DAY: [
        ((12, 28, 23, 59), "12月29日（周二），还有1天"),
        ((12, 29, 0, 0), "12月29日（周二），就是今天"),
        ((12, 30, 0, 0), "12月29日（周二），已结束"),
    ],
    K.VOTING: [
        ((12, 29, 23, 59), "12月29日（周二），就是今天"),
        ((12, 30, 0, 0), "12月29日（周二），已结束（结果以选举委员会公布的为准）"),
    ],
    K.NOMINATION_OPENS: [((12, 10, 0, 0), "最迟12月9日（周三），已开始")],
}


@pytest.mark.parametrize(
    ("kind", "at", "said"), [(kind, *turn) for kind, turns in TURNS.items() for turn in turns]
)
def test_every_kind_has_its_own_turn_of_phrase(
    kind: DateKind, at: tuple[int, int, int, int], said: str
) -> None:
    assert worded(dates()[kind][0], beijing(*at)) == said


@pytest.mark.parametrize(
    ("at", "said"),
    [((12, 6, 23, 59), "还有1天"), ((12, 7, 0, 0), "今天公布"), ((12, 8, 0, 0), "已公布")],
)
def test_a_posting_that_is_entered_is_certain(at: tuple[int, int, int, int], said: str) -> None:
    posted = dates(posted={"list_posted": "2026-12-07"})[K.LIST_POSTED][0]
    assert worded(posted, beijing(*at)).startswith(f"12月7日（周一），{said}")


def test_objections_are_certain_once_the_list_is_posted() -> None:
    appeals = dates(posted={"list_posted": "2026-12-07"})[K.APPEALS_CLOSE][0]
    assert worded(appeals, date(2026, 12, 6)) == "最迟12月12日（周六），还有6天"
    assert worded(appeals, date(2026, 12, 8)) == "最迟12月12日（周六），进行中（还剩4天）"


@given(st.dates(date(2026, 10, 1), date(2027, 2, 1)))
def test_a_tense_is_what_comparing_days_one_by_one_gives(today: date) -> None:
    for found in dates(windows=WINDOWS, voting_days=2).values():
        for one in found:
            days = [one.first + timedelta(days=n) for n in range((one.last - one.first).days + 1)]
            opens = one.opens or one.first
            expected = (
                Tense.LAST
                if today == days[-1]
                else Tense.OVER
                if today > days[-1]
                else Tense.BEFORE
                if today < opens
                else Tense.RUNNING
            )
            assert calendar.tense_of(one, today) is expected
            if expected is Tense.OVER and one.remedy and today <= one.remedy.last:
                assert "12月27日" in calendar.advice(one, today)


def test_voting_of_several_days_runs_and_ends() -> None:
    voting = dates(voting_days=2)[K.VOTING][0]
    assert calendar.tense(voting, date(2026, 12, 28)) == "未开始（还有1天）"
    assert calendar.tense(voting, date(2026, 12, 29)) == "进行中（还剩1天）"
    assert calendar.tense(voting, date(2026, 12, 30)) == "今天截止"


def test_a_region_in_which_only_some_may_be_added_later_says_who() -> None:
    window = dates(region="beijing", windows=WINDOWS)[K.REGISTRATION][0]
    assert "迁入和恢复权利的人补办登记最迟12月28日" in worded(window, date(2026, 12, 6))


def test_the_same_in_english() -> None:
    found = dates(windows=WINDOWS)
    assert worded(found[K.REGISTRATION][0], date(2026, 12, 2), "en") == (
        "居民登记: Wed 25 Nov to Sat 5 Dec 9:00–17:00, open (3 days left)"
    )
    assert worded(found[K.LIST_POSTED][0], date(2026, 12, 2), "en") == (
        "by Wed 9 Dec at the latest, in 7 days"
    )
    assert worded(found[K.AGE_LINE][0], date(2026, 12, 2), "en") == "29 Dec 2008"


# --- variables --------------------------------------------------------------------------------------


def test_a_computed_day_is_the_latest_one_and_says_so() -> None:
    values = calendar.variables(dates(), date(2026, 11, 20))
    assert values["list_posted"] == "最迟12月9日（周三），还有19天"
    assert values["day"] == "12月29日（周二），还有39天"
    assert values["age_line"] == "2008年12月29日"


def test_an_empty_calendar_invents_nothing() -> None:
    for found in ({}, dates(None)):
        values = calendar.variables(found, date(2026, 11, 20))
        assert set(values) == {kind.value for kind in DateKind}
        assert set(values.values()) == {NOT_ANNOUNCED}


def test_windows_without_an_election_day_invent_no_other_day() -> None:
    values = calendar.variables(dates(None, windows=WINDOWS), date(2026, 11, 20))
    known = {"registration", "registration_opens", "registration_closes"}
    assert {name for name, value in values.items() if value != NOT_ANNOUNCED} == known


def test_windows_of_several_audiences_stand_on_lines_of_their_own() -> None:
    units = {"audience": "单位登记", "from": "2026-11-20", "to": "2026-11-30"}
    text = calendar.variables(dates(None, windows=[*WINDOWS, units]), date(2026, 11, 20))["registration"]
    assert [line.split("：")[0] for line in text.split("\n")] == ["单位登记", "居民登记"]


def test_midnight_in_beijing_begins_the_day() -> None:
    assert calendar.begins(date(2026, 12, 29)) == datetime(2026, 12, 28, 16, 0, tzinfo=UTC)
    assert calendar.today(calendar.begins(date(2026, 12, 29))) == date(2026, 12, 29)


@pytest.mark.parametrize("year", [1986, 1991, 2026])
def test_beijing_is_eight_hours_ahead_all_year(year: int) -> None:
    """Daylight saving time was kept there until 1991; a day of this calendar begins at 16:00 UTC."""
    for month in range(1, 13):
        assert calendar.begins(date(year, month, 15)).hour == 16


def test_an_unknown_region_has_no_rules() -> None:
    with pytest.raises(KeyError):
        calendar.rules("atlantis")


def test_a_milestone_is_called_as_its_pack_calls_it() -> None:
    assert calendar.label(dates(region="beijing")[K.LIST_AMENDED][0]) == "迁入和恢复权利的人补办登记"
    assert calendar.label(K.LIST_AMENDED) == "名单补正公布"
    assert calendar.label(KeyDate(K.VOTING, E, E), "en") == "Voting"


# --- reading ----------------------------------------------------------------------------------------


def test_content_is_read_and_written_without_loss() -> None:
    content = {
        "name": "示例选举", "level": "township", "region": "zhejiang", "day": "2026-12-29", "voting_days": 2,
        "windows": [{"audience": "居民", "from": "2026-11-25", "to": "2026-12-05", "note": "含双休日"}],
        "posted": {"list_posted": "2026-12-08"},
        "offsets": {"list_posted": {"days": -21, "basis": "区选办〔2026〕3号"}},
    }  # fmt: skip
    assert Election.from_content(content).as_content() == content


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"level": "city"}, "level"),
        ({"day": "2026-13-29"}, "day"),
        ({"day": "2026-W53-2"}, "day"),
        ({"day": "0026-12-29"}, "day"),
        ({"day": "29.12.2026"}, "day"),
        ({"voting_days": 4}, "voting_days"),
        ({"voting_days": 0}, "voting_days"),
        ({"voting_days": "2"}, "voting_days"),
        ({"voting_days": True}, "voting_days"),
        ({"weather": "fine"}, "weather"),
        ({"windows": {"from": "2026-11-25"}}, "windows"),
        ({"windows": ["2026-11-25"]}, "windows[0]"),
        ({"windows": [*WINDOWS, {"from": "2026-11-25"}]}, "windows[1].to"),
        ({"windows": [{"from": "soon", "to": "2026-11-25"}]}, "windows[0].from"),
        ({"windows": [{**WINDOWS[0], "until": "x"}]}, "windows[0].until"),
        ({"posted": ["2026-12-08"]}, "posted"),
        ({"posted": {"list_hidden": "2026-12-08"}}, "posted.list_hidden"),
        ({"posted": {"voting": "2026-12-08"}}, "posted.voting"),
        ({"posted": {"list_posted": 8}}, "posted.list_posted"),
        ({"offsets": {"day": {"days": 1, "basis": "x"}}}, "offsets.day"),
        ({"offsets": {"list_posted": -20}}, "offsets.list_posted"),
        ({"offsets": {"list_posted": {"days": "20", "basis": "x"}}}, "offsets.list_posted.days"),
        ({"offsets": {"list_posted": {"days": -9999, "basis": "x"}}}, "offsets.list_posted.days"),
        ({"offsets": {"list_posted": {"days": -25}}}, "offsets.list_posted.basis"),
        ({"offsets": {"list_posted": {"days": -25, "basis": "x", "who": "y"}}}, "offsets.list_posted.who"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place(changes: dict[str, object], field: str) -> None:
    with pytest.raises(BadCalendar) as refused:
        Election.from_content({"name": "示例选举", "day": "2026-12-29", **changes})
    assert refused.value.facts["field"] == field
