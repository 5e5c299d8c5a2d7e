"""Links to the secure page: one use, ten minutes, and nothing but digests is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from knowledge.roll import links
from knowledge.roll.records import LookupLink
from office.contacts import Channel
from office.errors import NotFound
from office.store import Store
from tests.make import Cast

MINUTE = timedelta(minutes=1)


class Desk:
    """Each step in a transaction of its own, as an edge has them."""

    def __init__(self, store: Store, cast: Cast, now: datetime) -> None:
        self.store, self.cast, self.now = store, cast, now

    async def do(self, step: Callable[..., Awaitable[Any]], *values: Any, **more: Any) -> Any:
        async with self.store.transaction() as session:
            return await step(session, *values, **more)

    async def link(self) -> str:
        return await self.do(links.make, Channel.TELEGRAM, self.cast.zhang_min, self.now)

    async def rows(self) -> int:
        async with self.store.reading() as session:
            return await session.scalar(select(func.count()).select_from(LookupLink)) or 0


@pytest.fixture
def desk(store: Store, cast: Cast, now: datetime) -> Desk:
    return Desk(store, cast, now)


async def test_a_link_becomes_a_pass_and_the_pass_one_lookup(desk: Desk):
    passing = await desk.do(links.open, await desk.link(), desk.now)
    found = await desk.do(links.passed, passing, desk.now + 9 * MINUTE)
    assert (found.contact_id, found.channel) == (desk.cast.zhang_min.id, Channel.TELEGRAM)
    await desk.do(links.done, passing)
    with pytest.raises(NotFound):
        await desk.do(links.done, passing)
    with pytest.raises(NotFound, match=r"lookup\.link_over"):
        await desk.do(links.passed, passing, desk.now)


async def test_a_link_opens_once_however_many_try_at_the_same_time(desk: Desk):
    token = await desk.link()
    tries = [desk.do(links.open, token, desk.now) for _ in range(8)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, str) for one in found) == 1
    assert sum(isinstance(one, NotFound) for one in found) == 7


async def test_a_link_and_its_pass_last_ten_minutes_each(desk: Desk):
    token = await desk.link()
    with pytest.raises(NotFound):
        await desk.do(links.open, token, desk.now + 10 * MINUTE)
    at = desk.now + 10 * MINUTE - timedelta(seconds=1)
    passing = await desk.do(links.open, token, at)
    await desk.do(links.passed, passing, at + 9 * MINUTE)
    with pytest.raises(NotFound):
        await desk.do(links.passed, passing, at + 10 * MINUTE)


@pytest.mark.parametrize("token", ["", "x", "a" * 32, "'; --", "选民"])
async def test_what_is_no_link_opens_nothing(desk: Desk, token: str):
    for step in (links.open, links.passed):
        with pytest.raises(NotFound):
            await desk.do(step, token, desk.now)
    with pytest.raises(NotFound):
        await desk.do(links.done, token)


async def test_a_link_is_no_pass_and_a_pass_no_link(desk: Desk):
    token = await desk.link()
    with pytest.raises(NotFound):
        await desk.do(links.passed, token, desk.now)
    with pytest.raises(NotFound):
        await desk.do(links.done, token)
    passing = await desk.do(links.open, token, desk.now)
    with pytest.raises(NotFound):
        await desk.do(links.open, passing, desk.now)
    with pytest.raises(NotFound):
        await desk.do(links.passed, token, desk.now)


async def test_a_visitor_without_a_contact_gets_a_link_as_well(desk: Desk):
    token = await desk.do(links.make, Channel.WEB, None, desk.now)
    passing = await desk.do(links.open, token, desk.now)
    assert (await desk.do(links.passed, passing, desk.now)).contact_id is None


async def test_no_token_is_kept(desk: Desk):
    token = await desk.link()
    async with desk.store.reading() as session:
        row = (await session.scalars(select(LookupLink))).one()
    assert token not in str(vars(row))


async def test_links_are_forgotten_a_day_after_they_end(desk: Desk):
    await desk.link()
    ends = desk.now + links.LASTS
    await desk.do(links.forget_old, now=ends + timedelta(hours=23, minutes=59))
    assert await desk.rows() == 1
    await desk.do(links.forget_old, now=ends + timedelta(days=1))
    assert await desk.rows() == 0


async def test_a_contact_that_asks_to_be_forgotten_takes_its_links_along(desk: Desk):
    await desk.link()
    await desk.do(links.make, Channel.WEB, None, desk.now)
    await desk.do(links.forget_contact, desk.cast.zhang_min.id)
    assert await desk.rows() == 1
