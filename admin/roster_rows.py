"""Shifts, wishes to change them, gaps and shares as the pages of the roster show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from admin import times
from admin.pages import Desk
from office import staff, units
from office.hours import moment
from office.shifts import DutyShift
from office.staff import Permission
from office.timetable import DAY
from ticketing import duty, swaps
from ticketing.roster_checks import Gap, Share
from ticketing.swaps import SwapState

SHOWN_DAYS = 14
SWAP_TONES = {
    SwapState.ASKED: "info",
    SwapState.AGREED: "good",
    SwapState.DECLINED: "warn",
    SwapState.WITHDRAWN: "neutral",
}


def gap_words(desk: Desk, gap: Gap) -> str:
    """11月28日（周六）下午无人（13:30–17:30）."""
    day = times.short_day(gap.day, desk.frame.language)
    weekday = desk.t(f"hours.weekday.{gap.day.isoweekday()}")
    part = desk.t(f"roster.part.{gap.part}")
    return desk.t("roster.gap", day=day, weekday=weekday, part=part, span=gap.span)


async def shares(desk: Desk, found: Sequence[Share]) -> list[dict[str, Any]]:
    """Who does how much, with names."""
    names = await staff.names(desk.session, {share.person_id for share in found})
    return [
        {
            "name": names.get(share.person_id, ""),
            "shifts": share.shifts,
            "weekends": share.weekends,
            "standbys": share.standbys,
            "hours": f"{share.hours:g}",
        }
        for share in found
    ]


async def names_of(desk: Desk, shifts: Sequence[DutyShift]) -> dict[int, str]:
    """The names of everybody who stands in these shifts."""
    people = {p for s in shifts for p in (s.officer_id, s.standby_id, s.leader_id, s.signed_in_by_id) if p}
    return await staff.names(desk.session, people)


def shift_row(desk: Desk, shift: DutyShift, names: dict[int, str]) -> dict[str, Any]:
    """A shift in words; names in full, because colleagues read it."""
    state = "out" if shift.signed_out_at else "in" if shift.signed_in_at else ""
    return {
        "id": shift.id,
        "day": times.short_day(shift.day, desk.frame.language),
        "weekday": desk.t(f"hours.weekday.{shift.day.isoweekday()}"),
        "name": desk.t(f"roster.shift.{shift.name.value}"),
        "span": f"{shift.opens}–{shift.closes}",
        "closes": shift.closes,
        "leader": names.get(shift.leader_id or 0, ""),
        "officer": names.get(shift.officer_id, ""),
        "standby": names.get(shift.standby_id or 0, ""),
        "phone": shift.phone,
        "place": shift.place,
        "duty": shift.duty,
        "emergency": shift.emergency,
        "note": shift.note,
        "state": desk.t(f"roster.signed_{state}", who=names.get(shift.signed_in_by_id or 0, ""))
        if state
        else "",
        "mine": desk.person.id in (shift.officer_id, shift.standby_id),
    }


def days(
    desk: Desk, shifts: Sequence[DutyShift], names: dict[int, str], first: date, today: date
) -> list[dict[str, Any]]:
    """Two weeks, day by day."""
    return [
        {
            "day": times.short_day(day, desk.frame.language),
            "weekday": desk.t(f"hours.weekday.{day.isoweekday()}"),
            "weekend": day.weekday() >= 5,
            "today": day == today,
            "shifts": [shift_row(desk, shift, names) for shift in shifts if shift.day == day],
        }
        for day in (first + ahead * DAY for ahead in range(SHOWN_DAYS))
    ]


async def mine(desk: Desk, shift: DutyShift) -> dict[str, Any]:
    """One's own shift with what may be done about it."""
    begun = moment(shift.day, shift.span.opens) <= desk.now
    return {
        **shift_row(desk, shift, await names_of(desk, [shift])),
        "can_sign_in": shift.signed_in_at is None
        and moment(shift.day, shift.span.opens) - duty.EARLIEST <= desk.now,
        "can_sign_out": shift.signed_in_by_id == desk.person.id and shift.signed_out_at is None,
        "can_swap": not begun,
        "colleagues": [] if begun else await _colleagues(desk, shift),
    }


async def _colleagues(desk: Desk, shift: DutyShift) -> list[tuple[str, str]]:
    """Whom one may ask, alone or in return for one of their coming shifts of the same roster."""
    unit = await units.get(desk.session, shift.unit_id)
    found: list[tuple[str, str]] = []
    for person in await staff.all_staff(desk.session, unit.path):
        if person.id == desk.person.id or not staff.may(person, Permission.WORK_TICKETS):
            continue
        found.append((str(person.id), person.name))
        for theirs in await duty.of_person(desk.session, person, now=desk.now, limit=3):
            if theirs.unit_id == shift.unit_id and moment(theirs.day, theirs.span.opens) > desk.now:
                said = f"{times.short_day(theirs.day, desk.frame.language)} {theirs.opens}–{theirs.closes}"
                found.append(
                    (f"{person.id}:{theirs.id}", desk.t("roster.in_return", name=person.name, shift=said))
                )
    return found


async def wish(desk: Desk, swap: swaps.DutySwap) -> dict[str, Any]:
    """A wish to change a shift, from or to oneself."""
    waits = swap.state is SwapState.ASKED
    return {
        "id": swap.id,
        "words": desk.t("roster.swap_words", **await swaps.facts(desk.session, swap)),
        "reason": swap.reason,
        "state": desk.t(f"roster.swap_state.{swap.state.value}"),
        "tone": SWAP_TONES[swap.state],
        "can_decide": waits and swap.to_id == desk.person.id,
        "can_withdraw": waits and swap.from_id == desk.person.id,
    }
