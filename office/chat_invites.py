"""How a chat becomes somebody's: invited by an administrator, followed in the chat, two digits compared.

Three people may have a word: whoever holds the phone shows the digits, an administrator types them, and who
has a chat already agrees from there. Whoever follows a link that is used up or too old learns nothing, and
the inviter is told.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import audit, bindings, notices, outbox, staff
from office.audit import Actor
from office.bindings import BINDING_MOVES, BindingState, StaffBinding, by
from office.contacts import Contact, ContactKind
from office.errors import Conflict, NotFound
from office.signin import digest
from office.staff import Permission, Staff
from office.units import Unit

LASTS = timedelta(hours=24)
MOST_WRONG = 3
# Kind of the message by which the first phone is asked.
SECOND_KIND = "staff_second_phone"
B = BindingState


class Followed(StrEnum):
    """What came of following a link; `BUSY`: this chat is somebody's already."""

    WAITING = auto()
    BOUND = auto()
    EXPIRED = auto()
    USED = auto()
    BUSY = auto()
    UNKNOWN = auto()


class Compared(StrEnum):
    """What came of the administrator's number; `FIRST_PHONE`: right, and the first phone has to agree."""

    BOUND = auto()
    FIRST_PHONE = auto()
    WRONG = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A link that was followed: what came of it, and whose it is where the follower may know."""

    outcome: Followed
    binding: StaffBinding | None = None
    person: Staff | None = None
    unit: Unit | None = None


async def invite(
    session: AsyncSession, person: Staff, *, actor: Staff, now: datetime
) -> tuple[StaffBinding, str]:
    """A way into one chat for a person; returns it and the single-use token of its link.

    Earlier invitations of the person that nobody followed end. Raises `NotPermitted` outside the actor's
    reach, `Conflict("account_closed")` for an account that was stopped.
    """
    await _must(session, actor, person)
    if not person.active:
        raise Conflict("binding.account_closed")
    for earlier in await _open(session, person, B.INVITED):
        await bindings.end(session, earlier, why="new_invite", actor=actor.as_actor(), now=now)
    token = secrets.token_urlsafe(16)
    binding = StaffBinding(
        staff_id=person.id, token_digest=digest(token), invited_by_id=actor.id, invited_at=now,
        expires_at=now + LASTS,
    )  # fmt: skip
    session.add(binding)
    await session.flush()
    await audit.record(
        session, "staff_binding.invite", f"staff_binding:{binding.id}", actor=actor.as_actor(), now=now,
        staff=person.id,
    )  # fmt: skip
    return binding, token


async def follow(session: AsyncSession, token: str, contact: Contact, *, now: datetime) -> Arrival:
    """Whoever holds this chat followed a link; raises nothing, so that what it writes down stays.

    The first one gets the digits, and gets the same ones again. Anybody after that, and anybody after
    24 hours, gets nothing, and the inviter is told.
    """
    found = await session.scalar(
        select(StaffBinding)
        .where(StaffBinding.token_digest == digest(token))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None or contact.kind is not ContactKind.PRIVATE:
        return Arrival(Followed.UNKNOWN)
    person = await staff.get(session, found.staff_id)
    unit = await session.get_one(Unit, person.unit_id)
    own = found.contact_id == contact.id
    if own and found.state is B.BOUND:
        return Arrival(Followed.BOUND, found, person, unit)
    unused = found.used_at is None or found.state is B.WAITING
    expired = found.expires_at <= now and unused
    if expired or not person.active:
        if found.state is not B.ENDED:
            await bindings.end(session, found, why="expired", actor=by(contact), now=now)
        await _alarm(session, found, contact, "binding_expired", person, now)
        return Arrival(Followed.EXPIRED)
    if own and found.state is B.WAITING:
        return Arrival(Followed.WAITING, found, person, unit)
    if found.state is not B.INVITED:
        await _alarm(session, found, contact, "binding_reused", person, now)
        return Arrival(Followed.USED)
    holder = await bindings.holder(session, contact)
    if holder is not None:
        return Arrival(Followed.BUSY if holder.id != person.id else Followed.BOUND, None, person, unit)
    await _begin(session, found, contact, person, now)
    return Arrival(Followed.WAITING, found, person, unit)


async def _begin(
    session: AsyncSession, found: StaffBinding, contact: Contact, person: Staff, now: datetime
) -> None:
    for other in await _waiting_in(session, contact):
        await bindings.end(session, other, why="other_link", actor=by(contact), now=now)
    found.contact_id, found.used_at = contact.id, now
    found.digits = f"{secrets.randbelow(90) + 10}"
    await audit.move(
        session, found, B.WAITING, by="follow", table=BINDING_MOVES, actor=by(contact), now=now,
        staff=person.id,
    )  # fmt: skip
    facts = {"who": person.name, "unit": (await session.get_one(Unit, person.unit_id)).name}
    await notices.tell(
        session, found.invited_by_id, "binding_waiting", facts, key=f"binding:{found.id}:waiting",
        subject=f"staff_binding:{found.id}", now=now,
    )  # fmt: skip
    for first in await bindings.contacts_of(session, person):
        await outbox.put(
            session, first, SECOND_KIND, {"binding": found.id}, key=f"second:{found.id}:{first.id}",
            subject=f"staff_binding:{found.id}", now=now, priority=outbox.Priority.NOTICE,
        )  # fmt: skip


async def confirm(
    session: AsyncSession, binding_id: int, digits: str, *, actor: Staff, now: datetime
) -> Compared:
    """The administrator typed the digits that the person reads out; raises nothing for wrong ones.

    The third wrong number ends the invitation. Raises `NotPermitted` outside the actor's reach,
    `NotFound` for a binding that does not exist, `Conflict("binding.over")` for one that does not wait.
    """
    binding = await _locked(session, binding_id)
    person = await staff.get(session, binding.staff_id)
    await _must(session, actor, person)
    if binding.state is not B.WAITING:
        raise Conflict("binding.over")
    if binding.expires_at <= now or not person.active:
        await bindings.end(session, binding, why="expired", actor=actor.as_actor(), now=now)
        return Compared.ENDED
    if not hmac.compare_digest(digits.strip().encode(), binding.digits.encode()):
        binding.wrong += 1
        await audit.record(
            session, "staff_binding.wrong", f"staff_binding:{binding.id}", actor=actor.as_actor(), now=now,
            staff=person.id, wrong=binding.wrong,
        )  # fmt: skip
        if binding.wrong < MOST_WRONG:
            await session.flush()
            return Compared.WRONG
        await bindings.end(session, binding, why="wrong_digits", actor=actor.as_actor(), now=now)
        return Compared.ENDED
    binding.bound_by_id = actor.id
    if binding.agreed_at is None and await bindings.contacts_of(session, person):
        await session.flush()
        return Compared.FIRST_PHONE
    await _bind(session, binding, person, actor.as_actor(), now)
    return Compared.BOUND


async def agree(session: AsyncSession, binding_id: int, contact: Contact, *, now: datetime) -> bool:
    """The first phone agrees to the second; returns whether that bound it, or the digits are still missing.

    Raises `NotFound` for a chat that is not bound to the same person, `Conflict("binding.over")`.
    """
    binding, person = await _second(session, binding_id, contact)
    if binding.expires_at <= now:
        raise Conflict("binding.over")
    binding.agreed_at = now
    if binding.bound_by_id is None:
        await session.flush()
        return False
    await _bind(session, binding, person, by(contact), now)
    return True


async def refuse(session: AsyncSession, binding_id: int, contact: Contact, *, now: datetime) -> None:
    """The first phone knows nothing of a second one: the invitation ends and the inviter is told."""
    binding, person = await _second(session, binding_id, contact)
    await bindings.end(session, binding, why="first_phone", actor=by(contact), now=now)
    await _alarm(session, binding, contact, "binding_refused", person, now)


async def end_one(session: AsyncSession, binding_id: int, *, actor: Staff, now: datetime) -> None:
    """An administrator ends an invitation or a binding; raises as `confirm` does."""
    binding = await _locked(session, binding_id)
    await _must(session, actor, await staff.get(session, binding.staff_id))
    if binding.state is B.ENDED:
        raise Conflict("binding.over")
    await bindings.end(session, binding, why="console", actor=actor.as_actor(), now=now)


async def expire(session: AsyncSession, *, now: datetime) -> int:
    """Timed job: end invitations that are older than 24 hours; returns how many."""
    rows = await session.scalars(
        select(StaffBinding)
        .where(StaffBinding.state.in_((B.INVITED, B.WAITING)), StaffBinding.expires_at <= now)
        .order_by(StaffBinding.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    found = list(rows.all())
    for binding in found:
        await bindings.end(session, binding, why="expired", actor=audit.CLOCK, now=now)
    return len(found)


async def _bind(
    session: AsyncSession, binding: StaffBinding, person: Staff, actor: Actor, now: datetime
) -> None:
    assert binding.contact_id is not None
    contact = await session.get_one(Contact, binding.contact_id, with_for_update=True)
    holder = await bindings.holder(session, contact)
    if holder is not None and holder.id != person.id:
        raise Conflict("binding.busy")
    binding.bound_at, binding.digits = now, ""
    contact.language = person.language
    await audit.move(
        session, binding, B.BOUND, by="bind", table=BINDING_MOVES, actor=actor, now=now, staff=person.id
    )
    await outbox.put(
        session, contact, bindings.BOUND_KIND, {"who": person.name}, key=f"bound:{binding.id}",
        subject=f"staff_binding:{binding.id}", now=now, priority=outbox.Priority.NOTICE,
    )  # fmt: skip


async def _second(session: AsyncSession, binding_id: int, contact: Contact) -> tuple[StaffBinding, Staff]:
    binding = await session.get(StaffBinding, binding_id, with_for_update=True, populate_existing=True)
    person = await bindings.bound(session, contact)
    if binding is None or person is None or binding.staff_id != person.id:
        raise NotFound("expired_button")
    if binding.state is not B.WAITING or binding.contact_id == contact.id:
        raise Conflict("binding.over")
    return binding, person


async def _alarm(
    session: AsyncSession,
    binding: StaffBinding,
    contact: Contact,
    kind: str,
    person: Staff,
    now: datetime,
) -> None:
    # Once for each stranger: a link that is tapped a hundred times is one thing to be told.
    new = await notices.tell(
        session, binding.invited_by_id, kind, {"who": person.name},
        key=f"binding:{binding.id}:{kind}:{contact.id}", subject=f"staff_binding:{binding.id}", now=now,
    )  # fmt: skip
    if new:
        await audit.record(
            session, f"staff_binding.{kind.removeprefix('binding_')}", f"staff_binding:{binding.id}",
            actor=by(contact), now=now, staff=person.id,
        )  # fmt: skip


async def _must(session: AsyncSession, actor: Staff, person: Staff) -> None:
    unit = await session.get_one(Unit, person.unit_id)
    await staff.must(session, actor, Permission.MANAGE_STAFF, unit.path)


async def _locked(session: AsyncSession, binding_id: int) -> StaffBinding:
    binding = await session.get(StaffBinding, binding_id, with_for_update=True, populate_existing=True)
    if binding is None:
        raise NotFound("binding.unknown")
    return binding


async def _open(session: AsyncSession, person: Staff, state: BindingState) -> list[StaffBinding]:
    rows = await session.scalars(
        select(StaffBinding)
        .where(StaffBinding.staff_id == person.id, StaffBinding.state == state)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(rows.all())


async def _waiting_in(session: AsyncSession, contact: Contact) -> list[StaffBinding]:
    rows = await session.scalars(
        select(StaffBinding)
        .where(StaffBinding.contact_id == contact.id, StaffBinding.state == B.WAITING)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(rows.all())
