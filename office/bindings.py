"""Which chat belongs to which member of staff, and which group chat to which unit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, outbox
from office.audit import Actor, ActorKind
from office.contacts import Contact
from office.staff import Staff
from office.store import Base, word
from office.units import Unit

# Kinds of the messages by which a chat learns that it became, or is no more, the chat of somebody on staff.
BOUND_KIND = "staff_bound"
ENDED_KIND = "staff_unbound"


class BindingState(StrEnum):
    """An invitation that was followed waits for the same two digits in the console; then it is bound."""

    INVITED = auto()
    WAITING = auto()
    BOUND = auto()
    ENDED = auto()


B = BindingState
BINDING_MOVES: Mapping[BindingState, frozenset[BindingState]] = {
    B.INVITED: frozenset({B.WAITING, B.ENDED}),
    B.WAITING: frozenset({B.BOUND, B.ENDED}),
    B.BOUND: frozenset({B.ENDED}),
}


class StaffBinding(Base):
    """The way of one person into one chat: invited (24 hours, single use), two digits compared, bound.

    `wrong` counts the numbers that an administrator typed and that were not the digits. `bound_by_id` is who
    typed the right ones; where the person has another chat already, that one agrees as well (`agreed_at`).
    """

    __tablename__ = "staff_binding"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[BindingState] = mapped_column(word(BindingState), default=BindingState.INVITED)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    digits: Mapped[str] = mapped_column(String(2), default="")
    wrong: Mapped[int] = mapped_column(default=0)
    agreed_at: Mapped[datetime | None]
    invited_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    invited_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    bound_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    bound_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


class GroupPurpose(StrEnum):
    """What a group chat is for: the helpdesk's own, staff of a unit, or open to voters."""

    DESK = auto()
    STAFF = auto()
    OPEN = auto()


class GroupState(StrEnum):
    """A group we were put into is seen; one that was asked to be bound waits for the console.

    LOST: we are not in it any more, or it is gone.
    """

    SEEN = auto()
    ASKED = auto()
    BOUND = auto()
    ENDED = auto()
    LOST = auto()


G = GroupState
GROUP_MOVES: Mapping[GroupState, frozenset[GroupState]] = {
    G.SEEN: frozenset({G.ASKED, G.LOST}),
    G.ASKED: frozenset({G.BOUND, G.ENDED, G.LOST}),
    G.BOUND: frozenset({G.ENDED, G.LOST}),
    G.ENDED: frozenset({G.ASKED, G.LOST}),
    G.LOST: frozenset({G.SEEN, G.ASKED}),
}


class ChatGroup(Base):
    """A group chat bound to a unit. `topics` names the forum topic of each ledger, `urgent`,
    `log` and `tips`.

    `asked_at` is when it was put into its present state, short of being bound: a day later we leave.
    `administrator`: the group has made us one of its administrators. `restricted_at`: since when
    we may not speak there; `moved_at`: when it last got another number.
    """

    __tablename__ = "chat_group"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[GroupState] = mapped_column(word(GroupState), default=GroupState.ASKED)
    purpose: Mapped[GroupPurpose] = mapped_column(word(GroupPurpose), default=GroupPurpose.STAFF)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    title: Mapped[str] = mapped_column(String(128), default="")
    topics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    bound_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    bound_at: Mapped[datetime | None]
    silent_since: Mapped[datetime | None]
    administrator: Mapped[bool] = mapped_column(default=False)
    restricted_at: Mapped[datetime | None]
    moved_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


async def bound(session: AsyncSession, contact: Contact) -> Staff | None:
    """Who holds this chat: a member of staff whose account is open, else None."""
    person = await holder(session, contact)
    return person if person is not None and person.active else None


async def holder(session: AsyncSession, contact: Contact) -> Staff | None:
    """Whose chat this is, whatever became of the account; None for a chat that is nobody's."""
    return await session.scalar(
        select(Staff)
        .join(StaffBinding, StaffBinding.staff_id == Staff.id)
        .where(StaffBinding.contact_id == contact.id, StaffBinding.state == B.BOUND)
        .limit(1)
    )


