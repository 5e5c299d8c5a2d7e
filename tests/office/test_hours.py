"""The working calendar: which hours a day has, and arithmetic in duty time."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from office import timetable
from office.hours import (
    BEIJING,
    DayKind,
    OfficeHours,
    Span,
    SpecialDay,
    TimetableFault,
    beijing_day,
    moment,
)

DATA = yaml.safe_load((Path(__file__).parents[2] / "data" / "hours.yaml").read_text(encoding="utf-8"))
MORNING, AFTERNOON = Span(time(8, 30), time(11, 30)), Span(time(13, 30), time(17, 30))
WORKDAY = (MORNING, AFTERNOON)
SATURDAY = date(2026, 11, 21)
ELECTION_DAY = date(2026, 12, 29)


def bj(day: str, clock: str = "0:00") -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime.combine(date.fromisoformat(day), time(hour, minute), BEIJING)


def hours(**more: Any) -> OfficeHours:
    plain = OfficeHours.from_data(DATA)
    fields: dict[str, Any] = {"weekly": plain.weekly, "special": plain.special, "years": plain.years} | more
    return OfficeHours(**fields)


def span(text: str) -> Span:
    return Span.parse(text)


def test_beijing_is_eight_hours_ahead_all_year_and_named() -> None:
    for month in range(1, 13):
        assert datetime(2026, month, 1, tzinfo=BEIJING).utcoffset() == timedelta(hours=8)
    assert BEIJING.tzname(None) == "Asia/Shanghai"


# --- spans ---


@pytest.mark.parametrize(
    ("text", "opens", "closes", "shown"),
    [
        ("8:30-11:30", 8.5, 11.5, "8:30–11:30"),
        (" 08:30 – 11:30 ", 8.5, 11.5, "8:30–11:30"),
        ("８：３０－１１：３０", 8.5, 11.5, "8:30–11:30"),
        ("0:00-24:00", 0, 24, "0:00–24:00"),
        ("18:00至0:00", 18, 24, "18:00–24:00"),
    ],
)
def test_a_span_is_read_and_shown(text: str, opens: float, closes: float, shown: str) -> None:
    found = span(text)
    assert (found.opens, found.closes) == (timedelta(hours=opens), timedelta(hours=closes))
    assert str(found) == shown


@pytest.mark.parametrize(
    "text", ["8:30", "11:30-8:30", "8:30-8:30", "24:00-24:00", "8:30-24:30", "8:61-9:00", ""]
)
def test_a_faulty_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"span|hour|minute"):
        span(text)


# --- which hours a day has ---


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-11-20", WORKDAY),  # Friday
        ("2026-11-21", ()),  # Saturday
        ("2026-09-30", WORKDAY),  # Wednesday before the holiday
        ("2026-10-01", ()),
        ("2026-10-07", ()),  # Wednesday, last day of the holiday
        ("2026-10-08", WORKDAY),
        ("2026-10-10", WORKDAY),  # Saturday, worked in exchange
        ("2026-10-11", ()),
        ("2027-10-01", WORKDAY),  # Friday of a year without a table
    ],
)
def test_days_of_the_shipped_table(day: str, expected: tuple[Span, ...]) -> None:
    calendar = OfficeHours.from_data(DATA)
    assert calendar.spans_on(date.fromisoformat(day)) == expected
    assert calendar.is_duty_day(date.fromisoformat(day)) is bool(expected)


def test_a_year_without_a_table_is_known_to_be_without() -> None:
    calendar = OfficeHours.from_data(DATA)
    assert calendar.has_year(2026)
    assert not calendar.has_year(2027)


def test_the_shipped_table_says_that_it_is_sample_data() -> None:
    assert "示例数据" in DATA["years"][2026]["source"]


def test_shifts_come_before_special_days_and_those_before_the_week() -> None:
    holiday, special = date(2026, 10, 1), {date(2026, 10, 1): SpecialDay(DayKind.REST, "国庆节")}
    weekly = {holiday.weekday(): WORKDAY}
    assert hours(weekly=weekly, special={}).spans_on(holiday) == WORKDAY
    assert hours(weekly=weekly, special=special).spans_on(holiday) == ()
    shifts = {holiday: (span("9:00-12:00"),)}
    assert hours(weekly=weekly, special=special, shifts=shifts).spans_on(holiday) == (span("9:00-12:00"),)


def test_a_published_day_without_shifts_is_closed() -> None:
    assert not hours(shifts={date(2026, 11, 20): ()}).is_duty_day(date(2026, 11, 20))


def test_a_weekend_shift_opens_only_its_own_hours() -> None:
    calendar = hours(shifts={SATURDAY: (span("9:00-12:00"),)})
    assert calendar.is_open(bj("2026-11-21", "9:00"))
    assert not calendar.is_open(bj("2026-11-21", "13:30"))
    assert not calendar.is_open(bj("2026-11-22", "9:00"))


def test_overlapping_and_touching_shifts_are_joined() -> None:
    shifts = (
        span("13:00-17:00"),
        span("8:00-12:00"),
        span("11:00-13:00"),
        span("9:00-10:00"),
        span("18:00-24:00"),
    )
    joined = hours(shifts={SATURDAY: shifts}).spans_on(SATURDAY)
    assert joined == (span("8:00-17:00"), span("18:00-24:00"))


def test_election_day_may_last_from_midnight_to_midnight() -> None:
    whole = SpecialDay(DayKind.WORK, "选举日", (span("0:00-24:00"),))
    calendar = hours(special={ELECTION_DAY: whole})
    assert calendar.is_open(bj("2026-12-29", "0:00"))
    assert calendar.is_open(bj("2026-12-29", "23:59"))
    assert not calendar.is_open(bj("2026-12-30", "0:00"))
    assert calendar.duty_between(bj("2026-12-29"), bj("2026-12-30")) == timedelta(hours=24)


def test_a_working_special_day_without_hours_gets_those_of_a_workday() -> None:
    calendar = hours(special={SATURDAY: SpecialDay(DayKind.WORK, "加班")})
    assert calendar.spans_on(SATURDAY) == WORKDAY


def test_a_day_of_rest_with_hours_is_refused() -> None:
    with pytest.raises(ValueError, match="国庆节"):
        SpecialDay(DayKind.REST, "国庆节", WORKDAY)


# --- open, next opening, next duty day ---


@pytest.mark.parametrize(
    ("clock", "is_open", "next_open"),
    [
        ("0:00", False, "8:30"),
        ("8:29", False, "8:30"),
        ("8:30", True, "8:30"),
        ("11:29", True, "11:29"),
        ("11:30", False, "13:30"),
        ("12:15", False, "13:30"),
        ("17:29", True, "17:29"),
    ],
)
def test_open_and_next_opening_within_a_workday(clock: str, is_open: bool, next_open: str) -> None:
    calendar, at = hours(), bj("2026-11-20", clock)
    assert calendar.is_open(at) is is_open
    assert calendar.next_open(at) == bj("2026-11-20", next_open)


def test_after_friday_closing_comes_monday_and_after_the_eve_the_end_of_the_holiday() -> None:
    assert hours().next_open(bj("2026-11-20", "17:30")) == bj("2026-11-23", "8:30")
    assert hours().next_open(bj("2026-09-30", "18:10")) == bj("2026-10-08", "8:30")
    assert hours().next_duty_day(date(2026, 9, 30)) == date(2026, 10, 8)


def test_results_are_utc_whatever_zone_went_in() -> None:
    at = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)  # 9:00 in Beijing
    for result in (hours().next_open(at), hours().add_duty(at, timedelta(hours=1))):
        assert result is not None
        assert result.tzinfo is UTC
    assert hours().next_open(at) == hours().next_open(at.astimezone(BEIJING))


def test_a_naive_moment_is_refused() -> None:
    naive = datetime(2026, 11, 20, 9, 0)  # noqa: DTZ001 - the mistake under test
    with pytest.raises(ValueError, match="time zone"):
        hours().is_open(naive)
    with pytest.raises(ValueError, match="time zone"):
        beijing_day(naive)


def test_the_search_for_duty_ends() -> None:
    closed = OfficeHours({})
    at = bj("2026-11-20", "9:00")
    assert closed.next_open(at) is None
    with pytest.raises(LookupError):
        closed.add_duty(at, timedelta(hours=1))
    with pytest.raises(LookupError):
        closed.next_duty_day(at.date())


def test_duty_is_found_up_to_400_days_ahead() -> None:
    start = date(2026, 1, 1)
    for ahead, found in ((400, True), (401, False)):
        calendar = OfficeHours({}, shifts={start + timedelta(days=ahead): WORKDAY})
        assert (calendar.next_open(moment(start, timedelta(0))) is not None) is found


# --- arithmetic ---


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        (("2026-11-20", "9:00"), 60, ("2026-11-20", "10:00")),
        (("2026-11-20", "11:00"), 30, ("2026-11-20", "11:30")),  # used up at closing, not at reopening
        (("2026-11-20", "11:00"), 120, ("2026-11-20", "15:00")),  # over lunch
        (("2026-11-20", "12:00"), 60, ("2026-11-20", "14:30")),
        (("2026-11-20", "17:00"), 60, ("2026-11-23", "9:00")),  # over the weekend
        (("2026-11-20", "0:03"), 420, ("2026-11-20", "17:30")),
        (("2026-09-30", "17:00"), 60, ("2026-10-08", "9:00")),  # over the holiday
        (("2026-11-20", "20:00"), 0, ("2026-11-20", "20:00")),
    ],
)
def test_adding_duty_time(start: tuple[str, str], minutes: int, end: tuple[str, str]) -> None:
    assert hours().add_duty(bj(*start), timedelta(minutes=minutes)) == bj(*end)


def test_duty_cannot_be_taken_back_and_does_not_run_backwards() -> None:
    at = bj("2026-11-20", "9:00")
    with pytest.raises(ValueError, match="taken back"):
        hours().add_duty(at, timedelta(minutes=-1))
    assert hours().duty_between(at, at - timedelta(days=3)) == timedelta(0)


def test_a_working_week_has_35_duty_hours() -> None:
    assert hours().duty_between(bj("2026-11-16"), bj("2026-11-23")) == timedelta(hours=35)


MOMENTS = st.datetimes(
    min_value=datetime(2026, 8, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2027, 3, 1),  # noqa: DTZ001
    timezones=st.just(BEIJING),
)
CALENDARS = st.builds(
    lambda days: hours(shifts=days),
    st.dictionaries(
        st.dates(date(2026, 8, 1), date(2027, 3, 1)),
        st.sampled_from([(), (span("0:00-24:00"),), (span("9:00-12:00"), span("18:00-24:00")), WORKDAY]),
        max_size=8,
    ),
)


@given(CALENDARS, MOMENTS, st.timedeltas(timedelta(0), timedelta(hours=80)))
def test_adding_and_measuring_are_inverse(calendar: OfficeHours, at: datetime, amount: timedelta) -> None:
    end = calendar.add_duty(at, amount)
    assert end >= at
    assert calendar.duty_between(at, end) == amount


@given(CALENDARS, MOMENTS, st.timedeltas(timedelta(microseconds=1), timedelta(hours=80)))
def test_the_end_of_a_term_is_the_earliest_and_within_or_at_the_end_of_duty(
    calendar: OfficeHours, at: datetime, amount: timedelta
) -> None:
    end = calendar.add_duty(at, amount)
    just_before = end - timedelta(microseconds=1)
    assert calendar.is_open(just_before)
    assert calendar.duty_between(at, just_before) < amount


@given(CALENDARS, MOMENTS, MOMENTS, MOMENTS)
def test_measured_terms_add_up(calendar: OfficeHours, a: datetime, b: datetime, c: datetime) -> None:
    a, b, c = sorted((a, b, c))
    assert calendar.duty_between(a, b) + calendar.duty_between(b, c) == calendar.duty_between(a, c)


@given(CALENDARS, MOMENTS)
def test_the_next_opening_is_open_and_nothing_was_open_before_it(calendar: OfficeHours, at: datetime) -> None:
    opening = calendar.next_open(at)
    assert opening is not None
    assert calendar.is_open(opening)
    assert calendar.duty_between(at, opening) == timedelta(0)


# --- reading the table ---


def test_dates_given_as_text_are_read_too() -> None:
    data = {"weekly": {"monday": ["8:30-11:30"]}, "years": {2026: {"source": "示例", "days": [
        {"day": "2026-11-21", "kind": "make_up", "name": "调休", "spans": ["9:00-10:00"]}]}}}  # fmt: skip
    assert OfficeHours.from_data(data).spans_on(SATURDAY) == (span("9:00-10:00"),)


def day(**more: Any) -> dict[str, Any]:
    return {"day": date(2026, 10, 1), "kind": "rest", "name": "国庆节"} | more


def table(*days: object, year: object = 2026, **more: Any) -> dict[str, Any]:
    """A timetable with one year's table."""
    return {"weekly": DATA["weekly"], "years": {year: {"source": "示例", "days": list(days)} | more}}


