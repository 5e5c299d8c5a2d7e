"""Other offices in the console: a request with its card, the office above, a town, and checks of the list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from office import changes
from office.changes import ChangeKind
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast
from tests.ticketing.test_cross_area import DIRECTORY
from tests.ticketing.work import read, taken
from ticketing.records import Ticket, TicketKind, TicketState

SignedIn = Callable[[Staff], Awaitable[Browser]]
ASKED = {
    "cross_district": "西岸区", "cross_applied_at": "临江街道", "cross_person": "张敏",
    "cross_request": "请核对是否已登记", "cross_answer_by": "2026-11-25", "cross_consent": "1",
}  # fmt: skip


async def post(browser: Browser, ticket: Ticket, act: str, **fields: Any) -> Any:
    await browser.get(f"/admin/tickets/{ticket.id}")
    return await browser.post(f"/admin/tickets/{ticket.id}/{act}", fields)


async def test_a_request_its_card_and_what_came_back(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        await changes.install(
            session, ChangeKind.RULES, "shanghai:contacts", DIRECTORY, basis="示例数据", scope=cast.district,
            now=clock(),
        )  # fmt: skip
    ticket = await taken(store, cast, clock())
    browser = await signed_in(cast.li_qiang)
    assert (await browser.get(f"/admin/tickets/{ticket.id}/referral")).status_code == 404
    refused = await post(browser, ticket, "cross-ask", **(ASKED | {"cross_consent": ""}))
    assert refused.status_code == 422
    assert "要先取得本人同意" in refused.text
    assert "请核对是否已登记" in refused.text
    assert (await post(browser, ticket, "cross-ask", **ASKED)).status_code == 303
    card = (await browser.get(f"/admin/tickets/{ticket.id}/referral")).text
    for words in ("西岸区选举委员会办公室", "0000-33330000", "张*", "请核对是否已登记", ticket.ticket_no):
        assert words in card
    assert "张敏" not in card
    assert (await post(browser, ticket, "cross-feedback", cross_feedback="未登记")).status_code == 303
    assert "未登记" in (await browser.get(f"/admin/tickets/{ticket.id}")).text
    elsewhere = await signed_in(cast.zhao_lei)
    assert (await elsewhere.get(f"/admin/tickets/{ticket.id}/referral")).status_code == 404


async def test_up_and_the_reply_in_the_answer_box(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken(store, cast, clock())
    browser = await signed_in(cast.li_qiang)
    assert (await post(browser, ticket, "superior-ask", superior_no="")).status_code == 422
    assert (await post(browser, ticket, "superior-ask", superior_no="请7号")).status_code == 303
    shown = (await browser.get(f"/admin/tickets/{ticket.id}")).text
    assert "等上级答复" in shown
    reply = {"superior_reply_no": "复12号", "superior_day": "2026-11-20", "superior_text": "同意登记"}
    assert (
        await post(browser, ticket, "superior-answer", **(reply | {"superior_day": ""}))
    ).status_code == 422
    assert (await post(browser, ticket, "superior-answer", **reply)).status_code == 303
    assert "复12号（2026年11月20日）：同意登记" in (await browser.get(f"/admin/tickets/{ticket.id}")).text


async def test_down_to_a_town(store: Store, cast: Cast, clock: Clock, signed_in: SignedIn) -> None:
    ticket = await taken(store, cast, clock())
    browser = await signed_in(cast.li_qiang)
    assert "北塘镇 · 赵*" in (await browser.get(f"/admin/tickets/{ticket.id}")).text
    assert (await post(browser, ticket, "down", reason_down="属北塘镇")).status_code == 422
    done = await post(
        browser, ticket, "down", down_unit=cast.north.id, down_to=cast.zhao_lei.id, reason_down="属北塘镇"
    )
    assert done.status_code == 303
    row = await read(store, ticket)
    assert (row.state, row.unit_id, row.assignee_id) == (
        TicketState.ASSIGNED,
        cast.north.id,
        cast.zhao_lei.id,
    )
    there = await signed_in(cast.zhao_lei)
    assert (await there.get(f"/admin/tickets/{ticket.id}")).status_code == 200


async def test_a_check_and_its_counts(store: Store, cast: Cast, clock: Clock, signed_in: SignedIn) -> None:
    ticket = await taken(store, cast, clock(), kind=TicketKind.VERIFY)
    browser = await signed_in(cast.li_qiang)
    told = {"check_category": "婚入", "check_online": "已比对", "check_seen": ["marriage", "residence"]}
    assert (await post(browser, ticket, "check", **(told | {"check_online": ""}))).status_code == 422
    assert (await post(browser, ticket, "check", **told)).status_code == 303
    counts = {"count_checked": 3, "count_removed": 1, "count_added": 1}
    assert (await post(browser, ticket, "counts", **(counts | {"count_added": 9}))).status_code == 422
    assert (await post(browser, ticket, "counts", **counts)).status_code == 303
    shown = (await browser.get(f"/admin/tickets/{ticket.id}")).text
    assert "结婚证、居住证" in shown
    assert (await post(browser, ticket, "check-second")).status_code == 403
    second = await signed_in(cast.wang_fang)
    assert (await post(second, ticket, "check-second")).status_code == 303
    assert (await read(store, ticket)).materials["second_by"] == cast.wang_fang.id
