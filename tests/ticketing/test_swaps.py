"""Changing a shift with a colleague: asked, agreed, declined, taken back; refused where it cannot be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from office import notices
from office.errors import Conflict, Invalid
from office.shifts import DutyShift
from office.staff import Staff
from office.store import Store
from tests.make import Cast
from tests.ticketing.shifts import FRIDAY, SATURDAY, SUNDAY, at, person, published, shift
from ticketing import duty, swaps
from ticketing.swaps import DutySwap, SwapState

ONE = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)


async def asked(
    store: Store, row: DutyShift, to: Staff, *, by: Staff, now: datetime, back: DutyShift | None = None
) -> DutySwap:
    async with store.transaction() as session:
        mine = await duty.get(session, row.id)
        other = await duty.get(session, back.id) if back else None
        return await swaps.ask(session, mine, to, back=other, reason="家里有事", actor=by, now=now)


@asynccontextmanager
async def deciding(store: Store, swap: DutySwap) -> AsyncIterator[tuple[AsyncSession, DutySwap]]:
    async with store.transaction() as session:
        yield session, await swaps.get(session, swap.id)


async def told(store: Store, who: Staff) -> list[str]:
    async with store.reading() as session:
        return [notice.kind for notice in await notices.listed(session, who.id)]


async def test_both_confirm_and_the_leader_is_told(store: Store, cast: Cast, now: datetime) -> None:
    chen = await person(store, "陈静", cast.district, now)
    mine = await shift(store, cast, SATURDAY, "09:00-12:00", leader=cast.wang_fang)
    theirs = await shift(store, cast, SUNDAY, "09:00-12:00", chen)
    swap = await asked(store, mine, chen, by=cast.li_qiang, now=now, back=theirs)
    assert await told(store, chen) == ["swap_asked"]
    async with store.reading() as session:
        assert (await duty.get(session, mine.id)).officer_id == cast.li_qiang.id
    async with deciding(store, swap) as (session, found):
        await swaps.agree(session, found, actor=chen, now=now)
    async with store.reading() as session:
        assert (await duty.get(session, mine.id)).officer_id == chen.id
        assert (await duty.get(session, theirs.id)).officer_id == cast.li_qiang.id
        assert (await swaps.get(session, swap.id)).state is SwapState.AGREED
    assert await told(store, cast.li_qiang) == ["swap_agreed"]
    assert await told(store, cast.wang_fang) == ["swap_made"]
    with pytest.raises(Conflict, match="stale_card"):
        async with deciding(store, swap) as (session, found):
            await swaps.agree(session, found, actor=chen, now=now)


@ONE
async def test_a_wish_may_be_declined_or_taken_back_and_then_asked_anew(
    store: Store, cast: Cast, now: datetime
) -> None:
    mine = await shift(store, cast, SATURDAY, "09:00-12:00")
    first = await asked(store, mine, cast.wang_fang, by=cast.li_qiang, now=now)
    with pytest.raises(Conflict, match=r"swap\.open"):
        await asked(store, mine, cast.wang_fang, by=cast.li_qiang, now=now)
    for act, wrong in (
        (swaps.agree, cast.li_qiang),
        (swaps.decline, cast.li_qiang),
        (swaps.withdraw, cast.wang_fang),
    ):
        with pytest.raises(Conflict, match=r"swap\.not_"):
            async with deciding(store, first) as (session, found):
                await act(session, found, actor=wrong, now=now)
    async with deciding(store, first) as (session, found):
        await swaps.decline(session, found, actor=cast.wang_fang, now=now)
    second = await asked(store, mine, cast.wang_fang, by=cast.li_qiang, now=now)
    async with deciding(store, second) as (session, found):
        await swaps.withdraw(session, found, actor=cast.li_qiang, now=now)
    assert await told(store, cast.li_qiang) == ["swap_declined"]
    assert await told(store, cast.wang_fang) == ["swap_withdrawn", "swap_asked", "swap_asked"]
    async with store.reading() as session:
        assert [row.id for row in await swaps.of_person(session, cast.wang_fang)] == [second.id, first.id]


@ONE
async def test_what_is_past_double_booked_or_not_ones_own_is_refused(
    store: Store, cast: Cast, now: datetime
) -> None:
    mine = await shift(store, cast, SATURDAY, "09:00-12:00")
    running = await shift(store, cast, FRIDAY, "08:30-17:30")
    other = await shift(store, cast, SATURDAY, "11:00-13:00", cast.wang_fang)
    own = await shift(store, cast, SUNDAY, "09:00-12:00")
    for row, to, by, key in (
        (running, cast.wang_fang, cast.li_qiang, "past"),
        (mine, cast.wang_fang, cast.li_qiang, "booked"),
        (other, cast.li_qiang, cast.li_qiang, "not_yours"),
        (mine, cast.li_qiang, cast.li_qiang, "unfit"),
        (mine, cast.sun_jie, cast.li_qiang, "unfit"),
        (mine, cast.zhou_ning, cast.li_qiang, "unfit"),
    ):
        with pytest.raises(Conflict, match=rf"swap\.{key}"):
            await asked(store, row, to, by=by, now=now)
    with pytest.raises(Invalid, match=r"swap\.back_not_theirs"):
        await asked(store, mine, cast.wang_fang, by=cast.li_qiang, now=now, back=own)
    # In return for the shift in the way it can be done.
    await asked(store, mine, cast.wang_fang, by=cast.li_qiang, now=now, back=other)


@ONE
async def test_everything_is_looked_at_again_when_the_other_agrees(
    store: Store, cast: Cast, now: datetime
) -> None:
    mine = await shift(store, cast, SATURDAY, "09:00-12:00")
    swap = await asked(store, mine, cast.wang_fang, by=cast.li_qiang, now=now)
    with pytest.raises(Conflict, match=r"swap\.past"):
        async with deciding(store, swap) as (session, found):
            await swaps.agree(session, found, actor=cast.wang_fang, now=at(SATURDAY, "9:00"))
    await shift(store, cast, SATURDAY, "10:00-11:00", cast.wang_fang)
    with pytest.raises(Conflict, match=r"swap\.booked"):
        async with deciding(store, swap) as (session, found):
            await swaps.agree(session, found, actor=cast.wang_fang, now=now)


@ONE
async def test_a_newer_roster_ends_wishes_about_its_shifts(store: Store, cast: Cast, now: datetime) -> None:
    mine = await shift(store, cast, SATURDAY, "09:00-12:00")
    swap = await asked(store, mine, cast.wang_fang, by=cast.li_qiang, now=now)
    await published(store, cast, now, ("2026-11-21", "", "", "13:00-17:00", "王芳", "李强"))
    async with store.reading() as session:
        assert (await swaps.get(session, swap.id)).state is SwapState.WITHDRAWN
    assert "swap_overtaken" in await told(store, cast.wang_fang)
