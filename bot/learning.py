"""Learning while the program runs: when it is worth it, in one process at a time, never without a trial."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.training import Task, Trained
from knowledge import base, golden, lessons, trained, versions
from knowledge.model import SHIPPED, Model
from knowledge.trained import MatcherModel
from knowledge.versions import Entry, EntryVersion, Phrasing
from office import audit, leases
from office.audit import Actor
from office.store import Store

log = logging.getLogger(__name__)

LEASE = "learning"
LOOK_EVERY = 60.0
SETTLING = timedelta(minutes=1)
PAUSE = timedelta(hours=1)
TRAINS_AT_MOST = timedelta(hours=1)
CHANGED_SHARE = 0.1
NEW_LABELS = 30
SMALLEST_BASE = 200
"""With fewer phrasings the shipped model knows more than such a base could teach."""
UNCHANGED, OVERTAKEN = "unchanged", "overtaken"
_BATCH = 500
_ROOT = Path(__file__).parent.parent


class TrainingFailed(Exception):
    """The training process ended without a model."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of one training: the model's number, whether it is in force, and why not."""

    model_id: int
    active: bool
    faults: tuple[str, ...]
    figures: dict[str, Any]


async def in_own_process(task: Task) -> Trained:
    """Do a task in a process that gives way to all others, and ends with this one's wish for it.

    Raises `TrainingFailed` if it brings no model, `TimeoutError` after an hour.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.training", stdin=pipe, stdout=pipe, stderr=pipe, cwd=_ROOT
    )
    try:
        async with asyncio.timeout(TRAINS_AT_MOST.total_seconds()):
            out, err = await process.communicate(task.as_json().encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise TrainingFailed(err.decode(errors="replace").strip().rpartition("\n")[2][:300])
    try:
        return Trained.from_json(out.decode())
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingFailed(f"no model came out: {error}") from error


class Learner:
    """Trains the matcher on the base of this installation and on what people said of its answers.

    `wanted_wrong` is the share of all questions that may be answered wrongly, `clock` gives the present
    moment. However many processes look, one trains.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        wanted_wrong: float,
        train: Callable[[Task], Awaitable[Trained]] = in_own_process,
    ) -> None:
        self._store = store
        self._clock = clock
        self.wanted_wrong = wanted_wrong
        self._train = train
        self._begun = clock()
        self._seen: tuple[int, int] | None = None

    async def look(self) -> bool:
        """Train if enough has changed and nobody did within the hour; always returns False (not busy)."""
        if self._clock() - self._begun < SETTLING:
            return False
        async with self._store.reading() as session:
            now_there = await versions.revision(session), await lessons.newest(session)
            if now_there == self._seen:
                return False
            worth_it = await due(session)
        if not worth_it or await self.learn() is not None:
            self._seen = now_there
        return False

    async def learn(self, *, pause: timedelta = PAUSE, actor: Actor = audit.SYSTEM) -> Learned | None:
        """Train now, try the result on the golden questions, put it in force unless they speak against it.

        None if another process is at it or one began less than `pause` ago. Raises `TrainingFailed`.
        """
        begun_at = self._clock()
        lasts = TRAINS_AT_MOST + timedelta(minutes=5)
        async with self._store.transaction() as session:
            if not await leases.begin(session, LEASE, lasts=lasts, pause=pause, now=begun_at):
                return None
        try:
            return await self._learn(actor)
        finally:
            async with self._store.transaction() as session:
                await leases.end(session, LEASE, begun_at=begun_at, now=self._clock())

    async def _learn(self, actor: Actor) -> Learned:
        async with self._store.reading() as session:
            revision = await versions.revision(session)
            before = await trained.in_force(session)
            trained_on = await _version_ids(session)
            labels = await lessons.labels(session)
            task = Task(
                sources=await base.sources(session),
                labels=labels,
                verdicts=await lessons.verdicts(session),
                wanted_wrong=self.wanted_wrong,
                present=_readable(before),
                cases=await golden.cases(session),
            )
        log.info("training on %s entries, %s labels", len(task.sources), len(labels))
        result = await self._train(task)
        now = self._clock()
        async with self._store.transaction() as session:
            row = await trained.keep(
                session, result.model, base_revision=revision, trained_on=trained_on, lessons=len(labels),
                figures=result.figures, actor=actor, now=now,
            )  # fmt: skip
            faults = result.faults
            if row.digest == task.present.digest:
                faults = (UNCHANGED,)
            elif (await _number(session)) != (before.id if before else None):
                faults = (OVERTAKEN,)
            if faults:
                await trained.refuse(session, row, faults, actor=actor, now=now)
            else:
                await trained.activate(session, row, actor=actor, now=now)
        log.info("model %s: %s", row.id, ", ".join(faults) or "in force")
        return Learned(row.id, not faults, tuple(faults), result.figures)


async def due(session: AsyncSession) -> bool:
    """Whether a tenth of the phrasings or thirty labels are new since the last training."""
    present = await _texts(session, await _version_ids(session))
    if len(present) < SMALLEST_BASE:
        return False
    last = next(iter(await trained.listed(session, 1)), None)
    known = await _texts(session, last.trained_on) if last else await asyncio.to_thread(_shipped_texts)
    labels = len(await lessons.labels(session)) - (last.lessons if last else 0)
    return len(present ^ known) >= CHANGED_SHARE * len(present) or labels >= NEW_LABELS


def _readable(row: MatcherModel | None) -> Model:
    if row is None:
        return SHIPPED
    try:
        return Model.from_json(row.body)
    except ValueError:
        return SHIPPED


async def _number(session: AsyncSession) -> int | None:
    row = await trained.in_force(session)
    return row.id if row else None


async def _version_ids(session: AsyncSession) -> list[int]:
    rows = await session.scalars(
        select(Entry.published_id).where(Entry.published_id.is_not(None)).order_by(Entry.published_id)
    )
    return [number for number in rows if number is not None]


async def _texts(session: AsyncSession, version_ids: list[int]) -> set[str]:
    """All questions and phrasings of these versions."""
    found: set[str] = set()
    for start in range(0, len(version_ids), _BATCH):
        part = version_ids[start : start + _BATCH]
        for column, key in ((EntryVersion.question, EntryVersion.id), (Phrasing.text, Phrasing.version_id)):
            found.update((await session.scalars(select(column).where(key.in_(part)))).all())
    return found


@cache
def _shipped_texts() -> set[str]:
    return {
        text for source in base.shipped() for text in (source.question, *source.phrasings, *source.aliases)
    }
