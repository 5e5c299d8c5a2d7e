"""The second half of a day at the desk: an answer mended, a secret kept, the day ended and put on paper."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

from docx import Document
from playwright.async_api import Page, expect
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from office import units
from office.cells import plain
from office.hours import BEIJING
from office.staff import Staff
from office.units import Unit
from office.words import CHINESE, say
from tests.journeys.day_story import NARROW, PHONE, SECRET, WIDE, Day, mailbox, presses
from tests.journeys.test_crash import arrived
from tests.journeys.test_story import sound
from ticketing.records import Ticket, TicketState
from ticketing.restricted import HIDDEN

MENDED = "请向户口所在地的选区开具选民资格证明；不便前往的，可以由登记站代为联系开具。"
WHY = "承办人了解情况"
LATER = "等候有关部门回话"


async def mends(day: Day) -> None:
    """A version with a change of substance is published; the second person lets its correction go out."""
    admin, wang = day.admin, day.wang
    numbers = re.findall(r"K-[0-9]{4}", await mailbox(day.asker))
    assert numbers
    await admin.goto(f"{day.home}/admin/go?q={numbers[0]}")
    await admin.wait_for_url("**/admin/entries/*")
    await sound(admin)
    entry = admin.url.partition("?")[0]
    await admin.goto(f"{entry}/edit")
    await admin.fill("textarea[name=short]", MENDED)
    await admin.select_option("select[name=alteration]", "substantive")
    await sound(admin)
    await presses(admin.locator("button[name=then][value=submit]"))
    await admin.wait_for_url("**done=submitted")
    await wang.goto(entry)
    await sound(wang)
    await presses(wang.get_by_role("button", name="发布").first)
    publish = wang.get_by_role("button", name="确认发布")
    await expect(publish).to_be_visible()
    await sound(wang)
    await presses(publish)
    await wang.wait_for_url("**/admin/recalls/*")
    await sound(wang)
    await expect(wang.locator("section[aria-labelledby=words]")).to_contain_text("代为联系开具")
    await admin.goto(wang.url.partition("?")[0])
    await expect(admin.locator("form[action$='/send']")).to_have_count(0)
    await presses(wang.locator("form[action$='/send'] button"), wang)
    await wang.wait_for_url("**done=recall_sent")
    await arrived(day.asker.client, "更正：")
    said = await mailbox(day.asker)
    assert said.count("更正：") == 1
    assert "代为联系开具" in said
    await day.asker.tap("知道了")
    await wang.reload()
    await sound(wang)
    shown = await wang.locator("section[aria-labelledby=board] dl").inner_text()
    assert [int(figure) for figure in re.findall(r"^[0-9]+$", shown, re.MULTILINE)] == [1, 1, 0, 0, 0, 0, 1]
    await day.opens(wang, "/recalls")


async def keeps_the_secret(day: Day) -> None:
    """李强 flags a case, 王芳 has him handle it offline; he opens it with a reason, no page shows it."""
    li, wang, ticket = day.li, day.wang, f"/tickets/{day.begun.secret}"
    await day.opens(li, ticket)
    await expect(li.locator("main")).to_contain_text(SECRET)
    await presses(li.get_by_role("button", name="建议线下"))
    await expect(li.locator("main")).to_contain_text("等带班领导决定")
    await day.opens(wang, "/restricted")
    await expect(wang.locator("main")).to_contain_text("待决定")
    await day.opens(wang, ticket)
    async with day.store.reading() as session:
        owner = (await session.scalars(select(Staff).where(Staff.name == "李强"))).one()
    await wang.select_option("#owner", str(owner.id))
    await wang.fill("#reason_offline", "涉及他人，当面了解")
    await presses(wang.get_by_role("button", name="转线下办理"), wang)
    await expect(wang.locator("form[action$='/take-offline']")).to_have_count(0)
    await expect(wang.locator("main")).to_contain_text(HIDDEN)
    await expect(wang.locator("main")).not_to_contain_text(SECRET)
    await sound(wang)
    await day.opens(li, ticket)
    await li.get_by_text("查看内容").first.press("Enter")
    await li.fill("#reason_open", WHY)
    await presses(li.get_by_role("button", name="查看内容"))
    await expect(li.locator("main")).to_contain_text(SECRET)
    await sound(li)
    for page in (li, wang, day.admin):
        for path in (ticket, "?view=all", "/day-end", "/restricted", "/clusters", "/missed", "/audit"):
            await page.goto(f"{day.home}/admin{path}")
            assert SECRET not in await page.content(), page.url
        await page.goto(f"{day.home}/admin?view=all&q={SECRET}")
        await expect(page.locator("[data-row]")).to_have_count(0)
    await day.opens(wang, ticket)
    await expect(wang.locator("main")).to_contain_text(WHY)


async def ends_the_day(day: Day) -> None:
    """Every open ticket gets its word at once."""
    await day.opens(day.wang, "/day-end?tick=missing")
    await expect(day.wang.locator("main")).to_contain_text("没有说明")
    await day.wang.locator("#reason").fill(LATER)
    await day.wang.locator("#reason").press("Enter")
    await day.wang.wait_for_url("**done=disposed")
    await expect(day.wang.locator("main")).to_contain_text(LATER)
    await sound(day.wang)
    await expect(day.wang.locator("main")).to_contain_text("都已说明")


async def writes_it_down(day: Day) -> None:
    """The record as workbook and as Word document, each cell against the tickets."""
    book, paper = await exported(day.wang, day, "xlsx"), await exported(day.wang, day, "docx")
    lines = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert lines[0][0] == "来电未答复记录表"
    heads = [str(cell) for cell in lines[3]]
    rows = [[plain(str(cell)) for cell in line] for line in lines[4:]]
    (table,) = Document(io.BytesIO(paper)).tables
    printed = [[cell.text for cell in row.cells] for row in table.rows]
    assert printed[0] == heads
    assert printed[1:] == rows
    told = {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
    async with day.store.reading() as session:
        tickets = (await session.scalars(select(Ticket))).all()
        places = {unit.id: unit for unit in await units.all_units(session)}
        names = {one.id: one.name for one in await session.scalars(select(Staff))}
    assert sorted(told) == sorted(ticket.ticket_no for ticket in tickets)
    for ticket in tickets:
        row = told[ticket.ticket_no]
        for head, cell in expected(ticket, places, names, {one.id: one for one in tickets}).items():
            assert row[head] == cell, (ticket.ticket_no, head, ticket.state)
    (called,) = [ticket for ticket in tickets if ticket.phone is not None]
    assert told[called.ticket_no]["来电人（称谓/类型/电话后四位）"].startswith("钱*美/")
    assert told[called.ticket_no]["来电人（称谓/类型/电话后四位）"].endswith("/7788")
    everything = "\n".join(cell for row in rows for cell in row)
    for kept in (PHONE, PHONE[5:], "钱晓美", SECRET):
        assert kept not in everything
    await day.wang.set_viewport_size(NARROW)
    for path in ("", "/exports", "/day-end", "/recalls/1", "/restricted", f"/tickets/{day.begun.secret}"):
        await day.opens(day.wang, path)
    await day.wang.set_viewport_size(WIDE)


def expected(
    ticket: Ticket, places: dict[int, Unit], names: dict[int, str], all_: dict[int, Ticket]
) -> dict[str, str]:
    """What must stand in the row of a ticket, read from the ticket."""

    def at(moment: object) -> str:
        return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}" if moment else ""  # type: ignore[attr-defined]

    hidden = ticket.offline_owner_id is not None
    conclusion = ""
    lead = all_.get(ticket.merged_into_id or 0)
    # Who was joined and has a chat was told the lead's answer; whoever is to be called was told nothing yet.
    told = lead if lead is not None and ticket.contact_id is not None else ticket
    if told.state in (TicketState.ANSWERED, TicketState.CLOSED):
        conclusion = f"{told.answer_text}\n依据：{told.conclusion_basis}"
    return {
        "编号": ticket.ticket_no,
        "日期时间": at(ticket.accepted_at),
        "渠道": say(f"channel.{ticket.channel.value}", CHINESE),
        "街镇/选区/小组": places[ticket.unit_id].name,
        "问题原话": HIDDEN if hidden else ticket.words,
        "未答复原因": say(f"ticket.why.{ticket.why_unanswered.value}", CHINESE),
        "时限": at(ticket.due_at),
        "结论与依据": HIDDEN if hidden else conclusion,
        "审核人": names.get(told.reviewer_id or 0, ""),
        "备注": HIDDEN if hidden else f"并入 {lead.ticket_no}" if lead else "",
    }


async def exported(page: Page, day: Day, form: str) -> bytes:
    """The record of all tickets in this form, as the browser receives it."""
    await day.opens(page, "/exports?view=all")
    await page.locator(f"input[name=form][value={form}]").press("Space")
    await page.fill("#purpose", "日清存档")
    async with page.expect_download() as coming:
        await presses(page.locator("form[action='/admin/exports'][method=post] button"))
    path = await (await coming.value).path()
    return await asyncio.to_thread(Path(path).read_bytes)
