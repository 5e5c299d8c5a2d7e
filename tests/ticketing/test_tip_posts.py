"""Posts of work tips: one a group, edited or corrected everywhere once the tip holds no more."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from knowledge import tip_receipts
from knowledge.tip_receipts import ReceiptWay
from knowledge.tips import WorkTip
from office import outbox
from office.bindings import GroupPurpose, GroupState
from office.broadcasts import Broadcast, BroadcastState
from office.contacts import Channel
from office.errors import Conflict
from office.outbox import Delivery, DeliveryState
from office.store import Store
from tests.make import Cast
from tests.ticketing.tip_world import drafted, group, read, released
from ticketing import tip_mending, tip_places, tip_posts, tip_release
from ticketing.tip_places import CORRECTION, EDIT, KIND
from ticketing.tip_posts import Shown, TipPost

D = DeliveryState
HOUR = timedelta(hours=1)


async def groups(store: Store, cast: Cast, now: datetime) -> None:
    """Two of 临江街道, one of them a robot's; one of 北塘镇; one open to voters and one lost."""
    async with store.transaction() as session:
        await group(session, cast.riverside, "-1", now)
        await group(session, cast.riverside, "d1", now, Channel.FEISHU_ROBOT)
        await group(session, cast.north, "-2", now, topics={"forum": True, "tips": 9})
        await group(session, cast.north, "-3", now, purpose=GroupPurpose.OPEN)
        await group(session, cast.north, "-4", now, state=GroupState.LOST)


async def laid(store: Store, *kinds: str) -> list[Delivery]:
    async with store.reading() as session:
        wanted = kinds or (KIND, EDIT, CORRECTION)
        rows = await session.scalars(select(Delivery).where(Delivery.kind.in_(wanted)).order_by(Delivery.id))
        return list(rows.all())


async def posts(store: Store, tip: WorkTip) -> list[TipPost]:
    async with store.reading() as session:
        return [place.post for place in await tip_places.places(session, tip)]


async def goes(store: Store, delivery: Delivery, now: datetime, *, refused: bool = False) -> None:
    """A delivery leaves and is recorded, as the worker does it."""
    async with store.transaction() as session:
        row = await session.get_one(Delivery, delivery.id)
        await outbox.sent(session, row.id, now=now)
        number = 0 if refused else 5000 + delivery.id
        await tip_posts.noted(session, row, message_id=number, refused=refused, now=now)


async def hung(store: Store, cast: Cast, now: datetime, **changes: object) -> WorkTip:
    """A released tip that stands in all its groups."""
    tip = await released(store, cast, now, **changes)
    for delivery in await laid(store, KIND):
        if delivery.state is D.DUE:
            await goes(store, delivery, now)
    return tip


async def withdraw(store: Store, cast: Cast, tip: WorkTip, now: datetime) -> None:
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, tip.id)
        await tip_release.withdraw(session, row, "依据有误", seen=row.version, actor=cast.wang_fang, now=now)


async def waiting(store: Store) -> list[tuple[str, str]]:
    return [(row.kind, str(row.facts["state"])) for row in await laid(store) if row.state is D.DUE]


async def test_one_message_a_group_and_none_twice(store: Store, cast: Cast, now: datetime) -> None:
    await groups(store, cast, now)
    draft = await drafted(store, cast, now)
    async with store.transaction() as session:
        with pytest.raises(Conflict):
            await tip_posts.lay_out(session, draft, actor=cast.wang_fang, now=now)
    tip = await released(store, cast, now)
    async with store.transaction() as session:
        await group(session, cast.riverside, "-5", now)
    for _ in range(2):
        async with store.transaction() as session:
            row = await session.get_one(WorkTip, tip.id)
            await tip_posts.lay_out(
                session, row, actor=cast.wang_fang, now=now, public_url="https://desk.example/"
            )
    found = await laid(store)
    assert len(found) == 4
    assert len({row.contact_id for row in found}) == 4
    assert {row.broadcast_id for row in found} == {found[0].broadcast_id}
    assert all(row.key == f"tip:{tip.id}:{row.contact_id}" for row in found)
    first, robot, north, late = (row.facts for row in found)
    assert (first["number"], first["short"]) == ("2026年第1期", "第1期")
    assert (first["read"], first["addressed"]) == (0, 2)
    assert first["bullets"] == ["按累计月数计算，不要求连续。"]
    assert [facts["buttons"] for facts in (first, robot, north)] == [True, False, True]
    assert north["thread"] == 9
    assert late["link"] == f"https://desk.example/tips/r/{late['token']}"
    assert len({row.token for row in await posts(store, tip)}) == 4
    async with store.reading() as session:
        place = await tip_places.by_token(session, late["token"])
        assert place is not None
        assert place.unit.id == cast.riverside.id
        assert await tip_places.by_token(session, "forged") is None


