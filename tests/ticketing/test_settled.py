"""Notices whose matter is over: known for what the program can see, left alone for the rest."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from office import chat_groups, notices
from office.audit import SYSTEM
from office.bindings import BindingState, ChatGroup, GroupState, StaffBinding
from office.notices import StaffNotice
from office.robots import GroupRobot
from office.staff import Staff
from office.store import Store
from tests.make import HOURS, Cast
from tests.office.test_robots import entered
from tests.ticketing import tip_world
from tests.ticketing.people import act, on_duty, person
from tests.ticketing.shifts import shift
from tests.ticketing.work import answer, entry, opened, proposed, read, taken
from ticketing import (
    duty,
    entry_flags,
    handovers,
    holding,
    joint,
    settled,
    swaps,
    tickets,
    verdicts,
)
from ticketing.particulars import Secrecy
from ticketing.records import Ticket, TicketState, UnansweredReason
from ticketing.restricted import RestrictedOpening

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
S = TicketState


async def told(store: Store, who: Staff, kind: str, subject: str, now: datetime, **facts: Any) -> None:
    """Somebody is told something about `subject`, as the desk would."""
    async with store.transaction() as session:
        await notices.tell(session, who.id, kind, facts, key=f"{kind}:{subject}", subject=subject, now=now)


async def over(store: Store, who: Staff) -> dict[str, bool]:
    """Which kinds of notices this person has, and whether each is over; the bell counts the others."""
    async with store.reading() as session:
        rows = await notices.listed(session, who.id)
        found = await settled.of(session, rows)
        assert await settled.unread(session, who.id) == sum(row.id not in found for row in rows)
    return {row.kind: row.id in found for row in rows}


async def change(store: Store, row: Any, **values: Any) -> None:
    """Set what the desk would set, the hard way."""
    async with store.transaction() as session:
        found = await session.get_one(type(row), row.id)
        for name, value in values.items():
            setattr(found, name, value)


# --- tickets ---


@pytest.mark.parametrize(
    "kind",
    ["nudged", "warn_80", "warn_100", "urgent_outside_duty", "hops_used_up", "recall_draft", "resumed"],
)
async def test_what_presses_for_an_answer_is_over_with_the_answer(
    store: Store, cast: Cast, now: datetime, kind: str
) -> None:
    ticket = await taken(store, cast, now)
    await told(store, cast.li_qiang, kind, f"ticket:{ticket.id}", now)
    assert await over(store, cast.li_qiang) == {kind: False}
    await answer(store, cast, ticket, await entry(store, cast, now), now + timedelta(hours=1))
    assert await over(store, cast.li_qiang) == {kind: True}


async def test_opened_again_a_ticket_presses_anew_and_the_old_warning_stays_over(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now)
    await told(store, cast.li_qiang, "warn_80", f"ticket:{ticket.id}", now)
    await answer(store, cast, ticket, await entry(store, cast, now), now + timedelta(hours=1))
    later = now + timedelta(hours=2)

    async def reopened(session: Any, found: Ticket) -> None:
        await verdicts.reopen(session, found, actor=cast.li_qiang.as_actor(), hours=HOURS, now=later)

    await act(store, ticket, reopened)
    await told(store, cast.li_qiang, "warn_100", f"ticket:{ticket.id}", later)
    assert await over(store, cast.li_qiang) == {"warn_80": True, "warn_100": False}


async def test_a_lapsed_ticket_is_over_once_somebody_has_it(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    for kind in ("lapsed", "sent_back"):
        await told(store, cast.wang_fang, kind, f"ticket:{ticket.id}", now)
    assert await over(store, cast.wang_fang) == {"lapsed": False, "sent_back": False}

    async def take(session: Any, found: Ticket) -> None:
        await tickets.take(session, found, actor=cast.li_qiang, now=now)

    await act(store, ticket, take)
    assert await over(store, cast.wang_fang) == {"lapsed": True, "sent_back": True}


async def test_an_answer_given_back_is_over_once_it_is_handed_in_again(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await proposed(store, cast, now)

    async def revise(session: Any, found: Ticket) -> None:
        await tickets.revise(session, found, "请补依据", actor=cast.wang_fang, now=now)

    async def again(session: Any, found: Ticket) -> None:
        await tickets.propose(session, found, "改好了", "依据", actor=cast.li_qiang, now=now)

    await act(store, ticket, revise)
    assert await over(store, cast.li_qiang) == {"revised": False}
    await act(store, ticket, again)
    assert await over(store, cast.li_qiang) == {"revised": True}


async def test_a_wish_to_hold_is_over_once_the_leader_has_decided(
    store: Store, cast: Cast, now: datetime
) -> None:
    await on_duty(store, cast, now, cast.li_qiang, leader_id=cast.wang_fang.id)
    ticket = await taken(store, cast, now)

    async def want(session: Any, found: Ticket) -> None:
        until = now + timedelta(hours=20)
        await holding.want(session, found, UnansweredReason.NEEDS_DATA, until, actor=cast.li_qiang, now=now)

    async def refuse(session: Any, found: Ticket) -> None:
        await holding.refuse(session, found, actor=cast.wang_fang, hours=HOURS, now=now)

    await act(store, ticket, want)
    assert await over(store, cast.wang_fang) == {"hold_wanted": False}
    await act(store, ticket, refuse)
    assert await over(store, cast.wang_fang) == {"hold_wanted": True}


async def test_who_was_asked_to_contribute_is_done_once_they_have(
    store: Store, cast: Cast, now: datetime
) -> None:
    chen = await person(store, cast.district, now)
    ticket = await taken(store, cast, now)

    async def add(session: Any, found: Ticket) -> None:
        await joint.add(session, found, chen, actor=cast.li_qiang, now=now)

    async def contribute(session: Any, found: Ticket) -> None:
        await joint.contribute(session, found, "按登记站意见", actor=chen, now=now)

    await act(store, ticket, add)
    assert await over(store, chen) == {"joint": False}
    await act(store, ticket, contribute)
    assert await over(store, chen) == {"joint": True}
    # That somebody has contributed asks for nothing, so it is never over.
    assert await over(store, cast.li_qiang) == {"contributed": False}


async def test_cases_handled_offline(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    await change(store, ticket, secrecy=Secrecy.RESTRICTED)
    await told(store, cast.wang_fang, "flagged", f"ticket:{ticket.id}", now)
    assert await over(store, cast.wang_fang) == {"flagged": False}
    await change(store, ticket, state=S.OFFLINE, offline_owner_id=cast.li_qiang.id)
    await told(store, cast.li_qiang, "offline_owner", f"ticket:{ticket.id}", now)
    assert await over(store, cast.wang_fang) == {"flagged": True}
    assert await over(store, cast.li_qiang) == {"offline_owner": False}
    await change(store, ticket, state=S.CLOSED)
    assert await over(store, cast.li_qiang) == {"offline_owner": True}


async def test_broken_glass_is_over_once_it_was_looked_at(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        opening = RestrictedOpening(
            ticket_id=ticket.id, staff_id=cast.li_qiang.id, reason="急", break_glass=True, at=now
        )
        session.add(opening)
    await told(store, cast.wang_fang, "glass_broken", f"ticket:{ticket.id}", now)
    assert await over(store, cast.wang_fang) == {"glass_broken": False}
    await change(store, opening, reviewed_at=now, reviewed_by_id=cast.wang_fang.id)
    assert await over(store, cast.wang_fang) == {"glass_broken": True}


async def test_a_doubted_entry_is_over_once_that_version_is_out_of_force(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket, version = await taken(store, cast, now), await entry(store, cast, now)

    async def flag(session: Any, found: Ticket) -> None:
        await entry_flags.flag(session, found, version, "与通知不符", actor=cast.li_qiang, now=now)

    await act(store, ticket, flag)
    assert await over(store, cast.wang_fang) == {"entry_flagged": False}
    await change(store, version, state="retired")
    assert await over(store, cast.wang_fang) == {"entry_flagged": True}


# --- work tips ---


async def test_a_tip_handed_in_and_given_back(store: Store, cast: Cast, now: datetime) -> None:
    tip = await tip_world.submitted(store, cast, now)
    assert await over(store, cast.wang_fang) == {"tip_submitted": False}
    await told(store, cast.li_qiang, "tip_returned", f"work_tip:{tip.id}", now)
    await change(store, tip, state="draft")
    assert await over(store, cast.wang_fang) == {"tip_submitted": True}
    assert await over(store, cast.li_qiang) == {"tip_returned": False}
    await change(store, tip, state="in_review", submitted_at=now + timedelta(hours=1))
    assert await over(store, cast.li_qiang) == {"tip_returned": True}


async def test_a_tip_that_took_no_effect_is_over_once_it_did(store: Store, cast: Cast, now: datetime) -> None:
    tip = await tip_world.released(store, cast, now)
    await change(store, tip, in_effect_at=None)
    await told(store, cast.zhou_ning, "tip_stale_check", f"work_tip:{tip.id}", now)
    assert await over(store, cast.zhou_ning) == {"tip_stale_check": False}
    await change(store, tip, in_effect_at=now)
    assert await over(store, cast.zhou_ning) == {"tip_stale_check": True}


# --- duty, chats ---


async def test_a_wish_to_swap_is_over_once_it_is_answered(store: Store, cast: Cast, now: datetime) -> None:
    chen = await person(store, cast.district, now)
    mine = await shift(store, cast, now.date() + timedelta(days=8))
    async with store.transaction() as session:
        found = await duty.get(session, mine.id)
        wish = await swaps.ask(session, found, chen, reason="家里有事", actor=cast.li_qiang, now=now)
    assert await over(store, chen) == {"swap_asked": False}
    async with store.transaction() as session:
        await swaps.decline(session, await swaps.get(session, wish.id), actor=chen, now=now)
    assert await over(store, chen) == {"swap_asked": True}
    assert await over(store, cast.li_qiang) == {"swap_declined": False}


async def test_a_handover_is_over_once_it_is_signed(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        left = await handovers.begin(session, cast.li_qiang, "请先看第一张单子", now=now)
    await told(store, cast.wang_fang, "handover_unsigned", f"handover:{left.id}", now)
    assert await over(store, cast.wang_fang) == {"handover_unsigned": False}
    await change(store, left, signed_at=now)
    assert await over(store, cast.wang_fang) == {"handover_unsigned": True}


async def test_an_invitation_is_over_once_the_digits_were_compared(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        binding = StaffBinding(
            state=BindingState.WAITING, staff_id=cast.li_qiang.id, token_digest="t",
            invited_by_id=cast.zhou_ning.id, invited_at=now, expires_at=now,
        )  # fmt: skip
        session.add(binding)
    await told(store, cast.zhou_ning, "binding_waiting", f"staff_binding:{binding.id}", now)
    assert await over(store, cast.zhou_ning) == {"binding_waiting": False}
    await change(store, binding, state=BindingState.BOUND)
    assert await over(store, cast.zhou_ning) == {"binding_waiting": True}


async def test_a_group_asked_for_lost_and_hushed(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        group = (await chat_groups.seen(session, -100, "登记工作群", actor=SYSTEM, now=now)).row
    await change(store, group, state=GroupState.ASKED, restricted_at=now)
    for kind in ("group_asked", "group_lost", "group_restricted"):
        await told(store, cast.zhou_ning, kind, f"chat_group:{group.id}", now)
    assert set((await over(store, cast.zhou_ning)).values()) == {False}
    await change(store, group, state=GroupState.BOUND, restricted_at=None)
    assert set((await over(store, cast.zhou_ning)).values()) == {True}


async def test_a_robot_that_stopped_is_over_once_it_runs(store: Store, cast: Cast, now: datetime) -> None:
    robot = await entered(store, cast, now)
    async with store.reading() as session:
        row = (await session.scalars(select(GroupRobot).where(GroupRobot.id == robot.id))).one()
        group = await session.get_one(ChatGroup, row.group_id)
    await change(store, robot, stopped_at=now, stopped_why="keyword")
    await told(store, cast.zhou_ning, "robot_stopped", f"chat_group:{group.id}", now)
    assert await over(store, cast.zhou_ning) == {"robot_stopped": False}
    await change(store, robot, stopped_at=None, stopped_why="")
    assert await over(store, cast.zhou_ning) == {"robot_stopped": True}


# --- what cannot be known ---


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("roster", "roster:1"), ("staff_left", "staff:1"), ("day_end", "day_end"),
        ("of_tomorrow", "ticket:1"),
        ("warn_80", "ticket:999999"), ("warn_80", "ticket:99999999999999999999"), ("warn_80", "ticket:x"),
        ("warn_80", ""), ("glass_broken", "ticket:999999"), ("entry_flagged", "ticket:1"),
    ],
)  # fmt: skip
async def test_what_cannot_be_seen_stays_as_it_is(
    store: Store, cast: Cast, now: datetime, kind: str, subject: str
) -> None:
    await told(store, cast.li_qiang, kind, subject, now)
    assert await over(store, cast.li_qiang) == {kind: False}


async def test_what_was_read_is_not_counted_whether_over_or_not(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now)
    await told(store, cast.li_qiang, "warn_80", f"ticket:{ticket.id}", now)
    async with store.transaction() as session:
        await notices.read(session, cast.li_qiang.id, now=now)
        assert await settled.unread(session, cast.li_qiang.id) == 0
        assert (await session.scalars(select(StaffNotice))).one().read_at == now
    assert (await read(store, ticket)).state is S.WORKING
