"""Entries that change with a work tip: in the same transaction, at its time, or not at all."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from knowledge import answer, entries, golden, tip_drafts, tip_moves
from knowledge.tips import TipEntry, TipSecrecy, TipState, WorkTip
from knowledge.versions import Entry, EntryState, EntryVersion
from office import audit, contacts, notices, staff
from office.contacts import Channel
from office.errors import Conflict, Invalid, NotPermitted
from office.staff import Staff
from office.store import Store
from office.units import Unit
from tests import make
from tests.make import Cast
from tests.ticketing.tip_world import check, drafted, read, released, rewording, signed, submitted, tip
from ticketing import recall_proposals, tip_effect, tip_release
from ticketing.recalls import Recall

HOUR = timedelta(hours=1)
NEW = "居住证按累计月数计算，由登记站核对后告诉您。"


@pytest.fixture(autouse=True)
def no_golden_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate before a publication has tests of its own, and lets everything pass here."""
    monkeypatch.setattr(golden, "shipped", lambda: ())
    monkeypatch.setattr("knowledge.replay.Comparison.passed", property(lambda found: True))


async def two_entries(store: Store, cast: Cast, now: datetime) -> list[tuple[EntryVersion, EntryVersion]]:
    """Two entries with a next version each, both checked against one base; somebody was told the first."""
    made = [await rewording(store, cast, no, NEW, now, checked=False) for no in ("K-0541", "K-0542")]
    for _, new in made:
        await check(store, cast, new, now)
    async with store.transaction() as session:
        asker = await contacts.seen(session, Channel.TELEGRAM, "6001", now=now)
        session.add(answer.AnswerGiven(contact_id=asker.id, entry_version_id=made[0][0].id, at=now))
    return made


async def states(store: Store, rows: list[tuple[EntryVersion, EntryVersion]]) -> list[tuple[str, str]]:
    async with store.reading() as session:
        found = [[await session.get_one(EntryVersion, row.id) for row in pair] for pair in rows]
    return [(old.state.value, new.state.value) for old, new in found]


async def recalls(store: Store) -> list[Recall]:
    async with store.reading() as session:
        return list((await session.scalars(select(Recall).order_by(Recall.id))).all())


async def took_effect(store: Store, at: datetime) -> int:
    async with store.transaction() as session:
        return await tip_effect.take_effect(session, now=at)


BEFORE = [("published", "in_review")] * 2
AFTER = [("retired", "published")] * 2


async def test_all_entries_change_with_the_release_and_their_recalls_are_proposed(
    store: Store, cast: Cast, now: datetime
) -> None:
    rows = await two_entries(store, cast, now)
    made = await submitted(store, cast, now, entries=tuple(new.id for _, new in rows))
    assert await states(store, rows) == BEFORE
    found = await signed(store, cast, made, now)
    assert found.in_effect_at == now
    assert await states(store, rows) == AFTER
    assert [recall.new_version_id for recall in await recalls(store)] == [new.id for _, new in rows]
    async with store.reading() as session:
        assert (await audit.verify(session))[1] is None
        told, _ = await audit.listed(session, subject=f"work_tip:{made.id}", action="work_tip.in_effect")
    assert told[0].facts["entries"] == ["K-0541", "K-0542"]


