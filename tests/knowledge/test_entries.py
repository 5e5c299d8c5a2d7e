"""The way of an entry: draft, review, publication by a second person, retirement."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from knowledge import entries, golden
from knowledge.versions import (
    Audience,
    Content,
    Entry,
    EntryState,
    EntryVersion,
    Phrasing,
    by_number,
    content_of,
    get_version,
    revision,
    topics,
    versions,
)
from office import audit, staff
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.redact import PLACEHOLDER
from office.staff import Role, Staff
from office.store import Store
from tests.make import Cast, an_entry, check, content

S = EntryState


@pytest.fixture(autouse=True)
def no_golden_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate has tests of its own; here every check passes, whatever the matcher thinks of a small base."""
    monkeypatch.setattr(golden, "shipped", lambda: ())


async def drafted(
    store: Store, cast: Cast, now: datetime, entry: Entry | None = None, **changes: Any
) -> EntryVersion:
    async with store.transaction() as session:
        written = content(cast, **changes)
        return await entries.draft(session, written, actor=cast.li_qiang, now=now, entry=entry)


async def submitted(
    store: Store, cast: Cast, now: datetime, entry: Entry | None = None, **changes: Any
) -> EntryVersion:
    version = await drafted(store, cast, now, entry, **changes)
    async with store.transaction() as session:
        found = await get_version(session, version.id)
        await entries.submit(session, found, actor=cast.li_qiang, now=now)
    return found


async def publish(
    store: Store, version: EntryVersion, by: Staff, now: datetime, seen: int | None = None
) -> None:
    # Who may not publish may not check either; here it is asked whether publishing itself refuses.
    with contextlib.suppress(NotPermitted):
        async with store.transaction() as session:
            await check(session, await get_version(session, version.id), actor=by, now=now)
    async with store.transaction() as session:
        found = await get_version(session, version.id)
        wanted = found.version if seen is None else seen
        await entries.publish(session, found, seen=wanted, actor=by, now=now)


async def state(store: Store, version: EntryVersion) -> EntryState:
    async with store.reading() as session:
        return (await get_version(session, version.id)).state


async def with_roles(store: Store, person: Staff, *roles: Role) -> Staff:
    async with store.transaction() as session:
        found = await staff.get(session, person.id)
        found.roles = [role.value for role in roles]
    return found


# --- the way ---


