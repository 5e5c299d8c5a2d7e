"""Up to the city and back (需请示上级), and down to a street office: one ticket, whose reach follows."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from office import staff
from office.errors import Conflict, Invalid, NotPermitted
from office.hours import OfficeHours, beijing_day
from office.staff import Permission, Staff
from office.units import Unit, contains
from ticketing import assigning, holding, restricted
from ticketing.intake import clean, post
from ticketing.moving import lock, may_work, move, must_hold, noted, reason_given, unit_path
from ticketing.records import PostKind, Ticket, TicketState, UnansweredReason

S = TicketState
LONGEST_NO = 40
LONGEST_BASIS = 500


async def ask_up(
    session: AsyncSession, ticket: Ticket, reference: str, *, actor: Staff, now: datetime
) -> None:
    """Note that the office above was asked, under which reference; the ticket stays with whoever holds it.

    What was asked goes its own way on paper; here stand number and time. A hold is the assignee's next act.
    Raises `Invalid("superior_no")` without a reference, `Conflict("superior_asked")` while one waits.
    """
    await must_hold(session, actor, ticket)
    restricted.must_be_open(ticket)
    number = (await clean(session, " ".join(reference.split())))[:LONGEST_NO]
    if not number:
        raise Invalid("superior_no")
    if waiting(ticket):
        raise Conflict("superior_asked")
    ticket.superior_no, ticket.superior_asked_at, ticket.superior_answered_at = number, now, None
    ticket.why_unanswered = UnansweredReason.NEEDS_SUPERIOR
    await session.flush()
    await noted(session, ticket, "superior_ask", actor.as_actor(), now)


async def answered(
    session: AsyncSession,
    ticket: Ticket,
    text: str,
    reference: str,
    day: date,
    *,
    actor: Staff,
    hours: OfficeHours,
    now: datetime,
) -> None:
    """What the office above answered, with reference and date: the basis of the answer to be proposed.

    It stands in the thread for colleagues as well, and a hold that waited for it ends. Raises
    `Conflict("superior_not_asked")` where nobody was asked, `Invalid("superior_day")` for a day to come.
    """
    await may_work(session, actor, ticket)
    await lock(session, ticket)
    restricted.must_be_open(ticket)
    if not waiting(ticket) or ticket.state not in (S.WORKING, S.ON_HOLD):
        raise Conflict("superior_not_asked")
    came = (await clean(session, text.strip()))[:LONGEST_BASIS]
    number = (await clean(session, " ".join(reference.split())))[:LONGEST_NO]
    if not came or not number:
        raise Invalid("superior_no" if came else "text_needed")
    if day > beijing_day(now):
        raise Invalid("superior_day")
    head = f"{number}（{day.year}年{day.month}月{day.day}日）"
    ticket.superior_answered_at = now
    ticket.conclusion_basis = f"{head}：{came}"[:LONGEST_BASIS]
    await session.flush()
    await post(session, ticket, PostKind.NOTE, f"{head}\n{came}", now=now, staff=actor)
    await noted(session, ticket, "superior_answer", actor.as_actor(), now)
    if ticket.state is S.ON_HOLD:
        # Written down by somebody else it goes on by itself, and whoever holds it is told.
        by = actor if ticket.assignee_id == actor.id else None
        await holding.resume(session, ticket, actor=by, hours=hours, now=now)


def waiting(ticket: Ticket) -> bool:
    """Whether the office above was asked and has not answered."""
    return ticket.superior_asked_at is not None and ticket.superior_answered_at is None


async def down(
    session: AsyncSession,
    ticket: Ticket,
    unit: Unit,
    to: Staff | None,
    reason: str,
    *,
    actor: Staff,
    now: datetime,
) -> None:
    """Give a ticket to a unit below: its reach follows at once, and the first taker answers for it until
    somebody there accepts.

    `to` is an officer of that unit, or None to lay it into the unit's queue. Raises
    `Invalid("unit_not_below")` for a unit that does not lie under the ticket's, `NotPermitted` for an officer
    who could not see it there.
    """
    await may_work(session, actor, ticket)
    await lock(session, ticket)
    restricted.must_be_open(ticket)
    if ticket.state is not S.UNASSIGNED and not (
        ticket.state is S.WORKING and ticket.assignee_id == actor.id
    ):
        raise Conflict("not_yours" if ticket.state is S.WORKING else "stale_card")
    above = await unit_path(session, ticket)
    if unit.path == above or not contains(above, unit.path):
        raise Invalid("unit_not_below")
    if to is not None and not (
        staff.may(to, Permission.WORK_TICKETS) and contains(await staff.reach(session, to), unit.path)
    ):
        raise NotPermitted("not_permitted")
    why = await reason_given(session, reason)
    # The group was one of the unit above; who answers there, that unit decides.
    before, ticket.unit_id, ticket.group = ticket.unit_id, unit.id, ""
    if ticket.first_taker_id is None:
        ticket.first_taker_id = actor.id
    await session.flush()
    await noted(session, ticket, "down", actor.as_actor(), now, unit=[before, unit.id])
    if ticket.state is S.UNASSIGNED:
        ticket.reason = why
        await session.flush()
        if to is not None:
            await assigning.assign(session, ticket, to, actor=actor, now=now)
    elif to is not None:
        await assigning.transfer(session, ticket, group=ticket.group, to=to, reason=why, actor=actor, now=now)
    else:
        ticket.reason = why
        ticket.assignee_id = ticket.taken_at = None
        await move(session, ticket, S.UNASSIGNED, "send_back", actor.as_actor(), now)
