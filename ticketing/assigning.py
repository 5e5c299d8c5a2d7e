"""Whose a ticket is: given, accepted, handed on, sent back, and never left with nobody (首接负责)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from office import notices, staff, units, work_groups
from office.audit import CLOCK
from office.errors import Conflict, Invalid, NotPermitted
from office.hours import OfficeHours
from office.rosters import Roster, RosterState
from office.shifts import present
from office.staff import Permission, Staff
from office.units import contains
from ticketing import duty, leading
from ticketing.intake import clean, post
from ticketing.moving import LONGEST_REASON, lock, may_work, move, noted, reason_given, unit_path
from ticketing.records import OPEN_STATES, PostKind, Ticket, TicketState

S = TicketState
ACCEPT_WITHIN = timedelta(minutes=30)
"""Duty time in which an assigned ticket has to be accepted."""
FREE_HOPS = 2
"""So many times a ticket may go on or back between officers; after that a leader decides (third hop)."""
BATCH = 100


async def assign(
    session: AsyncSession, ticket: Ticket, to: Staff, *, actor: Staff | None, now: datetime, group: str = ""
) -> None:
    """Give a ticket that nobody has to somebody: by a leader, or by the clock (`actor` None).

    Raises `NotPermitted("leader_needed")` for anybody else, `Invalid("assignee_unfit")` for a person who has
    left, may not work on tickets or does not reach this one, and `Invalid("group_unknown")`.
    """
    if actor is not None:
        await may_work(session, actor, ticket)
        await leading.must_lead(session, actor, ticket, now=now)
    await _fit(session, ticket, to)
    await lock(session, ticket)
    if ticket.state is not S.UNASSIGNED:
        raise Conflict("stale_card")
    ticket.group = await _group(session, group) or ticket.group
    ticket.assignee_id, ticket.assigned_at, ticket.taken_at = to.id, now, None
    who = actor.as_actor() if actor else CLOCK
    await move(session, ticket, S.ASSIGNED, "assign", who, now, given_to=to.id)
    await tell(session, ticket, [to], "assigned", now=now)


async def accept(session: AsyncSession, ticket: Ticket, *, actor: Staff, now: datetime) -> None:
    """Begin with what was given to one, or to one's group; from here the first taker is free of it.

    Raises `Conflict("not_yours")` for what was given to somebody else: that can be taken.
    """
    await may_work(session, actor, ticket)
    await lock(session, ticket)
    if ticket.state is not S.ASSIGNED:
        raise Conflict("stale_card")
    await _given(session, ticket, actor)
    ticket.assignee_id, ticket.taken_at = actor.id, now
    if ticket.first_taker_id is None:
        ticket.first_taker_id = actor.id
    await move(session, ticket, S.WORKING, "accept", actor.as_actor(), now)


async def transfer(
    session: AsyncSession,
    ticket: Ticket,
    *,
    group: str,
    to: Staff | None,
    reason: str,
    actor: Staff,
    now: datetime,
) -> None:
    """Hand a ticket one works on to another group or person, with a reason; they accept or send back.

    The third hop is a leader's: raises `NotPermitted("hops_used_up")` for anybody else,
    `Invalid("to_needed")` if neither a group nor a person is named, and `Invalid("group_empty")` for a group
    in which nobody could accept it.
    """
    await _may_pass_on(session, ticket, actor, (S.WORKING,), now)
    name = await _group(session, group)
    if to is not None:
        await _fit(session, ticket, to)
    if (to is None and not name) or (to is not None and to.id == ticket.assignee_id):
        raise Invalid("to_needed")
    people = [to] if to else await _members(session, ticket, name)
    if not people:
        raise Invalid("group_empty")
    ticket.reason = await reason_given(session, reason)
    ticket.group = name or ticket.group
    await _say_why(session, ticket, ticket.reason, actor, now)
    ticket.assignee_id, ticket.assigned_at, ticket.taken_at = to.id if to else None, now, None
    ticket.hops += 1
    who = actor.as_actor()
    await move(
        session, ticket, S.ASSIGNED, "transfer", who, now, hops=ticket.hops, given_to=ticket.assignee_id
    )
    await tell(session, ticket, people, "assigned", now=now)
    await _last_hop(session, ticket, now)


async def send_back(
    session: AsyncSession, ticket: Ticket, *, reason: str, rule: str, actor: Staff, now: datetime
) -> None:
    """Give back a ticket that is not one's own to answer: the reason, and the rule that says whose it is.

    Which group it is for is open again.

    The third hop is a leader's. The first taker, who answers for it again, and the leaders are told.
    """
    await _may_pass_on(session, ticket, actor, (S.ASSIGNED, S.WORKING), now)
    why = await reason_given(session, reason)
    cited = (await clean(session, rule.strip()))[:LONGEST_REASON]
    if not cited:
        raise Invalid("rule_needed")
    ticket.reason = f"{why}（{cited}）"[:LONGEST_REASON]
    await _say_why(session, ticket, ticket.reason, actor, now)
    ticket.assignee_id = ticket.taken_at = None
    ticket.group = ""
    ticket.hops += 1
    await move(session, ticket, S.UNASSIGNED, "send_back", actor.as_actor(), now, hops=ticket.hops)
    await _tell_first_and_leaders(session, ticket, "sent_back", now)
    await _last_hop(session, ticket, now)


async def requeue(session: AsyncSession, person: Staff, *, actor: Staff | None, now: datetime) -> int:
    """Take everything open out of the hands of somebody who leaves; returns how many tickets there were.

    What they had or should have accepted goes into the queue. A hold goes on, and a draft answer goes on
    waiting for its reviewer, without them. By the person, a leader's or administrator's hand, or the clock.
    """
    if actor is not None and actor.id != person.id:
        path = (await units.get(session, person.unit_id)).path
        if not staff.may(actor, Permission.MANAGE_STAFF):
            await staff.must(session, actor, Permission.WORK_TICKETS, path)
            if not await leading.leads(session, actor, await units.get(session, person.unit_id), now=now):
                raise NotPermitted("leader_needed")
        else:
            await staff.must(session, actor, Permission.MANAGE_STAFF, path)
    who = actor.as_actor() if actor else CLOCK
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.assignee_id == person.id, Ticket.state.in_(OPEN_STATES))
        .order_by(Ticket.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = rows.all()
    for ticket in found:
        ticket.assignee_id = None
        if ticket.state in (S.ASSIGNED, S.WORKING):
            ticket.taken_at = ticket.assigned_at = None
            await move(session, ticket, S.UNASSIGNED, "requeue", who, now, left=person.id)
        else:
            await noted(session, ticket, "requeue", who, now, left=person.id)
    return len(found)


async def regroup(session: AsyncSession, before: str, name: str) -> None:
    """Let open tickets of a group go along with its new name."""
    if before != name:
        open_ones = update(Ticket).where(Ticket.group == before, Ticket.state.in_(OPEN_STATES))
        await session.execute(open_ones.values(group=name))


def responsible(ticket: Ticket) -> int | None:
    """Whose the ticket is at this moment: who accepted it, else its first taker; None if it is nobody's."""
    if ticket.state in (S.UNASSIGNED, S.ASSIGNED):
        return ticket.first_taker_id
    return ticket.assignee_id


