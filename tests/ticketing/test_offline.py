"""Offline handling: flagged by anybody, decided by the leader, closed by its owner, nowhere to be read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from office import audit, notices, outbox
from office.errors import Conflict, Invalid, NotPermitted
from office.staff import Role
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.confidences import (
    MARK,
    SEALER,
    WHY,
    WORDS,
    confidential,
    person,
    places_of,
    reviewer,
    take,
    taken_offline,
)
from tests.ticketing.work import in_state, messages, opened
from ticketing import (
    intake,
    offline,
    openings,
    queue,
    restricted,
    tickets,
    verdicts,
)
from ticketing.offline import OfflineResult, OfflineWay
from ticketing.particulars import Secrecy
from ticketing.records import TicketKind, TicketState
from ticketing.restricted import HIDDEN

S = TicketState


async def test_anybody_flags_and_the_leaders_are_told_once(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await offline.flag(session, found, actor=cast.li_qiang, now=now)
        await offline.flag(session, found, actor=cast.li_qiang, now=now)
        assert found.secrecy is Secrecy.RESTRICTED
        assert await notices.unread(session, cast.wang_fang.id) == 1
        lines, _ = await audit.listed(session, action="ticket.flag")
        assert len(lines) == 1


async def test_a_registrar_flags_what_they_took_in_and_nothing_else(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        clerk = await person(session, cast.riverside, "钱多", now, Role.REGISTRAR)
    own = await opened(store, cast, now, actor=clerk.as_actor(), unit=cast.riverside)
    foreign = await opened(store, cast, now, unit=cast.riverside)
    async with store.transaction() as session:
        await offline.flag(session, await tickets.get(session, own.id), actor=clerk, now=now)
        with pytest.raises(NotPermitted):
            await offline.flag(session, await tickets.get(session, foreign.id), actor=clerk, now=now)
        # Another town's officer reaches neither.
        with pytest.raises(NotPermitted):
            await offline.flag(session, await tickets.get(session, foreign.id), actor=cast.zhao_lei, now=now)


async def test_reports_are_flagged_when_they_come(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now, kind=TicketKind.REPORT)
    assert ticket.secrecy is Secrecy.RESTRICTED
    async with store.reading() as session:
        (case,) = await offline.listed(session, cast.wang_fang)
        assert (case.ticket.id, case.owner) == (ticket.id, None)


async def test_the_leader_declines_a_flag_with_a_reason(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now, kind=TicketKind.REPORT)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(NotPermitted, match="leader_needed"):
            await offline.decline(session, found, "可以公开答复", actor=cast.li_qiang, now=now)
        await offline.decline(session, found, "可以公开答复", actor=cast.wang_fang, now=now)
        assert found.secrecy is Secrecy.INTERNAL
        assert (await queue.thread(session, found))[-1].text == "可以公开答复"
        assert await offline.listed(session, cast.wang_fang) == []
        with pytest.raises(Conflict):
            await offline.decline(session, found, "又一次", actor=cast.wang_fang, now=now)


@pytest.mark.parametrize("state", list(TicketState))
async def test_from_which_states_it_can_be_taken(
    store: Store, cast: Cast, now: datetime, state: TicketState
) -> None:
    async with store.transaction() as session:
        ticket = await in_state(session, cast, now, state)
        more: dict[str, Any] = {"readers": [], "reason": WHY, "sealer": SEALER, "now": now}
        if state in (S.UNASSIGNED, S.WORKING, S.ON_HOLD):
            await offline.take(session, ticket, cast.li_qiang, actor=cast.wang_fang, **more)
            assert (ticket.state, ticket.assignee_id) == (S.OFFLINE, None)
            assert (ticket.offline_owner_id, ticket.words) == (cast.li_qiang.id, HIDDEN)
        else:
            with pytest.raises(Conflict):
                await offline.take(session, ticket, cast.li_qiang, actor=cast.wang_fang, **more)
            assert ticket.words != HIDDEN


async def test_the_leader_decides_and_names_somebody_who_can(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await confidential(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        more: dict[str, Any] = {"readers": [], "sealer": SEALER, "now": now}
        with pytest.raises(NotPermitted, match="leader_needed"):
            await offline.take(session, found, cast.li_qiang, reason=WHY, actor=cast.li_qiang, **more)
        with pytest.raises(Invalid, match="reason_needed"):
            await offline.take(session, found, cast.li_qiang, reason=" ", actor=cast.wang_fang, **more)
        for unfit in (cast.zhao_lei, cast.sun_jie, cast.zhou_ning):
            with pytest.raises(Invalid, match="offline_person"):
                await offline.take(session, found, unfit, reason=WHY, actor=cast.wang_fang, **more)
        assert found.words == WORDS


async def test_the_asker_is_told_once_and_nothing_of_the_matter(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken_offline(store, cast, now)
    (message,) = await messages(store, ticket)
    assert (message.kind, message.facts) == ("offline", {"no": ticket.ticket_no})
    async with store.reading() as session:
        assert await notices.unread(session, cast.li_qiang.id) == 1


async def test_the_owner_alone_closes_it(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken_offline(store, cast, now)
    later = now + timedelta(hours=3)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        way, result = OfflineWay.IN_PERSON, OfflineResult.EXPLAINED
        with pytest.raises(NotPermitted, match="offline_owner_only"):
            await offline.close(session, found, way, result, actor=cast.wang_fang, now=later)
        await offline.close(session, found, way, result, actor=cast.li_qiang, now=later)
        assert (found.state, found.offline_done_at, found.closed_at) == (S.CLOSED, later, later)
        assert (found.offline_way, found.offline_result) == ("in_person", "explained")
        with pytest.raises(Conflict):
            await offline.close(session, found, way, result, actor=cast.li_qiang, now=later)
        # Nothing was said about it but that staff will be in touch.
        assert len(await outbox.about(session, f"ticket:{ticket.id}")) == 1


async def test_another_owner(store: Store, cast: Cast, now: datetime) -> None:
    other = await reviewer(store, cast, now)
    ticket = await taken_offline(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(NotPermitted):
            await offline.entrust(session, found, other, actor=cast.li_qiang, now=now)
        await offline.entrust(session, found, other, actor=cast.wang_fang, now=now)
        assert found.offline_owner_id == other.id
        assert {one.id for one in await openings.readers(session, found)} == {cast.li_qiang.id, other.id}
        await offline.close(session, found, OfflineWay.PHONE, OfflineResult.SETTLED, actor=other, now=now)


async def test_a_case_that_was_reopened_is_taken_again_and_keeps_all(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken_offline(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await offline.close(
            session, found, OfflineWay.PHONE, OfflineResult.SETTLED, actor=cast.li_qiang, now=now
        )
        await verdicts.reopen(session, found, actor=cast.wang_fang.as_actor(), hours=HOURS, now=now)
        await intake.append(session, found, f"{MARK}又不见了", now=now)
    await take(store, cast, ticket, now)
    async with store.reading() as session:
        found_text = await restricted.read(session, ticket, sealer=SEALER)
    assert found_text is not None
    assert (found_text.words, len(found_text.parts)) == ((WORDS,), 2)
    assert [line.text for line in found_text.later] == [f"{MARK}又不见了"]
    assert await places_of(store, MARK) == set()
