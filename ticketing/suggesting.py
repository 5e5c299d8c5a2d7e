"""Which open tickets ask the same thing: what somebody may make a cluster of."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office.staff import Permission, Staff, must, reach
from office.units import Unit
from ticketing import similar
from ticketing.cluster_records import Cluster, ClusterState, members
from ticketing.records import OPEN_STATES, REMOVED, Ticket, TicketKind, TicketState, UnansweredReason
from ticketing.restricted import HIDDEN
from ticketing.similar import Question

WINDOW = timedelta(hours=48)
FEWEST_ASKERS = 3
MOST_LOOKED_AT = 1500
"""So many of the newest tickets of the window are held against each other: a page must not take seconds."""
MOST_SHOWN = 20
TITLE = 60
S = TicketState


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is looked at of a ticket of the window."""

    id: int
    words: str
    topic: str
    contact_id: int | None
    state: TicketState
    cluster_id: int | None
    accepted_at: datetime
    unit: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Similar questions of the last 48 hours, and which of them still wait and so may be joined.

    `asked` counts all of them, the answered ones too; `last_day` and `day_before` are the trend. `cluster` is
    an open one that the same question has already led to.
    """

    title: str
    tickets: tuple[Ticket, ...]
    asked: int
    askers: int
    units: tuple[str, ...]
    topic: str
    first_asked_at: datetime
    last_day: int
    day_before: int
    cluster: Cluster | None = None

    @property
    def growth(self) -> int:
        """How many more were asked in the last 24 hours than in the 24 before."""
        return self.last_day - self.day_before


async def suggested(session: AsyncSession, person: Staff, *, now: datetime) -> list[Suggestion]:
    """Groups of at least three askers with at least two tickets to join, the most askers first.

    Every miss is a ticket, so the tickets of the last 48 hours are what is looked at: open and answered ones
    within the person's reach, none that is decided case by case.
    """
    await must(session, person, Permission.SEE_TICKETS)
    rows = await _window(session, person, now)
    clusters = {
        row.id: row
        for row in await session.scalars(
            select(Cluster).where(Cluster.id.in_({r.cluster_id for r in rows if r.cluster_id}))
        )
        if row.state is ClusterState.OPEN
    }
    by_id = {row.id: row for row in rows}
    found = []
    asked = [Question(row.id, row.words, row.topic) for row in rows]
    for group in await asyncio.to_thread(similar.grouped, asked):
        held = [by_id[key] for key in group]
        known = Counter(row.cluster_id for row in held if row.cluster_id in clusters)
        waiting = [row.id for row in held if row.cluster_id is None and row.state in OPEN_STATES]
        askers = len({row.contact_id or -row.id for row in held})
        if askers < FEWEST_ASKERS or len(waiting) < (1 if known else 2):
            continue
        cluster = clusters[min(known, key=lambda number: (-known[number], number))] if known else None
        found.append((askers, held, waiting, cluster))
    found.sort(key=lambda one: (-one[0], one[1][0].id))
    return [
        await _suggestion(session, held, waiting, askers, cluster, now)
        for askers, held, waiting, cluster in found[:MOST_SHOWN]
    ]


async def more(session: AsyncSession, person: Staff, cluster: Cluster, *, now: datetime) -> list[Ticket]:
    """Open tickets of the last 48 hours that are similar to those of this cluster, most similar first."""
    inside = await members(session, cluster)
    asked = [Question(ticket.id, ticket.words, ticket.topic) for ticket in inside]
    known = {ticket.id for ticket in inside}
    rows = [
        row
        for row in await _window(session, person, now)
        if row.id not in known and row.cluster_id is None and row.state in OPEN_STATES
    ]
    near = []
    asked += [Question(row.id, row.words, row.topic) for row in rows]
    for group in await asyncio.to_thread(similar.grouped, asked):
        if known & set(group):
            near += [key for key in group if key not in known]
    loaded = await _loaded(session, near)
    return loaded[:MOST_SHOWN]


async def _window(session: AsyncSession, person: Staff, now: datetime) -> Sequence[_Seen]:
    # Some columns only: two thousand whole tickets would take longer to load than to compare.
    rows = await session.execute(
        select(
            Ticket.id, Ticket.words, Ticket.topic, Ticket.contact_id, Ticket.state, Ticket.cluster_id,
            Ticket.accepted_at, Unit.name,
        )
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(
            Ticket.accepted_at >= now - WINDOW,
            Unit.path.startswith(await reach(session, person)),
            Ticket.kind == TicketKind.ENQUIRY,
            Ticket.why_unanswered != UnansweredReason.RESTRICTED,
            Ticket.statutory_due.is_(None),
            Ticket.state.not_in((S.VOID, S.OFFLINE)),
            Ticket.words.not_in(("", REMOVED, HIDDEN)),
        )
        .order_by(Ticket.accepted_at.desc(), Ticket.id.desc())
        .limit(MOST_LOOKED_AT)
    )  # fmt: skip
    return [_Seen(*row) for row in rows]


async def _suggestion(
    session: AsyncSession,
    held: Sequence[_Seen],
    waiting: Sequence[int],
    askers: int,
    cluster: Cluster | None,
    now: datetime,
) -> Suggestion:
    last = sum(row.accepted_at > now - WINDOW / 2 for row in held)
    topics = Counter(row.topic for row in held if row.topic)
    return Suggestion(
        title=cluster.title if cluster else _title(held[0].words),
        tickets=tuple(await _loaded(session, waiting)),
        asked=len(held),
        askers=askers,
        units=tuple(sorted({row.unit for row in held})),
        topic=min(topics, key=lambda topic: (-topics[topic], topic)) if topics else "",
        first_asked_at=min(row.accepted_at for row in held),
        last_day=last,
        day_before=len(held) - last,
        cluster=cluster,
    )


async def _loaded(session: AsyncSession, numbers: Sequence[int]) -> list[Ticket]:
    if not numbers:
        return []
    rows = await session.scalars(select(Ticket).where(Ticket.id.in_(numbers)))
    by_id = {ticket.id: ticket for ticket in rows}
    return [by_id[number] for number in numbers if number in by_id]


def _title(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= TITLE else line[: TITLE - 1] + "…"
