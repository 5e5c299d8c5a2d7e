"""Being forgotten: a contact's words are removed and the contact is cut off from what remains."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import lessons, reminders
from knowledge.answer import AnswerGiven
from knowledge.roll import links
from office import audit, bindings
from office.audit import Actor, ActorKind
from office.contacts import Contact, ContactState
from office.outbox import Delivery, DeliveryState
from ticketing import attachments
from ticketing.attachments import Attachment
from ticketing.call_backs import CallBack, CallBackState, CallTry
from ticketing.drafts import Draft
from ticketing.ledgers import Enquiry
from ticketing.recalls import Recalled
from ticketing.records import (
    OPEN_STATES,
    REMOVED,
    STATUTORY_KINDS,
    TRANSITIONS,
    PostKind,
    ThreadPost,
    Ticket,
    TicketState,
)
from ticketing.restricted import RestrictedLine, RestrictedText
from ticketing.tickets import move

NAME_KEPT = timedelta(days=30)
UNSENT = (DeliveryState.DUE, DeliveryState.CLAIMED, DeliveryState.PARKED, DeliveryState.HELD)
S = TicketState


async def contact(session: AsyncSession, asker: Contact, *, now: datetime) -> str:
    """Forget a contact; returns the number to quote.

    Texts, names, phones and files go, counts stay, links to the secure page end. Statutory tickets survive
    without the contact; while open they keep what was looked up and sent for them. Other open ones become
    void, because nobody could be answered any more, unless others wait for their answer as well. The next
    message from the same place is a stranger's.
    """
    certificate = f"F-{now:%m%d}-{secrets.token_hex(3).upper()}"
    actor = Actor(ActorKind.CONTACT, asker.id, "asker", asker.channel.value)
    await session.execute(
        update(Enquiry)
        .where(Enquiry.contact_id == asker.id)
        .values(words="", reply="", particulars={}, pending_until=None)
    )
    # All locked in one order before the first audit line: an officer may be about to answer one of them.
    own = select(Ticket).where(Ticket.contact_id == asker.id).order_by(Ticket.id)
    tickets = (await session.scalars(own.with_for_update())).all()
    kept = [row.id for row in tickets if row.kind in STATUTORY_KINDS and row.state in OPEN_STATES]
    await _reached_no_more(session, asker, [ticket.id for ticket in tickets], kept, now)
    for ticket in tickets:
        ticket.contact_id = ticket.asker_name = ticket.phone = None
        if ticket.id not in kept:
            ticket.receipt_digest, ticket.lookup_result = None, ""
        if ticket.kind not in STATUTORY_KINDS:
            await _remove(session, ticket, [row.id for row in tickets], actor, now)
    await bindings.unbind(session, asker, now=now)
    # The cards of their tickets in the helpdesk's group quote them as well; a fresh card is on its way.
    mine = or_(Delivery.contact_id == asker.id, Delivery.subject.in_([f"card:{row.id}" for row in tickets]))
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


async def old_names(session: AsyncSession, *, now: datetime) -> None:
    """Names and phones go 30 days after a ticket is closed: until then somebody may have to call back."""
    named = or_(Ticket.asker_name.is_not(None), Ticket.phone.is_not(None))
    await session.execute(
        update(Ticket)
        .where(named, Ticket.state == S.CLOSED, Ticket.closed_at < now - NAME_KEPT)
        .values(asker_name=None, phone=None)
        .execution_options(synchronize_session="fetch")
    )


async def _reached_no_more(
    session: AsyncSession, asker: Contact, own: Sequence[int], kept: Sequence[int], now: datetime
) -> None:
    """Nobody calls, no file stays but those of `kept`, and no correction knows any more who was told."""
    calls = CallBack.ticket_id.in_(own)
    await session.execute(update(CallBack).where(calls).values(asker_name=None, phone=None, point=REMOVED))
    await session.execute(
        update(CallBack)
        .where(calls, CallBack.state == CallBackState.DUE)
        .values(state=CallBackState.GIVEN_UP, done_at=now)
    )
    tries = CallTry.call_back_id.in_(select(CallBack.id).where(calls))
    await session.execute(update(CallTry).where(tries).values(note=""))
    unsent = (Recalled.contact_id == asker.id, Recalled.laid_at.is_(None))
    await session.execute(delete(Recalled).where(*unsent))
    await session.execute(update(Recalled).where(Recalled.contact_id == asker.id).values(contact_id=None))
    theirs = or_(Attachment.ticket_id.in_(own), Attachment.contact_id == asker.id)
    gone = or_(Attachment.ticket_id.not_in(kept), Attachment.fetch_at.is_not(None))
    await attachments.remove(session, and_(theirs, gone), now=now)
    await session.execute(update(Attachment).where(Attachment.contact_id == asker.id).values(contact_id=None))


async def _remove(
    session: AsyncSession, ticket: Ticket, own: Sequence[int], actor: Actor, now: datetime
) -> None:
    others = await session.scalar(
        select(Ticket.id).where(Ticket.merged_into_id == ticket.id, Ticket.id.not_in(own)).limit(1)
    )
    waited_for = others is not None and ticket.state in OPEN_STATES
    lines = update(ThreadPost).where(ThreadPost.ticket_id == ticket.id)
    ticket.words, ticket.summary, ticket.note = REMOVED, "", ""
    ticket.wizard_facts, ticket.materials, ticket.cross_area = {}, {}, {}
    if waited_for:
        # Others asked the same and wait for this one's answer: only what its own asker wrote goes.
        theirs = (PostKind.ASKER, PostKind.EDITED, PostKind.NUDGE)
        await session.execute(lines.where(ThreadPost.kind.in_(theirs)).values(text=REMOVED))
        await session.flush()
        return
    if ticket.state in (S.IN_REVIEW, S.ON_HOLD):
        await move(session, ticket, S.WORKING, "forget", actor, now)
    if S.VOID in TRANSITIONS[ticket.state]:
        await move(session, ticket, S.VOID, "forget", actor, now)
    ticket.answer_text = ticket.proposed_text = REMOVED
    ticket.reason = ticket.spot_reply = ""
    await session.execute(lines.values(text=REMOVED))
    await session.execute(delete(Draft).where(Draft.ticket_id == ticket.id))
    await session.execute(delete(RestrictedLine).where(RestrictedLine.ticket_id == ticket.id))
    await session.execute(delete(RestrictedText).where(RestrictedText.ticket_id == ticket.id))
