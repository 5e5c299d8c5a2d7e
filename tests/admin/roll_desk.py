"""A roll for the tests of its pages: the cast on it, the key in place, lookups without their floor time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from knowledge.roll import keys
from knowledge.roll.keys import KeyHolder, OfflineKey
from knowledge.roll.lookups import Lookups
from office.staff import Role, Staff
from office.store import Store
from tests import rolls
from tests.make import Cast
from tests.voters import CAST, Voter


@dataclass(frozen=True)
class RollDesk:
    """The offline key, the folder of the service's key file, and who works with the roll."""

    key: OfflineKey
    folder: Path
    feng_yi: Staff
    """A second reviewer."""
    he_wei: Staff
    """A registrar."""
    gu_lan: Staff
    """Another registrar."""

    @property
    def key_path(self) -> Path:
        return self.folder / "roll.key"

    def package(self, *voters: Voter, hours: int = 12, **changes: Any) -> bytes:
        """A package of these voters, made some hours after the one in force."""
        path = self.folder / f"next-{hours}.roll"
        block = rolls.rows(self.key.digest, voters or CAST)
        made_at = rolls.MADE_AT + timedelta(hours=hours)
        rolls.write(path, self.key, block, made_at=changes.pop("made_at", made_at), **changes)
        return path.read_bytes()


async def open_roll(
    app: FastAPI, store: Store, cast: Cast, now: datetime, folder: Path, *, install: bool = True
) -> RollDesk:
    """Give the application its key and lookups, and with `install` a roll of the cast in force."""
    key = keys.make(rolls.ELECTION)
    if install:
        await rolls.install_roll(store, folder, key=key)
    else:
        keys.write_service(key.digest, folder / "roll.key")
        await rolls.trust(store, key)
    holder = KeyHolder(folder / "roll.key")
    looking = Lookups(store, holder, secret=b"secret of the tests", floor=0)
    app.state.services = replace(app.state.services, roll_key=holder, lookups=looking)
    async with store.transaction() as session:
        people = [
            Staff(
                name=name, unit_id=cast.district.id, roles=[role.value], created_at=now - timedelta(days=30)
            )
            for name, role in (("冯一", Role.REVIEWER), ("何伟", Role.REGISTRAR), ("顾兰", Role.REGISTRAR))
        ]
        session.add_all(people)
    return RollDesk(key, folder, *people)


def sent(content: bytes, name: str = "东浦区.roll") -> dict[str, Any]:
    """A file to be sent with a form."""
    return {"files": {"file": (name, content, "application/octet-stream")}}
