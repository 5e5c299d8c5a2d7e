"""Groups bound after a tip went out: they get it once, while it holds and is fresh."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import select

from knowledge.tips import WorkTip
from office import broadcasts, units
from office.bindings import ChatGroup, GroupPurpose, GroupState
from office.contacts import Contact, ContactState
from office.outbox import Delivery
from office.store import Store
from office.units import Unit, UnitKind
from tests.make import Cast
from tests.ticketing.tip_world import group, released
from ticketing import tip_latecomers, tip_places, tip_release
from ticketing.tip_places import TipPost

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def laid(store: Store, at: datetime) -> int:
    async with store.transaction() as session:
        return await tip_latecomers.lay_out(session, now=at, public_url="https://tips.example")


async def bound(store: Store, unit: Unit, address: str, at: datetime, **more: object) -> ChatGroup:
    async with store.transaction() as session:
        return await group(session, unit, address, at, **more)  # type: ignore[arg-type]


async def sent(store: Store, made: WorkTip) -> list[tuple[int, str]]:
    """Group and key of every message of a tip."""
    async with store.reading() as session:
        rows = await session.execute(
            select(TipPost.group_id, Delivery.key)
            .join(ChatGroup, ChatGroup.id == TipPost.group_id)
            .join(Delivery, Delivery.contact_id == ChatGroup.contact_id)
            .where(TipPost.tip_id == made.id, Delivery.subject == tip_places.subject_of(made))
            .order_by(TipPost.id)
        )
        return [(row[0], row[1]) for row in rows]


async def test_a_group_bound_later_gets_a_tip_that_holds_once_however_many_workers_look(
    store: Store, cast: Cast, now: datetime
) -> None:
    first = await bound(store, cast.riverside, "-1001", now)
    made = await released(store, cast, now, targets=(cast.riverside.id,))
    assert await laid(store, now + HOUR) == 0
    async with store.transaction() as session:
        block = await units.add(session, UnitKind.NEIGHBOURHOOD, "LJ1", "一居", cast.riverside)
    late = await bound(store, block, "-1002", now + HOUR)
    await bound(store, cast.north, "-1003", now + HOUR)
    await bound(store, cast.riverside, "-1004", now + HOUR, purpose=GroupPurpose.OPEN)
    await bound(store, cast.riverside, "-1005", now + HOUR, state=GroupState.ASKED)
    gone = await bound(store, cast.riverside, "-1006", now + HOUR)
    async with store.transaction() as session:
        (await session.get_one(Contact, gone.contact_id)).state = ContactState.LOST
    await asyncio.gather(*(laid(store, now + 2 * HOUR) for _ in range(3)))
    found = await sent(store, made)
    assert [number for number, _ in found] == [first.id, late.id]
    assert found[1][1] == f"tip:{made.id}:{late.contact_id}"
    async with store.reading() as session:
        post = (await session.scalars(select(TipPost).where(TipPost.group_id == late.id))).one()
        (progress,) = [
            await broadcasts.progress(session, row.id)
            for row in await broadcasts.of(session, tip_places.subject_of(made))
        ]
    assert (post.unit_id, progress.total, progress.pending) == (cast.riverside.id, 2, 2)
    assert await laid(store, now + 3 * HOUR) == 0


async def test_what_fell_is_over_or_is_old_goes_to_no_new_group(
    store: Store, cast: Cast, now: datetime
) -> None:
    old = await released(store, cast, now, receipt_due=now + DAY)
    owed = await released(store, cast, now, receipt_due=now + 9 * DAY)
    over = await released(store, cast, now, effective_until=now + 7 * DAY, receipt_due=now + 9 * DAY)
    fallen = await released(store, cast, now, receipt_due=now + 9 * DAY)
    hidden = await released(store, cast, now, send_at=now + 20 * DAY, receipt_due=now + 30 * DAY)
    halted = await released(store, cast, now, receipt_due=now + 9 * DAY)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, fallen.id)
        await tip_release.withdraw(session, row, "错", seen=row.version, actor=cast.wang_fang, now=now)
        (sending,) = await broadcasts.of(session, tip_places.subject_of(halted))
        await broadcasts.stop(session, sending, seen=sending.version, actor=cast.wang_fang, now=now)
    at = now + 8 * DAY
    late = await bound(store, cast.north, "-1001", at)
    assert await laid(store, at) == 1
    assert [number for number, _ in await sent(store, owed)] == [late.id]
    for made in (old, over, fallen, hidden, halted):
        assert await sent(store, made) == []
