"""What a correction says where the short answer stayed the same, and who needs none any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from knowledge import answer, entries, golden
from knowledge.versions import Alteration, Entry, EntryVersion
from office import audit, contacts
from office.contacts import Channel, Contact
from office.store import Store
from tests.make import HOURS, Cast, an_entry, content, publish
from tests.ticketing.work import taken
from ticketing import recall_proposals, recalling, recalls, tickets
from ticketing.recalls import Recall, Recalled

DAY = timedelta(days=1)
LONG = "登记站当场核对。" * 300


@pytest.fixture(autouse=True)
def no_golden_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate before a publication has tests of its own."""
    monkeypatch.setattr(golden, "shipped", lambda: ())


async def first(store: Store, cast: Cast, now: datetime, **parts: Any) -> EntryVersion:
    async with store.transaction() as session:
        return await an_entry(session, cast, now, **parts)


async def changed(
    store: Store, cast: Cast, before: EntryVersion, now: datetime, **parts: Any
) -> tuple[EntryVersion, Recall | None]:
    """李强 writes a new version of substance, 王芳 publishes it."""
    async with store.transaction() as session:
        entry = await session.get_one(Entry, before.entry_id)
        found = await entries.draft(
            session, content(cast, **parts), actor=cast.li_qiang, now=now, entry=entry
        )
        await entries.submit(session, found, actor=cast.li_qiang, now=now, alteration=Alteration.SUBSTANTIVE)
        await publish(session, found, actor=cast.wang_fang, now=now)
        return found, await recall_proposals.published(session, found, now=now)


async def told(store: Store, version: EntryVersion, address: str, at: datetime) -> Contact:
    async with store.transaction() as session:
        asker = await contacts.seen(session, Channel.TELEGRAM, address, now=at)
        session.add(answer.AnswerGiven(contact_id=asker.id, entry_version_id=version.id, at=at))
    return asker


async def send(store: Store, cast: Cast, recall: Recall, now: datetime) -> set[int | None]:
    """王芳 lets it go out; who is corrected."""
    async with store.transaction() as session:
        found = await recalling.get(session, recall.id, actor=cast.wang_fang)
        await recalling.send(session, found, seen=found.version, actor=cast.wang_fang, now=now)
    async with store.reading() as session:
        rows = await session.scalars(select(Recalled.contact_id).where(Recalled.recall_id == recall.id))
        return set(rows)


@pytest.mark.parametrize(
    ("old", "new", "was", "becomes"),
    [
        ({"full": "三天内补。"}, {"full": "五天内补。"}, "详细说明：三天内补。", "详细说明：五天内补。"),
        (
            {"steps": ("打电话", "到站里")}, {"steps": ("打电话", "在家等")},
            "步骤：1. 打电话 2. 到站里", "步骤：1. 打电话 2. 在家等",
        ),
        ({}, {"documents": ("身份证", "户口簿")}, "要带：（没有说到）", "要带：身份证、户口簿"),
        ({"confirmed": False}, {}, "以区选举委员会公告为准", "已确认"),
        (
            {}, {"basis": ({"law": "选举法", "article": "第二十八条"},)},
            "实施细则第二十七条", "依据：选举法第二十八条",
        ),
    ],
)  # fmt: skip
async def test_the_part_that_differs_is_named(
    store: Store, cast: Cast, now: datetime, old: dict[str, Any], new: dict[str, Any], was: str, becomes: str
) -> None:
    version = await first(store, cast, now, **old)
    _, recall = await changed(store, cast, version, now, **new)
    assert recall is not None
    assert was in recall.old_text
    assert becomes in recall.new_text
    assert recall.old_text.startswith("【选民证丢了怎么办？】")
    assert recall.new_text.startswith("【选民证丢了怎么办？】")


