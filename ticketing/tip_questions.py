"""Questions about a work tip (❓ 有疑问): each a ticket that names the tip, so that they can be counted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import tip_words
from knowledge.tips import WorkTip
from office import units
from office.audit import Actor
from office.contacts import Contact
from office.hours import OfficeHours
from office.units import Unit
from ticketing import intake, ledgers
from ticketing.ledgers import Outcome
from ticketing.particulars import AskerKind, LedgerKind
from ticketing.records import OPEN_STATES, Ticket, TicketState, UnansweredReason

UNCOUNTED: Final = (TicketState.VOID, TicketState.MERGED)


async def ask(
    session: AsyncSession,
    tip: WorkTip,
    words: str,
    *,
    contact: Contact,
    unit: Unit,
    actor: Actor,
    hours: OfficeHours,
    now: datetime,
    event_id: str = "",
) -> Ticket:
    """Write a question about a tip down as a ticket of `unit` that is linked to it; the same one is kept.

    `words` are redacted once more at the intake. Who asks the very same while it is open gets the ticket
    there is. It stands in 政策释疑: those who ask work with the tip.
    """
    said = " ".join((await intake.clean(session, words)).split())
    for before in await session.scalars(
        select(Ticket)
        .where(Ticket.tip_id == tip.id, Ticket.contact_id == contact.id, Ticket.state.in_(OPEN_STATES))
        .order_by(Ticket.id)
    ):
        if " ".join(before.words.split()) == said:
            return before
    district = await units.election_office(session)
    ticket = await intake.open_ticket(
        session, contact, words, unit=unit, district=district, channel=contact.channel, actor=actor,
        hours=hours, now=now, why=UnansweredReason.NO_ENTRY, event_id=event_id,
        group=ledgers.group_by_ledger(LedgerKind.POLICY),
    )  # fmt: skip
    ticket.tip_id, ticket.tip_no = tip.id, tip_words.short_number(tip)
    ticket.asker_kind, ticket.ledger = AskerKind.WORK_GROUP, LedgerKind.POLICY
    enquiry = await ledgers.record(
        session, contact, ticket.words, outcome=Outcome.TICKETED, now=now, event_id=event_id
    )
    enquiry.ticket_id, enquiry.unit_id, enquiry.ledger = ticket.id, unit.id, LedgerKind.POLICY
    await session.flush()
    return ticket


async def count(session: AsyncSession, tip: WorkTip) -> int:
    """反馈问题数 of a tip; void tickets and those joined to another do not count."""
    return (await counts(session, [tip.id])).get(tip.id, 0)


async def counts(session: AsyncSession, tip_ids: Collection[int]) -> dict[int, int]:
    """反馈问题数 of several tips; a tip without questions is left out."""
    rows = await session.execute(
        select(Ticket.tip_id, func.count())
        .where(Ticket.tip_id.in_(tip_ids), Ticket.state.not_in(UNCOUNTED))
        .group_by(Ticket.tip_id)
    )
    return {tip_id: number for tip_id, number in rows if tip_id is not None}
