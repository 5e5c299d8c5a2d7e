"""The circuit: what opens it, who is called, and who closes it again."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from knowledge.roll import circuit
from knowledge.roll.lookups import Caller, LookupClosed
from knowledge.roll.records import LookupResult, Mark, RollImport, RollState
from office import audit
from office.audit import AuditEntry
from office.errors import Conflict, Invalid, NotPermitted, TooMany
from office.store import Store
from tests.lookup_desk import LookupDesk, lookup_desk
from tests.make import Cast
from tests.voters import CAST, LIN_YAN, TAO_MIN, voter

NOBODIES = [voter(number) for number in (77, 78, 79)]
MARKS = dict.fromkeys(NOBODIES, Mark.REGISTERED | Mark.CANARY)
ALL = 6


@pytest.fixture
async def desk(
    store: Store, cast: Cast, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> LookupDesk:
    """A small roll with three rows of nobody, of which six lookups are allowed in a day."""
    monkeypatch.setattr("knowledge.roll.opening.LEAST_IN_ALL", ALL)
    return await lookup_desk(store, cast, tmp_path, now, [*CAST, *NOBODIES], marks=MARKS)


async def state(desk: LookupDesk) -> RollState:
    async with desk.store.reading() as session:
        return (await session.scalars(select(RollState))).one()


async def lines(desk: LookupDesk) -> list[tuple[str, dict[str, object]]]:
    async with desk.store.reading() as session:
        rows, _ = await audit.listed(session, subject=circuit.SUBJECT)
    return [(row.action, row.facts) for row in rows]


async def test_the_last_lookup_of_the_day_is_answered_and_opens_the_circuit(desk: LookupDesk):
    for number in range(ALL - 1):
        await desk.ask(voter(number))
    assert (await state(desk)).stopped_at is None
    assert (await desk.ask(LIN_YAN)).result is LookupResult.REGISTERED
    found = await state(desk)
    assert (found.stopped_at, found.stopped_why) == (desk.now, "budget")
    assert await lines(desk) == [("lookup.trip", {"why": "budget"})]
    for later in (timedelta(), timedelta(days=1)):
        for who in (LIN_YAN, TAO_MIN):
            with pytest.raises(LookupClosed, match=r"lookup\.closed_now"):
                await desk.ask(who, now=desk.now + later)


async def test_of_two_hundred_at_once_no_more_are_answered_than_the_day_allows(desk: LookupDesk):
    found = await asyncio.gather(*(desk.ask(voter(n)) for n in range(200)), return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in found) == ALL
    assert sum(isinstance(one, LookupClosed) for one in found) == 200 - ALL
    assert (await state(desk)).stopped_why == "budget"


async def test_what_is_allowed_is_two_in_a_hundred_and_no_less_than_two_hundred(
    store: Store, cast: Cast, now: datetime, tmp_path: Path
):
    desk = await lookup_desk(store, cast, tmp_path, now)
    for persons, allowed in ((4, 200), (10_000, 200), (10_050, 201), (500_000, 10_000)):
        async with store.transaction() as session:
            await session.execute(update(RollImport).values(counts={"persons": persons}))
        async with store.reading() as session:
            assert (await desk.lookups._ready(session, now)).in_all == allowed


async def test_a_stop_outlives_the_transaction_that_found_it_out(desk: LookupDesk):
    """The edge may still fail after the lookup; the worker then writes the stop down."""
    for number in range(ALL - 1):
        await desk.ask(voter(number))

    class Refused(Exception):
        """What an edge may raise after a lookup."""

    async def failing() -> None:
        async with desk.store.transaction() as session:
            caller = Caller("telegram", "contact:1", "")
            await desk.lookups.by_receipt(session, caller, LIN_YAN.receipt, now=desk.now)
            raise Refused

    with pytest.raises(Refused):
        await failing()
    assert (await state(desk)).stopped_at is None
    with pytest.raises(LookupClosed):
        await desk.ask(LIN_YAN)
    async with desk.store.transaction() as session:
        await desk.lookups.watch(session, now=desk.now)
    assert (await state(desk)).stopped_why == "budget"
    assert desk.lookups.tripped is None


async def test_one_row_of_nobody_calls_the_reviewer_and_stops_nothing(
    desk: LookupDesk, caplog: pytest.LogCaptureFixture
):
    assert (await desk.ask(NOBODIES[0])).result is LookupResult.ASK_STATION
    assert await lines(desk) == [("lookup.alarm", {"kind": "canary", "way": "identity"})]
    assert (await state(desk)).stopped_at is None
    (record,) = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert NOBODIES[0].number not in record.getMessage()


async def test_the_same_row_of_nobody_three_times_is_no_list(desk: LookupDesk):
    for _ in range(3):
        await desk.ask(NOBODIES[0])
    assert (await state(desk)).stopped_at is None
    assert len(await lines(desk)) == 3
    with pytest.raises(TooMany):
        await desk.ask(NOBODIES[0])


async def test_three_rows_of_nobody_in_one_day_stop_all(desk: LookupDesk):
    for nobody in NOBODIES:
        assert (await desk.ask(nobody)).result is LookupResult.ASK_STATION
    assert (await state(desk)).stopped_why == "canary"
    with pytest.raises(LookupClosed):
        await desk.ask(LIN_YAN)


async def test_a_reviewer_stops_and_lets_go_on_with_a_reason(desk: LookupDesk, cast: Cast):
    wang_fang = cast.wang_fang
    async with desk.store.transaction() as session:
        await circuit.stop(session, reason=" 有人冒充本办 ", actor=wang_fang, now=desk.now)
    with pytest.raises(LookupClosed):
        await desk.ask(LIN_YAN)
    async with desk.store.transaction() as session:
        with pytest.raises(Conflict):
            await circuit.stop(session, reason="再停一次", actor=wang_fang, now=desk.now)
        await desk.lookups.reopen(session, reason="已核实", actor=wang_fang, now=desk.now)
        with pytest.raises(Conflict):
            await desk.lookups.reopen(session, reason="已核实", actor=wang_fang, now=desk.now)
    assert (await desk.ask(LIN_YAN)).result is LookupResult.REGISTERED
    assert await lines(desk) == [
        ("lookup.reopen", {"reason": "已核实", "was": "reviewer"}),
        ("lookup.stop", {"reason": "有人冒充本办"}),
    ]


async def test_after_a_reviewer_has_looked_the_day_begins_anew(desk: LookupDesk, cast: Cast):
    for number in range(ALL):
        await desk.ask(voter(number))
    async with desk.store.transaction() as session:
        await desk.lookups.reopen(session, reason="本街道集中核对", actor=cast.wang_fang, now=desk.now)
    for number in range(ALL):
        assert (await desk.ask(voter(10 + number))).result is LookupResult.NOT_FOUND
    assert (await state(desk)).stopped_why == "budget"


async def test_only_a_reviewer_and_only_with_a_reason(desk: LookupDesk, cast: Cast):
    async with desk.store.transaction() as session:
        for person in (cast.li_qiang, cast.zhou_ning, cast.sun_jie):
            with pytest.raises(NotPermitted):
                await circuit.stop(session, reason="试验", actor=person, now=desk.now)
            with pytest.raises(NotPermitted):
                await desk.lookups.reopen(session, reason="试验", actor=person, now=desk.now)
        with pytest.raises(Invalid, match=r"lookup\.reason_missing"):
            await circuit.stop(session, reason="  ", actor=cast.wang_fang, now=desk.now)


async def test_a_number_in_a_reason_is_taken_out(desk: LookupDesk, cast: Cast):
    async with desk.store.transaction() as session:
        await circuit.stop(session, reason=f"有人查{LIN_YAN.number}", actor=cast.wang_fang, now=desk.now)
    async with desk.store.reading() as session:
        rows = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "lookup.stop"))).all()
    assert LIN_YAN.number not in str(rows[0].facts)
