"""What the rows of tickets point to, read together for many: names, entries, leads, units, members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from knowledge.versions import Entry, EntryVersion
from office import staff, units
from ticketing import answer_ways
from ticketing.answer_ways import Given
from ticketing.clusters import Cluster
from ticketing.joint import JointMember
from ticketing.records import Ticket

_PEOPLE = (
    "first_taker_id", "assignee_id", "author_id", "reviewer_id", "answered_by_id", "offline_owner_id",
    "hold_wanted_by_id",
)  # fmt: skip
# Databases take only so many values in one list.
_TOGETHER = 900


@dataclass(frozen=True, slots=True)
class Refs:
    """Words for the row numbers that tickets carry.

    `names` of staff in full: the record is an office's own paper. `versions` are entry number and version,
    `published` the phone numbers that units publish themselves, `given` what each asker was told last.
    """

    names: Mapping[int, str]
    versions: Mapping[int, tuple[str, int]]
    entries: Mapping[int, str]
    leads: Mapping[int, str]
    clusters: Mapping[int, str]
    joint: Mapping[int, tuple[int, ...]]
    published: tuple[str, ...]
    given: Mapping[int, Given]

    def name(self, staff_id: int | None) -> str:
        """The name of somebody of the staff, or an empty text."""
        return self.names.get(staff_id or 0, "")


async def of(session: AsyncSession, tickets: Sequence[Ticket]) -> Refs:
    """Everything these tickets point to; a handful of queries, however many tickets there are."""
    members: dict[int, tuple[int, ...]] = {}
    ids = [ticket.id for ticket in tickets]
    for some in _portions(ids):
        rows = await session.execute(
            select(JointMember.ticket_id, JointMember.staff_id)
            .where(JointMember.ticket_id.in_(some))
            .order_by(JointMember.ticket_id, JointMember.staff_id)
        )
        for ticket_id, staff_id in rows:
            members[ticket_id] = (*members.get(ticket_id, ()), staff_id)
    given = await answer_ways.of(session, tickets)
    # A joined ticket's row tells its lead's conclusion: who gave it and what it cites are looked up as well.
    told = [*tickets, *(one.by for one in given.values() if one.by is not None)]
    people = {getattr(ticket, name) for ticket in told for name in _PEOPLE}
    people |= {t.materials.get(name) for t in tickets for name in ("checked_by", "second_by")}
    people |= {staff_id for found in members.values() for staff_id in found}
    versions = select(EntryVersion.id, Entry.entry_no, EntryVersion.number).join(
        Entry, Entry.id == EntryVersion.entry_id
    )
    cited = {
        number: (entry_no, version)
        for number, entry_no, version in await _rows(
            session, versions, EntryVersion.id, {ticket.conclusion_version_id for ticket in told}
        )
    }
    return Refs(
        names=await staff.names(session, {number for number in people if number}),
        versions=cited,
        entries=dict(
            await _rows(
                session, select(Entry.id, Entry.entry_no), Entry.id, {t.entry_created_id for t in tickets}
            )
        ),
        leads=dict(
            await _rows(
                session, select(Ticket.id, Ticket.ticket_no), Ticket.id, {t.merged_into_id for t in tickets}
            )
        ),
        clusters=dict(
            await _rows(
                session, select(Cluster.id, Cluster.cluster_no), Cluster.id, {t.cluster_id for t in tickets}
            )
        ),
        joint=members,
        published=await units.published_numbers(session),
        given=given,
    )


async def _rows(
    session: AsyncSession,
    statement: Select[*tuple[Any, ...]],
    column: InstrumentedAttribute[int],
    wanted: set[int | None],
) -> list[Any]:
    found: list[Any] = []
    for some in _portions(sorted(number for number in wanted if number)):
        found += (await session.execute(statement.where(column.in_(some)))).all()
    return found


def _portions(numbers: Sequence[int]) -> list[Sequence[int]]:
    return [numbers[first : first + _TOGETHER] for first in range(0, len(numbers), _TOGETHER)]