async def test_a_draft_is_submitted_and_published_by_a_second_person(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await submitted(store, cast, now)
    await publish(store, version, cast.wang_fang, now)
    async with store.reading() as session:
        found = await get_version(session, version.id)
        entry = await session.get_one(Entry, found.entry_id)
        lines, _ = await audit.listed(session, subject=f"entry_version:{version.id}")
    assert (found.state, found.publisher_id, found.published_at) == (S.PUBLISHED, cast.wang_fang.id, now)
    assert (entry.entry_no, entry.published_id) == ("K-2001", version.id)
    assert [line.action for line in reversed(lines)] == [
        "entry_version.draft", "entry_version.submit", "entry_version.check", "entry_version.publish",
    ]  # fmt: skip


async def test_the_author_does_not_publish(store: Store, cast: Cast, now: datetime) -> None:
    author = await with_roles(store, cast.li_qiang, Role.EDITOR, Role.REVIEWER)
    version = await submitted(store, cast, now)
    with pytest.raises(NotPermitted, match="second_person_needed"):
        await publish(store, version, author, now)
    assert await state(store, version) is S.IN_REVIEW


async def test_whoever_edited_last_is_an_author(store: Store, cast: Cast, now: datetime) -> None:
    editor = await with_roles(store, cast.wang_fang, Role.EDITOR, Role.REVIEWER)
    version = await drafted(store, cast, now)
    async with store.transaction() as session:
        found = await get_version(session, version.id)
        changed = replace(content(cast), short="请尽快联系登记站。")
        await entries.edit(session, found, changed, seen=found.version, actor=editor, now=now)
        await entries.submit(session, found, actor=cast.li_qiang, now=now)
    with pytest.raises(NotPermitted):
        await publish(store, version, editor, now)


async def test_an_editor_and_an_outsider_do_not_publish(store: Store, cast: Cast, now: datetime) -> None:
    version = await submitted(store, cast, now)
    reviewer_of_town = await with_roles(store, cast.zhao_lei, Role.REVIEWER)
    for person in (reviewer_of_town, cast.zhou_ning, cast.sun_jie):
        with pytest.raises(NotPermitted, match="not_permitted"):
            await publish(store, version, person, now)


async def test_what_changed_since_it_was_read_is_not_published(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await submitted(store, cast, now)
    async with store.transaction() as session:
        found = await get_version(session, version.id)
        read = found.version
        await entries.send_back(session, found, "短答再短些", actor=cast.wang_fang, now=now)
        changed = replace(content(cast), short="不要紧。")
        await entries.edit(session, found, changed, seen=found.version, actor=cast.li_qiang, now=now)
        await entries.submit(session, found, actor=cast.li_qiang, now=now)
    with pytest.raises(Conflict, match="stale_card"):
        await publish(store, version, cast.wang_fang, now, seen=read)


async def test_a_draft_is_not_published_without_review(store: Store, cast: Cast, now: datetime) -> None:
    version = await drafted(store, cast, now)
    with pytest.raises(Conflict):
        await publish(store, version, cast.wang_fang, now)


async def test_two_reviewers_publish_at_once_and_it_counts_once(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await submitted(store, cast, now)
    ended = await asyncio.gather(
        *(publish(store, version, cast.wang_fang, now, seen=version.version) for _ in range(2)),
        return_exceptions=True,
    )
    assert [type(one) for one in ended if one is not None] == [Conflict]
    async with store.reading() as session:
        assert await revision(session) == 1


async def test_publishing_retires_the_version_before(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        old = await an_entry(session, cast, now)
        entry = await by_number(session, "K-0540")
    new = await submitted(store, cast, now, entry)
    await publish(store, new, cast.wang_fang, now)
    assert (await state(store, old), await state(store, new)) == (S.RETIRED, S.PUBLISHED)
    async with store.reading() as session:
        entry = await by_number(session, "K-0540")
        assert [v.number for v in await versions(session, entry)] == [2, 1]
        in_force = await session.scalars(
            select(EntryVersion.id).where(
                EntryVersion.entry_id == entry.id, EntryVersion.state == S.PUBLISHED
            )
        )
        assert in_force.all() == [entry.published_id] == [new.id]


async def test_two_publications_at_once_get_two_revisions_in_order(
    store: Store, cast: Cast, now: datetime
) -> None:
    # Each with words of its own: what another entry holds would be a reason to block it.
    other: dict[str, Any] = {
        "question": "登记站礼拜天开不开门？",
        "phrasings": ("周日登记站上班吗", "星期天能去登记站吗", "登记站周末开门吗"),
    }
    pair = [await submitted(store, cast, now), await submitted(store, cast, now, **other)]
    ended = await asyncio.gather(
        *(publish(store, version, cast.wang_fang, now) for version in pair), return_exceptions=True
    )
    for version, error in zip(pair, ended, strict=True):
        if error is not None:
            # The other one was faster, so the check was made for a base that is no more.
            assert isinstance(error, Conflict)
            await publish(store, version, cast.wang_fang, now)
    async with store.reading() as session:
        assert sorted((await session.scalars(select(Entry.revision))).all()) == [1, 2]
        assert await revision(session) == 2


async def test_two_new_entries_at_once_get_two_numbers(store: Store, cast: Cast, now: datetime) -> None:
    await asyncio.gather(*(drafted(store, cast, now) for _ in range(4)))
    async with store.reading() as session:
        numbers = (await session.scalars(select(Entry.entry_no).order_by(Entry.entry_no))).all()
    assert numbers == ["K-2001", "K-2002", "K-2003", "K-2004"]


async def test_numbers_go_on_after_four_digits(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        session.add_all([Entry(entry_no="K-9999"), Entry(entry_no="K-10000")])
    version = await drafted(store, cast, now)
    async with store.reading() as session:
        assert (await session.get_one(Entry, version.entry_id)).entry_no == "K-10001"


# --- drafts ---


async def test_an_entry_has_one_unfinished_version_at_a_time(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
        entry = await by_number(session, "K-0540")
    await drafted(store, cast, now, entry)
    with pytest.raises(Conflict, match="draft_open"):
        await drafted(store, cast, now, entry)


async def test_a_save_from_an_old_page_changes_nothing(store: Store, cast: Cast, now: datetime) -> None:
    version = await drafted(store, cast, now)

    async def save(short: str, seen: int) -> None:
        async with store.transaction() as session:
            found = await get_version(session, version.id)
            changed = replace(content(cast), short=short)
            await entries.edit(session, found, changed, seen=seen, actor=cast.li_qiang, now=now)

    ended = await asyncio.gather(save("甲", 1), save("乙", 1), return_exceptions=True)
    assert [type(one) for one in ended if one is not None] == [Conflict]
    with pytest.raises(Conflict, match="stale_card"):
        await save("丙", 1)


async def test_phrasings_are_replaced_with_the_content(store: Store, cast: Cast, now: datetime) -> None:
    version = await drafted(store, cast, now)
    changed = replace(content(cast), phrasings=("选民证不见了怎么办",), aliases=("补证",))
    async with store.transaction() as session:
        found = await get_version(session, version.id)
        await entries.edit(session, found, changed, seen=1, actor=cast.li_qiang, now=now)
    async with store.reading() as session:
        kept = await content_of(session, await get_version(session, version.id))
        assert (kept.phrasings, kept.aliases) == (("选民证不见了怎么办",), ("补证",))
        assert len((await session.scalars(select(Phrasing))).all()) == 2


async def test_a_draft_can_be_given_up_and_something_else_cannot(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await drafted(store, cast, now)
    in_review = await submitted(store, cast, now)
    async with store.transaction() as session:
        await entries.drop(session, await get_version(session, version.id), actor=cast.li_qiang, now=now)
        with pytest.raises(Conflict):
            await entries.drop(
                session, await get_version(session, in_review.id), actor=cast.li_qiang, now=now
            )
    assert await state(store, version) is S.RETIRED


async def test_lint_stands_before_the_reviewer(store: Store, cast: Cast, now: datetime) -> None:
    version = await drafted(store, cast, now)
    async with store.transaction() as session:
        found = await get_version(session, version.id)
        dated = replace(content(cast), short="12月9日公布名单。", phrasings=())
        await entries.edit(session, found, dated, seen=1, actor=cast.li_qiang, now=now)
    async with store.transaction() as session:
        found = await get_version(session, version.id)
        with pytest.raises(Invalid, match="entry_unready") as refused:
            await entries.submit(session, found, actor=cast.li_qiang, now=now)
    assert set(refused.value.facts["problems"]) == {"lint_date", "lint_phrasings"}
    assert await state(store, version) is S.DRAFT


async def test_a_remark_is_kept_without_numbers(store: Store, cast: Cast, now: datetime) -> None:
    version = await submitted(store, cast, now)
    async with store.transaction() as session:
        found = await get_version(session, version.id)
        remark = "张女士310104199001010012的情况删去"
        await entries.send_back(session, found, remark, actor=cast.wang_fang, now=now)
        assert found.review_note == f"张女士{PLACEHOLDER}的情况删去"
        with pytest.raises(Conflict):
            await entries.send_back(session, found, "再看", actor=cast.wang_fang, now=now)
    assert await state(store, version) is S.DRAFT


# --- reach ---


async def test_an_officer_of_the_town_has_no_hand_in_the_district_s_entries(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
        entry = await by_number(session, "K-0540")
    version = await drafted(store, cast, now)
    in_review = await submitted(store, cast, now)
    await with_roles(store, cast.zhao_lei, Role.EDITOR, Role.REVIEWER)
    own = replace(content(cast), scope_unit_id=cast.north.id)
    async with store.transaction() as session:
        person = await staff.get(session, cast.zhao_lei.id)
        entry = await by_number(session, "K-0540")
        found, waiting = await get_version(session, version.id), await get_version(session, in_review.id)
        for act in (
            lambda: entries.draft(session, content(cast), actor=person, now=now),
            lambda: entries.draft(session, own, actor=person, now=now, entry=entry),
            lambda: entries.edit(session, found, own, seen=1, actor=person, now=now),
            lambda: entries.submit(session, found, actor=person, now=now),
            lambda: entries.drop(session, found, actor=person, now=now),
            lambda: entries.send_back(session, waiting, "看看", actor=person, now=now),
            lambda: entries.retire(session, entry, actor=person, now=now),
        ):
            with pytest.raises(NotPermitted):
                await act()
        await entries.draft(session, own, actor=person, now=now)


async def test_an_unknown_unit_is_no_scope(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        nowhere = replace(content(cast), scope_unit_id=404)
        with pytest.raises(NotFound):
            await entries.draft(session, nowhere, actor=cast.li_qiang, now=now)


# --- out of force ---


async def test_a_retired_entry_points_to_its_successor(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        old = await an_entry(session, cast, now)
        await an_entry(session, cast, now, no="K-0541")
        entry, successor = await by_number(session, "K-0540"), await by_number(session, "K-0541")
        with pytest.raises(NotPermitted):
            await entries.retire(session, entry, actor=cast.li_qiang, now=now)
        await entries.retire(session, entry, actor=cast.wang_fang, now=now, successor=successor)
        with pytest.raises(Conflict):
            await entries.retire(session, entry, actor=cast.wang_fang, now=now)
    assert (entry.published_id, entry.successor_id, entry.revision) == (None, successor.id, 3)
    assert await state(store, old) is S.RETIRED


async def test_a_successor_answers_itself(store: Store, cast: Cast, now: datetime) -> None:
    day = now.date()
    async with store.transaction() as session:
        for no in ("K-0540", "K-0541"):
            await an_entry(session, cast, now, no=no)
        await an_entry(session, cast, now, no="K-0542", effective_from=day + timedelta(days=1))
        await an_entry(session, cast, now, no="K-0543", effective_until=day - timedelta(days=1))
        one, two, later, over = [await by_number(session, f"K-054{last}") for last in range(4)]
        for wrong, key in ((one, "successor_itself"), (later, "not_live"), (over, "not_live")):
            with pytest.raises(Invalid, match=key):
                await entries.retire(session, one, actor=cast.wang_fang, now=now, successor=wrong)
        await entries.retire(session, one, actor=cast.wang_fang, now=now, successor=two)
        with pytest.raises(Invalid, match="successor_not_live") as refused:
            await entries.retire(session, two, actor=cast.wang_fang, now=now, successor=one)
        assert refused.value.facts["no"] == "K-0540"


async def test_two_entries_that_retire_to_each_other_at_once_leave_one_live(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        for no in ("K-0540", "K-0541"):
            await an_entry(session, cast, now, no=no)

    async def retire(old: str, new: str) -> None:
        async with store.transaction() as session:
            entry, successor = await by_number(session, old), await by_number(session, new)
            await entries.retire(session, entry, actor=cast.wang_fang, now=now, successor=successor)

    ended = await asyncio.gather(
        retire("K-0540", "K-0541"), retire("K-0541", "K-0540"), return_exceptions=True
    )
    assert sorted(type(one) for one in ended if one is not None) == [Invalid]


async def test_a_version_that_begins_later_does_not_silence_the_one_in_force(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
        entry = await by_number(session, "K-0540")
    begins = now.date() + timedelta(days=5)
    version = await submitted(store, cast, now, entry, effective_from=begins)
    with pytest.raises(Conflict, match="effective_later") as refused:
        await publish(store, version, cast.wang_fang, now)
    assert refused.value.facts["day"] == begins.isoformat()
    await publish(store, version, cast.wang_fang, now + timedelta(days=5))
    assert await state(store, version) is S.PUBLISHED


async def test_a_new_version_brings_a_retired_entry_back(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
        entry = await by_number(session, "K-0540")
        await entries.retire(session, entry, actor=cast.wang_fang, now=now)
    version = await submitted(store, cast, now, entry)
    await publish(store, version, cast.wang_fang, now)
    async with store.reading() as session:
        entry = await by_number(session, "K-0540")
    assert (entry.published_id, entry.successor_id) == (version.id, None)


# --- files ---


async def test_a_draft_from_a_file_keeps_its_number(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        written = content(cast)
        version = await entries.draft(session, written, actor=cast.li_qiang, now=now, entry_no="K-0777")
        assert version.entry_id == (await by_number(session, "K-0777")).id
        with pytest.raises(Conflict, match="entry_no_taken"):
            await entries.draft(session, written, actor=cast.li_qiang, now=now, entry_no="K-0777")


async def test_a_file_s_entry_enters_under_a_free_number_and_sound_only(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, now)
        assert (version.author_id, version.publisher_id, version.number) == (None, None, 1)
        with pytest.raises(Conflict, match="entry_no_taken"):
            await an_entry(session, cast, now)
        with pytest.raises(Invalid, match="entry_unready"):
            await an_entry(session, cast, now, no="K-0541", basis=())


async def test_content_survives_the_database(store: Store, cast: Cast, now: datetime) -> None:
    whole = Content(
        topic="voter_card", question="选民证丢了怎么办？", phrasings=("甲甲甲甲", "乙乙乙乙", "丙丙丙丙"),
        aliases=("补证",), short="短答", full="长答\n两行", steps=("一", "二"), documents=("身份证",),
        basis=({"law": "细则", "article": "第二十七条"},), facts=("F-001",), audience=Audience.STAFF,
        confirmed=False, group="秘书组", review_on=now.date(), effective_from=now.date(),
        effective_until=now.date(), scope_unit_id=cast.riverside.id,
    )  # fmt: skip
    async with store.transaction() as session:
        version = await entries.install(session, "K-0001", whole, now=now)
    async with store.reading() as session:
        assert await content_of(session, await get_version(session, version.id)) == whole


def test_topics_are_known_by_their_id() -> None:
    assert topics()["voter_card"].id == "voter_card"
    assert "none" in topics()
