"""What was answered before: the newest answered tickets that ask nearly the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from rapidfuzz import fuzz, process
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.figures import plain
from office.staff import Permission, Staff, must, reach
from office.units import Unit
from ticketing.records import Ticket, TicketKind, TicketState

LOOKED_BACK = 3_000
"""Older tickets than so many are left alone, so that the work does not grow with the years."""
NEWEST = 300
OF_TOPIC = 200
ALIKE = 55.0
"""From here on (of 100) two questions are near enough to be worth a look; unrelated ones stay below 40."""
SHOWN = 5
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Precedent:
    """One answered ticket: how near its question is in percent, what was answered, and with which entry."""

    ticket_id: int
    ticket_no: str
    words: str
    answer: str
    version_id: int | None
    answered_at: datetime
    percent: int


async def like(
    session: AsyncSession, person: Staff, ticket: Ticket, words: str, *, limit: int = SHOWN
) -> list[Precedent]:
    """The answered tickets within the person's reach nearest to `words`, nearest first.

    Looked at are the newest ones and the newest of the same topic. Confidential cases are none of them.
    """
    await must(session, person, Permission.SEE_TICKETS)
    answered = and_(
        Ticket.state.in_((TicketState.ANSWERED, TicketState.CLOSED)),
        Ticket.kind.not_in((TicketKind.REPORT, TicketKind.PRIVACY)),
        Ticket.answer_text != "",
        Ticket.offline_owner_id.is_(None),
        Ticket.id > ticket.id - LOOKED_BACK,
        Ticket.id != ticket.id,
    )
    columns = (
        Ticket.id, Ticket.ticket_no, Ticket.words, Ticket.answer_text,
        Ticket.conclusion_version_id, Ticket.answered_at,
    )  # fmt: skip
    statement = (
        select(*columns)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(answered, Unit.path.startswith(await reach(session, person)))
        .order_by(Ticket.id.desc())
    )
    found = {row.id: row for row in await session.execute(statement.limit(NEWEST))}
    if ticket.topic:
        of_topic = statement.where(Ticket.topic == ticket.topic).limit(OF_TOPIC)
        found |= {row.id: row for row in await session.execute(of_topic)}
    near = process.extract(
        _pairs(words),
        {number: _pairs(row.words) for number, row in found.items()},
        scorer=fuzz.token_sort_ratio,
        score_cutoff=ALIKE,
        limit=limit,
    )
    shown = []
    for _, score, number in near:
        row = found[number]
        shown.append(
            Precedent(
                row.id,
                row.ticket_no,
                row.words,
                row.answer_text,
                row.conclusion_version_id,
                row.answered_at,
                round(score),
            )
        )
    return shown


def _pairs(words: str) -> str:
    bare = "".join(char for char in plain(words[:LONGEST]) if char.isalnum())
    return " ".join(a + b for a, b in pairwise(bare)) or bare
