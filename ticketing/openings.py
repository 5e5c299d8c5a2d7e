"""Opening restricted texts: who may, with which reason, and that every opening is seen by others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from office import audit, notices, redact, staff, units
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.seal import Sealer
from office.staff import Permission, Staff, must, second_person
from office.store import insert_once
from office.units import Unit, contains
from ticketing import leading, restricted
from ticketing.records import Ticket
from ticketing.restricted import Restricted, RestrictedOpening, RestrictedReader

SHORTEST_REASON = 4
SHORTEST_BREAKING = 10
LONGEST_REASON = 300


async def open_(
    session: AsyncSession,
    ticket: Ticket,
    reason: str,
    *,
    sealer: Sealer,
    actor: Staff,
    now: datetime,
    break_glass: bool = False,
) -> Restricted:
    """The text in clear, for one page. It takes the role, a place on the list and a reason; each is audited.

    `break_glass`: a reviewer who is not on the list opens it all the same, with a longer reason; the other
    reviewers are told, and one of them has to look at it afterwards. Raises `NotPermitted("restricted_list")`
    for whoever is not on the list, `NotFound` for a ticket that never was offline.
    """
    unit = await units.get(session, ticket.unit_id)
    await must(session, actor, Permission.WORK_TICKETS, unit.path)
    listed = await session.get(RestrictedReader, (ticket.id, actor.id)) is not None
    broken = break_glass and not listed
    if not listed and not (broken and staff.may(actor, Permission.PUBLISH_ENTRIES)):
        raise NotPermitted("restricted_list")
    why = redact.text(reason.strip(), published=await units.published_numbers(session)).text[:LONGEST_REASON]
    if len(why) < (SHORTEST_BREAKING if broken else SHORTEST_REASON):
        raise Invalid("restricted_reason", least=SHORTEST_BREAKING if broken else SHORTEST_REASON)
    found = await restricted.read(session, ticket, sealer=sealer)
    if found is None:
        raise NotFound("ticket_unknown")
    opening = RestrictedOpening(
        ticket_id=ticket.id, staff_id=actor.id, reason=why, break_glass=broken, at=now
    )  # fmt: skip
    session.add(opening)
    await session.flush()
    await audit.record(
        session, "restricted.break" if broken else "restricted.open", f"ticket:{ticket.id}",
        actor=actor.as_actor(), now=now, opening=opening.id,
    )  # fmt: skip
    if broken:
        for other in await _reviewers(session, unit):
            if other.id != actor.id:
                facts = {"no": ticket.ticket_no, "who": actor.masked_name}
                await notices.tell(
                    session, other.id, "glass_broken", facts, key=f"glass:{opening.id}",
                    subject=f"ticket:{ticket.id}", now=now,
                )  # fmt: skip
    return found


async def openings(session: AsyncSession, ticket: Ticket) -> list[tuple[RestrictedOpening, Staff]]:
    """Every opening of a ticket's text, newest first, with who it was."""
    rows = await session.execute(
        select(RestrictedOpening, Staff)
        .join(Staff, Staff.id == RestrictedOpening.staff_id)
        .where(RestrictedOpening.ticket_id == ticket.id)
        .order_by(RestrictedOpening.id.desc())
    )
    return [(opening, person) for opening, person in rows]


async def unreviewed(session: AsyncSession, person: Staff) -> list[tuple[RestrictedOpening, Ticket, Staff]]:
    """Broken glass in a reviewer's reach that nobody has looked at yet, one's own as well, oldest first."""
    if not staff.may(person, Permission.PUBLISH_ENTRIES):
        return []
    rows = await session.execute(
        select(RestrictedOpening, Ticket, Staff)
        .join(Ticket, Ticket.id == RestrictedOpening.ticket_id)
        .join(Unit, Unit.id == Ticket.unit_id)
        .join(Staff, Staff.id == RestrictedOpening.staff_id)
        .where(RestrictedOpening.break_glass, RestrictedOpening.reviewed_at.is_(None))
        .where(Unit.path.startswith(await staff.reach(session, person)))
        .order_by(RestrictedOpening.id)
    )
    return [(opening, ticket, opener) for opening, ticket, opener in rows]


