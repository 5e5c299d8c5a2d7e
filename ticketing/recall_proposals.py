"""Proposing a correction: with the publication that calls for it, or by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import answer, elections
from knowledge.answer import Answer
from knowledge.calendar import today, variables
from knowledge.versions import Alteration, Entry, EntryVersion, versions
from office import audit, notices, redact, staff, units
from office.errors import Conflict, Invalid
from office.staff import Permission, Staff
from office.units import Unit
from office.words import say
from ticketing.drafts import Draft
from ticketing.recalls import LONGEST_REASON, Recall, gather, told_versions
from ticketing.records import OPEN_STATES, Ticket

LONGEST_PART: Final = 1200
"""Characters: two of them, with question, basis and the words around, stay under the 4096 of a message."""
LONGEST_TITLE: Final = 60
_LEAD: Final = 60
_ENDS: Final = "。！？!?；;\n"


async def published(session: AsyncSession, version: EntryVersion, *, now: datetime) -> Recall | None:
    """After `version` took the place of another one: the recall it calls for, or None for a mere edit.

    None too where all that people are told reads the same as before: the audit keeps `recall.needless`, and
    whoever was told that is corrected when it next changes. To be called in the transaction that published
    it, so that no publication can go without its recall. The author of the version counts as the one who
    proposes.
    """
    if version.alteration is not Alteration.SUBSTANTIVE:
        return None
    entry = await session.get_one(Entry, version.entry_id)
    before = [
        row for row in await versions(session, entry) if row.number < version.number and row.published_at
    ]
    if not before:
        return None
    office = await units.election_office(session)
    texts = _differing(
        await _rendered(session, entry, before[0], office, now),
        await _rendered(session, entry, version, office, now),
    )
    if texts is None:
        author = await session.get(Staff, version.author_id) if version.author_id else None
        await audit.record(
            session, "recall.needless", f"entry_version:{version.id}",
            actor=author.as_actor() if author else audit.SYSTEM, now=now,
            entry_id=entry.id, version=version.number,
        )  # fmt: skip
        return None
    recall = Recall(
        entry_id=entry.id,
        new_version_id=version.id,
        old_text=texts[0],
        new_text=texts[1],
        basis="、".join(f"{law['law']}{law.get('article', '')}" for law in version.basis)[:500],
        proposed_by_id=version.author_id,
        proposed_at=now,
    )
    return await _propose(session, recall, version, now)


async def propose(
    session: AsyncSession, entry: Entry, new_text: str, reason: str, *, actor: Staff, now: datetime
) -> Recall:
    """Call back what an entry told people though no new version took its place: it was wrong, or is retired.

    Raises `NotPermitted`, `Invalid("recall_text_needed")`, `Invalid("reason_needed")`, and
    `Conflict("recall_nothing_told")` for an entry that never answered.
    """
    rows = [row for row in await versions(session, entry) if row.published_at]
    if not rows:
        raise Conflict("recall_nothing_told")
    scope = await units.get(session, rows[0].scope_unit_id)
    await staff.must(session, actor, Permission.PUBLISH_ENTRIES, scope.path)
    if not new_text.strip():
        raise Invalid("recall_text_needed")
    if not reason.strip():
        raise Invalid("reason_needed")
    office = await units.election_office(session)
    recall = Recall(
        entry_id=entry.id,
        new_version_id=None,
        old_text=(await _rendered(session, entry, rows[0], office, now)).short,
        new_text=new_text.strip(),
        basis="、".join(f"{law['law']}{law.get('article', '')}" for law in rows[0].basis)[:500],
        reason=redact.text(reason.strip()).text[:LONGEST_REASON],
        proposed_by_id=actor.id,
        proposed_at=now,
    )
    return await _propose(session, recall, None, now)


async def _propose(
    session: AsyncSession, recall: Recall, version: EntryVersion | None, now: datetime
) -> Recall:
    session.add(recall)
    await session.flush()
    found = await gather(session, recall)
    await _tell_drafters(session, recall, now)
    proposer = await session.get(Staff, recall.proposed_by_id) if recall.proposed_by_id else None
    actor = proposer.as_actor() if proposer else audit.SYSTEM
    number = version.number if version else None
    await audit.record(
        session, "recall.propose", f"recall:{recall.id}", actor=actor, now=now,
        entry_id=recall.entry_id, version=number, people=found,
    )  # fmt: skip
    return recall


async def _tell_drafters(session: AsyncSession, recall: Recall, now: datetime) -> None:
    """Officers who are typing an answer with an old version are told so."""
    for ticket, staff_id in await drafts_citing(session, recall):
        await notices.tell(
            session, staff_id, "recall_draft", {"no": ticket.ticket_no},
            key=f"recall_draft:{recall.id}:{ticket.id}", subject=f"ticket:{ticket.id}", now=now,
        )  # fmt: skip


async def drafts_citing(session: AsyncSession, recall: Recall) -> list[tuple[Ticket, int]]:
    """Open tickets for which somebody has a draft with an old version, and whose draft it is."""
    rows = await session.execute(
        select(Ticket, Draft.staff_id)
        .join(Draft, Draft.ticket_id == Ticket.id)
        .where(Draft.version_id.in_(await told_versions(session, recall)), Ticket.state.in_(OPEN_STATES))
        .order_by(Ticket.id)
    )
    return [(ticket, staff_id) for ticket, staff_id in rows]


async def _rendered(
    session: AsyncSession, entry: Entry, version: EntryVersion, office: Unit, now: datetime
) -> Answer:
    """A version as it reads today, with its dates filled in."""
    scope = await units.get(session, version.scope_unit_id)
    dates = variables(await elections.spans(session, now), today(now))
    return answer.render(entry, version, scope, dates, office)


def _differing(old: Answer, new: Answer) -> tuple[str, str] | None:
    """What to call the old and the new wording: the short answers, else the first part that is not the same.

    A part goes with the question and its heading, for by itself it does not say what it is about.
    """
    if old.short != new.short:
        return old.short, new.short
    after = _parts(new)
    for name, was in _parts(old).items():
        if was != after[name]:
            texts = _cut(was, after[name])
            return _part(old, name, texts[0]), _part(new, name, texts[1])
    return None


def _parts(found: Answer) -> dict[str, str]:
    """What askers read besides the short answer, in the order in which they read it."""
    return {
        "full": found.full.strip(),
        "steps": " ".join(f"{number}. {step}" for number, step in enumerate(found.steps, start=1)),
        "documents": "、".join(found.documents),
        "basis": "；".join(found.basis),
        "scope": found.scope,
        "confirmed": say("recall.part_settled" if found.confirmed else "recall.part_unsettled"),
    }


def _part(found: Answer, name: str, text: str) -> str:
    told = text or say("recall.part_nothing")
    return say(f"recall.part_{name}", question=found.question[:LONGEST_TITLE], text=told)


def _cut(old: str, new: str) -> tuple[str, str]:
    """Both texts, or of long ones what stands from the sentence on in which they part."""
    if max(len(old), len(new)) <= LONGEST_PART:
        return old, new
    same = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), None)
    parting = min(len(old), len(new)) if same is None else same
    sentence = max(old.rfind(end, 0, parting) for end in _ENDS) + 1
    if sentence == parting == min(len(old), len(new)):
        # One of them ends here: with nothing left of it nobody could tell what was added.
        sentence = max(old.rfind(end, 0, max(0, parting - 1)) for end in _ENDS) + 1
    begin = max(sentence, parting - _LEAD)

    def shown(text: str) -> str:
        kept = text[begin : begin + LONGEST_PART]
        return ("…" if begin else "") + kept + ("…" if begin + len(kept) < len(text) else "")

    return shown(old), shown(new)
