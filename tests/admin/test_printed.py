"""One ticket on paper: from its page, as a document or a page to print, with its marks."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable

import pytest
from docx import Document

from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast
from tests.ticketing.full import filled

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
