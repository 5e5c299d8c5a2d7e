"""The missed-question desk: what stands on it, its four keys, and taking one back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from knowledge import entries
from knowledge.lessons import Source
from knowledge.versions import Entry, EntryLevel, EntryState, EntryVersion, by_number, content_of, versions
from office.errors import Invalid, NotPermitted
from office.outbox import Delivery
from office.staff import Role, Staff
from office.store import Store
from tests.make import HOURS, Cast, an_entry
from tests.ticketing.gathered import FOURTEEN, OTHERS
from tests.ticketing.misses import (
    desk,
    golden_questions,
    miss,
    no_540,
    of_row,
    phrasing,
    sign,
    taught,
    undone,
)
from tests.ticketing.work import BASIS, REPLY, read
from ticketing import missed, missed_acts, tickets
from ticketing.missed import MissKind, OffTopic
from ticketing.records import TicketKind, TicketState, UnansweredReason

DAY = timedelta(days=1)


async def test_groups_stand_with_most_askers_first(store: Store, cast: Cast, now: datetime) -> None:
    await miss(store, cast, now, OTHERS[0], who="1")
    for number, words in enumerate(FOURTEEN[:4]):
        await miss(store, cast, now, words, who=f"2{number}")
    await miss(store, cast, now + timedelta(minutes=1), OTHERS[1], who="3")
    found = await desk(store, cast.li_qiang, now)
    assert set(found[0]) == set(FOURTEEN[:4])
    assert found[1:] == [[OTHERS[1]], [OTHERS[0]]]


async def test_four_ways_lead_onto_the_desk(store: Store, cast: Cast, now: datetime) -> None:
    version = await no_540(store, cast, now)
    await miss(store, cast, now, OTHERS[0], who="1")
    await miss(store, cast, now, OTHERS[1], who="2", solved=False, entry_id=version.entry_id)
    await miss(store, cast, now, OTHERS[2], who="3", offered=(version.entry_id,))
    last = await miss(
        store, cast, now, OTHERS[3], who="4", why=UnansweredReason.NEEDS_SUPERIOR, asked_for_person=True
    )
    await sign(store, cast, last, now)
    async with store.reading() as session:
        found = await missed.groups(session, cast.li_qiang, now=now)
    assert {row.enquiry.words: row.kind for group in found for row in group.rows} == {
        OTHERS[0]: MissKind.MISS, OTHERS[1]: MissKind.NOT_SOLVED, OTHERS[2]: MissKind.REFUSED,
        OTHERS[3]: MissKind.SIGNED,
    }  # fmt: skip
    assert await desk(store, cast.li_qiang, now, kind=MissKind.REFUSED) == [[OTHERS[2]]]


async def test_reports_people_in_distress_and_what_has_another_reason_stay_off(
    store: Store, cast: Cast, now: datetime
) -> None:
    await miss(store, cast, now, OTHERS[0], who="1", kind=TicketKind.REPORT)
    await miss(store, cast, now, OTHERS[1], who="2", why=UnansweredReason.RESTRICTED)
    await miss(store, cast, now, OTHERS[2], who="3", why=UnansweredReason.NEEDS_DATA)
    await miss(store, cast, now, OTHERS[3], who="4", asked_for_person=True)
    await miss(store, cast, now - 15 * DAY, FOURTEEN[0], who="5")
    assert await desk(store, cast.li_qiang, now) == []


async def test_the_desk_is_for_those_who_draft_and_within_their_reach(
    store: Store, cast: Cast, now: datetime
) -> None:
    await miss(store, cast, now, OTHERS[0], who="1")
    await miss(store, cast, now, OTHERS[1], who="2", unit=cast.north)
    assert await desk(store, cast.zhao_lei, now) == [[OTHERS[1]]]
    with pytest.raises(NotPermitted):
        await desk(store, cast.zhou_ning, now)


async def test_key_1_makes_ways_to_ask_in_a_draft_for_review(store: Store, cast: Cast, now: datetime) -> None:
    version = await no_540(store, cast, now)
    rows = [await miss(store, cast, now, f"证件弄丢了{end}", who=end) for end in ("咋整", "找哪位")]
    await phrasing(store, cast, now, rows)
    async with store.reading() as session:
        entry = await session.get_one(Entry, version.entry_id)
        newest = (await versions(session, entry))[0]
        content = await content_of(session, newest)
        assert entry.published_id == version.id
    assert (newest.state, newest.author_id) == (EntryState.DRAFT, cast.li_qiang.id)
    assert content.phrasings[-2:] == ("证件弄丢了咋整", "证件弄丢了找哪位")
    assert {row[0] for row in await taught(store)} == {Source.DESK_PHRASING}
    assert await desk(store, cast.li_qiang, now) == []
    # The words themselves stay as they were asked, and the ticket is still owed its answer.
    assert (await read(store, await of_row(store, rows[0]))).state is TicketState.UNASSIGNED


async def test_key_2_answers_those_who_wait_and_keeps_the_pair(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await no_540(store, cast, now)
    waiting = await miss(store, cast, now, "证件弄丢了咋整", who="1")
    held = await miss(store, cast, now, "证件弄丢了找谁", who="2")
    async with store.transaction() as session:
        found = await tickets.get(session, held.ticket_id)
        await tickets.take(session, found, actor=cast.wang_fang, now=now)
    async with store.transaction() as session:
        entry = await by_number(session, "K-0540")
        done = await missed_acts.point(
            session, [waiting.id, held.id], entry, actor=cast.li_qiang, hours=HOURS, now=now
        )
    assert (done.answered, done.left) == (1, 1)
    ticket = await of_row(store, waiting)
    assert (ticket.state, ticket.conclusion_version_id) == (TicketState.ANSWERED, version.id)
    async with store.reading() as session:
        (sent,) = (await session.scalars(select(Delivery))).all()
        entry = await by_number(session, "K-0540")
        assert sent.facts["text"] == version.short
        assert len(await versions(session, entry)) == 1
    assert ("证件弄丢了咋整", version.entry_id) in {row[1:] for row in await taught(store)}
    await undone(store, done.batch, cast.li_qiang, now)
    assert await taught(store) == []
    assert (await of_row(store, waiting)).state is TicketState.ANSWERED


async def test_key_2_by_an_editor_or_with_an_entry_that_needs_a_reviewer_leaves_the_tickets(
    store: Store, cast: Cast, now: datetime
) -> None:
    await no_540(store, cast, now, level=EntryLevel.STATUTORY)
    row = await miss(store, cast, now, "证件弄丢了咋整", who="1")
    async with store.transaction() as session:
        entry = await by_number(session, "K-0540")
        done = await missed_acts.point(session, [row.id], entry, actor=cast.li_qiang, hours=HOURS, now=now)
    assert (done.answered, done.left) == (0, 1)
    assert (await of_row(store, row)).state is TicketState.UNASSIGNED
    async with store.transaction() as session:
        await an_entry(session, cast, now, "K-0541", question="补证要带什么", phrasings=("补证带啥",) * 3)
        editor = Staff(name="冯一", unit_id=cast.district.id, roles=[Role.EDITOR.value], created_at=now)
        session.add(editor)
    more = await miss(store, cast, now, "补证材料有哪些", who="2")
    async with store.transaction() as session:
        entry = await by_number(session, "K-0541")
        done = await missed_acts.point(session, [more.id], entry, actor=editor, hours=HOURS, now=now)
    assert (done.answered, done.left) == (0, 1)


async def test_key_3_begins_an_entry_from_what_was_signed(store: Store, cast: Cast, now: datetime) -> None:
    rows = [await miss(store, cast, now, words, who=words[:5]) for words in FOURTEEN[:3]]
    ticket = await sign(store, cast, rows[1], now)
    async with store.transaction() as session:
        version = await missed_acts.to_entry(session, [row.id for row in rows], actor=cast.li_qiang, now=now)
    async with store.reading() as session:
        content = await content_of(session, await session.get_one(EntryVersion, version.id))
        batch = (await missed.decided_today(session, cast.li_qiang, now=now))[0].batch
    assert (content.short, content.basis) == (REPLY, ({"law": BASIS, "article": ""},))
    assert content.question == FOURTEEN[1]
    assert {FOURTEEN[0], FOURTEEN[2]} <= set(content.phrasings)
    assert (await read(store, ticket)).entry_created_id == version.entry_id
    assert await desk(store, cast.li_qiang, now) == []
    await undone(store, batch, cast.li_qiang, now)
    assert (await read(store, ticket)).entry_created_id is None
    assert await taught(store) == []
    assert await golden_questions(store) == []
    assert len((await desk(store, cast.li_qiang, now))[0]) == 3


async def test_key_3_without_an_answer_leaves_it_to_the_editor(
    store: Store, cast: Cast, now: datetime
) -> None:
    row = await miss(store, cast, now, OTHERS[0], who="1")
    async with store.transaction() as session:
        version = await missed_acts.to_entry(session, [row.id], actor=cast.li_qiang, now=now)
    assert (version.question, version.short, version.state) == (OTHERS[0], "", EntryState.DRAFT)
    async with store.transaction() as session:
        found = await session.get_one(EntryVersion, version.id)
        with pytest.raises(Invalid, match="entry_unready"):
            await entries.submit(session, found, actor=cast.li_qiang, now=now)


async def test_key_4_makes_a_question_that_nothing_may_answer(
    store: Store, cast: Cast, now: datetime
) -> None:
    row = await miss(store, cast, now, "小区车位怎么摇号", who="1")
    long = await miss(store, cast, now, "我家情况很复杂，" * 60, who="2")
    async with store.transaction() as session:
        batch = await missed_acts.dismiss(
            session, [row.id, long.id], OffTopic.OTHER_OFFICE, actor=cast.li_qiang, now=now
        )
    assert await golden_questions(store) == [("小区车位怎么摇号", "other_office")]
    assert await taught(store) == [(Source.DESK_DISMISSED, "小区车位怎么摇号", None)]
    assert (await of_row(store, row)).state is TicketState.UNASSIGNED
    assert await desk(store, cast.li_qiang, now) == []
    await undone(store, batch, cast.li_qiang, now)
    assert await golden_questions(store) == []
    assert await taught(store) == []
    assert len(await desk(store, cast.li_qiang, now)) == 2
