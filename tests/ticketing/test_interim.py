"""What is heard before the answer: replies, extensions, warnings, nudges, and word within a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from office import outbox
from office.contacts import Channel
from office.errors import Conflict, Invalid, NotFound, NotPermitted, TooMany
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.people import DAY, HOUR, act, another_asker, on_duty, person, told
from tests.ticketing.work import answer, answered, entry, everything_sent, messages, opened, read, taken
from ticketing import clocks, interim, joint, queue, tickets
from ticketing.records import PostKind, Ticket, TicketState

S = TicketState
MINUTE = timedelta(minutes=1)


async def extend(
    store: Store, cast: Cast, ticket: Ticket, now: datetime, to: datetime, reason: str = "待市里答复"
) -> Ticket:
    return await act(
        store,
        ticket,
        lambda s, t: interim.extend(s, t, to, reason, actor=cast.wang_fang, hours=HOURS, now=now),
    )


async def warn(store: Store, now: datetime) -> int:
    async with store.transaction() as session:
        return await interim.warn(session, hours=HOURS, now=now)


async def status(store: Store, now: datetime) -> int:
    async with store.transaction() as session:
        return await interim.status_within_24h(session, hours=HOURS, now=now)


async def test_a_reply_goes_out_and_the_work_goes_on(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    after = await act(
        store,
        ticket,
        lambda s, t: interim.reply(s, t, "正在向登记站核实。", actor=cast.li_qiang, hours=HOURS, now=now),
    )
    assert (after.state, after.due_at, after.conclusion_no) == (S.WORKING, ticket.due_at, 0)
    (message,) = await messages(store, ticket)
    assert (message.kind, message.facts["text"]) == ("interim", "正在向登记站核实。")
    async with store.reading() as session:
        assert (await queue.thread(session, ticket))[-1].kind is PostKind.INTERIM
    other = await person(store, cast.district, now)
    with pytest.raises(Conflict, match="not_yours"):
        await act(store, ticket, lambda s, t: interim.reply(s, t, "好", actor=other, hours=HOURS, now=now))


async def test_an_extension_is_told_before_the_promise_passes(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now)  # promised today 17:30
    later = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    with pytest.raises(NotPermitted, match="leader_needed"):
        await act(
            store,
            ticket,
            lambda s, t: interim.extend(s, t, later, "待核", actor=cast.li_qiang, hours=HOURS, now=now),
        )
    with pytest.raises(Invalid, match="reason_needed"):
        await extend(store, cast, ticket, now, later, " ")
    for wrong in (ticket.promised_at, now + timedelta(days=7, seconds=1)):
        with pytest.raises(Invalid, match="extension_time"):
            await extend(store, cast, ticket, now, wrong)
    with pytest.raises(Conflict, match="extension_too_late"):
        await extend(store, cast, ticket, ticket.promised_at, later)
    row = await extend(store, cast, ticket, now, later)
    assert (row.promised_at, row.due_at, row.extensions, row.due_day) == (later, later, 1, ticket.due_day)
    (message,) = await messages(store, ticket)
    assert (message.kind, message.facts["promised"]) == ("extended", later.isoformat())
    assert await told(store, cast.li_qiang) == ["extended"]
    for number in range(2, 4):
        row = await extend(store, cast, row, now, later + number * HOUR)
    with pytest.raises(Conflict, match="extension_used_up"):
        await extend(store, cast, row, now, later + 5 * HOUR)
    assert len(await messages(store, ticket)) == 3


async def test_everybody_who_waits_hears_of_an_extension_under_their_own_number(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead = await taken(store, cast, now)
    other = await another_asker(store, now)
    member = await opened(store, cast, now, contact=other)
    await act(
        store,
        member,
        lambda s, t: _join(s, t, lead, cast, now),
    )
    await extend(store, cast, await read(store, lead), now, lead.promised_at + DAY)
    assert {(m.contact_id, m.facts["no"]) for m in await everything_sent(store) if m.kind == "extended"} == {
        (cast.zhang_min.id, lead.ticket_no), (other.id, member.ticket_no),
    }  # fmt: skip


async def _join(session: object, ticket: Ticket, lead: Ticket, cast: Cast, now: datetime) -> None:
    found = await tickets.get(session, lead.id)  # type: ignore[arg-type]
    await tickets.join(session, ticket, found, cluster_id=1, actor=cast.li_qiang, now=now)  # type: ignore[arg-type]


async def test_holder_and_leaders_are_warned_at_four_fifths_and_at_the_end_once(
    store: Store, cast: Cast, now: datetime
) -> None:
    await taken(store, cast, now)  # 10:05 to 17:30: 5 h 25 min of duty; four fifths are over at 16:25
    for at, expected in (
        (now.replace(hour=8, minute=24), 0),
        (now.replace(hour=8, minute=25), 1),
        (now.replace(hour=8, minute=26), 0),
        (now.replace(hour=9, minute=30), 1),
        (now + DAY, 0),
    ):
        assert await warn(store, at) == expected
    for warned in (cast.li_qiang, cast.wang_fang):
        assert await told(store, warned) == ["warn_80", "warn_100"]


async def test_what_is_answered_or_held_warns_nobody(store: Store, cast: Cast, now: datetime) -> None:
    await answered(store, cast, now)
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        row.resume_by, row.held_at = now + DAY, now
        await tickets.move(session, row, S.ON_HOLD, "hold", cast.wang_fang.as_actor(), now)
    assert await warn(store, now + DAY) == 0


async def test_within_a_day_everybody_hears_how_it_stands(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(
        store, cast, now
    )  # Friday 10:05; Saturday has no duty: Friday 16:30 is the last hour
    assert await status(store, now.replace(hour=8, minute=29)) == 0
    at = now.replace(hour=8, minute=30)
    assert [await status(store, at), await status(store, at)] == [1, 0]
    (message,) = await messages(store, ticket)
    assert (message.kind, message.facts["state"], message.facts["passed"]) == ("status", "working", False)


async def test_who_has_heard_something_or_has_the_answer_is_not_written_to(
    store: Store, cast: Cast, now: datetime
) -> None:
    await answered(store, cast, now)
    ticket = await taken(store, cast, now)
    await act(
        store, ticket, lambda s, t: interim.reply(s, t, "在核实。", actor=cast.li_qiang, hours=HOURS, now=now)
    )
    assert await status(store, now + 2 * DAY) == 0


@pytest.mark.parametrize(
    ("accepted", "told_at"),
    [
        # Beijing 18:10 on Thursday: the last duty hour of the next day begins at 16:30.
        ("2026-11-19T10:10", "2026-11-20T08:30"),
        # Beijing 10:05 on Thursday: within 24 hours the last duty hour ends on Friday at 10:05.
        ("2026-11-19T02:05", "2026-11-20T01:05"),
        # Beijing 9:00 on Saturday: nobody is there before Sunday 9:00, so an hour before that.
        ("2026-11-21T01:00", "2026-11-22T00:00"),
    ],
)
def test_the_moment_of_the_first_word_lies_in_duty_hours_where_there_are_any(
    accepted: str, told_at: str
) -> None:
    at = datetime.fromisoformat(accepted).replace(tzinfo=UTC)
    assert clocks.status_at(at, HOURS) == datetime.fromisoformat(told_at).replace(tzinfo=UTC)
    assert clocks.status_at(at, HOURS) <= at + DAY


async def test_an_asker_and_an_officer_may_nudge_a_few_times(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    await act(store, ticket, lambda s, t: interim.nudge(s, t, "请尽快", by=cast.zhang_min, now=now))
    await act(store, ticket, lambda s, t: interim.nudge(s, t, "", by=cast.wang_fang, now=now))
    assert (await read(store, ticket)).nudges == 2
    assert await told(store, cast.li_qiang) == ["nudged", "nudged"]
    stranger = await another_asker(store, now)
    with pytest.raises(NotFound):
        await act(store, ticket, lambda s, t: interim.nudge(s, t, "", by=stranger, now=now))
    with pytest.raises(NotPermitted):
        await act(store, ticket, lambda s, t: interim.nudge(s, t, "", by=cast.zhao_lei, now=now))
    for _ in range(2):
        await act(store, ticket, lambda s, t: interim.nudge(s, t, "", by=cast.zhang_min, now=now))
    with pytest.raises(TooMany):
        await act(store, ticket, lambda s, t: interim.nudge(s, t, "", by=cast.zhang_min, now=now))
    await answer(store, cast, await read(store, ticket), await entry(store, cast, now), now)
    with pytest.raises(Conflict):
        await act(store, ticket, lambda s, t: interim.nudge(s, t, "", by=cast.wang_fang, now=now))


async def test_what_nobody_has_is_nudged_at_the_leaders(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    await act(store, ticket, lambda s, t: interim.nudge(s, t, "", by=cast.zhang_min, now=now))
    assert await told(store, cast.wang_fang) == ["nudged"]


async def test_urgent_outside_duty_wakes_the_standby_officer(store: Store, cast: Cast, now: datetime) -> None:
    chen_jing = await person(store, cast.district, now)
    evening = now.replace(hour=12)  # 20:00
    await opened(store, cast, evening, urgent=True)
    assert await told(store, cast.wang_fang) == ["urgent_outside_duty"]  # no roster: the leaders
    await on_duty(store, cast, now, cast.li_qiang, standby_id=chen_jing.id)
    await opened(store, cast, now, urgent=True)
    assert await told(store, chen_jing) == []  # somebody is there
    await opened(store, cast, evening, urgent=True)
    await opened(store, cast, evening)
    assert await told(store, chen_jing) == ["urgent_outside_duty"]


async def test_several_contribute_and_one_answers(store: Store, cast: Cast, now: datetime) -> None:
    chen_jing = await person(store, cast.district, now)
    ticket = await taken(store, cast, now)
    await act(store, ticket, lambda s, t: joint.add(s, t, chen_jing, actor=cast.li_qiang, now=now))
    await act(store, ticket, lambda s, t: joint.add(s, t, chen_jing, actor=cast.li_qiang, now=now))
    for unfit in (cast.zhao_lei, cast.li_qiang, cast.sun_jie):
        with pytest.raises(Invalid, match="assignee_unfit"):
            await act(
                store, ticket, lambda s, t, who=unfit: joint.add(s, t, who, actor=cast.li_qiang, now=now)
            )
    with pytest.raises(NotPermitted, match="not_joint"):
        await act(store, ticket, lambda s, t: joint.contribute(s, t, "意见", actor=cast.wang_fang, now=now))
    await act(store, ticket, lambda s, t: joint.contribute(s, t, "可以登记", actor=chen_jing, now=now))
    assert (await told(store, chen_jing), await told(store, cast.li_qiang)) == (["joint"], ["contributed"])
    async with store.reading() as session:
        ((member, who),) = await joint.members(session, ticket)
        lines = [post.kind for post in await queue.thread(session, ticket)]
    assert (who.id, member.given_at, lines[-1]) == (chen_jing.id, now, PostKind.JOINT)
    with pytest.raises(Conflict, match="not_yours"):
        await act(
            store,
            ticket,
            lambda s, t: tickets.propose(s, t, "答复", "依据", actor=chen_jing, now=now),
        )
    assert not await messages(store, ticket)


async def test_each_kind_of_word_is_sent_once(store: Store, cast: Cast, now: datetime) -> None:
    await taken(store, cast, now)
    assert await status(store, now + DAY) == 1
    async with store.transaction() as session:
        claimed = await outbox.claim(session, [Channel.TELEGRAM], limit=9, now=now + DAY)
    assert [delivery.kind for delivery, _ in claimed] == ["status"]
