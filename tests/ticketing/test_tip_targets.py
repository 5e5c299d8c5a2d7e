"""Before a work tip is sent: which groups it would go to, and how they stand."""

from __future__ import annotations

from datetime import datetime, timedelta

from office import units
from office.bindings import GroupPurpose, GroupState
from office.contacts import Channel, Contact, ContactState
from office.robots import GroupRobot
from office.store import Store
from office.units import UnitKind
from tests.make import Cast
from tests.ticketing.tip_world import group
from ticketing import tip_targets
from ticketing.tip_targets import GroupHealth


async def test_units_lead_to_the_groups_of_their_staff_and_trouble_is_named(
    store: Store, cast: Cast, now: datetime
) -> None:
    """Own groups and those below; the desk's and open ones never; each group once, at the nearest unit."""
    async with store.transaction() as session:
        block = await units.add(session, UnitKind.NEIGHBOURHOOD, "LJ1", "一居", cast.riverside)
        empty = await units.add(session, UnitKind.NEIGHBOURHOOD, "LJ2", "二居", cast.riverside)
        place = cast.riverside
        well = await group(session, place, "-1", now)
        below = await group(session, block, "-2", now)
        await group(session, place, "-3", now, purpose=GroupPurpose.DESK)
        await group(session, place, "-4", now, purpose=GroupPurpose.OPEN)
        await group(session, cast.district, "-5", now)
        await group(session, place, "-6", now, state=GroupState.SEEN, bound_at=None)
        await group(session, place, "-7", now, state=GroupState.ENDED)
        lost = await group(session, place, "-8", now, state=GroupState.LOST)
        gone = await group(session, place, "-9", now)
        (await session.get_one(Contact, gone.contact_id)).state = ContactState.LOST
        mute = await group(session, place, "-10", now, restricted_at=now)
        silent = await group(session, place, "-11", now, silent_since=now)
        moved = await group(session, place, "-12", now, moved_at=now - timedelta(days=6))
        settled = await group(session, place, "-13", now, moved_at=now - timedelta(days=8))
        robot = await group(session, place, "d1", now, channel=Channel.DINGTALK_ROBOT)
        stopped = await group(session, place, "d2", now, channel=Channel.DINGTALK_ROBOT)
        for row, at in ((robot, None), (stopped, now)):
            session.add(
                GroupRobot(
                    group_id=row.id, sealed_address=b"x", hint="cdef", added_by_id=cast.zhou_ning.id,
                    added_at=now, stopped_at=at,
                )
            )  # fmt: skip
        await session.flush()
        ids = (cast.riverside.id, block.id, empty.id, cast.north.id)
        found = await tip_targets.preview(session, ids, now=now)
        reached = await tip_targets.reached(session, ids)
        whole = await tip_targets.preview(session, [cast.district.id], now=now)
        nobody = await tip_targets.preview(session, [], now=now)
    assert [target.unit.name for target in found.units] == ["临江街道", "一居", "二居", "北塘镇"]
    assert {one.group.id: one.health for one in found.groups} == {
        well.id: GroupHealth.WELL, below.id: GroupHealth.WELL, lost.id: GroupHealth.LOST,
        gone.id: GroupHealth.LOST, mute.id: GroupHealth.RESTRICTED, silent.id: GroupHealth.SILENT,
        moved.id: GroupHealth.MOVED, settled.id: GroupHealth.WELL, robot.id: GroupHealth.WELL,
        stopped.id: GroupHealth.STOPPED,
    }  # fmt: skip
    assert [one.group.id for one in found.units[1].groups] == [below.id]
    assert (len(found.groups), found.reached, len(found.troubled)) == (10, 5, 6)
    assert [unit.name for unit in found.without_group] == ["二居", "北塘镇"]
    assert [unit.name for unit in found.unreached] == ["二居", "北塘镇"]
    assert found.by_channel == {Channel.TELEGRAM: 8, Channel.DINGTALK_ROBOT: 2}
    assert found.by_health[GroupHealth.LOST] == 2
    assert {row.id: unit.id for row, unit in reached} == {
        one.group.id: target.unit.id
        for target in found.units
        for one in target.groups
        if one.health is not GroupHealth.LOST
    }
    assert len(whole.groups) == 11
    assert (nobody.units, nobody.reached) == ((), 0)
