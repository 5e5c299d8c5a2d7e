"""Whose a ticket is: given, accepted, lapsed, handed on, sent back, and taken from whoever leaves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from office import staff, worktime
from office.errors import Conflict, Invalid, NotPermitted
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.people import DAY, a_group, act, on_duty, person, told
from tests.ticketing.work import opened, proposed, read, taken
from ticketing import assigning, holding, queue, tickets
from ticketing.assigning import responsible
from ticketing.records import PostKind, Ticket, TicketState, UnansweredReason

S = TicketState
MINUTE = timedelta(minutes=1)


async def assigned(store: Store, cast: Cast, now: datetime, **more: Any) -> Ticket:
    ticket = await opened(store, cast, now, **more)
    return await act(
        store, ticket, lambda s, t: assigning.assign(s, t, cast.li_qiang, actor=cast.wang_fang, now=now)
    )


async def pass_on(store: Store, ticket: Ticket, by: staff.Staff, now: datetime, **more: Any) -> Ticket:
    facts: dict[str, Any] = {"group": "", "to": None, "reason": "归其他组", **more}
    return await act(store, ticket, lambda s, t: assigning.transfer(s, t, actor=by, now=now, **facts))


async def send_back(store: Store, ticket: Ticket, by: staff.Staff, now: datetime, **more: str) -> Ticket:
    facts = {"reason": "不归本组", "rule": "职责分工第3条", **more}
    return await act(store, ticket, lambda s, t: assigning.send_back(s, t, actor=by, now=now, **facts))


async def accept(store: Store, ticket: Ticket, by: staff.Staff, now: datetime) -> Ticket:
    return await act(store, ticket, lambda s, t: assigning.accept(s, t, actor=by, now=now))


async def lapse(store: Store, now: datetime) -> int:
    async with store.transaction() as session:
        return await assigning.lapse(session, hours=HOURS, now=now)


async def test_a_leader_gives_a_ticket_and_the_officer_accepts(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await assigned(store, cast, now)
    assert (ticket.state, ticket.assignee_id, ticket.assigned_at) == (S.ASSIGNED, cast.li_qiang.id, now)
    assert await told(store, cast.li_qiang) == ["assigned"]
    other = await person(store, cast.district, now)
    with pytest.raises(Conflict, match="not_yours"):
        await accept(store, ticket, other, now + MINUTE)
    ticket = await accept(store, ticket, cast.li_qiang, now + MINUTE)
    assert (ticket.state, ticket.taken_at, responsible(ticket)) == (
        S.WORKING, now + MINUTE, cast.li_qiang.id,
    )  # fmt: skip


async def test_only_a_leader_gives_and_only_to_whom_it_may_go(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now)

    async def give(to: staff.Staff, by: staff.Staff) -> None:
        await act(store, ticket, lambda s, t: assigning.assign(s, t, to, actor=by, now=now))

    with pytest.raises(NotPermitted, match="leader_needed"):
        await give(cast.li_qiang, cast.li_qiang)
    # 赵磊 does not reach the district's tickets, 孙洁 has left, 周宁 does not work on any.
    for unfit in (cast.zhao_lei, cast.sun_jie, cast.zhou_ning):
        with pytest.raises(Invalid, match="assignee_unfit"):
            await give(unfit, cast.wang_fang)
    # The leader of the shift that is on decides as well, and only while it is on.
    await on_duty(store, cast, now, cast.wang_fang, leader_id=cast.li_qiang.id)
    await give(cast.wang_fang, cast.li_qiang)
    assert (await read(store, ticket)).assignee_id == cast.wang_fang.id


async def test_what_nobody_accepts_in_thirty_duty_minutes_goes_back(
    store: Store, cast: Cast, now: datetime
) -> None:
    late = now.replace(hour=3, minute=20)  # 11:20, ten minutes before lunch
    ticket = await assigned(store, cast, late, actor=cast.li_qiang.as_actor())
    assert ticket.first_taker_id == cast.li_qiang.id
    afternoon = late.replace(hour=5, minute=49)  # 13:49: 29 duty minutes
    assert await lapse(store, afternoon) == 0
    assert await lapse(store, afternoon + MINUTE) == 1
    assert await lapse(store, afternoon + MINUTE) == 0
    ticket = await read(store, ticket)
    assert (ticket.state, ticket.assignee_id) == (S.UNASSIGNED, None)
    # The first taker answers for it again, and the leaders know.
    assert responsible(ticket) == cast.li_qiang.id
    assert await told(store, cast.li_qiang) == ["assigned", "lapsed"]
    assert await told(store, cast.wang_fang) == ["lapsed"]


async def test_a_ticket_goes_to_a_group_and_whoever_of_it_accepts(
    store: Store, cast: Cast, now: datetime
) -> None:
    chen_jing, gu_ping = (
        await person(store, cast.district, now),
        await person(store, cast.district, now, "顾平"),
    )
    await a_group(store, now, "信息组", ["st_import"], chen_jing, cast.zhao_lei)
    ticket = await taken(store, cast, now)
    with pytest.raises(Invalid, match="group_unknown"):
        await pass_on(store, ticket, cast.li_qiang, now, group="没有的组")
    with pytest.raises(Invalid, match="to_needed"):
        await pass_on(store, ticket, cast.li_qiang, now)
    with pytest.raises(Invalid, match="reason_needed"):
        await pass_on(store, ticket, cast.li_qiang, now, group="信息组", reason=" ")
    ticket = await pass_on(store, ticket, cast.li_qiang, now, group="信息组")
    assert (ticket.state, ticket.group, ticket.assignee_id, ticket.hops) == (S.ASSIGNED, "信息组", None, 1)
    assert (await told(store, chen_jing), await told(store, gu_ping)) == (["assigned"], [])
    assert responsible(ticket) == cast.li_qiang.id
    with pytest.raises(Conflict, match="not_yours"):
        await accept(store, ticket, gu_ping, now)
    ticket = await accept(store, ticket, chen_jing, now)
    assert (ticket.state, responsible(ticket)) == (S.WORKING, chen_jing.id)
    assert ticket.first_taker_id == cast.li_qiang.id


async def test_the_third_hop_is_a_leaders(store: Store, cast: Cast, now: datetime) -> None:
    chen_jing = await person(store, cast.district, now)
    ticket = await taken(store, cast, now)
    ticket = await pass_on(store, ticket, cast.li_qiang, now, to=chen_jing)
    with pytest.raises(Invalid, match="rule_needed"):
        await send_back(store, ticket, chen_jing, now, rule=" ")
    ticket = await send_back(store, ticket, chen_jing, now)
    assert (ticket.state, ticket.hops, ticket.reason) == (
        S.UNASSIGNED, 2, "不归本组（职责分工第3条）",
    )  # fmt: skip
    assert "sent_back" in await told(store, cast.li_qiang)
    assert await told(store, cast.wang_fang) == ["sent_back", "hops_used_up"]
    ticket = await act(
        store, ticket, lambda s, t: assigning.assign(s, t, chen_jing, actor=cast.wang_fang, now=now)
    )
    ticket = await accept(store, ticket, chen_jing, now)
    with pytest.raises(NotPermitted, match="hops_used_up"):
        await pass_on(store, ticket, chen_jing, now, to=cast.li_qiang)
    with pytest.raises(NotPermitted, match="hops_used_up"):
        await send_back(store, ticket, chen_jing, now)
    ticket = await pass_on(store, ticket, cast.wang_fang, now, to=cast.li_qiang)
    assert (ticket.hops, ticket.assignee_id) == (3, cast.li_qiang.id)
    async with store.reading() as session:
        lines = [post for post in await queue.thread(session, ticket) if post.kind is PostKind.NOTE]
    assert len(lines) == 3  # each with its reason, for whoever gets it


async def test_what_was_given_goes_back_with_a_rule_only(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await accept(store, await assigned(store, cast, now), cast.li_qiang, now)
    with pytest.raises(Conflict, match="rule_needed"):
        await act(store, ticket, lambda s, t: tickets.put_back(s, t, "不会", actor=cast.li_qiang, now=now))
    assert (await send_back(store, ticket, cast.li_qiang, now)).state is S.UNASSIGNED


async def test_whoever_leaves_leaves_nothing_behind(store: Store, cast: Cast, now: datetime) -> None:
    working, given = await taken(store, cast, now), await assigned(store, cast, now)
    reviewed, held = await proposed(store, cast, now), await taken(store, cast, now)
    until = now + DAY
    await act(
        store,
        held,
        lambda s, t: holding.want(s, t, UnansweredReason.NEEDS_SUPERIOR, until, actor=cast.li_qiang, now=now),
    )
    await act(store, held, lambda s, t: holding.grant(s, t, actor=cast.wang_fang, hours=HOURS, now=now))

    async def requeue(by: staff.Staff | None) -> int:
        async with store.transaction() as session:
            leaver = await staff.get(session, cast.li_qiang.id)
            return await assigning.requeue(session, leaver, actor=by, now=now)

    with pytest.raises(NotPermitted):
        await requeue(cast.zhao_lei)
    assert await requeue(cast.zhou_ning) == 4
    assert await requeue(None) == 0
    states = [(await read(store, one)).state for one in (working, given, reviewed, held)]
    assert states == [S.UNASSIGNED, S.UNASSIGNED, S.IN_REVIEW, S.ON_HOLD]
    # A draft that comes back from review, and a hold that ends, find nobody and go into the queue too.
    back = await act(
        store, reviewed, lambda s, t: tickets.revise(s, t, "补充依据", actor=cast.wang_fang, now=now)
    )
    async with store.transaction() as session:
        assert await holding.resume_due(session, hours=HOURS, now=until) == 1
    assert [back.state, (await read(store, held)).state] == [S.UNASSIGNED, S.UNASSIGNED]


async def test_the_clock_gives_out_by_group_duty_and_load_once_somebody_signed_in(
    store: Store, cast: Cast, now: datetime
) -> None:
    chen_jing = await person(store, cast.district, now)
    await a_group(store, now, "登记组", ["reg_docs"], chen_jing, cast.li_qiang)
    await taken(store, cast, now)  # 李强 has one already
    ticket = await opened(store, cast, now, topic="reg_docs")
    assert ticket.group == "登记组"

    async def give() -> int:
        async with store.transaction() as session:
            hours = await worktime.hours(session, now=now)
            return await assigning.assign_new(session, hours=hours, now=now)

    assert await give() == 0  # no roster
    for officer in (cast.li_qiang, chen_jing):
        await on_duty(store, cast, now, officer, signed_in=False)
    assert await give() == 0  # nobody signed in
    await on_duty(store, cast, now, cast.wang_fang, signed_in=True)
    assert await give() == 1
    row = await read(store, ticket)
    assert (row.state, row.assignee_id) == (S.ASSIGNED, chen_jing.id)
    # What lapsed is a leader's to give again.
    assert await lapse(store, now + 31 * MINUTE) == 1
    assert await give() == 0


async def test_e33_a_suspended_officer_moves_nothing(store: Store, cast: Cast, now: datetime) -> None:
    """The desk's part of it: whatever the way in, the acts themselves refuse, and nothing changes."""
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        officer = await staff.get(session, cast.li_qiang.id)
        await staff.suspend(session, officer, actor=cast.zhou_ning, now=now)
    for do in (
        lambda s, t: tickets.note(s, t, "在办", actor=officer, now=now),
        lambda s, t: tickets.propose(s, t, "答复", "依据", actor=officer, now=now),
        lambda s, t: assigning.send_back(s, t, reason="不归", rule="第3条", actor=officer, now=now),
        lambda s, t: tickets.take(s, t, actor=officer, now=now),
    ):
        with pytest.raises(NotPermitted):
            await act(store, ticket, do)
    after = await read(store, ticket)
    assert (after.state, after.version) == (S.WORKING, ticket.version)
    with pytest.raises(NotPermitted):
        await act(
            store,
            await opened(store, cast, now),
            lambda s, t: assigning.assign(s, t, officer, actor=officer, now=now),
        )


async def test_a_group_in_which_nobody_could_accept_is_refused(
    store: Store, cast: Cast, now: datetime
) -> None:
    await a_group(store, now, "信息组", ["st_import"], cast.zhao_lei)
    ticket = await taken(store, cast, now)
    with pytest.raises(Invalid, match="group_empty"):
        await pass_on(store, ticket, cast.li_qiang, now, group="信息组")
    # With somebody named there is no doubt who accepts it.
    ticket = await pass_on(store, ticket, cast.li_qiang, now, group="信息组", to=cast.wang_fang)
    assert (ticket.group, ticket.assignee_id) == ("信息组", cast.wang_fang.id)
    # Sent back, it is open again which group it is for.
    ticket = await send_back(store, ticket, cast.wang_fang, now)
    assert (ticket.state, ticket.group) == (S.UNASSIGNED, "")
