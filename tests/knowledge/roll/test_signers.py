"""Whose packages are taken: entered by one person, signed by another."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from knowledge.roll import imports, keys, signers
from knowledge.roll.signers import Signer
from office import changes
from office.errors import Conflict, Invalid, NotPermitted
from office.store import Store
from tests import rolls
from tests.make import Cast


def typed() -> Signer:
    key = keys.make(rolls.ELECTION)
    return signers.read(key.signer, rolls.ELECTION, key.digest.key_id)


async def test_nobody_is_trusted_until_a_second_person_has_signed(store: Store, cast: Cast, now: datetime):
    signer = typed()
    async with store.transaction() as session:
        change = await signers.propose(session, signer, basis="交接单3号", actor=cast.li_qiang, now=now)
        assert await signers.in_force(session, now=now) is None
    async with store.transaction() as session:
        change = await changes.get(session, change.id)
        with pytest.raises(NotPermitted):
            await changes.sign(session, change, seen=1, actor=cast.li_qiang, now=now)
        await changes.sign(session, change, seen=1, actor=cast.wang_fang, now=now)
        assert await signers.in_force(session, now=now) == signer


async def test_the_same_signer_is_not_proposed_twice(store: Store, cast: Cast, now: datetime):
    key = keys.make(rolls.ELECTION)
    signer = await rolls.trust(store, key, now)
    async with store.transaction() as session:
        with pytest.raises(Invalid, match=r"roll_signer\.unchanged"):
            await signers.propose(session, signer, basis="交接单3号", actor=cast.li_qiang, now=now)
        with pytest.raises(Conflict):
            await signers.install(session, typed(), basis="示例", now=now)


def test_what_is_typed_off_a_screen_may_hold_spaces_and_capitals():
    signer = typed()
    spaced = " ".join(signer.public_key[at : at + 8].upper() for at in range(0, 64, 8))
    assert signers.read(spaced, f" {signer.election} ", signer.key_id.upper()) == signer


@pytest.mark.parametrize(
    ("public_key", "election", "key_id", "fault"),
    [
        ("ab" * 31, "东浦区2026", "ab" * 8, "public_key"),
        ("zz" * 32, "东浦区2026", "ab" * 8, "public_key"),
        ("ab" * 32, "东浦区2026", "ab" * 7, "key_id"),
        ("ab" * 32, " ", "ab" * 8, "election"),
        ("ab" * 32, "东" * 81, "ab" * 8, "election"),
    ],
)
def test_what_was_mistyped_is_named(public_key: str, election: str, key_id: str, fault: str):
    with pytest.raises(Invalid, match=f"roll_signer.{fault}"):
        signers.read(public_key, election, key_id)


async def test_a_roll_is_in_force_the_short_way(store: Store, cast: Cast, now: datetime, tmp_path: Path):
    key = await rolls.install_roll(store, tmp_path)
    assert keys.read_service(tmp_path / "roll.key") == key
    async with store.reading() as session:
        found = await imports.in_force(session)
    assert found is not None
    assert (found.rows, found.counts["persons"], found.counts["new"]) == (8, 4, 4)
