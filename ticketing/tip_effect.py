"""A work tip takes effect: its entries are published by the clock or a reviewer, or it says why they are not.

The clock publishes what its check allows. A check that is merely out of date, since something else was
published after the signature, is made again outside every transaction (`outdated`, `rehearsals`, `settle`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import checks, entries, rehearsal, tip_links, tip_moves, tip_words
from knowledge.rehearsal import Rehearsal
from knowledge.replay import Comparison
from knowledge.tips import TipState, WorkTip
from knowledge.versions import Entry, EntryState, EntryVersion
from office import audit, notices, units
from office.audit import CLOCK
from office.errors import Conflict, DeskError
from office.staff import Permission, Staff, must
from ticketing import recall_proposals

AT_ONCE: Final = 20
"""So many tips one run of a job takes; the next run is a minute away."""
R = TipState.RELEASED
STALE: Final = "work_tip.stale"
# The check is out of date, or was overtaken while it was made: nothing speaks against the tip.
PASSING: Final = frozenset({"check_needed", "check_outdated"})


class Held(StrEnum):
    """Why the clock could not bring a tip's entries into force.

    CHECK: the base has changed and the check speaks against a publication now. REWRITTEN: a version is not
    the one that was signed. RELEASER: whoever signed has left or may not publish it any more. LATER: a
    version begins on a later day itself.
    """

    CHECK = auto()
    REWRITTEN = auto()
    RELEASER = auto()
    LATER = auto()
    OTHER = auto()


REASONS: Final = {
    "check_blocked": Held.CHECK,
    "stale_card": Held.REWRITTEN,
    "not_permitted": Held.RELEASER,
    "second_person_needed": Held.RELEASER,
    "second_person_too_new": Held.RELEASER,
    "effective_later": Held.LATER,
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a tip waits for a reviewer; `entries` are the numbers of those that the check speaks against."""

    why: Held
    entries: tuple[str, ...] = ()


async def now_in_effect(session: AsyncSession, tip: WorkTip, *, actor: Staff, now: datetime) -> None:
    """A reviewer brings a tip's entries into force whose time came while they could not be published.

    They are published as they were handed in with the tip; nobody can have changed them since it was signed.
    Raises `NotPermitted`, also for the drafter, `Conflict` with `stale_card` or `tip_not_due`, and what
    `entries.publish` raises.
    """
    unit = await units.get(session, tip.unit_id)
    await must(session, actor, Permission.PUBLISH_ENTRIES, unit.path)
    await session.refresh(tip, with_for_update=True)
    if tip.state is not R or tip.in_effect_at is not None:
        raise Conflict("stale_card")
    begins = tip_words.begins(tip)
    if begins is not None and begins > now:
        raise Conflict("tip_not_due")
    await tip_moves.another(session, tip, actor, now=now)
    await hold(session, [tip])
    await in_force(session, tip, actor, now)


async def take_effect(session: AsyncSession, *, now: datetime) -> int:
    """The clock: what was released for a later time and whose time has come; returns how many took effect.

    The entries are published in the name of who released the tip. One whose check is out of date is left to
    `settle`. Where something speaks against it nothing of this tip is published, releaser and drafter are
    told once why, and the tip waits for `now_in_effect`.
    """
    found = 0
    rows = await due(session, *_waiting(now))
    await hold(session, rows)
    for tip in rows:
        found += await _try(session, tip, now)
    return found


async def outdated(session: AsyncSession, *, now: datetime) -> list[int]:
    """The tips whose time has come and whose versions have no check that holds for the base as it is."""
    rows = await session.scalars(select(WorkTip).where(*_waiting(now)).order_by(WorkTip.id).limit(AT_ONCE))
    return [tip.id for tip in rows.all() if await _unchecked(session, tip)]


async def rehearsals(session: AsyncSession, tip_id: int, *, now: datetime) -> list[Rehearsal]:
    """What has to be asked again before a tip's entries can be published; `rehearsal.run` takes seconds."""
    tip = await session.get_one(WorkTip, tip_id)
    return [await rehearsal.prepare(session, version, now=now) for version in await _unchecked(session, tip)]


async def settle(
    session: AsyncSession, tip_id: int, found: Sequence[tuple[Rehearsal, Comparison]], *, now: datetime
) -> bool:
    """Write the new checks down and bring the tip into force if they allow it; returns whether it is.

    If anything was published meanwhile nothing happens, and the next look begins anew.
    """
    rows = await due(session, WorkTip.id == tip_id, *_waiting(now))
    await hold(session, rows)
    return bool(rows) and await _try(session, rows[0], now, found)


async def give_up(session: AsyncSession, tip_id: int, *, now: datetime) -> None:
    """The check itself broke down: the two who answer for the tip are told, and a reviewer goes on."""
    for tip in await due(session, WorkTip.id == tip_id, *_waiting(now)):
        await _stale(session, tip, "check_failed", now)


