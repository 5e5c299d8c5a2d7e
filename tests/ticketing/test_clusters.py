"""A question that many ask: found, confirmed by a person, answered once, and everybody accounted for."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from knowledge import tip_links, tip_moves, tip_titles, tips
from knowledge.tips import WorkTip
from knowledge.versions import EntryState, EntryVersion, content_of
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.outbox import Delivery, DeliveryState
from office.staff import Role, Staff
from office.store import Store
from tests.make import HOURS, Cast, an_entry
from tests.ticketing.gathered import FOURTEEN, OTHERS, TITLE, asked, confirmed, fourteen, signed
from tests.ticketing.work import BASIS, REPLY, read
from ticketing import clusters, tickets
from ticketing.call_backs import CallBack, CallBackState
from ticketing.clusters import Cluster, ClusterState, Told
from ticketing.particulars import AnswerMode
from ticketing.records import Ticket, TicketKind, TicketState, UnansweredReason

S = TicketState
HOUR = timedelta(hours=1)


async def told(store: Store, cluster: Cluster) -> Told:
    async with store.reading() as session:
        return await clusters.board(session, await session.get_one(Cluster, cluster.id))


async def test_what_many_ask_is_suggested_with_count_units_and_trend(store: Store, cast: Cast, now) -> None:
    async with store.transaction() as session:
        for number, words in enumerate(OTHERS):
            await asked(session, cast, now, words, who=f"70{number}")
    await fourteen(store, cast, now)
    async with store.reading() as session:
        (found,) = await clusters.suggested(session, cast.li_qiang, now=now + HOUR)
    assert (found.asked, found.askers, len(found.tickets), len(found.units)) == (14, 14, 14, 7)
    assert (found.last_day, found.day_before, found.growth) == (14, 0, 14)
    assert found.first_asked_at == now
    assert found.title in FOURTEEN
    assert found.cluster is None


async def test_nothing_is_suggested_for_two_askers_or_one_who_asks_thrice(
    store: Store, cast: Cast, now
) -> None:
    async with store.transaction() as session:
        for number in range(3):
            await asked(session, cast, now, FOURTEEN[number], who="700")
        await asked(session, cast, now, FOURTEEN[3], who="701")
    async with store.reading() as session:
        assert await clusters.suggested(session, cast.li_qiang, now=now) == []


async def test_questions_of_more_than_48_hours_ago_are_not_looked_at(
    store: Store, cast: Cast, now: datetime
) -> None:
    await fourteen(store, cast, now)
    async with store.reading() as session:
        assert await clusters.suggested(session, cast.li_qiang, now=now + 49 * HOUR) == []
        (found,) = await clusters.suggested(session, cast.li_qiang, now=now + 30 * HOUR)
    assert (found.last_day, found.day_before, found.growth) == (0, 14, -14)


async def test_reports_and_people_in_distress_are_never_suggested(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        for number in range(4):
            more = {"kind": TicketKind.REPORT} if number % 2 else {"why": UnansweredReason.RESTRICTED}
            await asked(session, cast, now, FOURTEEN[0], who=f"70{number}", **more)
    async with store.reading() as session:
        assert await clusters.suggested(session, cast.li_qiang, now=now) == []


async def test_an_officer_of_a_town_sees_only_its_own(store: Store, cast: Cast, now: datetime) -> None:
    await fourteen(store, cast, now)
    async with store.reading() as session:
        assert await clusters.suggested(session, cast.zhao_lei, now=now) == []
        with pytest.raises(NotPermitted):
            await clusters.suggested(session, cast.zhou_ning, now=now)


async def test_a_confirmed_cluster_keeps_everybodys_number_and_channel(store: Store, cast: Cast, now) -> None:
    opened = await fourteen(store, cast, now)
    cluster = await confirmed(store, cast, opened, now)
    assert (cluster.cluster_no, cluster.state) == ("C-1120-01", ClusterState.OPEN)
    assert cluster.unit_id == cast.district.id
    for before in opened[1:]:
        after = await read(store, before)
        assert (after.state, after.merged_into_id) == (S.MERGED, opened[0].id)
        assert (after.ticket_no, after.channel, after.contact_id) == (
            before.ticket_no, before.channel, before.contact_id,
        )  # fmt: skip
    assert (await read(store, opened[0])).cluster_id == cluster.id
    assert await told(store, cluster) == Told(0, 0, 0, 0, 14, 14)
    async with store.reading() as session:
        assert await clusters.suggested(session, cast.li_qiang, now=now) == []


async def test_fourteen_on_four_channels_are_answered_once(store: Store, cast: Cast, now: datetime) -> None:
    opened = await fourteen(store, cast, now)
    cluster = await confirmed(store, cast, opened, now)
    await signed(store, cast, opened[0], now + HOUR)
    async with store.reading() as session:
        sent = list((await session.scalars(select(Delivery).where(Delivery.kind == "answer"))).all())
        calls = list((await session.scalars(select(CallBack))).all())
        row = await session.get_one(Cluster, cluster.id)
    assert len(sent) == len({one.contact_id for one in sent}) == 8
    assert {one.facts["no"] for one in sent} == {t.ticket_no for t in opened if t.contact_id}
    assert {one.ticket_id for one in calls} == {t.id for t in opened if t.contact_id is None}
    assert {one.point for one in calls} == {REPLY}
    assert (row.state, row.answered_at) == (ClusterState.ANSWERED, now + HOUR)
    assert await told(store, cluster) == Told(0, 0, 0, 6, 8, 14)


async def test_the_board_tells_each_member_once_and_adds_up(store: Store, cast: Cast, now: datetime) -> None:
    opened = await fourteen(store, cast, now)
    cluster = await confirmed(store, cast, opened, now)
    await signed(store, cast, opened[0], now)
    states = (*[DeliveryState.SENT] * 5, DeliveryState.PARKED, DeliveryState.PARKED, DeliveryState.FAILED)
    async with store.transaction() as session:
        sent = (await session.scalars(select(Delivery).order_by(Delivery.id))).all()
        for delivery, state in zip(sent, states, strict=True):
            delivery.state = state
        calls = (await session.scalars(select(CallBack).order_by(CallBack.id))).all()
        for call, reached in zip(
            calls[:3], (CallBackState.REACHED,) * 2 + (CallBackState.GIVEN_UP,), strict=True
        ):
            await session.execute(update(CallBack).where(CallBack.id == call.id).values(state=reached))
    found = await told(store, cluster)
    assert found == Told(told=7, parked=2, undeliverable=2, to_call=3, under_way=0, members=14)
    parts = (found.told, found.parked, found.undeliverable, found.to_call, found.under_way)
    assert sum(parts) == found.members


async def test_the_answer_leaves_a_draft_entry_and_a_draft_tip_by_its_author(
    store: Store, cast: Cast, now
) -> None:
    opened = await fourteen(store, cast, now)
    cluster = await confirmed(store, cast, opened, now)
    await signed(store, cast, opened[0], now)
    async with store.reading() as session:
        row = await session.get_one(Cluster, cluster.id)
        version = await session.scalar(select(EntryVersion).where(EntryVersion.entry_id == row.entry_id))
        content = await content_of(session, version)
        tip = await tips.get(session, cast.li_qiang, row.tip_id)
        linked = [one.id for _, one, _ in await tip_links.linked(session, tip)]
    assert (version.state, version.author_id) == (EntryState.DRAFT, cast.li_qiang.id)
    assert (content.short, content.basis) == (REPLY, ({"law": BASIS, "article": ""},))
    assert set(FOURTEEN[1:]) <= {content.question, *content.phrasings}
    assert tip.title == tip_titles.of_question(TITLE)
    assert "14件，涉及7个单位。" in tip.origin
    # What everybody reads names nobody's ticket; the numbers stand in the sources.
    written = "".join(tip_moves.texts(tip))
    assert not [no for no in (row.cluster_no, *(one.ticket_no for one in opened)) if no in written]
    assert sorted(tip.sources["tickets"]) == sorted(one.id for one in opened)
    assert linked == [version.id]
    assert REPLY in tip.wording
    assert BASIS in tip.wording
    assert "0000-12345678" in tip.contact_lines
    assert tip.sources["cluster"] == cluster.id
    assert tip.drafter_id == cast.li_qiang.id


async def test_an_answer_that_cites_an_entry_needs_no_new_one(
    store: Store, cast: Cast, now: datetime
) -> None:
    opened = await fourteen(store, cast, now)
    cluster = await confirmed(store, cast, opened, now)
    async with store.transaction() as session:
        version = await an_entry(session, cast, now, steps=("先到登记站", "带上居住证"))
        lead = await tickets.get(session, opened[0].id)
        await tickets.take(session, lead, actor=cast.li_qiang, now=now)
        await tickets.answer(session, lead, version.short, version, actor=cast.li_qiang, hours=HOURS, now=now)
    async with store.reading() as session:
        row = await session.get_one(Cluster, cluster.id)
        tip = await session.get_one(WorkTip, row.tip_id)
        found = await clusters.answered_entry(session, "请问" + FOURTEEN[1], now=now)
        other = await clusters.answered_entry(session, OTHERS[0], now=now)
    assert row.entry_id == version.entry_id
    assert tip.steps == "1. 先到登记站\n2. 带上居住证"
    assert tip.sources["entries"] == ["K-0540"]
    assert (found, other) == (version.entry_id, None)


async def test_an_answer_by_somebody_who_may_not_draft_still_leaves(
    store: Store, cast: Cast, now: datetime
) -> None:
    opened = await fourteen(store, cast, now)
    cluster = await confirmed(store, cast, opened, now)
    await signed_by_reviewer(store, cast, opened[0], now)
    async with store.reading() as session:
        row = await session.get_one(Cluster, cluster.id)
    assert (row.state, row.entry_id, row.tip_id) == (ClusterState.ANSWERED, None, None)


async def signed_by_reviewer(store: Store, cast: Cast, lead: Ticket, now: datetime) -> None:
    async with store.transaction() as session:
        author = Staff(
            name="冯一", unit_id=cast.district.id, roles=[Role.REVIEWER.value], created_at=now - 99 * HOUR
        )
        session.add(author)
        await session.flush()
        found = await tickets.get(session, lead.id)
        await tickets.take(session, found, actor=author, now=now)
        await tickets.propose(session, found, REPLY, BASIS, actor=author, now=now)
        await tickets.sign(session, found, seen=found.version, actor=cast.wang_fang, hours=HOURS, now=now)


async def test_what_cannot_be_a_cluster_is_refused(store: Store, cast: Cast, now: datetime) -> None:
    opened = await fourteen(store, cast, now)
    cluster = await confirmed(store, cast, opened[:3], now)
    rest = opened[3:]

    async def refused(chosen: list[Ticket], lead: Ticket, actor: Staff, title: str = TITLE) -> None:
        async with store.transaction() as session:
            rows = [await tickets.get(session, ticket.id) for ticket in chosen]
            first = await tickets.get(session, lead.id)
            await clusters.confirm(session, rows, first, title, actor=actor, now=now)

    with pytest.raises(Invalid, match="cluster_few"):
        await refused(rest[:1], rest[0], cast.li_qiang)
    with pytest.raises(Invalid, match="cluster_few"):
        await refused(rest[:2], rest[3], cast.li_qiang)
    with pytest.raises(Invalid, match="cluster_title_needed"):
        await refused(rest[:2], rest[0], cast.li_qiang, " ")
    with pytest.raises(Conflict, match="cluster_member"):
        await refused([opened[0], rest[0]], rest[0], cast.li_qiang)
    with pytest.raises(NotPermitted):
        await refused(rest[:2], rest[0], cast.zhao_lei)
    with pytest.raises(NotPermitted):
        await refused(rest[:2], rest[0], cast.zhou_ning)
    async with store.transaction() as session:
        report = await asked(session, cast, now, FOURTEEN[0], who="9", kind=TicketKind.REPORT)
    with pytest.raises(Conflict, match="cluster_kind"):
        await refused([report, rest[0]], rest[0], cast.li_qiang)
    async with store.reading() as session:
        with pytest.raises(NotFound):
            await clusters.get(session, cast.zhao_lei, cluster.id)


async def test_a_member_that_asks_something_else_is_parted_by_a_leader_and_the_cluster_put_away(
    store: Store, cast: Cast, now
) -> None:
    opened = await fourteen(store, cast, now)
    cluster = await confirmed(store, cast, opened, now)
    async with store.transaction() as session:
        child = await tickets.get(session, opened[5].id)
        with pytest.raises(NotPermitted, match="leader_needed"):
            await clusters.split(session, child, actor=cast.li_qiang, now=now)
        await clusters.split(session, child, actor=cast.wang_fang, now=now)
        row = await session.get_one(Cluster, cluster.id)
        with pytest.raises(Conflict, match="cluster_owed"):
            await clusters.close(session, row, actor=cast.li_qiang, now=now)
    assert (await read(store, opened[5])).state is S.UNASSIGNED
    assert (await told(store, cluster)).members == 13
    await signed(store, cast, opened[0], now)
    async with store.transaction() as session:
        row = await session.get_one(Cluster, cluster.id)
        await clusters.close(session, row, actor=cast.li_qiang, now=now)
        rows = [await tickets.get(session, opened[5].id)]
        with pytest.raises(Conflict, match="cluster_closed"):
            await clusters.add(session, row, rows, actor=cast.li_qiang, hours=HOURS, now=now)
    async with store.reading() as session:
        assert (await session.get_one(Cluster, cluster.id)).state is ClusterState.CLOSED


async def test_who_answers_at_the_counter_has_told_the_lead_already(
    store: Store, cast: Cast, now: datetime
) -> None:
    """The lead was answered by mouth; the others are told each on their own channel."""
    opened = await fourteen(store, cast, now)
    lead = opened[3]
    async with store.transaction() as session:
        rows = [await tickets.get(session, ticket.id) for ticket in opened]
        made = await clusters.confirm(session, rows, rows[3], TITLE, actor=cast.li_qiang, now=now)
        version = await an_entry(session, cast, now)
        first = await tickets.get(session, lead.id)
        await tickets.take(session, first, actor=cast.li_qiang, now=now)
        await tickets.answer(
            session, first, version.short, version, actor=cast.li_qiang, hours=HOURS, now=now,
            mode=AnswerMode.IN_PERSON,
        )  # fmt: skip
    assert await told(store, made) == Told(1, 0, 0, 5, 8, 14)
