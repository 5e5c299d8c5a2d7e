"""What is left alone when a place asks for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from office import contacts, outbox
from office.contacts import Channel, Contact
from office.outbox import Delivery, Priority, Undeliverable
from office.store import Store


async def test_who_asks_us_to_wait_is_told_nothing_else_meanwhile_even_by_another_worker(
    store: Store, now: datetime
) -> None:
    """The pacing knows it as well, but its memory may be gone with the process that was told."""

    async def put(contact: Contact, key: str, later: float = 0) -> None:
        due_at = now + timedelta(seconds=later)
        await outbox.put(
            session, contact, "reply", {}, key=key, subject="contact:1", now=now, due_at=due_at,
            priority=Priority.BROADCAST if key == "tip" else Priority.ANSWER,
        )  # fmt: skip

    async with store.transaction() as session:
        busy = await contacts.seen(session, Channel.TELEGRAM, "-1", now=now)
        other = await contacts.seen(session, Channel.TELEGRAM, "-2", now=now)
        await put(busy, "first")
        claimed = await outbox.claim(session, [Channel.TELEGRAM], limit=9, now=now)
        for key in ("second", "tip"):
            await put(busy, key)
        await put(busy, "tomorrow", 86_400)
        await put(other, "other")
        error = Undeliverable("Too Many Requests", retry_after=7)
        await outbox.failed(session, claimed[0][0].id, error, now=now)
    async with store.reading() as session:
        rows = {row.key: row for row in await session.scalars(select(Delivery))}
    waits = {key: (row.due_at - now).total_seconds() for key, row in rows.items()}
    assert waits == {"first": 7, "second": 7, "tip": 7, "tomorrow": 86_400, "other": 0}
    # Written on each, so that whoever puts the place in order lets all of them go.
    assert {key for key, row in rows.items() if row.last_error} == {"first", "second", "tip"}
