"""Group chats: seen when we are put into one, asked for by an administrator in chat, bound in the console."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import audit, contacts, notices, outbox, staff, units
from office.audit import Actor
from office.bindings import GROUP_MOVES, ChatGroup, GroupPurpose, GroupState
from office.contacts import Channel, Contact, ContactKind, ContactState
from office.errors import Conflict, NotFound, NotPermitted
from office.staff import Permission, Staff
from office.store import insert_once
from office.units import Unit

# So long we stay in a group that nobody binds.
STAYS = timedelta(hours=24)
LONGEST_TITLE = 128
LEAVE_KIND = "leave_group"
BOUND_KIND = "group_bound"
G = GroupState


@dataclass(frozen=True, slots=True)
class Group:
    """A group with the place it is reached at; `new`: nobody had heard of it before this moment."""

    row: ChatGroup
    contact: Contact
    new: bool = False

    @property
    def bound(self) -> bool:
        return self.row.state is G.BOUND

    @property
    def internal(self) -> bool:
        """Whether what is meant for staff may be said here, to somebody on staff."""
        return self.bound and self.row.purpose in (GroupPurpose.DESK, GroupPurpose.STAFF)

    @property
    def silent(self) -> bool:
        return self.row.silent_since is not None


async def group_of(
    session: AsyncSession, chat_id: int, *, channel: Channel = Channel.TELEGRAM
) -> Group | None:
    """The group behind a chat's number, in whatever state; None where nobody has put us into it yet."""
    found = await session.execute(
        select(ChatGroup, Contact)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .where(Contact.channel == channel, Contact.address == str(chat_id))
    )
    row = found.one_or_none()
    return Group(row[0], row[1]) if row else None


async def seen(session: AsyncSession, chat_id: int, title: str, *, actor: Actor, now: datetime) -> Group:
    """We were put into a group, or hear of one for the first time: it waits for somebody to bind it.

    A bound one stays bound. The title is kept as the group bears it, so that the console can name it.
    """
    contact = await contacts.seen(session, Channel.TELEGRAM, str(chat_id), kind=ContactKind.GROUP, now=now)
    district = await units.election_office(session)
    row = {
        "contact_id": contact.id, "unit_id": district.id, "state": G.SEEN, "version": 1,
        "purpose": GroupPurpose.STAFF, "title": title[:LONGEST_TITLE], "topics": {}, "asked_at": now,
        "administrator": False,
    }  # fmt: skip
    new = await insert_once(session, ChatGroup, row, unique=("contact_id",))
    found = await _locked(session, contact.id)
    found.title = title[:LONGEST_TITLE] or found.title
    if new:
        await audit.record(session, "chat_group.seen", f"chat_group:{found.id}", actor=actor, now=now)
    elif found.state is G.LOST:
        found.asked_at = now
        await _move(session, found, G.SEEN, "seen", actor, now)
    return Group(found, contact, new)


async def ask(session: AsyncSession, group: Group, *, person: Staff, now: datetime) -> bool:
    """Somebody who may, asks in the chat for the group to be bound; returns whether that is new.

    Unit and purpose are chosen in the console. Raises `NotPermitted` without `MANAGE_STAFF`, and outside
    the person's reach for a group that is bound to another unit.
    """
    await staff.must(session, person, Permission.MANAGE_STAFF)
    row = await _locked(session, group.contact.id)
    if row.state in (G.ASKED, G.BOUND):
        return False
    row.asked_by_id, row.asked_at, row.unit_id = person.id, now, person.unit_id
    await _move(session, row, G.ASKED, "ask", person.as_actor("chat"), now)
    for admin in await _administrators(session, await units.get(session, person.unit_id)):
        await notices.tell(
            session, admin.id, "group_asked", {"who": person.name}, subject=f"chat_group:{row.id}",
            key=f"group:{row.id}:asked:{row.version}", now=now,
        )  # fmt: skip
    return True


