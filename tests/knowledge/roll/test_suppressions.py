"""Protected persons: taken out of sight by one, put back by two, known to nobody alone."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from knowledge.roll import keys, receipt_stops, suppressions
from knowledge.roll.identity import BadIdentity
from knowledge.roll.records import Suppression
from office import signin
from office.errors import Invalid, NotPermitted
from office.staff import Invite, Role, Staff
from office.store import Store
from tests.make import Cast
from tests.voters import LIN_YAN, TAO_MIN, Voter

KEY = keys.make("东浦区2026").digest


@pytest.fixture
async def registrars(store: Store, cast: Cast, now: datetime) -> tuple[Staff, Staff]:
    """何伟 and 顾兰."""
    before = now - timedelta(days=30)
    async with store.transaction() as session:
        made = [
            Staff(name=name, unit_id=cast.district.id, roles=[Role.REGISTRAR.value], created_at=before)
            for name in ("何伟", "顾兰")
        ]
        session.add_all(made)
    return made[0], made[1]


async def protect(store: Store, who: Voter, actor: Staff, now: datetime, basis: str = "公函3号") -> None:
    async with store.transaction() as session:
        await suppressions.suppress(session, KEY, who.name, who.number, basis=basis, actor=actor, now=now)


async def lift(store: Store, who: Voter, actor: Staff, now: datetime) -> bool:
    async with store.transaction() as session:
        return await suppressions.lift(session, KEY, who.name, who.number, actor=actor, now=now)


async def kept(store: Store) -> list[Suppression]:
    async with store.reading() as session:
        return list(await session.scalars(select(Suppression)))


async def test_the_digest_is_that_of_the_roll_and_the_basis_holds_no_number(
    store: Store, now: datetime, registrars: tuple[Staff, Staff]
) -> None:
    he_wei, _ = registrars
    spaced = Voter(f" {LIN_YAN.name[0]} {LIN_YAN.name[1:]}", LIN_YAN.number.lower(), "")
    await protect(store, spaced, he_wei, now, basis=f"公函3号 {LIN_YAN.number}")
    (row,) = await kept(store)
    assert row.digest == KEY.identity(LIN_YAN.name, LIN_YAN.number)
    assert LIN_YAN.number not in row.basis
    with pytest.raises(Invalid, match=re.escape("roll_counter.basis")):
        await protect(store, TAO_MIN, he_wei, now, basis=" ")
    with pytest.raises(BadIdentity):
        await protect(store, Voter("", LIN_YAN.number, ""), he_wei, now)


async def test_one_alone_cannot_lift_nor_learn(
    store: Store, now: datetime, registrars: tuple[Staff, Staff]
) -> None:
    he_wei, gu_lan = registrars
    await protect(store, LIN_YAN, he_wei, now)
    told = [await lift(store, who, gu_lan, now) for who in (LIN_YAN, TAO_MIN, LIN_YAN, TAO_MIN)]
    assert told == [False] * 4
    assert len(await kept(store)) == 1
    assert await lift(store, LIN_YAN, he_wei, now)
    assert await kept(store) == []


async def test_an_account_made_today_is_no_second_person(
    store: Store, cast: Cast, now: datetime, registrars: tuple[Staff, Staff]
) -> None:
    he_wei, gu_lan = registrars
    await protect(store, LIN_YAN, he_wei, now)
    await lift(store, LIN_YAN, he_wei, now)
    async with store.transaction() as session:
        await signin.new_way_in(session, await session.get_one(Staff, gu_lan.id), actor=None, now=now)
        invite = (await session.scalars(select(Invite))).one()
        invite.created_by_id = he_wei.id
    assert not await lift(store, LIN_YAN, gu_lan, now)
    assert len(await kept(store)) == 1
    assert await lift(store, LIN_YAN, gu_lan, now + timedelta(days=2))


async def test_protecting_anew_answers_a_wish_to_lift(
    store: Store, now: datetime, registrars: tuple[Staff, Staff]
) -> None:
    he_wei, gu_lan = registrars
    await protect(store, LIN_YAN, he_wei, now)
    await lift(store, LIN_YAN, gu_lan, now)
    await protect(store, LIN_YAN, he_wei, now)
    assert not await lift(store, LIN_YAN, he_wei, now)


async def test_only_who_works_at_the_counter_may(store: Store, cast: Cast, now: datetime) -> None:
    for act in (protect, lift):
        with pytest.raises(NotPermitted):
            await act(store, LIN_YAN, cast.wang_fang, now)
    with pytest.raises(NotPermitted):
        async with store.transaction() as session:
            await receipt_stops.stop(session, KEY, LIN_YAN.receipt, actor=cast.wang_fang, now=now)
