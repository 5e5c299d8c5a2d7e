"""Taking the words of a confidential case out of every row that others read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.golden import GoldenQuestion
from knowledge.lessons import Lesson
from knowledge.tips import UNRELEASED, WorkTip
from knowledge.versions import EntryState, EntryVersion, Phrasing
from office import outbox
from office.contacts import Channel, Contact
from office.outbox import Delivery, DeliveryState
from office.seal import Sealer
from office.staff import Staff
from ticketing import restricted
from ticketing.attachments import Attachment
from ticketing.call_backs import CallBack
from ticketing.clusters import Cluster
from ticketing.day_end import Disposition
from ticketing.drafts import Draft
from ticketing.ledgers import Enquiry
from ticketing.records import PostKind, ThreadPost, Ticket
from ticketing.restricted import HIDDEN

TEXTS = (
    "words", "summary", "spot_reply", "reason", "note", "failure_reason",
    "proposed_text", "conclusion_basis", "answer_text",
)  # fmt: skip
TABLES = ("wizard_facts", "materials", "cross_area")
TIP_TEXTS = ("title", "origin", "wording", "steps", "contact_lines", "basis")
TAKE_AWAY = "take_away"
"""The kind of delivery that removes a message of a chat, as `handlers.passing` calls it."""
# Shorter ones, 在吗 and 谢谢, say nothing of a case and stand in a thousand rows.
TELLING = 6
NUMBERS = frozenset({"no", "key", "promise", "asked_on", "entry"})
UNSENT = (DeliveryState.DUE, DeliveryState.CLAIMED, DeliveryState.PARKED, DeliveryState.HELD)
_MESSAGE = "m"


@dataclass(frozen=True, slots=True)
class Told:
    """The texts of a case, long enough to be known again where they are quoted, whole or in part."""

    texts: tuple[str, ...]

    def quoted_in(self, other: str) -> bool:
        """Whether a text holds one of them, or is a piece of one."""
        plain = unescape(other).strip()
        if len(plain) < TELLING:
            return False
        return any(text in plain or plain in text for text in self.texts)

    def without(self, other: str) -> str:
        """The text with what it quotes word for word put out of sight."""
        for text in sorted(self.texts, key=len, reverse=True):
            other = other.replace(text, HIDDEN)
        return HIDDEN if self.quoted_in(other) else other


async def move_in(
    session: AsyncSession,
    tickets: Sequence[Ticket],
    why: str,
    *,
    sealer: Sealer,
    actor: Staff,
    now: datetime,
) -> None:
    """Seal what the first ticket and those joined to it say, and hide it wherever it stands or is quoted.

    `tickets` are of one asker and locked; `why` is the leader's reason, which may tell as much as the words.
    What the office has published stays: nobody can tell any more from whom it came.
    """
    lead = tickets[0]
    own = [ticket.id for ticket in tickets]
    enquiries = list(
        (await session.scalars(select(Enquiry).where(Enquiry.ticket_id.in_(own)).order_by(Enquiry.id))).all()
    )
    drafts = list((await session.scalars(select(Draft).where(Draft.ticket_id.in_(own)))).all())
    lines = await session.scalars(
        select(ThreadPost).where(ThreadPost.ticket_id.in_(own)).order_by(ThreadPost.id)
    )
    thread = list(lines.all())
    gathered = [_part(ticket, thread, drafts, enquiries) for ticket in tickets]
    await restricted.keep(
        session,
        lead,
        {**gathered[0], "why": why, "joined": gathered[1:]},
        sealer=sealer,
        actor=actor,
        now=now,
    )
    told = Told(tuple({text for part in gathered for text in _texts(part) if len(text) >= TELLING}))
    # An officer's draft may be the wording of an entry, which stands in other people's rows by right.
    asked = Told(tuple({text for part in gathered for text in _asked(part) if len(text) >= TELLING}))
    await _take_from_page(session, lead, thread, now)
    for ticket in tickets:
        for name in TEXTS:
            if getattr(ticket, name):
                setattr(ticket, name, HIDDEN)
        for name in TABLES:
            setattr(ticket, name, {})
        ticket.words = HIDDEN
    await session.execute(update(ThreadPost).where(ThreadPost.ticket_id.in_(own)).values(text=HIDDEN))
    await session.execute(delete(Draft).where(Draft.ticket_id.in_(own)))
    await session.execute(update(CallBack).where(CallBack.ticket_id.in_(own)).values(point=HIDDEN))
    await session.execute(
        update(Disposition)
        .where(Disposition.ticket_id.in_(own), Disposition.reason != "")
        .values(reason=HIDDEN)
    )
    await _hide_enquiries(session, lead, enquiries, asked)
    await _hide_deliveries(session, lead, own, told)
    await _hide_lessons(session, own, [row.id for row in enquiries], asked)
    await _hide_drafted(session, own, told, now)
    await _hide_problems(session, own, asked)
    await _hide_names(session, own)
    await session.flush()


def _part(
    ticket: Ticket, thread: Sequence[ThreadPost], drafts: Sequence[Draft], enquiries: Sequence[Enquiry]
) -> dict[str, Any]:
    part: dict[str, Any] = {name: getattr(ticket, name) for name in (*TEXTS, *TABLES)}
    part = {name: value for name, value in part.items() if value and value != HIDDEN}
    part["thread"] = [
        {"at": line.at.isoformat(), "kind": line.kind.value, "who": line.staff_id, "text": line.text}
        for line in thread
        if line.ticket_id == ticket.id and line.text not in ("", HIDDEN)
    ]
    part["drafts"] = [
        {"who": draft.staff_id, "text": draft.text, "basis": draft.basis}
        for draft in drafts
        if draft.ticket_id == ticket.id
    ]
    part["enquiries"] = [
        {"words": row.words, "reply": row.reply, "particulars": row.particulars}
        for row in enquiries
        if row.ticket_id == ticket.id and row.words != HIDDEN
    ]
    return part


def _texts(value: Any) -> Iterator[str]:
    """Every text in facts of JSON, but not the names of its fields."""
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _asked(part: Mapping[str, Any]) -> Iterator[str]:
    """What the asker wrote, among the texts of a part."""
    yield str(part.get("words", "")).strip()
    written = (PostKind.ASKER.value, PostKind.EDITED.value)
    for line in part["thread"]:
        if line["kind"] in written:
            yield line["text"].strip()
    for row in part["enquiries"]:
        yield row["words"].strip()


async def _hide_enquiries(
    session: AsyncSession, lead: Ticket, enquiries: Sequence[Enquiry], asked: Told
) -> None:
    also: list[Enquiry] = []
    if lead.contact_id is not None:
        others = select(Enquiry).where(Enquiry.contact_id == lead.contact_id, Enquiry.words.in_(asked.texts))
        also = list((await session.scalars(others)).all())
    for row in {row.id: row for row in (*enquiries, *also)}.values():
        row.words, row.pending_until, row.particulars = HIDDEN, None, {}
        row.reply = HIDDEN if row.reply else ""


async def _hide_deliveries(session: AsyncSession, lead: Ticket, own: Sequence[int], told: Told) -> None:
    """Empty every message that quotes the case; one that has not left any more will not."""
    about = Delivery.subject.in_([f"{kind}:{number}" for number in own for kind in ("ticket", "card")])
    theirs = Delivery.contact_id == lead.contact_id if lead.contact_id is not None else about
    rows = await session.scalars(select(Delivery).where(or_(about, theirs)).with_for_update())
    for row in rows.all():
        kept = {name: value for name, value in row.facts.items() if name not in NUMBERS}
        if any(told.quoted_in(text) for text in _texts(kept)):
            row.facts = {}
            if row.state in UNSENT:
                row.state, row.last_error = DeliveryState.FAILED, "offline"


async def _hide_lessons(
    session: AsyncSession, own: Sequence[int], enquiries: Sequence[int], told: Told
) -> None:
    occasions = [Lesson.key.startswith(f"ticket:{number}:") for number in own]
    about = or_(*occasions, Lesson.enquiry_id.in_(enquiries), Lesson.words.in_(told.texts))
    await session.execute(delete(Lesson).where(about))


async def _hide_drafted(session: AsyncSession, own: Sequence[int], told: Told, now: datetime) -> None:
    """Golden questions, and drafts of entries that were begun from the ticket."""
    asked = await session.scalars(
        select(GoldenQuestion).where(GoldenQuestion.q.in_([text[:300] for text in told.texts]))
    )
    for question in asked.all():
        question.q, question.retired_at = f"{HIDDEN}{question.id}", question.retired_at or now
    unpublished = (EntryState.DRAFT, EntryState.IN_REVIEW)
    versions = await session.scalars(
        select(EntryVersion).where(EntryVersion.ticket_id.in_(own), EntryVersion.state.in_(unpublished))
    )
    for version in versions.all():
        for name in ("question", "short", "full", "review_note"):
            if told.quoted_in(getattr(version, name)):
                setattr(version, name, HIDDEN)
        if any(told.quoted_in(text) for text in _texts(list(version.basis))):
            version.basis = []
        ways = await session.scalars(select(Phrasing).where(Phrasing.version_id == version.id))
        for way in ways.all():
            if told.quoted_in(way.text):
                await session.delete(way)


async def _hide_problems(session: AsyncSession, own: Sequence[int], told: Told) -> None:
    """Titles of clusters, which are an asker's words often, and the drafts of tips."""
    for cluster in (await session.scalars(select(Cluster))).all():
        if cluster.lead_id in own or told.quoted_in(cluster.title):
            cluster.title = HIDDEN
    for tip in (await session.scalars(select(WorkTip).where(WorkTip.state.in_(UNRELEASED)))).all():
        for name in TIP_TEXTS:
            before = getattr(tip, name)
            if any(text in before for text in told.texts):
                setattr(tip, name, told.without(before))


async def _hide_names(session: AsyncSession, own: Sequence[int]) -> None:
    """Names of files, which people choose to say what is in them."""
    files = await session.scalars(select(Attachment).where(Attachment.ticket_id.in_(own)))
    for row in files.all():
        row.name = f"{row.id}{row.name[row.name.rfind('.') :]}" if "." in row.name else str(row.id)


async def _take_from_page(
    session: AsyncSession, lead: Ticket, thread: Sequence[ThreadPost], now: datetime
) -> None:
    """In the web chat the asker's own lines are rows of ours, and stand on a screen that others may share."""
    if lead.channel is not Channel.WEB or lead.contact_id is None:
        return
    contact = await session.get_one(Contact, lead.contact_id)
    for line in thread:
        number = line.event_id.rpartition(":")[2]
        if line.kind not in (PostKind.ASKER, PostKind.EDITED) or not number.isdecimal():
            continue
        if line.event_id.startswith(_MESSAGE):
            await outbox.put(
                session, contact, TAKE_AWAY, {"message": int(number)},
                key=f"{TAKE_AWAY}:{contact.id}:{number}:offline", subject=f"contact:{contact.id}", now=now,
                though_silenced=True,
            )  # fmt: skip
