"""Tickets of several people joined into one: each is told once under their own number, and can be parted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from office.errors import Conflict, NotFound, NotPermitted
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.people import DAY, act, another_asker, on_duty, person
from tests.ticketing.work import (
    REPLY,
    answer,
    asker,
    entry,
    everything_sent,
    messages,
    opened,
    proposed,
    read,
    taken,
)
from ticketing import call_backs, call_list, queue, tickets, timed, verdicts
from ticketing.clocks import Priority
from ticketing.particulars import AnswerMode, Cause
from ticketing.records import ClosedBy, FollowUp, Ticket, TicketKind, TicketState

S = TicketState


async def joined(store: Store, cast: Cast, ticket: Ticket, lead: Ticket, now: datetime) -> Ticket:
    async def join(session: object, found: Ticket) -> None:
        to = await tickets.get(session, lead.id)  # type: ignore[arg-type]
        await tickets.join(session, found, to, cluster_id=7, actor=cast.li_qiang, now=now)  # type: ignore[arg-type]

    return await act(store, ticket, join)


async def cluster(store: Store, cast: Cast, now: datetime, askers: int = 2) -> tuple[Ticket, list[Ticket]]:
    """A ticket of 张敏's in 李强's hands, with those of so many others joined to it."""
    lead = await taken(store, cast, now)
    members = []
    for number in range(askers):
        other = await another_asker(store, now, f"60{number:02d}")
        member = await opened(store, cast, now, f"同样的问题{number}", contact=other)
        members.append(await joined(store, cast, member, lead, now))
    return await read(store, lead), members


async def test_one_answer_reaches_each_asker_once_under_their_own_number(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead, members = await cluster(store, cast, now)
    again = await opened(store, cast, now, "还是我")  # a second ticket of 张敏's, joined as well
    await joined(store, cast, again, lead, now)
    await answer(store, cast, lead, await entry(store, cast, now), now)
    sent = [m for m in await everything_sent(store) if m.kind == "answer"]
    assert {(m.contact_id, m.facts["no"]) for m in sent} == {
        (one.contact_id, one.ticket_no) for one in (lead, *members)
    }
    assert {m.facts["asked"] for m in sent} == {one.words for one in (lead, *members)}
    assert {m.facts["text"] for m in sent} == {REPLY}
    assert [m.subject for m in sent] == [f"ticket:{one.id}" for one in (lead, *members)]
    member = await read(store, members[0])
    assert (member.state, member.cluster_id, member.ticket_no) == (S.MERGED, 7, members[0].ticket_no)


async def test_who_was_joined_late_is_told_at_once_and_once(store: Store, cast: Cast, now: datetime) -> None:
    lead, _ = await cluster(store, cast, now, 1)
    lead = await answer(store, cast, lead, await entry(store, cast, now), now)
    late = await opened(store, cast, now, contact=await another_asker(store, now, "6100"))
    late = await joined(store, cast, late, await read(store, lead), now)
    for expected in (True, False):
        async with store.transaction() as session:
            member, found = await tickets.get(session, late.id), await tickets.get(session, lead.id)
            assert await tickets.tell_late(session, member, found, hours=HOURS, now=now) is expected
    assert [m.facts["no"] for m in await messages(store, late)] == [late.ticket_no]


async def test_who_has_no_chat_stands_on_the_call_back_list_once(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead, _ = await cluster(store, cast, now, 1)
    caller = await opened(store, cast, now, contact=None)
    await joined(store, cast, caller, lead, now)
    await answer(store, cast, lead, await entry(store, cast, now), now)
    async with store.reading() as session:
        # Who left no phone is not shown as to be called.
        assert (await call_list.listed(session, cast.li_qiang))[1] == 0
        ((call, _),), total = await call_list.listed(session, cast.li_qiang, to_ask=True)
    assert (call.ticket_id, call.point, call.kind, total) == (
        caller.id, REPLY, call_backs.CallBackKind.ANSWER, 1,
    )  # fmt: skip


async def test_who_was_told_on_the_telephone_is_not_written_to(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead, members = await cluster(store, cast, now, 1)
    version = await entry(store, cast, now)
    row = await act(
        store,
        lead,
        lambda s, t: tickets.answer(
            s, t, REPLY, version, actor=cast.li_qiang, hours=HOURS, now=now,
            mode=AnswerMode.PHONE, cause=Cause.WORDING,
        ),
    )  # fmt: skip
    assert (row.answer_mode, row.cause, row.answered_by_id) == (
        AnswerMode.PHONE, Cause.WORDING, cast.li_qiang.id,
    )  # fmt: skip
    sent = [m.subject for m in await everything_sent(store) if m.kind == "answer"]
    assert sent == [f"ticket:{members[0].id}"]  # the others are


async def test_a_signed_answer_names_author_and_reviewer(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await proposed(store, cast, now)
    row = await act(
        store,
        ticket,
        lambda s, t: tickets.sign(s, t, seen=t.version, actor=cast.wang_fang, hours=HOURS, now=now),
    )
    assert (row.answered_by_id, row.reviewer_id, row.reviewed_at) == (
        cast.li_qiang.id, cast.wang_fang.id, now,
    )  # fmt: skip


async def test_each_joined_asker_is_asked_and_may_have_it_opened_again(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead, (first, second) = await cluster(store, cast, now)
    await answer(store, cast, lead, await entry(store, cast, now), now)
    monday = now + 3 * DAY
    async with store.transaction() as session:
        assert await timed.ask_back(session, hours=HOURS, now=monday) == 3
    async with store.transaction() as session:
        assert await timed.ask_back(session, hours=HOURS, now=monday) == 0

    async def said(ticket: Ticket, word: FollowUp) -> bool:
        async with store.transaction() as session:
            found = await tickets.get(session, ticket.id)
            contact = await session.get_one(type(cast.zhang_min), ticket.contact_id)
            return await verdicts.follow_up(
                session, found, word, contact=contact, actor=asker(contact), hours=HOURS, now=monday
            )

    assert [await said(first, FollowUp.SOLVED), await said(first, FollowUp.SOLVED)] == [True, False]
    assert await said(second, FollowUp.NOT_SOLVED)
    first, second = await read(store, first), await read(store, second)
    assert (first.state, first.follow_up) == (S.MERGED, FollowUp.SOLVED)
    # Parted: it has its own number, a new promise one priority higher, and nothing of the lead's answer.
    assert (second.state, second.merged_into_id, second.cluster_id, second.assignee_id) == (
        S.UNASSIGNED, None, None, None,
    )  # fmt: skip
    assert (second.priority, second.reopen_count, second.answer_text) == (Priority.P1, 1, "")
    assert second.promised_at > monday
    assert (await read(store, lead)).state is S.ANSWERED


async def test_only_a_leader_or_the_asker_parts(store: Store, cast: Cast, now: datetime) -> None:
    _, (member, _) = await cluster(store, cast, now)
    for outsider in (cast.li_qiang.as_actor(), cast.zhao_lei.as_actor(), asker(cast.zhang_min)):
        with pytest.raises(NotPermitted):
            await act(store, member, lambda s, t, who=outsider: tickets.split(s, t, actor=who, now=now))
    await on_duty(store, cast, now, cast.li_qiang, leader_id=cast.li_qiang.id)
    row = await act(store, member, lambda s, t: tickets.split(s, t, actor=cast.li_qiang.as_actor(), now=now))
    assert (row.state, row.due_at) == (S.UNASSIGNED, member.due_at)
    async with store.reading() as session:
        assert len(await queue.thread(session, row)) == 1  # no words went over, none came back


async def test_a_lead_that_is_set_aside_gives_its_members_back(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead, members = await cluster(store, cast, now)
    await act(store, lead, lambda s, t: tickets.void(s, t, "误录", actor=cast.li_qiang, now=now))
    for member in members:
        row = await read(store, member)
        assert (row.state, row.merged_into_id, row.cluster_id) == (S.UNASSIGNED, None, None)


async def test_a_term_of_the_law_stays_alone(store: Store, cast: Cast, now: datetime) -> None:
    lead, _ = await cluster(store, cast, now, 0)
    other = await another_asker(store, now)
    appeal = await opened(store, cast, now, kind=TicketKind.APPEAL, contact=other)
    async with store.transaction() as session:
        (await tickets.get(session, appeal.id)).statutory_due = now.date()
    with pytest.raises(Conflict, match="merge_statutory"):
        await joined(store, cast, await read(store, appeal), lead, now)


async def test_e44_nothing_is_joined_to_itself_or_in_a_circle(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead, (member, other) = await cluster(store, cast, now)
    free = await opened(store, cast, now)
    for ticket, to in ((lead, lead), (lead, member), (free, member)):
        with pytest.raises(Conflict, match="merge_cycle"):
            await joined(store, cast, ticket, to, now)
    with pytest.raises(Conflict, match="stale_card"):
        await joined(store, cast, other, free, now)  # it is joined already
    # A lead that is joined itself takes its members along: no chains, one step to the answer.
    await joined(store, cast, lead, free, now)
    assert {(await read(store, one)).merged_into_id for one in (lead, member, other)} == {free.id}


async def test_void_and_offline_lead_nothing(store: Store, cast: Cast, now: datetime) -> None:
    for state, key in ((S.VOID, "merge_cycle"), (S.OFFLINE, "merge_offline")):
        lead, ticket = await opened(store, cast, now), await opened(store, cast, now)
        async with store.transaction() as session:
            found = await tickets.get(session, lead.id)
            await tickets.move(session, found, state, "void", cast.wang_fang.as_actor(), now)
        with pytest.raises(Conflict, match=key):
            await joined(store, cast, ticket, await read(store, lead), now)


async def test_a_ticket_set_aside_comes_back_by_a_leaders_hand(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now)
    await act(store, ticket, lambda s, t: tickets.void(s, t, "误录", actor=cast.li_qiang, now=now))
    later = now + timedelta(hours=6)
    with pytest.raises(NotPermitted, match="leader_needed"):
        await act(
            store, ticket, lambda s, t: verdicts.unvoid(s, t, actor=cast.li_qiang, hours=HOURS, now=later)
        )
    row = await act(
        store, ticket, lambda s, t: verdicts.unvoid(s, t, actor=cast.wang_fang, hours=HOURS, now=later)
    )
    assert (row.state, row.reopen_count, row.clock_from) == (S.UNASSIGNED, 1, later)
    assert row.due_at > later


async def test_an_answer_opened_again_goes_back_to_whoever_is_on_duty(
    store: Store, cast: Cast, now: datetime
) -> None:
    other = await person(store, cast.district, now)
    await on_duty(store, cast, now, other)
    lead, _ = await cluster(store, cast, now, 0)
    lead = await answer(store, cast, lead, await entry(store, cast, now), now)
    row = await act(
        store, lead, lambda s, t: verdicts.reopen(s, t, actor=asker(cast.zhang_min), hours=HOURS, now=now)
    )
    # 李强 is not on the roster today; the day that was cleared stays cleared.
    assert (row.state, row.assignee_id, row.answered_at, row.first_answered_at) == (
        S.UNASSIGNED, None, None, now,
    )  # fmt: skip


async def test_nobody_else_speaks_for_an_asker(store: Store, cast: Cast, now: datetime) -> None:
    lead, (member, _) = await cluster(store, cast, now)
    await answer(store, cast, lead, await entry(store, cast, now), now)
    await act(
        store,
        lead,
        lambda s, t: verdicts.close(s, t, by=ClosedBy.ASKER, actor=asker(cast.zhang_min), now=now),
    )
    with pytest.raises(NotFound):
        await act(
            store,
            member,
            lambda s, t: verdicts.follow_up(
                s, t, FollowUp.SOLVED, contact=cast.zhang_min, actor=asker(cast.zhang_min),
                hours=HOURS, now=now,
            ),
        )  # fmt: skip
