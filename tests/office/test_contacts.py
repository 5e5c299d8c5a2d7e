"""Where people can be reached, and events that count once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from office import contacts
from office.contacts import Channel
from office.errors import NotFound
from office.store import Store
from tests.make import Cast


async def test_the_same_number_on_two_channels_is_two_contacts(store: Store, now: datetime) -> None:
    async with store.transaction() as session:
        chat = await contacts.seen(session, Channel.TELEGRAM, "5001", now=now)
        web = await contacts.seen(session, Channel.WEB, "5001", now=now)
        assert chat.id != web.id
        assert await contacts.find(session, Channel.PHONE, "5001") is None


async def test_a_contact_seen_again_is_the_same_one(store: Store, cast: Cast, now: datetime) -> None:
    later = now + timedelta(minutes=3)
    async with store.transaction() as session:
        again = await contacts.seen(session, Channel.TELEGRAM, "5001", now=later)
    assert again.id == cast.zhang_min.id
    assert (again.first_seen_at, again.last_seen_at) == (now, later)


async def test_two_first_messages_at_once_make_one_contact(store: Store, now: datetime) -> None:
    async def write() -> int:
        async with store.transaction() as session:
            return (await contacts.seen(session, Channel.TELEGRAM, "5009", now=now)).id

    assert len(set(await asyncio.gather(write(), write(), write()))) == 1


async def test_an_event_counts_once_per_channel(store: Store, now: datetime) -> None:
    async def first(channel: Channel) -> bool:
        async with store.transaction() as session:
            return await contacts.first_time(session, channel, "update:77", now=now)

    assert sorted(await asyncio.gather(*(first(Channel.TELEGRAM) for _ in range(3)))) == [False, False, True]
    assert await first(Channel.WEB) is True


async def test_an_event_whose_work_was_rolled_back_counts_again(store: Store, now: datetime) -> None:
    async def failing() -> None:
        async with store.transaction() as session:
            await contacts.first_time(session, Channel.WEB, "m1", now=now)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await failing()
    async with store.transaction() as session:
        assert await contacts.first_time(session, Channel.WEB, "m1", now=now) is True


async def test_an_unknown_contact_is_not_found(store: Store) -> None:
    async with store.reading() as session:
        with pytest.raises(NotFound, match="contact_unknown"):
            await contacts.get(session, 404)
