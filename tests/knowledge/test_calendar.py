"""Statutory days: computed from election day, worded in four tenses, and never invented."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from knowledge import calendar
from knowledge.calendar import NOT_ANNOUNCED, DateKind, Election, KeyDate, Span, age_line, computed, worded
from office.store import Store
from tests.make import Cast

K = DateKind
RULES = calendar.rules("shanghai")


def days(day: date, *entered: Span) -> dict[DateKind, date]:
    return {kind: found[0].first for kind, found in computed(day, entered, RULES).items()}


def test_the_calendar_of_an_earlier_election() -> None:
    found = days(date(2021, 11, 16))
    assert found == {
        K.DAY: date(2021, 11, 16),
        K.VOTING: date(2021, 11, 16),
        K.AGE_LINE: date(2003, 11, 16),
        K.LIST_POSTED: date(2021, 10, 27),
        K.APPEALS_CLOSE: date(2021, 11, 1),
        K.NOMINEES_POSTED: date(2021, 11, 1),
        K.CANDIDATES_POSTED: date(2021, 11, 9),
        K.SUITS_CLOSE: date(2021, 11, 11),
        K.LIST_AMENDED: date(2021, 11, 14),
    }


def test_the_sample_column() -> None:
    found = days(date(2026, 12, 29))
    assert found == {
        K.DAY: date(2026, 12, 29),
        K.VOTING: date(2026, 12, 29),
        K.AGE_LINE: date(2008, 12, 29),
        K.LIST_POSTED: date(2026, 12, 9),
        K.APPEALS_CLOSE: date(2026, 12, 14),
        K.NOMINEES_POSTED: date(2026, 12, 14),
        K.CANDIDATES_POSTED: date(2026, 12, 22),
        K.SUITS_CLOSE: date(2026, 12, 24),
        K.LIST_AMENDED: date(2026, 12, 27),  # a Sunday, not moved
    }


def test_every_rule_names_its_article() -> None:
    assert all(re.fullmatch(r"细则第.+条", rule.citation) for rule in RULES)


def test_the_day_the_list_was_really_posted_moves_the_end_of_appeals() -> None:
    posted = Span(K.LIST_POSTED, date(2026, 12, 7), date(2026, 12, 7))
    found = computed(date(2026, 12, 29), [posted], RULES)
    assert found[K.LIST_POSTED] == [posted]
    assert found[K.APPEALS_CLOSE][0].first == date(2026, 12, 12)
    assert found[K.SUITS_CLOSE][0].first == date(2026, 12, 24)


def test_several_days_of_voting_are_entered() -> None:
    voting = Span(K.VOTING, date(2026, 12, 29), date(2026, 12, 31))
    assert computed(date(2026, 12, 29), [voting], RULES)[K.VOTING] == [voting]


@pytest.mark.parametrize(
    ("election", "line"),
    [
        (date(2026, 12, 29), date(2008, 12, 29)),
        (date(2028, 2, 29), date(2010, 2, 28)),  # 2010 has no 29th
        (date(2026, 2, 28), date(2008, 2, 28)),  # who was born on the 29th is not yet eighteen
        (date(2026, 3, 1), date(2008, 3, 1)),  # and now is
        (date(2036, 2, 29), date(2018, 2, 28)),
        (date(2026, 1, 1), date(2008, 1, 1)),
    ],
)
def test_the_age_line_compares_dates_and_counts_no_days(election: date, line: date) -> None:
    assert age_line(election) == line


WINDOW = Span(K.REGISTRATION, date(2026, 11, 25), date(2026, 12, 5), audience="居民登记", note="9:00–17:00")


def beijing(month: int, day: int, hour: int, minute: int) -> date:
    """The Beijing day of a moment given by the Beijing clock."""
    at = datetime(2026, month, day, hour, minute, tzinfo=calendar.BEIJING).astimezone(UTC)
    return calendar.today(at)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ((11, 23, 23, 59), "还有2天"),
        ((11, 24, 0, 0), "还有1天"),
        ((11, 24, 23, 59), "还有1天"),
        ((11, 25, 0, 0), "进行中，还剩10天"),
        ((12, 4, 23, 59), "进行中，还剩1天"),
        ((12, 5, 0, 0), "今天截止"),
        ((12, 5, 23, 59), "今天截止"),
        ((12, 6, 0, 0), "已结束"),
    ],
)
def test_the_tense_changes_at_midnight_in_beijing(at: tuple[int, int, int, int], said: str) -> None:
    today = beijing(*at)
    assert calendar.tense(WINDOW, today) == said
    assert worded(WINDOW, today) == f"居民登记：11月25日（周三）至12月5日（周六） 9:00–17:00，{said}"


@pytest.mark.parametrize(
    ("at", "said"),
    [((12, 28, 23, 59), "还有1天"), ((12, 29, 0, 0), "就是今天"), ((12, 30, 0, 0), "已结束")],
)
def test_a_single_day_is_today_or_not(at: tuple[int, int, int, int], said: str) -> None:
    day = Span(K.DAY, date(2026, 12, 29), date(2026, 12, 29))
    assert worded(day, beijing(*at)) == f"12月29日（周二），{said}"


def test_a_computed_day_is_the_latest_one_and_says_so() -> None:
    values = calendar.variables(computed(date(2026, 12, 29), [], RULES), date(2026, 11, 20))
    assert values["list_posted"] == "最迟12月9日（周三），还有19天"
    assert values["day"] == "12月29日（周二），还有39天"
    assert values["age_line"] == "2008年12月29日"


def test_an_empty_calendar_invents_nothing() -> None:
    for spans in ({}, computed(None, [], RULES)):
        values = calendar.variables(spans, date(2026, 11, 20))
        assert set(values) == {kind.value for kind in DateKind}
        assert set(values.values()) == {NOT_ANNOUNCED}
        assert not any(re.search(r"\d", value) for value in values.values())


def test_windows_without_an_election_day_invent_no_other_day() -> None:
    values = calendar.variables(computed(None, [WINDOW], RULES), date(2026, 11, 20))
    assert values.pop("registration").startswith("居民登记：11月25日")
    assert set(values.values()) == {NOT_ANNOUNCED}


def test_windows_of_several_audiences_stand_on_lines_of_their_own() -> None:
    units = Span(K.REGISTRATION, date(2026, 11, 20), date(2026, 11, 30), audience="单位登记")
    text = calendar.variables(computed(None, [units, WINDOW], RULES), date(2026, 11, 20))["registration"]
    assert [line.split("：")[0] for line in text.split("\n")] == ["单位登记", "居民登记"]


def test_midnight_in_beijing_begins_the_day() -> None:
    assert calendar.begins(date(2026, 12, 29)) == datetime(2026, 12, 28, 16, 0, tzinfo=UTC)
    assert calendar.today(calendar.begins(date(2026, 12, 29))) == date(2026, 12, 29)


def test_an_unknown_region_has_no_rules() -> None:
    with pytest.raises(FileNotFoundError):
        calendar.rules("atlantis")


async def test_without_an_election_the_store_gives_no_day(store: Store) -> None:
    async with store.reading() as session:
        assert await calendar.spans(session) == {}


async def test_the_newest_election_is_the_one_in_hand(store: Store, cast: Cast) -> None:
    async with store.transaction() as session:
        found = await calendar.spans(session)
        assert found[K.DAY][0].first == date(2026, 12, 29)
        assert found[K.REGISTRATION][0].audience == "居民登记"
        await calendar.enter(session, cast.district.id, "下一次选举", None, [])
        # No day falls back to the election before.
        assert await calendar.spans(session) == {}


async def test_an_entered_posting_day_comes_out_of_the_store(store: Store, cast: Cast) -> None:
    async with store.transaction() as session:
        election = (await session.scalars(select(Election))).one()
        posted = date(2026, 12, 8)
        session.add(KeyDate(election_id=election.id, kind=K.LIST_POSTED, starts_on=posted, ends_on=posted))
        await session.flush()
        found = await calendar.spans(session)
    assert found[K.LIST_POSTED] == [Span(K.LIST_POSTED, posted, posted)]
    assert found[K.APPEALS_CLOSE][0].first == date(2026, 12, 13)
