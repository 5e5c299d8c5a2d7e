"""写成口径 on a ticket's page: once for each ticket, and in sight of the entry that the answer cites."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from knowledge.versions import EntryVersion
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock, plain
from tests.make import HOURS, Cast
from tests.ticketing.work import proposed, read
from ticketing import tickets
from ticketing.records import Ticket

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
SignedIn = Callable[[Staff], Awaitable[Browser]]


async def signed(store: Store, cast: Cast, now: datetime) -> Ticket:
    """A ticket that 李强 answered in words of his own and 王芳 signed."""
    ticket = await proposed(store, cast, now)
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await tickets.sign(session, row, seen=row.version, actor=cast.wang_fang, hours=HOURS, now=now)
    return row


async def test_a_second_press_leads_to_the_entry_that_is_there(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await signed(store, cast, clock())
    first, second = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    base = f"/admin/tickets/{ticket.id}"
    for desk in (first, second):
        await desk.get(base)
    begun = await first.post(f"{base}/promote")
    entry = (await read(store, ticket)).entry_created_id
    assert begun.headers["location"] == f"/admin/entries/{entry}/edit?done=promoted"
    again = await second.post(f"{base}/promote")
    assert again.headers["location"] == f"/admin/entries/{entry}?done=promoted_before"
    page = await second.get(again.headers["location"])
    assert page.status_code == 200
    assert "这张工单已经写成这条口径，没有另写一条" in page.text
    assert (await read(store, ticket)).entry_created_id == entry


async def test_an_answer_that_cites_an_entry_names_it_beside_the_button(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await tickets.answer(
            session, row, version.short, version, actor=cast.li_qiang, hours=HOURS, now=clock()
        )
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    page = plain(await desk.get(base))
    assert "这个答复引用了" in page
    assert f'<a class="code" href="/admin/entries/{version.entry_id}">K-0112 第1版</a>' in page
    assert "再写一条会与它重复" in page
    assert f'action="{base}/promote"' in page
    added = await desk.post(f"{base}/phrasing/{version.entry_id}")
    assert added.headers["location"] == f"/admin/entries/{version.entry_id}/edit?done=phrasing_added"


async def test_an_answer_without_an_entry_says_nothing_of_one(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await signed(store, cast, clock())
    page = plain(await (await signed_in(cast.li_qiang)).get(f"/admin/tickets/{ticket.id}"))
    assert "写成口径" in page
    assert "这个答复引用了" not in page
