"""The end of a day: dispositions at 17:30, the picture at 24:00, 日清 both ways, borders between days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from office import notices
from office.errors import Conflict, Invalid, NotPermitted
from office.hours import OfficeHours
from office.store import Store
from office.timetable import DayKind, Span, SpecialDay
from tests.make import HOURS, Cast
from tests.ticketing import work
from tests.ticketing.full import PHONE, SEALER
from tests.ticketing.people import act
from tests.ticketing.shifts import FRIDAY, SATURDAY, SUNDAY, at, shift
from ticketing import day_end, tickets
from ticketing.day_end import DayEnd, Disposition, DispositionKind
from ticketing.records import Ticket

ONE = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
TOMORROW, TO_DUTY, PHONED = DispositionKind.TOMORROW, DispositionKind.TO_DUTY, DispositionKind.PHONED
MONDAY = date(2026, 11, 23)


async def with_phone(store: Store, cast: Cast, now: datetime, **more: Any) -> Ticket:
    """A question whose asker left a phone."""

    async def left(_: Any, found: Ticket) -> None:
        found.phone = SEALER.seal(PHONE)

    return await act(store, await work.opened(store, cast, now, **more), left)


async def disposed(
    store: Store,
    cast: Cast,
    found: list[Ticket],
    kind: DispositionKind,
    reason: str = "",
    clock: str = "17:31",
) -> int:
    async with store.transaction() as session:
        return await day_end.dispose(
            session, [ticket.id for ticket in found], kind, reason, actor=cast.li_qiang, now=at(FRIDAY, clock)
        )


async def closed(
    store: Store, now: datetime, hours: OfficeHours = HOURS
) -> dict[tuple[date, int], Mapping[str, Any]]:
    async with store.transaction() as session:
        await day_end.close_day(session, hours, now)
    async with store.reading() as session:
        rows = await session.scalars(select(DayEnd))
        return {(row.day, row.unit_id): row.figures for row in rows}


async def test_many_tickets_get_the_same_disposition_at_once_and_the_last_one_counts(
    store: Store, cast: Cast, now: datetime
) -> None:
    found = [await with_phone(store, cast, now, words=f"第{n}个问题怎么办？") for n in range(3)]

    async def left() -> int:
        async with store.reading() as session:
            return await day_end.missing(session, cast.district.path, HOURS, now=at(FRIDAY, "17:31"))

    assert await left() == 3
    assert await disposed(store, cast, found[:2], TOMORROW, "等区里答复") == 2
    assert await left() == 1
    assert await disposed(store, cast, found[1:], PHONED) == 2
    assert await left() == 0
    async with store.reading() as session:
        rows = await session.scalars(select(Disposition).order_by(Disposition.ticket_id))
        assert [(row.kind, row.reason) for row in rows] == [
            (TOMORROW, "等区里答复"),
            (PHONED, ""),
            (PHONED, ""),
        ]
        listed = await day_end.open_today(session, cast.li_qiang, now=at(FRIDAY, "17:31"))
    assert all(said is not None for _, _, said in listed)


async def test_a_disposition_needs_its_reason_its_shift_and_reach(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await work.opened(store, cast, now)
    answered = await work.answered(store, cast, now, words="已经答复的问题怎么办？")
    with pytest.raises(Invalid, match="reason_needed"):
        await disposed(store, cast, [ticket], TOMORROW, "  ")
    with pytest.raises(Invalid, match=r"day_end\.nothing_chosen"):
        await disposed(store, cast, [], PHONED)
    with pytest.raises(Conflict, match=r"day_end\.nobody_on"):
        await disposed(store, cast, [ticket], TO_DUTY)
    await shift(store, cast, FRIDAY, "17:30-24:00", cast.wang_fang)
    assert await disposed(store, cast, [ticket, answered], TO_DUTY) == 1
    for who in (cast.zhao_lei, cast.zhou_ning):
        with pytest.raises(NotPermitted):
            async with store.transaction() as session:
                await day_end.dispose(session, [ticket.id], PHONED, actor=who, now=now)
    with pytest.raises(Invalid, match=r"day_end\.too_many"):
        async with store.transaction() as session:
            await day_end.dispose(session, range(1, 999), PHONED, actor=cast.li_qiang, now=now)


@ONE
async def test_who_left_no_phone_cannot_have_been_called(store: Store, cast: Cast, now: datetime) -> None:
    """张敏 asked on the web; 已电话 is refused for her ticket, and with it for all that are ticked."""
    web = await work.opened(store, cast, now)
    phone = await with_phone(store, cast, now, words="选民证丢了怎么办？")
    with pytest.raises(Conflict, match=r"day_end\.no_phone") as refused:
        await disposed(store, cast, [web, phone], PHONED, "x")
    assert refused.value.facts == {"nos": web.ticket_no}
    async with store.reading() as session:
        assert (await session.scalars(select(Disposition))).all() == []
    assert await disposed(store, cast, [phone], PHONED) == 1


@ONE
async def test_a_reason_holds_no_number_of_anybody(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await work.opened(store, cast, now)
    await disposed(store, cast, [ticket], TOMORROW, "明天打 13800138000 再问")
    async with store.reading() as session:
        assert "13800138000" not in (await session.scalar(select(Disposition.reason)) or "")


@ONE
async def test_what_came_after_the_day_ended_needs_none(store: Store, cast: Cast) -> None:
    await work.opened(store, cast, at(FRIDAY, "17:31"))
    async with store.reading() as session:
        assert await day_end.missing(session, cast.district.path, HOURS, now=at(FRIDAY, "18:00")) == 0


def test_the_day_ends_at_half_past_five_or_when_the_last_shift_does() -> None:
    saturday = OfficeHours(
        HOURS.weekly, shifts={SATURDAY: (Span.parse("9:00-12:00"),), FRIDAY: (Span.parse("8:30-24:00"),)}
    )
    assert day_end.ends_at(SATURDAY, saturday) == at(SATURDAY, "12:00")
    assert day_end.ends_at(FRIDAY, saturday) == at(FRIDAY, "17:30")
    assert day_end.ends_at(SUNDAY, saturday) == at(SUNDAY, "17:30")


async def test_at_half_past_five_officers_holders_and_leaders_are_reminded_once(
    store: Store, cast: Cast, now: datetime
) -> None:
    await shift(store, cast, FRIDAY, "08:30-24:00", cast.li_qiang)

    async def told(clock: str, day: date = FRIDAY) -> list[int]:
        async with store.transaction() as session:
            await day_end.remind(session, HOURS, at(day, clock))
        async with store.reading() as session:
            return [
                len(await notices.listed(session, who.id))
                for who in (cast.li_qiang, cast.wang_fang, cast.zhao_lei)
            ]

    assert await told("17:30") == [0, 0, 0]
    await work.opened(store, cast, now)
    assert await told("17:29") == [0, 0, 0]
    assert await told("17:30") == [1, 1, 0]
    assert await told("21:00") == [1, 1, 0]
    assert await told("17:30", SATURDAY) == [1, 1, 0]


async def test_e26_an_answer_at_three_past_midnight_counts_for_the_new_day(
    store: Store, cast: Cast, now: datetime
) -> None:
    late, good = [await work.taken(store, cast, now, words=f"第{n}个问题怎么办？") for n in range(2)]
    version = await work.entry(store, cast, now)
    await work.answer(store, cast, good, version, at(FRIDAY, "23:59"))
    await work.answer(store, cast, late, version, at(SATURDAY, "0:03"))
    figures = await closed(store, at(SATURDAY, "0:05"))
    friday = figures[FRIDAY, cast.district.id]
    assert friday["calendar"] == friday["duty"] == [1, 2]
    assert (friday["accepted"], friday["answered"], friday["open"]) == (2, 1, 1)
    figures = await closed(store, at(SUNDAY, "0:01"))
    saturday = figures[SATURDAY, cast.district.id]
    assert (saturday["answered"], saturday["open"], saturday["duty_day"]) == (1, 0, False)
    # Nothing was due on Saturday: no share at all, and not a hundred per cent.
    assert saturday["calendar"] == saturday["duty"] == [0, 0]
    assert figures[FRIDAY, cast.district.id] == friday


async def test_each_day_is_written_once_and_days_of_a_stop_are_made_up_for(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await work.taken(store, cast, now)
    town = await work.opened(store, cast, at(SATURDAY, "10:00"), "镇里的问题怎么办？", unit=cast.north)
    version = await work.entry(store, cast, now)
    await work.answer(store, cast, ticket, version, at(MONDAY, "9:00"))
    figures = await closed(store, at(MONDAY, "10:00"))
    assert {day for day, _ in figures} == {FRIDAY, SATURDAY, SUNDAY}
    assert len(figures) == 9
    # As it was at 24:00, though counted on Monday.
    assert [figures[day, cast.district.id]["open"] for day in (FRIDAY, SATURDAY, SUNDAY)] == [1, 1, 1]
    assert figures[SATURDAY, cast.north.id]["accepted"] == 1
    assert figures[SATURDAY, cast.north.id]["calendar"] == [0, 1]
    assert figures[SATURDAY, cast.north.id]["duty"] == [0, 0]
    async with store.transaction() as session:
        assert await day_end.close_day(session, HOURS, at(MONDAY, "10:01")) == 0
    figures = await closed(store, at(MONDAY + timedelta(days=1), "0:00"))
    # By duty day Saturday's question counts on Monday.
    assert figures[MONDAY, cast.north.id]["duty"] == [0, 1]
    assert (await work.read(store, town)).due_day == MONDAY


@ONE
async def test_a_month_back_at_most_and_nothing_before_there_is_a_ticket(
    store: Store, cast: Cast, now: datetime
) -> None:
    assert await closed(store, now) == {}
    await work.opened(store, cast, now - timedelta(days=90))
    figures = await closed(store, now)
    assert min(day for day, _ in figures) == FRIDAY - timedelta(days=31)


@ONE
@pytest.mark.parametrize(
    ("special", "duty_day"),
    [
        (SpecialDay(DayKind.REST, "国庆节"), False),
        (SpecialDay(DayKind.MAKE_UP, "调休上班"), True),
    ],
)
async def test_e26_holidays_and_make_up_saturdays_are_what_the_table_says(
    store: Store, cast: Cast, now: datetime, special: SpecialDay, duty_day: bool
) -> None:
    day = FRIDAY if special.kind is DayKind.REST else SATURDAY
    hours = OfficeHours(HOURS.weekly, {day: special})
    await work.opened(store, cast, at(day, "10:00"), hours=hours)
    figures = (await closed(store, at(day + timedelta(days=1), "0:00"), hours))[day, cast.district.id]
    assert figures["duty_day"] is duty_day
    assert figures["calendar"] == [0, 1]
    assert figures["duty"] == ([0, 1] if duty_day else [0, 0])


@ONE
async def test_what_was_set_aside_is_no_question_and_what_was_joined_is_answered_by_its_lead(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead = await work.taken(store, cast, now, words="第一个问题怎么办？")
    joined, aside = [await work.opened(store, cast, now, words=f"另外第{n}个问题？") for n in range(2)]
    async with store.transaction() as session:
        rows = {row.id: await tickets.get(session, row.id) for row in (lead, joined, aside)}
        await tickets.merge(session, rows[joined.id], rows[lead.id], actor=cast.li_qiang, now=now)
        await tickets.void(session, rows[aside.id], "误录", actor=cast.li_qiang, now=now)
    await work.answer(store, cast, lead, await work.entry(store, cast, now), at(FRIDAY, "17:00"))
    figures = (await closed(store, at(SATURDAY, "0:00")))[FRIDAY, cast.district.id]
    assert figures["duty"] == [2, 2]


@ONE
async def test_past_days_add_up_what_is_in_ones_reach(store: Store, cast: Cast, now: datetime) -> None:
    await work.opened(store, cast, now)
    await work.opened(store, cast, now, "镇里的问题怎么办？", unit=cast.north)
    await closed(store, at(SATURDAY, "0:00"))
    async with store.reading() as session:
        whole = await day_end.past(session, cast.li_qiang)
        town = await day_end.past(session, cast.zhao_lei)
        with pytest.raises(NotPermitted):
            await day_end.past(session, cast.zhou_ning)
    assert [(day, figures["duty"]) for day, figures in whole] == [(FRIDAY, [0, 2])]
    assert [(day, figures["duty"], figures["open"]) for day, figures in town] == [(FRIDAY, [0, 1], 1)]
