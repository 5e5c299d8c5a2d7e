"""The console's way to a publication: the check, its page, the confirmation, and the second person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from knowledge import entries, golden, rehearsal
from knowledge.checks import PublicationCheck
from knowledge.golden import GoldenQuestion
from knowledge.replay import Case
from knowledge.versions import EntryState, EntryVersion, by_number, get_version
from office.staff import Invite, Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, an_entry, content
from tests.questions import ANOTHER, OPEN, OTHER, SEALED

SignedIn = Callable[[Staff], Awaitable[Browser]]


@pytest.fixture(autouse=True)
def few_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "shipped", lambda: (*OPEN, *SEALED))


@pytest.fixture
async def second(store: Store, cast: Cast, clock: Clock) -> Staff:
    """Another reviewer of the district."""
    async with store.transaction() as session:
        person = Staff(
            name="冯一", unit_id=cast.district.id, roles=[Role.REVIEWER.value],
            created_at=clock() - timedelta(days=30),
        )  # fmt: skip
        session.add(person)
    return person


async def in_review(store: Store, cast: Cast, clock: Clock, no: str = "", **changes: Any) -> EntryVersion:
    async with store.transaction() as session:
        entry = await by_number(session, no) if no else None
        version = await entries.draft(
            session, content(cast, **changes), actor=cast.li_qiang, now=clock(), entry=entry
        )
        await entries.submit(session, version, actor=cast.li_qiang, now=clock())
    return version


async def blocked(store: Store, cast: Cast, clock: Clock) -> EntryVersion:
    async with store.transaction() as session:
        await an_entry(session, cast, clock())
    return await in_review(store, cast, clock, "K-0540", **OTHER)


async def checked(desk: Browser, version: EntryVersion) -> httpx.Response:
    """Press 发布 on the entry's page, and look at what comes."""
    base = f"/admin/entries/{version.entry_id}"
    await desk.get(base)
    answer = await desk.post(f"{base}/check")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{base}/check")
    return await desk.get(f"{base}/check")


async def count(store: Store, table: Any) -> int:
    async with store.reading() as session:
        return (await session.scalar(select(func.count()).select_from(table))) or 0


async def state(store: Store, version: EntryVersion) -> EntryState:
    async with store.reading() as session:
        return (await get_version(session, version.id)).state


