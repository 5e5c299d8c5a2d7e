"""Broadcasts under way: whatever happens, in whichever order, all of their messages are accounted for."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from datetime import datetime

import pytest
from sqlalchemy import update

from office import outbox
from office.broadcasts import Broadcast, BroadcastState
from office.errors import Conflict
from office.outbox import LEASE, Delivery
from office.store import Store
from tests.make import Cast
from tests.office.test_broadcasts import (
    SECOND,
    SOON,
    D,
    act,
    begin,
    claim,
    failed,
    groups,
    progress,
    sent,
    states,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
async def test_the_sum_is_right_after_every_step(store: Store, cast: Cast, now: datetime, seed: int) -> None:
    chosen = random.Random(seed)
    to = await groups(store, 25, now)
    rows = [await begin(store, tip, to, cast, now) for tip in (1, 2)]
    for _ in range(20):
        now += chosen.choice((SECOND, SOON, 2 * LEASE))
        batch = await claim(store, now, chosen.randint(1, 4))
        for one in batch:
            match chosen.randrange(6):
                case 0:
                    continue  # a dead worker
                case 1:
                    await failed(store, one, now, permanent=True)
                case 2:
                    await failed(store, one, now, uncertain=True)
                case _:
                    await sent(store, now, one)
        row = chosen.choice(rows)
        with suppress(Conflict):
            await act(store, row, chosen.choice(("pause", "resume")), cast.wang_fang, now)
        for row in rows:
            assert (await progress(store, row)).total == 25
            async with store.reading() as session:
                state = (await session.get_one(Broadcast, row.id)).state
            if state is not BroadcastState.RUNNING:
                assert D.DUE not in await states(store, row)
    await act(store, rows[0], "stop", cast.wang_fang, now)
    while batch := await claim(store, now := now + 2 * LEASE):
        await sent(store, now, *batch)
    found = await progress(store, rows[0])
    assert (found.pending, found.stopped > 0) == (0, True)


@pytest.mark.parametrize("what", ["pause", "stop"])
async def test_a_halt_while_failures_are_recorded_leaves_nothing_due(
    store: Store, cast: Cast, now: datetime, what: str
) -> None:
    """Whichever comes first, worker or officer: a failed message must not stay due in a halted broadcast."""
    to = await groups(store, 24, now)
    for round_ in range(4):
        row = await begin(store, round_, to, cast, now)
        batch = await claim(store, now, 16)
        await asyncio.gather(
            *(failed(store, one, now) for one in batch[:6]),
            act(store, row, what, cast.wang_fang, now),
            *(put_back(store, one, now) for one in batch[6:10]),
            *(sent(store, now, one) for one in batch[10:]),
            claim(store, now, 3),
        )
        found = await states(store, row)
        assert D.DUE not in found
        assert found[D.SENT] == 6
        assert (await progress(store, row)).total == 24
        async with store.transaction() as session:
            await session.execute(
                update(Delivery).where(Delivery.broadcast_id == row.id).values(state=D.STOPPED)
            )


async def put_back(store: Store, row: Delivery, now: datetime) -> None:
    async with store.transaction() as session:
        await outbox.put_back(session, [row], due_at=now)
