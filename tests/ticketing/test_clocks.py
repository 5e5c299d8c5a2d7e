"""When an answer is due: the table of promises row by row, and what holds for every moment."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from office.hours import BEIJING, DayKind, OfficeHours, Span, SpecialDay, moment
from ticketing.clocks import (
    Priority,
    Promise,
    business_day,
    day_clear,
    follow_up_at,
    promise,
    warning_level,
)

DATA = yaml.safe_load((Path(__file__).parents[2] / "data" / "hours.yaml").read_text(encoding="utf-8"))
HOURS = OfficeHours.from_data(DATA)
SATURDAY = date(2026, 11, 21)


def bj(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=BEIJING)


def with_shift(day: date, *spans: str) -> OfficeHours:
    return OfficeHours(HOURS.weekly, HOURS.special, {day: tuple(map(Span.parse, spans))}, HOURS.years)


ON_DUTY_SATURDAY = with_shift(SATURDAY, "9:00-12:00", "13:30-16:00")


def owed(priority: Priority, due_day: str, promised: str, due: str | None = None) -> Promise:
    midnight = due is not None and due.endswith("24:00")
    if due is not None and midnight:
        due_at = moment(date.fromisoformat(due.split()[0]), timedelta(hours=24))
    else:
        due_at = bj(due or promised)
    return Promise(priority, date.fromisoformat(due_day), bj(promised), due_at)


# --- the examples ---


def test_urgent_at_11_is_due_at_15_because_lunch_does_not_count() -> None:
    expected = owed(Priority.P1, "2026-11-20", "2026-11-20 15:00")
    assert promise(bj("2026-11-20 11:00"), HOURS, urgent=True) == expected


def test_friday_morning_is_due_the_same_day_at_day_end() -> None:
    expected = owed(Priority.P2, "2026-11-20", "2026-11-20 17:30")
    assert promise(bj("2026-11-20 10:05"), HOURS) == expected


def test_late_friday_with_duty_on_saturday_is_promised_for_saturday_noon() -> None:
    expected = owed(Priority.P2, "2026-11-20", "2026-11-21 12:00", "2026-11-20 24:00")
    assert promise(bj("2026-11-20 16:50"), ON_DUTY_SATURDAY) == expected


def test_the_evening_before_the_holiday_is_due_after_it() -> None:
    expected = owed(Priority.P3, "2026-10-08", "2026-10-08 12:00")
    assert promise(bj("2026-09-30 18:10"), HOURS) == expected


def test_a_make_up_saturday_is_a_workday() -> None:
    expected = owed(Priority.P2, "2026-10-10", "2026-10-10 17:30")
    assert promise(bj("2026-10-10 10:00"), HOURS) == expected


def test_an_answer_at_00_03_belongs_to_the_new_day_and_the_old_day_keeps_its_miss() -> None:
    answered = bj("2026-11-21 00:03")
    assert business_day(answered) == date(2026, 11, 21)
    assert not day_clear(date(2026, 11, 20), answered)
    assert day_clear(date(2026, 11, 20), bj("2026-11-20 23:59"))
    assert not day_clear(date(2026, 11, 20), None)


# --- the borders of the table ---


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("2026-11-20 00:00", owed(Priority.P2, "2026-11-20", "2026-11-20 17:30")),
        ("2026-11-20 00:03", owed(Priority.P2, "2026-11-20", "2026-11-20 17:30")),
        ("2026-11-20 12:15", owed(Priority.P2, "2026-11-20", "2026-11-20 17:30")),
        ("2026-11-20 16:30", owed(Priority.P2, "2026-11-20", "2026-11-20 17:30")),
        ("2026-11-20 16:31", owed(Priority.P2, "2026-11-20", "2026-11-23 12:00", "2026-11-20 24:00")),
        ("2026-11-20 17:30", owed(Priority.P2, "2026-11-20", "2026-11-23 12:00", "2026-11-20 24:00")),
        ("2026-11-20 17:31", owed(Priority.P3, "2026-11-23", "2026-11-23 12:00")),
        ("2026-11-20 23:59", owed(Priority.P3, "2026-11-23", "2026-11-23 12:00")),
        ("2026-11-21 10:00", owed(Priority.P3, "2026-11-23", "2026-11-23 12:00")),
        ("2026-11-22 23:59", owed(Priority.P3, "2026-11-23", "2026-11-23 12:00")),
        ("2026-10-03 09:00", owed(Priority.P3, "2026-10-08", "2026-10-08 12:00")),
        ("2026-12-31 17:00", owed(Priority.P2, "2026-12-31", "2027-01-01 12:00", "2026-12-31 24:00")),
    ],
)
def test_borders_of_the_table(accepted: str, expected: Promise) -> None:
    assert promise(bj(accepted), HOURS) == expected


@pytest.mark.parametrize(
    ("accepted", "due_day", "due"),
    [
        ("2026-11-20 07:00", "2026-11-20", "2026-11-20 10:30"),  # before opening
        ("2026-11-20 12:00", "2026-11-20", "2026-11-20 15:30"),  # at lunch
        ("2026-11-20 16:50", "2026-11-20", "2026-11-23 09:50"),  # begun today, ends after the weekend
        ("2026-11-20 17:30", "2026-11-23", "2026-11-23 10:30"),  # off duty at closing time
        ("2026-11-21 10:00", "2026-11-23", "2026-11-23 10:30"),
        ("2026-10-01 10:00", "2026-10-08", "2026-10-08 10:30"),
    ],
)
def test_urgent_runs_two_duty_hours(accepted: str, due_day: str, due: str) -> None:
    assert promise(bj(accepted), HOURS, urgent=True) == owed(Priority.P1, due_day, due)


def test_a_year_without_a_table_counts_as_plain_weekdays() -> None:
    assert not HOURS.has_year(2027)
    friday, saturday = bj("2027-10-01 10:00"), bj("2027-10-02 10:00")
    assert promise(friday, HOURS) == owed(Priority.P2, "2027-10-01", "2027-10-01 17:30")
    assert promise(saturday, HOURS) == owed(Priority.P3, "2027-10-04", "2027-10-04 12:00")


# --- duty days that are shorter or longer than a workday ---


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("2026-11-21 10:00", owed(Priority.P2, "2026-11-21", "2026-11-21 16:00")),
        ("2026-11-21 15:00", owed(Priority.P2, "2026-11-21", "2026-11-21 16:00")),
        ("2026-11-21 15:30", owed(Priority.P2, "2026-11-21", "2026-11-23 12:00", "2026-11-21 24:00")),
        ("2026-11-21 16:01", owed(Priority.P3, "2026-11-23", "2026-11-23 12:00")),
    ],
)
def test_on_a_short_duty_day_its_closing_is_the_day_end(accepted: str, expected: Promise) -> None:
    assert promise(bj(accepted), ON_DUTY_SATURDAY) == expected


def test_nothing_is_promised_for_noon_when_duty_begins_in_the_afternoon() -> None:
    afternoon = with_shift(SATURDAY, "14:00-17:00")
    expected = owed(Priority.P3, "2026-11-21", "2026-11-21 17:00")
    assert promise(bj("2026-11-20 20:00"), afternoon) == expected


def test_evening_duty_does_not_move_the_day_end() -> None:
    evening = with_shift(date(2026, 11, 20), "8:30-11:30", "13:30-17:00", "18:00-21:00")
    assert promise(bj("2026-11-20 10:00"), evening) == owed(Priority.P2, "2026-11-20", "2026-11-20 17:00")
    through = with_shift(date(2026, 11, 20), "8:30-20:00")
    assert promise(bj("2026-11-20 10:00"), through) == owed(Priority.P2, "2026-11-20", "2026-11-20 17:30")
    assert promise(bj("2026-11-20 19:00"), evening) == owed(Priority.P3, "2026-11-23", "2026-11-23 12:00")


def test_evening_duty_alone_is_promised_for_its_end() -> None:
    evening = with_shift(SATURDAY, "18:00-21:00")
    assert promise(bj("2026-11-21 10:00"), evening) == owed(Priority.P2, "2026-11-21", "2026-11-21 21:00")


def test_election_day_lasts_24_hours() -> None:
    day = date(2026, 12, 29)
    whole = SpecialDay(DayKind.WORK, "选举日", (Span.parse("0:00-24:00"),))
    election = OfficeHours(HOURS.weekly, {**HOURS.special, day: whole})
    late = promise(bj("2026-12-29 22:30"), election, urgent=True)
    assert late == owed(Priority.P1, "2026-12-29", "2026-12-30 09:00")
    assert promise(bj("2026-12-29 03:00"), election, urgent=True).due_at == bj("2026-12-29 05:00")


def test_without_any_duty_ahead_nothing_is_promised() -> None:
    for urgent in (True, False):
        with pytest.raises(LookupError):
            promise(bj("2026-11-20 10:00"), OfficeHours({}), urgent)
    with pytest.raises(LookupError):
        follow_up_at(bj("2026-11-20 10:00"), OfficeHours({}))


# --- warnings ---


@pytest.mark.parametrize(
    ("now", "level"),
    [
        ("2026-11-20 08:30", 0),
        ("2026-11-20 12:30", 0),  # 3 of 7 hours, lunch does not count
        ("2026-11-20 16:05", 0),
        ("2026-11-20 16:06", 80),  # 5 h 36 min of 7 h
        ("2026-11-20 17:29", 80),
        ("2026-11-20 17:30", 100),
        ("2026-11-22 12:00", 100),
    ],
)
def test_warnings_follow_duty_time(now: str, level: int) -> None:
    assert warning_level(bj("2026-11-20 08:30"), bj("2026-11-20 17:30"), bj(now), HOURS) == level


def test_a_term_is_used_up_when_the_last_duty_before_it_ends() -> None:
    accepted, due = bj("2026-11-20 17:40"), bj("2026-11-23 12:00")
    assert warning_level(accepted, due, bj("2026-11-22 23:00"), HOURS) == 0
    assert warning_level(accepted, due, bj("2026-11-23 10:53"), HOURS) == 0
    assert warning_level(accepted, due, bj("2026-11-23 10:54"), HOURS) == 80
    assert warning_level(accepted, due, bj("2026-11-23 11:30"), HOURS) == 100


def test_a_term_without_duty_time_is_warned_of_by_the_wall_clock() -> None:
    accepted, due = bj("2026-11-20 18:00"), bj("2026-11-20 23:00")
    assert warning_level(accepted, due, bj("2026-11-20 21:59"), HOURS) == 0
    assert warning_level(accepted, due, bj("2026-11-20 22:00"), HOURS) == 80
    assert warning_level(accepted, due, bj("2026-11-20 23:00"), HOURS) == 100


def test_a_moment_before_acceptance_needs_no_warning() -> None:
    assert warning_level(bj("2026-11-20 10:00"), bj("2026-11-20 17:30"), bj("2026-11-20 09:59"), HOURS) == 0


# --- follow-up and default closing ---


@pytest.mark.parametrize(
    ("answered", "asked"),
    [
        ("2026-11-18 10:00", "2026-11-19 10:00"),
        ("2026-11-18 12:00", "2026-11-19 13:30"),  # not at lunch
        ("2026-11-18 17:30", "2026-11-20 08:30"),  # not at closing time
        ("2026-11-19 22:00", "2026-11-23 08:30"),  # not at the weekend
        ("2026-09-30 09:00", "2026-10-08 08:30"),  # not on a holiday
    ],
)
def test_the_follow_up_comes_after_a_day_within_duty(answered: str, asked: str) -> None:
    assert follow_up_at(bj(answered), HOURS) == bj(asked)


def test_enums_are_stored_as_their_lower_case_names() -> None:
    assert [member.value for member in Priority] == ["p1", "p2", "p3"]


# --- what holds for every moment ---

MOMENTS = st.datetimes(
    min_value=datetime(2026, 8, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2027, 3, 1),  # noqa: DTZ001
    timezones=st.just(BEIJING),
)
ROSTERS = st.dictionaries(
    st.dates(date(2026, 8, 1), date(2027, 3, 31)),
    st.lists(
        st.sampled_from(
            ["8:30-11:30", "13:30-17:30", "9:00-12:00", "14:00-17:00", "18:00-24:00", "0:00-24:00"]
        ),
        max_size=3,
    ).map(lambda spans: tuple(map(Span.parse, spans))),
    max_size=12,
)
CALENDARS = st.builds(lambda shifts: OfficeHours(HOURS.weekly, HOURS.special, shifts), ROSTERS)
MIDNIGHT = time(0)


@given(CALENDARS, MOMENTS, st.booleans())
def test_a_promise_is_never_before_acceptance_nor_before_its_day(
    hours: OfficeHours, accepted: datetime, urgent: bool
) -> None:
    owes = promise(accepted, hours, urgent)
    assert owes.promised_at >= owes.due_at >= accepted
    assert owes.due_day >= business_day(accepted)
    assert owes.due_at >= moment(owes.due_day, timedelta(0))
    assert hours.is_duty_day(owes.due_day)
    assert (owes.priority is Priority.P1) is urgent


@given(CALENDARS, MOMENTS, st.booleans())
def test_somebody_is_on_duty_between_acceptance_and_the_promised_time(
    hours: OfficeHours, accepted: datetime, urgent: bool
) -> None:
    assert hours.duty_between(accepted, promise(accepted, hours, urgent).promised_at) > timedelta(0)


@given(CALENDARS, MOMENTS, st.booleans())
def test_due_times_lie_within_or_at_the_end_of_duty_or_are_the_fixed_noon_and_midnight(
    hours: OfficeHours, accepted: datetime, urgent: bool
) -> None:
    due_at = promise(accepted, hours, urgent).due_at
    fixed = not urgent and due_at.astimezone(BEIJING).time() in {time(12), MIDNIGHT}
    assert fixed or hours.is_open(due_at - timedelta(microseconds=1))


@given(CALENDARS, MOMENTS, MOMENTS, MOMENTS)
def test_warnings_never_go_back(
    hours: OfficeHours, accepted: datetime, first: datetime, later: datetime
) -> None:
    first, later = sorted((first, later))
    due_at = promise(accepted, hours).due_at
    assert warning_level(accepted, due_at, first, hours) <= warning_level(accepted, due_at, later, hours)
    assert warning_level(accepted, due_at, due_at, hours) == 100
