"""What a confidential case says stands nowhere: looked for in every table, and in what is written later."""

from __future__ import annotations

import logging
from datetime import datetime

import pytest
from sqlalchemy import select

from knowledge import golden, lessons
from knowledge.lessons import Lesson, Source
from knowledge.tips import WorkTip
from office import audit, contacts, outbox
from office.contacts import Channel
from office.errors import Conflict
from office.outbox import DeliveryState
from office.store import Store
from tests.make import HOURS, Cast, an_entry
from tests.ticketing.confidences import (
    MARK,
    SEALER,
    WORDS,
    confidential,
    places_of,
    take,
    taken_offline,
)
from tests.ticketing.work import REPLY, asker, opened, read, taken
from ticketing import (
    drafts,
    intake,
    interim,
    ledgers,
    offline,
    openings,
    promote,
    queue,
    tickets,
    verdicts,
)
from ticketing.call_backs import CallBack, CallBackKind
from ticketing.clusters import Cluster, ClusterState
from ticketing.ledgers import Enquiry, Outcome
from ticketing.offline import OfflineResult, OfflineWay
from ticketing.records import TicketState
from ticketing.restricted import HIDDEN

S = TicketState


async def test_a_page_still_open_saves_no_word_of_it(store: Store, cast: Cast, now: datetime) -> None:
    """Nor may a case that was reopened be answered like any other: the leader takes it offline again."""
    ticket = await taken_offline(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(Conflict, match="offline_only"):
            await drafts.save(session, found, f"关于{MARK}", actor=cast.li_qiang, now=now)
        await offline.close(
            session, found, OfflineWay.PHONE, OfflineResult.SETTLED, actor=cast.li_qiang, now=now
        )
        await verdicts.reopen(session, found, actor=cast.wang_fang.as_actor(), hours=HOURS, now=now)
        await tickets.take(session, found, actor=cast.li_qiang, now=now)
        version = await an_entry(session, cast, now)
        text = f"{MARK}已找到"
        with pytest.raises(Conflict, match="offline_only"):
            await tickets.propose(session, found, text, "依据", actor=cast.li_qiang, now=now)
        with pytest.raises(Conflict, match="offline_only"):
            await tickets.answer(session, found, text, version, actor=cast.li_qiang, hours=HOURS, now=now)
        with pytest.raises(Conflict, match="offline_only"):
            await interim.reply(session, found, text, actor=cast.li_qiang, hours=HOURS, now=now)
    assert await places_of(store, MARK) == set()


async def test_those_who_had_been_joined(store: Store, cast: Cast, now: datetime) -> None:
    """What the same asker wrote goes along; others come back into the queue, and the cluster ends."""
    lead = await confidential(store, cast, now)
    same = await opened(store, cast, now, words=f"还有{MARK}的事")
    async with store.transaction() as session:
        caller = await intake.open_ticket(
            session, None, "登记站在哪？", unit=cast.district, district=cast.district, channel=Channel.PHONE,
            actor=cast.li_qiang.as_actor(), hours=HOURS, now=now,
        )  # fmt: skip
        cluster = Cluster(
            cluster_no="C-1120-01", title=WORDS, lead_id=lead.id, unit_id=cast.district.id,
            first_asked_at=now, created_at=now, created_by_id=cast.li_qiang.id,
        )  # fmt: skip
        session.add(cluster)
        await session.flush()
        found = await tickets.get(session, lead.id)
        second = await tickets.get(session, same.id)
        await tickets.merge(session, second, found, actor=cast.li_qiang, now=now)
        await tickets.join(session, caller, found, cluster_id=cluster.id, actor=cast.li_qiang, now=now)
        found.cluster_id = cluster.id
    await take(store, cast, lead, now)
    row = await read(store, same)
    assert (row.state, row.words) == (S.MERGED, HIDDEN)
    other = await read(store, caller)
    assert (other.state, other.merged_into_id, other.cluster_id) == (S.UNASSIGNED, None, None)
    async with store.reading() as session:
        board = (await session.scalars(select(Cluster))).one()
        assert (board.state, board.title) == (ClusterState.CLOSED, HIDDEN)
    assert await places_of(store, MARK) == set()


async def test_offline_text_stands_nowhere(
    store: Store, cast: Cast, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    """Invariant 10: no outbox row, search, ledger, lesson, draft, audit or log holds a word of it."""
    caplog.set_level(logging.INFO)
    ticket = await taken(store, cast, now, words=WORDS)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        asked = await ledgers.record(session, cast.zhang_min, WORDS, outcome=Outcome.TICKETED, now=now)
        asked.ticket_id, asked.reply = ticket.id, f"已记下{MARK}"
        loose = await ledgers.record(session, cast.zhang_min, WORDS, outcome=None, now=now)
        await drafts.save(session, found, f"关于{MARK}：{REPLY}", actor=cast.li_qiang, now=now)
        await tickets.note(session, found, f"{MARK}要问物业", actor=cast.li_qiang, now=now)
        await intake.append(session, found, f"补充一句：{MARK}是铜的", now=now, event_id="m5001:9")
        found.summary, found.spot_reply, found.wizard_facts = MARK, MARK, {"place": MARK}
        for number, facts in enumerate(({"asked": WORDS[:16]}, {"text": f"您问：{WORDS}"}, {"no": "1"})):
            await outbox.put(
                session, cast.zhang_min, "reply", facts, key=f"t{number}", subject="contact:1", now=now
            )
        await lessons.teach(
            session, Source.DESK_DISMISSED, WORDS, None, occasion=f"ticket:{ticket.id}", now=now
        )
        await golden.add(session, WORDS, topic="none", actor=cast.li_qiang, now=now)
        entry_ = await an_entry(session, cast, now)
        entry = await session.get_one(golden.Entry, entry_.entry_id)
        await promote.to_phrasing(session, found, entry, actor=cast.li_qiang, now=now)
        session.add(
            WorkTip(
                title=f"关于{WORDS}的提示", origin=f"来由：{WORDS}。共3件。", sources={}, created_at=now,
                unit_id=cast.district.id, drafter_id=cast.li_qiang.id, changed_at=now,
            )
        )  # fmt: skip
        session.add(
            CallBack(
                key="c", kind=CallBackKind.PROMISED, unit_id=cast.district.id, ticket_id=ticket.id,
                point=MARK, due_at=now, created_at=now,
            )
        )  # fmt: skip
    assert len(await places_of(store, MARK)) >= 12
    await take(store, cast, ticket, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await intake.append(session, found, f"{MARK}后来", now=now, event_id="m5001:11")
        await tickets.note(session, found, f"{MARK}已找到", actor=cast.li_qiang, now=now)
        await openings.open_(session, found, "核对情况", sealer=SEALER, actor=cast.li_qiang, now=now)
        found_rows, _ = await queue.listed(
            session, cast.wang_fang, queue.Filter(states=tuple(S), search=MARK), now=now
        )
        assert found_rows == []
        await offline.close(
            session, found, OfflineWay.PHONE, OfflineResult.SETTLED, actor=cast.li_qiang, now=now
        )
    assert await places_of(store, MARK) == set()
    assert MARK not in caplog.text
    async with store.reading() as session:
        kept = await session.get_one(Enquiry, loose.id)
        assert kept.words == HIDDEN
        assert (await session.scalars(select(Lesson))).all() == []
        sent = await outbox.about(session, "contact:1")
        assert [(row.state, row.facts) for row in sent] == [
            (DeliveryState.FAILED, {}), (DeliveryState.FAILED, {}), (DeliveryState.DUE, {"no": "1"}),
        ]  # fmt: skip
        assert (await audit.verify(session))[1] is None


async def test_in_the_web_chat_the_askers_own_lines_are_taken_away(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        visitor = await contacts.seen(session, Channel.WEB, "w1", now=now)
    ticket = await confidential(
        store,
        cast,
        now,
        contact=visitor,
        channel=Channel.WEB,
        actor=asker(visitor),
        event_id=f"m{visitor.id}:7",
    )
    await take(store, cast, ticket, now)
    async with store.reading() as session:
        gone = await outbox.about(session, f"contact:{visitor.id}")
        assert [(row.kind, row.facts) for row in gone] == [("take_away", {"message": 7})]
