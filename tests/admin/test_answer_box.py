"""The answer box's defaults and refusals: a first reply, a citation taken away, whoever only telephoned."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest

from knowledge.versions import EntryVersion
from office.seal import Sealer
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, plain
from tests.make import Cast
from ticketing import drafts, tickets
from ticketing.records import Ticket

SignedIn = Callable[[Staff], Awaitable[Browser]]


async def test_a_concluding_reply_is_refused_and_stays_on_the_page(
    store: Store, cast: Cast, signed_in: SignedIn, ticket: Ticket
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    refused = await desk.post(f"{base}/interim", {"text": "投票日是12月30日。"})
    assert refused.status_code == 409
    assert "仅回复只说进展" in refused.text
    assert "投票日是12月30日。</textarea>" in refused.text


async def test_a_citation_taken_away_takes_its_basis_along(
    store: Store, cast: Cast, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    await desk.post(f"{base}/cite/{version.id}", {"text": ""})
    page = plain(await desk.get(base))
    assert f'name="cited_before" value="{version.id}"' in page
    basis = re.search(r'name="basis"[^>]*>([^<]+)</textarea>', page)
    assert basis
    typed = {
        "text": "我自己写的。",
        "basis": basis[1].strip(),
        "version_id": "",
        "cited_before": str(version.id),
    }
    refused = await desk.post(f"{base}/propose", typed)
    assert refused.status_code == 422
    assert basis[1].strip() + "</textarea>" not in plain(refused)
    await desk.post(f"{base}/draft", typed)
    async with store.reading() as session:
        kept = await drafts.own(session, await tickets.get(session, ticket.id), cast.li_qiang)
    assert (kept.basis, kept.version_id) == ("", None) if kept else False


async def test_who_only_telephoned_is_called_back_unless_told_already(
    store: Store, cast: Cast, signed_in: SignedIn, ticket: Ticket
) -> None:
    async with store.transaction() as session:
        caller = await tickets.get(session, ticket.id)
        caller.contact_id, caller.phone = None, Sealer(b"").seal("13800138001")
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    page = plain(await desk.get(base))
    assert '<option value="chat" selected>列入回拨单，稍后电话告知' in page
    empty = await desk.post(f"{base}/propose", {"text": " ", "basis": "", "mode": "chat"})
    assert "请先写答复，再写明依据送审" in empty.text
    await desk.post(f"{base}/propose", {"text": "请先到登记站。", "basis": "意见", "mode": "chat"})
    reviewer = await signed_in(cast.wang_fang)
    assert "列入回拨单，稍后电话告知" in plain(await reviewer.get(base))
    signed = await reviewer.post(f"{base}/sign")
    page = plain(await reviewer.get(signed.headers["location"]))
    assert "已答复，并已列入回拨单" in page
    assert "已列入回拨单，待回拨" in page
    assert "列入回拨单，稍后电话告知" in page
    assert "正在发送" not in page
    assert "在原聊天中" not in page


@pytest.mark.parametrize(("mode", "notice"), [("chat", "系统正在发送"), ("phone", "不再向提问的人发送")])
async def test_the_notice_says_whether_anything_is_sent(
    cast: Cast, signed_in: SignedIn, ticket: Ticket, version: EntryVersion, mode: str, notice: str
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    await desk.post(f"{base}/cite/{version.id}", {"text": ""})
    await desk.get(base)
    typed = {"text": version.short, "version_id": str(version.id), "mode": mode}
    sent = await desk.post(f"{base}/answer", typed)
    assert notice in plain(await desk.get(sent.headers["location"]))


@pytest.mark.parametrize(("act", "notice"), [("answer", "answered"), ("propose", "proposed")])
async def test_an_entry_chosen_for_an_empty_box_is_what_is_sent(
    store: Store,
    cast: Cast,
    signed_in: SignedIn,
    ticket: Ticket,
    version: EntryVersion,
    act: str,
    notice: str,
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    assert "框里不写字，就发这条口径的简短答复" in plain(await desk.get(base))
    typed = {"text": " ", "basis": "", "version_id": str(version.id)}
    assert (await desk.post(f"{base}/{act}", typed)).headers["location"] == f"{base}?done={notice}"
    assert (await desk.post(f"{base}/{act}", typed)).headers["location"] == f"{base}?done=already_sent"
    async with store.reading() as session:
        row = await tickets.get(session, ticket.id)
    assert version.short in (row.answer_text, row.proposed_text)
    assert row.conclusion_version_id == version.id
    assert act == "answer" or row.conclusion_basis


async def test_without_an_entry_an_empty_box_is_refused(
    cast: Cast, signed_in: SignedIn, ticket: Ticket
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    refused = await desk.post(f"{base}/propose", {"text": " ", "basis": "意见", "version_id": ""})
    assert "请先写答复" in refused.text
