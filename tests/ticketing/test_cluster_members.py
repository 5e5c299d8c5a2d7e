"""Who belongs to a cluster later: the very same question joins it, the same asker is appended (E19)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import select

from office.contacts import Channel, find
from office.outbox import Delivery
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.gathered import FOURTEEN, OTHERS, asked, confirmed, fourteen, signed
from tests.ticketing.work import REPLY, read
from ticketing import clusters, tickets
from ticketing.clusters import Cluster
from ticketing.records import TicketState

S = TicketState


async def test_who_asks_the_very_same_later_belongs_to_it_and_who_asks_similarly_is_shown(
    store: Store, cast: Cast, now
) -> None:
    opened = await fourteen(store, cast, now)
    cluster = await confirmed(store, cast, opened, now)
    async with store.transaction() as session:
        same = await asked(session, cast, now, "请问" + FOURTEEN[1], who="9001")
        assert (await clusters.late(session, same, now=now)).id == cluster.id
        similar = await asked(session, cast, now, "居住证满5年，要连续的吗，还是累计就行", who="9002")
        assert await clusters.late(session, similar, now=now) is None
        strange = await asked(session, cast, now, OTHERS[1], who="9003")
        assert await clusters.late(session, strange, now=now) is None
    assert (await read(store, same)).merged_into_id == opened[0].id
    assert (await read(store, similar)).state is S.UNASSIGNED
    async with store.reading() as session:
        row = await session.get_one(Cluster, cluster.id)
        near = await clusters.more(session, cast.li_qiang, row, now=now)
        assert [ticket.id for ticket in near] == [similar.id]
    async with store.transaction() as session:
        row = await session.get_one(Cluster, cluster.id)
        rows = [await tickets.get(session, similar.id)]
        await clusters.add(session, row, rows, actor=cast.li_qiang, hours=HOURS, now=now)
    await signed(store, cast, opened[0], now)
    async with store.reading() as session:
        sent = (await session.scalars(select(Delivery.facts).where(Delivery.kind == "answer"))).all()
    assert Counter(facts["no"] for facts in sent)[same.ticket_no] == 1
    assert Counter(facts["no"] for facts in sent)[similar.ticket_no] == 1


async def test_who_is_added_after_the_answer_is_told_at_once(store: Store, cast: Cast, now: datetime) -> None:
    opened = await fourteen(store, cast, now)
    cluster = await confirmed(store, cast, opened, now)
    await signed(store, cast, opened[0], now)
    async with store.transaction() as session:
        after = await asked(session, cast, now, FOURTEEN[1], who="9001")
        # Only a reviewer's name stands for this answer: it is not given again by itself.
        assert await clusters.late(session, after, now=now) is None
        assert await clusters.answered_entry(session, FOURTEEN[1], now=now) is None
        row = await session.get_one(Cluster, cluster.id)
        await clusters.add(session, row, [after], actor=cast.li_qiang, hours=HOURS, now=now)
    async with store.reading() as session:
        sent = await session.scalars(select(Delivery).where(Delivery.subject == f"ticket:{after.id}"))
        assert [one.facts["text"] for one in sent] == [REPLY]


async def test_e19_the_same_asker_and_the_same_open_cluster_is_one_ticket(
    store: Store, cast: Cast, now
) -> None:
    opened = await fourteen(store, cast, now)
    await confirmed(store, cast, opened, now)
    async with store.reading() as session:
        asker = await find(session, Channel.TELEGRAM, "8004")
        stranger = await find(session, Channel.WEB, "8001")
        mine = await clusters.open_member(session, asker, "居住证断过，累计满五年可以吗")
        assert mine.id == opened[4].id
        assert await clusters.open_member(session, asker, OTHERS[0]) is None
        assert (await clusters.open_member(session, stranger, FOURTEEN[4])).id == opened[1].id
        assert await clusters.open_member(session, cast.zhang_min, FOURTEEN[4]) is None
    await signed(store, cast, opened[0], now)
    async with store.reading() as session:
        assert await clusters.open_member(session, asker, "居住证断过，累计满五年可以吗") is None