async def test_what_fails_at_the_end_leaves_nothing_behind(
    store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second recall cannot be written: no number, no entry, no recall, no line of the audit."""
    rows = await two_entries(store, cast, now)
    made = await submitted(store, cast, now, entries=tuple(new.id for _, new in rows))
    published, calls = recall_proposals.published, []

    async def failing(*args: object, **more: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the disk is full")
        return await published(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(recall_proposals, "published", failing)
    async with store.reading() as session:
        lines = await audit.verify(session)
    with pytest.raises(RuntimeError, match="the disk is full"):
        await signed(store, cast, made, now)
    found = await read(store, made)
    assert (found.state, found.issue_no, found.releaser_id) == (TipState.IN_REVIEW, None, None)
    assert (await states(store, rows), await recalls(store)) == (BEFORE, [])
    async with store.reading() as session:
        assert await audit.verify(session) == lines
    monkeypatch.undo()
    monkeypatch.setattr("knowledge.replay.Comparison.passed", property(lambda found: True))
    assert (await signed(store, cast, made, now)).issue_no == 1


async def test_without_a_check_that_holds_nothing_is_released_now_or_for_later(
    store: Store, cast: Cast, now: datetime
) -> None:
    _, new = await rewording(store, cast, "K-0541", NEW, now, checked=False)
    for later in (None, now + HOUR):
        made = await submitted(store, cast, now, entries=(new.id,), effective_from=later)
        with pytest.raises(Conflict, match="check_needed"):
            await signed(store, cast, made, now)
        assert (await read(store, made)).state is TipState.IN_REVIEW


async def test_at_its_time_one_of_several_workers_brings_it_into_force(
    store: Store, cast: Cast, now: datetime
) -> None:
    rows = await two_entries(store, cast, now)
    begins = now + HOUR
    versions = tuple(new.id for _, new in rows)
    made = await released(store, cast, now, entries=versions, effective_from=begins)
    bare = await released(store, cast, now, effective_from=begins)
    assert (made.in_effect_at, await states(store, rows)) == (None, BEFORE)
    assert await took_effect(store, begins - timedelta(seconds=1)) == 0
    assert sum(await asyncio.gather(*(took_effect(store, begins) for _ in range(3)))) == 2
    assert await states(store, rows) == AFTER
    assert len(await recalls(store)) == 2
    assert [(await read(store, row)).in_effect_at for row in (made, bare)] == [begins, begins]
    assert await took_effect(store, begins + HOUR) == 0
    with pytest.raises(Conflict, match="stale_card"):
        await by_reviewer(store, made, cast.wang_fang, begins)


async def test_a_check_gone_stale_publishes_nothing_until_it_is_made_again(
    store: Store, cast: Cast, now: datetime
) -> None:
    rows = await two_entries(store, cast, now)
    begins = now + HOUR
    versions = tuple(new.id for _, new in rows)
    made = await released(store, cast, now, entries=versions, effective_from=begins)
    other = await released(store, cast, now, effective_from=begins)
    async with store.transaction() as session:
        await make.an_entry(session, cast, now, no="K-0599", question="另外一条口径怎么办？")
    with pytest.raises(Conflict, match="tip_not_due"):
        await by_reviewer(store, made, cast.wang_fang, now)
    for minute in range(3):
        assert await took_effect(store, begins + timedelta(minutes=minute)) == (minute == 0)
    waiting = await read(store, made)
    # Nothing speaks against it: the check is made again aside (`bot.effects`), and nobody is bothered.
    assert (waiting.in_effect_at, waiting.stale_at) == (None, None)
    assert (await read(store, other)).in_effect_at == begins
    assert (await states(store, rows), await recalls(store)) == (BEFORE, [])
    async with store.reading() as session:
        kinds = {row.kind for row in await notices.listed(session, cast.wang_fang.id)}
    assert kinds == {"tip_submitted"}
    with pytest.raises(Conflict, match="check_needed"):
        await by_reviewer(store, made, cast.wang_fang, begins)
    with pytest.raises(NotPermitted):
        await by_reviewer(store, made, cast.li_qiang, begins)
    for _, new in rows:
        await check(store, cast, new, begins)
    await by_reviewer(store, made, cast.wang_fang, begins + HOUR)
    done = await read(store, made)
    assert (done.in_effect_at, done.stale_at) == (begins + HOUR, None)
    assert await states(store, rows) == AFTER
    assert len(await recalls(store)) == 2


async def by_reviewer(store: Store, made: WorkTip, actor: Staff, now: datetime) -> None:
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        await tip_effect.now_in_effect(session, row, actor=actor, now=now)


async def rewritten(store: Store, cast: Cast, version: EntryVersion, now: datetime) -> EntryVersion:
    """The version is sent back, written anew and handed in and checked again, behind the tip's back."""
    async with store.transaction() as session:
        row = await session.get_one(EntryVersion, version.id)
        await entries.send_back(session, row, "改一改", actor=cast.wang_fang, now=now)
        changed = make.content(cast, question=row.question, short="另一种说法，由登记站核对后告诉您。")
        await entries.edit(session, row, changed, seen=row.version, actor=cast.li_qiang, now=now)
        await entries.submit(session, row, actor=cast.li_qiang, now=now, alteration=row.alteration)
    await check(store, cast, row, now)
    return row


async def test_what_was_written_anew_after_the_tip_was_handed_in_is_read_again_first(
    store: Store, cast: Cast, now: datetime
) -> None:
    _, new = await rewording(store, cast, "K-0541", NEW, now)
    waiting = await submitted(store, cast, now, entries=(new.id,))
    row = await rewritten(store, cast, new, now)
    with pytest.raises(Invalid, match="tip_unready") as refused:
        await signed(store, cast, waiting, now)
    assert refused.value.facts["problems"] == ["tip_entries_changed"]
    later = await released(store, cast, now, entries=(new.id,), effective_from=now + HOUR)
    # Once a tip is signed its wording is nobody's to change, nor to publish before its time.
    with pytest.raises(Conflict, match="entry_of_tip"):
        await rewritten(store, cast, new, now)
    async with store.reading() as session:
        alone = await session.get_one(EntryVersion, new.id)
        with pytest.raises(Conflict, match="entry_of_tip") as early:
            await entries.publish(session, alone, seen=alone.version, actor=cast.wang_fang, now=now)
    assert early.value.facts["no"] == "2026年第1期"
    assert await took_effect(store, now + HOUR) == 1
    assert (await read(store, later)).in_effect_at == now + HOUR
    async with store.reading() as session:
        published = await session.get_one(EntryVersion, new.id)
        assert (published.state, published.short) == (EntryState.PUBLISHED, row.short)
        assert (await session.get_one(Entry, new.entry_id)).published_id == new.id


async def test_a_releaser_who_has_left_publishes_nothing_and_a_withdrawn_tip_never_takes_effect(
    store: Store, cast: Cast, now: datetime
) -> None:
    rows = await two_entries(store, cast, now)
    begins = now + HOUR
    mine, fallen = [
        await released(store, cast, now, entries=(new.id,), effective_from=begins) for _, new in rows
    ]
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, fallen.id)
        await tip_release.withdraw(session, row, "错", seen=row.version, actor=cast.wang_fang, now=now)
        (await staff.get(session, cast.wang_fang.id)).deactivated_at = now
    assert await took_effect(store, begins) == 0
    assert [(await read(store, row)).stale_at for row in (mine, fallen)] == [begins, None]
    assert await states(store, rows) == BEFORE


