"""Exports from the console: what leaves, in which form, with which marks, and whether a file is unchanged."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from urllib.parse import unquote

import pytest
from docx import Document
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from bot import export_check
from office import audit
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, a_ticket
from tests.ticketing.test_record_sheet import HEADS
from ticketing import exports
from ticketing.records import Ticket

SignedIn = Callable[[Staff], Awaitable[Browser]]
pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)


async def made(store: Store, cast: Cast, clock: Clock, words: str, unit: object = None) -> Ticket:
    async with store.transaction() as session:
        return await a_ticket(session, cast, clock(), words, unit=unit)  # type: ignore[arg-type]


async def last_act(store: Store) -> audit.AuditEntry:
    async with store.reading() as session:
        found = await session.scalars(select(audit.AuditEntry).order_by(audit.AuditEntry.id.desc()).limit(1))
        return found.one()


async def test_the_list_leaves_as_a_workbook_with_its_filter(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    river = await made(store, cast, clock, "=HYPERLINK(1)怎么登记", cast.riverside)
    await made(store, cast, clock, "选民证丢了", cast.north)
    desk = await signed_in(cast.li_qiang)
    page = await desk.get(f"/admin/exports?unit={cast.riverside.id}&q=登记")
    assert "条件：未办结 · 临江街道 · 含“登记”" in page.text
    assert "1 张工单" in page.text
    await desk.post("/admin/settings", {"lang": "en", "next": "/admin/exports"})
    english = await desk.get(f"/admin/exports?unit={cast.riverside.id}&q=登记")
    assert "Filter: Open · 临江街道 · with “登记”" in english.text
    # The paper is Chinese whoever makes it.
    left = await desk.post(
        "/admin/exports",
        {"back": f"?unit={cast.riverside.id}&q=登记", "form": "xlsx", "purpose": "日清"},
    )
    assert left.status_code == 200
    assert left.headers["content-type"].endswith("spreadsheetml.sheet")
    plain, named = left.headers["content-disposition"].split("; filename*=UTF-8''")
    assert plain == 'attachment; filename="record_sheet-1.xlsx"'
    assert unquote(named) == "来电未答复记录表 1.xlsx"
    rows = CalamineWorkbook.from_filelike(io.BytesIO(left.content)).get_sheet_by_index(0).to_python()
    assert rows[1][0] == "条件：未办结 · 临江街道 · 含“登记”；1 张"
    assert "导出人：李强" in str(rows[2][0])
    assert "用途：日清" in str(rows[2][0])
    assert rows[3] == HEADS
    assert [(row[0], row[7]) for row in rows[4:]] == [(river.ticket_no, "'=HYPERLINK(1)怎么登记")]
    entry = await last_act(store)
    assert (entry.action, entry.subject, entry.actor_name) == ("export.make", "export:1", "李强")
    # Codes only: what somebody searched for may be a name.
    assert entry.facts["filters"] == {"view": "open", "unit": str(cast.riverside.id), "searched": True}
    listed = await desk.get("/admin/exports")
    assert str(entry.facts["digest"])[:12] in listed.text


async def test_a_word_document_and_a_page_to_print_hold_the_same_rows(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await made(store, cast, clock, "选民证丢了\n怎么办")
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/exports?view=all")
    paper = await desk.post("/admin/exports", {"back": "?view=all", "form": "docx"})
    (table,) = Document(io.BytesIO(paper.content)).tables
    assert [cell.text for cell in table.rows[1].cells][7] == "选民证丢了\n怎么办"
    page = await desk.post("/admin/exports", {"back": "?view=all", "form": "print"})
    assert page.headers["content-type"].startswith("text/html")
    for told in (ticket.ticket_no, "选民证丢了<br>怎么办", "导出人：李强", "快照号：2", "填表：", "问题原话"):
        assert told in page.text
    assert 'href="/admin/exports?view=all"' in page.text


async def test_one_reaches_no_further_in_a_file_than_on_the_page(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    river = await made(store, cast, clock, "临江街道的问题", cast.riverside)
    north = await made(store, cast, clock, "北塘镇的问题", cast.north)
    desk = await signed_in(cast.zhao_lei)
    await desk.get("/admin/exports")
    left = await desk.post("/admin/exports", {"back": f"?view=all&unit={cast.riverside.id}", "form": "csv"})
    text = left.content.decode("utf-8-sig")
    assert north.ticket_no in text
    assert "临江" not in text
    assert (await desk.post(f"/admin/exports/tickets/{river.id}", {"form": "docx"})).status_code == 404
    admin = await signed_in(cast.zhou_ning)
    assert (await admin.get("/admin/exports")).status_code == 403


async def test_a_form_without_a_choice_comes_back_with_what_was_typed(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        await made(store, cast, clock, f"问题{number}")
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/exports")
    refused = await desk.post("/admin/exports", {"back": "?view=all", "form": "", "purpose": "存档用"})
    assert refused.status_code == 422
    assert "请选择导出格式" in refused.text
    assert 'value="存档用"' in refused.text
    monkeypatch.setattr(exports, "REASON_ABOVE", 1)
    refused = await desk.post("/admin/exports", {"back": "?view=all", "form": "xlsx", "purpose": " "})
    assert refused.status_code == 422
    assert "超过 1 行的导出要写明用途" in refused.text
    assert (await last_act(store)).action != "export.make"


async def test_a_file_is_checked_on_the_page_and_on_the_command_line(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    await made(store, cast, clock, "选民证丢了")
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/exports")
    content = (await desk.post("/admin/exports", {"back": "", "form": "csv"})).content

    async def checked(content: bytes) -> str:
        page = await desk.get("/admin/exports")
        assert page.status_code == 200
        sent = await desk.client.post(
            "/admin/exports/verify", data={"csrf": desk.hidden("csrf")}, files={"file": ("a.csv", content)}
        )
        return sent.text

    assert "文件与导出时一致，没有改动" in await checked(content)
    changed = content.replace("选民证".encode(), "身份证".encode())
    assert "文件内容与导出时不一致" in await checked(changed)
    assert "没有导出标记" in await checked(b"a,b\r\n1,2\r\n")
    # Checking leaves no line and keeps no file.
    assert (await last_act(store)).facts["form"] == "csv"

    class Found:
        store_url = store.url

    monkeypatch.setattr(export_check, "settings", Found)
    assert await export_check.verify(content) == 0
    assert "没有改动" in capsys.readouterr().out
    assert await export_check.verify(changed) == 1
    assert await export_check.verify(b"x") == 2
