"""Handing over: a snapshot, a message, a signature; nothing left that nobody answers for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from office import notices
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.staff import Staff
from office.store import Store
from tests.make import Cast
from tests.ticketing import work
from tests.ticketing.shifts import FRIDAY, at, person, shift
from ticketing import duty, handovers, owed, tickets
from ticketing.call_backs import CallBack, CallBackKind
from ticketing.clusters import Cluster
from ticketing.handovers import Handover
from ticketing.records import Ticket, TicketState

ONE = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
S = TicketState


async def begun(store: Store, leaver: Staff, now: datetime, message: str = "请先看第一张单子") -> Handover:
    async with store.transaction() as session:
        return await handovers.begin(session, leaver, message, now=now)


async def signed(
    store: Store, handover: Handover, taker: Staff, now: datetime, taking: tuple[int, ...] = ()
) -> Handover:
    async with store.transaction() as session:
        found = await handovers.get(session, taker, handover.id)
        await handovers.sign(session, found, seen=handover.version, taker=taker, taking=taking, now=now)
    return found


async def test_the_snapshot_counts_what_is_owed(store: Store, cast: Cast, now: datetime) -> None:
    for place in range(4):
        await work.taken(store, cast, now, words=f"第{place}个问题怎么办？")
    late = await work.opened(store, cast, at(FRIDAY, "8:40"), words="早上的问题怎么办？")
    held = await work.taken(store, cast, now, words="挂起的问题怎么办？")
    town = await work.opened(store, cast, now, words="镇里的问题怎么办？", unit=cast.north)
    async with store.transaction() as session:
        (await tickets.get(session, late.id)).due_at = now - timedelta(minutes=1)
        (await tickets.get(session, held.id)).state = S.ON_HOLD
        session.add(
            CallBack(
                key="ticket:1:1", kind=CallBackKind.PROMISED, unit_id=cast.district.id, point="回电",
                due_at=now, created_at=now,
            )
        )  # fmt: skip
        session.add(
            Cluster(
                cluster_no="C-1120-01", title="门牌号", lead_id=late.id, unit_id=cast.district.id,
                first_asked_at=now, created_at=now, created_by_id=cast.li_qiang.id,
            )
        )  # fmt: skip
    handover = await begun(store, cast.li_qiang, now)
    assert handover.snapshot["counts"] == {
        "open": 7, "overdue": 1, "due_today": 6, "on_hold": 1, "unassigned": 2,
        "call_backs": 1, "clusters": 1,
    }  # fmt: skip
    assert town.id in handover.snapshot["open"]
    assert handover.snapshot["overdue"] == [late.id]
    # An officer of the town sees the town's alone.
    theirs = await begun(store, cast.zhao_lei, now)
    assert theirs.snapshot["open"] == [town.id]


async def test_signing_gives_what_was_chosen_and_requeues_the_rest(
    store: Store, cast: Cast, now: datetime
) -> None:
    mine = [await work.taken(store, cast, now, words=f"第{place}个问题怎么办？") for place in range(3)]
    row = await shift(store, cast, FRIDAY, "08:30-11:30")
    later = await shift(store, cast, FRIDAY, "11:30-17:30", cast.wang_fang)
    async with store.transaction() as session:
        await duty.sign_in(session, await duty.get(session, row.id), actor=cast.li_qiang, now=now)
        handover = await handovers.begin(
            session, cast.li_qiang, "第一张答应了下午回", shift=await duty.get(session, row.id),
            now=at(FRIDAY, "11:25"),
        )  # fmt: skip
    await signed(store, handover, cast.wang_fang, at(FRIDAY, "11:28"), taking=(mine[0].id,))
    found = [await work.read(store, ticket) for ticket in mine]
    assert [(ticket.state, ticket.assignee_id) for ticket in found] == [
        (S.WORKING, cast.wang_fang.id),
        (S.UNASSIGNED, None),
        (S.UNASSIGNED, None),
    ]
    # 首接人 stays responsible until somebody accepts.
    assert {ticket.first_taker_id for ticket in found} == {cast.li_qiang.id}
    async with store.reading() as session:
        before, after = await duty.get(session, row.id), await duty.get(session, later.id)
    assert before.signed_out_at == at(FRIDAY, "11:28")
    assert (after.signed_in_by_id, after.signed_in_at) == (cast.wang_fang.id, at(FRIDAY, "11:28"))


async def test_it_is_signed_once_by_somebody_else_as_it_was_read(
    store: Store, cast: Cast, now: datetime
) -> None:
    handover = await begun(store, cast.li_qiang, now)
    with pytest.raises(Conflict, match=r"handover\.own"):
        await signed(store, handover, cast.li_qiang, now)
    with pytest.raises(NotFound):
        await signed(store, handover, cast.zhao_lei, now)
    again = await begun(store, cast.li_qiang, now + timedelta(minutes=1), "又来了一张")
    assert again.id == handover.id
    with pytest.raises(Conflict, match="stale_card"):
        await signed(store, handover, cast.wang_fang, now)
    await signed(store, again, cast.wang_fang, now)
    with pytest.raises(Conflict, match="stale_card"):
        await signed(store, again, cast.wang_fang, now)
    with pytest.raises(Invalid, match=r"handover\.message_long"):
        await begun(store, cast.li_qiang, now, "长" * 2001)
    with pytest.raises(NotPermitted):
        await begun(store, cast.zhou_ning, now)


async def test_it_cannot_finish_with_orphans(store: Store, cast: Cast, now: datetime) -> None:
    chen = await person(store, "陈静", cast.district, now)
    gone = await work.taken(store, cast, now, by=chen, words="陈静的问题怎么办？")
    absent = await work.opened(store, cast, now, words="派给不在的人的问题？")
    waiting = await work.opened(store, cast, now, words="派给值班的人的问题？")
    await shift(store, cast, FRIDAY, "08:30-17:30", leader=cast.wang_fang)
    async with store.transaction() as session:
        (await session.merge(chen)).suspended_at = now
        for ticket, who in ((absent, cast.sun_jie), (waiting, cast.wang_fang)):
            row = await tickets.get(session, ticket.id)
            row.state, row.assignee_id = S.ASSIGNED, who.id
    own = await work.taken(store, cast, now, words="李强手里的问题？")
    handover = await begun(store, cast.li_qiang, now)
    with pytest.raises(Conflict, match=r"handover\.orphans_left") as refused:
        await signed(store, handover, cast.wang_fang, now)
    assert refused.value.facts["n"] == 2
    # Nothing was done by halves.
    assert (await work.read(store, own)).assignee_id == cast.li_qiang.id
    async with store.transaction() as session:
        assert await handovers.free(session, cast.district, actor=cast.wang_fang, now=now) == 2
    await signed(store, handover, cast.wang_fang, now)
    states = {ticket.id: (await work.read(store, ticket)).state for ticket in (gone, absent, waiting, own)}
    assert states == {
        gone.id: S.UNASSIGNED,
        absent.id: S.UNASSIGNED,
        waiting.id: S.ASSIGNED,
        own.id: S.UNASSIGNED,
    }


@ONE
async def test_without_a_roster_nobody_counts_as_absent(store: Store, cast: Cast, now: datetime) -> None:
    chen = await person(store, "陈静", cast.district, now)
    ticket = await work.opened(store, cast, now)
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        row.state, row.assignee_id = S.ASSIGNED, chen.id
    async with store.reading() as session:
        assert not await owed.orphans(session, cast.district, beside=cast.wang_fang, now=now)


@ONE
async def test_who_has_signed_out_is_absent_though_nobody_else_is_on(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await work.opened(store, cast, now)
    on = await shift(store, cast, FRIDAY, "08:30-17:30")
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        row.state, row.assignee_id = S.ASSIGNED, cast.li_qiang.id
        own = await session.merge(on)
        own.signed_in_at, own.signed_in_by_id, own.signed_out_at = now, cast.li_qiang.id, now
    async with store.reading() as session:
        (found,) = await owed.orphans(session, cast.district, beside=cast.wang_fang, now=now)
    assert found.id == ticket.id


@ONE
async def test_what_waits_on_hold_or_for_review_goes_over_without_a_move(
    store: Store, cast: Cast, now: datetime
) -> None:
    proposed = await work.proposed(store, cast, now)
    handover = await begun(store, cast.li_qiang, now)
    await signed(store, handover, cast.wang_fang, now, taking=(proposed.id,))
    found = await work.read(store, proposed)
    assert (found.state, found.assignee_id, found.author_id) == (
        S.IN_REVIEW,
        cast.wang_fang.id,
        cast.li_qiang.id,
    )


async def test_nobody_signs_within_ten_minutes_and_the_leader_is_told_once(
    store: Store, cast: Cast, now: datetime
) -> None:
    await begun(store, cast.li_qiang, now)

    async def told(minutes: float) -> int:
        moment = now + timedelta(minutes=minutes)
        async with store.transaction() as session:
            await handovers.unsigned(session, now=moment)
        async with store.reading() as session:
            return len(await notices.listed(session, cast.wang_fang.id))

    assert [await told(minutes) for minutes in (9.9, 10, 11, 600)] == [0, 1, 1, 1]


@ONE
async def test_one_that_is_signed_in_time_alarms_nobody(store: Store, cast: Cast, now: datetime) -> None:
    await signed(store, await begun(store, cast.li_qiang, now), cast.wang_fang, now + timedelta(minutes=9))
    async with store.transaction() as session:
        assert await handovers.unsigned(session, now=now + timedelta(hours=1)) == 0


async def test_at_the_end_of_the_shift_the_difference_is_kept(
    store: Store, cast: Cast, now: datetime
) -> None:
    first, second = [await work.opened(store, cast, now, words=f"第{n}个问题怎么办？") for n in range(2)]
    mine = await signed(store, await begun(store, cast.li_qiang, now), cast.wang_fang, now)
    assert mine.difference == {}
    fresh = await work.opened(store, cast, now, words="后来的问题怎么办？")
    async with store.transaction() as session:
        await tickets.void(
            session, await tickets.get(session, first.id), "误录", actor=cast.wang_fang, now=now
        )
    end = at(FRIDAY, "17:31")
    await begun(store, cast.wang_fang, end)
    async with store.reading() as session:
        found: Any = await session.scalar(select(Handover).where(Handover.id == mine.id))
        still = await session.scalars(
            select(Ticket.id).where(Ticket.state == S.UNASSIGNED).order_by(Ticket.id)
        )
        assert list(still) == [second.id, fresh.id]
    assert (found.difference["finished"], found.difference["left"]) == ([first.id], [second.id])
    assert (found.difference["new"], found.difference["overdue"]) == ([fresh.id], [second.id, fresh.id])
