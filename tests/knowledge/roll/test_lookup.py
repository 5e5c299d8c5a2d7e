"""One digest, one statement, one of three results."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event, update

from knowledge.roll.lookup import Found, lookup
from knowledge.roll.records import LookupResult, Mark, ReceiptStop, RollImport, RollState, Suppression
from office.store import Store
from tests import rolls
from tests.make import Cast
from tests.voters import AYGUL, HE_JIE, LIN_YAN, OUYANG, TAO_MIN, Voter, voter

REGISTERED = Found(LookupResult.REGISTERED, *rolls.PLACES[0])
NOT_FOUND = Found(LookupResult.NOT_FOUND)
ASK_STATION = Found(LookupResult.ASK_STATION)
NOBODY = voter(77)
MARKS = {HE_JIE: Mark(0), OUYANG: Mark.REGISTERED | Mark.SUPPRESSED, NOBODY: Mark.REGISTERED | Mark.CANARY}


class Roll:
    """A roll in force, asked with the driver's own connection."""

    def __init__(self, store: Store, key, cast: Cast, now) -> None:
        self.store, self.key, self.cast, self.now = store, key, cast, now

    async def of(self, asked: Voter) -> Found | None:
        return (await self.seen(self.key.identity(asked.name, asked.number))).found

    async def of_receipt(self, asked: Voter) -> Found | None:
        return (await self.seen(self.key.receipt(asked.receipt))).found

    async def seen(self, digest: bytes, key_id: str = ""):
        return await lookup(self.store, digest, key_id=key_id or self.key.key_id)

    async def add(self, row) -> None:
        async with self.store.transaction() as session:
            session.add(row)


@pytest.fixture
async def roll(store: Store, cast: Cast, tmp_path: Path, now) -> Roll:
    voters = (LIN_YAN, HE_JIE, OUYANG, AYGUL, NOBODY)
    return Roll(store, await rolls.install_roll(store, tmp_path, voters, marks=MARKS), cast, now)


async def test_who_is_registered_learns_the_place(roll: Roll):
    assert await roll.of(LIN_YAN) == REGISTERED
    assert await roll.of_receipt(LIN_YAN) == REGISTERED


async def test_who_is_not_on_the_roll_is_not_found(roll: Roll):
    assert await roll.of(TAO_MIN) == await roll.of_receipt(TAO_MIN) == NOT_FOUND


async def test_a_name_with_the_number_of_another_is_the_same_as_nobody(roll: Roll):
    assert await roll.of(Voter(HE_JIE.name, LIN_YAN.number, "")) == NOT_FOUND


async def test_doubtful_protected_and_nobodys_rows_are_told_the_same(roll: Roll):
    assert {await roll.of(HE_JIE), await roll.of(OUYANG), await roll.of(NOBODY)} == {ASK_STATION}


async def test_only_nobodys_row_raises_the_alarm(roll: Roll):
    canaries = [
        (await roll.seen(roll.key.identity(who.name, who.number))).canary
        for who in (LIN_YAN, HE_JIE, OUYANG, TAO_MIN, NOBODY)
    ]
    assert canaries == [False, False, False, False, True]


async def test_a_person_protected_later_is_told_to_ask_on_the_roll_or_not(roll: Roll):
    for who in (LIN_YAN, TAO_MIN):
        digest = roll.key.identity(who.name, who.number)
        await roll.add(Suppression(digest=digest, basis="试验", at=roll.now, staff_id=roll.cast.wang_fang.id))
        assert await roll.of(who) == ASK_STATION


async def test_a_stopped_receipt_equals_one_that_never_was(roll: Roll):
    digest = roll.key.receipt(LIN_YAN.receipt)
    await roll.add(ReceiptStop(digest=digest, at=roll.now, staff_id=roll.cast.wang_fang.id))
    assert await roll.of_receipt(LIN_YAN) == await roll.of_receipt(TAO_MIN) == NOT_FOUND
    assert await roll.of(LIN_YAN) == REGISTERED


async def test_a_roll_of_another_key_answers_nobody(roll: Roll):
    digest = roll.key.identity(LIN_YAN.name, LIN_YAN.number)
    assert (await roll.seen(digest, key_id="0" * 16)).found is None


@pytest.mark.parametrize("change", [{"current_id": None}, {"stopped_why": "budget"}])
async def test_without_a_roll_and_while_all_is_stopped_nobody_is_answered(roll: Roll, change):
    values = {"stopped_at": roll.now} if "stopped_why" in change else {}
    async with roll.store.transaction() as session:
        await session.execute(update(RollState).values(**change, **values))
    assert await roll.of(LIN_YAN) is None
    assert await roll.of(TAO_MIN) is None


async def test_rows_of_another_import_are_not_seen(roll: Roll):
    async with roll.store.transaction() as session:
        first = await session.get_one(RollImport, 1)
        columns = {
            column.name: getattr(first, column.name)
            for column in RollImport.__table__.columns
            if column.name != "id"
        }
        empty = RollImport(**(columns | {"package_id": "f" * 32}))
        session.add(empty)
        await session.flush()
        await session.execute(update(RollState).values(current_id=empty.id, previous_id=1))
    assert await roll.of(LIN_YAN) == NOT_FOUND


async def test_a_lookup_takes_one_statement_and_no_session(roll: Roll):
    sent = []
    event.listen(roll.store.engine.sync_engine, "before_cursor_execute", lambda *call: sent.append(call[2]))
    asked = []
    inner = roll.store.quick.row

    async def row(statement, values):
        asked.append(statement)
        return await inner(statement, values)

    roll.store.quick.row = row
    await roll.of(LIN_YAN)
    assert not sent
    assert len(asked) == 1


async def test_a_connection_that_broke_is_replaced_once(roll: Roll):
    assert await roll.of(LIN_YAN) == REGISTERED
    for connection in roll.store.quick._idle:
        await connection.close()
    assert await roll.of(LIN_YAN) == REGISTERED
