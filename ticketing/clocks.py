"""When an answer is due: priorities, promises, warnings. Service clocks run in duty hours.

Statutory clocks run in calendar days over the election calendar and never pause;
they are dates of that calendar and are not computed here.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from office.hours import DayKind, OfficeHours, beijing_day, moment

URGENT_TERM: Final = timedelta(hours=2)
DAY_END: Final = timedelta(hours=17, minutes=30)
LAST_HOUR: Final = timedelta(hours=1)
SATURDAY: Final = 5
NOON: Final = timedelta(hours=12)
MIDNIGHT: Final = timedelta(hours=24)
STATUS_WITHIN: Final = timedelta(hours=24)
HOUR: Final = timedelta(hours=1)
FOLLOW_UP_AFTER: Final = timedelta(hours=24)
DEFAULT_CLOSE_AFTER: Final = timedelta(hours=72)


class Priority(StrEnum):
    """P1: statutory window open, last days before voting, mass failure. P2: same day. P3: next shift."""

    P1 = "p1"
    P2 = "p2"
    P3 = "p3"


class Counting(StrEnum):
    """日清 by calendar day (the day a ticket was accepted) or by duty day (the day it was due on)."""

    CALENDAR = "calendar"
    DUTY = "duty"


@dataclass(frozen=True)
class Promise:
    """What a ticket owes from its acceptance on.

    `due_day` is the day in whose day-clear (日清) it counts, `promised_at` is what the asker is told,
    `due_at` is the office's own limit. In the last hour of a day the office's limit (24:00) is earlier
    than what the asker is told (next duty day): the day should still be cleared, without promising it.
    """

    priority: Priority
    due_day: date
    promised_at: datetime
    due_at: datetime


def business_day(at: datetime) -> date:
    """The Beijing day to which something belongs: 00:03 is already the new day."""
    return beijing_day(at)


def promise(accepted_at: datetime, hours: OfficeHours, urgent: bool = False) -> Promise:
    """Priority and due times of a ticket accepted at this moment.

    Urgent (P1): two duty hours, counted in the day on which they begin. Else on a duty day until 16:30:
    today 17:30; until 17:30: today 24:00, and the asker is told the next duty day 12:00; later, or on a
    day without duty: the next duty day 12:00.

    On a duty day that ends before 17:30 (a Saturday morning shift) its last closing takes the place of
    17:30, and on one that begins after 12:00 its end takes the place of 12:00: nothing is promised for
    an hour before which nobody will have been there. Raises LookupError when no duty lies ahead.
    """
    if urgent:
        due_at = hours.add_duty(accepted_at, URGENT_TERM)
        begins = hours.next_open(accepted_at) or due_at
        return Promise(Priority.P1, business_day(begins), due_at, due_at)
    today = business_day(accepted_at)
    if hours.is_duty_day(today):
        ends = moment(today, _day_end(today, hours))
        if accepted_at <= ends - LAST_HOUR:
            return Promise(Priority.P2, today, ends, ends)
        if accepted_at <= ends:
            tomorrow = hours.next_duty_day(today)
            return Promise(Priority.P2, today, _noon(tomorrow, hours), moment(today, MIDNIGHT))
    tomorrow = hours.next_duty_day(today)
    return Promise(Priority.P3, tomorrow, _noon(tomorrow, hours), _noon(tomorrow, hours))


def warning_level(
    accepted_at: datetime, due_at: datetime, now: datetime, hours: OfficeHours
) -> Literal[0, 80, 100]:
    """Which warning applies: 100 when the term is used up or over, 80 from four fifths on, else 0.

    Counted in duty time, so a warning comes while somebody is there to act: a ticket due at 12:00 is at
    100 when the lunch break begins. A term without any duty time is counted by the wall clock.
    """
    term, used = hours.duty_between(accepted_at, due_at), hours.duty_between(accepted_at, now)
    if not term:
        term, used = due_at - accepted_at, now - accepted_at
    if now >= due_at or used >= term:
        return 100
    return 80 if used * 5 >= term * 4 else 0


def follow_up_at(answered_at: datetime, hours: OfficeHours) -> datetime:
    """When to ask whether it is solved: 24 hours after the answer, moved on into duty hours.

    Raises LookupError when no duty lies ahead.
    """
    at = hours.next_open(answered_at + FOLLOW_UP_AFTER)
    if at is None:
        raise LookupError("no duty hours for the follow-up")
    return at


def day_clear(due_day: date, answered_at: datetime | None) -> bool:
    """Whether a ticket that counts on this day was answered before its 24:00, Beijing time.

    `answered_at` is its first answer (`Ticket.first_answered_at`): a day that was cleared stays cleared when
    a ticket is opened again later. On which day a ticket counts is said by `counted_on`.
    """
    return answered_at is not None and business_day(answered_at) <= due_day


def counted_on(counting: Counting, accepted_on: date, due_day: date) -> date:
    """The day on which a ticket counts for 日清: that of its acceptance, or the duty day it was due on.

    A question of Saturday without duty counts on Saturday by calendar day and on Monday by duty day.
    """
    return accepted_on if counting is Counting.CALENDAR else due_day


def weekend_duty(day: date, hours: OfficeHours) -> bool:
    """Whether duty on this day is 双休日值班: hours on a weekend or a holiday that is no make-up workday."""
    if not hours.is_duty_day(day):
        return False
    special = hours.special.get(day)
    if special is not None and special.kind is not DayKind.REST:
        return False
    return special is not None or day.weekday() >= SATURDAY


def status_at(accepted_at: datetime, hours: OfficeHours) -> datetime:
    """When an asker who has heard nothing yet is told how it stands: within 24 hours of the acceptance.

    In the last duty hour that begins an hour after the acceptance at the earliest and ends in time; where
    there is none, an hour before the 24 hours are over.
    """
    latest = accepted_at + STATUS_WITHIN
    for day in (business_day(latest), business_day(accepted_at)):
        for span in reversed(hours.spans_on(day)):
            opens, closes = moment(day, span.opens), moment(day, span.closes)
            at = max(opens, min(closes, latest) - HOUR)
            if at < min(closes, latest) and at >= accepted_at + HOUR:
                return at
    return latest - HOUR


def _day_end(day: date, hours: OfficeHours) -> timedelta:
    spans = hours.spans_on(day)
    by_day_end = [min(span.closes, DAY_END) for span in spans if span.opens < DAY_END]
    return max(by_day_end or [span.closes for span in spans])


def _noon(day: date, hours: OfficeHours) -> datetime:
    in_the_morning = any(span.opens < NOON for span in hours.spans_on(day))
    return moment(day, NOON if in_the_morning else _day_end(day, hours))
