"""Legal terms on a case: from the posting, from the receipt, never moved; and how loudly they end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import elections
from knowledge.calendar import Election
from tests.make import CALENDAR
from ticketing import statutory
from ticketing.statutory import Alarm, AppealClock, Dates, Term


def dates(**changes: Any) -> Dates:
    return elections.dates_of(Election.from_content(CALENDAR | changes))


POSTED = dates(posted={"list_posted": "2026-12-09"})


@pytest.mark.parametrize(
    ("day", "term"),
    [
        (date(2026, 12, 8), Term.NOT_YET),
        (date(2026, 12, 9), Term.OPEN),
        (date(2026, 12, 14), Term.OPEN),
        (date(2026, 12, 15), Term.OVER),
    ],
)
def test_an_appeal_is_possible_from_the_posting_until_five_days_after(day: date, term: Term) -> None:
    assert statutory.appeal_term(POSTED, day) is term


@pytest.mark.parametrize(
    ("day", "term"),
    [
        (date(2026, 12, 8), Term.NOT_YET),
        (date(2026, 12, 9), Term.OPEN),
        (date(2026, 12, 27), Term.OPEN),  # a Sunday, not moved
        (date(2026, 12, 28), Term.OVER),
    ],
)
def test_the_posted_list_is_amended_until_two_days_before_the_election(day: date, term: Term) -> None:
    assert statutory.correction_term(POSTED, day) is term


def test_without_a_calendar_no_term_is_known() -> None:
    day = date(2026, 12, 9)
    assert statutory.appeal_term({}, day) is Term.UNKNOWN
    assert statutory.correction_term({}, day) is Term.UNKNOWN
    assert statutory.correction_due({}, day) is None
    assert not statutory.pressed({}, day)
    assert statutory.appeal_clock({}, day) == AppealClock(date(2026, 12, 12), None)


def test_an_appeal_filed_on_the_last_day_is_decided_three_days_later() -> None:
    clock = statutory.appeal_clock(POSTED, date(2026, 12, 14))
    assert clock == AppealClock(decided=date(2026, 12, 17), suits=date(2026, 12, 24))


def test_a_district_that_decides_sooner_has_its_own_distance() -> None:
    sooner = dates(offsets={"appeal_decided": {"days": 2, "basis": "区选举委员会决定"}})
    assert statutory.appeal_clock(sooner, date(2026, 12, 10)).decided == date(2026, 12, 12)


@given(st.dates(date(2026, 12, 9), date(2026, 12, 14)))
def test_a_decision_is_counted_from_the_receipt_over_any_rest_day(received: date) -> None:
    assert statutory.appeal_clock(POSTED, received).decided == received + timedelta(days=3)


def test_a_correction_runs_until_the_list_is_amended_for_the_last_time() -> None:
    last = date(2026, 12, 27)
    assert statutory.correction_due(POSTED, date(2026, 11, 20)) == last
    assert statutory.correction_due(POSTED, last) == last
    assert statutory.correction_due(POSTED, last + timedelta(days=1)) is None


@pytest.mark.parametrize(("day", "pressed"), [(8, False), (9, True), (14, True), (27, True), (28, False)])
def test_answers_press_while_a_term_of_the_list_is_open(day: int, pressed: bool) -> None:
    assert statutory.pressed(POSTED, date(2026, 12, day)) is pressed


@pytest.mark.parametrize(
    ("day", "left", "alarm"),
    [
        (14, 3, Alarm.NONE),
        (15, 2, Alarm.NONE),
        (16, 1, Alarm.PRESSING),
        (17, 0, Alarm.TODAY),
        (18, -1, Alarm.OVER),
    ],
)
def test_the_end_is_said_louder_as_it_comes(day: int, left: int, alarm: Alarm) -> None:
    due, today = date(2026, 12, 17), date(2026, 12, day)
    assert (statutory.days_left(due, today), statutory.alarm(due, today)) == (left, alarm)
