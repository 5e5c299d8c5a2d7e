"""Cases about the voter list: 帮我核实, 名单有误, 申诉, each with its clock and its list of documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import calendar, elections
from knowledge.milestones import K
from knowledge.roll.records import LookupResult
from office.audit import Actor
from office.contacts import Channel, Contact
from office.errors import Conflict
from office.hours import OfficeHours, beijing_day
from office.units import Unit
from office.words import CHINESE, say
from ticketing import intake, queue, statutory
from ticketing.intake import OnRoll
from ticketing.records import (
    OPEN_STATES,
    RollIssue,
    StatutoryKind,
    ThreadPost,
    Ticket,
    TicketKind,
    TicketState,
    UnansweredReason,
)
from ticketing.statutory import Dates, Term

GROUP: Final = "登记组"
TOPICS: Final[Mapping[TicketKind, str]] = {
    TicketKind.VERIFY: "reg_status",
    TicketKind.CORRECTION: "list_fix",
    TicketKind.APPEAL: "appeal",
}
"""The kinds of a case, and the topic each belongs to."""
CORRECTED: Final = (RollIssue.MISSING, RollIssue.WRONG, RollIssue.DUPLICATE)
"""漏登, 错登, 重登: what a correction is about."""
DATA = Path(__file__).parent.parent / "data" / "roll_cases.yaml"


@dataclass(frozen=True, slots=True)
class Document:
    """One line of a list; `local`: no law says it, the district's election committee does."""

    text: str
    local: bool


@dataclass(frozen=True, slots=True)
class Documents:
    """What to bring, in one language."""

    title: str
    items: tuple[Document, ...]
    basis: str

    def as_text(self, lang: str = CHINESE) -> str:
        """The list as plain lines, for a chat; it ends with whose notice prevails."""
        lines = [f"{number}. {item.text}" for number, item in enumerate(self.items, start=1)]
        return "\n".join([self.title, *lines, say("case.basis", lang, basis=self.basis), prevails(lang)])


def prevails(lang: str = CHINESE) -> str:
    """以选举委员会公告为准: what stands under every list of documents."""
    return say("case.prevails", lang)


async def open_case(
    session: AsyncSession,
    contact: Contact | None,
    *,
    kind: TicketKind,
    issue: RollIssue | None,
    words: str,
    result: LookupResult | None,
    receipt_digest: bytes | None,
    unit: Unit,
    district: Unit,
    channel: Channel,
    actor: Actor,
    hours: OfficeHours,
    now: datetime,
    event_id: str = "",
) -> Ticket:
    """Open a case about the list, or add to the contact's open one about the same thing.

    `issue` is 漏登, 错登 or 重登 of a correction; the other kinds need none. `words` may be empty: then the
    case says what was tapped. `result` is what a lookup had said, and `receipt_digest` the keyed digest of
    the receipt it was made with: cases with two different receipts are two persons' and stay apart. A new
    ticket is the one whose `accepted_at` is `now`. Raises `Conflict("case.appeal_closed")` for an appeal
    outside its term: ask `instead` first, which says in words what can be done.
    """
    today = beijing_day(now)
    dates = await elections.spans(session, now)
    if kind is TicketKind.APPEAL:
        issue = RollIssue.APPEAL
        if statutory.appeal_term(dates, today) is not Term.OPEN:
            raise Conflict("case.appeal_closed")
    elif (kind is TicketKind.CORRECTION) != (issue in CORRECTED) or kind not in TOPICS:
        raise ValueError(f"no case: {kind}, {issue}")
    said = words.strip() or _tapped(kind, issue)
    if contact is not None and (
        before := await open_of(session, contact, kind, issue, receipt_digest=receipt_digest)
    ):
        written = select(ThreadPost.id).where(ThreadPost.ticket_id == before.id)
        # The same message come again, or tapped under twice, says nothing new.
        if (
            not event_id
            or await session.scalar(written.where(ThreadPost.event_id == event_id).limit(1)) is None
        ):
            await intake.append(session, before, said, now=now, event_id=event_id)
        before.lookup_result = result.value if result else before.lookup_result
        before.receipt_digest = receipt_digest or before.receipt_digest
        return before
    clock, due = _clock(kind, dates, today)
    return await intake.open_ticket(
        session, contact, said, unit=unit, district=district, channel=channel, actor=actor, hours=hours,
        now=now, topic=TOPICS[kind], kind=kind, why=UnansweredReason.NEEDS_DATA, asked_for_person=True,
        urgent=statutory.pressed(dates, today), event_id=event_id, group=GROUP,
        on_roll=OnRoll(issue, clock, due, result.value if result else "", receipt_digest),
    )  # fmt: skip


