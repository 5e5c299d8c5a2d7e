"""Broadcasts: side by side, paused, resumed, stopped; their sum is right at every moment."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from office import audit, broadcasts, contacts, outbox
from office.broadcasts import Broadcast, BroadcastState, Message, Progress
from office.contacts import Channel, Contact, ContactKind, ContactState
from office.errors import Conflict, NotPermitted
from office.outbox import LEASE, Delivery, DeliveryState, Priority, Undeliverable
from office.staff import Staff
from office.store import Store
from tests.make import Cast

D = DeliveryState
SECOND = timedelta(seconds=1)
SOON = 10 * SECOND


async def groups(store: Store, number: int, now: datetime, *, first: int = 0) -> list[int]:
    async with store.transaction() as session:
        rows = [
            await contacts.seen(
                session, Channel.TELEGRAM, str(-1001000 - first - one), kind=ContactKind.GROUP, now=now
            )
            for one in range(number)
        ]
    return [row.id for row in rows]


async def begin(
    store: Store, tip: int, to: list[int], cast: Cast, now: datetime, **when: timedelta
) -> Broadcast:
    async with store.transaction() as session:
        starts_at = now + when.get("after", timedelta(0))
        row = await broadcasts.begin(
            session, f"tip:{tip}", actor=cast.wang_fang, starts_at=starts_at, now=now
        )
        messages = [Message(number, {"tip": tip}) for number in to]
        laid = await broadcasts.lay(
            session, row, messages, "tip", key=f"tip:{tip}", now=now, spread=when.get("spread", timedelta(0))
        )
        assert laid == len(to)
    return row


async def claim(store: Store, now: datetime, limit: int = 30) -> list[Delivery]:
    async with store.transaction() as session:
        return [row for row, _ in await outbox.claim(session, [Channel.TELEGRAM], limit=limit, now=now)]


async def sent(store: Store, now: datetime, *rows: Delivery) -> None:
    async with store.transaction() as session:
        await outbox.sent(session, *(row.id for row in rows), now=now)


async def failed(store: Store, row: Delivery, now: datetime, **how: bool) -> None:
    async with store.transaction() as session:
        await outbox.failed(session, row.id, Undeliverable("bad gateway", **how), now=now)  # type: ignore[arg-type]


async def act(store: Store, row: Broadcast, what: str, actor: Staff, now: datetime) -> None:
    async with store.transaction() as session:
        fresh = await session.get_one(Broadcast, row.id)
        do = {"pause": broadcasts.pause, "resume": broadcasts.resume, "stop": broadcasts.stop}[what]
        await do(session, fresh, seen=fresh.version, actor=actor, now=now)


async def progress(store: Store, row: Broadcast, now: datetime | None = None) -> Progress:
    async with store.reading() as session:
        found = await broadcasts.progress(session, row.id, now=now)
    assert found.total == found.sent + found.failed + found.pending + found.stopped
    return found


async def states(store: Store, row: Broadcast) -> Counter[DeliveryState]:
    async with store.reading() as session:
        mine = select(Delivery.state).where(Delivery.broadcast_id == row.id)
        return Counter((await session.scalars(mine)).all())


async def test_each_contact_once_parked_if_silenced_and_said_how_far(
    store: Store, cast: Cast, now: datetime
) -> None:
    to = await groups(store, 5, now)
    async with store.transaction() as session:
        (await session.get_one(Contact, to[4])).state = ContactState.SILENCED
    row = await begin(store, 1, to, cast, now)
    async with store.transaction() as session:
        row = await session.get_one(Broadcast, row.id)
        again = [Message(number) for number in [*to, 999_999]]  # the last one is gone
        assert await broadcasts.lay(session, row, again, "tip", key="tip:1", now=now) == 0
        assert [one.id for one in await broadcasts.of(session, "tip:1")] == [row.id]
        assert (await broadcasts.progress(session, 999_999)).total == 0
    assert await states(store, row) == {D.DUE: 4, D.PARKED: 1}

    first, second, third, fourth = await claim(store, now)
    assert [one.contact_id for one in (first, second, third, fourth)] == to[:4]
    assert (first.facts, first.subject, first.priority) == ({"tip": 1}, "tip:1", Priority.BROADCAST)
    await sent(store, now, first)
    await sent(store, now + 50 * SECOND, second)
    await failed(store, third, now, permanent=True)
    await failed(store, fourth, now, uncertain=True)

    assert await progress(store, row, now + 70 * SECOND) == Progress(5, 2, 1, 2, 0, 1, 1)
    assert (await progress(store, row)).per_minute == 2  # of the minute before the last one
    async with store.reading() as session:
        (line,), _ = await audit.listed(session, subject=f"broadcast:{row.id}")
    assert (line.action, line.actor_name, line.facts) == ("broadcast.begin", "王芳", {"about": "tip:1"})


async def test_two_broadcasts_take_turns_however_long_the_first_one_is(
    store: Store, cast: Cast, now: datetime
) -> None:
    to = await groups(store, 40, now)
    await begin(store, 1, to, cast, now)
    await sent(store, now, *await claim(store, now, 10))
    await begin(store, 2, to[:8], cast, now)
    taken = [row.facts["tip"] for row in await claim(store, now, 20)]
    assert Counter(taken[:16]) == {1: 8, 2: 8}
    # Never more than one of a kind ahead.
    for seen in itertools.accumulate(1 if tip == 1 else -1 for tip in taken[:16]):
        assert abs(seen) <= 1
    assert Counter(taken[16:]) == {1: 4}


async def test_an_old_failure_and_a_later_start_give_no_broadcast_the_way(
    store: Store, cast: Cast, now: datetime
) -> None:
    to = await groups(store, 20, now)
    await begin(store, 9, to, cast, now, after=timedelta(hours=1))
    await begin(store, 1, to, cast, now)
    first, *others = await claim(store, now, 10)
    await failed(store, first, now)
    await sent(store, now, *others)
    later = now + SOON  # the failed one is due again
    await begin(store, 2, to, cast, later)
    taken = [row.facts["tip"] for row in await claim(store, later, 11)]
    assert Counter(taken) == {1: 6, 2: 5}


async def test_what_is_told_to_everybody_takes_turns_with_a_broadcast(
    store: Store, cast: Cast, now: datetime
) -> None:
    to = await groups(store, 30, now)
    everybody = select(Contact.id).where(Contact.kind == ContactKind.GROUP)
    async with store.transaction() as session:
        await outbox.put_many(
            session, everybody, "moved", {"tip": 0}, key="moved", subject="change:1", now=now,
            spread=timedelta(0),
        )  # fmt: skip
    await begin(store, 1, to, cast, now)
    assert Counter(row.facts["tip"] for row in await claim(store, now, 20)) == {0: 10, 1: 10}


async def test_an_answer_goes_before_all_broadcasts(store: Store, cast: Cast, now: datetime) -> None:
    await begin(store, 1, await groups(store, 10, now), cast, now)
    async with store.transaction() as session:
        await outbox.put(session, cast.zhang_min, "answer", {}, key="a", subject="ticket:1", now=now)
        for lane in (outbox.URGENT, (Priority.BROADCAST,)):
            rows = await outbox.claim(session, [Channel.TELEGRAM], limit=5, now=now, priorities=lane)
            assert {row.kind for row, _ in rows} == ({"answer"} if lane is outbox.URGENT else {"tip"})


async def test_a_pause_holds_a_resume_sends_on_a_stop_ends_it(
    store: Store, cast: Cast, now: datetime
) -> None:
    to = await groups(store, 10, now)
    async with store.transaction() as session:
        silenced = await session.get_one(Contact, to[9])
        silenced.state = ContactState.SILENCED
    row = await begin(store, 1, to, cast, now)
    first, second, third = await claim(store, now, 3)
    await act(store, row, "pause", cast.wang_fang, now)
    assert await states(store, row) == {D.CLAIMED: 3, D.HELD: 6, D.PARKED: 1}
    # What was on its way arrives, or waits like the rest; so does what is laid or fetched meanwhile.
    await sent(store, now, first)
    await failed(store, second, now)
    async with store.transaction() as session:
        await outbox.put_back(session, [third], due_at=now)
        assert await outbox.unpark(session, silenced, now=now) == 1
        fresh = await session.get_one(Broadcast, row.id)
        more = [Message((await contacts.seen(session, Channel.TELEGRAM, "-77", now=now)).id)]
        assert await broadcasts.lay(session, fresh, more, "tip", key="tip:1", now=now) == 1
    assert await states(store, row) == {D.SENT: 1, D.HELD: 10}
    assert await claim(store, now + SOON) == []
    assert (await progress(store, row)).pending == 10

    await act(store, row, "resume", cast.wang_fang, now)
    assert len(await claim(store, now + SOON, 4)) == 4
    await act(store, row, "stop", cast.wang_fang, now)
    for held in await claimed(store):
        await failed(store, held, now)
    assert await states(store, row) == {D.SENT: 1, D.STOPPED: 10}
    assert await progress(store, row, now) == Progress(11, 1, 0, 0, 10, 0, 1)
    assert await claim(store, now + timedelta(days=1)) == []
    async with store.transaction() as session:
        fresh = await session.get_one(Broadcast, row.id)
        assert (fresh.state, fresh.halted_by_id, fresh.halted_at) == (
            BroadcastState.STOPPED, cast.wang_fang.id, now,
        )  # fmt: skip
        with pytest.raises(Conflict):
            await broadcasts.lay(session, fresh, [Message(to[0])], "tip", key="other", now=now)
        with pytest.raises(Conflict):
            await broadcasts.resume(session, fresh, seen=fresh.version, actor=cast.wang_fang, now=now)


async def claimed(store: Store) -> list[Delivery]:
    async with store.reading() as session:
        return list(await session.scalars(select(Delivery).where(Delivery.state == D.CLAIMED)))


async def test_a_resumed_broadcast_goes_on_beside_the_others_not_before_them(
    store: Store, cast: Cast, now: datetime
) -> None:
    to = await groups(store, 40, now)
    paused = await begin(store, 1, to, cast, now)
    await act(store, paused, "pause", cast.wang_fang, now)
    await begin(store, 2, to, cast, now)
    await sent(store, now, *await claim(store, now, 20))
    await act(store, paused, "resume", cast.wang_fang, now)
    assert Counter(row.facts["tip"] for row in await claim(store, now, 20)) == {1: 10, 2: 10}


async def test_who_may_not_or_looked_too_long_changes_nothing(
    store: Store, cast: Cast, now: datetime
) -> None:
    row = await begin(store, 1, await groups(store, 3, now), cast, now)

    async def halts(actor: Staff, seen: int) -> None:
        async with store.transaction() as session:
            fresh = await session.get_one(Broadcast, row.id)
            await broadcasts.stop(session, fresh, seen=seen, actor=actor, now=now)

    for actor, seen, error in (
        (cast.li_qiang, row.version, NotPermitted),
        (cast.sun_jie, row.version, NotPermitted),
        (cast.wang_fang, row.version + 1, Conflict),
    ):
        with pytest.raises(error):
            await halts(actor, seen)
    assert await states(store, row) == {D.DUE: 3}


async def test_a_dead_worker_s_messages_are_held_or_stopped_with_their_broadcast(
    store: Store, cast: Cast, now: datetime
) -> None:
    to = await groups(store, 6, now)
    going, paused, ended = [await begin(store, tip, to[:2], cast, now) for tip in (1, 2, 3)]
    assert len(await claim(store, now, 6)) == 6
    await act(store, paused, "pause", cast.wang_fang, now)
    await act(store, ended, "stop", cast.wang_fang, now)
    later = now + LEASE + SECOND
    assert [row.uncertain for row in await claim(store, later)] == [1, 1]
    assert [await states(store, row) for row in (going, paused, ended)] == [
        {D.CLAIMED: 2}, {D.HELD: 2}, {D.STOPPED: 2},
    ]  # fmt: skip
    # Each of them may have left, and shows it.
    assert [(await progress(store, row)).uncertain for row in (going, paused, ended)] == [2, 2, 2]
    assert await claim(store, later) == []


async def test_scheduled_for_the_full_hour_is_sent_some_minutes_aside(
    store: Store, cast: Cast, now: datetime
) -> None:
    """E30."""
    to = await groups(store, 30, now)
    nine = datetime.fromisoformat("2026-11-21T09:00:00+08:00")
    full = await begin(store, 1, to, cast, now, after=nine - now)
    quarter = await begin(store, 2, to, cast, now, after=nine - now + timedelta(minutes=15))
    across = await begin(
        store, 3, to, cast, now, after=nine - now + timedelta(minutes=20), spread=timedelta(minutes=30)
    )
    at_once = await begin(store, 4, to, cast, nine)

    async def due(row: Broadcast) -> list[timedelta]:
        async with store.reading() as session:
            mine = select(Delivery.due_at).where(Delivery.broadcast_id == row.id)
            return [at - nine for at in sorted(await session.scalars(mine))]

    times = await due(full)
    assert timedelta(minutes=1) <= times[0] < times[-1] <= timedelta(minutes=5)
    assert len(set(times)) > 20
    assert set(await due(quarter)) == {timedelta(minutes=15)}
    assert set(await due(at_once)) == {timedelta(0)}  # somebody waits for it
    times = await due(across)
    assert times[-1] - times[0] > timedelta(minutes=28)
    for moment in times:
        assert moment % timedelta(minutes=30) >= timedelta(minutes=1)
    assert await claim(store, nine - SECOND) == []
