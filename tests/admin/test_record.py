"""The record on a ticket's page: shown masked, filled in, and nothing typed lost."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from fastapi import FastAPI

from office.contacts import Channel
from office.seal import Sealer
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, a_ticket
from tests.ticketing.full import PHONE, SEALER, filled
from tests.ticketing.work import answer, entry, taken
from ticketing import tickets
from ticketing.particulars import AnswerMode, Nature
from ticketing.records import Ticket

SignedIn = Callable[[Staff], Awaitable[Browser]]
pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def same_secret(app: FastAPI) -> Sealer:
    """The console opens what the tests have sealed."""
    app.state.services = replace(app.state.services, sealer=SEALER)
    return SEALER


async def read(store: Store, ticket_id: int) -> Ticket:
    async with store.reading() as session:
        return await tickets.get(session, ticket_id)


def value_of(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    return found[1] if found else ""


async def test_the_page_shows_every_field_and_masks_what_is_somebodys(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await filled(store, cast, clock())
    desk = await signed_in(cast.li_qiang)
    page = (await desk.get(f"/admin/tickets/{ticket.id}")).text
    for told in (
        "吴*/热线一号席", "钱*美", "第12选区", "12-03", "书香苑站", "登记口径", "已告知先到登记站",
        "口径不清", "第3期", "K-0540 第1版", "000****4321",
    ):  # fmt: skip
        assert told in page, told
    assert "钱小美" not in page
    assert PHONE not in page


async def test_filling_in_is_kept_and_told(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock())
    desk = await signed_in(cast.li_qiang)
    await desk.get(f"/admin/tickets/{ticket.id}")
    address = f"/admin/tickets/{ticket.id}/record"
    fields = {
        "r_nature": "registration", "r_asker_name": "钱小美", "r_phone": PHONE, "r_note": "约下午回电",
        "r_why_unanswered": "needs_data", "r_secrecy": "public", "r_more_words": "补充一句",
    }  # fmt: skip
    kept = await desk.post(address, fields)
    assert kept.status_code == 303
    page = (await desk.get(kept.headers["location"])).text
    assert "记录已更新" in page
    assert "补充一句" in page
    assert "已记 000****4321" in page
    found = await read(store, ticket.id)
    assert (found.nature, found.note) == (Nature.REGISTRATION, "约下午回电")
    assert SEALER.open(found.phone) == PHONE


async def test_of_a_caller_the_form_names_the_call_back_list_and_no_chat(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken(store, cast, clock(), contact=None, channel=Channel.PHONE)
    async with store.transaction() as session:
        (await session.get_one(Ticket, ticket.id)).phone = SEALER.seal(PHONE)
    await answer(store, cast, ticket, await entry(store, cast, clock()), clock())
    desk = await signed_in(cast.li_qiang)
    page = (await desk.get(f"/admin/tickets/{ticket.id}")).text
    assert "电话（待回拨）" in page
    choices = page.split('name="r_answer_mode"')[1].split("</select>")[0]
    assert re.search(r'<option value="chat" selected>\s*列入回拨单，稍后电话告知', choices)
    assert "聊天" not in choices
    # Whatever else is filled in, how the answer goes stays as it was.
    fields = {
        "r_secrecy": "public",
        "r_why_unanswered": "no_entry",
        "r_answer_mode": "chat",
        "r_note": "约下午",
    }
    assert (await desk.post(f"/admin/tickets/{ticket.id}/record", fields)).status_code == 303
    assert (await read(store, ticket.id)).answer_mode is AnswerMode.CHAT


async def test_who_comes_second_finds_what_they_typed(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock())
    first, second = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    address = f"/admin/tickets/{ticket.id}/record"
    for desk in (first, second):
        await desk.get(f"/admin/tickets/{ticket.id}")
    needed = {"r_why_unanswered": "no_entry", "r_secrecy": "public"}
    assert (await first.post(address, {**needed, "r_note": "先来的"})).status_code == 303
    late = await second.post(address, {**needed, "r_note": "后来的", "r_station": "书香苑站"})
    assert late.status_code == 409
    assert "后来的" in late.text
    assert value_of(late.text, "r_station") == "书香苑站"
    assert (await read(store, ticket.id)).note == "先来的"
    # The page that told so was made from the present version: sending it again overwrites knowingly.
    second.shown = late.text
    again = await second.post(address, {**needed, "r_note": "两人商定的"})
    assert again.status_code == 303
    assert (await read(store, ticket.id)).note == "两人商定的"


async def test_what_cannot_be_is_told_beside_what_was_typed(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock())
    desk = await signed_in(cast.li_qiang)
    await desk.get(f"/admin/tickets/{ticket.id}")
    fields = {
        "r_why_unanswered": "no_entry",
        "r_secrecy": "public",
        "r_phone": "打我电话",
        "r_summary": "摘要",
    }
    refused = await desk.post(f"/admin/tickets/{ticket.id}/record", fields)
    assert refused.status_code == 422
    assert "电话号码看起来不对" in refused.text
    assert value_of(refused.text, "r_phone") == "打我电话"
    assert "摘要</textarea>" in refused.text


async def test_nobody_fills_in_out_of_reach_or_without_permission(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock(), unit=cast.riverside)
        observer = Staff(name="郑看", unit_id=cast.district.id, roles=["observer"], created_at=clock())
        session.add(observer)
    outsider = await signed_in(cast.zhao_lei)
    await outsider.get("/admin/me")
    refused = await outsider.post(f"/admin/tickets/{ticket.id}/record", {"version": "1", "r_note": "x"})
    assert refused.status_code == 404
    assert (await read(store, ticket.id)).version == ticket.version
    reader = await signed_in(observer)
    page = await reader.get(f"/admin/tickets/{ticket.id}")
    assert '/record"' not in page.text
    assert (await reader.post(f"/admin/tickets/{ticket.id}/record", {"version": "1"})).status_code == 403
