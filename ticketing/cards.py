"""Cards of tickets in the helpdesk's chat groups: one a ticket and group, kept as the ticket stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.versions import topics
from office import outbox, staff
from office.bindings import ChatGroup, GroupPurpose, GroupState
from office.contacts import Contact, ContactState
from office.outbox import Priority as Urgency
from office.staff import Staff
from office.store import Base
from office.units import Unit
from ticketing.clocks import Priority
from ticketing.particulars import LedgerKind, Secrecy
from ticketing.records import OPEN_STATES, Ticket, TicketKind, TicketState

KIND, TOPIC_KIND = "ticket_card", "make_topic"
URGENT, LOG = "urgent", "log"
TOPIC_KEYS = (*(kind.value for kind in LedgerKind), URGENT, LOG)
"""The topics of a group that has topics: one a ledger, urgent matters, the duty log; none per voter."""
WAIT_FOR_TOPICS = timedelta(minutes=2)
KEPT_FOR = timedelta(days=14)
BATCH = 20
EXCERPT = 120


class TicketCard(Base):
    """The card of a ticket in one group; `shown_version` is the version of the ticket it shows."""

    __tablename__ = "ticket_card"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    chat_group_id: Mapped[int] = mapped_column(ForeignKey(ChatGroup.id), primary_key=True)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    topic_id: Mapped[int | None] = mapped_column(BigInteger)
    shown_version: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime] = mapped_column(index=True)


async def lay_out(session: AsyncSession, *, now: datetime) -> int:
    """Timed job: put what helpdesk groups have to be shown into the outbox; returns how many cards.

    A new ticket gets a card in each group of its unit or of one above; a card is edited when its ticket has
    changed, for a fortnight. Each version of a ticket is shown once, so a restart repeats nothing.
    """
    rows = await session.execute(
        select(ChatGroup, Contact, Unit)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .join(Unit, Unit.id == ChatGroup.unit_id)
        .where(ChatGroup.state == GroupState.BOUND, ChatGroup.purpose == GroupPurpose.DESK)
        .where(Contact.state == ContactState.ACTIVE)
        .order_by(ChatGroup.id)
    )
    laid = 0
    for group, contact, unit in rows.all():
        if await _topics_ready(session, group, contact, now):
            laid += await _of_group(session, group, contact, unit, now)
    return laid


async def _of_group(
    session: AsyncSession, group: ChatGroup, contact: Contact, unit: Unit, now: datetime
) -> int:
    own = and_(TicketCard.ticket_id == Ticket.id, TicketCard.chat_group_id == group.id)
    since = group.bound_at or now
    new = and_(TicketCard.ticket_id.is_(None), Ticket.state.in_(OPEN_STATES), Ticket.accepted_at >= since)
    changed = and_(
        TicketCard.message_id.is_not(None),
        TicketCard.at >= now - KEPT_FOR,
        TicketCard.shown_version < Ticket.version,
    )
    rows = await session.execute(
        select(Ticket, Unit, TicketCard)
        .join(Unit, Unit.id == Ticket.unit_id)
        .outerjoin(TicketCard, own)
        .where(Unit.path.startswith(unit.path), or_(new, changed))
        .order_by(Ticket.id)
        .limit(BATCH)
    )
    found = rows.all()
    for ticket, place, card in found:
        if card is None:
            card = TicketCard(
                ticket_id=ticket.id, chat_group_id=group.id, at=now, topic_id=_topic(group, ticket)
            )
            session.add(card)
        card.shown_version = ticket.version
        shown = await facts(session, ticket, place, now=now)
        where = {"group": group.id, "message": card.message_id, "topic": card.topic_id}
        await outbox.put(
            session, contact, KIND, shown | where, key=f"card:{ticket.id}:{group.id}:{ticket.version}",
            subject=f"card:{ticket.id}", now=now, priority=Urgency.NOTICE,
        )  # fmt: skip
    return len(found)


async def facts(session: AsyncSession, ticket: Ticket, unit: Unit, *, now: datetime) -> dict[str, Any]:
    """What a card says: number, place, matter, state, who has it; no words that are not for a chat."""
    holder = await session.get(Staff, ticket.assignee_id) if ticket.assignee_id else None
    return {
        "ticket": ticket.id,
        "version": ticket.version,
        "no": ticket.ticket_no,
        "unit": unit.name,
        "topic_name": topics()[ticket.topic].meaning if ticket.topic in topics() else "",
        "work_group": ticket.group,
        "state": ticket.state.value,
        "holder": staff.mask_name(holder.name) if holder else "",
        "taken_at": ticket.taken_at.isoformat() if ticket.taken_at else "",
        "due_at": ticket.due_at.isoformat(),
        "waits": int((now - ticket.accepted_at).total_seconds() // 60),
        "urgent": ticket.priority is Priority.P1,
        "asked": excerpt(ticket, EXCERPT),
    }


def excerpt(ticket: Ticket, longest: int) -> str:
    """The beginning of the question for a chat; nothing of what is confidential, or may be."""
    hidden = ticket.kind is TicketKind.REPORT or ticket.secrecy is Secrecy.RESTRICTED
    if hidden or ticket.has_personal or ticket.state is TicketState.OFFLINE:
        return ""
    words = " ".join(ticket.words.split())
    return words if len(words) <= longest else words[:longest] + "…"


async def shown(
    session: AsyncSession, ticket_id: int, group_id: int, message_id: int, *, version: int = 0
) -> None:
    """Note where a card stands, after it was sent; `version` is what it shows where that is newer."""
    card = await session.get(TicketCard, (ticket_id, group_id), with_for_update=True)
    if card is not None:
        card.message_id = message_id
        card.shown_version = max(card.shown_version, version)


async def topic_made(session: AsyncSession, group_id: int, key: str, topic_id: int) -> None:
    """Note the number of a topic that was made for this group."""
    group = await session.get(ChatGroup, group_id, with_for_update=True, populate_existing=True)
    if group is not None:
        group.topics = {**group.topics, key: topic_id}


async def is_forum(session: AsyncSession, group: ChatGroup) -> None:
    """The group turned out to have topics."""
    if not group.topics.get("forum"):
        group.topics = {**group.topics, "forum": True}
        await session.flush()


def _topic(group: ChatGroup, ticket: Ticket) -> int | None:
    """The topic a card belongs in; None where the group has none, or not this one."""
    urgent = ticket.priority is Priority.P1
    key = URGENT if urgent else (ticket.ledger or LedgerKind.VOTER).value
    found = group.topics.get(key)
    return int(found) if found else None


async def _topics_ready(session: AsyncSession, group: ChatGroup, contact: Contact, now: datetime) -> bool:
    """Whether cards may go out: a group with topics gets its topics first, or does without after a while."""
    if not group.topics.get("forum") or all(key in group.topics for key in TOPIC_KEYS):
        return True
    asked = group.topics.get("asked")
    if asked is not None:
        return now - datetime.fromisoformat(asked) > WAIT_FOR_TOPICS
    group.topics = {**group.topics, "asked": now.isoformat()}
    for key in TOPIC_KEYS:
        await outbox.put(
            session, contact, TOPIC_KIND, {"group": group.id, "key": key},
            key=f"topic:{group.id}:{key}", subject=f"chat_group:{group.id}", now=now, priority=Urgency.NOTICE,
        )  # fmt: skip
    return False