async def test_under_embargo_the_entries_change_when_the_tip_goes_out_and_never_before(
    store: Store, cast: Cast, now: datetime
) -> None:
    rows = await two_entries(store, cast, now)
    sent = now + HOUR
    made = await released(store, cast, now, entries=(rows[0][1].id,), send_at=sent)
    assert (made.in_effect_at, await states(store, rows)) == (None, BEFORE)
    assert await took_effect(store, sent - timedelta(seconds=1)) == 0
    assert await took_effect(store, sent) == 1
    assert await states(store, rows) == [AFTER[0], BEFORE[1]]
    async with store.transaction() as session:
        early = tip(cast, entries=(rows[1][1].id,), send_at=sent, effective_from=now)
        row = await tip_drafts.draft(
            session, early, unit=cast.district, sources={}, actor=cast.li_qiang, now=now
        )
        assert [one.key for one in await tip_moves.problems(session, row, now=now)] == ["tip_effect_early"]


async def test_an_answer_names_the_public_tip_that_brought_its_wording_until_it_is_withdrawn(
    store: Store, cast: Cast, now: datetime
) -> None:
    rows = await two_entries(store, cast, now)
    public = await released(store, cast, now, entries=(rows[0][1].id,), secrecy=TipSecrecy.PUBLIC)
    await check(store, cast, rows[1][1], now)
    await released(store, cast, now, entries=(rows[1][1].id,))

    async def named() -> list[tuple[int, int] | None]:
        async with store.reading() as session:
            office = await session.get_one(Unit, cast.district.id)
            answers = [
                await answer.published(session, old.entry_id, office=office, now=now) for old, _ in rows
            ]
        return [one.tip for one in answers if one is not None]

    assert await named() == [(2026, 1), None]
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, public.id)
        await tip_release.withdraw(session, row, "错", seen=row.version, actor=cast.wang_fang, now=now)
    assert await named() == [None, None]


async def test_only_unpublished_versions_within_reach_are_linked_one_of_each_entry(
    store: Store, cast: Cast, now: datetime
) -> None:
    old, new = await rewording(store, cast, "K-0541", NEW, now, checked=False)
    for versions in ((old.id,), (new.id, 9999)):
        with pytest.raises(Invalid, match="tip_entry_unfit"):
            await drafted(store, cast, now, entries=versions)
    made = await drafted(store, cast, now, entries=(new.id,))
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        version = await session.get_one(EntryVersion, new.id)
        await entries.send_back(session, version, "再看", actor=cast.wang_fang, now=now)
        assert [one.key for one in await tip_moves.problems(session, row, now=now)] == ["tip_entries_unready"]
        changed = tip(cast, entries=())
        await tip_drafts.edit(session, row, changed, seen=row.version, actor=cast.li_qiang, now=now)
        assert (await session.scalars(select(TipEntry))).all() == []
        await tip_moves.submit(session, row, seen=row.version, actor=cast.li_qiang, now=now)