async def test_withdrawn_everywhere_by_edit_or_one_correction(
    store: Store, cast: Cast, now: datetime
) -> None:
    await groups(store, cast, now)
    tip = await hung(store, cast, now)
    assert {post.shown for post in await posts(store, tip)} == {Shown.CURRENT}
    await withdraw(store, cast, tip, now)
    edit, robot, refused = sorted(
        (row for row in await laid(store, EDIT, CORRECTION)), key=lambda row: row.contact_id
    )
    assert [edit.kind, robot.kind, refused.kind] == [EDIT, CORRECTION, EDIT]
    async with store.reading() as session:
        assert len(await tip_posts.still_old(session, tip)) == 3
    await goes(store, edit, now)
    await goes(store, robot, now)
    # Telegram refuses the edit, is asked again after a crash, and refuses again: one 更正.
    await goes(store, refused, now, refused=True)
    await goes(store, refused, now, refused=True)
    async with store.reading() as session:
        (left,) = await tip_posts.still_old(session, tip)
    assert left.unit.id == cast.north.id
    corrections = [row for row in await laid(store, CORRECTION) if row.state is D.DUE]
    assert len(corrections) == 1
    assert corrections[0].facts["thread"] == 9
    await goes(store, corrections[0], now)
    assert [post.shown for post in await posts(store, tip)] == [
        Shown.REPLACED, Shown.CORRECTED, Shown.CORRECTED,
    ]  # fmt: skip
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, tip.id)
        assert await tip_posts.replace(session, row, None, now=now) == 0
        assert await tip_mending.mend(session, now=now) == 0


async def test_what_has_not_left_never_does_and_what_may_have_is_corrected(
    store: Store, cast: Cast, now: datetime
) -> None:
    await groups(store, cast, now)
    tip = await released(store, cast, now)
    unsent, perhaps, under_way = await laid(store)
    async with store.transaction() as session:
        await session.execute(update(Delivery).where(Delivery.id == perhaps.id).values(uncertain=1))
        claimed = update(Delivery).where(Delivery.id == under_way.id)
        await session.execute(claimed.values(state=D.CLAIMED, claimed_until=now + HOUR))
    await withdraw(store, cast, tip, now)
    states = {row.id: row.state for row in await laid(store, KIND)}
    assert states == {unsent.id: D.STOPPED, perhaps.id: D.STOPPED, under_way.id: D.CLAIMED}
    async with store.reading() as session:
        first = (await session.scalars(select(Broadcast).order_by(Broadcast.id))).first()
        assert first is not None
        assert first.state is BroadcastState.STOPPED
    (correction,) = await laid(store, CORRECTION)
    assert correction.contact_id == perhaps.contact_id
    # It was on its way when the tip fell: as soon as it stands there, it is edited.
    await goes(store, under_way, now)
    (edit,) = await laid(store, EDIT)
    assert (edit.contact_id, edit.facts["state"]) == (under_way.contact_id, "withdrawn")
    assert [post.shown for post in await posts(store, tip)] == [Shown.WAITING, Shown.OLD, Shown.OLD]


async def test_counter_that_overtook_the_edit_does_not_stay(store: Store, cast: Cast, now: datetime) -> None:
    await groups(store, cast, now)
    tip = await hung(store, cast, now)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, tip.id)
        await tip_receipts.acknowledge(
            session, row, cast.north, person=cast.zhao_lei, way=ReceiptWay.LINK, now=now
        )
        assert await tip_posts.recount(session, now=now) == 2
        assert await tip_posts.recount(session, now=now + HOUR) == 0, "one waits to be sent"
    first, second = await laid(store, EDIT)
    assert first.facts["read"] == 1
    async with store.transaction() as session:
        await session.execute(update(Delivery).where(Delivery.id == first.id).values(state=D.CLAIMED))
    await withdraw(store, cast, tip, now)
    assert {row.id: row.state for row in await laid(store, EDIT)}[second.id] is D.STOPPED
    for row in await laid(store, EDIT):
        if row.state is D.DUE:
            await goes(store, row, now)
    await goes(store, first, now)
    (again,) = [row for row in await laid(store, EDIT) if row.state is D.DUE]
    assert again.contact_id == first.contact_id
    await goes(store, again, now)
    assert (await posts(store, tip))[0].shown is Shown.REPLACED


