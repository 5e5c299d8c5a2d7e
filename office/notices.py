"""What staff are told by the desk itself: a line in the console, and a message where their chat is bound."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import outbox
from office.bindings import BindingState, StaffBinding
from office.contacts import Contact
from office.store import Base, insert_once

KIND = "staff_notice"


class StaffNotice(Base):
    """One thing one person was told. `kind` is a wording key under `notice.`, `facts` fill it."""

    __tablename__ = "staff_notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    facts: Mapped[dict[str, Any]]
    subject: Mapped[str] = mapped_column(String(64), default="")
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]


async def tell(
    session: AsyncSession,
    staff_id: int,
    kind: str,
    facts: dict[str, Any],
    *,
    key: str,
    subject: str = "",
    now: datetime,
    inside: Mapping[str, Any] | None = None,
) -> bool:
    """Tell one person one thing once: `key` with the person makes it unique. Returns whether it is new.

    `facts` fill the wording `notice.<kind>` and hold nothing personal of an asker. Where the person's chat is
    bound it goes there as well. What is `inside` fills the console's line only: the chat, which is not ours,
    gets the wording `notice.<kind>_chat` without it.
    """
    whole = f"{key}:{staff_id}"
    row = {
        "key": whole, "staff_id": staff_id, "kind": kind, "facts": {**facts, **(inside or {})},
        "subject": subject, "at": now,
    }  # fmt: skip
    if not await insert_once(session, StaffNotice, row, unique=("key",)):
        return False
    chats = await session.scalars(
        select(Contact)
        .join(StaffBinding, StaffBinding.contact_id == Contact.id)
        .where(StaffBinding.staff_id == staff_id, StaffBinding.state == BindingState.BOUND)
    )
    said = f"{kind}_chat" if inside else kind
    for contact in chats.all():
        await outbox.put(
            session, contact, KIND, {"notice": said, **facts}, key=f"notice:{whole}:{contact.id}",
            subject=subject, now=now, priority=outbox.Priority.NOTICE,
        )  # fmt: skip
    return True


async def unread(session: AsyncSession, staff_id: int) -> int:
    """How many notices the person has not read."""
    found = await session.scalar(
        select(func.count())
        .select_from(StaffNotice)
        .where(StaffNotice.staff_id == staff_id, StaffNotice.read_at.is_(None))
    )
    return found or 0


async def unread_of(
    session: AsyncSession, staff_id: int, kinds: Collection[str], limit: int
) -> list[StaffNotice]:
    """Those of these kinds that the person has not read, newest first."""
    rows = await session.scalars(
        select(StaffNotice)
        .where(StaffNotice.staff_id == staff_id, StaffNotice.read_at.is_(None))
        .where(StaffNotice.kind.in_(kinds))
        .order_by(StaffNotice.id.desc())
        .limit(limit)
    )
    return list(rows.all())


async def listed(session: AsyncSession, staff_id: int, limit: int = 50) -> list[StaffNotice]:
    """The person's notices, newest first."""
    rows = await session.scalars(
        select(StaffNotice)
        .where(StaffNotice.staff_id == staff_id)
        .order_by(StaffNotice.id.desc())
        .limit(limit)
    )
    return list(rows.all())


async def read(session: AsyncSession, staff_id: int, *, now: datetime) -> None:
    """The person has seen all of them."""
    await session.execute(
        update(StaffNotice)
        .where(StaffNotice.staff_id == staff_id, StaffNotice.read_at.is_(None))
        .values(read_at=now)
    )
