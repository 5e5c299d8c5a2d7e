"""Who waits for a ticket's answer: its own asker, and everybody whose ticket was joined to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import contacts, outbox
from office.contacts import Contact
from ticketing import call_backs
from ticketing.call_backs import CallBackKind
from ticketing.records import REMOVED, Ticket


@dataclass(frozen=True, slots=True)
class Asker:
    """One person who waits: by which ticket, and where they are reached; `contact` is None for a caller."""

    ticket: Ticket
    contact: Contact | None


async def askers(session: AsyncSession, lead: Ticket, *, locked: bool = False) -> list[Asker]:
    """Everybody who waits for the answer of `lead`, its own asker first, each person once.

    A second ticket of somebody who is in the list already adds nobody. Who asked to be forgotten is left out.
    `locked` holds the joined tickets until the commit, so that none is parted while it is being told.
    """
    statement = select(Ticket).where(Ticket.merged_into_id == lead.id).order_by(Ticket.id)
    if locked:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found: list[Asker] = []
    seen: set[int] = set()
    for ticket in [lead, *(await session.scalars(statement)).all()]:
        if ticket.contact_id is None:
            if ticket.words != REMOVED:
                found.append(Asker(ticket, None))
        elif ticket.contact_id not in seen:
            seen.add(ticket.contact_id)
            found.append(Asker(ticket, await contacts.get(session, ticket.contact_id)))
    return found


async def tell(
    session: AsyncSession,
    asker: Asker,
    kind: str,
    facts: dict[str, Any],
    *,
    key: str,
    now: datetime,
    by_phone: str = "",
    priority: outbox.Priority = outbox.Priority.ANSWER,
) -> bool:
    """Tell one asker one thing once, on their own channel; returns whether it is new.

    Who has no channel is telephoned: `by_phone` is what is to be said then, nothing if it can wait.
    """
    ticket = asker.ticket
    if asker.contact is not None:
        own = {"ticket": ticket.id, "no": ticket.ticket_no, **facts}
        return await outbox.put(
            session, asker.contact, kind, own, key=f"{key}:{asker.contact.id}",
            subject=f"ticket:{ticket.id}", now=now, priority=priority,
        )  # fmt: skip
    if not by_phone or ticket.phone is None:
        return False
    called = await call_backs.put(
        session, key=key, kind=CallBackKind.PROMISED, ticket=ticket, point=by_phone, now=now
    )
    return called is not None