ROW = ("years", 2026, "days", 0)


@pytest.mark.parametrize(
    ("data", "where", "key"),
    [
        ([], (), "table"),
        ({"weekly": DATA["weekly"], "holidays": {}}, (), "unknown"),
        ({"weekly": None}, ("weekly",), "table"),
        ({"weekly": {"funday": ["8:30-11:30"]}}, ("weekly", "funday"), "weekday"),
        ({"weekly": {"monday": "8:30-11:30"}}, ("weekly", "monday"), "spans"),
        ({"weekly": {"monday": [510]}}, ("weekly", "monday"), "spans"),
        ({"weekly": {"monday": ["8:30"]}}, ("weekly", "monday"), "span"),
        ({"weekly": {"monday": []}}, ("weekly",), "never_opens"),
        ({"weekly": {}}, ("weekly",), "never_opens"),
        (table(year="next"), ("years", "next"), "year"),
        (table(year=True), ("years", "True"), "year"),
        ({"weekly": DATA["weekly"], "years": {2026: []}}, ("years", 2026), "table"),
        ({"weekly": DATA["weekly"], "years": {2026: {"days": [day()]}}}, ("years", 2026), "source"),
        (table(days="国庆节"), ("years", 2026, "days"), "table"),
        (table(weeks=[]), ("years", 2026), "unknown"),
        (table(day(), day()), ("years", 2026, "days", 1), "twice"),
        (table(day(day=date(2027, 10, 1))), ROW, "outside"),
        (table(day(to="2027-01-02")), ROW, "outside"),
        (table(day(to=date(2026, 9, 30))), ROW, "reversed"),
        (table(day(name=" ")), ROW, "name"),
        (table(day(kind="holiday")), ROW, "kind"),
        (table(day(day=None)), ROW, "day_missing"),
        (table(day(to="")), ROW, "day_missing"),
        (table(day(day="10月1日")), ROW, "day"),
        (table(day(day=datetime(2026, 10, 1, tzinfo=UTC))), ROW, "day"),
        (table(day(spans=["8:30-11:30"])), ROW, "rest_hours"),
        (table(day(kind="work", spans=["8:30"])), ROW, "span"),
        (table(day(why="国庆")), ROW, "unknown"),
        (table("2026-10-01"), ROW, "table"),
        ({"weekly": DATA["weekly"], "shifts": ["2026-11-28"]}, ("shifts",), "table"),
        ({"weekly": DATA["weekly"], "shifts": {"周六": ["9:00-12:00"]}}, ("shifts", "周六"), "day"),
        (
            {"weekly": DATA["weekly"], "shifts": {"2026-11-28": "9:00-12:00"}},
            ("shifts", "2026-11-28"),
            "spans",
        ),
        (
            {"weekly": DATA["weekly"], "shifts": {SATURDAY: [], str(SATURDAY): ["9:00-12:00"]}},
            ("shifts", "2026-11-21"),
            "twice",
        ),
    ],
)
def test_a_faulty_timetable_is_refused_and_the_place_named(
    data: Any, where: tuple[object, ...], key: str
) -> None:
    with pytest.raises(TimetableFault) as refused:
        OfficeHours.from_data(data)
    assert (refused.value.where, refused.value.key) == (where, key)
    assert key in str(refused.value)
    assert not where or str(where[-1]) in str(refused.value)


