"""Taking back what a key of the missed-question desk did, and what every key press keeps."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from knowledge import entries, lessons
from knowledge.versions import Entry, EntryState, content_of, versions
from office import audit
from office.errors import Conflict, Invalid, NotFound
from office.store import Store
from tests.make import Cast
from tests.ticketing.misses import (
    desk,
    miss,
    no_540,
    phrasing,
    taught,
    undone,
)
from ticketing import missed_acts
from ticketing.ledgers import Enquiry
from ticketing.missed import MissDecision, MissKey, OffTopic

DAY = timedelta(days=1)


async def test_several_key_presses_gather_in_one_draft_and_each_is_taken_back_alone(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await no_540(store, cast, now)
    one = await miss(store, cast, now, "证件弄丢了咋整", who="1")
    other = await miss(store, cast, now, "卡片不见了怎么补", who="2")
    first = await phrasing(store, cast, now, [one])
    second = await phrasing(store, cast, now, [other])
    assert await undone(store, first, cast.li_qiang, now) is MissKey.PHRASING
    async with store.reading() as session:
        entry = await session.get_one(Entry, version.entry_id)
        newest = (await versions(session, entry))[0]
        assert (await content_of(session, newest)).phrasings[3:] == ("卡片不见了怎么补",)
    await undone(store, second, cast.li_qiang, now)
    async with store.reading() as session:
        newest = (await versions(session, await session.get_one(Entry, version.entry_id)))[0]
        assert newest.state is EntryState.RETIRED
    assert await taught(store) == []
    assert len(await desk(store, cast.li_qiang, now)) == 2


async def test_only_ones_own_of_today_is_taken_back(store: Store, cast: Cast, now: datetime) -> None:
    row = await miss(store, cast, now, "小区车位怎么摇号", who="1")
    async with store.transaction() as session:
        batch = await missed_acts.dismiss(session, [row.id], OffTopic.NEAR, actor=cast.li_qiang, now=now)
    with pytest.raises(NotFound, match="miss_unknown"):
        await undone(store, batch, cast.wang_fang, now)
    with pytest.raises(Conflict, match="miss_undo_late"):
        await undone(store, batch, cast.li_qiang, now + DAY)
    await undone(store, batch, cast.li_qiang, now + timedelta(hours=13))
    with pytest.raises(NotFound, match="miss_unknown"):
        await undone(store, batch, cast.li_qiang, now)


async def test_what_went_to_review_is_not_taken_back(store: Store, cast: Cast, now: datetime) -> None:
    version = await no_540(store, cast, now)
    batch = await phrasing(store, cast, now, [await miss(store, cast, now, "证件弄丢了咋整", who="1")])
    async with store.transaction() as session:
        newest = (await versions(session, await session.get_one(Entry, version.entry_id)))[0]
        await entries.submit(session, newest, actor=cast.li_qiang, now=now)
    with pytest.raises(Conflict, match="miss_moved_on"):
        await undone(store, batch, cast.li_qiang, now)


async def test_what_is_decided_is_not_decided_twice(store: Store, cast: Cast, now: datetime) -> None:
    row = await miss(store, cast, now, "小区车位怎么摇号", who="1")
    async with store.transaction() as session:
        await missed_acts.dismiss(session, [row.id], OffTopic.NEAR, actor=cast.li_qiang, now=now)
        with pytest.raises(Conflict, match="miss_gone"):
            await missed_acts.to_entry(session, [row.id], actor=cast.li_qiang, now=now)
        with pytest.raises(Invalid, match="miss_none_chosen"):
            await missed_acts.to_entry(session, [], actor=cast.li_qiang, now=now)
        elsewhere = await session.scalar(select(Enquiry.id).limit(1))
        with pytest.raises(Conflict, match="miss_gone"):
            await missed_acts.to_entry(session, [elsewhere], actor=cast.zhao_lei, now=now)


async def test_every_act_keeps_the_words_and_the_person(store: Store, cast: Cast, now: datetime) -> None:
    row = await miss(store, cast, now, "小区车位怎么摇号", who="1")
    async with store.transaction() as session:
        batch = await missed_acts.dismiss(session, [row.id], OffTopic.ABUSE, actor=cast.li_qiang, now=now)
    async with store.reading() as session:
        (kept,) = (await session.scalars(select(MissDecision))).all()
        told, _ = await audit.listed(session, subject=f"missed:{batch}")
        assert (await session.get_one(Enquiry, kept.enquiry_id)).words == "小区车位怎么摇号"
        assert await lessons.newest(session) > 0
    assert (kept.staff_id, kept.key, kept.off_topic) == (cast.li_qiang.id, MissKey.OFF_TOPIC, "abuse")
    assert [(one.action, one.facts) for one in told] == [("missed.off_topic", {"count": 1, "why": "abuse"})]
