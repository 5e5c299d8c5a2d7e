"""Work tips in the console: drafts that say that they are drafts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast
from tests.ticketing.gathered import TITLE, confirmed, fourteen, signed
from tests.ticketing.work import REPLY, answered, opened

SignedIn = Callable[[Staff], Awaitable[Browser]]
MARK = "未签发，不作为正式文件"


async def a_tip(store: Store, cast: Cast, clock: Clock) -> str:
    """The tip that the answer to a cluster has drafted."""
    tickets = await fourteen(store, cast, clock())
    await confirmed(store, cast, tickets, clock())
    await signed(store, cast, tickets[0], clock())
    return "/admin/tips/1"


async def test_a_draft_reads_as_it_will_and_says_that_it_is_none(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    address = await a_tip(store, cast, clock)
    desk = await signed_in(cast.wang_fang)
    listed = await desk.get("/admin/tips")
    assert f"关于{TITLE}的提示" in listed.text
    page = await desk.get(address)
    for words in ("一、来由", "二、统一口径", "三、操作步骤", "四、时限与联系人", REPLY, "14件", "C-1120-01"):
        assert words in page.text
    assert page.text.count(MARK) == 2


async def test_a_draft_is_edited_and_nothing_typed_is_lost(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    address = await a_tip(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    await desk.get(f"{address}/edit")
    refused = await desk.post(f"{address}/edit", {"title": " ", "steps": "1. 先看居住证"})
    assert refused.status_code == 422
    assert "请写标题" in refused.text
    assert "1. 先看居住证" in refused.text
    saved = await desk.post(f"{address}/edit", {"title": "关于居住证的提示", "steps": "1. 先看居住证"})
    assert saved.headers["location"] == f"{address}?done=saved"
    page = await desk.get(saved.headers["location"])
    assert "关于居住证的提示" in page.text
    await desk.get(f"{address}/edit")
    behind = await desk.post(f"{address}/edit", {"title": "再改", "version": "1"})
    assert behind.status_code == 409


async def test_a_tip_begins_from_an_answered_ticket(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await answered(store, cast, clock())
    waiting = await opened(store, cast, clock(), "选民证丢了怎么办")
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/tips")
    begun = await desk.post(f"/admin/tips/from-ticket/{ticket.id}")
    assert begun.headers["location"] == "/admin/tips/1/edit?done=begun"
    assert ticket.ticket_no in (await desk.get(begun.headers["location"])).text
    assert (await desk.post(f"/admin/tips/from-ticket/{waiting.id}")).status_code == 409


async def test_elsewhere_there_is_no_tip(store: Store, cast: Cast, clock: Clock, signed_in: SignedIn) -> None:
    address = await a_tip(store, cast, clock)
    desk = await signed_in(cast.zhao_lei)
    assert TITLE not in (await desk.get("/admin/tips")).text
    assert (await desk.get(address)).status_code == 404
    assert (await desk.get(f"{address}/edit")).status_code == 404
    await desk.get("/admin/tips")
    assert (await desk.post(f"{address}/edit", {"title": "x", "version": "1"})).status_code == 404
    admin = await signed_in(cast.zhou_ning)
    assert (await admin.get("/admin/tips")).status_code == 403
