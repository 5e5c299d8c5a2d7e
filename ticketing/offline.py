"""Offline handling (线下跟进): what is confidential is followed up by one named person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto

from sqlalchemy import case, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from office import contacts, notices, outbox, staff, units
from office.errors import Conflict, NotPermitted
from office.seal import Sealer
from office.staff import Permission, Staff, must
from office.store import insert_once
from office.units import Unit, contains
from ticketing import concealing, intake, leading, openings
from ticketing.clusters import Cluster, ClusterState
from ticketing.joining import parted
from ticketing.moving import lock, move, noted, reason_given
from ticketing.particulars import Secrecy
from ticketing.records import OPEN_STATES, TRANSITIONS, ClosedBy, PostKind, Ticket, TicketState
from ticketing.restricted import RestrictedReader, flagged

S = TicketState
MESSAGE = "offline"
"""The kind of delivery that tells an asker: 将由工作人员与您联系."""


class OfflineWay(StrEnum):
    """How a confidential case was finished: 电话, 当面, 信函, 移送."""

    PHONE = auto()
    IN_PERSON = auto()
    LETTER = auto()
    PASSED_ON = auto()


class OfflineResult(StrEnum):
    """With which class of result: 已解决, 已解释说明, 已移送有关机关, 本人撤回, 联系不上."""

    SETTLED = auto()
    EXPLAINED = auto()
    PASSED_ON = auto()
    WITHDRAWN = auto()
    UNREACHABLE = auto()


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the list of confidential cases: no word of what it is about. `owner` is None while a leader
    has yet to decide."""

    ticket: Ticket
    unit: Unit
    owner: Staff | None


async def flag(session: AsyncSession, ticket: Ticket, *, actor: Staff, now: datetime) -> None:
    """Say that this should be handled offline; the leaders are told, and one of them decides.

    Whoever works on tickets may, and a registrar for what they took in themselves. A second flag changes
    nothing. Raises `Conflict("stale_card")` for a ticket that is no longer open.
    """
    unit = await units.get(session, ticket.unit_id)
    own = staff.may(actor, Permission.OPEN_TICKETS) and ticket.first_taker_id == actor.id
    if not own:
        await must(session, actor, Permission.WORK_TICKETS, unit.path)
    await lock(session, ticket)
    if ticket.state not in OPEN_STATES:
        raise Conflict("stale_card")
    if flagged(ticket):
        return
    ticket.secrecy = Secrecy.RESTRICTED
    await session.flush()
    await noted(session, ticket, "flag", actor.as_actor(), now)
    await tell_leaders(session, ticket, unit, now=now)


async def tell_leaders(session: AsyncSession, ticket: Ticket, unit: Unit, *, now: datetime) -> None:
    """Tell whoever leads now that a ticket waits for their decision."""
    for person in await leading.leaders(session, unit, now=now):
        await notices.tell(
            session, person.id, "flagged", {"no": ticket.ticket_no},
            key=f"flagged:{ticket.id}:{ticket.version}", subject=f"ticket:{ticket.id}", now=now,
        )  # fmt: skip


async def decline(session: AsyncSession, ticket: Ticket, reason: str, *, actor: Staff, now: datetime) -> None:
    """The leader decides that a flagged ticket is answered as usual; the reason goes into its thread."""
    await leading.must_lead(session, actor, ticket, now=now)
    await lock(session, ticket)
    if ticket.state not in OPEN_STATES or not flagged(ticket):
        raise Conflict("stale_card")
    why = await reason_given(session, reason)
    ticket.secrecy = Secrecy.INTERNAL
    await session.flush()
    await intake.post(session, ticket, PostKind.NOTE, why, now=now, staff=actor)
    await noted(session, ticket, "unflag", actor.as_actor(), now)


async def take(
    session: AsyncSession,
    ticket: Ticket,
    owner: Staff,
    *,
    readers: list[Staff],
    reason: str,
    sealer: Sealer,
    actor: Staff,
    now: datetime,
) -> None:
    """The leader has a ticket handled offline by `owner`; what it said is sealed and hidden everywhere.

    `readers` may open the text besides the owner. The asker is told once that staff will be in touch. What
    others had asked and was joined to it goes back into the queue, and a cluster that it led is closed.
    Raises `NotPermitted("leader_needed")`, `Conflict("stale_card")` from another state than UNASSIGNED,
    WORKING and ON_HOLD, `Invalid("offline_person")` for an owner or reader who could not work on it.
    """
    await leading.must_lead(session, actor, ticket, now=now)
    joined = list(
        (
            await session.scalars(
                select(Ticket).where(Ticket.merged_into_id == ticket.id).order_by(Ticket.id)
            )
        ).all()
    )
    await lock(session, ticket, *joined)
    if S.OFFLINE not in TRANSITIONS[ticket.state]:
        raise Conflict("stale_card")
    why = await reason_given(session, reason)
    named = {person.id: person for person in (owner, *readers)}
    for person in named.values():
        await openings.fit(session, ticket, person)
    same = [child for child in joined if child.contact_id and child.contact_id == ticket.contact_id]
    await concealing.move_in(session, [ticket, *same], why, sealer=sealer, actor=actor, now=now)
    ticket.offline_owner_id, ticket.assignee_id = owner.id, None
    ticket.secrecy = Secrecy.RESTRICTED
    await _leave_cluster(session, ticket, now)
    for child in joined:
        if child in same:
            # Whoever adds to the joined ticket writes to this case.
            child.offline_owner_id, child.secrecy = owner.id, Secrecy.RESTRICTED
        else:
            await parted(session, child, actor.as_actor(), now)
    for person in named.values():
        row = {"ticket_id": ticket.id, "staff_id": person.id, "added_by_id": actor.id, "added_at": now}
        await insert_once(session, RestrictedReader, row, unique=("ticket_id", "staff_id"))
    await session.flush()
    await move(
        session, ticket, S.OFFLINE, "take_offline", actor.as_actor(), now,
        owner=owner.id, readers=sorted(named),
    )  # fmt: skip
    await _tell(session, ticket, owner, now)