async def test_nothing_is_told_of_a_successor_under_embargo(store: Store, cast: Cast, now: datetime) -> None:
    await groups(store, cast, now)
    old = await hung(store, cast, now)
    new = await released(store, cast, now, supersedes_id=old.id, send_at=now + HOUR, title="新口径")
    async with store.transaction() as session:
        assert await tip_mending.mend(session, now=now) == 0
    assert await waiting(store) == []
    async with store.transaction() as session:
        await tip_release.send_due(session, now=now + HOUR, public_url="https://desk.example")
    told = [row for row in await laid(store, EDIT, CORRECTION) if row.facts["tip"] == old.id]
    assert {row.facts["state"] for row in told} == {"superseded"}
    assert {(row.facts["new"], row.facts["new_short"]) for row in told} == {(new.id, "第2期")}
    (robot,) = [row for row in told if row.kind == CORRECTION]
    fresh = next(post for post in await posts(store, new) if post.group_id == robot.facts["group"])
    assert robot.facts["link"].endswith(fresh.token)
    # Set for an hour or not: it does not go out in the crowd of the full hour.
    due = [row.due_at for row in await laid(store, KIND) if row.facts["tip"] == new.id]
    assert all(at >= now + HOUR for at in due)


async def test_withdrawn_before_it_was_ever_sent_takes_its_predecessor_with_it(
    store: Store, cast: Cast, now: datetime
) -> None:
    await groups(store, cast, now)
    old = await hung(store, cast, now)
    new = await released(store, cast, now, supersedes_id=old.id, send_at=now + HOUR)
    await withdraw(store, cast, new, now)
    told = await laid(store, EDIT, CORRECTION)
    assert len(told) == 3
    assert {(row.facts["tip"], row.facts["state"], row.facts["why"]) for row in told} == {
        (old.id, "withdrawn", "依据有误")
    }


async def test_clock_mends_what_slipped_what_failed_and_what_is_over(
    store: Store, cast: Cast, now: datetime
) -> None:
    await groups(store, cast, now)
    tip = await hung(store, cast, now, effective_until=now + HOUR)
    later = now + 2 * HOUR
    async with store.transaction() as session:
        assert await tip_mending.mend(session, now=now) == 0
        assert await tip_mending.mend(session, now=later) == 2
        assert await tip_mending.mend(session, now=later + HOUR) == 0
    over = await laid(store, EDIT)
    assert {row.facts["state"] for row in over} == {"expired"}
    for row in over:
        await goes(store, row, later)
    await withdraw(store, cast, tip, later)
    first, second = [row for row in await laid(store, EDIT) if row.state is D.DUE]
    async with store.transaction() as session:
        # One edit failed for good, and one group's state was not known when the tip fell.
        await session.execute(update(Delivery).where(Delivery.id == first.id).values(state=D.FAILED))
        await session.execute(update(Delivery).where(Delivery.id == second.id).values(state=D.SENT))
        slipped = update(TipPost).where(TipPost.id == second.facts["post"])
        await session.execute(slipped.values(shown=Shown.CURRENT))
    async with store.transaction() as session:
        assert await tip_mending.mend(session, now=later) == 2
    corrected = {row.contact_id for row in await laid(store, CORRECTION)}
    assert first.contact_id in corrected
    assert (await read(store, tip)).withdrawn_at == later


async def test_withdrawing_while_messages_are_recorded_leaves_no_group_out(
    store: Store, cast: Cast, now: datetime
) -> None:
    await groups(store, cast, now)
    tip = await released(store, cast, now)
    under_way = await laid(store, KIND)
    async with store.transaction() as session:
        await session.execute(update(Delivery).values(state=D.CLAIMED, claimed_until=now + HOUR))
    recording = (goes(store, delivery, now) for delivery in under_way)
    await asyncio.gather(*recording, withdraw(store, cast, tip, now))
    async with store.transaction() as session:
        await tip_mending.mend(session, now=now)
    assert {post.shown for post in await posts(store, tip)} == {Shown.OLD}
    told = await laid(store, EDIT, CORRECTION)
    assert len({row.contact_id for row in told if row.state is D.DUE}) == 3


async def test_counter_follows_when_the_last_receipt_is_taken_back(
    store: Store, cast: Cast, now: datetime
) -> None:
    await groups(store, cast, now)
    tip = await hung(store, cast, now)
    shown: list[int] = []
    for step in range(3):
        later = now + step * HOUR
        async with store.transaction() as session:
            row = await session.get_one(WorkTip, tip.id)
            if step == 1:
                receipt = await tip_receipts.of(session, row, cast.north)
                assert receipt is not None
                await tip_receipts.take_back(
                    session, row, cast.north, "记错了", seen=tip_receipts.stamp(receipt),
                    actor=cast.li_qiang, now=later,
                )  # fmt: skip
            else:
                await tip_receipts.acknowledge(
                    session, row, cast.north, person=None, way=ReceiptWay.PHONE, now=later,
                    recorded_by=cast.li_qiang, signer="吴兰",
                )  # fmt: skip
            assert await tip_posts.recount(session, now=later) == 2
        edits = [row for row in await laid(store, EDIT) if row.state is D.DUE]
        for delivery in edits:
            await goes(store, delivery, later)
        shown += {row.facts["read"] for row in edits}
    assert shown == [1, 0, 1]