def test_every_fault_is_named_and_not_only_the_first() -> None:
    data = table(day(kind="holiday", name=""), day(day="2026-10-02"), day(day="2026-10-02"), source="")
    data["weekly"] = {"monday": ["8:30-11:30"], "tuesday": ["soon"]}
    data["shifts"] = {"2026-11-31": ["9:00-12:00"]}
    assert [(fault.where, fault.key) for fault in timetable.read(data).faults] == [
        (("weekly", "tuesday"), "span"),
        (("years", 2026), "source"),
        (("years", 2026, "days", 0), "name"),
        (("years", 2026, "days", 0), "kind"),
        (("years", 2026, "days", 2), "twice"),
        (("shifts", "2026-11-31"), "day"),
    ]


def test_a_day_that_two_rows_share_is_named() -> None:
    fault = timetable.read(table(day(to=date(2026, 10, 7)), day(day=date(2026, 10, 7)))).faults[0]
    assert (fault.where, fault.facts) == (("years", 2026, "days", 1), {"day": "2026-10-07"})


def test_the_same_year_as_number_and_as_text_is_given_twice() -> None:
    years = {2026: {"source": "示例"}, "2026": {"source": "示例"}}
    faults = timetable.read({"weekly": DATA["weekly"], "years": years}).faults
    assert [(fault.where, fault.key) for fault in faults] == [(("years", 2026), "year_twice")]


