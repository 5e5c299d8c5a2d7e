"""What is printed of a tip: its own fields, its chain and its mark, written as official texts write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from knowledge.tips import TipHead, TipSecrecy, TipState, TipType, WorkTip
from office.store import Store
from tests.make import Cast
from tests.ticketing.tip_world import released
from ticketing import tip_paper, tip_release
from ticketing.tip_paper_facts import Attachment, arabic, hour

AT = datetime(2026, 11, 20, 4, 5, 7, tzinfo=UTC)
DRAFT = "未签发，不作为正式文件"


def test_numbers_dates_and_hours_as_official_texts_write_them() -> None:
    assert arabic(date(2026, 1, 5)) == "2026年1月5日"
    assert hour(AT) == "2026年11月20日12时5分"
    assert hour(datetime(2026, 11, 20, 9, tzinfo=UTC)) == "2026年11月20日17时"
    # What ends at midnight ends with the day before, on paper as everywhere.
    midnight = datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert (hour(midnight), hour(midnight, ends=True)) == ("2027年1月1日0时", "2026年12月31日24时")


async def test_facts_are_those_of_the_tip(store: Store, cast: Cast, now: datetime) -> None:
    def tip(**more: Any) -> WorkTip:
        plain: dict[str, Any] = {
            "unit_id": cast.district.id, "sources": {}, "drafter_id": cast.li_qiang.id, "title": "题",
            "created_at": now, "changed_at": now, "attachments": [],
        }  # fmt: skip
        return WorkTip(**(plain | more))

    async with store.transaction() as session:
        old = tip(state=TipState.SUPERSEDED, year=2025, issue_no=41, released_at=now)
        session.add(old)
        await session.flush()
        made = tip(
            type=TipType.CORRECTION, head=TipHead.RED, addressed_to="各工作组:", wording="答复：可以。",
            basis="细则第二条", scope="全区", effective_from=now, effective_until=now + timedelta(days=2),
            receipt_due=now, secrecy=TipSecrecy.PUBLIC, document_no="东选办[2026]03号",
            supersedes_id=old.id, copied_to="区委办。",
            attachments=[{"title": "表", "text": "甲\n\n乙"}, {"title": "", "text": " "}],
        )  # fmt: skip
        session.add(made)
        await session.flush()
        told = await tip_paper.facts(session, made, now=now)
        assert (told.mark, told.number, told.chain) == (DRAFT, "", "本期替代2025年第41期")
        assert told.issue == ""
        assert (told.office, told.addressed_to, told.copied_to) == (
            "东浦区选举委员会办公室", "各工作组", "区委办",
        )  # fmt: skip
        assert (told.document_no, told.note, told.printed) == ("东选办〔2026〕3号", "此件公开发布", None)
        assert [part.title for part in told.parts] == ["一、统一口径", "二、时限与联系人"]
        assert told.parts[0].lines == ("答复：可以。", "依据：细则第二条")
        assert told.parts[1].lines == (
            "适用范围：全区。",
            "自2026年11月20日10时5分起执行，有效期至2026年11月22日10时5分。",
            "请于2026年11月20日10时5分前签阅。",
        )
        assert told.attachments == (Attachment("表", ("甲", "乙")),)
        assert (told.classification, told.copy_no) == ("", "")
        cited = "答复：可以。依据：《细则》 第二条"
        made.wording, made.effective_from, made.receipt_wanted = cited, None, False
        made.releaser_id = cast.wang_fang.id
        made.state, made.year, made.issue_no, made.released_at = TipState.RELEASED, 2026, 3, now
        old.superseded_by_id, made.laid_out_at = made.id, now
        later = now + timedelta(days=3)
        told = await tip_paper.facts(session, made, now=now, copy_no="000001")
        assert (told.mark, told.number, told.printed) == ("", "第3期", date(2026, 11, 20))
        assert told.issue == "工作提示2026年第3期"
        assert (told.parts[0].lines, told.copy_no) == ((cited,), "000001")
        assert told.people == ("拟稿：李强", "签发：王芳")
        assert "有效期至2026年11月22日10时5分。" in told.parts[1].lines
        assert (await tip_paper.facts(session, made, now=later)).mark == "本期已失效"
        assert (await tip_paper.facts(session, old, now=now)).mark == "本期已由2026年第3期替代"
        made.state = TipState.WITHDRAWN
        assert (await tip_paper.facts(session, made, now=later)).mark == "本期已撤回"
        assert tip_paper.paper(told)


async def test_a_tip_that_is_replaced_on_a_later_day_says_from_which_and_only_then_that_it_is(
    store: Store, cast: Cast, now: datetime
) -> None:
    midnight, noon = datetime(2026, 12, 31, 16, tzinfo=UTC), datetime(2027, 1, 5, 4, 30, tzinfo=UTC)

    async def mark(tip: WorkTip, at: datetime) -> str:
        async with store.reading() as session:
            row = await session.get_one(WorkTip, tip.id)
            return (await tip_paper.facts(session, row, now=at)).mark

    for begins, said in ((midnight, "2027年1月1日"), (noon, "2027年1月5日12时30分")):
        old = await released(store, cast, now)
        new = await released(store, cast, now, supersedes_id=old.id, effective_from=begins)
        assert await mark(old, now) == f"本期自{said}起由第{new.issue_no}期替代"
        assert await mark(old, begins - timedelta(seconds=1)) == f"本期自{said}起由第{new.issue_no}期替代"
        assert await mark(old, begins) == f"本期已由第{new.issue_no}期替代"
        assert await mark(new, now) == ""


async def test_paper_tells_no_more_of_what_replaces_it_than_its_page_does(
    store: Store, cast: Cast, now: datetime
) -> None:
    old = await released(store, cast, now)
    hidden = await released(store, cast, now, supersedes_id=old.id, send_at=now + timedelta(hours=5))
    last = await released(store, cast, now, supersedes_id=hidden.id, effective_from=now + timedelta(days=3))

    async def mark(tip: WorkTip) -> str:
        async with store.reading() as session:
            row = await session.get_one(WorkTip, tip.id)
            return (await tip_paper.facts(session, row, now=now)).mark

    # What was to replace it first never went out: what replaces that is what people are told.
    assert await mark(old) == "本期自2026年11月23日10时5分起由第3期替代"
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, last.id)
        await tip_release.withdraw(session, row, "依据有误", seen=row.version, actor=cast.wang_fang, now=now)
    # Its day will not come.
    assert await mark(old) == "本期已由第3期替代"
    other = await released(store, cast, now)
    await released(store, cast, now, supersedes_id=other.id, send_at=now + timedelta(hours=5))
    assert await mark(other) == ""
