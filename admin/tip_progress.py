"""How far the sending of a work tip has come: a bar for each broadcast, what failed, what is still old."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from admin import times
from admin.pages import Desk
from knowledge.tips import TipState, WorkTip
from office import broadcasts, staff, units
from office.broadcasts import Broadcast, BroadcastState, Progress
from office.delivery import BROADCAST_MOVES
from office.staff import Permission
from office.units import Unit, contains
from ticketing import tip_arrivals, tip_coverage, tip_resends
from ticketing.tip_arrivals import Arrival, Misled, Old

B = BroadcastState
TONES = {B.RUNNING: "active", B.PAUSED: "warn", B.STOPPED: "danger"}
ACTS = {"pause": B.PAUSED, "resume": B.RUNNING, "stop": B.STOPPED}


async def view(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """What the live part of the board shows; of groups those within the reader's reach."""
    reach = await staff.reach(desk.session, desk.person)
    home = await units.get(desk.session, tip.unit_id)
    may_steer = desk.may(Permission.PUBLISH_ENTRIES) and contains(reach, home.path)
    found = [one for one in await tip_arrivals.troubles(desk.session, tip) if _near(one.unit, reach)]
    failed = [one for one in found if one.failed]
    rows = await tip_arrivals.runs(desk.session, tip)
    halted = await staff.names(desk.session, {row.halted_by_id for row in rows if row.halted_by_id})
    runs = [await _run(desk, tip, rows, row, failed, halted, may_steer=may_steer) for row in rows]
    # Asked for again and again while a tip is sent: its posts are looked through only once it has fallen.
    fallen = tip.state in (TipState.SUPERSEDED, TipState.WITHDRAWN)
    misled = await tip_arrivals.misled(desk.session, tip) if fallen else []
    goes = may_steer and tip_resends.may_go(tip, now=desk.now)
    return {
        "base": f"/admin/tips/{tip.id}/board",
        "runs": runs,
        "finished": all(run["finished"] for run in runs),
        "failures": [_line(desk, one) for one in failed if not one.made_good],
        "doubtful": [_line(desk, one) for one in found if one.doubtful],
        "old": [_old_line(desk, one) for one in misled if _near(one.place.unit, reach)],
        # To so many groups it can be sent again.
        "again": len(await tip_coverage.missing(desk.session, tip)) if goes else 0,
        "waits": "" if rows else _waits(desk, tip, fallen=fallen),
    }


def _waits(desk: Desk, tip: WorkTip, *, fallen: bool) -> str:
    """Why nothing was sent: its time has not come, or never will; empty where it begins any moment."""
    if fallen and tip.laid_out_at is None:
        return desk.t(f"tipboard.unsent_{tip.state}")
    if fallen or tip.send_at is None:
        return ""
    return desk.t("tipboard.waits", at=times.moment(tip.send_at, desk.frame.language, now=desk.now))


async def withdrawn(desk: Desk, tip: WorkTip) -> str:
    """What has become of telling the groups that a tip was withdrawn, in words."""
    found = [run for run in await tip_arrivals.runs(desk.session, tip) if tip_arrivals.is_change(tip, run)]
    told = [await broadcasts.progress(desk.session, run.id) for run in found]
    total = sum(one.total for one in told)
    if not total:
        return desk.t("tipboard.withdrawn_nobody")
    sent, failed = sum(one.sent for one in told), sum(one.failed for one in told)
    return desk.t("tipboard.withdrawn_told", total=total, sent=sent) + (
        desk.t("tipboard.failed", n=failed) if failed else ""
    )


