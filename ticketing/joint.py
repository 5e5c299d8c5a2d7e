"""Joint handling (会办): several contribute to a ticket, one answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import staff
from office.errors import Conflict, Invalid, NotPermitted
from office.staff import Permission, Staff
from office.store import Base, insert_once
from office.units import contains
from ticketing.assigning import tell
from ticketing.intake import clean, post
from ticketing.moving import lock, may_work, must_hold, noted, text_given, unit_path
from ticketing.records import OPEN_STATES, PostKind, Ticket


class JointMember(Base):
    """Somebody asked to contribute; `given_at` once they have."""

    __tablename__ = "joint_member"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    added_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    added_at: Mapped[datetime]
    given_at: Mapped[datetime | None]


async def add(session: AsyncSession, ticket: Ticket, person: Staff, *, actor: Staff, now: datetime) -> bool:
    """Ask somebody to contribute to a ticket one works on; returns whether they are new to it.

    The ticket stays with whoever answers it. Raises `Invalid("assignee_unfit")` for somebody who may not see
    or work on it, and for oneself.
    """
    await must_hold(session, actor, ticket)
    path = await unit_path(session, ticket)
    able = staff.may(person, Permission.WORK_TICKETS) and contains(await staff.reach(session, person), path)
    if not able or person.id == actor.id:
        raise Invalid("assignee_unfit")
    row = {"ticket_id": ticket.id, "staff_id": person.id, "added_by_id": actor.id, "added_at": now}
    if not await insert_once(session, JointMember, row, unique=("ticket_id", "staff_id")):
        return False
    await noted(session, ticket, "add_joint", actor.as_actor(), now, person=person.id)
    await tell(session, ticket, [person], "joint", now=now, who=actor.masked_name)
    return True


async def contribute(
    session: AsyncSession, ticket: Ticket, text: str, *, actor: Staff, now: datetime
) -> None:
    """Write one's part of a joint ticket into its thread; whoever answers is told.

    Raises `NotPermitted("not_joint")` for anybody who was not asked, `Conflict("stale_card")` once the ticket
    is answered.
    """
    await may_work(session, actor, ticket)
    await lock(session, ticket)
    member = await session.get(JointMember, (ticket.id, actor.id))
    if member is None:
        raise NotPermitted("not_joint")
    if ticket.state not in OPEN_STATES:
        raise Conflict("stale_card")
    await post(session, ticket, PostKind.JOINT, await clean(session, text_given(text)), now=now, staff=actor)
    again = member.given_at is not None
    member.given_at = member.given_at or now
    await noted(session, ticket, "contribute", actor.as_actor(), now)
    if not again:
        await tell(session, ticket, [ticket.assignee_id], "contributed", now=now, who=actor.masked_name)


async def members(session: AsyncSession, ticket: Ticket) -> Sequence[tuple[JointMember, Staff]]:
    """Who was asked to contribute, with whether they have, in the order of asking."""
    rows = await session.execute(
        select(JointMember, Staff)
        .join(Staff, Staff.id == JointMember.staff_id)
        .where(JointMember.ticket_id == ticket.id)
        .order_by(JointMember.added_at, JointMember.staff_id)
    )
    return [(member, person) for member, person in rows]
