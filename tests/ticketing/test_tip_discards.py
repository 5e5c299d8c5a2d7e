"""Drafts of work tips given up, corrections begun once, and entry versions that one tip alone may have."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from knowledge import golden, tip_bonds, tip_corrections, tip_drafts, tip_moves
from knowledge.tips import TipState, WorkTip
from office import audit
from office.errors import Conflict, NotPermitted
from office.staff import Staff
from office.store import Store
from tests.make import Cast
from tests.ticketing.tip_world import drafted, read, released, rewording, submitted, tip
from ticketing import tip_discards

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def no_golden_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate before a publication has tests of its own, and lets everything pass here."""
    monkeypatch.setattr(golden, "shipped", lambda: ())
    monkeypatch.setattr("knowledge.replay.Comparison.passed", property(lambda found: True))


async def discarded(store: Store, made: WorkTip, actor: Staff, now: datetime, seen: int = 1) -> None:
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        await tip_discards.discard(session, row, seen=seen, actor=actor, now=now)


async def test_only_a_draft_that_was_never_handed_in_goes_and_the_audit_keeps_it(
    store: Store, cast: Cast, now: datetime
) -> None:
    made = await drafted(store, cast, now, sources={"tickets": [7]})
    for actor in (cast.zhao_lei, cast.zhou_ning):
        with pytest.raises(NotPermitted):
            await discarded(store, made, actor, now)
    with pytest.raises(Conflict, match="stale_card"):
        await discarded(store, made, cast.li_qiang, now, seen=2)
    await discarded(store, made, cast.wang_fang, now)
    async with store.reading() as session:
        assert (await session.scalars(select(WorkTip))).all() == []
        (told, begun), _ = await audit.listed(session, subject=f"work_tip:{made.id}")
    assert (told.action, told.facts["tickets"], begun.action) == ("work_tip.discard", 1, "work_tip.draft")
    waiting = await submitted(store, cast, now)
    with pytest.raises(Conflict, match="stale_card"):
        await discarded(store, waiting, cast.li_qiang, now, seen=2)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, waiting.id)
        await tip_moves.send_back(session, row, "依据不足", seen=2, actor=cast.wang_fang, now=now)
    with pytest.raises(Conflict, match="tip_was_submitted"):
        await discarded(store, waiting, cast.li_qiang, now, seen=(await read(store, waiting)).version)


async def test_a_correction_is_begun_once_and_takes_over_what_the_old_one_kept_for_itself(
    store: Store, cast: Cast, now: datetime
) -> None:
    _, version = await rewording(store, cast, "K-0901", "按累计月数计算。", now)
    draft = await drafted(store, cast, now, entries=(version.id,))
    old = await released(store, cast, now, entries=(version.id,), effective_from=now + HOUR)

    async def begin(actor: Staff) -> tuple[int, bool]:
        async with store.transaction() as session:
            row = await session.get_one(WorkTip, old.id)
            made, new = await tip_corrections.begin(session, row, actor=actor, now=now)
            return made.id, new

    first, second = await asyncio.gather(begin(cast.li_qiang), begin(cast.wang_fang))
    assert (first[0], {first[1], second[1]}) == (second[0], {True, False})
    with pytest.raises(NotPermitted):
        await begin(cast.zhao_lei)

    async with store.transaction() as session:
        assert {key: row.id for key, row in (await tip_bonds.waiting(session, [version.id])).items()} == {
            version.id: old.id
        }
        found = await tip_bonds.of_versions(session, cast.zhao_lei, [version.id])
        assert [row.id for row in found.values()] == [old.id]
        row = await session.get_one(WorkTip, draft.id)
        assert "tip_entry_waits" in [one.key for one in await tip_moves.problems(session, row, now=now)]
        made = await session.get_one(WorkTip, first[0])
        keys = [one.key for one in await tip_moves.problems(session, made, now=now)]
        assert keys == ["tip_corrects_nothing"]
        wanted = tip(cast, entries=(version.id,))
        with pytest.raises(Conflict, match="tip_entry_waits"):
            await tip_drafts.edit(session, row, wanted, seen=row.version, actor=cast.li_qiang, now=now)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, old.id)
        row.in_effect_at = now + HOUR
        assert await tip_bonds.waiting(session, [version.id]) == {}
        found = await tip_bonds.of_versions(session, cast.zhao_lei, [version.id])
        assert [(one.id, one.state) for one in found.values()] == [(old.id, TipState.RELEASED)]
