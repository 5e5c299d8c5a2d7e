"""What is due to be looked at again, whose it is, and that it is written down once."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from knowledge import entries, health, reviews
from knowledge.reviews import Review, Reviewed
from knowledge.versions import EntryVersion, by_number, get_version
from office import audit, changes, staff
from office.changes import Change, ChangeKind
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.hours import beijing_day
from office.staff import Staff
from office.store import Store
from tests.make import Cast, an_entry

TODAY = date(2026, 11, 20)
E, C = Reviewed.ENTRY_VERSION, Reviewed.CHANGE


def ahead(days: int) -> date:
    return TODAY + timedelta(days=days)


async def written_by(
    store: Store, cast: Cast, now: datetime, author: Staff | None, no: str = "K-0540", **more: Any
) -> EntryVersion:
    async with store.transaction() as session:
        version = await an_entry(session, cast, now, no, **more)
        version.author_id = author.id if author else None
        await session.flush()
    return version


async def a_change(
    store: Store, cast: Cast, now: datetime, review_on: date | None = None, **more: Any
) -> Change:
    """李强 proposes working hours, 王芳 signs them."""
    async with store.transaction() as session:
        fields: dict[str, Any] = {"scope": cast.district, "actor": cast.li_qiang, "basis": "会议纪要"}
        change = await changes.propose(
            session, ChangeKind.HOURS, "hours", {"weekly": {}}, now=now, review_on=review_on,
            **(fields | more),
        )  # fmt: skip
        await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=now)
    return change


async def listed(store: Store, person: Staff, today: date = TODAY) -> list[Review]:
    async with store.reading() as session:
        return await reviews.upcoming(session, person, today=today)


async def due(store: Store, person: Staff, today: date = TODAY) -> int:
    async with store.reading() as session:
        return await reviews.count_due(session, person, today=today)


async def look(
    store: Store, row: EntryVersion | Change, actor: Staff, now: datetime, *, next_on: date, seen: int = 0
) -> None:
    what = C if isinstance(row, Change) else E
    async with store.transaction() as session:
        await reviews.looked_at(
            session, what, row.id, next_on=next_on, seen=seen or row.version, actor=actor, now=now
        )


async def test_overdue_and_two_weeks_ahead_are_listed_by_day(store: Store, cast: Cast, now: datetime) -> None:
    for no, days in (("K-0540", 15), ("K-0541", 14), ("K-0542", 0), ("K-0543", -400)):
        await written_by(store, cast, now, None, no, review_on=ahead(days))
    await written_by(store, cast, now, None, "K-0544")
    change = await a_change(store, cast, now, ahead(3))
    found = await listed(store, cast.wang_fang)
    assert [(one.name, (one.due - TODAY).days) for one in found] == [
        ("K-0543", -400), ("K-0542", 0), ("hours", 3), ("K-0541", 14),
    ]  # fmt: skip
    assert (found[2].what, found[2].page_id, found[2].title) == (C, change.id, "会议纪要")


async def test_what_belongs_to_somebody_gone_belongs_to_the_group(
    store: Store, cast: Cast, now: datetime
) -> None:
    for no, author in (("K-0540", cast.li_qiang), ("K-0541", cast.sun_jie), ("K-0542", None)):
        await written_by(store, cast, now, author, no, review_on=TODAY, group="秘书组")
    owners = {one.name: (one.owner_id, one.owner) for one in await listed(store, cast.wang_fang)}
    assert owners == {
        "K-0540": (cast.li_qiang.id, "李强"),
        "K-0541": (None, "秘书组"),
        "K-0542": (None, "秘书组"),
    }


async def test_the_number_is_the_owner_s_and_of_what_nobody_owns_the_signer_s(
    store: Store, cast: Cast, now: datetime
) -> None:
    await written_by(store, cast, now, cast.li_qiang, "K-0540", review_on=TODAY)
    await written_by(store, cast, now, cast.li_qiang, "K-0541", review_on=ahead(1))
    await written_by(store, cast, now, cast.sun_jie, "K-0542", review_on=ahead(-1))
    await a_change(store, cast, now, TODAY)
    assert await due(store, cast.li_qiang) == 2
    assert await due(store, cast.li_qiang, ahead(1)) == 3
    assert await due(store, cast.wang_fang) == 1
    assert await due(store, cast.zhao_lei) == 0
    assert await due(store, cast.zhou_ning) == 0
    assert await due(store, cast.sun_jie) == 0


async def test_only_what_is_in_force_is_due(store: Store, cast: Cast, now: datetime) -> None:
    await written_by(store, cast, now, None, "K-0540", review_on=TODAY)
    await a_change(store, cast, now, TODAY)
    await a_change(store, cast, now, None)
    async with store.transaction() as session:
        entry = await by_number(session, "K-0540")
        await entries.retire(session, entry, actor=cast.wang_fang, now=now)
    assert await listed(store, cast.wang_fang) == []
    passed = await a_change(store, cast, now, TODAY, effective_until=TODAY)
    assert [one.row_id for one in await listed(store, cast.wang_fang)] == [passed.id]
    assert await listed(store, cast.wang_fang, ahead(1)) == []
    assert await due(store, cast.li_qiang, ahead(1)) == 0


async def test_a_later_change_that_does_not_hold_yet_leaves_the_earlier_one_due(
    store: Store, cast: Cast, now: datetime
) -> None:
    change = await a_change(store, cast, now, TODAY)
    await a_change(store, cast, now, None, effective_from=ahead(9))
    assert [one.row_id for one in await listed(store, cast.wang_fang)] == [change.id]


async def test_a_town_sees_its_own_reviews(store: Store, cast: Cast, now: datetime) -> None:
    await written_by(store, cast, now, None, "K-0540", review_on=TODAY)
    await written_by(store, cast, now, None, "K-0541", review_on=TODAY, scope_unit_id=cast.north.id)
    assert [one.name for one in await listed(store, cast.zhao_lei)] == ["K-0541"]


@pytest.mark.parametrize("who", ["li_qiang", "wang_fang"])
async def test_its_owner_or_a_reviewer_says_that_it_holds(
    store: Store, cast: Cast, now: datetime, who: str
) -> None:
    version = await written_by(store, cast, now, cast.li_qiang, review_on=ahead(-2))
    await look(store, version, getattr(cast, who), now, next_on=ahead(90))
    async with store.reading() as session:
        found = await get_version(session, version.id)
        (line,), _ = await audit.listed(session, action="entry_version.looked_at")
    assert (found.review_on, found.short) == (ahead(90), version.short)
    assert line.subject == f"entry_version:{version.id}"
    assert line.facts == {"before": "2026-11-18", "next": ahead(90).isoformat(), "number": 1}
    assert await listed(store, cast.wang_fang) == []


async def test_a_change_is_looked_at_in_the_same_way(store: Store, cast: Cast, now: datetime) -> None:
    change = await a_change(store, cast, now, TODAY)
    await look(store, change, cast.li_qiang, now, next_on=ahead(30))
    async with store.reading() as session:
        found = await changes.get(session, change.id)
    assert (found.review_on, found.content) == (ahead(30), {"weekly": {}})


async def test_who_neither_wrote_nor_signs_does_not_say_so(store: Store, cast: Cast, now: datetime) -> None:
    version = await written_by(store, cast, now, cast.li_qiang, review_on=TODAY)
    change = await a_change(store, cast, now, TODAY)
    for person in (cast.zhou_ning, cast.zhao_lei):
        for row in (version, change):
            with pytest.raises(NotPermitted):
                await look(store, row, person, now, next_on=ahead(9))
    async with store.transaction() as session:
        gone = await staff.get(session, cast.li_qiang.id)
        await staff.suspend(session, gone, actor=cast.zhou_ning, now=now)
    with pytest.raises(NotPermitted):
        await look(store, version, gone, now, next_on=ahead(9))


async def test_the_next_day_is_ahead_and_the_page_is_the_present_one(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await written_by(store, cast, now, cast.li_qiang, review_on=TODAY)
    for day in (TODAY, ahead(-1)):
        with pytest.raises(Invalid, match="review_past"):
            await look(store, version, cast.li_qiang, now, next_on=day)
    read = version.version
    await look(store, version, cast.li_qiang, now, next_on=ahead(1))
    with pytest.raises(Conflict, match="stale_card"):
        await look(store, version, cast.li_qiang, now, next_on=ahead(2), seen=read)
    async with store.transaction() as session:
        entry = await by_number(session, "K-0540")
        await entries.retire(session, entry, actor=cast.wang_fang, now=now)
        present = (await get_version(session, version.id)).version
    with pytest.raises(Conflict, match="stale_card"):
        await look(store, version, cast.li_qiang, now, next_on=ahead(2), seen=present)
    async with store.transaction() as session:
        for what in Reviewed:
            with pytest.raises(NotFound):
                await reviews.looked_at(
                    session, what, 404, next_on=ahead(1), seen=1, actor=cast.wang_fang, now=now
                )


async def lines(store: Store) -> list[tuple[str, str]]:
    async with store.reading() as session:
        found = [
            line
            for action in ("entry_version.review_due", "change.review_due")
            for line in (await audit.listed(session, action=action))[0]
        ]
        assert (await audit.verify(session))[1] is None
    return sorted((line.facts["name"], line.facts["due"]) for line in found)


async def test_what_falls_due_is_written_down_once_however_many_processes_look(
    store: Store, cast: Cast, now: datetime
) -> None:
    await written_by(store, cast, now, cast.li_qiang, "K-0540", review_on=TODAY)
    await written_by(store, cast, now, None, "K-0541", review_on=ahead(1))
    await a_change(store, cast, now, ahead(-3))

    async def look_after(at: datetime) -> None:
        async with store.transaction() as session:
            await health.note(session, now=at)

    await asyncio.gather(*(look_after(now) for _ in range(3)))
    first = [("K-0540", "2026-11-20"), ("hours", "2026-11-17")]
    assert await lines(store) == first
    midnight = datetime.fromisoformat("2026-11-21T00:00+08:00")
    await look_after(midnight - timedelta(seconds=1))
    assert await lines(store) == first
    await asyncio.gather(*(look_after(midnight) for _ in range(3)))
    tomorrow = sorted([*first, ("K-0541", "2026-11-21")])
    assert await lines(store) == tomorrow
    await look_after(midnight + timedelta(days=9))
    assert await lines(store) == tomorrow


async def test_a_new_day_of_review_is_written_down_anew(store: Store, cast: Cast, now: datetime) -> None:
    version = await written_by(store, cast, now, cast.li_qiang, review_on=TODAY)
    async with store.transaction() as session:
        assert await reviews.note_due(session, now=now) == 1
    await look(store, version, cast.li_qiang, now, next_on=ahead(30))
    async with store.transaction() as session:
        assert await reviews.note_due(session, now=now + timedelta(days=29)) == 0
        assert await reviews.note_due(session, now=now + timedelta(days=31)) == 1
    assert [day for _, day in await lines(store)] == ["2026-11-20", "2026-12-20"]
    assert beijing_day(now) == TODAY