async def test_first_the_changes_are_shown_then_it_is_published(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    version = await in_review(store, cast, clock)
    desk = await signed_in(cast.wang_fang)
    page = await checked(desk, version)
    assert await state(store, version) is EntryState.IN_REVIEW
    assert "可以发布" in page.text
    assert "变好 4道" in page.text
    assert "变差" not in page.text.split('id="limits"')[0].split('id="changes"')[1]
    assert "选民证掉了咋办" in page.text
    assert "不作答" in page.text
    assert "K-2001" in page.text
    published = await desk.post(f"/admin/entries/{version.entry_id}/publish")
    assert published.headers["location"] == f"/admin/entries/{version.entry_id}?done=published"
    assert await state(store, version) is EntryState.PUBLISHED
    again = await desk.get(f"/admin/entries/{version.entry_id}/check")
    assert (again.status_code, again.headers["location"]) == (303, f"/admin/entries/{version.entry_id}")


async def test_a_draft_is_not_checked(store: Store, cast: Cast, clock: Clock, signed_in: SignedIn) -> None:
    async with store.transaction() as session:
        version = await entries.draft(session, content(cast), actor=cast.li_qiang, now=clock())
    desk = await signed_in(cast.wang_fang)
    base = f"/admin/entries/{version.entry_id}"
    await desk.get(base)
    named = {"version": str(version.version), "version_id": str(version.id)}
    assert (await desk.post(f"{base}/check", named)).status_code == 409
    assert (await desk.get(f"{base}/check")).headers["location"] == base
    assert await count(store, PublicationCheck) == 0


async def test_publishing_without_its_check_is_refused_with_the_way_on(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    version = await in_review(store, cast, clock)
    desk = await signed_in(cast.wang_fang)
    base = f"/admin/entries/{version.entry_id}"
    await desk.get(base)
    refused = await desk.post(f"{base}/publish")
    assert refused.status_code == 409
    assert "发布前要先检查" in refused.text
    assert f'action="{base}/check"' in refused.text
    assert f'action="{base}/publish"' not in refused.text
    assert await state(store, version) is EntryState.IN_REVIEW


async def test_a_base_that_moved_on_asks_for_another_check(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    version = await in_review(store, cast, clock)
    desk = await signed_in(cast.wang_fang)
    base = f"/admin/entries/{version.entry_id}"
    page = await checked(desk, version)
    async with store.transaction() as session:
        await an_entry(session, cast, clock(), **ANOTHER)
    late = await desk.post(f"{base}/publish")
    assert late.status_code == 409
    page = await desk.get(f"{base}/check")
    assert "检查已过期" in page.text
    assert f'action="{base}/publish"' not in page.text
    await desk.post(f"{base}/check")
    await desk.get(f"{base}/check")
    assert (await desk.post(f"{base}/publish")).status_code == 303


async def test_no_transaction_is_open_while_the_questions_are_asked(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = await in_review(store, cast, clock)
    real = rehearsal.run

    async def watched(prepared: rehearsal.Rehearsal) -> Any:
        assert store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        return await real(prepared)

    monkeypatch.setattr(rehearsal, "run", watched)
    assert "可以发布" in (await checked(await signed_in(cast.wang_fang), version)).text


async def test_a_fall_blocks_and_two_persons_may_override_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, second: Staff
) -> None:
    version = await blocked(store, cast, clock)
    desk, colleague = await signed_in(cast.wang_fang), await signed_in(second)
    base = f"/admin/entries/{version.entry_id}"
    page = await checked(desk, version)
    assert "不能直接发布" in page.text
    assert "能帮上的减少超过1%" in page.text
    assert "变差 5道" in page.text
    assert "密封题1道" in page.text
    assert "密封：" not in page.text
    assert f'action="{base}/publish"' not in page.text
    assert page.text.index('id="step"') < page.text.index('id="figures"') < page.text.index('id="changes"')
    entry = (await desk.get(base)).text
    assert "发布前检查没有通过" in entry.split('id="step"')[1]
    assert f'href="{base}/check"' in entry.split('id="step"')[1]
    refused = await desk.post(f"{base}/publish")
    assert refused.status_code == 422
    assert "检查没有通过" in refused.text

    await desk.get(f"{base}/check")
    for short in (" ", "急用<b>"):
        refused = await desk.post(f"{base}/override", {"override_reason": short})
        assert refused.status_code == 422
        assert "请写明放行理由，至少10个字" in refused.text
    assert "急用&lt;b&gt;</textarea>" in refused.text
    asked = await desk.post(f"{base}/override", {"override_reason": "<b>换届</b>后改了办法"})
    assert asked.status_code == 303
    page = await desk.get(f"{base}/check")
    assert "已申请放行" in page.text
    assert f'action="{base}/override/confirm"' not in page.text
    named = {"version": str(version.version), "version_id": str(version.id)}
    own = await desk.post(f"{base}/override/confirm", named)
    assert own.status_code == 403
    assert "不能自己确认" in own.text

    # Pressing 发布 again shows what has been asked, and sweeps nothing away.
    assert "等另一位同志确认放行" in (await colleague.get(base)).text.split('id="step"')[1]
    page = await checked(colleague, version)
    assert await count(store, PublicationCheck) == 1
    assert "王芳申请放行" in page.text
    assert "&lt;b&gt;换届&lt;/b&gt;后改了办法" in page.text
    confirmed = await colleague.post(f"{base}/override/confirm")
    assert confirmed.status_code == 303
    page = await colleague.get(confirmed.headers["location"])
    assert "已由两位同志放行" in page.text
    assert (await colleague.post(f"{base}/publish")).status_code == 303
    assert await state(store, version) is EntryState.PUBLISHED


async def test_words_of_another_entry_are_listed_with_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, clock())
    version = await in_review(
        store, cast, clock, **(OTHER | {"phrasings": (*OTHER["phrasings"], "选民证掉了咋办")})
    )
    page = (await checked(await signed_in(cast.wang_fang), version)).text
    assert "别的口径已在回答的问法 1句" in page
    listed = page.split('id="claims"')[1].split("</section>")[0]
    assert "选民证掉了咋办" in listed
    assert "这句话现在由 K-0540 回答" in listed
    assert "选民证丢了怎么办？" in listed
    assert "有问法与别的在用口径一字不差。" in page
    assert f'action="/admin/entries/{version.entry_id}/publish"' not in page


async def test_a_group_of_sealed_questions_only_says_so_and_shares_say_of_what(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden, "shipped", lambda: (*SEALED, Case("快递丢了怎么办", "none")))
    version = await in_review(store, cast, clock)
    desk = await signed_in(cast.wang_fang)
    page = (await checked(desk, version)).text
    assert "这里只有密封题1道" in page
    assert "其中密封题" not in page
    figures = page.split('id="figures"')[1].split("</section>")[0]
    for share in ("范围内的100.0%", "全部的0.0%", "无关问题的0.0%"):
        assert share in figures
    entry = (await desk.get(f"/admin/entries/{version.entry_id}")).text
    assert "文字检查" in entry
    assert "发布前检查没有通过" not in entry


async def test_who_is_too_new_for_the_asker_is_told_so(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, second: Staff
) -> None:
    version = await blocked(store, cast, clock)
    desk, colleague = await signed_in(cast.wang_fang), await signed_in(second)
    await checked(desk, version)
    base = f"/admin/entries/{version.entry_id}"
    reason = {"override_reason": "换届后改了办法，当天要用"}
    assert (await desk.post(f"{base}/override", reason)).status_code == 303
    async with store.transaction() as session:
        session.add(
            Invite(
                token_digest="y", staff_id=second.id, created_by_id=cast.wang_fang.id,
                created_at=clock(), expires_at=clock(),
            )
        )  # fmt: skip
    page = (await colleague.get(f"{base}/check")).text
    assert "申请放行的同志24小时内" in page
    assert "作者24小时内" not in page
    assert f'action="{base}/override/confirm"' not in page
    named = {"version": str(version.version), "version_id": str(version.id)}
    refused = await colleague.post(f"{base}/override/confirm", named)
    assert refused.status_code == 403
    assert "申请放行的同志24小时内" in refused.text


async def test_other_questions_make_another_check(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden, "shipped", lambda: OPEN)
    version = await blocked(store, cast, clock)
    desk = await signed_in(cast.wang_fang)
    await checked(desk, version)
    async with store.transaction() as session:
        for case in OPEN:
            await golden.add(session, case.q, topic="proxy", actor=cast.wang_fang, now=clock())
    assert "可以发布" in (await checked(desk, version)).text
    assert await count(store, PublicationCheck) == 2


async def test_the_author_reads_the_check_and_may_not_act_on_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    version = await blocked(store, cast, clock)
    base = f"/admin/entries/{version.entry_id}"
    await checked(await signed_in(cast.wang_fang), version)
    author = await signed_in(cast.li_qiang)
    page = await author.get(f"{base}/check")
    assert page.status_code == 200
    assert "由有发布权限的同志" in page.text
    for act in ("check", "publish", "override", "override/confirm"):
        assert (await author.post(f"{base}/{act}")).status_code == 403, act


async def test_who_wrote_it_and_may_publish_does_not_check_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await entries.draft(session, content(cast), actor=cast.wang_fang, now=clock())
        await entries.submit(session, version, actor=cast.wang_fang, now=clock())
    desk = await signed_in(cast.wang_fang)
    base = f"/admin/entries/{version.entry_id}"
    page = await desk.get(f"{base}/check")
    assert "二人原则" in page.text
    refused = await desk.post(
        f"{base}/check", {"version": str(version.version), "version_id": str(version.id)}
    )
    assert refused.status_code == 403
    assert await count(store, PublicationCheck) == 0


# --- golden questions ---


async def test_questions_are_added_found_and_retired(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, clock())
    officer, reviewer = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    page = await officer.get("/admin/golden")
    assert "密封题1道" in page.text
    assert "密封：" not in page.text
    fields = {"question": "<i>选民证</i>洗坏了", "entry_no": "k-0540", "topic": "", "audience": "voter"}
    added = await officer.post("/admin/golden/add", fields)
    assert added.headers["location"] == "/admin/golden?done=added"
    nobody_s = {"question": "物业费怎么交", "entry_no": "", "topic": "none", "audience": "voter"}
    assert (await officer.post("/admin/golden/add", nobody_s)).status_code == 303
    page = await officer.get("/admin/golden")
    assert "&lt;i&gt;选民证&lt;/i&gt;洗坏了" in page.text
    assert "K-0540" in page.text
    assert "/retire" not in page.text
    assert "物业费" not in (await officer.get("/admin/golden?q=选民证")).text
    async with store.reading() as session:
        question = await session.scalar(select(GoldenQuestion).where(GoldenQuestion.q == "物业费怎么交"))
    assert question is not None
    assert (await officer.post(f"/admin/golden/{question.id}/retire")).status_code == 403
    await reviewer.get("/admin/golden")
    assert (await reviewer.post(f"/admin/golden/{question.id}/retire")).status_code == 303
    assert "物业费" not in (await reviewer.get("/admin/golden")).text
    assert "物业费" in (await reviewer.get("/admin/golden?view=retired")).text


async def test_a_refused_question_is_still_in_the_box(store: Store, cast: Cast, signed_in: SignedIn) -> None:
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/golden")
    fields = {"question": "洗坏了还能用吗", "entry_no": "", "topic": "", "audience": "voter"}
    for more, status, words in (
        ({}, 422, "请写口径号，或选一个主题"),
        ({"entry_no": "K-9999"}, 404, "洗坏了还能用吗"),
        ({"audience": "all", "topic": "age"}, 422, "洗坏了还能用吗"),
    ):
        refused = await desk.post("/admin/golden/add", {**fields, **more})
        assert refused.status_code == status
        assert words in refused.text
        assert "洗坏了还能用吗</textarea>" in refused.text
    assert await count(store, GoldenQuestion) == 0


async def test_who_only_looks_cannot_add(cast: Cast, signed_in: SignedIn) -> None:
    desk = await signed_in(cast.zhou_ning)
    page = await desk.get("/admin/golden")
    assert page.status_code == 200
    assert 'action="/admin/golden/add"' not in page.text
    fields = {"question": "怎么登记", "topic": "age", "audience": "voter"}
    assert (await desk.post("/admin/golden/add", fields)).status_code == 403


async def test_odd_searches_break_nothing(cast: Cast, signed_in: SignedIn) -> None:
    desk = await signed_in(cast.li_qiang)
    for query in ("q=%00", "q=%25", "page=0", "page=999999", "page=²", "view=x"):
        assert (await desk.get(f"/admin/golden?{query}")).status_code == 200, query
