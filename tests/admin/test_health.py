"""The page of what contradicts itself, what is missing and what is due for review."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any

import pytest

from knowledge import entries
from knowledge.versions import EntryVersion, by_number, get_version
from office import changes
from office.changes import Change, ChangeKind
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, an_entry, content

SignedIn = Callable[[Staff], Awaitable[Browser]]
LOST = ("选民证掉了咋办", "我把选民证弄丢了", "选民证遗失到哪里补")


async def written_by(
    store: Store, cast: Cast, now: datetime, author: Staff | None, no: str = "K-0540", **more: Any
) -> EntryVersion:
    async with store.transaction() as session:
        version = await an_entry(session, cast, now, no, **more)
        version.author_id = author.id if author else None
    return version


async def a_change(store: Store, cast: Cast, now: datetime, review_on: date) -> Change:
    async with store.transaction() as session:
        change = await changes.propose(
            session, ChangeKind.RULES, "shanghai:B1", {"answer": "请凭选民资格证明登记。"}, now=now,
            basis="区选举办会议纪要", scope=cast.district, actor=cast.li_qiang, review_on=review_on,
        )  # fmt: skip
        await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=now)
    return change


def part(page: str, heading: str) -> str:
    """The section under a heading, without its tags."""
    found = re.search(rf"<h2[^>]*>{re.escape(heading)}.*?</section>", page, re.DOTALL)
    assert found, heading
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


async def test_conflicts_are_told_with_numbers_words_and_a_way_to_each(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    one = await written_by(store, cast, clock(), None, phrasings=LOST)
    two = await written_by(
        store, cast, clock(), None, "K-0541", phrasings=(*LOST[:1], "甲乙丙丁", "戊己庚辛")
    )
    three = await written_by(
        store, cast, clock(), None, "K-0542", phrasings=LOST, scope_unit_id=cast.riverside.id
    )
    desk = await signed_in(cast.wang_fang)
    page = (await desk.get("/admin/health")).text
    same = part(page, "同样的问法有两个答案")
    assert "K-0540" in same
    assert "K-0541" in same
    assert "选民证掉了怎么办" in same
    assert "K-0542" not in same
    narrower = part(page, "范围小的优先（不算冲突）")
    assert "适用：临江街道" in narrower
    for version in (one, two, three):
        assert f'href="/admin/entries/{version.entry_id}"' in page
    assert re.search(r"冲突 <span class=\"count\">1</span>", page)


async def test_a_sound_base_shows_no_conflict(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await written_by(store, cast, clock(), None)
    page = (await (await signed_in(cast.li_qiang)).get("/admin/health")).text
    for heading in (
        "同样的问法有两个答案",
        "前后版本的日期接不上",
        "已签发的变更与现行规则对不上",
        "写了不该写的",
    ):
        assert part(page, heading).endswith("没有")


async def test_every_kind_of_conflict_leads_to_its_page(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    version = await written_by(store, cast, clock(), None, effective_until=date(2026, 11, 25))
    async with store.transaction() as session:
        (await get_version(session, version.id)).full = "12月5日前都可以办。"
        entry = await by_number(session, "K-0540")
        later = content(cast, effective_from=date(2026, 11, 28))
        await entries.draft(session, later, actor=cast.li_qiang, now=clock(), entry=entry)
        old = await changes.install(
            session, ChangeKind.RULES, "shanghai:B1", {"answer": "12月5日前来。"}, basis="旧文件",
            scope=cast.district, now=clock(),
        )  # fmt: skip
    for person, hole in ((cast.wang_fang, "2026年11月26日至2026年11月27日没有口径"), (cast.li_qiang, "空档")):
        page = (await (await signed_in(person)).get("/admin/health")).text
        assert hole in part(page, "前后版本的日期接不上")
        assert "没有采用" in part(page, "已签发的变更与现行规则对不上")
        assert "不要写日期“12月5日”" in part(page, "写了不该写的")
        assert f'href="/admin/changes/{old.id}"' in page


async def test_gaps_are_told_with_a_way_to_each(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    version = await written_by(store, cast, clock(), None, confirmed=False)
    page = (await (await signed_in(cast.li_qiang)).get("/admin/health?view=gaps")).text
    assert "选民证发放" not in part(page, "没有口径的主题")
    assert "年龄" in part(page, "没有口径的主题")
    assert "待区选举办核定" in part(page, "答不了或待核定的口径")
    assert f'href="/admin/entries/{version.entry_id}"' in page
    assert "B1" in part(page, "等本区填写的规则")
    assert 'href="/admin/packs/shanghai/B1"' in page
    assert "临江街道" in part(page, "没有登记站的单位")
    assert "2027" in part(page, "没有节假日表的年份")
    assert part(page, "日历里还没有日期的").endswith("没有")
    for address in ("/admin/stations", "/admin/hours", "/admin/packs/shanghai"):
        assert f'href="{address}' in page


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_every_list_can_be_read_in_both_languages(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, language: str
) -> None:
    await written_by(store, cast, clock(), cast.li_qiang, review_on=clock().date())
    await written_by(store, cast, clock(), None, "K-0541", effective_until=date(2026, 11, 1))
    async with store.transaction() as session:
        (await session.merge(cast.wang_fang)).language = language
    desk = await signed_in(cast.wang_fang)
    for view in ("conflicts", "gaps", "reviews"):
        page = await desk.get(f"/admin/health?view={view}")
        assert page.status_code == 200
        shown = re.sub(r"<[^>]+>", " ", page.text.split("<main", 1)[1].split("</main>")[0])
        assert ("What contradicts itself" in shown) is (language == "en")


async def test_reviews_stand_under_their_owner_and_the_number_in_the_menu(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await written_by(store, cast, clock(), cast.li_qiang, review_on=date(2026, 11, 18))
    await written_by(
        store, cast, clock(), cast.sun_jie, "K-0541", group="秘书组", review_on=date(2026, 11, 20)
    )
    await a_change(store, cast, clock(), date(2026, 11, 30))
    page = (await (await signed_in(cast.li_qiang)).get("/admin/health?view=reviews")).text
    mine = part(page, "李强（您）")
    assert "逾期 2 天" in mine
    assert "shanghai:B1" in mine
    assert "还有 10 天" in mine
    group = part(page, "秘书组")
    assert "今天到期" in group
    assert "由负责人或审核人办理" in group
    assert re.search(r"口径健康</span>|口径健康 ?<span class=\"count\">1</span>", page)

    first = (await (await signed_in(cast.li_qiang)).get("/admin/entries")).text
    menu = first.split('class="mainnav')[1].split("</nav>")[0]
    assert '<span class="count">1</span>' in menu
    assert (
        '<span class="count">1</span>'
        not in (
            (await (await signed_in(cast.zhao_lei)).get("/admin/entries")).text.split('class="mainnav')[1]
        ).split("</nav>")[0]
    )


async def test_looked_at_sets_the_next_day_and_a_day_past_is_refused_on_the_same_page(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    version = await written_by(store, cast, clock(), cast.li_qiang, review_on=date(2026, 11, 18))
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/health?view=reviews")
    form = f"/admin/health/reviews/entry_version/{version.id}?view=reviews"
    for wrong in ("2026-11-20", "", "morgen"):
        refused = await desk.post(form, {"next_on": wrong})
        assert refused.status_code == 422
        assert "K-0540" in refused.text
    taken = await desk.post(form, {"next_on": "2027-05-01"})
    assert taken.status_code == 303
    page = (await desk.get(taken.headers["location"])).text
    assert "内容没有改动" in page
    assert "两周内没有要复审的" in page
    async with store.reading() as session:
        assert (await get_version(session, version.id)).review_on == date(2027, 5, 1)


async def test_who_may_not_say_so_is_refused(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    version = await written_by(store, cast, clock(), cast.li_qiang, review_on=date(2026, 11, 18))
    desk = await signed_in(cast.zhou_ning)
    await desk.get("/admin/health?view=reviews")
    fields = {"next_on": "2027-05-01", "version": str(version.version)}
    refused = await desk.post(f"/admin/health/reviews/entry_version/{version.id}", fields)
    assert refused.status_code == 403
    for unknown in ("/admin/health/reviews/ticket/1", "/admin/health/reviews/change/99"):
        assert (await desk.post(unknown, fields)).status_code == 404
