"""What every channel of our own keeps: its methods, the facts on the way down, its failures, its silence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiogram.methods import DeleteMessage, GetMe, SendDice, SendMessage, SendVenue
from aiogram.types import Message

from bot.channels import robots as sessions
from bot.channels import web
from office import robot_addresses
from office.contacts import Channel, Contact, ContactState
from office.outbox import DeliveryState, Undeliverable
from tests.bot.channels.world import FORMS, KEYBOARD, LINK, World

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)

CHANNELS = [Channel.WEB, *FORMS]
IDS = [channel.value for channel in CHANNELS]
ROBOTS = pytest.mark.parametrize("channel", list(FORMS), ids=IDS[1:])
FACT = "<第3期> & a_b*c [1]😀 "


@pytest.mark.parametrize("channel", CHANNELS, ids=IDS)
async def test_messages_and_places_are_sent_and_the_unknown_is_an_error(
    world: World, channel: Channel
) -> None:
    bot, number = world.bots[channel], world.contacts[channel].id
    assert (await bot(GetMe())).id == bot.id
    sent = await bot(SendMessage(chat_id=number, text="<b>第3期</b>", reply_markup=KEYBOARD))
    assert isinstance(sent, Message)
    assert sent.chat.id == number
    place = SendVenue(chat_id=number, latitude=31.2, longitude=121.5, title="登记站", address="示例路1号")
    there = await bot(place)
    assert isinstance(there, Message)
    arrived = await world.arrived(channel)
    for fact in ("第3期", "📄 全文", LINK, "登记站", "示例路1号"):
        assert fact in arrived
    with pytest.raises(NotImplementedError):
        await bot(SendDice(chat_id=number))
    if channel is not Channel.WEB:
        with pytest.raises(NotImplementedError):
            await bot(DeleteMessage(chat_id=number, message_id=1))


@pytest.mark.parametrize("channel", CHANNELS, ids=IDS)
@pytest.mark.parametrize("size", [4096, 4097])
async def test_the_longest_text_survives_whole(world: World, channel: Channel, size: int) -> None:
    text = (FACT * 400)[:size]
    await world.bots[channel](
        SendMessage(
            chat_id=world.contacts[channel].id, text=text, parse_mode=None, reply_markup=KEYBOARD
        )
    )  # fmt: skip
    arrived = await world.arrived(channel)
    assert arrived.count("😀") == text.count("😀")
    assert arrived.count("a_b*c") >= text.count("a_b*c") - 8, "a cut may fall into one"
    assert LINK in arrived


@ROBOTS
async def test_the_post_room_keeps_count_of_what_robots_refuse(world: World, channel: Channel) -> None:
    busy = {"errcode": 45009} if channel is Channel.WECOM_ROBOT else {"errcode": 130101, "code": 11232}
    world.platforms.refusing = [busy]
    await world.put(channel, "一", "one")
    await world.room.send_due(channel)
    found = await world.of("one")
    assert (found.state, found.attempts) == (DeliveryState.DUE, 0)
    wait = timedelta(minutes=10 if channel is Channel.DINGTALK_ROBOT else 1)
    assert found.due_at == world.clock() + wait
    world.clock.pass_by(wait)
    world.platforms.now = world.clock().timestamp()
    await world.room.send_due(channel)
    assert (await world.of("one")).state is DeliveryState.SENT

    if channel in robot_addresses.SIGNING:
        world.platforms.refusing = [{"errcode": 310000, "errmsg": "sign not match", "code": 19021}]
        await world.put(channel, "二", "two")
        await world.room.send_due(channel)
        world.clock.pass_by(timedelta(minutes=2))
        await world.room.send_due(channel)
        found = await world.of("two")
        assert (found.state, found.attempts) == (DeliveryState.DUE, 0)
        assert "stopped: signature" in found.last_error
        assert len(world.platforms.sent) == 3
        return
    world.platforms.refusing = [{"errcode": 93000}]
    await world.put(channel, "二", "two")
    await world.room.send_due(channel)
    assert (await world.of("two")).state is DeliveryState.FAILED
    async with world.store.reading() as session:
        contact = await session.get_one(Contact, world.contacts[channel].id)
    assert contact.state is ContactState.LOST


@ROBOTS
async def test_a_part_that_has_arrived_is_not_sent_again_with_the_rest(
    world: World, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join(f"{number}、{FACT * 60}" for number in range(30))
    message = SendMessage(chat_id=world.contacts[channel].id, text=text, parse_mode=None)
    world.platforms.refusing = [{"errcode": 0, "code": 0}, "no answer at all"]
    for refused in (True, False, False):
        with web.once("tip:3:1#0"):
            if refused:
                with pytest.raises(Undeliverable):
                    await world.bots[channel](message)
            else:
                sent = await world.bots[channel](message)
                assert isinstance(sent, Message)
    arrived = [one.raw.decode() for one in world.platforms.sent if one.ok]
    marks = [f"({number}/{len(arrived)})" for number in range(1, len(arrived) + 1)]
    assert len(marks) > 1
    assert all(mark in one for mark, one in zip(marks, arrived, strict=True))
    monkeypatch.setattr(sessions, "REMEMBERED", 1)
    await world.put(channel, "一", "next")
    await world.room.send_due(channel)
    assert len(world.bots[channel].session._gone) == 1  # type: ignore[attr-defined]
    await world.put(channel, FACT.replace("<", "").replace("&", "") * 180, "long")
    for _ in range(2):
        await world.room.send_due(channel)
    assert (await world.of("long")).state is DeliveryState.SENT
