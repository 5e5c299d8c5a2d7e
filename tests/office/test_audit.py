"""The chain of the audit: what it seals, what it notices, and that nobody can rewrite it in passing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import StrEnum, auto
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from office import audit
from office.audit import CLOCK, SYSTEM, Actor, ActorKind
from office.errors import Conflict
from office.store import Store
from tests.make import Cast, a_ticket
from ticketing.records import TRANSITIONS, TicketState

LI_QIANG = Actor(ActorKind.STAFF, 7, "李强", "console")
# What a tamperer might write into each column of the second entry.
FORGED = {
    "at": "2026-11-19 02:05:00.000000",
    "actor_kind": "clock",
    "actor_id": 8,
    "actor_name": "赵磊",
    "channel": "telegram",
    "action": "ticket.void",
    "subject": "ticket:9",
    "facts": '{"no": "DP-1120-09-A"}',
    "prev_hash": "1" * 64,
    "entry_hash": "2" * 64,
}


async def three_entries(store: Store, now: datetime) -> None:
    async with store.transaction() as session:
        await audit.record(session, "ticket.open", "ticket:1", actor=SYSTEM, now=now, no="DP-1120-01-A")
        await audit.record(session, "ticket.take", "ticket:1", actor=LI_QIANG, now=now, no="DP-1120-01-A")
        await audit.record(session, "ticket.close", "ticket:1", actor=CLOCK, now=now)


@asynccontextmanager
async def unguarded(store: Store) -> AsyncIterator[AsyncSession]:
    """A transaction of somebody who owns the database and has taken the triggers off."""
    async with store.transaction() as session:
        if store.sqlite:
            for act in ("update", "delete"):
                await session.execute(text(f"DROP TRIGGER audit_entry_no_{act}"))
        else:
            await session.execute(text("DROP TRIGGER audit_entry_append_only ON audit_entry"))
        yield session


async def verified(store: Store) -> tuple[int, audit.Fault | None]:
    async with store.reading() as session:
        return await audit.verify(session)


async def test_an_empty_chain_and_an_untouched_one_are_sound(store: Store, now: datetime) -> None:
    assert await verified(store) == (0, None)
    await three_entries(store, now)
    assert await verified(store) == (3, None)


@pytest.mark.parametrize("column", FORGED)
async def test_a_changed_column_is_found_in_its_row(store: Store, now: datetime, column: str) -> None:
    await three_entries(store, now)
    value: Any = FORGED[column]
    if column == "at" and not store.sqlite:
        value = now - timedelta(days=1)
    cast_to = "CAST(:value AS json)" if column == "facts" and not store.sqlite else ":value"
    async with unguarded(store) as session:
        await session.execute(
            text(f"UPDATE audit_entry SET {column} = {cast_to} WHERE id = 2"), {"value": value}
        )

    sound, fault = await verified(store)

    assert sound == 1
    assert fault is not None
    assert fault.entry_id == 2


async def test_a_changed_row_number_leaves_a_gap(store: Store, now: datetime) -> None:
    await three_entries(store, now)
    async with unguarded(store) as session:
        await session.execute(text("UPDATE audit_entry SET id = 5 WHERE id = 2"))
    assert await verified(store) == (1, audit.Fault(2, "missing"))


async def test_a_removed_entry_is_missed(store: Store, now: datetime) -> None:
    await three_entries(store, now)
    async with unguarded(store) as session:
        await session.execute(text("DELETE FROM audit_entry WHERE id = 2"))
    assert await verified(store) == (1, audit.Fault(2, "missing"))


async def test_two_entries_that_changed_places_are_noticed(store: Store, now: datetime) -> None:
    await three_entries(store, now)
    async with unguarded(store) as session:
        for old, new in ((2, 9), (3, 2), (9, 3)):
            await session.execute(
                text("UPDATE audit_entry SET id = :new WHERE id = :old"), {"old": old, "new": new}
            )
    sound, fault = await verified(store)
    assert (sound, fault and fault.entry_id) == (1, 2)


async def test_a_chain_cut_at_its_end_is_noticed(store: Store, now: datetime) -> None:
    await three_entries(store, now)
    async with unguarded(store) as session:
        await session.execute(text("DELETE FROM audit_entry WHERE id = 3"))
    assert await verified(store) == (2, audit.Fault(3, "missing at the end"))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entry SET action = 'ticket.void' WHERE id = 1", "DELETE FROM audit_entry WHERE id = 1"],
)
async def test_the_database_itself_refuses_to_change_an_entry(
    store: Store, now: datetime, statement: str
) -> None:
    await three_entries(store, now)
    with pytest.raises(DBAPIError, match="append-only"):
        async with store.transaction() as session:
            await session.execute(text(statement))
    assert await verified(store) == (3, None)


async def test_writers_at_the_same_moment_keep_one_chain(store: Store, now: datetime) -> None:
    async def write(number: int) -> None:
        async with store.transaction() as session:
            await audit.record(session, "ticket.note", f"ticket:{number}", actor=LI_QIANG, now=now)

    await asyncio.gather(*(write(number) for number in range(8)))

    assert await verified(store) == (8, None)


async def test_what_is_rolled_back_leaves_no_entry(store: Store, now: datetime) -> None:
    await three_entries(store, now)

    async def failing() -> None:
        async with store.transaction() as session:
            await audit.record(session, "ticket.void", "ticket:1", actor=LI_QIANG, now=now)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await failing()
    assert await verified(store) == (3, None)


async def test_recording_after_verifying_in_one_session_goes_on_at_the_end(
    store: Store, now: datetime
) -> None:
    await three_entries(store, now)
    async with store.transaction() as session:
        await audit.verify(session)
        entry = await audit.record(session, "audit.verify", "audit:0", actor=SYSTEM, now=now)
    assert entry.id == 4
    assert await verified(store) == (4, None)


async def test_a_move_writes_states_versions_and_actor(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, now)
        await audit.move(
            session, ticket, TicketState.WORKING, by="take", table=TRANSITIONS,
            actor=cast.li_qiang.as_actor(), now=now,
        )  # fmt: skip
    async with store.reading() as session:
        (line,), _ = await audit.listed(session, action="ticket.take")
    assert line.facts == {"from": "unassigned", "to": "working", "version": [1, 2]}
    assert (line.subject, line.actor_id, line.actor_name) == (f"ticket:{ticket.id}", cast.li_qiang.id, "李强")


async def test_a_move_outside_the_table_changes_nothing(store: Store, cast: Cast, now: datetime) -> None:
    class Light(StrEnum):
        RED = auto()
        GREEN = auto()

    row = SimpleNamespace(state=Light.RED, version=1, id=1, __tablename__="light")
    async with store.transaction() as session:
        with pytest.raises(Conflict) as refused:
            await audit.move(session, row, Light.GREEN, by="go", table={}, actor=SYSTEM, now=now)
    assert refused.value.key == "stale_card"
    assert row.state is Light.RED


async def test_the_chain_is_listed_newest_first_by_subject_and_action(store: Store, now: datetime) -> None:
    await three_entries(store, now)
    async with store.transaction() as session:
        await audit.record(session, "staff.suspend", "staff:3", actor=LI_QIANG, now=now)
    async with store.reading() as session:
        everything, total = await audit.listed(session, limit=3)
        assert ([entry.id for entry in everything], total) == ([4, 3, 2], 4)
        rest, _ = await audit.listed(session, limit=3, page=2)
        assert [entry.id for entry in rest] == [1]
        about, total = await audit.listed(session, subject="ticket:1")
        assert ([entry.id for entry in about], total) == ([3, 2, 1], 3)
        of_staff, _ = await audit.listed(session, action="staff.")
        assert [entry.action for entry in of_staff] == ["staff.suspend"]
