"""Offline handling in the console: decided, opened once, listed without a word, and reviewed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast
from tests.ticketing.confidences import MARK, WHY, WORDS, confidential, person, reviewer, taken_offline
from tests.ticketing.work import opened, read, taken
from ticketing.particulars import Secrecy
from ticketing.records import Ticket, TicketKind, TicketState
from ticketing.restricted import HIDDEN

SignedIn = Callable[[Staff], Awaitable[Browser]]
REASON = "联系前核对情况"


async def at(browser: Browser, ticket: Ticket) -> str:
    """The ticket's page, as this person sees it."""
    page = await browser.get(f"/admin/tickets/{ticket.id}")
    assert page.status_code == 200
    return page.text


async def post(browser: Browser, ticket: Ticket, act: str, **fields: Any) -> Any:
    return await browser.post(f"/admin/tickets/{ticket.id}/{act}", fields)


async def test_an_officer_suggests_and_the_leader_decides(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await confidential(store, cast, clock())
    officer = await signed_in(cast.li_qiang)
    shown = await at(officer, ticket)
    assert "建议线下" in shown
    assert "转线下办理" not in shown
    assert (await post(officer, ticket, "flag")).status_code == 303
    assert (await read(store, ticket)).secrecy is Secrecy.RESTRICTED
    refused = await post(officer, ticket, "take-offline", owner=cast.li_qiang.id, reason_offline=WHY)
    assert refused.status_code in (403, 409)

    leader = await signed_in(cast.wang_fang)
    assert "等带班领导决定" in await at(leader, ticket)
    missing = await post(leader, ticket, "take-offline", reason_offline=WHY)
    assert missing.status_code == 422
    assert WHY in missing.text
    assert f'value="{cast.li_qiang.id}">李强' in await at(leader, ticket)
    done = await post(leader, ticket, "take-offline", owner=cast.li_qiang.id, reason_offline=WHY)
    assert done.headers["location"].endswith("?done=taken_offline")
    row = await read(store, ticket)
    assert (row.state, row.words, row.offline_owner_id) == (TicketState.OFFLINE, HIDDEN, cast.li_qiang.id)
    assert MARK not in await at(leader, ticket)


async def test_the_leader_declines(store: Store, cast: Cast, clock: Clock, signed_in: SignedIn) -> None:
    ticket = await opened(store, cast, clock(), kind=TicketKind.REPORT)
    leader = await signed_in(cast.wang_fang)
    await at(leader, ticket)
    assert (await post(leader, ticket, "unflag", reason_unflag="可以公开")).status_code == 303
    assert (await read(store, ticket)).secrecy is Secrecy.INTERNAL


async def test_the_text_is_shown_once_and_kept_nowhere(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken_offline(store, cast, clock())
    owner = await signed_in(cast.li_qiang)
    page = await at(owner, ticket)
    assert MARK not in page
    assert HIDDEN in page
    short = await post(owner, ticket, "restricted", reason_open="看")
    assert short.status_code == 422
    shown = await post(owner, ticket, "restricted", reason_open=REASON)
    assert shown.status_code == 200
    assert WORDS in shown.text
    assert WHY in shown.text
    assert shown.headers["cache-control"] == "no-store, private"
    # Only a form with a reason opens it: there is no address under which it lies.
    assert (await owner.get(f"/admin/tickets/{ticket.id}/restricted")).status_code == 405
    listed = await at(owner, ticket)
    assert REASON in listed
    assert MARK not in listed


async def test_others_do_not_open_it_and_a_reviewer_breaks_the_glass(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    other = await reviewer(store, cast, clock())
    async with store.transaction() as session:
        colleague = await person(session, cast.district, "吴迪", clock(), Role.DUTY_OFFICER)
    ticket = await taken_offline(store, cast, clock())
    browser = await signed_in(colleague)
    shown = await at(browser, ticket)
    assert "名单上的人可以查看" in shown
    assert REASON not in shown
    denied = await post(browser, ticket, "restricted", reason_open=REASON, break_glass="1")
    assert denied.status_code == 403
    assert MARK not in denied.text

    breaking = await signed_in(cast.wang_fang)
    assert "紧急查看" in await at(breaking, ticket)
    opened_text = await post(breaking, ticket, "restricted", reason_open="承办人联系不上，今晚要核实人身安全")
    assert WORDS in opened_text.text

    second = await signed_in(other)
    page = await second.get("/admin/restricted")
    assert "今晚要核实人身安全" in page.text
    assert '<span class="count">1</span>' in page.text
    assert MARK not in page.text
    own = await breaking.get("/admin/restricted")
    assert "由别的审核人复核" in own.text
    assert '<span class="count">1</span>' not in own.text
    reviewed = await second.post("/admin/restricted/openings/1/review")
    assert reviewed.status_code == 303
    assert "没有待复核的紧急查看" in (await second.get("/admin/restricted")).text
    again = await second.post("/admin/restricted/openings/1/review")
    assert again.status_code == 409


async def test_the_list_shows_owner_and_age_and_no_word(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken_offline(store, cast, clock())
    waiting = await opened(store, cast, clock(), kind=TicketKind.REPORT, words=f"举报{MARK}")
    browser = await signed_in(cast.wang_fang)
    page = (await browser.get("/admin/restricted")).text
    assert page.index(waiting.ticket_no) < page.index(ticket.ticket_no)
    assert "李强" in page
    assert MARK not in page
    # 北塘镇 does not reach the district's.
    elsewhere = (await (await signed_in(cast.zhao_lei)).get("/admin/restricted")).text
    assert ticket.ticket_no not in elsewhere
    assert (await (await signed_in(cast.zhou_ning)).get("/admin/restricted")).status_code == 403


async def test_the_owner_closes_and_the_leader_changes_list_and_owner(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    other = await reviewer(store, cast, clock())
    ticket = await taken_offline(store, cast, clock())
    leader = await signed_in(cast.wang_fang)
    await at(leader, ticket)
    assert (await post(leader, ticket, "readers", reader=other.id)).status_code == 303
    page = await at(leader, ticket)
    assert other.name in page
    assert "何*" not in page
    assert (await post(leader, ticket, f"readers/{other.id}/dismiss")).status_code == 303
    await at(leader, ticket)
    assert (await post(leader, ticket, "entrust", new_owner=other.id)).status_code == 303
    first = await signed_in(cast.li_qiang)
    await at(first, ticket)
    closing = {"offline_way": "phone", "offline_result": "settled"}
    assert (await post(first, ticket, "finish-offline", **closing)).status_code == 403
    owner = await signed_in(other)
    await at(owner, ticket)
    assert (await post(owner, ticket, "finish-offline", offline_way="phone")).status_code == 422
    await at(owner, ticket)
    assert (await post(owner, ticket, "finish-offline", **closing)).status_code == 303
    shown = await at(owner, ticket)
    assert "已解决" in shown
    assert (await read(store, ticket)).state is TicketState.CLOSED


async def test_a_registrar_flags_their_own(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        clerk = await person(session, cast.riverside, "钱多", clock(), Role.REGISTRAR)
    own = await opened(store, cast, clock(), actor=clerk.as_actor(), unit=cast.riverside)
    foreign = await opened(store, cast, clock(), unit=cast.riverside)
    browser = await signed_in(clerk)
    await browser.get("/admin/me")
    assert (await post(browser, own, "flag")).status_code == 303
    assert (await post(browser, foreign, "flag")).status_code == 403


@pytest.mark.parametrize(
    "act",
    ["flag", "unflag", "take-offline", "entrust", "readers", "finish-offline", "restricted", "cross-ask",
     "cross-feedback", "superior-ask", "superior-answer", "down", "check", "check-second", "counts"],
)  # fmt: skip
async def test_no_act_reaches_another_units_ticket(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, act: str
) -> None:
    ticket = await taken(store, cast, clock())
    browser = await signed_in(cast.zhao_lei)
    await browser.get("/admin")
    refused = await browser.post(f"/admin/tickets/{ticket.id}/{act}", {"version": ticket.version})
    assert refused.status_code == 404
