"""The acts on a ticket's page besides answering: shown to whom they belong, done, and refused in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock, plain
from tests.make import HOURS, Cast, a_ticket
from tests.ticketing.people import a_group, person, told
from ticketing import holding, tickets
from ticketing.records import Ticket, TicketState, UnansweredReason

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
SignedIn = Callable[[Staff], Awaitable[Browser]]
S = TicketState
ACTS = (
    "assign", "accept", "transfer", "send-back", "joint", "contribute", "hold", "hold/grant", "hold/refuse",
    "resume", "extend", "nudge", "split", "unvoid",
)  # fmt: skip


async def ticket_of(store: Store, ticket: Ticket) -> Ticket:
    async with store.reading() as session:
        return await tickets.get(session, ticket.id)


async def made(store: Store, cast: Cast, clock: Clock, *, by: Staff | None = None) -> Ticket:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock())
        if by is not None:
            await tickets.take(session, ticket, actor=by, now=clock())
    return ticket


async def post(browser: Browser, ticket: Ticket, act: str, **fields: str) -> str:
    """Send a form of the ticket's page as it is shown now; returns the notice it led to."""
    await browser.get(f"/admin/tickets/{ticket.id}")
    sent = await browser.post(f"/admin/tickets/{ticket.id}/{act}", fields)
    assert sent.status_code == 303, sent.text
    page = await browser.get(sent.headers["location"])
    assert page.status_code == 200
    return urlsplit(sent.headers["location"]).query


