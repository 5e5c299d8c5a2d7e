"""Using an entry is reviewing it: an officer who finds it wrong while answering tells who is responsible."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.versions import Entry, EntryVersion
from office import audit, notices, units, work_groups
from office.staff import Role, Staff
from office.store import ring_after_commit
from office.units import Unit, contains
from ticketing.intake import clean, post
from ticketing.moving import may_work, reason_given
from ticketing.records import QUEUE_TOPIC, PostKind, Ticket


async def flag(
    session: AsyncSession, ticket: Ticket, version: EntryVersion, why: str, *, actor: Staff, now: datetime
) -> int:
    """Say that an entry's version is wrong; returns how many people were told.

    The reason stands as a note on the ticket, where it was found, and in the audit of the entry that somebody
    doubted it. Told are the members of the group that answers for the entry, else who may publish it.
    """
    await may_work(session, actor, ticket)
    entry = await session.get_one(Entry, version.entry_id)
    said = await clean(session, await reason_given(session, why))
    words = f"{entry.entry_no}（{version.number}）：{said}"
    await post(session, ticket, PostKind.NOTE, words, now=now, staff=actor)
    await audit.record(
        session, "entry.flag", f"entry:{entry.id}", actor=actor.as_actor(), now=now,
        version=version.number, ticket=ticket.ticket_no,
    )  # fmt: skip
    told = 0
    facts = {"no": entry.entry_no, "n": version.number, "ticket": ticket.ticket_no, "who": actor.masked_name}
    for person in await _responsible(session, version):
        if person.id != actor.id:
            told += await notices.tell(
                session, person.id, "entry_flagged", facts, key=f"flag:{ticket.id}:{version.id}:{actor.id}",
                subject=f"ticket:{ticket.id}", now=now,
            )  # fmt: skip
    ring_after_commit(session, QUEUE_TOPIC)
    return told


async def _responsible(session: AsyncSession, version: EntryVersion) -> list[Staff]:
    members = [person for person in await work_groups.members_of(session, version.group) if person.active]
    if members:
        return members
    scope = await units.get(session, version.scope_unit_id)
    everybody = await session.execute(
        select(Staff, Unit).join(Unit, Unit.id == Staff.unit_id).order_by(Staff.id)
    )
    return [
        person
        for person, home in everybody
        if person.active and Role.REVIEWER in person.roles and contains(home.path, scope.path)
    ]
