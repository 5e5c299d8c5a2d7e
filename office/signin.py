"""The way into the console: invites, passwords, and sign-ins that can be ended at any time."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import ForeignKey, String, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import audit, budgets
from office.audit import SYSTEM
from office.errors import Conflict, Invalid, NotFound
from office.staff import Invite, Permission, Role, Staff, must
from office.store import Base
from office.units import Unit

INVITE_LASTS = timedelta(hours=24)
SIGN_IN_LASTS = timedelta(hours=12)
SHORTEST_PASSWORD = 10
FAILURES = 10
FAILURE_SPAN = timedelta(minutes=10)

_hasher = PasswordHasher()
# Verified when the name is unknown, so that a known and an unknown name take the same time.
_nobody = _hasher.hash(secrets.token_urlsafe(16))


class SignIn(Base):
    """One browser that is signed in; the cookie is kept as a digest only."""

    __tablename__ = "sign_in"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    device: Mapped[str] = mapped_column(String(120), default="")


def digest(token: str) -> str:
    """What is stored of a token that has 128 random bits or more."""
    return hashlib.sha256(token.encode()).hexdigest()


async def invite(
    session: AsyncSession,
    name: str,
    roles: Sequence[Role],
    unit: Unit,
    *,
    actor: Staff | None,
    now: datetime,
) -> tuple[Staff, str]:
    """Make an account that waits for its owner; returns it and the single-use token.

    `actor` is None only for the first administrator. Raises `NotPermitted` outside the actor's reach,
    `Invalid` for an empty name or no role.
    """
    if actor is not None:
        await must(session, actor, Permission.MANAGE_STAFF, unit.path)
    name = " ".join(name.split())
    if not name or len(name) > 40:
        raise Invalid("name_needed")
    if not roles:
        raise Invalid("role_needed")
    person = Staff(
        name=name,
        unit_id=unit.id,
        roles=[role.value for role in roles],
        created_at=now,
        created_by_id=actor.id if actor else None,
    )
    session.add(person)
    await session.flush()
    token = await new_way_in(session, person, actor=actor, now=now)
    return person, token


async def new_way_in(session: AsyncSession, person: Staff, *, actor: Staff | None, now: datetime) -> str:
    """A fresh single-use token for an account, its first or one after a lost password.

    Earlier unused tokens of the account end. Raises `NotPermitted` outside the actor's reach.
    """
    if actor is not None:
        unit = await session.get_one(Unit, person.unit_id)
        await must(session, actor, Permission.MANAGE_STAFF, unit.path)
    await session.execute(
        update(Invite).where(Invite.staff_id == person.id, Invite.used_at.is_(None)).values(expires_at=now)
    )
    token = secrets.token_urlsafe(16)
    session.add(
        Invite(
            token_digest=digest(token),
            staff_id=person.id,
            created_by_id=actor.id if actor else None,
            created_at=now,
            expires_at=now + INVITE_LASTS,
        )
    )
    await audit.record(
        session,
        "staff.invite",
        f"staff:{person.id}",
        actor=actor.as_actor() if actor else SYSTEM,
        now=now,
        roles=person.roles,
        unit=person.unit_id,
    )
    return token


async def open_invite(session: AsyncSession, token: str, *, now: datetime) -> tuple[Invite, Staff]:
    """The unused invite behind a token and its account; raises `NotFound` for anything else."""
    row = await session.execute(
        select(Invite, Staff)
        .join(Staff, Staff.id == Invite.staff_id)
        .where(Invite.token_digest == digest(token), Invite.used_at.is_(None), Invite.expires_at > now)
    )
    found = row.one_or_none()
    if found is None or not found[1].active:
        raise NotFound("invite_over")
    return found[0], found[1]


async def accept_invite(
    session: AsyncSession, token: str, username: str, password: str, *, device: str, now: datetime
) -> str:
    """Set name and password of the invited account and sign it in; returns the cookie token.

    Raises `NotFound` for a used or expired token, `Invalid` for an unusable name or password,
    `Conflict` if the name is taken.
    """
    found, person = await open_invite(session, token, now=now)
    username = username.strip().lower()
    if not 2 <= len(username) <= 40 or any(char.isspace() for char in username):
        raise Invalid("username_unusable")
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid("password_short", least=SHORTEST_PASSWORD)
    taken = await session.scalar(
        select(Staff.id).where(func.lower(Staff.username) == username, Staff.id != person.id)
    )
    if taken is not None:
        raise Conflict("username_taken")
    used = await session.execute(
        update(Invite).where(Invite.id == found.id, Invite.used_at.is_(None)).values(used_at=now)
    )
    if not used.rowcount:  # type: ignore[attr-defined]
        raise NotFound("invite_over")
    person.username = username
    person.password_hash = await asyncio.to_thread(_hasher.hash, password)
    await end_all(session, person, now=now)
    await audit.record(session, "staff.accept", f"staff:{person.id}", actor=person.as_actor(), now=now)
    return await _sign_in(session, person, device=device, now=now)


async def sign_in(
    session: AsyncSession, username: str, password: str, *, source: str, device: str, now: datetime
) -> str | None:
    """Sign in with name and password; returns the cookie token, or None if they do not fit.

    Failures are counted per `source` (a digest of the client's network address), never per account, so
    that nobody can lock a colleague out. Raises `TooMany` when the source has failed too often.
    """
    key = f"signin:{source}"
    await budgets.spend(session, key, limit=FAILURES, span=FAILURE_SPAN, now=now)
    person = await session.scalar(select(Staff).where(Staff.username == username.strip().lower()))
    known = person is not None and person.active and person.password_hash is not None
    stored = person.password_hash if known and person and person.password_hash else _nobody
    try:
        await asyncio.to_thread(_hasher.verify, stored, password)
    except (VerifyMismatchError, InvalidHashError):
        known = False
    if not known or person is None:
        await audit.record(session, "staff.sign_in_failed", "staff:0", actor=SYSTEM, now=now)
        return None
    await budgets.give_back(session, key, span=FAILURE_SPAN, now=now)
    await audit.record(session, "staff.sign_in", f"staff:{person.id}", actor=person.as_actor(), now=now)
    return await _sign_in(session, person, device=device, now=now)


async def _sign_in(session: AsyncSession, person: Staff, *, device: str, now: datetime) -> str:
    token = secrets.token_urlsafe(24)
    session.add(
        SignIn(
            token_digest=digest(token),
            staff_id=person.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + SIGN_IN_LASTS,
            device=device[:120],
        )
    )
    return token


async def who(session: AsyncSession, token: str, *, now: datetime) -> tuple[Staff, SignIn] | None:
    """The active person behind a sign-in cookie, or None."""
    row = await session.execute(
        select(Staff, SignIn)
        .join(SignIn, SignIn.staff_id == Staff.id)
        .where(SignIn.token_digest == digest(token), SignIn.ended_at.is_(None), SignIn.expires_at > now)
    )
    found = row.one_or_none()
    if found is None or not found[0].active:
        return None
    return found[0], found[1]


async def sign_ins(session: AsyncSession, person: Staff, *, now: datetime) -> list[SignIn]:
    """The person's open sign-ins, newest first."""
    statement = select(SignIn).where(
        SignIn.staff_id == person.id, SignIn.ended_at.is_(None), SignIn.expires_at > now
    )
    return list((await session.scalars(statement.order_by(SignIn.id.desc()))).all())


async def end(session: AsyncSession, person: Staff, sign_in_id: int, *, now: datetime) -> None:
    """End one of the person's own sign-ins."""
    await session.execute(
        update(SignIn).where(SignIn.id == sign_in_id, SignIn.staff_id == person.id).values(ended_at=now)
    )


async def end_all(session: AsyncSession, person: Staff, *, now: datetime) -> None:
    """End every sign-in of a person: after a new password, a suspension, or on their own wish."""
    await session.execute(
        update(SignIn).where(SignIn.staff_id == person.id, SignIn.ended_at.is_(None)).values(ended_at=now)
    )