async def open_of(
    session: AsyncSession,
    contact: Contact,
    kind: TicketKind,
    issue: RollIssue | None = None,
    *,
    receipt_digest: bytes | None = None,
) -> Ticket | None:
    """The contact's open case of this kind and issue; of one that was joined to another, that one.

    Locks the contact's row, so that two taps at once find each other.
    """
    await session.execute(select(Contact.id).where(Contact.id == contact.id).with_for_update())
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.contact_id == contact.id, Ticket.kind == kind)
        .where(Ticket.roll_issue == issue if issue else Ticket.roll_issue.is_(None))
        .where(Ticket.state.in_((*OPEN_STATES, TicketState.MERGED)))
        .order_by(Ticket.id)
    )
    for row in rows.all():
        found = await queue.standing(session, row)
        apart = receipt_digest and found.receipt_digest and receipt_digest != found.receipt_digest
        if found.state in OPEN_STATES and not apart:
            return found
    return None


def _clock(kind: TicketKind, dates: Dates, today: date) -> tuple[StatutoryKind | None, date | None]:
    if kind is TicketKind.APPEAL:
        return StatutoryKind.APPEAL_DECISION, statutory.appeal_clock(dates, today).decided
    if kind is TicketKind.CORRECTION and (due := statutory.correction_due(dates, today)):
        return StatutoryKind.CORRECTION, due
    return None, None


def _tapped(kind: TicketKind, issue: RollIssue | None) -> str:
    # The thread is read by staff, whatever language the asker reads.
    return say(f"case.tapped.{issue or kind}")


def instead(dates: Dates, today: date, lang: str = CHINESE, *, phone: str) -> str | None:
    """What is said to whoever wants to appeal outside the term, with what can be done; None within it."""
    term = statutory.appeal_term(dates, today)
    if term is Term.UNKNOWN:
        return say("appeal.unknown", lang)
    if term is Term.OPEN:
        return None
    appeals = dates[K.APPEALS_CLOSE][0]
    if term is Term.NOT_YET:
        return say("appeal.not_yet", lang, posted=calendar.worded(dates[K.LIST_POSTED][0], today, lang))
    close, mended = calendar.brief(appeals.last, lang), appeals.remedy
    if mended is None or mended.last < today:
        return say("appeal.all_over", lang, close=close, phone=phone)
    amended = calendar.brief(mended.last, lang)
    if calendar.label(mended) != calendar.label(mended.kind):
        # A region where only some may still be added says whom it means.
        what = calendar.label(mended, lang)
        return say("appeal.over_but", lang, close=close, what=what, amended=amended)
    return say("appeal.over", lang, close=close, amended=amended)


def clock_words(ticket: Ticket, today: date, lang: str = CHINESE) -> str:
    """The legal term of a case with the days left: 申诉决定：最迟12月17日（周四），还剩3天; empty without."""
    if ticket.statutory_kind is None or ticket.statutory_due is None:
        return ""
    left = statutory.days_left(ticket.statutory_due, today)
    key = "case.left" if left > 0 else "case.today" if left == 0 else "case.over"
    return say(
        key, lang, what=say(f"case.clock.{ticket.statutory_kind}", lang),
        day=calendar.spoken(ticket.statutory_due, lang), days=abs(left),
    )  # fmt: skip


def documents(kind: TicketKind, lang: str = CHINESE) -> Documents:
    """What to bring for a case of this kind; raises `KeyError` for a kind that is none."""
    row = _data()[kind.value]
    tail = "" if lang == CHINESE else "_en"
    return Documents(
        row[f"title{tail}"],
        tuple(Document(item[f"text{tail}"], item.get("local", False)) for item in row["items"]),
        row[f"basis{tail}"],
    )


@cache
def _data() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return found