# --- the same as JSON, which a signed change carries ---


def test_a_timetable_survives_json_unchanged() -> None:
    found = timetable.read(DATA | {"shifts": {SATURDAY: ["９：００－12:00"], date(2026, 11, 22): []}})
    kept = json.loads(json.dumps(found.content()))
    assert timetable.read(kept) == found
    assert timetable.read(kept).content() == kept
    assert kept["years"]["2026"]["days"][0] == {
        "from": "2026-10-01", "to": "2026-10-07", "kind": "rest", "name": "国庆节"
    }  # fmt: skip
    assert kept["shifts"] == {"2026-11-21": ["9:00-12:00"], "2026-11-22": []}
    hours = OfficeHours.from_data(kept)
    assert hours.spans_on(SATURDAY) == (span("9:00-12:00"),)
    assert hours.has_year(2026)
    assert not hours.is_duty_day(date(2026, 10, 1))


SPANS = st.lists(
    st.sampled_from(["8:30-11:30", "9:00-12:00", "13:30-17:30", "18:00-24:00", "0:00-24:00"]), max_size=2
)
ROWS = st.builds(
    lambda first, length, kind, name, spans: {
        "from": first.isoformat(),
        "to": min(first + timedelta(days=length), date(first.year, 12, 31)).isoformat(),
        "kind": kind,
        "name": name,
        **({} if kind == "rest" or spans is None else {"spans": spans}),
    },
    st.dates(date(2027, 1, 1), date(2027, 12, 31)),
    st.integers(0, 8),
    st.sampled_from(["rest", "work", "make_up"]),
    st.sampled_from(["春节", "春节调休上班", "a: b, {c}", "# 选举日", "'"]),
    st.none() | SPANS,
)


@given(
    st.lists(ROWS, max_size=4),
    st.dictionaries(st.dates(date(2026, 1, 1), date(2028, 12, 31)), SPANS, max_size=4),
)
def test_what_can_be_read_is_written_in_one_form(rows: list[Any], shifts: dict[date, list[str]]) -> None:
    found = timetable.read({"weekly": DATA["weekly"], "years": {2027: {"source": "示例", "days": rows}}}
                           | {"shifts": shifts})  # fmt: skip
    assert timetable.read(found.content()) == found
    clashing = {fault.where[-1] for fault in found.faults}
    assert {fault.key for fault in found.faults} <= {"twice"}
    kept = [row for place, row in enumerate(rows) if place not in clashing]
    assert len(found.years[2027].rows) == len(kept)
    for row in kept:
        assert found.special[date.fromisoformat(row["to"])].name == row["name"]


def test_an_unknown_weekday_number_is_refused() -> None:
    with pytest.raises(ValueError, match="7"):
        OfficeHours({7: WORKDAY})
