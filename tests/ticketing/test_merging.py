"""Joined tickets: of the same asker only, never in a circle, one answer for all of them."""

from __future__ import annotations

from datetime import datetime

import pytest

from office import contacts
from office.contacts import Channel
from office.errors import Conflict, NotPermitted
from office.store import Store
from tests.make import Cast
from tests.ticketing.work import REPLY, answer, entry, everything_sent, opened, read
from ticketing import intake, queue, tickets
from ticketing.records import PostKind, Ticket, TicketState

S = TicketState


async def merge(store: Store, cast: Cast, ticket: Ticket, lead: Ticket, now: datetime) -> None:
    async with store.transaction() as session:
        await tickets.merge(
            session,
            await tickets.get(session, ticket.id),
            await tickets.get(session, lead.id),
            actor=cast.li_qiang,
            now=now,
        )


async def told(store: Store, ticket: Ticket) -> Ticket:
    """The ticket whose progress its asker is told."""
    async with store.reading() as session:
        return await queue.standing(session, await tickets.get(session, ticket.id))


async def test_the_lead_s_answer_reaches_the_asker_of_both_once(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead, child = await opened(store, cast, now), await opened(store, cast, now, "门牌还没有，怎么办")
    version = await entry(store, cast, now)
    await merge(store, cast, child, lead, now)
    async with store.transaction() as session:
        found = await tickets.get(session, lead.id)
        await tickets.take(session, found, actor=cast.li_qiang, now=now)
    await answer(store, cast, lead, version, now)

    (message,) = await everything_sent(store)

    assert (message.contact_id, message.facts["no"]) == (cast.zhang_min.id, lead.ticket_no)


async def test_progress_of_a_joined_ticket_follows_its_lead(store: Store, cast: Cast, now: datetime) -> None:
    lead, child = await opened(store, cast, now), await opened(store, cast, now)
    assert (await told(store, child)).id == child.id
    await merge(store, cast, child, lead, now)
    assert (await told(store, child)).state is S.UNASSIGNED
    async with store.transaction() as session:
        found = await tickets.get(session, lead.id)
        await tickets.take(session, found, actor=cast.li_qiang, now=now)
    assert (await told(store, child)).state is S.WORKING
    await answer(store, cast, lead, await entry(store, cast, now), now)
    shown = await told(store, child)
    assert (shown.state, shown.answer_text) == (S.ANSWERED, REPLY)
    row = await read(store, child)
    assert (row.state, row.ticket_no, row.progress_code) == (S.MERGED, child.ticket_no, child.progress_code)


async def test_what_the_asker_wrote_stands_in_the_lead_s_thread(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead = await opened(store, cast, now, event_id="m1")
    child = await opened(store, cast, now, "门牌还没有，怎么办", event_id="m2")
    async with store.transaction() as session:
        found = await tickets.get(session, child.id)
        await intake.append(session, found, "在临江路", now=now, event_id="m3")
        await tickets.note(session, found, "重复", actor=cast.li_qiang, now=now)
    await merge(store, cast, child, lead, now)
    async with store.reading() as session:
        lines = await queue.thread(session, lead)
        edited_later = await queue.of_event(session, cast.zhang_min, "m3")
    asked = [line.text for line in lines if line.kind is PostKind.ASKER]
    assert asked == [lead.words, "门牌还没有，怎么办", "在临江路"]
    assert not [line for line in lines if line.kind is PostKind.NOTE]
    assert edited_later is not None
    assert edited_later.id == lead.id


async def test_another_asker_s_ticket_is_not_joined(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        other = await contacts.seen(session, Channel.TELEGRAM, "5002", now=now)
    lead = await opened(store, cast, now)
    for stranger in (other, None):
        child = await opened(store, cast, now, contact=stranger)
        with pytest.raises(Conflict, match="merge_other_asker"):
            await merge(store, cast, child, lead, now)


async def test_two_calls_without_a_contact_are_not_of_the_same_asker(
    store: Store, cast: Cast, now: datetime
) -> None:
    first, second = await opened(store, cast, now, contact=None), await opened(store, cast, now, contact=None)
    with pytest.raises(Conflict, match="merge_other_asker"):
        await merge(store, cast, first, second, now)


async def test_no_circle_and_no_dead_end(store: Store, cast: Cast, now: datetime) -> None:
    first, second, third = [await opened(store, cast, now) for _ in range(3)]
    with pytest.raises(Conflict, match="merge_cycle"):
        await merge(store, cast, first, first, now)
    await merge(store, cast, first, second, now)
    with pytest.raises(Conflict, match="merge_cycle"):
        await merge(store, cast, second, first, now)
    async with store.transaction() as session:
        await tickets.void(
            session, await tickets.get(session, third.id), "误录", actor=cast.li_qiang, now=now
        )
    with pytest.raises(Conflict, match="merge_cycle"):
        await merge(store, cast, second, third, now)


async def test_a_lead_that_is_joined_itself_takes_its_own_along(
    store: Store, cast: Cast, now: datetime
) -> None:
    first, second, third = [await opened(store, cast, now) for _ in range(3)]
    await merge(store, cast, first, second, now)
    await merge(store, cast, second, third, now)
    assert (await told(store, first)).id == third.id
    assert (await told(store, second)).id == third.id


async def test_when_the_lead_is_set_aside_the_others_are_owed_again(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead, child = await opened(store, cast, now), await opened(store, cast, now)
    await merge(store, cast, child, lead, now)
    async with store.transaction() as session:
        found = await tickets.get(session, lead.id)
        await tickets.void(session, found, "误录", actor=cast.li_qiang, now=now)
    row = await read(store, child)
    assert (row.state, row.merged_into_id) == (S.UNASSIGNED, None)


async def test_both_tickets_must_lie_in_reach(store: Store, cast: Cast, now: datetime) -> None:
    here = await opened(store, cast, now, unit=cast.north)
    there = await opened(store, cast, now, unit=cast.riverside)
    for ticket, lead in ((here, there), (there, here)):
        async with store.transaction() as session:
            with pytest.raises(NotPermitted):
                await tickets.merge(
                    session,
                    await tickets.get(session, ticket.id),
                    await tickets.get(session, lead.id),
                    actor=cast.zhao_lei,
                    now=now,
                )
