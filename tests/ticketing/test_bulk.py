"""Several tickets at once: each its own result, none passed over, nothing half done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from office import contacts
from office.contacts import Channel
from office.errors import Invalid, NotFound, NotPermitted
from office.store import Store
from tests.make import Cast
from tests.ticketing.work import opened, read, taken
from ticketing import bulk, queue
from ticketing.bulk import Act, Asked, Result, Row
from ticketing.particulars import LedgerKind
from ticketing.records import Ticket, TicketKind, TicketState

S = TicketState


def rows(*found: Ticket) -> list[Row]:
    return [Row(ticket.id, ticket.version) for ticket in found]


def told(results: Sequence[Result]) -> list[str]:
    """The key of each refusal, an empty text for what was done."""
    return [result.refusal.key if result.refusal else "" for result in results]


async def test_taking_several_tells_of_each(store: Store, cast: Cast, now: datetime) -> None:
    free = [await opened(store, cast, now) for _ in range(2)]
    held = await taken(store, cast, now, by=cast.wang_fang)
    north = await opened(store, cast, now, unit=cast.north)
    asked = Asked(Act.TAKE)
    chosen = [*rows(free[0], held, free[1], north), Row(404, 1)]
    results = await bulk.apply(store, asked, chosen, actor=cast.li_qiang, now=now)
    assert told(results) == ["", "taken", "", "", "ticket_unknown"]
    assert [result.no for result in results] == [
        free[0].ticket_no, held.ticket_no, free[1].ticket_no, north.ticket_no, "",
    ]  # fmt: skip
    assert [(await read(store, one)).assignee_id for one in (*free, held)] == [
        cast.li_qiang.id, cast.li_qiang.id, cast.wang_fang.id,
    ]  # fmt: skip


async def test_what_is_out_of_reach_is_not_there(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now, unit=cast.riverside)
    for asked in (
        Asked(Act.TAKE), Asked(Act.LEDGER, ledger=LedgerKind.VOTER), Asked(Act.VOID, reason="误录"),
        Asked(Act.ASSIGN, to_id=cast.zhao_lei.id), Asked(Act.TRANSFER, group="登记组", reason="归口"),
        Asked(Act.MERGE, lead_id=ticket.id + 1),
    ):  # fmt: skip
        (result,) = await bulk.apply(store, asked, rows(ticket), actor=cast.zhao_lei, now=now)
        assert (result.no, told([result])) == ("", ["ticket_unknown"])
    assert (await read(store, ticket)).version == ticket.version


async def test_an_old_row_of_the_list_changes_nothing(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    seen = rows(ticket)
    await bulk.apply(store, Asked(Act.TAKE), seen, actor=cast.wang_fang, now=now)
    results = await bulk.apply(store, Asked(Act.VOID, reason="误录"), seen, actor=cast.li_qiang, now=now)
    assert told(results) == ["stale_card"]
    assert (await read(store, ticket)).state is S.WORKING


async def test_assigning_and_handing_on(store: Store, cast: Cast, now: datetime) -> None:
    free, held = await opened(store, cast, now), await taken(store, cast, now)
    asked = Asked(Act.ASSIGN, to_id=cast.li_qiang.id)
    results = await bulk.apply(store, asked, rows(free, held), actor=cast.wang_fang, now=now)
    assert told(results) == ["", "stale_card"]
    another = rows(await opened(store, cast, now))
    assert told(await bulk.apply(store, asked, another, actor=cast.li_qiang, now=now)) == ["leader_needed"]
    asked = Asked(Act.TRANSFER, to_id=cast.wang_fang.id, reason="由她经办")
    results = await bulk.apply(
        store, asked, rows(await read(store, free), held), actor=cast.li_qiang, now=now
    )
    assert results[1].refusal is None
    assert (await read(store, held)).assignee_id == cast.wang_fang.id
    assert (await read(store, held)).reason == "由她经办"


async def test_joining_to_a_ticket_of_the_same_asker(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        stranger = await contacts.seen(session, Channel.TELEGRAM, "5002", now=now)
    lead, child = [await opened(store, cast, now) for _ in range(2)]
    foreign = await opened(store, cast, now, contact=stranger)
    async with store.reading() as session:
        assert (await queue.by_number(session, cast.li_qiang, lead.ticket_no.lower())).id == lead.id
        for person, number in ((cast.zhao_lei, lead.ticket_no), (cast.li_qiang, "DP-1120-99-A")):
            with pytest.raises(NotFound):
                await queue.by_number(session, person, number)
    asked = Asked(Act.MERGE, lead_id=lead.id)
    results = await bulk.apply(store, asked, rows(lead, child, foreign), actor=cast.li_qiang, now=now)
    assert told(results) == ["", "", "merge_other_asker"]
    assert (await read(store, lead)).state is S.UNASSIGNED
    assert (await read(store, child)).merged_into_id == lead.id


async def test_setting_aside_spares_what_may_never_be_void(store: Store, cast: Cast, now: datetime) -> None:
    plain, report = await opened(store, cast, now), await opened(store, cast, now, kind=TicketKind.REPORT)
    asked = Asked(Act.VOID, reason="误录")
    results = await bulk.apply(store, asked, rows(report, plain), actor=cast.li_qiang, now=now)
    assert told(results) == ["never_void", ""]
    assert (await read(store, plain)).state is S.VOID
    assert (await read(store, report)).state is S.UNASSIGNED


async def test_a_ledger_for_several(store: Store, cast: Cast, now: datetime) -> None:
    found = [await opened(store, cast, now) for _ in range(2)]
    asked = Asked(Act.LEDGER, ledger=LedgerKind.PLATFORM)
    assert told(await bulk.apply(store, asked, rows(*found), actor=cast.li_qiang, now=now)) == ["", ""]
    assert {(await read(store, one)).ledger for one in found} == {LedgerKind.PLATFORM}


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        (Asked(Act.ASSIGN), "bulk_incomplete"),
        (Asked(Act.TRANSFER, reason="归口"), "bulk_incomplete"),
        (Asked(Act.TRANSFER, group="登记组"), "reason_needed"),
        (Asked(Act.MERGE), "lead_needed"),
        (Asked(Act.LEDGER), "bulk_incomplete"),
        (Asked(Act.VOID, reason=" "), "reason_needed"),
    ],
)
@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_an_act_that_is_not_told_whole_does_not_begin(
    store: Store, cast: Cast, now: datetime, asked: Asked, key: str
) -> None:
    with pytest.raises(Invalid, match=key):
        await bulk.apply(store, asked, [Row(1, 1)], actor=cast.li_qiang, now=now)


async def test_nothing_too_much_and_nobody(store: Store, cast: Cast, now: datetime) -> None:
    with pytest.raises(Invalid, match="bulk_nothing"):
        await bulk.apply(store, Asked(Act.TAKE), [], actor=cast.li_qiang, now=now)
    many = [Row(number, 1) for number in range(51)]
    with pytest.raises(Invalid, match="bulk_many"):
        await bulk.apply(store, Asked(Act.TAKE), many, actor=cast.li_qiang, now=now)
    for person in (cast.sun_jie, cast.zhou_ning):
        with pytest.raises(NotPermitted):
            await bulk.apply(store, Asked(Act.TAKE), [Row(1, 1)], actor=person, now=now)
