"""Calls as the tests of this package write them down."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from knowledge.versions import EntryVersion
from office.seal import Sealer
from office.staff import Staff
from office.store import Store
from tests.make import HOURS, Cast, an_entry
from ticketing import callers, calls
from ticketing.calls import Call
from ticketing.ledgers import Enquiry
from ticketing.records import Ticket, UnansweredReason

SECRET = b"secret of the tests"
SEALER = Sealer(SECRET)
PHONE = "138 0013 8000"
WORDS = "我把选民证弄丢了，到哪里补？"


def a_call(cast: Cast, words: str = WORDS, event: str = "f1", **more: Any) -> Call:
    fields: dict[str, Any] = {"words": words, "unit": cast.riverside, "event_id": event}
    if phone := more.get("phone"):
        fields["caller"] = callers.digest(SECRET, phone)
    return Call(**(fields | more))


async def told(store: Store, cast: Cast, call: Call, version: EntryVersion, now: datetime) -> Enquiry:
    async with store.transaction() as session:
        return await calls.answered(
            session, call, version, actor=cast.li_qiang, hours=HOURS, sealer=SEALER, now=now
        )


async def owed(
    store: Store, cast: Cast, call: Call, now: datetime, actor: Staff | None = None, group: str = ""
) -> Ticket:
    async with store.transaction() as session:
        return await calls.unanswered(
            session, call, UnansweredReason.NEEDS_DATA, group, actor=actor or cast.li_qiang, hours=HOURS,
            sealer=SEALER, now=now,
        )  # fmt: skip


async def entry(store: Store, cast: Cast, now: datetime, **changes: Any) -> EntryVersion:
    async with store.transaction() as session:
        return await an_entry(session, cast, now, **changes)


async def count(store: Store, table: type[Any], *conditions: Any) -> int:
    async with store.reading() as session:
        return (await session.scalar(select(func.count()).select_from(table).where(*conditions))) or 0
