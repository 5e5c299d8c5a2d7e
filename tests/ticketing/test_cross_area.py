"""Requests to another district: with consent, on one card, and the feedback ends the waiting."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from office import audit, changes
from office.changes import ChangeKind
from office.errors import Conflict, Invalid, NotPermitted
from office.staff import Staff
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.confidences import SEALER, reviewer, take
from tests.ticketing.work import opened, taken
from ticketing import cross_area, holding, restricted, tickets
from ticketing.records import Ticket, TicketKind, TicketState, UnansweredReason

DIRECTORY = {
    "contacts": [
        {"name": "西岸区", "says": ["西岸"], "office": "西岸区选举委员会办公室", "phone": "0000-33330000",
         "hours": "工作日 9:00–17:00", "address": "西岸区示例路2号"},
    ]
}  # fmt: skip
ASKED: dict[str, Any] = {
    "district": "西岸区", "applied_at": "东浦区临江街道", "registered_at": "西岸区", "person": "欧阳春雨",
    "request": "请核对是否已在西岸区登记", "answer_by": date(2026, 11, 25), "consent": True,
}  # fmt: skip


async def ask(store: Store, ticket: Ticket, actor: Staff, now: datetime, **changed: Any) -> Ticket:
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await cross_area.ask(session, found, **(ASKED | changed), actor=actor, now=now)
    return found


async def test_what_is_asked_stands_on_the_ticket(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await ask(store, await taken(store, cast, now), cast.li_qiang, now)
    told = ticket.cross_area
    assert {name: told[name] for name in ("district", "applied_at", "registered_at", "person")} == {
        "district": "西岸区", "applied_at": "东浦区临江街道", "registered_at": "西岸区", "person": "欧阳*",
    }  # fmt: skip
    assert told["consent_at"] == now.isoformat()
    assert told["consent_taken_by"] == cast.li_qiang.id
    assert (ticket.kind, ticket.state) == (TicketKind.CROSS_AREA, TicketState.WORKING)
    assert ticket.why_unanswered is UnansweredReason.OTHER_REGION
    assert cross_area.waiting(ticket)
    async with store.reading() as session:
        ((line,), _) = await audit.listed(session, action="ticket.cross_ask")
        assert line.facts == {}


async def test_a_case_about_the_list_stays_what_it_is(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now, kind=TicketKind.CORRECTION)
    assert (await ask(store, ticket, cast.li_qiang, now)).kind is TicketKind.CORRECTION


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"consent": False}, "cross_consent"),
        ({"district": " "}, "cross_missing"),
        ({"request": ""}, "cross_missing"),
        ({"answer_by": date(2026, 11, 19)}, "cross_day_past"),
    ],
)
async def test_what_is_refused(
    store: Store, cast: Cast, now: datetime, changed: dict[str, Any], key: str
) -> None:
    ticket = await taken(store, cast, now)
    with pytest.raises(Invalid, match=key):
        await ask(store, ticket, cast.li_qiang, now, **changed)


async def test_whoever_holds_the_ticket_asks(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    for actor, error in ((cast.wang_fang, Conflict), (cast.zhao_lei, NotPermitted)):
        with pytest.raises(error):
            await ask(store, ticket, actor, now)
    with pytest.raises(Conflict):
        await ask(store, await opened(store, cast, now), cast.li_qiang, now)


async def test_no_number_leaves_with_the_card(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await ask(
        store, await taken(store, cast, now), cast.li_qiang, now, request="请核对，电话13800138000"
    )
    assert "13800138000" not in str(ticket.cross_area)


async def test_feedback_ends_the_waiting_and_one_may_ask_again(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await ask(store, await taken(store, cast, now), cast.li_qiang, now)
    with pytest.raises(Conflict, match="cross_asked"):
        await ask(store, ticket, cast.li_qiang, now)
    later = now + timedelta(hours=2)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await cross_area.feedback(
            session, found, "未在西岸区登记", actor=cast.wang_fang, hours=HOURS, now=later
        )
        assert not cross_area.waiting(found)
        assert found.cross_area["feedback_at"] == later.isoformat()
        with pytest.raises(Conflict, match="cross_not_asked"):
            await cross_area.feedback(session, found, "又", actor=cast.li_qiang, hours=HOURS, now=later)
    again = await ask(store, ticket, cast.li_qiang, later, district="南城区")
    assert [row["feedback"] for row in again.cross_area["before"]] == ["未在西岸区登记"]


async def test_feedback_ends_a_hold_as_well(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await ask(store, await taken(store, cast, now), cast.li_qiang, now)
    other = await reviewer(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        until = now + timedelta(hours=24)
        why = UnansweredReason.NEEDS_DATA
        await holding.want(session, found, why, until, actor=cast.li_qiang, now=now)
        await holding.grant(session, found, actor=cast.wang_fang, hours=HOURS, now=now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        assert found.state is TicketState.ON_HOLD
        later = now + timedelta(hours=1)
        await cross_area.feedback(session, found, "已登记", actor=other, hours=HOURS, now=later)
        assert (found.state, found.assignee_id) == (TicketState.WORKING, cast.li_qiang.id)


async def test_the_receiving_office_comes_from_the_directory(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await ask(store, await taken(store, cast, now), cast.li_qiang, now)
    async with store.transaction() as session:
        assert await cross_area.receiving(session, ticket, now=now) is None
        await changes.install(
            session, ChangeKind.RULES, "shanghai:contacts", DIRECTORY, basis="示例数据", scope=cast.district,
            now=now,
        )  # fmt: skip
    async with store.reading() as session:
        office = await cross_area.receiving(session, ticket, now=now)
        assert office is not None
        assert office.phone == "0000-33330000"


async def test_of_a_confidential_case_no_card_is_made(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await ask(store, await taken(store, cast, now), cast.li_qiang, now)
    hidden = await take(store, cast, ticket, now)
    assert hidden.cross_area == {}
    async with store.reading() as session:
        kept = await restricted.read(session, hidden, sealer=SEALER)
        assert kept is not None
        assert kept.parts[0]["cross_area"]["request"] == ASKED["request"]
