"""Clusters (集中问题): questions that are the same question, found, confirmed by a person and answered once.

Nothing becomes a cluster by itself: `suggested` only shows. Once somebody has confirmed one, whoever asks the
very same belongs to it (`late`, `open_member`); what is merely similar is shown to the officer again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.versions import EntryState, EntryVersion
from office import audit
from office.audit import SYSTEM
from office.contacts import Contact
from office.errors import Conflict, Invalid
from office.hours import OfficeHours
from office.staff import Permission, Staff, must
from office.store import count_up, ring_after_commit
from office.units import Unit
from ticketing import clocks, similar
from ticketing.cluster_board import Place as Place
from ticketing.cluster_board import Told as Told
from ticketing.cluster_board import board as board
from ticketing.cluster_board import places as places
from ticketing.cluster_records import TRANSITIONS as TRANSITIONS
from ticketing.cluster_records import Cluster as Cluster
from ticketing.cluster_records import ClusterState as ClusterState
from ticketing.cluster_records import get as get
from ticketing.cluster_records import led_by as led_by
from ticketing.cluster_records import members as members
from ticketing.concluding import tell_late
from ticketing.joining import join
from ticketing.joining import split as part
from ticketing.moving import lock, may_work, move
from ticketing.records import (
    OPEN_STATES,
    QUEUE_TOPIC,
    REMOVED,
    Serial,
    Ticket,
    TicketKind,
    TicketState,
    UnansweredReason,
)
from ticketing.restricted import HIDDEN
from ticketing.similar import Question
from ticketing.suggesting import Suggestion as Suggestion
from ticketing.suggesting import more as more
from ticketing.suggesting import suggested as suggested

LONGEST_TITLE = 200
FEWEST_MEMBERS = 2
# So many clusters, and of each so many ways to ask, are held against a new question.
CLUSTERS_LOOKED_AT, WORDS_LOOKED_AT = 50, 2000
_SERIALS = "C"


async def confirm(
    session: AsyncSession, tickets: Sequence[Ticket], lead: Ticket, title: str, *, actor: Staff, now: datetime
) -> Cluster:
    """Make a cluster of these tickets: one of them leads, the others are joined to it with their own numbers.

    Raises `NotPermitted` for a ticket outside the actor's reach, `Invalid("cluster_few")` below two,
    `Invalid("cluster_title_needed")`, `Conflict("cluster_member")` for one that is in a cluster already,
    `Conflict("cluster_kind")` for what is decided case by case, `Conflict("stale_card")`.
    """
    chosen = {ticket.id: ticket for ticket in tickets}
    title = " ".join(title.split())[:LONGEST_TITLE]
    if lead.id not in chosen or len(chosen) < FEWEST_MEMBERS:
        raise Invalid("cluster_few")
    if not title:
        raise Invalid("cluster_title_needed")
    for ticket in chosen.values():
        await may_work(session, actor, ticket)
    # All at once and in one order, before anything is written.
    await lock(session, *chosen.values())
    for ticket in chosen.values():
        _fit(ticket)
    day = clocks.business_day(now)
    serial = await count_up(session, Serial, {"district_code": _SERIALS, "day": day}, "last")
    cluster = Cluster(
        cluster_no=f"C-{day:%m%d}-{serial:02d}",
        title=title,
        lead_id=lead.id,
        unit_id=(await _common_unit(session, list(chosen.values()))).id,
        first_asked_at=min(ticket.accepted_at for ticket in chosen.values()),
        created_at=now,
        created_by_id=actor.id,
    )
    session.add(cluster)
    await session.flush()
    lead.cluster_id = cluster.id
    await session.flush()
    await audit.record(
        session, "cluster.confirm", f"cluster:{cluster.id}", actor=actor.as_actor(), now=now,
        no=cluster.cluster_no, lead=lead.ticket_no, members=len(chosen),
    )  # fmt: skip
    for ticket in sorted(chosen.values(), key=lambda one: one.id):
        if ticket.id != lead.id:
            await join(session, ticket, lead, cluster_id=cluster.id, actor=actor, now=now)
    return cluster


async def add(
    session: AsyncSession,
    cluster: Cluster,
    tickets: Sequence[Ticket],
    *,
    actor: Staff,
    hours: OfficeHours,
    now: datetime,
) -> None:
    """Join more tickets to a cluster; where its lead is answered they are told at once.

    Raises as `confirm` does, and `Conflict("cluster_closed")`.
    """
    await session.refresh(cluster, with_for_update=True)
    if cluster.state is ClusterState.CLOSED:
        raise Conflict("cluster_closed")
    if not tickets:
        raise Invalid("cluster_none_chosen")
    lead = await session.get_one(Ticket, cluster.lead_id)
    for ticket in sorted(tickets, key=lambda one: one.id):
        await may_work(session, actor, ticket)
        _fit(ticket)
        await join(session, ticket, lead, cluster_id=cluster.id, actor=actor, now=now)
        await tell_late(session, ticket, lead, hours=hours, now=now)
    cluster.unit_id = (await _common_unit(session, await members(session, cluster))).id
    await session.flush()


async def split(session: AsyncSession, ticket: Ticket, *, actor: Staff, now: datetime) -> None:
    """Part a member from its cluster: a question of its own after all. A leader decides (`joining.split`)."""
    await part(session, ticket, actor=actor.as_actor(), now=now)


async def close(session: AsyncSession, cluster: Cluster, *, actor: Staff, now: datetime) -> None:
    """Put a cluster away: nobody is added to it any more.

    Raises `Conflict("cluster_owed")` while members wait for its answer.
    """
    unit = await session.get_one(Unit, cluster.unit_id)
    await must(session, actor, Permission.WORK_TICKETS, unit.path)
    await session.refresh(cluster, with_for_update=True)
    lead = await session.get_one(Ticket, cluster.lead_id)
    waiting = [ticket for ticket in await members(session, cluster) if ticket.state is TicketState.MERGED]
    if waiting and lead.state in OPEN_STATES:
        raise Conflict("cluster_owed")
    await audit.move(
        session, cluster, ClusterState.CLOSED, by="close", table=TRANSITIONS, actor=actor.as_actor(), now=now
    )
    ring_after_commit(session, QUEUE_TOPIC)


async def open_member(session: AsyncSession, contact: Contact, words: str) -> Ticket | None:
    """The contact's own ticket in a cluster that still owes its answer, if `words` ask for the same.

    What its asker writes now belongs into the thread of that ticket.
    """
    own = await session.scalars(
        select(Ticket)
        .join(Cluster, Cluster.id == Ticket.cluster_id)
        .where(Ticket.contact_id == contact.id, Cluster.state != ClusterState.CLOSED)
        .order_by(Ticket.id.desc())
        .limit(CLUSTERS_LOOKED_AT)
    )
    waiting = []
    for ticket in own.all():
        lead = await session.get_one(Ticket, ticket.merged_into_id or ticket.id)
        if lead.state in OPEN_STATES:
            waiting.append(ticket)
    if not waiting:
        return None
    # Whoever asks in other words again may have read the cluster's question in them: all its words count.
    asked = await _asked(session, {ticket.cluster_id or 0 for ticket in waiting})
    found = similar.closest(words, asked)
    if found is None or found[1] < similar.SAME:
        return None
    cluster_id = await session.scalar(select(Ticket.cluster_id).where(Ticket.id == found[0]))
    return next(ticket for ticket in waiting if ticket.cluster_id == cluster_id)


async def late(session: AsyncSession, ticket: Ticket, *, now: datetime) -> Cluster | None:
    """Join a ticket that has just been opened to the open cluster that asks the very same; None without one.

    Its asker gets the wording `merged`. What is only similar stays a ticket for itself and is shown beside
    the cluster (`more`).
    """
    if not _may_gather(ticket) or TicketState.MERGED not in _MERGEABLE.get(ticket.state, ()):
        return None
    found = await _the_same(session, ticket.words, ClusterState.OPEN)
    if found is None:
        return None
    lead = await session.get_one(Ticket, found.lead_id)
    await lock(session, ticket, lead)
    if lead.state not in OPEN_STATES or lead.id == ticket.id:
        return None
    ticket.cluster_id, ticket.merged_into_id = found.id, lead.id
    await move(
        session, ticket, TicketState.MERGED, "join", SYSTEM, now, lead=lead.ticket_no, cluster=found.id
    )
    return found


async def answered_entry(session: AsyncSession, words: str, *, now: datetime) -> int | None:
    """The entry that has answered the very same question for a cluster, if it is published; else None.

    An answer that only a reviewer's name stands for is not given again by itself: the question is a ticket.
    """
    found = await _the_same(session, words, ClusterState.ANSWERED)
    if found is None:
        return None
    lead = await session.get_one(Ticket, found.lead_id)
    if lead.state not in (TicketState.ANSWERED, TicketState.CLOSED) or lead.conclusion_version_id is None:
        return None
    version = await session.get_one(EntryVersion, lead.conclusion_version_id)
    in_force = version.state is EntryState.PUBLISHED and version.covers(clocks.business_day(now))
    return version.entry_id if in_force else None


_MERGEABLE = {TicketState.UNASSIGNED: (TicketState.MERGED,)}


def _may_gather(ticket: Ticket) -> bool:
    """Reports, appeals, people in distress and whatever a term of the law runs on are decided one by one."""
    return (
        ticket.kind is TicketKind.ENQUIRY
        and ticket.why_unanswered is not UnansweredReason.RESTRICTED
        and ticket.statutory_due is None
    )


def _fit(ticket: Ticket) -> None:
    if not _may_gather(ticket):
        raise Conflict("cluster_kind")
    if ticket.cluster_id is not None:
        raise Conflict("cluster_member", no=ticket.ticket_no)
    if ticket.state not in OPEN_STATES:
        raise Conflict("stale_card")


async def _the_same(session: AsyncSession, words: str, state: ClusterState) -> Cluster | None:
    newest = select(Cluster).where(Cluster.state == state).order_by(Cluster.id.desc())
    rows = {row.id: row for row in await session.scalars(newest.limit(CLUSTERS_LOOKED_AT))}
    if not rows:
        return None
    found = similar.closest(words, await _asked(session, set(rows)))
    if found is None or found[1] < similar.ALIKE:
        return None
    cluster_id = await session.scalar(select(Ticket.cluster_id).where(Ticket.id == found[0]))
    return rows.get(cluster_id or 0)


async def _asked(session: AsyncSession, cluster_ids: set[int]) -> list[Question]:
    rows = await session.execute(
        select(Ticket.id, Ticket.words)
        .where(Ticket.cluster_id.in_(cluster_ids), Ticket.words.not_in(("", REMOVED, HIDDEN)))
        .order_by(Ticket.id)
        .limit(WORDS_LOOKED_AT)
    )
    return [Question(number, words) for number, words in rows]


async def _common_unit(session: AsyncSession, tickets: Sequence[Ticket]) -> Unit:
    """The smallest unit under which all of them lie."""
    rows = await session.scalars(select(Unit.path).where(Unit.id.in_({one.unit_id for one in tickets})))
    steps = [path.strip(".").split(".") for path in rows]
    shared = 0
    while all(len(one) > shared for one in steps) and len({one[shared] for one in steps}) == 1:
        shared += 1
    return await session.get_one(Unit, int(steps[0][shared - 1]))
