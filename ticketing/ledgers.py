"""Enquiries: one row per question on any channel, the rows behind the three ledgers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum, auto
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.versions import topics
from office.contacts import Channel, Contact
from office.errors import NotFound
from office.store import Base, word
from ticketing.clocks import business_day
from ticketing.particulars import AskerKind, LedgerKind

ONCE_WITHIN: Final = timedelta(minutes=30)
"""Repeats of one asker on one topic within this time count once (helpdesk, the two records)."""
DATA: Final = Path(__file__).parent.parent / "data" / "ledgers.yaml"


class Outcome(StrEnum):
    """How the first contact ended."""

    AUTO = auto()
    ON_THE_SPOT = auto()
    TICKETED = auto()


class Enquiry(Base):
    """One question, redacted. `outcome` is empty while offered choices are open.

    `offered` holds the entries offered; `best` and `probability` are what the matcher thought, for the
    missed-question desk. `pending_until` waits a few seconds for the rest of a message in pieces. What an
    officer writes down of a call has no contact but `staff_id`, `reply` (said at once) and `particulars`, in
    which name and phone are sealed. `ledger` is what an officer chose; without it the topic decides, see
    `kind_of`. `repeat_of_id` names an earlier enquiry of the same asker with which this one counts as one.
    """

    __tablename__ = "enquiry"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    channel: Mapped[Channel] = mapped_column(word(Channel))
    words: Mapped[str] = mapped_column(Text)
    topic: Mapped[str] = mapped_column(String(32), default="")
    outcome: Mapped[Outcome | None] = mapped_column(word(Outcome), index=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    entry_version_id: Mapped[int | None] = mapped_column(ForeignKey("entry_version.id"))
    offered: Mapped[list[str]]
    probability: Mapped[float | None]
    solved: Mapped[bool | None]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    event_id: Mapped[str] = mapped_column(String(80), default="")
    pending_until: Mapped[datetime | None] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    business_day: Mapped[date]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    ledger: Mapped[LedgerKind | None] = mapped_column(word(LedgerKind))
    reply: Mapped[str] = mapped_column(Text, default="")
    particulars: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # No foreign key: a table that points at itself is rebuilt badly on SQLite.
    repeat_of_id: Mapped[int | None]


async def record(
    session: AsyncSession,
    contact: Contact,
    words: str,
    *,
    outcome: Outcome | None,
    now: datetime,
    topic: str = "",
    offered: Sequence[int] = (),
    probability: float | None = None,
    entry_id: int | None = None,
    entry_version_id: int | None = None,
    event_id: str = "",
) -> Enquiry:
    """Write an enquiry down; `words` must have been redacted."""
    enquiry = Enquiry(
        contact_id=contact.id,
        channel=contact.channel,
        words=words,
        topic=topic,
        outcome=outcome,
        entry_id=entry_id,
        entry_version_id=entry_version_id,
        offered=[str(number) for number in offered],
        probability=probability,
        event_id=event_id,
        pending_until=None,
        at=now,
        business_day=business_day(now),
        repeat_of_id=await _earlier(session, contact, topic, now),
    )
    session.add(enquiry)
    await session.flush()
    return enquiry


async def of_contact(session: AsyncSession, enquiry_id: int, contact: Contact) -> Enquiry:
    """The contact's own enquiry; raises `NotFound` for anybody else's."""
    enquiry = await session.get(Enquiry, enquiry_id)
    if enquiry is None or enquiry.contact_id != contact.id:
        raise NotFound("expired_button")
    return enquiry


def kind_of(topic: str, asker: AskerKind | None = None, *, platform: bool = False) -> LedgerKind:
    """The ledger of a question that nobody has put into one: by its topic's side, then by who asks.

    `platform` says that a module of the platform was named. A topic for staff is about working the platform
    or about policy, as `data/ledgers.yaml` has it; without a topic a street office's question is policy.
    """
    if platform or topic in _platform():
        return LedgerKind.PLATFORM
    known = topics().get(topic)
    if known is not None and known.side == "voter":
        return LedgerKind.VOTER
    if known is not None and known.side == "staff":
        return LedgerKind.POLICY
    return LedgerKind.POLICY if asker is AskerKind.STREET_OFFICE else LedgerKind.VOTER


def ledger_of(enquiry: Enquiry) -> LedgerKind:
    """In which ledger a row stands."""
    return enquiry.ledger or kind_of(enquiry.topic)


def group_by_ledger(kind: LedgerKind) -> str:
    """The functional group that answers what stands in this ledger, where the topic names none."""
    groups: Mapping[str, str] = _data()["groups"]
    return groups[kind.value]


async def _earlier(session: AsyncSession, contact: Contact, topic: str, now: datetime) -> int | None:
    """The enquiry of the same asker on the same topic that this one repeats."""
    if not topic:
        return None
    return await session.scalar(
        select(Enquiry.id)
        .where(Enquiry.contact_id == contact.id, Enquiry.topic == topic, Enquiry.repeat_of_id.is_(None))
        .where(Enquiry.at > now - ONCE_WITHIN)
        .order_by(Enquiry.id.desc())
        .limit(1)
    )


@cache
def _data() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return found


@cache
def _platform() -> frozenset[str]:
    return frozenset(_data()["platform"])