async def count_unreviewed(session: AsyncSession, person: Staff) -> int:
    """How much broken glass waits for this reviewer: one's own is for another."""
    if not staff.may(person, Permission.PUBLISH_ENTRIES):
        return 0
    found = await session.scalar(
        select(func.count(RestrictedOpening.id))
        .join(Ticket, Ticket.id == RestrictedOpening.ticket_id)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(RestrictedOpening.break_glass, RestrictedOpening.reviewed_at.is_(None))
        .where(Unit.path.startswith(await staff.reach(session, person)))
        .where(RestrictedOpening.staff_id != person.id)
    )
    return found or 0


async def review(session: AsyncSession, opening_id: int, *, actor: Staff, now: datetime) -> Ticket:
    """Another reviewer has looked at why the glass was broken; returns the ticket.

    Raises `NotFound` outside the reviewer's reach, `NotPermitted` for the one who broke it,
    `Conflict("already_decided")` for one that has been looked at.
    """
    opening = await session.get(RestrictedOpening, opening_id, with_for_update=True)
    if opening is None or not opening.break_glass:
        raise NotFound("ticket_unknown")
    ticket = await session.get_one(Ticket, opening.ticket_id)
    await must(session, actor, Permission.PUBLISH_ENTRIES)
    if not contains(await staff.reach(session, actor), (await units.get(session, ticket.unit_id)).path):
        raise NotFound("ticket_unknown")
    await second_person(session, actor, opening.staff_id, now=now)
    if opening.reviewed_at is not None:
        raise Conflict("restricted_reviewed")
    opening.reviewed_by_id, opening.reviewed_at = actor.id, now
    await audit.record(
        session, "restricted.review", f"ticket:{ticket.id}", actor=actor.as_actor(), now=now,
        opening=opening.id,
    )  # fmt: skip
    return ticket


async def readers(session: AsyncSession, ticket: Ticket) -> list[Staff]:
    """Who is on the list of a ticket, in order of joining the office."""
    rows = await session.scalars(
        select(Staff)
        .join(RestrictedReader, RestrictedReader.staff_id == Staff.id)
        .where(RestrictedReader.ticket_id == ticket.id)
        .order_by(Staff.id)
    )
    return list(rows.all())


async def admit(session: AsyncSession, ticket: Ticket, person: Staff, *, actor: Staff, now: datetime) -> None:
    """Put somebody on the list; the leader alone does. Raises `Invalid("offline_person")` for the unfit."""
    await leading.must_lead(session, actor, ticket, now=now)
    await fit(session, ticket, person)
    row = {"ticket_id": ticket.id, "staff_id": person.id, "added_by_id": actor.id, "added_at": now}
    if await insert_once(session, RestrictedReader, row, unique=("ticket_id", "staff_id")):
        await audit.record(
            session, "restricted.admit", f"ticket:{ticket.id}", actor=actor.as_actor(), now=now,
            staff=person.id,
        )  # fmt: skip


async def dismiss(
    session: AsyncSession, ticket: Ticket, person: Staff, *, actor: Staff, now: datetime
) -> None:
    """Take somebody off the list; the leader alone does, and never the case's owner."""
    await leading.must_lead(session, actor, ticket, now=now)
    if person.id == ticket.offline_owner_id:
        raise Conflict("offline_owner_reads")
    await session.execute(
        delete(RestrictedReader).where(
            RestrictedReader.ticket_id == ticket.id, RestrictedReader.staff_id == person.id
        )
    )
    await audit.record(
        session, "restricted.dismiss", f"ticket:{ticket.id}", actor=actor.as_actor(), now=now, staff=person.id
    )


async def fit(session: AsyncSession, ticket: Ticket, person: Staff) -> None:
    """Raise `Invalid("offline_person")` unless this person may work on the ticket at all."""
    unit = await units.get(session, ticket.unit_id)
    able = staff.may(person, Permission.WORK_TICKETS)
    if not able or not contains(await staff.reach(session, person), unit.path):
        raise Invalid("offline_person", who=person.masked_name)


async def _reviewers(session: AsyncSession, unit: Unit) -> list[Staff]:
    rows = await session.execute(select(Staff, Unit).join(Unit, Unit.id == Staff.unit_id).order_by(Staff.id))
    return [
        person
        for person, home in rows
        if staff.may(person, Permission.PUBLISH_ENTRIES) and contains(home.path, unit.path)
    ]