async def test_a_long_part_is_cut_around_what_differs(store: Store, cast: Cast, now: datetime) -> None:
    version = await first(store, cast, now, full=f"{LONG}三天内补。{LONG}")
    _, recall = await changed(store, cast, version, now, full=f"{LONG}五天内补。{LONG}")
    assert recall is not None
    assert "：…三天内补。" in recall.old_text
    assert "：…五天内补。" in recall.new_text
    assert recall.new_text.endswith("…")
    # Both stand in one message, with the basis and the words around them.
    assert max(len(recall.old_text), len(recall.new_text)) < 1400
    version = await first(store, cast, now, no="K-0541", full="一" * 3000)
    _, recall = await changed(store, cast, version, now, full="一" * 3000 + "二")
    assert recall is not None
    assert recall.new_text.endswith("一二")
    assert recall.old_text != recall.new_text


async def test_where_people_read_the_same_nobody_is_corrected_until_they_do_not(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await first(store, cast, now, full="问{{ office.phone }}。")
    asker = await told(store, version, "6001", now)
    phone = (await recall_words(store, version, cast, now)).removeprefix("问").removesuffix("。")
    same, recall = await changed(store, cast, version, now, full=f"问{phone}。")
    assert recall is None
    async with store.reading() as session:
        assert (await session.scalars(select(Recall))).all() == []
        lines, _ = await audit.listed(
            session, subject=f"entry_version:{same.id}", action="recall.needless", limit=1
        )
    assert lines[0].facts["version"] == 2
    _, recall = await changed(store, cast, version, now + DAY, full="不用问。")
    assert recall is not None
    assert await send(store, cast, recall, now + DAY) == {asker.id}


async def recall_words(store: Store, version: EntryVersion, cast: Cast, now: datetime) -> str:
    async with store.reading() as session:
        found = await answer.published(session, version.entry_id, office=cast.district, now=now)
        assert found is not None
        return found.full


async def test_who_has_asked_again_and_read_the_new_wording_is_left_alone(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await first(store, cast, now, short="十五日内可以申诉。")
    again = await told(store, version, "6001", now)
    once = await told(store, version, "6002", now)
    back = await told(store, version, "6003", now)
    await told(store, version, "6004", now)
    async with store.transaction() as session:
        session.add(answer.AnswerGiven(contact_id=cast.zhang_min.id, entry_version_id=version.id, at=now))
    newer, recall = await changed(store, cast, version, now + DAY, short="五日内可以申诉。")
    assert recall is not None
    other = await first(store, cast, now, no="K-0541")
    await told(store, newer, "6001", now + 2 * DAY)
    await told(store, other, "6002", now + 2 * DAY)
    await told(store, newer, "6003", now + 2 * DAY)
    await told(store, version, "6003", now + 3 * DAY)
    # An officer's answer tells it as well.
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.answer(
            session, found, "五日内可以申诉。", newer, actor=cast.li_qiang, hours=HOURS, now=now + 2 * DAY
        )
    # Who has read a still newer wording is not told the one between.
    newest, later = await changed(store, cast, version, now + 4 * DAY, short="三日内可以申诉。")
    await told(store, newest, "6004", now + 4 * DAY)
    assert later is not None
    assert await send(store, cast, recall, now + 4 * DAY) == {once.id, back.id}
    assert await send(store, cast, later, now + 4 * DAY) == {again.id, back.id, cast.zhang_min.id}


async def test_by_hand_everybody_is_corrected(store: Store, cast: Cast, now: datetime) -> None:
    version = await first(store, cast, now)
    asker = await told(store, version, "6001", now)
    async with store.transaction() as session:
        entry = await session.get_one(Entry, version.entry_id)
        recall = await recall_proposals.propose(
            session, entry, "以公告为准。", "说错了", actor=cast.wang_fang, now=now
        )
        assert await recalls.gather(session, recall) == 1
        recall.proposed_by_id = cast.li_qiang.id
    assert await send(store, cast, recall, now) == {asker.id}
