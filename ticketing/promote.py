"""From a ticket to a draft: an entry or a work tip with everything prefilled, or one more way to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import entries, tip_drafts, tip_links, tip_titles
from knowledge.lint import LONGEST_SHORT_ANSWER, SHORTEST_PHRASING
from knowledge.text import split_questions
from knowledge.tips import Tip, WorkTip
from knowledge.versions import Content, Entry, EntryState, EntryVersion, content_of, get_version
from office import units
from office.errors import Conflict, Invalid
from office.staff import Permission, Staff, must, reach
from office.units import Unit, contains
from office.words import CHINESE, say
from ticketing import feedback
from ticketing.cluster_records import Cluster, members
from ticketing.ledgers import Enquiry
from ticketing.records import REMOVED, Ticket, TicketState
from ticketing.restricted import HIDDEN

LONGEST_PHRASING = 300
MOST_PHRASINGS = 30
ANSWERED = (TicketState.ANSWERED, TicketState.CLOSED)


async def to_entry(session: AsyncSession, ticket: Ticket, *, actor: Staff, now: datetime) -> EntryVersion:
    """Begin a draft entry from what was asked and answered; the editor completes it.

    What was asked by those whose tickets were joined to it becomes ways to ask. Raises `NotPermitted` outside
    the actor's reach, `Conflict` unless the ticket is answered or if it already became an entry.
    """
    # Locked, so that two editors at the same moment do not begin the same entry twice.
    await session.refresh(ticket, with_for_update=True)
    unit = await session.get_one(Unit, ticket.unit_id)
    await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)
    if ticket.state not in ANSWERED:
        raise Conflict("stale_card")
    if ticket.entry_created_id is not None:
        raise Conflict("already_promoted")
    asked = [ticket.words, *(await _other_words(session, ticket))]
    version = await from_questions(
        session, asked, answer=ticket.answer_text, basis=await _basis(session, ticket), topic=ticket.topic,
        ticket_id=ticket.id, actor=actor, now=now,
    )  # fmt: skip
    ticket.entry_created_id = version.entry_id
    await feedback.began_entry(session, ticket, version.entry_id, actor=actor, now=now)
    await session.flush()
    return version


async def begin_entry(
    session: AsyncSession, ticket: Ticket, *, actor: Staff, now: datetime
) -> tuple[int, bool]:
    """The entry that the ticket became, by row number, and whether it was begun just now.

    Raises as `to_entry` does, but for a ticket that became an entry before.
    """
    unit = await session.get_one(Unit, ticket.unit_id)
    await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)
    await session.refresh(ticket, with_for_update=True)
    if ticket.entry_created_id is not None:
        return ticket.entry_created_id, False
    return (await to_entry(session, ticket, actor=actor, now=now)).entry_id, True


async def from_questions(
    session: AsyncSession,
    asked: Sequence[str],
    *,
    answer: str = "",
    basis: tuple[Mapping[str, str], ...] = (),
    topic: str = "",
    ticket_id: int | None = None,
    actor: Staff,
    now: datetime,
) -> EntryVersion:
    """Begin a draft entry from questions, the first one its own; what is not known yet stays empty."""
    parts = [part.strip() for words in asked for part in split_questions(words)]
    questions = list(dict.fromkeys(part for part in parts if part))
    content = Content(
        topic=topic or "reg_other",
        question=(questions[0] if questions else asked[0])[:200],
        phrasings=tuple(q[:LONGEST_PHRASING] for q in questions if len(q) >= SHORTEST_PHRASING)[
            :MOST_PHRASINGS
        ],
        short=answer if len(answer) <= LONGEST_SHORT_ANSWER else "",
        full="" if len(answer) <= LONGEST_SHORT_ANSWER else answer,
        basis=basis,
        scope_unit_id=await _scope(session, actor),
    )
    return await entries.draft(session, content, actor=actor, now=now, ticket_id=ticket_id)


async def to_tip(
    session: AsyncSession, ticket: Ticket, cluster: Cluster | None = None, *, actor: Staff, now: datetime
) -> WorkTip:
    """Begin a draft tip from an answered ticket, or from the cluster it leads, with every part filled in.

    A tip is written in Chinese whatever the drafter reads. Numbers of tickets stand in its sources only: its
    text is for everybody. The actor's own draft of the entry, if there is one, comes into force with it.
    Raises `NotPermitted` outside the actor's reach, `Conflict` unless the ticket is answered.
    """
    if ticket.state not in ANSWERED:
        raise Conflict("stale_card")
    unit = await session.get_one(Unit, cluster.unit_id if cluster else ticket.unit_id)
    asked = await members(session, cluster) if cluster else [ticket]
    version = await session.get(EntryVersion, ticket.conclusion_version_id or 0)
    entry = await session.get(Entry, version.entry_id) if version else None
    basis = "；".join(f"{one['law']}{one.get('article', '')}" for one in await _basis(session, ticket))
    question = cluster.title if cluster else " ".join(ticket.words.split())
    tip = Tip(
        title=tip_titles.of_question(question),
        origin=await _origin(session, asked, question, cluster),
        wording="\n".join(
            say(f"tip.{part}", CHINESE, text=text or say("tip.to_fill", CHINESE))
            for part, text in (("question", question), ("answer", ticket.answer_text), ("basis", basis))
        ),
        steps="\n".join(f"{n}. {step}" for n, step in enumerate(version.steps if version else [], 1)),
        contact_lines=await tip_drafts.contact(session),
        basis=basis,
        entries=await _own_drafts(session, ticket, cluster, actor),
    )  # fmt: skip
    sources = {"tickets": [one.id for one in asked], "entries": [entry.entry_no] if entry else []}
    return await tip_drafts.draft(
        session, tip, unit=unit, sources=sources | ({"cluster": cluster.id} if cluster else {}),
        actor=actor, now=now,
    )  # fmt: skip


async def _own_drafts(
    session: AsyncSession, ticket: Ticket, cluster: Cluster | None, actor: Staff
) -> tuple[int, ...]:
    """The unpublished versions that this person has written of what the ticket or the cluster became."""
    made = {ticket.entry_created_id, cluster.entry_id if cluster else None} - {None}
    within = await reach(session, actor)
    rows = await session.execute(
        select(EntryVersion.id, Unit.path)
        .join(Unit, Unit.id == EntryVersion.scope_unit_id)
        .where(EntryVersion.entry_id.in_(made), EntryVersion.author_id == actor.id)
        .where(EntryVersion.state.in_(tip_links.OPEN))
        .order_by(EntryVersion.id)
    )
    return tuple(number for number, path in rows if contains(within, path))


async def _origin(
    session: AsyncSession, asked: Sequence[Ticket], question: str, cluster: Cluster | None
) -> str:
    """一、来由: how many asked what, from how many units, since when; nobody's number."""
    days = [one.business_day for one in asked]
    return say(
        "tip.origin" if cluster else "tip.origin_one", CHINESE,
        first=f"{min(days).month}月{min(days).day}日", last=f"{max(days).month}月{max(days).day}日",
        n=len(asked), units=len({one.unit_id for one in asked}), question=question,
    )  # fmt: skip


