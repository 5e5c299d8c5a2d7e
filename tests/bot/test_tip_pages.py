"""Work tips on the public pages, and behind the link that a group was sent."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot.tip_pages import WRONG_LINKS
from knowledge.tip_receipts import Receipt, ReceiptWay
from knowledge.tips import TipHead, TipSecrecy, WorkTip
from office import signin
from office.bindings import ChatGroup, GroupState
from office.contacts import Channel
from office.staff import Role, Staff
from office.store import Store
from office.units import UnitKind, add
from tests.bot.conftest import ADDRESS, Visitor, hidden
from tests.make import Cast, Clock
from tests.ticketing.tip_world import group, released, signed, submitted
from ticketing import tip_release
from ticketing.tip_posts import TipPost

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)

Visitors = Callable[..., Visitor]
SignedIn = Callable[[Staff], Awaitable[httpx.AsyncClient]]
PUBLIC = TipSecrecy.PUBLIC


def plain(page: httpx.Response) -> str:
    return html.unescape(page.text)


@pytest.fixture
def signed_in(store: Store, clock: Clock, visitor: Visitors) -> SignedIn:
    async def make(person: Staff) -> httpx.AsyncClient:
        async with store.transaction() as session:
            token = await signin._sign_in(session, person, device="Test", now=clock())
        client = visitor().client
        client.cookies.set("one-window-desk", token)
        return client

    return make


async def with_robot(store: Store, cast: Cast, clock: Clock, **changes: Any) -> tuple[WorkTip, str]:
    """A released tip, and the way that the group robot of 临江街道 was sent."""
    async with store.transaction() as session:
        if await session.scalar(select(ChatGroup.id)) is None:
            await group(session, cast.riverside, "wecom-1", clock(), Channel.WECOM_ROBOT)
    tip = await released(store, cast, clock(), **changes)
    async with store.reading() as session:
        token = await session.scalar(select(TipPost.token).where(TipPost.tip_id == tip.id))
    return tip, f"/tips/r/{token}"


async def receipts(store: Store) -> list[Receipt]:
    async with store.reading() as session:
        return list(await session.scalars(select(Receipt)))


async def test_the_archive_has_what_is_public_and_no_more(
    store: Store, cast: Cast, clock: Clock, visitor: Visitors
) -> None:
    empty = (await visitor().client.get("/tips")).text
    assert "还没有公开的工作提示" in empty
    assert "换个词" not in empty
    await released(store, cast, clock(), title="关于门牌号<b>的提示", secrecy=PUBLIC, print_run=3)
    await released(store, cast, clock(), title="内部口径")
    await released(
        store, cast, clock(), title="还没到时候", secrecy=PUBLIC, send_at=clock() + timedelta(hours=1)
    )
    await submitted(store, cast, clock(), title="还没签发", secrecy=PUBLIC)
    client = visitor().client
    page = await client.get("/tips")
    assert "关于门牌号&lt;b&gt;的提示" in page.text
    for words in ("内部口径", "还没到时候", "还没签发"):
        assert words not in page.text
    assert not client.cookies
    for query, there in (
        ("q=门牌号", True), ("q=第1期", True), ("q=第2期", False), ("q=内部", False), ("q=%", False),
        ("year=2026", True), ("year=x", True), ("q=%00门牌号", True), ("q=累计月数 实施细则", True),
    ):  # fmt: skip
        assert ("关于门牌号" in (await client.get(f"/tips?{query}")).text) is there, query
    assert "请换个词" in (await client.get("/tips?q=内部")).text
    long = await client.get("/tips?q=" + "长" * 400)
    assert (long.status_code, "查找词太长，只按前60个字查找" in long.text) == (200, True)
    assert "长" * 61 not in long.text
    for query in ("page=0", "page=99999999999999999999", "page=x", "page=-1", "year=20266", "q=&year=&page="):
        assert "关于门牌号" in (await client.get(f"/tips?{query}")).text, query
    assert (await client.get("/tips/2026/1")).status_code == 200
    assert (await client.get("/tips/2026-1")).headers["location"] == "/tips/2026/1"
    for number in ("2026/2", "2026/3", "2026/4", "2025/1", "2026/0", "x/1", "2026/1'--", "r", "r/x"):
        assert (await client.get(f"/tips/{number}")).status_code == 404, number
    assert 'href="/tips"' in (await client.get("/")).text


async def test_a_page_has_everything_and_its_passport(
    store: Store, cast: Cast, clock: Clock, visitor: Visitors
) -> None:
    now = clock()
    await released(
        store, cast, now, title="<script>alert(1)</script> & _提示_", secrecy=PUBLIC, scope="东浦区<全区>",
        wording="问题：<b>？\n答复：按累计月数计算。",
        attachments=({"title": "样表<i>", "text": "一\n二 & 三"},),
        effective_from=now - timedelta(hours=1), effective_until=now + timedelta(days=3),
    )  # fmt: skip
    client = visitor().client
    page = await client.get("/tips/2026/1")
    for raw in ("<script>alert", "<b>？", "样表<i>", "<全区>"):
        assert raw not in page.text
    for words in (
        "工作提示 2026年第1期 · 口径统一", "主送：各街道、各镇选举工作组", "一、来由", "二、统一口径",
        "三、操作步骤", "四、时限与联系人", "附件1　样表<i>", "二 & 三", "2026-11-20",
        "东浦区选举委员会办公室", "第二十七条", "东浦区<全区>",
        "11月20日（周五）09:05起 至11月23日（周一）10:05",
    ):  # fmt: skip
        assert words in plain(page), words
    assert "已失效" not in page.text
    assert "x-robots-tag" not in page.headers
    english = await client.get("/tips/2026/1?lang=en")
    assert '<html lang="en"' in english.text
    fields = {"csrf": hidden(english.text, "csrf"), "next": "/tips/2026/1", "size": "extra"}
    assert (await client.post("/chat/size", data=fields)).headers["location"] == "/tips/2026/1"


async def test_what_holds_no_more_says_so_and_leads_on(
    store: Store, cast: Cast, clock: Clock, visitor: Visitors
) -> None:
    now = clock()
    old = await released(store, cast, now, title="旧的", secrecy=PUBLIC)
    await released(
        store, cast, now - timedelta(hours=2), title="过期的", secrecy=PUBLIC,
        effective_until=now - timedelta(hours=1),
    )  # fmt: skip
    gone = await released(store, cast, now, title="撤回的", secrecy=PUBLIC)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, gone.id)
        await tip_release.withdraw(session, row, "写错<了>", seen=row.version, actor=cast.wang_fang, now=now)
    client = visitor().client
    later = now + timedelta(hours=2)
    waiting = await submitted(
        store, cast, now, title="新的", secrecy=PUBLIC, supersedes_id=old.id, send_at=later
    )
    await signed(store, cast, waiting, now)
    # While what replaces it is under embargo, nobody is told of it.
    assert "替代" not in (await client.get("/tips/2026/1")).text
    assert "已失效" in (await client.get("/tips/2026/2")).text
    page = plain(await client.get("/tips/2026/3"))
    assert "已撤回" in page
    assert "原因：写错<了>" in page
    listed = plain(await client.get("/tips"))
    assert "已失效" in listed
    assert "已撤回" in listed


async def test_a_tip_that_was_replaced_names_what_holds(
    store: Store, cast: Cast, clock: Clock, visitor: Visitors
) -> None:
    first = await released(store, cast, clock(), title="旧的", secrecy=PUBLIC)
    second = await released(store, cast, clock(), title="中间的", secrecy=PUBLIC, supersedes_id=first.id)
    client = visitor().client
    page = plain(await client.get("/tips/2026/1"))
    assert "已被第2期替代" in page
    assert 'href="/tips/2026/2"' in page
    await released(store, cast, clock(), title="内部的", supersedes_id=second.id)
    page = plain(await client.get("/tips/2026/1"))
    # Its number anybody may know, the way to it only who may read it.
    assert "已被第3期替代" in page
    assert "内部的" not in page
    assert "/tips/2026/3" not in page


async def test_a_correction_leads_to_what_it_replaces_and_that_says_from_when(
    store: Store, cast: Cast, clock: Clock, visitor: Visitors
) -> None:
    first = await released(store, cast, clock(), title="旧的", secrecy=PUBLIC)
    red = {"head": TipHead.RED, "document_no": "东选办[2026]第03号"}
    midnight = datetime(2027, 1, 4, 16, tzinfo=UTC)
    second = await released(
        store, cast, clock(), title="新的", secrecy=PUBLIC, supersedes_id=first.id, origin="",
        wording="答复：可以。\n依据：《实施细则》第一条", basis="实施细则第一条",
        effective_from=midnight, effective_until=midnight + timedelta(days=9), **red,
    )  # fmt: skip
    client = visitor().client
    old = plain(await client.get("/tips/2026/1"))
    assert "第2期《新的》自2027年1月5日起执行；在此以前仍按原来的规定执行。" in old
    assert "自2027年1月5日起由第2期替代" in old
    assert "已被第2期替代" not in old
    assert "自2027年1月5日起由第2期替代" in plain(await client.get("/tips"))
    new = await client.get("/tips/2026/2")
    for words in (
        "工作提示 2026年第2期（东选办〔2026〕3号） · 口径统一",
        '更正：替代工作提示第1期《旧的》 <a href="/tips/2026/1">看第1期</a>',
        "<dt>发文字号</dt><dd>东选办〔2026〕3号</dd>",
        "一、统一口径", "二、操作步骤", "三、时限与联系人", "2027年1月5日起 至2027年1月13日24:00",
    ):  # fmt: skip
        assert words in plain(new), words
    assert new.text.count("依据") == 1
    english = (await client.get("/tips/2026/2?lang=en")).text
    assert "<h2>1. Wording</h2>" in english
    assert "Correction: replaces work tip" in english
    # An internal one is named by its number alone on a page for everybody.
    hidden_one = await released(store, cast, clock(), title="内部的", supersedes_id=second.id)
    await released(store, cast, clock(), title="又公开", secrecy=PUBLIC, supersedes_id=hidden_one.id)
    page = plain(await client.get("/tips/2026/4?lang=zh-CN"))
    assert "更正：替代工作提示第3期" in page
    assert "内部的" not in page
    assert 'href="/tips/2026/3"' not in page
    held = plain(await client.get("/tips/2026/2"))
    assert "第4期《又公开》自11月20日（周五）10:05起执行，请按第4期执行。" in held
    assert "已被第4期替代" in held


async def test_a_groups_link_shows_the_tip_and_leads_to_the_sign_in_and_back(
    store: Store, cast: Cast, clock: Clock, visitor: Visitors, site: FastAPI
) -> None:
    _, way = await with_robot(store, cast, clock, title="内部<b>口径")
    client = visitor().client
    page = await client.get(way)
    assert page.status_code == 200
    assert "内部<b>口径" in plain(page)
    assert "内部<b>口径" not in page.text
    assert "内部工作提示，请勿转发" in page.text
    assert "临江街道的工作人员，请登录后签阅" in page.text
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert '<meta name="robots" content="noindex, nofollow">' in page.text
    assert f"{way}/read" not in page.text
    assert f'href="/admin/sign-in?next={way}"' in page.text
    sign_in = await client.get(f"/admin/sign-in?next={way}")
    assert hidden(sign_in.text, "next") == way
    async with store.transaction() as session:
        invited = await signin.new_way_in(session, cast.li_qiang, actor=None, now=clock())
        await signin.accept_invite(
            session, invited, "liqiang", "a long enough password", device="", now=clock()
        )
    typed = {"username": "liqiang", "password": "a long enough password", "next": way}
    left = await client.post("/admin/sign-in", data={**typed, "csrf": hidden(sign_in.text, "csrf")})
    assert (left.status_code, left.headers["location"]) == (303, way)
    for foreign in ("/tips/r/../../evil", "/tips/r/x", "//evil.example", f"{way}/read", "/tips/2026/1"):
        elsewhere = await client.get("/admin/sign-in", params={"next": foreign})
        assert elsewhere.headers["location"] == "/admin", foreign
    # Signed out, a press signs nothing.
    stranger = visitor().client
    assert (await stranger.post(f"{way}/read", data={"csrf": hidden(page.text, "csrf")})).status_code == 401
    assert await receipts(store) == []
    assert ADDRESS not in page.text


async def test_only_the_unit_of_the_group_signs_and_only_once(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, visitor: Visitors
) -> None:
    tip, way = await with_robot(store, cast, clock)
    async with store.transaction() as session:
        committee = await add(session, UnitKind.NEIGHBOURHOOD, "LJ1", "滨河居委", cast.riverside)
        people = [
            Staff(name=name, unit_id=unit, roles=[Role.REGISTRAR.value], created_at=clock())
            for name, unit in (("何静", cast.riverside.id), ("吴小兰", committee.id))
        ]
        session.add_all(people)
    for outsider in (cast.zhao_lei, cast.li_qiang):
        client = await signed_in(outsider)
        page = await client.get(way)
        assert "仅限本群登记单位" in page.text
        assert f"{way}/read" not in page.text
        me = await client.get("/admin/me")
        refused = await client.post(f"{way}/read", data={"csrf": hidden(me.text, "csrf")})
        assert refused.status_code == 403
        assert "仅限本群登记单位" in refused.text
        assert refused.headers["x-robots-tag"] == "noindex, nofollow"
    assert await receipts(store) == []

    # Somebody of a committee of the street signs for the street; a foreign page may not press for them.
    client = await signed_in(people[1])
    page = await client.get(way)
    assert "您将代表临江街道签阅" in page.text
    csrf = hidden(page.text.partition('class="tip-signing')[2], "csrf")
    assert (await client.post(f"{way}/read", data={"csrf": hidden(page.text, "csrf")})).status_code == 403
    done = await client.post(f"{way}/read", data={"csrf": csrf})
    assert (done.status_code, done.headers["location"]) == (303, way)
    assert "您已在 10:05 签阅" in (await client.get(way)).text
    assert (await client.post(f"{way}/read", data={"csrf": csrf})).status_code == 303
    colleague = await signed_in(people[0])
    assert "临江街道已由 吴*兰 在 10:05 签阅" in (await colleague.get(way)).text
    page = await visitor().client.get(way)
    assert "临江街道已在 10:05 签阅" in page.text
    assert "吴小兰" not in page.text
    (receipt,) = await receipts(store)
    assert (receipt.tip_id, receipt.unit_id) == (tip.id, cast.riverside.id)
    assert (receipt.signer, receipt.way) == ("吴小兰", ReceiptWay.LINK)


async def test_a_link_to_what_fell_leads_to_the_groups_new_one_and_signs_nothing(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    old, way = await with_robot(store, cast, clock, title="旧的")
    client = await signed_in(cast.zhao_lei)
    async with store.transaction() as session:
        (await session.get_one(Staff, cast.zhao_lei.id)).unit_id = cast.riverside.id
    page = await client.get(way)
    csrf = hidden(page.text.partition('class="tip-signing')[2], "csrf")
    _, newer = await with_robot(store, cast, clock, title="新的", supersedes_id=old.id)
    page = await client.get(way)
    assert "已被第2期替代" in page.text
    assert f'href="{newer}"' in page.text
    # And back: by the way that this group was sent, though both are internal.
    correction = (await client.get(newer)).text
    assert f'更正：替代工作提示第1期《旧的》 <a href="{way}">看第1期</a>' in correction
    assert f"{way}/read" not in page.text
    refused = await client.post(f"{way}/read", data={"csrf": csrf})
    assert refused.status_code == 409
    assert "本期已由第2期替代，请签阅第2期" in refused.text
    assert "旧的" in refused.text
    assert await receipts(store) == []
    # What was taken off the group shows nothing any more, and wrong links are not tried for long.
    async with store.transaction() as session:
        for row in await session.scalars(select(ChatGroup)):
            row.state = GroupState.ENDED
    for _ in range(WRONG_LINKS):
        assert (await client.get(newer)).status_code == 404
    over = await client.get("/tips/r/" + "a" * 43)
    assert over.status_code == 429
    assert int(over.headers["retry-after"]) > 0
