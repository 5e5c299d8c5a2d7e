"""A roll in force with its lookups open, and the short way to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from knowledge.roll.attempts import Attempts
from knowledge.roll.identity import DigestKey
from knowledge.roll.keys import KeyHolder
from knowledge.roll.lookups import Caller, Found, Lookups
from knowledge.roll.records import Mark
from office.staff import Role, Staff
from office.store import Store
from tests import rolls
from tests.make import Cast
from tests.voters import CAST, Voter


@dataclass
class LookupDesk:
    """Lookups of a small roll without a floor time; `ask` and `show` are what the edges do."""

    store: Store
    cast: Cast
    now: datetime
    key: DigestKey
    key_file: Path
    lookups: Lookups
    notice: str = "1"
    asked: int = field(default=0)

    async def ask(
        self, voter: Voter, *, contact: str | None = None, network: str = "", now: datetime | None = None
    ) -> Found:
        """A lookup on the secure page; each one is of another contact, unless it says whose it is."""
        self.asked += 1
        caller = Caller("web", f"contact:{self.asked}" if contact is None else contact, network)
        async with self.store.transaction() as session:
            return await self.lookups.by_identity(
                session, caller, voter.name, voter.number, notice=self.notice, now=now or self.now
            )

    async def show(self, code: str, *, contact: str | None = None, now: datetime | None = None) -> Found:
        """A lookup by a receipt code in a chat."""
        self.asked += 1
        caller = Caller("telegram", f"contact:{self.asked}" if contact is None else contact, "")
        async with self.store.transaction() as session:
            return await self.lookups.by_receipt(session, caller, code, now=now or self.now)

    async def at_counter(self, person: Staff, voter: Voter, *, reason: str = "in_person") -> Found:
        """A lookup of who stands at the counter."""
        async with self.store.transaction() as session:
            return await self.lookups.at_counter(
                session, person, voter.name, voter.number, reason=reason, now=self.now
            )

    async def registrar(self) -> Staff:
        """陈洁, who may look up at the counter."""
        async with self.store.transaction() as session:
            person = Staff(
                name="陈洁", unit_id=self.cast.riverside.id, roles=[Role.REGISTRAR.value], created_at=self.now
            )
            session.add(person)
            await session.flush()
        return person


async def lookup_desk(
    store: Store,
    cast: Cast,
    folder: Path,
    now: datetime,
    voters: Sequence[Voter] = CAST,
    *,
    marks: Mapping[Voter, Mark] | None = None,
    attempts: Attempts | None = None,
    **more: Any,
) -> LookupDesk:
    """Put a roll of these voters in force and open its lookups; `more` goes to `Lookups`."""
    key = await rolls.install_roll(store, folder, voters, marks=marks)
    key_file = folder / "roll.key"
    more = {"floor": 0.0, **more}
    lookups = Lookups(store, KeyHolder(key_file), attempts, b"a secret of the tests", **more)
    return LookupDesk(store, cast, now, key, key_file, lookups)
