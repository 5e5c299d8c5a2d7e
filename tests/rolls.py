"""Small rolls of invented voters, made and put in force the short way."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.roll import imports, keys, package, signers
from knowledge.roll.identity import DIGEST_VERSION, DigestKey
from knowledge.roll.keys import OfflineKey
from knowledge.roll.package import RECORD, Block, Header
from knowledge.roll.records import Mark, RollImport
from knowledge.roll.signers import Signer
from office.store import Store
from tests.voters import CAST, Voter

ELECTION = "东浦区2026"
MADE_AT = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)
PLACES = (("第一选区", "12-01", "12-01"), ("第二选区", "12-02", "12-02"))
"""A district, a group of it, and the code of its station; voters stand in them by turns."""


def rows(
    key: DigestKey,
    voters: Sequence[Voter] = CAST,
    *,
    marks: Mapping[Voter, Mark] | None = None,
    receipts: bool = True,
    places: int = len(PLACES),
) -> Block:
    """Rows of a package: each voter and, with `receipts`, the code on their receipt, by digest.

    `marks` are of voters who are not plainly registered.
    """
    found = []
    for number, voter in enumerate(voters):
        mark = (marks or {}).get(voter, Mark.REGISTERED)
        found.append((key.identity(voter.name, voter.number), number % places, mark))
        if receipts:
            found.append((key.receipt(voter.receipt), number % places, mark | Mark.RECEIPT))
    made = np.zeros(len(found), RECORD)
    for row, (digest, place, mark) in zip(made, sorted(found), strict=True):
        row["digest"], row["place"], row["mark"] = np.frombuffer(digest, "u1"), place, int(mark)
    return made


def header(key: OfflineKey, block: Block, **changes: Any) -> Header:
    """A sound header for these rows; `changes` replace fields."""
    tally = package.tally(block)
    fields: dict[str, Any] = {
        "package_id": uuid.uuid4().hex,
        "election": key.digest.election,
        "key_id": key.digest.key_id,
        "signer": key.signer,
        "made_at": MADE_AT,
        "digest_version": DIGEST_VERSION,
        "rows": len(block),
        "places": PLACES,
        "counts": {"read": tally["persons"], "good": tally["persons"], "refused": 0, "doubtful": 0, **tally},
    }
    return Header(**(fields | changes))


def write(path: Path, key: OfflineKey, block: Block, **changes: Any) -> str:
    """Write a signed package of these rows; returns its hash."""
    return package.write(path, header(key, block, **changes), [block], key)


async def trust(store: Store, key: OfflineKey, now: datetime = MADE_AT) -> Signer:
    """Have packages of this machine taken from now on."""
    signer = Signer(key.signer, key.digest.election, key.digest.key_id)
    async with store.transaction() as session:
        await signers.install(session, signer, basis="试验", now=now)
    return signer


async def put_in_force(store: Store, path: Path, now: datetime = MADE_AT) -> RollImport:
    """Put a package in force as the first one, the way a fresh installation does."""
    async with store.transaction() as session:
        return await imports.install(session, package.check(path), now=now)


async def install_roll(
    store: Store,
    tmp_path: Path,
    voters: Sequence[Voter] = CAST,
    *,
    key: OfflineKey | None = None,
    marks: Mapping[Voter, Mark] | None = None,
    receipts: bool = True,
    now: datetime = MADE_AT,
) -> DigestKey:
    """Put a roll of these voters in force, with their receipt codes; needs the cast's units.

    Returns the service's key; its file is `tmp_path / "roll.key"`. The signing half is thrown away unless
    `key` is given.
    """
    made = key or keys.make(ELECTION)
    write(tmp_path / "first.roll", made, rows(made.digest, voters, marks=marks, receipts=receipts))
    keys.write_service(made.digest, tmp_path / "roll.key")
    await trust(store, made, now)
    await put_in_force(store, tmp_path / "first.roll", now)
    return made.digest
