"""The missed-question desk: what the assistant could not answer, looked at one group after the other.

On it stand misses, answers that did not help, choices that were refused, and questions for which a reviewer
had to sign. Whatever has been decided about stands there no more, until the decision is undone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, Select, String, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, load_only, mapped_column

from knowledge.versions import EntryVersion
from office.hours import beijing_day, moment
from office.staff import Permission, Staff, must, reach
from office.store import Base, word
from office.units import Unit
from ticketing import similar
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import REMOVED, Ticket, TicketKind, TicketState, UnansweredReason
from ticketing.restricted import HIDDEN
from ticketing.similar import Question

WINDOW = timedelta(days=14)
MOST_LOOKED_AT = 1500
"""So many of the newest questions of the window are grouped; what is older waits until these are decided."""


class MissKey(StrEnum):
    """The four keys of the desk: 加为问法, 指向已有口径, 新建口径, 与本系统无关."""

    PHRASING = auto()
    POINTED = auto()
    ENTRY = auto()
    OFF_TOPIC = auto()


class OffTopic(StrEnum):
    """Why a question is no matter of ours: 其他政务, 相近不相关, 闲聊, 骚扰."""

    OTHER_OFFICE = auto()
    NEAR = auto()
    SMALLTALK = auto()
    ABUSE = auto()


class MissKind(StrEnum):
    """How a question came onto the desk: 未命中, 没解决, 候选都不是, 审核人签答."""

    MISS = auto()
    NOT_SOLVED = auto()
    REFUSED = auto()
    SIGNED = auto()


class MissDecision(Base):
    """What was made of one missed enquiry; undone within the day it counts no longer.

    `batch` holds together what one key press decided. The words stay in the enquiry, as they were asked.
    """

    __tablename__ = "miss_decision"

    id: Mapped[int] = mapped_column(primary_key=True)
    enquiry_id: Mapped[int] = mapped_column(ForeignKey("enquiry.id"), index=True)
    batch: Mapped[str] = mapped_column(String(32), index=True)
    key: Mapped[MissKey] = mapped_column(word(MissKey))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    off_topic: Mapped[str] = mapped_column(String(32), default="")
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    undone_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Missed:
    """One question of the desk. `ticket` is owed by the office; `entry_id` is what it was answered with."""

    enquiry: Enquiry
    ticket: Ticket
    unit: str
    kind: MissKind
    entry_id: int | None

    @property
    def asker(self) -> int:
        """Who asked: a contact, or a caller who left none."""
        return self.enquiry.contact_id or -self.enquiry.id


@dataclass(frozen=True, slots=True)
class MissGroup:
    """Questions that are one question, the most typical first."""

    rows: tuple[Missed, ...]
    askers: int


@dataclass(frozen=True, slots=True)
class Decided:
    """One key press of today."""

    batch: str
    key: MissKey
    entry_id: int | None
    off_topic: str
    words: str
    count: int
    at: datetime


async def groups(
    session: AsyncSession, person: Staff, *, now: datetime, kind: MissKind | None = None
) -> list[MissGroup]:
    """What is on the desk within the person's reach, the group with most askers first, then the newest.

    Only what the desk shows of enquiries and tickets is loaded: who acts asks for them with `chosen`.
    """
    await must(session, person, Permission.DRAFT_ENTRIES)
    statement = await _undecided(session, person)
    rows = await session.execute(
        statement.options(
            load_only(
                Enquiry.words,
                Enquiry.offered,
                Enquiry.entry_id,
                Enquiry.solved,
                Enquiry.contact_id,
                Enquiry.at,
            ),
            load_only(*_SHOWN),
            load_only(*(getattr(_LEAD, column.key) for column in _SHOWN)),
        )
        .where(Enquiry.at >= now - WINDOW)
        .order_by(Enquiry.at.desc(), Enquiry.id.desc())
        .limit(MOST_LOOKED_AT)
    )
    held = {row.enquiry.id: row for row in map(_missed, rows) if row is not None}
    if kind is not None:
        held = {number: row for number, row in held.items() if row.kind is kind}
    asked = [Question(number, row.enquiry.words, _thought_of(row.enquiry)) for number, row in held.items()]
    found = []
    for group in await asyncio.to_thread(similar.grouped, asked):
        together = tuple(held[number] for number in group)
        found.append(MissGroup(together, len({row.asker for row in together})))
    return sorted(found, key=lambda one: (-one.askers, -max(row.enquiry.at.timestamp() for row in one.rows)))


async def chosen(session: AsyncSession, person: Staff, numbers: Collection[int]) -> list[Missed]:
    """These questions, as far as they are on the desk within the person's reach and undecided."""
    await must(session, person, Permission.DRAFT_ENTRIES)
    statement = await _undecided(session, person)
    rows = await session.execute(statement.where(Enquiry.id.in_(numbers)).order_by(Enquiry.id))
    return [row for row in map(_missed, rows) if row is not None]


