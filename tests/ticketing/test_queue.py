"""Finding tickets: an officer's queue within reach, an asker's own, progress by number and code."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from office import contacts
from office.contacts import Channel
from office.errors import NotFound, NotPermitted, TooMany
from office.staff import Staff
from office.store import Store
from tests.make import Cast
from tests.ticketing.work import answered, opened, taken
from ticketing import queue
from ticketing.queue import Filter
from ticketing.records import Ticket, TicketState


async def numbers_of(store: Store, person: Staff, now: datetime, wanted: Filter | None = None) -> list[str]:
    async with store.reading() as session:
        rows, total = await queue.listed(session, person, wanted or Filter(), now=now)
    assert total == len(rows)
    return [ticket.ticket_no for ticket, _ in rows]


async def test_the_queue_ends_at_ones_reach(store: Store, cast: Cast, now: datetime) -> None:
    riverside = await opened(store, cast, now, unit=cast.riverside)
    north = await opened(store, cast, now, unit=cast.north)
    assert await numbers_of(store, cast.li_qiang, now) == [riverside.ticket_no, north.ticket_no]
    assert await numbers_of(store, cast.zhao_lei, now) == [north.ticket_no]
    for person in (cast.sun_jie, cast.zhou_ning):
        with pytest.raises(NotPermitted):
            await numbers_of(store, person, now)


async def test_what_is_urgent_and_due_first_stands_first(store: Store, cast: Cast, now: datetime) -> None:
    later = await opened(store, cast, now + timedelta(hours=10))
    today = await opened(store, cast, now)
    urgent = await opened(store, cast, now, urgent=True)
    assert await numbers_of(store, cast.li_qiang, now) == [
        urgent.ticket_no, today.ticket_no, later.ticket_no,
    ]  # fmt: skip


async def test_the_queue_is_filtered(store: Store, cast: Cast, now: datetime) -> None:
    free = await opened(store, cast, now, "门牌号100%没有", unit=cast.north)
    mine = await taken(store, cast, now)
    done = await answered(store, cast, now)

    async def shown(**wanted: object) -> list[str]:
        return await numbers_of(store, cast.li_qiang, now, Filter(**wanted))  # type: ignore[arg-type]

    assert await shown(mine=True) == [mine.ticket_no]
    assert await shown(unit_path=cast.north.path) == [free.ticket_no]
    assert await shown(states=(TicketState.ANSWERED,)) == [done.ticket_no]
    assert await shown(search=mine.ticket_no.lower()) == [mine.ticket_no]
    assert await shown(search="门牌号100%") == [free.ticket_no]
    assert await shown(search="%") == [free.ticket_no]
    assert await shown(search="_") == []
    assert await shown(overdue=True) == []
    tomorrow = now + timedelta(days=1)
    overdue = await numbers_of(store, cast.li_qiang, tomorrow, Filter(overdue=True))
    assert set(overdue) == {free.ticket_no, mine.ticket_no}


async def test_a_ticket_out_of_reach_is_not_there(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now, unit=cast.riverside)
    async with store.reading() as session:
        found, unit = await queue.seen_by(session, cast.li_qiang, ticket.id)
        assert (found.id, unit.name) == (ticket.id, "临江街道")
        for number in (ticket.id, 404):
            with pytest.raises(NotFound, match="ticket_unknown"):
                await queue.seen_by(session, cast.zhao_lei, number)


async def test_the_next_ticket_is_the_most_urgent_one_that_nobody_holds(
    store: Store, cast: Cast, now: datetime
) -> None:
    await taken(store, cast, now, urgent=True)
    first = await opened(store, cast, now)
    second = await opened(store, cast, now)
    async with store.reading() as session:
        found = await queue.next_for(session, cast.li_qiang, now=now)
        after = await queue.next_for(session, cast.li_qiang, now=now, after=first.id)
        assert await queue.next_for(session, cast.zhao_lei, now=now) is None
    assert found is not None
    assert after is not None
    assert (found.id, after.id) == (first.id, second.id)


async def test_an_asker_sees_their_own_tickets_only(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        stranger = await contacts.seen(session, Channel.TELEGRAM, "5002", now=now)
    own = [await opened(store, cast, now, event_id="m1"), await answered(store, cast, now)]
    await opened(store, cast, now, contact=stranger, event_id="m9")
    async with store.reading() as session:
        assert [t.id for t in await queue.of_asker(session, cast.zhang_min)] == [own[1].id, own[0].id]
        assert [t.id for t in await queue.of_asker(session, cast.zhang_min, only_open=True)] == [own[0].id]
        assert await queue.of_event(session, cast.zhang_min, "m9") is None


async def by_code(store: Store, number: str, code: str, now: datetime, source: str = "a") -> Ticket | None:
    async with store.transaction() as session:
        return await queue.by_code(session, number, code, source=source, now=now)


async def test_progress_needs_the_number_and_the_code(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    other = await opened(store, cast, now)
    found = await by_code(store, f" {ticket.ticket_no.lower()} ", ticket.progress_code.lower(), now)
    assert found is not None
    assert found.id == ticket.id
    wrong = "0000" if ticket.progress_code != "0000" else "1111"
    for number, code in (
        (ticket.ticket_no, wrong),
        (other.ticket_no, ticket.progress_code if other.progress_code != ticket.progress_code else wrong),
        ("DP-1120-99-A", ticket.progress_code),
        ("", ""),
    ):
        assert await by_code(store, number, code, now) is None


async def test_the_sixth_try_in_ten_minutes_is_refused_even_with_the_right_code(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now)
    for _ in range(5):
        assert await by_code(store, ticket.ticket_no, "号码", now) is None
    with pytest.raises(TooMany):
        await by_code(store, ticket.ticket_no, ticket.progress_code, now)
    assert await by_code(store, ticket.ticket_no, ticket.progress_code, now, "b") is not None
    assert await by_code(store, ticket.ticket_no, ticket.progress_code, now + timedelta(minutes=10))
