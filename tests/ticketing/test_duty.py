"""Who is on duty, who is next, who gets a ticket; and the hours that a roster gives the office."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from office import worktime
from office.errors import Conflict, NotFound, NotPermitted
from office.store import Store
from office.work_groups import WorkGroup, WorkGroupMember
from tests.make import Cast
from tests.ticketing import work
from tests.ticketing.shifts import FRIDAY, NEXT_SATURDAY, SATURDAY, SUNDAY, at, person, published, shift
from ticketing import clocks, duty, tickets

ONE = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
SATURDAY_MORNING = ("2026-11-21", "周六", "上午", "9:00-12:00", "王芳", "李强")


@ONE
async def test_on_duty_is_who_the_shift_names_until_its_end(store: Store, cast: Cast) -> None:
    mine = await shift(store, cast, FRIDAY, "08:30-11:30")
    street = await shift(store, cast, FRIDAY, "08:30-11:30", cast.wang_fang, unit=cast.riverside)
    after = await shift(store, cast, FRIDAY, "13:30-17:30", cast.wang_fang)
    async with store.reading() as session:

        async def on(unit: object, clock: str) -> list[int]:
            return [row.id for row in await duty.on_now(session, unit, now=at(FRIDAY, clock))]  # type: ignore[arg-type]

        assert await on(cast.district, "8:29") == []
        assert await on(cast.district, "8:30") == [mine.id]
        # A street has its own roster and the district's.
        assert await on(cast.riverside, "11:29") == [mine.id, street.id]
        assert await on(cast.district, "11:30") == []
        upcoming = await duty.next_shift(session, cast.district, now=at(FRIDAY, "8:30"))
        assert upcoming is not None
        assert upcoming.id == after.id
        assert await duty.next_shift(session, cast.district, now=at(FRIDAY, "13:30")) is None


async def test_a_ticket_goes_to_whoever_is_there_fits_and_has_least(
    store: Store, cast: Cast, now: datetime
) -> None:
    chen = await person(store, "陈静", cast.district, now)
    await shift(store, cast, FRIDAY, "08:30-17:30", standby=cast.wang_fang)
    await shift(store, cast, FRIDAY, "08:30-17:30", chen)
    await work.taken(store, cast, now)
    waiting = await work.opened(store, cast, now, "第二个问题怎么办？")

    async def chosen(ticket_id: int = waiting.id, clock: str = "10:05") -> int | None:
        async with store.reading() as session:
            found = await duty.choose(session, await tickets.get(session, ticket_id), now=at(FRIDAY, clock))
            return found.id if found else None

    assert await chosen() == chen.id
    assert await chosen(clock="18:00") is None
    await work.taken(store, cast, now, by=chen, words="第三个问题怎么办？")
    await work.taken(store, cast, now, by=chen, words="第四个问题怎么办？")
    # The standby has nothing to do, but comes after the main officers.
    assert await chosen() == cast.li_qiang.id
    async with store.transaction() as session:
        group = WorkGroup(name="登记组", topics=[])
        session.add(group)
        await session.flush()
        session.add(WorkGroupMember(work_group_id=group.id, staff_id=chen.id, since=now))
        named = await tickets.get(session, waiting.id)
        named.group = "登记组"
    assert await chosen() == chen.id
    async with store.transaction() as session:
        gone = await session.merge(chen)
        gone.suspended_at = now
    assert await chosen() is None
    async with store.transaction() as session:
        (await tickets.get(session, waiting.id)).group = "没有人的组"
    assert await chosen() == cast.li_qiang.id


@ONE
async def test_whoever_signed_in_comes_first_and_nobody_after_signing_out(
    store: Store, cast: Cast, now: datetime
) -> None:
    row = await shift(store, cast, FRIDAY, "08:30-17:30", standby=cast.wang_fang)
    waiting = await work.opened(store, cast, now)

    async def chosen() -> int | None:
        async with store.reading() as session:
            found = await duty.choose(session, await tickets.get(session, waiting.id), now=now)
            return found.id if found else None

    assert await chosen() == cast.li_qiang.id
    async with store.transaction() as session:
        await duty.sign_in(session, await duty.get(session, row.id), actor=cast.wang_fang, now=now)
    assert await chosen() == cast.wang_fang.id
    async with store.transaction() as session:
        await duty.sign_out(session, await duty.get(session, row.id), actor=cast.wang_fang, now=now)
    assert await chosen() is None
    async with store.reading() as session:
        assert await duty.on_now(session, cast.district, now=now) == []


@ONE
async def test_nobody_gets_what_is_out_of_their_reach(store: Store, cast: Cast, now: datetime) -> None:
    await shift(store, cast, FRIDAY, "08:30-17:30", cast.zhao_lei)
    ticket = await work.opened(store, cast, now)
    town = await work.opened(store, cast, now, "镇里的问题怎么办？", unit=cast.north)
    async with store.reading() as session:
        assert await duty.choose(session, await tickets.get(session, ticket.id), now=now) is None
        found = await duty.choose(session, await tickets.get(session, town.id), now=now)
    assert found is not None
    assert found.id == cast.zhao_lei.id


async def test_signing_in_is_for_the_officer_in_time_and_once(store: Store, cast: Cast) -> None:
    row = await shift(store, cast, FRIDAY, "08:30-17:30", standby=cast.wang_fang)

    async def act(name: str, who: object, clock: str) -> None:
        async with store.transaction() as session:
            await getattr(duty, name)(
                session, await duty.get(session, row.id), actor=who, now=at(FRIDAY, clock)
            )

    for who, clock, key in (
        (cast.li_qiang, "7:59", "duty.not_now"),
        (cast.li_qiang, "17:30", "duty.not_now"),
        (cast.zhao_lei, "9:00", "duty.not_yours"),
    ):
        with pytest.raises(Conflict, match=key.replace(".", r"\.")):
            await act("sign_in", who, clock)
    with pytest.raises(NotPermitted):
        await act("sign_in", cast.zhou_ning, "9:00")
    with pytest.raises(Conflict, match=r"duty\.not_signed_in"):
        await act("sign_out", cast.li_qiang, "9:00")
    await act("sign_in", cast.li_qiang, "8:00")
    with pytest.raises(Conflict, match=r"duty\.signed_in") as refused:
        await act("sign_in", cast.wang_fang, "8:31")
    assert refused.value.facts["who"] == "李*"
    with pytest.raises(Conflict, match=r"duty\.not_yours"):
        await act("sign_out", cast.wang_fang, "17:30")
    await act("sign_out", cast.li_qiang, "17:35")


@ONE
async def test_a_shift_is_seen_by_its_unit_and_those_below(store: Store, cast: Cast, now: datetime) -> None:
    row = await shift(store, cast, unit=cast.riverside, officer=cast.wang_fang)
    async with store.reading() as session:
        assert (await duty.seen_by(session, cast.li_qiang, row.id)).id == row.id
        with pytest.raises(NotFound):
            await duty.seen_by(session, cast.zhao_lei, row.id)
        with pytest.raises(NotFound):
            await duty.seen_by(session, cast.li_qiang, 99)
        own = await duty.of_person(session, cast.wang_fang, now=now)
        assert [found.id for found in own] == [row.id]
        assert not await duty.of_person(session, cast.wang_fang, now=at(FRIDAY, "17:30"))


# --- the roster makes the office's hours ---


async def test_a_published_saturday_opens_the_office_and_moves_promises(
    store: Store, cast: Cast, now: datetime
) -> None:
    evening = at(FRIDAY, "16:50")
    async with store.reading() as session:
        before = await worktime.hours(session, now=now)
    assert clocks.promise(evening, before).promised_at == at(date(2026, 11, 23), "12:00")
    assert before.next_open(at(FRIDAY, "18:00")) == at(date(2026, 11, 23), "8:30")
    await published(store, cast, now, SATURDAY_MORNING)
    async with store.reading() as session:
        after = await worktime.hours(session, now=now)
    # Accepted on Friday 16:50 with duty on Saturday: promised for Saturday 12:00.
    assert clocks.promise(evening, after).promised_at == at(SATURDAY, "12:00")
    assert clocks.promise(at(SATURDAY, "9:30"), after).due_at == at(SATURDAY, "12:00")
    assert after.next_open(at(FRIDAY, "18:00")) == at(SATURDAY, "9:00")
    assert after.is_open(at(SATURDAY, "11:59"))
    assert not after.is_open(at(SATURDAY, "12:00"))
    assert after.next_open(at(SATURDAY, "12:00")) == at(date(2026, 11, 23), "8:30")
    assert clocks.weekend_duty(SATURDAY, after)
    assert not clocks.weekend_duty(SUNDAY, after)


@ONE
async def test_only_the_districts_own_roster_makes_its_hours(store: Store, cast: Cast, now: datetime) -> None:
    await shift(store, cast, SATURDAY, "09:00-12:00", cast.zhao_lei, unit=cast.north)
    withdrawn = await shift(store, cast, NEXT_SATURDAY, "09:00-12:00", withdrawn_at=now)
    async with store.reading() as session:
        hours = await worktime.hours(session, now=now)
    assert not hours.is_duty_day(SATURDAY)
    assert not hours.is_duty_day(withdrawn.day)


@ONE
async def test_an_evening_shift_on_a_workday_takes_the_place_of_its_hours(
    store: Store, cast: Cast, now: datetime
) -> None:
    monday = FRIDAY + timedelta(days=3)
    for hours in ("08:30-11:30", "13:30-17:30", "17:30-24:00"):
        await shift(store, cast, monday, hours)
    async with store.reading() as session:
        found = await worktime.hours(session, now=now)
    assert found.is_open(at(monday, "23:59"))
    assert not found.is_open(at(monday, "24:00"))
    assert not found.is_open(at(monday, "12:00"))


@ONE
async def test_a_ticket_opened_at_the_weekend_says_so_and_is_promised_by_the_roster(
    store: Store, cast: Cast, now: datetime
) -> None:
    await published(store, cast, now, SATURDAY_MORNING)
    moment = at(SATURDAY, "9:10")
    async with store.reading() as session:
        hours = await worktime.hours(session, now=moment)
    ticket = await work.opened(store, cast, moment, hours=hours)
    assert ticket.due_day == SATURDAY
    assert ticket.promised_at == at(SATURDAY, "12:00")
    assert ticket.weekend_duty
