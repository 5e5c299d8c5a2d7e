"""Whose signature a package must bear: a public key that one person enters and another one signs."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.ext.asyncio import AsyncSession

from office import changes, units
from office.changes import Change, ChangeKind
from office.errors import Invalid
from office.hours import beijing_day
from office.staff import Staff

SUBJECT: Final = "roll"
LONGEST_ELECTION: Final = 80


@dataclass(frozen=True, slots=True)
class Signer:
    """The machine whose packages are taken: its public key, the election, and the id of the digest key."""

    public_key: str
    election: str
    key_id: str


async def in_force(session: AsyncSession, *, now: datetime) -> Signer | None:
    """The signer that two persons trust now; None until there is one."""
    change = await changes.in_force(session, ChangeKind.SIGNER, SUBJECT, beijing_day(now))
    return of_change(change) if change else None


def of_change(change: Change) -> Signer:
    """The signer that a change names."""
    return Signer(**change.content)


def read(public_key: str, election: str, key_id: str) -> Signer:
    """A signer as it was typed off the offline machine's screen; spaces and capitals do not matter.

    Raises `Invalid`: "roll_signer.public_key" (64 hexadecimal characters), "roll_signer.key_id" (16),
    "roll_signer.election".
    """
    public, key, name = _plain(public_key), _plain(key_id), election.strip()
    if not re.fullmatch(r"[0-9a-f]{64}", public):
        raise Invalid("roll_signer.public_key")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    except ValueError as error:
        raise Invalid("roll_signer.public_key") from error
    if not re.fullmatch(r"[0-9a-f]{16}", key):
        raise Invalid("roll_signer.key_id")
    if not name or len(name) > LONGEST_ELECTION or not name.isprintable():
        raise Invalid("roll_signer.election")
    return Signer(public, name, key)


async def propose(
    session: AsyncSession, signer: Signer, *, basis: str, actor: Staff, now: datetime
) -> Change:
    """Propose whose packages shall be taken from now on; a second person signs it as any other change.

    Raises `Invalid("roll_signer.unchanged")` and what `changes.propose` raises.
    """
    if signer == await in_force(session, now=now):
        raise Invalid("roll_signer.unchanged")
    office = await units.election_office(session)
    return await changes.propose(
        session, ChangeKind.SIGNER, SUBJECT, asdict(signer), basis=basis, scope=office, actor=actor, now=now
    )


async def install(session: AsyncSession, signer: Signer, *, basis: str, now: datetime) -> Change:
    """The signer of a fresh installation's sample roll. Raises `Conflict` if one was entered already."""
    office = await units.election_office(session)
    return await changes.install(
        session, ChangeKind.SIGNER, SUBJECT, asdict(signer), basis=basis, scope=office, now=now
    )


def _plain(text: str) -> str:
    return "".join(text.split()).lower()
