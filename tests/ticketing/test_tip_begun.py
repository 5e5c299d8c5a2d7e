"""A work tip is begun from a ticket once, whoever presses and however many at the same moment."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from office.errors import NotPermitted
from office.staff import Staff
from office.store import Store
from tests.make import Cast
from tests.ticketing.tip_world import drafted
from tests.ticketing.work import answered
from ticketing import tip_begun
from ticketing.records import Ticket


async def begun(
    store: Store, ticket: Ticket, actor: Staff, now: datetime, *, another: bool = False
) -> tuple[int, bool]:
    """The number of the draft, and whether it is new."""
    async with store.transaction() as session:
        row = await session.get_one(Ticket, ticket.id)
        made, new = await tip_begun.begin(session, row, actor=actor, now=now, another=another)
        return made.id, new


async def test_two_who_press_at_the_same_moment_begin_one_draft(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now)
    ended = await asyncio.gather(
        *(begun(store, ticket, person, now) for person in (cast.li_qiang, cast.wang_fang))
    )
    assert len({number for number, _ in ended}) == 1
    assert sorted(new for _, new in ended) == [False, True]


async def test_the_last_of_several_drafts_is_the_one_that_is_opened(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now)
    other = await drafted(store, cast, now, sources={"tickets": [ticket.id + 70], "cluster": ticket.id})
    first = await begun(store, ticket, cast.li_qiang, now)
    second = await begun(store, ticket, cast.wang_fang, now, another=True)
    assert (first, second) == ((other.id + 1, True), (other.id + 2, True))
    assert await begun(store, ticket, cast.li_qiang, now) == (other.id + 2, False)


async def test_whoever_cannot_see_the_ticket_is_not_led_to_its_draft(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now)
    await begun(store, ticket, cast.li_qiang, now)
    with pytest.raises(NotPermitted):
        await begun(store, ticket, cast.zhao_lei, now)
