"""Single-use ways to the secure page: a link becomes a pass, a pass one lookup; each lasts ten minutes."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll.records import LookupLink
from office.contacts import Channel, Contact
from office.errors import NotFound
from office.signin import digest

LASTS = timedelta(minutes=10)
FORGOTTEN_AFTER = timedelta(days=1)


async def make(session: AsyncSession, channel: Channel, contact: Contact | None, now: datetime) -> str:
    """A link's token for whoever wants to look up; only its digest is kept."""
    token = secrets.token_urlsafe(24)
    session.add(
        LookupLink(
            token_digest=digest(token),
            channel=channel,
            contact_id=contact.id if contact else None,
            made_at=now,
            expires_at=now + LASTS,
        )
    )
    await session.flush()
    return token


async def open(session: AsyncSession, token: str, now: datetime) -> str:
    """Use a link up; returns the token of the pass it became, good for ten minutes more.

    One statement, so of many who open it at once one gets the pass. Raises `NotFound("lookup.link_over")` for
    a link that was used, is too old, or never was.
    """
    fresh = secrets.token_urlsafe(24)
    used = await _execute(
        session,
        update(LookupLink)
        .where(LookupLink.token_digest == digest(token))
        .where(LookupLink.opened_at.is_(None), LookupLink.expires_at > now)
        .values(token_digest=digest(fresh), opened_at=now, expires_at=now + LASTS),
    )
    if not used:
        raise NotFound("lookup.link_over")
    return fresh


async def passed(session: AsyncSession, pass_token: str, now: datetime) -> LookupLink:
    """The opened link behind a pass; raises `NotFound("lookup.link_over")`."""
    found = await session.scalar(
        select(LookupLink)
        .where(LookupLink.token_digest == digest(pass_token))
        .where(LookupLink.opened_at.is_not(None), LookupLink.expires_at > now)
    )
    if found is None:
        raise NotFound("lookup.link_over")
    return found


async def done(session: AsyncSession, pass_token: str) -> None:
    """The pass has had its lookup and is gone; raises `NotFound("lookup.link_over")` if it was gone before.

    Together with the lookup in one transaction, so a form that is sent twice at once is answered once.
    """
    row = LookupLink.token_digest == digest(pass_token)
    if not await _execute(session, delete(LookupLink).where(row, LookupLink.opened_at.is_not(None))):
        raise NotFound("lookup.link_over")


async def forget_contact(session: AsyncSession, contact_id: int) -> None:
    """Remove every link that was made for a contact."""
    await _execute(session, delete(LookupLink).where(LookupLink.contact_id == contact_id))


async def forget_old(session: AsyncSession, *, now: datetime) -> None:
    """Remove links and passes a day after they ended."""
    await _execute(session, delete(LookupLink).where(LookupLink.expires_at <= now - FORGOTTEN_AFTER))


async def _execute(session: AsyncSession, statement: Any) -> int:
    result = await session.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount)  # type: ignore[attr-defined]
