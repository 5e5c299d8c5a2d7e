"""Releasing a work tip (签发): number, entries in force, messages to the groups; superseding and withdrawing.

All of it in the caller's transaction: the number, the entries and their recalls, the tip that is replaced,
the rows of the outbox. Either everything is so, or nothing is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import checks, tip_links, tip_moves, tip_words
from knowledge.tips import LONGEST_LINE, TIP_MOVES, TipSerial, TipState, WorkTip
from office import audit, notices, redact, units
from office.errors import Conflict, Invalid
from office.hours import OfficeHours, beijing_day
from office.staff import Permission, Staff, must
from office.store import count_up
from ticketing import tip_effect, tip_posts
from ticketing.records import Ticket

RECEIPT_WITHIN: Final = timedelta(hours=24)
"""How long units have for their receipt where the tip says nothing: 已阅率@24h is what is counted."""
RECEIPT_DUTY: Final = timedelta(hours=2)
"""So much of it is duty time: a tip of Sunday night is not overdue the minute the offices open."""
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
    await tip_effect.hold(session, [tip])
    await _number(session, tip, now)
    await _name_in_sources(session, tip)
    tip.releaser_id, tip.released_at, tip.changed_at = actor.id, now, now
    if tip.receipt_wanted and tip.receipt_due is None:
        tip.receipt_due = receipt_due(max(tip.send_at or now, now), hours)
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
        await tip_effect.in_force(session, tip, actor, now)
    else:
        for _, version, _ in await tip_links.linked(session, tip):
            await checks.demand(session, version)
    if tip.send_at is None or tip.send_at <= now:
        await _send(session, tip, actor, now, public_url)
    await notices.tell(
        session, tip.drafter_id, "tip_released", {"no": tip_words.number(tip)},
        inside={"title": tip.title},
        key=f"tip_released:{tip.id}", subject=f"work_tip:{tip.id}", now=now,
    )  # fmt: skip
    await session.flush()
    return tip


def receipt_due(sent: datetime, hours: OfficeHours) -> datetime:
    """Until when receipts of a tip are owed that names no day: 24 hours, at least two of them of duty."""
    try:
        due = max(sent + RECEIPT_WITHIN, hours.add_duty(sent, RECEIPT_DUTY))
    except LookupError:
        return sent + RECEIPT_WITHIN  # nobody is on duty for more than a year
    return hours.next_open(due) or due


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


async def send_due(session: AsyncSession, *, now: datetime, public_url: str = "") -> int:
    """The clock: the messages of tips whose embargo is over; returns how many tips were laid out."""
    due = await tip_effect.due(session, WorkTip.laid_out_at.is_(None), WorkTip.send_at <= now)
    for tip in due:
        actor = await session.get(Staff, tip.releaser_id)
        await _send(session, tip, actor, now, public_url)
    await session.flush()
    return len(due)


async def _may_fall(session: AsyncSession, old: WorkTip, actor: Staff) -> None:
    unit = await units.get(session, old.unit_id)
    await must(session, actor, Permission.PUBLISH_ENTRIES, unit.path)
    if old.state is not R:
        raise Conflict("tip_not_standing")


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