async def test_a_ticket_is_given_accepted_handed_on_and_sent_back(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    chen_jing = await person(store, cast.district, clock())
    await a_group(store, clock(), "信息组", [], chen_jing)
    ticket = await made(store, cast, clock)
    leader, officer, other = [await signed_in(one) for one in (cast.wang_fang, cast.li_qiang, chen_jing)]
    assert await post(leader, ticket, "assign", assign_to=str(cast.li_qiang.id)) == "done=assigned"
    assert "acts.accept" not in officer.shown
    assert await post(officer, ticket, "accept") == "done=accepted"
    assert (
        await post(officer, ticket, "transfer", transfer_group="信息组", transfer_reason="平台问题")
        == "done=transferred"
    )
    assert await told(store, chen_jing) == ["assigned"]
    assert (
        await post(other, ticket, "send-back", back_reason="不归信息组", back_rule="职责分工第3条")
        == "done=returned"
    )
    row = await ticket_of(store, ticket)
    assert (row.state, row.hops, row.group) == (S.UNASSIGNED, 2, "")
    assert await post(leader, ticket, "nudge") == "done=nudged_leaders"
    assert "已提醒带班领导" in (await leader.get(f"/admin/tickets/{ticket.id}?done=nudged_leaders")).text
    assert "nudged" in await told(store, cast.wang_fang)


async def test_a_hold_from_the_wish_to_its_end(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await made(store, cast, clock, by=cast.li_qiang)
    officer, leader = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    until = {"hold_why": "needs_superior", "hold_until": "2026-11-21T10:00"}
    assert await post(officer, ticket, "hold", **until) == "done=hold_wanted"
    assert "已申请挂起至" in officer.shown
    assert f"/admin/tickets/{ticket.id}/hold/grant" not in officer.shown
    assert await post(leader, ticket, "hold/refuse") == "done=hold_refused"
    assert await post(officer, ticket, "hold", **until) == "done=hold_wanted"
    assert await post(leader, ticket, "hold/grant") == "done=held"
    assert (await ticket_of(store, ticket)).state is S.ON_HOLD
    assert await post(officer, ticket, "resume") == "done=went_on"
    assert (await ticket_of(store, ticket)).state is S.WORKING


async def test_a_leader_grants_no_hold_of_their_own(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    gu_ping = await person(store, cast.district, clock(), "顾平", Role.DUTY_OFFICER, Role.REVIEWER)
    ticket = await made(store, cast, clock, by=cast.wang_fang)
    asking, other = await signed_in(cast.wang_fang), await signed_in(gu_ping)
    until = {"hold_why": "needs_superior", "hold_until": "2026-11-21T10:00"}
    assert await post(asking, ticket, "hold", **until) == "done=hold_wanted"
    assert "须由另一位带班领导或审核员同意" in asking.shown
    assert f"/admin/tickets/{ticket.id}/hold/grant" not in asking.shown
    refused = await asking.post(f"/admin/tickets/{ticket.id}/hold/grant")
    assert refused.status_code == 403
    assert "挂起不能由申请人自己同意" in refused.text
    assert (await ticket_of(store, ticket)).state is S.WORKING
    assert await post(other, ticket, "hold/grant") == "done=held"


async def test_what_was_handed_to_somebody_waits_for_their_word(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    chen_jing = await person(store, cast.district, clock())
    ticket = await made(store, cast, clock, by=cast.wang_fang)
    base = f"/admin/tickets/{ticket.id}"
    sender, officer, colleague = [await signed_in(one) for one in (cast.wang_fang, cast.li_qiang, chen_jing)]
    assert (
        await post(sender, ticket, "transfer", transfer_to=str(cast.li_qiang.id), transfer_reason="归登记组")
        == "done=transferred"
    )
    own = plain(await officer.get(base))
    assert "这张工单交给您办理" in own
    assert f'action="{base}/accept"' in own
    assert own.count("签收，开始办理") == 1
    for wrong in ("还没有人办理", f'action="{base}/take"'):
        assert wrong not in own
    row = plain(await officer.get("/admin"))
    assert f'action="{base}/accept"' in row
    assert f'action="{base}/take"' not in row
    others = plain(await colleague.get(base))
    assert "等李*签收" in others
    assert "李*（待签收）" in others
    assert f'action="{base}/take"' in others  # first taker wins, also of what was handed on
    for wrong in ("还没有人办理", f'action="{base}/accept"'):
        assert wrong not in others
    assert await post(officer, ticket, "accept") == "done=accepted"


async def test_what_was_handed_to_a_group_waits_for_one_of_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    chen_jing = await person(store, cast.district, clock())
    await a_group(store, clock(), "信息组", [], chen_jing)
    ticket = await made(store, cast, clock, by=cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    sender, member = await signed_in(cast.li_qiang), await signed_in(chen_jing)
    await post(sender, ticket, "transfer", transfer_group="信息组", transfer_reason="平台问题")
    assert "等信息组签收" in plain(await sender.get(base))
    page = plain(await member.get(base))
    assert "这张工单交给信息组办理" in page
    assert f'action="{base}/accept"' in page
    assert f'action="{base}/take"' not in page


async def test_asker_and_colleagues_are_told(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    chen_jing = await person(store, cast.district, clock())
    ticket = await made(store, cast, clock, by=cast.li_qiang)
    officer, leader, other = [await signed_in(one) for one in (cast.li_qiang, cast.wang_fang, chen_jing)]
    assert await post(officer, ticket, "joint", joint_to=str(chen_jing.id)) == "done=joint_asked"
    assert await post(other, ticket, "contribute", joint_text="可以登记") == "done=contributed"
    assert await post(leader, ticket, "nudge", nudge_text="请尽快") == "done=nudged"
    later = {"extend_to": "2026-11-23T12:00", "extend_reason": "待市里答复"}
    assert await post(leader, ticket, "extend", **later) == "done=extended"
    page = (await officer.get(f"/admin/tickets/{ticket.id}")).text
    for words in ("可以登记", "请尽快", "待市里答复", "已提意见"):
        assert words in page


async def test_what_cannot_be_done_is_said_and_nothing_typed_is_lost(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await made(store, cast, clock, by=cast.li_qiang)
    officer = await signed_in(cast.li_qiang)
    await officer.get(f"/admin/tickets/{ticket.id}")
    base = f"/admin/tickets/{ticket.id}"
    for act, fields, status, words in (
        ("transfer", {"transfer_reason": "归信息组，急"}, 422, "请选择承办组"),
        ("send-back", {"back_reason": "不归本组，急", "back_rule": ""}, 422, "退单要写明依据"),
        ("hold", {"hold_why": "needs_data", "hold_until": "明天"}, 422, "请填写日期和时间"),
        ("hold", {"hold_why": "needs_data", "hold_until": "2026-11-29T10:00"}, 422, "挂起最长48小时"),
        ("hold", {"hold_why": "?", "hold_until": "2026-11-21T10:00"}, 422, ""),
        ("extend", {"extend_to": "2026-11-23T12:00", "extend_reason": "待市里答复"}, 403, "带班领导"),
        ("joint", {"joint_to": ""}, 422, ""),
        ("accept", {}, 409, ""),
        ("nudge", {"version": "x"}, 303, ""),
    ):
        refused = await officer.post(f"{base}/{act}", fields)
        assert refused.status_code in (status, 400, 409), (act, refused.status_code)
        assert words in refused.text
        for typed in ("归信息组，急", "不归本组，急"):
            if typed in fields.values():
                assert typed in refused.text
    row = await ticket_of(store, ticket)
    assert (row.state, row.hops) == (S.WORKING, 0)


async def test_an_old_page_changes_nothing(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await made(store, cast, clock, by=cast.li_qiang)
    officer, second = await signed_in(cast.li_qiang), await signed_in(cast.li_qiang)
    await officer.get(f"/admin/tickets/{ticket.id}")
    until = {"hold_why": "needs_data", "hold_until": "2026-11-21T10:00"}
    assert await post(second, ticket, "hold", **until) == "done=hold_wanted"
    stale = await officer.post(
        f"/admin/tickets/{ticket.id}/transfer", {"transfer_to": "2", "transfer_reason": "归登记组办"}
    )
    assert stale.status_code == 409
    assert "归登记组办" in stale.text


async def test_acts_are_shown_to_those_they_belong_to(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await made(store, cast, clock, by=cast.li_qiang)
    base = f'action="/admin/tickets/{ticket.id}/'

    async def offered(who: Staff) -> set[str]:
        page = (await (await signed_in(who)).get(f"/admin/tickets/{ticket.id}")).text
        return {act for act in ACTS if f'{base}{act}"' in page}

    assert await offered(cast.li_qiang) == {"transfer", "send-back", "joint", "hold"}
    assert await offered(cast.wang_fang) == {"transfer", "send-back", "extend", "nudge"}
    assert await offered(await person(store, cast.district, clock(), "陈静")) == {"nudge"}
    assert await offered(cast.zhao_lei) == set()  # not even the page


async def test_nobody_out_of_reach_does_any_of_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await made(store, cast, clock, by=cast.li_qiang)
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await holding.want(
            session, row, UnansweredReason.NEEDS_DATA, clock() + timedelta(hours=5), actor=cast.li_qiang,
            now=clock(),
        )  # fmt: skip
        await holding.grant(session, row, actor=cast.wang_fang, hours=HOURS, now=clock())
    before = await ticket_of(store, ticket)
    outsider, admin = await signed_in(cast.zhao_lei), await signed_in(cast.zhou_ning)
    for browser, status in ((outsider, 404), (admin, 403)):
        await browser.get("/admin/me")
        for act in ACTS:
            sent = await browser.post(f"/admin/tickets/{ticket.id}/{act}", {"version": str(before.version)})
            assert sent.status_code == status, act
    assert (await ticket_of(store, ticket)).version == before.version


async def test_parting_and_opening_again_are_a_leaders(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    lead, joined, aside = [await made(store, cast, clock) for _ in range(3)]
    async with store.transaction() as session:
        rows = [await tickets.get(session, one.id) for one in (lead, joined, aside)]
        await tickets.join(session, rows[1], rows[0], cluster_id=1, actor=cast.li_qiang, now=clock())
        await tickets.void(session, rows[2], "误录", actor=cast.li_qiang, now=clock())
    leader, officer = await signed_in(cast.wang_fang), await signed_in(cast.li_qiang)
    for ticket, act, notice in ((joined, "split", "parted"), (aside, "unvoid", "unvoided")):
        await officer.get(f"/admin/tickets/{ticket.id}")
        refused = await officer.post(f"/admin/tickets/{ticket.id}/{act}")
        assert refused.status_code in (403, 409)
        assert await post(leader, ticket, act) == f"done={notice}"
        assert (await ticket_of(store, ticket)).state is S.UNASSIGNED
