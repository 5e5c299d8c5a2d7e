"""The circuit that stops all lookups: a budget, nobody's rows or a reviewer opens it; a reviewer shuts it."""

from __future__ import annotations

import logging
from datetime import datetime
from enum import StrEnum, auto

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll.records import RollState
from office import audit, redact
from office.audit import SYSTEM
from office.errors import Conflict, Invalid
from office.staff import Permission, Staff, must

log = logging.getLogger(__name__)

SUBJECT = "roll:lookups"
ALARM = "lookup.alarm"
"""A line of the audit that calls a reviewer; its fact `kind` is one of `Why`."""
TRIP = "lookup.trip"


class Why(StrEnum):
    """What opened the circuit."""

    BUDGET = auto()
    CANARY = auto()
    REVIEWER = auto()


async def alarm(session: AsyncSession, kind: Why, *, way: str, now: datetime) -> None:
    """Call a reviewer, with nothing of who asked or about whom."""
    log.critical("alarm of the lookup: %s, way %s", kind.value, way)
    await audit.record(session, ALARM, SUBJECT, actor=SYSTEM, now=now, kind=kind.value, way=way)


async def trip(session: AsyncSession, kind: Why, *, now: datetime) -> None:
    """Stop all lookups, because a budget or nobody's rows say so; no effect on a circuit that is open."""
    state = await _state(session)
    if state.stopped_at is None:
        log.critical("lookup is stopped: %s", kind.value)
        state.stopped_at, state.stopped_why = now, kind.value
        await audit.record(session, TRIP, SUBJECT, actor=SYSTEM, now=now, why=kind.value)


async def stop(session: AsyncSession, *, reason: str, actor: Staff, now: datetime) -> None:
    """A reviewer stops all lookups. Raises `NotPermitted`, `Invalid`, `Conflict` if they are stopped."""
    state = await _decided(session, reason, actor)
    if state.stopped_at is not None:
        raise Conflict("lookup.stopped_already")
    log.critical("lookup is stopped: %s", Why.REVIEWER.value)
    state.stopped_at, state.stopped_why = now, Why.REVIEWER.value
    await audit.record(
        session, "lookup.stop", SUBJECT, actor=actor.as_actor(), now=now, reason=_plain(reason)
    )  # fmt: skip


async def reopen(session: AsyncSession, *, reason: str, actor: Staff, now: datetime) -> None:
    """A reviewer lets lookups go on; to be called through `Lookups.reopen`, which gives a new day's budget.

    Raises `NotPermitted`, `Invalid("lookup.reason_missing")`, `Conflict` if they are not stopped.
    """
    state = await _decided(session, reason, actor)
    if state.stopped_at is None:
        raise Conflict("lookup.not_stopped")
    was = state.stopped_why
    state.stopped_at, state.stopped_why = None, ""
    await audit.record(
        session, "lookup.reopen", SUBJECT, actor=actor.as_actor(), now=now, reason=_plain(reason), was=was
    )  # fmt: skip


async def _decided(session: AsyncSession, reason: str, actor: Staff) -> RollState:
    await must(session, actor, Permission.REVIEW_LOOKUPS)
    if not _plain(reason):
        raise Invalid("lookup.reason_missing")
    return await _state(session)


def _plain(reason: str) -> str:
    return redact.text(reason).text.strip()


async def _state(session: AsyncSession) -> RollState:
    found = await session.scalars(
        select(RollState).where(RollState.id == 1).with_for_update().execution_options(populate_existing=True)
    )
    return found.one()
