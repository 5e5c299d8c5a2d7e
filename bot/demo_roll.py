"""The sample roll of a fresh installation: invented voters, with keys of its own, in force from the start."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll import imports, keys, package, sample, signers
from knowledge.roll.columns import Status
from knowledge.roll.identity import DIGEST_SIZE, DIGEST_VERSION
from knowledge.roll.keys import OfflineKey
from knowledge.roll.package import RECORD, Header, Package
from knowledge.roll.records import Mark
from knowledge.roll.signers import Signer

OFFLINE: Final = "sample-offline.key"
"""Beside the service's key, for trying `roll build`. Of a real roll the offline key never comes here."""
CANARIES: Final = 3


async def install(
    session: AsyncSession, facts: Mapping[str, Any], key_file: Path, *, basis: str, now: datetime
) -> None:
    """Put a roll of invented voters in force, all in the caller's transaction.

    `facts` are `election` and `voters`, how many. `key_file` is the service's; it is made unless it is there.
    Raises `BadKey` if it is there and cannot be read, `OSError`.
    """
    with tempfile.TemporaryDirectory(prefix="one-window-sample-") as folder:
        made = await asyncio.to_thread(_make, Path(folder) / "sample.roll", facts, key_file, now)
        header = made.header
        signer = Signer(header.signer, header.election, header.key_id)
        await signers.install(session, signer, basis=basis, now=now)
        await imports.install(session, made, now=now)


def _make(path: Path, facts: Mapping[str, Any], key_file: Path, now: datetime) -> Package:
    key = _keys(str(facts["election"]), key_file)
    found: list[tuple[bytes, int, Mark]] = []
    places: dict[tuple[str, str, str], int] = {}
    read = 0
    for voter in sample.voters(int(facts["voters"])):
        read += 1
        place = places.setdefault((voter.place.district, voter.place.group, voter.place.station), len(places))
        mark = Mark.REGISTERED if voter.status is Status.REGISTERED else Mark(0)
        found.append((key.digest.identity(voter.name, voter.number), place, mark))
        found.append((key.digest.receipt(voter.receipt), place, mark | Mark.RECEIPT))
    # Nobody's rows have digests that nothing leads to.
    found += [(uuid.uuid4().bytes[:DIGEST_SIZE], 0, Mark.CANARY) for _ in range(CANARIES)]
    block = np.zeros(len(found), RECORD)
    for row, (digest, place, mark) in zip(block, sorted(found), strict=True):
        row["digest"], row["place"], row["mark"] = np.frombuffer(digest, "u1"), place, int(mark)
    header = Header(
        package_id=uuid.uuid4().hex, election=key.digest.election, key_id=key.digest.key_id,
        signer=key.signer, made_at=now, digest_version=DIGEST_VERSION, rows=len(block),
        places=tuple(places),
        counts={"read": read, "good": read, "refused": 0, "doubtful": 0, **package.tally(block)},
    )  # fmt: skip
    package.write(path, header, [block], key)
    return package.check(path)


def _keys(election: str, key_file: Path) -> OfflineKey:
    if key_file.exists():
        # Already carried here: then its rows are made with it, and signed by a machine of the sample's own.
        return OfflineKey(keys.read_service(key_file), Ed25519PrivateKey.generate())
    key = keys.make(election)
    key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys.write_service(key.digest, key_file)
    offline = key_file.with_name(OFFLINE)
    if not offline.exists():
        keys.write_offline(key, offline)
    return key
