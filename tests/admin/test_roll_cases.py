"""A case about the voter list in the console: its clock, its documents, and asking again as the asker did."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from knowledge.roll.identity import DigestKey
from knowledge.roll.keys import KeyHolder
from knowledge.roll.lookups import Lookups
from knowledge.roll.records import LookupAct, LookupResult, Way
from office import audit
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast
from tests.rolls import install_roll
from tests.ticketing.work import read
from tests.ticketing.work import roll_case as case
from tests.voters import LIN_YAN, TAO_MIN, Voter
from ticketing import tickets
from ticketing.records import RollIssue, Ticket, TicketKind

SignedIn = Callable[[Staff], Awaitable[Browser]]
LAST_APPEALS = datetime(2026, 12, 14, 2, 5, tzinfo=UTC)
BUTTON = "按本人回执核实"


def text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page)))


@pytest.fixture
async def key(store: Store, cast: Cast, app: FastAPI, tmp_path: Path) -> DigestKey:
    """A roll in force that the console can ask."""
    found = await install_roll(store, tmp_path)
    lookups = Lookups(
        store, KeyHolder(tmp_path / "roll.key"), secret=b"secret of the tests", floor=0, jitter=0
    )
    app.state.services = replace(app.state.services, lookups=lookups)
    return found


async def with_receipt(
    store: Store, cast: Cast, now: datetime, key: DigestKey, voter: Voter = LIN_YAN, **more: Any
) -> Ticket:
    return await case(store, cast, now, receipt_digest=key.receipt(voter.receipt), **more)


async def confirmed(browser: Browser, ticket: Ticket) -> Any:
    await browser.get(f"/admin/tickets/{ticket.id}")
    return await browser.post(f"/admin/tickets/{ticket.id}/confirm")


# --- what the page shows ---


async def test_an_appeal_shows_its_clock_its_documents_and_what_had_been_found(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await case(store, cast, LAST_APPEALS, TicketKind.APPEAL)
    clock.now = LAST_APPEALS
    page = text((await (await signed_in(cast.li_qiang)).get(f"/admin/tickets/{ticket.id}")).text)
    for words in (
        "申诉决定：最迟12月17日（周四），还剩3天",
        "不暂停，遇休息日不顺延",
        "最迟12月24日（周四）向区人民法院起诉",
        "提出时的查询结果 未查到",
        "申诉材料清单",
        "（以当地要求为准）",
        "以选举委员会公告为准",
        "转办小组 登记组",
    ):
        assert words in page, words
    assert BUTTON not in page
    assert "作为无效处理" not in page


async def test_a_correction_names_what_is_wrong(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await case(store, cast, clock(), TicketKind.CORRECTION, issue=RollIssue.DUPLICATE)
    page = text((await (await signed_in(cast.li_qiang)).get(f"/admin/tickets/{ticket.id}")).text)
    assert "名单更正 · 重登" in page
    assert "名单补正：最迟12月27日（周日），还剩37天" in page


async def test_the_queue_shows_the_clock_and_what_ends_today_first(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    appeal = await case(store, cast, LAST_APPEALS, TicketKind.APPEAL)
    other = await case(store, cast, LAST_APPEALS - timedelta(hours=1))
    for days, said, order in ((0, "还剩3天", (other, appeal)), (3, "今天到期", (appeal, other))):
        clock.now = LAST_APPEALS + timedelta(days=days)
        shown = (await (await signed_in(cast.li_qiang)).get("/admin")).text
        assert said in text(shown)
        first, second = (shown.index(ticket.ticket_no) for ticket in order)
        assert first < second


# --- asking again as the asker did ---


async def test_the_officer_asks_again_with_the_askers_own_receipt(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, key: DigestKey
) -> None:
    ticket = await with_receipt(store, cast, clock(), key)
    li_qiang = await signed_in(cast.li_qiang)
    assert BUTTON in (await li_qiang.get(f"/admin/tickets/{ticket.id}")).text
    shown = await confirmed(li_qiang, ticket)
    assert shown.status_code == 200
    page = text(shown.text)
    for words in ("核实结果：已登记", "选区：第", "小组：12-0", "登记站：12-0", "只在本页显示这一次"):
        assert words in page, words
    assert LIN_YAN.receipt not in shown.text
    assert key.receipt(LIN_YAN.receipt).hex() not in shown.text


async def test_what_was_shown_is_kept_nowhere_and_that_it_was_asked_is(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, key: DigestKey
) -> None:
    ticket = await with_receipt(store, cast, clock(), key)
    li_qiang = await signed_in(cast.li_qiang)
    await confirmed(li_qiang, ticket)
    later = text((await li_qiang.get(f"/admin/tickets/{ticket.id}")).text)
    assert "核实结果" not in later
    assert "第一选区" not in later
    assert "提出时的查询结果 未查到" in later
    assert "李*" in later
    row = await read(store, ticket)
    assert row.lookup_result == "not_found"
    async with store.reading() as session:
        (act,) = (await session.scalars(select(LookupAct))).all()
        lines, _ = await audit.listed(session, subject=f"ticket:{ticket.id}", action="lookup.case")
    assert (act.way, act.result, act.staff_id) == (Way.CASE, LookupResult.REGISTERED, cast.li_qiang.id)
    assert len(lines) == 1


async def test_who_is_on_no_roll_is_not_found_without_a_place(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, key: DigestKey
) -> None:
    ticket = await with_receipt(store, cast, clock(), key, TAO_MIN)
    page = text((await confirmed(await signed_in(cast.li_qiang), ticket)).text)
    assert "核实结果：未查到" in page
    assert "选区：" not in page


async def test_there_is_nothing_to_type_and_nothing_else_to_ask_for(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, key: DigestKey
) -> None:
    ticket = await with_receipt(store, cast, clock(), key, TAO_MIN)
    li_qiang = await signed_in(cast.li_qiang)
    shown = (await li_qiang.get(f"/admin/tickets/{ticket.id}")).text
    form = re.search(rf'action="/admin/tickets/{ticket.id}/confirm".*?</form>', shown, re.DOTALL)
    assert form is not None
    assert re.findall(r'name="([^"]+)"', form[0]) == ["csrf"]
    typed = {"receipt": LIN_YAN.receipt, "digest": key.receipt(LIN_YAN.receipt).hex()}
    answered = await li_qiang.post(f"/admin/tickets/{ticket.id}/confirm", typed)
    assert "核实结果：未查到" in text(answered.text)


async def test_a_case_without_a_receipt_has_no_such_button(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, key: DigestKey
) -> None:
    ticket = await case(store, cast, clock())
    li_qiang = await signed_in(cast.li_qiang)
    assert BUTTON not in (await li_qiang.get(f"/admin/tickets/{ticket.id}")).text
    refused = await confirmed(li_qiang, ticket)
    assert refused.status_code == 409
    assert "没有可用来核实的回执" in refused.text


async def test_a_case_that_was_set_aside_is_not_asked_about(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, key: DigestKey
) -> None:
    ticket = await with_receipt(store, cast, clock(), key)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.void(session, found, "误录", actor=cast.li_qiang, now=clock())
    assert (await confirmed(await signed_in(cast.li_qiang), ticket)).status_code == 409


async def test_somebody_of_another_unit_or_without_tickets_is_refused(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, key: DigestKey
) -> None:
    ticket = await with_receipt(store, cast, clock(), key)
    for person, status in ((cast.zhao_lei, 404), (cast.zhou_ning, 403)):
        browser = await signed_in(person)
        await browser.get("/admin/settings")
        assert (await browser.post(f"/admin/tickets/{ticket.id}/confirm")).status_code == status
    async with store.reading() as session:
        assert (await session.scalars(select(LookupAct))).all() == []


async def test_while_lookup_is_closed_the_page_says_so(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, key: DigestKey
) -> None:
    ticket = await with_receipt(store, cast, clock(), key)
    clock.now = datetime(2026, 12, 29, 2, 5, tzinfo=UTC)
    refused = await confirmed(await signed_in(cast.li_qiang), ticket)
    assert 400 <= refused.status_code < 500
    assert ticket.ticket_no in refused.text
    assert "核实结果" not in refused.text
