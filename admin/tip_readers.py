"""Who has read a work tip and who has not: receipts, the telephone list, reminders, the rate of a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from admin import times
from admin.pages import Desk
from knowledge import tip_receipts
from knowledge import tips as kept_tips
from knowledge.tip_receipts import Receipt
from knowledge.tips import TipState, WorkTip
from office import staff, units
from office.staff import Permission
from office.units import Unit, contains
from ticketing import tip_arrivals, tip_chases, tip_coverage, tip_questions
from ticketing.tip_coverage import WITHOUT, Cover

TONES = {Cover.WAITING: "info", Cover.SILENT: "warn", Cover.STOPPED: "danger", Cover.FAILED: "danger"}


async def view(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """What the board shows below the sending, and what may be done about it here."""
    reach = await staff.reach(desk.session, desk.person)
    board = await tip_receipts.board(desk.session, [tip])
    covers = await tip_coverage.covers(desk.session, [tip])
    within = [unit for unit in board.units if contains(reach, unit.path)]
    silent = [unit for unit in within if board.cell(unit, tip) is None]
    without = [unit for unit in silent if covers[(unit.id, tip.id)] in WITHOUT]
    signed = [(unit, row) for unit in within if (row := board.cell(unit, tip)) is not None]
    read, addressed = await tip_receipts.counts(desk.session, tip)
    home = await units.get(desk.session, tip.unit_id)
    works = desk.may(Permission.WORK_TICKETS)
    standing = tip.state is TipState.RELEASED and kept_tips.shown(tip, desk.now)
    # Where nobody has to sign, those are left who were never told.
    to_call = silent if tip.receipt_wanted else without if standing else []
    return {
        "read": read,
        "addressed": addressed,
        "partly": len(within) < len(board.units),
        "rate": await _rate(desk, tip, addressed),
        "due": times.moment(tip.receipt_due, desk.frame.language, now=desk.now) if tip.receipt_due else "",
        "wanted": tip.receipt_wanted,
        "silent": await _calls(desk, tip, to_call, covers),
        "without": len(without) if standing else 0,
        "signed": await _signed(desk, signed),
        "taken_back": await _taken_back(desk, tip, within),
        "rounds": await _rounds(desk, tip),
        "most_rounds": tip_chases.MOST_A_DAY,
        "may_chase": works and standing and tip.receipt_wanted and read < addressed
        and contains(reach, home.path),
        "may_note": works and standing and tip.receipt_wanted,
        "may_phone": desk.may(Permission.MANAGE_STAFF),
        # Somebody of a committee signs for the street above it, of which the lists here show nothing.
        "own": [
            unit
            for unit in board.units
            if standing and board.cell(unit, tip) is None and contains(unit.path, reach)
        ],
        "questions": await tip_questions.count(desk.session, tip),
        "sees_tickets": desk.may(Permission.SEE_TICKETS),
    }  # fmt: skip


async def chased(desk: Desk, tip: WorkTip) -> str:
    """What has become of the last round of reminders, in words."""
    rounds = await tip_chases.rounds(desk.session, tip)
    if not rounds:
        return ""
    groups = await tip_chases.reminded(desk.session, tip, rounds[-1])
    key = "tipboard.chased_told" if groups else "tipboard.chased_nobody"
    return desk.t(key, units=rounds[-1].units, groups=groups)


async def _rate(desk: Desk, tip: WorkTip, addressed: int) -> dict[str, str]:
    """已阅率@24h in words; until a day is over it can still rise."""
    begun = tip_arrivals.sent_at(tip)
    if begun is None or not addressed:
        return {"figure": "—", "note": ""}
    read = await tip_arrivals.read_in_time(desk.session, tip)
    open_still = begun + tip_arrivals.COUNTED_WITHIN > desk.now
    return {
        # Never rounded up to all of them.
        "figure": f"{read * 100 // addressed}%",
        "note": desk.t("tipboard.rate_open" if open_still else "tipboard.rate_of", n=read, of=addressed),
    }


async def _calls(
    desk: Desk, tip: WorkTip, to_call: Sequence[Unit], covers: Mapping[tuple[int, int], Cover]
) -> list[dict[str, Any]]:
    """The telephone list: the units, their number, who is on duty there, and whether the tip came to them."""
    calls = await tip_chases.phone_list(desk.session, to_call, now=desk.now)
    return [
        {
            "id": call.unit.id,
            "name": call.unit.name,
            "phone": call.phone,
            "on_duty": call.on_duty,
            "duty_phone": call.duty_phone,
            "cover": cover_words(desk, covers[(call.unit.id, tip.id)]),
            "tone": TONES.get(covers[(call.unit.id, tip.id)], "warn"),
        }
        for call in calls
    ]


def cover_words(desk: Desk, cover: Cover) -> str:
    """What is to be said of how far a tip has come to a unit; nothing where it has arrived."""
    return "" if cover is Cover.ARRIVED else desk.t(f"tipboard.cover_{cover}")


async def _signed(desk: Desk, rows: Sequence[tuple[Unit, Receipt]]) -> list[dict[str, Any]]:
    names = await staff.names(desk.session, {row.recorded_by_id for _, row in rows if row.recorded_by_id})
    works = desk.may(Permission.WORK_TICKETS)
    return [
        {
            "unit": unit.name,
            "who": row.signer,
            "at": times.moment(row.at, desk.frame.language, now=desk.now),
            "way": _way(desk, row, names),
            # Unit and receipt in one: a field of the form that takes it back.
            "back": f"{unit.id}.{tip_receipts.stamp(row)}"
            if works and tip_receipts.may_take_back(row, desk.person)
            else "",
        }
        for unit, row in sorted(rows, key=lambda pair: pair[1].at, reverse=True)
    ]


def _way(desk: Desk, row: Receipt, names: Mapping[int, str]) -> str:
    said = desk.t(f"tipboard.way_{row.way}")
    if row.recorded_by_id is None:
        return said
    return desk.t("tipboard.way_noted", way=said, who=names.get(row.recorded_by_id, "—"))


async def _taken_back(desk: Desk, tip: WorkTip, within: Sequence[Unit]) -> list[str]:
    names = {unit.id: unit.name for unit in within}
    return [
        desk.t(
            "tipboard.taken_back_line", at=times.moment(line.at, desk.frame.language, now=desk.now),
            who=line.actor_name, unit=names[line.facts["unit"]], why=line.facts["why"],
        )
        for line in await tip_receipts.taken_back(desk.session, tip)
        if line.facts["unit"] in names
    ]  # fmt: skip


async def _rounds(desk: Desk, tip: WorkTip) -> list[str]:
    rows = await tip_chases.rounds(desk.session, tip)
    names = await staff.names(desk.session, {row.by_id for row in rows if row.by_id})
    return [
        desk.t(
            "tipboard.round", at=times.moment(row.at, desk.frame.language, now=desk.now), n=row.units,
            who=names.get(row.by_id or 0, "") or desk.t("tipboard.by_clock"),
        )
        for row in reversed(rows)
    ]  # fmt: skip
