"""The replay before a publication: the base as it is and as it would be, gathered, asked and written down."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import base, calendar, checks, claims, golden, replay, trained
from knowledge.checks import CheckState, PublicationCheck
from knowledge.live import lexicon
from knowledge.match import Index
from knowledge.model import SHIPPED, Model
from knowledge.outcomes import Source
from knowledge.replay import Case, Comparison, Said
from knowledge.versions import Content, Entry, EntryVersion, content_of, revision
from office import audit
from office.audit import Actor
from office.errors import Conflict
from office.staff import Staff
from office.units import Unit, contains


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Everything one replay needs, as values: it runs without a session."""

    version_id: int
    seen: int
    base_revision: int
    model_digest: str
    model: Model
    before: tuple[Source, ...]
    after: tuple[Source, ...]
    cases: tuple[Case, ...]
    own: Source
    """The version itself, even where it is not shown."""

    @property
    def questions(self) -> str:
        """Names the questions asked: equal for equal sets with equal labels."""
        told = "\n".join(sorted(repr(case) for case in self.cases))
        return hashlib.sha256(told.encode()).hexdigest()


async def prepare(session: AsyncSession, version: EntryVersion, *, now: datetime) -> Rehearsal:
    """Gather the base with and without this version, as somebody sees it where the version holds.

    If the version narrows where its entry holds, the question is asked from the wider place: there the answer
    is about to be lost.
    """
    entry = await session.get_one(Entry, version.entry_id)
    content = await content_of(session, version)
    return await _gathered(session, entry, content, version.id, version.version, now)


async def imagine(session: AsyncSession, entry: Entry, content: Content, *, now: datetime) -> Rehearsal:
    """As `prepare`, for a wording of an entry that nobody has saved yet; it cannot be recorded."""
    return await _gathered(session, entry, content, 0, 0, now)


async def _gathered(
    session: AsyncSession, entry: Entry, content: Content, version_id: int, seen: int, now: datetime
) -> Rehearsal:
    current = await revision(session)
    place = (await session.get_one(Unit, content.scope_unit_id)).path
    old = await session.get(EntryVersion, entry.published_id) if entry.published_id else None
    here = place
    if old is not None:
        wider = (await session.get_one(Unit, old.scope_unit_id)).path
        here = wider if contains(wider, place) else place
    day = max(calendar.today(now), content.effective_from or calendar.today(now))
    shown = {
        entry_id
        for entry_id, held, path in await session.execute(
            select(Entry.id, EntryVersion, Unit.path)
            .join(EntryVersion, EntryVersion.id == Entry.published_id)
            .join(Unit, Unit.id == EntryVersion.scope_unit_id)
        )
        if held.covers(day) and contains(path, here)
    }
    before = tuple(source for source in await base.sources(session) if source.entry_id in shown)
    others = [source for source in before if source.entry_id != entry.id]
    own = _source(entry, content)
    new = [own] if contains(place, here) else []
    return Rehearsal(
        version_id=version_id,
        seen=seen,
        base_revision=current,
        model_digest=await checks.model_digest(session),
        model=await _model(session),
        before=before,
        after=tuple(sorted((*others, *new), key=lambda source: source.entry_id)),
        cases=(*await golden.cases(session, {entry.id: content.topic}), *replay.own_questions(before)),
        own=own,
    )


async def run(rehearsal: Rehearsal) -> Comparison:
    """Ask all questions of both bases, in a thread and one replay at a time. Leave every session before."""
    async with _ALONE:
        return await asyncio.to_thread(play, rehearsal)


def play(rehearsal: Rehearsal) -> Comparison:
    """Ask all questions of both bases; what the present base says is remembered for the next time.

    The version's own words are asked of the base without its entry.
    """
    asked = replay.concerned(rehearsal.cases, (*rehearsal.before, *rehearsal.after))
    before = _present(rehearsal, asked)
    index = Index(rehearsal.after, lexicon(), rehearsal.model)
    after = replay.ask(index, _gently(asked))
    held = [source for source in rehearsal.before if source.entry_id == rehearsal.own.entry_id]
    claimed = claims.claims(index, rehearsal.own, held[0] if held else None)
    return replay.weigh(before, after, claimed)


async def record(
    session: AsyncSession, rehearsal: Rehearsal, comparison: Comparison, *, actor: Staff, now: datetime,
    by: Actor | None = None,
) -> PublicationCheck:  # fmt: skip
    """Write the result down; `by` names in the audit who made the check in the actor's name.

    Raises `Conflict("check_outdated")` if version, base or model moved on meanwhile, `NotPermitted` for
    whoever may not publish the version.
    """
    version = await session.get_one(EntryVersion, rehearsal.version_id)
    await checks.may_publish(session, version, actor=actor, now=now)
    check = PublicationCheck(
        version_id=rehearsal.version_id,
        seen=rehearsal.seen,
        base_revision=rehearsal.base_revision,
        model_digest=rehearsal.model_digest,
        questions=rehearsal.questions,
        figures=comparison.figures(),
        changes=comparison.shown(),
        state=CheckState.PASSED if comparison.passed else CheckState.BLOCKED,
        made_by_id=actor.id,
        made_at=now,
    )
    if not await checks.holds(session, check, version):
        raise Conflict("check_outdated")
    session.add(check)
    await session.flush()
    await audit.record(
        session, "entry_version.check", f"entry_version:{version.id}", actor=by or actor.as_actor(), now=now,
        **check.summary(),
    )  # fmt: skip
    return check


async def _model(session: AsyncSession) -> Model:
    row = await trained.in_force(session)
    try:
        return Model.from_json(row.body) if row is not None else SHIPPED
    except ValueError:
        return SHIPPED  # nor does any process answer by it


def _source(entry: Entry, content: Content) -> Source:
    return Source(
        entry_id=entry.id,
        entry_no=entry.entry_no,
        topic=content.topic,
        audience=content.audience.value,
        question=content.question.strip(),
        phrasings=content.phrasings,
        aliases=content.aliases,
    )


_ALONE = asyncio.Lock()
# What the present base said last: (its sources, the model's digest, the answers). One base is enough.
_last: tuple[tuple[Source, ...], str, Mapping[Case, Said]] = ((), "", {})


def _present(rehearsal: Rehearsal, asked: tuple[Case, ...]) -> dict[Case, Said]:
    global _last
    sources, digest, known = _last
    if (sources, digest) != (rehearsal.before, rehearsal.model.digest):
        known = {}
    missing = [case for case in asked if case not in known]
    if missing:
        index = Index(rehearsal.before, lexicon(), rehearsal.model)
        known = {**known, **replay.ask(index, _gently(missing))}
        _last = (rehearsal.before, rehearsal.model.digest, known)
    return {case: known[case] for case in asked}


def _gently(cases: Iterable[Case]) -> Iterator[Case]:
    """Step back between two questions: people who ask meanwhile wait for one of ours, not for all."""
    for case in cases:
        time.sleep(0)
        yield case
