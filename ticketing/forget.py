"""Being forgotten: a contact's words are removed and the contact is cut off from what remains."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import lessons, reminders
from knowledge.answer import AnswerGiven
from knowledge.roll import links
from office import audit
from office.audit import Actor, ActorKind
from office.contacts import Contact, ContactState
from office.outbox import Delivery, DeliveryState
from ticketing.drafts import Draft
from ticketing.ledgers import Enquiry
from ticketing.records import OPEN_STATES, STATUTORY_KINDS, TRANSITIONS, ThreadPost, Ticket, TicketState
from ticketing.tickets import move

REMOVED = "（已应本人要求删除）"
UNSENT = (DeliveryState.DUE, DeliveryState.CLAIMED, DeliveryState.PARKED)
S = TicketState


async def contact(session: AsyncSession, asker: Contact, *, now: datetime) -> str:
    """Forget a contact; returns the number to quote.

    Texts go, counts stay, links to the secure page end. Statutory tickets survive without the contact; while
    open they keep what was looked up for them. Other open ones become void, because nobody could be answered
    any more. The next message from the same place is a stranger's.
    """
    certificate = f"F-{now:%m%d}-{secrets.token_hex(3).upper()}"
    actor = Actor(ActorKind.CONTACT, asker.id, "asker", asker.channel.value)
    await session.execute(
        update(Enquiry).where(Enquiry.contact_id == asker.id).values(words="", pending_until=None)
    )
    # All locked in one order before the first audit line: an officer may be about to answer one of them.
    own = select(Ticket).where(Ticket.contact_id == asker.id).order_by(Ticket.id)
    for ticket in (await session.scalars(own.with_for_update())).all():
        ticket.contact_id = None
        if ticket.kind not in STATUTORY_KINDS or ticket.state not in OPEN_STATES:
            ticket.receipt_digest, ticket.lookup_result = None, ""
        if ticket.kind not in STATUTORY_KINDS:
            await _remove(session, ticket, actor, now)
    mine = Delivery.contact_id == asker.id
    await session.execute(
        update(Delivery)
        .where(mine, Delivery.state.in_(UNSENT))
        .values(state=DeliveryState.FAILED, last_error="forgotten")
    )
    await session.execute(update(Delivery).where(mine).values(facts={}))
    await lessons.forget(session, asker.id)
    await reminders.forget(session, asker.id)
    await links.forget_contact(session, asker.id)
    await session.execute(delete(AnswerGiven).where(AnswerGiven.contact_id == asker.id))
    asker.address = f"forgotten:{certificate}:{asker.id}"
    asker.state = ContactState.LOST
    await audit.record(
        session, "contact.forget", f"contact:{asker.id}", actor=actor, now=now, certificate=certificate
    )
    return certificate


async def _remove(session: AsyncSession, ticket: Ticket, actor: Actor, now: datetime) -> None:
    if ticket.state in (S.IN_REVIEW, S.ON_HOLD):
        await move(session, ticket, S.WORKING, "forget", actor, now)
    if S.VOID in TRANSITIONS[ticket.state]:
        await move(session, ticket, S.VOID, "forget", actor, now)
    ticket.words = ticket.answer_text = ticket.proposed_text = REMOVED
    ticket.reason = ""
    await session.execute(update(ThreadPost).where(ThreadPost.ticket_id == ticket.id).values(text=REMOVED))
    await session.execute(delete(Draft).where(Draft.ticket_id == ticket.id))
