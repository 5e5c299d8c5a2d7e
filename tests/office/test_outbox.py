"""The post room: each message once per key, claimed by one worker, never lost, always counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import contacts, outbox
from office.contacts import Channel, Contact, ContactState
from office.outbox import LEASE, MOST_ATTEMPTS, Delivery, DeliveryState, Priority, Undeliverable, pause
from office.store import Store
from tests.make import Cast

D = DeliveryState


async def put(store: Store, contact: Contact, number: int, now: datetime, **more: object) -> bool:
    async with store.transaction() as session:
        return await outbox.put(
            session, contact, "answer", {"no": number}, key=f"ticket:{number}:1:{contact.id}",
            subject=f"ticket:{number}", now=now, **more,  # type: ignore[arg-type]
        )  # fmt: skip


async def claim(store: Store, now: datetime, limit: int = 30) -> list[Delivery]:
    async with store.transaction() as session:
        rows = await outbox.claim(session, [Channel.TELEGRAM], limit=limit, now=now)
    return [delivery for delivery, _ in rows]


async def fail(store: Store, delivery: Delivery, error: Undeliverable, now: datetime) -> None:
    async with store.transaction() as session:
        await outbox.failed(session, delivery.id, error, now=now)


async def states(store: Store) -> Counter[DeliveryState]:
    async with store.reading() as session:
        return Counter((await session.scalars(select(Delivery.state))).all())


async def only(store: Store) -> Delivery:
    async with store.reading() as session:
        return (await session.scalars(select(Delivery))).one()


async def contact_of(session: AsyncSession, cast: Cast) -> Contact:
    return await contacts.get(session, cast.zhang_min.id)


async def test_the_same_message_to_the_same_contact_is_laid_down_once(
    store: Store, cast: Cast, now: datetime
) -> None:
    assert await put(store, cast.zhang_min, 1, now) is True
    assert await put(store, cast.zhang_min, 1, now) is False
    assert await put(store, cast.zhang_min, 2, now) is True
    assert await states(store) == {D.DUE: 2}


async def test_a_message_rolled_back_with_its_cause_is_never_sent(
    store: Store, cast: Cast, now: datetime
) -> None:
    async def failing() -> None:
        async with store.transaction() as session:
            await outbox.put(session, cast.zhang_min, "answer", {}, key="k", subject="ticket:1", now=now)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await failing()
    assert await claim(store, now) == []


async def test_two_workers_claim_different_messages(store: Store, cast: Cast, now: datetime) -> None:
    for number in range(12):
        await put(store, cast.zhang_min, number, now)

    first, second = await asyncio.gather(claim(store, now, 8), claim(store, now, 8))

    taken = [delivery.id for delivery in first + second]
    assert len(taken) == len(set(taken))
    rest = await claim(store, now, 30)
    assert len(taken) + len(rest) == 12
    assert await claim(store, now, 30) == []


async def test_what_a_dead_worker_held_comes_back_when_its_lease_is_over(
    store: Store, cast: Cast, now: datetime
) -> None:
    await put(store, cast.zhang_min, 1, now)
    await claim(store, now)
    assert await claim(store, now + LEASE) == []
    (again,) = await claim(store, now + LEASE + timedelta(seconds=1))
    assert again.attempts == 2


async def test_answers_go_before_notices_and_only_when_due(store: Store, cast: Cast, now: datetime) -> None:
    await put(store, cast.zhang_min, 1, now, priority=Priority.BROADCAST)
    await put(store, cast.zhang_min, 2, now, priority=Priority.NOTICE)
    await put(store, cast.zhang_min, 3, now)
    await put(store, cast.zhang_min, 4, now, due_at=now + timedelta(seconds=50))
    assert [d.facts["no"] for d in await claim(store, now)] == [3, 2, 1]
    assert [d.facts["no"] for d in await claim(store, now + timedelta(seconds=50), 1)] == [4]


async def test_a_worker_claims_for_its_own_channels_only(store: Store, cast: Cast, now: datetime) -> None:
    await put(store, cast.zhang_min, 1, now)
    async with store.transaction() as session:
        assert await outbox.claim(session, [Channel.WEB], limit=10, now=now) == []


async def test_what_was_sent_is_not_sent_again(store: Store, cast: Cast, now: datetime) -> None:
    await put(store, cast.zhang_min, 1, now)
    (delivery,) = await claim(store, now)
    async with store.transaction() as session:
        await outbox.sent(session, delivery.id, now=now)
    # A slower worker, whose lease had run out, reports its failure afterwards.
    await fail(store, delivery, Undeliverable("timeout"), now)
    row = await only(store)
    assert (row.state, row.sent_at, row.claimed_until) == (D.SENT, now, None)
    assert await claim(store, now + timedelta(days=1)) == []


async def test_the_channel_s_own_waiting_time_is_kept_to_the_second(
    store: Store, cast: Cast, now: datetime
) -> None:
    await put(store, cast.zhang_min, 1, now)
    (delivery,) = await claim(store, now)
    await fail(store, delivery, Undeliverable("Too Many Requests", retry_after=37), now)
    assert (await only(store)).due_at == now + timedelta(seconds=37)
    assert await claim(store, now + timedelta(seconds=36)) == []
    assert len(await claim(store, now + timedelta(seconds=37))) == 1


def test_pauses_grow_to_ten_minutes_and_stay_there() -> None:
    seconds = [pause(attempts, None).total_seconds() for attempts in range(1, MOST_ATTEMPTS)]
    assert seconds == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
    assert pause(9, 1.5) == timedelta(seconds=1.5)


async def test_a_contact_that_blocked_us_is_lost_until_it_writes_again(
    store: Store, cast: Cast, now: datetime
) -> None:
    await put(store, cast.zhang_min, 1, now)
    (delivery,) = await claim(store, now)
    await fail(store, delivery, Undeliverable("bot was blocked", permanent=True), now)
    async with store.transaction() as session:
        assert (await contact_of(session, cast)).state is ContactState.LOST
        await contacts.seen(session, Channel.TELEGRAM, "5001", now=now)
        assert (await contact_of(session, cast)).state is ContactState.ACTIVE
    row = await only(store)
    assert (row.state, row.last_error) == (D.FAILED, "bot was blocked")


async def test_a_moved_chat_gets_its_message_at_the_new_address(
    store: Store, cast: Cast, now: datetime
) -> None:
    await put(store, cast.zhang_min, 1, now)
    (delivery,) = await claim(store, now)
    await fail(store, delivery, Undeliverable("migrated", permanent=True, moved_to="-1005001"), now)
    async with store.transaction() as session:
        ((again, contact),) = await outbox.claim(session, [Channel.TELEGRAM], limit=9, now=now)
    assert (again.id, contact.id, contact.address) == (delivery.id, cast.zhang_min.id, "-1005001")


async def test_a_chat_that_moved_to_a_known_address_is_served_there(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        known = await contacts.seen(session, Channel.TELEGRAM, "-1005001", now=now)
    await put(store, cast.zhang_min, 1, now)
    (delivery,) = await claim(store, now)
    await fail(store, delivery, Undeliverable("migrated", moved_to="-1005001"), now)
    async with store.transaction() as session:
        ((_, contact),) = await outbox.claim(session, [Channel.TELEGRAM], limit=9, now=now)
        assert contact.id == known.id
        assert (await contact_of(session, cast)).state is ContactState.LOST


@pytest.mark.parametrize("moved_to", [None, "-1005001"])
async def test_after_the_last_attempt_a_message_is_given_up(
    store: Store, cast: Cast, now: datetime, moved_to: str | None
) -> None:
    await put(store, cast.zhang_min, 1, now)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        now += timedelta(minutes=10)
        (delivery,) = await claim(store, now)
        assert delivery.attempts == attempt
        await fail(store, delivery, Undeliverable("bad gateway", moved_to=moved_to), now)
    assert await states(store) == {D.FAILED: 1}
    assert await claim(store, now + timedelta(days=1)) == []


async def test_a_silenced_contact_s_messages_wait_for_it(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        contact = await contact_of(session, cast)
        contact.state = ContactState.SILENCED
    await put(store, contact, 1, now)
    assert await states(store) == {D.PARKED: 1}
    assert await claim(store, now) == []
    async with store.transaction() as session:
        assert await outbox.unpark(session, contact, now=now) == 1
        assert await outbox.unpark(session, contact, now=now) == 0
    assert len(await claim(store, now)) == 1


async def test_what_takes_a_message_away_does_not_wait_for_a_silenced_contact(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        contact = await session.get_one(Contact, cast.zhang_min.id)
        contact.state = ContactState.SILENCED
        await outbox.put(
            session, contact, "take_away", {"message": 7}, key="away", subject="contact:1", now=now,
            though_silenced=True,
        )  # fmt: skip
        ((delivery, _),) = await outbox.claim(session, [Channel.TELEGRAM], limit=9, now=now)
    assert delivery.facts == {"message": 7}


async def test_every_message_is_sent_failed_or_pending_at_every_moment(
    store: Store, cast: Cast, now: datetime
) -> None:
    total = 6
    for number in range(total):
        await put(store, cast.zhang_min, number, now)

    async def counted() -> tuple[int, int, int]:
        found = await states(store)
        pending = found[D.DUE] + found[D.CLAIMED] + found[D.PARKED]
        assert found[D.SENT] + found[D.FAILED] + pending == total
        return found[D.SENT], found[D.FAILED], pending

    assert await counted() == (0, 0, 6)
    claimed = await claim(store, now)
    assert await counted() == (0, 0, 6)
    async with store.transaction() as session:
        await outbox.sent(session, claimed[0].id, now=now)
    await fail(store, claimed[1], Undeliverable("blocked", permanent=True), now)
    await fail(store, claimed[2], Undeliverable("busy", retry_after=5), now)
    assert await counted() == (1, 1, 4)
    for delivery in await claim(store, now + timedelta(hours=1)):
        async with store.transaction() as session:
            await outbox.sent(session, delivery.id, now=now)
    assert await counted() == (5, 1, 0)


async def test_a_subject_shows_its_deliveries_oldest_first(store: Store, cast: Cast, now: datetime) -> None:
    await put(store, cast.zhang_min, 7, now)
    async with store.reading() as session:
        assert [row.kind for row in await outbox.about(session, "ticket:7")] == ["answer"]
        assert await outbox.about(session, "ticket:70") == []


async def test_a_waiting_worker_is_woken_by_the_commit(store: Store, cast: Cast, now: datetime) -> None:
    with store.wakeups.listening(outbox.DUE_TOPIC) as bell:
        async with store.transaction() as session:
            await outbox.put(session, cast.zhang_min, "answer", {}, key="k", subject="ticket:1", now=now)
            assert not bell.is_set()
        assert bell.is_set()


async def test_a_message_to_many_is_one_for_each_and_comes_one_after_another(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        for number in range(60):
            person = await contacts.seen(session, Channel.TELEGRAM, str(7000 + number), now=now)
            person.state = ContactState.SILENCED if number == 0 else ContactState.ACTIVE
    everybody = select(Contact.id).where(Contact.address.startswith("70"))

    async def put_many(key: str) -> int:
        async with store.transaction() as session:
            return await outbox.put_many(
                session, everybody, "calendar_moved", {"moves": [1]}, key=key, subject="change:1", now=now,
                spread=timedelta(minutes=10),
            )  # fmt: skip

    assert await put_many("calendar:1") == 59  # not to whoever is silenced
    assert await put_many("calendar:1") == 0
    assert await put_many("calendar:2") == 59
    async with store.reading() as session:
        rows = list(await session.scalars(select(Delivery).where(Delivery.key.startswith("calendar:1:"))))
    assert {row.key for row in rows} == {f"calendar:1:{row.contact_id}" for row in rows}
    assert {(row.state, row.priority, row.attempts) for row in rows} == {(D.DUE, Priority.BROADCAST, 0)}
    assert all(row.facts == {"moves": [1]} and row.created_at == now for row in rows)
    due = Counter(row.due_at for row in rows)
    assert min(due) == now
    assert now + timedelta(minutes=9) < max(due) < now + timedelta(minutes=10)
    assert max(due.values()) <= 3