async def lapse(session: AsyncSession, *, hours: OfficeHours, now: datetime) -> int:
    """Put back what was not accepted within 30 duty minutes; first taker and leaders are told.

    Such a ticket is not given out by the clock again: `assigned_at` stays on it.
    """
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.state == S.ASSIGNED, Ticket.assigned_at <= now - ACCEPT_WITHIN)
        .order_by(Ticket.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    late = [
        ticket
        for ticket in rows.all()
        if ticket.assigned_at is not None and hours.duty_between(ticket.assigned_at, now) >= ACCEPT_WITHIN
    ]
    for ticket in late:
        ticket.assignee_id = None
        await move(session, ticket, S.UNASSIGNED, "lapse", CLOCK, now)
        await _tell_first_and_leaders(session, ticket, "lapsed", now)
    return len(late)


async def assign_new(session: AsyncSession, *, hours: OfficeHours, now: datetime) -> int:
    """Give out what nobody has taken yet, by group, duty and load, while somebody is signed in to a shift.

    Only where a roster was published; what was given to somebody before is a leader's to give again.
    """
    if not hours.is_open(now):
        return 0
    published = exists().where(Roster.state == RosterState.PUBLISHED)
    if not await session.scalar(select(published)):
        return 0
    if not any(
        shift.signed_in_at is not None and shift.signed_out_at is None
        for shift in await present(session, now)
    ):
        return 0
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.state == S.UNASSIGNED, Ticket.assigned_at.is_(None), Ticket.hops == 0)
        .order_by(Ticket.priority, Ticket.due_at, Ticket.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    given = 0
    for ticket in rows.all():
        person = await duty.choose(session, ticket, now=now)
        if person is not None:
            await assign(session, ticket, person, actor=None, now=now)
            given += 1
    return given


async def tell(
    session: AsyncSession, ticket: Ticket, people: Iterable[Staff | int | None], kind: str, *, now: datetime,
    **facts: Any,
) -> None:  # fmt: skip
    """Tell staff something about a ticket, each of them once for this version of it."""
    key = f"{kind}:{ticket.id}:{ticket.version}"
    numbers = {person.id if isinstance(person, Staff) else person for person in people}
    for number in sorted(number for number in numbers if number is not None):
        await notices.tell(
            session, number, kind, {"no": ticket.ticket_no, **facts}, key=key,
            subject=f"ticket:{ticket.id}", now=now,
        )  # fmt: skip


async def leaders_of(
    session: AsyncSession, ticket: Ticket, *, now: datetime, but: Staff | None = None
) -> list[Staff]:
    """Who leads for this ticket at this moment, without `but`."""
    return await leading.leaders(session, await units.get(session, ticket.unit_id), now=now, but=but)


async def _may_pass_on(
    session: AsyncSession, ticket: Ticket, actor: Staff, states: tuple[TicketState, ...], now: datetime
) -> None:
    await may_work(session, actor, ticket)
    await lock(session, ticket)
    if ticket.state not in states:
        raise Conflict("stale_card")
    if await leading.leads(session, actor, await units.get(session, ticket.unit_id), now=now):
        return
    await _given(session, ticket, actor)
    if ticket.hops >= FREE_HOPS:
        raise NotPermitted("hops_used_up", hops=ticket.hops)


async def _given(session: AsyncSession, ticket: Ticket, actor: Staff) -> None:
    if ticket.assignee_id is None and ticket.group:
        if actor.id in {person.id for person in await _members(session, ticket, ticket.group)}:
            return
    elif ticket.assignee_id == actor.id:
        return
    raise Conflict("not_yours")


async def _members(session: AsyncSession, ticket: Ticket, group: str) -> list[Staff]:
    """Those of a group who may work on the ticket."""
    path = await unit_path(session, ticket)
    return [
        person
        for person in await work_groups.members_of(session, group)
        if staff.may(person, Permission.WORK_TICKETS) and contains(await staff.reach(session, person), path)
    ]


async def _fit(session: AsyncSession, ticket: Ticket, person: Staff) -> None:
    path = await unit_path(session, ticket)
    able = staff.may(person, Permission.WORK_TICKETS)
    if not able or not contains(await staff.reach(session, person), path):
        raise Invalid("assignee_unfit")


async def _group(session: AsyncSession, name: str) -> str:
    name = name.strip()
    if name and await work_groups.named(session, name) is None:
        raise Invalid("group_unknown")
    return name


async def _say_why(session: AsyncSession, ticket: Ticket, why: str, actor: Staff, now: datetime) -> None:
    await post(session, ticket, PostKind.NOTE, why, now=now, staff=actor)


async def _tell_first_and_leaders(session: AsyncSession, ticket: Ticket, kind: str, now: datetime) -> None:
    await tell(
        session, ticket, [ticket.first_taker_id, *await leaders_of(session, ticket, now=now)], kind, now=now
    )


async def _last_hop(session: AsyncSession, ticket: Ticket, now: datetime) -> None:
    if ticket.hops >= FREE_HOPS:
        people = await leaders_of(session, ticket, now=now)
        await tell(session, ticket, people, "hops_used_up", now=now, hops=ticket.hops)
