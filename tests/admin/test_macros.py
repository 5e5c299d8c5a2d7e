"""The page of macros."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast
from ticketing import macros

SignedIn = Callable[[Staff], Awaitable[Browser]]


async def test_one_is_made_and_retired_on_the_page(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.li_qiang)
    assert "还没有常用语" in (await desk.get("/admin/macros")).text
    made = await desk.post("/admin/macros", {"macro_name": "开头", "macro_text": "您好！"})
    assert made.headers["location"] == "/admin/macros?done=macro_made"
    page = await desk.get(made.headers["location"])
    assert "已保存常用语" in page.text
    async with store.reading() as session:
        (macro,) = await macros.listed(session, cast.li_qiang)
    gone = await desk.post(f"/admin/macros/{macro.id}/retire")
    assert gone.headers["location"] == "/admin/macros?done=macro_retired"
    assert "还没有常用语" in (await desk.get("/admin/macros")).text


async def test_a_refused_one_keeps_what_was_typed(cast: Cast, signed_in: SignedIn) -> None:
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/macros")
    refused = await desk.post("/admin/macros", {"macro_name": "期限", "macro_text": "登记到12月5日截止。"})
    assert refused.status_code == 422
    assert "登记到12月5日截止。</textarea>" in refused.text
    assert 'value="期限"' in refused.text


async def test_a_unit_above_is_read_and_not_retired_from_below(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        macro = await macros.create(session, "开头", "您好！", actor=cast.li_qiang, now=clock())
    desk = await signed_in(cast.zhao_lei)
    page = await desk.get("/admin/macros")
    assert "您好！" in page.text
    assert f"/admin/macros/{macro.id}/retire" not in page.text
    assert (await desk.post(f"/admin/macros/{macro.id}/retire")).status_code == 403


async def test_who_does_not_answer_has_no_macros(cast: Cast, signed_in: SignedIn) -> None:
    assert (await (await signed_in(cast.zhou_ning)).get("/admin/macros")).status_code == 403
