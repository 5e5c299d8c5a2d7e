"""Tickets that are one question: joined to a lead, of one asker or through a cluster, and parted again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from office.audit import Actor, ActorKind
from office.errors import Conflict, NotPermitted
from office.staff import Staff
from ticketing import leading
from ticketing.intake import post
from ticketing.moving import lock, may_work, move
from ticketing.records import TRANSITIONS, PostKind, ThreadPost, Ticket, TicketState

S = TicketState


async def merge(session: AsyncSession, ticket: Ticket, lead: Ticket, *, actor: Staff, now: datetime) -> None:
    """Join a ticket to another one of the same asker; the lead's conclusion answers both, once.

    What the asker wrote goes over into the lead's thread, and what had been joined to the ticket as well.
    A term of the law goes along: the earlier one counts. Raises `Conflict("merge_other_asker")`,
    `Conflict("merge_cycle")` for itself or a merged lead, `Conflict("merge_offline")` for one that is handled
    offline, and `Conflict("merge_statutory")` where a term of the law would be lost in a lead on which it
    does not run.
    """
    await _may_join(session, ticket, lead, actor)
    if ticket.contact_id is None or ticket.contact_id != lead.contact_id:
        raise Conflict("merge_other_asker")
    if ticket.statutory_due is not None:
        if lead.statutory_due is None or lead.statutory_kind is not ticket.statutory_kind:
            raise Conflict("merge_statutory")
        lead.statutory_due = min(lead.statutory_due, ticket.statutory_due)
    # Two receipts are two persons': the lead keeps its own.
    lead.receipt_digest = lead.receipt_digest or ticket.receipt_digest
    ticket.receipt_digest = None
    written = await session.scalars(
        select(ThreadPost)
        .where(ThreadPost.ticket_id == ticket.id, ThreadPost.kind.in_((PostKind.ASKER, PostKind.EDITED)))
        .order_by(ThreadPost.id)
    )
    for line in written.all():
        await post(session, lead, line.kind, line.text, now=line.at, event_id=line.event_id)
    await _merged(session, ticket, lead, "merge", actor, now)


async def join(
    session: AsyncSession, ticket: Ticket, lead: Ticket, *, cluster_id: int, actor: Staff, now: datetime
) -> None:
    """Join a ticket to a lead of somebody else's: one cluster, one conclusion, told to each asker.

    No words go over, and number, asker and channel stay its own; who had been joined to it goes along.
    Raises `Conflict("merge_cycle")` for itself or a merged lead, `Conflict("merge_offline")` for one that is
    handled offline, `Conflict("merge_statutory")` for a ticket on which a term of the law runs: it is
    decided for itself.
    """
    await _may_join(session, ticket, lead, actor)
    if ticket.statutory_due is not None:
        raise Conflict("merge_statutory")
    ticket.cluster_id = cluster_id
    await session.execute(
        update(Ticket).where(Ticket.merged_into_id == ticket.id).values(cluster_id=cluster_id)
    )
    await _merged(session, ticket, lead, "join", actor, now, cluster=cluster_id)


async def split(session: AsyncSession, ticket: Ticket, *, actor: Actor, now: datetime) -> None:
    """Part a joined ticket from its lead again: by a leader, or by the asker's own 还没有.

    It inherits nothing but its history: its own clock runs as it did, and somebody has to take it.
    """
    if actor.kind is ActorKind.STAFF:
        person = await session.get_one(Staff, actor.id)
        await may_work(session, person, ticket)
        await leading.must_lead(session, person, ticket, now=now)
    elif actor.kind is ActorKind.CONTACT and actor.id != ticket.contact_id:
        raise NotPermitted("not_permitted")
    await lock(session, ticket)
    if ticket.state is not S.MERGED:
        raise Conflict("stale_card")
    await parted(session, ticket, actor, now)


async def parted(session: AsyncSession, ticket: Ticket, actor: Actor, now: datetime) -> None:
    """Put a joined ticket back into the queue, as its lead is no lead any more or somebody decided so."""
    lead = await session.get(Ticket, ticket.merged_into_id or 0)
    ticket.merged_into_id = ticket.cluster_id = None
    ticket.assignee_id = ticket.assigned_at = ticket.taken_at = None
    ticket.follow_up_due_at = ticket.follow_up_asked_at = None
    no = lead.ticket_no if lead else ""
    await move(session, ticket, S.UNASSIGNED, "split", actor, now, lead=no)


async def _may_join(session: AsyncSession, ticket: Ticket, lead: Ticket, actor: Staff) -> None:
    await may_work(session, actor, ticket)
    await may_work(session, actor, lead)
    await lock(session, ticket, lead)
    if lead.id == ticket.id or lead.state in (S.MERGED, S.VOID):
        raise Conflict("merge_cycle")
    if lead.state is S.OFFLINE:
        raise Conflict("merge_offline")
    if S.MERGED not in TRANSITIONS[ticket.state]:
        raise Conflict("stale_card")


async def _merged(
    session: AsyncSession, ticket: Ticket, lead: Ticket, by: str, actor: Staff, now: datetime, **facts: int
) -> None:
    ticket.merged_into_id = lead.id
    await session.execute(
        update(Ticket).where(Ticket.merged_into_id == ticket.id).values(merged_into_id=lead.id)
    )
    await move(session, ticket, S.MERGED, by, actor.as_actor(), now, lead=lead.ticket_no, **facts)
