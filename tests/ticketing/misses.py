"""Questions that the assistant missed, and short ways to look at what was made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from knowledge.golden import GoldenQuestion
from knowledge.lessons import Lesson, Source
from knowledge.versions import EntryVersion, by_number
from office import contacts
from office.contacts import Channel
from office.staff import Staff
from office.store import Store
from office.units import Unit
from tests.make import HOURS, Cast, an_entry
from tests.ticketing.gathered import asked
from tests.ticketing.work import BASIS, REPLY
from ticketing import ledgers, missed, missed_acts, tickets
from ticketing.ledgers import Enquiry, Outcome
from ticketing.missed import MissKey
from ticketing.records import Ticket


async def miss(
    store: Store,
    cast: Cast,
    now: datetime,
    words: str,
    *,
    who: str = "700",
    unit: Unit | None = None,
    offered: tuple[int, ...] = (),
    solved: bool | None = None,
    entry_id: int | None = None,
    **more: Any,
) -> Enquiry:
    """A question that became a ticket."""
    async with store.transaction() as session:
        contact = await contacts.seen(session, Channel.TELEGRAM, who, now=now)
        enquiry = await ledgers.record(
            session, contact, words, outcome=Outcome.TICKETED, now=now, offered=offered, entry_id=entry_id
        )
        enquiry.solved = solved
        ticket = await asked(session, cast, now, words, who=who, unit=unit or cast.district, **more)
        enquiry.ticket_id = ticket.id
    return enquiry


async def desk(store: Store, person: Staff, now: datetime, **more: Any) -> list[list[str]]:
    """The words on the desk, group by group."""
    async with store.reading() as session:
        found = await missed.groups(session, person, now=now, **more)
    return [[row.enquiry.words for row in group.rows] for group in found]


async def no_540(store: Store, cast: Cast, now: datetime, **changes: Any) -> EntryVersion:
    async with store.transaction() as session:
        return await an_entry(session, cast, now, **changes)


async def phrasing(store: Store, cast: Cast, now: datetime, rows: list[Enquiry], no: str = "K-0540") -> str:
    async with store.transaction() as session:
        entry = await by_number(session, no)
        return await missed_acts.to_phrasing(
            session, [row.id for row in rows], entry, actor=cast.li_qiang, now=now
        )


async def undone(store: Store, batch: str, person: Staff, now: datetime) -> MissKey:
    async with store.transaction() as session:
        return await missed_acts.undo(session, batch, actor=person, now=now)


async def taught(store: Store) -> list[tuple[Source, str, int | None]]:
    async with store.reading() as session:
        rows = await session.scalars(select(Lesson).order_by(Lesson.id))
        return [(row.source, row.words, row.entry_id) for row in rows]


async def golden_questions(store: Store) -> list[tuple[str, str]]:
    async with store.reading() as session:
        rows = await session.scalars(select(GoldenQuestion).where(GoldenQuestion.retired_at.is_(None)))
        return sorted((row.q, row.kind) for row in rows)


async def sign(store: Store, cast: Cast, row: Enquiry, now: datetime) -> Ticket:
    async with store.transaction() as session:
        found = await tickets.get(session, row.ticket_id)
        await tickets.take(session, found, actor=cast.li_qiang, now=now)
        await tickets.propose(session, found, REPLY, BASIS, actor=cast.li_qiang, now=now)
        await tickets.sign(session, found, seen=found.version, actor=cast.wang_fang, hours=HOURS, now=now)
    return found


async def of_row(store: Store, row: Enquiry) -> Ticket:
    async with store.reading() as session:
        return await tickets.get(session, row.ticket_id)