async def to_phrasing(
    session: AsyncSession, ticket: Ticket, entry: Entry, *, actor: Staff, now: datetime
) -> None:
    """Add what was asked to the ways to ask for an entry: to its open draft, or to a new one for review.

    Raises `NotPermitted` outside the actor's reach, `Conflict` if the entry is not in force, knows the words
    already or waits for its review, `Invalid("not_one_question")` for a ticket that is a story or asks more.
    """
    unit = await session.get_one(Unit, ticket.unit_id)
    await must(session, actor, Permission.DRAFT_ENTRIES, unit.path)
    await add_phrasings(session, entry, [ticket.words], ticket_id=ticket.id, actor=actor, now=now)
    await feedback.added_phrasing(session, ticket, entry.id, actor=actor, now=now)


async def add_phrasings(
    session: AsyncSession,
    entry: Entry,
    asked: Sequence[str],
    *,
    ticket_id: int | None = None,
    actor: Staff,
    now: datetime,
) -> EntryVersion:
    """Add ways to ask to an entry's open draft, or to a new one; returns the draft.

    Raises as `with_phrasings` does, and `NotPermitted` or `Conflict` as a draft does.
    """
    await session.refresh(entry, with_for_update=True)
    content = await with_phrasings(session, entry, asked)
    draft = await open_draft(session, entry)
    if draft is None:
        return await entries.draft(session, content, actor=actor, now=now, entry=entry, ticket_id=ticket_id)
    await entries.edit(session, draft, content, seen=draft.version, actor=actor, now=now)
    return draft


async def with_phrasings(session: AsyncSession, entry: Entry, asked: Sequence[str]) -> Content:
    """What an entry would be with these ways to ask besides: its open draft, else what is published.

    Raises `Conflict("entry_not_in_force")`, `Conflict("phrasing_known")` if none of them is new,
    `Invalid("not_one_question")` for words that are a story or ask more than one thing.
    """
    if entry.published_id is None:
        raise Conflict("entry_not_in_force")
    wanted = list(dict.fromkeys(words.strip() for words in asked))
    for words in wanted:
        if not one_question(words):
            raise Invalid("not_one_question")
    draft = await open_draft(session, entry)
    before = await content_of(session, draft or await get_version(session, entry.published_id))
    known = (before.question, *before.phrasings, *before.aliases)
    new = [words for words in wanted if words not in known]
    if not new:
        raise Conflict("phrasing_known")
    return replace(before, phrasings=(*before.phrasings, *new))


def one_question(words: str) -> bool:
    """Whether words can be a way to ask: neither a story nor several questions."""
    words = words.strip()
    return SHORTEST_PHRASING <= len(words) <= LONGEST_PHRASING and len(split_questions(words)) <= 1


async def open_draft(session: AsyncSession, entry: Entry) -> EntryVersion | None:
    """The draft of an entry that may still be edited."""
    return await session.scalar(
        select(EntryVersion).where(EntryVersion.entry_id == entry.id, EntryVersion.state == EntryState.DRAFT)
    )


async def _basis(session: AsyncSession, ticket: Ticket) -> tuple[Mapping[str, str], ...]:
    if ticket.conclusion_version_id is not None:
        return tuple((await session.get_one(EntryVersion, ticket.conclusion_version_id)).basis)
    return ({"law": ticket.conclusion_basis, "article": ""},) if ticket.conclusion_basis else ()


async def _other_words(session: AsyncSession, ticket: Ticket) -> list[str]:
    own = await session.scalars(
        select(Enquiry.words).where(Enquiry.ticket_id == ticket.id).order_by(Enquiry.id)
    )
    joined = await session.scalars(
        select(Ticket.words).where(Ticket.merged_into_id == ticket.id).order_by(Ticket.id)
    )
    return [words for words in (*own, *joined) if words not in ("", REMOVED, HIDDEN, ticket.words)]


async def _scope(session: AsyncSession, actor: Staff) -> int:
    """The district where it lies in the officer's reach, else the officer's own unit."""
    district = await units.election_office(session)
    return district.id if contains(await reach(session, actor), district.path) else actor.unit_id
