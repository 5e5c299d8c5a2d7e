"""An entry changes its substance: everybody who was told the old one is corrected, once, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from knowledge import answer, entries, golden
from knowledge.versions import Alteration, Entry, EntryVersion, get_version
from office import contacts, outbox
from office.contacts import Channel, Contact, ContactState
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.outbox import Delivery, Undeliverable
from office.store import Store
from tests.make import HOURS, Cast, an_entry, content, publish
from tests.ticketing import calling
from tests.ticketing.work import REPLY, opened, taken
from ticketing import drafts, forget, recall_proposals, recalling, recalls, tickets
from ticketing.call_backs import CallBack
from ticketing.recalls import Recall, RecallState

OLD = "名单公布之日起十五日内可以申诉。"
NEW = "名单公布之日起五日内可以申诉。"


@pytest.fixture(autouse=True)
def no_golden_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate before a publication has tests of its own."""
    monkeypatch.setattr(golden, "shipped", lambda: ())


async def told(store: Store, version: EntryVersion, address: str, at: datetime) -> Contact:
    """Somebody asks and is given this version by the assistant."""
    async with store.transaction() as session:
        asker = await contacts.seen(session, Channel.TELEGRAM, address, now=at)
        session.add(answer.AnswerGiven(contact_id=asker.id, entry_version_id=version.id, at=at))
    return asker


async def reworded(
    store: Store,
    cast: Cast,
    version: EntryVersion,
    now: datetime,
    short: str = NEW,
    alteration: Alteration = Alteration.SUBSTANTIVE,
) -> Recall | None:
    """李强 writes a new version, 王芳 publishes it."""
    async with store.transaction() as session:
        entry = await session.get_one(Entry, version.entry_id)
        wanted = content(cast, short=short)
        found = await entries.draft(session, wanted, actor=cast.li_qiang, now=now, entry=entry)
        await entries.submit(session, found, actor=cast.li_qiang, now=now, alteration=alteration)
        await publish(session, found, actor=cast.wang_fang, now=now)
        return await recall_proposals.published(session, found, now=now)


async def sent(store: Store, cast: Cast, recall: Recall, now: datetime) -> None:
    async with store.transaction() as session:
        found = await recalling.get(session, recall.id, actor=cast.wang_fang)
        await recalling.send(session, found, seen=found.version, actor=cast.wang_fang, now=now)
    while await laid_out(store, now):
        pass


async def laid_out(store: Store, now: datetime) -> int:
    async with store.transaction() as session:
        return await recalling.lay_out(session, now=now)


async def corrections(store: Store) -> Sequence[Delivery]:
    async with store.reading() as session:
        found = select(Delivery).where(Delivery.kind == recalling.KIND).order_by(Delivery.id)
        return (await session.scalars(found)).all()


async def old_version(store: Store, cast: Cast, now: datetime) -> EntryVersion:
    async with store.transaction() as session:
        return await an_entry(session, cast, now, short=OLD)


async def counted(store: Store, recall: Recall) -> recalling.Board:
    async with store.reading() as session:
        found = await recalling.board(session, recall)
    assert found.people == found.told + found.waiting + found.parked + found.undeliverable + found.to_call
    return found


