"""The world of the channels: what every test of a contract begins with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from office import contacts, robots
from office.contacts import Channel
from office.store import Store
from tests.bot.channels.world import FORMS, SEALER, World
from tests.make import Cast, Clock
from tests.servers.robots import Platforms


@pytest.fixture
async def world(store: Store, cast: Cast, now: datetime) -> AsyncIterator[World]:
    tokens = {channel: form.token("invented-0001") for channel, form in FORMS.items()}
    secrets = {token: f"SECinvented{channel.value}" for channel, token in tokens.items()}
    async with Platforms(secrets, now=now.timestamp()) as platforms:
        made = World(store, Clock(now), platforms)
        async with store.transaction() as session:
            made.contacts[Channel.WEB] = await contacts.seen(session, Channel.WEB, "a digest", now=now)
            for channel, form in FORMS.items():
                token = tokens[channel]
                row = await robots.add(
                    session, cast.riverside, channel, "工作群", form.format(token), secrets[token],
                    sealer=SEALER, actor=cast.zhou_ning, now=now,
                )  # fmt: skip
                made.contacts[channel] = (await robots.get(session, row.id, actor=cast.zhou_ning)).contact
        yield made
        for bot in made.bots.values():
            await bot.session.close()
