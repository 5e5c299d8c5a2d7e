"""What a channel keeps that can only send: nothing comes in, its pace, the one journey that ends there.

Of the four journeys three begin with somebody who asks; a robot hears nobody, so there they cannot begin. A
tip goes its whole way: sent by the robot, read and signed behind the link it carries.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot import carrying
from bot.channels.caps import CAPS
from bot.pacing import MemoryPacing
from knowledge import tip_receipts
from knowledge.tip_receipts import Receipt
from knowledge.tips import WorkTip
from office import signin
from office.bindings import ChatGroup
from office.contacts import Channel
from office.outbox import Delivery, DeliveryState, Priority
from office.staff import Role, Staff
from office.store import Store
from tests.bot.channels.world import FORMS, World
from tests.bot.conftest import ADDRESS, Visitor, hidden
from tests.make import Cast
from tests.servers import paces
from tests.servers.paces import Most
from tests.ticketing import tip_world
from ticketing.tip_posts import TipPost

pytestmark = [
    pytest.mark.parametrize("templates", ["sqlite"], indirect=True),
    pytest.mark.parametrize("channel", list(FORMS), ids=[channel.value for channel in FORMS]),
]
D = DeliveryState
ALLOWED: dict[Channel, tuple[Most, ...]] = {
    Channel.WECOM_ROBOT: (paces.WECOM,),
    Channel.DINGTALK_ROBOT: (paces.DINGTALK,),
    Channel.FEISHU_ROBOT: paces.FEISHU,
}
MANY = 150
LONG = "\n\n".join(f"{number}、{'请按规定程序核对。' * 150}" for number in range(20))


async def test_nothing_comes_in_and_what_goes_out_twice_at_once_goes_once(
    world: World, channel: Channel, site: FastAPI
) -> None:
    """Item 4. There is no event that could come twice: no capability, no address of ours to send one to."""
    assert not CAPS[channel].inbound
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url=ADDRESS) as client:
        for path in ("/robot/send", "/cgi-bin/webhook/send", "/open-apis/bot/v2/hook/x", f"/{channel.value}"):
            assert (await client.post(path, json={"text": {"content": "人工"}})).status_code == 404
    for number in range(12):
        await world.put(channel, f"第{number}条", f"twice {number}")
    rooms = [world.another() for _ in range(3)]

    async def drain(number: int) -> None:
        while await rooms[number].send_due(channel):
            pass

    await asyncio.gather(*map(drain, range(3)))
    await drain(0)
    said = Counter(one.raw.decode().partition("第")[2].partition("条")[0] for one in world.platforms.sent)
    assert said == {str(number): 1 for number in range(12)}


async def test_the_pace_is_kept_where_it_arrives_and_neither_kind_starves(
    world: World, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Item 6, through the whole post room; the hour of every pace is in `tests/bot/test_pacing.py`."""
    begun, platforms = world.clock.now, world.platforms

    def passed() -> float:
        return (world.clock.now - begun).total_seconds()

    async def nap(seconds: float) -> None:
        world.clock.now += timedelta(seconds=seconds + 0.001)
        platforms.now = world.clock.now.timestamp()

    room = world.another(MemoryPacing(passed))
    monkeypatch.setattr(room, "nap", nap)
    monkeypatch.setattr(carrying, "asyncio", SimpleNamespace(sleep=nap, timeout=asyncio.timeout))
    await world.put(channel, LONG, "long", Priority.BROADCAST)
    for number in range(MANY if channel is Channel.FEISHU_ROBOT else MANY // 4):
        await world.put(channel, "短", f"answer {number}")
        await world.put(channel, "期", f"tip {number}", Priority.BROADCAST)
    while waiting := await _waiting(world):
        for lane in ((Priority.ANSWER, Priority.NOTICE), (Priority.BROADCAST,)):
            await room.send_due(channel, lane)
        await nap(max(0.0, (min(waiting, default=world.clock.now) - world.clock.now).total_seconds()))
    moments = [one.at for one in platforms.sent]
    for most in ALLOWED[channel]:
        assert most.broken(moments) == []
    assert all(one.ok for one in platforms.sent)
    arrived = b"".join(one.raw for one in platforms.sent).decode()
    assert [f"{number}、请按" in arrived for number in range(20)] == [True] * 20
    # By turns: neither all answers first nor all of the broadcast.
    half = b"".join(one.raw for one in platforms.sent[len(platforms.sent) // 4 : -len(platforms.sent) // 4])
    assert "短".encode() in half
    assert "期".encode() in half


async def _waiting(world: World) -> list[datetime]:
    async with world.store.reading() as session:
        rows = await session.scalars(select(Delivery.due_at).where(Delivery.state == D.DUE))
        return list(rows)


async def test_a_tip_goes_its_whole_way_and_ends_in_the_same_facts_as_in_a_chat(
    world: World, channel: Channel, store: Store, cast: Cast, visitor: Callable[..., Visitor]
) -> None:
    """Item 8."""
    now = world.clock.now
    async with store.transaction() as session:
        await tip_world.group(session, cast.north, "-4001", now)
        row = await session.get_one(Staff, cast.li_qiang.id)
        officer = Staff(
            name="何静", unit_id=cast.riverside.id, roles=[Role.REGISTRAR.value], created_at=row.created_at
        )
        session.add(officer)
    made = await tip_world.submitted(store, cast, now)
    tip = await tip_world.signed(store, cast, made, now, public_url=ADDRESS)
    await world.room.send_due(channel)
    (card,) = [one.raw.decode() for one in world.platforms.sent]
    for one in (*FORMS, Channel.TELEGRAM):
        await world.room.send_due(one)
    ((_, told),) = world.town.sent
    async with store.reading() as session:
        posts = {
            contact: row
            for row, contact in await session.execute(
                select(TipPost, ChatGroup.contact_id).join(ChatGroup, ChatGroup.id == TipPost.group_id)
            )
        }
        states = set(await session.scalars(select(Delivery.state).where(Delivery.kind == "tip")))
    post = posts[world.contacts[channel].id]
    for fact in ("第1期", "关于居住证年限的提示", "按累计月数计算", "12345678"):
        assert (fact in card) == (fact in told), fact
    assert "关于居住证年限的提示" in card
    assert f"{ADDRESS}/tips/r/{post.token}" in card
    assert states == {D.SENT}
    assert all(row.posted_at == now for row in posts.values())

    async with store.transaction() as session:
        token = await signin._sign_in(session, officer, device="Test", now=now)
    client = visitor().client
    client.cookies.set("one-window-desk", token)
    way = f"/tips/r/{post.token}"
    page = (await client.get(way)).text
    csrf = hidden(page.partition('class="tip-signing')[2], "csrf")
    assert (await client.post(f"{way}/read", data={"csrf": csrf})).status_code == 303
    async with store.transaction() as session:
        # In the other group it is the button, which comes to the same.
        row = await session.get_one(WorkTip, tip.id)
        await tip_receipts.acknowledge(
            session, row, cast.north, person=cast.zhao_lei, way=tip_receipts.ReceiptWay.GROUP, now=now
        )
    async with store.reading() as session:
        receipts = (await session.scalars(select(Receipt))).all()
    assert {(one.tip_id, one.unit_id) for one in receipts} == {
        (tip.id, cast.riverside.id), (tip.id, cast.north.id),
    }  # fmt: skip
