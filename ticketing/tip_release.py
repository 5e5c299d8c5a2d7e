"""Releasing a work tip (签发): number, entries in force, messages to the groups; superseding and withdrawing.

All of it in the caller's transaction: the number, the entries and their recalls, the tip that is replaced,
the rows of the outbox. Either everything is so, or nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import checks, entries, tip_links, tip_moves, tip_words
from knowledge.tips import LONGEST_LINE, TIP_MOVES, TipSerial, TipState, WorkTip
from knowledge.versions import Entry, EntryVersion
from office import audit, notices, redact, units
from office.audit import CLOCK
from office.errors import Conflict, DeskError, Invalid
from office.hours import OfficeHours, beijing_day
from office.staff import Permission, Staff, must
from office.store import count_up
from ticketing import recall_proposals, tip_posts
from ticketing.records import Ticket

RECEIPT_WITHIN: Final = timedelta(hours=24)
"""How long units have for their receipt where the tip says nothing: 已阅率@24h is what is counted."""
AT_ONCE: Final = 20
"""So many tips one run of a job takes; the next run is a minute away."""
R = TipState.RELEASED


async def release(
    session: AsyncSession,
    tip: WorkTip,
    *,
    seen: int,
    actor: Staff,
    hours: OfficeHours,
    now: datetime,
    public_url: str = "",
) -> WorkTip:
    """Sign a tip that was handed in: from now on it has a number and is never changed again.

    The tip that it supersedes falls with it. Its entry versions are published at once unless it takes effect
    later, and then by `take_effect`; its messages are laid out at once unless it is sent later, and then by
    `send_due`. A receipt that is wanted without a day is due 24 hours after the sending, in duty hours.

    Raises `NotPermitted` without the permission, outside the reach (of the tip, of any unit addressed, of the
    tip superseded) and for whoever drafted it or wrote it last; `Conflict` with `stale_card` or
    `tip_not_standing`; `Invalid("tip_unready")`; and what `entries.publish` raises for a linked version.
    """
    old = await session.get(WorkTip, tip.supersedes_id) if tip.supersedes_id else None
    for row in sorted({tip, old or tip}, key=lambda row: row.id):
        await session.refresh(row, with_for_update=True)
    await tip_moves.locked(session, tip, TipState.IN_REVIEW, seen, Permission.PUBLISH_ENTRIES, actor)
    await tip_moves.another(session, tip, actor, now=now)
    addressed = await tip_links.targets(session, tip)
    for unit in addressed:
        await must(session, actor, Permission.PUBLISH_ENTRIES, unit.path)
    if old is not None:
        await _may_fall(session, old, actor)
    await tip_moves.demand(session, tip, now=now)
    await _hold(session, [tip])
    await _number(session, tip, now)
    await _name_in_sources(session, tip)
    tip.releaser_id, tip.released_at, tip.changed_at = actor.id, now, now
    if tip.receipt_wanted and tip.receipt_due is None:
        due = max(tip.send_at or now, now) + RECEIPT_WITHIN
        tip.receipt_due = hours.next_open(due) or due
    await audit.move(
        session, tip, R, by="release", table=TIP_MOVES, actor=actor.as_actor(), now=now,
        number=tip_words.number(tip), units=len(addressed), supersedes=tip.supersedes_id,
    )  # fmt: skip
    if old is not None:
        old.superseded_by_id = tip.id
        await audit.move(
            session, old, TipState.SUPERSEDED, by="supersede", table=TIP_MOVES, actor=actor.as_actor(),
            now=now, by_tip=tip.id,
        )  # fmt: skip
    begins = tip_words.begins(tip)
    if begins is None or begins <= now:
        await _in_force(session, tip, actor, now)
    else:
        for _, version, _ in await tip_links.linked(session, tip):
            await checks.demand(session, version)
    if tip.send_at is None or tip.send_at <= now:
        await _send(session, tip, actor, now, public_url)
    await session.flush()
    return tip


async def withdraw(
    session: AsyncSession, tip: WorkTip, why: str, *, seen: int, actor: Staff, now: datetime
) -> None:
    """Take a tip out of force (撤回), which one person may; every group that shows it is told.

    Entries that it brought into force stay: they are retired or replaced as entries. Raises `NotPermitted`,
    `Conflict("stale_card")`, `Invalid` with `reason_needed` or `tip_long`.
    """
    await tip_moves.locked(session, tip, R, seen, Permission.PUBLISH_ENTRIES, actor)
    reason = redact.text(" ".join(why.split()), published=await units.published_numbers(session)).text
    if not reason:
        raise Invalid("reason_needed")
    if len(reason) > LONGEST_LINE:
        raise Invalid("tip_long", most=LONGEST_LINE)
    tip.withdrawn_why, tip.withdrawn_at, tip.withdrawn_by_id = reason, now, actor.id
    await audit.move(
        session, tip, TipState.WITHDRAWN, by="withdraw", table=TIP_MOVES, actor=actor.as_actor(), now=now
    )
    await _replace(session, tip, None, now)


async def now_in_effect(
    session: AsyncSession,
    tip: WorkTip,
    *,
    actor: Staff,
    now: datetime,
    shown: Mapping[int, int] | None = None,
) -> None:
    """A reviewer brings a tip's entries into force whose time came while their check did not hold.

    They are published as they were handed in with the tip. A version that was written anew since, has to be
    named in `shown` (row number to version count, as the reviewer's page showed it). Raises `NotPermitted`,
    also for the drafter, `Conflict` with `stale_card` or `tip_not_due`, and what `entries.publish` raises.
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
    await _hold(session, [tip])
    await _in_force(session, tip, actor, now, shown or {})


async def take_effect(session: AsyncSession, *, now: datetime) -> int:
    """The clock: what was released for a later time and whose time has come; returns how many took effect.

    The entries are published in the name of who released the tip. Where that cannot be (the base changed
    since the check, a version was written anew, the releaser has left), nothing of this tip is published,
    releaser and drafter are told once, and the tip waits for `now_in_effect`.
    """
    found = 0
    waiting = (WorkTip.in_effect_at.is_(None), WorkTip.stale_at.is_(None))
    due = await _due(session, *waiting, func.coalesce(WorkTip.effective_from, WorkTip.send_at) <= now)
    await _hold(session, due)
    for tip in due:
        actor = await session.get_one(Staff, tip.releaser_id)
        try:
            # Undone alone: one tip that cannot be must not hold up the others.
            async with session.begin_nested():
                await _in_force(session, tip, actor, now)
            found += 1
        except DeskError as refusal:
            await session.refresh(tip)
            await _stale(session, tip, refusal.key, now)
    return found


async def send_due(session: AsyncSession, *, now: datetime, public_url: str = "") -> int:
    """The clock: the messages of tips whose embargo is over; returns how many tips were laid out."""
    due = await _due(session, WorkTip.laid_out_at.is_(None), WorkTip.send_at <= now)
    for tip in due:
        actor = await session.get(Staff, tip.releaser_id)
        await _send(session, tip, actor, now, public_url)
    await session.flush()
    return len(due)


async def _due(session: AsyncSession, *conditions: ColumnElement[bool]) -> list[WorkTip]:
    rows = await session.scalars(
        select(WorkTip)
        .where(WorkTip.state == R, *conditions)
        .order_by(WorkTip.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return list(rows.all())


async def _may_fall(session: AsyncSession, old: WorkTip, actor: Staff) -> None:
    unit = await units.get(session, old.unit_id)
    await must(session, actor, Permission.PUBLISH_ENTRIES, unit.path)
    if old.state is not R:
        raise Conflict("tip_not_standing")


async def _hold(session: AsyncSession, rows: Sequence[WorkTip]) -> None:
    """Lock every entry and version before anything is written down, in one order: see `entries.publish`."""
    linked = [pair for tip in rows for pair in await tip_links.linked(session, tip)]
    for table, numbers in (
        (Entry, {entry.id for _, _, entry in linked}),
        (EntryVersion, {version.id for _, version, _ in linked}),
    ):
        for number in sorted(numbers):
            await session.get_one(table, number, with_for_update=True, populate_existing=True)


async def _number(session: AsyncSession, tip: WorkTip, now: datetime) -> None:
    """The next number of the Beijing year. Whoever comes second waits here until the first has committed."""
    tip.dated = beijing_day(now)
    tip.year = tip.dated.year
    tip.issue_no = await count_up(session, TipSerial, {"year": tip.year}, "last")


async def _name_in_sources(session: AsyncSession, tip: WorkTip) -> None:
    """The ledger says of each ticket in which tip (提示期号) it was answered for all."""
    own = Ticket.id.in_(tip.sources.get("tickets", ()))
    rows = await session.scalars(
        select(Ticket.id).where(own, Ticket.tip_no == "").order_by(Ticket.id).with_for_update()
    )
    # Not through the rows: an officer who is answering one of them keeps a page that is fresh.
    named = update(Ticket).where(Ticket.id.in_(rows.all())).values(tip_no=tip_words.short_number(tip))
    await session.execute(named, execution_options={"synchronize_session": False})


async def _in_force(
    session: AsyncSession, tip: WorkTip, actor: Staff, now: datetime, shown: Mapping[int, int] | None = None
) -> None:
    """Publish every linked version and write the recalls that it calls for.

    One that somebody has published by itself meanwhile is in force already.
    """
    linked = await tip_links.linked(session, tip)
    coming = [(link, version) for link, version, entry in linked if entry.published_id != version.id]
    for before, (link, version) in enumerate(coming):
        seen = (shown or {}).get(version.id, link.seen or 0)
        await entries.publish(session, version, seen=seen, actor=actor, now=now, after=before, by_tip=True)
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


async def _send(
    session: AsyncSession, tip: WorkTip, actor: Staff | None, now: datetime, public_url: str
) -> None:
    """Lay out the messages; only now, when it can be read, the groups of the old one are pointed to it."""
    await tip_posts.lay_out(session, tip, actor=actor, now=now, public_url=public_url)
    tip.laid_out_at = now
    old = await session.get(WorkTip, tip.supersedes_id) if tip.supersedes_id else None
    if old is not None:
        await _replace(session, old, tip, now)


async def _replace(session: AsyncSession, old: WorkTip, new: WorkTip | None, now: datetime) -> None:
    """Tell the groups of a tip that it has fallen; of one that never went out, those of its predecessor."""
    row: WorkTip | None = old
    while row is not None:
        await tip_posts.replace(session, row, new, now=now)
        if row.laid_out_at is not None or row.supersedes_id is None:
            return
        row = await session.get(WorkTip, row.supersedes_id)


async def _stale(session: AsyncSession, tip: WorkTip, why: str, now: datetime) -> None:
    tip.stale_at = now
    await session.flush()
    await audit.record(session, "work_tip.stale", f"work_tip:{tip.id}", actor=CLOCK, now=now, why=why)
    for staff_id in sorted({tip.releaser_id or tip.drafter_id, tip.drafter_id}):
        await notices.tell(
            session, staff_id, "tip_stale", {"no": tip_words.number(tip)}, key=f"tip_stale:{tip.id}",
            subject=f"work_tip:{tip.id}", now=now,
        )  # fmt: skip
