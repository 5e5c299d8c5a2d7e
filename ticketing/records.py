"""Tickets: the unanswered call record (来电未答复记录), what state each is in and who may move it on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from office.contacts import Channel
from office.store import Base, word
from ticketing.clocks import Priority
from ticketing.particulars import Particulars

REOPEN_WITHIN = timedelta(days=7)
QUEUE_TOPIC = "tickets"
REMOVED = "（已应本人要求删除）"
"""What stands in place of the words of somebody who asked to be forgotten."""


class TicketState(StrEnum):
    """The ten states of the paper form."""

    UNASSIGNED = auto()
    ASSIGNED = auto()
    WORKING = auto()
    ON_HOLD = auto()
    IN_REVIEW = auto()
    ANSWERED = auto()
    CLOSED = auto()
    OFFLINE = auto()
    MERGED = auto()
    VOID = auto()


S = TicketState
OPEN_STATES = (S.UNASSIGNED, S.ASSIGNED, S.WORKING, S.ON_HOLD, S.IN_REVIEW)
TRANSITIONS: Mapping[TicketState, frozenset[TicketState]] = {
    S.UNASSIGNED: frozenset({S.ASSIGNED, S.WORKING, S.OFFLINE, S.MERGED, S.VOID}),
    S.ASSIGNED: frozenset({S.WORKING, S.UNASSIGNED, S.MERGED, S.VOID}),
    S.WORKING: frozenset(
        {S.ASSIGNED, S.UNASSIGNED, S.ON_HOLD, S.IN_REVIEW, S.ANSWERED, S.OFFLINE, S.MERGED, S.VOID}
    ),
    S.ON_HOLD: frozenset({S.WORKING, S.OFFLINE, S.MERGED}),
    S.IN_REVIEW: frozenset({S.WORKING, S.ANSWERED, S.MERGED}),
    S.ANSWERED: frozenset({S.CLOSED, S.WORKING, S.UNASSIGNED}),
    S.CLOSED: frozenset({S.UNASSIGNED}),
    S.OFFLINE: frozenset({S.CLOSED}),
    S.MERGED: frozenset({S.UNASSIGNED}),
    S.VOID: frozenset({S.UNASSIGNED}),
}


class TicketKind(StrEnum):
    """What a ticket is about."""

    ENQUIRY = auto()
    CORRECTION = auto()
    APPEAL = auto()
    VERIFY = auto()
    CROSS_AREA = auto()
    REPORT = auto()
    PRIVACY = auto()


# A statutory clock runs on these, so neither a wish to be forgotten nor tidying up ends them.
STATUTORY_KINDS = (TicketKind.APPEAL, TicketKind.REPORT, TicketKind.CORRECTION)


class RollIssue(StrEnum):
    """What is said to be wrong with the voter list: 漏登, 错登, 重登, or an objection to the posted list."""

    MISSING = auto()
    WRONG = auto()
    DUPLICATE = auto()
    APPEAL = auto()


class StatutoryKind(StrEnum):
    """Which term of the law runs on a ticket, in calendar days."""

    APPEAL_DECISION = auto()
    CORRECTION = auto()


class UnansweredReason(StrEnum):
    """Why there was no answer at once."""

    NO_ENTRY = auto()
    NEEDS_SUPERIOR = auto()
    NEEDS_DATA = auto()
    OTHER_REGION = auto()
    RESTRICTED = auto()


class FollowUp(StrEnum):
    """What the asker said after the answer."""

    SOLVED = auto()
    NOT_SOLVED = auto()
    NO_COMMENT = auto()


class ClosedBy(StrEnum):
    """Who closed a ticket; a closing by the clock is counted apart."""

    ASKER = auto()
    CLOCK = auto()
    OFFICER = auto()


class Ticket(Particulars, Base):
    """A question the office owes an answer to.

    `words` is what the asker wrote, redacted, never changed after acceptance; later messages stand in the
    thread. `group` is the functional group that is to answer, where one is named. `wizard_facts` are the
    answers the asker has given step by step already: slots and options of a rule pack. `conclusion_no` counts
    the conclusions given, so that each reaches each asker once. `statutory_due` is the last day of a term of
    the law. `lookup_result` is what a lookup had said when help was asked for, and `receipt_digest` the keyed
    digest of the receipt it was asked with: an officer may ask again with it without seeing the roll.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("business_day", "serial", "district_code"),
        # The queue: what is open in its order, the newest of each other state, and those of a unit.
        Index("ix_ticket_queue", "state", "priority", "due_at"),
        Index("ix_ticket_state_id", "state", "id"),
        Index("ix_ticket_unit_id_state", "unit_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[TicketState] = mapped_column(word(TicketState), default=S.UNASSIGNED, index=True)
    kind: Mapped[TicketKind] = mapped_column(word(TicketKind), default=TicketKind.ENQUIRY)
    ticket_no: Mapped[str] = mapped_column(String(24), index=True)
    progress_code: Mapped[str] = mapped_column(String(4))
    district_code: Mapped[str] = mapped_column(String(4))
    serial: Mapped[int]
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    channel: Mapped[Channel] = mapped_column(word(Channel))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    topic: Mapped[str] = mapped_column(String(32), default="")
    group: Mapped[str] = mapped_column(String(20), default="")
    wizard_facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    words: Mapped[str] = mapped_column(Text)
    has_personal: Mapped[bool] = mapped_column(default=False)
    asked_for_person: Mapped[bool] = mapped_column(default=False)
    why_unanswered: Mapped[UnansweredReason] = mapped_column(word(UnansweredReason))
    priority: Mapped[Priority] = mapped_column(word(Priority))
    business_day: Mapped[date]
    due_day: Mapped[date]
    promised_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    accepted_at: Mapped[datetime] = mapped_column(index=True)
    taken_at: Mapped[datetime | None]
    first_taker_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    conclusion_no: Mapped[int] = mapped_column(default=0)
    conclusion_version_id: Mapped[int | None] = mapped_column(ForeignKey("entry_version.id"))
    conclusion_basis: Mapped[str] = mapped_column(Text, default="")
    proposed_text: Mapped[str] = mapped_column(Text, default="")
    answer_text: Mapped[str] = mapped_column(Text, default="")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[ClosedBy | None] = mapped_column(word(ClosedBy))
    follow_up_due_at: Mapped[datetime | None] = mapped_column(index=True)
    follow_up_asked_at: Mapped[datetime | None] = mapped_column(index=True)
    follow_up: Mapped[FollowUp | None] = mapped_column(word(FollowUp))
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    reopen_count: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(300), default="")
    entry_created_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    roll_issue: Mapped[RollIssue | None] = mapped_column(word(RollIssue))
    statutory_kind: Mapped[StatutoryKind | None] = mapped_column(word(StatutoryKind))
    statutory_due: Mapped[date | None]
    lookup_result: Mapped[str] = mapped_column(String(16), default="")
    receipt_digest: Mapped[bytes | None] = mapped_column(LargeBinary(16))

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


class PostKind(StrEnum):
    """What a line of the thread is."""

    ASKER = auto()
    EDITED = auto()
    INTERIM = auto()
    ANSWER = auto()
    NOTE = auto()
    JOINT = auto()
    NUDGE = auto()
    EXTENSION = auto()


class ThreadPost(Base):
    """One line of a ticket's thread; notes are for staff only."""

    __tablename__ = "thread_post"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    kind: Mapped[PostKind] = mapped_column(word(PostKind))
    text: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    event_id: Mapped[str] = mapped_column(String(80), default="")
    at: Mapped[datetime]


class Serial(Base):
    """The last ticket number of a day; counted up in the transaction that opens the ticket."""

    __tablename__ = "ticket_serial"

    district_code: Mapped[str] = mapped_column(String(4), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]
