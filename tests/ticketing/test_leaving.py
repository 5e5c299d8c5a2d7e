"""Somebody is stopped or leaves: account, sign-ins, chats, tickets, changes of shifts end in one act."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from office import notices, signin
from office.bindings import BindingState, StaffBinding
from office.errors import Conflict, NotPermitted
from office.staff import Staff
from office.store import Store
from tests.make import Cast
from tests.ticketing import work
from tests.ticketing.shifts import SATURDAY, shift
from ticketing import duty, leaving, swaps
from ticketing.records import TicketState
from ticketing.swaps import SwapState


async def around(store: Store, cast: Cast, now: datetime) -> int:
    """李强 is signed in, has a chat, a shift on Saturday, and asks for a change; returns the wish."""
    row = await shift(store, cast, SATURDAY, "09:00-12:00")
    async with store.transaction() as session:
        await signin._sign_in(session, cast.li_qiang, device="Test", now=now)
        session.add(
            StaffBinding(
                state=BindingState.BOUND, staff_id=cast.li_qiang.id, contact_id=cast.zhang_min.id,
                token_digest="0" * 64, invited_by_id=cast.zhou_ning.id, invited_at=now, expires_at=now,
                bound_at=now,
            )
        )  # fmt: skip
        found = await swaps.ask(
            session, await duty.get(session, row.id), cast.wang_fang, actor=cast.li_qiang, now=now
        )
    return found.id


@pytest.mark.parametrize("act", [leaving.suspend, leaving.deactivate])
async def test_everything_ends_in_one_act(
    store: Store, cast: Cast, now: datetime, act: Callable[..., Any]
) -> None:
    working = await work.taken(store, cast, now)
    review = await work.proposed(store, cast, now, words="另一个问题怎么办？")
    wish = await around(store, cast, now)
    async with store.transaction() as session:
        person = await session.get_one(Staff, cast.li_qiang.id)
        left = await act(session, person, actor=cast.zhou_ning, now=now)
    assert (left.tickets, left.chats, left.shifts) == (2, 1, 1)
    assert not person.active
    found = await work.read(store, working)
    assert (found.state, found.assignee_id, found.first_taker_id) == (
        TicketState.UNASSIGNED,
        None,
        cast.li_qiang.id,
    )
    waiting = await work.read(store, review)
    assert (waiting.state, waiting.assignee_id, waiting.author_id) == (
        TicketState.IN_REVIEW,
        None,
        cast.li_qiang.id,
    )
    async with store.reading() as session:
        ended = select(func.count()).select_from(signin.SignIn).where(signin.SignIn.ended_at.is_(None))
        assert await session.scalar(ended) == 0
        assert await session.scalar(select(StaffBinding.state)) is BindingState.ENDED
        assert (await swaps.get(session, wish)).state is SwapState.WITHDRAWN
        told = (await notices.listed(session, cast.wang_fang.id))[0]
    assert told.facts == {"who": "李*", "tickets": 2, "shifts": 1}


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_it_needs_the_permission_and_nobody_stops_themselves(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await work.taken(store, cast, now)

    async def stop(who: Staff, actor: Staff) -> None:
        async with store.transaction() as session:
            await leaving.suspend(session, await session.get_one(Staff, who.id), actor=actor, now=now)

    for actor in (cast.wang_fang, cast.zhao_lei, cast.li_qiang):
        with pytest.raises(NotPermitted):
            await stop(cast.li_qiang, actor)
    with pytest.raises(Conflict, match="not_yourself"):
        await stop(cast.zhou_ning, cast.zhou_ning)
    assert (await work.read(store, ticket)).assignee_id == cast.li_qiang.id
