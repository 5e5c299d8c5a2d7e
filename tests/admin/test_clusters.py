"""The pages of clusters: what is suggested, making one, the board, and who may."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast
from tests.ticketing.gathered import TITLE, asked, confirmed, fourteen, signed
from tests.ticketing.work import REPLY, read
from ticketing.records import Ticket, TicketState

SignedIn = Callable[[Staff], Awaitable[Browser]]


def figures(page: str) -> dict[str, int]:
    """The board as it is read: label and number."""
    found = re.findall(r'<div class="stat"><p class="soft">([^<]+)</p><p class="figure">(\d+)</p>', page)
    return {label: int(number) for label, number in found}


async def test_fourteen_are_suggested_confirmed_answered_and_accounted_for(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    opened = await fourteen(store, cast, clock())
    desk = await signed_in(cast.li_qiang)
    page = await desk.get("/admin/clusters")
    assert "近48小时14个相似问题（7个街镇）" in page.text
    assert page.text.count('name="tickets"') == 14
    chosen = {"tickets": [str(t.id) for t in opened], "lead": str(opened[0].id), "title": TITLE}
    made = await desk.post("/admin/clusters/confirm", chosen)
    assert made.status_code == 303
    address = made.headers["location"].partition("?")[0]
    page = await desk.get(made.headers["location"])
    assert "C-1120-01" in page.text
    assert "大家都会收到" in page.text
    assert figures(page.text) == {
        "成员": 14, "已告知": 0, "待取": 0, "无法送达": 0, "待回拨": 0, "未到": 14,
    }  # fmt: skip
    await signed(store, cast, opened[0], clock())
    page = await desk.get(address)
    assert REPLY in page.text
    found = figures(page.text)
    assert (found["待回拨"], found["未到"]) == (6, 8)
    assert found.pop("成员") == sum(found.values())
    assert "/admin/tips/" in page.text
    assert "口径草稿" in page.text
    assert "近48小时14个" not in (await desk.get("/admin/clusters")).text


async def test_only_what_is_chosen_is_joined(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    opened = await fourteen(store, cast, clock())
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/clusters")
    chosen = {"tickets": [str(t.id) for t in opened[:3]], "lead": str(opened[1].id), "title": TITLE}
    await desk.post("/admin/clusters/confirm", chosen)
    states = [(await read(store, ticket)).state for ticket in opened[:5]]
    merged, open_ = TicketState.MERGED, TicketState.UNASSIGNED
    assert states == [merged, open_, merged, open_, open_]
    page = await desk.get("/admin/clusters")
    assert "与集中问题 C-1120-01 相似" in page.text


async def test_a_refused_choice_says_why_on_the_same_page(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    opened = await fourteen(store, cast, clock())
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/clusters")
    one = {"tickets": str(opened[0].id), "lead": str(opened[0].id), "title": TITLE}
    refused = await desk.post("/admin/clusters/confirm", one)
    assert refused.status_code == 422
    assert "请至少选两张工单" in refused.text
    assert "近48小时14个相似问题" in refused.text


async def test_similar_ones_are_added_and_a_member_is_parted_by_a_leader(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    opened = await fourteen(store, cast, clock())
    cluster = await confirmed(store, cast, opened[:10], clock())
    address = f"/admin/clusters/{cluster.id}"
    desk = await signed_in(cast.li_qiang)
    page = await desk.get(address)
    assert "可能也是这个问题" in page.text
    added = await desk.post(f"{address}/add", {"tickets": [str(t.id) for t in opened[10:12]]})
    assert added.headers["location"] == f"{address}?done=added"
    none = await desk.post(f"{address}/add")
    assert (none.status_code, "还没有选工单" in none.text) == (422, True)
    refused = await desk.post(f"{address}/split/{opened[4].id}")
    assert refused.status_code == 403
    leader = await signed_in(cast.wang_fang)
    await leader.get(address)
    parted = await leader.post(f"{address}/split/{opened[4].id}")
    assert parted.headers["location"] == f"{address}?done=split"
    assert (await read(store, opened[4])).state is TicketState.UNASSIGNED
    owed = await leader.post(f"{address}/close")
    assert (owed.status_code, "还有成员在等答复" in owed.text) == (409, True)


async def test_elsewhere_nothing_is_seen_and_nothing_done(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    opened = await fourteen(store, cast, clock())
    cluster = await confirmed(store, cast, opened, clock())
    desk = await signed_in(cast.zhao_lei)
    assert TITLE not in (await desk.get("/admin/clusters")).text
    assert (await desk.get(f"/admin/clusters/{cluster.id}")).status_code == 404
    await desk.get("/admin/clusters")
    for act in ("close", "drafts", "add", f"split/{opened[3].id}"):
        assert (await desk.post(f"/admin/clusters/{cluster.id}/{act}")).status_code == 404
    admin = await signed_in(cast.zhou_ning)
    assert (await admin.get("/admin/clusters")).status_code == 403


async def test_a_member_of_another_cluster_is_not_parted_by_this_one(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    opened = await fourteen(store, cast, clock())
    first = await confirmed(store, cast, opened[:4], clock())
    second = await confirmed(store, cast, opened[4:8], clock())
    desk = await signed_in(cast.wang_fang)
    await desk.get(f"/admin/clusters/{first.id}")
    assert (await desk.post(f"/admin/clusters/{first.id}/split/{opened[5].id}")).status_code == 404
    assert (await read(store, opened[5])).cluster_id == second.id


async def test_without_suggestions_the_page_says_so(cast: Cast, signed_in: SignedIn) -> None:
    desk = await signed_in(cast.li_qiang)
    page = await desk.get("/admin/clusters")
    assert page.status_code == 200
    assert "没有三人以上问同样的问题" in page.text


async def test_words_of_askers_are_shown_as_text(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    made: list[Ticket] = []
    async with store.transaction() as session:
        for number in range(3):
            words = "<b>居住证</b>满5年怎么算"
            made.append(await asked(session, cast, clock(), words, who=f"70{number}"))
    desk = await signed_in(cast.li_qiang)
    page = await desk.get("/admin/clusters")
    assert "<b>居住证" not in page.text
    assert "&lt;b&gt;居住证" in page.text
