"""The bell: what the desk has told the signed-in person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from office import notices
from office.staff import Role, Staff
from office.store import Store
from office.words import LANGUAGES, catalogue
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, a_ticket
from tests.ticketing import tip_world
from tests.ticketing.people import person
from tests.ticketing.work import opened
from ticketing import assigning, settled, tickets

SignedIn = Callable[[Staff], Awaitable[Browser]]


async def test_what_is_unread_is_counted_listed_and_marked_as_read(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, now)
        for number in range(2):
            await notices.tell(
                session, cast.li_qiang.id, "group_lost", {"group": "<i>工作群</i>"}, key=f"one:{number}",
                subject="chat_group:1", now=now,
            )  # fmt: skip
        await notices.tell(
            session, cast.li_qiang.id, "of_tomorrow", {"at": now.isoformat()}, key="two",
            subject=f"ticket:{ticket.id}", now=now,
        )  # fmt: skip
        await notices.tell(session, cast.wang_fang.id, "group_lost", {"group": "别人的"}, key="x", now=now)
        # An older program wrote no title down.
        for title in ({}, {"title": "关于<居住证>的提示"}):
            await notices.tell(
                session, cast.wang_fang.id, "tip_submitted", {"who": "李*"}, inside=title, now=now,
                key=f"tip:{len(title)}", subject="work_tip:1",
            )  # fmt: skip
    desk = await signed_in(cast.li_qiang)
    page = await desk.get("/admin/notices")
    assert "3 条未读" in page.text
    assert "&lt;i&gt;工作群" in page.text
    assert "工作通知（of_tomorrow）" in page.text
    assert f'href="/admin/tickets/{ticket.id}"' in page.text
    assert "别人的" not in page.text
    assert (await desk.post("/admin/notices/read")).status_code == 303
    page = await desk.get("/admin/notices?done=read")
    assert "条未读" not in page.text
    assert "全部标为已读" not in page.text.split("<main")[1].split('role="status"')[0]
    other = await signed_in(cast.wang_fang)
    page = await other.get("/admin/notices")
    assert "3 条未读" in page.text
    assert "李*送审了工作提示“关于&lt;居住证&gt;的提示”" in page.text
    assert "李*送审了一份工作提示，请审核签发" in page.text


@pytest.mark.parametrize(
    ("told_at", "stored", "said"),
    [
        (datetime(2026, 11, 20, 2, 5, tzinfo=UTC), "11-23 10:30", "11月23日（周一）10:30"),
        (datetime(2026, 11, 20, 2, 5, tzinfo=UTC), "2026-11-23T02:30:00+00:00", "11月23日（周一）10:30"),
        (datetime(2026, 11, 20, 2, 5, tzinfo=UTC), "2026-11-23", "11月23日（周一）"),
        (datetime(2026, 11, 20, 2, 5, tzinfo=UTC), "2026-11-23 8:30–17:30", "11月23日（周一） 8:30–17:30"),
        # Told in December of a day in January.
        (datetime(2026, 12, 31, 2, 5, tzinfo=UTC), "01-04 12:00", "1月4日（周一）12:00"),
        (datetime(2026, 11, 20, 2, 5, tzinfo=UTC), "02-30 12:00", "02-30 12:00"),
    ],
)
async def test_a_time_is_written_as_everywhere_in_the_console(
    store: Store, cast: Cast, signed_in: SignedIn, told_at: datetime, stored: str, said: str
) -> None:
    async with store.transaction() as session:
        await notices.tell(
            session, cast.li_qiang.id, "warn_80", {"no": "DP-1120-01-X", "due": stored}, key="w", now=told_at
        )
    page = (await (await signed_in(cast.li_qiang)).get("/admin/notices")).text
    assert f"时限已用去八成，{said} 到期" in page


async def test_without_notices_the_page_says_so(cast: Cast, signed_in: SignedIn) -> None:
    assert "没有通知" in (await (await signed_in(cast.li_qiang)).get("/admin/notices")).text


async def test_nobody_reads_them_without_a_sign_in(browsing: Callable[..., Browser]) -> None:
    answer = await browsing().get("/admin/notices")
    assert answer.status_code == 303
    assert "/admin/sign-in" in answer.headers["location"]


async def test_what_was_dealt_with_since_is_marked_and_rings_no_bell(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    """王芳 assigns two tickets to 李强, who accepts one of them."""
    first, second = [await opened(store, cast, clock()) for _ in range(2)]
    for ticket in (first, second):
        async with store.transaction() as session:
            found = await tickets.get(session, ticket.id)
            await assigning.assign(session, found, cast.li_qiang, actor=cast.wang_fang, now=clock())
    desk = await signed_in(cast.li_qiang)
    page = (await desk.get("/admin/notices")).text
    assert "我的通知（2 条，未读 2）" in page
    assert 'title="2 条未读"' in page
    async with store.transaction() as session:
        found = await tickets.get(session, first.id)
        await tickets.take(session, found, actor=cast.li_qiang, now=clock())
    page = (await desk.get("/admin/notices")).text
    assert "我的通知（2 条，未读 1）" in page
    assert 'title="1 条未读"' in page
    row = next(row for row in page.split("<tr>") if first.ticket_no in row)
    assert "已办结" in row
    assert "未读" not in row.split("</tr>")[0]
    # Read or not, it stays to be seen that nothing is owed any more.
    await desk.post("/admin/notices/read")
    page = (await desk.get("/admin/notices")).text
    assert page.count("已办结") == 1


async def test_a_tip_that_was_signed_asks_nobody_else_for_a_signature(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    chen = await person(store, cast.district, clock(), "陈静", Role.REVIEWER)
    tip = await tip_world.submitted(store, cast, clock())
    desk = await signed_in(chen)
    assert 'title="1 条未读"' in (await desk.get("/admin/notices")).text
    await tip_world.signed(store, cast, tip, clock())
    page = (await desk.get("/admin/notices")).text
    assert "条未读" not in page
    assert "已办结" in page


def test_every_kind_that_can_be_over_is_one_that_staff_are_told() -> None:
    for language in LANGUAGES:
        assert {f"notice.{kind}" for kind in settled.KINDS} <= set(catalogue(language))