async def test_everybody_who_was_told_the_old_wording_is_corrected_once(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await old_version(store, cast, now)
    often = await told(store, version, "6001", now)
    await told(store, version, "6001", now + timedelta(hours=1))
    once = await told(store, version, "6002", now)
    later = now + timedelta(days=1)
    recall = await reworded(store, cast, version, later)
    assert recall is not None
    assert (recall.old_text, recall.new_text, recall.state) == (OLD, NEW, RecallState.PROPOSED)
    assert await corrections(store) == []
    await sent(store, cast, recall, later)
    found = await corrections(store)
    assert [delivery.contact_id for delivery in found] == [often.id, once.id]
    assert (found[0].facts["old"], found[0].facts["new"], found[0].facts["told"]) == (OLD, NEW, "2026-11-20")
    assert await laid_out(store, later) == 0
    assert (await counted(store, recall)).waiting == 2


async def test_whose_ticket_an_officer_answered_with_it_is_corrected_too(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await old_version(store, cast, now)
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.answer(session, found, OLD, version, actor=cast.li_qiang, hours=HOURS, now=now)
    recall = await reworded(store, cast, version, now + timedelta(days=1))
    assert recall is not None
    await sent(store, cast, recall, now + timedelta(days=1))
    assert [delivery.contact_id for delivery in await corrections(store)] == [cast.zhang_min.id]


async def test_a_caller_is_put_on_the_call_back_list(store: Store, cast: Cast, now: datetime) -> None:
    version = await old_version(store, cast, now)
    ticket = await taken(store, cast, now, contact=None, channel=Channel.PHONE)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        found.phone = b"sealed"
        await tickets.answer(session, found, OLD, version, actor=cast.li_qiang, hours=HOURS, now=now)
    recall = await reworded(store, cast, version, now + timedelta(days=1))
    assert recall is not None
    await sent(store, cast, recall, now + timedelta(days=1))
    board = await counted(store, recall)
    assert (board.people, board.to_call, board.told) == (1, 1, 0)


async def test_a_call_answered_at_once_is_called_back_where_a_phone_was_left(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await old_version(store, cast, now)
    await calling.told(store, cast, calling.a_call(cast, event="f1", phone=calling.PHONE), version, now)
    await calling.told(store, cast, calling.a_call(cast, event="f2"), version, now)
    recall = await reworded(store, cast, version, now + timedelta(days=1))
    assert recall is not None
    await sent(store, cast, recall, now + timedelta(days=1))
    board = await counted(store, recall)
    assert (board.people, board.to_call) == (1, 1)
    async with store.reading() as session:
        (call,) = (await session.scalars(select(CallBack))).all()
        assert calling.SEALER.open(call.phone).replace(" ", "") == "13800138000"
        assert await recalls.out_of_reach(session, await session.get_one(Recall, recall.id)) == 1


async def test_a_mere_edit_calls_nobody_back(store: Store, cast: Cast, now: datetime) -> None:
    version = await old_version(store, cast, now)
    await told(store, version, "6001", now)
    recall = await reworded(
        store, cast, version, now, short=OLD + "请留意。", alteration=Alteration.EDITORIAL
    )
    assert recall is None


async def test_who_was_told_before_a_mere_edit_is_corrected_by_the_next_change(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await old_version(store, cast, now)
    first = await told(store, version, "6001", now)
    await reworded(store, cast, version, now, short=OLD + "请留意。", alteration=Alteration.EDITORIAL)
    recall = await reworded(store, cast, version, now + timedelta(days=1))
    assert recall is not None
    await sent(store, cast, recall, now + timedelta(days=1))
    assert [delivery.contact_id for delivery in await corrections(store)] == [first.id]


async def test_who_was_corrected_is_corrected_again_when_that_changes(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await old_version(store, cast, now)
    asker = await told(store, version, "6001", now)
    first = await reworded(store, cast, version, now)
    assert first is not None
    await sent(store, cast, first, now)
    second = await reworded(store, cast, version, now + timedelta(days=1), short="公布之日起三日内可以申诉。")
    assert second is not None
    await sent(store, cast, second, now + timedelta(days=1))
    assert [delivery.contact_id for delivery in await corrections(store)] == [asker.id, asker.id]


async def test_the_author_does_not_let_the_correction_out(store: Store, cast: Cast, now: datetime) -> None:
    version = await old_version(store, cast, now)
    recall = await reworded(store, cast, version, now)
    assert recall is not None
    async with store.transaction() as session:
        found = await session.get_one(Recall, recall.id)
        for person in (cast.li_qiang, cast.zhou_ning, cast.zhao_lei):
            with pytest.raises(NotPermitted):
                await recalling.send(session, found, seen=found.version, actor=person, now=now)
        with pytest.raises(Conflict):
            await recalling.send(session, found, seen=found.version + 1, actor=cast.wang_fang, now=now)
        await recalling.drop(
            session, found, "没有人受影响", seen=found.version, actor=cast.wang_fang, now=now
        )
        assert found.state is RecallState.DROPPED


async def test_board_follows_each_correction_to_its_end(store: Store, cast: Cast, now: datetime) -> None:
    version = await old_version(store, cast, now)
    people = [await told(store, version, str(6000 + number), now) for number in range(4)]
    async with store.transaction() as session:
        (await contacts.get(session, people[3].id)).state = ContactState.SILENCED
    recall = await reworded(store, cast, version, now)
    assert recall is not None
    await sent(store, cast, recall, now)
    async with store.transaction() as session:
        claimed = await outbox.claim(session, [Channel.TELEGRAM], limit=2, now=now)
        await outbox.sent(session, claimed[0][0].id, now=now)
        gone = Undeliverable("blocked", permanent=True)
        await outbox.failed(session, claimed[1][0].id, gone, now=now)
        await recalling.acknowledge(session, recall.id, claimed[0][1], now=now)
    board = await counted(store, recall)
    assert (board.told, board.undeliverable, board.waiting, board.parked) == (1, 1, 1, 1)
    assert board.acknowledged == 1


async def test_the_first_acknowledgement_counts(store: Store, cast: Cast, now: datetime) -> None:
    version = await old_version(store, cast, now)
    asker = await told(store, version, "6001", now)
    recall = await reworded(store, cast, version, now)
    assert recall is not None
    await sent(store, cast, recall, now)
    async with store.transaction() as session:
        first = await recalling.acknowledge(session, recall.id, asker, now=now)
        again = await recalling.acknowledge(session, recall.id, asker, now=now + timedelta(hours=1))
        with pytest.raises(NotFound):
            await recalling.acknowledge(session, recall.id, cast.zhang_min, now=now)
    assert first == again == now


async def test_officers_with_a_draft_are_told(store: Store, cast: Cast, now: datetime) -> None:
    version = await old_version(store, cast, now)
    ticket = await opened(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await drafts.save(session, found, REPLY, actor=cast.li_qiang, now=now)
        draft = await session.get_one(drafts.Draft, (ticket.id, cast.li_qiang.id))
        draft.version_id = version.id
    recall = await reworded(store, cast, version, now)
    assert recall is not None
    async with store.reading() as session:
        citing = await recall_proposals.drafts_citing(session, recall)
    assert [(row.id, person) for row, person in citing] == [(ticket.id, cast.li_qiang.id)]


async def test_by_hand_for_an_entry_that_was_taken_out_of_force(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await old_version(store, cast, now)
    asker = await told(store, version, "6001", now)
    async with store.transaction() as session:
        entry = await session.get_one(Entry, version.entry_id)
        await entries.retire(session, entry, actor=cast.wang_fang, now=now)
        with pytest.raises(Invalid):
            await recall_proposals.propose(session, entry, "", "说错了", actor=cast.wang_fang, now=now)
        recall = await recall_proposals.propose(
            session, entry, "以名单上写明的日子为准。", "说错了", actor=cast.wang_fang, now=now
        )
        with pytest.raises(NotPermitted):
            await recalling.send(session, recall, seen=recall.version, actor=cast.wang_fang, now=now)
        recall.proposed_by_id = cast.li_qiang.id
    await sent(store, cast, recall, now)
    assert [delivery.contact_id for delivery in await corrections(store)] == [asker.id]


async def test_who_was_forgotten_is_left_in_peace(store: Store, cast: Cast, now: datetime) -> None:
    version = await old_version(store, cast, now)
    asker = await told(store, version, "6001", now)
    recall = await reworded(store, cast, version, now)
    assert recall is not None
    async with store.transaction() as session:
        await forget.contact(session, await contacts.get(session, asker.id), now=now)
    await sent(store, cast, recall, now)
    assert await corrections(store) == []


async def test_thousands_are_laid_out_some_at_a_time(store: Store, cast: Cast, now: datetime) -> None:
    version = await old_version(store, cast, now)
    async with store.transaction() as session:
        for number in range(recalling.BATCH + 50):
            asker = await contacts.seen(session, Channel.WEB, f"visitor{number}", now=now)
            session.add(answer.AnswerGiven(contact_id=asker.id, entry_version_id=version.id, at=now))
    recall = await reworded(store, cast, version, now)
    assert recall is not None
    async with store.transaction() as session:
        found = await session.get_one(Recall, recall.id)
        await recalling.send(session, found, seen=found.version, actor=cast.wang_fang, now=now)
    assert [await laid_out(store, now) for _ in range(3)] == [recalling.BATCH, 50, 0]
    keys = [delivery.key for delivery in await corrections(store)]
    assert len(set(keys)) == len(keys) == recalling.BATCH + 50
    async with store.reading() as session:
        assert (await get_version(session, version.id)).published_at is not None
