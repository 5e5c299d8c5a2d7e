"""The nine examples of the desk's clocks, each from the question to the row, with a frozen clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from knowledge import elections
from office import worktime
from office.hours import BEIJING, moment
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.people import on_duty
from tests.ticketing.work import answer, entry, opened, roll_case, taken
from ticketing import statutory
from ticketing.clocks import Counting, Priority, business_day, counted_on, day_clear, weekend_duty
from ticketing.records import RollIssue, StatutoryKind, Ticket, TicketKind

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)


def bj(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=BEIJING)


def owed(ticket: Ticket) -> tuple[Priority, date, datetime, datetime]:
    return ticket.priority, ticket.due_day, ticket.promised_at, ticket.due_at


async def test_urgent_at_eleven_is_owed_at_three(store: Store, cast: Cast) -> None:
    ticket = await opened(store, cast, bj("2026-11-20 11:00"), urgent=True)
    three = bj("2026-11-20 15:00")
    assert owed(ticket) == (Priority.P1, date(2026, 11, 20), three, three)


async def test_friday_morning_is_owed_at_half_past_five(store: Store, cast: Cast) -> None:
    ticket = await opened(store, cast, bj("2026-11-20 10:05"))
    day_end = bj("2026-11-20 17:30")
    assert owed(ticket) == (Priority.P2, date(2026, 11, 20), day_end, day_end)
    assert not ticket.weekend_duty


async def test_late_on_friday_with_duty_on_saturday(store: Store, cast: Cast) -> None:
    friday = bj("2026-11-20 16:50")
    # Duty on Saturday is in the roster, not in the weekly pattern.
    await on_duty(store, cast, friday + timedelta(days=1), cast.li_qiang, opens="9:00", closes="12:00")
    async with store.reading() as session:
        hours = await worktime.hours(session, now=friday)
    ticket = await opened(store, cast, friday, hours=hours)
    midnight = moment(date(2026, 11, 20), timedelta(hours=24))
    assert owed(ticket) == (Priority.P2, date(2026, 11, 20), bj("2026-11-21 12:00"), midnight)
    saturday = await opened(store, cast, bj("2026-11-21 10:00"), hours=hours)
    assert (ticket.weekend_duty, saturday.weekend_duty) == (False, True)


async def test_the_evening_before_the_national_day(store: Store, cast: Cast) -> None:
    ticket = await opened(store, cast, bj("2026-09-30 18:10"))
    noon = bj("2026-10-08 12:00")
    assert owed(ticket) == (Priority.P3, date(2026, 10, 8), noon, noon)


async def test_a_make_up_saturday_is_a_workday_like_any_other(store: Store, cast: Cast) -> None:
    ticket = await opened(store, cast, bj("2026-10-10 10:00"))
    day_end = bj("2026-10-10 17:30")
    assert owed(ticket) == (Priority.P2, date(2026, 10, 10), day_end, day_end)
    assert not ticket.weekend_duty
    assert not weekend_duty(date(2026, 10, 3), HOURS)  # a holiday without duty


async def test_an_answer_three_minutes_past_midnight(store: Store, cast: Cast) -> None:
    asked, answered = bj("2026-11-20 10:05"), bj("2026-11-21 00:03")
    ticket = await answer(
        store, cast, await taken(store, cast, asked), await entry(store, cast, asked), answered
    )
    assert ticket.first_answered_at is not None
    assert business_day(ticket.first_answered_at) == date(2026, 11, 21)
    # The old day keeps its miss, by calendar day and by duty day alike.
    for counting in Counting:
        day = counted_on(counting, ticket.business_day, ticket.due_day)
        assert day == date(2026, 11, 20)
        assert not day_clear(day, ticket.first_answered_at)


# The sample's list is posted on 9 December at the latest; the appeal comes on the last day.
FILED = bj("2026-12-14 10:00")


async def test_an_appeal_of_the_fourteenth_is_decided_by_the_seventeenth(store: Store, cast: Cast) -> None:
    ticket = await roll_case(store, cast, FILED, TicketKind.APPEAL)
    assert (ticket.kind, ticket.roll_issue, ticket.priority) == (
        TicketKind.APPEAL, RollIssue.APPEAL, Priority.P1,
    )  # fmt: skip
    assert (ticket.statutory_kind, ticket.statutory_due) == (
        StatutoryKind.APPEAL_DECISION, date(2026, 12, 17),
    )  # fmt: skip
    assert statutory.days_left(date(2026, 12, 17), date(2026, 12, 14)) == 3


async def test_a_suit_is_possible_until_the_twenty_fourth(store: Store, cast: Cast) -> None:
    async with store.reading() as session:
        dates = await elections.spans(session, FILED)
    assert statutory.appeal_clock(dates, date(2026, 12, 14)).suits == date(2026, 12, 24)


async def test_a_correction_is_possible_until_a_sunday_that_is_not_moved(store: Store, cast: Cast) -> None:
    ticket = await roll_case(store, cast, FILED, TicketKind.CORRECTION)
    assert (ticket.statutory_kind, ticket.statutory_due) == (
        StatutoryKind.CORRECTION, date(2026, 12, 27),
    )  # fmt: skip
    assert date(2026, 12, 27).weekday() == 6


async def test_a_question_of_saturday_counts_on_two_days(store: Store, cast: Cast) -> None:
    """Without duty on Saturday it is no miss of Monday's, and it is one of Saturday's."""
    ticket = await opened(store, cast, bj("2026-11-21 10:00"))
    calendar, duty = (counted_on(one, ticket.business_day, ticket.due_day) for one in Counting)
    assert (calendar, duty) == (date(2026, 11, 21), date(2026, 11, 23))
    answered = bj("2026-11-23 9:00")
    assert (day_clear(calendar, answered), day_clear(duty, answered)) == (False, True)
