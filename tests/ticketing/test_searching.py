"""Searching by pairs of characters: found, kept up to date, and forgotten with the words."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from bot import migrate
from office import contacts
from office.store import Store
from tests.make import Cast
from tests.ticketing.work import REPLY, answered, opened
from ticketing import forget, queue, searching, tickets, timed
from ticketing.filters import ALL_STATES, Filter
from ticketing.records import Ticket
from ticketing.searching import TicketGram, grams, terms


async def found(store: Store, cast: Cast, now: datetime, words: str) -> list[int]:
    async with store.reading() as session:
        rows, total = await queue.listed(
            session, cast.li_qiang, Filter(states=ALL_STATES, search=words), now=now
        )
    assert total == len(rows)
    return [ticket.id for ticket, _ in rows]


async def pairs_of(store: Store, ticket: Ticket) -> set[int]:
    async with store.reading() as session:
        rows = select(TicketGram.gram).where(TicketGram.ticket_id == ticket.id)
        return set((await session.scalars(rows)).all())


def test_pairs_are_of_neighbours_without_spaces() -> None:
    assert grams("居住证") == grams("x居住 住证x") - grams("x居") - grams("证x")
    assert grams("WiFi") == grams("wifi")
    assert grams("字") == grams(" \n") == set()
    assert max(grams("\U0010ffff\U0010ffff")) < 2**63
    assert terms(" 居住证  Wifi 居住证 ") == ("居住证", "wifi")


async def test_open_and_done_tickets_are_found_by_what_stands_in_them(
    store: Store, cast: Cast, now: datetime
) -> None:
    waits = await opened(store, cast, now, "居住证过期了，还能登记吗？WiFi也连不上")
    done = await answered(store, cast, now)
    assert await found(store, cast, now, "居住证") == [waits.id]
    assert await found(store, cast, now, "登记") == [waits.id, done.id]
    assert await found(store, cast, now, "wifi") == [waits.id]
    assert await found(store, cast, now, "核对") == [done.id]
    # Every word, in any order; and each of its pairs where it stands, not only somewhere.
    assert await found(store, cast, now, "登记 居住证") == [waits.id]
    assert await found(store, cast, now, "登记 户口") == []
    assert await found(store, cast, now, "证核") == []
    assert await found(store, cast, now, "住") == [waits.id]


async def test_pairs_go_with_the_words_and_come_with_the_answer(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now)
    assert await pairs_of(store, ticket) == grams(ticket.words) | grams(REPLY)
    async with store.transaction() as session:
        row = await session.get_one(Ticket, ticket.id)
        row.answer_text = "请带身份证"
    assert await pairs_of(store, ticket) == grams(ticket.words) | grams("请带身份证")
    later = now + timedelta(days=5)
    async with store.transaction() as session:
        asker = await contacts.get(session, cast.zhang_min.id)
        await forget.contact(session, asker, now=later)
    assert not await pairs_of(store, ticket) & grams("门牌号")


async def test_tidying_takes_the_pairs_of_old_words(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now, "骚扰电话号码很多")
    async with store.transaction() as session:
        row = await session.get_one(Ticket, ticket.id)
        await tickets.void(session, row, "误录", actor=cast.li_qiang, now=now)
    async with store.transaction() as session:
        await timed.tidy(session, now=now + timedelta(days=91))
    assert await pairs_of(store, ticket) == set()


async def test_tickets_from_before_are_found_after_the_migration(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now)
    before = await pairs_of(store, ticket)
    await migrate.downgrade(store, "0007")
    assert await pairs_of(store, ticket) == set()
    await migrate.upgrade(store)
    assert await pairs_of(store, ticket) == before


@pytest.mark.parametrize("count", [3])
async def test_candidates_come_in_portions_newest_first(
    store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(searching, "TOGETHER", 2)
    ids = [(await opened(store, cast, now, f"居住证{number}号")).id for number in range(count)]
    async with store.reading() as session:
        portions = [list(some) async for some in searching.candidates(session, ("居住证",))]
        assert portions == [ids[:0:-1], ids[:1]]
        assert [some async for some in searching.candidates(session, ("不存在",))] == []
        assert await session.scalar(select(func.count()).select_from(TicketGram)) > count