async def bind(
    session: AsyncSession, group_id: int, unit: Unit, purpose: GroupPurpose, *, actor: Staff, now: datetime
) -> None:
    """Bind a group to a unit for a purpose; the console's confirmation. The group is told.

    Raises `NotPermitted` unless the unit lies in the actor's reach, `Conflict("stale_card")` unless it was
    asked for.
    """
    await staff.must(session, actor, Permission.MANAGE_STAFF, unit.path)
    row = await get(session, group_id, actor=actor)
    row.unit_id, row.purpose, row.bound_by_id, row.bound_at = unit.id, purpose, actor.id, now
    await _move(session, row, G.BOUND, "bind", actor.as_actor(), now, unit=unit.id, purpose=purpose.value)
    contact = await session.get_one(Contact, row.contact_id)
    await outbox.put(
        session, contact, BOUND_KIND, {"unit": unit.name, "purpose": purpose.value},
        key=f"group_bound:{row.id}:{row.version}", subject=f"chat_group:{row.id}", now=now,
        priority=outbox.Priority.NOTICE,
    )  # fmt: skip


async def unbind(
    session: AsyncSession, group_id: int, *, actor: Staff, channel: str = "console", now: datetime
) -> None:
    """End a binding, or refuse one that was asked for; we leave a day later unless it is bound again."""
    row = await get(session, group_id, actor=actor)
    if (await session.get_one(Contact, row.contact_id)).channel is not Channel.TELEGRAM:
        raise Conflict("robot.own_page")  # its address would stay behind
    row.asked_at, row.silent_since = now, None
    await _move(session, row, G.ENDED, "unbind", actor.as_actor(channel), now)


async def silence(session: AsyncSession, group_id: int, *, actor: Staff, now: datetime) -> bool:
    """Be silent in a group, or speak again; returns whether it is silent now. What is due waits meanwhile."""
    row = await get(session, group_id, actor=actor)
    contact = await session.get_one(Contact, row.contact_id)
    silent = row.silent_since is None
    row.silent_since = now if silent else None
    contact.state = ContactState.SILENCED if silent else ContactState.ACTIVE
    if not silent:
        await outbox.unpark(session, contact, now=now)
    await audit.record(
        session, "chat_group.silence", f"chat_group:{row.id}", actor=actor.as_actor("chat"), now=now,
        silent=silent,
    )  # fmt: skip
    return silent


