"""Files in the console: laid in, handed out as a download to whoever may, never inside a page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from office import audit
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast
from tests.ticketing.confidences import reviewer
from tests.ticketing.test_attachments import PNG
from tests.ticketing.work import taken
from ticketing.records import Ticket

SignedIn = Callable[[Staff], Awaitable[Browser]]


async def upload(browser: Browser, ticket: Ticket, content: bytes, *, papers: bool = False) -> Any:
    await browser.get(f"/admin/tickets/{ticket.id}")
    return await browser.post(
        f"/admin/tickets/{ticket.id}/attachments",
        {"papers": "1"} if papers else {},
        files={"file": ("登记表.png", content, "text/html")},
    )


async def links(browser: Browser, ticket: Ticket) -> list[str]:
    page = await browser.get(f"/admin/tickets/{ticket.id}")
    assert not re.search(r"<(img|embed|object|iframe)", page.text)
    return re.findall(r'href="(/admin/attachments/[^"]+)"', page.text)


async def test_a_file_comes_back_as_a_download(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken(store, cast, clock())
    browser = await signed_in(cast.li_qiang)
    assert (await upload(browser, ticket, PNG)).status_code == 303
    (link,) = await links(browser, ticket)
    got = await browser.get(link)
    assert got.content == PNG
    assert got.headers["content-type"] == "image/png"
    assert got.headers["content-disposition"] == 'attachment; filename="file.png"'
    assert got.headers["cache-control"] == "no-store, private"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]
    async with store.reading() as session:
        lines, _ = await audit.listed(session, action="attachment.open")
        assert [line.actor_id for line in lines] == [cast.li_qiang.id]


async def test_what_it_is_decides_and_not_what_it_is_called(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken(store, cast, clock())
    browser = await signed_in(cast.li_qiang)
    refused = await upload(browser, ticket, b"<html><script>alert(1)</script></html>")
    assert refused.status_code == 422
    assert "这种文件不能保存" in refused.text
    large = await upload(browser, ticket, PNG + b"\x00" * (10 * 1024 * 1024))
    assert large.status_code == 422
    assert (await browser.post(f"/admin/tickets/{ticket.id}/attachments", {})).status_code == 422


async def test_a_quarantined_file_is_the_assignees_with_a_warning(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    other = await reviewer(store, cast, clock())
    ticket = await taken(store, cast, clock())
    browser = await signed_in(cast.li_qiang)
    await upload(browser, ticket, PNG, papers=True)
    (link,) = await links(browser, ticket)
    assert "不要转发、打印、另存" in browser.shown
    assert (await browser.get(link)).content == PNG
    second = await signed_in(other)
    assert await links(second, ticket) == []
    assert "只有承办人能打开" in second.shown
    assert (await second.get(link)).status_code == 404
    await browser.get(f"/admin/tickets/{ticket.id}")
    assert (await browser.post(f"/admin/tickets/{ticket.id}/attachments/1/release")).status_code == 303
    assert len(await links(second, ticket)) == 1


async def test_a_link_ends_with_its_time_and_with_the_sign_in(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, browsing: Callable[..., Browser]
) -> None:
    ticket = await taken(store, cast, clock())
    browser = await signed_in(cast.li_qiang)
    await upload(browser, ticket, PNG)
    (link,) = await links(browser, ticket)
    out = await browsing().get(link)
    assert out.status_code in (303, 401)
    assert out.content != PNG
    assert (await browser.get(link[:-2] + "xx")).status_code == 404
    clock.pass_by(timedelta(minutes=31))
    assert (await browser.get(link)).status_code == 404
    (fresh,) = await links(browser, ticket)
    assert (await browser.get(fresh)).status_code == 200


async def test_no_upload_to_another_units_ticket(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken(store, cast, clock())
    browser = await signed_in(cast.zhao_lei)
    await browser.get("/admin")
    refused = await browser.client.post(
        f"/admin/tickets/{ticket.id}/attachments",
        data={"csrf": browser.hidden("csrf")}, files={"file": ("a.png", PNG, "image/png")},
    )  # fmt: skip
    assert refused.status_code == 404
