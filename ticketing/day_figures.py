"""A day in figures, each counted from rows: what came, what was answered, what was left, 日清 both ways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from office.hours import OfficeHours, moment
from ticketing import clocks
from ticketing.clocks import Counting
from ticketing.records import OPEN_STATES, PostKind, ThreadPost, Ticket, TicketState

S = TicketState
COUNTS = ("accepted", "answered", "open", "overdue", "on_hold", "undisposed")


def nothing(day: date, hours: OfficeHours) -> dict[str, Any]:
    """The figures of a unit without a ticket."""
    return {
        **dict.fromkeys(COUNTS, 0),
        **{counting.value: [0, 0] for counting in Counting},
        "duty_day": hours.is_duty_day(day),
    }


def added(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The figures of two units together."""
    return {
        **{name: one[name] + other[name] for name in COUNTS},
        **{
            counting.value: [a + b for a, b in zip(one[counting.value], other[counting.value], strict=True)]
            for counting in Counting
        },
        "duty_day": one["duty_day"],
    }


async def at_end(
    session: AsyncSession, day: date, hours: OfficeHours, undisposed: Sequence[ColumnElement[bool]]
) -> dict[int, dict[str, Any]]:
    """The figures of a day at its 24:00 by unit; `undisposed` says which open tickets have no disposition.

    Also when it is counted late: answers and acceptances carry their times. Only of tickets that were joined,
    set aside, held or opened again since nobody can tell any more how they stood at midnight.
    """
    begin, end = moment(day, clocks.MIDNIGHT - clocks.MIDNIGHT), moment(day, clocks.MIDNIGHT)
    still = or_(
        Ticket.state.in_(OPEN_STATES),
        and_(Ticket.state.in_((S.ANSWERED, S.CLOSED)), Ticket.answered_at >= end),
    )
    was_open = and_(Ticket.accepted_at < end, still)
    found: dict[int, dict[str, Any]] = defaultdict(lambda: nothing(day, hours))

    async def count(name: str, *where: ColumnElement[bool]) -> None:
        rows = await session.execute(
            select(Ticket.unit_id, func.count()).where(*where).group_by(Ticket.unit_id)
        )
        for unit_id, number in rows:
            found[unit_id][name] = number

    await count("accepted", Ticket.business_day == day)
    await count("open", was_open)
    await count("overdue", was_open, Ticket.due_at < end)
    await count("on_hold", was_open, Ticket.state == S.ON_HOLD)
    await count("undisposed", *undisposed)
    answers = await session.execute(
        select(Ticket.unit_id, func.count())
        .join(ThreadPost, ThreadPost.ticket_id == Ticket.id)
        .where(ThreadPost.kind == PostKind.ANSWER, ThreadPost.at >= begin, ThreadPost.at < end)
        .group_by(Ticket.unit_id)
    )
    for unit_id, number in answers:
        found[unit_id]["answered"] = number
    for counting, counted in ((Counting.CALENDAR, Ticket.business_day), (Counting.DUTY, Ticket.due_day)):
        for unit_id, clear, total in await _clear(session, counted == day, end):
            found[unit_id][counting.value] = [clear, total]
    return dict(found)


async def _clear(
    session: AsyncSession, counted: ColumnElement[bool], end: Any
) -> Sequence[tuple[int, int, int]]:
    """By unit: how many of the tickets counted were answered in time, and how many there are.

    What was set aside is no question. One that was joined is answered by its lead; what was taken offline is
    done when its owner says so.
    """
    lead = aliased(Ticket)
    answered = func.coalesce(
        Ticket.first_answered_at, Ticket.answered_at, lead.first_answered_at, lead.answered_at,
        Ticket.offline_done_at,
    )  # fmt: skip
    rows = await session.execute(
        select(Ticket.unit_id, func.sum(case((answered < end, 1), else_=0)), func.count())
        .outerjoin(lead, lead.id == Ticket.merged_into_id)
        .where(counted, Ticket.state != S.VOID)
        .group_by(Ticket.unit_id)
    )
    return [(unit_id, int(clear or 0), total) for unit_id, clear, total in rows]
