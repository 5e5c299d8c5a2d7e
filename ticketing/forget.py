"""Being forgotten: a contact's words are removed and the contact is cut off from what remains."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.answer import AnswerGiven
from office import audit
from office.audit import Actor, ActorKind
from office.contacts import Contact, ContactState
from office.outbox import Delivery, DeliveryState
from ticketing.ledgers import Enquiry
from ticketing.records import OPEN_STATES, TRANSITIONS, ThreadPost, Ticket, TicketKind, TicketState

REMOVED = "（已应本人要求删除）"
KEPT_KINDS = (TicketKind.APPEAL, TicketKind.REPORT, TicketKind.CORRECTION)


async def contact(session: AsyncSession, asker: Contact, *, now: datetime) -> str:
    """Forget a contact; returns the number to quote.

    Texts go, counts stay. Statutory tickets survive without the contact; other open ones become void,
    because nobody could be answered any more. The next message from the same place is a stranger's.
    """
    certificate = f"F-{now:%m%d}-{secrets.token_hex(3).upper()}"
    actor = Actor(ActorKind.CONTACT, asker.id, "asker", asker.channel.value)
    await session.execute(
        update(Enquiry).where(Enquiry.contact_id == asker.id).values(words="", pending_until=None)
    )
    for ticket in (await session.scalars(select(Ticket).where(Ticket.contact_id == asker.id))).all():
        if ticket.kind in KEPT_KINDS:
            ticket.contact_id = None
            continue
        if ticket.state in OPEN_STATES and TicketState.VOID in TRANSITIONS[ticket.state]:
            await audit.move(
                session, ticket, TicketState.VOID, by="forget", table=TRANSITIONS, actor=actor, now=now
            )
        ticket.words = ticket.answer_text = ticket.proposed_text = REMOVED
        ticket.contact_id = None
        await session.execute(
            update(ThreadPost).where(ThreadPost.ticket_id == ticket.id).values(text=REMOVED)
        )
    await session.execute(
        update(Delivery)
        .where(Delivery.contact_id == asker.id)
        .values(facts={}, state=DeliveryState.FAILED, last_error="forgotten")
    )
    answers = await session.scalars(select(AnswerGiven).where(AnswerGiven.contact_id == asker.id))
    for given in answers.all():
        await session.delete(given)
    asker.address = f"forgotten:{certificate}:{asker.id}"
    asker.state = ContactState.LOST
    await audit.record(
        session, "contact.forget", f"contact:{asker.id}", actor=actor, now=now, certificate=certificate
    )
    return certificate
