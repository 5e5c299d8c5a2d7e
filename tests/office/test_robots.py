"""Group robots: who may enter them, which addresses there can be, stopping and mending, and what is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from office import audit, chat_groups, contacts, group_health, outbox, robot_addresses, robots
from office.audit import SYSTEM, AuditEntry
from office.bindings import ChatGroup, GroupState
from office.contacts import Channel, Contact, ContactState
from office.errors import Conflict, DeskError, Invalid, NotPermitted
from office.group_health import Health
from office.notices import StaffNotice
from office.outbox import Delivery, DeliveryState, Undeliverable
from office.robots import GroupRobot, Robot
from office.seal import Sealer
from office.staff import Role, Staff
from office.store import Store
from tests.make import Cast
from tests.servers.robots import DINGTALK, FEISHU, WECOM

SEALER = Sealer(b"a secret of the tests")
TOKEN = DINGTALK.token("invented-0042")
ADDRESS = DINGTALK.format(TOKEN)
SECRET = "SECinvented0042"
D = Channel.DINGTALK_ROBOT


async def entered(store: Store, cast: Cast, now: datetime, address: str = ADDRESS) -> GroupRobot:
    async with store.transaction() as session:
        return await robots.add(
            session, cast.riverside, D, " 临江  工作群 ", f" {address} ", SECRET, sealer=SEALER,
            actor=cast.zhou_ning, now=now,
        )  # fmt: skip


async def robot_of(store: Store, cast: Cast, row: GroupRobot) -> Robot:
    async with store.reading() as session:
        return await robots.get(session, row.id, actor=cast.zhou_ning)


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        (D, DINGTALK.format("invented-0001")),
        (Channel.WECOM_ROBOT, WECOM.format("invented-0001")),
        (Channel.FEISHU_ROBOT, FEISHU.format("invented-0001")),
    ],
)
def test_only_a_platforms_own_address_is_one(channel: Channel, address: str) -> None:
    assert robot_addresses.checked(channel, f"\n{address} ") == address
    token = address[-8:]
    host = address.split("/")[2]
    for wrong in (
        "", address.replace("https", "http"), address.replace(host, "127.0.0.1"),
        address.replace(host, f"{host}.example"), address.replace(host, f"me@{host}"),
        address.replace(host, f"{host}:8443"), address.replace(host, f"192.0.2.1/{host}"),
        address.replace("https://", "https://x@"), address.upper(), f"{address}&timestamp=1&sign=x",
        f"{address}#x", f"{address}/../x", f"{address}?x=1", f"{address}\nx", f"{address}号",
        address.replace(token, "x"), address.replace("send", "send/..").replace("v2", "v1"),
        DINGTALK.format("x") if channel is not D else FEISHU.format("x"), address[:-1], f"{address}0",
        address[:-1] + "g", address[:-40] if channel is D else address.replace("-", "", 1),
    ):  # fmt: skip
        with pytest.raises(Invalid, match=rf"robot\.address\.{channel.value}"):
            robot_addresses.checked(channel, wrong)
    with pytest.raises(Invalid, match=r"robot\.channel"):
        robot_addresses.checked(Channel.TELEGRAM, address)
    if channel in robot_addresses.SIGNING:
        for wrong in ("", "short", "with blank in it", "密钥密钥密钥密钥"):
            with pytest.raises(Invalid, match=r"robot\.secret"):
                robot_addresses.checked_secret(channel, wrong)
    else:
        assert robot_addresses.checked_secret(channel, "anything") == ""


async def test_a_robot_binds_its_group_and_keeps_its_address_sealed(
    store: Store, cast: Cast, now: datetime
) -> None:
    robot = await robot_of(store, cast, await entered(store, cast, now))
    assert (robot.group.state, robot.group.title, robot.unit.id) == (
        GroupState.BOUND, "临江 工作群", cast.riverside.id,
    )  # fmt: skip
    assert robot.row.hint == "0042"
    assert "0042" not in robot.contact.address
    assert robots.opened(robot.row, SEALER) == robots.Credentials(ADDRESS, SECRET)
    async with store.reading() as session:
        for table in ("group_robot", "contact", "chat_group", "audit_entry"):
            rows = (await session.execute(text(f"select * from {table}"))).all()
            assert TOKEN not in repr(rows)
            assert SECRET not in repr(rows)
        assert (await audit.verify(session))[1] is None
        assert [found.row.id for found in await robots.listed(session, cast.riverside.path)] == [robot.row.id]
        assert await robots.listed(session, cast.north.path) == []
    with pytest.raises(Conflict, match=r"robot\.known"):
        await entered(store, cast, now)
    with pytest.raises(Conflict, match=r"robot\.own_page"):
        async with store.transaction() as session:
            await chat_groups.unbind(session, robot.group.id, actor=cast.zhou_ning, now=now)
    async with store.transaction() as session:
        assert await chat_groups.leave_unbound(session, now=now + timedelta(days=9)) == 0


async def test_whoever_lacks_the_permission_or_the_reach_does_nothing(
    store: Store, cast: Cast, now: datetime
) -> None:
    row = await entered(store, cast, now)
    robot = await robot_of(store, cast, row)
    async with store.transaction() as session:
        north = Staff(name="何平", unit_id=cast.north.id, roles=[Role.ADMIN.value], created_at=now)
        session.add(north)
    acts: list[Callable[[AsyncSession, Staff], Awaitable[object]]] = [
        lambda session, person: robots.add(
            session, cast.riverside, D, "群", DINGTALK.format("invented-0005"), SECRET, sealer=SEALER,
            actor=person, now=now,
        ),
        lambda session, person: robots.change(
            session, row.id, cast.north, "群", "", "", seen=robot.version, sealer=SEALER, actor=person,
            now=now,
        ),
        lambda session, person: robots.mended(session, row.id, seen=robot.version, actor=person, now=now),
        lambda session, person: robots.remove(session, row.id, seen=robot.version, actor=person, now=now),
        lambda session, person: robots.test(session, row.id, actor=person, now=now),
    ]  # fmt: skip
    for person in (north, cast.wang_fang, cast.sun_jie):
        for act in acts:
            async with store.transaction() as session:
                with pytest.raises(NotPermitted):
                    await act(session, person)
    for title, address, secret in (("", ADDRESS, SECRET), ("群", "x", SECRET), ("群", ADDRESS, "")):
        with pytest.raises(Invalid):
            async with store.transaction() as session:
                await robots.add(
                    session, cast.riverside, D, title, address, secret, sealer=SEALER,
                    actor=cast.zhou_ning, now=now,
                )  # fmt: skip


async def put(store: Store, contact: Contact, key: str, now: datetime, **more: object) -> None:
    async with store.transaction() as session:
        await outbox.put(session, contact, "x", {}, key=key, subject="tip:1", now=now, **more)  # type: ignore[arg-type]


async def test_a_stopped_robot_keeps_its_messages_due_and_mending_sends_them(
    store: Store, cast: Cast, now: datetime
) -> None:
    row = await entered(store, cast, now)
    robot = await robot_of(store, cast, row)
    await put(store, robot.contact, "waits", now)
    await put(store, robot.contact, "later", now, due_at=now + timedelta(hours=2))
    async with store.transaction() as session:
        claimed = await outbox.claim(session, [D], limit=5, now=now)
        error = Undeliverable("the robot has stopped", retry_after=60)
        await outbox.failed(session, claimed[0][0].id, error, now=now)
    for _ in range(2):
        async with store.transaction() as session:
            await robots.halt(session, robot.contact.id, "keyword", now=now)
    async with store.transaction() as session:
        assert not await robots.halt(session, 10**6, "keyword", now=now)
        told = (await session.scalars(select(StaffNotice))).all()
        assert [(one.staff_id, one.kind) for one in told] == [(cast.zhou_ning.id, "robot_stopped")]
        halts = select(func.count()).where(AuditEntry.action == "group_robot.halt")
        assert await session.scalar(halts) == 1
    stopped = await robot_of(store, cast, row)
    assert group_health.of(stopped.group, stopped.contact, stopped.row) == (Health.STOPPED,)
    with pytest.raises(Conflict, match="stale_card"):
        async with store.transaction() as session:
            await robots.mended(session, row.id, seen=robot.version, actor=cast.zhou_ning, now=now)
    async with store.transaction() as session:
        await robots.mended(session, row.id, seen=stopped.version, actor=cast.zhou_ning, now=now)
    async with store.reading() as session:
        due = {one.key: (one.state, one.due_at) for one in (await session.scalars(select(Delivery))).all()}
    assert due == {
        "waits": (DeliveryState.DUE, now), "later": (DeliveryState.DUE, now + timedelta(hours=2)),
    }  # fmt: skip
    version = (await robot_of(store, cast, row)).version
    with pytest.raises(Conflict, match="stale_card"):
        async with store.transaction() as session:
            await robots.mended(session, row.id, seen=version, actor=cast.zhou_ning, now=now)


async def test_a_new_address_mends_and_a_removed_robot_can_come_back(
    store: Store, cast: Cast, now: datetime
) -> None:
    row = await entered(store, cast, now)
    other = await entered(store, cast, now, DINGTALK.format("invented-0099"))

    async def change(unit: object, title: str, address: str = "", secret: str = "") -> None:
        robot = await robot_of(store, cast, row)
        async with store.transaction() as session:
            await robots.change(
                session, row.id, unit, title, address, secret, seen=robot.version, sealer=SEALER,  # type: ignore[arg-type]
                actor=cast.zhou_ning, now=now,
            )  # fmt: skip

    await change(cast.north, "北塘群")
    robot = await robot_of(store, cast, row)
    assert (robot.unit.id, robot.group.title, robot.row.hint) == (cast.north.id, "北塘群", "0042")
    async with store.transaction() as session:
        await robots.halt(session, robot.contact.id, "signature", now=now)
        (await session.get_one(Contact, robot.contact.id)).state = ContactState.LOST
        await chat_groups.note_lost(session, now=now)
    lost = await robot_of(store, cast, row)
    assert group_health.of(lost.group, lost.contact, lost.row) == (Health.LOST, Health.STOPPED)
    for address, secret in (
        (DINGTALK.format("invented-0099"), SECRET),
        (DINGTALK.format("invented-0008"), ""),
    ):
        with pytest.raises(DeskError):
            await change(cast.north, "北塘群", address, secret)
    await change(cast.north, "北塘群", DINGTALK.format("invented-0007"), "SECnew000007")
    robot = await robot_of(store, cast, row)
    assert group_health.of(robot.group, robot.contact, robot.row) == ()
    assert (robot.contact.id, robot.row.hint) == (lost.contact.id, "0007")
    await change(cast.north, "北塘群", "", "SECnewer0007")
    robot = await robot_of(store, cast, row)
    assert robots.opened(robot.row, SEALER).secret == "SECnewer0007"

    second = await robot_of(store, cast, other)
    async with store.transaction() as session:
        await robots.remove(session, other.id, seen=second.version, actor=cast.zhou_ning, now=now)
    async with store.reading() as session:
        group = await session.get_one(ChatGroup, second.group.id)
        assert group.state is GroupState.ENDED
        assert await robots.of_contact(session, second.contact.id) is None
    again = await entered(store, cast, now, DINGTALK.format("invented-0099"))
    assert (await robot_of(store, cast, again)).group.id == second.group.id
    async with store.transaction() as session:
        await robots.test(session, again.id, actor=cast.zhou_ning, now=now)
    async with store.reading() as session:
        kinds = (await session.scalars(select(Delivery.kind))).all()
    assert kinds == [robots.TEST_KIND]


async def test_what_ails_a_telegram_group_is_known(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        group = await chat_groups.seen(session, -1001, "工作群", actor=SYSTEM, now=now)
        assert not await chat_groups.unrestricted(session, group, actor=SYSTEM, now=now)
        await chat_groups.restricted(session, group, actor=SYSTEM, now=now)
        await chat_groups.restricted(session, group, actor=SYSTEM, now=now + timedelta(hours=1))
        assert group.row.restricted_at == now, "since when, and not when it was last heard of"
        await chat_groups.moved(session, -1001, -100200, now=now)
        assert group_health.of(group.row, group.contact) == (Health.RESTRICTED, Health.MOVED)
        assert await chat_groups.unrestricted(session, group, actor=SYSTEM, now=now)
        group.row.silent_since = now
        assert group_health.of(group.row, group.contact) == (Health.SILENT, Health.MOVED)
        assert (await contacts.find(session, Channel.TELEGRAM, "-100200")) is not None