async def entrust(
    session: AsyncSession, ticket: Ticket, owner: Staff, *, actor: Staff, now: datetime
) -> None:
    """The leader gives a case that is handled offline to another owner, who comes onto its list."""
    await leading.must_lead(session, actor, ticket, now=now)
    await lock(session, ticket)
    if ticket.state is not S.OFFLINE:
        raise Conflict("stale_card")
    await openings.admit(session, ticket, owner, actor=actor, now=now)
    ticket.offline_owner_id = owner.id
    await session.flush()
    await noted(session, ticket, "entrust", actor.as_actor(), now, owner=owner.id)
    await notices.tell(
        session, owner.id, "offline_owner", {"no": ticket.ticket_no}, key=f"offline:{ticket.id}",
        subject=f"ticket:{ticket.id}", now=now,
    )  # fmt: skip


async def close(
    session: AsyncSession,
    ticket: Ticket,
    way: OfflineWay,
    result: OfflineResult,
    *,
    actor: Staff,
    now: datetime,
) -> None:
    """The owner closes the case, completed `now`. What was said stays in the restricted store.

    Raises `NotPermitted("offline_owner_only")` for anybody else: the leader entrusts it first.
    """
    unit = await units.get(session, ticket.unit_id)
    await must(session, actor, Permission.WORK_TICKETS, unit.path)
    await lock(session, ticket)
    if ticket.state is not S.OFFLINE:
        raise Conflict("stale_card")
    if ticket.offline_owner_id != actor.id:
        raise NotPermitted("offline_owner_only")
    ticket.offline_done_at = ticket.closed_at = now
    ticket.offline_way, ticket.offline_result = way.value, result.value
    ticket.closed_by, ticket.receipt_digest = ClosedBy.OFFICER, None
    await move(session, ticket, S.CLOSED, "close", actor.as_actor(), now, way=way.value, result=result.value)


async def listed(session: AsyncSession, person: Staff) -> list[Case]:
    """The confidential cases in a person's reach: what waits for a decision first, then the oldest."""
    await must(session, person, Permission.WORK_TICKETS)
    waiting = (Ticket.secrecy == Secrecy.RESTRICTED) & Ticket.state.in_(OPEN_STATES)
    rows = await session.execute(
        select(Ticket, Unit, Staff)
        .join(Unit, Unit.id == Ticket.unit_id)
        .outerjoin(Staff, Staff.id == Ticket.offline_owner_id)
        .where(Unit.path.startswith(await staff.reach(session, person)))
        .where(or_(waiting, Ticket.state == S.OFFLINE))
        .order_by(case((Ticket.state == S.OFFLINE, 1), else_=0), Ticket.accepted_at, Ticket.id)
    )
    return [Case(ticket, unit, owner) for ticket, unit, owner in rows]


async def suited(session: AsyncSession, ticket: Ticket) -> list[Staff]:
    """Who could own or read a case of this ticket's unit, in order of joining the office."""
    unit = await units.get(session, ticket.unit_id)
    rows = await session.execute(select(Staff, Unit).join(Unit, Unit.id == Staff.unit_id).order_by(Staff.id))
    return [
        person
        for person, home in rows
        if staff.may(person, Permission.WORK_TICKETS) and contains(home.path, unit.path)
    ]


async def _tell(session: AsyncSession, ticket: Ticket, owner: Staff, now: datetime) -> None:
    await notices.tell(
        session, owner.id, "offline_owner", {"no": ticket.ticket_no}, key=f"offline:{ticket.id}",
        subject=f"ticket:{ticket.id}", now=now,
    )  # fmt: skip
    if ticket.contact_id is not None:
        contact = await contacts.get(session, ticket.contact_id)
        await outbox.put(
            session, contact, MESSAGE, {"no": ticket.ticket_no}, key=f"offline:{ticket.id}",
            subject=f"ticket:{ticket.id}", now=now,
        )  # fmt: skip


async def _leave_cluster(session: AsyncSession, ticket: Ticket, now: datetime) -> None:
    """Out of the cluster; one that this ticket led has lost its question and is closed."""
    led = await session.scalars(select(Cluster).where(Cluster.lead_id == ticket.id).with_for_update())
    for cluster in led.all():
        cluster.state = ClusterState.CLOSED
        members = await session.scalars(
            select(Ticket).where(Ticket.cluster_id == cluster.id, Ticket.id != ticket.id)
        )
        for member in members.all():
            member.cluster_id = None
    ticket.cluster_id = None
