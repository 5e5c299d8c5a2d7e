"""One ticket on paper: from its page, as a document or a page to print, with its marks."""

from __future__ import annotations

import io
import re
from collections.abc import Awaitable, Callable

import pytest
from docx import Document

from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast
from tests.servers.browser import launch
from tests.ticketing.full import filled
from tests.ticketing.work import opened

SignedIn = Callable[[Staff], Awaitable[Browser]]
pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)


async def test_a_ticket_is_printed_from_its_page(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await filled(store, cast, clock())
    desk = await signed_in(cast.li_qiang)
    page = await desk.get(f"/admin/tickets/{ticket.id}")
    address = f"/admin/exports/tickets/{ticket.id}"
    assert f'action="{address}"' in page.text
    printed = await desk.post(address, {"form": "print"})
    for told in ("来电未答复记录", ticket.ticket_no, "第12选区", "快照号：1", "upright"):
        assert told in printed.text
    paper = await desk.post(address, {"form": "docx"})
    told = {
        row.cells[0].text: row.cells[1].text for row in Document(io.BytesIO(paper.content)).tables[0].rows
    }
    assert told["编号"] == ticket.ticket_no
    # What was sealed with another secret cannot be opened: the paper says so, and nothing breaks.
    assert told["称谓"] == "—"
    assert (await desk.post(address, {"form": "fax"})).status_code == 422


async def test_one_long_question_leaves_the_other_columns_their_width(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await filled(store, cast, clock())
    await opened(store, cast, clock(), words="居住证累计满五年可以登记吗" * 400 + "A" * 800)
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/exports?view=all")
    page = (await desk.post("/admin/exports", {"back": "?view=all", "form": "print"})).text
    for link, address in re.findall(r'(<link rel="stylesheet" href="([^"]+)">)', page):
        page = page.replace(link, f"<style>{(await desk.get(address)).text}</style>")
    measure = """
        [...document.querySelectorAll('.printed thead th')].map(head => {
            const style = getComputedStyle(head);
            const inside = head.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
            return inside / parseFloat(style.fontSize);
        })
    """
    async with launch() as browser:
        shown = await browser.new_page(viewport={"width": 1280, "height": 900})
        await shown.set_content(page)
        on_screen = await shown.evaluate(measure)
        # A4 across with its margins.
        await shown.emulate_media(media="print")
        await shown.set_viewport_size({"width": 1032, "height": 703})
        on_paper = await shown.evaluate(measure)
    assert min(on_screen) >= 3
    assert min(on_paper) >= 2
