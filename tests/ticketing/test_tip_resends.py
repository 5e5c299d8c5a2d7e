"""Which units a tip has reached, sending it again to the others, and why a group still shows the old text."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from knowledge.tips import WorkTip
from office import audit, broadcasts, chat_groups, outbox
from office.bindings import ChatGroup, GroupState
from office.contacts import Channel, Contact, ContactState
from office.errors import Conflict, NotPermitted
from office.outbox import Delivery, DeliveryState, Undeliverable
from office.staff import Staff
from office.store import Store
from tests.make import Cast
from tests.ticketing.test_tip_posts import goes, hung, laid, posts
from tests.ticketing.tip_world import group, released
from ticketing import tip_arrivals, tip_coverage, tip_posts, tip_release, tip_resends
from ticketing.tip_arrivals import Misled
from ticketing.tip_coverage import Cover
from ticketing.tip_places import CORRECTION, EDIT, KIND
from ticketing.tip_posts import Shown

D = DeliveryState
HOUR = timedelta(hours=1)
KICKED = Undeliverable("TelegramForbiddenError: Forbidden: bot was kicked", permanent=True)


async def covered(store: Store, tip: WorkTip) -> dict[int, Cover]:
    async with store.reading() as session:
        row = await session.get_one(WorkTip, tip.id)
        found = await tip_coverage.covers(session, [row])
    return {unit: cover for (unit, _), cover in found.items()}


async def again(store: Store, tip: WorkTip, actor: Staff, now: datetime) -> int:
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, tip.id)
        return await tip_resends.send_again(
            session, row, actor=actor, now=now, public_url="https://desk.example"
        )


async def test_a_stopped_sending_goes_once_more_to_those_who_have_not_got_it(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        for address in ("-1", "-2", "-3"):
            await group(session, cast.riverside, address, now)
        north = await group(session, cast.north, "-4", now)
        contact = await session.get_one(Contact, north.contact_id)
        contact.state = ContactState.SILENCED
        north.silent_since = now
    later = await released(store, cast, now, send_at=now + HOUR)
    assert await covered(store, later) == {cast.riverside.id: Cover.WAITING, cast.north.id: Cover.WAITING}
    with pytest.raises(Conflict, match=r"tip_again\.over"):
        await again(store, later, cast.wang_fang, now)

    tip = await released(store, cast, now)
    assert await covered(store, tip) == {cast.riverside.id: Cover.WAITING, cast.north.id: Cover.SILENT}
    assert await again(store, tip, cast.wang_fang, now) == 0, "everything is under way"
    one, failed, *_ = await laid(store, KIND)
    await goes(store, one, now)
    async with store.transaction() as session:
        await session.execute(update(Delivery).where(Delivery.id == failed.id).values(state=D.CLAIMED))
        await outbox.failed(session, failed.id, KICKED, now=now)
        row = await session.get_one(WorkTip, tip.id)
        (run,) = await tip_arrivals.runs(session, row)
        await broadcasts.stop(session, run, seen=run.version, actor=cast.wang_fang, now=now)
    assert await covered(store, tip) == {cast.riverside.id: Cover.ARRIVED, cast.north.id: Cover.STOPPED}

    for nobody in (cast.li_qiang, cast.zhao_lei, cast.zhou_ning):
        with pytest.raises(NotPermitted):
            await again(store, tip, nobody, now)
    async with store.transaction() as session:
        # One group is bound only now; the one that failed is lost until it is bound again.
        await group(session, cast.north, "-5", now)
    tokens = {post.token for post in await posts(store, tip)}
    assert await again(store, tip, cast.wang_fang, now) == 3
    assert await again(store, tip, cast.wang_fang, now) == 0, "a second press is harmless"
    async with store.reading() as session:
        row = await session.get_one(WorkTip, tip.id)
        runs = await tip_arrivals.runs(session, row)
        assert [tip_arrivals.is_again(runs, run) for run in runs] == [False, True]
        done = await broadcasts.progress(session, runs[1].id)
        assert (done.total, done.pending) == (3, 3)
        acts = await audit.listed(session, action="work_tip.send_again")
        assert [entry.facts["groups"] for entry in acts[0]] == [3]
    fresh = [row for row in await laid(store, KIND) if row.broadcast_id == runs[1].id]
    assert {row.state for row in fresh} == {D.DUE, D.PARKED}
    assert len({row.contact_id for row in fresh} & {one.contact_id, failed.contact_id}) == 0
    # Its link stays what it was, where there was one; nobody gets it twice.
    assert tokens < {post.token for post in await posts(store, tip)}
    for row in fresh:
        assert row.facts["link"] == f"https://desk.example/tips/r/{row.facts['token']}"
        if row.state is D.DUE:
            await goes(store, row, now)
    assert await covered(store, tip) == {cast.riverside.id: Cover.ARRIVED, cast.north.id: Cover.ARRIVED}
    assert [post.shown for post in await posts(store, tip)].count(Shown.CURRENT) == 3
    assert await again(store, tip, cast.wang_fang, now) == 0

    async with store.transaction() as session:
        row = await session.get_one(WorkTip, tip.id)
        await tip_release.withdraw(session, row, "写错", seen=row.version, actor=cast.wang_fang, now=now)
    with pytest.raises(Conflict, match=r"tip_again\.over"):
        await again(store, tip, cast.wang_fang, now)


async def test_without_any_group_every_unit_is_to_be_telephoned(
    store: Store, cast: Cast, now: datetime
) -> None:
    tip = await released(store, cast, now, effective_until=now + HOUR)
    assert set((await covered(store, tip)).values()) == {Cover.NO_GROUP}
    async with store.transaction() as session:
        await group(session, cast.riverside, "-1", now)
    assert await covered(store, tip) == {cast.riverside.id: Cover.FAILED, cast.north.id: Cover.NO_GROUP}
    with pytest.raises(Conflict, match=r"tip_again\.over"):
        await again(store, tip, cast.wang_fang, now + HOUR)
    assert await again(store, tip, cast.wang_fang, now) == 1
    (message,) = await laid(store, KIND)
    async with store.transaction() as session:
        await session.execute(update(Delivery).where(Delivery.id == message.id).values(state=D.CLAIMED))
        await outbox.failed(session, message.id, KICKED, now=now)
    assert (await covered(store, tip))[cast.riverside.id] is Cover.FAILED
    assert await again(store, tip, cast.wang_fang, now) == 0, "nothing arrives in a lost group"
    async with store.transaction() as session:
        found = (await session.scalars(select(ChatGroup))).one()
        (await session.get_one(Contact, found.contact_id)).state = ContactState.ACTIVE
    assert await again(store, tip, cast.wang_fang, now) == 1


async def test_groups_that_still_show_the_old_text_are_told_with_the_reason(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        for number in range(1, 5):
            await group(session, cast.riverside, f"-{number}", now)
        await group(session, cast.north, "d1", now, Channel.DINGTALK_ROBOT)
    tip = await hung(store, cast, now)
    async with store.transaction() as session:
        rows = (await session.scalars(select(ChatGroup).order_by(ChatGroup.id))).all()
        await chat_groups.silence(session, rows[0].id, actor=cast.zhou_ning, now=now)
        row = await session.get_one(WorkTip, tip.id)
        await tip_release.withdraw(session, row, "写错", seen=row.version, actor=cast.wang_fang, now=now)
    silent, failed, lost, _, robot = await laid(store, EDIT, CORRECTION)
    assert silent.state is D.PARKED
    async with store.transaction() as session:
        values = {"state": D.FAILED, "last_error": "TelegramBadRequest: not enough rights"}
        await session.execute(update(Delivery).where(Delivery.id == failed.id).values(values))
        (await session.get_one(ChatGroup, rows[2].id)).state = GroupState.LOST
        await session.execute(update(Delivery).where(Delivery.id == lost.id).values(state=D.FAILED))
    async with store.reading() as session:
        row = await session.get_one(WorkTip, tip.id)
        found = [(one.place.group.id, one.why) for one in await tip_arrivals.misled(session, row)]
    why = [Misled.SILENT, Misled.FAILED, Misled.LOST, Misled.WAITING, Misled.WAITING]
    assert found == [(group.id, word) for group, word in zip(rows, why, strict=True)]
    await goes(store, robot, now)
    async with store.transaction() as session:
        # As soon as it may speak again, what waited goes out, and the group leaves the list.
        await chat_groups.silence(session, rows[0].id, actor=cast.zhou_ning, now=now)
    await goes(store, silent, now)
    async with store.reading() as session:
        row = await session.get_one(WorkTip, tip.id)
        left = [one.place.group.id for one in await tip_arrivals.misled(session, row)]
        assert len(await tip_posts.still_old(session, row)) == 3
    assert left == [rows[1].id, rows[2].id, rows[3].id]
