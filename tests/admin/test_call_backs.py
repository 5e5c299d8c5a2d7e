"""The call-back list on its pages: masked until the officer who calls opens it, every try written down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from fastapi import FastAPI

from office import audit
from office.contacts import Channel
from office.seal import Sealer
from office.staff import Staff
from office.store import Store
from office.units import Unit
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, a_ticket
from tests.ticketing.work import REPLY, entry, taken
from ticketing import call_backs, call_list
from ticketing.call_backs import CallBack, CallBackKind, CallBackState

SignedIn = Callable[[Staff], Awaitable[Browser]]
BASE = "/admin/call-backs"
PHONE = "13800138001"


@pytest.fixture
def sealer(app: FastAPI) -> Sealer:
    found: Sealer = app.state.services.sealer
    return found


async def on_list(
    store: Store, cast: Cast, clock: Clock, sealer: Sealer, unit: Unit | None = None
) -> CallBack:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock(), unit=unit)
        ticket.asker_name, ticket.phone = sealer.seal("张小敏"), sealer.seal(PHONE)
        await session.flush()
        call = await call_backs.put(
            session, key=f"ticket:{ticket.id}:1", kind=CallBackKind.ANSWER, ticket=ticket,
            point="请到登记站核对。", now=clock(),
        )  # fmt: skip
        assert call is not None
        return call


async def test_names_and_numbers_are_masked_until_opened_and_then_shown_once(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, sealer: Sealer
) -> None:
    call = await on_list(store, cast, clock, sealer)
    desk = await signed_in(cast.li_qiang)
    page = await desk.get(BASE)
    assert "张*敏" in page.text
    assert "138****8001" in page.text
    assert (PHONE in page.text, "张小敏" in page.text) == (False, False)
    opened = await desk.post(f"{BASE}/{call.id}/open")
    assert opened.status_code == 200
    assert PHONE in opened.text
    assert "张小敏" in opened.text
    assert opened.headers["Cache-Control"] == "no-store"
    assert PHONE not in (await desk.get(BASE)).text
    async with store.reading() as session:
        acts, _ = await audit.listed(session, subject=f"call_back:{call.id}")
        assert [line.action for line in acts] == ["call_back.open"]
        assert PHONE not in str(acts[0].facts)


async def test_a_call_is_tried_told_and_done(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, sealer: Sealer
) -> None:
    call = await on_list(store, cast, clock, sealer)
    desk = await signed_in(cast.li_qiang)
    await desk.get(BASE)
    nothing = await desk.post(f"{BASE}/{call.id}/try", {"result": ""})
    assert nothing.status_code == 422
    first = await desk.post(f"{BASE}/{call.id}/try", {"result": "no_answer", "call_note": "晚上再打"})
    assert first.headers["location"] == f"{BASE}?done=call_tried"
    stale = await desk.post(f"{BASE}/{call.id}/try", {"result": "told"})
    assert stale.status_code == 409
    page = await desk.get(BASE)
    assert "未接通 · 晚上再打" in page.text
    await desk.post(f"{BASE}/{call.id}/try", {"result": "told"})
    assert "现在没有要回拨的人" in (await desk.get(BASE)).text
    over = await desk.get(f"{BASE}?view=done")
    assert "已告知" in over.text
    assert "138****8001" not in over.text


async def test_giving_up_is_offered_when_it_may_be_done(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, sealer: Sealer
) -> None:
    call = await on_list(store, cast, clock, sealer)
    desk = await signed_in(cast.li_qiang)
    page = await desk.get(BASE)
    assert "/give-up" not in page.text
    early = await desk.post(f"{BASE}/{call.id}/give-up", {"version": str(call.version)})
    assert early.status_code == 409
    await desk.post(f"{BASE}/{call.id}/try", {"result": "dead_number"})
    assert "/give-up" in (await desk.get(BASE)).text
    await desk.post(f"{BASE}/{call.id}/give-up")
    async with store.reading() as session:
        assert (await session.get_one(CallBack, call.id)).state is CallBackState.GIVEN_UP


async def test_the_printed_list_holds_no_whole_number(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, sealer: Sealer
) -> None:
    await on_list(store, cast, clock, sealer)
    page = await (await signed_in(cast.li_qiang)).get(f"{BASE}/print")
    assert "138****8001" in page.text
    assert PHONE not in page.text
    assert "请到登记站核对。" in page.text


async def test_who_left_no_phone_stands_apart_with_the_acts_that_fit(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken(store, cast, clock(), contact=None, channel=Channel.PHONE)
    desk = await signed_in(cast.li_qiang)
    version = await entry(store, cast, clock())
    before = (await desk.get(f"/admin/tickets/{ticket.id}")).text
    assert "没有留电话：等对方凭编号来问时告知" in before
    assert "列入回拨单" not in before
    told = {"text": REPLY, "version_id": str(version.id), "answer_mode": "chat"}
    sent = await desk.post(f"/admin/tickets/{ticket.id}/answer", told)
    page = (await desk.get(sent.headers["location"])).text
    assert "已答复。提问的人没有留电话" in page
    assert "未留电话，等来问" in page
    assert "待回拨" not in page
    assert "现在没有要回拨的人" in (await desk.get(BASE)).text
    listed = (await desk.get(f"{BASE}?view=ask")).text
    for words in (ticket.ticket_no, "未留电话", "对方来问，已告知", "不再等"):
        assert words in listed
    for words in ("打开号码", "应拨时间", "未接通", "打印回拨单"):
        assert words not in listed
    async with store.reading() as session:
        (call,) = await call_list.of_ticket(session, [ticket.id])
    refused = await desk.post(f"{BASE}/{call.id}/open")
    assert refused.status_code == 409
    assert "对方没有留电话" in refused.text
    assert (await desk.post(f"{BASE}/{call.id}/try", {"result": "no_answer"})).status_code == 409
    await desk.get(f"{BASE}?view=ask")
    await desk.post(f"{BASE}/{call.id}/try", {"result": "told"})
    assert "没有在等的人" in (await desk.get(f"{BASE}?view=ask")).text
    assert ticket.ticket_no in (await desk.get(f"{BASE}?view=done")).text


async def test_reach_holds_on_every_route(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, sealer: Sealer
) -> None:
    call = await on_list(store, cast, clock, sealer, unit=cast.riverside)
    stranger = await signed_in(cast.zhao_lei)
    page = await stranger.get(BASE)
    assert "张*敏" not in page.text
    for act in ("open", "try", "give-up"):
        refused = await stranger.post(f"{BASE}/{call.id}/{act}", {"result": "told", "version": "1"})
        assert refused.status_code == 404, act
        assert PHONE not in refused.text
    assert (await (await signed_in(cast.zhou_ning)).get(BASE)).status_code == 403


async def test_the_menu_counts_who_is_to_be_called(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, sealer: Sealer
) -> None:
    await on_list(store, cast, clock, sealer)
    page = await (await signed_in(cast.li_qiang)).get("/admin/macros")
    assert 'href="/admin/call-backs"' in page.text
    assert '<span class="count">1</span>' in page.text


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (PHONE, "138****8001"),
        ("0000-12345678", "000****5678"),
        ("12345678", "****5678"),
        ("110", "****"),
        ("", ""),
    ],
)
def test_masks(number: str, shown: str) -> None:
    assert call_backs.masked_phone(number) == shown
