"""Clusters (集中问题) as they are kept: one problem, its tickets, and which of them leads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum, auto

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.tips import WorkTip
from office.errors import NotFound
from office.staff import Permission, Staff, must, reach
from office.store import Base, word
from office.units import Unit
from ticketing.records import Ticket


class ClusterState(StrEnum):
    """开放, 已答, 关闭."""

    OPEN = auto()
    ANSWERED = auto()
    CLOSED = auto()


C = ClusterState
TRANSITIONS: Mapping[ClusterState, frozenset[ClusterState]] = {
    C.OPEN: frozenset({C.ANSWERED, C.CLOSED}),
    C.ANSWERED: frozenset({C.OPEN, C.CLOSED}),
    C.CLOSED: frozenset(),
}


class Cluster(Base):
    """The problem behind several tickets; its members carry `Ticket.cluster_id`, one of them leads.

    `cluster_no` is `C-1120-01`: month, day and serial; with the year it is unique. The conclusion is the lead
    ticket's. `unit_id` is the smallest unit that all members lie under, `entry_id` the entry that answers the
    question or the draft begun from it.
    """

    __tablename__ = "cluster"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[ClusterState] = mapped_column(word(ClusterState), default=ClusterState.OPEN, index=True)
    cluster_no: Mapped[str] = mapped_column(String(16), index=True)
    title: Mapped[str] = mapped_column(String(200))
    lead_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    tip_id: Mapped[int | None] = mapped_column(ForeignKey(WorkTip.id))
    first_asked_at: Mapped[datetime]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    answered_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


async def get(session: AsyncSession, person: Staff, cluster_id: int) -> Cluster:
    """A cluster for a page of this person; raises `NotFound` outside their reach, as if it were not there."""
    await must(session, person, Permission.SEE_TICKETS)
    found = await session.scalar(
        select(Cluster)
        .join(Unit, Unit.id == Cluster.unit_id)
        .where(Cluster.id == cluster_id, Unit.path.startswith(await reach(session, person)))
    )
    if found is None:
        raise NotFound("cluster_unknown")
    return found


async def led_by(session: AsyncSession, ticket: Ticket) -> Cluster | None:
    """The cluster that this ticket leads, unless it is closed."""
    return await session.scalar(
        select(Cluster)
        .where(Cluster.lead_id == ticket.id, Cluster.state != ClusterState.CLOSED)
        .order_by(Cluster.id.desc())
        .limit(1)
    )


async def members(session: AsyncSession, cluster: Cluster) -> list[Ticket]:
    """The tickets of a cluster, the lead first, then in the order in which they were accepted."""
    rows = await session.scalars(
        select(Ticket).where(Ticket.cluster_id == cluster.id).order_by(Ticket.accepted_at, Ticket.id)
    )
    return sorted(rows.all(), key=lambda ticket: ticket.id != cluster.lead_id)
