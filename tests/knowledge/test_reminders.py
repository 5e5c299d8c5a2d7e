"""Reminders: each once at its hour, late where it is still worth knowing, moved with the day, forgotten."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from knowledge import calendar, elections, reminders
from knowledge.calendar import BEIJING, Election
from knowledge.reminders import ALL, Reminder, What
from office.changes import Change
from office.contacts import Channel, Contact, ContactState, seen
from office.outbox import Delivery
from office.store import Store
from tests.make import CALENDAR, Cast
from ticketing import forget

OUT = {**CALENDAR, "posted": {"list_posted": "2026-12-08"}}


def at(month: int, day: int, clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, month, day, hour, minute, tzinfo=BEIJING).astimezone(UTC)


async def enter(store: Store, content: dict[str, Any]) -> None:
    async with store.transaction() as session:
        (await session.scalars(select(Change))).one().content = content


async def wish(store: Store, cast: Cast, now: datetime, *what: What) -> None:
    async with store.transaction() as session:
        contact = await session.get_one(Contact, cast.zhang_min.id)
        dates = await elections.spans(session, now)
        await reminders.wish(session, contact, *(what or ALL), dates=dates, now=now)


async def strikes(store: Store, *moments: datetime) -> list[str]:
    """The worker looks at each of these moments; what has been told of, in order."""
    for now in moments:
        async with store.transaction() as session:
            await elections.remind(session, now=now)
    async with store.reading() as session:
        rows = await session.scalars(select(Delivery).order_by(Delivery.id))
        return [f"{row.facts['what']} {row.facts['dates'][0]['last']}" for row in rows]


CLOSES, LIST, VOTING = "registration_closes 2026-12-05", "list_posted 2026-12-09", "voting 2026-12-29"


@pytest.mark.parametrize(
    ("before", "moment", "told"),
    [
        (at(12, 4, "8:59"), at(12, 4, "9:00"), [CLOSES]),
        (at(12, 9, "8:59"), at(12, 9, "9:00"), [LIST]),
        (at(12, 28, "17:59"), at(12, 28, "18:00"), [VOTING]),
    ],
)
async def test_told_at_the_hour_and_not_a_minute_before(
    store: Store, cast: Cast, now: datetime, before: datetime, moment: datetime, told: list[str]
) -> None:
    await wish(store, cast, now, What(told[0].split()[0]))
    assert await strikes(store, before) == []
    assert await strikes(store, moment, moment, moment + timedelta(hours=1)) == told


async def test_everything_over_the_weeks_once(store: Store, cast: Cast, now: datetime) -> None:
    await wish(store, cast, now)
    hours = [now + timedelta(hours=3 * n) for n in range(8 * 45)]
    assert await strikes(store, *hours) == [CLOSES, LIST, VOTING]


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (at(12, 5, "23:59"), [CLOSES]),  # closes today
        (at(12, 6, "0:00"), []),
        (at(12, 14, "23:59"), [LIST]),  # there is still time to object
        (at(12, 15, "0:00"), []),
        (at(12, 29, "23:59"), [VOTING]),
        (at(12, 30, "0:00"), []),
    ],
)
async def test_after_a_stop_only_what_has_not_passed(
    store: Store, cast: Cast, now: datetime, moment: datetime, told: list[str]
) -> None:
    await wish(store, cast, now)
    assert await strikes(store, moment) == told
    async with store.reading() as session:
        for delivery in await session.scalars(select(Delivery)):
            assert delivery.due_at - moment <= timedelta(minutes=10)
            assert calendar.today(delivery.due_at) == calendar.today(moment)


async def test_a_list_that_was_posted_earlier_is_told_of_that_day_and_not_again(
    store: Store, cast: Cast, now: datetime
) -> None:
    await wish(store, cast, now, What.LIST)
    assert await strikes(store, at(12, 8, "9:00")) == []
    await enter(store, OUT)  # entered in the afternoon of the day itself
    assert await strikes(store, at(12, 8, "14:00"), at(12, 9, "9:00")) == ["list_posted 2026-12-08"]


async def test_a_day_that_was_moved_is_told_of_on_its_new_date(
    store: Store, cast: Cast, now: datetime
) -> None:
    await wish(store, cast, now, What.VOTING)
    await enter(store, {**CALENDAR, "day": "2027-01-12"})
    assert await strikes(store, at(12, 28, "18:00")) == []
    later = at(12, 28, "18:00") + timedelta(days=14)
    assert await strikes(store, later) == ["voting 2027-01-12"]


async def test_a_day_moved_after_it_was_told_of_is_told_of_again(
    store: Store, cast: Cast, now: datetime
) -> None:
    await wish(store, cast, now, What.CLOSES)
    await strikes(store, at(12, 4, "9:00"))
    windows = [{**CALENDAR["windows"][0], "to": "2026-12-08"}]
    await enter(store, {**CALENDAR, "windows": windows})
    assert await strikes(store, at(12, 4, "12:00"), at(12, 7, "9:00")) == [
        CLOSES,
        "registration_closes 2026-12-08",
    ]


async def test_windows_that_close_together_are_told_of_together(
    store: Store, cast: Cast, now: datetime
) -> None:
    units = {"audience": "单位登记", "from": "2026-11-16", "to": "2026-11-30"}
    students = {"audience": "学校登记", "from": "2026-11-16", "to": "2026-12-05"}
    await enter(store, {**CALENDAR, "windows": [*CALENDAR["windows"], units, students]})
    await wish(store, cast, now, What.CLOSES)
    told = await strikes(store, at(11, 29, "9:00"), at(12, 4, "9:00"))
    assert told == ["registration_closes 2026-11-30", CLOSES]
    async with store.reading() as session:
        rows = (await session.scalars(select(Delivery).order_by(Delivery.id))).all()
    assert [row["audience"] for row in rows[1].facts["dates"]] == ["居民登记", "学校登记"]


async def test_who_asks_after_the_hour_is_not_told_what_is_known(store: Store, cast: Cast) -> None:
    asked = at(12, 4, "10:00")
    await wish(store, cast, asked, What.CLOSES)
    assert await strikes(store, asked, at(12, 5, "9:00")) == []


@pytest.mark.parametrize("state", [ContactState.SILENCED, ContactState.LOST])
async def test_who_is_not_to_be_reached_is_told_nothing(
    store: Store, cast: Cast, now: datetime, state: ContactState
) -> None:
    await wish(store, cast, now)
    async with store.transaction() as session:
        (await session.get_one(Contact, cast.zhang_min.id)).state = state
    assert await strikes(store, at(12, 4, "9:00")) == []


async def test_being_forgotten_ends_it(store: Store, cast: Cast, now: datetime) -> None:
    await wish(store, cast, now)
    async with store.transaction() as session:
        contact = await session.get_one(Contact, cast.zhang_min.id)
        await forget.contact(session, contact, now=now)
        assert (await session.scalars(select(Reminder))).all() == []


async def test_two_workers_tell_a_crowd_once(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        dates = await elections.spans(session, now)
        for number in range(40):
            contact = await seen(session, Channel.TELEGRAM, str(7000 + number), now=now)
            await reminders.wish(session, contact, *ALL, dates=dates, now=now)
    other = Store(store.url)
    try:
        await asyncio.gather(strikes(store, at(12, 4, "9:00")), strikes(other, at(12, 4, "9:00")))
    finally:
        await other.close()
    assert await strikes(store, at(12, 4, "9:01")) == [CLOSES] * 40
    async with store.reading() as session:
        due = (await session.scalars(select(Delivery.due_at))).all()
    assert len(set(due)) == 20, "not all on the stroke of the hour"
    assert max(due) - min(due) < timedelta(minutes=10)


def test_occasions_come_in_the_order_of_their_days() -> None:
    election = Election.from_content({**OUT, "voting_days": 2})
    found = list(reminders.occasions(calendar.computed(election, calendar.rules("shanghai"))))
    assert [(one.what, one.day) for one in found] == [
        (What.CLOSES, date(2026, 12, 5)),
        (What.LIST, date(2026, 12, 8)),
        (What.VOTING, date(2026, 12, 29)),
    ]
    assert found[2].until == at(12, 30, "23:59") + timedelta(minutes=1)
