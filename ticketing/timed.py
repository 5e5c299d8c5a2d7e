"""What the clock does: half-messages settled, one question after an answer, closing by default, retention.

Every job finds its work by its own rows, so it runs once however many workers there are, and catches up
after a stop without repeating.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from office import budgets, contacts, outbox, units
from office.audit import CLOCK, Actor, ActorKind
from office.contacts import InboundEvent
from office.hours import BEIJING, OfficeHours
from office.notices import StaffNotice
from office.outbox import Delivery, DeliveryState, Priority
from ticketing import call_log, clocks, intake, searching, verdicts
from ticketing.drafts import Draft
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import STATUTORY_KINDS, ClosedBy, ThreadPost, Ticket, TicketKind, TicketState

ENQUIRY_KEPT = timedelta(days=90)
EVENTS_KEPT = timedelta(days=7)
BATCH = 100


async def settle_pieces(session: AsyncSession, *, hours: OfficeHours, now: datetime) -> int:
    """Half a message whose other half never came becomes a ticket: it may have been the whole question."""
    rows = await session.scalars(
        select(Enquiry)
        .where(Enquiry.pending_until < now)
        .order_by(Enquiry.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    found = rows.all()
    if not found:
        return 0
    district = await units.election_office(session)
    for enquiry in found:
        enquiry.pending_until = None
        if enquiry.ticket_id is not None or enquiry.outcome is not None or enquiry.contact_id is None:
            continue
        contact = await contacts.get(session, enquiry.contact_id)
        actor = Actor(ActorKind.CONTACT, contact.id, "asker", contact.channel.value)
        ticket = await intake.open_ticket(
            session, contact, enquiry.words, unit=district, district=district, channel=contact.channel,
            actor=actor, hours=hours, now=now, event_id=enquiry.event_id,
        )  # fmt: skip
        enquiry.ticket_id, enquiry.outcome = ticket.id, Outcome.TICKETED
        promised = ticket.promised_at.astimezone(BEIJING)
        facts = {
            "no": ticket.ticket_no,
            "key": ticket.progress_code,
            "promise": f"{promised.month}月{promised.day}日{promised:%H:%M}",
        }
        await outbox.put(
            session, contact, "ticketed", facts, key=f"ticketed:{ticket.id}",
            subject=f"ticket:{ticket.id}", now=now,
        )  # fmt: skip
    return len(found)


async def ask_back(session: AsyncSession, *, hours: OfficeHours, now: datetime) -> int:
    """Ask once, a day after an answer and in duty hours, whether it helped; after a stop as well.

    Who was told the answer of a ticket that theirs was joined to is asked under their own number.
    """
    if not hours.is_open(now):
        return 0
    lead = aliased(Ticket)
    told = (TicketState.ANSWERED, TicketState.CLOSED)
    joined = exists().where(lead.id == Ticket.merged_into_id, lead.state.in_(told))
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.follow_up_due_at <= now)
        .where(
            or_(
                Ticket.state == TicketState.ANSWERED,
                and_(Ticket.state == TicketState.MERGED, joined),
            )
        )
        .where(Ticket.follow_up.is_(None), Ticket.follow_up_asked_at.is_(None))
        .order_by(Ticket.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=Ticket)
    )
    found = rows.all()
    for ticket in found:
        ticket.follow_up_asked_at = now
        if ticket.contact_id is None:
            continue
        contact = await contacts.get(session, ticket.contact_id)
        facts = {
            "ticket": ticket.id,
            "no": ticket.ticket_no,
            "asked": ticket.words[:60],
            "conclusion": ticket.conclusion_no,
        }
        await outbox.put(
            session, contact, "follow_up", facts, key=f"follow_up:{ticket.id}:{ticket.conclusion_no}",
            subject=f"ticket:{ticket.id}", now=now, priority=Priority.NOTICE,
        )  # fmt: skip
    return len(found)


async def close_by_default(session: AsyncSession, *, now: datetime) -> int:
    """Close what nobody reacted to for 72 hours after being asked; counted apart from real verdicts.

    An appeal is closed by a person alone: whoever appealed may still go to court.
    """
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.state == TicketState.ANSWERED, Ticket.kind != TicketKind.APPEAL)
        .where(Ticket.follow_up_asked_at <= now - clocks.DEFAULT_CLOSE_AFTER)
        .order_by(Ticket.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    found = rows.all()
    for ticket in found:
        await verdicts.close(session, ticket, by=ClosedBy.CLOCK, actor=CLOCK, now=now)
    return len(found)


async def tidy(session: AsyncSession, *, now: datetime) -> None:
    """Remove what has been kept long enough: words of finished questions, old events, old counters.

    Statutory tickets keep theirs until the election is archived.
    """
    old = now - ENQUIRY_KEPT
    lead = aliased(Ticket)
    finished = or_(
        and_(Ticket.state == TicketState.CLOSED, Ticket.closed_at < old),
        and_(Ticket.state == TicketState.VOID, Ticket.accepted_at < old),
        and_(
            Ticket.state == TicketState.MERGED,
            exists().where(
                lead.id == Ticket.merged_into_id, lead.state == TicketState.CLOSED, lead.closed_at < old
            ),
        ),
    )
    query = select(Ticket.id).where(Ticket.kind.not_in(STATUTORY_KINDS), finished)
    closed = list((await session.scalars(query.where(Ticket.words != "").limit(BATCH))).all())
    await searching.forget(session, closed)
    await session.execute(update(Ticket).where(Ticket.id.in_(closed)).values(words=""))
    await session.execute(update(ThreadPost).where(ThreadPost.ticket_id.in_(closed)).values(text=""))
    await session.execute(delete(Draft).where(Draft.ticket_id.in_(closed)))
    await session.execute(
        update(Enquiry)
        .where(Enquiry.at < old, (Enquiry.ticket_id.is_(None)) | (Enquiry.ticket_id.in_(closed)))
        .values(words="")
    )
    done = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.STOPPED)
    await session.execute(
        update(Delivery).where(Delivery.created_at < old, Delivery.state.in_(done)).values(facts={})
    )
    await session.execute(delete(InboundEvent).where(InboundEvent.at < now - EVENTS_KEPT))
    await session.execute(delete(StaffNotice).where(StaffNotice.at < old))
    await call_log.forget_old(session, now=now)
    await budgets.forget_old(session, now=now)
