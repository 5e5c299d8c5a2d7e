"""Chasing: only who is silent, twice a day, in duty hours, once by itself; then the telephone list."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from knowledge import tip_receipts
from knowledge.tip_receipts import ReceiptWay
from knowledge.tips import WorkTip
from office.contacts import Channel, ContactState
from office.errors import Conflict, NotPermitted
from office.outbox import Delivery, DeliveryState
from office.staff import Role, Staff
from office.store import Store
from office.units import Unit
from tests.make import HOURS, Cast
from tests.ticketing.people import person
from tests.ticketing.shifts import FRIDAY, at, shift
from tests.ticketing.test_tip_posts import goes, laid
from tests.ticketing.tip_world import group, released
from ticketing import tip_chases, tip_posts
from ticketing.tip_chases import TipChase

HOUR = timedelta(hours=1)


async def hung(store: Store, cast: Cast, now: datetime, **changes: object) -> WorkTip:
    """A tip that hangs in a group of 临江街道 and in a robot's of 北塘镇."""
    async with store.transaction() as session:
        await group(session, cast.riverside, "-1", now)
        await group(session, cast.north, "w1", now, Channel.WECOM_ROBOT)
    tip = await released(store, cast, now, **changes)
    for delivery in await laid(store, tip_posts.KIND):
        await goes(store, delivery, now)
    return tip


async def chase(
    store: Store, tip: WorkTip, now: datetime, actor: Staff | None = None
) -> TipChase:  # fmt: skip
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, tip.id)
        return await tip_chases.chase(session, row, actor=actor, hours=HOURS, now=now)


async def signs(store: Store, tip: WorkTip, unit: Unit, who: Staff, now: datetime) -> None:
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, tip.id)
        await tip_receipts.acknowledge(session, row, unit, person=who, way=ReceiptWay.LINK, now=now)


async def reminders(store: Store) -> list[Delivery]:
    async with store.reading() as session:
        rows = select(Delivery).where(Delivery.kind == tip_chases.KIND).order_by(Delivery.id)
        return list((await session.scalars(rows)).all())


async def test_twice_a_day_the_silent_ones_in_duty_hours(store: Store, cast: Cast, now: datetime) -> None:
    tip = await hung(store, cast, now)
    with pytest.raises(NotPermitted):
        await chase(store, tip, now, cast.zhao_lei)
    first = await chase(store, tip, now, cast.li_qiang)
    assert (first.units, first.by_id, first.day) == (2, cast.li_qiang.id, FRIDAY)
    one, robot = await reminders(store)
    assert (one.facts["unit"], one.facts["buttons"], one.facts["addressed"]) == ("临江街道", True, 2)
    assert (robot.facts["unit"], robot.facts["buttons"]) == ("北塘镇", False)
    # Whoever signs is not reminded any more: neither by what waits still, nor by the next round.
    await signs(store, tip, cast.north, cast.zhao_lei, now)
    assert [row.state for row in await reminders(store)] == [DeliveryState.DUE, DeliveryState.STOPPED]
    second = await chase(store, tip, now + HOUR / 2, cast.wang_fang)
    assert second.units == 1
    assert [row.facts["unit"] for row in (await reminders(store))[2:]] == ["临江街道"]
    for when, key in ((HOUR, "tip_chase.twice"), (11 * HOUR, "tip_chase.closed")):
        with pytest.raises(Conflict) as refused:
            await chase(store, tip, now + when, cast.li_qiang)
        assert refused.value.key == key
    assert refused.value.facts["next"] == HOURS.next_open(now + 11 * HOUR)
    monday = at(FRIDAY, "10:00") + timedelta(days=3)
    assert (await chase(store, tip, monday, cast.li_qiang)).units == 1
    he = await person(store, cast.riverside, now, "何静", Role.REGISTRAR)
    await signs(store, tip, cast.riverside, he, monday)
    with pytest.raises(Conflict, match="nobody"):
        await chase(store, tip, monday, cast.li_qiang)
    no_receipt = await released(store, cast, now, receipt_wanted=False)
    with pytest.raises(Conflict, match="over"):
        await chase(store, no_receipt, monday, cast.li_qiang)


async def test_clock_reminds_once_after_the_term_and_waits_for_duty(
    store: Store, cast: Cast, now: datetime
) -> None:
    tip = await hung(store, cast, now, receipt_due=at(FRIDAY, "18:00"))
    async with store.transaction() as session:
        for place in await tip_posts.places(session, tip):
            if place.unit.id == cast.riverside.id:
                place.contact.state = ContactState.SILENCED

    async def automatic(moment: datetime) -> int:
        async with store.transaction() as session:
            return await tip_chases.automatic(session, hours=HOURS, now=moment)

    assert await automatic(now) == 0
    assert await automatic(at(FRIDAY, "18:30")) == 0
    monday = at(FRIDAY, "10:00") + timedelta(days=3)
    assert await automatic(monday) == 1
    assert await automatic(monday + HOUR) == 0
    # A group that wants silence is left in peace; its unit stands on the telephone list all the same.
    assert [row.facts["unit"] for row in await reminders(store)] == ["北塘镇"]
    async with store.reading() as session:
        assert await tip_chases.count(session, tip) == 1
        assert [one.by_id for one in await tip_chases.rounds(session, tip)] == [None]


async def test_telephone_list_names_who_is_there_now(store: Store, cast: Cast, now: datetime) -> None:
    tip = await hung(store, cast, now)
    async with store.transaction() as session:
        (await session.get_one(Unit, cast.north.id)).phone = "0000-20002000"
    await shift(store, cast, officer=cast.zhao_lei, unit=cast.north, phone="0000-30003000")
    await shift(store, cast)
    async with store.reading() as session:
        left = await tip_chases.silent(session, tip)
        calls = await tip_chases.phone_list(session, left, now=now)
    assert [(call.unit.name, call.phone, call.on_duty, call.duty_phone) for call in calls] == [
        ("临江街道", "", "", ""), ("北塘镇", "0000-20002000", "赵磊", "0000-30003000"),
    ]  # fmt: skip