async def _run(
    desk: Desk,
    tip: WorkTip,
    rows: Sequence[Broadcast],
    row: Broadcast,
    failed: Sequence[Arrival],
    halted: dict[int, str],
    *,
    may_steer: bool,
) -> dict[str, Any]:
    done = await broadcasts.progress(desk.session, row.id, now=desk.now)
    finished = not done.pending
    # A broadcast that has come to its end is not running any more, whatever its row says.
    ended = finished and row.state is not B.STOPPED
    state = ("done" if done.total else "empty") if ended else row.state.value
    kind = "again" if tip_arrivals.is_again(rows, row) else "tip"
    kind = "change" if tip_arrivals.is_change(tip, row) else kind
    return {
        "id": row.id,
        "version": row.version,
        "name": desk.t(f"tipboard.run_{kind}"),
        "state": desk.t(f"tipboard.state_{state}"),
        "tone": ("good" if done.total else "warn") if ended else TONES[row.state],
        "halted": _halted(desk, row, halted) if not finished or row.state is B.STOPPED else "",
        "finished": finished,
        "stand": f"{state}:{row.version}",
        "progress": done,
        "words": desk.t("tipboard.sent", sent=done.sent, total=done.total)
        + (_failed_words(desk, row, done.failed, failed) if done.failed else "")
        if done.total
        else desk.t("tipboard.sent_nowhere"),
        "parts": [(key, getattr(done, key)) for key in ("sent", "failed", "pending", "stopped")],
        "rate": _rate(desk, row, done),
        "held_up": await _held_up(desk, row),
        "acts": [act for act, to in ACTS.items() if to in BROADCAST_MOVES.get(row.state, ())]
        if may_steer and not finished
        else [],
    }


def _failed_words(desk: Desk, row: Broadcast, count: int, failed: Sequence[Arrival]) -> str:
    """，失败2（机器人被移出）: the reasons that the reader may see, each once."""
    own = [one for one in failed if one.delivery.broadcast_id == row.id]
    reasons = dict.fromkeys(_why(desk, one) for one in own)
    if not reasons:
        return desk.t("tipboard.failed", n=count)
    return desk.t("tipboard.failed_why", n=count, why=desk.t("list.comma").join(reasons))


def _rate(desk: Desk, row: Broadcast, done: Progress) -> str:
    """How many leave in a minute, and how long the rest takes at that."""
    if not done.pending or row.state is not B.RUNNING:
        return ""
    if row.starts_at > desk.now:
        return desk.t("tipboard.begins", at=times.moment(row.starts_at, desk.frame.language, now=desk.now))
    said = desk.t("tipboard.rate", n=done.per_minute)
    if not done.per_minute:
        return said
    return said + desk.t("tipboard.left", n=-(-done.pending // done.per_minute))


async def _held_up(desk: Desk, row: Broadcast) -> str:
    """What did not get through so far, why, and when it is tried again."""
    found = await tip_arrivals.held_up(desk.session, row)
    if found is None:
        return ""
    count, first = found
    why = desk.t(f"tipboard.why_{tip_arrivals.why(first) or 'other'}")
    at = times.moment(first.due_at, desk.frame.language, now=desk.now)
    return desk.t("tipboard.held_up", n=count, why=why, at=at)


def _halted(desk: Desk, row: Broadcast, names: dict[int, str]) -> str:
    if row.halted_at is None:
        return ""
    at = times.moment(row.halted_at, desk.frame.language, now=desk.now)
    who = names.get(row.halted_by_id or 0, "")
    return desk.t("tipboard.halted_by", who=who, at=at) if who else desk.t("tipboard.halted", at=at)


def _line(desk: Desk, one: Arrival) -> dict[str, Any]:
    return {
        "unit": one.unit.name if one.unit else "—",
        "group": (one.group.title if one.group else "") or desk.t("tips.untitled"),
        "group_id": one.group.id if one.group and desk.may(Permission.MANAGE_STAFF) else 0,
        "channel": desk.t(f"channel.{one.contact.channel}"),
        "why": _why(desk, one),
        "tries": one.delivery.attempts,
    }


def _old_line(desk: Desk, one: Old) -> dict[str, Any]:
    """A group that still shows the old text, and why."""
    why = desk.t(f"tipboard.old_{one.why}")
    if one.delivery is not None and one.why is Misled.FAILED:
        why = desk.t(f"tipboard.why_{tip_arrivals.why(one.delivery) or 'other'}")
    return {
        "unit": one.place.unit.name,
        "group": one.place.group.title or desk.t("tips.untitled"),
        "group_id": one.place.group.id if desk.may(Permission.MANAGE_STAFF) else 0,
        "channel": desk.t(f"channel.{one.place.contact.channel}"),
        "why": why,
        "tone": "info" if one.why is Misled.WAITING else "warn" if one.why is Misled.SILENT else "danger",
    }


def _why(desk: Desk, one: Arrival) -> str:
    return desk.t(f"tipboard.why_{tip_arrivals.why(one.delivery) or 'other'}")


def _near(unit: Unit | None, reach: str) -> bool:
    return unit is not None and contains(reach, unit.path)
