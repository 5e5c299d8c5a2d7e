"""What became of each message is written down, whoever died meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiogram.exceptions import (
    TelegramMigrateToChat,
    TelegramServerError,
)
from aiogram.methods import SendMessage
from sqlalchemy import select

from bot import placed
from bot.channels import web
from bot.worker import Worker
from office import audit, broadcasts, chat_groups, contacts, outbox
from office.bindings import ChatGroup
from office.broadcasts import Broadcast
from office.contacts import Channel, Contact, ContactState
from office.outbox import Delivery, DeliveryState
from office.store import Store
from tests.bot.town import Town, a_worker, broadcast, groups, put, states
from tests.make import Cast, Clock

D = DeliveryState


async def test_a_dead_worker_s_claim_comes_back_with_its_lease(
    store: Store, cast: Cast, worker: Worker, town: Town, clock: Clock
) -> None:
    """A crash between claim and send."""
    await put(store, cast.zhang_min, "a", now=clock.now)
    async with store.transaction() as session:
        assert len(await outbox.claim(session, [Channel.TELEGRAM], limit=9, now=clock.now)) == 1
    assert not await worker.send_due(Channel.TELEGRAM)
    clock.now += outbox.LEASE + timedelta(seconds=1)
    assert await worker.send_due(Channel.TELEGRAM)
    assert len(town.sent) == 1
    assert await states(store) == {"a": "sent"}


async def test_a_crash_between_send_and_record_shows_once_in_the_mailbox(
    store: Store, cast: Cast, worker: Worker, clock: Clock
) -> None:
    async with store.transaction() as session:
        reader = await contacts.seen(session, Channel.WEB, "cookie", now=clock.now)
    await put(store, reader, "a", now=clock.now)
    async with store.transaction() as session:
        claimed = await outbox.claim(session, [Channel.WEB], limit=9, now=clock.now)
    carrier, (delivery, contact) = worker.room.carrier, claimed[0]
    letter = carrier.letter(delivery, contact)
    assert not isinstance(letter, outbox.Undeliverable)
    assert await carrier.send(letter) is None  # and here the process dies
    clock.now += outbox.LEASE + timedelta(seconds=1)
    assert await worker.send_due(Channel.WEB)
    async with store.reading() as session:
        assert [line.content["text"] for line in await web.since(session, reader.id, 0)] == ["答复a"]
    assert await states(store) == {"a": "sent"}


async def test_a_bound_group_that_moved_is_followed_and_sent_to_once_more(
    store: Store, cast: Cast, clock: Clock
) -> None:
    """E14."""

    async def moved(method: SendMessage) -> None:
        if method.chat_id == -2000:
            raise TelegramMigrateToChat(method, "moved", -100777)

    async with store.transaction() as session:
        group = await chat_groups.seen(session, -2000, "北塘镇工作群", actor=audit.SYSTEM, now=clock.now)
    town = Town(moved)
    await broadcast(store, [group.contact], clock.now)
    worker = a_worker(store, clock, town)
    await worker.send_due(Channel.TELEGRAM)
    await worker.send_due(Channel.TELEGRAM)
    assert town.sent == [(-100777, "tip")]
    async with store.reading() as session:
        row = await session.get_one(ChatGroup, group.row.id)
        contact = await session.get_one(Contact, row.contact_id)
        acts, _ = await audit.listed(session, subject=f"chat_group:{row.id}")
        assert row.moved_at == clock.now
        assert (contact.address, contact.state) == ("-100777", ContactState.ACTIVE)
        assert acts[0].action == "chat_group.moved"
        assert (await session.scalars(select(Delivery.state))).all() == [D.SENT]


async def test_what_fails_while_its_broadcast_is_stopped_is_stopped(
    store: Store, cast: Cast, clock: Clock
) -> None:
    places = await groups(store, 3, clock.now)
    row = await broadcast(store, places, clock.now)
    halted = False

    async def stop(method: SendMessage) -> None:
        nonlocal halted
        if not halted:
            halted = True
            async with store.transaction() as session:
                fresh = await session.get_one(Broadcast, row.id)
                await broadcasts.stop(session, fresh, seen=fresh.version, actor=cast.wang_fang, now=clock.now)
            raise TelegramServerError(method, "Bad Gateway")

    await a_worker(store, clock, Town(stop)).send_due(Channel.TELEGRAM)
    async with store.reading() as session:
        found = await broadcasts.progress(session, row.id)
    assert (found.sent, found.stopped, found.pending, found.uncertain) == (2, 1, 0, 1)


async def test_a_record_that_fails_spoils_no_other_of_the_same_moment(
    store: Store, cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, together = await groups(store, 8, clock.now), asyncio.Barrier(8)
    noted: list[int] = []

    async def meet(method: SendMessage) -> None:
        await together.wait()

    async def note(session: Any, delivery: Delivery, became: Any) -> None:
        noted.append(delivery.contact_id)
        if delivery.contact_id == places[3].id:
            raise RuntimeError("nobody expected this")

    monkeypatch.setattr(placed, "note", note)
    worker = a_worker(store, clock, Town(meet))
    await broadcast(store, places, clock.now)

    async def hasty(seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(worker.room._records, "_nap", hasty)
    await worker.send_due(Channel.TELEGRAM)
    async with store.reading() as session:
        states = dict((await session.execute(select(Delivery.contact_id, Delivery.state))).all())
    assert states == {one.id: D.CLAIMED if one is places[3] else D.SENT for one in places}
    assert set(noted) == {one.id for one in places}
