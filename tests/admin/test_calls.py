"""The form of a call: filled in, kept while it is open, recorded once, and shown afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text

from admin import call_likely
from knowledge.versions import Audience
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, an_entry
from ticketing.call_drafts import CallDraft
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import Ticket

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)

NEW = "/admin/calls/new"
WORDS = "我把选民证弄丢了"
PHONE = "13800138000"
IDENTITY = "31019919900101" + "1234"
SignIn = Callable[[Staff], Any]


@pytest.fixture
async def entry(store: Store, cast: Cast, clock: Clock) -> int:
    """The published entry about lost voter cards."""
    async with store.transaction() as session:
        return (await an_entry(session, cast, clock.now - timedelta(days=1))).id


async def registrar(store: Store, cast: Cast, clock: Clock) -> Staff:
    async with store.transaction() as session:
        person = Staff(
            name="钱一", unit_id=cast.riverside.id, roles=[Role.REGISTRAR.value], created_at=clock.now
        )
        session.add(person)
        await session.flush()
    return person


def fields(browser: Browser, cast: Cast, **more: str) -> dict[str, str]:
    """The form as the page shows it, with something typed into it."""
    listed = call_likely.mark(more.get("words", WORDS), cast.riverside)
    return {
        "event_id": browser.hidden("event_id"), "words": WORDS, "listed": listed, "channel": "phone",
        "asker_kind": "voter", "unit_id": str(cast.riverside.id), "why": "no_entry", "group": "", **more,
    }  # fmt: skip


async def rows(store: Store) -> list[Enquiry]:
    async with store.reading() as session:
        return list((await session.scalars(select(Enquiry).order_by(Enquiry.id))).all())


async def test_the_cursor_stands_in_the_question_and_likely_entries_come_while_typing(
    signed_in: SignIn, cast: Cast, entry: int
) -> None:
    browser = await signed_in(cast.li_qiang)
    page = (await browser.get(NEW)).text
    assert re.search(r'<textarea[^>]*id="words"[^>]*autofocus', page)
    found = await browser.post("/admin/calls/likely", fields(browser, cast))
    assert found.status_code == 200
    assert "<html" not in found.text
    assert f'value="{entry}" checked' in found.text
    assert "由登记站告诉您怎么办" in found.text
    empty = await browser.post("/admin/calls/likely", fields(browser, cast, words=""))
    assert 'name="version_id"' not in empty.text


async def test_answered_on_the_spot_in_one_request_and_twice_is_once(
    signed_in: SignIn, store: Store, cast: Cast, entry: int
) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    sent = fields(browser, cast, then="spot", version_id=str(entry), phone=PHONE, asker_name="张女士")
    first = await browser.post(NEW, sent)
    assert first.status_code == 303
    assert (await browser.post(NEW, sent)).headers["location"] == first.headers["location"]
    (row,) = await rows(store)
    assert row.outcome is Outcome.ON_THE_SPOT
    page = (await browser.get(first.headers["location"])).text
    assert "K-0540" in page
    assert "138****8000" in page
    assert PHONE not in page
    assert "张女士" not in page
    assert 'href="/admin/calls/new"' in page


async def test_handed_over_the_page_says_what_is_read_out(
    signed_in: SignIn, store: Store, cast: Cast, entry: int
) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    done = await browser.post(
        NEW,
        fields(browser, cast, then="owe", why="needs_data", words="导入失败怎么办", platform_module="import"),
    )
    page = (await browser.get(done.headers["location"])).text
    async with store.reading() as session:
        (ticket,) = (await session.scalars(select(Ticket))).all()
    assert (
        f"您的问题需要进一步核实，最迟11月20日（周五）17:30前答复。编号 {ticket.ticket_no}，"
        f"查询码 {ticket.progress_code}。" in page
    )
    assert "没有留电话" in page
    assert ticket.group == "信息组"
    assert ticket.call_ended_at is not None


async def test_without_script_the_form_finds_entries_and_loses_nothing(
    signed_in: SignIn, store: Store, cast: Cast, entry: int
) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    sent = fields(browser, cast, note="等回电", asker_name="张女士", phone=PHONE)
    found = (await browser.post(NEW, {**sent, "then": "find"})).text
    assert f'value="{entry}" checked' in found
    for kept in ("等回电", "张女士", PHONE, WORDS, sent["event_id"]):
        assert kept in found
    refused = await browser.post(NEW, {**sent, "then": "spot"})
    assert refused.status_code == 422
    assert "还没有选口径" in refused.text
    assert WORDS in refused.text
    wrong = await browser.post(NEW, {**sent, "then": "owe", "phone": IDENTITY})
    assert wrong.status_code == 422
    assert IDENTITY not in wrong.text
    assert "张女士" in wrong.text
    assert not await rows(store)


async def test_a_call_in_progress_survives_and_is_nobody_elses(
    signed_in: SignIn, store: Store, cast: Cast, entry: int, clock: Clock
) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    sent = fields(browser, cast, phone=PHONE, words=f"{WORDS} {IDENTITY}")
    json = {"accept": "application/json"}
    kept = await browser.post("/admin/calls/draft", sent, headers=json)
    assert kept.json()["started"] == clock.now.isoformat()
    async with store.reading() as session:
        stored = str((await session.execute(text("select * from call_draft"))).all())
    assert WORDS not in stored
    assert PHONE not in stored
    # The next sign-in of the same person finds it; another person does not.
    again = await signed_in(cast.li_qiang)
    page = (await again.get(NEW)).text
    assert WORDS in page
    assert PHONE in page
    assert IDENTITY not in page
    assert sent["event_id"] == again.hidden("continues")
    assert f'value="{entry}" checked' in page
    other = await signed_in(cast.wang_fang)
    assert WORDS not in (await other.get(NEW)).text
    # Recorded, it is over.
    await again.post(NEW, fields(again, cast, then="spot", version_id=str(entry)))
    assert WORDS not in (await again.get(NEW)).text
    await again.post("/admin/calls/draft", fields(again, cast))
    assert WORDS in (await again.get(NEW)).text
    await again.post("/admin/calls/draft", {"then": "drop"})
    assert WORDS not in (await again.get(NEW)).text
    await again.post("/admin/calls/draft", fields(again, cast))
    clock.pass_by(timedelta(hours=25))
    assert WORDS not in (await (await signed_in(cast.li_qiang)).get(NEW)).text


async def test_two_windows_are_two_calls(signed_in: SignIn, store: Store, cast: Cast) -> None:
    """The second window goes on with what the first was typing; neither takes what the other sends."""
    first, second = await signed_in(cast.li_qiang), await signed_in(cast.li_qiang)
    await first.get(NEW)
    one = fields(first, cast, words="楼顶的鸽子棚算不算登记地址")
    await first.post("/admin/calls/draft", one)
    await second.get(NEW)
    assert second.hidden("continues") == one["event_id"]
    two = fields(second, cast, words="居委会的门牌算不算登记地址")
    await second.post("/admin/calls/draft", two)
    await first.post(NEW, {**one, "then": "owe"})
    # What the second window types is there after the first one's call was recorded.
    assert two["words"] in (await second.get(NEW)).text
    await second.post(NEW, {**two, "then": "owe"})
    await second.post(NEW, {**two, "then": "owe"})
    assert [row.words for row in await rows(store)] == [one["words"], two["words"]]
    assert two["words"] not in (await second.get(NEW)).text


async def test_unit_post_and_kind_of_asker_are_remembered(signed_in: SignIn, cast: Cast) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    sent = fields(browser, cast, then="owe", post="一号窗口", asker_kind="registrar")
    await browser.post(NEW, sent)
    page = (await browser.get(NEW)).text
    assert 'value="一号窗口"' in page
    assert re.search(rf'value="{cast.riverside.id}" selected', page)
    assert re.search(r'value="registrar" selected', page)
    assert browser.hidden("event_id") != sent["event_id"]


async def test_the_same_caller_is_offered_the_open_question(
    signed_in: SignIn, store: Store, cast: Cast
) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    await browser.post(NEW, fields(browser, cast, then="owe", phone="138-0013-8000"))
    await browser.get(NEW)
    sent = fields(browser, cast, phone=PHONE, words="我的选民证弄丢了")
    offered = (await browser.post("/admin/calls/likely", sent)).text
    async with store.reading() as session:
        (ticket,) = (await session.scalars(select(Ticket))).all()
    assert ticket.ticket_no in offered
    assert "像是同一件事" in offered
    done = await browser.post(NEW, {**sent, "append_to": str(ticket.id)})
    assert done.status_code == 303
    page = (await browser.get(done.headers["location"])).text
    assert "编号不变" in page
    assert [row.ticket_id for row in await rows(store)] == [ticket.id, ticket.id]
    async with store.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 1


async def test_a_voter_is_not_offered_what_is_for_staff(
    signed_in: SignIn, store: Store, cast: Cast, clock: Clock
) -> None:
    async with store.transaction() as session:
        version = await an_entry(
            session, cast, clock.now - timedelta(days=1), "K-0900", audience=Audience.STAFF, topic="st_import"
        )
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    voter = (await browser.post("/admin/calls/likely", fields(browser, cast))).text
    staff = (await browser.post("/admin/calls/likely", fields(browser, cast, asker_kind="registrar"))).text
    assert f'value="{version.id}"' not in voter
    assert f'value="{version.id}"' in staff
    forged = await browser.post(NEW, fields(browser, cast, then="spot", version_id=str(version.id)))
    assert forged.status_code == 403
    assert WORDS in forged.text


async def test_a_registrar_records_and_follows_own_tickets_only(
    signed_in: SignIn, store: Store, cast: Cast, clock: Clock
) -> None:
    browser = await signed_in(await registrar(store, cast, clock))
    await browser.get(NEW)
    done = await browser.post(NEW, fields(browser, cast, then="owe"))
    page = (await browser.get(done.headers["location"])).text
    assert "/admin/tickets/" not in page
    listed = (await browser.get("/admin/calls")).text
    async with store.reading() as session:
        (ticket,) = (await session.scalars(select(Ticket))).all()
    assert ticket.ticket_no in listed
    assert "/admin/tickets/" not in listed
    outside = await browser.post(
        NEW, fields(browser, cast, then="owe", event_id="another-form", unit_id=str(cast.north.id))
    )
    assert outside.status_code == 403
    # The record of another unit's officer is not there for somebody else.
    zhao_lei = await signed_in(cast.zhao_lei)
    assert (await zhao_lei.get(done.headers["location"])).status_code == 404
    wang_fang = await signed_in(cast.wang_fang)
    assert (await wang_fang.get(done.headers["location"])).status_code == 200
    zhou_ning = await signed_in(cast.zhou_ning)
    assert (await zhou_ning.get(NEW)).status_code == 403


async def test_a_correction_is_added_and_the_ledger_changed(
    signed_in: SignIn, store: Store, cast: Cast, entry: int, clock: Clock
) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    done = await browser.post(NEW, fields(browser, cast, then="spot", version_id=str(entry)))
    address = done.headers["location"]
    await browser.get(address)
    sent = {"correction": "来电人是单位经办", "ledger": "policy"}
    assert (await browser.post(f"{address}/correct", sent)).status_code == 303
    page = (await browser.get(address)).text
    assert "来电人是单位经办" in page
    assert WORDS in page
    assert "有更正" in (await browser.get("/admin/calls")).text
    clock.pass_by(timedelta(hours=14))
    later = await signed_in(cast.li_qiang)
    assert "<summary>更正</summary>" not in (await later.get(address)).text
    late = await later.post(f"{address}/correct", sent)
    assert late.status_code == 409
    assert "只能在当天更正" in late.text


async def test_signed_out_the_words_come_back_to_be_copied(
    browsing: Callable[..., Browser], app: FastAPI, cast: Cast, store: Store
) -> None:
    refused = await browsing().post(NEW, {"words": WORDS, "then": "owe"})
    assert refused.status_code == 401
    assert WORDS in refused.text
    async with store.reading() as session:
        assert await session.scalar(select(func.count()).select_from(CallDraft)) == 0


async def test_a_question_that_is_too_long_stays_whole_and_says_how_long_it_is(
    signed_in: SignIn, cast: Cast
) -> None:
    browser = await signed_in(cast.li_qiang)
    page = (await browser.get(NEW)).text
    assert "maxlength" not in re.search(r'<textarea[^>]*id="words"[^>]*>', page)[0]  # type: ignore[index]
    told = await browser.post(NEW, fields(browser, cast, words="长" * 10_000, then="owe"))
    assert told.status_code == 422
    assert "问题最多 6000 个字，现在有 10000 个字" in told.text
    assert "长" * 10_000 in told.text