async def decided_today(session: AsyncSession, person: Staff, *, now: datetime) -> list[Decided]:
    """What this person has decided since midnight and may still undo, the last first."""
    rows = await session.execute(
        select(
            MissDecision.batch, MissDecision.key, MissDecision.entry_id, MissDecision.off_topic,
            func.min(Enquiry.words), func.count(), func.max(MissDecision.at), func.max(MissDecision.id),
        )
        .join(Enquiry, Enquiry.id == MissDecision.enquiry_id)
        .where(MissDecision.staff_id == person.id, MissDecision.undone_at.is_(None))
        .where(MissDecision.at >= moment(beijing_day(now), timedelta()))
        .group_by(
            MissDecision.batch, MissDecision.key, MissDecision.entry_id, MissDecision.off_topic
        )
        .order_by(func.max(MissDecision.id).desc())
        .limit(20)
    )  # fmt: skip
    return [Decided(*row[:7]) for row in rows]


async def of_batch(session: AsyncSession, batch: str) -> Sequence[MissDecision]:
    """What one key press decided and nobody has undone, held until the commit."""
    rows = await session.scalars(
        select(MissDecision)
        .where(MissDecision.batch == batch, MissDecision.undone_at.is_(None))
        .order_by(MissDecision.id)
        .with_for_update()
    )
    return rows.all()


# The lead speaks for a ticket that was joined to it: its answer is the answer.
_LEAD = aliased(Ticket)
_SHOWN = (
    Ticket.ticket_no, Ticket.state, Ticket.unit_id, Ticket.merged_into_id, Ticket.reviewer_id,
    Ticket.conclusion_version_id, Ticket.asked_for_person,
)  # fmt: skip


async def _undecided(session: AsyncSession, person: Staff) -> Select[Enquiry, Ticket, str, Ticket, int]:
    lead = _LEAD
    decided = exists().where(MissDecision.enquiry_id == Enquiry.id, MissDecision.undone_at.is_(None))
    return (
        select(Enquiry, Ticket, Unit.name, lead, EntryVersion.entry_id)
        .join(Ticket, Ticket.id == Enquiry.ticket_id)
        .join(Unit, Unit.id == Ticket.unit_id)
        .outerjoin(lead, lead.id == Ticket.merged_into_id)
        .outerjoin(
            EntryVersion,
            EntryVersion.id == func.coalesce(lead.conclusion_version_id, Ticket.conclusion_version_id),
        )
        .where(
            Enquiry.outcome == Outcome.TICKETED,
            Enquiry.words.not_in(("", REMOVED, HIDDEN)),
            Unit.path.startswith(await reach(session, person)),
            Ticket.kind == TicketKind.ENQUIRY,
            Ticket.why_unanswered != UnansweredReason.RESTRICTED,
            Ticket.state.not_in((TicketState.VOID, TicketState.OFFLINE)),
            # What became an entry already needs no other one.
            func.coalesce(lead.entry_created_id, Ticket.entry_created_id).is_(None),
            or_(
                Ticket.why_unanswered == UnansweredReason.NO_ENTRY,
                Enquiry.solved.is_(False),
                Ticket.reviewer_id.is_not(None),
                lead.reviewer_id.is_not(None),
            ),
            ~decided,
        )
    )


def _missed(row: Any) -> Missed | None:
    enquiry, ticket, unit, lead, entry_id = row
    kind = _kind(enquiry, lead or ticket)
    if kind is None:
        return None
    return Missed(enquiry, ticket, unit, kind, entry_id)


def _kind(enquiry: Enquiry, answering: Ticket) -> MissKind | None:
    signed = answering.reviewer_id is not None and answering.conclusion_version_id is None
    if signed and answering.state in (TicketState.ANSWERED, TicketState.CLOSED):
        return MissKind.SIGNED
    if enquiry.solved is False:
        return MissKind.NOT_SOLVED
    if enquiry.offered and enquiry.entry_id is None:
        return MissKind.REFUSED
    # Whoever asked for a person at once was not missed: nothing was tried.
    return None if answering.asked_for_person else MissKind.MISS


def _thought_of(enquiry: Enquiry) -> str:
    if enquiry.offered:
        return str(enquiry.offered[0])
    return str(enquiry.entry_id) if enquiry.entry_id else ""
