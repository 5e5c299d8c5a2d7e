"""A roster's way into force: prepared by one, published by another, over what was there, and never unseen."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from office import notices
from office.errors import Conflict, Invalid, NotPermitted
from office.rosters import Roster, RosterState
from office.store import Store
from tests.make import Cast
from tests.ticketing.shifts import (
    FRIDAY,
    NEXT_SATURDAY,
    SATURDAY,
    SOUND,
    at,
    in_force,
    prepared,
    published,
    put_in_force,
    shift,
)
from ticketing import duty, rostering
from ticketing.rostering import Plan

ONE = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)


async def test_a_roster_is_prepared_published_by_another_and_replaces_only_its_days(
    store: Store, cast: Cast, now: datetime
) -> None:
    kept = await shift(store, cast, SATURDAY, "09:00-11:30", leader=cast.wang_fang)
    old = await shift(store, cast, NEXT_SATURDAY, "09:00-11:30", cast.wang_fang)
    next_day = ("2026-11-29", "", "", "9:00-11:30", "王芳", "李强")
    made, plan = await prepared(store, cast, now, SOUND, next_day, by=cast.wang_fang)
    assert (len(plan.difference.added), len(plan.difference.changed), len(plan.difference.removed)) == (
        1,
        1,
        0,
    )
    assert ("officer_id", cast.wang_fang.id, cast.li_qiang.id) in plan.difference.changed[0].fields
    with pytest.raises(NotPermitted, match="second_person_needed"):
        await put_in_force(store, made, plan.standing, cast.wang_fang, now)
    for who in (cast.li_qiang, cast.zhao_lei):
        with pytest.raises(NotPermitted):
            async with store.transaction() as session:
                await rostering.get(session, who, made.id)
    row = await put_in_force(store, made, plan.standing, cast.zhou_ning, now)
    assert row.state is RosterState.PUBLISHED
    standing = await in_force(store)
    assert [(s.day, s.officer_id) for s in standing] == [
        (SATURDAY, cast.li_qiang.id),
        (NEXT_SATURDAY, cast.li_qiang.id),
        (date(2026, 11, 29), cast.li_qiang.id),
    ]
    assert standing[0].id == kept.id
    assert old.id not in {s.id for s in standing}
    async with store.reading() as session:
        assert [notice.kind for notice in await notices.listed(session, cast.li_qiang.id)] == ["roster"]


async def test_two_rosters_about_the_same_day_do_not_both_come_into_force_unseen(
    store: Store, cast: Cast, now: datetime
) -> None:
    other = ("2026-11-28", "周六", "上午", "9:00-11:30", "王芳", "王芳")
    first, second = [await prepared(store, cast, now, rows) for rows in (SOUND, other)]

    async def publish(made: Roster, plan: Plan) -> None:
        await put_in_force(store, made, plan.standing, cast.wang_fang, now)

    await publish(*first)
    with pytest.raises(Conflict, match=r"roster\.overtaken"):
        await publish(*second)
    with pytest.raises(Conflict, match="stale_card"):
        await publish(*first)
    assert [row.officer_id for row in await in_force(store)] == [cast.li_qiang.id]


@ONE
async def test_somebody_stopped_meanwhile_keeps_a_roster_out_of_force(
    store: Store, cast: Cast, now: datetime
) -> None:
    made, _ = await prepared(store, cast, now, SOUND)
    async with store.transaction() as session:
        gone = await session.merge(cast.li_qiang)
        gone.suspended_at = now
    async with store.reading() as session:
        plan = await rostering.preview(session, made, cast.district, now=now)
    assert plan.stopped == (cast.li_qiang.id,)
    with pytest.raises(Conflict, match=r"roster\.faulty_now"):
        await put_in_force(store, made, plan.standing, cast.wang_fang, now)
    async with store.transaction() as session:
        row, _ = await rostering.get(session, cast.wang_fang, made.id)
        await rostering.discard(session, row, seen=1, actor=cast.wang_fang, now=now)
    assert row.state is RosterState.DISCARDED


@ONE
async def test_bad_rows_past_days_and_what_changes_nothing_are_not_prepared(
    store: Store, cast: Cast, now: datetime
) -> None:
    with pytest.raises(Invalid, match=r"roster\.faulty"):
        await prepared(store, cast, now, ("2026-11-28", "", "", "9:00-11:30", "", "张三"))
    with pytest.raises(Invalid, match=r"roster\.all_past"):
        await prepared(store, cast, now, ("2026-11-19", "", "", "9:00-11:30", "", "李强"))
    await published(store, cast, now, SOUND)
    with pytest.raises(Invalid, match=r"roster\.same"):
        await prepared(store, cast, now, SOUND)


@ONE
async def test_a_day_without_duty_is_named_and_a_shift_that_stays_keeps_its_sign_in(
    store: Store, cast: Cast, now: datetime
) -> None:
    here = await shift(store, cast, FRIDAY, "08:30-17:30")
    await shift(store, cast, SATURDAY, "09:00-11:30")
    async with store.transaction() as session:
        await duty.sign_in(session, await duty.get(session, here.id), actor=cast.li_qiang, now=now)
    await published(
        store, cast, now,
        ("2026-11-20", "", "全天", "8:30-17:30", "王芳", "李强"),
        ("2026-11-21", "周六", "休"),
    )  # fmt: skip
    (left,) = await in_force(store)
    assert (left.day, left.leader_id) == (FRIDAY, cast.wang_fang.id)
    assert left.signed_in_at == now
    assert left.id != here.id


@ONE
async def test_the_gaps_of_a_day_of_the_roster(store: Store, cast: Cast, now: datetime) -> None:
    await shift(store, cast, FRIDAY, "08:30-11:30")
    async with store.reading() as session:
        found = await duty.gaps(session, cast.district, FRIDAY, SATURDAY, now=at(FRIDAY, "9:00"))
    assert [(gap.day, gap.part) for gap in found] == [(FRIDAY, "afternoon")]


@ONE
async def test_of_today_what_is_over_or_has_its_officer_there_stays(
    store: Store, cast: Cast, now: datetime
) -> None:
    over = await shift(store, cast, FRIDAY, "07:00-09:00")
    here = await shift(store, cast, FRIDAY, "09:00-11:30", signed_in_at=now, signed_in_by_id=cast.li_qiang.id)
    ahead = await shift(store, cast, FRIDAY, "13:30-17:30")
    await published(
        store, cast, now,
        ("2026-11-20", "", "", "7:00-9:00", "", "王芳"),
        ("2026-11-20", "", "", "9:00-11:30", "", "王芳"),
        ("2026-11-20", "", "", "13:30-17:30", "", "王芳"),
    )  # fmt: skip
    left = await in_force(store)
    assert [row.id for row in left[:2]] == [over.id, here.id]
    assert [(row.opens, row.officer_id) for row in left[2:]] == [("13:30", cast.wang_fang.id)]
    assert ahead.id not in {row.id for row in left}
    # A day named as one without duty does not send away who is there either.
    await published(store, cast, now, ("2026-11-20", "", "休"))
    assert [row.id for row in await in_force(store)] == [over.id, here.id]
