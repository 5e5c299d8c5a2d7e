"""The steps of an entry from draft to publication and out of force again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import alterations, checks, lint, tip_links
from knowledge.checks import PublicationCheck
from knowledge.versions import (
    Alteration,
    Audience,
    BaseState,
    Content,
    Entry,
    EntryState,
    EntryVersion,
    content_of,
    new_version,
    set_phrasings,
    topics,
)
from office import audit, redact
from office.audit import SYSTEM, Actor
from office.errors import Conflict, Invalid, NotFound
from office.hours import beijing_day
from office.staff import Permission, Staff, must, second_person
from office.store import insert_once, ring_after_commit
from office.units import Unit

FIRST_FREE_NUMBER = 2001
BASE_TOPIC = "base"

S = EntryState
TRANSITIONS: Mapping[EntryState, frozenset[EntryState]] = {
    S.DRAFT: frozenset({S.IN_REVIEW, S.RETIRED}),
    S.IN_REVIEW: frozenset({S.DRAFT, S.PUBLISHED}),
    S.PUBLISHED: frozenset({S.RETIRED}),
    S.RETIRED: frozenset(),
}


def problems(content: Content) -> list[lint.Problem]:
    """What stands between this content and publication, worst first."""
    return lint.check(
        topic_known=content.topic in topics() and content.topic != "none",
        question=content.question,
        phrasings=content.phrasings,
        aliases=content.aliases,
        short=content.short,
        texts=(content.full, *content.steps, *content.documents),
        basis=content.basis,
        plain=content.audience is Audience.VOTER,
    )


async def draft(
    session: AsyncSession,
    content: Content,
    *,
    actor: Staff,
    now: datetime,
    entry: Entry | None = None,
    entry_no: str = "",
    ticket_id: int | None = None,
) -> EntryVersion:
    """Begin a new version of `entry`, or a new entry with the number `entry_no`, else with the next free one.

    Raises `NotPermitted`; `Conflict("draft_open")` if the entry already has an unfinished version;
    `Conflict("entry_no_taken")`.
    """
    await must(session, actor, Permission.DRAFT_ENTRIES)
    await _scope(session, actor, Permission.DRAFT_ENTRIES, content)
    if entry is None:
        entry = await _numbered(session, entry_no) if entry_no else await _new_entry(session)
    else:
        await _may_replace(session, actor, Permission.DRAFT_ENTRIES, entry)
    unfinished = await session.scalar(
        select(EntryVersion.id).where(
            EntryVersion.entry_id == entry.id, EntryVersion.state.in_((S.DRAFT, S.IN_REVIEW))
        )
    )
    if unfinished is not None:
        raise Conflict("draft_open")
    version = await new_version(session, entry, content, author_id=actor.id, ticket_id=ticket_id, now=now)
    await audit.record(
        session, "entry_version.draft", f"entry_version:{version.id}", actor=actor.as_actor(), now=now,
        entry_no=entry.entry_no, number=version.number,
    )  # fmt: skip
    return version


async def edit(
    session: AsyncSession, version: EntryVersion, content: Content, *, seen: int, actor: Staff, now: datetime
) -> None:
    """Replace the content of a draft; `seen` is the version count the editor's page was made from.

    Raises `Conflict` if it is no draft any more or somebody else saved it meanwhile.
    """
    await _in_scope(session, actor, Permission.DRAFT_ENTRIES, version)
    await _scope(session, actor, Permission.DRAFT_ENTRIES, content)
    await _lock(session, version)
    if version.state is not S.DRAFT or version.version != seen:
        raise Conflict("stale_card")
    for name, value in content.columns().items():
        setattr(version, name, value)
    version.author_id = actor.id
    await set_phrasings(session, version, content)
    await session.flush()
    await audit.record(
        session, "entry_version.edit", f"entry_version:{version.id}", actor=actor.as_actor(), now=now
    )


async def submit(
    session: AsyncSession,
    version: EntryVersion,
    *,
    actor: Staff,
    now: datetime,
    alteration: Alteration | None = None,
) -> None:
    """Hand a draft to a reviewer; raises `Invalid("entry_unready")` while lint finds faults.

    What else it raises: `alterations.chosen`, for a version that tells askers something else.
    """
    await _in_scope(session, actor, Permission.DRAFT_ENTRIES, version)
    await _lock(session, version)
    faults = [p for p in problems(await content_of(session, version)) if p.blocks]
    if faults:
        raise Invalid("entry_unready", problems=[p.key for p in faults])
    version.alteration = await alterations.chosen(session, version, alteration)
    told = {"alteration": version.alteration.value} if version.alteration else {}
    await audit.move(session, version, S.IN_REVIEW, by="submit", table=TRANSITIONS,
                     actor=actor.as_actor(), now=now, **told)  # fmt: skip


async def send_back(
    session: AsyncSession, version: EntryVersion, note: str, *, actor: Staff, now: datetime
) -> None:
    """Return a version to its author; raises `Conflict("entry_of_tip")` if a tip with it is signed."""
    await _in_scope(session, actor, Permission.PUBLISH_ENTRIES, version)
    await _lock(session, version)
    if version.state is not S.IN_REVIEW:
        raise Conflict("stale_card")
    await tip_links.demand_free(session, version)
    version.review_note = redact.text(note.strip()).text
    await audit.move(session, version, S.DRAFT, by="send_back", table=TRANSITIONS,
                     actor=actor.as_actor(), now=now)  # fmt: skip


async def drop(session: AsyncSession, version: EntryVersion, *, actor: Staff, now: datetime) -> None:
    """Give up a draft."""
    await _in_scope(session, actor, Permission.DRAFT_ENTRIES, version)
    await _lock(session, version)
    if version.state is not S.DRAFT:
        raise Conflict("stale_card")
    await audit.move(session, version, S.RETIRED, by="drop", table=TRANSITIONS,
                     actor=actor.as_actor(), now=now)  # fmt: skip


async def publish(
    session: AsyncSession, version: EntryVersion, *, seen: int, actor: Staff, now: datetime, after: int = 0,
    by_tip: bool = False,
) -> None:  # fmt: skip
    """A second person makes a version answerable; the one before it retires in the same transaction.

    `seen` binds the release to the exact wording the publisher read. A check of that wording against the base
    and the model in force must have passed, or been overridden by two persons (`knowledge.checks`). Raises
    `NotPermitted`, `Conflict`, `Invalid("check_blocked")`; `Conflict("effective_later")` for a version that
    begins later while another one answers; `Conflict("entry_of_tip")` for one that a signed work tip brings
    into force, unless `by_tip`. Several are published in one transaction with `after`, how many went
    before; the caller locks them all before the first (`ticketing.tip_release`).
    """
    await _in_scope(session, actor, Permission.PUBLISH_ENTRIES, version)
    # Rows are locked before the audit's end of the chain, by everybody: else two could wait for each other.
    entry = await session.get_one(Entry, version.entry_id, with_for_update=True, populate_existing=True)
    await session.refresh(version, with_for_update=True)
    await _may_replace(session, actor, Permission.PUBLISH_ENTRIES, entry)
    await second_person(session, actor, version.author_id, now=now)
    if version.version != seen:
        raise Conflict("stale_card")
    if not by_tip:
        await tip_links.demand_free(session, version)
    await _no_hole(session, entry, version, beijing_day(now))
    check = await checks.demand(session, version, after) if version.state is S.IN_REVIEW else None
    who = actor.as_actor()
    await _publish(session, version, actor=who, publisher_id=actor.id, now=now, check=check, after=after)


async def retire(
    session: AsyncSession, entry: Entry, *, actor: Staff, now: datetime, successor: Entry | None = None
) -> None:
    """Take an entry out of force at once; old buttons lead to `successor`. One person is enough.

    Raises `Invalid("successor_itself")`; `Invalid("successor_not_live")` for a successor that answers
    nothing itself, which also keeps successors from leading in a circle.
    """
    # Two who retire each other's successor lock in one order, and the second one finds it out of force.
    for row in sorted({entry, successor or entry}, key=lambda row: row.id):
        await session.refresh(row, with_for_update=True)
    if entry.published_id is None:
        raise Conflict("stale_card")
    if successor is entry:
        raise Invalid("successor_itself")
    if successor is not None and not await _answers(session, successor, beijing_day(now)):
        raise Invalid("successor_not_live", no=successor.entry_no)
    version = await session.get_one(EntryVersion, entry.published_id)
    await _in_scope(session, actor, Permission.PUBLISH_ENTRIES, version)
    await audit.move(session, version, S.RETIRED, by="retire", table=TRANSITIONS,
                     actor=actor.as_actor(), now=now)  # fmt: skip
    entry.published_id = None
    entry.successor_id = successor.id if successor else None
    entry.revision = await _next_revision(session)
    await session.flush()


async def install(session: AsyncSession, entry_no: str, content: Content, *, now: datetime) -> EntryVersion:
    """Load an entry that was reviewed as a file and publish it: only for an empty number.

    Raises `Conflict` if the number is taken, `Invalid` if lint blocks it.
    """
    if await session.scalar(select(Entry.id).where(Entry.entry_no == entry_no)) is not None:
        raise Conflict("entry_no_taken", no=entry_no)
    faults = [p for p in problems(content) if p.blocks]
    if faults:
        raise Invalid("entry_unready", no=entry_no, problems=[p.key for p in faults])
    entry = Entry(entry_no=entry_no)
    session.add(entry)
    await session.flush()
    version = await new_version(session, entry, content, author_id=None, ticket_id=None, now=now)
    version.state = S.IN_REVIEW
    await session.flush()
    await _publish(session, version, actor=SYSTEM, publisher_id=None, now=now)
    return version


async def _scope(session: AsyncSession, actor: Staff, permission: Permission, content: Content) -> None:
    unit = await session.get(Unit, content.scope_unit_id)
    if unit is None:
        raise NotFound("unit_unknown")
    await must(session, actor, permission, unit.path)


async def _lock(session: AsyncSession, version: EntryVersion) -> None:
    # Whoever comes second waits here and learns it as a conflict, not as a failure of the database.
    before = version.version
    await session.refresh(version, with_for_update=True)
    if version.version != before:
        raise Conflict("stale_card")


async def _in_scope(
    session: AsyncSession, actor: Staff, permission: Permission, version: EntryVersion
) -> None:
    unit = await session.get_one(Unit, version.scope_unit_id)
    await must(session, actor, permission, unit.path)


async def _may_replace(session: AsyncSession, actor: Staff, permission: Permission, entry: Entry) -> None:
    # A new version with a narrower scope must not take a district's wording out of force.
    if entry.published_id is not None:
        version = await session.get_one(EntryVersion, entry.published_id)
        await _in_scope(session, actor, permission, version)


async def _answers(session: AsyncSession, entry: Entry, day: date) -> bool:
    if entry.published_id is None:
        return False
    return (await session.get_one(EntryVersion, entry.published_id)).covers(day)


async def _no_hole(session: AsyncSession, entry: Entry, version: EntryVersion, today: date) -> None:
    begins = version.effective_from
    if begins is not None and begins > today and await _answers(session, entry, today):
        raise Conflict("effective_later", day=begins.isoformat())


async def _numbered(session: AsyncSession, entry_no: str) -> Entry:
    if not await insert_once(session, Entry, {"entry_no": entry_no, "revision": 0}, unique=("entry_no",)):
        raise Conflict("entry_no_taken", no=entry_no)
    return (await session.scalars(select(Entry).where(Entry.entry_no == entry_no))).one()


async def _new_entry(session: AsyncSession) -> Entry:
    # Two editors may want the same next number: the second one waits for the first and takes the one after.
    while True:
        last = await session.scalar(
            select(Entry.entry_no)
            .where(or_(Entry.entry_no >= f"K-{FIRST_FREE_NUMBER:04d}", func.length(Entry.entry_no) > 6))
            .order_by(func.length(Entry.entry_no).desc(), Entry.entry_no.desc())
            .limit(1)
        )
        number = f"K-{int(last[2:]) + 1 if last else FIRST_FREE_NUMBER:04d}"
        row = {"entry_no": number, "revision": 0}
        if await insert_once(session, Entry, row, unique=("entry_no",)):
            return (await session.scalars(select(Entry).where(Entry.entry_no == number))).one()


async def _publish(
    session: AsyncSession, version: EntryVersion, *, actor: Actor, publisher_id: int | None, now: datetime,
    check: PublicationCheck | None = None, after: int = 0,
) -> None:  # fmt: skip
    entry = await session.get_one(Entry, version.entry_id)
    if entry.published_id is not None:
        before = await session.get_one(EntryVersion, entry.published_id)
        await audit.move(session, before, S.RETIRED, by="supersede", table=TRANSITIONS, actor=actor, now=now)
    version.publisher_id, version.published_at = publisher_id, now
    told = check.summary() if check else {}
    await audit.move(
        session, version, S.PUBLISHED, by="publish", table=TRANSITIONS, actor=actor, now=now, **told
    )
    entry.published_id = version.id
    entry.successor_id = None
    entry.revision = await _next_revision(session)
    # Only this statement holds the base still, so whether it is the one that was checked shows here.
    if check and entry.revision != check.base_revision + after + 1:
        raise Conflict("check_needed")
    await session.flush()


async def _next_revision(session: AsyncSession) -> int:
    # The updated row stays locked until the commit, so revisions become visible in their order.
    statement = update(BaseState).values(revision=BaseState.revision + 1).returning(BaseState.revision)
    ring_after_commit(session, BASE_TOPIC)
    return (await session.execute(statement)).scalar_one()
