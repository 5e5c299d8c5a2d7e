"""Recall (口径召回): everybody who was told an old wording is told the new one, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum, auto

from sqlalchemy import (
    ForeignKey,
    Select,
    String,
    Text,
    UniqueConstraint,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from knowledge.answer import AnswerGiven
from knowledge.versions import Alteration, Entry, EntryVersion, versions
from office.store import Base, insert_once, insert_selected_once, word
from ticketing import call_log
from ticketing.records import Ticket, TicketState

LONGEST_REASON = 300


class RecallState(StrEnum):
    """Where a recall stands."""

    PROPOSED = auto()
    SENT = auto()
    DROPPED = auto()


R = RecallState
TRANSITIONS: Mapping[RecallState, frozenset[RecallState]] = {
    R.PROPOSED: frozenset({R.SENT, R.DROPPED}),
    R.SENT: frozenset(),
    R.DROPPED: frozenset({R.SENT}),
}


class Recall(Base):
    """The correction of what `entry_id` said before `new_version_id`; a second person lets it go out."""

    __tablename__ = "recall"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[RecallState] = mapped_column(word(RecallState), default=RecallState.PROPOSED)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), index=True)
    new_version_id: Mapped[int | None] = mapped_column(ForeignKey("entry_version.id"))
    old_text: Mapped[str] = mapped_column(Text)
    new_text: Mapped[str] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(String(500), default="")
    reason: Mapped[str] = mapped_column(String(300), default="")
    proposed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    # Once everybody's correction is laid out; until then the worker goes on with it.
    laid_out_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


class Recalled(Base):
    """One person who was told the old wording, how, and whether they have acknowledged the correction."""

    __tablename__ = "recalled"
    __table_args__ = (UniqueConstraint("recall_id", "contact_id"), UniqueConstraint("recall_id", "ticket_id"),
                      UniqueConstraint("recall_id", "enquiry_id"))  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    recall_id: Mapped[int] = mapped_column(ForeignKey("recall.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    # A call that was answered on the spot, where the caller left a phone.
    enquiry_id: Mapped[int | None] = mapped_column(ForeignKey("enquiry.id"))
    told_at: Mapped[datetime]
    # When its correction was laid into the outbox or onto the call-back list; empty until then.
    laid_at: Mapped[datetime | None] = mapped_column(index=True)
    old_version_id: Mapped[int | None] = mapped_column(ForeignKey("entry_version.id"))
    acknowledged_at: Mapped[datetime | None]


async def told_versions(session: AsyncSession, recall: Recall) -> list[int]:
    """Row numbers of the versions whose readers are owed this correction.

    Those before the new one, back to the last that called its forerunners back: whoever was told less than
    that was corrected then, and counts by what the correction said. A change of substance that read the same
    to askers had no recall, so what came before it is still owed one.
    """
    entry = await session.get_one(Entry, recall.entry_id)
    called = set(await session.scalars(select(Recall.new_version_id).where(Recall.entry_id == entry.id)))
    found: list[int] = []
    for row in await versions(session, entry):
        if row.published_at is None or row.id == recall.new_version_id:
            continue
        if recall.new_version_id is not None and row.id > recall.new_version_id:
            continue
        found.append(row.id)
        if row.alteration is Alteration.SUBSTANTIVE and row.id in called:
            break
    return found


async def gather(session: AsyncSession, recall: Recall) -> int:
    """Note everybody who was told one of the old versions; returns how many are noted in all.

    By an automatic answer, a correction or an officer's answer; whose ticket was joined to another one was
    told what that one was. Nobody is noted twice, however often this runs. Whoever has since been told the
    new version or a later one is not noted, and is taken off if they were before their correction was laid.
    """
    old = await told_versions(session, recall)
    number = literal(recall.id)
    given = (
        select(
            number, AnswerGiven.contact_id, func.max(AnswerGiven.at), func.max(AnswerGiven.entry_version_id)
        )
        .where(AnswerGiven.entry_version_id.in_(old))
        .group_by(AnswerGiven.contact_id)
    )
    columns = ["recall_id", "contact_id", "told_at", "old_version_id"]
    await insert_selected_once(session, Recalled, columns, given, unique=("recall_id", "contact_id"))
    lead = aliased(Ticket)
    answered = (
        select(number, Ticket.contact_id, func.max(lead.answered_at), func.max(lead.conclusion_version_id))
        .join(lead, or_(lead.id == Ticket.id, lead.id == Ticket.merged_into_id))
        .where(lead.conclusion_version_id.in_(old), lead.answered_at.is_not(None))
        .where(Ticket.contact_id.is_not(None))
        .group_by(Ticket.contact_id)
    )
    await insert_selected_once(session, Recalled, columns, answered, unique=("recall_id", "contact_id"))
    by_phone = (
        select(number, Ticket.id, lead.answered_at, lead.conclusion_version_id)
        .join(lead, or_(lead.id == Ticket.id, lead.id == Ticket.merged_into_id))
        .where(lead.conclusion_version_id.in_(old), lead.answered_at.is_not(None))
        .where(Ticket.contact_id.is_(None), Ticket.state != TicketState.VOID, Ticket.words != "")
    )
    columns = ["recall_id", "ticket_id", "told_at", "old_version_id"]
    await insert_selected_once(session, Recalled, columns, by_phone, unique=("recall_id", "ticket_id"))
    for call in await call_log.told(session, old):
        if call.phone is not None:
            row = {
                "recall_id": recall.id, "enquiry_id": call.enquiry_id, "told_at": call.at,
                "old_version_id": call.version_id,
            }  # fmt: skip
            await insert_once(session, Recalled, row, unique=("recall_id", "enquiry_id"))
    if recall.new_version_id is not None:
        await session.execute(
            delete(Recalled)
            .where(Recalled.recall_id == recall.id, Recalled.laid_at.is_(None))
            .where(Recalled.contact_id.in_(_up_to_date(recall.entry_id, recall.new_version_id)))
            .execution_options(synchronize_session=False)
        )
    noted = select(func.count()).select_from(Recalled).where(Recalled.recall_id == recall.id)
    return await session.scalar(noted) or 0


def _up_to_date(entry_id: int, new_version_id: int) -> Select[int | None]:
    """Contacts whose latest telling of this entry was the new version or a later one."""
    lead = aliased(Ticket)
    tellings = union_all(
        select(
            AnswerGiven.contact_id.label("contact_id"),
            AnswerGiven.entry_version_id.label("version_id"),
            AnswerGiven.at.label("at"),
        )
        .join(EntryVersion, EntryVersion.id == AnswerGiven.entry_version_id)
        .where(EntryVersion.entry_id == entry_id),
        select(Ticket.contact_id, lead.conclusion_version_id, lead.answered_at)
        .join(lead, or_(lead.id == Ticket.id, lead.id == Ticket.merged_into_id))
        .join(EntryVersion, EntryVersion.id == lead.conclusion_version_id)
        .where(EntryVersion.entry_id == entry_id, lead.answered_at.is_not(None))
        .where(Ticket.contact_id.is_not(None)),
    ).subquery()
    new = tellings.c.version_id >= new_version_id
    newest = func.max(case((new, tellings.c.at)))
    return (
        select(tellings.c.contact_id)
        .group_by(tellings.c.contact_id)
        .having(newest >= func.coalesce(func.max(case((~new, tellings.c.at))), newest))
    )


async def out_of_reach(session: AsyncSession, recall: Recall) -> int:
    """How many callers were told an old version at once and left nothing by which to reach them."""
    told = await call_log.told(session, await told_versions(session, recall))
    return sum(call.phone is None for call in told)
