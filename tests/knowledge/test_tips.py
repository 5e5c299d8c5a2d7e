"""Drafts of work tips: begun, edited by one at a time, seen by those they are for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from knowledge import tip_drafts, tip_moves, tips
from knowledge.tips import Tip, TipHead, TipSecrecy, TipState, TipType, WorkTip
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
        return await tip_drafts.draft(
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
        await tip_drafts.edit(session, row, Tip("另一个标题"), seen=seen, actor=cast.li_qiang, now=later)
        assert (row.title, row.origin, row.changed_at) == ("另一个标题", "", later)
    async with store.transaction() as session:
        row = await tips.get(session, cast.wang_fang, made.id)
        with pytest.raises(Conflict, match="stale_card"):
            await tip_drafts.edit(session, row, TIP, seen=seen, actor=cast.wang_fang, now=later)


async def test_numbers_of_people_never_stand_in_a_tip_and_the_offices_own_do(
    store: Store, cast: Cast, now: datetime
) -> None:
    written = Tip("提示", origin="来电 13800138000 问过", contact_lines="电话 0000-12345678")
    async with store.transaction() as session:
        made = await tip_drafts.draft(
            session, written, unit=cast.district, sources={}, actor=cast.li_qiang, now=now
        )
    assert "13800138000" not in made.origin
    assert "0000-12345678" in made.contact_lines


@pytest.mark.parametrize(
    ("tip", "why"),
    [
        (Tip(" \n "), "tip_title_needed"),
        (Tip("长" * 201), "tip_long_title"),
        (Tip("提示", wording="长" * 6001), "tip_long_wording"),
        (Tip("提示", addressed_to="长" * 301), "tip_long_addressed_to"),
        (Tip("提示", meeting="长" * 301), "tip_long_meeting"),
        (Tip("提示", document_no="长" * 41), "tip_long_document_no"),
        (Tip("提示", attachments=({"title": "附件", "text": "长" * 6001},)), "tip_long_attached_text"),
        (Tip("提示", attachments=({"title": " ", "text": "表"},)), "tip_attachment_title"),
        (Tip("提示", attachments=({"title": "附件"},) * 21), "tip_attachments"),
        (Tip("提示", print_run=-1), "tip_print_run"),
        (Tip("提示", supersedes_id=99), "tip_supersedes"),
    ],
)
async def test_what_cannot_be_kept_is_refused(
    store: Store, cast: Cast, now: datetime, tip: Tip, why: str
) -> None:
    async with store.transaction() as session:
        with pytest.raises(Invalid, match=why):
            await tip_drafts.draft(session, tip, unit=cast.district, sources={}, actor=cast.li_qiang, now=now)


async def test_drafts_are_for_those_who_reach_their_unit(store: Store, cast: Cast, now: datetime) -> None:
    made = await begun(store, cast, now)
    async with store.transaction() as session:
        assert await tips.listed(session, cast.zhao_lei) == ([], 0)
        with pytest.raises(NotFound, match="tip_unknown"):
            await tips.get(session, cast.zhao_lei, made.id)
        row = await tips.get(session, cast.li_qiang, made.id)
        with pytest.raises(NotPermitted):
            await tip_drafts.edit(session, row, TIP, seen=row.version, actor=cast.zhao_lei, now=now)
        with pytest.raises(NotFound, match="tip_unknown"):
            await tips.get(session, cast.zhou_ning, made.id)
        with pytest.raises(NotPermitted):
            await tips.get(session, cast.sun_jie, made.id)
    for person in (cast.zhao_lei, cast.zhou_ning):
        with pytest.raises(NotPermitted):
            await begun(store, cast, now, person)


async def test_every_field_is_kept_cleaned_and_read_again_as_it_was_written(
    store: Store, cast: Cast, now: datetime
) -> None:
    whole = Tip(
        "关于年限的提示",
        "来由",
        "答复：按累计算。",
        "1. 看证",
        "电话 0000-12345678",
        "细则",
        type=TipType.PROCEDURE,
        addressed_to="各街道",
        scope="全区",
        effective_from=now,
        effective_until=now + timedelta(days=9),
        secrecy=TipSecrecy.PUBLIC,
        print_run=30,
        head=TipHead.RED,
        document_no="东选办〔2026〕3号",
        copied_to="区人大常委会",
        attachments=({"title": "样表", "text": "第一行\n第二行 < & _ 😀"},),
        receipt_wanted=False,
        receipt_due=now + timedelta(days=2),
        send_at=now + timedelta(hours=1),
        targets=(cast.riverside.id, cast.north.id),
        entries=(),
        meeting="区选举办第3次会议",
    )
    async with store.transaction() as session:
        made = await tip_drafts.draft(
            session, whole, unit=cast.district, sources={"tickets": [3]}, actor=cast.li_qiang, now=now
        )
    async with store.transaction() as session:
        row = await tips.get(session, cast.li_qiang, made.id)
        assert await tip_drafts.written(session, row) == whole
        assert row.sources == {"tickets": [3], "meeting": "区选举办第3次会议"}
        attached = {"title": " 张敏 \n 样表", "text": " 电话 13800138000 "}
        changed = replace(whole, attachments=(attached,), targets=None, entries=None, meeting="")
        await tip_drafts.edit(session, row, changed, seen=row.version, actor=cast.wang_fang, now=now)
        assert (row.editor_id, row.drafter_id) == (cast.wang_fang.id, cast.li_qiang.id)
        assert row.attachments[0]["title"] == "张敏 样表"
        assert "13800138000" not in row.attachments[0]["text"]
        assert (await tip_drafts.written(session, row)).targets == whole.targets
        assert row.sources == {"tickets": [3]}
        with pytest.raises(NotFound, match="unit_unknown"):
            await tip_drafts.edit(
                session, row, replace(changed, targets=(999,)), seen=row.version, actor=cast.li_qiang, now=now
            )


async def test_a_tip_begins_from_a_meeting_or_blank_and_says_what_is_left_to_fill(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        for name, why in ((" ", "tip_meeting_needed"), ("会" * 121, "tip_long_meeting")):
            with pytest.raises(Invalid, match=why):
                await tip_drafts.from_meeting(
                    session, name, None, unit=cast.district, actor=cast.li_qiang, now=now
                )
        with pytest.raises(Invalid, match="tip_meeting_day"):
            await tip_drafts.from_meeting(
                session, "例会", date(2026, 11, 21), unit=cast.district, actor=cast.li_qiang, now=now
            )
        made = await tip_drafts.from_meeting(
            session,
            "区选举办 第3次会议",
            date(2026, 11, 18),
            unit=cast.district,
            actor=cast.li_qiang,
            now=now,
        )
        empty = await tip_drafts.blank(session, unit=cast.district, actor=cast.li_qiang, now=now)
        assert made.sources == {"meeting": "2026年11月18日区选举办 第3次会议"}
        assert (made.title, made.origin.startswith("根据2026年11月18日")) == (
            "关于贯彻区选举办 第3次会议要求的提示", True,
        )  # fmt: skip
        assert "0000-12345678" in made.contact_lines
        assert "0000-12345678" in empty.contact_lines
        found = [one.key for one in await tip_moves.problems(session, empty, now=now)]
        assert found == [
            "tip_needs_wording", "tip_needs_addressed_to", "tip_needs_targets", "tip_needs_basis",
            "tip_to_fill",
        ]  # fmt: skip
        with pytest.raises(NotPermitted):
            await tip_drafts.blank(session, unit=cast.district, actor=cast.zhao_lei, now=now)


def sound(cast: Cast, **changes: Any) -> Tip:
    fields = {"addressed_to": "各街道", "wording": "答复：按累计算。", "targets": (cast.north.id,)}
    return replace(TIP, **(fields | changes))


async def test_the_archive_is_searched_by_words_number_year_state_and_type_and_opens_to_all_staff(
    store: Store, cast: Cast, now: datetime
) -> None:
    """Drafts are for those who reach them, what has a number is for everybody on staff."""
    words = {
        "title": "甲 100%_的提示", "origin": "来由里的乙", "wording": "答复：丙", "steps": "丁",
        "contact_lines": "戊", "basis": "己", "addressed_to": "庚", "scope": "辛",
        "document_no": "壬〔2026〕1号",
        "attachments": ({"title": "附件", "text": "癸 Emile \"引\""},),
    }  # fmt: skip
    async with store.transaction() as session:
        made = await tip_drafts.draft(
            session, sound(cast, **words), unit=cast.district, sources={}, actor=cast.li_qiang, now=now
        )
        for number in range(3):
            row = await tip_drafts.draft(
                session, sound(cast, title=f"提示{number}"), unit=cast.district, sources={},
                actor=cast.li_qiang, now=now - timedelta(days=number + 1),
            )  # fmt: skip
            row.state, row.year, row.issue_no = TipState.RELEASED, 2026 + number % 2, 3 + number // 2
            row.type = TipType.DEPLOYMENT if number else TipType.WORDING
            row.laid_out_at = now

    async def found(person: Staff = cast.wang_fang, **wanted: Any) -> list[str]:
        async with store.reading() as session:
            rows, total = await tips.listed(session, person, **wanted)
        assert total == len(rows)
        return [row.title for row in rows]

    title = made.title
    assert await found() == [title, "提示0", "提示1", "提示2"]
    for word in ("甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸", "0%_", "emile", "甲 癸", '"引"'):
        assert await found(search=word) == [title], word
    assert await found(search="%") == [title]
    assert await found(search="甲 提示0") == []
    assert await found(search="第3期") == ["提示0", "提示1"]
    assert await found(search="2027年第3期") == ["提示1"]
    assert await found(search="工作提示第4期", year=2026) == ["提示2"]
    assert await found(year=2026) == ["提示0", "提示2"]
    assert await found(state=TipState.DRAFT) == [title]
    assert await found(type=TipType.DEPLOYMENT) == ["提示1", "提示2"]
    for person in (cast.zhao_lei, cast.zhou_ning):
        assert await found(person) == ["提示0", "提示1", "提示2"]
    # Under embargo it is for those alone who reach the unit it is of.
    async with store.transaction() as session:
        (await session.get_one(tips.WorkTip, made.id + 1)).laid_out_at = None
    assert await found() == [title, "提示0", "提示1", "提示2"]
    for person in (cast.zhao_lei, cast.zhou_ning):
        assert await found(person) == ["提示1", "提示2"]
