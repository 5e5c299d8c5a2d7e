"""Drafts of work tips: begun, edited by one at a time, seen by those they are for."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from knowledge import tips
from knowledge.tips import Tip, TipState, WorkTip
from office import audit
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.staff import Staff
from office.store import Store
from tests.make import Cast

TIP = Tip(
    "关于居住证年限的提示", "共收到14件。", "问题：……\n答复：……", "1. 先看证", "电话 0000-12345678", "细则"
)


async def begun(store: Store, cast: Cast, now: datetime, actor: Staff | None = None) -> WorkTip:
    async with store.transaction() as session:
        return await tips.draft(
            session,
            TIP,
            unit=cast.district,
            sources={"tickets": [1, 2]},
            actor=actor or cast.li_qiang,
            now=now,
        )


async def test_a_draft_keeps_its_parts_its_sources_and_who_wrote_it(
    store: Store, cast: Cast, now: datetime
) -> None:
    made = await begun(store, cast, now)
    async with store.reading() as session:
        (found,), total = await tips.listed(session, cast.wang_fang)
        told, _ = await audit.listed(session, subject=f"work_tip:{made.id}")
    assert (found.id, total, found.state) == (made.id, 1, TipState.DRAFT)
    assert (found.title, found.steps, found.basis) == (TIP.title, TIP.steps, TIP.basis)
    assert (found.sources, found.drafter_id) == ({"tickets": [1, 2]}, cast.li_qiang.id)
    assert [(one.action, one.facts) for one in told] == [("work_tip.draft", {})]


async def test_an_edit_replaces_all_and_the_second_of_two_is_told(
    store: Store, cast: Cast, now: datetime
) -> None:
    made = await begun(store, cast, now)
    seen = made.version
    later = now + timedelta(hours=1)
    async with store.transaction() as session:
        row = await tips.get(session, cast.li_qiang, made.id)
        await tips.edit(session, row, Tip("另一个标题"), seen=seen, actor=cast.li_qiang, now=later)
        assert (row.title, row.origin, row.changed_at) == ("另一个标题", "", later)
    async with store.transaction() as session:
        row = await tips.get(session, cast.wang_fang, made.id)
        with pytest.raises(Conflict, match="stale_card"):
            await tips.edit(session, row, TIP, seen=seen, actor=cast.wang_fang, now=later)


async def test_numbers_of_people_never_stand_in_a_tip_and_the_offices_own_do(
    store: Store, cast: Cast, now: datetime
) -> None:
    written = Tip("提示", origin="来电 13800138000 问过", contact_lines="电话 0000-12345678")
    async with store.transaction() as session:
        made = await tips.draft(
            session, written, unit=cast.district, sources={}, actor=cast.li_qiang, now=now
        )
    assert "13800138000" not in made.origin
    assert "0000-12345678" in made.contact_lines


@pytest.mark.parametrize(
    ("tip", "why"),
    [
        (Tip(" \n "), "tip_title_needed"),
        (Tip("长" * 201), "tip_long"),
        (Tip("提示", wording="长" * 6001), "tip_long"),
    ],
)
async def test_what_cannot_be_kept_is_refused(
    store: Store, cast: Cast, now: datetime, tip: Tip, why: str
) -> None:
    async with store.transaction() as session:
        with pytest.raises(Invalid, match=why):
            await tips.draft(session, tip, unit=cast.district, sources={}, actor=cast.li_qiang, now=now)


async def test_drafts_are_for_those_who_reach_their_unit(store: Store, cast: Cast, now: datetime) -> None:
    made = await begun(store, cast, now)
    async with store.transaction() as session:
        assert await tips.listed(session, cast.zhao_lei) == ([], 0)
        with pytest.raises(NotFound, match="tip_unknown"):
            await tips.get(session, cast.zhao_lei, made.id)
        row = await tips.get(session, cast.li_qiang, made.id)
        with pytest.raises(NotPermitted):
            await tips.edit(session, row, TIP, seen=row.version, actor=cast.zhao_lei, now=now)
        for person in (cast.zhou_ning, cast.sun_jie):
            with pytest.raises(NotPermitted):
                await tips.get(session, person, made.id)
    for person in (cast.zhao_lei, cast.zhou_ning):
        with pytest.raises(NotPermitted):
            await begun(store, cast, now, person)