async def waiting(session: AsyncSession, tip: WorkTip) -> Waiting | None:
    """Why a tip's entries are not in force though its time has come; None for one that nothing holds up."""
    if tip.state is not R or tip.stale_at is None or tip.in_effect_at is not None:
        return None
    lines, _ = await audit.listed(session, subject=f"work_tip:{tip.id}", action=STALE, limit=1)
    told = lines[0].facts if lines else {}
    return Waiting(REASONS.get(str(told.get("why")), Held.OTHER), tuple(told.get("entries", ())))


async def in_force(session: AsyncSession, tip: WorkTip, actor: Staff, now: datetime) -> None:
    """Publish every linked version and write the recalls that it calls for; `hold` has locked them.

    One that came into force with another tip meanwhile is done with, whatever has become of it since.
    """
    linked = await tip_links.linked(session, tip)
    coming = [(link, version) for link, version, _ in linked if version.published_at is None]
    for before, (link, version) in enumerate(coming):
        await entries.publish(
            session, version, seen=link.seen or 0, actor=actor, now=now, after=before, by_tip=True
        )
        await recall_proposals.published(session, version, now=now)
    tip.in_effect_at, tip.stale_at = now, None
    await session.flush()
    facts: dict[str, Any] = {
        "number": tip_words.number(tip),
        "entries": [entry.entry_no for *_, entry in linked],
    }
    await audit.record(
        session, "work_tip.in_effect", f"work_tip:{tip.id}", actor=actor.as_actor(), now=now, **facts
    )


async def hold(session: AsyncSession, rows: Sequence[WorkTip]) -> None:
    """Lock every entry and version before anything is written down, in one order: see `entries.publish`."""
    linked = [pair for tip in rows for pair in await tip_links.linked(session, tip)]
    for table, numbers in (
        (Entry, {entry.id for _, _, entry in linked}),
        (EntryVersion, {version.id for _, version, _ in linked}),
    ):
        for number in sorted(numbers):
            await session.get_one(table, number, with_for_update=True, populate_existing=True)


async def due(session: AsyncSession, *conditions: ColumnElement[bool]) -> list[WorkTip]:
    """Released tips for a job, locked; those that another worker has in hand are passed over."""
    rows = await session.scalars(
        select(WorkTip)
        .where(WorkTip.state == R, *conditions)
        .order_by(WorkTip.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return list(rows.all())


def _waiting(now: datetime) -> tuple[ColumnElement[bool], ...]:
    begun = func.coalesce(WorkTip.effective_from, WorkTip.send_at) <= now
    return (WorkTip.state == R, WorkTip.in_effect_at.is_(None), WorkTip.stale_at.is_(None), begun)


async def _unchecked(session: AsyncSession, tip: WorkTip) -> list[EntryVersion]:
    """The versions whose check is merely out of date; none where something else speaks against the tip."""
    coming = [
        (link, version)
        for link, version, _ in await tip_links.linked(session, tip)
        if version.published_at is None
    ]
    if any(row.state is not EntryState.IN_REVIEW or link.seen != row.version for link, row in coming):
        return []
    return [
        version
        for _, version in coming
        if not await checks.holds(session, await checks.latest(session, version), version)
    ]


async def _try(
    session: AsyncSession, tip: WorkTip, now: datetime, found: Sequence[tuple[Rehearsal, Comparison]] = ()
) -> bool:
    actor = await session.get_one(Staff, tip.releaser_id)
    try:
        # Undone alone: one tip that cannot be must not hold up the others.
        async with session.begin_nested():
            for prepared, comparison in found:
                await rehearsal.record(session, prepared, comparison, actor=actor, by=CLOCK, now=now)
        async with session.begin_nested():
            await in_force(session, tip, actor, now)
    except DeskError as refusal:
        await session.refresh(tip)
        if refusal.key not in PASSING:
            await _stale(session, tip, refusal.key, now)
        return False
    return True


async def _stale(session: AsyncSession, tip: WorkTip, why: str, now: datetime) -> None:
    tip.stale_at = now
    await session.flush()
    against = await _against(session, tip) if why == "check_blocked" else []
    await audit.record(
        session, STALE, f"work_tip:{tip.id}", actor=CLOCK, now=now, why=why,
        **({"entries": against} if against else {}),
    )  # fmt: skip
    held = REASONS.get(why, Held.OTHER)
    for staff_id in sorted({tip.releaser_id or tip.drafter_id, tip.drafter_id}):
        await notices.tell(
            session, staff_id, f"tip_stale_{held}",
            {"no": tip_words.number(tip), "entries": "、".join(against)},
            key=f"tip_stale:{tip.id}", subject=f"work_tip:{tip.id}", now=now,
        )  # fmt: skip


async def _against(session: AsyncSession, tip: WorkTip) -> list[str]:
    """The numbers of the entries that the newest check speaks against."""
    found = []
    for _, version, entry in await tip_links.linked(session, tip):
        check = await checks.latest(session, version)
        if version.published_at is None and (check is None or check.state not in checks.OPENING):
            found.append(entry.entry_no)
    return found
