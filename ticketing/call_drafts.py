"""What somebody has typed of a call that is not over: sealed, one for each person, for a day."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ForeignKey, LargeBinary, delete, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import redact, units
from office.errors import Conflict
from office.seal import Sealer
from office.staff import Permission, Staff, must
from office.store import Base, insert_once

KEPT: Final = timedelta(hours=24)
LONGEST: Final = 6000
_PHONE: Final = "phone"


class CallDraft(Base):
    """The open form of one person: nobody else's, and nothing in it can be read in the database."""

    __tablename__ = "call_draft"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    saved_at: Mapped[datetime]


async def save(
    session: AsyncSession, fields: Mapping[str, str], *, actor: Staff, sealer: Sealer, now: datetime
) -> None:
    """Keep the fields of the form, redacted; with nothing typed the draft is removed.

    The phone alone keeps its number, and an identity number goes there as well.
    """
    await must(session, actor, Permission.OPEN_TICKETS)
    published = await units.published_numbers(session)
    kept = {
        name: ("" if redact.has_id_number(text) else text[:LONGEST])
        if name == _PHONE
        else redact.text(text[:LONGEST], published=published).text
        for name, text in fields.items()
        if text.strip()
    }
    content = sealer.seal(json.dumps(kept, ensure_ascii=False)) if kept else None
    if content is None:
        await drop(session, actor)
        return
    row = {"staff_id": actor.id, "content": content, "saved_at": now}
    if not await insert_once(session, CallDraft, row, unique=("staff_id",)):
        await session.execute(
            update(CallDraft).where(CallDraft.staff_id == actor.id).values(content=content, saved_at=now)
        )


async def of(session: AsyncSession, person: Staff, *, sealer: Sealer, now: datetime) -> dict[str, str]:
    """The person's own draft of the last day, or nothing; one that cannot be opened any more is none."""
    found = await session.get(CallDraft, person.id)
    if found is None or found.saved_at <= now - KEPT:
        return {}
    try:
        fields: dict[str, str] = json.loads(sealer.open(found.content))
    except Conflict:
        return {}
    return fields


async def drop(session: AsyncSession, person: Staff) -> None:
    """The call is over."""
    await session.execute(delete(CallDraft).where(CallDraft.staff_id == person.id))


async def recorded(
    session: AsyncSession, person: Staff, forms: Collection[str], *, sealer: Sealer, now: datetime
) -> None:
    """A call was written down from these forms: their draft is over, one of another window is not."""
    kept = await of(session, person, sealer=sealer, now=now)
    if kept.get("event_id", "") in forms:
        await drop(session, person)


async def forget_old(session: AsyncSession, *, now: datetime) -> None:
    """Remove drafts that nobody came back to within a day."""
    await session.execute(delete(CallDraft).where(CallDraft.saved_at <= now - KEPT))