async def get(session: AsyncSession, group_id: int, *, actor: Staff) -> ChatGroup:
    """A group, locked; `NotFound` for none, `NotPermitted` unless its unit lies in the actor's reach."""
    row = await session.get(ChatGroup, group_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("group.unknown")
    unit = await units.get(session, row.unit_id)
    if row.state in (G.BOUND, G.ASKED):
        await staff.must(session, actor, Permission.MANAGE_STAFF, unit.path)
    elif not staff.may(actor, Permission.MANAGE_STAFF):
        raise NotPermitted("not_permitted")
    return row


async def moved(session: AsyncSession, old: int, new: int, *, now: datetime) -> bool:
    """A group became a supergroup with another number; returns whether it was one we know."""
    group = await group_of(session, old)
    if group is None:
        return False
    taken = await contacts.find(session, Channel.TELEGRAM, str(new))
    if taken is None:
        group.contact.address = str(new)
    else:
        other = await session.scalar(select(ChatGroup).where(ChatGroup.contact_id == taken.id))
        if other is not None:
            # Both numbers were heard of: what is bound keeps its row, the other one's row has nothing.
            await session.delete(other)
            await session.flush()
        taken.kind, taken.state = ContactKind.GROUP, group.contact.state
        group.row.contact_id, group.contact.state = taken.id, ContactState.LOST
    group.row.moved_at = now
    await session.flush()
    await audit.record(session, "chat_group.moved", f"chat_group:{group.row.id}", actor=audit.SYSTEM, now=now)
    return True


async def lost(session: AsyncSession, group: Group, why: str, *, actor: Actor, now: datetime) -> None:
    """We are not in the group any more; whoever answers for it is told if it was bound."""
    row = await _locked(session, group.contact.id)
    if row.state is G.LOST:
        return
    bound = row.state is G.BOUND
    await _move(session, row, G.LOST, "lost", actor, now, why=why)
    group.contact.state = ContactState.LOST
    if bound:
        await tell(session, row, "group_lost", now=now)


async def restricted(session: AsyncSession, group: Group, *, actor: Actor, now: datetime) -> None:
    """We may not speak in the group any more, though we are in it still."""
    group.row.restricted_at = group.row.restricted_at or now
    await session.flush()
    await audit.record(session, "chat_group.restricted", f"chat_group:{group.row.id}", actor=actor, now=now)
    if group.bound:
        await tell(session, group.row, "group_restricted", now=now)


async def unrestricted(session: AsyncSession, group: Group, *, actor: Actor, now: datetime) -> bool:
    """We may speak in the group again; returns whether that is new."""
    if group.row.restricted_at is None:
        return False
    group.row.restricted_at = None
    await session.flush()
    await audit.record(session, "chat_group.speaking", f"chat_group:{group.row.id}", actor=actor, now=now)
    return True


async def tell(session: AsyncSession, row: ChatGroup, kind: str, *, now: datetime, once: str = "") -> None:
    """Tell who answers for a group: who asked for it and who bound it, else its unit's administrators.

    `once` names the occasion; without it the same is told once for each version of the group.
    """
    ids = {number for number in (row.asked_by_id, row.bound_by_id) if number is not None}
    found = [person for number in sorted(ids) if (person := await staff.get(session, number)).active]
    for person in found or await _administrators(session, await units.get(session, row.unit_id)):
        await notices.tell(
            session, person.id, kind, {"group": row.title}, subject=f"chat_group:{row.id}",
            key=f"group:{row.id}:{kind}:{once or row.version}", now=now,
        )  # fmt: skip


async def note_lost(session: AsyncSession, *, now: datetime) -> int:
    """Timed job: bound groups that the channel says are gone; returns how many."""
    rows = await session.execute(
        select(ChatGroup, Contact)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .where(ChatGroup.state == G.BOUND, Contact.state == ContactState.LOST)
        .order_by(ChatGroup.id)
    )
    found = [Group(row, contact) for row, contact in rows]
    for group in found:
        await lost(session, group, "undeliverable", actor=audit.CLOCK, now=now)
    return len(found)


async def leave_unbound(session: AsyncSession, *, now: datetime) -> int:
    """Timed job: leave groups that nobody has bound for 24 hours; returns how many."""
    rows = await session.execute(
        select(ChatGroup, Contact)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .where(ChatGroup.state.in_((G.SEEN, G.ASKED, G.ENDED)), ChatGroup.asked_at <= now - STAYS)
        .where(Contact.channel == Channel.TELEGRAM)  # a robot is in no group that it could leave
        .order_by(ChatGroup.id)
        .with_for_update(of=ChatGroup, skip_locked=True)
    )
    found = [Group(row, contact) for row, contact in rows]
    for group in found:
        await _move(session, group.row, G.LOST, "leave", audit.CLOCK, now)
        await outbox.put(
            session, group.contact, LEAVE_KIND, {}, key=f"leave:{group.row.id}:{group.row.version}",
            subject=f"chat_group:{group.row.id}", now=now, priority=outbox.Priority.NOTICE,
            though_silenced=True,
        )  # fmt: skip
    return len(found)


async def listed(session: AsyncSession, within: str) -> list[tuple[ChatGroup, Contact, Unit]]:
    """Groups of units under the path `within`, and those nobody has asked for; what waits comes first."""
    rows = await session.execute(
        select(ChatGroup, Contact, Unit)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .join(Unit, Unit.id == ChatGroup.unit_id)
        .order_by(ChatGroup.state != G.ASKED, ChatGroup.state != G.SEEN, ChatGroup.id)
    )
    return [
        (row, contact, unit)
        for row, contact, unit in rows
        if unit.path.startswith(within) or row.state in (G.SEEN, G.ENDED)
    ]


async def _administrators(session: AsyncSession, unit: Unit) -> list[Staff]:
    rows = await session.execute(select(Staff, Unit).join(Unit, Unit.id == Staff.unit_id).order_by(Staff.id))
    return [
        person
        for person, home in rows
        if staff.may(person, Permission.MANAGE_STAFF) and units.contains(home.path, unit.path)
    ]


async def _locked(session: AsyncSession, contact_id: int) -> ChatGroup:
    return (
        await session.scalars(
            select(ChatGroup)
            .where(ChatGroup.contact_id == contact_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).one()


async def _move(
    session: AsyncSession,
    row: ChatGroup,
    to: GroupState,
    by: str,
    actor: Actor,
    now: datetime,
    **facts: object,
) -> None:
    if row.state is G.LOST and to is G.LOST:
        raise Conflict("stale_card")
    await audit.move(session, row, to, by=by, table=GROUP_MOVES, actor=actor, now=now, **facts)
