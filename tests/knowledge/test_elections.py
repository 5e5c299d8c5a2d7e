"""The calendar in force: proposed, looked at, signed by a second person, told to whoever asked, undone."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from knowledge import elections, reminders
from knowledge.calendar import BadCalendar, DateKind
from knowledge.reminders import ALL, Reminder, What
from office import contacts
from office.changes import Change, ChangeState
from office.contacts import Channel, Contact, ContactState
from office.errors import Conflict, Invalid, NotPermitted
from office.outbox import Delivery
from office.staff import Role, Staff
from office.store import Store
from tests.make import CALENDAR, Cast, an_entry

K = DateKind
# A Wednesday; the deadlines that follow from it fall on workdays, but for two.
MOVED = {**CALENDAR, "day": "2026-12-30"}
REASON = "选举委员会第3次会议决定，期限不因休息日顺延"


@pytest.fixture
async def editor(store: Store, cast: Cast, now: datetime) -> Staff:
    """张华 drafts rules; 王芳 signs them."""
    async with store.transaction() as session:
        found = Staff(
            name="张华",
            unit_id=cast.district.id,
            roles=[Role.EDITOR.value],
            created_at=now - timedelta(days=9),
        )
        session.add(found)
    return found


async def proposed(
    store: Store, editor: Staff, now: datetime, content: dict[str, Any] = MOVED, reason: str = REASON
) -> Change:
    async with store.transaction() as session:
        return await elections.propose(
            session, content, basis="区选委会公告第2号", reason=reason, actor=editor, now=now
        )


async def signed(store: Store, cast: Cast, change: Change, now: datetime) -> None:
    async with store.transaction() as session:
        row = await session.get_one(Change, change.id)
        await elections.sign(session, row, seen=row.version, actor=cast.wang_fang, now=now)


async def subscribed(store: Store, now: datetime, *addresses: str) -> list[Contact]:
    found = []
    async with store.transaction() as session:
        for address in addresses:
            contact = await contacts.seen(session, Channel.TELEGRAM, address, now=now)
            dates = await elections.spans(session, now)
            await reminders.wish(session, contact, *ALL, dates=dates, now=now)
            found.append(contact)
    return found


async def told(store: Store) -> list[Delivery]:
    async with store.reading() as session:
        rows = await session.scalars(
            select(Delivery).where(Delivery.kind == reminders.MOVED).order_by(Delivery.contact_id)
        )
        return list(rows)


async def test_without_a_calendar_there_is_no_day(store: Store, now: datetime) -> None:
    async with store.reading() as session:
        assert await elections.spans(session, now) == {}
        assert await elections.in_force(session, date(2026, 11, 20)) is None


async def test_the_calendar_in_force_is_the_signed_one(
    store: Store, cast: Cast, editor: Staff, now: datetime
) -> None:
    change = await proposed(store, editor, now)
    async with store.reading() as session:
        assert (await elections.spans(session, now))[K.DAY][0].first == date(2026, 12, 29)
    await signed(store, cast, change, now)
    async with store.reading() as session:
        found = await elections.spans(session, now)
    assert found[K.DAY][0].first == date(2026, 12, 30)
    assert found[K.LIST_POSTED][0].first == date(2026, 12, 10)
    assert found[K.AGE_LINE][0].first == date(2008, 12, 30)


async def test_the_basis_keeps_the_reason(store: Store, editor: Staff, now: datetime) -> None:
    change = await proposed(store, editor, now)
    assert change.basis == f"区选委会公告第2号（{REASON}）"
    assert change.content["day"] == "2026-12-30"


async def test_who_may_not_draft_is_refused_and_the_author_does_not_sign(
    store: Store, cast: Cast, editor: Staff, now: datetime
) -> None:
    with pytest.raises(NotPermitted):
        await proposed(store, cast.zhao_lei, now)  # of another unit
    change = await proposed(store, editor, now)
    async with store.transaction() as session:
        row = await session.get_one(Change, change.id)
        with pytest.raises(NotPermitted):
            await elections.sign(session, row, seen=row.version, actor=editor, now=now)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"day": "2026-11-19"}, "day"),
        ({"region": "atlantis"}, "region"),
        ({"posted": {"list_posted": "2026-12-10"}, "day": "2026-12-29"}, "posted.list_posted"),
    ],
)
async def test_a_contradictory_calendar_is_refused_with_its_place(
    store: Store, editor: Staff, now: datetime, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadCalendar) as refused:
        await proposed(store, editor, now, {**MOVED, "windows": [], **changes})
    assert refused.value.facts["field"] == field


async def test_what_is_doubtful_needs_a_reason_but_not_again(
    store: Store, cast: Cast, editor: Staff, now: datetime
) -> None:
    doubtful = {**CALENDAR, "day": "2027-01-05"}  # the list would be amended on a Sunday
    with pytest.raises(Invalid) as refused:
        await proposed(store, editor, now, doubtful, reason=" ")
    assert refused.value.key == "calendar.reason_needed"
    await signed(store, cast, await proposed(store, editor, now, doubtful), now)
    longer = {**doubtful, "voting_days": 2}
    assert (await proposed(store, editor, now, longer, reason="")).state is ChangeState.PROPOSED


async def test_moving_the_day_after_the_list_is_out_needs_a_reason(
    store: Store, cast: Cast, editor: Staff, now: datetime
) -> None:
    out = {**CALENDAR, "posted": {"list_posted": "2026-11-19"}}
    await signed(store, cast, await proposed(store, editor, now, out), now)
    async with store.reading() as session:
        found = await elections.preview(session, {**out, "day": "2027-01-12"}, now)
    assert ("day", "calendar.day_after_list") in [(doubt.field, doubt.key) for doubt in found.doubts]


async def test_a_calendar_that_has_come_to_contradict_the_day_is_not_signed(
    store: Store, cast: Cast, editor: Staff, now: datetime
) -> None:
    change = await proposed(store, editor, now)
    with pytest.raises(BadCalendar):
        await signed(store, cast, change, now + timedelta(days=60))
    async with store.reading() as session:
        assert (await session.get_one(Change, change.id)).state is ChangeState.PROPOSED


# --- the preview ------------------------------------------------------------------------------------


async def test_the_preview_shows_all_dates_before_and_after(
    store: Store, cast: Cast, editor: Staff, now: datetime
) -> None:
    await subscribed(store, now, "7001", "7002")
    async with store.transaction() as session:
        await an_entry(session, cast, now, "K-0600", short="投票：{{ cal.voting }}。")
        await an_entry(session, cast, now, "K-0601", question="怎么填？", short="照样填。")
        await an_entry(session, cast, now, "K-0602", question="登记到几时？", full="{{ cal.registration }}")
    async with store.reading() as session:
        found = await elections.preview(session, MOVED, now)
    moves = {(move.kind, move.audience): move for move in found.moves}
    assert {kind for kind, _ in moves} == set(DateKind)
    assert not moves[K.REGISTRATION, "居民登记"].moved
    voting = moves[K.VOTING, ""]
    assert voting.before is not None
    assert voting.after is not None
    assert (voting.before.first, voting.after.first) == (date(2026, 12, 29), date(2026, 12, 30))
    assert (found.subscribers, found.entries) == (2, 1)


async def test_nothing_would_change_by_the_calendar_in_force(store: Store, cast: Cast, now: datetime) -> None:
    await subscribed(store, now, "7001")
    async with store.reading() as session:
        found = await elections.preview(session, CALENDAR, now)
    assert not any(move.moved for move in found.moves)
    assert (found.subscribers, found.entries, found.doubts) == (0, 0, ())


# --- who is told ------------------------------------------------------------------------------------


async def test_each_subscriber_is_told_once_of_what_moved(
    store: Store, cast: Cast, editor: Staff, now: datetime
) -> None:
    people = await subscribed(store, now, "7001", "7002", "7003")
    async with store.transaction() as session:
        silent, lost = [await session.get_one(Contact, person.id) for person in people[1:]]
        silent.state, lost.state = ContactState.SILENCED, ContactState.LOST
    change = await proposed(store, editor, now)
    await signed(store, cast, change, now)
    (delivery,) = await told(store)
    assert delivery.contact_id == people[0].id
    moves = {move["kind"]: (move["old"]["first"], move["new"]["first"]) for move in delivery.facts["moves"]}
    assert moves == {
        "list_posted": ("2026-12-09", "2026-12-10"),
        "voting": ("2026-12-29", "2026-12-30"),
    }
    # Said a second time, nothing happens: neither to the change nor to anybody who was told.
    with pytest.raises(Conflict):
        await signed(store, cast, change, now)
    async with store.transaction() as session:
        again = (await elections.preview(session, CALENDAR, now)).moves
        args = {"key": f"calendar:{change.id}", "subject": f"change:{change.id}", "now": now}
        assert await reminders.tell_moves(session, again, **args) == 0
    assert len(await told(store)) == 1


async def test_two_processes_sign_and_everybody_is_told_once(
    store: Store, cast: Cast, editor: Staff, now: datetime
) -> None:
    await subscribed(store, now, *(str(7000 + number) for number in range(20)))
    change = await proposed(store, editor, now)
    other = Store(store.url)
    try:
        results = await asyncio.gather(
            signed(store, cast, change, now), signed(other, cast, change, now), return_exceptions=True
        )
    finally:
        await other.close()
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]
    assert len(await told(store)) == 20


async def test_a_list_posted_in_time_has_not_moved(
    store: Store, cast: Cast, editor: Staff, now: datetime
) -> None:
    await subscribed(store, now, "7001")
    posted = {**CALENDAR, "posted": {"list_posted": "2026-12-08"}}
    await signed(store, cast, await proposed(store, editor, now, posted), now)
    assert await told(store) == []


async def test_undoing_tells_that_the_days_are_the_old_ones(
    store: Store, cast: Cast, editor: Staff, now: datetime
) -> None:
    await subscribed(store, now, "7001")
    change = await proposed(store, editor, now)
    await signed(store, cast, change, now)
    async with store.transaction() as session:
        row = await session.get_one(Change, change.id)
        await elections.undo(session, row, actor=cast.wang_fang, now=now)
    async with store.reading() as session:
        assert (await elections.spans(session, now))[K.DAY][0].first == date(2026, 12, 29)
    first, second = await told(store)
    assert [move["new"]["first"] for move in second.facts["moves"]] == ["2026-12-09", "2026-12-29"]
    assert first.key != second.key


async def test_who_waits_for_dates_is_told_as_soon_as_there_are_any(
    store: Store, cast: Cast, editor: Staff, now: datetime
) -> None:
    async with store.transaction() as session:
        await session.execute(delete(Change))
        contact = await session.get_one(Contact, cast.zhang_min.id)
        await reminders.wish(session, contact, What.PUBLISHED, dates={}, now=now)
        await reminders.wish(session, contact, What.PUBLISHED, dates={}, now=now)
    await signed(store, cast, await proposed(store, editor, now, CALENDAR), now)
    (delivery,) = await told(store)
    assert [move["old"] for move in delivery.facts["moves"]] == [None, None, None]
    async with store.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Reminder)) == 0


async def test_moving_election_day_lets_those_register_who_turn_eighteen(
    store: Store, cast: Cast, editor: Staff, now: datetime
) -> None:
    await signed(store, cast, await proposed(store, editor, now, {**CALENDAR, "day": "2027-03-01"}), now)
    async with store.reading() as session:
        assert (await elections.spans(session, now))[K.AGE_LINE][0].first == date(2009, 3, 1)
