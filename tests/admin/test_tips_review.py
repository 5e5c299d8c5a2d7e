"""The steps of a work tip in the console: two persons, what a release does, refusals that say why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from knowledge.tips import TipState, WorkTip
from knowledge.versions import Entry, EntryVersion
from office import audit
from office.bindings import GroupState
from office.outbox import Delivery
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock, plain
from tests.make import Cast, an_entry, check
from tests.ticketing.tip_world import drafted, group, read, released, rewording, submitted
from ticketing import tip_effect

SignedIn = Callable[[Staff], Awaitable[Browser]]
HOUR = timedelta(hours=1)


async def groups(store: Store, cast: Cast, clock: Clock) -> None:
    """Four groups of 临江街道, one each well, lost, restricted and silent; 北塘镇 has none."""
    named: tuple[tuple[str, dict[str, Any]], ...] = (
        ("临江街道<工作群>", {}),
        ("旧群", {"state": GroupState.LOST}),
        ("禁言群", {"restricted_at": clock()}),
        ("静默群", {"silent_since": clock()}),
    )
    async with store.transaction() as session:
        for number, (title, more) in enumerate(named):
            row = await group(session, cast.riverside, f"-100{number}", clock(), **more)
            row.title = title


async def test_who_wrote_it_sees_why_another_person_has_to_release_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    made = await drafted(store, cast, clock())
    here = f"/admin/tips/{made.id}"
    officer = await signed_in(cast.li_qiang)
    page = await officer.get(here)
    assert "签发后会做这些事" in page.text
    assert f'action="{here}/release"' not in page.text
    assert (await officer.post(f"{here}/submit")).headers["location"] == f"{here}?done=submitted"
    said = plain(await officer.get(here))
    assert "您是拟稿人或改过稿，不能签发自己写的提示" in said
    assert f'action="{here}/release"' not in said
    assert (await officer.post(f"{here}/release")).status_code == 403

    async with store.transaction() as session:
        person = await session.get_one(Staff, cast.li_qiang.id)
        person.roles = [Role.DUTY_OFFICER.value, Role.REVIEWER.value]
    await officer.get(here)
    refused = await officer.post(f"{here}/release", {"version": "2"})
    assert refused.status_code == 403
    assert "您是拟稿人" in plain(refused)
    assert (await read(store, made)).state is TipState.IN_REVIEW
    # Nor may an editor, who did not write it, but has no right to release.
    async with store.transaction() as session:
        session.add(
            editor := Staff(
                name="钱一", unit_id=cast.district.id, roles=[Role.EDITOR.value], created_at=clock()
            )
        )
    said = plain(await (await signed_in(editor)).get(here))
    assert "等待有签发权限的另一个人签发" in said


async def test_before_a_release_everything_it_does_is_said_and_then_it_does_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await groups(store, cast, clock)
    _, version = await rewording(store, cast, "K-0901", "按累计月数计算。", clock())
    old = await released(store, cast, clock())
    made = await submitted(store, cast, clock(), entries=(version.id,), supersedes_id=old.id)
    desk = await signed_in(cast.wang_fang)
    here = f"/admin/tips/{made.id}"
    said = plain(await desk.get(here))
    for words in (
        "将发送到 1 个群", "主送 2 个单位", "失联的群（1个），收不到", "临江街道：旧群（Telegram）",
        "不许我们发言的群（1个），收不到", "设了静默的群（1个），暂不发", "北塘镇",
        "没有群的单位（1个），要打电话", "按顺序编为2026年的下一期", "马上发送到1个群",
        "1条关联口径同时生效",
        "2026年第1期《关于居住证年限的提示》同时标为被替代", "2个单位要在11月23日",
        "一个字也不能改", "发布前检查已通过",
    ):  # fmt: skip
        assert words in said, words
    assert "临江街道<工作群>" not in (await desk.get(here)).text
    signed = await desk.post(f"{here}/release")
    assert signed.headers["location"] == f"{here}?done=released"
    said = plain(await desk.get(signed.headers["location"]))
    for words in ("已签发。", "2026年第2期", "本期替代2026年第1期", "已生效"):
        assert words in said
    assert "下一步" not in said
    assert "本期已由2026年第2期替代" in plain(await desk.get(f"/admin/tips/{old.id}"))
    async with store.reading() as session:
        entry = await session.get_one(Entry, version.entry_id)
        assert entry.published_id == version.id
        assert (await session.scalars(select(Delivery.kind).where(Delivery.kind == "tip"))).all() != []


async def test_a_tip_is_sent_back_taken_back_and_looked_over(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    made = await submitted(store, cast, clock())
    here = f"/admin/tips/{made.id}"
    reviewer, officer = await signed_in(cast.wang_fang), await signed_in(cast.li_qiang)
    await reviewer.get(here)
    assert (await reviewer.post(f"{here}/return", {"remark": "  "})).status_code == 422
    back = await reviewer.post(f"{here}/return", {"remark": "依据要写<条>款\n第二行"})
    assert back.headers["location"] == f"{here}?done=returned"
    for path in (here, f"{here}/edit"):
        page = await officer.get(path)
        assert "依据要写&lt;条&gt;款<br>第二行" in page.text
    await officer.get(here)
    await officer.post(f"{here}/submit")
    # A page from before: its buttons are told that it moved on.
    stale = await reviewer.post(f"{here}/return", {"remark": "又一条意见"})
    assert stale.status_code == 409
    assert "又一条意见" in stale.text
    await reviewer.get(here)
    noted = await reviewer.post(f"{here}/look-over")
    assert noted.headers["location"] == f"{here}?done=looked_over"
    said = plain(await reviewer.get(here))
    assert "核稿" in said
    assert "记下我已核稿" not in said
    await officer.get(here)
    assert (await officer.post(f"{here}/look-over")).status_code == 403
    taken = await officer.post(f"{here}/take-back")
    assert taken.headers["location"] == f"{here}?done=taken_back"
    row = await read(store, made)
    assert (row.state, row.checker_id) == (TipState.DRAFT, None)


async def test_a_release_that_cannot_be_says_why_and_changes_nothing(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    _, version = await rewording(store, cast, "K-0901", "按累计月数计算。", clock(), checked=False)
    made = await submitted(store, cast, clock(), entries=(version.id,))
    desk = await signed_in(cast.wang_fang)
    here = f"/admin/tips/{made.id}"
    said = plain(await desk.get(here))
    assert "还没有做发布前检查，签发前要先做" in said
    refused = await desk.post(f"{here}/release")
    assert refused.status_code in (409, 422)
    assert "检查" in refused.text
    row = await read(store, made)
    assert (row.state, row.issue_no) == (TipState.IN_REVIEW, None)


async def test_a_tip_is_withdrawn_with_a_reason_by_one_person(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await groups(store, cast, clock)
    made = await released(store, cast, clock())
    here = f"/admin/tips/{made.id}"
    desk = await signed_in(cast.wang_fang)
    page = await desk.get(here)
    assert "随它生效的口径不会跟着停用" in page.text
    assert (await desk.post(f"{here}/withdraw", {"why": " "})).status_code == 422
    long = "长" * 301
    refused = await desk.post(f"{here}/withdraw", {"why": long})
    assert refused.status_code == 422
    assert long in refused.text
    assert (await desk.post(f"{here}/withdraw", {"why": "数字<有误>", "version": "1"})).status_code == 409
    gone = await desk.post(f"{here}/withdraw", {"why": "数字<有误>"})
    assert gone.headers["location"] == f"{here}?done=withdrawn"
    page = await desk.get(gone.headers["location"])
    for words in ("已撤回", "王芳 11月20日（周五）10:05撤回", "数字&lt;有误&gt;"):
        assert words in page.text
    for path in ("withdraw", "correct"):
        assert f'action="{here}/{path}"' not in page.text
    officer = await signed_in(cast.li_qiang)
    assert "撤回" not in (await officer.get("/admin/tips/new")).text
    assert (await officer.post(f"{here}/withdraw", {"why": "x", "version": "1"})).status_code == 403


async def test_entries_that_missed_their_time_are_brought_into_force_by_hand(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    _, version = await rewording(store, cast, "K-0901", "按累计月数计算。", clock())
    made = await released(store, cast, clock(), entries=(version.id,), effective_from=clock() + HOUR)
    here = f"/admin/tips/{made.id}"
    desk = await signed_in(cast.wang_fang)
    said = plain(await desk.get(here))
    assert "将在11月20日（周五）11:05生效，与提示同时" in said
    assert f'action="{here}/in-effect"' not in said
    async with store.transaction() as session:
        # The base has moved on since the check: at its time the clock finds that nothing can be published.
        words = ("门牌号写哪里", "新楼盘没有门牌", "地址怎么写才对")
        question = "新楼盘没有门牌号，地址怎么填？"
        await an_entry(session, cast, clock(), no="K-0902", question=question, phrasings=words)
        row = await session.get_one(WorkTip, made.id)
        row.stale_at = clock() + HOUR
        facts = {"why": "check_blocked", "entries": ["K-0901"]}
        await audit.record(
            session, "work_tip.stale", f"work_tip:{made.id}", actor=audit.CLOCK, now=clock(), **facts
        )
    clock.pass_by(2 * HOUR)
    said = plain(await desk.get(here))
    assert "关联口径没能生效" in said
    assert "签发后口径库有变化，到生效时间重新检查不通过：K-0901。" in said
    refused = await desk.post(f"{here}/in-effect")
    assert refused.status_code in (409, 422)
    async with store.transaction() as session:
        row_version = await session.get_one(EntryVersion, version.id)
        await check(session, row_version, actor=cast.wang_fang, now=clock())
    other = await signed_in(cast.li_qiang)
    assert "重新检查不通过：K-0901。" in plain(await other.get(f"{here}/board"))
    officer = plain(await other.get(here))
    assert "关联口径没能生效" in officer
    assert f'action="{here}/in-effect"' not in officer
    done = await desk.post(f"{here}/in-effect")
    assert done.headers["location"] == f"{here}?done=in_effect"
    assert (await read(store, made)).in_effect_at == clock()


async def test_the_clock_itself_is_shown_what_it_did(store: Store, cast: Cast, clock: Clock) -> None:
    """The act by hand is the same as the clock's: a tip whose time comes in order needs nobody."""
    made = await released(store, cast, clock(), effective_from=clock() + HOUR)
    async with store.transaction() as session:
        assert await tip_effect.take_effect(session, now=clock() + HOUR) == 1
    assert (await read(store, made)).in_effect_at == clock() + HOUR