async def stopped(session: AsyncSession, contact: Contact) -> Staff | None:
    """Who held this chat last and may not act any more; None where nobody did, or the account is open.

    What such a person tries is refused as anybody's would be, and written down.
    """
    person = await session.scalar(
        select(Staff)
        .join(StaffBinding, StaffBinding.staff_id == Staff.id)
        .where(StaffBinding.contact_id == contact.id, StaffBinding.state.in_((B.BOUND, B.ENDED)))
        .where(StaffBinding.bound_at.is_not(None))
        .order_by(StaffBinding.bound_at.desc(), StaffBinding.id.desc())
        .limit(1)
    )
    return person if person is not None and not person.active else None


async def contacts_of(session: AsyncSession, person: Staff) -> list[Contact]:
    """The chats that are bound to a person, the first one first."""
    rows = await session.scalars(
        select(Contact)
        .join(StaffBinding, StaffBinding.contact_id == Contact.id)
        .where(StaffBinding.staff_id == person.id, StaffBinding.state == B.BOUND)
        .order_by(StaffBinding.id)
    )
    return list(rows.all())


async def end(session: AsyncSession, binding: StaffBinding, *, why: str, actor: Actor, now: datetime) -> None:
    """End an invitation or a binding; a chat that was bound is told so. `why` is one word for the audit.

    Checks nothing: whoever calls has. Raises `Conflict("stale_card")` if it has ended already.
    """
    was_bound = binding.state is B.BOUND
    binding.ended_at, binding.digits = now, ""
    await audit.move(
        session, binding, B.ENDED, by="end", table=BINDING_MOVES, actor=actor, now=now,
        staff=binding.staff_id, why=why,
    )  # fmt: skip
    if was_bound and binding.contact_id is not None:
        contact = await session.get_one(Contact, binding.contact_id)
        await outbox.put(
            session, contact, ENDED_KIND, {}, key=f"unbound:{binding.id}",
            subject=f"staff_binding:{binding.id}", now=now, priority=outbox.Priority.NOTICE,
        )  # fmt: skip


async def end_all(session: AsyncSession, person: Staff, *, actor: Staff, now: datetime) -> int:
    """End every binding and every open invitation of a person: the account was stopped. Returns how many.

    The permission is that of the act which calls this: `staff.suspend`, `staff.deactivate`.
    """
    rows = await session.scalars(
        select(StaffBinding)
        .where(StaffBinding.staff_id == person.id, StaffBinding.state != B.ENDED)
        .order_by(StaffBinding.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = list(rows.all())
    for binding in found:
        await end(session, binding, why="stopped", actor=actor.as_actor(), now=now)
    return len(found)


async def unbind(session: AsyncSession, contact: Contact, *, now: datetime) -> bool:
    """The person ends the binding of the chat they write from; returns whether there was one."""
    rows = await session.scalars(
        select(StaffBinding)
        .where(StaffBinding.contact_id == contact.id, StaffBinding.state == B.BOUND)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = list(rows.all())
    for binding in found:
        await end(session, binding, why="own_wish", actor=by(contact), now=now)
    return bool(found)


async def listed(session: AsyncSession, within: str) -> list[tuple[StaffBinding, Staff, Contact | None]]:
    """Invitations and bindings that have not ended, of people under the path `within`; waiting ones first."""
    rows = await session.execute(
        select(StaffBinding, Staff, Contact)
        .join(Staff, Staff.id == StaffBinding.staff_id)
        .join(Unit, Unit.id == Staff.unit_id)
        .outerjoin(Contact, Contact.id == StaffBinding.contact_id)
        .where(StaffBinding.state != B.ENDED, Unit.path.startswith(within))
        .order_by(StaffBinding.state != B.WAITING, StaffBinding.state != B.INVITED, StaffBinding.id)
    )
    return [(binding, person, contact) for binding, person, contact in rows]


def by(contact: Contact) -> Actor:
    """Whoever holds a chat, as the audit keeps an acting contact."""
    return Actor(ActorKind.CONTACT, contact.id, "asker", contact.channel.value)
